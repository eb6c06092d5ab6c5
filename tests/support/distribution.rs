//! What a registry holds, and what it answers when nothing goes wrong.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use base64::Engine as _;
use serde_json::{Value, json};

use super::index::sha256_hex;

/// What a client asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// `GET`, `PUT` and so on.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Length of what was sent.
    pub sent: usize,
}

/// Who may come in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Auth {
    /// Anyone.
    #[default]
    Open,
    /// `user:password` with each request.
    Basic(String),
    /// A token, which `user:password` gets.
    Bearer(String),
}

/// A way to answer badly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// This status, these headers, this body.
    Status(u16, &'static str, &'static str),
    /// Half of the body, and a closed connection.
    Truncated,
    /// One bit of the body is another.
    Garbled,
    /// More bytes than there should be.
    TooLong,
    /// No answer: the connection ends before anything is done.
    Lost,
    /// No answer, though it was done.
    Unanswered,
    /// The same path at another address.
    Redirect(String),
    /// Done, it says, but nothing is kept.
    Forgotten,
    /// Half of what was sent is kept, and the connection ends.
    Half,
}

pub(super) struct Rule {
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) skip: usize,
    pub(super) left: usize,
    pub(super) flaw: Flaw,
}

#[derive(Default)]
pub(super) struct Inner {
    pub(super) blobs: BTreeMap<(String, String), Vec<u8>>,
    pub(super) manifests: BTreeMap<(String, String), (String, Vec<u8>)>,
    pub(super) tags: BTreeMap<(String, String), String>,
    pub(super) uploads: BTreeMap<String, Vec<u8>>,
    pub(super) tokens: BTreeMap<String, Vec<String>>,
    pub(super) asked: Vec<Asked>,
    pub(super) lacking: Vec<String>,
    pub(super) rules: Vec<Rule>,
    pub(super) auth: Auth,
    pub(super) referrers: bool,
    pub(super) mount: bool,
    pub(super) next: usize,
    pub(super) dies_after: Option<(usize, bool)>,
}

pub(super) struct Response {
    pub(super) status: u16,
    pub(super) fields: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

impl Response {
    pub(super) fn new(status: u16) -> Self {
        Self { status, fields: Vec::new(), body: Vec::new() }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    pub(super) fn error(status: u16, code: &str) -> Self {
        let body = json!({ "errors": [{ "code": code, "message": "as the test wants" }] });
        Self { body: body.to_string().into_bytes(), ..Self::new(status) }
    }
}

/// `%3A` and its like as what they stand for.
fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        out.extend(code.map(char::from));
        out += part.get(2..).unwrap_or_default();
    }
    out
}

fn queries(path: &str) -> Vec<(String, String)> {
    let query = path.split_once('?').map(|(_, query)| query).unwrap_or_default();
    query.split('&').filter_map(|pair| pair.split_once('=')).map(|(n, v)| (n.into(), decoded(v))).collect()
}

impl Inner {
    pub(super) fn meet(&mut self, asked: &Asked) -> Option<Flaw> {
        let fits = |rule: &&mut Rule| {
            rule.left > 0 && rule.method == asked.method && asked.path.contains(&rule.path)
        };
        let rule = self.rules.iter_mut().find(fits)?;
        if rule.skip > 0 {
            rule.skip -= 1;
            return None;
        }
        rule.left = rule.left.saturating_sub(usize::from(rule.left != usize::MAX));
        Some(rule.flaw.clone())
    }

    pub(super) fn answer(&mut self, asked: &Asked, body: &[u8], address: SocketAddr) -> Response {
        let path = asked.path.split('?').next().unwrap_or_default().to_owned();
        if path == "/token" {
            return self.token(asked);
        }
        let Some(rest) = path.strip_prefix("/v2/") else { return Response::new(404) };
        let split = |marker: &str| {
            let (repository, rest) = rest.split_once(marker)?;
            Some((repository.to_owned(), rest.to_owned()))
        };
        let places = ["/blobs/uploads/", "/blobs/", "/manifests/", "/referrers/", "/tags/list"];
        let Some((at, (repository, rest))) =
            places.iter().enumerate().find_map(|(at, marker)| Some((at, split(marker)?)))
        else {
            return Response::new(404);
        };
        if let Some(refused) = self.refused(asked, &repository, address) {
            return refused;
        }
        match at {
            0 => self.upload(asked, &repository, &rest, body),
            1 => self.blob(asked, &repository, &rest),
            2 => self.manifests(asked, &repository, &rest, body),
            3 => self.listed(&repository, &rest),
            _ => self.tagged(&repository),
        }
    }

