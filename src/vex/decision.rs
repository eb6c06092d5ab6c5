//! A decision as it was made, and whether it counts.

use std::collections::BTreeSet;

use super::dates::{has_begun, has_expired};
use super::words::{By, Justification, Status};
use crate::ident::{CveId, Epoch};
use crate::recipe::{Pattern, Place};

/// What somebody said of a vulnerability.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The CVE, or the name that feeds have for what has none: `CVE-2026-102633`, `TEMP-0000000-ABCDEF`.
    pub id: String,
    /// Of which images.
    pub images: Images,
    /// In which source or binary packages; at least one.
    pub packages: BTreeSet<String>,
    /// What was said.
    pub claim: Claim,
    /// How that is known.
    pub reason: String,
    /// Who says so.
    pub author: String,
    /// Since when.
    pub date: Epoch,
    /// From when on it counts as none.
    pub expires: Option<Epoch>,
    /// Where it was written.
    pub place: Place,
}

/// Images that a decision is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Images {
    /// All of the catalog.
    All,
    /// Those of recipes with these names.
    Named(BTreeSet<String>),
}

/// What was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// How the packages stand to it.
    Stands {
        /// The status.
        status: Status,
        /// Why it is not affected.
        justification: Option<Justification>,
        /// The same in words.
        impact: Option<String>,
        /// What to do about it.
        action: Option<String>,
    },
    /// Where it is. Nothing follows for an image that has any of this; for one that has none, that the
    /// component is not present.
    Within {
        /// In files that match.
        paths: Vec<Pattern>,
        /// In files of these binary packages.
        binaries: BTreeSet<String>,
    },
}

/// Whether a decision counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It does.
    Holds,
    /// It is dated in the future.
    NotYet,
    /// It has expired.
    Expired,
}

impl Images {
    /// Whether an image is among them.
    pub fn has(&self, image: &str) -> bool {
        match self {
            Self::All => true,
            Self::Named(names) => names.contains(image),
        }
    }

    /// Whether an image is among both.
    pub fn overlap(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Named(ours), Self::Named(theirs)) => !ours.is_disjoint(theirs),
            _ => true,
        }
    }
}

impl std::fmt::Display for Images {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Named(names) => {
                f.write_str(&names.iter().map(String::as_str).collect::<Vec<_>>().join(", "))
            }
        }
    }
}

impl Claim {
    /// The status that follows, if anything does.
    pub fn status(&self) -> Status {
        match self {
            Self::Stands { status, .. } => *status,
            Self::Within { .. } => Status::NotAffected,
        }
    }

    /// The justification that goes with it.
    pub fn justification(&self) -> Option<Justification> {
        match self {
            Self::Stands { justification, .. } => *justification,
            Self::Within { .. } => Some(Justification::ComponentNotPresent),
        }
    }

    /// Whose word the status is.
    pub fn by(&self) -> By {
        if matches!(self, Self::Stands { .. }) { By::People } else { By::Hardpan }
    }
}

impl Decision {
    /// Whether it counts at a time.
    pub fn standing(&self, now: Epoch) -> Standing {
        if has_expired(self.expires, now) {
            Standing::Expired
        } else if has_begun(self.date, now) {
            Standing::Holds
        } else {
            Standing::NotYet
        }
    }

    /// Whether it speaks of a binary package, by its own name or its source's.
    pub fn covers(&self, source: &str, binary: &str) -> bool {
        self.packages.contains(binary) || self.packages.contains(source)
    }

    /// `vex/python.toml:12`.
    pub fn written(&self) -> String {
        let before =
            &self.place.source.text[..self.place.source.text.floor_char_boundary(self.place.span.start)];
        format!("{}:{}", self.place.source.name, before.matches('\n').count() + 1)
    }

    /// What it is about, for people.
    pub(super) fn about(&self) -> String {
        let packages: Vec<&str> = self.packages.iter().map(String::as_str).collect();
        format!("{} in {}", self.id, packages.join(", "))
    }

    /// What sorts decisions for people: CVEs by number, others behind them, then as they are written.
    pub(super) fn order(&self) -> (bool, Option<CveId>, &str, &str, usize) {
        let cve = self.id.parse().ok();
        (cve.is_none(), cve, &self.id, &self.place.source.name, self.place.span.start)
    }
}
