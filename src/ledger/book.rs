//! The ledger itself: recording, and what was recorded.
//!
//! *Recording* takes what happens now. It is told the time, and holds to it: an event that adds nothing to
//! what is known of its image is not written, so that the same event again changes nothing; and time does
//! not go backwards. Where the clock is behind the newest event by more than [`TOLERANCE`], it was set
//! back: that is refused, before anything is written. Within it (machines differ by seconds), an event is
//! moved to the time of the last one of its image.
//!
//! *Importing* takes what happened elsewhere, at the times that it says. An event that is there already, to
//! the letter, is not written again. Events of the future are refused either way: one of them would make
//! every later clock look set back.

use std::collections::BTreeSet;
use std::time::Duration;

use super::database::{Database, Value, within};
use super::event::Event;
use super::history::History;
use super::names::ImageId;
use super::place::Place;
use super::schema;
use crate::diag::{Problem, Result, codes};
use crate::ident::Epoch;

/// How far, in seconds, clocks may differ.
pub const TOLERANCE: i64 = 600;

/// The rows that one statement writes.
const AT_ONCE: usize = 100;

/// The images that one statement asks for.
const ASKED_AT_ONCE: usize = 500;

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recorded {
    /// Events that are new.
    pub new: usize,
    /// Events that changed nothing.
    pub known: usize,
}

/// A ledger that is open.
pub struct Ledger {
    database: Box<dyn Database>,
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ledger({})", self.database.name())
    }
}

impl Ledger {
    /// Opens a ledger; makes it if it is not there, and brings it up if it is of an older version.
    /// `patience` is how long it waits for others that write, and for a server to answer.
    pub fn open(place: &Place, patience: Duration) -> Result<Self> {
        let mut database = place.open(patience)?;
        schema::migrate(database.as_mut())?;
        Ok(Self { database })
    }

    /// Opens a ledger to read; `None` where there is none yet, and none is made.
    pub fn look(place: &Place, patience: Duration) -> Result<Option<Self>> {
        if !place.exists() {
            return Ok(None);
        }
        let mut database = place.look(patience)?;
        schema::migrate(database.as_mut())?;
        Ok(Some(Self { database }))
    }

    /// Makes sure that something that happens now could be recorded, and that all of what was can be read: for those who
    /// are about to do what must be.
    pub fn ready(&mut self, now: Epoch) -> Result<()> {
        self.database.check()?;
        within(self.database.as_mut(), |database| {
            check_clock(database, now)?;
            read(database, None, None).map(drop)
        })
    }

    /// Records what happens now, all of it or nothing.
    pub fn record(&mut self, events: &[Event], now: Epoch) -> Result<Recorded> {
        let mut events = events.to_vec();
        events.sort_by_key(Event::at);
        for event in &events {
            event.check().map_err(|why| bad_event(event, &why))?;
            not_of_the_future(event, now)?;
        }
        let images: BTreeSet<&ImageId> = events.iter().map(Event::image).collect();
        within(self.database.as_mut(), |database| {
            check_clock(database, now)?;
            let there = read(database, Some(&images), None)?;
            let new = what_is_new(&there, &events)?;
            let written = write(database, &new)?;
            Ok(Recorded { new: written, known: events.len() - written })
        })
    }

    /// Takes in what happened elsewhere, all of it or nothing.
    pub fn import(&mut self, events: &[Event], now: Epoch) -> Result<Recorded> {
        for event in events {
            event.check().map_err(|why| bad_event(event, &why))?;
            not_of_the_future(event, now)?;
        }
        within(self.database.as_mut(), |database| {
            let written = write(database, events)?;
            Ok(Recorded { new: written, known: events.len() - written })
        })
    }

    /// What is known of all images, or of some; as it was known at a time if one is given.
    pub fn history(&mut self, images: Option<&BTreeSet<&ImageId>>, until: Option<Epoch>) -> Result<History> {
        Ok(History::of(&read(self.database.as_mut(), images, until)?))
    }

    /// All events, in the order in which they happened.
    pub fn events(&mut self) -> Result<Vec<Event>> {
        read(self.database.as_mut(), None, None)
    }
}

/// A clock that is far behind what was recorded was set back, or ran ahead before.
fn check_clock(database: &mut dyn Database, now: Epoch) -> Result<()> {
    let rows = database.query("SELECT max(at) FROM hardpan_event", &[])?;
    let newest = rows.first().and_then(|row| row.first()).and_then(Value::integer).map(Epoch);
    match newest {
        Some(newest) if newest.0 - TOLERANCE > now.0 => {
            let message = format!("this machine's clock is behind the ledger {}", database.name());
            Err(set_back(message, now, newest))
        }
        _ => Ok(()),
    }
}

fn set_back(message: String, found: Epoch, newest: Epoch) -> crate::diag::Failure {
    Problem::new(codes::CLOCK_BACK, message)
        .found(found)
        .expected(format!("a time after the newest event, {newest} (or up to {TOLERANCE} seconds before)"))
        .help("set the clock; if the newest event is the wrong one, `hardpan explain HP144` says what to do")
        .into()
}

