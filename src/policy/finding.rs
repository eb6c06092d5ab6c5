//! What the rules find in the tree of one recipe, whatever is allowed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ident::{ImagePath, PackageName};
use crate::layer::Origin;
use crate::recipe::PolicyRule;

/// Something that a rule forbids.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Finding {
    /// The rule.
    pub rule: PolicyRule,
    /// Where it is; `None` if it is in the image's configuration.
    pub path: Option<ImagePath>,
    /// What a link leads to: who allows that, allows the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<ImagePath>,
    /// What is the matter with it, as the end of a sentence about it: `is a shell`.
    pub what: String,
    /// Where it comes from.
    pub origin: Origin,
    /// The recipe of the chain that brings it.
    pub recipe: String,
}

/// What is found in what one recipe adds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Findings {
    /// What a rule forbids.
    pub found: BTreeSet<Finding>,
    /// Whose paths are that are not root's: whether they have accounts is known for a whole image only.
    pub owned: Vec<Owned>,
    /// The accounts and groups of `/etc/passwd` and `/etc/group`, if the recipe adds the file.
    pub users: Option<BTreeSet<u32>>,
    /// The same of groups.
    pub groups: Option<BTreeSet<u32>>,
    /// Packaged files in whose place the recipe has another.
    pub replaced: BTreeMap<ImagePath, Replaced>,
}

/// Paths of one owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owned {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// The paths, and where they come from.
    pub paths: BTreeMap<ImagePath, Origin>,
}

/// A packaged file in whose place there is another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Replaced {
    /// The package that has the file.
    pub package: PackageName,
    /// What stands in its place.
    pub by: Origin,
}

/// An origin in words, as it stands in a sentence: `package bash`.
pub(super) struct From<'a>(pub(super) &'a Origin, pub(super) &'a str);

impl fmt::Display for From<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(origin, recipe) = self;
        match origin {
            Origin::Package(name) => write!(f, "package `{name}`"),
            Origin::Source(name) => {
                let (kind, name) = name.split_once(' ').unwrap_or(("source", name));
                write!(f, "{kind} `{name}` of recipe `{recipe}`")
            }
            Origin::Recipe => write!(f, "recipe `{recipe}`"),
            Origin::Generated => write!(f, "hardpan itself, for recipe `{recipe}`"),
        }
    }
}
