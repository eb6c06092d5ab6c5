//! Since when a version of a source package is to be had: the date of the release file in which it was first seen.
//!
//! Archives don't say it, and changelogs say something else, so it is kept from run to run. What stood in a release
//! file when it was looked at for the first time may have stood there for long: the date is the latest at which the
//! fix can have become available, and each later version's is right to the time between two runs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::record::Ecosystem;
use super::shelf::Shelf;
use crate::canon;
use crate::diag::{Problem, Result, codes};
use crate::host;
use crate::ident::{DebVersion, Epoch};

/// First sights, by ecosystem and source package, then version.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    seen: BTreeMap<String, BTreeMap<String, Epoch>>,
    version: u32,
}

const VERSION: u32 = 1;

impl Seen {
    /// What is kept; nothing at the first time.
    pub fn read(shelf: &Shelf) -> Result<Self> {
        let path = shelf.seen_path();
        if !host::exists(&path) {
            return Ok(Self { version: VERSION, ..Self::default() });
        }
        let bad = |why: String| {
            Problem::new(codes::BAD_SNAPSHOT, format!("`{}` can't be read", path.display()))
                .found(why)
                .help("if it is not to be had again, delete it: first sights begin anew")
        };
        let seen: Self =
            serde_json::from_slice(&host::read(&path)?).map_err(|error| bad(error.to_string()))?;
        if seen.version == VERSION {
            return Ok(seen);
        }
        Err(bad(format!("version {}", seen.version)).expected(format!("version {VERSION}")).into())
    }

    /// Keeps it, whole or not at all.
    pub fn write(&self, shelf: &Shelf) -> Result<()> {
        host::write_atomic(&shelf.seen_path(), &canon::to_json(self))
    }

    /// Notes that a release file of this date holds a version. The earliest date stays.
    pub fn note(&mut self, ecosystem: &Ecosystem, source: &str, version: &DebVersion, date: Epoch) {
        let versions = self.seen.entry(super::snapshot::package_key(ecosystem, source)).or_default();
        let there = versions.entry(version.to_string()).or_insert(date);
        *there = date.min(*there);
    }

    /// When a fix was first to be had: the first sight of any version that has it.
    pub fn since(&self, ecosystem: &Ecosystem, source: &str, fixed: &DebVersion) -> Option<Epoch> {
        let versions = self.seen.get(&super::snapshot::package_key(ecosystem, source))?;
        let has = |version: &str| version.parse::<DebVersion>().is_ok_and(|version| version >= *fixed);
        versions.iter().filter(|(version, _)| has(version)).map(|(_, date)| *date).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fix_is_available_since_the_first_release_file_that_held_it() {
        let bookworm = Ecosystem::debian("12");
        let version = |text: &str| text.parse::<DebVersion>().expect("a version");
        let mut seen = Seen::default();
        seen.note(&bookworm, "openssl", &version("3.0.20-1~deb12u2"), Epoch(100));
        seen.note(&bookworm, "openssl", &version("3.0.22-1~deb12u2"), Epoch(300));
        // Looked at again later, and from another mirror that was behind.
        seen.note(&bookworm, "openssl", &version("3.0.22-1~deb12u2"), Epoch(400));
        seen.note(&bookworm, "openssl", &version("3.0.22-1~deb12u2"), Epoch(200));
        let since = |text: &str| seen.since(&bookworm, "openssl", &version(text));
        assert_eq!(since("3.0.22-1~deb12u2"), Some(Epoch(200)));
        // One between them was never seen itself: the next one has its fix.
        assert_eq!(since("3.0.21-1~deb12u1"), Some(Epoch(200)));
        assert_eq!(since("3.0.19-1"), Some(Epoch(100)));
        assert_eq!(since("3.0.23-1"), None);
        assert_eq!(seen.since(&Ecosystem::debian("13"), "openssl", &version("1")), None);
    }
}
