//! An image as one file: a tar of its OCI layout, or what `docker load` takes.
//!
//! A docker archive holds one platform. It is a layout as well, with docker's `manifest.json` beside
//! it that names the same blobs, so other tools read it either way.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use serde_json::json;

use super::model::PlatformImage;
use super::whole::{Blob, LAYOUT, Parts};
use crate::canon::{self, Header, Kind, TRAILER, padding};
use crate::diag::{Problem, Result, codes};
use crate::host::{self, Scratch, file_problem};
use crate::ident::{Epoch, RecipeName, Sha256, TagName};

/// What kind of archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveKind {
    /// A tar of an OCI layout.
    Oci,
    /// The same with docker's manifest.
    Docker,
}

/// Writes an archive, whole or not at all. A docker archive has no place for what refers to an image.
pub fn write_archive(kind: ArchiveKind, out: &Path, name: &RecipeName, parts: &Parts) -> Result<()> {
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
    let artifacts = if kind == ArchiveKind::Docker { &[] } else { parts.artifacts };
    let whole = Parts { artifacts, ..*parts }.whole();
    let docker = docker_manifest(name, &parts.platforms[0], parts.tags);
    let mut members: BTreeMap<String, (Option<Sha256>, Blob)> = whole
        .blobs
        .iter()
        .map(|(digest, blob)| (format!("blobs/sha256/{digest}"), (Some(*digest), *blob)))
        .collect();
    members.insert("index.json".into(), (None, Blob::Bytes(&whole.top)));
    members.insert("oci-layout".into(), (None, Blob::Bytes(LAYOUT)));
    for (name, bytes) in whole.beside {
        members.insert((*name).to_owned(), (None, Blob::Bytes(bytes)));
    }
    if kind == ArchiveKind::Docker {
        members.insert("manifest.json".into(), (None, Blob::Bytes(&docker)));
    }
    let folder = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    host::create_dirs(folder)?;
    let mut scratch = Scratch::in_folder(folder)?;
    let mut file = io::BufWriter::with_capacity(1 << 18, scratch.file());
    for (member, (digest, blob)) in &members {
        write_member(&mut file, member, digest.as_ref(), blob, whole.created, out)?;
    }
    let ended = file.write_all(&TRAILER).and_then(|()| file.flush());
    ended.map_err(|error| file_problem("writing", out, &error))?;
    drop(file);
    scratch.persist(out)
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
    digest: Option<&Sha256>,
    blob: &Blob,
    created: Epoch,
    out: &Path,
) -> Result<()> {
    let none = BTreeMap::new();
    let size = blob.size();
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
    let mut reader = blob.open(digest.unwrap_or(&Sha256([0; 32])))?;
    let written = file
        .write_all(&header.encode())
        .and_then(|()| io::copy(&mut reader, file))
        .and_then(|_| file.write_all(padding(size)));
    written.map_err(|error| file_problem("writing", out, &error).into())
}
