//! What an archive offers in place of what is pinned, by source package: binaries of one source move together.

use std::collections::{BTreeMap, BTreeSet};

use crate::ident::{ArchiveName, DebVersion, PackageName};
use crate::lock::{Lock, LockedPackage};

/// A source package of which the archives have a newer version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newer {
    /// The source package.
    pub source: PackageName,
    /// Its pinned version; the lowest, where platforms differ.
    pub from: DebVersion,
    /// The version that is offered.
    pub to: DebVersion,
    /// The pinned binary packages of it.
    pub binaries: BTreeSet<PackageName>,
    /// Where the newer version is from.
    pub archives: BTreeSet<ArchiveName>,
    /// Packages of the older version, which may carry its changelog.
    pub older: BTreeMap<PackageName, LockedPackage>,
    /// Packages of the newer version.
    pub newer: BTreeMap<PackageName, LockedPackage>,
}

/// A package whose archive has gone back: its pin stays.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Held {
    /// The binary package.
    pub package: PackageName,
    /// The pinned version.
    pub pinned: DebVersion,
    /// The version that the archives offer now.
    pub offered: DebVersion,
}

/// What `offered`, the lock with all pins moved, has newer than `pinned`; and what it would take back.
pub fn newer(pinned: &Lock, offered: &Lock) -> (Vec<Newer>, BTreeSet<Held>) {
    let mut sources: BTreeMap<PackageName, Newer> = BTreeMap::new();
    let mut held = BTreeSet::new();
    for (platform, packages) in &pinned.packages {
        let Some(offers) = offered.packages.get(platform) else { continue };
        for (name, old) in packages {
            let Some(new) = offers.get(name) else { continue };
            if new.version < old.version {
                let (pinned, offered) = (old.version.clone(), new.version.clone());
                held.insert(Held { package: name.clone(), pinned, offered });
            }
            // A binary rebuild (`+b1`) has a newer version of its own over the same source.
            if new.version <= old.version {
                continue;
            }
            let one = sources.entry(new.source.clone()).or_insert_with(|| Newer {
                source: new.source.clone(),
                from: old.source_version.clone(),
                to: new.source_version.clone(),
                binaries: BTreeSet::new(),
                archives: BTreeSet::new(),
                older: BTreeMap::new(),
                newer: BTreeMap::new(),
            });
            if old.source_version < one.from {
                one.from = old.source_version.clone();
            }
            if new.source_version > one.to {
                one.to = new.source_version.clone();
            }
            one.binaries.insert(name.clone());
            one.archives.insert(new.archive.clone());
            one.older.entry(name.clone()).or_insert_with(|| old.clone());
            one.newer.entry(name.clone()).or_insert_with(|| new.clone());
        }
    }
    (sources.into_values().collect(), held)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::{Platform, Sha256};

    fn package(version: &str, source: &str, source_version: &str) -> LockedPackage {
        LockedPackage {
            version: version.parse().expect("a version"),
            source: source.parse().expect("a name"),
            source_version: source_version.parse().expect("a version"),
            architecture: "amd64".to_owned(),
            archive: "debian".parse().expect("a name"),
            path: format!("pool/{source}_{version}.deb"),
            size: 1,
            sha256: Sha256::of(version.as_bytes()),
            depends: BTreeSet::new(),
        }
    }

    fn on(platform: Platform, packages: &[(&str, LockedPackage)]) -> Lock {
        let named = packages.iter().map(|(name, one)| (name.parse().expect("a name"), one.clone()));
        let packages = BTreeMap::from([(platform, named.collect())]);
        Lock { packages, ..Lock::default() }
    }

    fn lock(packages: &[(&str, LockedPackage)]) -> Lock {
        on(Platform::Amd64, packages)
    }

    #[test]
    fn binaries_of_one_source_move_together() {
        let old = lock(&[
            ("libssl3t64", package("3.5.1-1", "openssl", "3.5.1-1")),
            ("openssl", package("3.5.1-1", "openssl", "3.5.1-1")),
            ("zlib1g", package("1:1.3-1", "zlib", "1:1.3-1")),
        ]);
        let new = lock(&[
            ("libssl3t64", package("3.5.4-1~deb13u2", "openssl", "3.5.4-1~deb13u2")),
            ("openssl", package("3.5.4-1~deb13u2", "openssl", "3.5.4-1~deb13u2")),
            ("zlib1g", package("1:1.3-1", "zlib", "1:1.3-1")),
        ]);
        let (found, held) = newer(&old, &new);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].binaries.len(), 2);
        assert_eq!(found[0].to.to_string(), "3.5.4-1~deb13u2");
        assert!(held.is_empty());
    }

    #[test]
    fn what_an_archive_takes_back_is_held_and_never_a_move() {
        let old = lock(&[("zlib1g", package("1:1.3-2", "zlib", "1:1.3-2"))]);
        let new = lock(&[("zlib1g", package("1:1.3-1", "zlib", "1:1.3-1"))]);
        let (found, held) = newer(&old, &new);
        assert!(found.is_empty());
        assert_eq!(held.len(), 1);
    }

    #[test]
    fn a_binary_rebuild_is_newer_over_the_same_source() {
        let old = lock(&[("libexpat1", package("2.7.1-2", "expat", "2.7.1-2"))]);
        let new = lock(&[("libexpat1", package("2.7.1-2+b1", "expat", "2.7.1-2"))]);
        let (found, _) = newer(&old, &new);
        assert_eq!((&found[0].from, &found[0].to), (&found[0].to, &found[0].from));
        assert_eq!(found[0].binaries.len(), 1);
    }
    #[test]
    fn where_platforms_differ_a_source_moves_from_the_lowest_version_to_the_highest() {
        let both = |amd64: &str, arm64: &str| {
            let of = |version: &str| [("zlib1g", package(version, "zlib", version))];
            let mut lock = on(Platform::Amd64, &of(amd64));
            lock.packages.extend(on(Platform::Arm64, &of(arm64)).packages);
            lock
        };
        for (old, new) in [(["1.3-2", "1.3-1"], ["1.3-3", "1.3-4"]), (["1.3-1", "1.3-2"], ["1.3-4", "1.3-3"])]
        {
            let (found, held) = newer(&both(old[0], old[1]), &both(new[0], new[1]));
            assert_eq!(found.len(), 1);
            assert_eq!(
                (found[0].from.to_string(), found[0].to.to_string()),
                ("1.3-1".into(), "1.3-4".into())
            );
            assert!(held.is_empty());
        }
    }
}
