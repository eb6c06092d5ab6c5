//! A registry on the loopback interface (OCI distribution specification), in memory, with faults to
//! order. It checks nothing that it is told, so that what a client does in the wrong order shows; each
//! time a tag is set it notes what the tag lacks.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};

use serde_json::Value;

use super::distribution::{Asked, Auth, Flaw, Inner, Response, Rule};
use super::wire::Wire;

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

    /// Puts a blob there.
    pub fn put_blob(&self, repository: &str, bytes: &[u8]) {
        let digest = format!("sha256:{}", super::sha256_hex(bytes));
        self.inner().blobs.insert((repository.into(), digest), bytes.to_vec());
    }

    /// The bytes of a blob.
    pub fn blob(&self, repository: &str, digest: &str) -> Option<Vec<u8>> {
        self.inner().blobs.get(&(repository.into(), digest.into())).cloned()
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
    if !response.fields.iter().any(|(name, _)| *name == "Content-Length") {
        response.fields.push(("Content-Length", response.body.len().to_string()));
    }
    let fields: Vec<String> =
        response.fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    wire.send(format!("HTTP/1.1 {} Status\r\n{}\r\n", response.status, fields.concat()).as_bytes())?;
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
