//! A layer's compressor: fixed blocks, compressed side by side, written in order.
//!
//! Each block of 1 MiB of tar becomes one gzip member (RFC 1952, 2.2: a file is a series of members)
//! or one zstd frame (RFC 8878, 3: frames may follow one another). Three kinds of thread work on a
//! layer: the caller fills blocks and hashes the diff id, workers compress, and one writes and hashes
//! the blob. The queues between them are short, which bounds memory.

use std::io::{self, Write};
use std::str::FromStr;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use sha2::Digest as _;

use super::HashWriter;
use crate::ident::{BlobDigest, DiffId, Sha256};

/// Bytes of tar in a block. Changing this changes every digest.
pub const BLOCK: usize = 1 << 20;

/// libdeflate's level for gzip layers. Changing this changes every digest.
const GZIP_LEVEL: i32 = 5;

/// zstd's level for zstd layers. Changing this changes every digest.
const ZSTD_LEVEL: i32 = 6;

/// How the layers of an image are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Compression {
    /// `application/vnd.oci.image.layer.v1.tar+gzip`, which everything reads.
    #[default]
    Gzip,
    /// `application/vnd.oci.image.layer.v1.tar+zstd`, smaller and faster for those who read it.
    Zstd,
}

impl Compression {
    /// The name on the command line and in media types.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    /// What made the bytes, for cache keys and provenance: backend, version, level, block.
    pub fn backend(self) -> String {
        match self {
            Self::Gzip => format!("libdeflate 1.26 level {GZIP_LEVEL}, members of {BLOCK}"),
            Self::Zstd => {
                format!("zstd {} level {ZSTD_LEVEL}, frames of {BLOCK}", zstd::zstd_safe::version_string())
            }
        }
    }
}

impl FromStr for Compression {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "gzip" => Ok(Self::Gzip),
            "zstd" => Ok(Self::Zstd),
            _ => Err(format!("`{text}` is not a compression (`gzip` or `zstd`)")),
        }
    }
}

/// What came of compressing one layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compressed {
    /// Digest of the uncompressed tar.
    pub diff_id: DiffId,
    /// Digest of the blob.
    pub digest: BlobDigest,
    /// Length of the blob in bytes.
    pub size: u64,
    /// Length of the uncompressed tar in bytes.
    pub unpacked: u64,
}

type Block = Vec<u8>;
type Job = (Block, SyncSender<io::Result<Block>>);

/// Takes the bytes of a tar in order and cuts them into blocks.
pub struct BlockWriter {
    block: Block,
    hash: sha2::Sha256,
    length: u64,
    jobs: SyncSender<Job>,
    order: SyncSender<Receiver<io::Result<Block>>>,
}

impl BlockWriter {
    fn send(&mut self, block: Block) -> io::Result<()> {
        // The hash is taken here, whole blocks at a time, where the bytes are still in the cache.
        self.hash.update(&block);
        self.length += block.len() as u64;
        let (done, result) = sync_channel(1);
        let gone = |()| io::Error::other("the compressor has stopped");
        self.order.send(result).map_err(|_| gone(()))?;
        self.jobs.send((block, done)).map_err(|_| gone(()))
    }

    fn finish(mut self) -> io::Result<(DiffId, u64)> {
        if !self.block.is_empty() {
            let last = std::mem::take(&mut self.block);
            self.send(last)?;
        }
        Ok((DiffId(Sha256(self.hash.finalize().into())), self.length))
    }
}

impl Write for BlockWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(BLOCK - self.block.len());
        self.block.extend_from_slice(&bytes[..taken]);
        if self.block.len() == BLOCK {
            let full = std::mem::replace(&mut self.block, Vec::with_capacity(BLOCK));
            self.send(full)?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Compresses what `produce` writes into `out`, with `workers` threads. The bytes don't depend on
/// `workers`. Errors of `produce` come before those of `out`.
pub fn compress<E: From<io::Error>>(
    compression: Compression,
    workers: usize,
    out: impl Write + Send,
    produce: impl FnOnce(&mut BlockWriter) -> Result<(), E>,
) -> Result<Compressed, E> {
    let workers = workers.max(1);
    let (jobs, queue) = sync_channel::<Job>(workers);
    let (order, results) = sync_channel(workers * 2);
    let queue = Mutex::new(queue);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| work(compression, &queue));
        }
        let written = scope.spawn(move || collect(out, &results));
        let mut blocks = BlockWriter {
            block: Vec::with_capacity(BLOCK),
            hash: sha2::Sha256::new(),
            length: 0,
            jobs,
            order,
        };
        let produced = produce(&mut blocks);
        let finished = blocks.finish();
        let written = written.join().expect("the writer does not panic");
        // A full disk stops the writer first and the producer after it: its words say more.
        let (digest, size) = match (written, &produced) {
            (Err(error), _) => return Err(error.into()),
            (Ok(_), Err(_)) => return Err(produced.expect_err("just seen")),
            (Ok(written), Ok(())) => written,
        };
        let (diff_id, unpacked) = finished?;
        Ok(Compressed { diff_id, digest: BlobDigest(digest), size, unpacked })
    })
}

