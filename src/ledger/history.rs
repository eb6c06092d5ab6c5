//! What the events of an image add up to: its digests, where they were published, and its exposures.
//!
//! An exposure is one vulnerability in one source package of one image, from the moment it is found until
//! an image without it is published, or until it touches the image no more. Found again after that, it
//! is a further exposure (`again`).
//!
//! Events are taken in the order of their times. Each either adds something or changes nothing; what
//! counts where two say different things:
//!
//! - severity, who says so, and since when it is public: the first that was said ("severity then"); an
//!   unknown one gives way to the first that is known;
//! - since when there is a fix: a release file's date before an advisory's, that before our own seeing;
//!   among equals the earliest;
//! - the end: the first publication, wherever, of the digest that has the fix.

use std::collections::BTreeMap;

use super::event::{Built, Detected, Event, FixKnown, Fixed, Gone, Published};
use super::names::{FixSource, ImageId, VulnId, Why};
use crate::advisory::Level;
use crate::ident::{BlobDigest, DebVersion, Epoch, Repository};

/// Since when there is a fix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// Since when it could be had.
    pub available: Epoch,
    /// How that is known.
    pub known_by: FixSource,
    /// The first version of the source package that has it.
    pub version: String,
}

/// How an exposure stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// What is published has it, as far as we know.
    Open,
    /// An image without it was published.
    Fixed,
    /// It touches the image no more, without a fix.
    Gone,
}

/// One vulnerability in one source package of one image, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposure {
    /// Which.
    pub cve: VulnId,
    /// The source package.
    pub package: String,
    /// The version of the source package that was first found to have it.
    pub version: String,
    /// How bad it was said to be.
    pub severity: Level,
    /// Who said so.
    pub severity_source: Option<String>,
    /// Since when everybody may know of it.
    pub public: Option<Epoch>,
    /// Since when there is a fix.
    pub fix: Option<Fix>,
    /// When it was first found in the image.
    pub detected: Epoch,
    /// The digests in which it was found, in that order.
    pub digests: Vec<BlobDigest>,
    /// The last digest with it, once there is one without it.
    pub before: Option<BlobDigest>,
    /// The digest without it.
    pub after: Option<BlobDigest>,
    /// The version of the source package in that one.
    pub fixed_version: Option<String>,
    /// When that one was built.
    pub rebuilt: Option<Epoch>,
    /// When that one was published.
    pub published: Option<Epoch>,
    /// When it was seen to touch the image no more, and why.
    pub gone: Option<(Epoch, Why)>,
    /// Whether the image had been exposed to the same before.
    pub again: bool,
}

/// An image's past.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageHistory {
    /// Its digests, in the order in which they were built.
    pub builds: Vec<Built>,
    /// What was published where; the last for a repository is what is there.
    pub publications: Vec<Published>,
    exposures: BTreeMap<(VulnId, String), Vec<Exposure>>,
    /// Fixes of what has not been found yet.
    early: BTreeMap<(VulnId, String), Fix>,
    /// Of each repository, which publication is the last.
    there: BTreeMap<Repository, usize>,
    last: Option<Epoch>,
}

/// The past of all images.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// Each image's.
    pub images: BTreeMap<ImageId, ImageHistory>,
}

impl Exposure {
    /// How it stands.
    pub fn state(&self) -> State {
        match (self.published, &self.gone) {
            (Some(_), _) => State::Fixed,
            (None, Some(_)) => State::Gone,
            (None, None) => State::Open,
        }
    }

    /// When it ended.
    pub fn ended(&self) -> Option<Epoch> {
        self.published.or(self.gone.map(|(at, _)| at))
    }

    fn of(found: &Detected, fix: Option<Fix>, again: bool) -> Self {
        Self {
            cve: found.cve.clone(),
            package: found.package.clone(),
            version: found.version.clone(),
            severity: found.severity,
            severity_source: found.severity_source.clone(),
            public: found.public,
            fix,
            detected: found.at,
            digests: vec![found.digest],
            before: None,
            after: None,
            fixed_version: None,
            rebuilt: None,
            published: None,
            gone: None,
            again,
        }
    }

