//! Which ledger a verb works with.

use super::Global;
use crate::diag::{Problem, Result, codes};
use crate::host;
use crate::ledger::Place;

/// The ledger that was named, else `ledger.db` in the store.
pub(super) fn place(global: &Global, named: Option<&str>) -> Result<Place> {
    let Some(text) = named.filter(|text| !text.is_empty()) else {
        return Ok(Place::File(global.store_path()?.join("ledger.db")));
    };
    let place: Place = text.parse().map_err(|why: String| {
        // The text itself may hold a password.
        let problem = Problem::new(codes::CONFIG, "the ledger's address can't be used").found(why);
        problem.help("name a file, or `postgres://USER@HOST/DATABASE`; `hardpan explain HP145` says more")
    })?;
    // A new ledger beside the one that was meant would begin with nothing, and nobody would hear of it.
    if let Place::File(path) = &place
        && let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty())
        && !host::is_dir(folder)
    {
        let what = format!("the folder of the ledger `{}` is not there", path.display());
        let problem = Problem::new(codes::CONFIG, what);
        return Err(problem
            .help("make it if the ledger is to begin there; else name the one that is meant")
            .into());
    }
    Ok(place)
}
