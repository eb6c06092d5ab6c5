//! Names and numbers that every room speaks of.
//!
//! Each is a type of its own with one door, [`std::str::FromStr`], so that a layer's digest can't be
//! handed over where its diff id is meant, and text from a recipe, a lock or a package can't travel
//! on unchecked. Nothing here knows files, archives or images.

mod age;
mod cve;
mod digest;
mod epoch;
mod name;
mod path;
mod platform;
mod purl;
mod reference;
mod version;

pub use age::Age;
pub use cve::CveId;
pub use digest::{BlobDigest, DiffId, Sha1, Sha256, Sha512};
pub use epoch::Epoch;
pub use name::{ArchiveName, PackageName, RecipeName, TagName, dated};
pub use path::ImagePath;
pub use platform::Platform;
pub use purl::Purl;
pub use reference::{Prefix, Reference, Registry, Repository, is_loopback};
pub use version::DebVersion;

/// Text that is not what its type takes: the text, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {expected}")]
pub struct Malformed {
    /// What was typed.
    pub text: String,
    /// What would have been taken, as a noun phrase.
    pub expected: &'static str,
}

impl Malformed {
    fn new(text: &str, expected: &'static str) -> Self {
        // A hostile name may be megabytes long; the reader needs its beginning.
        let text = text.chars().take(200).flat_map(char::escape_debug).collect();
        Self { text, expected }
    }
}

/// Serde by way of `Display` and `FromStr`, so that a type has one spelling everywhere.
macro_rules! serde_as_text {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
use serde_as_text;
