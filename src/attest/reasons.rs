//! Why each file of an image is there, as a claim: what a recipe asks for, what that needs, and how.
//!
//! The predicate type is hardpan's own, because no published one says it:
//!
//! ```json
//! { "platform": "linux/amd64",
//!   "paths": { "/usr/lib/x86_64-linux-gnu/libz.so.1": {
//!     "recipe": "python", "package": "zlib1g", "version": "1:1.3", "reason": "needed", "link": "libz.so.1.3",
//!     "needed": [{ "by": "/usr/bin/python3.13", "as": "library", "name": "libz.so.1" }] } } }
//! ```

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::canon;
use crate::ident::{ImagePath, PackageName, Platform};
use crate::layer::{Inventory, Need, Origin, Reason};

/// Why each path of one platform's image is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reasons {
    /// The platform.
    pub platform: String,
    /// Files and links.
    pub paths: BTreeMap<ImagePath, PathReason>,
}

/// Why a path is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathReason {
    /// The recipe of the chain that brings it.
    pub recipe: String,
    /// The package that it is of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// That package's version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The archive or file of the recipe that it is of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Why it was brought.
    pub reason: Brought,
    /// Length in bytes; 0 for a link.
    #[serde(default)]
    pub size: u64,
    /// Where a link points to, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Who needs it, whatever brought it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needed: Vec<Needed>,
}

/// Why something was brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Brought {
    /// The recipe asks for it.
    Asked,
    /// Another file needs it.
    Needed,
    /// It is the licence of a package that is there.
    Licence,
    /// hardpan made it, as a maintainer script would have.
    Made,
}

/// Who needs a file, and how.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Needed {
    /// Who.
    pub by: ImagePath,
    /// How: `library`, `interpreter`, `opened`.
    #[serde(rename = "as")]
    pub how: String,
    /// By which name, or for what.
    pub name: String,
}

impl Needed {
    fn new(by: &ImagePath, need: &Need) -> Self {
        let (how, name) = match need {
            Need::Library(name) => ("library", name),
            Need::Interpreter(name) => ("interpreter", name),
            Need::Opened(what) => ("opened", what),
        };
        Self { by: by.clone(), how: how.to_owned(), name: name.clone() }
    }
}

impl Reasons {
    /// What an inventory says.
    pub fn of(
        platform: Platform,
        inventory: &Inventory,
        version: impl Fn(&PackageName) -> Option<String>,
    ) -> Self {
        let mut paths = BTreeMap::new();
        for (path, file) in &inventory.files {
            let reason =
                PathReason { size: file.size, ..reason(&file.recipe, &file.origin, &file.reason, &version) };
            paths.insert(path.clone(), reason);
        }
        for (path, link) in &inventory.links {
            let reason = reason(&link.recipe, &link.origin, &link.reason, &version);
            paths.insert(path.clone(), PathReason { link: Some(link.target.clone()), ..reason });
        }
        for edge in &inventory.needs {
            if let Some(reason) = paths.get_mut(&edge.path) {
                reason.needed.push(Needed::new(&edge.by, &edge.need));
            }
        }
        for reason in paths.values_mut() {
            reason.needed.sort();
            reason.needed.dedup();
        }
        Self { platform: platform.to_string(), paths }
    }

    /// The predicate.
    pub fn to_json(&self) -> Vec<u8> {
        canon::to_json(&serde_json::to_value(self).expect("plain data"))
    }
}

fn reason(
    recipe: &str,
    origin: &Origin,
    reason: &Reason,
    version: impl Fn(&PackageName) -> Option<String>,
) -> PathReason {
    let (package, source) = match origin {
        Origin::Package(name) => (Some(name), None),
        Origin::Source(name) => (None, Some(name.clone())),
        Origin::Recipe | Origin::Generated => (None, None),
    };
    let (brought, needed) = match reason {
        Reason::Copyright => (Brought::Licence, Vec::new()),
        Reason::NeededBy(by, need) => (Brought::Needed, vec![Needed::new(by, need)]),
        Reason::Structure => (Brought::Made, Vec::new()),
        Reason::Asked if *origin == Origin::Generated => (Brought::Made, Vec::new()),
        Reason::Asked => (Brought::Asked, Vec::new()),
    };
    PathReason {
        recipe: recipe.to_owned(),
        package: package.map(ToString::to_string),
        version: package.and_then(version),
        source,
        reason: brought,
        size: 0,
        link: None,
        needed,
    }
}
