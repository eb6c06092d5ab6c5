//! Gzip read member by member, where the members are as this room writes them: each in one go, which takes half the time.
//!
//! ```text
//! HEAD deflate crc32 isize │ HEAD deflate crc32 isize │ … │ HEAD deflate crc32 isize
//! └──────── a part ───────┘ up to the next HEAD
//! ```
//!
//! A HEAD may stand inside of a member by chance or by malice, and bytes may stand between a member and the next HEAD. So a part is
//! taken for a member only if it decodes whole, and its check sums (RFC 1952, 2.3.1: CRC32 and ISIZE, which the decoder compared)
//! stand in it at its very end and nowhere else. From the first part on that is none, and for what others wrote, the rest is read
//! as a stream: what comes out, and what is refused, is the same.

use std::io::{self, BufReader, Chain, Cursor, Read};

use flate2::bufread::MultiGzDecoder;
use memchr::memmem;

use super::BLOCK;

/// How libdeflate begins a member: no name, no time, no hint of a level, of no system.
const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// Bytes of the check sums at the end of a member.
const TAIL: usize = 8;

/// The longest part that is looked at: a block that can't be compressed grows by less than this.
const LONGEST: usize = BLOCK + (64 << 10);

/// Bytes that are read at once.
const CHUNK: usize = 256 << 10;

/// A reader of gzip, any number of members.
pub(super) enum Gzip<R> {
    /// Up to here all were members of ours.
    Members(Box<Members<R>>),
    /// The rest, read as a stream.
    Stream(Box<Stream<R>>),
}

type Stream<R> = MultiGzDecoder<BufReader<Chain<Cursor<Vec<u8>>, R>>>;

pub(super) struct Members<R> {
    /// Empty once the rest is read as a stream.
    input: Option<R>,
    /// What was read and is in no member yet begins at `begin`.
    window: Vec<u8>,
    begin: usize,
    ended: bool,
    block: Vec<u8>,
    /// What of the block was given out, and where it ends.
    given: usize,
    length: usize,
    decoder: libdeflater::Decompressor,
}

impl<R: Read> Gzip<R> {
    pub(super) fn new(input: R) -> Self {
        Self::Members(Box::new(Members {
            input: Some(input),
            window: Vec::new(),
            begin: 0,
            ended: false,
            block: Vec::new(),
            given: 0,
            length: 0,
            decoder: libdeflater::Decompressor::new(),
        }))
    }
}

impl<R: Read> Read for Gzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let members = match self {
                Self::Members(members) => members,
                Self::Stream(stream) => return stream.read(buffer),
            };
            if members.given < members.length || buffer.is_empty() {
                return Ok(members.give(buffer));
            }
            match members.next()? {
                Next::Member => {}
                Next::End => return Ok(0),
                Next::Other => {
                    let input = members.input.take().expect("it is taken once");
                    let rest = members.window.split_off(members.begin);
                    let rest = BufReader::with_capacity(CHUNK, Cursor::new(rest).chain(input));
                    *self = Self::Stream(Box::new(MultiGzDecoder::new(rest)));
                }
            }
        }
    }
}

enum Next {
    /// The block holds what was in a member, which may be nothing.
    Member,
    /// There is nothing more.
    End,
    /// What follows is no member of ours.
    Other,
}

impl<R: Read> Members<R> {
    fn give(&mut self, buffer: &mut [u8]) -> usize {
        let count = buffer.len().min(self.length - self.given);
        buffer[..count].copy_from_slice(&self.block[self.given..self.given + count]);
        self.given += count;
        count
    }

    fn next(&mut self) -> io::Result<Next> {
        let Some(end) = self.end_of_part()? else { return Ok(Next::Other) };
        let part = &self.window[self.begin..end];
        if part.is_empty() && end > 0 {
            return Ok(Next::End);
        }
        // There is room for a block only once there is a member.
        self.block.resize(BLOCK, 0);
        let Some(length) = whole(&mut self.decoder, part, &mut self.block) else { return Ok(Next::Other) };
        (self.given, self.length, self.begin) = (0, length, end);
        Ok(Next::Member)
    }

