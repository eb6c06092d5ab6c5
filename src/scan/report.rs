//! What was found, by what, and how fresh that is.

use std::collections::BTreeMap;

use super::finding::{Finding, Silenced};
use super::subject::Subject;
use crate::advisory::{Feed, Level, SignedBy, Snapshot, Standing};
use crate::diag::{Problem, Result, codes};
use crate::ident::{Age, Epoch, Sha256};

/// How old a snapshot may be before it is said, in seconds.
pub const WEEK: i64 = 7 * 86_400;

/// How far a snapshot may be ahead of the clock, in seconds: clocks differ by a little.
const AHEAD: i64 = 86_400;

/// What a report was made with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotFacts {
    /// The snapshot's digest.
    pub digest: Sha256,
    /// The newest of its feeds' dates.
    pub date: Epoch,
    /// The date that its age counts from: that of the oldest feed that can say what is open.
    pub counts_from: Epoch,
    /// How old it is, in seconds; negative where the clock is behind it.
    pub age: i64,
    /// Its feeds.
    pub feeds: Vec<Feed>,
    /// Whether of what is scanned changelogs are all that is known, so that it knows nothing of what is open.
    pub derived_only: bool,
    /// Who signed it; `None` where nobody asked.
    pub signed: Option<SignedBy>,
}

impl SnapshotFacts {
    /// What a snapshot says of itself.
    pub fn of(snapshot: &Snapshot, now: Epoch) -> Self {
        let head = snapshot.head();
        Self {
            digest: snapshot.digest(),
            date: head.date,
            counts_from: head.counts_from(),
            age: now.0.saturating_sub(head.counts_from().0),
            feeds: head.feeds.clone(),
            derived_only: !head.tells_what_is_open() && head.has_changelogs(),
            signed: None,
        }
    }

    /// Whether it is older than a week.
    pub fn is_stale(&self) -> bool {
        self.age > WEEK
    }

    /// Whole days since its date; 0 where the clock is behind it.
    pub fn days(&self) -> i64 {
        (self.age / 86_400).max(0)
    }

    /// How old it is in words: in hours where that is less than two days.
    pub fn age_in_words(&self) -> String {
        match self.age.max(0) {
            age if age < 2 * 86_400 => counted(age / 3600, "hour"),
            age => counted(age / 86_400, "day"),
        }
    }

    /// Whose signature it bears, where that is somebody who is trusted.
    pub fn signer(&self) -> Option<&str> {
        if let Some(SignedBy::Trusted(by)) = &self.signed { Some(by) } else { None }
    }

    /// Whose signature it bears, in words.
    pub fn signature(&self) -> String {
        match &self.signed {
            None | Some(SignedBy::Nobody) => "not signed".to_owned(),
            Some(SignedBy::Unverified) => "signed, and there is no key here to verify it with".to_owned(),
            Some(SignedBy::Trusted(by)) => format!("signed by {by}"),
        }
    }

    /// A problem where it is older than allowed, or the clock is so far behind it that its age means nothing.
    pub fn check_age(&self, most: Option<Age>) -> Result<()> {
        let Some(most) = most else { return Ok(()) };
        let problem = if self.age > most.0 {
            let what = format!("the advisories are {} old, older than is allowed", self.age_in_words());
            Problem::new(codes::ADVISORIES_TOO_OLD, what)
                .fact("date", self.counts_from)
                .found(match self.age / 86_400 {
                    0 | 1 => self.age_in_words(),
                    days => format!("{} and {}", counted(days, "day"), counted(self.age / 3600 % 24, "hour")),
                })
                .expected(format!("at most {most}"))
                .help("import newer feeds: `hardpan advisories import FILE…`")
        } else if self.age < -AHEAD {
            let what = "the advisories are from the future, so their age can't be told";
            Problem::new(codes::ADVISORIES_TOO_OLD, what)
                .fact("date", self.counts_from)
                .help("set this machine's clock right")
        } else {
            return Ok(());
        };
        Err(problem.fact("snapshot", format!("sha256:{}", self.digest)).into())
    }

