//! The tree that one recipe adds: paths, what is there, and why.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::needs::Need;
use crate::ident::{ImagePath, PackageName, Sha1, Sha256};
use crate::source::Content;

/// What one recipe adds, by path.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// The paths, in the order of a layer's entries.
    pub nodes: BTreeMap<ImagePath, Node>,
}

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Permission and set-id bits.
    pub mode: u32,
    /// Numeric owner.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
    /// Whole seconds since 1970; `None` takes the newest packaged time of its layer.
    pub mtime: Option<i64>,
    /// Extended attributes by full name.
    pub xattrs: BTreeMap<String, Vec<u8>>,
    /// What it is.
    pub kind: NodeKind,
    /// Where it comes from.
    pub origin: Origin,
    /// Why it is there.
    pub reason: Reason,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::large_enum_variant)] // nearly all nodes are files
pub enum NodeKind {
    /// A regular file.
    File(Data),
    /// A symbolic link and its target.
    Symlink(String),
    /// A folder.
    Directory,
}

/// The content of a regular file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::large_enum_variant)] // nearly all content is in parcels
pub enum Data {
    /// In a parcel: its place among the inputs' parcels, and the content in it. Files of one parcel
    /// with the same inode are names of one file.
    Parcel {
        /// The parcel's place among all parcels.
        parcel: usize,
        /// The content in it.
        content: Content,
        /// The path under which the source has the file first.
        inode: ImagePath,
    },
    /// Made by hardpan.
    Bytes(Arc<[u8]>),
}

/// Where a node comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Origin {
    /// A package.
    Package(PackageName),
    /// An archive or file that the recipe names.
    Source(String),
    /// Written in the recipe.
    Recipe,
    /// Made by a generator.
    Generated,
}

impl Origin {
    /// What it is, in words: `package bash`, `archive busybox`, `recipe`, `generated`.
    pub fn words(&self) -> String {
        match self {
            Self::Package(name) => format!("package {name}"),
            Self::Source(name) => name.clone(),
            Self::Recipe => "recipe".to_owned(),
            Self::Generated => "generated".to_owned(),
        }
    }
}

/// Why a node is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// The recipe asks for it.
    Asked,
    /// It holds something, or makes something what it should be.
    Structure,
    /// Another file needs it.
    NeededBy(ImagePath, Need),
    /// It is the licence of a package that something is taken of.
    Copyright,
}

impl Data {
    /// Length in bytes.
    pub fn size(&self) -> u64 {
        match self {
            Self::Parcel { content, .. } => content.size,
            Self::Bytes(bytes) => bytes.len() as u64,
        }
    }

    /// Digest.
    pub fn sha256(&self) -> Sha256 {
        match self {
            Self::Parcel { content, .. } => content.sha256,
            Self::Bytes(bytes) => Sha256::of(bytes),
        }
    }

    /// The digest that SPDX asks for beside it.
    pub fn sha1(&self) -> Sha1 {
        match self {
            Self::Parcel { content, .. } => content.sha1,
            Self::Bytes(bytes) => Sha1::of(bytes),
        }
    }
}

impl Node {
    /// A folder that somebody needs to be there.
    pub fn directory() -> Self {
        Self {
            mode: 0o755,
            uid: 0,
            gid: 0,
            mtime: None,
            xattrs: BTreeMap::new(),
            kind: NodeKind::Directory,
            origin: Origin::Generated,
            reason: Reason::Structure,
        }
    }

    /// A file made by a generator.
    pub fn generated(bytes: Vec<u8>) -> Self {
        Self { mode: 0o644, kind: NodeKind::File(Data::Bytes(bytes.into())), ..Self::directory() }
    }

    /// A link made by a generator.
    pub fn generated_link(target: &str) -> Self {
        Self { mode: 0o777, kind: NodeKind::Symlink(target.to_owned()), ..Self::directory() }
    }

    /// Whether this is a folder.
    pub fn is_directory(&self) -> bool {
        self.kind == NodeKind::Directory
    }

    /// The content, if this is a regular file.
    pub fn data(&self) -> Option<&Data> {
        if let NodeKind::File(data) = &self.kind { Some(data) } else { None }
    }

    /// Bytes of content.
    pub fn size(&self) -> u64 {
        self.data().map_or(0, Data::size)
    }

    /// Whether a layer that has this node looks the same there as one with `other`: what it takes to
    /// leave it out where a layer below has it.
    pub fn looks_like(&self, other: &Self) -> bool {
        let same_kind = match (&self.kind, &other.kind) {
            (NodeKind::Directory, NodeKind::Directory) => true,
            (NodeKind::Symlink(a), NodeKind::Symlink(b)) => a == b,
            (NodeKind::File(a), NodeKind::File(b)) => a.sha256() == b.sha256(),
            _ => false,
        };
        same_kind
            && (self.mode, self.uid, self.gid) == (other.mode, other.uid, other.gid)
            && self.xattrs == other.xattrs
    }
}

/// What a chain of trees shows at a path: the uppermost that has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    /// The trees below, the lowest first.
    pub(super) below: &'a [Tree],
    /// The tree being made.
    pub(super) own: &'a Tree,
}

impl<'a> View<'a> {
    pub(super) fn get(&self, path: &ImagePath) -> Option<&'a Node> {
        let trees = std::iter::once(self.own).chain(self.below.iter().rev());
        trees.into_iter().find_map(|tree| tree.nodes.get(path))
    }

    /// The node at a path, links followed; `None` if nothing is there or the links go in a circle.
    pub(super) fn follow(&self, path: &ImagePath) -> Option<(ImagePath, &'a Node)> {
        let mut path = path.clone();
        for _ in 0..40 {
            let node = self.get(&path)?;
            let NodeKind::Symlink(target) = &node.kind else { return Some((path, node)) };
            path = merged_path(&path.resolve(target).ok()?);
        }
        None
    }

    /// All that is there, the uppermost of each path.
    pub(super) fn all(&self) -> BTreeMap<&'a ImagePath, &'a Node> {
        let mut all = BTreeMap::new();
        for tree in self.below.iter().chain([self.own]) {
            all.extend(tree.nodes.iter());
        }
        all
    }
}

/// A path with merged `/usr`.
pub(super) fn merged_path(path: &ImagePath) -> ImagePath {
    crate::recipe::merged(path.as_str()).parse().expect("a merged path is a path")
}
