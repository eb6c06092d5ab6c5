//! What is known of a vulnerability, and of which packages.
//!
//! The forms of OSV (schema 1.7), cut down to what decisions are made of. Packages of Debian are *source*
//! packages, and so are their versions: a binary package's own name and version are never looked up here.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::version_order::VersionOrder;
use crate::ident::{CveId, DebVersion, Epoch};

/// An ecosystem of OSV, with its release where it has any: `Debian:13`, `PyPI`, `npm`, `crates.io`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Ecosystem(String);

/// Debian's releases, by the name that the tracker has for them.
const RELEASES: [(&str, &str); 11] = [
    ("lenny", "5"),
    ("squeeze", "6"),
    ("wheezy", "7"),
    ("jessie", "8"),
    ("stretch", "9"),
    ("buster", "10"),
    ("bullseye", "11"),
    ("bookworm", "12"),
    ("trixie", "13"),
    ("forky", "14"),
    ("duke", "15"),
];

impl Ecosystem {
    /// A release of Debian, by its number (`VERSION_ID` of os-release): `13`.
    pub fn debian(release: &str) -> Self {
        Self(format!("Debian:{release}"))
    }

    /// A release of Debian by its name, `bookworm`; one that has no number keeps its name: `Debian:sid`.
    pub fn debian_named(name: &str) -> Self {
        let known = RELEASES.iter().find(|(known, _)| *known == name);
        Self::debian(known.map_or(name, |(_, number)| number))
    }

    /// As OSV writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the release: `Debian`.
    pub fn base(&self) -> &str {
        self.0.split(':').next().unwrap_or_default()
    }

    /// Whether versions here are Debian's.
    pub fn is_debian(&self) -> bool {
        self.base() == "Debian"
    }
}

