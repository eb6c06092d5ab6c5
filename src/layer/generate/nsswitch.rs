//! `/etc/nsswitch.conf` (nsswitch.conf(5)): what the recipe says, or, beside a libc that would look
//! for it, files for everything and then the name service for hosts.

use std::fmt::Write as _;

use super::insert;
use crate::ident::ImagePath;
use crate::layer::compose::Work;
use crate::layer::tree::{Node, Origin};

const FILE: &str = "/etc/nsswitch.conf";

/// Where nothing is said.
const DEFAULT: [(&str, &str); 3] = [("passwd", "files"), ("group", "files"), ("hosts", "files dns")];

/// Writes it if the recipe says something.
pub(in crate::layer) fn say(work: &mut Work) {
    if !work.recipe.system.nsswitch.is_empty() {
        add(work);
    }
}

/// Writes it if the recipe says something, or libc comes with it and nobody wrote it.
pub(super) fn add(work: &mut Work) {
    let said = &work.recipe.system.nsswitch;
    let path: ImagePath = FILE.parse().expect("a path of ours");
    let has_libc = || {
        let mut own = work.tree.nodes.values().filter(|node| !node.is_directory());
        own.any(|node| matches!(&node.origin, Origin::Package(name) if name.as_str() == "libc6"))
    };
    if said.is_empty() && (work.view().get(&path).is_some() || !has_libc()) {
        return;
    }
    let mut lines: Vec<(&str, &str)> =
        said.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    // What the recipe does not speak of is looked up as without it.
    let silent = DEFAULT.iter().filter(|(name, _)| !said.iter().any(|(said, _)| said == name));
    lines.extend(silent);
    let mut text = String::new();
    for (name, value) in lines {
        let _ = writeln!(text, "{name}: {value}");
    }
    insert(work, FILE, Node::generated(text.into_bytes()));
}
