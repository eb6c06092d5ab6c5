//! Who may log in, and who answers.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use crate::server::{ENCODED, PASSWORD, Server};
use crate::support::{Output, Sandbox};

const SCRAM: &str = "scram-sha-256";

fn export(sandbox: &Sandbox, address: &str) -> Output {
    let output = sandbox.run(&["report", "export"]).env("HARDPAN_LEDGER", address).output();
    for secret in [PASSWORD, ENCODED] {
        assert!(!output.stderr.contains(secret), "{}", output.stderr);
    }
    output
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_password_is_of_the_address_or_of_the_environment_and_never_shown() {
    let (server, sandbox) = (Server::start(), Sandbox::new());
    export(&sandbox, &server.address("")).ok();
    let run = sandbox.run(&["report", "export"]).env("HARDPAN_LEDGER", &server.nameless(""));
    run.clone().env("PGPASSWORD", PASSWORD).output().ok();
    run.output().exits(1).says("HP145").says("asks for a password");
    let wrong = server.nameless("").replace("me@", "me:wrong-word@");
    let said = export(&sandbox, &wrong).exits(1).says("HP145").says("password authentication failed");
    assert!(!said.stderr.contains("wrong-word"), "{}", said.stderr);
    let no_database = server.address("").replace("/postgres", "/nowhere");
    export(&sandbox, &no_database).exits(1).says("HP145").says("nowhere");
    let socket = format!(
        "postgres://me:{ENCODED}@/postgres?host={}&port={}",
        server.path("").display(),
        server.port()
    );
    export(&sandbox, &socket).ok();
}

#[test]
#[ignore = "needs PostgreSQL"]
fn md5_is_refused_and_a_plain_password_stays_on_this_machine() {
    let sandbox = Sandbox::new();
    let old = Server::with("md5", &["password_encryption=md5"]);
    old.sql(&format!("ALTER ROLE me PASSWORD '{PASSWORD}'"));
    export(&sandbox, &old.address("")).exits(1).says("HP145").says("MD5");
    drop(old);
    let plain = Server::with("password", &[]);
    export(&sandbox, &plain.address("")).ok();
    drop(plain);
    let open = Server::with("trust", &[]);
    export(&sandbox, &open.nameless("")).ok();
}

/// A certificate for a host, and the key; and the certificate of who signed it.
fn certificate(name: &str) -> (String, String, String) {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "Made for this test");
    let authority =
        CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("signed");
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
    let certificate = params.signed_by(&key, &authority).expect("signed");
    (
        pem("CERTIFICATE", certificate.der()),
        pem("PRIVATE KEY", &key.serialize_der()),
        pem("CERTIFICATE", authority.der()),
    )
}

fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}

/// A server with TLS, and nothing but, for a certificate of this name.
fn secured(name: &str) -> (Server, String) {
    let mut server = Server::with(SCRAM, &[]);
    let (certificate, key, authority) = certificate(name);
    server.stop();
    server.write("server.crt", &certificate);
    server.write("server.key", &key);
    server.write("data/pg_hba.conf", "hostssl all all all scram-sha-256\n");
    server.settings_for_tls();
    server.run();
    (server, authority)
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_server_is_believed_by_its_certificate_and_name_alone() {
    let sandbox = Sandbox::new();
    let (server, authority) = secured("localhost");
    sandbox.write("ca.pem", &authority);
    sandbox.write("other.pem", certificate("localhost").2);
    sandbox.write("empty.pem", "");
    let verified = "?sslmode=verify-full&sslrootcert=ca.pem";
    export(&sandbox, &server.address(verified)).ok();
    assert_eq!(server.sql("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"), "t\n");
    export(&sandbox, &server.address("?sslmode=require")).ok();
    // What the system trusts does not hold it; nor does another; nor is it for this address.
    for (address, words) in [
        (server.address("?sslmode=verify-full"), "certificate"),
        (server.address("?sslmode=verify-full&sslrootcert=other.pem"), "certificate"),
        (server.address("?sslmode=verify-full&sslrootcert=empty.pem"), "certificate"),
        (server.address(verified).replace("localhost", "127.0.0.1"), "certificate"),
    ] {
        export(&sandbox, &address).exits(1).says("HP14").says(words);
    }
    // The server takes nothing plain, and is not asked to.
    export(&sandbox, &server.address("")).exits(1).says("HP145").says("no encryption");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_server_without_tls_gets_no_password_where_tls_was_asked_for() {
    let (server, sandbox) = (Server::start(), Sandbox::new());
    for mode in ["require", "verify-full"] {
        let said = export(&sandbox, &server.address(&format!("?sslmode={mode}")));
        said.exits(1).says("HP145").says("nothing was sent to it");
    }
}

#[test]
fn whoever_answers_a_question_for_tls_with_no_learns_nothing() {
    let sandbox = Sandbox::new();
    for answer in [&b"N"[..], b"E", b"", b"SRfalse"] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a visitor");
            stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a socket");
            let mut asked = [0; 8];
            stream.read_exact(&mut asked).expect("asked");
            stream.write_all(answer).expect("answered");
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest);
            (asked, rest)
        });
        let address = format!("postgres://somebody:{ENCODED}@127.0.0.1:{port}/x?sslmode=require");
        export(&sandbox, &address).exits(1).says("HP14");
        let (asked, rest) = server.join().expect("no panic");
        assert_eq!(asked, [0, 0, 0, 8, 4, 210, 22, 47]);
        let leaked =
            rest.windows(8).any(|bytes| bytes == b"somebody" || PASSWORD.as_bytes().starts_with(bytes));
        assert!(!leaked, "{rest:?}");
    }
}

#[test]
fn a_server_that_leaves_out_its_part_of_the_login_is_not_believed() {
    let sandbox = Sandbox::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a visitor");
        stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a socket");
        let mut bytes = [0; 1024];
        let _ = stream.read(&mut bytes).expect("a greeting");
        // "Log in by SCRAM", and when that has begun: "you are logged in".
        stream.write_all(b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0").expect("asked");
        let _ = stream.read(&mut bytes).expect("an answer");
        stream.write_all(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I").expect("answered");
        let _ = stream.read(&mut bytes);
    });
    let address = format!("postgres://me:{ENCODED}@127.0.0.1:{port}/x");
    export(&sandbox, &address).exits(1).says("HP140").says("leaves out a step");
    server.join().expect("no panic");
}
