//! Identity tokens (OpenID Connect): where they come from, and what we read of them.
//!
//! A token is sent to the certificate authority and nowhere else, and shown nowhere. Its signature is
//! the authority's to check; what is read here serves to ask for the right thing and to fail early.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use zeroize::Zeroizing;

use super::service::Service;
use crate::diag::{Problem, Result, codes};
use crate::host;
use crate::ident::Epoch;

/// Holds a token.
const VARIABLE: &str = "SIGSTORE_ID_TOKEN";
/// Where a workflow of GitHub's gets a token, and what lets it.
const REQUEST_URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
const REQUEST_TOKEN: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";
/// For whom the token is.
const AUDIENCE: &str = "sigstore";

/// Where tokens come from; each is taken when it is needed, for they don't live long.
#[derive(Debug)]
pub(super) enum Source {
    /// A file.
    File(PathBuf),
    /// An environment variable.
    Variable,
    /// The service of the system that this runs on.
    Ambient(Service),
}

/// A token, and what it says.
pub(super) struct Token {
    pub text: Zeroizing<String>,
    /// Whose: a mail address, or what the issuer calls it.
    pub subject: String,
    pub issuer: String,
}

impl Source {
    /// The file that was named, else what the environment has.
    pub(super) fn find(file: Option<&PathBuf>, service: impl FnOnce(String) -> Service) -> Result<Self> {
        if let Some(file) = file {
            return Ok(Self::File(file.clone()));
        }
        if host::variable(VARIABLE).is_some() {
            return Ok(Self::Variable);
        }
        if let (Some(url), Some(_)) = (host::variable(REQUEST_URL), host::variable(REQUEST_TOKEN)) {
            return Ok(Self::Ambient(service(url)));
        }
        Err(Problem::new(codes::TOKEN, "there is no identity token to sign with")
            .found(format!("neither `--identity-token` nor {VARIABLE}, and no workflow that may ask for one"))
            .help("get one from your identity provider, for the audience `sigstore`: `--identity-token FILE`")
            .into())
    }

    /// A token that has not expired.
    pub(super) fn take(&self, now: Epoch) -> Result<Token> {
        let text = match self {
            Self::File(path) => text(&host::read_secret(path)?),
            Self::Variable => text(&host::secret_variable(VARIABLE).unwrap_or_default()),
            Self::Ambient(service) => Some(ambient(service)?),
        };
        let Some((text, claims)) = text.and_then(|text| Claims::read(&text).map(|claims| (text, claims)))
        else {
            return Err(Problem::new(codes::TOKEN, "the identity token does not read as one")
                .expected("three parts of base64 with dots between, the second with iss, sub and exp")
                .into());
        };
        if !claims.verified {
            let problem = Problem::new(codes::TOKEN, "the identity token's mail address was not verified");
            return Err(problem.found(claims.subject).into());
        }
        if claims.expires <= now {
            return Err(Problem::new(codes::TOKEN, "the identity token has expired")
                .found(format!("a token until {}", claims.expires))
                .expected(format!("one that is good at {now}"))
                .help("get a new one; each is good for some minutes only")
                .into());
        }
        Ok(Token { text, subject: claims.subject, issuer: claims.issuer })
    }
}

/// What is read of a token.
struct Claims {
    subject: String,
    issuer: String,
    expires: Epoch,
    verified: bool,
}

impl Claims {
    fn read(token: &str) -> Option<Self> {
        let parts: Vec<&str> = token.split('.').collect();
        let [_, claims, _] = parts[..] else { return None };
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let email = text("email");
        let yes = |value: &Value| value.as_bool() == Some(true) || value.as_str() == Some("true");
        Some(Self {
            subject: email.or_else(|| text("sub"))?.to_owned(),
            issuer: text("iss")?.to_owned(),
            expires: Epoch(claims.get("exp")?.as_i64()?),
            verified: email.is_none() || claims.get("email_verified").is_some_and(yes),
        })
    }
}

/// A token's letters, without the end of its line.
fn text(bytes: &[u8]) -> Option<Zeroizing<String>> {
    let text = str::from_utf8(bytes).ok()?.trim();
    text.bytes().all(|byte| byte.is_ascii_graphic()).then(|| Zeroizing::new(text.to_owned()))
}

fn ambient(service: &Service) -> Result<Zeroizing<String>> {
    let bearer = Zeroizing::new(host::variable(REQUEST_TOKEN).unwrap_or_default());
    let answer = Zeroizing::new(service.get(&format!("&audience={AUDIENCE}"), &bearer)?);
    let value: Option<Value> = serde_json::from_slice(&answer).ok();
    let token = value.as_ref().and_then(|value| value.get("value")).and_then(Value::as_str);
    token.and_then(|token| text(token.as_bytes())).ok_or_else(|| service.lied("no token").into())
}
