//! Names and passwords, where docker and podman keep them.
//!
//! ```text
//! $REGISTRY_AUTH_FILE                          if set
//! $DOCKER_CONFIG/config.json                   else ~/.docker/config.json
//! $XDG_RUNTIME_DIR/containers/auth.json
//! $XDG_CONFIG_HOME/containers/auth.json        else ~/.config/containers/auth.json
//! ```
//!
//! The first file that knows the registry counts. In a file, `credHelpers` comes before `credsStore`,
//! and that before `auths`. A key names a registry, or (podman) the beginning of a repository's name;
//! the longest that fits counts. Nothing is looked up before a registry asks who is there.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use serde::Deserialize;

use crate::diag::{Problem, Result, codes};
use crate::host::{self, variable};
use crate::ident::Repository;

/// What docker's own registry is called in docker's file.
const DOCKER_KEY: &str = "https://index.docker.io/v1/";

/// How a registry is told who is asking. Has no `Debug`: it is secret.
#[derive(Clone)]
pub(super) enum Credential {
    /// Name and password.
    Basic(String, String),
    /// A token that is exchanged for shorter-lived ones.
    Identity(String),
}

/// A credential, and who gave it.
#[derive(Clone)]
pub(super) struct Found {
    pub(super) credential: Credential,
    /// The file, or the helper that it names.
    pub(super) from: String,
}

