//! What a database can do, without knowing what an event is.

use crate::diag::Result;

/// A value of a row, or one to be put into a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A whole number.
    Integer(i64),
    /// Text.
    Text(String),
}

/// The values of a row, in the order in which they were asked for.
pub type Row = Vec<Value>;

/// A database that a ledger is kept in. Statements are in the part of SQL that SQLite and PostgreSQL
/// have in common, with `$1`, `$2` and so on for values.
pub trait Database: Send {
    /// What it is called in messages; never with a password.
    fn name(&self) -> String;

    /// Makes sure that what is kept can be read, as far as the database can tell by itself.
    fn check(&mut self) -> Result<()>;

    /// The version of the schema that is there; 0 if there is none.
    fn version(&mut self) -> Result<u32>;

    /// Notes the version of the schema; within a transaction.
    fn set_version(&mut self, version: u32) -> Result<()>;

    /// The type of a column that numbers its rows by itself.
    fn numbered(&self) -> &'static str;

    /// Begins a transaction as the only writer; waits for others, not for ever.
    fn begin(&mut self) -> Result<()>;

    /// Ends the transaction: all of it is there, for good.
    fn commit(&mut self) -> Result<()>;

    /// Ends the transaction: nothing of it is there.
    fn rollback(&mut self);

    /// Runs a statement; how many rows it changed.
    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64>;

    /// Asks for rows.
    fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>>;
}

impl Value {
    /// The text in it; nothing else has any.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::Integer(_) => None,
        }
    }

    /// The number in it; servers send numbers as text.
    pub fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            Self::Text(text) => text.parse().ok(),
            Self::Null => None,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// Does something within a transaction: all of it is there afterwards, or nothing.
pub(super) fn within<T>(
    database: &mut dyn Database,
    work: impl FnOnce(&mut dyn Database) -> Result<T>,
) -> Result<T> {
    database.begin()?;
    let done = work(database).and_then(|value| database.commit().map(|()| value));
    if done.is_err() {
        database.rollback();
    }
    done
}
