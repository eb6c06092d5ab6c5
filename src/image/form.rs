//! Where an image's files are: in a folder, in an archive, in the store.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Cursor, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use crate::diag::{Problem, Result, codes};
use crate::host;
use crate::ident::Sha256;
use crate::store::Store;

/// A reader of a file, and its length in bytes.
type Found = (Box<dyn Read + Send>, u64);

/// Where an image's files are.
#[derive(Debug)]
pub(super) enum Form {
    /// In a layout folder.
    Folder(PathBuf),
    /// In a tar: where each begins, and its length.
    Archive(PathBuf, BTreeMap<String, (u64, u64)>),
    /// In the store, with what a layout folder would have as `index.json`.
    Store(Store, Vec<u8>),
}

impl Form {
    pub(super) fn has(&self, member: &str) -> bool {
        match self {
            Self::Folder(folder) => host::exists(&folder.join(member)),
            Self::Archive(_, members) => members.contains_key(member),
            Self::Store(store, _) => {
                let there = digest_of(member)
                    .is_some_and(|digest| store.find(&digest).is_ok_and(|size| size.is_some()));
                there || member == "index.json"
            }
        }
    }

    /// Opens a file; `None` if it is not there.
    pub(super) fn read(&self, member: &str) -> Result<Option<Found>> {
        match self {
            Self::Folder(folder) => {
                let path = folder.join(member);
                if !host::exists(&path) {
                    return Ok(None);
                }
                let file = host::open(&path)?;
                let facts = file.metadata().map_err(|error| host::file_problem("reading", &path, &error))?;
                Ok(Some((Box::new(file), facts.len())))
            }
            Self::Archive(path, members) => {
                let Some((at, size)) = members.get(member) else { return Ok(None) };
                let mut file = host::open(path)?;
                file.seek(SeekFrom::Start(*at))
                    .map_err(|error| host::file_problem("reading", path, &error))?;
                Ok(Some((Box::new(file.take(*size)), *size)))
            }
            Self::Store(store, top) => read_stored(store, top, member),
        }
    }
}

/// The digest that a blob's path in a layout names.
fn digest_of(member: &str) -> Option<Sha256> {
    member.strip_prefix("blobs/sha256/")?.parse().ok()
}

/// Opens a file of an image whose blobs are in the store.
pub(super) fn read_stored(store: &Store, top: &[u8], member: &str) -> Result<Option<Found>> {
    if member == "index.json" {
        return Ok(Some((Box::new(Cursor::new(top.to_vec())), top.len() as u64)));
    }
    let Some(digest) = digest_of(member) else { return Ok(None) };
    let Some(size) = store.find(&digest)? else { return Ok(None) };
    Ok(Some((Box::new(store.open_blob(&digest)?), size)))
}

/// Where each member of a plain tar begins, and its length.
pub(super) fn members(path: &Path) -> Result<BTreeMap<String, (u64, u64)>> {
    let bad = |error: io::Error| {
        Problem::new(codes::BAD_IMAGE, format!("`{}` does not read as a tar", path.display()))
            .fact("cause", error)
    };
    let file: File = host::open(path)?;
    let mut archive = tar::Archive::new(file);
    let mut members = BTreeMap::new();
    for member in archive.entries_with_seek().map_err(bad)? {
        let member = member.map_err(bad)?;
        let name = String::from_utf8_lossy(&member.path_bytes()).trim_start_matches("./").to_owned();
        members.insert(name, (member.raw_file_position(), member.size()));
    }
    Ok(members)
}
