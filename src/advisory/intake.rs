//! What is read of feeds, one record at a time, on its way into a spool; and what is refused, by name.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::feed::{Feed, FeedKind};
use super::group::{WireAffected, WireFact};
use super::limits;
use super::record::{Advisory, Epss, Kev};
use super::spool::{Spool, name};
use crate::diag::{Problem, Result, codes};
use crate::ident::{CveId, Epoch, Sha256};

/// The most records of all feeds together. Every CVE there is, with its scores, is under half a million.
const MAX_RECORDS: u64 = 8_000_000;

/// The most statements that one record may make about packages.
const MAX_AFFECTED: usize = 50_000;

/// The longest text that is kept of a record, in bytes.
const MAX_SUMMARY: usize = 4 << 10;

/// The longest name of a record or package, in bytes.
const MAX_NAME: usize = 300;

/// How many refused records are told of one by one.
const TOLD: u64 = 20;

/// How far a feed's clock may be ahead of ours, in seconds.
const AHEAD: i64 = 86_400;

/// A feed that is being read.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) kind: FeedKind,
    pub(super) name: String,
    pub(super) date: Option<Epoch>,
    /// When its single records were taken: the oldest of them. See [`Draft::settle`].
    pub(super) taken: Option<Epoch>,
    /// Whether it is made of single records alone.
    pub(super) single: bool,
    /// Of a feed that is there already and gets new records: its date, and whether it was of single records.
    pub(super) before: Option<(Epoch, bool)>,
    /// Whether any of the records that were there stays.
    pub(super) keeps: bool,
    pub(super) inputs: BTreeSet<Sha256>,
    pub(super) records: u64,
    pub(super) withdrawn: u64,
    pub(super) refused: u64,
    /// The names of its records, and when each was changed.
    pub(super) ids: HashMap<Box<str>, Option<Epoch>>,
    /// For a feed that is made package by package: which were made anew, by their keys.
    pub(super) packages: Option<HashSet<String>>,
}

/// Takes records in.
pub(super) struct Intake<'a> {
    pub(super) spool: Spool,
    /// Feeds, in the order in which they were begun: the spool numbers them so.
    pub(super) feeds: Vec<Draft>,
    /// What the input is called in messages.
    pub(super) input: String,
    /// When the input was taken, if it is one record in a file of its own.
    pub(super) single: Option<Epoch>,
    /// Records refused of the input.
    pub(super) refused: u64,
    /// What is to be said of what was read.
    pub(super) notes: Vec<String>,
    records: u64,
    now: Epoch,
    warn: &'a mut dyn FnMut(Problem),
}

impl<'a> Intake<'a> {
    pub(super) fn new(spool: Spool, now: Epoch, warn: &'a mut dyn FnMut(Problem)) -> Self {
        let (feeds, notes) = (Vec::new(), Vec::new());
        Self { spool, feeds, input: String::new(), single: None, refused: 0, notes, records: 0, now, warn }
    }

    /// The feed of a kind and name, begun if it is new.
    pub(super) fn feed(&mut self, kind: FeedKind, name: &str) -> u16 {
        let found = self.feeds.iter().position(|feed| feed.kind == kind && feed.name == name);
        let at = found.unwrap_or_else(|| {
            self.feeds.push(Draft {
                kind,
                name: name.to_owned(),
                date: None,
                taken: None,
                single: true,
                before: None,
                keeps: false,
                inputs: BTreeSet::new(),
                records: 0,
                withdrawn: 0,
                refused: 0,
                ids: HashMap::new(),
                packages: None,
            });
            self.feeds.len() - 1
        });
        u16::try_from(at).expect("ecosystems are few, and bounded below")
    }

    /// The time.
    pub(super) fn now(&self) -> Epoch {
        self.now
    }

    /// Holds that the date of a list is not still to come: it would keep every true one out.
    pub(super) fn hold_date(&self, date: Epoch, help: &str) -> Result<()> {
        if date.0 <= self.now.0 + AHEAD {
            return Ok(());
        }
        let what = format!("{} is dated {date}, which is still to come", self.input);
        Err(Problem::new(codes::BAD_FEED, what).help(help.to_owned()).into())
    }

    /// Names a record that is refused, and goes on.
    pub(super) fn refuse(&mut self, record: &str, why: &str) {
        self.refused += 1;
        if self.refused <= TOLD {
            let record: String = record.chars().take(120).flat_map(char::escape_debug).collect();
            let why = limits::one_line(why, 300);
            let what = format!("the record {record} of {} is refused", self.input);
            (self.warn)(Problem::new(codes::BAD_RECORD, what).found(why).warn());
        }
    }

    /// Ends an input: says how many more records were refused than were named.
    pub(super) fn end_input(&mut self) -> u64 {
        let refused = std::mem::take(&mut self.refused);
        if refused > TOLD {
            let what = format!("{} further records of {} are refused", refused - TOLD, self.input);
            (self.warn)(Problem::new(codes::BAD_RECORD, what).warn());
        }
        refused
    }

