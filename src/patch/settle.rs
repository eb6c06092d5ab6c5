//! What a ledger has as open, and a scan of what is out finds no more: how that ended.

use std::collections::BTreeSet;

use crate::ident::{BlobDigest, DebVersion, Epoch};
use crate::ledger::{Event, Exposure, Fixed, Gone, ImageHistory, ImageId, State, Why};
use crate::scan::Report;

/// The events that bring what is open to what a scan of `digest` found. Where the snapshot knows only what was fixed, that
/// it names nothing says nothing, and there are none.
pub(super) fn settled(
    past: &ImageHistory,
    image: &ImageId,
    digest: BlobDigest,
    report: &Report,
    at: Epoch,
) -> Vec<Event> {
    if report.snapshot.derived_only {
        return Vec::new();
    }
    // What is silenced is told of by those who decided it.
    let told: BTreeSet<(&str, &str)> = report
        .findings
        .iter()
        .filter(|finding| finding.counts() || finding.silenced.is_some())
        .map(|finding| (finding.id.as_str(), finding.source.as_str()))
        .collect();
    past.exposures()
        .filter(|one| one.state() == State::Open && one.after != Some(digest))
        .filter(|one| !told.contains(&(one.cve.as_str(), one.package.as_str())))
        .filter_map(|one| ended(one, image, digest, report, at))
        .collect()
}

/// How an exposure ended that a scan of `digest` does not find; `None` for one that it can't know of.
fn ended(one: &Exposure, image: &ImageId, digest: BlobDigest, report: &Report, at: Epoch) -> Option<Event> {
    let (cve, package) = (one.cve.clone(), one.package.clone());
    let gone = |why| {
        Some(Event::Gone(Gone { at, image: image.clone(), cve: cve.clone(), package: package.clone(), why }))
    };
    let there = report.subject.packages.iter().filter(|there| there.source == package);
    let Some(installed) = there.map(|there| there.source_version.clone()).min() else {
        return gone(Why::Removed);
    };
    let is_newer_than =
        |version: &str| version.parse::<DebVersion>().is_ok_and(|version| installed > version);
    match one.digests.last().filter(|before| **before != digest && is_newer_than(&one.version)) {
        Some(before) => Some(Event::Fixed(Fixed {
            at,
            image: image.clone(),
            version: Some(installed.to_string()),
            before: *before,
            after: digest,
            cve,
            package,
        })),
        None => gone(Why::Withdrawn),
    }
}
