//! A parcel: the files of one source as zstd frames, and an index of all its entries.
//!
//! ```text
//! frame frame frame …  index (JSON, zstd)  length of the index · its unpacked length · magic
//! ```
//!
//! A frame holds a file, or a mebibyte of a larger one, with zstd's check sum over it. The format is
//! private to the store: its version is part of the key that a parcel is stored under.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use super::elf;
use super::entry::{Content, Entry};
use super::secrets::Scanner;
use crate::ident::{Sha1, Sha256, Sha512};

/// Part of every parcel's key: raise it when the format or the reading of sources changes.
pub const PARCEL_VERSION: u32 = 5;

/// Bytes of a file in one frame.
const CHUNK: usize = 1 << 20;

/// One of zstd's fast levels: a parcel is read again within the second, and its bytes are in no digest.
const LEVEL: i32 = -7;

const MAGIC: &[u8; 8] = b"hpparcel";

/// The largest index that is read, in bytes.
const MAX_INDEX: u64 = 1 << 30;

/// What a source holds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ParcelIndex {
    /// The digest of the source that its SBOM names beside the pinned one; `None` until it is read.
    pub sha512: Option<Sha512>,
    /// A Debian package's own stanza, verbatim; empty for other sources.
    pub control: String,
    /// A Debian package's list of MD5 sums, verbatim; empty for other sources.
    pub md5sums: String,
    /// All entries, in the order of the source.
    pub entries: Vec<Entry>,
}

/// Writes a parcel.
pub(super) struct ParcelWriter<W> {
    out: W,
    at: u64,
    compressor: zstd::bulk::Compressor<'static>,
    chunk: Vec<u8>,
    packed: Vec<u8>,
}

impl<W: Write> ParcelWriter<W> {
    pub(super) fn new(out: W) -> io::Result<Self> {
        let mut compressor = zstd::bulk::Compressor::new(LEVEL)?;
        compressor.include_checksum(true)?;
        Ok(Self { out, at: 0, compressor, chunk: Vec::with_capacity(CHUNK), packed: Vec::new() })
    }

    /// Takes in exactly `size` bytes of `reader` as the content of a file.
    pub(super) fn file(&mut self, reader: &mut dyn Read, size: u64) -> io::Result<Content> {
        let mut content = Content {
            sha256: Sha256([0; 32]),
            sha1: Sha1([0; 20]),
            size,
            at: self.at,
            frames: Vec::new(),
            elf: None,
            interpreter: None,
            secrets: Vec::new(),
        };
        let (mut hash, mut sha1, mut scanner) = (sha2::Sha256::new(), sha1::Sha1::new(), Scanner::default());
        let mut left = size;
        while left > 0 {
            let take = left.min(CHUNK as u64);
            self.chunk.clear();
            let got = reader.take(take).read_to_end(&mut self.chunk)?;
            if got as u64 != take {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "a file is cut short"));
            }
            hash.update(&self.chunk);
            sha1.update(&self.chunk);
            scanner.feed(&self.chunk, left == take);
            self.note(&mut content, size);
            self.frame(&mut content)?;
            left -= take;
        }
        content.sha256 = Sha256(hash.finalize().into());
        content.sha1 = Sha1(sha1.finalize().into());
        content.secrets = scanner.found();
        Ok(content)
    }

    /// What the first bytes of a file say of it. ELF files of one frame are read while they are here.
    fn note(&self, content: &mut Content, size: u64) {
        if !content.frames.is_empty() {
            return;
        }
        if self.chunk.starts_with(b"\x7fELF") {
            // A larger one is read when it is there as a whole.
            let found =
                if size <= CHUNK as u64 { elf::read(&self.chunk[..]) } else { Some(elf::ElfInfo::default()) };
            content.elf = found.map(Box::new);
        } else if let Some(line) = self.chunk.strip_prefix(b"#!") {
            let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
            let line = String::from_utf8_lossy(&line[..line.len().min(256)]).into_owned();
            content.interpreter = Some(line.trim().to_owned()).filter(|line| !line.is_empty());
        }
    }

    fn frame(&mut self, content: &mut Content) -> io::Result<()> {
        self.packed.resize(zstd::zstd_safe::compress_bound(self.chunk.len()), 0);
        let length = self.compressor.compress_to_buffer(&self.chunk, &mut self.packed)?;
        self.out.write_all(&self.packed[..length])?;
        self.at += length as u64;
        content.frames.push(u32::try_from(length).expect("a frame is about a mebibyte"));
        Ok(())
    }

    /// Hands all that was written on to the file.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    pub(super) fn finish(mut self, index: &ParcelIndex) -> io::Result<()> {
        let text = serde_json::to_vec(index)?;
        let packed = zstd::bulk::compress(&text, 1)?;
        self.out.write_all(&packed)?;
        self.out.write_all(&(packed.len() as u64).to_le_bytes())?;
        self.out.write_all(&(text.len() as u64).to_le_bytes())?;
        self.out.write_all(MAGIC)?;
        self.out.flush()
    }
}

