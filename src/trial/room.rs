//! One test: its steps in their order, in one network, with one set of mounts and volumes.

use std::path::PathBuf;
use std::time::Duration;

use super::account::account;
use super::attendant::{Attendant, Question, Reply};
use super::bundle::Bind;
use super::container::Container;
use super::furniture::Furnishing;
use super::hall::Hall;
use super::making::{NotMade, name_of};
use super::outcome::{LastWords, Mismatch, Outcome, Verdict};
use super::sight::Sight;
use super::{judge, ports};
use crate::diag::{Failure, Result};
use crate::host::{self, End, Stopwatch};
use crate::ident::RecipeName;
use crate::recipe::{Action, AskUrl, Ending, RunSpec, TestSpec, TestStep};

/// How often it is looked whether a server listens.
const TICK: Duration = Duration::from_millis(20);

/// A test under way.
pub(super) struct Room<'a> {
    pub(super) hall: &'a mut Hall,
    pub(super) test: &'a TestSpec,
    pub(super) binds: Vec<Bind>,
    pub(super) attendant: Attendant,
    servers: Vec<Server<'a>>,
    pub(super) made: Vec<(Option<RecipeName>, Vec<PathBuf>)>,
    mismatches: Vec<Mismatch>,
    words: Vec<LastWords>,
}

/// A server of a test.
struct Server<'a> {
    step: Option<usize>,
    run: &'a RunSpec,
    timeout: Duration,
    container: Container,
}

/// Runs a test; `recipe` is the folder that its files are mounted from.
pub(super) fn run(hall: &mut Hall, test: &TestSpec, recipe: Option<&std::path::Path>) -> Result<Outcome> {
    let watch = Stopwatch::start();
    let folder = hall.ground.new_folder("tests")?;
    let mut room = match Room::open(hall, test, &folder, recipe) {
        Ok(room) => room,
        Err(failure) if is_the_tests(&failure) => {
            let mismatch = Mismatch::new("the test", "to be set up", failure.problems()[0].message.clone());
            return Ok(outcome(test, &watch, vec![mismatch], Vec::new()));
        }
        Err(failure) => return Err(failure),
    };
    room.walk()?;
    let (mismatches, words) = (std::mem::take(&mut room.mismatches), std::mem::take(&mut room.words));
    drop(room);
    let _ = host::remove_dir(&folder);
    Ok(outcome(test, &watch, mismatches, words))
}

/// Whether a test, rather than how hardpan was called or the machine, is at fault.
fn is_the_tests(failure: &Failure) -> bool {
    failure.exit_code() == 3
}

fn outcome(test: &TestSpec, watch: &Stopwatch, mismatches: Vec<Mismatch>, words: Vec<LastWords>) -> Outcome {
    let verdict = if mismatches.is_empty() { Verdict::Passed } else { Verdict::Failed };
    let words = if mismatches.is_empty() { Vec::new() } else { words };
    let (name, seconds) = (test.name.clone(), watch.elapsed().as_secs_f64());
    Outcome { name, verdict, seconds, mismatches, words, reason: None }
}

impl<'a> Room<'a> {
    pub(super) fn open(
        hall: &'a mut Hall,
        test: &'a TestSpec,
        folder: &std::path::Path,
        recipe: Option<&std::path::Path>,
    ) -> Result<Self> {
        let subject = hall.subject(None);
        let user = test.user.as_ref().map_or_else(|| subject.setup.user.clone(), |at| name_of(&at.value));
        let owner = account(&subject.tree, &user).ok().filter(|_| hall.powers.root);
        let furnishing = Furnishing {
            folder,
            recipe,
            owner: owner.map(|account| (account.uid, account.gid)),
            image: &subject.tree,
        };
        let binds = furnishing.furnish(test)?;
        let attendant = Attendant::start(!test.network)?;
        let (servers, made, mismatches, words) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Ok(Self { hall, test, binds, attendant, servers, made, mismatches, words })
    }

    /// All steps, up to the first that is not as it should be; then the servers' end.
    fn walk(&mut self) -> Result<()> {
        let several = self.test.steps.len() > 1;
        for (at, step) in self.test.steps.iter().enumerate() {
            let number = several.then_some(at + 1);
            let wrong = self.step(step, number)?;
            if !wrong.is_empty() {
                self.blame(number, wrong);
                self.last_words_of_servers();
                // Nobody asked them to end well now.
                self.servers.clear();
                return Ok(());
            }
        }
        self.stop_servers();
        Ok(())
    }

