//! What a run tells the ledger: what was found, since when there was a fix, what was built, and when it was out.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::fixes::Fix;
use super::place::Out;
use super::plan::{Move, Planned};
use crate::diag::Result;
use crate::host;
use crate::ident::{BlobDigest, Epoch};
use crate::ledger::{self, Event, FixSource, ImageId, Ledger, VulnId};
use crate::scan::Report;

/// A ledger that several images are entered in.
#[derive(Debug)]
pub struct Books(Mutex<Ledger>);

impl Books {
    /// Opens the ledger, and makes sure that what happens now can be recorded: before anything is done.
    pub fn open(place: &ledger::Place, patience: Duration) -> Result<Self> {
        let mut ledger = Ledger::open(place, patience)?;
        ledger.ready(host::now())?;
        Ok(Self(Mutex::new(ledger)))
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// That the published image has what the moves will fix, and since when that can be had.
    pub fn found(&self, image: &ImageId, digest: BlobDigest, planned: &Planned) -> Result<()> {
        let now = host::now();
        let mut events = Vec::new();
        for (one, fix) in each(planned) {
            let Some(cve) = name(fix) else { continue };
            events.push(Event::Detected(ledger::Detected {
                at: now,
                image: image.clone(),
                digest,
                cve: cve.clone(),
                package: one.source.to_string(),
                version: one.from.to_string(),
                severity: fix.severity,
                severity_source: fix.severity_source.clone(),
                public: fix.published,
            }));
            let Some(available) = fix.available else { continue };
            events.push(Event::Fix(ledger::FixKnown {
                at: now,
                image: image.clone(),
                cve,
                package: one.source.to_string(),
                version: fix.fixed.to_string(),
                available,
                known_by: FixSource::ReleaseFile,
            }));
        }
        self.record(&events, now)
    }

    /// That an image was built.
    pub fn built(&self, image: &ImageId, digest: BlobDigest, version: Option<String>) -> Result<()> {
        let now = host::now();
        let built = ledger::Built { at: now, image: image.clone(), digest, version };
        self.record(&[Event::Built(built)], now)
    }

    /// What a scan found in it, and what somebody decided that touches it no more.
    pub fn has(&self, image: &ImageId, digest: BlobDigest, report: &Report) -> Result<()> {
        let now = host::now();
        let mut events = Vec::new();
        for finding in &report.findings {
            let Ok(cve) = finding.id.parse::<VulnId>() else { continue };
            let package = finding.source.clone();
            if finding.counts() {
                let said = finding.severity.as_ref();
                events.push(Event::Detected(ledger::Detected {
                    at: now,
                    image: image.clone(),
                    digest,
                    cve,
                    package,
                    version: finding.installed.to_string(),
                    severity: finding.level(),
                    severity_source: said.map(|said| said.source.clone()),
                    public: finding.published,
                }));
            } else if finding.silenced.is_some() {
                let why = ledger::Why::Decided;
                events.push(Event::Gone(ledger::Gone { at: now, image: image.clone(), cve, package, why }));
            }
        }
        self.record(&events, now)
    }

    /// That it is out, and what it has no more that the one before it had.
    pub fn out(
        &self,
        image: &ImageId,
        digest: BlobDigest,
        before: Option<BlobDigest>,
        planned: &Planned,
        out: &Out,
    ) -> Result<()> {
        let now = host::now();
        let mut events = Vec::new();
        for ((one, fix), before) in each(planned).zip(std::iter::repeat(before)) {
            let (Some(before), Some(cve)) = (before.filter(|before| *before != digest), name(fix)) else {
                continue;
            };
            events.push(Event::Fixed(ledger::Fixed {
                at: now,
                image: image.clone(),
                cve,
                package: one.source.to_string(),
                version: Some(one.to.to_string()),
                before,
                after: digest,
            }));
        }
        if let Some(repository) = &out.repository {
            events.push(Event::Published(ledger::Published {
                at: now,
                image: image.clone(),
                digest,
                before: before.filter(|before| *before != digest),
                repository: repository.clone(),
                tags: out.tags.clone(),
            }));
        }
        self.record(&events, now)
    }

    /// The digest in which what a run fixes was last found: what was out before, where the tags tell it no more.
    pub fn before(&self, image: &ImageId, digest: BlobDigest) -> Result<Option<BlobDigest>> {
        let history = self.ledger().history(None, None)?;
        let Some(past) = history.images.get(image) else { return Ok(None) };
        let found = past.exposures().filter_map(|one| one.digests.last()).find(|found| **found != digest);
        let out = past.publications.iter().rev().map(|one| one.digest).find(|out| *out != digest);
        Ok(out.or(found.copied()))
    }

    fn record(&self, events: &[Event], now: Epoch) -> Result<()> {
        if events.is_empty() { Ok(()) } else { self.ledger().record(events, now).map(drop) }
    }
}

fn each(planned: &Planned) -> impl Iterator<Item = (&Move, &Fix)> {
    planned.moves.iter().flat_map(|one| one.fixes.iter().map(move |fix| (one, fix)))
}

fn name(fix: &Fix) -> Option<VulnId> {
    fix.id.parse().ok()
}
