//! What a server does that nobody described yet: on which ports it listens, what it answers to
//! greetings, and how it ends. For drafts of recipes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::attendant::{Question, Reply, bytes_of};
use super::container::Container;
use super::foreign::{Emulation, emulation};
use super::hall::Hall;
use super::hearing::{Heard, heard};
use super::judge;
use super::ports;
use super::room::Room;
use super::run::Trial;
use super::runtime::Runtime;
use crate::diag::Result;
use crate::host::{self, End, Stopwatch};
use crate::recipe::RunSpec;

/// How often it is looked whether anybody listens.
const TICK: Duration = Duration::from_millis(50);

/// How long further ports may take behind the first.
const SETTLING: Duration = Duration::from_millis(700);

/// How long an answer may take.
const ANSWERING: Duration = Duration::from_secs(2);

/// How long a server may take to end when it is told to.
const ENDING: Duration = Duration::from_secs(8);

/// Signals that are sent where the image's own does not end it.
const SIGNALS: [&str; 3] = ["SIGINT", "SIGQUIT", "SIGKILL"];

/// Ports of one server that are greeted.
const MAX_PORTS: usize = 6;

/// Something to say to a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Greeting {
    /// A question for `/`, by HTTP.
    Http,
    /// Words, by TCP, up to what shows that they were understood.
    Tcp {
        /// What is sent.
        send: String,
        /// What must come back.
        until: String,
    },
}

/// What a port answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Greeted {
    /// Which greeting it was, by its place.
    pub greeting: usize,
    /// The status, by HTTP.
    pub status: Option<u16>,
    /// What came.
    pub bytes: Vec<u8>,
}

/// How a server ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// The first signal that ends it.
    pub signal: String,
    /// Its exit code, if it is not that of a good end.
    pub exit: Option<u8>,
}

/// What was seen of a server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Visit {
    /// The TCP ports that it listens on, and the first greeting that each answered.
    pub ports: BTreeMap<u16, Option<Greeted>>,
    /// How it ended after that when it was told to; `None` if it had ended before.
    pub stop: Option<Stop>,
    /// How it ended, and what it said.
    pub heard: Heard,
}

/// Starts the program of a test, waits until it listens on a port or ends, greets its ports and ends it;
/// `None` if the image can't be run on this machine.
pub fn visit(trial: &Trial, greetings: &[Greeting]) -> Result<Option<Visit>> {
    if let Emulation::Impossible(_) = emulation(&trial.part.platform.platform) {
        return Ok(None);
    }
    let Some(test) = trial.tests.first() else { return Ok(None) };
    let Some(run) = test.runs().next() else { return Ok(None) };
    let runtime = Runtime::find(trial.runtime, trial.root)?;
    let mut hall = Hall::open(trial.home, &runtime)?;
    hall.unpack(None, trial.part.image, trial.part.platform)?;
    let folder = hall.ground.new_folder("tests")?;
    let mut room = Room::open(&mut hall, test, &folder, trial.recipe)?;
    let seconds = test.steps.first().map_or(0, |step| step.timeout);
    let visit = one(&mut room, run, Duration::from_secs(seconds.into()), greetings)?;
    drop(room);
    let _ = host::remove_dir(&folder);
    Ok(Some(visit))
}

fn one(room: &mut Room, run: &RunSpec, patience: Duration, greetings: &[Greeting]) -> Result<Visit> {
    let Ok(mut container) = room.container(run)? else { return Ok(Visit::default()) };
    if let Err(words) = container.go() {
        return Ok(Visit { heard: Heard { stderr: words, ..Heard::default() }, ..Visit::default() });
    }
    let open = wait(room, &mut container, patience);
    let mut visit = Visit::default();
    for port in open.into_iter().take(MAX_PORTS) {
        visit.ports.insert(port, greet(room, port, greetings));
    }
    let ran = container.glance().is_none();
    if ran && !visit.ports.is_empty() {
        let signal = room.hall.subject(None).setup.stop_signal.clone();
        visit.stop = stop(&mut container, signal);
    }
    let end = container.glance().filter(|_| !ran);
    container.kill();
    visit.heard = heard(&container, end);
    Ok(visit)
}

/// Ends a server: by the image's signal, else by another. As the first process of its name space it gets
/// only those that it handles.
fn stop(container: &mut Container, own: String) -> Option<Stop> {
    for signal in std::iter::once(own).chain(SIGNALS.map(ToOwned::to_owned)) {
        if container.signal(&signal).is_err() {
            return None;
        }
        if let Some(end) = container.wait(ENDING) {
            let exit = match end {
                End::Code(code) if !judge::is_stop(end, &signal) => Some(u8::try_from(code).ok()?),
                _ => None,
            };
            return Some(Stop { signal, exit });
        }
    }
    None
}

/// The ports that are listened on, once there is one and some time has passed; none if it ends.
fn wait(room: &Room, container: &mut Container, patience: Duration) -> BTreeSet<u16> {
    let watch = Stopwatch::start();
    let mut first: Option<Stopwatch> = None;
    loop {
        let ended = container.glance().is_some();
        let open = listening(room);
        if ended
            || watch.elapsed() > patience
            || first.as_ref().is_some_and(|first| first.elapsed() > SETTLING)
        {
            return if ended { BTreeSet::new() } else { open };
        }
        if !open.is_empty() && first.is_none() {
            first = Some(Stopwatch::start());
        }
        host::pause(TICK);
    }
}

fn listening(room: &Room) -> BTreeSet<u16> {
    let mut open = BTreeSet::new();
    for family in ["tcp", "tcp6"] {
        let list = format!("/proc/{}/net/{family}", room.attendant.id());
        open.extend(host::read_lossy(list.as_ref()).map(|list| ports::all(&list)).unwrap_or_default());
    }
    open
}

/// The first greeting that a port answers.
fn greet(room: &mut Room, port: u16, greetings: &[Greeting]) -> Option<Greeted> {
    for (at, greeting) in greetings.iter().enumerate() {
        let question = match greeting {
            Greeting::Http => Question::Url { url: format!("http://localhost:{port}/"), ca: None },
            Greeting::Tcp { send, until } => {
                Question::Tcp { port, send: send.clone(), until: vec![until.clone()] }
            }
        };
        let Reply::Came { status, bytes } = room.attendant.ask(question, ANSWERING) else { continue };
        let bytes = bytes_of(&bytes);
        let understood = match greeting {
            Greeting::Http => status.is_some(),
            Greeting::Tcp { until, .. } => judge::contains(&bytes, until),
        };
        if understood {
            return Some(Greeted { greeting: at, status, bytes });
        }
    }
    None
}