    fn blame(&mut self, step: Option<usize>, wrong: Vec<Mismatch>) {
        self.mismatches.extend(wrong.into_iter().map(|mismatch| Mismatch { step, ..mismatch }));
    }

    fn hear(&mut self, step: Option<usize>, container: &Container) {
        let (out, err) = container.said();
        let words = [LastWords::of("stdout", &out), LastWords::of("stderr", &err)];
        self.words.extend(words.into_iter().flatten().map(|words| LastWords { step, ..words }));
    }

    fn last_words_of_servers(&mut self) {
        for server in std::mem::take(&mut self.servers) {
            self.hear(server.step, &server.container);
        }
    }

    fn step(&mut self, step: &'a TestStep, number: Option<usize>) -> Result<Vec<Mismatch>> {
        let timeout = Duration::from_secs(step.timeout.into());
        match &step.action {
            Action::Run(run) if run.retry => self.run_again(run, timeout, number),
            Action::Run(run) => self.run(run, timeout, number),
            Action::Ask(ask) => Ok(self.ask(ask, timeout)),
            Action::Talk(talk) => {
                let question =
                    Question::Tcp { port: talk.port, send: talk.send.clone(), until: talk.answer.clone() };
                let reply = self.attendant.ask(question, timeout);
                Ok(judge::talked(talk.port, &talk.answer, &reply))
            }
            Action::Stop => {
                self.stop_servers();
                Ok(Vec::new())
            }
        }
    }