/// A parcel that can be read.
#[derive(Debug, Clone)]
pub struct Parcel {
    file: Arc<File>,
    /// What it holds.
    pub index: Arc<ParcelIndex>,
}

impl Parcel {
    /// Opens a parcel. A file that is none, or of another version, is an error.
    pub(super) fn open(mut file: File) -> io::Result<Self> {
        let bad = || io::Error::new(io::ErrorKind::InvalidData, "not a parcel");
        let end = file.seek(SeekFrom::End(0))?;
        let mut footer = [0; 24];
        file.read_exact_at(&mut footer, end.checked_sub(24).ok_or_else(bad)?)?;
        let number = |at: usize| u64::from_le_bytes(footer[at..at + 8].try_into().expect("eight bytes"));
        let (packed, unpacked) = (number(0), number(8));
        if &footer[16..] != MAGIC || unpacked > MAX_INDEX || packed > end {
            return Err(bad());
        }
        let mut bytes = vec![0; usize::try_from(packed).map_err(|_| bad())?];
        file.read_exact_at(&mut bytes, end - 24 - packed)?;
        let text = zstd::bulk::decompress(&bytes, usize::try_from(unpacked).map_err(|_| bad())?)?;
        let index = serde_json::from_slice(&text)?;
        Ok(Self { file: Arc::new(file), index: Arc::new(index) })
    }
}

/// Reads files out of parcels; each thread has its own.
pub struct ContentReader {
    decompressor: zstd::bulk::Decompressor<'static>,
    packed: Vec<u8>,
    chunk: Vec<u8>,
}

impl Default for ContentReader {
    fn default() -> Self {
        Self::new()
    }
}

impl ContentReader {
    /// With empty buffers.
    pub fn new() -> Self {
        let decompressor = zstd::bulk::Decompressor::new().expect("zstd has memory for its context");
        Self { decompressor, packed: Vec::new(), chunk: Vec::with_capacity(CHUNK) }
    }

    /// Hands the content over, a mebibyte at a time.
    pub fn read(
        &mut self,
        parcel: &Parcel,
        content: &Content,
        take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut at = content.at;
        for length in &content.frames {
            self.chunk_at(&parcel.file, at, *length)?;
            take(&self.chunk)?;
            at += u64::from(*length);
        }
        Ok(())
    }

    fn chunk_at(&mut self, file: &File, at: u64, length: u32) -> io::Result<()> {
        self.packed.resize(length as usize, 0);
        file.read_exact_at(&mut self.packed, at)?;
        self.chunk.clear();
        self.decompressor.decompress_to_buffer(&self.packed, &mut self.chunk)?;
        Ok(())
    }

    /// The whole content of a small file.
    pub fn bytes(&mut self, parcel: &Parcel, content: &Content) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.read(parcel, content, &mut |chunk| {
            bytes.extend_from_slice(chunk);
            Ok(())
        })?;
        Ok(bytes)
    }
}

/// A file of a parcel that can be sought in, for ELF files of more than one frame.
struct Seekable<'a> {
    reader: ContentReader,
    file: &'a File,
    content: Content,
    position: u64,
    here: Option<usize>,
}

impl Read for Seekable<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let frame = usize::try_from(self.position / CHUNK as u64).unwrap_or(usize::MAX);
        if self.position >= self.content.size || frame >= self.content.frames.len() {
            return Ok(0);
        }
        if self.here != Some(frame) {
            let before: u64 = self.content.frames[..frame].iter().map(|length| u64::from(*length)).sum();
            self.reader.chunk_at(self.file, self.content.at + before, self.content.frames[frame])?;
            self.here = Some(frame);
        }
        let inside = usize::try_from(self.position % CHUNK as u64).expect("below a mebibyte");
        let from = self.reader.chunk.get(inside..).unwrap_or_default();
        let got = from.len().min(buffer.len());
        buffer[..got].copy_from_slice(&from[..got]);
        self.position += got as u64;
        Ok(got)
    }
}

impl Seek for Seekable<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.content.size.checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position =
            target.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "before the beginning"))?;
        Ok(self.position)
    }
}

/// Fills in what large ELF files need, reading them back from the parcel under way.
pub(super) fn note_large_elfs(file: &File, entries: &mut [Entry]) {
    for entry in entries {
        let super::entry::Kind::File(content) = &mut entry.kind else { continue };
        if content.frames.len() < 2 || content.elf.is_none() {
            continue;
        }
        let seekable = Seekable {
            reader: ContentReader::new(),
            file,
            content: content.clone(),
            position: 0,
            here: None,
        };
        let cache = object::ReadCache::new(seekable);
        content.elf = elf::read(&cache).map(Box::new);
    }
}
