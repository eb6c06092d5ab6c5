//! Making a server come up in the image as a test of it would start it, and seeing what it answers.
//!
//! ```text
//! ways to start it (as its unit does, in the foreground, on another port)
//!    └─► started ─► listens ─► greeted ─► a test
//!           └─► ends, or listens nowhere ─► what it says that it lacks is given ─► again, or the next way
//! ```

use std::collections::{BTreeMap, VecDeque};

use super::drafting::Drafting;
use super::greeting::{self, Ask};
use super::outcome::Outcome;
use super::probe::{Prober, Stage};
use super::wanting::{Wants, configured, value_of, wants};
use super::{options, ports};
use crate::diag::Result;
use crate::ident::ImagePath;
use crate::pipeline::Finished;
use crate::trial::{Stop, Visit};

/// Ways that are tried.
const MAX_WAYS: usize = 9;

/// Times that one is tried, each with more of what the server lacks.
const MAX_TRIES: usize = 6;

/// The largest configuration that a test brings, in bytes.
const MAX_MOUNT: usize = 6 << 10;

/// How a server serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Serving {
    /// The port that is asked.
    pub(super) port: u16,
    /// What is asked.
    pub(super) ask: Ask,
    /// Folders that it writes to in the test.
    pub(super) volumes: Vec<ImagePath>,
    /// Files in the place of the image's, so that it listens where everybody may.
    pub(super) mounts: BTreeMap<ImagePath, String>,
    /// Arguments behind the image's own, for the same.
    pub(super) more: Vec<String>,
    /// How it ends.
    pub(super) stop: Stop,
    /// What keeps it in the foreground, as a sentence.
    pub(super) foreground: Option<String>,
}

impl Serving {
    /// What was seen, in a line.
    pub(super) fn told(&self) -> String {
        let what = match &self.ask {
            Ask::Nothing => "it listens there".to_owned(),
            Ask::Http(status, _) => format!("it answers by HTTP with {status}"),
            Ask::Tcp { answer, .. } => format!("it answers {:?}", answer.trim()),
        };
        format!("it comes up on port {}: {what}", self.port)
    }
}

/// One way to start it.
#[derive(Debug, Clone, Default)]
struct Way {
    arguments: Vec<String>,
    /// The option that keeps it in the foreground.
    stays: Option<String>,
}

/// A way under way: what it was given so far.
#[derive(Default)]
struct Given {
    mounts: BTreeMap<ImagePath, String>,
    more: Vec<String>,
}