    /// Where the next HEAD is, or the end; `None` if what follows does not begin with one, or is too long.
    fn end_of_part(&mut self) -> io::Result<Option<usize>> {
        let mut from = HEAD.len();
        loop {
            let part = &self.window[self.begin..];
            if !HEAD.starts_with(&part[..part.len().min(HEAD.len())]) {
                return Ok(None);
            }
            if let Some(at) = part.get(from..).and_then(|rest| memmem::find(rest, &HEAD)) {
                return Ok(Some(self.begin + from + at));
            }
            if self.ended {
                return Ok(Some(self.window.len()));
            }
            if part.len() > LONGEST {
                return Ok(None);
            }
            // A HEAD may lie across the end of what was read.
            from = from.max(part.len().saturating_sub(HEAD.len() - 1));
            self.fill()?;
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        if self.begin > LONGEST {
            self.window.drain(..self.begin);
            self.begin = 0;
        }
        let input = self.input.as_mut().expect("it is read as a stream by now");
        let got = input.by_ref().take(CHUNK as u64).read_to_end(&mut self.window)?;
        self.ended = got < CHUNK;
        Ok(())
    }
}

/// How much a part holds, if it is one member and nothing else.
fn whole(decoder: &mut libdeflater::Decompressor, part: &[u8], block: &mut [u8]) -> Option<usize> {
    let length = decoder.gzip_decompress(part, block).ok()?;
    let crc = libdeflater::crc32(&block[..length]);
    let mut tail = [0; TAIL];
    tail[..4].copy_from_slice(&crc.to_le_bytes());
    tail[4..].copy_from_slice(&u32::try_from(length).expect("at most a block").to_le_bytes());
    (memmem::find(&part[HEAD.len()..], &tail) == Some(part.len() - HEAD.len() - TAIL)).then_some(length)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::super::{Compression, compress};
    use super::*;

    fn member(bytes: &[u8]) -> Vec<u8> {
        let level = libdeflater::CompressionLvl::new(5).expect("a level");
        let mut compressor = libdeflater::Compressor::new(level);
        let mut out = vec![0; compressor.gzip_compress_bound(bytes.len())];
        let length = compressor.gzip_compress(bytes, &mut out).expect("room");
        out.truncate(length);
        out
    }

    /// A member whose content stands in it as it is (RFC 1951, 3.2.4).
    fn stored(bytes: &[u8]) -> Vec<u8> {
        let length = u16::try_from(bytes.len()).expect("one block");
        let sums = [libdeflater::crc32(bytes), u32::from(length)].map(u32::to_le_bytes).concat();
        [&HEAD[..], &[1], &length.to_le_bytes(), &(!length).to_le_bytes(), bytes, &sums].concat()
    }

    /// Bytes that don't compress, the same each time.
    fn noise(length: usize) -> Vec<u8> {
        let mut state = 7_u64;
        std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        })
        .take(length)
        .collect()
    }

    /// Gives out a few bytes at a time.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(self.0.len()).min(buffer.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    /// What is read, and whether all of it was in members of ours.
    fn read(bytes: &[u8]) -> (io::Result<Vec<u8>>, bool) {
        let mut reader = Gzip::new(Slow(bytes, 4099));
        let mut out = Vec::new();
        let done = reader.read_to_end(&mut out).map(|_| out);
        (done, matches!(reader, Gzip::Members(_)))
    }

    /// The same as a stream, which is what it has to be.
    fn streamed(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        MultiGzDecoder::new(bytes).read_to_end(&mut out).map(|_| out)
    }

    /// Reads it either way, and says whether it was all members of ours.
    fn same(bytes: &[u8], what: &str) -> bool {
        let (found, ours) = read(bytes);
        match (found, streamed(bytes)) {
            (Ok(found), Ok(expected)) => assert!(found == expected, "{what}"),
            (found, expected) => {
                assert_eq!(found.is_err(), expected.is_err(), "{what}: {:?}", found.err().or(expected.err()));
            }
        }
        ours
    }

    #[test]
    fn what_this_room_writes_is_read_in_members_and_gives_what_a_stream_gives() {
        for bytes in [noise(3 * BLOCK + 5), vec![0; 2 * BLOCK], b"a".to_vec(), noise(BLOCK), Vec::new()] {
            let mut packed = Vec::new();
            compress::<io::Error>(Compression::Gzip, 2, &mut packed, |blocks| blocks.write_all(&bytes))
                .expect("packed");
            // Of nothing no member is written, and nothing is no gzip.
            assert_eq!(same(&packed, "packed"), !bytes.is_empty(), "{} bytes", bytes.len());
        }
        let several = [member(b"one"), member(b""), member(b"two")].concat();
        assert_eq!((read(&several).0.expect("whole"), read(&several).1), (b"onetwo".to_vec(), true));
    }

    #[test]
    fn a_head_that_lies_across_two_reads_is_found() {
        for before in 0..=HEAD.len() {
            let most = stored(&noise(60_000));
            let mut bytes = most.repeat(CHUNK / most.len());
            let left = CHUNK - before - bytes.len() - stored(b"").len();
            bytes.extend(stored(&noise(left)));
            assert_eq!(bytes.len() + before, CHUNK);
            bytes.extend(stored(b"behind"));
            assert!(same(&bytes, "across"), "{before} bytes before the end of the first read");
        }
    }

    #[test]
    fn what_others_wrote_and_what_only_looks_like_members_is_read_as_a_stream() {
        let mut other = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        other.write_all(b"other").expect("in memory");
        let other = other.finish().expect("in memory");
        assert!(!same(&other, "somebody else's"));
        let hiding = stored(&[&noise(100)[..], &HEAD, &noise(100)].concat());
        assert!(!same(&hiding, "a HEAD in a member"));
        assert!(same(&stored(b"member"), "a member that is stored as it is"));
        let twice = stored(&[&stored(b"member")[..], b"more"].concat());
        assert!(!same(&twice, "a member in a member"));
        assert!(!same(&[member(b"one"), other, member(b"two")].concat(), "a stranger in the middle"));
        assert!(!same(&member(&vec![1; BLOCK + 1]), "a member of more than a block"));
        assert!(!same(&member(&noise(2 * LONGEST)), "a long member"));
    }

    #[test]
    fn what_stands_between_members_is_refused_whatever_it_looks_like() {
        let one = member(b"one member");
        let tail = &one[one.len() - TAIL..];
        for between in [b"x".to_vec(), vec![0; 20], tail.to_vec(), [&noise(50), tail].concat(), HEAD.to_vec()]
        {
            let bytes = [&one[..], &between, &one].concat();
            assert!(!same(&bytes, "between"));
            assert!(read(&bytes).0.is_err(), "{between:?}");
            assert!(read(&[&one[..], &between].concat()).0.is_err(), "behind: {between:?}");
        }
    }

    #[test]
    fn every_cut_and_every_flipped_bit_is_refused_as_a_stream_refuses_it() {
        let bytes = [member(b"one member"), member(b"and another")].concat();
        for cut in 0..bytes.len() {
            same(&bytes[..cut], &format!("cut at {cut}"));
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[cut] ^= 1 << bit;
                same(&flipped, &format!("bit {bit} of byte {cut}"));
            }
        }
    }
}
