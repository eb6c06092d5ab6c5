//! A layer as it is: all its members in their order with their content, digests checked on the way.

use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

use super::open::{Image, OpenPlatform};
use crate::canon::{self, Codec, HashReader};
use crate::diag::{Problem, Result, codes};
use crate::ident::DiffId;

/// One member of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerMember {
    /// Its path, without a slash before or behind it.
    pub path: PathBuf,
    /// The tar's letter for its kind: `0` a file, `1` a hard link, `2` a link, `5` a folder.
    pub kind: char,
    /// Permission and set-id bits.
    pub mode: u32,
    /// Its user.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Whole seconds since 1970.
    pub mtime: i64,
    /// Where a link points to.
    pub link: Option<OsString>,
}

/// What a layer has to show to be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The digest that the manifest names; the diff id where there is no manifest that names one. It is what the layer is
    /// known by: for those who ask only what is in it.
    Name,
    /// The digest and the diff id of the configuration, as runtimes want it: for those who unpack it.
    Whole,
}

/// Reads the layer at place `at`, member by member. What has another digest than the image says is an
/// error, which may come after the last member.
pub fn stream_layer(
    image: &Image,
    platform: &OpenPlatform,
    at: usize,
    proof: Proof,
    mut each: impl FnMut(LayerMember, &mut dyn Read) -> io::Result<()>,
) -> Result<()> {
    let (member, _, digest) = &platform.layers[at];
    let wrong = |why: String| {
        let what = format!("layer {at} (`{member}`) of `{}` is not what its image says", image.name());
        Problem::new(codes::CORRUPT, what).found(why)
    };
    let mut blob = HashReader::new(image.read(member)?.0);
    let takes_diff_id = proof == Proof::Whole || digest.is_none();
    let diff_id = read(&mut blob, takes_diff_id, &mut each).map_err(|error| {
        let what = format!("layer {at} (`{member}`) of `{}` can't be unpacked", image.name());
        let code =
            if error.kind() == io::ErrorKind::StorageFull { codes::DISK_FULL } else { codes::BAD_IMAGE };
        Problem::new(code, what).found(error)
    })?;
    let found = blob.finish().0;
    if let Some(digest) = digest.filter(|digest| digest.0 != found) {
        return Err(wrong(format!("sha256:{found}")).expected(digest).into());
    }
    let Some(diff_id) = diff_id else { return Ok(()) };
    let said = platform.config.pointer(&format!("/rootfs/diff_ids/{at}")).and_then(|id| id.as_str());
    if said != Some(diff_id.to_string().as_str()) {
        let expected = format!("diff id {}", said.unwrap_or("none"));
        return Err(wrong(format!("diff id {diff_id}")).expected(expected).into());
    }
    Ok(())
}

/// Reads all of a layer; its diff id, if that is wanted.
fn read(
    blob: &mut (impl Read + Send),
    takes_diff_id: bool,
    each: &mut impl FnMut(LayerMember, &mut dyn Read) -> io::Result<()>,
) -> io::Result<Option<DiffId>> {
    let mut magic = [0; 6];
    let got = blob.read(&mut magic)?;
    let codec = Codec::of_magic(&magic[..got]);
    let diff_id = {
        let head = io::Cursor::new(magic[..got].to_vec());
        let mut tar = canon::decoder(codec, head.chain(&mut *blob))?;
        if takes_diff_id {
            let mut tar = HashReader::new(tar);
            members(&mut tar, each)?;
            Some(DiffId(tar.finish().0))
        } else {
            members(&mut tar, each)?;
            None
        }
    };
    // What a decoder leaves unread belongs to the blob's digest all the same.
    io::copy(blob, &mut io::sink())?;
    Ok(diff_id)
}

fn members(
    mut tar: &mut impl Read,
    each: &mut impl FnMut(LayerMember, &mut dyn Read) -> io::Result<()>,
) -> io::Result<()> {
    let mut archive = tar::Archive::new(&mut tar);
    for member in archive.entries()? {
        let mut member = member?;
        let facts = facts(&member)?;
        let named = |error: io::Error| {
            io::Error::new(error.kind(), format!("{error}, at `{}`", facts.path.display()))
        };
        each(facts.clone(), &mut member).map_err(named)?;
    }
    canon::finish(&mut tar, 1 << 20)
}

fn facts(member: &tar::Entry<'_, impl Read>) -> io::Result<LayerMember> {
    let header = member.header();
    let number = |found: u64| u32::try_from(found).map_err(io::Error::other);
    let path = member.path_bytes();
    let mut bare = path.as_ref();
    while let Some(rest) = bare.strip_prefix(b"./").or_else(|| bare.strip_prefix(b"/")) {
        bare = rest;
    }
    while let Some(rest) = bare.strip_suffix(b"/") {
        bare = rest;
    }
    if bare == b"." {
        bare = b"";
    }
    let kind = match header.entry_type().as_byte() {
        0 | b'7' => '0',
        byte => char::from(byte),
    };
    Ok(LayerMember {
        path: OsString::from_vec(bare.to_vec()).into(),
        kind,
        mode: header.mode()? & 0o7777,
        uid: number(header.uid()?)?,
        gid: number(header.gid()?)?,
        mtime: i64::try_from(header.mtime()?).unwrap_or(i64::MAX),
        link: member.link_name_bytes().map(|target| OsString::from_vec(target.into_owned())),
    })
}
