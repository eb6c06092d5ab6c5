//! One vulnerability of one source that something has.

use std::cmp::Reverse;

use serde::Serialize;

use crate::advisory::{Ecosystem, Epss, Evidence, Kev, Level, NoDsa, Severity, Standing, Urgency};
use crate::ident::{CveId, DebVersion, Epoch};

/// A binary package of a finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Binary {
    /// Its name.
    pub name: String,
    /// Its own version.
    pub version: DebVersion,
    /// Its architecture; empty where there is none.
    pub architecture: String,
    /// Its package URL.
    pub purl: String,
}

/// That what is vulnerable may not be there. It silences nothing: somebody has to look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hint {
    /// What seems not to be there, in a sentence.
    pub text: String,
    /// The files of the source that are there, or the first of them.
    pub evidence: Vec<String>,
}

/// That somebody decided about a finding, so that it does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Silenced {
    /// What was decided, in the words of VEX: `not_affected`, `fixed`.
    pub status: String,
    /// Who decided.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// One vulnerability of one source that something has.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The CVE's name, or the feed's own for what has none: `TEMP-0000000-5A8DB7`.
    pub id: String,
    /// The CVE, where it has one.
    pub cve: Option<CveId>,
    /// Other names, sorted.
    pub aliases: Vec<String>,
    /// What it is, as a feed says it; may be empty.
    pub summary: String,
    /// Where the source is looked up.
    pub ecosystem: Ecosystem,
    /// The source package.
    pub source: String,
    /// Its packages that are there, sorted.
    pub binaries: Vec<Binary>,
    /// The version of the source that is there.
    pub installed: DebVersion,
    /// Where it stands in the tracker's order of decision. Never [`Standing::Resolved`]: what is resolved
    /// in the version that is there is no finding.
    pub status: Standing,
    /// Why Debian gives no security update of its own, where it says so.
    pub no_dsa: Option<NoDsa>,
    /// Debian's word on how much it matters.
    pub urgency: Option<Urgency>,
    /// The version that has it fixed, in this release.
    pub fixed: Option<DebVersion>,
    /// Whether a fix is known in this release.
    pub fixable: bool,
    /// How bad it is and who says so; `None` where nobody does, which is not low.
    pub severity: Option<Severity>,
    /// That it is being exploited.
    pub kev: Option<Kev>,
    /// How likely it is exploited.
    pub epss: Option<Epss>,
    /// The advisory that brought the fix: `DSA-6113-1`.
    pub advisory: Option<String>,
    /// When it was made public.
    pub published: Option<Epoch>,
    /// When a release file first held the fix.
    pub fix_available_at: Option<Epoch>,
    /// How this is known.
    pub evidence: Evidence,
    /// The feed that says so.
    pub feed: String,
    /// That what is vulnerable may not be there.
    pub hint: Option<Hint>,
    /// That somebody decided that it does not count.
    pub silenced: Option<Silenced>,
}

impl Finding {
    /// How bad it is in one word.
    pub fn level(&self) -> Level {
        self.severity.as_ref().map_or(Level::Unknown, |severity| severity.level)
    }

    /// Whether it counts: nobody decided otherwise, and either a fix is to be had, or the tracker has it open or the
    /// package without support, or it is being exploited. What else Debian ignores, could not find out about, gives no
    /// update for or holds for unimportant is folded.
    pub fn counts(&self) -> bool {
        self.silenced.is_none() && !self.is_folded()
    }

    /// Whether it is one of those that are counted apart, by the tracker's decision alone.
    pub fn is_folded(&self) -> bool {
        !self.fixable && self.kev.is_none() && !matches!(self.status, Standing::Open | Standing::EndOfLife)
    }

    /// The release of Debian that it is in, by its number; `None` in other ecosystems.
    pub fn release(&self) -> Option<&str> {
        self.ecosystem
            .as_str()
            .split_once(':')
            .filter(|_| self.ecosystem.is_debian())
            .map(|(_, release)| release)
    }

    /// Where to read more; nothing for what the tracker has no page of.
    pub fn page(&self) -> Option<String> {
        let tracked = self.cve.is_some() || self.id.starts_with("TEMP-") && self.id.bytes().all(is_plain);
        (self.ecosystem.is_debian() && tracked)
            .then(|| format!("https://security-tracker.debian.org/tracker/{}", self.id))
    }

    /// The order of reports: the worst first, and the same every time.
    pub(super) fn order(&self) -> impl Ord + use<> {
        (
            Reverse(self.level()),
            Reverse(self.kev.is_some()),
            Reverse(self.fixable),
            (self.cve.is_none(), self.cve, self.id.clone()),
            (self.source.clone(), self.installed.to_string(), self.ecosystem.clone()),
        )
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

/// The word for a standing, as it is written everywhere.
pub(super) fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Resolved => "resolved",
        Standing::Ignored => "ignored",
        Standing::Undetermined => "undetermined",
        Standing::NoDsa => "no-dsa",
        Standing::Unimportant => "unimportant",
        Standing::EndOfLife => "end-of-life",
        Standing::Open => "open",
    }
}
