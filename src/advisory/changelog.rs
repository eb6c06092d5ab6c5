//! What changelogs of Debian packages (deb-changelog(5)) say of CVEs.
//!
//! ```text
//! redis (5:7.0.15-1~deb12u1) bookworm-security; urgency=high     the newest entry is the first
//!   * No-change upload …
//!  -- Somebody <…>  Tue, 09 Jan 2024 …
//! redis (5:7.0.15-1) unstable; urgency=high
//!   * New upstream security release: … CVE-2023-41056 …
//! ```
//!
//! A backport sorts *below* what it contains (`5:7.0.15-1~deb12u1` < `5:7.0.15-1`), so the version from which on a
//! CVE is fixed is not the one of the entry that names it: it is the lowest among that entry's and those above it.
//! And what was fixed between two versions is what the newer one's changelog names and the older one's does not:
//! a range of versions names too much where a fix came by another way, and too little where an entry was
//! written later. Dates are not read: they may be from under an embargo, weeks before anybody had the fix.

use std::collections::{BTreeMap, BTreeSet};

use crate::ident::{CveId, DebVersion};

/// The most entries of a changelog that are looked at.
const MAX_ENTRIES: usize = 20_000;

/// A changelog's entries, the newest first, and what each names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changelog {
    entries: Vec<(DebVersion, BTreeSet<CveId>)>,
}

impl Changelog {
    /// Reads the text of a changelog. Lines that are neither head nor part of an entry are passed over, as are those
    /// before the first head; text that is no changelog has no entries.
    pub fn parse(text: &[u8]) -> Self {
        let mut entries: Vec<(DebVersion, BTreeSet<CveId>)> = Vec::new();
        for line in text.split(|byte| *byte == b'\n') {
            if let Some(version) = head(line) {
                if entries.len() == MAX_ENTRIES {
                    break;
                }
                entries.push((version, BTreeSet::new()));
            } else if let Some((_, named)) = entries.last_mut() {
                named.extend(names(line));
            }
        }
        Self { entries }
    }

    /// The version that it is of: that of its first entry.
    pub fn version(&self) -> Option<&DebVersion> {
        self.entries.first().map(|(version, _)| version)
    }

    /// All CVEs that it names.
    pub fn named(&self) -> BTreeSet<CveId> {
        self.entries.iter().flat_map(|(_, named)| named).copied().collect()
    }

    /// Of each CVE the version from which on it is fixed: of those of the oldest entry that names it and of all
    /// entries above, the lowest.
    pub fn fixes(&self) -> BTreeMap<CveId, DebVersion> {
        self.fixes_above(None)
    }

    /// The same among versions above one that is known not to have the fix.
    fn fixes_above(&self, floor: Option<&DebVersion>) -> BTreeMap<CveId, DebVersion> {
        let mut fixes = BTreeMap::new();
        let mut lowest: Option<&DebVersion> = None;
        for (version, named) in &self.entries {
            if floor.is_none_or(|floor| version > floor) {
                lowest = Some(lowest.map_or(version, |lowest| lowest.min(version)));
            }
            // A later line names the same CVE in an older entry, which then counts.
            fixes.extend(named.iter().filter_map(|cve| Some((*cve, lowest?.clone()))));
        }
        fixes
    }

    /// What changelogs of one source package say together, given from the oldest version to the newest. What an older
    /// one names is fixed in it, whatever the newer one's order of entries; what only the newer one names was fixed
    /// after the older one.
    pub fn fixes_of_all(changelogs: &[Self]) -> BTreeMap<CveId, DebVersion> {
        let mut all: BTreeMap<CveId, DebVersion> = BTreeMap::new();
        let mut floor: Option<DebVersion> = None;
        for changelog in changelogs {
            for (cve, version) in changelog.fixes_above(floor.as_ref()) {
                all.entry(cve).or_insert(version);
            }
            floor = floor.max(changelog.version().cloned());
        }
        all
    }
}

/// Of each CVE that a changelog names, the version from which on it is fixed.
pub fn changelog_cves(text: &[u8]) -> BTreeMap<CveId, DebVersion> {
    Changelog::parse(text).fixes()
}

/// The CVEs that the newer changelog names and the older one does not.
pub fn fixed_between(old: &[u8], new: &[u8]) -> BTreeSet<CveId> {
    let (old, new) = (Changelog::parse(old).named(), Changelog::parse(new).named());
    new.difference(&old).copied().collect()
}

/// The version of an entry's first line, `redis (5:7.0.15-1) unstable; urgency=high`.
fn head(line: &[u8]) -> Option<DebVersion> {
    let first = line.first()?;
    if !first.is_ascii_alphanumeric() || line.len() > 4_096 {
        return None;
    }
    let line = std::str::from_utf8(line).ok()?;
    let (name, rest) = line.split_once(" (")?;
    let (version, rest) = rest.split_once(')')?;
    let plain = !name.contains(char::is_whitespace) && rest.contains(';');
    version.trim().parse().ok().filter(|_| plain)
}

/// The CVEs that a line names.
fn names(line: &[u8]) -> Vec<CveId> {
    let mut found = Vec::new();
    let mut at = 0;
    while at + 13 <= line.len() {
        // `XCVE-…` is another word.
        let begins = at == 0 || !line[at - 1].is_ascii_alphanumeric();
        match CveId::at_start(&line[at..]).filter(|_| begins) {
            Some((cve, length)) => {
                found.push(cve);
                at += length;
            }
            None => at += 1,
        }
    }
    found
}

#[cfg(test)]
#[path = "changelog_tests.rs"]
mod tests;
