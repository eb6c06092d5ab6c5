//! A mirror on the loopback interface: HTTP/1.1 over the files of a folder, with ranges, connections
//! that stay open, and faults to order. Everything that was asked for is remembered.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};

use super::fault::{Fault, Plan};
use super::wire::Wire;

/// How much an endless body comes to in the end.
const ENDLESS: usize = 64 << 20;

/// What a client asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `GET` or `HEAD`, mostly.
    pub method: String,
    /// As it was sent, with its slash and query.
    pub path: String,
    /// The value of the `Range` header: `bytes=5-`.
    pub range: Option<String>,
}

struct State {
    root: PathBuf,
    stop: Arc<AtomicBool>,
    plan: Mutex<Plan>,
    requests: Mutex<Vec<Request>>,
    connections: Mutex<Vec<JoinHandle<()>>>,
}

/// A server that runs until it is dropped.
pub struct Server {
    address: SocketAddr,
    state: Arc<State>,
    listener: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves the files below `root`, as they are at the time they are asked for.
    pub fn start(root: impl AsRef<Path>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("bound");
        let state = Arc::new(State {
            root: root.as_ref().into(),
            stop: Arc::default(),
            plan: Mutex::default(),
            requests: Mutex::default(),
            connections: Mutex::default(),
        });
        let shared = Arc::clone(&state);
        let listener = thread::spawn(move || accept(&listener, &shared));
        Self { address, state, listener: Some(listener) }
    }

    /// Its address, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on, every request for this path meets the fault.
    pub fn fault(&self, path: &str, fault: Fault) -> &Self {
        self.fault_times(path, fault, usize::MAX)
    }

    /// The next `times` requests for this path meet the fault.
    pub fn fault_times(&self, path: &str, fault: Fault, times: usize) -> &Self {
        let path = format!("/{}", path.trim_start_matches('/'));
        self.fault_if(move |request| request.path == path, fault, times)
    }

    /// The next `times` requests that the predicate takes meet the fault. Of several faults for a
    /// request, the one ordered first counts.
    pub fn fault_if(
        &self,
        applies: impl Fn(&Request) -> bool + Send + 'static,
        fault: Fault,
        times: usize,
    ) -> &Self {
        locked(&self.state.plan).add(Box::new(applies), fault, times);
        self
    }

    /// How many connections of this process ended only because a server's own patience did.
    pub fn outlasted() -> usize {
        super::wire::OUTLASTED.load(Ordering::Relaxed)
    }

    /// Forgets all faults; those under way go on.
    pub fn heal(&self) -> &Self {
        *locked(&self.state.plan) = Plan::default();
        self
    }

    /// What was asked for so far.
    pub fn requests(&self) -> Vec<Request> {
        locked(&self.state.requests).clone()
    }

    /// How often a path was asked for so far.
    pub fn hits(&self, path: &str) -> usize {
        let path = format!("/{}", path.trim_start_matches('/'));
        locked(&self.state.requests).iter().filter(|request| request.path == path).count()
    }

    /// Forgets what was asked for.
    pub fn forget(&self) -> &Self {
        locked(&self.state.requests).clear();
        self
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.state.stop.store(true, Ordering::Relaxed);
        // The listener waits for a connection: this is its last one.
        let _ = TcpStream::connect(self.address);
        let listener = self.listener.take().map(JoinHandle::join);
        let connections = std::mem::take(&mut *locked(&self.state.connections));
        for ended in listener.into_iter().chain(connections.into_iter().map(JoinHandle::join)) {
            assert!(ended.is_ok() || thread::panicking(), "a thread of the server panicked");
        }
    }
}

/// A test that failed while it held the lock is a failed test already.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn accept(listener: &TcpListener, state: &Arc<State>) {
    for stream in listener.incoming() {
        if state.stop.load(Ordering::Relaxed) {
            return;
        }
        let Ok(wire) = stream.and_then(|stream| Wire::new(stream, Arc::clone(&state.stop))) else { continue };
        let shared = Arc::clone(state);
        // What ends a connection, a client that goes above all, is what tests are about: no error.
        let connection = thread::spawn(move || drop(converse(wire, &shared)));
        let mut connections = locked(&state.connections);
        connections.retain(|connection| !connection.is_finished());
        connections.push(connection);
    }
}

fn converse(mut wire: Wire, state: &State) -> io::Result<()> {
    while let Some(head) = wire.head()? {
        let request = parse(&head);
        locked(&state.requests).push(request.clone());
        let fault = locked(&state.plan).take(&request);
        let close = head.to_ascii_lowercase().contains("\r\nconnection: close");
        if !answer(&mut wire, state, &request, fault)? || close {
            break;
        }
    }
    Ok(())
}

fn parse(head: &str) -> Request {
    let mut lines = head.lines();
    let mut words = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
    let range = lines.filter_map(|line| line.split_once(':'));
    let mut range =
        range.filter(|(name, _)| name.eq_ignore_ascii_case("range")).map(|(_, value)| value.trim().into());
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    Request { method, path, range: range.next_back() }
}

