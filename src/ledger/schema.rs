//! The tables, and the steps from each version of them to the next.
//!
//! ```text
//! hardpan_event   seq    the order in which events were recorded
//!                 id     SHA-256 of `body`, in hexadecimal
//!                 at     when it happened, in seconds since 1970
//!                 kind, image, cve    what `body` says, for those who ask by SQL
//!                 body   the event's canonical text
//! ```
//!
//! A step that was released is never changed; a new version is a further step. A ledger of an older
//! version is brought up when it is opened, whole or not at all; one of a newer version is left alone.

use super::database::{Database, within};
use crate::diag::{Problem, Result, codes};

/// Each makes of the version before it the next one; `{numbered}` is what the database calls a column
/// that numbers its rows.
const STEPS: [&[&str]; 2] = [
    &["CREATE TABLE hardpan_event (seq {numbered}, id TEXT NOT NULL UNIQUE, at BIGINT NOT NULL, \
       kind TEXT NOT NULL, image TEXT NOT NULL, cve TEXT, body TEXT NOT NULL)"],
    &[
        "CREATE INDEX hardpan_event_of_image ON hardpan_event (image, at, seq)",
        "CREATE INDEX hardpan_event_of_cve ON hardpan_event (cve)",
        "CREATE INDEX hardpan_event_at ON hardpan_event (at)",
    ],
];

/// The version that this hardpan writes.
pub(super) fn newest() -> u32 {
    u32::try_from(STEPS.len()).expect("few")
}

/// Brings a database up to the newest version.
pub(super) fn migrate(database: &mut dyn Database) -> Result<()> {
    migrate_to(database, newest())
}

pub(super) fn migrate_to(database: &mut dyn Database, wanted: u32) -> Result<()> {
    if known(database)? >= wanted {
        return Ok(());
    }
    within(database, |database| {
        // Another may have done it while this one waited for its turn.
        for version in known(database)?..wanted {
            for statement in STEPS[version as usize] {
                database.execute(&statement.replace("{numbered}", database.numbered()), &[])?;
            }
            database.set_version(version + 1)?;
        }
        Ok(())
    })
}

/// The version that is there, which must be one that is known.
fn known(database: &mut dyn Database) -> Result<u32> {
    let there = database.version()?;
    if there <= newest() {
        return Ok(there);
    }
    let message = format!("the ledger {} was made by a newer hardpan", database.name());
    Err(Problem::new(codes::LEDGER_NEWER, message)
        .found(format!("version {there} of the tables"))
        .expected(format!("at most version {}", newest()))
        .help("use that newer hardpan for it; nothing was changed")
        .into())
}
