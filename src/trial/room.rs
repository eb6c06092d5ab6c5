//! One test: its steps in their order, in one network, with one set of mounts and volumes.

use std::path::PathBuf;
use std::time::Duration;

use super::account::{Account, account};
use super::attendant::{Attendant, Question, Reply};
use super::bundle::{Bind, OWN_MOUNTS, Plan};
use super::container::Container;
use super::furniture::Furnishing;
use super::hall::Hall;
use super::outcome::{LastWords, Mismatch, Outcome, Verdict};
use super::sight::Sight;
use super::{judge, ports};
use crate::diag::{Failure, Result};
use crate::host::{self, End, Stopwatch};
use crate::ident::{ImagePath, RecipeName};
use crate::recipe::{Action, AskUrl, Ending, Owner, RunSpec, TestSpec, TestStep};

/// How often it is looked whether a server listens.
const TICK: Duration = Duration::from_millis(20);

/// A test under way.
struct Room<'a> {
    hall: &'a mut Hall,
    test: &'a TestSpec,
    binds: Vec<Bind>,
    attendant: Attendant,
    servers: Vec<Server<'a>>,
    made: Vec<(Option<RecipeName>, Vec<PathBuf>)>,
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
    fn open(
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

    fn run(&mut self, run: &'a RunSpec, timeout: Duration, step: Option<usize>) -> Result<Vec<Mismatch>> {
        if let Some(port) = run.server.filter(|port| self.listens(*port)) {
            return Ok(vec![Mismatch::new(&format!("port {port}"), "to be free", "somebody listens there")]);
        }
        let mut container = match self.container(run)? {
            Ok(container) => container,
            Err(mismatch) => return Ok(mismatch.into_iter().collect()),
        };
        if let Err(words) = container.go() {
            self.hear(step, &container);
            // What can't even begin has failed, which is what some tests are for.
            let fine = run.ending == Ending::Fails;
            let mismatch = || Mismatch::new("the program", "to start", words);
            return Ok(if fine { Vec::new() } else { vec![mismatch()] });
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

    /// A container that waits to be let go; else what is wrong, which is nothing where failing is fine.
    fn container(&mut self, run: &RunSpec) -> Result<std::result::Result<Container, Option<Mismatch>>> {
        let name = run.image.as_ref();
        let subject = self.hall.subject(name);
        let user = run.user.as_ref().map_or_else(|| subject.setup.user.clone(), |at| name_of(&at.value));
        let account = match account(&subject.tree, &user) {
            Ok(account) => account,
            Err(why) => return Ok(Err(Some(Mismatch::new("the user", "to be known", why)))),
        };
        let env = subject.setup.variables(&run.env, &account.home);
        let workdir = run.workdir.as_ref().map_or(subject.setup.workdir.clone(), ToString::to_string);
        let words = match self.words(run, &env, &workdir, &account) {
            Ok(words) => words,
            Err(_) if run.ending == Ending::Fails => return Ok(Err(None)),
            Err(why) => return Ok(Err(Some(Mismatch::new("the program", "to be there", why)))),
        };
        if let Some(mismatch) = self.one_user_only(&account) {
            return Ok(Err(Some(mismatch)));
        }
        if let Err(why) = self.prepare(name) {
            return Ok(Err(Some(Mismatch {
                machine: true,
                ..Mismatch::new("the container", "to be made", why)
            })));
        }
        let made = self.make(run, &words, &env, &workdir, &account)?;
        Ok(made.map_err(|why| {
            Some(Mismatch { machine: true, ..Mismatch::new("the container", "to be made", why) })
        }))
    }

    /// Program and arguments, where there is such a program.
    fn words(
        &self,
        run: &RunSpec,
        env: &[String],
        workdir: &str,
        account: &Account,
    ) -> std::result::Result<Vec<String>, String> {
        let subject = self.hall.subject(run.image.as_ref());
        let mut words = subject.setup.words(&run.command);
        let first = words.first().ok_or("the image has neither entrypoint nor cmd")?;
        let sight = Sight { binds: &self.binds, tree: &subject.tree, tmp: None };
        let known = Some(account).filter(|_| self.hall.powers.root);
        let program = sight.program(first, env, workdir, known)?;
        if let Some(emulator) = subject.prefix() {
            words[0] = program.to_string();
            words.insert(0, emulator);
        }
        Ok(words)
    }

    /// runc maps no user but root where there is only one to map.
    fn one_user_only(&self, account: &Account) -> Option<Mismatch> {
        if self.hall.powers.root || !self.hall.runtime.is_runc() || (account.uid, account.gid) == (0, 0) {
            return None;
        }
        let found = "runc, which knows none but root in a user name space: install crun, or run as root";
        let expected = format!("a runtime for user {}:{}", account.uid, account.gid);
        Some(Mismatch { machine: true, ..Mismatch::new("the container", expected, found) })
    }

    /// The places at which something is mounted in an image, once a test.
    fn prepare(&mut self, name: Option<&RecipeName>) -> std::result::Result<(), String> {
        if self.made.iter().any(|(there, _)| there.as_ref() == name) {
            return Ok(());
        }
        let own = OWN_MOUNTS.iter().map(|(path, folder)| (path.parse().expect("a path"), *folder));
        let emulator = self.hall.subject(name).emulator.clone();
        let binds = self.binds.iter().chain(&emulator).map(|bind| (bind.destination.clone(), bind.folder));
        let mut places: Vec<(ImagePath, bool)> = own.chain(binds).collect();
        // One inside another's place on the host is made by the runtime, inside that mount.
        let outer: Vec<ImagePath> =
            places.iter().filter(|(_, folder)| *folder).map(|(path, _)| path.clone()).collect();
        places.retain(|(path, _)| !outer.iter().any(|outer| outer != path && path.is_under(outer)));
        let made = self.hall.prepare(name, &places)?;
        self.made.push((name.cloned(), made));
        Ok(())
    }

    fn make(
        &mut self,
        run: &RunSpec,
        words: &[String],
        env: &[String],
        workdir: &str,
        account: &Account,
    ) -> Result<std::result::Result<Container, String>> {
        let network = (!self.test.network).then(|| self.attendant.network());
        loop {
            let (state, id) = (self.hall.ground.state(), self.hall.ground.new_id());
            let bundle = self.hall.ground.new_folder("tests")?;
            let subject = self.hall.subject(run.image.as_ref());
            let binds: Vec<Bind> = self.binds.iter().chain(&subject.emulator).cloned().collect();
            let plan = Plan {
                rootfs: &subject.rootfs,
                id: &id,
                words,
                env,
                workdir,
                account,
                binds: &binds,
                network: network.as_deref(),
                memory: self.test.memory,
                powers: self.hall.powers,
            };
            let input = run.stdin.clone().map(String::into_bytes);
            let made = Container::make(&self.hall.runtime, state, bundle, &plan, input)?;
            match made {
                Err(why) if self.hall.powers.cgroups && why.contains("cgroup") => {
                    // A machine that is itself a container often has none to give.
                    self.hall.powers.cgroups = false;
                }
                made => return Ok(made),
            }
        }
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
            wrong[0].found += &format!(" (it may have wanted more than {} MiB of memory)", self.test.memory);
        }
        wrong.extend(self.traces(run, container));
        wrong
    }

    fn too_much_memory(&self) -> Mismatch {
        let expected = format!("at most {} MiB", self.test.memory);
        Mismatch::new("its memory", expected, "more")
    }

    /// What a run said and left behind.
    fn traces(&self, run: &RunSpec, container: &Container) -> Vec<Mismatch> {
        let (out, err) = container.said();
        let mut wrong = judge::said("stdout", &run.stdout, &out);
        wrong.extend(judge::said("stderr", &run.stderr, &err));
        let tree = &self.hall.subject(run.image.as_ref()).tree;
        let sight = Sight { binds: &self.binds, tree, tmp: container.tmp.as_ref() };
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
        let sent = server.container.signal(&signal);
        let Some(end) = server.container.wait(server.timeout) else {
            server.container.kill();
            let found = sent.err().unwrap_or_else(|| "it still ran".to_owned());
            return vec![late(&format!("the server's end after {signal}"), server.timeout, &found)];
        };
        let ending = judge::stopped(server.run.ending, end, number_of(&signal));
        ending.into_iter().chain(self.traces(server.run, &server.container)).collect()
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

fn name_of(owner: &Owner) -> String {
    owner.group.as_ref().map_or_else(|| owner.user.clone(), |group| format!("{}:{group}", owner.user))
}

/// The number of a signal that ends programs, by its name or number.
fn number_of(signal: &str) -> Option<i32> {
    const NUMBERS: [(&str, i32); 9] = [
        ("HUP", 1),
        ("INT", 2),
        ("QUIT", 3),
        ("KILL", 9),
        ("USR1", 10),
        ("USR2", 12),
        ("ALRM", 14),
        ("TERM", 15),
        ("WINCH", 28),
    ];
    let name = signal.strip_prefix("SIG").unwrap_or(signal);
    let named = NUMBERS.iter().find(|(known, _)| *known == name).map(|(_, number)| *number);
    named.or_else(|| name.parse().ok())
}
