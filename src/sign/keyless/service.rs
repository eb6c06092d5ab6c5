//! Asking a service: with patience, a few times, and without going where it points.

use std::io;
use std::time::Duration;

use crate::diag::{Failure, Problem, Result, codes};
use crate::host::{self, Body, Http, HttpRequest};

/// The most bytes of an answer.
const MOST: u64 = 4 << 20;

/// The most letters of what a service says of its refusal.
const SAID: usize = 300;

/// How long to wait before a service that failed is asked again.
const PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_millis(800)];

/// A service under an address.
#[derive(Debug)]
pub(super) struct Service {
    http: Http,
    /// What it is, in words.
    what: &'static str,
    url: String,
}

/// What it answered.
pub(super) struct Said {
    pub status: u16,
    /// Where it points.
    pub location: Option<String>,
    pub bytes: Vec<u8>,
}

impl Service {
    pub(super) fn new(what: &'static str, url: String, patience: Duration) -> Self {
        Self { http: Http::new(patience), what, url }
    }

    /// Sends `body` to a path, and gives back what is answered with one of the statuses that are `fine`.
    pub(super) fn post(&self, path: &str, kind: &str, body: &[u8], fine: &[u16]) -> Result<Said> {
        let wanted = kind.replace("timestamp-query", "timestamp-reply");
        let headers = [("content-type", kind.to_owned()), ("accept", wanted)];
        let said = self.ask("POST", path, &headers, Some(body))?;
        if fine.contains(&said.status) { Ok(said) } else { Err(self.refused(&said)) }
    }

    /// What is at a path; `bearer` may be nothing.
    pub(super) fn get(&self, path: &str, bearer: &str) -> Result<Vec<u8>> {
        let mut headers = vec![("accept", "application/json".to_owned())];
        if !bearer.is_empty() {
            headers.push(("authorization", format!("Bearer {bearer}")));
        }
        let said = self.ask("GET", path, &headers, None)?;
        if said.status == 200 { Ok(said.bytes) } else { Err(self.refused(&said)) }
    }

    fn ask(
        &self,
        method: &'static str,
        path: &str,
        headers: &[(&'static str, String)],
        body: Option<&[u8]>,
    ) -> Result<Said> {
        let url = format!("{}{path}", self.url);
        let mut pauses = PAUSES.iter();
        loop {
            let body = body.map_or(Body::None, Body::Bytes);
            let answer = self.http.send(HttpRequest { method, url: &url, headers, body, limit: MOST });
            let said = answer.and_then(|answer| {
                let (status, location) = (answer.status, answer.header("location").map(str::to_owned));
                Ok(Said { status, location, bytes: answer.bytes()? })
            });
            let may_pass = match &said {
                Ok(said) => said.status == 429 || said.status >= 500,
                Err(error) => !matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::FileTooLarge),
            };
            let Some(pause) = pauses.next().filter(|_| may_pass) else {
                return said
                    .map_err(|error| self.failed("could not be talked to").fact("cause", error).into());
            };
            host::pause(*pause);
        }
    }

    fn failed(&self, how: &str) -> Problem {
        // What stands behind a question mark may be secret.
        let shown = self.url.split('?').next().unwrap_or_default();
        Problem::new(codes::KEYLESS, format!("the {} {how}", self.what)).fact("at", shown)
    }

    fn refused(&self, said: &Said) -> Failure {
        let text = String::from_utf8_lossy(&said.bytes);
        let text: String = text.trim().chars().take(SAID).flat_map(char::escape_debug).collect();
        let problem = self.failed("refused").found(format!("status {}", said.status));
        let problem = if text.is_empty() { problem } else { problem.fact("it said", text) };
        let help = match said.status {
            401 | 403 => "the identity token may have expired, or be for another audience: get a new one",
            413 => "the statement is too large for this log; one of version 2 takes its hash only",
            _ => "`hardpan explain HP106` says what is asked of it",
        };
        problem.help(help).into()
    }

    /// That its answer is not what it should be.
    pub(super) fn lied(&self, found: impl ToString) -> Problem {
        self.failed("answered with what does not verify").found(found).help(
            "is the trusted root the one of this instance? `hardpan explain HP106` says what is checked",
        )
    }
}
