//! What is scanned: packages with their sources, and which of their files are there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

use crate::advisory::Ecosystem;
use crate::ident::{BlobDigest, DebVersion, ImagePath, Sha256};

/// What kind of thing is scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// An image that lists its packages one by one (`status.d`), as hardpan makes them.
    Image,
    /// An image with a whole dpkg, whoever made it.
    Foreign,
    /// A folder that holds a whole system.
    Prefix,
    /// An SBOM: what somebody says that something holds.
    Sbom,
    /// A lock file: what will be there, to the last file.
    Lock,
}

impl What {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Foreign => "image with dpkg",
            Self::Prefix => "folder",
            Self::Sbom => "SBOM",
            Self::Lock => "lock",
        }
    }
}

/// A package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its own name; elsewhere than in Debian its only one.
    pub binary: String,
    /// Its own version, which is never looked up.
    pub version: DebVersion,
    /// The name of its source.
    pub source: String,
    /// The version of its source: what is looked up.
    pub source_version: DebVersion,
    /// The architecture, or `all`; empty where there is none.
    pub architecture: String,
    /// Its package URL.
    pub purl: String,
    /// Where it is looked up.
    pub ecosystem: Ecosystem,
    /// Its files that really are there; `None` where nobody says which are its own.
    pub files: Option<BTreeSet<ImagePath>>,
}

/// What is scanned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// What it is called.
    pub name: String,
    /// What kind of thing it is.
    pub what: What,
    /// Its digest: of an index or manifest, of the image that an SBOM is about, of a lock file.
    pub digest: Option<Sha256>,
    /// The recipe that it is an image or a lock of, as far as it says so: what decisions go by.
    pub product: Option<String>,
    /// The digests of the manifests that were looked at, besides `digest`.
    pub manifests: Vec<BlobDigest>,
    /// The platforms that were looked at.
    pub platforms: Vec<String>,
    /// The release of Debian, by its number: `13`. Of several, the first; [`Self::releases`] are all.
    pub distro: Option<String>,
    /// Its packages, sorted.
    pub packages: Vec<Package>,
    /// Every file and link that is there, whoever brought it; `None` where only lists are known. Lists of packages
    /// leave out links, configuration, and what no package brought: by them alone nothing is absent.
    pub paths: Option<Arc<BTreeSet<ImagePath>>>,
    /// What a reader has to know about the above.
    pub notes: Vec<String>,
}

impl Subject {
    /// How many packages it has: one that is there for several platforms, or in several versions, is one.
    pub fn names(&self) -> usize {
        self.packages.iter().map(|package| &package.binary).collect::<BTreeSet<_>>().len()
    }
}

impl Subject {
    /// The releases of Debian that it is of: what its packages are looked up in.
    pub fn releases(&self) -> Vec<String> {
        let all = releases(&self.packages);
        if all.is_empty() { self.distro.iter().cloned().collect() } else { all }
    }
}

/// The releases of Debian that packages are of, the oldest first.
pub(super) fn releases(packages: &[Package]) -> Vec<String> {
    let debian = packages.iter().filter(|package| package.ecosystem.is_debian());
    let all: BTreeSet<&str> =
        debian.filter_map(|package| Some(package.ecosystem.as_str().split_once(':')?.1)).collect();
    let mut all: Vec<String> = all.into_iter().map(ToOwned::to_owned).collect();
    // What has no number yet comes behind all that have one.
    all.sort_by_key(|name| (name.parse::<u32>().unwrap_or(u32::MAX), name.clone()));
    all
}

/// What of a thing is looked at, and what is known of it from elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Want {
    /// One platform alone: `linux/amd64`.
    pub platform: Option<String>,
    /// The release of Debian, for a thing that does not say it; `13`.
    pub release: Option<String>,
}

impl Want {
    /// Whether a platform is asked for; `amd64` means `linux/amd64`.
    pub(super) fn takes(&self, platform: &str) -> bool {
        let wanted = self.platform.as_deref();
        wanted.is_none_or(|wanted| wanted == platform || platform.strip_prefix("linux/") == Some(wanted))
    }
}

