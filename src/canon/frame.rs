//! Single frames of zstd, for files of ours that are named by their digest.

use std::io;

/// zstd's level for such frames. Changing this changes the digest of every snapshot of advisories.
const LEVEL: i32 = 6;

/// Compresses blocks, each to one frame (RFC 8878) with its check sum.
pub struct Framer(zstd::bulk::Compressor<'static>);

impl Framer {
    /// With zstd's own buffers, which are used again for each block.
    pub fn new() -> io::Result<Self> {
        let mut compressor = zstd::bulk::Compressor::new(LEVEL)?;
        compressor.include_checksum(true)?;
        Ok(Self(compressor))
    }

    /// The frame of a block. The same block gives the same bytes, whatever came before it.
    pub fn frame(&mut self, block: &[u8]) -> io::Result<Vec<u8>> {
        self.0.compress(block)
    }
}

/// What a frame holds, which must be exactly `length` bytes; more are never made room for.
pub fn unframe(frame: &[u8], length: usize) -> io::Result<Vec<u8>> {
    let block = zstd::bulk::decompress(frame, length)?;
    if block.len() == length {
        Ok(block)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidData, "a block is shorter than it was said to be"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_the_same_after_any_other_and_reads_back() {
        let mut framer = Framer::new().expect("memory");
        let alone = framer.frame(b"block").expect("in memory");
        framer.frame(&vec![7; 100_000]).expect("in memory");
        assert_eq!(framer.frame(b"block").expect("in memory"), alone);
        assert_eq!(unframe(&alone, 5).expect("whole"), b"block");
        assert!(unframe(&alone, 4).is_err() && unframe(&alone, 6).is_err());
    }
}
