//! Who is asking: what one registry was told, and the tokens that it gave for it.
//!
//! Nothing is said before it is asked for. A token is kept for each set of repositories, and had anew
//! when the registry does not take it any more.

use std::collections::BTreeMap;
use std::sync::Mutex;

use base64::Engine as _;
use serde::Deserialize;

use super::access::{Access, MAX_SMALL};
use super::address::{Address, encoded};
use super::challenge::{self, Challenge};
use super::credentials::{Credential, Found};
use super::failure::words;
use crate::diag::{Problem, Result};
use crate::host::{Body, HttpAnswer, HttpRequest};
use crate::ident::Repository;

/// The state of one registry's asking.
#[derive(Default)]
pub(super) struct Session(Mutex<State>);

#[derive(Default)]
struct State {
    challenge: Option<Challenge>,
    /// Looked for once, when first asked.
    looked: bool,
    found: Option<Found>,
    /// By what they allow.
    tokens: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct WireToken {
    token: Option<String>,
    access_token: Option<String>,
}

impl Session {
    /// What is said without being asked, because it was asked before.
    pub(super) fn authorization(&self, scope: &str) -> Option<String> {
        let state = self.0.lock().expect("asking does not panic");
        match state.challenge.as_ref()? {
            Challenge::Basic => basic(state.found.as_ref()?),
            Challenge::Bearer { .. } => state.tokens.get(scope).map(|token| format!("Bearer {token}")),
        }
    }

    /// Who was named, for people.
    pub(super) fn told(&self, access: &Access) -> String {
        let state = self.0.lock().expect("asking does not panic");
        match state.found.as_ref() {
            Some(Found { credential: Credential::Basic(user, _), from }) => format!("{user}, from {from}"),
            Some(Found { from, .. }) => format!("a token from {from}"),
            None => format!("none found in {}", access.files().looked_at()),
        }
    }

    /// Takes up what a 401 asks for; `used` is what was said with the request. Whether there is something
    /// else to be said now.
    pub(super) fn renew(
        &self,
        access: &Access,
        repository: &Repository,
        scope: &str,
        answer: &HttpAnswer,
        used: Option<&str>,
    ) -> Result<bool> {
        let Some(wanted) = challenge::choose(answer.all("www-authenticate")) else { return Ok(false) };
        let mut state = self.0.lock().expect("asking does not panic");
        let state = &mut *state;
        if !state.looked {
            state.found = access.files().find(repository)?;
            state.looked = true;
        }
        let found = state.found.clone();
        state.challenge = Some(wanted.clone());
        match wanted {
            Challenge::Basic => {
                let said = found.as_ref().and_then(basic);
                Ok(said.is_some() && said.as_deref() != used)
            }
            Challenge::Bearer { realm, service } => {
                // Another worker may have had a new one meanwhile.
                let kept = state.tokens.get(scope).map(|token| format!("Bearer {token}"));
                if kept.is_some() && kept.as_deref() != used {
                    return Ok(true);
                }
                let ask = Asking { access, repository, scope, realm: &realm, service: service.as_deref() };
                let Some(token) = ask.token(found.as_ref())? else { return Ok(false) };
                state.tokens.insert(scope.to_owned(), token);
                Ok(true)
            }
        }
    }
}

fn basic(found: &Found) -> Option<String> {
    match &found.credential {
        Credential::Basic(user, password) => {
            let engine = base64::engine::general_purpose::STANDARD;
            Some(format!("Basic {}", engine.encode(format!("{user}:{password}"))))
        }
        // Only a server of tokens knows what to do with it.
        Credential::Identity(_) => None,
    }
}

/// One request for a token.
struct Asking<'a> {
    access: &'a Access,
    repository: &'a Repository,
    scope: &'a str,
    realm: &'a str,
    service: Option<&'a str>,
}

impl Asking<'_> {
    fn failed(&self) -> Problem {
        let what = format!("getting a token for {} failed", self.repository);
        Problem::new(self.access.purpose().failed(), what).fact(
            "address",
            super::failure::clean(self.realm.as_bytes()).split('?').next().unwrap_or_default(),
        )
    }

    /// A new token; `None` where the server refuses to give one.
    fn token(&self, found: Option<&Found>) -> Result<Option<String>> {
        let realm = Address::parse(self.realm).map_err(|why| self.failed().found(why))?;
        if !self.access.may_visit(self.repository, &realm) {
            return Err(self
                .failed()
                .found("the registry sends credentials over plain http")
                .help("if nobody can listen on the way, say `--plain-http`")
                .into());
        }
        let answer = self.access.insist(&|| self.ask(&realm, found), &|| self.failed())?;
        match answer.status {
            200 => self.read(answer).map(Some),
            400 | 401 | 403 => Ok(None),
            status => {
                let said = words(answer);
                Err(self.failed().found(format!("status {status} {said}").trim()).into())
            }
        }
    }

    fn ask(&self, realm: &Address, found: Option<&Found>) -> std::io::Result<HttpAnswer> {
        if let Some(Credential::Identity(token)) = found.map(|found| &found.credential) {
            return self.exchange(realm, token);
        }
        let mut address = realm.clone();
        if let Some(service) = self.service {
            address = address.with("service", service);
        }
        for scope in self.scope.split(' ') {
            address = address.with("scope", scope);
        }
        let headers: Vec<_> = found.and_then(basic).map(|said| ("authorization", said)).into_iter().collect();
        let url = address.secret();
        let request =
            HttpRequest { method: "GET", url: &url, headers: &headers, body: Body::None, limit: MAX_SMALL };
        self.access.http().send(request)
    }

    /// Exchanges a token that lives long (distribution's `OAuth2` specification).
    fn exchange(&self, realm: &Address, token: &str) -> std::io::Result<HttpAnswer> {
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", token),
            ("client_id", "hardpan"),
            ("service", self.service.unwrap_or_default()),
            ("scope", self.scope),
        ];
        let form: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let form = form.join("&");
        let headers = [("content-type", "application/x-www-form-urlencoded".to_owned())];
        let url = realm.secret();
        let body = Body::Bytes(form.as_bytes());
        let request = HttpRequest { method: "POST", url: &url, headers: &headers, body, limit: MAX_SMALL };
        self.access.http().send(request)
    }

    /// The answer is secret: what is wrong with it is not said in its own words.
    fn read(&self, answer: HttpAnswer) -> Result<String> {
        let bytes = answer.bytes().map_err(|error| self.failed().fact("cause", error))?;
        let wire: Option<WireToken> = serde_json::from_slice(&bytes).ok();
        let token = wire.and_then(|wire| wire.token.or(wire.access_token));
        // A line feed in it would write headers of its own.
        let fine = |token: &String| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        Ok(token.filter(fine).ok_or_else(|| self.failed().found("there is no token in the answer"))?)
    }
}
