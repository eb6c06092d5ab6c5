//! What was fixed, said by the archive itself: from changelogs of the packages that it serves.
//!
//! The least is fetched: of each source package of which a newer version than the pinned one (or, without pins, than the
//! release's own) is offered, the smallest binary package of the newest version, and one of the older version, most often the
//! pinned one that the store has already. Some packages link their documentation to a sibling's; then that one is
//! read. What is made so knows what was fixed and nothing of what is open.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::carrier::{Holder, changelog, choice, pin};
use super::changelog::Changelog;
use super::feed::FeedKind;
use super::import::{Imported, merge};
use super::intake::Intake;
use super::record::{Advisory, Affected, Ecosystem, Evidence, Span, State};
use super::seen::Seen;
use super::shelf::Shelf;
use super::snapshot::package_key;
use super::spool::Spool;
use crate::diag::{Problem, Result, codes};
use crate::fetch::ArchiveUpstream;
use crate::ident::{CveId, DebVersion, Epoch, PackageName, Platform, Sha256};
use crate::lock::{self, LockedPackage, Offer};

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
                versions.insert(Holder::offered(candidate.clone(), archives));
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
            held.insert(Holder::pinned(name, package));
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
    let transfers = &look.upstream.transfers;
    // What is read first of each is fetched side by side; the rest only where that was not enough.
    let mut first = Vec::new();
    for (_, found, (older, newest)) in &moving {
        for version in [older, newest] {
            first.extend(
                choice(transfers, &found.versions[*version])?.into_iter().next().map(|holder| pin(&holder)),
            );
        }
    }
    let gone: HashSet<Sha256> = transfers.fetch(first)?.iter().map(|pin| pin.sha256).collect();
    let mut derived = Vec::new();
    for ((ecosystem, source), found, (older, newest)) in moving {
        let Some(new) = changelog(transfers, &found.versions[newest], &gone)? else {
            let what =
                format!("no package of source {source} {} carries a changelog that can be read", newest.0);
            warn(Problem::new(codes::NO_CHANGELOG, what).warn());
            continue;
        };
        let old = changelog(transfers, &found.versions[older], &gone)?;
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
    "the changelogs".clone_into(&mut intake.input);
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
    let span = Span { introduced: "0".to_owned(), fixed: Some(fixed.to_string()), ..Span::default() };
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
