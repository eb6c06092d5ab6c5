//! `/etc/ld.so.cache` in glibc's new format, as the image's own `ldconfig` would write it (glibc 2.41:
//! `elf/ldconfig.c`, `elf/cache.c`, `elf/stringtable.c`, `sysdeps/generic/dl-cache.h`).
//!
//! ```text
//! header  entry…  strings  padding to 4  extensions: magic count section… indices… generator
//! ```
//!
//! Entries are sorted from high to low. What is in `glibc-hwcaps/NAME` comes before what is not, and
//! names its folder by an index into the second section. The generator is the `ldconfig` of the
//! libc that the recipe locks; without one there is none.

mod encode;
mod folders;
mod libraries;

use super::{Node, insert};
use crate::diag::Result;
use crate::ident::ImagePath;
use crate::layer::compose::Work;

/// Writes the cache if this recipe adds libraries in the loader's folders, or names more of these.
pub(super) fn add(work: &mut Work) -> Result<()> {
    let folders = folders::all(work)?;
    let is_configuration = |path: &str| path == "/etc/ld.so.conf" || path.starts_with("/etc/ld.so.conf.d/");
    let changes = work.tree.nodes.keys().any(|path| {
        let library = path.parent().is_some_and(|parent| {
            folders.iter().any(|folder| parent == folder.real || folder.hwcaps(&parent).is_some())
        });
        library && libraries::is_name(path.file_name()) || is_configuration(path.as_str())
    });
    if !changes {
        return Ok(());
    }
    let found = libraries::all(work, &folders)?;
    if found.entries.is_empty() {
        return Ok(());
    }
    for (path, target) in &found.links {
        insert(work, path.as_str(), Node::generated_link(target));
    }
    let cache = encode::cache(found.entries, found.hwcaps, generator(work).as_deref());
    insert(work, "/etc/ld.so.cache", Node::generated(cache));
    Ok(())
}

/// The folders in which every program's libraries are looked for.
pub(in crate::layer) fn library_folders(work: &Work) -> Result<Vec<ImagePath>> {
    Ok(folders::all(work)?.into_iter().map(|folder| folder.real).collect())
}

/// What the locked libc's `ldconfig` says of itself.
fn generator(work: &Work) -> Option<String> {
    let (_, libc) = work.inputs.package("libc6").filter(|(_, package)| work.reaches(&package.name))?;
    let version = libc.version.to_string();
    let upstream = version.rsplit_once('-').map_or(version.as_str(), |(upstream, _)| upstream);
    Some(format!("ldconfig (Debian GLIBC {version}) stable release version {upstream}"))
}