fn not_of_the_future(event: &Event, now: Epoch) -> Result<()> {
    if event.at().0 - TOLERANCE <= now.0 {
        return Ok(());
    }
    let message = format!("an event `{}` of the image `{}` is of the future", event.kind(), event.image());
    Err(Problem::new(codes::CLOCK_BACK, message)
        .found(event.at())
        .expected(format!("at most {now}, which is this machine's time"))
        .help("set the clock that is wrong, this machine's or that of the event")
        .into())
}

/// Those of some events, in the order of their times, that add to what is there.
fn what_is_new(there: &[Event], events: &[Event]) -> Result<Vec<Event>> {
    let known: BTreeSet<String> = there.iter().map(Event::to_text).collect();
    let mut history = History::of(there);
    let mut new = Vec::new();
    for event in events.iter().filter(|event| !known.contains(&event.to_text())) {
        let last = history.images.get(event.image()).and_then(super::ImageHistory::last);
        match in_order(event, last) {
            Ok(event) => {
                if history.apply(&event) {
                    new.push(event);
                }
            }
            // Late, but nothing that is not known.
            Err(_) if !history.clone().apply(event) => {}
            Err(late) => return Err(late),
        }
    }
    Ok(new)
}

/// The event, not before the last one of its image.
fn in_order(event: &Event, last: Option<Epoch>) -> Result<Event> {
    match last {
        Some(last) if last.0 - TOLERANCE > event.at().0 => {
            let message =
                format!("an event `{}` of the image `{}` comes too late", event.kind(), event.image());
            Err(set_back(message, event.at(), last))
        }
        Some(last) if last > event.at() => Ok(event.clone().moved_to(last)),
        _ => Ok(event.clone()),
    }
}

fn bad_event(event: &Event, why: &str) -> Problem {
    let message = format!("an event `{}` of the image `{}` says what can't be", event.kind(), event.image());
    Problem::new(codes::BAD_EVENT, message).found(why)
}

/// Writes events that are not there yet; how many these were.
fn write(database: &mut dyn Database, events: &[Event]) -> Result<usize> {
    let mut written = 0;
    for events in events.chunks(AT_ONCE) {
        let mut values = Vec::new();
        for event in events {
            let body = event.to_text();
            values.push(Event::id(&body).to_string().into());
            values.push(Value::Integer(event.at().0));
            values.push(event.kind().into());
            values.push(event.image().to_string().into());
            values.push(event.about().map_or(Value::Null, |(cve, _)| cve.as_str().into()));
            values.push(body.into());
        }
        let rows: Vec<String> = (0..events.len()).map(|row| placeholders(row * 6)).collect();
        let sql = format!(
            "INSERT INTO hardpan_event (id, at, kind, image, cve, body) VALUES {} ON CONFLICT (id) DO NOTHING",
            rows.join(", ")
        );
        written += usize::try_from(database.execute(&sql, &values)?).expect("few");
    }
    Ok(written)
}

/// `($1, CAST($2 AS BIGINT), $3, $4, $5, $6)`, counted from a number on.
fn placeholders(before: usize) -> String {
    let at = |number: usize| before + number;
    format!("(${}, CAST(${} AS BIGINT), ${}, ${}, ${}, ${})", at(1), at(2), at(3), at(4), at(5), at(6))
}

fn read(
    database: &mut dyn Database,
    images: Option<&BTreeSet<&ImageId>>,
    until: Option<Epoch>,
) -> Result<Vec<Event>> {
    let until = Value::Integer(until.map_or(i64::MAX, |until| until.0));
    let asked = "SELECT seq, id, body, at, image FROM hardpan_event WHERE at < CAST($1 AS BIGINT)";
    let order = "ORDER BY at, seq";
    let Some(images) = images else {
        let rows = database.query(&format!("{asked} {order}"), &[until])?;
        return rows.iter().map(|row| event(row, &database.name())).collect();
    };
    let names: Vec<Value> = images.iter().map(|image| image.to_string().into()).collect();
    let mut events = Vec::new();
    for names in names.chunks(ASKED_AT_ONCE) {
        let list: Vec<String> = (0..names.len()).map(|at| format!("${}", at + 2)).collect();
        let sql = format!("{asked} AND image IN ({}) {order}", list.join(", "));
        let values = [std::slice::from_ref(&until), names].concat();
        let rows = database.query(&sql, &values)?;
        for row in &rows {
            events.push(event(row, &database.name())?);
        }
    }
    Ok(events)
}

/// The event of a row, which must be the one that was written.
fn event(row: &[Value], ledger: &str) -> Result<Event> {
    let [seq, id, body, at, image] = row else { unreachable!("five columns were asked for") };
    let body = body.text().unwrap_or_default();
    let changed = |why: String| {
        let message = format!("the ledger {ledger} is damaged: row {} changed", seq.integer().unwrap_or(0));
        Problem::new(codes::LEDGER_CORRUPT, message)
            .found(why)
            .help("bring back a copy of it; `hardpan explain HP142` says what else can be done")
    };
    if Some(Event::id(body).to_string().as_str()) != id.text() {
        return Err(changed(format!("an event whose digest is {}", Event::id(body).short())).into());
    }
    let event = Event::parse(body).map_err(&changed)?;
    // By these columns rows are chosen and put in order.
    if at.integer() != Some(event.at().0) || image.text() != Some(event.image().to_string().as_str()) {
        return Err(changed("columns that say something else than the event".to_owned()).into());
    }
    Ok(event)
}
