//! The compressions that packages, indices and archives come in, both ways.

use std::io::{Read as _, Write as _};

/// Fast settings: tests make small files by the thousand, and no digest here is pinned.
const XZ_PRESET: u32 = 1;
const ZSTD_LEVEL: i32 = 3;

/// A compression, with the file name extension that goes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// The .xz file format.
    Xz,
    /// One zstd frame.
    Zstd,
    /// One gzip member.
    Gzip,
    /// Not compressed.
    Plain,
}

impl Codec {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Xz, Self::Zstd, Self::Gzip, Self::Plain];

    /// With its dot, as in `data.tar.xz`; empty for plain.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Xz => ".xz",
            Self::Zstd => ".zst",
            Self::Gzip => ".gz",
            Self::Plain => "",
        }
    }

    /// By the end of a file name; plain where nothing is known.
    pub fn of_name(name: &str) -> Self {
        let named = |codec: &Self| *codec != Self::Plain && name.ends_with(codec.extension());
        Self::ALL.into_iter().find(named).unwrap_or(Self::Plain)
    }
}

/// `bytes`, compressed.
pub fn compress(codec: Codec, bytes: &[u8]) -> Vec<u8> {
    match codec {
        Codec::Xz => {
            let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), XZ_PRESET);
            encoder.write_all(bytes).expect("memory takes it");
            encoder.finish().expect("memory takes it")
        }
        Codec::Zstd => zstd::encode_all(bytes, ZSTD_LEVEL).expect("memory takes it"),
        Codec::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(bytes).expect("memory takes it");
            encoder.finish().expect("memory takes it")
        }
        Codec::Plain => bytes.to_vec(),
    }
}

/// What was compressed. Panics on anything that isn't whole: hostile bytes are for hardpan to read.
pub fn decompress(codec: Codec, bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    match codec {
        Codec::Xz => liblzma::read::XzDecoder::new(bytes).read_to_end(&mut plain),
        Codec::Zstd => zstd::stream::read::Decoder::new(bytes).and_then(|mut it| it.read_to_end(&mut plain)),
        Codec::Gzip => flate2::read::GzDecoder::new(bytes).read_to_end(&mut plain),
        Codec::Plain => std::io::copy(&mut &bytes[..], &mut plain).map(|_| 0),
    }
    .expect("what compress() wrote");
    plain
}
