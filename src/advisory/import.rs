//! Importing: what is there already and what is new become one snapshot.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::compose::compose;
use super::container::Input;
use super::feed::{Feed, FeedKind, Head};
use super::intake::Intake;
use super::limits::{self, MAX_RECORD};
use super::shelf::Shelf;
use super::snapshot::{Snapshot, package_key};
use super::spool::Spool;
use super::{cve5, kinds, lists, osv, tracker};
use crate::diag::{Problem, Result, codes};
use crate::host;
use crate::ident::{Epoch, Sha256};

/// Where a feed comes from.
#[derive(Debug)]
pub enum Origin {
    /// A file or folder of this machine.
    Path(PathBuf),
    /// What an address gave.
    Downloaded {
        /// Its bytes, from the beginning.
        file: File,
        /// The address, without what is secret in it.
        name: String,
        /// When it was last changed, as the server says.
        modified: Option<Epoch>,
    },
}

/// What is to be imported, and how.
#[derive(Debug)]
pub struct Order {
    /// The feeds.
    pub origins: Vec<Origin>,
    /// Of which kind they are, all of them; found out if not said.
    pub kind: Option<FeedKind>,
    /// Whether records of OSV and CVE 5 that were there before and are not in these feeds go.
    pub replace: bool,
    /// Whether a feed may be older than what is there.
    pub allow_older: bool,
    /// The date of feeds that say none themselves: the tracker's export, and single records of OSV. The file's own if
    /// not said.
    pub date: Option<Epoch>,
    /// The time.
    pub now: Epoch,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The new snapshot.
    pub digest: Sha256,
    /// Whether it differs from the one before.
    pub changed: bool,
    /// The names of the feeds that were read.
    pub feeds: Vec<String>,
    /// What is to be said of how they were read, for people.
    pub notes: Vec<String>,
}

/// Makes a new snapshot of what is there and these feeds. Records that are refused are told to `warn`. It is put on
/// the shelf, and not made the current one: who signs does so first.
pub fn import(shelf: &Shelf, order: &Order, warn: &mut dyn FnMut(Problem)) -> Result<Imported> {
    let old = before(shelf, order.replace)?;
    let mut intake = Intake::new(Spool::new(shelf.scratch()?)?, order.now, warn);
    for origin in &order.origins {
        let (input, date) = open(origin, order)?;
        read_input(&input, date, order, &mut intake)?;
    }
    merge(shelf, old, intake, order.replace, order.allow_older)
}

/// The snapshot that is there. One that does not read is no reason to fail where it is replaced.
fn before(shelf: &Shelf, replace: bool) -> Result<Option<Snapshot>> {
    match shelf.open_current() {
        Ok((snapshot, _)) => Ok(Some(snapshot)),
        Err(failure) if failure.is(codes::NO_ADVISORIES) => Ok(None),
        Err(failure) if failure.is(codes::BAD_SNAPSHOT) && replace => Ok(None),
        Err(failure) => Err(failure),
    }
}

fn open(origin: &Origin, order: &Order) -> Result<(Input, Option<Epoch>)> {
    match origin {
        Origin::Path(path) => {
            let input = Input::open(path)?;
            let date = order.date.map_or_else(|| host::modified(path), Ok)?;
            Ok((input, Some(date)))
        }
        Origin::Downloaded { file, name, modified } => {
            let file =
                file.try_clone().map_err(|error| host::file_problem("reading", Path::new(name), &error))?;
            Ok((Input::of_file(file, name.clone())?, order.date.or(*modified)))
        }
    }
}

/// Reads one input of one kind, or of several where it is a container.
fn read_input(input: &Input, date: Option<Epoch>, order: &Order, intake: &mut Intake<'_>) -> Result<()> {
    intake.input.clone_from(&input.name);
    let counts: Vec<u64> = intake.feeds.iter().map(|feed| feed.records).collect();
    if let Some(text) = input.text()? {
        let kind = order.kind.or_else(|| kinds::of_text(text)).ok_or_else(|| unknown(input))?;
        intake.single = None;
        read_text(input, kind, date, intake)?;
    } else {
        intake.single = None;
        let mut kind = order.kind;
        input.members(&mut |name, bytes| {
            // The first record that says what it is speaks for all.
            kind = kind.or_else(|| kinds::of_text(&bytes[..]).filter(|kind| !kind.is_whole()));
            match kind {
                Some(FeedKind::Osv) => osv::take(&bytes, name, intake),
                Some(FeedKind::Cve5) if !is_cve(name) => Ok(()),
                Some(FeedKind::Cve5) => cve5::take(&bytes, name, intake),
                Some(other) => Err(alone(input, other).into()),
                None => {
                    intake.refuse(name, "it is no record of OSV, nor one of CVE 5");
                    Ok(())
                }
            }
        })?;
    }
    end_input(input, &counts, intake)
}

/// What archives of CVE records hold beside them, lists of changes, is passed over.
fn is_cve(name: &str) -> bool {
    name.rsplit('/').next().is_some_and(|file| file.starts_with("CVE-"))
}

