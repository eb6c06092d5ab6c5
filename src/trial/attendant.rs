//! What hardpan does inside a test's network: it is this program a second time, which makes the network,
//! keeps it as long as the test lasts, and asks questions there.
//!
//! ```text
//! hardpan ──"{"url":…}"──► attendant (in the network of the test) ──► the test's servers
//!         ◄──"{"status":…}"──
//! ```

use std::io::{self, Read as _, Write as _};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::runtime::not_isolated;
use crate::diag::Result;
use crate::host::{self, Helper};

/// The most of an answer that is looked at, in bytes.
const MOST: u64 = 1 << 20;

/// How long the attendant may take beside what its question may.
const BESIDE: Duration = Duration::from_secs(5);

/// What it says when its network is there.
const READY: &str = "ready";

/// A question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Question {
    /// By HTTP.
    Url {
        /// Where.
        url: String,
        /// Certificates that are believed, as PEM; nobody's if there are none.
        ca: Option<String>,
    },
    /// By TCP.
    Tcp {
        /// The port of the loopback.
        port: u16,
        /// What is sent.
        send: String,
        /// When these came back, it is enough.
        until: Vec<String>,
    },
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Reply {
    /// What came back; by HTTP, with its status.
    Came {
        /// The status.
        status: Option<u16>,
        /// The bytes, in base64.
        bytes: String,
    },
    /// Nothing came back, and why.
    Failed(String),
}

#[derive(Serialize, Deserialize)]
struct Asked {
    question: Question,
    seconds: u64,
}

/// An attendant, from outside.
pub(super) struct Attendant(Helper);

impl Attendant {
    /// Starts one; in a network of its own, or in the host's.
    pub(super) fn start(own_network: bool) -> Result<Self> {
        let network = if own_network { "own" } else { "host" };
        let helper = Helper::start(&["attend", "network", network])
            .map_err(|error| not_isolated("this program can't be started in a network", error))?;
        match helper.hear(BESIDE) {
            Ok(line) if line.trim() == READY => Ok(Self(helper)),
            Ok(line) => Err(not_isolated("no network of its own can be made for a test", line.trim()).into()),
            Err(error) => Err(not_isolated("no network of its own can be made for a test", error).into()),
        }
    }

    /// Where the kernel shows its network.
    pub(super) fn network(&self) -> std::path::PathBuf {
        format!("/proc/{}/ns/net", self.0.id()).into()
    }

    /// Its process number, to look at its network with.
    pub(super) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Asks.
    pub(super) fn ask(&mut self, question: Question, patience: Duration) -> Reply {
        let asked = Asked { question, seconds: patience.as_secs().max(1) };
        let line = serde_json::to_string(&asked).expect("no maps");
        let heard = self.0.say(&line).and_then(|()| self.0.hear(patience + BESIDE));
        match heard.map(|line| serde_json::from_str(&line)) {
            Ok(Ok(reply)) => reply,
            Ok(Err(error)) => Reply::Failed(error.to_string()),
            Err(error) => Reply::Failed(error.to_string()),
        }
    }
}

/// What an attendant does.
pub(super) fn attend(own_network: bool) {
    host::leave_terminal();
    let mut out = io::stdout();
    let mut say = |line: &str| writeln!(out, "{line}").and_then(|()| out.flush()).is_ok();
    let made = if own_network { host::become_alone_in_network() } else { Ok(()) };
    if !say(&made.map_or_else(|error| error.to_string(), |()| READY.to_owned())) {
        return;
    }
    for line in host::told() {
        let reply = match serde_json::from_str::<Asked>(&line) {
            Ok(asked) => answer(&asked.question, Duration::from_secs(asked.seconds)),
            Err(error) => Reply::Failed(error.to_string()),
        };
        if !say(&serde_json::to_string(&reply).expect("no maps")) {
            return;
        }
    }
}

fn answer(question: &Question, patience: Duration) -> Reply {
    let asked = match question {
        Question::Url { url, ca } => {
            host::question(url, ca.as_deref(), patience, MOST).map(|(status, bytes)| (Some(status), bytes))
        }
        Question::Tcp { port, send, until } => talk(*port, send, until, patience).map(|bytes| (None, bytes)),
    };
    match asked {
        Ok((status, bytes)) => Reply::Came { status, bytes: STANDARD.encode(bytes) },
        Err(error) => Reply::Failed(error.to_string()),
    }
}

/// Sends, and reads until all that is wanted came, the other side ended, or the time is over.
fn talk(port: u16, send: &str, until: &[String], patience: Duration) -> io::Result<Vec<u8>> {
    let watch = host::Stopwatch::start();
    let mut line = host::connect_loopback(port, patience)?;
    line.write_all(send.as_bytes())?;
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    while !until.iter().all(|text| super::judge::contains(&bytes, text)) && (bytes.len() as u64) < MOST {
        let left = patience.saturating_sub(watch.elapsed());
        if left.is_zero() {
            break;
        }
        line.set_read_timeout(Some(left))?;
        match line.read(&mut buffer) {
            Ok(0) => break,
            Ok(got) => bytes.extend_from_slice(&buffer[..got]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // What came is what is judged.
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                break;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(bytes)
}

/// The bytes of a reply.
pub(super) fn bytes_of(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap_or_default()
}
