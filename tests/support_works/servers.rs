//! The server and its faults, seen by a client that interprets nothing.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::support::{Fault, Request, Sandbox, Server};

const BODY: &[u8] = b"0123456789";

/// A client with nothing of its own: what the server sent is what is seen.
struct Client(BufReader<TcpStream>);

impl Client {
    fn new(server: &Server) -> Self {
        let stream = TcpStream::connect(server.url().strip_prefix("http://").unwrap()).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(400))).unwrap();
        Self(BufReader::new(stream))
    }

    fn ask(&mut self, method: &str, path: &str, more: &str) {
        let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{more}\r\n");
        self.0.get_mut().write_all(head.as_bytes()).unwrap();
    }

    /// The status and fields of an answer.
    fn head(&mut self) -> String {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(self.0.read_line(&mut head).unwrap() > 0, "closed after {head:?}");
        }
        head
    }

    fn body(&mut self, length: usize) -> Vec<u8> {
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        body
    }

    fn rest(&mut self) -> std::io::Result<Vec<u8>> {
        let mut rest = Vec::new();
        self.0.read_to_end(&mut rest).map(|_| rest)
    }
}

fn world() -> (Sandbox, Server) {
    let sandbox = Sandbox::new();
    sandbox.write("a+b/digits", BODY);
    let server = Server::start(sandbox.path(""));
    (sandbox, server)
}

/// Asks once for the digits on a connection of its own.
fn ask(server: &Server) -> (Client, String) {
    let mut client = Client::new(server);
    client.ask("GET", "/a+b/digits", "");
    let head = client.head();
    (client, head)
}

#[test]
fn files_and_parts_of_them_are_served_on_one_connection() {
    let (_sandbox, server) = world();
    let mut client = Client::new(&server);
    client.ask("GET", "/a%2Bb/digits?x", "");
    assert!(client.head().contains("Content-Length: 10\r\n"));
    assert_eq!(client.body(10), BODY);
    for (range, status, shown, body) in [
        ("bytes=4-", 206, "bytes 4-9/10", "456789"),
        ("bytes=4-6", 206, "bytes 4-6/10", "456"),
        ("bytes=4-99", 206, "bytes 4-9/10", "456789"),
        ("bytes=10-", 416, "bytes */10", ""),
    ] {
        client.ask("GET", "/a+b/digits", &format!("RANGE: {range}\r\n"));
        let head = client.head();
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{range}: {head}");
        assert!(head.contains(&format!("Content-Range: {shown}\r\n")), "{range}: {head}");
        assert_eq!(client.body(body.len()), body.as_bytes());
    }
    client.ask("HEAD", "/a+b/digits", "");
    assert!(client.head().contains("Content-Length: 10\r\n"));
    client.ask("GET", "/missing", "Connection: close\r\n");
    assert!(client.head().starts_with("HTTP/1.1 404 "));
    assert_eq!(client.rest().unwrap(), b"");
}

#[test]
fn nothing_outside_its_folder_is_served_and_nothing_written() {
    let (sandbox, server) = world();
    std::fs::write(sandbox.root().join("secret"), "x").unwrap();
    let mut client = Client::new(&server);
    for (method, path, status) in
        [("GET", "/../secret", 404), ("GET", "/%2e%2e/secret", 404), ("PUT", "/x", 405), ("GET", "/", 404)]
    {
        client.ask(method, path, "");
        assert!(client.head().starts_with(&format!("HTTP/1.1 {status} ")), "{path}");
    }
}

#[test]
fn requests_are_remembered() {
    let (_sandbox, server) = world();
    let mut client = Client::new(&server);
    client.ask("GET", "/a+b/digits", "Range: bytes=1-\r\n");
    client.head();
    let (method, path) = ("GET".to_owned(), "/a+b/digits".to_owned());
    assert_eq!(server.requests(), [Request { method, path, range: Some("bytes=1-".to_owned()) }]);
    assert_eq!(server.hits("a+b/digits"), 1);
    assert_eq!(server.forget().requests(), []);
}

