//! What a source holds, entry by entry.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ElfInfo, Secret};
use crate::ident::{ImagePath, Sha1, Sha256};

/// One entry of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Where it goes.
    pub path: ImagePath,
    /// Permission and set-id bits.
    pub mode: u32,
    /// Numeric owner.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
    /// Whole seconds since 1970.
    pub mtime: i64,
    /// Extended attributes by full name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub xattrs: BTreeMap<String, Vec<u8>>,
    /// What it is.
    pub kind: Kind,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// A regular file.
    File(Content),
    /// Another name of a regular file in the same source.
    HardLink(ImagePath),
    /// A symbolic link and its target, as written.
    Symlink(String),
    /// A folder.
    Directory,
}

/// The content of a regular file in a parcel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// Digest of the content.
    pub sha256: Sha256,
    /// The digest that SPDX asks for beside it.
    pub sha1: Sha1,
    /// Its length in bytes.
    pub size: u64,
    /// Where its first frame begins in the parcel.
    pub at: u64,
    /// The lengths of its frames; each but the last holds a mebibyte.
    pub frames: Vec<u32>,
    /// What it needs to run, if it is an ELF file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elf: Option<Box<ElfInfo>>,
    /// The interpreter and its argument, if it begins with `#!`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interpreter: Option<String>,
    /// What it looks like it holds and nobody should see.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<Secret>,
}