impl fmt::Display for Ecosystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Ecosystem {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fine = text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
        if text.is_empty() || text.len() > 100 || !fine {
            let text: String = text.chars().take(100).flat_map(char::escape_debug).collect();
            return Err(format!("`{text}` is not an ecosystem, such as `Debian:13`"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for Ecosystem {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// How bad something is; ordered, so that the worst is the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nobody who was asked has said, which is no answer and not a low one.
    #[default]
    Unknown,
    /// Not worth an update by itself (Debian's `unimportant`, a score of 0).
    Negligible,
    /// 0.1 to 3.9.
    Low,
    /// 4.0 to 6.9.
    Medium,
    /// 7.0 to 8.9.
    High,
    /// 9.0 and above.
    Critical,
}

impl Level {
    /// All of them, the worst first: the order of tables.
    pub const WORST_FIRST: [Self; 6] =
        [Self::Critical, Self::High, Self::Medium, Self::Low, Self::Negligible, Self::Unknown];

    /// What a score of CVSS means (CVSS 3.1 section 5, CVSS 4.0 section 6).
    pub fn of_score(score: f64) -> Self {
        match score {
            9.0.. => Self::Critical,
            7.0.. => Self::High,
            4.0.. => Self::Medium,
            0.05.. => Self::Low,
            _ => Self::Negligible,
        }
    }

    /// In small letters, as it is written everywhere.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Negligible => "negligible",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The words of CVSS, GitHub and Debian for it, in any case of letters.
    pub fn of_word(word: &str) -> Option<Self> {
        let level = match word.to_ascii_lowercase().as_str() {
            "critical" => Self::Critical,
            "high" | "important" => Self::High,
            "medium" | "moderate" => Self::Medium,
            "low" => Self::Low,
            "none" | "negligible" | "unimportant" => Self::Negligible,
            "unknown" => Self::Unknown,
            _ => return None,
        };
        Some(level)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How bad somebody says that a vulnerability is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Severity {
    /// In one word. [`Level::Unknown`] where there is a vector that we can't score.
    pub level: Level,
    /// The base score, 0.0 to 10.0, as it was given or worked out of the vector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// Who says so: `cve`, `cve:CISA-ADP`, `osv`, `debian`.
    pub source: String,
    /// The vector, `CVSS:3.1/AV:N/…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vector: Option<String>,
}

/// Debian's own word on how much something matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Urgency {
    /// Nobody has said yet.
    #[serde(rename = "not yet assigned")]
    NotYetAssigned,
    /// It is no problem as Debian ships it.
    Unimportant,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
    /// The package is not supported in this release any more.
    EndOfLife,
}

impl Urgency {
    /// Reads the tracker's word; the stars behind one that it had guessed are passed over. A word that is not
    /// known says nothing.
    pub fn of_word(word: &str) -> Self {
        match word.trim_end_matches('*') {
            "unimportant" => Self::Unimportant,
            "low" => Self::Low,
            "medium" => Self::Medium,
            "high" => Self::High,
            "end-of-life" => Self::EndOfLife,
            _ => Self::NotYetAssigned,
        }
    }

    /// The level that stands for it; nothing where it says nothing of how bad something is.
    pub fn level(self) -> Option<Level> {
        match self {
            Self::NotYetAssigned | Self::EndOfLife => None,
            Self::Unimportant => Some(Level::Negligible),
            Self::Low => Some(Level::Low),
            Self::Medium => Some(Level::Medium),
            Self::High => Some(Level::High),
        }
    }
}

/// How a package stands to a vulnerability, in the tracker's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// No version is known that has it fixed.
    Open,
    /// Fixed in a version that is named.
    Resolved,
    /// This release was never affected (`fixed_version: "0"`).
    NotAffected,
    /// Nobody could find out.
    Undetermined,
}

/// Why Debian gives no security update for something by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoDsaReason {
    /// It will be left as it is.
    Ignored,
    /// It will come with the next update that is worth one.
    Postponed,
    /// No reason is given: mostly that it is minor.
    None,
}

/// That Debian gives no security update for something by itself. It may still be fixed later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoDsa {
    /// The tracker's comment: `Minor issue`.
    pub comment: String,
    /// Which kind.
    pub reason: NoDsaReason,
}

/// What a statement is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// A changelog names the CVE: it proves that something was done, and never that nothing is open.
    Changelog,
    /// An OSV record says so.
    Osv,
    /// Debian's tracker says so.
    Tracker,
}

/// Versions from one on until another.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// The first version that is affected; `0` is before all.
    pub introduced: String,
    /// The first version that is not affected any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed: Option<String>,
    /// The last version that is affected, where no fixed one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_affected: Option<String>,
    /// From this version on it says nothing: OSV's `limit`, which is no fix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
}

/// What decides whether a finding counts, in the tracker's own order: the first that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Fixed in a version that is named, or never affected.
    Resolved,
    /// Debian leaves it as it is.
    Ignored,
    /// Nobody could find out.
    Undetermined,
    /// No security update of its own, now or ever.
    NoDsa,
    /// No problem as Debian ships it.
    Unimportant,
    /// The package is not supported any more.
    EndOfLife,
    /// Open.
    Open,
}

/// How one package stands to one vulnerability.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Affected {
    /// Where the package is from.
    pub ecosystem: Ecosystem,
    /// Its name; a source package's for Debian.
    pub package: String,
    /// How it stands.
    pub state: State,
    /// Versions that are affected; of several, any.
    pub spans: Vec<Span>,
    /// Versions that are affected, one by one.
    pub versions: Vec<String>,
    /// Debian's word on how much it matters.
    pub urgency: Option<Urgency>,
    /// The version that has it fixed; for Debian only.
    pub fixed: Option<DebVersion>,
    /// That Debian gives no update of its own.
    pub no_dsa: Option<NoDsa>,
    /// The advisory that brought the fix: `DSA-6113-1`.
    pub advisory: Option<String>,
    /// The newest version that the feed saw in any suite of the release.
    pub available: Option<DebVersion>,
    /// When a release file first held the fix: never a changelog's date, which may be weeks before.
    pub fix_available_at: Option<Epoch>,
    /// How this is known.
    pub evidence: Evidence,
}

