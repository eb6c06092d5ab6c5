//! What a recipe's layers hold, noted while they are made: the one inventory that SBOMs are written
//! from. Nothing is found by scanning afterwards, so nothing is guessed.
//!
//! It holds what only the packages themselves say; what is pinned (version, pool path, digest) is
//! read from the lock.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::compose::Inputs;
use super::licences;
use super::tree::{NodeKind, Origin, Tree};
use crate::ident::{ImagePath, PackageName, Sha1, Sha256, Sha512};

/// Raise it when the inventory's form or what is noted changes.
pub const INVENTORY_VERSION: u32 = 1;

/// What one recipe's layers hold.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Inventory {
    /// The packages that files were taken of.
    pub packages: BTreeMap<PackageName, PackageItem>,
    /// Archives and local files that recipes name, by recipe and then by name: `archive busybox`.
    pub sources: BTreeMap<String, BTreeMap<String, SourceItem>>,
    /// Regular files, each of their names.
    pub files: BTreeMap<ImagePath, FileItem>,
    /// What stands at other paths, so that a file of a layer below is known to be hidden.
    pub others: BTreeSet<ImagePath>,
}

/// What a package says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageItem {
    /// Who keeps it: `Name <address>`.
    pub maintainer: Option<String>,
    /// Where its authors are.
    pub homepage: Option<String>,
    /// What it is, in a line.
    pub summary: Option<String>,
    /// Digest of the package.
    pub sha512: Option<Sha512>,
    /// The licences that its machine-readable copyright file names; `None` if it has none.
    pub licences: Option<BTreeSet<String>>,
}

/// An archive or a local file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceItem {
    /// Digest of the whole source.
    pub sha512: Option<Sha512>,
}

/// A regular file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileItem {
    /// Digest of the content.
    pub sha256: Sha256,
    /// The digest that SPDX asks for beside it.
    pub sha1: Sha1,
    /// Where it comes from.
    pub origin: Origin,
}

/// Notes what a recipe's tree holds.
pub fn inventory(recipe: &str, tree: &Tree, inputs: &Inputs) -> Inventory {
    let mut inventory = Inventory::default();
    for (path, node) in &tree.nodes {
        match &node.kind {
            NodeKind::File(data) => {
                let (sha256, sha1, origin) = (data.sha256(), data.sha1(), node.origin.clone());
                inventory.files.insert(path.clone(), FileItem { sha256, sha1, origin });
            }
            NodeKind::Symlink(_) => drop(inventory.others.insert(path.clone())),
            NodeKind::Directory => continue,
        }
        match &node.origin {
            Origin::Package(name) if !inventory.packages.contains_key(name) => {
                inventory.packages.insert(name.clone(), package(name, inputs));
            }
            Origin::Source(name) => {
                let key = (recipe.to_owned(), name.clone());
                let sha512 = inputs.sources.get(&key).and_then(|(parcel, _)| parcel.index.sha512);
                let own = inventory.sources.entry(key.0).or_default();
                own.insert(key.1, SourceItem { sha512 });
            }
            _ => {}
        }
    }
    inventory
}

fn package(name: &PackageName, inputs: &Inputs) -> PackageItem {
    let (_, package) = inputs.package(name.as_str()).expect("a node's package is among the inputs");
    let index = &package.parcel.index;
    let field = |name: &str| {
        let mut lines = index.control.lines();
        let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim);
        value.filter(|value| !value.is_empty()).map(ToOwned::to_owned)
    };
    PackageItem {
        maintainer: field("Maintainer"),
        homepage: field("Homepage"),
        summary: field("Description"),
        sha512: index.sha512,
        licences: licences::of_package(name, inputs),
    }
}

impl Inventory {
    /// Lays what an upper recipe adds over this.
    pub fn cover(&mut self, upper: Self) {
        self.files.retain(|path, _| !upper.others.contains(path));
        self.others.retain(|path| !upper.files.contains_key(path));
        self.files.extend(upper.files);
        self.others.extend(upper.others);
        self.packages.extend(upper.packages);
        for (recipe, sources) in upper.sources {
            self.sources.entry(recipe).or_default().extend(sources);
        }
    }
}
