//! The image that is out and the one that is to take its place, by what packages both hold.

use std::collections::{BTreeMap, BTreeSet};

use crate::ident::{DebVersion, Platform};
use crate::lock::Change;
use crate::scan::Subject;

/// Two images, as a scan reads them.
pub(super) struct Compared {
    pub(super) old: Subject,
    pub(super) new: Subject,
}

impl Compared {
    /// Which packages differ: what the note says where no lock tells it, for it had moved already, or was not there.
    pub(super) fn changes(&self) -> Vec<Change> {
        let mut changes: BTreeMap<(String, Option<String>, Option<String>), Vec<Platform>> = BTreeMap::new();
        let has = |platform: &Platform| self.new.platforms.contains(&platform.to_string());
        for platform in Platform::ALL.into_iter().filter(has) {
            let (then, now) = (versions(&self.old, platform), versions(&self.new, platform));
            for name in then.keys().chain(now.keys()).collect::<BTreeSet<_>>() {
                let (then, now) = (then.get(name).cloned(), now.get(name).cloned());
                if then != now {
                    changes.entry((name.clone(), then, now)).or_default().push(platform);
                }
            }
        }
        let change = |((what, before, after), platforms)| Change { what, before, after, platforms };
        changes.into_iter().map(change).collect()
    }

    /// Whether a package that both have is older in the new one. An image whose newest package was taken out was created
    /// earlier than the one before it, and goes back in nothing.
    pub(super) fn goes_back(&self) -> bool {
        let old = by_name(&self.old);
        by_name(&self.new).iter().any(|(key, version)| old.get(key).is_some_and(|there| there > version))
    }
}

fn versions(subject: &Subject, platform: Platform) -> BTreeMap<String, String> {
    let here = |of: &str| of == "all" || of == platform.architecture();
    let packages = subject.packages.iter().filter(|package| here(&package.architecture));
    packages.map(|package| (package.binary.clone(), package.version.to_string())).collect()
}

fn by_name(subject: &Subject) -> BTreeMap<(&str, &str), &DebVersion> {
    subject
        .packages
        .iter()
        .map(|one| ((one.binary.as_str(), one.architecture.as_str()), &one.version))
        .collect()
}
