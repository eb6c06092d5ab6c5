//! What other texts that people write are read with: TOML whose keys and values know their places, and tables
//! that say what may stand where. Problems are the same as those of recipes.

pub use super::node::{Node, Table, Value, Word, parse};
pub use super::shape::{Key, Kind, check, key, needed};
