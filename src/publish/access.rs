//! Speaking with registries: patience, redirects, and who may hear what.
//!
//! Credentials go to the registry that they are for, and to the server of tokens that it names, and
//! nowhere else: redirects and upload addresses on other servers are visited without. Plain http is
//! spoken only with a registry on this machine, or where a flag allows it; nothing that began with
//! https goes on without.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::address::Address;
use super::credentials::CredentialFiles;
use super::failure::{Purpose, words};
use super::session::Session;
use crate::diag::{Problem, Result};
use crate::host::{self, Body, Http, HttpAnswer, HttpRequest};
use crate::ident::{Epoch, Registry, Repository, is_loopback};

/// The most that is taken of an answer that is not a blob: manifests have 4 MiB at most (distribution
/// specification, "Pushing Manifests").
pub(super) const MAX_SMALL: u64 = 4 << 20;

/// Tries where waiting may help.
const TRIES: u32 = 4;

/// Redirects that are followed.
const HOPS: usize = 5;

/// How registries are spoken with.
pub struct Access {
    http: Http,
    files: CredentialFiles,
    plain_http: bool,
    purpose: Purpose,
    sessions: Mutex<BTreeMap<Registry, Arc<Session>>>,
}

/// A reader of what is sent, from its beginning: it may be needed again.
pub(super) type Opener<'a> = &'a dyn Fn() -> Result<Box<dyn io::Read + 'a>>;

/// What is sent.
#[derive(Clone, Copy)]
pub(super) enum Payload<'a> {
    None,
    Bytes(&'a [u8]),
    Stream(Opener<'a>, u64),
}

/// One thing that is asked of a registry.
pub(super) struct Call<'a> {
    /// What is being done, for people: `asking for the blob …`.
    pub(super) step: String,
    pub(super) method: &'static str,
    pub(super) address: Address,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) payload: Payload<'a>,
    /// The most that the answer may bring.
    pub(super) limit: u64,
    /// Another repository whose blobs are read with it.
    pub(super) also: Option<&'a Repository>,
    /// Whether it can be asked again when the answer was lost.
    pub(super) again: bool,
}

/// An error of our own that travels through the client's: what was to be sent is not what it was.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.message)]
pub(super) struct Spoiled(pub(super) Problem);

/// The way a request ended that may be tried again.
pub(super) enum Ended {
    Answer(HttpAnswer),
    Network(io::Error),
}

impl Access {
    /// `plain_http` allows plain http with registries that are not on this machine.
    pub fn new(http: Http, files: CredentialFiles, plain_http: bool, purpose: Purpose) -> Self {
        Self { http, files, plain_http, purpose, sessions: Mutex::default() }
    }

    pub(super) fn http(&self) -> &Http {
        &self.http
    }

    pub(super) fn files(&self) -> &CredentialFiles {
        &self.files
    }

    pub(super) fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// The root of a registry's addresses.
    pub(super) fn base(&self, registry: &Registry) -> Address {
        let https = !(self.plain_http || registry.is_loopback());
        // Docker's registry answers under another name than the one in references.
        let host = if registry.as_str() == "docker.io" { "registry-1.docker.io" } else { registry.as_str() };
        Address::new(https, host, "/v2/")
    }

    /// Whether an address that a registry gave may be visited.
    pub(super) fn may_visit(&self, repository: &Repository, address: &Address) -> bool {
        let plain = !self.base(repository.registry()).is_https();
        address.is_https() || (plain && (self.plain_http || is_loopback(address.authority())))
    }

    fn session(&self, registry: &Registry) -> Arc<Session> {
        let mut sessions = self.sessions.lock().expect("asking does not panic");
        Arc::clone(sessions.entry(registry.clone()).or_default())
    }

    /// Asks, as often as it may help. Any status that is final is an answer; who is refused gets a
    /// problem.
    pub(super) fn call(&self, repository: &Repository, call: &Call) -> Result<HttpAnswer> {
        let failed = || self.failed(repository, call);
        if call.again {
            return self.insist_on(&|| self.once(repository, call), &failed);
        }
        match self.once(repository, call)? {
            Ended::Answer(answer) => Ok(answer),
            Ended::Network(error) => Err(failed().found(error).into()),
        }
    }

