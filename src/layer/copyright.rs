//! The licence of every package that something is taken of (Debian policy, 12.5), where Debian has
//! it: `/usr/share/doc/<package>/copyright`, by way of a link to a sibling's folder or file if that
//! is how it is packaged.

use std::collections::BTreeSet;

use super::compose::Work;
use super::select;
use super::tree::{NodeKind, Origin, Reason, merged_path};
use crate::ident::{ImagePath, PackageName};

/// Adds the copyright files of all packages in the tree.
pub(super) fn add(work: &mut Work) {
    let mut done: BTreeSet<PackageName> = BTreeSet::new();
    loop {
        let packages = work.tree.nodes.values().filter_map(|node| match &node.origin {
            Origin::Package(name) if !done.contains(name) => Some(name.clone()),
            _ => None,
        });
        // A link may lead to a further package, whose own copyright is then needed as well.
        let Some(name) = packages.min() else { return };
        add_for(work, &name);
        done.insert(name);
    }
}

fn add_for(work: &mut Work, name: &PackageName) {
    let Ok(mut path) = format!("/usr/share/doc/{name}/copyright").parse::<ImagePath>() else { return };
    for _ in 0..8 {
        if work.is_dropped(&path) {
            return;
        }
        if let Some(node) = work.view().get(&path) {
            match &node.kind {
                NodeKind::Symlink(target) => match path.resolve(target) {
                    Ok(next) => path = merged_path(&next),
                    Err(_) => return,
                },
                _ => return,
            }
        } else if let Some(next) = take(work, &path) {
            path = next;
        } else {
            return;
        }
    }
}

/// Takes the entry at the path, or the link above it; where to go on, if it is not a file yet.
fn take(work: &mut Work, path: &ImagePath) -> Option<ImagePath> {
    let inputs = work.inputs;
    let folder = path.parent()?;
    for wanted in [path, &folder] {
        let packages = inputs.packages.iter().enumerate().filter(|(_, package)| work.reaches(&package.name));
        let found = packages.filter_map(|(at, package)| Some((at, package, package.entry(wanted)?)));
        let link = wanted != path;
        let mut fitting =
            found.filter(|(_, _, entry)| !link || matches!(entry.kind, crate::source::Kind::Symlink(_)));
        if let Some((at, package, entry)) = fitting.next() {
            let node = select::node(entry, package, at, Reason::Copyright);
            let next = match &node.kind {
                NodeKind::Symlink(target) => {
                    let resolved = merged_path(&wanted.resolve(target).ok()?);
                    Some(if link { resolved.join(path.file_name()).ok()? } else { resolved })
                }
                _ => None,
            };
            work.claim(wanted.clone(), node);
            return next;
        }
    }
    None
}
