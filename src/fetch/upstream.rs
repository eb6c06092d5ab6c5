//! Release files and indices, for the lock room: fetched from mirrors, kept in the store.

use std::io::Read;

use super::transfer::{Location, Pin, Transfers};
use crate::canon::{self, Codec};
use crate::diag::{Failure, Problem, Result, codes};
use crate::host::{Fetched, Limits, Url, pause};
use crate::ident::Sha256;
use crate::lock::{Archive, IndexPart, Release, Upstream};
use crate::store::Store;

/// The largest release file that is taken, in bytes.
const MAX_RELEASE: u64 = 32 << 20;

/// The kind under which the store keeps which release file of a suite was last accepted.
const LAST: &str = "releases";

/// Asks mirrors, or offline the store.
pub struct ArchiveUpstream<'a> {
    /// How things are fetched.
    pub transfers: Transfers<'a>,
}

fn last_key(archive: &Archive, suite: &str) -> Sha256 {
    Sha256::of(format!("{}\n{suite}", archive.name).as_bytes())
}

impl Upstream for ArchiveUpstream<'_> {
    fn release(
        &self,
        archive: &Archive,
        suite: &str,
        check: &dyn Fn(&[u8]) -> Result<Release>,
    ) -> Result<Release> {
        let store = self.transfers.store;
        if self.transfers.offline {
            return self.stored_release(archive, suite, check);
        }
        let mut first: Option<Failure> = None;
        for mirror in self.transfers.mirrors.of(archive)? {
            let address = mirror.url.join(&format!("dists/{suite}/InRelease"));
            let checked = self.small(&address).and_then(|bytes| Ok((check(&bytes)?, bytes)));
            match checked {
                Ok((release, bytes)) => {
                    let digest = store.put(&bytes)?;
                    store.write_derived(LAST, &last_key(archive, suite), digest.to_string().as_bytes())?;
                    return Ok(release);
                }
                // What a mirror gives and is refused says more than what it does not give.
                Err(failure) => {
                    let failure = failure.fact("mirror", &mirror.url);
                    let worse = first.as_ref().is_none_or(|first| first.is(codes::NOT_FETCHED));
                    first = if worse { Some(failure) } else { first };
                }
            }
        }
        Err(first.expect("there is at least one mirror"))
    }

    fn index(
        &self,
        archive: &Archive,
        suite: &str,
        part: &IndexPart,
        by_hash: bool,
    ) -> Result<Box<dyn Read + Send>> {
        let folder = format!("dists/{suite}");
        let plain = format!("{folder}/{}", part.path);
        let hashed = part
            .path
            .rsplit_once('/')
            .map(|(parent, _)| format!("{folder}/{parent}/by-hash/SHA256/{}", part.sha256));
        let paths = hashed.filter(|_| by_hash).into_iter().chain([plain]);
        let pin = |path: String| Pin {
            name: format!("the index {} of suite {suite} of archive {}", part.path, archive.name),
            location: Location::Archive(archive.name.clone(), path),
            sha256: part.sha256,
            size: Some(part.size),
        };
        let mut gone = Vec::new();
        for path in paths {
            // By digest first: the plain path changes under one's feet while a mirror is updated.
            gone = self.transfers.fetch(vec![pin(path)])?;
            if gone.is_empty() {
                break;
            }
        }
        if let Some(pin) = gone.first() {
            let what = format!("{} is on no mirror", pin.name);
            return Err(Problem::new(codes::NOT_FETCHED, what)
                .help("the mirror is being updated: try again in a few minutes")
                .into());
        }
        let reader = stored_index(self.transfers.store, &part.sha256, &part.path)?;
        reader.ok_or_else(|| {
            Problem::new(codes::CORRUPT, format!("the index {} is gone from the store", part.path)).into()
        })
    }
}

/// An index or release file of the store, decompressed as its name's ending says; `None` if it is
/// not there.
pub fn stored_index(store: &Store, sha256: &Sha256, path: &str) -> Result<Option<Box<dyn Read + Send>>> {
    if store.find(sha256)?.is_none() {
        return Ok(None);
    }
    let blob = store.open_blob(sha256)?;
    let name = path.rsplit('/').next().unwrap_or(path);
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let codec = Codec::of_extension(ending).unwrap_or(Codec::Plain);
    let reader = canon::decoder(codec, blob);
    reader.map(Some).map_err(|error| {
        Problem::new(codes::BAD_INDEX, format!("{path} can't be read")).fact("cause", error).into()
    })
}

impl ArchiveUpstream<'_> {
    fn stored_release(
        &self,
        archive: &Archive,
        suite: &str,
        check: &dyn Fn(&[u8]) -> Result<Release>,
    ) -> Result<Release> {
        let store = self.transfers.store;
        let last = store.read_derived(LAST, &last_key(archive, suite))?;
        let digest = last.and_then(|text| String::from_utf8(text).ok()?.parse().ok());
        let missing = || {
            let what = format!(
                "the release file of suite {suite} of archive {} is not in the store, and `--offline` forbids to fetch it",
                archive.name
            );
            Problem::new(codes::OFFLINE, what).help("run the same command once without `--offline`")
        };
        check(&store.read_blob(&digest.ok_or_else(missing)?)?)
    }

    /// A small file whose digest nobody knows yet.
    fn small(&self, address: &Url) -> Result<Vec<u8>> {
        let mut last = String::new();
        for attempt in 0..3 {
            if attempt > 0 {
                pause(std::time::Duration::from_millis(250 << attempt));
            }
            match self.transfers.client.get(address, 0, Limits { bytes: MAX_RELEASE, resumes: true }) {
                Ok(Fetched::Body { mut reader, .. }) => {
                    let mut bytes = Vec::new();
                    match reader.read_to_end(&mut bytes) {
                        Ok(_) => return Ok(bytes),
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
}

fn not_had(address: &Url, why: &str) -> Problem {
    let name = address.to_string();
    Problem::new(codes::NOT_FETCHED, format!("`{name}` could not be fetched"))
        .fact("cause", why)
        .help("try again later, or name another mirror: `hardpan mirrors` shows what is used")
}