impl Drafting<'_> {
    /// Starts a service until it answers, or nothing more can be done.
    pub(super) fn serve(&self, outcome: &mut Outcome, mut finished: Finished) -> Result<()> {
        let Some(prober) = self.prober.filter(|_| outcome.is_service()) else { return Ok(()) };
        let (mut last, mut first) = (None, true);
        let mut left: VecDeque<Way> = ways(outcome).into();
        let mut guessed = !options::foreground(&outcome.said).is_empty();
        while let Some(way) = left.pop_front() {
            let mut given = Given::default();
            for _ in 0..MAX_TRIES {
                let Some(visit) = self.visit(prober, outcome, &finished, &way, &given)? else {
                    return Ok(());
                };
                if let Some(serving) = self.seen(outcome, &visit, &way, &given) {
                    outcome.program.arguments = way.arguments;
                    outcome.service.signal = Some(serving.stop.signal.clone());
                    outcome.serving = Some(serving);
                    return Ok(());
                }
                let said = format!("{}\n{}", visit.heard.stderr, visit.heard.stdout);
                if first {
                    last = last_line(&said).or(last);
                }
                // What ended well without a word of help in it has gone into the background.
                if visit.heard.exit == Some(0) && !std::mem::replace(&mut guessed, true) {
                    left.extend(staying(&way.arguments, options::usual()));
                }
                match self.give(outcome, &finished, &way, &mut given, &said)? {
                    Gift::Nothing => break,
                    Gift::Around => {}
                    Gift::Image(next) => finished = *next,
                }
            }
            first = false;
        }
        let why = last.map_or_else(|| "it said nothing".to_owned(), |line| format!("it said: {line}"));
        outcome.silence = Some(why);
        Ok(())
    }

    fn visit(
        &self,
        prober: &dyn Prober,
        outcome: &Outcome,
        finished: &Finished,
        way: &Way,
        given: &Given,
    ) -> Result<Option<Visit>> {
        let program = outcome.program.path.to_string();
        let words = std::iter::once(program).chain(way.arguments.iter().cloned());
        let command: Vec<String> = words.chain(given.more.iter().cloned()).collect();
        self.context.progress.say("Starting", &command.join(" "));
        let stage = Stage { command, volumes: self.volumes(outcome), mounts: given.mounts.clone() };
        prober.visit(self.context, finished, &stage, &greeting::greetings())
    }

    /// The folders that are written to and that no package puts anything into; none in another.
    fn volumes(&self, outcome: &Outcome) -> Vec<ImagePath> {
        let world = &self.worlds[0];
        let folders = &outcome.service.folders;
        let outer = |path: &&ImagePath| !folders.iter().any(|other| other != *path && path.is_under(other));
        folders.iter().filter(outer).filter(|path| world.below(path).next().is_none()).cloned().collect()
    }

    fn seen(&self, outcome: &Outcome, visit: &Visit, way: &Way, given: &Given) -> Option<Serving> {
        let stop = visit.stop.clone()?;
        let expected: Vec<u16> = outcome.service.ports.iter().map(|(port, _)| ports::away(*port)).collect();
        let (port, ask) = greeting::choose(visit, &expected)?;
        let why = |option: &String| format!("`{option}` keeps it in the foreground.");
        Some(Serving {
            port,
            ask,
            volumes: self.volumes(outcome),
            mounts: given.mounts.clone(),
            more: given.more.clone(),
            stop,
            foreground: way.stays.as_ref().map(why),
        })
    }

    /// Gives a server what it says that it lacks.
    fn give(
        &self,
        outcome: &mut Outcome,
        finished: &Finished,
        way: &Way,
        given: &mut Given,
        said: &str,
    ) -> Result<Gift> {
        let world = &self.worlds[0];
        let wants = wants(world, said);
        let mut around = false;
        for folder in &wants.folders {
            around |= outcome.service.folders.insert(folder.clone());
        }
        // Some say nothing of why they end.
        let port = wants.port || said.trim().is_empty();
        if port && given.mounts.is_empty() && given.more.is_empty() {
            around |= self.move_port(outcome, way, given);
        }
        let before = (outcome.plan.clone(), outcome.service.clone());
        if self.add(outcome, finished, &wants, said) {
            if let Some(next) = self.settle(outcome, &[world.platform])? {
                return Ok(Gift::Image(Box::new(next)));
            }
            (outcome.plan, outcome.service) = before;
            outcome.problems.clear();
        }
        Ok(if around { Gift::Around } else { Gift::Nothing })
    }

    /// Adds to the plan what has to be in the image; whether there is anything.
    fn add(&self, outcome: &mut Outcome, finished: &Finished, wants: &Wants, said: &str) -> bool {
        let world = &self.worlds[0];
        let users = wants.users.iter().map(|name| (name.clone(), None)).collect();
        let known = outcome.service.users.len();
        outcome.service.add_users(users);
        let mut changed = outcome.service.users.len() > known;
        for path in wants.unreadable.iter().filter(|path| self.is_in(finished, path)) {
            let mine = "nonroot:nonroot".to_owned();
            changed |= outcome.plan.owners.insert(path.clone(), mine).is_none();
        }
        for (link, target) in &wants.links {
            changed |= outcome.plan.links.insert(link.clone(), target.to_string()).is_none();
        }
        for name in &wants.variables {
            let mut texts = outcome.service.configs.iter().filter_map(|path| world.text(path, 1 << 18));
            let value = texts.find_map(|text| value_of(&text, name));
            changed |= value.is_some_and(|value| {
                let read = configured(world, &value);
                outcome.service.folders.extend(read.folders);
                outcome
                    .plan
                    .links
                    .extend(read.links.into_iter().map(|(link, target)| (link, target.to_string())));
                outcome.plan.env.insert(name.clone(), value).is_none()
            });
        }
        changed | self.heed(outcome, finished, said)
    }

    /// Moves a port that only root may listen on, by the configuration or by an option.
    fn move_port(&self, outcome: &Outcome, way: &Way, given: &mut Given) -> bool {
        let texts = outcome.service.configs.iter().filter_map(|path| {
            let text = self.worlds[0].text(path, 1 << 18)?;
            Some((path.clone(), ports::moved(&text).filter(|text| text.len() <= MAX_MOUNT)?))
        });
        given.mounts.extend(texts);
        if !given.mounts.is_empty() {
            return true;
        }
        let low: Vec<u16> = outcome
            .service
            .ports
            .iter()
            .map(|(port, _)| *port)
            .filter(|port| ports::away(*port) != *port)
            .collect();
        let port = ports::away(low.first().copied().unwrap_or(80));
        if way.arguments.iter().any(|word| word.contains("--port")) {
            return false;
        }
        given.more.extend(options::port(&outcome.said, port).into_iter().flatten());
        !given.more.is_empty()
    }
}

/// What a server was given.
enum Gift {
    /// Nothing.
    Nothing,
    /// Something beside the image.
    Around,
    /// Another image.
    Image(Box<Finished>),
}

/// The ways in which a service is started, the likeliest first.
fn ways(outcome: &Outcome) -> Vec<Way> {
    let forks = outcome.program.unit.as_ref().is_some_and(|unit| unit.forks);
    let own = options::staying(&outcome.program.arguments);
    let plain = Way { arguments: own.clone(), stays: None };
    let staying = staying(&own, options::foreground(&outcome.said));
    let mut ways = if forks { Vec::new() } else { vec![plain.clone()] };
    let names: Vec<&str> = outcome.service.users.iter().map(|(name, _)| name.as_str()).collect();
    let as_it_is = options::without_user(&own, &names);
    if as_it_is != own {
        ways.push(Way { arguments: as_it_is, stays: None });
    }
    ways.extend(staying);
    if forks {
        ways.push(plain);
    }
    if !own.is_empty() {
        ways.push(Way::default());
    }
    ways.truncate(MAX_WAYS);
    ways
}

fn staying(own: &[String], options: Vec<String>) -> Vec<Way> {
    let new = options.into_iter().filter(|option| !own.contains(option));
    let way = |option: String| Way {
        arguments: [own, std::slice::from_ref(&option)].concat(),
        stays: Some(option),
    };
    new.map(way).collect()
}

/// The last line that a program said, shortened, without what a terminal would obey.
fn last_line(said: &str) -> Option<String> {
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| line.len() > 3).collect();
    let line: String = lines.last()?.chars().filter(|letter| !letter.is_control()).take(160).collect();
    Some(line)
}

impl Outcome {
    /// Whether the program stays up and serves.
    fn is_service(&self) -> bool {
        let unit = self.program.unit.as_ref();
        unit.is_some_and(|unit| !unit.ends) || unit.is_none() && !self.service.ports.is_empty()
    }
}
