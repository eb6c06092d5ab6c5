//! The groups of a snapshot: OSV's `affected` objects by package, and what is known of each vulnerability.
//!
//! Wire types of their own, whose fields stand in the order of their names, as canonical JSON has them; what
//! is not said is left out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::feed::{Feed, FeedKind, Head};
use super::record::{
    Affected, Ecosystem, Epss, Evidence, Kev, Level, NoDsa, NoDsaReason, Severity, Span, State, Urgency,
};
use super::snapshot::HasKey;
use crate::ident::{CveId, DebVersion, Epoch};

/// What one feed says of one vulnerability in one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The feed's name for it.
    pub id: String,
    /// The CVE, where it has one.
    pub cve: Option<CveId>,
    /// Which feed: its place in [`Head::feeds`].
    pub feed: usize,
    /// How the package stands to it.
    pub affected: Affected,
}

/// What is known of a vulnerability, whatever the package.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Known {
    /// The CVE's name, or the feed's own where it has none.
    pub id: String,
    /// Other names, sorted.
    pub aliases: Vec<String>,
    /// What it is; the longest that a feed says.
    pub summary: String,
    /// When it was made public: what the CVE record says, else the earliest that a feed says.
    pub published: Option<Epoch>,
    /// When a feed last changed what it says.
    pub modified: Option<Epoch>,
    /// How bad it is, by all who say so; the one that counts first. See [`Known::severity`].
    pub severities: Vec<Severity>,
    /// That it is being exploited.
    pub kev: Option<Kev>,
    /// How likely it is exploited.
    pub epss: Option<Epss>,
    /// Which packages are named, by ecosystem and name.
    pub packages: Vec<(Ecosystem, String)>,
    /// The feeds that speak of it, by their places in [`Head::feeds`].
    pub feeds: Vec<usize>,
}

impl Known {
    /// How bad it is: the CVE record's own severity goes before others'; one that can't be scored counts only
    /// where nobody says more. Nothing where nobody says anything: that is [`Level::Unknown`], and not low.
    pub fn severity(&self) -> Option<&Severity> {
        let scored = self.severities.iter().find(|severity| severity.level != Level::Unknown);
        scored.or(self.severities.first())
    }
}

/// A package's group.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PackageGroup {
    /// Each with its feed's place in the head; sorted.
    pub(super) affected: Vec<(usize, WireAffected)>,
    pub(super) key: String,
}

impl HasKey for PackageGroup {
    fn key(&self) -> &str {
        &self.key
    }
}

/// A vulnerability's group.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FactGroup {
    /// One a feed and record, each with its feed's place in the head; sorted.
    pub(super) facts: Vec<(usize, WireFact)>,
    pub(super) key: String,
    /// Ecosystem and name of each package that is named.
    pub(super) packages: Vec<(Ecosystem, String)>,
}

impl HasKey for FactGroup {
    fn key(&self) -> &str {
        &self.key
    }
}

/// OSV's `affected`, less the package's name, which is the group's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireAffected {
    /// Left out where the name is the CVE's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cve: Option<CveId>,
    pub(super) ecosystem_specific: WireSpecific,
    pub(super) id: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) ranges: Vec<WireRange>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) versions: Vec<String>,
}

/// What OSV leaves to each ecosystem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireSpecific {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) advisory: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) available: Option<DebVersion>,
    pub(super) evidence: Evidence,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) fix_available_at: Option<Epoch>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) nodsa: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<NoDsaReason>,
    pub(super) status: State,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) urgency: Option<Urgency>,
}

/// A range of OSV.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireRange {
    pub(super) events: Vec<BTreeMap<String, String>>,
    #[serde(rename = "type")]
    pub(super) kind: String,
}

/// What one feed says of a vulnerability itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireFact {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) aliases: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) epss: Option<Epss>,
    pub(super) id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) kev: Option<Kev>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) modified: Option<Epoch>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) published: Option<Epoch>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) severity: Option<Severity>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) summary: String,
}

impl WireAffected {
    /// The CVE that it is about.
    pub(super) fn cve(&self) -> Option<CveId> {
        self.cve.or_else(|| self.id.parse().ok())
    }

    /// The form on disk; the package's name goes into the key.
    pub(super) fn of(id: &str, cve: Option<CveId>, affected: &Affected) -> Self {
        let semantic = matches!(affected.ecosystem.base(), "crates.io" | "Go" | "npm");
        let kind = if semantic { "SEMVER" } else { "ECOSYSTEM" };
        let specific = WireSpecific {
            advisory: affected.advisory.clone(),
            available: affected.available.clone(),
            evidence: affected.evidence,
            fix_available_at: affected.fix_available_at,
            nodsa: affected.no_dsa.as_ref().map(|no_dsa| no_dsa.comment.clone()),
            reason: affected.no_dsa.as_ref().map(|no_dsa| no_dsa.reason),
            status: affected.state,
            urgency: affected.urgency,
        };
        let range = |span: &Span| WireRange { events: events(span), kind: kind.to_owned() };
        Self {
            cve: cve.filter(|cve| cve.to_string() != id),
            ecosystem_specific: specific,
            id: id.to_owned(),
            ranges: affected.spans.iter().map(range).collect(),
            versions: affected.versions.clone(),
        }
    }

