//! What is inside an image: all files of all layers, and its packages, read as a scanner would.

use std::collections::BTreeMap;
use std::io::{self, Read};

use super::open::{Image, OpenPlatform};
use crate::canon::{self, Codec, HashReader, HashWriter};
use crate::diag::{Problem, Result, codes};
use crate::ident::{DiffId, Sha256};

/// What an image shows when its layers lie on each other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Contents {
    /// What is at each path, the path without its leading slash.
    pub files: BTreeMap<String, FileFacts>,
    /// The Debian packages, by name.
    pub packages: BTreeMap<String, PackageFacts>,
}

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFacts {
    /// `file`, `folder`, `link`, `hard link`, or another kind.
    pub kind: &'static str,
    /// Permission and set-id bits.
    pub mode: u32,
    /// `uid:gid`.
    pub owner: String,
    /// Length in bytes.
    pub size: u64,
    /// Digest of the content; `None` for what has none.
    pub sha256: Option<Sha256>,
    /// Where a link points to.
    pub link: Option<String>,
    /// Which layer it comes from, counted from 0.
    pub layer: usize,
}

/// A package that the image says it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageFacts {
    /// Its version.
    pub version: String,
    /// Its architecture.
    pub architecture: String,
    /// Name and version of its source package.
    pub source: String,
}

/// The largest status file that is read, in bytes.
const MAX_STATUS: u64 = 64 << 20;

/// Reads all layers of one platform, checking their digests and diff ids on the way.
pub fn contents(image: &Image, platform: &OpenPlatform) -> Result<Contents> {
    let diff_ids = platform
        .config
        .pointer("/rootfs/diff_ids")
        .and_then(|ids| ids.as_array())
        .cloned()
        .unwrap_or_default();
    let mut contents = Contents::default();
    let mut status = BTreeMap::new();
    if let Some(more) = diff_ids.get(platform.layers.len()) {
        let what = format!("the configuration of {} names more layers than its manifest", platform.platform);
        return Err(Problem::new(codes::CORRUPT, what).found(more).into());
    }
    for (at, (member, size, digest)) in platform.layers.iter().enumerate() {
        let (reader, _) = image.read(member)?;
        let wrong = |why: String| {
            Problem::new(
                codes::CORRUPT,
                format!("layer {at} (`{member}`) of `{}` is not what its image says", image.name()),
            )
            .found(why)
        };
        let mut blob = HashReader::new(reader);
        let diff_id = read_layer(&mut blob, at, &mut contents, &mut status)
            .map_err(|error| wrong(error.to_string()))?;
        let (found, length) = blob.finish();
        if length != *size {
            return Err(wrong(format!("{length} bytes")).expected(format!("{size} bytes")).into());
        }
        if let Some(digest) = digest.filter(|digest| digest.0 != found) {
            return Err(wrong(format!("sha256:{found}")).expected(digest).into());
        }
        let said = diff_ids.get(at).and_then(|id| id.as_str());
        if said != Some(diff_id.to_string().as_str()) {
            return Err(wrong(format!("diff id {diff_id}"))
                .expected(format!("diff id {}", said.unwrap_or("none")))
                .into());
        }
    }
    for text in status.values() {
        contents.packages.extend(packages(text));
    }
    Ok(contents)
}

fn read_layer(
    blob: &mut (impl Read + Send),
    layer: usize,
    contents: &mut Contents,
    status: &mut BTreeMap<String, String>,
) -> io::Result<DiffId> {
    let mut magic = [0; 6];
    let got = blob.read(&mut magic)?;
    let codec = Codec::of_magic(&magic[..got]);
    let decoder = canon::decoder(codec, io::Cursor::new(magic[..got].to_vec()).chain(&mut *blob))?;
    let mut tar = HashReader::new(decoder);
    let mut archive = tar::Archive::new(&mut tar);
    for member in archive.entries()? {
        take_member(&mut member?, layer, contents, status)?;
    }
    canon::finish(&mut tar, 1 << 20)?;
    let diff_id = DiffId(tar.finish().0);
    // What a decoder leaves unread belongs to the blob's digest all the same.
    io::copy(blob, &mut io::sink())?;
    Ok(diff_id)
}

fn take_member(
    member: &mut tar::Entry<impl Read>,
    layer: usize,
    contents: &mut Contents,
    status: &mut BTreeMap<String, String>,
) -> io::Result<()> {
    let path = String::from_utf8_lossy(&member.path_bytes())
        .trim_start_matches("./")
        .trim_end_matches('/')
        .to_owned();
    let (folder, name) = path.rsplit_once('/').map_or(("", path.as_str()), |(folder, name)| (folder, name));
    // Whiteouts (image specification, layer.md).
    if let Some(hidden) = name.strip_prefix(".wh.") {
        let hidden = if folder.is_empty() { hidden.to_owned() } else { format!("{folder}/{hidden}") };
        let gone = if name == ".wh..wh..opq" { folder.to_owned() } else { hidden };
        let below = format!("{gone}/");
        contents
            .files
            .retain(|path, facts| facts.layer == layer || *path != gone && !path.starts_with(&below));
        return Ok(());
    }
    let header = member.header();
    let kind = match header.entry_type().as_byte() {
        b'0' | 0 => "file",
        b'1' => "hard link",
        b'2' => "link",
        b'5' => "folder",
        _ => "device",
    };
    let link = member.link_name_bytes().map(|target| String::from_utf8_lossy(&target).into_owned());
    let owner = format!("{}:{}", header.uid()?, header.gid()?);
    let (mode, size) = (header.mode()? & 0o7777, member.size());
    let sha256 = if kind == "file" { Some(hash(member, &path, status)?) } else { None };
    contents.files.insert(path, FileFacts { kind, mode, owner, size, sha256, link, layer });
    Ok(())
}

/// Hashes a file, and keeps it if it says which packages there are.
fn hash(member: &mut impl Read, path: &str, status: &mut BTreeMap<String, String>) -> io::Result<Sha256> {
    let stanza = path.strip_prefix("var/lib/dpkg/status.d/").is_some_and(|name| !name.ends_with(".md5sums"));
    if path == "var/lib/dpkg/status" || stanza {
        let mut bytes = Vec::new();
        member.take(MAX_STATUS).read_to_end(&mut bytes)?;
        status.insert(path.to_owned(), String::from_utf8_lossy(&bytes).into_owned());
        return Ok(Sha256::of(&bytes));
    }
    let mut hashing = HashWriter::new(io::sink());
    io::copy(member, &mut hashing)?;
    Ok(hashing.finish().1)
}

/// The packages of a dpkg status file that are installed.
fn packages(text: &str) -> Vec<(String, PackageFacts)> {
    let field = |stanza: &str, name: &str| {
        stanza
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .map(|value| value.trim().to_owned())
    };
    let read = |stanza: &str| {
        let installed = field(stanza, "Status").is_none_or(|status| status.ends_with(" installed"));
        let name = field(stanza, "Package").filter(|_| installed)?;
        let version = field(stanza, "Version")?;
        let source = field(stanza, "Source").unwrap_or_else(|| name.clone());
        let source = if source.contains('(') { source } else { format!("{source} ({version})") };
        Some((name, PackageFacts { version, architecture: field(stanza, "Architecture")?, source }))
    };
    text.split("\n\n").filter_map(read).collect()
}
