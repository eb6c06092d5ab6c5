//! Which packages carry a changelog, and what it says.
//!
//! The least is fetched: one package of a version, one that the store has before all others, then the smallest. Some
//! packages link their documentation to a sibling's; then that one is read.

use std::collections::{BTreeSet, HashSet};
use std::io::Read as _;

use super::changelog::Changelog;
use crate::canon::{self, Codec};
use crate::diag::Result;
use crate::fetch::{Location, Pin, Transfers};
use crate::ident::{ArchiveName, CveId, PackageName, Sha256};
use crate::lock::{self, Candidate, LockedPackage};
use crate::source::{self, ContentReader, Form, Kind, Parcel};

/// The largest changelog that is read, in bytes.
const MAX_CHANGELOG: u64 = 64 << 20;

/// How many packages of one version are tried for a changelog.
const TRIED: usize = 4;

/// A binary package of one version of a source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Holder {
    pub(super) size: u64,
    name: PackageName,
    version: String,
    archive: ArchiveName,
    path: String,
    sha256: Sha256,
}

impl Holder {
    /// A package that an archive offers.
    pub(super) fn offered(candidate: Candidate, archives: &[lock::Archive]) -> Self {
        Self {
            size: candidate.size,
            name: candidate.name,
            version: candidate.version.to_string(),
            archive: archives[candidate.archive].name.clone(),
            path: candidate.path,
            sha256: candidate.sha256,
        }
    }

    /// A package of a lock.
    pub(super) fn pinned(name: &PackageName, package: &LockedPackage) -> Self {
        Self {
            size: package.size,
            name: name.clone(),
            version: package.version.to_string(),
            archive: package.archive.clone(),
            path: package.path.clone(),
            sha256: package.sha256,
        }
    }
}

/// Packages of one version of a source, by name.
pub type Siblings<'a> = [(&'a PackageName, &'a LockedPackage)];

/// The CVEs that the changelog of a newer version names and that of the older one does not; all that it names, where the older
/// one is not to be had any more. `None` where no package of the newer version carries a changelog that can be read.
pub fn fixed_since(
    transfers: &Transfers<'_>,
    older: &Siblings<'_>,
    newer: &Siblings<'_>,
) -> Result<Option<BTreeSet<CveId>>> {
    let holders = |siblings: &Siblings<'_>| -> BTreeSet<Holder> {
        siblings.iter().map(|(name, package)| Holder::pinned(name, package)).collect()
    };
    let gone = HashSet::new();
    let Some(new) = changelog(transfers, &holders(newer), &gone)? else { return Ok(None) };
    let before = changelog(transfers, &holders(older), &gone)?.map(|old| old.named()).unwrap_or_default();
    Ok(Some(new.named().difference(&before).copied().collect()))
}

/// Packages of a version in the order in which they are tried: those that the store has, then the smallest.
pub(super) fn choice(transfers: &Transfers<'_>, holders: &BTreeSet<Holder>) -> Result<Vec<Holder>> {
    let mut chosen = Vec::new();
    for holder in holders {
        let here = transfers.store.find(&holder.sha256)?.is_some();
        chosen.push((!here, holder.clone()));
    }
    chosen.sort();
    Ok(chosen.into_iter().map(|(_, holder)| holder).take(TRIED).collect())
}

fn label(holder: &Holder) -> String {
    format!("package {} {}", holder.name, holder.version)
}

pub(super) fn pin(holder: &Holder) -> Pin {
    let location = Location::Archive(holder.archive.clone(), holder.path.clone());
    Pin { name: label(holder), location, sha256: holder.sha256, size: Some(holder.size) }
}

/// The changelog that packages of one version carry; `None` where none does, or none is to be had any more.
pub(super) fn changelog(
    transfers: &Transfers<'_>,
    holders: &BTreeSet<Holder>,
    gone: &HashSet<Sha256>,
) -> Result<Option<Changelog>> {
    let mut queue = choice(transfers, holders)?;
    let mut tried = BTreeSet::new();
    while !queue.is_empty() && tried.len() < TRIED * 2 {
        let holder = queue.remove(0);
        if !tried.insert(holder.name.clone()) || gone.contains(&holder.sha256) {
            continue;
        }
        if !transfers.fetch(vec![pin(&holder)])?.is_empty() {
            continue;
        }
        let store = transfers.store;
        let parcel = source::parcel(store, &holder.sha256, Form::Deb, &label(&holder))?;
        match carried(&parcel, &holder.name) {
            Carried::Text(text) => {
                let read = Changelog::parse(&text);
                if read.version().is_some() {
                    return Ok(Some(read));
                }
            }
            // A sibling's comes next, whatever its size.
            Carried::Link(sibling) => {
                queue.splice(0..0, holders.iter().filter(|holder| holder.name.as_str() == sibling).cloned());
            }
            Carried::Nothing => {}
        }
    }
    Ok(None)
}

enum Carried {
    Text(Vec<u8>),
    /// The documentation is another package's, of this name.
    Link(String),
    Nothing,
}

/// What a package carries: `changelog.Debian.gz`, or `changelog.gz` in one that is Debian's own.
fn carried(parcel: &Parcel, name: &PackageName) -> Carried {
    let folder = format!("/usr/share/doc/{name}");
    let files = ["changelog.Debian.gz", "changelog.gz", "changelog.Debian", "changelog"];
    let paths = files.map(|file| format!("{folder}/{file}"));
    for path in std::iter::once(&folder).chain(&paths) {
        let Some(entry) = parcel.index.entries.iter().find(|entry| entry.path.as_str() == path) else {
            continue;
        };
        match &entry.kind {
            Kind::File(content) if content.size <= MAX_CHANGELOG => {
                if let Some(text) = text(parcel, content) {
                    return Carried::Text(text);
                }
            }
            Kind::Symlink(target) => {
                let whole = entry.path.resolve(target).ok();
                let below = whole.as_ref().and_then(|path| path.as_str().strip_prefix("/usr/share/doc/"));
                let sibling = below.and_then(|rest| rest.split('/').next());
                if let Some(sibling) = sibling.filter(|sibling| *sibling != name.as_str()) {
                    return Carried::Link(sibling.to_owned());
                }
            }
            _ => {}
        }
    }
    Carried::Nothing
}

fn text(parcel: &Parcel, content: &source::Content) -> Option<Vec<u8>> {
    let packed = ContentReader::new().bytes(parcel, content).ok()?;
    let codec = Codec::of_magic(&packed[..packed.len().min(6)]);
    let mut text = Vec::new();
    canon::decoder(codec, &packed[..]).ok()?.take(MAX_CHANGELOG + 1).read_to_end(&mut text).ok()?;
    (text.len() as u64 <= MAX_CHANGELOG).then_some(text)
}
