//! A Sigstore instance on the loopback interface: a certificate authority (Fulcio), a transparency log in
//! both versions (Rekor), a timestamp authority, all with keys of their own, and wrong in any way that is
//! ordered. It makes whole bundles as well, which no honest signer would.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use pkcs8::DecodePublicKey as _;
use ring::signature::KeyPair as _;
use serde_json::{Value, json};
use sha2::Digest as _;

use super::certified::{BETWEEN, CLOCK, LOG, ROOT, SEEN, between, clock, ed25519, ed25519_spki, key, own};
use super::wire::Wire;
use super::{Plan, der};

pub const ISSUER: &str = "https://issuer.example";
pub const NAME: &str = "builder@hardpan.example";

/// What a service does wrong.
pub enum Wrong {
    /// Answers with this.
    Status(u16),
    /// Never answers.
    Hangs,
    /// Answers with what is no answer.
    Garbage,
    /// Certifies something else than it was asked for.
    Issues(Box<dyn Fn(&mut Plan) + Send>),
    /// Answers with other JSON.
    Says(Box<dyn Fn(&mut Value) + Send>),
    /// Says that it has the entry already.
    HasIt,
}

struct State {
    stop: Arc<AtomicBool>,
    address: SocketAddr,
    leaves: Mutex<Vec<[u8; 32]>>,
    wrongs: Mutex<Vec<(&'static str, Wrong, usize)>>,
    asked: Mutex<Vec<(String, Vec<u8>)>>,
    entries: Mutex<Vec<Value>>,
}

/// An instance that runs until it is dropped.
pub struct Sigstore {
    state: Arc<State>,
    listener: Option<JoinHandle<()>>,
}

pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    sha2::Sha256::digest(bytes).into()
}