    /// Asks a server that knows no sessions, as often as it may help.
    pub(super) fn insist(
        &self,
        ask: &dyn Fn() -> io::Result<HttpAnswer>,
        failed: &dyn Fn() -> Problem,
    ) -> Result<HttpAnswer> {
        let ask = || Ok(ask().map_or_else(Ended::Network, Ended::Answer));
        self.insist_on(&ask, failed)
    }

    pub(super) fn insist_on(
        &self,
        ask: &dyn Fn() -> Result<Ended>,
        failed: &dyn Fn() -> Problem,
    ) -> Result<HttpAnswer> {
        let mut tries = 0;
        loop {
            tries += 1;
            let pause = self.pause(tries);
            let (said, wait) = match ask()? {
                Ended::Answer(answer) if !may_pass(answer.status) => return Ok(answer),
                Ended::Answer(answer) => {
                    let wait = answer.header("retry-after").and_then(retry_after);
                    let status = answer.status;
                    (format!("status {status} {}", words(answer)).trim().to_owned(), wait)
                }
                Ended::Network(error) => (error.to_string(), None),
            };
            if is_about_tls(&said) {
                let help = "a registry without TLS takes `--plain-http`; one with a certificate of your own needs its root in the system";
                return Err(failed().found(said).help(help).into());
            }
            let wait = wait.unwrap_or(pause).max(pause);
            let longest = self.http.patience() * 2;
            let asks_much = wait > longest;
            if tries == TRIES || asks_much {
                let mut problem = failed().found(said).fact("tried", format!("{tries} times"));
                if asks_much {
                    problem = problem.fact("told to wait", format!("{} seconds", wait.as_secs()));
                }
                return Err(problem.help("run the same command again later: what is done stays done").into());
            }
            host::pause(wait);
        }
    }

    /// How long to leave a server alone after so many tries, where it does not say.
    pub(super) fn pause(&self, tries: u32) -> Duration {
        (self.http.patience() / 60) * (1 << tries.min(6))
    }

    /// A problem with one thing that was asked.
    pub(super) fn failed(&self, repository: &Repository, call: &Call) -> Problem {
        let what = format!("{} of {repository} failed", call.step);
        Problem::new(self.purpose.failed(), what).fact("address", format!("{} {}", call.method, call.address))
    }

    /// A problem with an answer that was not expected.
    pub(super) fn unexpected(&self, repository: &Repository, call: &Call, answer: HttpAnswer) -> Problem {
        let status = answer.status;
        self.failed(repository, call).found(format!("status {status} {}", words(answer)).trim())
    }

    /// Asks once: says who is asking if that is wanted, and follows redirects.
    pub(super) fn once(&self, repository: &Repository, call: &Call) -> Result<Ended> {
        let own = self.base(repository.registry());
        let session = self.session(repository.registry());
        let scope = self.scope(repository, call);
        let mut address = call.address.clone();
        let (mut hops, mut asked) = (0, 0);
        loop {
            let home = address.same_server(&own);
            let said = if home { session.authorization(&scope) } else { None };
            let answer = match self.send(&address, call, said.clone()) {
                Ok(answer) => answer,
                Err(error) => return spoiled(error),
            };
            match answer.status {
                401 if home && asked < 2 => {
                    asked += 1;
                    if !session.renew(self, repository, &scope, &answer, said.as_deref())? {
                        return Err(self.denied(repository, call, &session, answer).into());
                    }
                }
                401 | 403 => return Err(self.denied(repository, call, &session, answer).into()),
                301 | 302 | 303 | 307 | 308 if matches!(call.method, "GET" | "HEAD") => {
                    hops += 1;
                    address = self.hop(repository, call, &address, &answer, hops)?;
                }
                _ => return Ok(Ended::Answer(answer)),
            }
        }
    }

    fn scope(&self, repository: &Repository, call: &Call) -> String {
        let own = format!("repository:{}:{}", repository.path(), self.purpose.actions());
        match call.also {
            Some(other) => format!("{own} repository:{}:pull", other.path()),
            None => own,
        }
    }

    fn send(&self, address: &Address, call: &Call, said: Option<String>) -> io::Result<HttpAnswer> {
        let mut headers = call.headers.clone();
        headers.extend(said.map(|said| ("authorization", said)));
        let url = address.secret();
        let (method, limit) = (call.method, call.limit);
        let request =
            |body| self.http.send(HttpRequest { method, url: &url, headers: &headers, body, limit });
        match call.payload {
            Payload::None => request(Body::None),
            Payload::Bytes(bytes) => request(Body::Bytes(bytes)),
            Payload::Stream(open, length) => {
                let mut reader = open()
                    .map_err(|failure| io::Error::other(Spoiled(failure.into_problems().swap_remove(0))))?;
                request(Body::Stream(&mut *reader, length))
            }
        }
    }

