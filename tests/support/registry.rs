//! A registry on the loopback interface (OCI distribution specification), in memory, with faults to
//! order. It checks nothing that it is told, so that what a client does in the wrong order shows; each
//! time a tag is set it notes what the tag lacks.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};

use base64::Engine as _;
use serde_json::{Value, json};

use super::index::sha256_hex;
use super::wire::Wire;

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

struct Rule {
    method: &'static str,
    path: String,
    skip: usize,
    left: usize,
    flaw: Flaw,
}

#[derive(Default)]
struct Inner {
    blobs: BTreeMap<(String, String), Vec<u8>>,
    manifests: BTreeMap<(String, String), (String, Vec<u8>)>,
    tags: BTreeMap<(String, String), String>,
    uploads: BTreeMap<String, Vec<u8>>,
    tokens: BTreeMap<String, Vec<String>>,
    asked: Vec<Asked>,
    lacking: Vec<String>,
    rules: Vec<Rule>,
    auth: Auth,
    referrers: bool,
    mount: bool,
    next: usize,
    dies_after: Option<(usize, bool)>,
}

struct State {
    stop: Arc<AtomicBool>,
    address: SocketAddr,
    inner: Mutex<Inner>,
    connections: Mutex<Vec<JoinHandle<()>>>,
}

/// A registry that runs until it is dropped.
pub struct Registry {
    state: Arc<State>,
    listener: Option<JoinHandle<()>>,
}

