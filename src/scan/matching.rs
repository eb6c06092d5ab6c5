//! Packages against a snapshot.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::coverage;
use super::finding::{Binary, Finding};
use super::hint::hint;
use super::report::{Report, SnapshotFacts};
use super::subject::{Package, Subject};
use crate::advisory::{Affected, Ecosystem, Known, Said, Snapshot, Standing, State, VersionOrder};
use crate::diag::Result;
use crate::ident::{DebVersion, Epoch};

/// The packages of one version of one source.
type Sources<'a> = BTreeMap<(&'a Ecosystem, &'a str, &'a str), Vec<&'a Package>>;

/// What a snapshot knows of a subject's packages. The same subject and the same snapshot give the same
/// report, but for `now`, which its age counts to.
///
/// A snapshot that says nothing of the release of Debian is a problem: that nothing was found would mean nothing.
pub fn scan(subject: &Subject, snapshot: &Snapshot, now: Epoch) -> Result<Report> {
    let mut subject = subject.clone();
    let mut facts = SnapshotFacts::of(snapshot, now);
    coverage::hold(&mut subject, &mut facts, snapshot)?;
    let findings = findings(&subject, snapshot)?;
    Ok(Report::new(subject, facts, findings, now))
}

fn findings(subject: &Subject, snapshot: &Snapshot) -> Result<Vec<Finding>> {
    let mut sources: Sources = BTreeMap::new();
    for package in &subject.packages {
        // As it is written: what dpkg takes for equal other ecosystems do not.
        let key = (&package.ecosystem, package.source.as_str(), package.source_version.as_str());
        sources.entry(key).or_default().push(package);
    }
    let mut touching: Vec<(Said, &DebVersion, &[&Package])> = Vec::new();
    for ((ecosystem, source, _), packages) in &sources {
        let version = &packages[0].source_version;
        for said in snapshot.affecting(ecosystem, source)? {
            if said.affected.touches(version) {
                touching.push((said, version, packages));
            }
        }
    }
    // Facts stand in the order of their names: neighbours are in the same block of the snapshot.
    touching.sort_by_cached_key(|(said, ..)| key(said));
    let mut findings = Vec::with_capacity(touching.len());
    let mut last: Option<(String, Known)> = None;
    for (said, version, packages) in touching {
        let key = key(&said);
        if last.as_ref().is_none_or(|(there, _)| *there != key) {
            last = Some((key.clone(), snapshot.about_id(&key)?.unwrap_or_default()));
        }
        let known = last.as_ref().map(|(_, known)| known.clone()).unwrap_or_default();
        findings.push(finding(said, known, version, packages, subject, snapshot));
    }
    findings.sort_by_cached_key(Finding::order);
    Ok(findings)
}

/// The name that what is known of a vulnerability is kept by.
fn key(said: &Said) -> String {
    said.cve.map_or_else(|| said.id.clone(), |cve| cve.to_string())
}

fn finding(
    said: Said,
    known: Known,
    installed: &DebVersion,
    packages: &[&Package],
    subject: &Subject,
    snapshot: &Snapshot,
) -> Finding {
    let id = key(&said);
    let Said { id: own, cve, feed, affected } = said;
    let fixed = fixed(&affected, installed);
    let severity = known.severity().cloned();
    let mut aliases = known.aliases;
    aliases.push(own);
    aliases.sort();
    aliases.dedup();
    aliases.retain(|alias| *alias != id);
    let mut binaries: Vec<Binary> = packages.iter().map(|package| binary(package)).collect();
    binaries.sort();
    Finding {
        hint: hint(&affected.package, packages, subject.paths.as_deref(), &known.summary),
        fixable: fixed.is_some(),
        status: standing(&affected, fixed.is_some()),
        id,
        cve,
        aliases,
        summary: known.summary,
        source: affected.package,
        ecosystem: affected.ecosystem,
        binaries,
        installed: installed.clone(),
        no_dsa: affected.no_dsa,
        urgency: affected.urgency,
        fixed,
        severity,
        kev: known.kev,
        epss: known.epss,
        advisory: affected.advisory,
        published: known.published,
        fix_available_at: affected.fix_available_at,
        evidence: affected.evidence,
        feed: snapshot.head().feeds.get(feed).map(|feed| feed.name.clone()).unwrap_or_default(),
        silenced: None,
    }
}

fn binary(package: &Package) -> Binary {
    Binary {
        name: package.binary.clone(),
        version: package.version.clone(),
        architecture: package.architecture.clone(),
        purl: package.purl.clone(),
    }
}

/// The version to go to: above the one that is there, whatever order ranges stand in.
fn fixed(affected: &Affected, installed: &DebVersion) -> Option<DebVersion> {
    if affected.ecosystem.is_debian() {
        return affected.fixed.clone().filter(|fixed| fixed > installed);
    }
    let order = VersionOrder::of(&affected.ecosystem).unwrap_or(VersionOrder::Debian);
    let above = |fixed: &&str| order.compare(fixed, installed.as_str()).is_some_and(Ordering::is_gt);
    let fixes = affected.spans.iter().filter_map(|span| span.fixed.as_deref()).filter(above);
    let lowest = fixes.min_by(|one, other| order.compare(one, other).unwrap_or(Ordering::Equal));
    DebVersion::of_others(lowest?).ok()
}

/// Where it stands, given that the version that is there has it. `Resolved` says of a release that a fix is in it, so
/// here it goes on to the next in the tracker's order.
fn standing(affected: &Affected, fixable: bool) -> Standing {
    match affected.state {
        State::Resolved | State::NotAffected => Affected {
            state: State::Open,
            no_dsa: affected.no_dsa.clone().filter(|_| !fixable),
            ..affected.clone()
        }
        .standing(),
        State::Open | State::Undetermined => affected.standing(),
    }
}
