//! What maintainer scripts would have made, made by small functions of the tree instead.

mod accounts;
mod certificates;
mod dpkg;
mod ldcache;

use super::compose::Work;
use super::tree::Node;
use crate::diag::Result;
use crate::ident::{ImagePath, Platform};
use crate::recipe::ALIASES;

pub(super) use certificates::certificates;

/// Runs all generators. `certificates` was made before paths were dropped, because a recipe may drop
/// the single certificates and keep the bundle.
pub(super) fn all(work: &mut Work, certificates: Option<Vec<u8>>) -> Result<()> {
    if work.below.is_empty() {
        aliases(work);
    }
    if let Some(bundle) = certificates {
        insert(work, "/etc/ssl/certs/ca-certificates.crt", Node::generated(bundle));
    }
    accounts::add(work)?;
    if let Some(cache) = ldcache::cache(work) {
        insert(work, "/etc/ld.so.cache", Node::generated(cache));
    }
    dpkg::add(work)
}

/// Puts a generated node where the recipe has not put something of its own.
fn insert(work: &mut Work, path: &str, node: Node) {
    let path: ImagePath = path.parse().expect("a path of ours");
    if !work.is_dropped(&path) {
        work.tree.nodes.entry(path).or_insert(node);
    }
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