    /// Whether the same finding once more adds something.
    fn found_again(&mut self, found: &Detected) -> bool {
        let mut new = false;
        if !self.digests.contains(&found.digest) {
            self.digests.push(found.digest);
            new = true;
        }
        if self.severity == Level::Unknown && found.severity != Level::Unknown {
            self.severity = found.severity;
            self.severity_source.clone_from(&found.severity_source);
            new = true;
        }
        if self.public.is_none() && found.public.is_some() {
            self.public = found.public;
            new = true;
        }
        new
    }

    fn fix_known(&mut self, fix: &FixKnown) -> bool {
        better(&mut self.fix, fix)
    }
}

/// Takes what is known of a fix if it counts more than what is there.
fn better(slot: &mut Option<Fix>, known: &FixKnown) -> bool {
    let counts_more = slot
        .as_ref()
        .is_none_or(|there| (known.known_by, known.available) < (there.known_by, there.available));
    if counts_more {
        *slot = Some(Fix {
            available: known.available,
            known_by: known.known_by,
            version: known.version.clone(),
        });
    }
    counts_more
}

impl ImageHistory {
    /// All exposures, by vulnerability and package, the oldest of each first.
    pub fn exposures(&self) -> impl Iterator<Item = &Exposure> {
        self.exposures.values().flatten()
    }

    /// What is published, one a repository.
    pub fn current(&self) -> impl Iterator<Item = &Published> {
        self.there.values().map(|at| &self.publications[*at])
    }

    /// When the last event happened.
    pub fn last(&self) -> Option<Epoch> {
        self.last
    }

    /// Takes an event; whether it added anything.
    pub fn apply(&mut self, event: &Event) -> bool {
        let new = match event {
            Event::Detected(found) => self.detected(found),
            Event::Fix(known) => self.fix_known(known),
            Event::Built(built) => self.built(built),
            Event::Fixed(fixed) => self.fixed(fixed),
            Event::Published(published) => self.published(published),
            Event::Gone(gone) => self.gone(gone),
        };
        if new {
            self.last = self.last.max(Some(event.at()));
        }
        new
    }

    fn detected(&mut self, found: &Detected) -> bool {
        let (there, known) = self.standing_of(&found.digest);
        let key = (found.cve.clone(), found.package.clone());
        let early = self.early.remove(&key);
        let all = self.exposures.entry(key).or_default();
        let again = !all.is_empty();
        match all.last_mut() {
            Some(open) if open.state() == State::Open => open.found_again(found),
            // An older image still has what a newer one has not.
            Some(fixed)
                if fixed.state() == State::Fixed
                    && !there
                    && (known || fixed.digests.contains(&found.digest)) =>
            {
                fixed.found_again(found)
            }
            last => {
                // A version from before a fix that is known has that fix before it again.
                let known = last
                    .and_then(|last| last.fix.clone())
                    .filter(|fix| is_before(&found.version, &fix.version));
                all.push(Exposure::of(found, early.or(known), again));
                true
            }
        }
    }

    /// Whether a digest is what some tags name now, and whether any ever did.
    fn standing_of(&self, digest: &BlobDigest) -> (bool, bool) {
        let there = self.current().any(|one| one.digest == *digest);
        (there, self.publications.iter().any(|one| one.digest == *digest))
    }

    fn last_of(&mut self, cve: &VulnId, package: &str) -> Option<&mut Exposure> {
        self.exposures.get_mut(&(cve.clone(), package.to_owned()))?.last_mut()
    }

    fn fix_known(&mut self, known: &FixKnown) -> bool {
        if let Some(exposure) = self.last_of(&known.cve, &known.package) {
            return exposure.fix_known(known);
        }
        let mut slot = self.early.remove(&(known.cve.clone(), known.package.clone()));
        let new = better(&mut slot, known);
        let fix = slot.expect("there was one, or this is it");
        self.early.insert((known.cve.clone(), known.package.clone()), fix);
        new
    }

