//! What a run tells the ledger: what was found, since when there was a fix, what was built, and when it was out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::fixes::{Fix, KnownBy};
use super::place::Out;
use super::plan::{Move, Planned};
use super::settle::settled;
use crate::diag::Result;
use crate::host;
use crate::ident::{BlobDigest, DebVersion, Epoch, PackageName, Repository, Sha256};
use crate::ledger::{self, Event, FixSource, ImageId, Ledger, VulnId};
use crate::lock::Lock;
use crate::scan::Report;

/// A ledger that several images are entered in.
#[derive(Debug)]
pub struct Books(Mutex<Ledger>);

/// What a ledger has of an image, before a run does anything about it.
#[derive(Debug)]
pub struct Past {
    /// All of it, in a word: another where anything was entered, or lost, since.
    pub state: Sha256,
    /// What was published last in the repository that was asked for.
    pub out: Option<BlobDigest>,
}

impl Books {
    /// Opens the ledger, and makes sure that what happens now can be recorded: before anything is done.
    pub fn open(place: &ledger::Place, patience: Duration) -> Result<Self> {
        let mut ledger = Ledger::open(place, patience)?;
        ledger.ready(host::now())?;
        Ok(Self(Mutex::new(ledger)))
    }

    /// Opens a ledger to look at it; `None` where there is none.
    pub fn look(place: &ledger::Place, patience: Duration) -> Result<Option<Self>> {
        Ok(Ledger::look(place, patience)?.map(|ledger| Self(Mutex::new(ledger))))
    }

    /// What is known of an image, and of one repository of it.
    pub fn past(&self, image: &ImageId, repository: Option<&Repository>) -> Result<Past> {
        let history = self.ledger().history(Some(&BTreeSet::from([image])), None)?;
        let past = history.images.get(image);
        let there = past.and_then(|past| past.current().find(|one| Some(&one.repository) == repository));
        Ok(Past { state: Sha256::of(format!("{past:?}").as_bytes()), out: there.map(|one| one.digest) })
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// That the published image has what the moves will fix, and since when that can be had. What somebody decided about is
    /// found again by a scan, if at all.
    pub fn found(&self, image: &ImageId, digest: BlobDigest, planned: &Planned) -> Result<()> {
        let now = host::now();
        let decided = self.decided(image)?;
        let mut events = Vec::new();
        for (one, fix) in each(planned) {
            let Some(cve) = name(fix) else { continue };
            if decided.contains(&(cve.clone(), one.source.to_string())) {
                continue;
            }
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

    /// What ended in an image by a decision, and was not found since.
    fn decided(&self, image: &ImageId) -> Result<BTreeSet<(VulnId, String)>> {
        let history = self.ledger().history(Some(&BTreeSet::from([image])), None)?;
        let mut last = BTreeMap::new();
        for one in history.images.get(image).into_iter().flat_map(ledger::ImageHistory::exposures) {
            last.insert((one.cve.clone(), one.package.clone()), one.gone.map(|(_, why)| why));
        }
        Ok(last
            .into_iter()
            .filter(|(_, why)| *why == Some(ledger::Why::Decided))
            .map(|(key, _)| key)
            .collect())
    }

    /// That an image was built.
    pub fn built(&self, image: &ImageId, digest: BlobDigest, version: Option<String>) -> Result<()> {
        let now = host::now();
        let built = ledger::Built { at: now, image: image.clone(), digest, version };
        self.record(&[Event::Built(built)], now)
    }

    /// What a scan of what is out found in it; and how what was open before, and is not found any more, ended.
    pub fn has(&self, image: &ImageId, digest: BlobDigest, report: &Report) -> Result<()> {
        let now = host::now();
        let mut events = Vec::new();
        for finding in &report.findings {
            let Ok(cve) = finding.id.parse::<VulnId>() else { continue };
            let package = finding.source.clone();
            if finding.counts() {
                if let Some((available, fixed)) = finding.fix_available_at.zip(finding.fixed.as_ref()) {
                    events.push(Event::Fix(ledger::FixKnown {
                        at: now,
                        image: image.clone(),
                        cve: cve.clone(),
                        package: package.clone(),
                        version: fixed.to_string(),
                        available,
                        known_by: FixSource::ReleaseFile,
                    }));
                }
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
        let history = self.ledger().history(Some(&BTreeSet::from([image])), None)?;
        if let Some(past) = history.images.get(image) {
            events.extend(settled(past, image, digest, report, now));
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

    /// Whether a digest of an image was published before, wherever.
    pub fn was_out(&self, image: &ImageId, digest: BlobDigest) -> Result<bool> {
        let history = self.ledger().history(Some(&BTreeSet::from([image])), None)?;
        let past = history.images.get(image);
        Ok(past.is_some_and(|past| past.publications.iter().any(|one| one.digest == digest)))
    }

    /// What was found in an image and is fixed by the versions that its lock has, though no pin moves now: an image and its
    /// variants share a lock, which another of them took along.
    pub fn late(&self, image: &ImageId, lock: &Lock) -> Result<Vec<Move>> {
        let history = self.ledger().history(Some(&BTreeSet::from([image])), None)?;
        let Some(past) = history.images.get(image) else { return Ok(Vec::new()) };
        let mut moves: BTreeMap<PackageName, Move> = BTreeMap::new();
        for exposure in past.exposures().filter(|exposure| exposure.state() == ledger::State::Open) {
            let Ok(source) = exposure.package.parse::<PackageName>() else { continue };
            let all = lock.packages.values().flatten();
            let pinned: Vec<_> = all.filter(|(_, package)| package.source == source).collect();
            let versions = pinned.iter().map(|(_, package)| package.source_version.clone());
            let Some(to) = versions.min() else { continue };
            let Some((fix, fixed)) = known(exposure).filter(|(_, fixed)| to >= *fixed) else { continue };
            let one = moves.entry(source.clone()).or_insert_with(|| Move {
                from: exposure.version.parse().unwrap_or_else(|_| to.clone()),
                to,
                binaries: pinned.iter().map(|(name, _)| (*name).clone()).collect(),
                fixes: Vec::new(),
                security_archive: false,
                source,
            });
            one.fixes.push(Fix {
                id: exposure.cve.to_string(),
                severity: exposure.severity,
                severity_source: exposure.severity_source.clone(),
                published: exposure.public,
                exploited: false,
                fixed,
                available: Some(fix.available),
                known_by: KnownBy::Ledger,
            });
        }
        Ok(moves.into_values().collect())
    }

    fn record(&self, events: &[Event], now: Epoch) -> Result<()> {
        if events.is_empty() { Ok(()) } else { self.ledger().record(events, now).map(drop) }
    }
}

fn each(planned: &Planned) -> impl Iterator<Item = (&Move, &Fix)> {
    planned.moves.iter().flat_map(|one| one.fixes.iter().map(move |fix| (one, fix)))
}

/// The fix of an exposure, with its version.
fn known(exposure: &ledger::Exposure) -> Option<(&ledger::Fix, DebVersion)> {
    let fix = exposure.fix.as_ref()?;
    Some((fix, fix.version.parse().ok()?))
}

fn name(fix: &Fix) -> Option<VulnId> {
    fix.id.parse().ok()
}
