//! Where a ledger is: a file, or a server.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::database::Database;
use super::postgres::{Address, Postgres};
use super::sqlite::Sqlite;
use crate::diag::Result;
use crate::host;

/// Where a ledger is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A SQLite file.
    File(PathBuf),
    /// A database of a PostgreSQL server. Its password is never shown.
    Server(Box<Address>),
}

impl FromStr for Place {
    type Err = String;

    /// `postgres://…` or `postgresql://…` is a server, anything else a path.
    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text.split_once("://") {
            Some(("postgres" | "postgresql", rest)) => Ok(Self::Server(Box::new(rest.parse()?))),
            // What follows may hold a password.
            Some((scheme, _)) => Err(format!("`{scheme}://` is no kind of ledger")),
            None if text.is_empty() => Err("an empty name is no file".to_owned()),
            None => Ok(Self::File(text.into())),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Server(address) => write!(f, "{address}"),
        }
    }
}

impl Place {
    /// Whether there may be a ledger: a file that is not there, or of nothing, holds none.
    pub fn exists(&self) -> bool {
        match self {
            Self::File(path) => {
                host::exists(path) && host::size_and_use(path).is_ok_and(|(bytes, _)| bytes > 0)
            }
            Self::Server(_) => true,
        }
    }

    /// Opens what is there, to read it.
    pub(super) fn look(&self, patience: Duration) -> Result<Box<dyn Database>> {
        match self {
            Self::File(path) => Ok(Box::new(Sqlite::look(path, patience)?)),
            Self::Server(_) => self.open(patience),
        }
    }

    pub(super) fn open(&self, patience: Duration) -> Result<Box<dyn Database>> {
        Ok(match self {
            Self::File(path) => Box::new(Sqlite::open(path, patience)?),
            Self::Server(address) => Box::new(Postgres::connect(address, patience)?),
        })
    }
}