    fn refused(&self, asked: &Asked, repository: &str, address: SocketAddr) -> Option<Response> {
        let said = asked.headers.get("authorization").cloned().unwrap_or_default();
        let realm = match &self.auth {
            Auth::Open => return None,
            Auth::Basic(pair) if said == basic(pair) => return None,
            Auth::Basic(_) => "Basic realm=\"test\"".to_owned(),
            Auth::Bearer(_) => {
                let scopes = said.strip_prefix("Bearer ").and_then(|token| self.tokens.get(token));
                let action = if matches!(&*asked.method, "GET" | "HEAD") { "pull" } else { "push" };
                let fits = |scope: &String| {
                    scope
                        .strip_prefix(&format!("repository:{repository}:"))
                        .is_some_and(|a| a.contains(action))
                };
                if scopes.is_some_and(|scopes| scopes.iter().any(fits)) {
                    return None;
                }
                format!("Bearer realm=\"http://{address}/token\",service=\"test, \\\"one\\\"\"")
            }
        };
        Some(Response::error(401, "UNAUTHORIZED").with("WWW-Authenticate", realm))
    }

    fn token(&mut self, asked: &Asked) -> Response {
        let Auth::Bearer(pair) = &self.auth else { return Response::new(404) };
        if asked.headers.get("authorization") != Some(&basic(pair)) {
            return Response::error(401, "UNAUTHORIZED");
        }
        let scopes = queries(&asked.path).into_iter().filter(|(name, _)| name == "scope");
        let scopes = scopes.map(|(_, scope)| scope).collect();
        self.next += 1;
        let token = format!("token-{}", self.next);
        self.tokens.insert(token.clone(), scopes);
        Response { body: json!({ "token": token }).to_string().into_bytes(), ..Response::new(200) }
    }