impl Want {
    /// What is to be said where a platform is asked for of a thing that has none.
    pub(super) fn no_platforms(&self, what: What) -> Option<String> {
        let platform = self.platform.as_deref()?;
        Some(format!(
            "`--platform {}` was not taken: of this {} no platforms are known",
            plain(platform),
            what.name()
        ))
    }
}

/// What a thing is called in messages and notes, harmless wherever it is shown.
pub(super) fn plain(text: &str) -> String {
    let mut short: String = text.chars().take(200).flat_map(char::escape_debug).collect();
    if text.chars().nth(200).is_some() {
        short.push('…');
    }
    short
}

/// The most notes of one kind that are kept; a hostile list may have any number of broken entries.
const MAX_NOTES: usize = 20;

/// Notes under a bound.
#[derive(Debug, Default)]
pub(super) struct Notes {
    kept: Vec<String>,
    more: usize,
}

impl Notes {
    /// Adds a note unless it is there already.
    pub(super) fn add(&mut self, note: impl Into<String>) {
        let note = note.into();
        if self.kept.contains(&note) {
            return;
        }
        if self.kept.len() < MAX_NOTES { self.kept.push(note) } else { self.more += 1 }
    }

    /// Adds each.
    pub(super) fn extend(&mut self, notes: impl IntoIterator<Item = String>) {
        notes.into_iter().for_each(|note| self.add(note));
    }

    /// Whether one of them has these words.
    pub(super) fn any(&self, words: &str) -> bool {
        self.kept.iter().any(|note| note.contains(words))
    }

    /// The notes.
    pub(super) fn into_vec(mut self) -> Vec<String> {
        if self.more > 0 {
            self.kept.push(format!("and {} more of the kind", self.more));
        }
        self.kept
    }
}

/// By what packages are the same: those of two platforms are merged, files and all.
type Key = (Ecosystem, String, String, String);

/// Packages sorted, each once.
pub(super) fn merged(packages: impl IntoIterator<Item = Package>) -> Vec<Package> {
    let mut all: BTreeMap<Key, Package> = BTreeMap::new();
    for package in packages {
        let key = (
            package.ecosystem.clone(),
            package.binary.clone(),
            package.version.to_string(),
            package.architecture.clone(),
        );
        match all.get_mut(&key) {
            None => drop(all.insert(key, package)),
            Some(there) => match (&mut there.files, package.files) {
                (Some(files), Some(more)) => files.extend(more),
                (files, _) => *files = None,
            },
        }
    }
    all.into_values().collect()
}

/// The version of the source that a package of this version was built from, where nobody says it: what is built
/// anew without a new source bears `+b` and a number (Debian developer's reference, 5.10.2.1).
pub(super) fn of_rebuild(version: &DebVersion) -> DebVersion {
    let text = version.as_str();
    let source = text.rsplit_once("+b").filter(|(source, number)| {
        !source.is_empty() && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    source.and_then(|(source, _)| source.parse().ok()).unwrap_or_else(|| version.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_that_was_built_anew_has_the_source_that_it_had() {
        for (version, source) in [
            ("1.0.9-2+b6", "1.0.9-2"),
            ("1:1.3.dfsg+really1.3.1-1+b1", "1:1.3.dfsg+really1.3.1-1"),
            ("3.0.20-1~deb12u2", "3.0.20-1~deb12u2"),
            ("2.1.28+dfsg-10", "2.1.28+dfsg-10"),
            ("1.0+bzr5-1", "1.0+bzr5-1"),
            ("1.0-1+b", "1.0-1+b"),
        ] {
            let version: DebVersion = version.parse().expect("a version");
            assert_eq!(of_rebuild(&version).as_str(), source);
        }
    }

    #[test]
    fn notes_are_bounded_and_harmless() {
        let mut notes = Notes::default();
        for number in 0..30 {
            notes.add(format!("note {number}"));
            notes.add(format!("note {number}"));
        }
        let notes = notes.into_vec();
        assert_eq!((notes.len(), notes.last().map(String::as_str)), (21, Some("and 20 more of the kind")));
        assert_eq!(plain("a\u{1b}[31m\0"), "a\\u{1b}[31m\\0");
        assert_eq!(plain(&"x".repeat(1000)).chars().count(), 201);
    }
}
