//! What was fixed, said by the archive itself: from changelogs of the packages that it serves.
//!
//! The least is fetched: of each source package of which a newer version than the pinned one (or, without pins, than the
//! release's own) is offered, the smallest binary package of the newest version, and one of the older version, most often the
//! pinned one that the store has already. Some packages link their documentation to a sibling's; then that one is
//! read. What is made so knows what was fixed and nothing of what is open.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::Read as _;

use super::changelog::Changelog;
use super::feed::FeedKind;
use super::import::{Imported, merge};
use super::intake::Intake;
use super::record::{Advisory, Affected, Ecosystem, Evidence, Span, State};
use super::seen::Seen;
use super::shelf::Shelf;
use super::snapshot::package_key;
use super::spool::Spool;
use crate::canon::{self, Codec};
use crate::diag::{Problem, Result, codes};
use crate::fetch::{ArchiveUpstream, Location, Pin};
use crate::ident::{CveId, DebVersion, Epoch, PackageName, Platform, Sha256};
use crate::lock::{self, Candidate, LockedPackage, Offer};
use crate::source::{self, ContentReader, Form, Kind, Parcel};

/// The largest changelog that is read, in bytes.
const MAX_CHANGELOG: u64 = 64 << 20;

/// How many packages of one version are tried for a changelog.
const TRIED: usize = 4;

/// Archives to be looked at.
pub struct Look<'a> {
    /// How things are had; its transfers name the archives.
    pub upstream: &'a ArchiveUpstream<'a>,
    /// For which platform.
    pub platform: Platform,
    /// What is pinned; if nothing is, all that the release itself holds, less its updates.
    pub pins: Option<&'a BTreeMap<PackageName, LockedPackage>>,
    /// These sources alone, if any is named.
    pub only: &'a BTreeSet<PackageName>,
}

/// What was found of one source package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derived {
    /// The release.
    pub ecosystem: Ecosystem,
    /// The source package.
    pub source: PackageName,
    /// The pinned version, or that of the release without its updates.
    pub from: DebVersion,
    /// The highest version that any suite offers.
    pub to: DebVersion,
    /// The CVEs that the newer changelog names and the older does not; all that it names, where the older one could not
    /// be had.
    pub between: BTreeSet<CveId>,
    /// Of each CVE that either names, the version from which on it is fixed.
    pub fixes: BTreeMap<CveId, DebVersion>,
}

/// A binary package of one version of a source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Holder {
    size: u64,
    name: PackageName,
    version: String,
    archive: crate::ident::ArchiveName,
    path: String,
    sha256: Sha256,
}

/// A source package and who carries its changelog, by source version.
#[derive(Debug, Default)]
struct Found {
    versions: BTreeMap<Version, BTreeSet<Holder>>,
    pinned: Option<DebVersion>,
}

/// A version that is a key: ordered as dpkg does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Version(DebVersion);

type Sources = BTreeMap<(Ecosystem, PackageName), Found>;