#[test]
fn faults_end_after_their_times_or_when_healed() {
    let (_sandbox, server) = world();
    server.fault_times("/a+b/digits", Fault::Status(503), 2);
    for status in [503, 503, 200] {
        assert!(ask(&server).1.starts_with(&format!("HTTP/1.1 {status} ")));
    }
    server.fault_if(|request| request.path.ends_with("digits"), Fault::Status(429), usize::MAX);
    assert!(ask(&server).1.starts_with("HTTP/1.1 429 "));
    assert!(ask(&server).1.starts_with("HTTP/1.1 429 "));
    server.heal();
    assert!(ask(&server).1.starts_with("HTTP/1.1 200 "));
}

#[test]
fn a_stalled_or_mute_server_says_nothing_more() {
    let (_sandbox, server) = world();
    server.fault_times("/a+b/digits", Fault::Stall, 1);
    let (mut client, head) = ask(&server);
    assert!(head.contains("Content-Length: 10\r\n"));
    assert!(client.rest().is_err(), "there was an end");
    server.fault_times("/a+b/digits", Fault::Mute, 1);
    let mut client = Client::new(&server);
    client.ask("GET", "/a+b/digits", "");
    assert!(client.rest().is_err(), "there was an end");
}

#[test]
fn a_trickle_takes_its_time() {
    let (_sandbox, server) = world();
    server.fault("/a+b/digits", Fault::Trickle(20));
    let start = Instant::now();
    let (mut client, _) = ask(&server);
    assert_eq!(client.body(10), BODY);
    assert!(start.elapsed() >= Duration::from_millis(400), "{:?}", start.elapsed());
}

#[test]
fn bodies_that_are_cut_or_lied_about_end_before_their_length() {
    let (_sandbox, server) = world();
    server.fault_times("/a+b/digits", Fault::CutAfter(4), 1);
    let (mut client, head) = ask(&server);
    assert!(head.contains("Content-Length: 10\r\n"));
    assert_eq!(client.rest().unwrap(), b"0123");
    server.fault_times("/a+b/digits", Fault::Lie(5), 1);
    let (mut client, head) = ask(&server);
    assert!(head.contains("Content-Length: 15\r\n"));
    assert_eq!(client.rest().unwrap(), BODY);
}

#[test]
fn an_endless_body_ends_by_itself_for_those_who_read_on() {
    let (_sandbox, server) = world();
    server.fault("/a+b/digits", Fault::Endless);
    let (mut client, head) = ask(&server);
    assert!(head.contains("Transfer-Encoding: chunked\r\n"));
    assert_eq!(client.body(15), b"a\r\n0123456789\r\n");
    let length = std::io::copy(&mut client.0, &mut std::io::sink()).unwrap();
    assert!((64 << 20..66 << 20).contains(&length), "{length}");
}

#[test]
fn a_range_may_be_ignored_a_body_garbled_and_a_request_sent_elsewhere() {
    let (_sandbox, server) = world();
    server.fault_times("/a+b/digits", Fault::IgnoreRange, 1);
    server.fault_times("/a+b/digits", Fault::Garble, 1);
    server.fault_times("/a+b/digits", Fault::Redirect("/b".into()), 1);
    let mut client = Client::new(&server);
    client.ask("GET", "/a+b/digits", "Range: bytes=4-\r\n");
    assert!(client.head().starts_with("HTTP/1.1 200 "));
    assert_eq!(client.body(10), BODY);
    client.ask("GET", "/a+b/digits", "");
    client.head();
    assert_eq!(client.body(10), b"0123446789");
    client.ask("GET", "/a+b/digits", "");
    let head = client.head();
    assert!(head.starts_with("HTTP/1.1 302 ") && head.contains("Location: /b\r\n"), "{head}");
}

#[test]
fn a_server_ends_at_once_whatever_its_clients_do() {
    let (_sandbox, server) = world();
    server.fault_times("/a+b/digits", Fault::Stall, 1);
    server.fault_times("/a+b/digits", Fault::Endless, 1);
    let _stalled = ask(&server);
    let _flooded = ask(&server);
    let _silent = Client::new(&server);
    let start = Instant::now();
    let port = server.url();
    drop(server);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert!(TcpStream::connect(port.strip_prefix("http://").unwrap()).is_err());
}