/// Where credentials are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialFiles {
    files: Vec<PathBuf>,
    patience: Duration,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct WireFile {
    auths: Option<BTreeMap<String, WireAuth>>,
    cred_helpers: Option<BTreeMap<String, String>>,
    creds_store: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireAuth {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireAnswer {
    username: String,
    secret: String,
}

impl CredentialFiles {
    /// As the process's environment says; `patience` is what a helper may take.
    pub fn of_process(patience: Duration) -> Self {
        let home = variable("HOME").map(PathBuf::from);
        let folder = |name: &str, below: &str| {
            variable(name).map(PathBuf::from).or_else(|| Some(home.as_ref()?.join(below)))
        };
        let files = [
            variable("REGISTRY_AUTH_FILE").map(PathBuf::from),
            folder("DOCKER_CONFIG", ".docker").map(|folder| folder.join("config.json")),
            variable("XDG_RUNTIME_DIR").map(|folder| Path::new(&folder).join("containers/auth.json")),
            folder("XDG_CONFIG_HOME", ".config").map(|folder| folder.join("containers/auth.json")),
        ];
        Self { files: files.into_iter().flatten().collect(), patience }
    }

    /// The files, for people.
    pub(super) fn looked_at(&self) -> String {
        let files = self.files.iter().map(|file| {
            let missing = if host::is_file(file) { "" } else { " (not there)" };
            format!("{}{missing}", file.display())
        });
        files.collect::<Vec<_>>().join(", ")
    }

    /// What a repository's registry is to be told.
    pub(super) fn find(&self, repository: &Repository) -> Result<Option<Found>> {
        for path in self.files.iter().filter(|path| host::is_file(path)) {
            let found = self.find_in(path, &read(path)?, repository)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    fn find_in(&self, path: &Path, file: &WireFile, repository: &Repository) -> Result<Option<Found>> {
        let registry = repository.registry().as_str();
        let own = file.cred_helpers.as_ref().and_then(|helpers| best(helpers, repository));
        if let Some(helper) = own.or(file.creds_store.as_ref()).filter(|helper| !helper.is_empty()) {
            let key = if is_docker(registry) { DOCKER_KEY } else { registry };
            if let Some(credential) = self.ask(path, helper, key)? {
                let from = format!("docker-credential-{helper}, which {} names", path.display());
                return Ok(Some(Found { credential, from }));
            }
        }
        let Some(auth) = file.auths.as_ref().and_then(|auths| best(auths, repository)) else {
            return Ok(None);
        };
        let credential = stored(auth).map_err(|why| bad(path, &format!("the entry of {registry}: {why}")))?;
        Ok(credential.map(|credential| Found { credential, from: path.display().to_string() }))
    }

    /// Asks a helper (docker's credential helper protocol): the registry goes in, JSON comes out.
    fn ask(&self, path: &Path, helper: &str, key: &str) -> Result<Option<Credential>> {
        let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if !helper.bytes().all(fine) {
            return Err(bad(path, &format!("`{}` is no helper's name", helper.escape_debug())));
        }
        let program = format!("docker-credential-{helper}");
        let broken = |why: String| {
            Problem::new(codes::CONFIG, format!("asking `{program}` for the credentials of {key} failed"))
                .fact("cause", why)
                .fact("named in", path.display())
                .help("mend the helper, or log in without it: `docker login`, `podman login`")
        };
        let answer = host::ask(&program, &["get"], key.as_bytes(), self.patience)
            .map_err(|error: io::Error| broken(error.to_string()))?;
        if !answer.success {
            let said = String::from_utf8_lossy(&answer.stdout).to_lowercase();
            if said.contains("not found") {
                return Ok(None);
            }
            let words = [answer.stderr, answer.stdout].concat();
            return Err(broken(super::failure::clean(&words)).into());
        }
        // The answer is secret: what is wrong with it is not said in its own words.
        let answer: WireAnswer = serde_json::from_slice(&answer.stdout)
            .map_err(|_| broken("its answer is not the JSON that a helper gives".into()))?;
        Ok(credential(answer.username, answer.secret))
    }
}

fn bad(path: &Path, why: &str) -> crate::diag::Failure {
    let message = format!("`{}` does not read as a file of credentials", path.display());
    Problem::new(codes::CONFIG, message).found(why).help("log in anew: `docker login`, `podman login`").into()
}

fn read(path: &Path) -> Result<WireFile> {
    let text = host::read_text(path)?;
    // The error's own words may quote a password.
    serde_json::from_str(&text)
        .map_err(|error| bad(path, &format!("line {}, column {}", error.line(), error.column())))
}

/// What an entry holds; an empty one is there because a helper has the rest.
fn stored(auth: &WireAuth) -> std::result::Result<Option<Credential>, &'static str> {
    let set = |field: &Option<String>| field.clone().filter(|value| !value.is_empty());
    if let Some(token) = set(&auth.identitytoken) {
        return Ok(Some(Credential::Identity(token)));
    }
    if let Some(auth) = set(&auth.auth) {
        let engine = base64::engine::general_purpose::STANDARD;
        let bytes = engine.decode(auth.trim()).map_err(|_| "`auth` is not base64")?;
        let text = String::from_utf8(bytes).map_err(|_| "`auth` is not text")?;
        let (user, password) = text.split_once(':').ok_or("`auth` has no `:` in it")?;
        return Ok(credential(user.to_owned(), password.trim_end_matches('\0').to_owned()));
    }
    let both = set(&auth.username).zip(set(&auth.password));
    Ok(both.and_then(|(user, password)| credential(user, password)))
}

fn credential(user: String, secret: String) -> Option<Credential> {
    match user.as_str() {
        "" => None,
        "<token>" => Some(Credential::Identity(secret)),
        _ => Some(Credential::Basic(user, secret)),
    }
}

fn is_docker(registry: &str) -> bool {
    matches!(registry, "docker.io" | "index.docker.io" | "registry-1.docker.io")
}

/// The entry with the longest key that fits.
fn best<'a, T>(entries: &'a BTreeMap<String, T>, repository: &Repository) -> Option<&'a T> {
    let name = repository.to_string();
    let registry = repository.registry().as_str();
    let fits = |key: &str| {
        let key = plain(key);
        let docker = is_docker(registry) && is_docker(key);
        let whole = name.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        (docker || (whole && key.len() >= registry.len())).then_some(key.len())
    };
    let fitting = entries.iter().filter_map(|(key, entry)| Some((fits(key)?, entry)));
    fitting.max_by_key(|(length, _)| *length).map(|(_, entry)| entry)
}

/// A key without what docker puts around it.
fn plain(key: &str) -> &str {
    let key = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    let key = key.trim_end_matches('/');
    key.strip_suffix("/v1").or_else(|| key.strip_suffix("/v2")).unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best_of(keys: &[&str], repository: &str) -> Option<String> {
        let entries: BTreeMap<String, String> =
            keys.iter().map(|key| ((*key).to_owned(), (*key).to_owned())).collect();
        best(&entries, &repository.parse().expect("a repository")).cloned()
    }

    #[test]
    fn the_longest_key_that_fits_counts() {
        let keys =
            ["r.example", "r.example/team", "r.example/team/py", "r.example:5000", "https://q.example/v1/"];
        for (repository, key) in [
            ("r.example/team/python", Some("r.example/team")),
            ("r.example/team/py", Some("r.example/team/py")),
            ("r.example/other", Some("r.example")),
            ("r.example:5000/team/py", Some("r.example:5000")),
            ("r.example:5001/team/py", None),
            ("q.example/a", Some("https://q.example/v1/")),
            ("r.example.evil.example/a", None),
        ] {
            assert_eq!(best_of(&keys, repository).as_deref(), key, "{repository}");
        }
        assert_eq!(best_of(&[DOCKER_KEY], "docker.io/me/x").as_deref(), Some(DOCKER_KEY));
        assert_eq!(best_of(&[""], "r.example/x"), None);
    }

    #[test]
    fn entries_are_read_in_each_form() {
        let auth = |json: &str| stored(&serde_json::from_str(json).expect("JSON"));
        let basic = |json: &str| match auth(json) {
            Ok(Some(Credential::Basic(user, password))) => Some((user, password)),
            _ => None,
        };
        let pair = |user: &str, password: &str| Some((user.to_owned(), password.to_owned()));
        assert_eq!(basic(r#"{"auth":"bWU6d286cmQ="}"#), pair("me", "wo:rd"));
        assert_eq!(basic(r#"{"username":"me","password":"word"}"#), pair("me", "word"));
        assert!(matches!(auth(r#"{"identitytoken":"t","auth":"bWU6"}"#), Ok(Some(Credential::Identity(_)))));
        assert!(matches!(auth("{}"), Ok(None)));
        for broken in [r#"{"auth":"!"}"#, r#"{"auth":"bWU="}"#, r#"{"auth":"/w=="}"#] {
            assert!(auth(broken).is_err(), "{broken}");
        }
    }
}
