//! Compressed input: recognised by its name or first bytes, read under a memory limit, and read to
//! its very end, so that its own check sums are compared and nothing hides behind them.

use std::io::{self, BufReader, Read};

use super::members::Gzip;

/// The most memory a decoder may ask for, in bytes. `xz -9` needs 65 MiB.
pub const MAX_DECODER_MEMORY: u64 = 80 << 20;

/// Bytes of input that are read at once.
const CHUNK: usize = 128 << 10;

/// The largest zstd window taken, as a power of two: 64 MiB.
const MAX_ZSTD_WINDOW: u32 = 26;

/// A compression that packages, indices and archives come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// Not compressed.
    Plain,
    /// RFC 1952, any number of members.
    Gzip,
    /// The .xz file format, any number of streams.
    Xz,
    /// RFC 8878, any number of frames.
    Zstd,
}

impl Codec {
    /// By the last part of a file name: `gz`, `xz`, `zst`, or `tar` and nothing for plain.
    pub fn of_extension(extension: &str) -> Option<Self> {
        match extension {
            "" | "tar" => Some(Self::Plain),
            "gz" | "tgz" => Some(Self::Gzip),
            "xz" | "txz" => Some(Self::Xz),
            "zst" | "tzst" => Some(Self::Zstd),
            _ => None,
        }
    }

    /// By the first bytes of a stream (at least six, where the stream has them).
    pub fn of_magic(magic: &[u8]) -> Self {
        match magic {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            _ => Self::Plain,
        }
    }
}

/// A reader of what `input` holds compressed. Truncation, wrong check sums, garbage after the end
/// and a window over the limit are read errors.
pub fn decoder<'a>(codec: Codec, input: impl Read + Send + 'a) -> io::Result<Box<dyn Read + Send + 'a>> {
    Ok(match codec {
        Codec::Plain => Box::new(BufReader::with_capacity(CHUNK, input)),
        Codec::Gzip => Box::new(Gzip::new(input)),
        Codec::Xz => {
            let stream = liblzma::stream::Stream::new_stream_decoder(
                MAX_DECODER_MEMORY,
                liblzma::stream::CONCATENATED,
            )
            .map_err(io::Error::other)?;
            Box::new(liblzma::bufread::XzDecoder::new_stream(BufReader::with_capacity(CHUNK, input), stream))
        }
        Codec::Zstd => {
            let mut decoder =
                zstd::stream::read::Decoder::with_buffer(BufReader::with_capacity(CHUNK, input))?;
            decoder.window_log_max(MAX_ZSTD_WINDOW)?;
            Box::new(decoder)
        }
    })
}

/// Reads what is left, so that the decoder compares its check sums. At most `allowed` bytes of zeros
/// may be left; anything else is an error, as is what the decoder itself finds wrong.
pub fn finish(reader: &mut dyn Read, allowed: u64) -> io::Result<()> {
    let mut buffer = [0; 16 << 10];
    let mut left = allowed;
    loop {
        let got = reader.read(&mut buffer)?;
        if got == 0 {
            return Ok(());
        }
        let zeros = buffer[..got].iter().all(|byte| *byte == 0);
        left = left
            .checked_sub(got as u64)
            .filter(|_| zeros)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "there is more data after the end"))?;
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn encoded(codec: Codec, bytes: &[u8]) -> Vec<u8> {
        match codec {
            Codec::Plain => bytes.to_vec(),
            Codec::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(bytes).expect("in memory");
                encoder.finish().expect("in memory")
            }
            Codec::Xz => {
                let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
                encoder.write_all(bytes).expect("in memory");
                encoder.finish().expect("in memory")
            }
            Codec::Zstd => {
                let mut compressor = zstd::bulk::Compressor::new(1).expect("a level");
                compressor.include_checksum(true).expect("a flag");
                compressor.compress(bytes).expect("in memory")
            }
        }
    }

    fn decoded(codec: Codec, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut reader = decoder(codec, bytes)?;
        let mut out = Vec::new();
        reader.read_to_end(&mut out)?;
        finish(&mut reader, 0)?;
        Ok(out)
    }

    const CODECS: [Codec; 3] = [Codec::Gzip, Codec::Xz, Codec::Zstd];

    #[test]
    fn streams_are_recognised_and_read() {
        let text = b"nothing gets through".repeat(1000);
        for codec in CODECS {
            let bytes = encoded(codec, &text);
            assert_eq!(Codec::of_magic(&bytes), codec);
            assert_eq!(decoded(codec, &bytes).expect("whole"), text);
            let twice = [bytes.clone(), bytes].concat();
            assert_eq!(decoded(codec, &twice).expect("two in a row").len(), 2 * text.len());
        }
    }

    #[test]
    fn a_stream_cut_short_is_refused_wherever_it_is_cut() {
        let text = b"nothing gets through".repeat(50);
        for codec in CODECS {
            let bytes = encoded(codec, &text);
            for cut in 1..bytes.len() {
                assert!(decoded(codec, &bytes[..cut]).is_err(), "{codec:?} cut at {cut} of {}", bytes.len());
            }
        }
    }

    #[test]
    fn garbage_after_the_end_is_refused() {
        for codec in CODECS {
            let bytes = [encoded(codec, b"text"), b"garbage!".to_vec()].concat();
            assert!(decoded(codec, &bytes).is_err(), "{codec:?}");
        }
    }

    #[test]
    fn a_flipped_check_sum_is_seen() {
        let text = b"nothing gets through".repeat(50);
        for (codec, from_end) in [(Codec::Gzip, 8), (Codec::Zstd, 2), (Codec::Xz, 30)] {
            let mut bytes = encoded(codec, &text);
            let at = bytes.len() - from_end;
            bytes[at] ^= 1;
            assert!(decoded(codec, &bytes).is_err(), "{codec:?}");
        }
    }

    #[test]
    fn what_is_left_is_bounded() {
        assert!(finish(&mut &[0_u8; 100][..], 100).is_ok());
        assert!(finish(&mut &[0_u8; 101][..], 100).is_err());
        assert!(finish(&mut &b"x"[..], 100).is_err());
    }
}
