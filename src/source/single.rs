//! A single file: one entry, whose path and mode the recipe gives.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use super::entry::{Entry, Kind};
use super::parcel::ParcelWriter;
use crate::ident::ImagePath;

/// Reads a file of `length` bytes into a parcel, under the name `/file`.
pub(super) fn read<W: Write>(
    mut file: impl Read,
    length: u64,
    out: &mut ParcelWriter<W>,
) -> Result<Entry, String> {
    let content = out.file(&mut file, length).map_err(|error| error.to_string())?;
    let path: ImagePath = "/file".parse().expect("a path");
    Ok(Entry {
        path,
        mode: 0o644,
        uid: 0,
        gid: 0,
        mtime: 0,
        xattrs: BTreeMap::new(),
        kind: Kind::File(content),
    })
}