    /// What a reader has to know before believing the counts.
    pub fn warnings(&self) -> Vec<Problem> {
        let mut found = Vec::new();
        if self.derived_only {
            let what = format!("the snapshot is {}", crate::advisory::DERIVED_ONLY);
            let problem = Problem::new(codes::DERIVED_ONLY, what);
            found.push(
                problem.help("import Debian's tracker or OSV: `hardpan advisories import FILE…`").warn(),
            );
        }
        if self.is_stale() {
            let what = format!("the advisories are {} days old, more than a week", self.days());
            let problem = Problem::new(codes::ADVISORIES_OLD, what).fact("date", self.counts_from);
            found.push(problem.help("import newer feeds: `hardpan advisories import FILE…`").warn());
        } else if self.age < -AHEAD {
            let what = "the advisories are from the future, so their age can't be told";
            let problem = Problem::new(codes::ADVISORIES_OLD, what).fact("date", self.counts_from);
            found.push(problem.help("set this machine's clock right").warn());
        }
        for feed in self.feeds.iter().filter(|feed| feed.refused > 0) {
            let records =
                if feed.refused == 1 { "1 record".to_owned() } else { format!("{} records", feed.refused) };
            let what = format!("{records} of the feed `{}` did not read when it was imported", feed.name);
            let problem = Problem::new(codes::BAD_RECORD, what);
            found.push(
                problem
                    .help("what they are about is not found: import the feed again, which names them")
                    .warn(),
            );
        }
        found
    }
}

/// `1 hour`, `2 hours`.
fn counted(count: i64, unit: &str) -> String {
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// How many findings there are of which kind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    /// Those that count ([`Finding::counts`]).
    pub total: usize,
    /// Of these, those that a fix is known for.
    pub fixable: usize,
    /// Of these, those that are being exploited.
    pub exploited: usize,
    /// Of these, how bad they are.
    pub levels: BTreeMap<Level, usize>,
    /// Of these, those of each source.
    pub sources: BTreeMap<String, usize>,
    /// Those that are folded, by the tracker's decision.
    pub folded: BTreeMap<Standing, usize>,
    /// Those that somebody decided about.
    pub silenced: usize,
}

impl Counts {
    fn of(findings: &[Finding]) -> Self {
        let mut counts = Self::default();
        for finding in findings {
            if finding.silenced.is_some() {
                counts.silenced += 1;
            } else if finding.counts() {
                counts.total += 1;
                counts.fixable += usize::from(finding.fixable);
                counts.exploited += usize::from(finding.kev.is_some());
                *counts.levels.entry(finding.level()).or_default() += 1;
                *counts.sources.entry(finding.source.clone()).or_default() += 1;
            } else {
                *counts.folded.entry(finding.status).or_default() += 1;
            }
        }
        counts
    }

    /// How many are of a level.
    pub fn level(&self, level: Level) -> usize {
        self.levels.get(&level).copied().unwrap_or_default()
    }

    /// How many are folded, all together.
    pub fn all_folded(&self) -> usize {
        self.folded.values().sum()
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// What was scanned.
    pub subject: Subject,
    /// What it was scanned with.
    pub snapshot: SnapshotFacts,
    /// All findings, the worst first; those that do not count among them.
    pub findings: Vec<Finding>,
    /// How many there are of which kind.
    pub counts: Counts,
    /// When this was asked.
    pub as_of: Epoch,
}

impl Report {
    pub(super) fn new(
        subject: Subject,
        snapshot: SnapshotFacts,
        findings: Vec<Finding>,
        as_of: Epoch,
    ) -> Self {
        let counts = Counts::of(&findings);
        Self { subject, snapshot, findings, counts, as_of }
    }

    /// Asks of each finding whether somebody decided about it, and counts anew.
    pub fn silence(&mut self, decide: impl Fn(&Finding) -> Option<Silenced>) {
        for finding in &mut self.findings {
            finding.silenced = decide(finding);
        }
        self.counts = Counts::of(&self.findings);
    }

    /// Those that count; with `all`, those that are folded too.
    pub fn shown(&self, all: bool) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |one| one.counts() || all && one.silenced.is_none())
    }

    /// Those that somebody decided about.
    pub fn silenced(&self) -> impl Iterator<Item = (&Finding, &Silenced)> {
        self.findings.iter().filter_map(|one| Some((one, one.silenced.as_ref()?)))
    }
}
