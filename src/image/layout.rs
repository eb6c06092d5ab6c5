//! An image as an OCI layout folder (image specification, image-layout.md).
//!
//! A new folder appears whole. In one that is there already, blobs come first, `index.json` is
//! replaced in one step, and only then the blobs that nothing names any more go: whenever the
//! process is killed, the folder is a whole image, the old one or the new one.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use super::open::Image;
use super::whole::{Beside, Blob, LAYOUT, Parts, Whole};
use crate::canon::HashReader;
use crate::diag::{Problem, Result, codes};
use crate::host::{self, Scratch, ScratchDir};
use crate::ident::Sha256;

/// Writes an image as it was built; whether anything in the folder changed.
pub fn write_layout(out: &Path, parts: &Parts) -> Result<bool> {
    write(out, &parts.whole())
}

/// Writes an image that was opened, with all that refers to it; whether anything in the folder changed.
pub fn copy_layout(out: &Path, image: &Image, beside: &[Beside]) -> Result<bool> {
    write(out, &Whole { beside, ..image.whole()? })
}

fn write(out: &Path, whole: &Whole) -> Result<bool> {
    if host::is_dir(out) && !host::is_empty_dir(out) {
        if !host::exists(&out.join("oci-layout")) || !host::exists(&out.join("index.json")) {
            return Err(occupied(out));
        }
        return refresh(out, whole);
    }
    if host::exists(out) && !host::is_dir(out) {
        return Err(occupied(out));
    }
    let scratch = ScratchDir::beside(out)?;
    fill(scratch.path(), whole)?;
    write_beside(scratch.path(), whole)?;
    host::write_atomic(&scratch.path().join("oci-layout"), LAYOUT)?;
    host::write_atomic(&scratch.path().join("index.json"), &whole.top)?;
    match scratch.persist(out) {
        // Another hardpan was faster: now there is a layout to refresh.
        Err(_) if host::exists(&out.join("index.json")) => refresh(out, whole),
        persisted => persisted.map(|()| true),
    }
}

fn occupied(out: &Path) -> crate::diag::Failure {
    Problem::new(codes::OUTPUT, format!("`{}` is not an OCI layout, so it is not replaced", out.display()))
        .help("name another `--out`, or move what is there away")
        .into()
}

/// Brings the blobs of an image into a folder; whether any was not there.
fn fill(folder: &Path, whole: &Whole) -> Result<bool> {
    let blobs = folder.join("blobs/sha256");
    host::create_dirs(&blobs)?;
    let mut changed = false;
    for (digest, blob) in &whole.blobs {
        changed |= place(&blobs.join(digest.to_string()), digest, blob)?;
    }
    Ok(changed)
}

/// Writes the files beside `index.json`; whether one was not there.
fn write_beside(folder: &Path, whole: &Whole) -> Result<bool> {
    let mut changed = false;
    for (name, bytes) in whole.beside {
        let path = folder.join(name);
        if !host::exists(&path) || host::read(&path)? != *bytes {
            host::write_atomic(&path, bytes)?;
            changed = true;
        }
    }
    Ok(changed)
}

fn place(path: &Path, digest: &Sha256, blob: &Blob) -> Result<bool> {
    match blob {
        Blob::Bytes(bytes) => {
            if host::exists(path) && host::read(path)? == *bytes {
                return Ok(false);
            }
            host::write_atomic(path, bytes)?;
        }
        _ if host::stamped(path).is_some_and(|(size, _)| size == blob.size()) => return Ok(false),
        Blob::Stored(store, _) => {
            drop(store.open_blob(digest)?);
            host::copy_stamped(&store.path(digest), path)?;
        }
        Blob::Member(image, size) => {
            let mut reader = HashReader::new(blob.open(digest)?);
            let mut scratch = Scratch::in_folder(path.parent().unwrap_or(Path::new(".")))?;
            let copied = io::copy(&mut reader, scratch.file());
            copied.map_err(|error| host::file_problem("writing", path, &error))?;
            let found = reader.finish();
            if found != (*digest, *size) {
                return Err(image.changed(digest, *size, found).into());
            }
            host::set_used(scratch.file(), path)?;
            scratch.persist(path)?;
        }
    }
    Ok(true)
}

fn refresh(out: &Path, whole: &Whole) -> Result<bool> {
    let mut changed = fill(out, whole)?;
    let path = out.join("index.json");
    if host::read(&path)? != whole.top {
        host::write_atomic(&path, &whole.top)?;
        changed = true;
    }
    changed |= write_beside(out, whole)?;
    let named: BTreeSet<String> = whole.blobs.keys().map(ToString::to_string).collect();
    for path in host::list(&out.join("blobs/sha256"))? {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if !named.contains(&name) {
            host::remove(&path)?;
            changed = true;
        }
    }
    Ok(changed)
}
