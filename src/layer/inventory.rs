//! What a recipe's layers hold, noted while they are made: the one inventory that SBOMs are written
//! from. Nothing is found by scanning afterwards, so nothing is guessed.
//!
//! It holds what only the packages themselves say; what is pinned (version, pool path, digest) is
//! read from the lock.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::compose::Composed;
use super::compose::{Inputs, PackageParcel};
use super::licences;
use super::needs::Edge;
use super::tree::{NodeKind, Origin, Reason, merged_path};
use crate::ident::{ImagePath, PackageName, Sha1, Sha256, Sha512};

/// Raise it when the inventory's form or what is noted changes.
pub const INVENTORY_VERSION: u32 = 2;

/// What one recipe's layers hold.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Inventory {
    /// The packages that files were taken of.
    pub packages: BTreeMap<PackageName, PackageItem>,
    /// Archives and local files that recipes name, by recipe and then by name: `archive busybox`.
    pub sources: BTreeMap<String, BTreeMap<String, SourceItem>>,
    /// Regular files, each of their names.
    pub files: BTreeMap<ImagePath, FileItem>,
    /// Symbolic links; a file of a layer below one is hidden.
    pub links: BTreeMap<ImagePath, LinkItem>,
    /// Which files need which, those of layers below included.
    pub needs: BTreeSet<Edge>,
    /// Which needs the recipes leave unmet on purpose: libraries and interpreters.
    pub skipped: BTreeSet<String>,
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
    /// The packages that its own Depends and Pre-Depends name, alternatives included.
    pub depends: BTreeSet<String>,
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
    /// Its length in bytes.
    pub size: u64,
    /// Where it comes from.
    pub origin: Origin,
    /// Why it is there.
    pub reason: Reason,
    /// The recipe of the chain that brings it.
    pub recipe: String,
}

/// A symbolic link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkItem {
    /// What it points to, as written.
    pub target: String,
    /// Where it comes from.
    pub origin: Origin,
    /// Why it is there.
    pub reason: Reason,
    /// The recipe of the chain that brings it.
    pub recipe: String,
}

/// Notes what a recipe's tree holds.
pub fn inventory(recipe: &str, composed: &Composed, inputs: &Inputs) -> Inventory {
    let (needs, skipped) = (composed.needs.clone(), composed.skipped.clone());
    let mut inventory = Inventory { needs, skipped, ..Inventory::default() };
    for (path, node) in &composed.tree.nodes {
        let (origin, reason, by) = (node.origin.clone(), node.reason.clone(), recipe.to_owned());
        match &node.kind {
            NodeKind::File(data) => {
                let (sha256, sha1, size) = (data.sha256(), data.sha1(), data.size());
                let item = FileItem { sha256, sha1, size, origin, reason, recipe: by };
                inventory.files.insert(path.clone(), item);
            }
            NodeKind::Symlink(target) => {
                let item = LinkItem { target: target.clone(), origin, reason, recipe: by };
                inventory.links.insert(path.clone(), item);
            }
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
    let field = |name: &str| package.field(name).map(ToOwned::to_owned);
    PackageItem {
        maintainer: field("Maintainer"),
        homepage: field("Homepage"),
        summary: field("Description"),
        depends: depends(package),
        sha512: package.parcel.index.sha512,
        licences: licences::of_package(name, inputs),
    }
}

/// The names in a package's own Depends and Pre-Depends (Debian policy, 7.1).
fn depends(package: &PackageParcel) -> BTreeSet<String> {
    let fields = ["Depends", "Pre-Depends"].into_iter().filter_map(|field| package.field(field));
    let relations = fields.flat_map(|field| field.split([',', '|']));
    let names = relations.filter_map(|relation| relation.trim().split([' ', ':', '(']).next());
    names.filter(|name| !name.is_empty()).map(ToOwned::to_owned).collect()
}

impl Inventory {
    /// Files and links: where each comes from, and why it is there.
    pub fn paths(&self) -> impl Iterator<Item = (&ImagePath, &Origin, &Reason)> {
        let files = self.files.iter().map(|(path, file)| (path, &file.origin, &file.reason));
        files.chain(self.links.iter().map(|(path, link)| (path, &link.origin, &link.reason)))
    }

    /// Where links lead from a path: to a file, or to where nothing is.
    pub fn follow(&self, path: &ImagePath) -> ImagePath {
        let mut path = path.clone();
        for _ in 0..40 {
            let next = self.links.get(&path).and_then(|link| path.resolve(&link.target).ok());
            let Some(next) = next else { break };
            path = merged_path(&next);
        }
        path
    }

    /// Lays what an upper recipe adds over this.
    pub fn cover(&mut self, upper: Self) {
        self.files.retain(|path, _| !upper.links.contains_key(path));
        self.links.retain(|path, _| !upper.files.contains_key(path));
        self.files.extend(upper.files);
        self.links.extend(upper.links);
        self.needs.extend(upper.needs);
        self.skipped.extend(upper.skipped);
        self.packages.extend(upper.packages);
        for (recipe, sources) in upper.sources {
            self.sources.entry(recipe).or_default().extend(sources);
        }
    }
}