    fn read(self, feed: usize, ecosystem: &Ecosystem, package: &str) -> Result<Said, String> {
        let cve = self.cve();
        let specific = self.ecosystem_specific;
        let spans: Result<Vec<Span>, String> = self.ranges.iter().map(span).collect();
        let spans = spans?;
        let fixed = if ecosystem.is_debian() { highest_fix(&spans)? } else { None };
        let no_dsa =
            specific.reason.map(|reason| NoDsa { comment: specific.nodsa.unwrap_or_default(), reason });
        let affected = Affected {
            ecosystem: ecosystem.clone(),
            package: package.to_owned(),
            state: specific.status,
            spans,
            versions: self.versions,
            urgency: specific.urgency,
            fixed,
            no_dsa,
            advisory: specific.advisory,
            available: specific.available,
            fix_available_at: specific.fix_available_at,
            evidence: specific.evidence,
        };
        Ok(Said { id: self.id, cve, feed, affected })
    }
}

fn events(span: &Span) -> Vec<BTreeMap<String, String>> {
    let ends = [("fixed", &span.fixed), ("last_affected", &span.last_affected), ("limit", &span.limit)];
    let ends = ends.into_iter().filter_map(|(name, version)| Some((name, version.as_ref()?)));
    std::iter::once(("introduced", &span.introduced))
        .chain(ends)
        .map(|(name, version)| BTreeMap::from([(name.to_owned(), version.clone())]))
        .collect()
}

fn span(range: &WireRange) -> Result<Span, String> {
    let mut span = Span { introduced: "0".to_owned(), ..Span::default() };
    for (name, version) in range.events.iter().flatten() {
        match name.as_str() {
            "introduced" => span.introduced.clone_from(version),
            "fixed" => span.fixed = Some(version.clone()),
            "limit" => span.limit = Some(version.clone()),
            "last_affected" => span.last_affected = Some(version.clone()),
            other => return Err(format!("a range has an event `{other}`")),
        }
    }
    Ok(span)
}

/// The version from which on all is fixed: the highest that fixes any of the ranges; none where one stays open.
pub(super) fn highest_fix(spans: &[Span]) -> Result<Option<DebVersion>, String> {
    let fixes = spans.iter().filter_map(|span| span.fixed.as_deref());
    let fixes: Result<Vec<DebVersion>, _> = fixes.map(str::parse).collect();
    let fixes = fixes.map_err(|error| error.to_string())?;
    Ok(if fixes.len() < spans.len() { None } else { fixes.into_iter().max() })
}

impl PackageGroup {
    /// One statement a vulnerability, from the feed that is to be believed first.
    pub(super) fn read(self, ecosystem: &Ecosystem, package: &str, head: &Head) -> Result<Vec<Said>, String> {
        let mut chosen: BTreeMap<(Option<CveId>, String), Said> = BTreeMap::new();
        for (feed, wire) in self.affected {
            let said = wire.read(feed, ecosystem, package)?;
            let feed = head.feeds.get(said.feed).ok_or("a statement names a feed that is not there")?;
            // Statements about one CVE compete; those without one stand for themselves.
            let id = if said.cve.is_some() { String::new() } else { said.id.clone() };
            let key = (said.cve, id);
            match chosen.get_mut(&key) {
                None => drop(chosen.insert(key, said)),
                Some(there) if weight(&said, feed) > weight(there, &head.feeds[there.feed]) => {
                    *there = take_over(said, there);
                }
                Some(there) => *there = take_over(there.clone(), &said),
            }
        }
        Ok(chosen.into_values().collect())
    }
}

/// Whom to believe where several speak of the same: the greatest. A record about the CVE itself goes before
/// one about an advisory that names it.
fn weight(said: &Said, feed: &Feed) -> (u8, bool) {
    let kind = match feed.kind {
        FeedKind::Tracker => 2,
        FeedKind::Osv => 1,
        _ => 0,
    };
    (kind, said.affected.advisory.as_deref() != Some(&said.id))
}

/// The statement that is believed, with what only the other one knows beside the decision: when the fix
/// first stood in a release file, and which advisory brought it.
fn take_over(mut believed: Said, other: &Said) -> Said {
    let (ours, theirs) = (&mut believed.affected, &other.affected);
    if ours.fixed.is_some() && ours.fixed == theirs.fixed {
        ours.fix_available_at = ours.fix_available_at.or(theirs.fix_available_at);
        ours.advisory = ours.advisory.take().or_else(|| theirs.advisory.clone());
    }
    believed
}

impl FactGroup {
    /// All that the feeds say, as one.
    pub(super) fn read(self, head: &Head) -> Known {
        let mut known = Known { id: self.key, packages: self.packages, ..Known::default() };
        let mut severities = Vec::new();
        let kind = |feed: usize| head.feeds.get(feed).map(|feed| feed.kind);
        let own = self.facts.iter().find(|(feed, _)| kind(*feed) == Some(FeedKind::Cve5));
        let own = own.and_then(|(_, fact)| fact.published);
        for (feed, fact) in self.facts {
            let rank = match kind(feed) {
                Some(FeedKind::Cve5) => 0,
                Some(FeedKind::Osv) => 1,
                _ => 2,
            };
            severities.extend(fact.severity.map(|severity| (rank, severity)));
            known.aliases.extend(fact.aliases);
            if fact.id != known.id {
                known.aliases.push(fact.id);
            }
            if fact.summary.len() > known.summary.len() {
                known.summary = fact.summary;
            }
            known.published = [known.published, fact.published].into_iter().flatten().min();
            known.modified = known.modified.max(fact.modified);
            known.kev = known.kev.or(fact.kev);
            known.epss = known.epss.or(fact.epss);
            known.feeds.push(feed);
        }
        known.published = own.or(known.published);
        severities.sort_by_key(|(rank, _)| *rank);
        known.severities = severities.into_iter().map(|(_, severity)| severity).collect();
        known.aliases.sort();
        known.aliases.dedup();
        known.aliases.retain(|alias| *alias != known.id);
        known.feeds.sort_unstable();
        known.feeds.dedup();
        known
    }
}
