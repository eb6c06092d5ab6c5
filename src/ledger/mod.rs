//! What happened to the images, and when: which CVE was found in which, since when there was a fix,
//! when an image with it was published.
//!
//! ```text
//! event       what was seen, one line of JSON each; never changed, never removed (event.rs)
//!   └─ history   all events of an image, one after the other: its digests, its exposures (history.rs)
//!        └─ measures   how long it took: medians, targets met and broken, weeks (measure.rs)
//! ```
//!
//! A ledger is a table of events in a database: one SQLite file, or PostgreSQL for teams. Both stand
//! behind the trait [`Database`], which knows rows and transactions only; what an event means is
//! written once, above it. An event's id is the digest of its text, so that a row which changed is
//! found, and so that an event that is moved from one ledger to another twice is there once.
//!
//! SQLite opens its files by itself, beside the door that `host` is: it locks and maps them in ways
//! that no other door could give. Everything else goes through `host`.
//!
//! The room does not know where events come from, nor what a scanner is.

mod book;
mod database;
mod event;
mod exchange;
mod history;
mod measure;
mod names;
mod place;
mod postgres;
mod schema;
mod sqlite;

pub use book::{Ledger, Recorded, TOLERANCE};
pub use database::{Database, Row, Value};
pub use event::{Built, Detected, Event, FixKnown, Fixed, Gone, Published};
pub use exchange::{from_lines, to_lines};
pub use history::{Exposure, Fix, History, ImageHistory, State};
pub use measure::{Measures, Spread, Standing, Tally, of_exposure, spread, standing, tally, target};
pub use names::{FixSource, ImageId, VulnId, Why};
pub use place::Place;
