//! An image as an OCI layout folder (image specification, image-layout.md).
//!
//! A new folder appears whole. In one that is there already, blobs come first, `index.json` is
//! replaced in one step, and only then the blobs that nothing names any more go: whenever the
//! process is killed, the folder is a whole image, the old one or the new one.

use std::collections::BTreeSet;
use std::path::Path;

use super::model::{LAYOUT, PlatformImage, layout_index};
use crate::diag::{Problem, Result, codes};
use crate::host::{self, ScratchDir};
use crate::ident::{Sha256, TagName};
use crate::store::Store;

/// Writes an image; whether anything in the folder changed.
pub fn write_layout(
    out: &Path,
    images: &[PlatformImage],
    index: &[u8],
    tags: &[TagName],
    store: &Store,
) -> Result<bool> {
    let top = layout_index(index, tags);
    if host::is_dir(out) && !host::is_empty_dir(out) {
        if !host::exists(&out.join("oci-layout")) || !host::exists(&out.join("index.json")) {
            return Err(occupied(out));
        }
        return refresh(out, images, index, &top, store);
    }
    if host::exists(out) && !host::is_dir(out) {
        return Err(occupied(out));
    }
    let scratch = ScratchDir::beside(out)?;
    fill(scratch.path(), images, index, store)?;
    host::write_atomic(&scratch.path().join("oci-layout"), LAYOUT)?;
    host::write_atomic(&scratch.path().join("index.json"), &top)?;
    match scratch.persist(out) {
        // Another hardpan was faster: now there is a layout to refresh.
        Err(_) if host::exists(&out.join("index.json")) => refresh(out, images, index, &top, store),
        persisted => persisted.map(|()| true),
    }
}

fn occupied(out: &Path) -> crate::diag::Failure {
    Problem::new(codes::OUTPUT, format!("`{}` is not an OCI layout, so it is not replaced", out.display()))
        .help("name another `--out`, or move what is there away")
        .into()
}

/// Brings the blobs of an image into a folder; whether any was not there.
fn fill(folder: &Path, images: &[PlatformImage], index: &[u8], store: &Store) -> Result<bool> {
    let blobs = folder.join("blobs/sha256");
    host::create_dirs(&blobs)?;
    let mut changed = false;
    for image in images {
        for layer in &image.layers {
            let path = blobs.join(layer.digest.0.to_string());
            if host::stamped(&path).is_none_or(|(size, _)| size != layer.size) {
                drop(store.open_blob(&layer.digest.0)?);
                host::copy_stamped(&store.path(&layer.digest.0), &path)?;
                changed = true;
            }
        }
    }
    let small = images.iter().flat_map(|image| [&image.config[..], &image.manifest[..]]).chain([index]);
    for bytes in small {
        let path = blobs.join(Sha256::of(bytes).to_string());
        if !host::exists(&path) || host::read(&path)? != bytes {
            host::write_atomic(&path, bytes)?;
            changed = true;
        }
    }
    Ok(changed)
}

fn refresh(out: &Path, images: &[PlatformImage], index: &[u8], top: &[u8], store: &Store) -> Result<bool> {
    let mut changed = fill(out, images, index, store)?;
    let path = out.join("index.json");
    if host::read(&path)? != top {
        host::write_atomic(&path, top)?;
        changed = true;
    }
    let layers = images.iter().flat_map(|image| image.layers.iter().map(|layer| layer.digest.0.to_string()));
    let small = images
        .iter()
        .flat_map(|image| [Sha256::of(&image.config), Sha256::of(&image.manifest)])
        .chain([Sha256::of(index)]);
    let named: BTreeSet<String> = layers.chain(small.map(|digest| digest.to_string())).collect();
    for path in host::list(&out.join("blobs/sha256"))? {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if !named.contains(&name) {
            host::remove(&path)?;
            changed = true;
        }
    }
    Ok(changed)
}