    fn ask(&mut self, ask: &AskUrl, timeout: Duration) -> Vec<Mismatch> {
        let ca = match &ask.ca {
            None => None,
            Some(path) => {
                let sight = Sight { binds: &self.binds, tree: &self.hall.subject(None).tree, tmp: None };
                match sight.read(path, 1 << 20) {
                    Some(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
                    None => return vec![Mismatch::new(&format!("`{path}`"), "certificates", "no file")],
                }
            }
        };
        let reply: Reply = self.attendant.ask(Question::Url { url: ask.url.clone(), ca }, timeout);
        judge::answered(ask, &reply)
    }

    /// Runs it until it comes out right, or its time is over.
    fn run_again(
        &mut self,
        run: &'a RunSpec,
        timeout: Duration,
        step: Option<usize>,
    ) -> Result<Vec<Mismatch>> {
        const BETWEEN: Duration = Duration::from_millis(200);
        let watch = Stopwatch::start();
        let words = self.words.len();
        loop {
            self.words.truncate(words);
            let left = timeout.saturating_sub(watch.elapsed());
            let wrong = self.run(run, left, step)?;
            if wrong.is_empty() || watch.elapsed() + BETWEEN >= timeout {
                return Ok(wrong);
            }
            host::pause(BETWEEN);
        }
    }

    fn run(&mut self, run: &'a RunSpec, timeout: Duration, step: Option<usize>) -> Result<Vec<Mismatch>> {
        if let Some(port) = run.server.filter(|port| self.listens(*port)) {
            return Ok(vec![Mismatch::new(&format!("port {port}"), "to be free", "somebody listens there")]);
        }
        let mut container = match self.container(run)? {
            Ok(container) => container,
            // What can't even begin has failed, which is what some tests are for.
            Err(NotMade::Program(_)) if run.ending == Ending::Fails => return Ok(self.traces(run, None)),
            Err(NotMade::Program(why)) => return Ok(vec![Mismatch::new("the program", "to be there", why)]),
            Err(NotMade::Container(mismatch)) => return Ok(vec![mismatch]),
        };
        if let Err(words) = container.go() {
            container.kill();
            self.hear(step, &container);
            let fails = run.ending == Ending::Fails;
            let mismatch = || vec![Mismatch::new("the program", "to start", words)];
            return Ok(if fails { self.traces(run, Some(&container)) } else { mismatch() });
        }
        let wrong = match run.server {
            Some(port) => self.comes_up(&mut container, port, timeout),
            None => self.finishes(run, &mut container, timeout),
        };
        if wrong.is_empty() && run.server.is_some() {
            self.servers.push(Server { step, run, timeout, container });
        } else {
            container.kill();
            self.hear(step, &container);
        }
        Ok(wrong)
    }

    fn finishes(&mut self, run: &RunSpec, container: &mut Container, timeout: Duration) -> Vec<Mismatch> {
        let Some(end) = container.wait(timeout) else {
            container.kill();
            return vec![late("it ended", timeout, "it still ran")];
        };
        if container.greedy {
            return vec![self.too_much_memory()];
        }
        let mut wrong: Vec<Mismatch> = judge::ending(run.ending, end).into_iter().collect();
        if end == End::Signal(9) && !wrong.is_empty() {
            wrong[0].found =
                format!("{} (too much memory? it has {} MiB)", judge::words(end), self.test.memory);
        }
        wrong.extend(self.traces(run, Some(container)));
        wrong
    }

    fn too_much_memory(&self) -> Mismatch {
        let expected = format!("at most {} MiB", self.test.memory);
        Mismatch::new("its memory", expected, "more")
    }

    /// What a run said and left behind.
    fn traces(&self, run: &RunSpec, container: Option<&Container>) -> Vec<Mismatch> {
        let (out, err) = container.map(Container::said).unwrap_or_default();
        let mut wrong = judge::said("stdout", &run.stdout, &out);
        wrong.extend(judge::said("stderr", &run.stderr, &err));
        let tree = &self.hall.subject(run.image.as_ref()).tree;
        let sight =
            Sight { binds: &self.binds, tree, tmp: container.and_then(|container| container.tmp.as_ref()) };
        wrong.extend(judge::files(run, &sight));
        wrong
    }

    /// Whether somebody listens on a port of the test's network.
    fn listens(&self, port: u16) -> bool {
        ["tcp", "tcp6"].iter().any(|family| {
            let list = format!("/proc/{}/net/{family}", self.attendant.id());
            host::read_lossy(list.as_ref()).is_ok_and(|list| ports::listens(&list, port))
        })
    }

    fn comes_up(&self, container: &mut Container, port: u16, timeout: Duration) -> Vec<Mismatch> {
        let watch = Stopwatch::start();
        let what = format!("port {port}");
        while !self.listens(port) {
            if let Some(end) = container.glance() {
                let found = format!("{} before it listened", judge::words(end));
                let found = if container.greedy { "too much memory".to_owned() } else { found };
                return vec![Mismatch::new(&what, "somebody to listen", found)];
            }
            if watch.elapsed() > timeout {
                return vec![late(&what, timeout, "nobody listens")];
            }
            host::pause(TICK);
        }
        Vec::new()
    }

    /// Ends all servers, the last one first: each must end by itself when it is told to.
    fn stop_servers(&mut self) {
        while let Some(mut server) = self.servers.pop() {
            let wrong = self.stop(&mut server);
            if !wrong.is_empty() {
                self.blame(server.step, wrong);
                self.hear(server.step, &server.container);
            }
        }
    }

    fn stop(&self, server: &mut Server) -> Vec<Mismatch> {
        let subject = self.hall.subject(server.run.image.as_ref());
        let signal = subject.setup.stop_signal.clone();
        if let Some(end) = server.container.glance() {
            let found = format!("{} before that", judge::words(end));
            return vec![Mismatch::new("the server", "to run until it is stopped", found)];
        }
        // A server is process 1 of its namespace, where a signal that nobody waits for yet is lost
        // (pid_namespaces(7)): one that answers may still be setting itself up.
        let half = server.timeout / 2;
        let mut sent = server.container.signal(&signal);
        let mut end = server.container.wait(half);
        if end.is_none() {
            sent = server.container.signal(&signal);
            end = server.container.wait(half);
        }
        let Some(end) = end else {
            server.container.kill();
            let found = sent.err().unwrap_or_else(|| "it still ran".to_owned());
            return vec![late(&format!("the server's end after {signal}"), server.timeout, &found)];
        };
        let ending = judge::stopped(server.run.ending, end, judge::number_of(&signal));
        ending.into_iter().chain(self.traces(server.run, Some(&server.container))).collect()
    }
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        self.servers.clear();
        for (name, made) in std::mem::take(&mut self.made) {
            self.hall.tidy(name.as_ref(), made);
        }
    }
}

fn late(what: &str, timeout: Duration, found: &str) -> Mismatch {
    Mismatch::new(what, format!("within {} s", timeout.as_secs()), found)
}