    /// Takes a record about packages in. What is wrong with it is said to who brought it.
    pub(super) fn take(
        &mut self,
        feed: u16,
        advisory: &Advisory,
        cves: &[CveId],
    ) -> Result<std::result::Result<(), String>> {
        if let Err(why) = self.check(feed, advisory) {
            return Ok(Err(why));
        }
        let one = if let [cve] = cves { Some(*cve) } else { None };
        self.enter(feed, &advisory.id, advisory.modified.or(advisory.published))?;
        if advisory.withdrawn.is_some() {
            self.feeds[usize::from(feed)].withdrawn += 1;
            return Ok(Ok(()));
        }
        let fact = WireFact {
            aliases: advisory.aliases.clone(),
            id: advisory.id.clone(),
            modified: advisory.modified,
            published: advisory.published,
            severity: advisory.severity.clone(),
            summary: shortened(&advisory.summary),
            ..WireFact::default()
        };
        self.spool.fact(feed, &name(&advisory.id, one), &fact)?;
        self.affected(feed, advisory, cves)?;
        Ok(Ok(()))
    }

    /// Takes in what a record says of packages, and nothing of the vulnerability itself: another record of the same
    /// name did that.
    pub(super) fn affected(&mut self, feed: u16, advisory: &Advisory, cves: &[CveId]) -> Result<()> {
        let none = [None];
        let each: Vec<Option<CveId>> = cves.iter().copied().map(Some).collect();
        for affected in &advisory.affected {
            for cve in if each.is_empty() { &none[..] } else { &each } {
                let wire = WireAffected::of(&advisory.id, *cve, affected);
                self.spool.affected(feed, &affected.ecosystem, &affected.package, &wire)?;
            }
        }
        Ok(())
    }

    /// Takes in that a CVE is exploited, or how likely that is.
    pub(super) fn score(
        &mut self,
        feed: u16,
        cve: CveId,
        date: Option<Epoch>,
        (kev, epss): (Option<Kev>, Option<Epss>),
    ) -> Result<()> {
        let id = cve.to_string();
        self.enter(feed, &id, date)?;
        self.spool.fact(feed, &id, &WireFact { id: id.clone(), kev, epss, ..WireFact::default() })
    }

    /// Whether a feed has a record of this name already.
    pub(super) fn has(&self, feed: u16, id: &str) -> bool {
        self.feeds[usize::from(feed)].ids.contains_key(id)
    }

    fn check(&self, feed: u16, advisory: &Advisory) -> std::result::Result<(), String> {
        let fine = |text: &str| {
            !text.is_empty() && text.len() <= MAX_NAME && text.bytes().all(|byte| byte.is_ascii_graphic())
        };
        if !fine(&advisory.id) {
            return Err("its name is empty, too long, or has blanks in it".to_owned());
        }
        let named =
            |text: &str| !text.is_empty() && text.len() <= MAX_NAME && !text.contains(char::is_control);
        if let Some(affected) = advisory.affected.iter().find(|affected| !named(&affected.package)) {
            let name: String = affected.package.chars().take(60).flat_map(char::escape_debug).collect();
            return Err(format!("`{name}` is no name of a package"));
        }
        if advisory.affected.len() > MAX_AFFECTED {
            return Err(format!("it names more than {MAX_AFFECTED} packages"));
        }
        let dates = [advisory.published, advisory.modified, advisory.withdrawn];
        if let Some(date) = dates.into_iter().flatten().find(|date| date.0 > self.now.0 + AHEAD) {
            return Err(format!("it is dated {date}, which is still to come"));
        }
        if self.has(feed, &advisory.id) {
            return Err("another record of the same name stands before it".to_owned());
        }
        Ok(())
    }

    fn enter(&mut self, feed: u16, id: &str, date: Option<Epoch>) -> Result<()> {
        self.records += 1;
        if self.records > MAX_RECORDS {
            let what = format!("{} has too many records", self.input);
            return Err(Problem::new(codes::FEED_TOO_LARGE, what)
                .expected(format!("at most {MAX_RECORDS}"))
                .into());
        }
        let draft = &mut self.feeds[usize::from(feed)];
        draft.records += 1;
        draft.ids.insert(id.into(), date);
        if !draft.kind.is_whole() {
            draft.date = draft.date.max(date);
        }
        draft.single = draft.single && self.single.is_some();
        draft.taken = [draft.taken, self.single].into_iter().flatten().min();
        Ok(())
    }
}

impl Draft {
    /// Dates a feed of OSV. One that came as a whole is as old as its newest record, whenever it was imported, and
    /// whatever came to it one by one. Single records are as old as the one that was taken first.
    pub(super) fn settle(&mut self) {
        if self.kind != FeedKind::Osv {
            return;
        }
        let taken = self.taken.filter(|_| self.single);
        self.date = match (self.before.filter(|_| self.keeps), taken) {
            (None | Some((_, true)), None) => self.date,
            (None, Some(taken)) => Some(taken),
            (Some((there, true)), Some(taken)) => Some(there.min(taken)),
            (Some((there, false)), _) => self.date.max(Some(there)),
        };
        let whole = matches!(self.before, Some((_, false))) && self.keeps;
        self.single = taken.is_some() && !whole;
    }

    /// The feed as it stands in a head.
    pub(super) fn feed(&self, records: u64) -> Feed {
        Feed {
            date: self.date.unwrap_or_default(),
            inputs: self.inputs.iter().copied().collect(),
            kind: self.kind,
            name: self.name.clone(),
            records,
            refused: self.refused,
            single: self.single && self.kind == FeedKind::Osv,
            withdrawn: self.withdrawn,
        }
    }
}

/// A text of at most [`MAX_SUMMARY`] bytes, white space made plain.
fn shortened(text: &str) -> String {
    let text = text.trim();
    let end = text.floor_char_boundary(MAX_SUMMARY.min(text.len()));
    let mut short: String =
        text[..end].chars().filter(|letter| !letter.is_control() || matches!(letter, '\n')).collect();
    if end < text.len() {
        short.push('…');
    }
    short
}
