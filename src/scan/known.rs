//! What a layer holds, as far as scans ask: kept in the store by the layer's digest, so that it is looked for once.
//!
//! A layer that is packed here is never read again for it: what is in it is noted when it is made. Of any other layer
//! it is noted when it is read for the first time, the digest that it is known by compared on the way.

use std::io::{self, Read};

use serde::{Deserialize, Serialize};

use super::dpkg;
use super::release::{DEBIAN_VERSION, MAX_FILE, OS_RELEASE};
use crate::diag::Result;
use crate::ident::{BlobDigest, ImagePath, Sha256};
use crate::image::{Image, LayerMember, OpenPlatform, Proof, stream_layer};
use crate::layer::{Data, Inputs, NodeKind, Tree};
use crate::source::ContentReader;
use crate::store::Store;

/// The most paths of an image.
pub(super) const MAX_PATHS: usize = 4_000_000;

/// The most bytes of files that are kept, over all.
pub(super) const MAX_KEPT: u64 = 512 << 20;

/// The kind under which the store keeps it, and its form. Another form is another word.
const KIND: &str = "scan";
const FORM: &str = "scan of a layer, 1";

/// A member of a layer.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Member {
    /// Its path, without a slash before or behind it.
    pub(super) path: String,
    /// The tar's letter for its kind.
    pub(super) kind: char,
    /// Where a link points to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) link: Option<String>,
    /// What it holds, where it is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) content: Option<String>,
}

fn key(digest: &BlobDigest) -> Sha256 {
    Sha256::of(format!("{FORM} {digest}").as_bytes())
}

/// The members of the layer at place `at`: as they are known, else as they are found now. What the store has may
/// always be thrown away, so nothing that is wrong with it is a problem.
pub(super) fn members(
    image: &Image,
    platform: &OpenPlatform,
    at: usize,
    store: Option<&Store>,
) -> Result<Vec<Member>> {
    let digest = platform.layers[at].2;
    let Some((store, digest)) = store.zip(digest) else { return found(image, platform, at) };
    let there = store.read_derived(KIND, &key(&digest)).ok().flatten();
    if let Some(known) = there.and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
        return Ok(known);
    }
    let found = found(image, platform, at)?;
    keep(store, &digest, &found);
    Ok(found)
}

/// Notes what is in a layer that was packed of a tree. Without the note the layer is read when it is first scanned,
/// so that it can't be made is no problem.
pub fn note_packed(store: &Store, digest: &BlobDigest, tree: &Tree, inputs: &Inputs) {
    let mut reader = ContentReader::new();
    let members = tree.nodes.iter().map(|(path, node)| {
        let (kind, link, content) = match &node.kind {
            NodeKind::Directory => ('5', None, None),
            NodeKind::Symlink(target) => ('2', Some(target.clone()), None),
            NodeKind::File(data) => ('0', None, content(path, data, inputs, &mut reader)?),
        };
        Ok(Member { path: path.member().to_owned(), kind, link, content })
    });
    if let Ok(members) = members.collect::<io::Result<Vec<Member>>>() {
        keep(store, digest, &members);
    }
}

fn keep(store: &Store, digest: &BlobDigest, members: &[Member]) {
    let _ = store.write_derived(KIND, &key(digest), &serde_json::to_vec(members).unwrap_or_default());
}

/// What a packed file holds, if it is one that is read.
fn content(
    path: &ImagePath,
    data: &Data,
    inputs: &Inputs,
    reader: &mut ContentReader,
) -> io::Result<Option<String>> {
    match wanted(path.member()) {
        None => Ok(None),
        Some(most) if data.size() > most => Err(too_large(most)),
        Some(_) => {
            inputs.content(data, reader).map(|bytes| Some(String::from_utf8_lossy(&bytes).into_owned()))
        }
    }
}

/// The members of a layer, with the content of those that are read.
fn found(image: &Image, platform: &OpenPlatform, at: usize) -> Result<Vec<Member>> {
    let mut found = Vec::new();
    let mut bytes = 0;
    stream_layer(image, platform, at, Proof::Name, |member, content| {
        let member = member_of(&member, content)?;
        bytes += member.content.as_ref().map_or(0, String::len) as u64;
        if found.len() >= MAX_PATHS || bytes > MAX_KEPT {
            return Err(io::Error::other("there is more in it than in any layer"));
        }
        found.push(member);
        Ok(())
    })?;
    Ok(found)
}

pub(super) fn member_of(member: &LayerMember, content: &mut dyn Read) -> io::Result<Member> {
    let path = member.path.to_string_lossy().into_owned();
    let link = member.link.as_ref().map(|link| link.to_string_lossy().into_owned());
    let clean = ImagePath::from_member(&path).ok().filter(|_| member.kind == '0');
    let content = match clean.and_then(|clean| wanted(clean.member())) {
        None => None,
        Some(most) => {
            let mut bytes = Vec::new();
            content.take(most + 1).read_to_end(&mut bytes)?;
            if bytes.len() as u64 > most {
                return Err(too_large(most));
            }
            Some(String::from_utf8_lossy(&bytes).into_owned())
        }
    };
    Ok(Member { path, kind: member.kind, link, content })
}

fn too_large(most: u64) -> io::Error {
    io::Error::other(format!("it is larger than any such file, {most} bytes"))
}

/// The most bytes that are read of a file; nothing for those that are not read.
fn wanted(member: &str) -> Option<u64> {
    if OS_RELEASE.contains(&member) || member == DEBIAN_VERSION {
        return Some(MAX_FILE);
    }
    let dpkg = member.strip_prefix(dpkg::FOLDER)?.strip_prefix('/')?;
    let list = dpkg
        .strip_prefix("info/")
        .is_some_and(|name| name.rsplit_once('.').is_some_and(|(_, end)| end == "list"));
    (dpkg == "status" || dpkg.starts_with("status.d/") || list).then_some(dpkg::MAX_STATUS)
}