pub fn base64_of(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

pub fn bytes_of(value: &Value) -> Vec<u8> {
    STANDARD.decode(value.as_str().unwrap()).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn pem(label: &str, der: &[u8]) -> String {
    let base64 = base64_of(der);
    let lines: Vec<&str> = base64.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn unpem(text: &str) -> Vec<u8> {
    let lines: String = text.lines().filter(|line| !line.starts_with("---")).collect();
    STANDARD.decode(lines).unwrap()
}

pub fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

/// RFC 6962, 2.1.
fn tree(leaves: &[[u8; 32]]) -> [u8; 32] {
    if let [one] = leaves {
        return *one;
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    sha256(&[&[1][..], &tree(left), &tree(right)].concat())
}

/// RFC 6962, 2.1.1.
fn path(index: usize, leaves: &[[u8; 32]]) -> Vec<[u8; 32]> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    let (mut path, other) = if index < left.len() {
        (path(index, left), tree(right))
    } else {
        (path(index - left.len(), right), tree(left))
    };
    path.push(other);
    path
}

impl State {
    /// Takes a body in: its index, its path, the tree's size and root.
    fn append(&self, body: &[u8]) -> (usize, Vec<[u8; 32]>, usize, [u8; 32]) {
        let mut leaves = locked(&self.leaves);
        let index = leaves.len();
        leaves.push(sha256(&[&[0][..], body].concat()));
        // Others write as well.
        leaves.push([9; 32]);
        (index, path(index, &leaves), leaves.len(), tree(&leaves))
    }

    fn checkpoint(
        origin: &str,
        name: &str,
        size: usize,
        root: [u8; 32],
        hint: &[u8],
        sign: impl Fn(&[u8]) -> Vec<u8>,
    ) -> String {
        let note = format!("{origin}\n{size}\n{}\n", base64_of(root));
        let signature = [&hint[..4], &sign(note.as_bytes())].concat();
        format!("{note}\n\u{2014} {name} {}\n", base64_of(signature))
    }

    /// What Rekor v1 answers.
    fn enter_v1(&self, envelope: &str, verifier: &str, time: i64) -> Value {
        let parsed: Value = serde_json::from_str(envelope).unwrap();
        let payload = bytes_of(&parsed["payload"]);
        let body = json!({ "apiVersion": "0.0.1", "kind": "dsse", "spec": {
            "envelopeHash": { "algorithm": "sha256", "value": hex(&sha256(envelope.as_bytes())) },
            "payloadHash": { "algorithm": "sha256", "value": hex(&sha256(&payload)) },
            "signatures": [{ "signature": parsed["signatures"][0]["sig"], "verifier": verifier }],
        } })
        .to_string();
        let (index, path, size, root) = self.append(body.as_bytes());
        let log = sha256(&der::spki(&key(LOG)));
        // Indices count over all trees that the log has had.
        let (body, global) = (base64_of(&body), index + 1000);
        let promised =
            json!({ "body": body, "integratedTime": time, "logID": hex(&log), "logIndex": global });
        let sign = |bytes: &[u8]| der::sign(&key(LOG), bytes);
        let checkpoint = Self::checkpoint("127.0.0.1 - 4711", "127.0.0.1", size, root, &log, sign);
        json!({ "aa00": {
            "body": body,
            "integratedTime": time,
            "logID": hex(&log),
            "logIndex": global,
            "verification": {
                "inclusionProof": {
                    "checkpoint": checkpoint,
                    "hashes": path.iter().map(|hash| hex(hash)).collect::<Vec<_>>(),
                    "logIndex": index,
                    "rootHash": hex(&root),
                    "treeSize": size,
                },
                "signedEntryTimestamp": base64_of(sign(promised.to_string().as_bytes())),
            },
        } })
    }

    /// What Rekor v2 answers.
    fn enter_v2(&self, digest: &Value, signature: &Value) -> Value {
        let record = json!({ "data": { "algorithm": "SHA2_256", "digest": digest }, "signature": signature });
        let spec = json!({ "hashedRekordV002": record });
        let body = json!({ "apiVersion": "0.0.2", "kind": "hashedrekord", "spec": spec }).to_string();
        let (index, path, size, root) = self.append(body.as_bytes());
        let id = second_log_id();
        let sign = |bytes: &[u8]| ed25519().sign(bytes).as_ref().to_vec();
        json!({
            "logIndex": index.to_string(),
            "logId": { "keyId": base64_of(id) },
            "kindVersion": { "kind": "hashedrekord", "version": "0.0.2" },
            "integratedTime": "0",
            "inclusionPromise": null,
            "inclusionProof": {
                "logIndex": index.to_string(),
                "rootHash": base64_of(root),
                "treeSize": size.to_string(),
                "hashes": path.iter().map(base64_of).collect::<Vec<_>>(),
                "checkpoint": { "envelope": Self::checkpoint("127.0.0.1", "127.0.0.1", size, root, &id, sign) },
            },
            "canonicalizedBody": base64_of(body),
        })
    }

    fn answer(&self, method: &str, path: &str, body: &[u8], wrong: Option<&Wrong>) -> (u16, Vec<u8>) {
        let ask: Value = serde_json::from_slice(body).unwrap_or_default();
        let (status, mut said) = match (method, path) {
            ("POST", "/api/v2/signingCert") => Self::certify(&ask, wrong),
            ("POST", "/api/v1/log/entries") => {
                let proposed = &ask["spec"]["proposedContent"];
                let (envelope, verifier) =
                    (proposed["envelope"].as_str().unwrap(), proposed["verifiers"][0].as_str().unwrap());
                let entry = self.enter_v1(envelope, verifier, now());
                locked(&self.entries).push(entry.clone());
                if matches!(wrong, Some(Wrong::HasIt)) { (409, json!({ "code": 409 })) } else { (201, entry) }
            }
            ("GET", "/api/v1/log/entries/aa00") => (200, locked(&self.entries).last().cloned().unwrap()),
            ("POST", "/api/v2/log/entries") => {
                let record = &ask["hashedRekordRequestV002"];
                (201, self.enter_v2(&record["digest"], &record["signature"]))
            }
            ("GET", path) if path.starts_with("/token?x=1&audience=sigstore") => {
                (200, json!({ "value": Sigstore::token(600) }))
            }
            ("POST", "/stamp") => {
                let at = body.windows(2).position(|two| two == [4, 32]).unwrap() + 2;
                let (hash, rest) = body[at..].split_at(32);
                assert_eq!(rest[..2], [2, 8]);
                return (201, der::timestamp(hash, Some(&rest[2..10]), now(), (&key(CLOCK), &clock(8))));
            }
            _ => (404, Value::Null),
        };
        if let Some(Wrong::Says(change)) = wrong {
            change(&mut said);
        }
        (status, said.to_string().into_bytes())
    }

    fn certify(ask: &Value, wrong: Option<&Wrong>) -> (u16, Value) {
        let token = ask["credentials"]["oidcIdentityToken"].as_str().unwrap();
        let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        let request = &ask["publicKeyRequest"];
        let spki = unpem(request["publicKey"]["content"].as_str().unwrap());
        let name = claims["email"].as_str().or(claims["sub"].as_str()).unwrap();
        let proof = p256::ecdsa::DerSignature::from_bytes(&bytes_of(&request["proofOfPossession"])).unwrap();
        let public = p256::ecdsa::VerifyingKey::from_public_key_der(&spki).unwrap();
        if p256::ecdsa::signature::Verifier::verify(&public, name.as_bytes(), &proof).is_err() {
            return (400, json!({ "message": "no proof of possession" }));
        }
        let mut plan = Plan { name: name.into(), spki, from: now() - 1, ..Plan::default() };
        if let Some(Wrong::Issues(change)) = wrong {
            change(&mut plan);
        }
        let chain = [plan.certificate(), between(), own("root", ROOT)].map(|der| pem("CERTIFICATE", &der));
        (200, json!({ "signedCertificateEmbeddedSct": { "chain": { "certificates": chain } } }))
    }

    fn meet(&self, path: &str) -> Option<Wrong> {
        let mut wrongs = locked(&self.wrongs);
        let at = wrongs.iter().position(|(found, _, left)| path.starts_with(found) && *left > 0)?;
        wrongs[at].2 -= 1;
        // What is done by a function is done once.
        if matches!(wrongs[at].1, Wrong::Issues(_) | Wrong::Says(_)) || wrongs[at].2 == 0 {
            return Some(wrongs.remove(at).1);
        }
        Some(match wrongs[at].1 {
            Wrong::Status(status) => Wrong::Status(status),
            Wrong::Hangs => Wrong::Hangs,
            Wrong::Garbage => Wrong::Garbage,
            _ => Wrong::HasIt,
        })
    }
}

/// How a log that signs by Ed25519 is called (C2SP, signed-note).
fn second_log_id() -> [u8; 32] {
    sha256(&[b"127.0.0.1\n\x01", ed25519().public_key().as_ref()].concat())
}

impl Sigstore {
    /// One whose log has some entries already.
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let state = Arc::new(State {
            stop: Arc::default(),
            address: listener.local_addr().expect("bound"),
            leaves: Mutex::new((0..5).map(|number| [number; 32]).collect()),
            wrongs: Mutex::default(),
            asked: Mutex::default(),
            entries: Mutex::default(),
        });
        let shared = Arc::clone(&state);
        let listener = thread::spawn(move || accept(&listener, &shared));
        Self { state, listener: Some(listener) }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.state.address)
    }

    /// The next requests for a path go wrong.
    pub fn wrong(&self, path: &'static str, wrong: Wrong) -> &Self {
        locked(&self.state.wrongs).push((path, wrong, usize::MAX));
        self
    }

    /// So many of the next requests for a path go wrong.
    pub fn wrong_times(&self, path: &'static str, wrong: Wrong, times: usize) -> &Self {
        locked(&self.state.wrongs).push((path, wrong, times));
        self
    }

    pub fn heal(&self) {
        locked(&self.state.wrongs).clear();
    }

    /// How often something was asked for.
    pub fn hits(&self, path: &str) -> usize {
        locked(&self.state.asked).iter().filter(|(found, _)| found.ends_with(path)).count()
    }

    /// A token of the identity that certificates are for, good for so many seconds.
    pub fn token(seconds: i64) -> String {
        Self::token_of(
            &json!({ "iss": ISSUER, "sub": "7", "aud": "sigstore", "email": NAME, "email_verified": true, "exp": now() + seconds }),
        )
    }

    pub fn token_of(claims: &Value) -> String {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.{}", part(r#"{"alg":"ES256"}"#), part(&claims.to_string()), part("signature"))
    }

    /// Which services there are: of both versions of the log, or the first only.
    pub fn signing_config(&self, newest: u8, clock: bool) -> Value {
        let valid = json!({ "start": "2023-01-01T00:00:00Z" });
        let service = |path: &str, version: u8| json!({ "url": format!("{}{path}", self.url()), "majorApiVersion": version, "validFor": valid, "operator": "tests" });
        let logs: Vec<Value> = (1..=newest).map(|version| service("", version)).collect();
        let clocks = if clock { vec![service("/stamp", 1)] } else { Vec::new() };
        json!({
            "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
            "caUrls": [service("", 1)],
            "oidcUrls": [],
            "rekorTlogUrls": logs,
            "rekorTlogConfig": { "selector": "ANY" },
            "tsaUrls": clocks,
            "tsaConfig": { "selector": "ANY" },
        })
    }

    /// What all that is said here is verified with.
    pub fn trusted_root(&self) -> Value {
        let valid = json!({ "start": "2023-01-01T00:00:00.000Z" });
        let log = |spki: Vec<u8>, id: [u8; 32], details: &str| {
            json!({
                "baseUrl": self.url(),
                "hashAlgorithm": "SHA2_256",
                "publicKey": { "rawBytes": base64_of(spki), "keyDetails": details, "validFor": valid },
                "logId": { "keyId": base64_of(id) },
            })
        };
        let p256 = |number: u8| {
            let spki = der::spki(&key(number));
            let id = sha256(&spki);
            log(spki, id, "PKIX_ECDSA_P256_SHA_256")
        };
        let authority = |chain: &[Vec<u8>]| {
            let chain: Vec<Value> = chain.iter().map(|der| json!({ "rawBytes": base64_of(der) })).collect();
            json!({
                "subject": { "organization": "tests", "commonName": "tests" },
                "uri": self.url(),
                "certChain": { "certificates": chain },
                "validFor": valid,
            })
        };
        json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [p256(LOG), log(ed25519_spki(), second_log_id(), "PKIX_ED25519")],
            "certificateAuthorities": [authority(&[between(), own("root", ROOT)])],
            "ctlogs": [p256(SEEN)],
            "timestampAuthorities": [authority(&[clock(8), own("clock authority", CLOCK + 100)])],
        })
    }

    /// A bundle as it should be, but for what is changed.
    pub fn bundle(&self, change: impl FnOnce(&mut Plan)) -> Value {
        const TYPE: &str = "application/vnd.in-toto+json";
        let mut plan = Plan::default();
        change(&mut plan);
        let certificate = plan.certificate();
        let signed = |payload: &[u8]| {
            let message =
                [format!("DSSEv1 {} {TYPE} {} ", TYPE.len(), payload.len()).as_bytes(), payload].concat();
            (der::sign(&key(plan.key), &message), message)
        };
        let envelope = |payload: &[u8], signature: &[u8]| json!({ "payload": base64_of(payload), "payloadType": TYPE, "signatures": [{ "sig": base64_of(signature) }] });
        let (signature, _) = signed(&plan.payload);
        let logged = plan.logged.as_ref().unwrap_or(&plan.payload);
        let (logged_signature, message) = signed(logged);
        let entry = if plan.version == 1 {
            let verifier = base64_of(pem("CERTIFICATE", &certificate));
            bundled(
                &self.state.enter_v1(
                    &envelope(logged, &logged_signature).to_string(),
                    &verifier,
                    plan.integrated,
                )["aa00"],
            )
        } else {
            let verifier = json!({ "keyDetails": "PKIX_ECDSA_P256_SHA_256", "x509Certificate": { "rawBytes": base64_of(&certificate) } });
            let signature = json!({ "content": base64_of(&logged_signature), "verifier": verifier });
            self.state.enter_v2(&base64_of(sha256(&message)).into(), &signature)
        };
        let mut material =
            json!({ "certificate": { "rawBytes": base64_of(certificate) }, "tlogEntries": [entry] });
        if let Some(time) = plan.stamped {
            let stamp =
                der::timestamp(&sha256(&signature), None, time, (&key(CLOCK), &clock(plan.clock_purpose)));
            material["timestampVerificationData"] =
                json!({ "rfc3161Timestamps": [{ "signedTimestamp": base64_of(stamp) }] });
        }
        json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": material,
            "dsseEnvelope": envelope(&plan.payload, &signature),
        })
    }
}

