//! SHA-256 digests: 32 bytes inside, hexadecimal at the edge.

use std::fmt;
use std::str::FromStr;

use super::{Malformed, serde_as_text};

/// A SHA-256 digest of some bytes, written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256(pub [u8; 32]);

/// A SHA-512 digest, written as 128 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha512(pub [u8; 64]);

/// A SHA-1 digest, written as 40 lower-case hexadecimal digits. Nothing is trusted for one: SPDX
/// documents have to list it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha1(pub [u8; 20]);

/// The digest of a blob as it is stored and sent: of the compressed bytes of a layer, or of a
/// manifest or configuration. Written `sha256:<hex>` (OCI image specification, descriptor.md).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobDigest(pub Sha256);

/// The digest of a layer's uncompressed tar (OCI image specification, config.md, "Layer `DiffID`").
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DiffId(pub Sha256);

impl Sha1 {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        use sha1::Digest as _;
        Self(sha1::Sha1::digest(bytes).into())
    }
}

impl Sha256 {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        Self(sha2::Sha256::digest(bytes).into())
    }

    /// The first twelve digits, for people.
    pub fn short(&self) -> String {
        self.to_string()[..12].to_owned()
    }
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

macro_rules! hexadecimal {
    ($type:ident, $length:literal, $what:literal) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                // There are many of them in an SBOM: byte by byte through `write!` takes ten times as long.
                let mut digits = [0; 2 * $length];
                for (pair, byte) in digits.chunks_exact_mut(2).zip(self.0) {
                    pair[0] = DIGITS[usize::from(byte >> 4)];
                    pair[1] = DIGITS[usize::from(byte & 15)];
                }
                f.write_str(std::str::from_utf8(&digits).expect("digits"))
            }
        }
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
        }
        impl FromStr for $type {
            type Err = Malformed;
            fn from_str(text: &str) -> Result<Self, Malformed> {
                let mut bytes = [0; $length];
                read_digits(text, &mut bytes).ok_or_else(|| Malformed::new(text, $what)).map(|()| Self(bytes))
            }
        }
        serde_as_text!($type);
    };
}
hexadecimal!(Sha256, 32, "a SHA-256 digest (64 lower-case hexadecimal digits)");
hexadecimal!(Sha512, 64, "a SHA-512 digest (128 lower-case hexadecimal digits)");
hexadecimal!(Sha1, 20, "a SHA-1 digest (40 lower-case hexadecimal digits)");

/// Reads exactly as many lower-case hexadecimal digits as fill the bytes.
fn read_digits(text: &str, bytes: &mut [u8]) -> Option<()> {
    if text.len() != 2 * bytes.len() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = nibble(pair[0]).zip(nibble(pair[1])).map(|(high, low)| high << 4 | low)?;
    }
    Some(())
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

macro_rules! prefixed {
    ($type:ident) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "sha256:{}", self.0)
            }
        }
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
        }
        impl FromStr for $type {
            type Err = Malformed;
            fn from_str(text: &str) -> Result<Self, Malformed> {
                let hex = text
                    .strip_prefix("sha256:")
                    .ok_or_else(|| Malformed::new(text, "a digest that begins with `sha256:`"))?;
                hex.parse().map(Self)
            }
        }
        serde_as_text!($type);
    };
}
prefixed!(BlobDigest);
prefixed!(DiffId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_reads_back_as_written() {
        let digest = Sha256::of(b"hardpan");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        let blob = BlobDigest(digest);
        assert_eq!(blob.to_string().parse(), Ok(blob));
    }

    #[test]
    fn the_empty_digest_is_the_published_one() {
        let published = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Sha256::of(b"").to_string(), published);
    }

    #[test]
    fn upper_case_short_and_foreign_digits_are_refused() {
        for text in ["", "E3B0", &"G".repeat(64), &"A".repeat(64), &"a".repeat(63), &"é".repeat(32)] {
            assert!(text.parse::<Sha256>().is_err(), "{text}");
        }
        assert!("md5:00".parse::<BlobDigest>().is_err());
    }
}
