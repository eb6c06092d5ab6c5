//! Which ledger a verb works with.

use super::Global;
use crate::diag::{Problem, Result, codes};
use crate::ledger::Place;

/// The ledger that was named, else `ledger.db` in the store.
pub(super) fn place(global: &Global, named: Option<&str>) -> Result<Place> {
    let Some(text) = named.filter(|text| !text.is_empty()) else {
        return Ok(Place::File(global.store_path()?.join("ledger.db")));
    };
    text.parse().map_err(|why: String| {
        // The text itself may hold a password.
        let problem = Problem::new(codes::CONFIG, "the ledger's address can't be used").found(why);
        problem
            .help("name a file, or `postgres://USER@HOST/DATABASE`; `hardpan explain HP145` says more")
            .into()
    })
}