/// Rekor v1's form of an entry in the form of bundles.
fn bundled(entry: &Value) -> Value {
    let unhex = |value: &Value| {
        let text = value.as_str().unwrap();
        base64_of(
            (0..text.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
                .collect::<Vec<u8>>(),
        )
    };
    let proof = &entry["verification"]["inclusionProof"];
    json!({
        "logIndex": entry["logIndex"].to_string(),
        "logId": { "keyId": unhex(&entry["logID"]) },
        "kindVersion": { "kind": "dsse", "version": "0.0.1" },
        "integratedTime": entry["integratedTime"].to_string(),
        "inclusionPromise": { "signedEntryTimestamp": entry["verification"]["signedEntryTimestamp"] },
        "inclusionProof": {
            "logIndex": proof["logIndex"].to_string(),
            "rootHash": unhex(&proof["rootHash"]),
            "treeSize": proof["treeSize"].to_string(),
            "hashes": proof["hashes"].as_array().unwrap().iter().map(unhex).collect::<Vec<_>>(),
            "checkpoint": { "envelope": proof["checkpoint"] },
        },
        "canonicalizedBody": entry["body"],
    })
}

impl Drop for Sigstore {
    fn drop(&mut self) {
        self.state.stop.store(true, Ordering::Relaxed);
        // The listener waits for a connection: this is its last one.
        let _ = TcpStream::connect(self.state.address);
        let ended = self.listener.take().map(JoinHandle::join);
        assert!(
            ended.is_none_or(|ended| ended.is_ok()) || thread::panicking(),
            "a thread of the instance panicked"
        );
    }
}

/// A test that failed while it held the lock is a failed test already.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn accept(listener: &TcpListener, state: &Arc<State>) {
    let mut connections = Vec::new();
    for stream in listener.incoming() {
        if state.stop.load(Ordering::Relaxed) {
            break;
        }
        let Ok(wire) = stream.and_then(|stream| Wire::new(stream, Arc::clone(&state.stop))) else { continue };
        let shared = Arc::clone(state);
        connections.push(thread::spawn(move || drop(converse(wire, &shared))));
    }
    for connection in connections {
        connection.join().expect("a connection that does not panic");
    }
}

