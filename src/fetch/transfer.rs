//! Transfers: one file from the first mirror that gives it whole, many files side by side.
//!
//! Each mirror is tried a few times, with growing pauses; a transfer that was cut goes on where it
//! ended. A stall ends after the client's patience, a trickle as soon as it brought too little in
//! that time, and a body that goes on is cut at the size that is pinned.

use std::collections::VecDeque;
use std::io::{self, Write as _};
use std::sync::Mutex;
use std::time::Duration;

use super::Mirrors;
use crate::diag::{Failure, Problem, Result, codes};
use crate::host::{Client, Fetched, Limits, Progress, Url, pause};
use crate::ident::{ArchiveName, Sha256};
use crate::lock::Archive;
use crate::store::{Partial, Store};

/// Where something is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// Below the root of an archive, at any of its mirrors.
    Archive(ArchiveName, String),
    /// Below a mirror that the site names, of something that has no release files.
    Mirror(ArchiveName, String),
    /// At one address.
    Address(Url),
}

/// Something whose digest is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// What it is called in messages: `package libc6 2.41-12 (amd64)`.
    pub name: String,
    /// Where it is.
    pub location: Location,
    /// Its digest.
    pub sha256: Sha256,
    /// Its length in bytes, where it is known.
    pub size: Option<u64>,
}

/// Tries at one mirror.
const TRIES: u32 = 3;

/// Files under way at once.
const SIDE_BY_SIDE: usize = 8;

/// The most that is taken of something whose size is not known, in bytes.
const MAX_UNKNOWN: u64 = 4 << 30;

/// What ended the tries at one mirror.
enum Ended {
    Missing,
    Mismatch(String),
    Failed(String),
}

/// Fetches into a store.
pub struct Transfers<'a> {
    /// Where archives are.
    pub mirrors: &'a Mirrors,
    /// The archives that may be asked for.
    pub archives: &'a [Archive],
    /// How bytes are had.
    pub client: &'a Client,
    /// Where they go.
    pub store: &'a Store,
    /// Who is told.
    pub progress: &'a Progress,
    /// Whether to refuse instead.
    pub offline: bool,
}

