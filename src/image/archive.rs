//! An image as one file: a tar of its OCI layout, or what `docker load` takes.
//!
//! A docker archive holds one platform. It is a layout as well, with docker's `manifest.json` beside
//! it that names the same blobs, so other tools read it either way.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use serde_json::json;

use super::model::{LAYOUT, PlatformImage, layout_index};
use crate::canon::{self, Header, Kind, TRAILER, padding};
use crate::diag::{Problem, Result, codes};
use crate::host::{self, Scratch, file_problem};
use crate::ident::{Epoch, RecipeName, Sha256, TagName};
use crate::store::Store;

/// What kind of archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveKind {
    /// A tar of an OCI layout.
    Oci,
    /// The same with docker's manifest.
    Docker,
}

enum Content<'a> {
    Bytes(Vec<u8>),
    Blob(&'a Sha256, u64),
}

/// Writes an archive, whole or not at all.
pub fn write_archive(
    kind: ArchiveKind,
    out: &Path,
    name: &RecipeName,
    images: &[PlatformImage],
    index: &[u8],
    tags: &[TagName],
    store: &Store,
) -> Result<()> {
    if host::is_dir(out) {
        let problem = Problem::new(
            codes::OUTPUT,
            format!("`{}` is a folder, so no archive is written there", out.display()),
        );
        return Err(problem.help("name a file: `--out image.tar`").into());
    }
    if host::exists(out) && !host::is_file(out) {
        let message = format!("`{}` is no regular file, so it is not replaced", out.display());
        return Err(Problem::new(codes::OUTPUT, message).help("name a file: `--out image.tar`").into());
    }
    let members = members(kind, name, images, index, tags);
    let created = images.iter().map(|image| image.created).max().unwrap_or_default();
    let folder = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    host::create_dirs(folder)?;
    let mut scratch = Scratch::in_folder(folder)?;
    let mut file = io::BufWriter::with_capacity(1 << 18, scratch.file());
    for (member, content) in &members {
        write_member(&mut file, member, content, created, store, out)?;
    }
    let ended = file.write_all(&TRAILER).and_then(|()| file.flush());
    ended.map_err(|error| file_problem("writing", out, &error))?;
    drop(file);
    scratch.persist(out)
}

fn members<'a>(
    kind: ArchiveKind,
    name: &RecipeName,
    images: &'a [PlatformImage],
    index: &[u8],
    tags: &[TagName],
) -> BTreeMap<String, Content<'a>> {
    let mut members = BTreeMap::new();
    let blob = |digest: &Sha256| format!("blobs/sha256/{digest}");
    for image in images {
        for layer in &image.layers {
            members.insert(blob(&layer.digest.0), Content::Blob(&layer.digest.0, layer.size));
        }
        for bytes in [&image.config, &image.manifest] {
            members.insert(blob(&Sha256::of(bytes)), Content::Bytes(bytes.clone()));
        }
    }
    members.insert(blob(&Sha256::of(index)), Content::Bytes(index.to_vec()));
    members.insert("index.json".into(), Content::Bytes(layout_index(index, tags)));
    members.insert("oci-layout".into(), Content::Bytes(LAYOUT.to_vec()));
    if kind == ArchiveKind::Docker {
        members.insert("manifest.json".into(), Content::Bytes(docker_manifest(name, &images[0], tags)));
    }
    members
}

/// What `docker load` reads (docker image specification 1.2, "Combined Image JSON + Filesystem
/// Changeset Format").
fn docker_manifest(name: &RecipeName, image: &PlatformImage, tags: &[TagName]) -> Vec<u8> {
    let blob = |digest: &Sha256| format!("blobs/sha256/{digest}");
    let layers: Vec<String> = image.layers.iter().map(|layer| blob(&layer.digest.0)).collect();
    let tags: Vec<String> = tags.iter().map(|tag| format!("{name}:{tag}")).collect();
    canon::to_json(
        &json!([{ "Config": blob(&Sha256::of(&image.config)), "RepoTags": tags, "Layers": layers }]),
    )
}

fn write_member(
    file: &mut impl Write,
    member: &str,
    content: &Content,
    created: Epoch,
    store: &Store,
    out: &Path,
) -> Result<()> {
    let size = match content {
        Content::Bytes(bytes) => bytes.len() as u64,
        Content::Blob(_, size) => *size,
    };
    let none = BTreeMap::new();
    let header = Header {
        member,
        kind: Kind::File,
        mode: 0o644,
        uid: 0,
        gid: 0,
        mtime: created.0,
        size,
        link: "",
        xattrs: &none,
    };
    let blob = match content {
        Content::Bytes(_) => None,
        Content::Blob(digest, _) => Some(store.open_blob(digest)?),
    };
    let written = file.write_all(&header.encode()).and_then(|()| match (content, blob) {
        (_, Some(mut blob)) => io::copy(&mut blob, file).map(drop),
        (Content::Bytes(bytes), None) => file.write_all(bytes),
        (Content::Blob(..), None) => Ok(()),
    });
    let written = written.and_then(|()| file.write_all(padding(size)));
    written.map_err(|error| file_problem("writing", out, &error).into())
}