    /// Where a redirect leads to.
    fn hop(
        &self,
        repository: &Repository,
        call: &Call,
        from: &Address,
        answer: &HttpAnswer,
        hops: usize,
    ) -> Result<Address> {
        let failed = |why: &str| self.failed(repository, call).found(why.to_owned());
        if hops > HOPS {
            return Err(failed(&format!("more than {HOPS} redirects")).into());
        }
        let location = answer.header("location").unwrap_or_default();
        let to = from.join(location).map_err(|why| failed(&format!("it redirects to nowhere: {why}")))?;
        if !self.may_visit(repository, &to) || (from.is_https() && !to.is_https()) {
            return Err(failed(&format!("it redirects to plain http: {to}")).into());
        }
        Ok(to)
    }

    fn denied(&self, repository: &Repository, call: &Call, session: &Session, answer: HttpAnswer) -> Problem {
        let status = answer.status;
        let what = format!("{} of {repository} was refused", call.step);
        Problem::new(self.purpose.denied(), what)
            .fact("address", format!("{} {}", call.method, call.address))
            .found(format!("status {status} {}", words(answer)).trim())
            .fact("credentials", session.told(self))
            .help(format!("`docker login {0}` or `podman login {0}` makes credentials known; the account must be allowed to do this", repository.registry()))
    }
}

/// Statuses that may pass by themselves.
fn may_pass(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500 | 502..=504 | 507..=599)
}

/// How long a server wants to be left alone (RFC 9110, 10.2.3): seconds, or a date.
fn retry_after(value: &str) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = Epoch::from_release_date(value).ok()?;
    Some(Duration::from_secs(u64::try_from(until.0 - host::now().0).unwrap_or(0)))
}

/// An error of ours is final; one of the network may pass.
fn spoiled(error: io::Error) -> Result<Ended> {
    match error.downcast::<Spoiled>() {
        Ok(Spoiled(problem)) => Err(problem.into()),
        Err(error) => Ok(Ended::Network(error)),
    }
}

/// Whether a connection failed because the server speaks no TLS, or bears a certificate that nobody here
/// knows: trying again changes neither.
fn is_about_tls(said: &str) -> bool {
    ["InvalidContentType", "certificate", "Certificate"].iter().any(|word| said.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_says_how_long_to_wait_in_seconds_or_by_a_date() {
        assert_eq!(retry_after("3"), Some(Duration::from_secs(3)));
        assert_eq!(retry_after("Sat, 12 Sep 2020 07:55:41 GMT"), Some(Duration::ZERO));
        assert_eq!(retry_after("soon"), None);
        assert_eq!(retry_after("-3"), None);
    }

    #[test]
    fn plain_http_is_for_this_machine_or_by_a_flag() {
        let access = |plain| {
            let http = Http::new(Duration::from_secs(1));
            let files = CredentialFiles::of_process(Duration::from_secs(1));
            Access::new(http, files, plain, Purpose::Pull)
        };
        let address = |text: &str| Address::parse(text).expect("an address");
        let (near, far): (Repository, Repository) =
            ("localhost:5000/a".parse().expect("one"), "r.example/a".parse().expect("one"));
        let (strict, loose) = (access(false), access(true));
        assert_eq!(strict.base(near.registry()).secret(), "http://localhost:5000/v2/");
        assert_eq!(strict.base(far.registry()).secret(), "https://r.example/v2/");
        assert_eq!(loose.base(far.registry()).secret(), "http://r.example/v2/");
        assert!(strict.may_visit(&near, &address("http://127.0.0.1:6000/x")));
        assert!(!strict.may_visit(&near, &address("http://cdn.example/x")));
        // What is far does not send anyone to this machine's own services.
        assert!(!strict.may_visit(&far, &address("http://127.0.0.1:6000/x")));
        assert!(strict.may_visit(&far, &address("https://cdn.example/x")));
        assert!(loose.may_visit(&far, &address("http://cdn.example/x")));
    }
}