/// Looks at archives, and makes a new snapshot of what their changelogs say and what is there already. It is put on the
/// shelf, and not made the current one.
pub fn derive(
    shelf: &Shelf,
    looks: &[Look<'_>],
    now: Epoch,
    warn: &mut dyn FnMut(Problem),
) -> Result<(Imported, Vec<Derived>)> {
    let mut seen = Seen::read(shelf)?;
    let (mut derived, mut releases) = (Vec::new(), BTreeMap::new());
    for look in looks {
        let offers = lock::offers(look.upstream, look.upstream.transfers.archives, look.platform, now)?;
        releases.extend(offers.iter().map(|offer| (offer.release.sha256, offer.release.date)));
        let sources = sources(look, &offers, &mut seen)?;
        derived.extend(read_all(look, &sources, warn)?);
    }
    seen.write(shelf)?;
    derived.sort_by(|a, b| (&a.ecosystem, &a.source, &a.from).cmp(&(&b.ecosystem, &b.source, &b.from)));
    let imported = record(shelf, &derived, &releases, &seen, now, warn)?;
    Ok((imported, derived))
}

fn sources(look: &Look<'_>, offers: &[Offer], seen: &mut Seen) -> Result<Sources> {
    let mut sources = Sources::new();
    let archives = look.upstream.transfers.archives;
    for offer in offers {
        let base = offer.suite.split(['-', '/']).next().unwrap_or(&offer.suite);
        let ecosystem = Ecosystem::debian_named(base);
        let names: Vec<&str> = match look.pins {
            Some(pins) => pins.keys().map(PackageName::as_str).collect(),
            None => offer.packages.names().collect(),
        };
        for name in names {
            let named = offer.packages.named(name).map_err(|why| {
                Problem::new(codes::BAD_INDEX, format!("an index of suite {} can't be read", offer.suite))
                    .found(why)
            })?;
            for candidate in named {
                if !look.only.is_empty() && !look.only.contains(&candidate.source) {
                    continue;
                }
                seen.note(
                    &ecosystem,
                    candidate.source.as_str(),
                    &candidate.source_version,
                    offer.release.date,
                );
                let found = sources.entry((ecosystem.clone(), candidate.source.clone())).or_default();
                let versions = found.versions.entry(Version(candidate.source_version.clone())).or_default();
                versions.insert(holder(candidate.clone(), archives));
                // Without pins, what somebody has who takes the release alone.
                if look.pins.is_none() && offer.suite == base {
                    found.pinned = found.pinned.take().max(Some(candidate.source_version));
                }
            }
        }
    }
    pins(look, &mut sources);
    Ok(sources)
}

fn holder(candidate: Candidate, archives: &[lock::Archive]) -> Holder {
    Holder {
        size: candidate.size,
        name: candidate.name,
        version: candidate.version.to_string(),
        archive: archives[candidate.archive].name.clone(),
        path: candidate.path,
        sha256: candidate.sha256,
    }
}

/// The pinned version of each source, the lowest where a lock has several.
fn pins(look: &Look<'_>, sources: &mut Sources) {
    for (name, package) in look.pins.into_iter().flatten() {
        for ((_, source), found) in sources.iter_mut() {
            if *source != package.source {
                continue;
            }
            let pinned = found.pinned.take().unwrap_or_else(|| package.source_version.clone());
            found.pinned = Some(pinned.min(package.source_version.clone()));
            let held = found.versions.entry(Version(package.source_version.clone())).or_default();
            held.insert(Holder {
                size: package.size,
                name: name.clone(),
                version: package.version.to_string(),
                archive: package.archive.clone(),
                path: package.path.clone(),
                sha256: package.sha256,
            });
        }
    }
}

/// The older version and the newest of a source; nothing where it is up to date.
fn ends(found: &Found) -> Option<(&Version, &Version)> {
    let (newest, _) = found.versions.last_key_value()?;
    let older = match &found.pinned {
        Some(pinned) => found.versions.keys().find(|version| version.0 == *pinned)?,
        // What came to the release with an update alone has no older version that anybody has.
        None => return None,
    };
    (older < newest).then_some((older, newest))
}

fn read_all(look: &Look<'_>, sources: &Sources, warn: &mut dyn FnMut(Problem)) -> Result<Vec<Derived>> {
    let moving: Vec<_> = sources.iter().filter_map(|(key, found)| Some((key, found, ends(found)?))).collect();
    // What is read first of each is fetched side by side; the rest only where that was not enough.
    let mut first = Vec::new();
    for (_, found, (older, newest)) in &moving {
        for version in [older, newest] {
            first.extend(
                choice(look, &found.versions[*version])?.into_iter().next().map(|holder| pin(&holder)),
            );
        }
    }
    let gone: HashSet<Sha256> = look.upstream.transfers.fetch(first)?.iter().map(|pin| pin.sha256).collect();
    let mut derived = Vec::new();
    for ((ecosystem, source), found, (older, newest)) in moving {
        let Some(new) = changelog(look, &found.versions[newest], &gone)? else {
            let what =
                format!("no package of source {source} {} carries a changelog that can be read", newest.0);
            warn(Problem::new(codes::NO_CHANGELOG, what).warn());
            continue;
        };
        let old = changelog(look, &found.versions[older], &gone)?;
        if old.is_none() {
            let what = format!(
                "no package of source {source} {} is to be had any more, so all that the changelog of {} names counts",
                older.0, newest.0
            );
            warn(Problem::new(codes::NO_CHANGELOG, what).warn());
        }
        derived.push(compare(ecosystem, source, (&older.0, &newest.0), old, new));
    }
    Ok(derived)
}

fn compare(
    ecosystem: &Ecosystem,
    source: &PackageName,
    (from, to): (&DebVersion, &DebVersion),
    old: Option<Changelog>,
    new: Changelog,
) -> Derived {
    let before = old.as_ref().map(Changelog::named).unwrap_or_default();
    let between = new.named().difference(&before).copied().collect();
    let all: Vec<Changelog> = old.into_iter().chain([new]).collect();
    Derived {
        ecosystem: ecosystem.clone(),
        source: source.clone(),
        from: from.clone(),
        to: to.clone(),
        between,
        fixes: Changelog::fixes_of_all(&all),
    }
}

/// Packages of a version in the order in which they are tried: those that the store has, then the smallest.
fn choice(look: &Look<'_>, holders: &BTreeSet<Holder>) -> Result<Vec<Holder>> {
    let mut chosen = Vec::new();
    for holder in holders {
        let here = look.upstream.transfers.store.find(&holder.sha256)?.is_some();
        chosen.push((!here, holder.clone()));
    }
    chosen.sort();
    Ok(chosen.into_iter().map(|(_, holder)| holder).take(TRIED).collect())
}

fn label(holder: &Holder) -> String {
    format!("package {} {}", holder.name, holder.version)
}

fn pin(holder: &Holder) -> Pin {
    let location = Location::Archive(holder.archive.clone(), holder.path.clone());
    Pin { name: label(holder), location, sha256: holder.sha256, size: Some(holder.size) }
}

/// The changelog that packages of one version carry; `None` where none does, or none is to be had any more.
fn changelog(
    look: &Look<'_>,
    holders: &BTreeSet<Holder>,
    gone: &HashSet<Sha256>,
) -> Result<Option<Changelog>> {
    let mut queue = choice(look, holders)?;
    let mut tried = BTreeSet::new();
    while !queue.is_empty() && tried.len() < TRIED * 2 {
        let holder = queue.remove(0);
        if !tried.insert(holder.name.clone()) || gone.contains(&holder.sha256) {
            continue;
        }
        if !look.upstream.transfers.fetch(vec![pin(&holder)])?.is_empty() {
            continue;
        }
        let store = look.upstream.transfers.store;
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

/// Puts what was derived into a new snapshot. What was derived before of other sources stays.
fn record(
    shelf: &Shelf,
    derived: &[Derived],
    releases: &BTreeMap<Sha256, Epoch>,
    seen: &Seen,
    now: Epoch,
    warn: &mut dyn FnMut(Problem),
) -> Result<Imported> {
    let mut advisories: BTreeMap<CveId, Advisory> = BTreeMap::new();
    let mut packages = HashSet::new();
    for one in derived {
        packages.insert(package_key(&one.ecosystem, one.source.as_str()));
        for (cve, fixed) in &one.fixes {
            let advisory = advisories.entry(*cve).or_insert_with(|| blank(*cve));
            advisory.affected.push(affected(one, fixed, seen));
        }
    }
    let mut intake = Intake::new(Spool::new(shelf.scratch()?)?, now, warn);
    intake.input = "the changelogs".to_owned();
    let feed = intake.feed(FeedKind::Changelogs, FeedKind::Changelogs.name());
    for (cve, advisory) in &advisories {
        if let Err(why) = intake.take(feed, advisory, &[*cve])? {
            intake.refuse(&advisory.id, &why);
        }
    }
    let draft = &mut intake.feeds[usize::from(feed)];
    draft.date = releases.values().copied().max();
    draft.inputs.extend(releases.keys());
    draft.packages = Some(packages);
    let old = match shelf.open_current() {
        Ok((snapshot, _)) => Some(snapshot),
        Err(failure) if failure.is(codes::NO_ADVISORIES) => None,
        Err(failure) => return Err(failure),
    };
    merge(shelf, old, intake, false, true)
}

fn blank(cve: CveId) -> Advisory {
    Advisory {
        id: cve.to_string(),
        cve: Some(cve),
        aliases: Vec::new(),
        summary: String::new(),
        published: None,
        modified: None,
        withdrawn: None,
        severity: None,
        affected: Vec::new(),
    }
}

fn affected(derived: &Derived, fixed: &DebVersion, seen: &Seen) -> Affected {
    let span = Span { introduced: "0".to_owned(), fixed: Some(fixed.to_string()), last_affected: None };
    Affected {
        ecosystem: derived.ecosystem.clone(),
        package: derived.source.to_string(),
        state: State::Resolved,
        spans: vec![span],
        versions: Vec::new(),
        urgency: None,
        fixed: Some(fixed.clone()),
        no_dsa: None,
        advisory: None,
        available: Some(derived.to.clone()),
        fix_available_at: seen.since(&derived.ecosystem, derived.source.as_str(), fixed),
        evidence: Evidence::Changelog,
    }
}