impl Transfers<'_> {
    /// Fetches what is not in the store yet. Pins that every mirror says are gone are given back;
    /// anything else that goes wrong is a failure with all its problems.
    pub fn fetch(&self, pins: Vec<Pin>) -> Result<Vec<Pin>> {
        let mut missing = Vec::new();
        for pin in pins {
            match self.store.find(&pin.sha256)? {
                Some(size) if pin.size.is_none_or(|pinned| pinned == size) => {}
                _ => missing.push(pin),
            }
        }
        // The same file for two platforms is one file; the largest begin first.
        missing.sort_by_key(|pin| (std::cmp::Reverse(pin.size), pin.sha256));
        missing.dedup_by_key(|pin| pin.sha256);
        if missing.is_empty() {
            return Ok(missing);
        }
        if self.offline {
            return Failure::check(missing.iter().map(offline).collect()).map(|()| Vec::new());
        }
        self.fetch_all(missing)
    }

    fn fetch_all(&self, pins: Vec<Pin>) -> Result<Vec<Pin>> {
        let total = pins.iter().map(|pin| pin.size.unwrap_or_default()).sum();
        let what = if let [one] = &pins[..] { one.name.clone() } else { format!("{} files", pins.len()) };
        let bar = self.progress.bytes("fetching", &what, total);
        let queue = Mutex::new(VecDeque::from(pins));
        let outcome = Mutex::new((Vec::new(), Vec::new()));
        std::thread::scope(|scope| {
            for _ in 0..SIDE_BY_SIDE {
                scope.spawn(|| {
                    loop {
                        let next = queue.lock().expect("no transfer panics").pop_front();
                        let Some(pin) = next else { return };
                        let fetched = self.fetch_one(&pin, &|bytes| bar.add(bytes));
                        let mut outcome = outcome.lock().expect("no transfer panics");
                        match fetched {
                            Ok(()) => {}
                            Err(failure) if failure.is(codes::PIN_GONE) => outcome.0.push(pin),
                            Err(failure) => outcome.1.extend(failure.into_problems()),
                        }
                    }
                });
            }
        });
        bar.done();
        let (mut gone, mut problems) = outcome.into_inner().expect("no transfer panics");
        problems.sort_by(|a, b| a.message.cmp(&b.message));
        gone.sort_by(|a, b| a.name.cmp(&b.name));
        Failure::check(problems).map(|()| gone)
    }

    /// Fetches one pin, whatever it takes.
    pub fn fetch_one(&self, pin: &Pin, tell: &dyn Fn(u64)) -> Result<()> {
        let addresses = self.addresses(&pin.location)?;
        let mut partial = self.store.partial(&pin.sha256)?;
        // Another hardpan may have fetched it while this one waited.
        if self.store.find(&pin.sha256)?.is_some() {
            return partial.discard();
        }
        let mut ends = Vec::new();
        for address in &addresses {
            match self.from(address, pin, &mut partial, tell)? {
                None => return partial.keep(self.store),
                Some(end) => ends.push((address, end)),
            }
        }
        if partial.length() == 0 {
            partial.discard()?;
        }
        Err(not_fetched(pin, &ends).into())
    }

    fn addresses(&self, location: &Location) -> Result<Vec<Url>> {
        let (mirrors, path) = match location {
            Location::Address(url) => return Ok(vec![url.clone()]),
            Location::Mirror(name, path) => (self.mirrors.plain(name)?, path),
            Location::Archive(name, path) => {
                let archive = self.archives.iter().find(|archive| archive.name == *name);
                let archive = archive.ok_or_else(|| {
                    Problem::new(codes::NO_MIRROR, format!("the recipe does not name the archive {name}"))
                })?;
                (self.mirrors.of(archive)?, path)
            }
        };
        Ok(mirrors.iter().map(|mirror| mirror.url.join(path)).collect())
    }

    /// Tries one address; `None` when the pin is whole.
    fn from(
        &self,
        address: &Url,
        pin: &Pin,
        partial: &mut Partial,
        tell: &dyn Fn(u64),
    ) -> Result<Option<Ended>> {
        let mut last = String::new();
        let mut tries = 0;
        // Bytes that were here before may be another mirror's, or damaged.
        let mut inherited = partial.length() > 0;
        // Where a server can't go on in the middle, one transfer must have the time for all of it.
        let mut resumes = true;
        while tries < TRIES {
            if tries > 0 {
                pause(Duration::from_millis(250 << tries));
            }
            let before = partial.length();
            let end = match self.attempt(address, pin, partial, tell, &mut resumes)? {
                Attempt::Whole => match Self::judge(pin, partial)? {
                    Some(_) if std::mem::take(&mut inherited) => continue,
                    end => return Ok(end),
                },
                Attempt::Ended(end) => return Ok(Some(end)),
                Attempt::Cut(why) => why,
            };
            // A slow transfer that still brings enough goes on without counting as a try.
            if partial.length().saturating_sub(before) < self.client.least_progress() {
                tries += 1;
            }
            last = end;
        }
        Ok(Some(Ended::Failed(last)))
    }

    fn judge(pin: &Pin, partial: &mut Partial) -> Result<Option<Ended>> {
        let (found, size) = (partial.digest(), partial.length());
        if found == pin.sha256 && pin.size.is_none_or(|pinned| pinned == size) {
            return Ok(None);
        }
        partial.clear()?;
        Ok(Some(Ended::Mismatch(format!("sha256 {found}, {size} bytes"))))
    }

    fn attempt(
        &self,
        address: &Url,
        pin: &Pin,
        partial: &mut Partial,
        tell: &dyn Fn(u64),
        resumes: &mut bool,
    ) -> Result<Attempt> {
        let bytes = pin.size.unwrap_or(MAX_UNKNOWN);
        if pin.size.is_some_and(|size| partial.length() >= size) {
            return Ok(Attempt::Whole);
        }
        let limits = Limits { bytes, resumes: *resumes };
        let body = match self.client.get(address, partial.length(), limits) {
            Ok(Fetched::Body { reader, resumed, .. }) => {
                if !resumed && partial.length() > 0 {
                    *resumes = false;
                    partial.clear()?;
                }
                reader
            }
            Ok(Fetched::Missing) => return Ok(Attempt::Ended(Ended::Missing)),
            Ok(Fetched::Refused(why)) => return Ok(Attempt::Ended(Ended::Failed(why))),
            Ok(Fetched::Later(status)) => return Ok(Attempt::Cut(format!("status {status}"))),
            Err(error) => return Ok(Attempt::Cut(error.to_string())),
        };
        self.copy(body, pin, partial, tell)
    }

    fn copy(
        &self,
        mut body: Box<dyn io::Read + Send>,
        pin: &Pin,
        partial: &mut Partial,
        tell: &dyn Fn(u64),
    ) -> Result<Attempt> {
        let mut buffer = vec![0; 64 << 10];
        loop {
            match body.read(&mut buffer) {
                Ok(0) if pin.size.is_some_and(|size| partial.length() < size) => {
                    return Ok(Attempt::Cut(format!("it ended after {} bytes", partial.length())));
                }
                Ok(0) => return Ok(Attempt::Whole),
                Ok(got) => {
                    let written = partial.write_all(&buffer[..got]);
                    written
                        .map_err(|error| crate::host::file_problem("writing", self.store.root(), &error))?;
                    tell(got as u64);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Longer than it should be: what came is not what was pinned, whatever follows.
                Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                    partial.clear()?;
                    return Ok(Attempt::Ended(Ended::Mismatch(error.to_string())));
                }
                Err(error) => return Ok(Attempt::Cut(error.to_string())),
            }
        }
    }
}

enum Attempt {
    Whole,
    Cut(String),
    Ended(Ended),
}

fn offline(pin: &Pin) -> Problem {
    Problem::new(
        codes::OFFLINE,
        format!("{} is not in the store, and `--offline` forbids to fetch it", pin.name),
    )
    .help("run the same command once without `--offline`")
}

fn not_fetched(pin: &Pin, ends: &[(&Url, Ended)]) -> Problem {
    let mismatch = ends.iter().any(|(_, end)| matches!(end, Ended::Mismatch(_)));
    let gone = ends.iter().all(|(_, end)| matches!(end, Ended::Missing));
    let size = pin.size.map(|size| format!(", {size} bytes")).unwrap_or_default();
    let mut problem = if mismatch {
        Problem::new(codes::DIGEST_MISMATCH, format!("{} is not what was pinned", pin.name))
            .expected(format!("sha256 {}{size}", pin.sha256))
            .help("a mirror that gives other bytes is broken or hostile: try another one")
    } else if gone {
        Problem::new(codes::PIN_GONE, format!("{} is gone from every mirror", pin.name))
            .help("move the pin: `hardpan lock --update PACKAGE`, or build without `--locked`")
    } else {
        Problem::new(codes::NOT_FETCHED, format!("{} could not be fetched", pin.name))
            .help("try again later, or name another mirror: `hardpan mirrors` shows what is used")
    };
    for (address, end) in ends {
        let (name, why) = match end {
            Ended::Missing => ("tried", "there is no such file"),
            Ended::Mismatch(found) => ("found", found.as_str()),
            Ended::Failed(why) => ("tried", why.as_str()),
        };
        problem = problem.fact(name, format!("{address}: {why}"));
    }
    problem
}