impl Affected {
    /// Where it stands in the tracker's order of decision.
    pub fn standing(&self) -> Standing {
        let no_dsa = self.no_dsa.as_ref().map(|no_dsa| no_dsa.reason);
        match (self.state, no_dsa, self.urgency) {
            (State::Resolved | State::NotAffected, _, _) => Standing::Resolved,
            (_, Some(NoDsaReason::Ignored), _) => Standing::Ignored,
            (State::Undetermined, _, _) => Standing::Undetermined,
            (_, Some(_), _) => Standing::NoDsa,
            (_, _, Some(Urgency::Unimportant)) => Standing::Unimportant,
            (_, _, Some(Urgency::EndOfLife)) => Standing::EndOfLife,
            _ => Standing::Open,
        }
    }

    /// Whether this version has the vulnerability; of Debian, a source package's. Where the order of an
    /// ecosystem's versions is not known here, those count that are listed one by one.
    pub fn touches(&self, version: &DebVersion) -> bool {
        let listed = self.versions.iter().any(|listed| listed == version.as_str());
        match (self.state, VersionOrder::of(&self.ecosystem)) {
            (State::NotAffected, _) => false,
            (_, None) => listed,
            (_, Some(VersionOrder::Debian)) if self.spans.is_empty() && self.versions.is_empty() => {
                self.touches_by_state(version)
            }
            (_, Some(order)) => listed || self.spans.iter().any(|span| span.holds(order, version.as_str())),
        }
    }

    fn touches_by_state(&self, version: &DebVersion) -> bool {
        match (&self.fixed, self.state) {
            (Some(fixed), _) => version < fixed,
            (None, State::Resolved) => false,
            (None, _) => true,
        }
    }
}

impl Span {
    /// Whether a version lies in it. One that is none of this order lies in nothing; an end that is none ends nothing.
    pub fn holds(&self, order: VersionOrder, version: &str) -> bool {
        let is = |bound: &str| order.compare(version, bound);
        // What is fixed before all versions was never there.
        if is(version).is_none() || self.fixed.as_deref() == Some("0") {
            return false;
        }
        let after = self.introduced == "0" || is(&self.introduced).is_some_and(Ordering::is_ge);
        let before_fix = self.fixed.as_deref().and_then(is).is_none_or(Ordering::is_lt);
        let before_end = self.last_affected.as_deref().and_then(is).is_none_or(Ordering::is_le);
        let before_limit = self.limit.as_deref().and_then(is).is_none_or(Ordering::is_lt);
        after && before_fix && before_end && before_limit
    }
}

/// What a feed says of one vulnerability, by the name that the feed has for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Advisory {
    /// As the feed says: `CVE-2026-9999`, `DEBIAN-CVE-2026-9999`, `GHSA-…`, `TEMP-0000000-ABCDEF`.
    pub id: String,
    /// The CVE that it is about, where it has one.
    pub cve: Option<CveId>,
    /// Other names, sorted: CVEs, advisories.
    pub aliases: Vec<String>,
    /// What it is, in a sentence or a paragraph; may be empty.
    pub summary: String,
    /// When it was made public.
    pub published: Option<Epoch>,
    /// When the feed last changed what it says.
    pub modified: Option<Epoch>,
    /// When the feed took it back; such a record says nothing of packages.
    pub withdrawn: Option<Epoch>,
    /// How bad it is, where the feed says.
    pub severity: Option<Severity>,
    /// Which packages it touches and how.
    pub affected: Vec<Affected>,
}

/// That a vulnerability is being exploited (CISA's catalog of known exploited vulnerabilities).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kev {
    /// When it was put into the catalog.
    pub added: Epoch,
    /// By when those whom the catalog binds must act.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Epoch>,
    /// What the catalog calls it.
    pub name: String,
    /// Whether it is known to be used for extortion.
    pub ransomware: bool,
}

/// How likely a vulnerability is exploited within thirty days (FIRST's EPSS).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Epss {
    /// Which part of all vulnerabilities scores no higher, 0 to 1.
    pub percentile: f64,
    /// The likelihood, 0 to 1.
    pub score: f64,
}
