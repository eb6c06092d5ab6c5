//! Feeds from addresses: fetched whole before anything is read, into a file without a name.

use std::io;
use std::time::Duration;

use super::import::Origin;
use super::limits::MAX_INPUT;
use super::shelf::Shelf;
use crate::diag::{Problem, Result, codes};
use crate::host::{self, Client, Fetched, Limits, Url, pause};

/// Tries before it is given up.
const TRIES: u32 = 3;

/// Fetches a feed. A file address is read where it is.
pub fn download(shelf: &Shelf, client: &Client, address: &Url) -> Result<Origin> {
    if let Some(path) = address.local() {
        return Ok(Origin::Path(path));
    }
    let mut last = String::new();
    for attempt in 0..TRIES {
        if attempt > 0 {
            pause(Duration::from_millis(250 << attempt));
        }
        match client.get(address, 0, Limits { bytes: MAX_INPUT, resumes: false }) {
            Ok(Fetched::Body { mut reader, modified, .. }) => {
                let mut scratch = shelf.scratch()?;
                match io::copy(&mut reader, scratch.file()) {
                    Ok(_) => {
                        let file = scratch.file().try_clone();
                        let file =
                            file.map_err(|error| host::file_problem("keeping", &shelf.seen_path(), &error))?;
                        return Ok(Origin::Downloaded { file, name: format!("`{address}`"), modified });
                    }
                    Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                        let what = format!("what `{address}` gives is larger than any feed of advisories");
                        return Err(Problem::new(codes::FEED_TOO_LARGE, what).into());
                    }
                    Err(error) => last = error.to_string(),
                }
            }
            Ok(Fetched::Missing) => return Err(not_had(address, "there is no such file").into()),
            Ok(Fetched::Refused(why)) => return Err(not_had(address, &why).into()),
            Ok(Fetched::Later(status)) => last = format!("status {status}"),
            Err(error) => last = error.to_string(),
        }
    }
    Err(not_had(address, &last).into())
}

fn not_had(address: &Url, why: &str) -> Problem {
    Problem::new(codes::FEED_NOT_HAD, format!("the feed `{address}` could not be had"))
        .fact("cause", why)
        .help("get the file by other means, and import it from disk")
}
