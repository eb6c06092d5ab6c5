//! Reading from `http`, `https` and `file` addresses, under limits of time and space.

use std::fmt;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use ureq::tls::{RootCerts, TlsConfig};

use crate::ident::Epoch;

/// An address: `http://…`, `https://…` or `file:///…`, without a slash at its end. User name and
/// password in it are not shown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Url(String);

impl FromStr for Url {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // apt writes `file:/path`.
        let single = text.strip_prefix("file:/").filter(|rest| !rest.starts_with('/'));
        let text = single.map_or_else(|| text.to_owned(), |rest| format!("file:///{rest}"));
        let text = text.trim_end_matches('/');
        let rest =
            ["http://", "https://", "file://"].into_iter().find_map(|scheme| text.strip_prefix(scheme));
        // A folder's name may hold blanks and other letters; what goes over the network may not.
        let local = text.starts_with("file://") && !text.contains(char::is_control);
        let fine = local || text.bytes().all(|byte| byte.is_ascii_graphic());
        match rest {
            Some(_) if !fine => {
                Err(format!("`{text}` has a blank, a control character or a letter that is not ASCII in it"))
            }
            Some(rest) if !rest.is_empty() => Ok(Self(text.to_owned())),
            _ => Err(format!("`{text}` is not an address that begins with http://, https:// or file://")),
        }
    }
}

impl Url {
    /// The address of something below this one.
    #[must_use]
    pub fn join(&self, path: &str) -> Self {
        Self(format!("{}/{}", self.0, path.trim_start_matches('/')))
    }

    /// The path on this machine, for `file` addresses.
    pub fn local(&self) -> Option<PathBuf> {
        self.0.strip_prefix("file://").map(PathBuf::from)
    }

    /// The last part of the path, without query.
    pub fn file_name(&self) -> &str {
        let path = self.0.split(['?', '#']).next().unwrap_or_default();
        path.rsplit('/').next().unwrap_or_default()
    }

    /// The address with what may be secret in it.
    pub fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = self.0.split_once("://").unwrap_or_default();
        let host_end = rest.find('/').unwrap_or(rest.len());
        match rest[..host_end].rfind('@') {
            Some(at) => write!(f, "{scheme}://***@{}", &rest[at + 1..]),
            None => f.write_str(&self.0),
        }
    }
}

/// How long one transfer may take and how much it may bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes that are taken; a body that goes on is an error.
    pub bytes: u64,
    /// Whether the caller will go on where a transfer ended: then each gets the client's patience,
    /// so that a stall is seen soon; else it gets the time that its size explains as well.
    pub resumes: bool,
}

/// What came of asking.
pub enum Fetched {
    /// The body, from the asked-for byte on if `resumed`, else from its beginning.
    Body {
        /// Ends with an error where the body is longer than its limit or the time is over.
        reader: Box<dyn Read + Send>,
        /// Whether the server honoured the offset.
        resumed: bool,
        /// When it was last changed, where the server says (`Last-Modified`), or of a file.
        modified: Option<Epoch>,
    },
    /// There is no such thing there (404, 410, or no such file).
    Missing,
    /// The server is busy or broken in a way that may pass (408, 429, 5xx): its status.
    Later(u16),
    /// Refused for good: what was said.
    Refused(String),
}

/// A client with one pool of connections.
#[derive(Debug, Clone)]
pub struct Client {
    agent: ureq::Agent,
    patience: Duration,
}

/// The most seconds that a transfer may take which can't go on where it ended.
pub(super) const LONGEST: u64 = 3_600;

/// Below this many bytes a second on the whole, a transfer is given up.
pub(super) const LEAST_RATE: u64 = 16 << 10;

