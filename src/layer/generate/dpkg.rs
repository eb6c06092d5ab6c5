//! What scanners read of packages: `/var/lib/dpkg/status.d/<package>`, Debian's own stanza, verbatim,
//! and beside it `<package>.md5sums`, Debian's own lines for the files that are in the image.

use std::collections::BTreeSet;

use super::{Node, insert};
use crate::diag::Result;
use crate::ident::{ImagePath, PackageName};
use crate::layer::compose::Work;
use crate::layer::tree::Origin;
use crate::recipe::merged;

/// Adds both files for each package that this recipe takes something of.
#[allow(clippy::unnecessary_wraps)] // as all generators
pub(super) fn add(work: &mut Work) -> Result<()> {
    let taken = work.tree.nodes.values().filter(|node| !node.is_directory());
    let packages: BTreeSet<PackageName> = taken
        .filter_map(|node| match &node.origin {
            Origin::Package(name) => Some(name.clone()),
            _ => None,
        })
        .collect();
    for name in packages {
        let (_, package) = work.inputs.package(name.as_str()).expect("a node's package is among the inputs");
        let index = std::sync::Arc::clone(&package.parcel.index);
        let mut stanza = index.control.trim_end().to_owned();
        stanza.push('\n');
        let sums: String = index
            .md5sums
            .lines()
            .filter(|line| is_shipped(work, &name, line))
            .flat_map(|line| [line, "\n"])
            .collect();
        insert(work, &format!("/var/lib/dpkg/status.d/{name}"), Node::generated(stanza.into_bytes()));
        insert(work, &format!("/var/lib/dpkg/status.d/{name}.md5sums"), Node::generated(sums.into_bytes()));
    }
    Ok(())
}

/// Whether a line, `<md5>  <path>`, is of a file that the image has from this package.
fn is_shipped(work: &Work, name: &PackageName, line: &str) -> bool {
    let path =
        line.split_once("  ").and_then(|(_, path)| merged(&format!("/{path}")).parse::<ImagePath>().ok());
    let node = path.and_then(|path| work.view().get(&path));
    node.is_some_and(|node| node.origin == Origin::Package(name.clone()) && node.data().is_some())
}
