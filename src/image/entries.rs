//! The entries of one layer, each with all that its tar says of it.

use std::collections::BTreeMap;
use std::io::{self, Read};

use super::open::{Image, OpenPlatform};
use crate::canon::{self, Codec, HashWriter};
use crate::diag::{Problem, Result, codes};
use crate::ident::Sha256;

/// What a layer says of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryFacts {
    /// The tar's letter for its kind: `0` a file, `1` a hard link, `2` a link, `5` a folder.
    pub kind: char,
    /// Permission and set-id bits.
    pub mode: u32,
    /// `uid:gid`.
    pub owner: String,
    /// Whole seconds since 1970.
    pub mtime: u64,
    /// Length in bytes.
    pub size: u64,
    /// Digest of the content.
    pub sha256: Sha256,
    /// Where a link points to.
    pub link: Option<String>,
}

/// The entries of the layer at place `at`, by path.
pub fn layer_entries(
    image: &Image,
    platform: &OpenPlatform,
    at: usize,
) -> Result<BTreeMap<String, EntryFacts>> {
    let mut entries = BTreeMap::new();
    each_entry(image, platform, at, |path, header, member| {
        let mut hashing = HashWriter::new(io::sink());
        let size = io::copy(member, &mut hashing)?;
        let facts = EntryFacts {
            kind: char::from(header.entry_type().as_byte()),
            mode: header.mode()? & 0o7777,
            owner: format!("{}:{}", header.uid()?, header.gid()?),
            mtime: header.mtime()?,
            size,
            sha256: hashing.finish().1,
            link: header.link_name_bytes().map(|target| String::from_utf8_lossy(&target).into_owned()),
        };
        entries.insert(path.to_owned(), facts);
        Ok(())
    })?;
    Ok(entries)
}

/// The content of a file of a layer, at most `most` bytes of it.
pub fn layer_file(
    image: &Image,
    platform: &OpenPlatform,
    at: usize,
    wanted: &str,
    most: u64,
) -> Result<Option<Vec<u8>>> {
    let mut found = None;
    each_entry(image, platform, at, |path, _, member| {
        if path == wanted {
            let mut bytes = Vec::new();
            member.take(most).read_to_end(&mut bytes)?;
            found = Some(bytes);
        }
        Ok(())
    })?;
    Ok(found)
}

fn each_entry(
    image: &Image,
    platform: &OpenPlatform,
    at: usize,
    mut each: impl FnMut(&str, &tar::Header, &mut dyn Read) -> io::Result<()>,
) -> Result<()> {
    let (member, _, _) = &platform.layers[at];
    let (mut blob, _) = image.read(member)?;
    let mut read = || -> io::Result<()> {
        let mut magic = [0; 6];
        let got = blob.read(&mut magic)?;
        let codec = Codec::of_magic(&magic[..got]);
        let decoder = canon::decoder(codec, io::Cursor::new(magic[..got].to_vec()).chain(&mut blob))?;
        let mut archive = tar::Archive::new(decoder);
        for member in archive.entries()? {
            let mut member = member?;
            let path = String::from_utf8_lossy(&member.path_bytes()).trim_end_matches('/').to_owned();
            let header = member.header().clone();
            each(&path, &header, &mut member)?;
        }
        Ok(())
    };
    read().map_err(|error| {
        let what = format!("layer {at} (`{member}`) of `{}` does not read as a layer", image.name());
        Problem::new(codes::CORRUPT, what).found(error).into()
    })
}