    fn built(&mut self, built: &Built) -> bool {
        if self.builds.iter().any(|other| other.digest == built.digest) {
            return false;
        }
        self.builds.push(built.clone());
        for exposure in self.exposures.values_mut().flatten() {
            if exposure.after == Some(built.digest) && exposure.rebuilt.is_none() {
                exposure.rebuilt = Some(built.at);
            }
        }
        true
    }

    fn fixed(&mut self, fixed: &Fixed) -> bool {
        if self.last_of(&fixed.cve, &fixed.package).is_none() {
            self.detected(&as_found(fixed));
        }
        let rebuilt = self.builds.iter().find(|built| built.digest == fixed.after).map(|built| built.at);
        let exposure = self.last_of(&fixed.cve, &fixed.package).expect("found, or made right before");
        let detected = exposure.detected;
        if exposure.state() != State::Open || exposure.after == Some(fixed.after) {
            return false;
        }
        exposure.before = Some(fixed.before);
        exposure.after = Some(fixed.after);
        exposure.fixed_version.clone_from(&fixed.version);
        exposure.rebuilt = rebuilt;
        let published = self.first_out(&fixed.after, detected);
        self.last_of(&fixed.cve, &fixed.package).expect("as before").published = published;
        true
    }

    /// When a digest was first published since a time; or, where it has been there since before, then.
    fn first_out(&self, digest: &BlobDigest, since: Epoch) -> Option<Epoch> {
        let mut out = self.publications.iter().filter(|one| one.digest == *digest).map(|one| one.at);
        let there = self.current().find(|one| one.digest == *digest).map(|one| one.at);
        out.find(|at| *at >= since).or(there)
    }

    fn published(&mut self, published: &Published) -> bool {
        let last = self.there.get(&published.repository).map(|at| &self.publications[*at]);
        let mut one = published.clone();
        if let Some(last) = last.filter(|last| last.digest == published.digest) {
            if published.tags.iter().all(|tag| last.tags.contains(tag)) {
                return false;
            }
            one.tags.extend(last.tags.iter().cloned());
        }
        one.tags.sort();
        one.tags.dedup();
        self.there.insert(one.repository.clone(), self.publications.len());
        self.publications.push(one);
        for exposure in self.exposures.values_mut().flatten() {
            if exposure.state() == State::Open && exposure.after == Some(published.digest) {
                exposure.published = Some(published.at);
            }
        }
        true
    }

    fn gone(&mut self, gone: &Gone) -> bool {
        match self.last_of(&gone.cve, &gone.package) {
            Some(exposure) if exposure.state() == State::Open => {
                exposure.gone = Some((gone.at, gone.why));
                true
            }
            _ => false,
        }
    }
}

/// Whether a version is older than another, by Debian's order.
fn is_before(version: &str, other: &str) -> bool {
    let parsed = |text: &str| text.parse::<DebVersion>().ok();
    parsed(version).zip(parsed(other)).is_some_and(|(version, other)| version < other)
}

/// What was fixed had been there, even if nobody said so before.
fn as_found(fixed: &Fixed) -> Detected {
    Detected {
        at: fixed.at,
        image: fixed.image.clone(),
        digest: fixed.before,
        cve: fixed.cve.clone(),
        package: fixed.package.clone(),
        version: "unknown".to_owned(),
        severity: Level::Unknown,
        severity_source: None,
        public: None,
    }
}

impl History {
    /// The past that these events, in the order of their times, add up to.
    pub fn of<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        let mut history = Self::default();
        for event in events {
            history.apply(event);
        }
        history
    }

    /// Takes an event; whether it added anything.
    pub fn apply(&mut self, event: &Event) -> bool {
        match self.images.get_mut(event.image()) {
            Some(image) => image.apply(event),
            None => self.images.entry(event.image().clone()).or_default().apply(event),
        }
    }

    /// All exposures, with their images.
    pub fn exposures(&self) -> impl Iterator<Item = (&ImageId, &Exposure)> {
        self.images.iter().flat_map(|(id, image)| image.exposures().map(move |one| (id, one)))
    }
}
