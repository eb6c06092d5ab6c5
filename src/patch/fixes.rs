//! Which CVEs a newer version of a source package fixes, and since when that is to be had.
//!
//! Advisories say it where a snapshot is there that can tell what is open; else the changelogs do, by set difference.
//! What changelogs say of two versions never changes, so it is kept.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::newer::Newer;
use crate::advisory::{self, Ecosystem, Level, Seen, Siblings, Snapshot, Urgency};
use crate::canon;
use crate::diag::{Problem, Result, codes};
use crate::fetch::Transfers;
use crate::ident::{CveId, DebVersion, Epoch, Sha256};

/// The kind under which the store keeps what changelogs said.
const KIND: &str = "changelogs";

/// How it is known that something is fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KnownBy {
    /// A snapshot of advisories says so.
    Advisories,
    /// The newer changelog names it, and the older one does not.
    Changelogs,
    /// An earlier run found it, and the lock moved with another image of the recipe.
    Ledger,
}

/// A vulnerability that a newer version fixes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fix {
    /// Its CVE, or the feed's own name where it has none.
    pub id: String,
    /// How bad it is said to be.
    pub severity: Level,
    /// Who says so.
    pub severity_source: Option<String>,
    /// Since when everybody may know of it.
    pub published: Option<Epoch>,
    /// Whether it is known to be exploited.
    pub exploited: bool,
    /// The first version with the fix, where that is known; else the one that is moved to.
    pub fixed: DebVersion,
    /// Since when it is to be had: the date of the release file in which it was first seen. Never a changelog's.
    pub available: Option<Epoch>,
    /// How it is known.
    pub known_by: KnownBy,
}

/// Names of vulnerabilities in their order: by year and number, and what has no CVE behind those.
pub(super) type Order = (bool, Option<CveId>, String);

/// The place of a name in that order.
pub(super) fn order(id: &str) -> Order {
    let cve = id.parse::<CveId>().ok();
    (cve.is_none(), cve, id.to_owned())
}

/// What is asked.
pub struct Sources<'a> {
    /// The snapshot, if there is one.
    pub snapshot: Option<&'a Snapshot>,
    /// When versions were first seen.
    pub seen: &'a Seen,
    /// How packages are had, for their changelogs.
    pub transfers: &'a Transfers<'a>,
    /// The release that the packages belong to, where it is Debian's.
    pub ecosystem: Option<&'a Ecosystem>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    cves: Option<BTreeSet<CveId>>,
}

impl Sources<'_> {
    /// All that the newer version fixes, sorted; a problem to warn of where nobody can say.
    pub fn fixes(&self, newer: &Newer) -> Result<(Vec<Fix>, Option<Problem>)> {
        if let Some(fixes) = self.by_advisories(newer)? {
            return Ok((fixes, None));
        }
        let Some(cves) = self.by_changelogs(newer)? else {
            let what = format!("nobody can say what {} {} fixes", newer.source, newer.to);
            let problem = Problem::new(codes::NO_CHANGELOG, what)
                .found("no package of it carries a changelog that can be read")
                .help("import a feed that knows it: `hardpan advisories import`");
            return Ok((Vec::new(), Some(problem.warn())));
        };
        let mut fixes = Vec::new();
        for cve in cves {
            fixes.push(self.fix(cve.to_string(), newer.to.clone(), newer, KnownBy::Changelogs)?);
        }
        Ok((fixes, None))
    }

    /// `None` where no feed of the snapshot can tell what is open in the package.
    fn by_advisories(&self, newer: &Newer) -> Result<Option<Vec<Fix>>> {
        let (Some(snapshot), Some(ecosystem)) = (self.snapshot, self.ecosystem) else { return Ok(None) };
        let said = snapshot.affecting(ecosystem, newer.source.as_str())?;
        let telling = |feed: usize| snapshot.head().feeds[feed].kind.tells_what_is_open();
        if !said.iter().any(|one| telling(one.feed)) {
            return Ok(None);
        }
        let mut fixes: BTreeMap<Order, Fix> = BTreeMap::new();
        for one in said {
            let affected = &one.affected;
            if affected.touches(&newer.from) && !affected.touches(&newer.to) {
                let id = one.cve.map_or_else(|| one.id.clone(), |cve| cve.to_string());
                // Of several ranges the highest fix is told, which may be that of a later one.
                let first = affected.fixed.clone().filter(|fixed| *fixed <= newer.to);
                let fixed = first.unwrap_or_else(|| newer.to.clone());
                let mut fix = self.fix(id.clone(), fixed, newer, KnownBy::Advisories)?;
                if let (Level::Unknown, Some(level)) =
                    (fix.severity, affected.urgency.and_then(Urgency::level))
                {
                    (fix.severity, fix.severity_source) = (level, Some("debian".to_owned()));
                }
                fixes.insert(order(&id), fix);
            }
        }
        Ok(Some(fixes.into_values().collect()))
    }

    fn by_changelogs(&self, newer: &Newer) -> Result<Option<BTreeSet<CveId>>> {
        // A rebuild of the same source fixes nothing.
        if newer.from == newer.to {
            return Ok(Some(BTreeSet::new()));
        }
        let digests = |packages: &BTreeMap<_, crate::lock::LockedPackage>| -> Vec<String> {
            packages.values().map(|package| package.sha256.to_string()).collect()
        };
        let (older, newest) = (digests(&newer.older), digests(&newer.newer));
        let key = Sha256::of(format!("{}\n\n{}", older.join("\n"), newest.join("\n")).as_bytes());
        let store = self.transfers.store;
        if let Some(bytes) = store.read_derived(KIND, &key)?
            && let Ok(kept) = serde_json::from_slice::<Kept>(&bytes)
        {
            return Ok(kept.cves);
        }
        let older: Vec<_> = newer.older.iter().collect();
        let newest: Vec<_> = newer.newer.iter().collect();
        let (older, newest): (&Siblings<'_>, &Siblings<'_>) = (&older, &newest);
        let cves = advisory::fixed_since(self.transfers, older, newest)?;
        let kept = Kept { cves };
        store.write_derived(KIND, &key, &canon::to_json(&kept))?;
        Ok(kept.cves)
    }

    fn fix(&self, id: String, fixed: DebVersion, newer: &Newer, known_by: KnownBy) -> Result<Fix> {
        let known = match self.snapshot {
            Some(snapshot) => snapshot.about_id(&id)?,
            None => None,
        };
        let severity = known.as_ref().and_then(|known| known.severity());
        let since = |ecosystem: &Ecosystem| self.seen.since(ecosystem, newer.source.as_str(), &fixed);
        Ok(Fix {
            severity: severity.map(|severity| severity.level).unwrap_or_default(),
            severity_source: severity.map(|severity| severity.source.clone()),
            published: known.as_ref().and_then(|known| known.published),
            exploited: known.as_ref().is_some_and(|known| known.kev.is_some()),
            available: self.ecosystem.and_then(since),
            id,
            fixed,
            known_by,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_the_order_of_years_and_numbers() {
        let mut names = ["CVE-2026-102633", "TEMP-0000000-ABCDEF", "CVE-2026-24515", "CVE-2025-99999"];
        names.sort_by_cached_key(|name| order(name));
        assert_eq!(names, ["CVE-2025-99999", "CVE-2026-24515", "CVE-2026-102633", "TEMP-0000000-ABCDEF"]);
    }
}
