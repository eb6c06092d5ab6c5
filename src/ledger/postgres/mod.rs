//! A ledger in a PostgreSQL server, for teams.
//!
//! Its protocol is spoken here: what a ledger needs of it is a login, statements with values as text, and
//! rows as text. What writes takes one lock for all ledgers of the database (`pg_advisory_xact_lock`), so that
//! writers wait for each other as they do for a file.

mod address;
mod scram;
mod session;
mod wire;

pub use address::Address;
pub(super) use session::Postgres;