impl Client {
    /// `patience` is what a server may take to answer, and what a transfer may take beside the time
    /// that its size explains.
    pub fn new(patience: Duration) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_connect(Some(patience.min(Duration::from_secs(10))))
            .timeout_recv_response(Some(patience))
            .timeout_resolve(Some(patience))
            .http_status_as_error(false)
            // A mirror inside a company has a certificate of that company's, which the system knows.
            .tls_config(TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build())
            .max_redirects(5)
            .user_agent(concat!("hardpan/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { agent: config.into(), patience }
    }

    /// Bytes that a transfer brings within the patience if it is worth going on with.
    pub fn least_progress(&self) -> u64 {
        LEAST_RATE * self.patience.as_secs().max(1)
    }

    /// Asks for `url`, from byte `offset` on. An error is one of the network and may pass.
    pub fn get(&self, url: &Url, offset: u64, limits: Limits) -> io::Result<Fetched> {
        match url.local() {
            Some(path) => open_local(&path, offset, limits),
            None => self.get_remote(url, offset, limits),
        }
    }

    fn get_remote(&self, url: &Url, offset: u64, limits: Limits) -> io::Result<Fetched> {
        let whole = if limits.resumes { 0 } else { (limits.bytes / LEAST_RATE).min(LONGEST) };
        let time = self.patience + Duration::from_secs(whole);
        let mut request = self.agent.get(url.secret()).config().timeout_recv_body(Some(time)).build();
        if offset > 0 {
            request = request.header("range", format!("bytes={offset}-"));
        }
        let response = request.call().map_err(ureq::Error::into_io)?;
        let status = response.status().as_u16();
        match status {
            200 | 206 => {
                let resumed = status == 206 && starts_at(&response, offset);
                let left = if resumed { limits.bytes.saturating_sub(offset) } else { limits.bytes };
                let modified = response.headers().get("last-modified").and_then(|value| value.to_str().ok());
                let modified = modified.and_then(|text| Epoch::from_release_date(text).ok());
                let reader = Bounded { inner: response.into_body().into_reader(), left };
                Ok(Fetched::Body { reader: Box::new(reader), resumed, modified })
            }
            404 | 410 => Ok(Fetched::Missing),
            // The partial file is longer than what the server has: begin again.
            416 if offset > 0 => self.get_remote(url, 0, limits),
            408 | 425 | 429 | 500..=599 => Ok(Fetched::Later(status)),
            _ => Ok(Fetched::Refused(format!("status {status}"))),
        }
    }
}

fn starts_at(response: &ureq::http::Response<ureq::Body>, offset: u64) -> bool {
    let range = response.headers().get("content-range").and_then(|value| value.to_str().ok());
    range.is_some_and(|range| range.starts_with(&format!("bytes {offset}-")))
}

fn open_local(path: &std::path::Path, offset: u64, limits: Limits) -> io::Result<Fetched> {
    let mut file = match std::fs::File::open(path) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Fetched::Missing);
        }
        Err(error) => return Ok(Fetched::Refused(error.to_string())),
        Ok(file) => file,
    };
    let facts = file.metadata()?;
    if !facts.is_file() {
        return Ok(Fetched::Refused("not a regular file".into()));
    }
    file.seek(SeekFrom::Start(offset))?;
    let reader = Box::new(Bounded { inner: file, left: limits.bytes.saturating_sub(offset) });
    Ok(Fetched::Body {
        reader,
        resumed: offset > 0,
        modified: facts.modified().ok().map(super::files::epoch),
    })
}

/// A reader that fails, rather than ends, where more comes than is allowed.
pub(super) struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R> Bounded<R> {
    pub(super) fn new(inner: R, left: u64) -> Self {
        Self { inner, left }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(got as u64).ok_or_else(|| {
            io::Error::new(io::ErrorKind::FileTooLarge, "the body is longer than it was said to be")
        })?;
        Ok(got)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_hide_what_is_secret() {
        let url: Url = "https://me:word@mirror.example/debian/".parse().expect("an address");
        assert_eq!(url.to_string(), "https://***@mirror.example/debian");
        assert_eq!(url.join("/dists/x").secret(), "https://me:word@mirror.example/debian/dists/x");
        assert_eq!(url.join("a/b.tar.xz?x=/1").file_name(), "b.tar.xz");
        for text in ["", "ftp://x", "http://", "mirror.example", "http://a b"] {
            assert!(text.parse::<Url>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_body_that_goes_on_is_an_error_and_one_that_fits_is_not() {
        let read =
            |bytes: &'static [u8], left| io::copy(&mut Bounded { inner: bytes, left }, &mut io::sink());
        assert_eq!(read(b"abc", 3).expect("fits"), 3);
        assert!(read(b"abcd", 3).is_err());
    }
}
