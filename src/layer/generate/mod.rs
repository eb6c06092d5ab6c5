//! What maintainer scripts would have made, made by small functions of the tree instead. None looks
//! at a clock, a locale or this machine.

mod accounts;
mod alternatives;
mod certificates;
mod dpkg;
mod ldcache;
mod locales;
mod mime;
mod nsswitch;
mod os_release;
mod timezones;
mod trust_store;
mod x509;

use std::path::Path;

use super::compose::Work;
use super::tree::{Data, Node};
use crate::diag::Result;
use crate::host::file_problem;
use crate::ident::{ImagePath, Platform};
use crate::recipe::ALIASES;
use crate::source::ContentReader;

pub(super) use certificates::packaged;
pub(super) use ldcache::library_folders;
pub(super) use locales::add as locales;
pub(super) use nsswitch::say as name_services;
pub(super) use timezones::keep as timezones;

/// Runs the generators that look at a whole tree. `certificates` were read before paths were dropped.
pub(super) fn all(
    work: &mut Work,
    certificates: std::collections::BTreeMap<ImagePath, Vec<u8>>,
) -> Result<()> {
    if work.below.is_empty() {
        aliases(work);
    }
    certificates::add(work, certificates)?;
    accounts::add(work)?;
    nsswitch::add(work);
    os_release::add(work)?;
    timezones::local(work);
    alternatives::add(work);
    ldcache::add(work)?;
    mime::add(work)?;
    dpkg::add(work)
}

/// Puts a generated node where the recipe has not put something of its own.
fn insert(work: &mut Work, path: &str, node: Node) {
    let path: ImagePath = path.parse().expect("a path of ours");
    if !work.is_dropped(&path) {
        work.tree.nodes.entry(path).or_insert(node);
    }
}

/// The content of a file.
fn bytes_of(work: &Work, reader: &mut ContentReader, path: &ImagePath, data: &Data) -> Result<Vec<u8>> {
    let content = work.inputs.content(data, reader);
    content.map_err(|error| file_problem("reading", Path::new(path.as_str()), &error).into())
}

/// Merged `/usr`: `/bin` and its like are links into it (Debian's `usrmerge`).
fn aliases(work: &mut Work) {
    for name in ALIASES {
        let wanted = match name {
            "bin" | "sbin" | "lib" => true,
            "lib64" => work.platform == Platform::Amd64,
            _ => false,
        };
        if wanted {
            insert(work, &format!("/{name}"), Node::generated_link(&format!("usr/{name}")));
        }
    }
}