/// What a request comes to, before anything goes wrong.
struct Response {
    status: u16,
    fields: String,
    body: Vec<u8>,
}

impl Response {
    fn empty(status: u16) -> Self {
        Self { status, fields: String::new(), body: Vec::new() }
    }

    fn head(&self, length: u64) -> Vec<u8> {
        self.head_with(&format!("Content-Length: {length}\r\n"))
    }

    fn head_with(&self, more: &str) -> Vec<u8> {
        let Self { status, fields, .. } = self;
        format!("HTTP/1.1 {status} Status\r\nAccept-Ranges: bytes\r\n{fields}{more}\r\n").into_bytes()
    }
}

/// Answers one request; whether the connection may serve another.
fn answer(wire: &mut Wire, state: &State, request: &Request, fault: Option<Fault>) -> io::Result<bool> {
    let range = request.range.as_deref().filter(|_| fault != Some(Fault::IgnoreRange));
    let mut response = match &fault {
        Some(Fault::Status(status)) => Response::empty(*status),
        Some(Fault::Redirect(to)) => {
            Response { fields: format!("Location: {to}\r\n"), ..Response::empty(302) }
        }
        _ if !matches!(&*request.method, "GET" | "HEAD") => Response::empty(405),
        _ => find(&state.root, &request.path, range),
    };
    let length = response.body.len() as u64;
    if request.method == "HEAD" {
        wire.send(&response.head(length))?;
        return Ok(true);
    }
    if fault == Some(Fault::Garble) && length > 0 {
        let middle = response.body.len() / 2;
        response.body[middle] ^= 1;
    }
    match fault {
        Some(fault) => misbehave(wire, &response, &fault),
        None => whole(wire, &response),
    }
}

fn whole(wire: &mut Wire, response: &Response) -> io::Result<bool> {
    wire.send(&response.head(response.body.len() as u64))?;
    wire.send(&response.body)?;
    Ok(true)
}

fn misbehave(wire: &mut Wire, response: &Response, fault: &Fault) -> io::Result<bool> {
    let (body, length) = (&response.body, response.body.len() as u64);
    match fault {
        Fault::Status(_) | Fault::Redirect(_) | Fault::IgnoreRange | Fault::Garble => {
            return whole(wire, response);
        }
        Fault::Mute => wire.idle()?,
        Fault::Stall => {
            wire.send(&response.head(length))?;
            wire.idle()?;
        }
        Fault::Trickle(rate) => {
            wire.send(&response.head(length))?;
            wire.trickle(body, *rate)?;
            return Ok(true);
        }
        Fault::CutAfter(bytes) => {
            wire.send(&response.head(length))?;
            wire.send(&body[..body.len().min(usize::try_from(*bytes).unwrap_or(usize::MAX))])?;
        }
        Fault::Endless => endless(wire, response)?,
        Fault::Lie(more) => {
            wire.send(&response.head(length + more))?;
            wire.send(body)?;
        }
    }
    Ok(false)
}

/// The true body first, so that only its length shows that something is wrong, then zeros.
fn endless(wire: &mut Wire, response: &Response) -> io::Result<()> {
    wire.send(&response.head_with("Transfer-Encoding: chunked\r\n"))?;
    let zeros = vec![0; 64 << 10];
    let mut sent = 0;
    let mut chunk = &response.body;
    while sent < ENDLESS {
        if !chunk.is_empty() {
            wire.send(format!("{:x}\r\n", chunk.len()).as_bytes())?;
            wire.send(chunk)?;
            wire.send(b"\r\n")?;
            sent += chunk.len();
        }
        chunk = &zeros;
    }
    wire.send(b"0\r\n\r\n")
}

fn find(root: &Path, path: &str, range: Option<&str>) -> Response {
    let path = decoded(path.split(['?', '#']).next().unwrap_or_default());
    let relative = path.trim_start_matches('/');
    let climbs = relative.split('/').any(|part| part == "..");
    let Some(body) = std::fs::read(root.join(relative)).ok().filter(|_| !climbs) else {
        return Response::empty(404);
    };
    let Some((start, end)) = range.and_then(|range| bounds(range, body.len())) else {
        return Response { body, ..Response::empty(200) };
    };
    if start >= end {
        let fields = format!("Content-Range: bytes */{}\r\n", body.len());
        return Response { fields, ..Response::empty(416) };
    }
    let fields = format!("Content-Range: bytes {start}-{}/{}\r\n", end - 1, body.len());
    Response { status: 206, fields, body: body[start..end].to_vec() }
}

/// Where a range begins and ends; `None` for those that this server doesn't know and may ignore.
fn bounds(range: &str, length: usize) -> Option<(usize, usize)> {
    let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
    let from: usize = from.parse().ok()?;
    let to = if to.is_empty() { length } else { to.parse::<usize>().ok()?.saturating_add(1) };
    Some((from, to.min(length)))
}

/// `%2b` and its like as the bytes that they stand for.
fn decoded(path: &str) -> String {
    let mut parts = path.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let code = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.extend(code.or(Some(b'%')));
        bytes.extend(part.bytes().skip(if code.is_some() { 2 } else { 0 }));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