fn converse(mut wire: Wire, state: &State) -> io::Result<()> {
    while let Some(head) = wire.head()? {
        let field = |name: &str| {
            let lines = head.lines().filter_map(|line| line.split_once(':'));
            lines
                .filter(|(found, _)| found.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.trim().to_owned())
                .next()
        };
        let body = wire.body(field("content-length").map_or(0, |length| length.parse().unwrap()))?;
        let words: Vec<&str> = head.split(' ').take(2).collect();
        locked(&state.asked).push((words.join(" "), body.clone()));
        let wrong = state.meet(words[1]);
        let (status, bytes) = match &wrong {
            Some(Wrong::Hangs) => return wire.idle(),
            Some(Wrong::Status(status)) => (*status, b"{\"message\":\"as ordered\"}".to_vec()),
            Some(Wrong::Garbage) => (201, b"<html>no</html>".to_vec()),
            _ => state.answer(words[0], words[1], &body, wrong.as_ref()),
        };
        let place = if status == 409 { "Location: /api/v1/log/entries/aa00\r\n" } else { "" };
        let head = format!("HTTP/1.1 {status} Status\r\n{place}Content-Length: {}\r\n\r\n", bytes.len());
        wire.send(head.as_bytes())?;
        wire.send(&bytes)?;
    }
    Ok(())
}
