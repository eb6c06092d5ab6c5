//! Feeds: what a snapshot was made from.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::record::Ecosystem;
use crate::ident::{Epoch, Sha256};

/// The kinds of feed that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FeedKind {
    /// The JSON export of Debian's security tracker: a whole list.
    Tracker,
    /// Records of OSV, schema 1.0 to 1.x.
    Osv,
    /// CISA's catalog of known exploited vulnerabilities: a whole list.
    Kev,
    /// FIRST's scores of EPSS: a whole list.
    Epss,
    /// CVE records, format 5.
    Cve5,
    /// Changelogs of packages that archives serve (`hardpan advisories derive`).
    Changelogs,
}

impl FeedKind {
    /// The word for it on the command line and in snapshots.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tracker => "tracker",
            Self::Osv => "osv",
            Self::Kev => "kev",
            Self::Epss => "epss",
            Self::Cve5 => "cve5",
            Self::Changelogs => "changelogs",
        }
    }

    /// Whether one import is all that the feed says, so that it takes the place of the one before. Of other
    /// kinds an import adds records, and takes the place of those that have the same name.
    pub fn is_whole(self) -> bool {
        matches!(self, Self::Tracker | Self::Kev | Self::Epss)
    }

    /// Whether it can say that something is open. Changelogs only tell what was fixed.
    pub fn tells_what_is_open(self) -> bool {
        matches!(self, Self::Tracker | Self::Osv)
    }
}

impl fmt::Display for FeedKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One feed of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feed {
    /// The feed's own date: what it says, else that of its newest record; of single records, when they were taken.
    pub date: Epoch,
    /// Digests of the files that it was read from, sorted; of a folder, that of its files' names and digests.
    pub inputs: Vec<Sha256>,
    /// Which kind.
    pub kind: FeedKind,
    /// What it is called: the kind, and of OSV the ecosystem: `osv/Debian`.
    pub name: String,
    /// Records that serve.
    pub records: u64,
    /// Records that were refused when it was last imported, because they are broken.
    pub refused: u64,
    /// Whether it is made of single records alone, files of OSV that were named one by one. When such a record was
    /// changed says nothing of when it was taken, so its date is that of its file; of several, of the oldest.
    /// Left out where it is not so: such a snapshot has the bytes that it always had.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub single: bool,
    /// Records that the feed itself took back, when it was last imported.
    pub withdrawn: u64,
}

/// What a snapshot says of itself. It holds no time of this machine's clock: the same feeds make the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Of which ecosystems a feed that can say what is open says anything: `Debian:13`. Of others, that nothing was
    /// found means nothing.
    pub covers: BTreeSet<Ecosystem>,
    /// The newest of the feeds' dates.
    pub date: Epoch,
    /// What it was made from, sorted by kind and name.
    pub feeds: Vec<Feed>,
    /// How many packages it says something of.
    pub packages: u64,
    /// How many vulnerabilities it says something of.
    pub vulnerabilities: u64,
}

impl Head {
    /// Whether any feed can say that something is open.
    pub fn tells_what_is_open(&self) -> bool {
        self.feeds.iter().any(|feed| feed.kind.tells_what_is_open())
    }

    /// Whether a feed is made of changelogs.
    pub fn has_changelogs(&self) -> bool {
        self.feeds.iter().any(|feed| feed.kind == FeedKind::Changelogs)
    }

    /// What a reader has to know where nothing in it can say what is open.
    pub fn caveat(&self) -> Option<&'static str> {
        match (self.tells_what_is_open(), self.has_changelogs()) {
            (true, _) => None,
            (false, true) => Some(DERIVED_ONLY),
            (false, false) => Some(NO_PACKAGES),
        }
    }

    /// The date that its age counts from: of the feeds that can say that something is open, the one that is
    /// furthest behind; the snapshot's own date where there is none. A fresh list of exploited
    /// vulnerabilities makes an old list of open ones no newer.
    pub fn counts_from(&self) -> Epoch {
        let telling = self.feeds.iter().filter(|feed| feed.kind.tells_what_is_open());
        telling.map(|feed| feed.date).min().unwrap_or(self.date)
    }
}

/// Of a snapshot without any feed about packages.
const NO_PACKAGES: &str = "made of feeds that say nothing of packages: nothing can be found with it";

/// What a report says where changelogs are all that is known.
pub const DERIVED_ONLY: &str =
    "made of changelogs alone: it knows what was fixed, and nothing of CVEs that are open";

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(kind: FeedKind, date: i64) -> Feed {
        let name = kind.name().to_owned();
        let inputs = Vec::new();
        Feed { date: Epoch(date), inputs, kind, name, records: 1, refused: 0, single: false, withdrawn: 0 }
    }

    fn head(feeds: Vec<Feed>) -> Head {
        let date = feeds.iter().map(|feed| feed.date).max().expect("some");
        Head { covers: BTreeSet::new(), date, feeds, packages: 0, vulnerabilities: 0 }
    }

    #[test]
    fn a_fresh_list_of_exploited_ones_makes_no_old_tracker_newer() {
        let head = head(vec![feed(FeedKind::Tracker, 100), feed(FeedKind::Kev, 900)]);
        assert_eq!((head.date, head.counts_from()), (Epoch(900), Epoch(100)));
        assert_eq!(head.caveat(), None);
    }

    #[test]
    fn changelogs_and_scores_alone_know_nothing_of_what_is_open() {
        assert_eq!(
            head(vec![feed(FeedKind::Changelogs, 1), feed(FeedKind::Epss, 2)]).caveat(),
            Some(DERIVED_ONLY)
        );
        assert_eq!(head(vec![feed(FeedKind::Kev, 1)]).caveat(), Some(NO_PACKAGES));
    }
}