fn work(compression: Compression, queue: &Mutex<Receiver<Job>>) {
    let mut encoder = Encoder::new(compression);
    loop {
        let job = queue.lock().expect("no worker panics").recv();
        let Ok((block, done)) = job else { return };
        // The writer may have given up; then nobody waits for this block.
        let _ = done.send(encoder.encode(&block));
    }
}

fn collect(out: impl Write, results: &Receiver<Receiver<io::Result<Block>>>) -> io::Result<(Sha256, u64)> {
    let mut out = HashWriter::new(out);
    for result in results {
        let block = result.recv().map_err(|_| io::Error::other("a compressor worker has stopped"))??;
        out.write_all(&block)?;
    }
    out.flush()?;
    let (_, digest, size) = out.finish();
    Ok((digest, size))
}

enum Encoder {
    Gzip(libdeflater::Compressor),
    Zstd(Box<zstd::bulk::Compressor<'static>>),
}

impl Encoder {
    fn new(compression: Compression) -> Self {
        match compression {
            Compression::Gzip => {
                let level = libdeflater::CompressionLvl::new(GZIP_LEVEL).expect("a level of libdeflate");
                Self::Gzip(libdeflater::Compressor::new(level))
            }
            Compression::Zstd => {
                let mut compressor = zstd::bulk::Compressor::new(ZSTD_LEVEL).expect("a level of zstd");
                compressor.include_checksum(true).expect("a flag of zstd");
                Self::Zstd(Box::new(compressor))
            }
        }
    }

    fn encode(&mut self, block: &[u8]) -> io::Result<Block> {
        match self {
            Self::Gzip(compressor) => {
                let mut out = vec![0; compressor.gzip_compress_bound(block.len())];
                let length = compressor.gzip_compress(block, &mut out).map_err(io::Error::other)?;
                out.truncate(length);
                Ok(out)
            }
            Self::Zstd(compressor) => compressor.compress(block),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::super::{Codec, decoder, finish};
    use super::*;

    /// Bytes that compress a little, of any length, the same each time.
    fn sample(length: usize) -> Vec<u8> {
        let mut state = 1_u32;
        std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            [b'a', b'b', (state >> 24) as u8][(state >> 30) as usize % 3]
        })
        .take(length)
        .collect()
    }

    fn pack(compression: Compression, workers: usize, bytes: &[u8], chunk: usize) -> (Vec<u8>, Compressed) {
        let mut out = Vec::new();
        let done = compress::<io::Error>(compression, workers, &mut out, |blocks| {
            bytes.chunks(chunk).try_for_each(|part| blocks.write_all(part))
        });
        (out, done.expect("packed"))
    }

    #[test]
    fn any_number_of_workers_and_any_write_size_gives_the_same_bytes() {
        let bytes = sample(3 * BLOCK + 17);
        for compression in [Compression::Gzip, Compression::Zstd] {
            let first = pack(compression, 1, &bytes, 4096);
            for (workers, chunk) in [(2, 100_000), (8, 3 * BLOCK)] {
                assert_eq!(pack(compression, workers, &bytes, chunk), first);
            }
            assert_eq!(first.1.diff_id.0, Sha256::of(&bytes));
            assert_eq!(first.1.digest.0, Sha256::of(&first.0));
            assert_eq!((first.1.size, first.1.unpacked), (first.0.len() as u64, bytes.len() as u64));
        }
    }

    #[test]
    fn the_blocks_read_back_as_one_stream() {
        let bytes = sample(2 * BLOCK + 1);
        for (compression, codec) in [(Compression::Gzip, Codec::Gzip), (Compression::Zstd, Codec::Zstd)] {
            let (packed, _) = pack(compression, 2, &bytes, 5000);
            let mut reader = decoder(codec, &packed[..]).expect("opens");
            let mut back = Vec::new();
            reader.read_to_end(&mut back).expect("reads");
            finish(&mut reader, 0).expect("whole");
            assert!(back == bytes);
        }
    }

    /// The bytes of each backend, pinned: if this fails, an upgrade of a compressor moved every
    /// digest of every image, and the changelog must say so.
    #[test]
    fn the_backends_bytes_are_the_pinned_ones() {
        let bytes = sample(BLOCK + 4321);
        let digests = [Compression::Gzip, Compression::Zstd]
            .map(|kind| pack(kind, 2, &bytes, BLOCK).1.digest.to_string());
        assert_eq!(digests, PINNED);
    }

    const PINNED: [&str; 2] = [
        "sha256:6859331303b479f9bd893da93cdc2c9117ceca2650336a77cfaf1fdc5b8e48c4",
        "sha256:1d531e4173a9d8db856e4513027b7530c2705138c7661cc2bf2f83ccf5d50915",
    ];

    #[test]
    fn a_writer_that_fails_is_heard() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::Error::from(io::ErrorKind::StorageFull))
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let failed =
            compress::<io::Error>(Compression::Gzip, 2, Full, |blocks| blocks.write_all(&sample(9 * BLOCK)));
        assert_eq!(failed.expect_err("full").kind(), io::ErrorKind::StorageFull);
    }
}