fn read_text(input: &Input, kind: FeedKind, date: Option<Epoch>, intake: &mut Intake<'_>) -> Result<()> {
    let mut text = input.text()?.expect("it is a text");
    match kind {
        FeedKind::Tracker => {
            let date = taken(input, date, intake)?;
            tracker::read(&mut text, intake)?;
            let feed = intake.feed(FeedKind::Tracker, FeedKind::Tracker.name());
            intake.feeds[usize::from(feed)].date = Some(date);
            Ok(())
        }
        FeedKind::Epss => lists::read_epss(&mut text, intake),
        FeedKind::Kev => lists::read_kev(&whole(input, &mut text)?, intake),
        FeedKind::Osv => {
            intake.single = Some(taken(input, date, intake)?);
            osv::take(&whole(input, &mut text)?, &input.name, intake)
        }
        FeedKind::Cve5 => cve5::take(&whole(input, &mut text)?, &input.name, intake),
        FeedKind::Changelogs => Err(unknown(input).into()),
    }
}

/// When something was taken that does not say it itself: by its file, its server, or who imports it. Where nobody says
/// anything, now; and that is told.
fn taken(input: &Input, date: Option<Epoch>, intake: &mut Intake<'_>) -> Result<Epoch> {
    let Some(date) = date else {
        let note = format!(
            "the server does not say of when {} is: it counts as of now; `--date` says it",
            input.name
        );
        intake.notes.push(note);
        return Ok(intake.now());
    };
    intake.hold_date(date, "its file's own time counts; say the right one: `--date 2026-11-20`")?;
    Ok(date)
}

fn whole(input: &Input, text: &mut (dyn Read + Send)) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = text.take(MAX_RECORD + 1).read_to_end(&mut bytes);
    read.map_err(|error| limits::broken(&input.name, &error.to_string(), true))?;
    if bytes.len() as u64 > MAX_RECORD {
        let error = limits::too_large("a record is longer than any that is known");
        return Err(limits::broken(&input.name, &error.to_string(), true).into());
    }
    Ok(bytes)
}

fn unknown(input: &Input) -> Problem {
    Problem::new(codes::UNKNOWN_FEED, format!("what kind of feed {} is can't be told", input.name))
        .expected("the tracker's export, OSV, CVE records, the KEV catalog or EPSS scores")
        .help("say it: `--kind tracker|osv|kev|epss|cve5`")
}

fn alone(input: &Input, kind: FeedKind) -> Problem {
    Problem::new(codes::UNKNOWN_FEED, format!("{} holds files, and a feed of kind {kind} is one", input.name))
        .help("name the file itself")
}

/// An input that brought nothing but refusals is none.
fn end_input(input: &Input, before: &[u64], intake: &mut Intake<'_>) -> Result<()> {
    let refused = intake.end_input();
    let mut touched = 0;
    for (at, feed) in intake.feeds.iter_mut().enumerate() {
        let new = feed.records > before.get(at).copied().unwrap_or(0);
        if new || at >= before.len() {
            feed.inputs.insert(input.digest());
            feed.refused += if touched == 0 { refused } else { 0 };
            touched += usize::from(new);
        }
    }
    if touched > 0 {
        return Ok(());
    }
    let why = match refused {
        0 => "it has no record, or none that was not read already: was it named twice?".to_owned(),
        _ => format!("not one record that serves, and {refused} that do not"),
    };
    Err(limits::broken(&input.name, &why, false).into())
}

/// Puts the feeds that were read and those of the snapshot before together, and writes the new one.
pub(super) fn merge(
    shelf: &Shelf,
    old: Option<Snapshot>,
    mut intake: Intake<'_>,
    replace: bool,
    allow_older: bool,
) -> Result<Imported> {
    let read: Vec<String> = intake.feeds.iter().map(|feed| feed.name.clone()).collect();
    let before = old.as_ref().map(Snapshot::digest);
    if let Some(old) = &old {
        carry(old, &mut intake, replace, allow_older)?;
    }
    for draft in &mut intake.feeds[..read.len()] {
        draft.settle();
    }
    let mut records = vec![0; intake.feeds.len()];
    for row in &intake.spool.facts {
        records[usize::from(row.feed)] += 1;
    }
    let drafts = intake.feeds.iter().zip(&records);
    let mut feeds: Vec<(usize, Feed)> =
        drafts.map(|(draft, records)| draft.feed(*records)).enumerate().collect();
    feeds.sort_by(|a, b| (a.1.kind, &a.1.name).cmp(&(b.1.kind, &b.1.name)));
    let mut places = vec![0; feeds.len()];
    for (place, (number, _)) in feeds.iter().enumerate() {
        places[*number] = place;
    }
    let feeds: Vec<Feed> = feeds.into_iter().map(|(_, feed)| feed).collect();
    let date = feeds.iter().map(|feed| feed.date).max().unwrap_or_default();
    let head = Head { covers: BTreeSet::new(), date, feeds, packages: 0, vulnerabilities: 0 };
    let digest = compose(shelf, &mut intake.spool, head, &places)?;
    Ok(Imported { digest, changed: before != Some(digest), feeds: read, notes: intake.notes })
}