    fn upload(&mut self, asked: &Asked, repository: &str, id: &str, body: &[u8]) -> Response {
        let queries = queries(&asked.path);
        let query = |name: &str| queries.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone());
        let at = |id: &str| format!("/v2/{repository}/blobs/uploads/{id}?state=secret%2Fstate");
        match &*asked.method {
            "POST" => {
                if let (Some(digest), Some(from), true) = (query("mount"), query("from"), self.mount)
                    && let Some(bytes) = self.blobs.get(&(from, digest.clone())).cloned()
                {
                    self.blobs.insert((repository.into(), digest), bytes);
                    return Response::new(201);
                }
                self.next += 1;
                let id = format!("up-{}", self.next);
                self.uploads.insert(id.clone(), Vec::new());
                Response::new(202).with("Location", at(&id))
            }
            "GET" => match self.uploads.get(id) {
                Some(bytes) => {
                    let range = format!("0-{}", bytes.len().saturating_sub(1));
                    Response::new(204).with("Location", at(id)).with("Range", range)
                }
                None => Response::error(404, "BLOB_UPLOAD_UNKNOWN"),
            },
            "PATCH" | "PUT" => {
                let Some(bytes) = self.uploads.get_mut(id) else {
                    return Response::error(404, "BLOB_UPLOAD_UNKNOWN");
                };
                let start = asked.headers.get("content-range").and_then(|range| range.split_once('-'));
                if start.is_some_and(|(start, _)| start != bytes.len().to_string()) {
                    return Response::new(416);
                }
                bytes.extend(body);
                let Some(digest) = query("digest").filter(|_| asked.method == "PUT") else {
                    let range = format!("0-{}", bytes.len().saturating_sub(1));
                    return Response::new(202).with("Location", at(id)).with("Range", range);
                };
                let bytes = self.uploads.remove(id).expect("there");
                if format!("sha256:{}", sha256_hex(&bytes)) != digest {
                    return Response::error(400, "DIGEST_INVALID");
                }
                self.blobs.insert((repository.into(), digest), bytes);
                Response::new(201)
            }
            _ => Response::new(405),
        }
    }

    fn blob(&self, asked: &Asked, repository: &str, digest: &str) -> Response {
        let Some(bytes) = self.blobs.get(&(repository.into(), digest.into())) else {
            return Response::error(404, "BLOB_UNKNOWN");
        };
        let from =
            asked.headers.get("range").and_then(|range| range.strip_prefix("bytes=")?.split('-').next());
        let from: Option<usize> = from.and_then(|from| from.parse().ok()).filter(|from| *from < bytes.len());
        let length = (bytes.len() - from.unwrap_or(0)).to_string();
        let body = bytes[from.unwrap_or(0)..].to_vec();
        let response = Response { body, ..Response::new(if from.is_some() { 206 } else { 200 }) };
        let response = response.with("Content-Length", length);
        match from {
            Some(from) => {
                response.with("Content-Range", format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len()))
            }
            None => response,
        }
    }

    pub(super) fn manifest(&self, repository: &str, wanted: &str) -> Option<(String, String, Vec<u8>)> {
        let digest = if wanted.starts_with("sha256:") {
            wanted.to_owned()
        } else {
            self.tags.get(&(repository.into(), wanted.into()))?.clone()
        };
        let (kind, bytes) = self.manifests.get(&(repository.into(), digest.clone()))?;
        Some((digest, kind.clone(), bytes.clone()))
    }

    fn manifests(&mut self, asked: &Asked, repository: &str, wanted: &str, body: &[u8]) -> Response {
        if asked.method == "PUT" {
            let kind = asked.headers.get("content-type").cloned().unwrap_or_default();
            let digest = self.put_manifest(repository, wanted, &kind, body);
            if !wanted.starts_with("sha256:") {
                let mut lacks = Vec::new();
                self.lacks(repository, &digest, &mut lacks);
                self.lacking.extend(lacks.into_iter().map(|what| format!("{wanted} lacks {what}")));
            }
            return Response::new(201).with("Docker-Content-Digest", digest);
        }
        match self.manifest(repository, wanted) {
            Some((digest, kind, body)) => Response { body, ..Response::new(200) }
                .with("Content-Type", kind)
                .with("Docker-Content-Digest", digest),
            None => Response::error(404, "MANIFEST_UNKNOWN"),
        }
    }

    pub(super) fn put_manifest(
        &mut self,
        repository: &str,
        wanted: &str,
        kind: &str,
        bytes: &[u8],
    ) -> String {
        let digest = format!("sha256:{}", sha256_hex(bytes));
        self.manifests.insert((repository.into(), digest.clone()), (kind.into(), bytes.to_vec()));
        if !wanted.starts_with("sha256:") {
            self.tags.insert((repository.into(), wanted.into()), digest.clone());
        }
        digest
    }

    /// What is missing of a manifest and all below it.
    fn lacks(&self, repository: &str, digest: &str, lacks: &mut Vec<String>) {
        let Some((_, bytes)) = self.manifests.get(&(repository.into(), digest.into())) else {
            lacks.push(digest.into());
            return;
        };
        let value: Value = serde_json::from_slice(bytes).expect("JSON");
        let digests = |value: &Value| -> Vec<String> {
            let all = value.as_array().cloned().unwrap_or_default();
            all.iter().filter_map(|one| Some(one["digest"].as_str()?.to_owned())).collect()
        };
        for listed in digests(&value["manifests"]) {
            self.lacks(repository, &listed, lacks);
        }
        let config = value["config"]["digest"].as_str().map(str::to_owned);
        for blob in digests(&value["layers"]).into_iter().chain(config) {
            if !self.blobs.contains_key(&(repository.into(), blob.clone())) {
                lacks.push(blob);
            }
        }
    }

    fn tagged(&self, repository: &str) -> Response {
        let tags: Vec<&String> =
            self.tags.keys().filter(|(found, _)| found == repository).map(|(_, tag)| tag).collect();
        let body = json!({ "name": repository, "tags": tags }).to_string().into_bytes();
        Response { body, ..Response::new(200) }
    }

    fn listed(&self, repository: &str, subject: &str) -> Response {
        if !self.referrers {
            return Response::new(404);
        }
        let of = |((found, digest), (kind, bytes)): (&(String, String), &(String, Vec<u8>))| {
            let value: Value = serde_json::from_slice(bytes).ok()?;
            let about = found == repository && value["subject"]["digest"] == subject;
            about.then(|| json!({ "mediaType": kind, "digest": digest, "size": bytes.len() }))
        };
        let manifests: Vec<Value> = self.manifests.iter().filter_map(of).collect();
        let body = json!({ "schemaVersion": 2, "manifests": manifests }).to_string().into_bytes();
        Response { body, ..Response::new(200) }
    }
}

fn basic(pair: &str) -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
}