struct Response {
    status: u16,
    fields: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Response {
    fn new(status: u16) -> Self {
        Self { status, fields: Vec::new(), body: Vec::new() }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    fn error(status: u16, code: &str) -> Self {
        let body = json!({ "errors": [{ "code": code, "message": "as the test wants" }] });
        Self { body: body.to_string().into_bytes(), ..Self::new(status) }
    }
}

impl Registry {
    /// One that is empty, open to all, knows mounts and has no list of referrers of its own.
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("bound");
        let inner = Inner { mount: true, ..Inner::default() };
        let state = Arc::new(State {
            stop: Arc::default(),
            address,
            inner: Mutex::new(inner),
            connections: Mutex::default(),
        });
        let shared = Arc::clone(&state);
        let listener = thread::spawn(move || accept(&listener, &shared));
        Self { state, listener: Some(listener) }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.state.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// `127.0.0.1:port`.
    pub fn host(&self) -> String {
        self.state.address.to_string()
    }

    /// Lets only some in.
    pub fn auth(&self, auth: Auth) -> &Self {
        self.inner().auth = auth;
        self
    }

    /// Whether it mounts blobs.
    pub fn mounts(&self, mount: bool) -> &Self {
        self.inner().mount = mount;
        self
    }

    /// Whether it has a list of referrers of its own.
    pub fn lists(&self, lists: bool) -> &Self {
        self.inner().referrers = lists;
        self
    }

    /// All requests of this method whose path has this in it meet the flaw.
    pub fn flaw(&self, method: &'static str, path: &str, flaw: Flaw) -> &Self {
        self.flaw_times(method, path, 0, usize::MAX, flaw)
    }

    /// So many of them, after some that go well.
    pub fn flaw_times(
        &self,
        method: &'static str,
        path: &str,
        skip: usize,
        times: usize,
        flaw: Flaw,
    ) -> &Self {
        self.inner().rules.push(Rule { method, path: path.into(), skip, left: times, flaw });
        self
    }

    /// From the request after `count` on, every connection ends: before the request is done, or after.
    pub fn dies_after(&self, count: usize, done: bool) -> &Self {
        let mut inner = self.inner();
        let asked = inner.asked.len();
        inner.dies_after = Some((asked + count, done));
        drop(inner);
        self
    }

    /// Forgets all flaws and what was asked for.
    pub fn heal(&self) -> &Self {
        let mut inner = self.inner();
        inner.rules.clear();
        inner.asked.clear();
        inner.dies_after = None;
        drop(inner);
        self
    }

    /// What was asked for so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.inner().asked.clone()
    }

    /// How often this was asked for.
    pub fn hits(&self, method: &str, path: &str) -> usize {
        self.inner().asked.iter().filter(|asked| asked.method == method && asked.path.contains(path)).count()
    }

    /// What tags lacked at the time that they were set.
    pub fn lacking(&self) -> Vec<String> {
        self.inner().lacking.clone()
    }

    /// What a tag points to.
    pub fn tag(&self, repository: &str, tag: &str) -> Option<String> {
        self.inner().tags.get(&(repository.into(), tag.into())).cloned()
    }

    /// All tags of a repository.
    pub fn tags(&self, repository: &str) -> Vec<String> {
        let inner = self.inner();
        inner.tags.keys().filter(|(found, _)| found == repository).map(|(_, tag)| tag.clone()).collect()
    }

    /// The manifest that a tag or digest names.
    pub fn manifest(&self, repository: &str, wanted: &str) -> Option<Value> {
        let (_, _, bytes) = self.inner().manifest(repository, wanted)?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Puts a manifest there, under a tag.
    pub fn put(&self, repository: &str, tag: &str, media_type: &str, bytes: &[u8]) -> String {
        self.inner().put_manifest(repository, tag, media_type, bytes)
    }

    /// Takes a manifest away.
    pub fn remove(&self, repository: &str, digest: &str) {
        self.inner().manifests.remove(&(repository.into(), digest.into()));
    }

    /// All blobs of a repository go to another registry.
    pub fn copy_blobs(&self, to: &Self) {
        let blobs = self.inner().blobs.clone();
        to.inner().blobs.extend(blobs);
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.state.stop.store(true, Ordering::Relaxed);
        // The listener waits for a connection: this is its last one.
        let _ = TcpStream::connect(self.state.address);
        let listener = self.listener.take().map(JoinHandle::join);
        let mutex = self.state.connections.lock();
        let connections = std::mem::take(&mut *mutex.unwrap_or_else(std::sync::PoisonError::into_inner));
        for ended in listener.into_iter().chain(connections.into_iter().map(JoinHandle::join)) {
            assert!(ended.is_ok() || thread::panicking(), "a thread of the registry panicked");
        }
    }
}

fn accept(listener: &TcpListener, state: &Arc<State>) {
    for stream in listener.incoming() {
        if state.stop.load(Ordering::Relaxed) {
            return;
        }
        let Ok(wire) = stream.and_then(|stream| Wire::new(stream, Arc::clone(&state.stop))) else { continue };
        let shared = Arc::clone(state);
        let connection = thread::spawn(move || drop(converse(wire, &shared)));
        state.connections.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(connection);
    }
}

fn converse(mut wire: Wire, state: &State) -> io::Result<()> {
    while let Some(head) = wire.head()? {
        let mut asked = parse(&head);
        let length = asked.headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let locked = || state.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let flaw = locked().meet(&asked);
        if flaw == Some(Flaw::Half) {
            let body = wire.body(length / 2)?;
            locked().answer(&asked, &body, state.address);
            return Ok(());
        }
        let body = wire.body(length)?;
        asked.sent = body.len();
        let mut inner = locked();
        inner.asked.push(asked.clone());
        let dead = inner.dies_after.filter(|(count, _)| inner.asked.len() > *count);
        if dead.is_some_and(|(_, done)| !done) || flaw == Some(Flaw::Lost) {
            return Ok(());
        }
        let response = match &flaw {
            Some(Flaw::Status(status, headers, text)) => {
                let mut response = Response { body: text.as_bytes().to_vec(), ..Response::new(*status) };
                if let Some((name, value)) = headers.split_once(": ") {
                    response = response.with(name, value);
                }
                response
            }
            Some(Flaw::Redirect(to)) => Response::new(307).with("Location", format!("{to}{}", asked.path)),
            Some(Flaw::Forgotten) => Response::new(201),
            _ => inner.answer(&asked, &body, state.address),
        };
        // Once it died, it died for what was asked before as well.
        let dead = inner.dies_after.is_some_and(|(count, _)| inner.asked.len() > count);
        drop(inner);
        if dead || flaw == Some(Flaw::Unanswered) || !send(&mut wire, &asked, response, flaw.as_ref())? {
            return Ok(());
        }
    }
    Ok(())
}

fn send(wire: &mut Wire, asked: &Asked, mut response: Response, flaw: Option<&Flaw>) -> io::Result<bool> {
    if flaw == Some(&Flaw::Garbled) {
        response.body.iter_mut().take(1).for_each(|byte| *byte ^= 1);
    }
    if flaw == Some(&Flaw::TooLong) {
        response.body.extend([0; 100]);
        response.fields.retain(|(name, _)| *name != "Content-Length");
    }
    let mut head = format!("HTTP/1.1 {} Status\r\n", response.status);
    if !response.fields.iter().any(|(name, _)| *name == "Content-Length") {
        response.fields.push(("Content-Length", response.body.len().to_string()));
    }
    for (name, value) in &response.fields {
        head += &format!("{name}: {value}\r\n");
    }
    wire.send(format!("{head}\r\n").as_bytes())?;
    if asked.method == "HEAD" || matches!(response.status, 204 | 304) {
        return Ok(true);
    }
    let cut = flaw == Some(&Flaw::Truncated);
    let end = if cut { response.body.len() / 2 } else { response.body.len() };
    wire.send(&response.body[..end])?;
    Ok(!cut)
}

fn parse(head: &str) -> Asked {
    let mut lines = head.lines();
    let mut words = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
    let fields = lines.filter_map(|line| line.split_once(':'));
    let headers = fields.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    Asked { method, path, headers, sent: 0 }
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
    fn meet(&mut self, asked: &Asked) -> Option<Flaw> {
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

    fn answer(&mut self, asked: &Asked, body: &[u8], address: SocketAddr) -> Response {
        let path = asked.path.split('?').next().unwrap_or_default().to_owned();
        if path == "/token" {
            return self.token(asked);
        }
        let Some(rest) = path.strip_prefix("/v2/") else { return Response::new(404) };
        let split = |marker: &str| {
            let (repository, rest) = rest.split_once(marker)?;
            Some((repository.to_owned(), rest.to_owned()))
        };
        let places = ["/blobs/uploads/", "/blobs/", "/manifests/", "/referrers/"];
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
            _ => self.listed(&repository, &rest),
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

    fn manifest(&self, repository: &str, wanted: &str) -> Option<(String, String, Vec<u8>)> {
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

    fn put_manifest(&mut self, repository: &str, wanted: &str, kind: &str, bytes: &[u8]) -> String {
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