/// What becomes of a feed that is there.
enum Fate {
    /// It stays as it is, under this number.
    Stays(u16),
    /// What is new takes the place of records of the same name; the rest stays, under this number.
    Mixes(u16),
    /// All of it goes. Of feeds that have no date of their own, records are compared with those of this number.
    Goes(Option<u16>),
}

fn carry(old: &Snapshot, intake: &mut Intake<'_>, replace: bool, allow_older: bool) -> Result<()> {
    let mut fates = Vec::new();
    for feed in &old.head().feeds {
        fates.push(fate(feed, intake, replace, allow_older)?);
    }
    old.each_package(&mut |group| {
        let (ecosystem, package) = group.key.split_once('\n').unwrap_or_default();
        let Ok(ecosystem) = ecosystem.parse() else { return Ok(()) };
        for (feed, wire) in &group.affected {
            let Some(number) = kept(&fates, *feed) else { continue };
            let draft = &intake.feeds[usize::from(number)];
            let anew = match &draft.packages {
                Some(packages) => packages.contains(&package_key(&ecosystem, package)),
                None => draft.ids.contains_key(wire.id.as_str()),
            };
            if !anew {
                intake.spool.affected(number, &ecosystem, package, wire)?;
            }
        }
        Ok(())
    })?;
    let mut backwards: BTreeMap<String, (Epoch, Epoch)> = BTreeMap::new();
    old.each_fact(&mut |group| {
        for (feed, wire) in &group.facts {
            let (number, stays) = match fates.get(*feed) {
                Some(Fate::Stays(number) | Fate::Mixes(number)) => (*number, true),
                Some(Fate::Goes(Some(number))) => (*number, false),
                Some(Fate::Goes(None)) | None => continue,
            };
            let draft = &mut intake.feeds[usize::from(number)];
            match draft.ids.get(wire.id.as_str()) {
                None if stays => {
                    draft.keeps = true;
                    intake.spool.fact(number, &group.key, wire)?;
                }
                None => {}
                Some(new) => {
                    if let (Some(new), Some(there)) = (*new, wire.modified.or(wire.published))
                        && new < there
                    {
                        backwards.insert(wire.id.clone(), (there, new));
                    }
                }
            }
        }
        Ok(())
    })?;
    match backwards.first_key_value() {
        Some((id, (there, new))) if !allow_older => Err(older(&format!("the record {id}"), *there, *new)
            .fact("so are", format!("{} records", backwards.len()))
            .into()),
        _ => Ok(()),
    }
}

fn kept(fates: &[Fate], feed: usize) -> Option<u16> {
    match fates.get(feed)? {
        Fate::Stays(number) | Fate::Mixes(number) => Some(*number),
        Fate::Goes(_) => None,
    }
}

fn fate(feed: &Feed, intake: &mut Intake<'_>, replace: bool, allow_older: bool) -> Result<Fate> {
    let found = intake.feeds.iter().position(|draft| draft.kind == feed.kind && draft.name == feed.name);
    let Some(at) = found else {
        let number = intake.feed(feed.kind, &feed.name);
        let draft = &mut intake.feeds[usize::from(number)];
        (draft.date, draft.single) = (Some(feed.date), feed.single);
        draft.inputs.extend(&feed.inputs);
        (draft.refused, draft.withdrawn) = (feed.refused, feed.withdrawn);
        return Ok(Fate::Stays(number));
    };
    let number = u16::try_from(at).expect("feeds are few");
    let draft = &mut intake.feeds[at];
    if replace && feed.kind == FeedKind::Osv && (feed.single || draft.single) {
        return Ok(Fate::Goes(Some(number)));
    }
    let whole = feed.kind.is_whole() || replace;
    if whole && draft.date.is_some_and(|date| date < feed.date) && !allow_older {
        return Err(
            older(&format!("the feed {}", feed.name), feed.date, draft.date.unwrap_or_default()).into()
        );
    }
    if whole {
        return Ok(Fate::Goes(None));
    }
    draft.before = Some((feed.date, feed.single));
    if feed.kind != FeedKind::Osv {
        draft.date = draft.date.max(Some(feed.date));
    }
    // Of changelogs only the last reading of the archives is named: each reads all that it is about.
    if draft.packages.is_none() {
        draft.inputs.extend(&feed.inputs);
    }
    Ok(Fate::Mixes(number))
}

fn older(what: &str, there: Epoch, new: Epoch) -> Problem {
    Problem::new(codes::OLDER_FEED, format!("{what} is older than what is there"))
        .found(format!("of {new}"))
        .expected(format!("not before {there}"))
        .help("an old mirror, or an old file: get it again; `--allow-older` takes it all the same")
}
