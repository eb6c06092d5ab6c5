//! What differs between two locks, package by package.

use std::collections::{BTreeMap, BTreeSet};

use super::Lock;
use crate::ident::{PackageName, Platform};

/// One thing that moved.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// What: a package, a file, a download.
    pub what: String,
    /// The version or digest before; `None` if it is new.
    pub before: Option<String>,
    /// The version or digest after; `None` if it is gone.
    pub after: Option<String>,
    /// The platforms that it differs on.
    pub platforms: Vec<Platform>,
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let what = &self.what;
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => write!(f, "Updating {what} {before} -> {after}")?,
            (None, Some(after)) => write!(f, "Adding {what} {after}")?,
            (Some(before), None) => write!(f, "Removing {what} {before}")?,
            (None, None) => write!(f, "Keeping {what}")?,
        }
        match self.platforms[..] {
            [one] => write!(f, " ({one})"),
            _ => Ok(()),
        }
    }
}

/// All that moved between two locks, by name.
pub fn changes(before: &Lock, after: &Lock) -> Vec<Change> {
    let mut moved: BTreeMap<(String, Option<String>, Option<String>), Vec<Platform>> = BTreeMap::new();
    let platforms: BTreeSet<Platform> =
        before.packages.keys().chain(after.packages.keys()).copied().collect();
    for platform in platforms {
        let versions = |lock: &Lock| -> BTreeMap<PackageName, (String, crate::ident::Sha256)> {
            let packages = lock.packages.get(&platform).into_iter().flatten();
            packages
                .map(|(name, package)| (name.clone(), (package.version.to_string(), package.sha256)))
                .collect()
        };
        for (what, old, new) in differing(&versions(before), &versions(after)) {
            moved
                .entry((what.to_string(), old.map(|old| old.0), new.map(|new| new.0)))
                .or_default()
                .push(platform);
        }
    }
    let digest = |(sha256, _): (crate::ident::Sha256, u64)| sha256.short();
    for ((recipe, path), old, new) in differing(&before.files, &after.files) {
        moved.entry((format!("file {recipe}/{path}"), old.map(digest), new.map(digest))).or_default();
    }
    for ((recipe, name, platform), old, new) in differing(&before.downloads, &after.downloads) {
        let key = (
            format!("archive {recipe}/{name}"),
            old.map(|sha256| sha256.short()),
            new.map(|sha256| sha256.short()),
        );
        moved.entry(key).or_default().push(platform);
    }
    moved
        .into_iter()
        .map(|((what, before, after), platforms)| Change { what, before, after, platforms })
        .collect()
}

fn differing<K: Ord + Clone, V: PartialEq + Clone>(
    before: &BTreeMap<K, V>,
    after: &BTreeMap<K, V>,
) -> Vec<(K, Option<V>, Option<V>)> {
    let keys: BTreeSet<&K> = before.keys().chain(after.keys()).collect();
    let pairs = keys.into_iter().map(|key| (key.clone(), before.get(key).cloned(), after.get(key).cloned()));
    pairs.filter(|(_, old, new)| old != new).collect()
}
