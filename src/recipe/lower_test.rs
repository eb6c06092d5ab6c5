//! Lowering of `[[test]]`.
//!
//! A test without steps is one step. With steps, the test's own `env`, `user`, `workdir` and
//! `timeout` are what its steps have if they say no other.

use std::collections::{BTreeMap, BTreeSet};

use super::lower::Lowering;
use super::model_test::{
    Action, AskTcp, AskUrl, Command, DEFAULT_MEMORY, DEFAULT_TIMEOUT, Ending, FileFact, Mount, RunSpec,
    TestSpec, TestStep,
};
use super::node::{Node, Table, Value};
use crate::diag::Span;
use crate::host::Url;
use crate::ident::ImagePath;

/// Keys of a run that say nothing where steps are what runs.
const OF_ONE_RUN: &[&str] =
    &["run", "args", "stdin", "exit", "retry", "fails", "stdout", "stderr", "files", "server"];

/// Keys of a run besides those that a test may say for all its steps.
const OF_A_STEP: &[&str] = &[
    "run", "args", "stdin", "exit", "retry", "fails", "stdout", "stderr", "files", "server", "image", "env",
    "user", "workdir",
];

/// Where the kernel's own file systems and the writable `/tmp` are.
const TAKEN: &[&str] = &["/", "/proc", "/sys", "/dev", "/tmp"];

/// Hosts that a test reaches in a network of its own.
const LOOPBACK: &[&str] = &["localhost", "127.0.0.1", "[::1]"];

/// What the steps of a test may use.
struct Around<'a> {
    test: &'a Table,
    network: bool,
    folders: Vec<ImagePath>,
}

impl Lowering {
    pub(super) fn tests(&mut self, table: &Table) -> Vec<TestSpec> {
        let nodes = table.get("test").and_then(Node::list).unwrap_or_default();
        let tests: Vec<TestSpec> = nodes.iter().filter_map(|node| self.test(node)).collect();
        let mut names = BTreeSet::new();
        for test in tests.iter().filter(|test| !names.insert(&test.name)) {
            let message = format!("two tests are named `{}`", test.name.escape_debug());
            self.bad(&test.place.span, message, "give each a name of its own: results are listed by it");
        }
        tests
    }

    fn test(&mut self, node: &Node) -> Option<TestSpec> {
        let table = node.table()?;
        let name = self.test_name(table);
        let mounts = self.by_path(table, "mount", Self::mount);
        let volumes = self.test_volumes(table);
        let tls = table.get("tls").and_then(|node| self.free_path(node.text()?, &node.span));
        self.no_overlaps(node, &mounts.keys().chain(&tls).collect::<Vec<_>>());
        for (path, at) in &mounts {
            if TAKEN.contains(&path.as_str()) {
                self.bad(&at.place.span, format!("`{path}` is taken in every container"), "mount elsewhere");
            }
        }
        let network = Self::flagged(table, "network");
        let folders = mounts.keys().chain(&volumes).chain(&tls).cloned().collect();
        let around = Around { test: table, network, folders };
        let steps = self.steps(node, table, &around);
        Some(TestSpec {
            name: name?,
            place: self.at((), node).place,
            user: table.get("user").and_then(|node| self.owner(node).map(|owner| self.at(owner, node))),
            mounts,
            volumes,
            tls,
            network,
            memory: self.number(table, "memory", 16..=65536).unwrap_or(DEFAULT_MEMORY),
            steps: Some(steps).filter(|steps| !steps.is_empty())?,
        })
    }

    fn test_name(&mut self, table: &Table) -> Option<String> {
        let node = table.get("name")?;
        let name = node.text()?;
        if name.trim().is_empty() || name.len() > 200 || name.contains(char::is_control) {
            self.bad(&node.span, "a test's name is a line of 1 to 200 bytes", "say what the test shows");
            return None;
        }
        Some(name.to_owned())
    }

    fn steps(&mut self, node: &Node, table: &Table, around: &Around) -> Vec<TestStep> {
        let Some(list) = table.get("step") else {
            return self.step(node, table, around).into_iter().collect();
        };
        for key in OF_ONE_RUN {
            if let Some(node) = table.get(key) {
                let message = format!("`{key}` is said of a test whose steps are what runs");
                self.bad(&node.span, message, "move it into the `[[test.step]]` that it is about");
            }
        }
        let nodes = list.list().unwrap_or_default();
        if nodes.is_empty() {
            self.bad(&list.span, "the test has no steps", "leave `step` out for a test of one run");
        }
        nodes.iter().filter_map(|node| self.step(node, node.table()?, around)).collect()
    }

    fn step(&mut self, node: &Node, table: &Table, around: &Around) -> Option<TestStep> {
        let said = if table.get("timeout").is_some() { table } else { around.test };
        let timeout = self.number(said, "timeout", 1..=3600).unwrap_or(DEFAULT_TIMEOUT);
        let stop = table.get("stop").filter(|node| node.flag() == Some(true));
        let action = match (table.get("ask"), stop) {
            (None, None) => Some(Action::Run(Box::new(self.run_step(table, around)))),
            (ask, stop) => {
                let what = if ask.is_some() { "ask" } else { "stop" };
                let also_stop = stop.filter(|_| ask.is_some()).map(|_| "stop");
                for key in OF_A_STEP.iter().copied().filter(|key| table.get(key).is_some()).chain(also_stop) {
                    let span = table.get(key).map_or(&node.span, |node| &node.span);
                    let message = format!("`{key}` beside `{what}`: a step does one thing");
                    self.bad(span, message, "make two steps of it");
                }
                ask.map_or(Some(Action::Stop), |node| self.ask(node, around))
            }
        };
        Some(TestStep { place: self.at((), node).place, timeout, action: action? })
    }

    fn run_step(&mut self, table: &Table, around: &Around) -> RunSpec {
        let mut env = self.env(around.test);
        env.extend(self.env(table));
        let own = |key: &str| table.get(key).or_else(|| around.test.get(key));
        RunSpec {
            command: self.command(table),
            stdin: Self::text(table, "stdin"),
            env,
            user: own("user").and_then(|node| self.owner(node).map(|owner| self.at(owner, node))),
            workdir: own("workdir").and_then(|node| self.path(node.text()?, &node.span)),
            ending: self.ending(table),
            retry: self.retry(table),
            stdout: Self::one_or_more(table.get("stdout")),
            stderr: Self::one_or_more(table.get("stderr")),
            files: self.facts(table),
            server: self.number(table, "server", 1..=65535).and_then(|port| u16::try_from(port).ok()),
            image: table
                .get("image")
                .and_then(|node| self.parsed(node, "the name of another recipe's image, such as `nginx`")),
        }
    }

    fn command(&mut self, table: &Table) -> Command {
        for node in ["run", "args"].iter().filter_map(|key| table.get(key)) {
            for word in node.list().unwrap_or_default() {
                if word.text().is_some_and(|text| text.contains('\0')) {
                    self.bad(&word.span, "an argument holds a zero byte", "no program can be given one");
                }
            }
        }
        match (table.get("run"), table.get("args")) {
            (Some(_), Some(args)) => {
                let help = "`run` is the program and its arguments, `args` are those of the entrypoint";
                self.bad(&args.span, "`args` beside `run`", help);
                Command::Own
            }
            (Some(run), None) => {
                let words = Self::texts(table, "run").unwrap_or_default();
                if words.first().is_none_or(String::is_empty) {
                    self.bad(&run.span, "`run` names no program", "leave it out for the image's own");
                }
                Command::Program(words)
            }
            (None, Some(_)) => Command::Arguments(Self::texts(table, "args").unwrap_or_default()),
            (None, None) => Command::Own,
        }
    }

    fn retry(&mut self, table: &Table) -> bool {
        let Some(node) = table.get("retry").filter(|node| node.flag() == Some(true)) else { return false };
        if table.get("server").is_some() {
            self.bad(&node.span, "a server is not run again", "its step ends when it listens");
        }
        true
    }

    fn ending(&mut self, table: &Table) -> Ending {
        let fails = table.get("fails").filter(|node| node.flag() == Some(true));
        let exit = self.number(table, "exit", 0..=255).and_then(|code| u8::try_from(code).ok());
        match (fails, exit) {
            (Some(node), _) if table.get("exit").is_some() => {
                self.bad(&node.span, "`fails` beside `exit`", "say one of the two");
                Ending::Fails
            }
            (Some(node), _) if table.get("server").is_some() => {
                self.bad(&node.span, "a server that fails never listens", "test it without `server`");
                Ending::Fails
            }
            (Some(_), _) => Ending::Fails,
            (None, Some(code)) => Ending::Code(code),
            (None, None) => Ending::Well,
        }
    }

    fn facts(&mut self, table: &Table) -> BTreeMap<ImagePath, FileFact> {
        let fact = |_: &mut Self, node: &Node| {
            Some(match node.value {
                Value::Flag(true) => FileFact::There,
                Value::Flag(false) => FileFact::Absent,
                _ => FileFact::Contains(Self::one_or_more(Some(node))),
            })
        };
        self.by_path(table, "files", fact).into_iter().map(|(path, at)| (path, at.value)).collect()
    }

    fn mount(&mut self, node: &Node) -> Option<Mount> {
        let Some(table) = node.table() else {
            return Some(Mount::Text { text: node.text()?.to_owned(), mode: 0o644 });
        };
        let mode = self.optional_mode(table);
        match (table.get("text"), table.get("from")) {
            (Some(text), None) => {
                Some(Mount::Text { text: text.text()?.to_owned(), mode: mode.unwrap_or(0o644) })
            }
            (None, Some(from)) => Some(Mount::From { from: self.local_path(from)?, mode }),
            _ => {
                let help = "say its content (`text`), or a path below the recipe's folder (`from`)";
                self.bad(&node.span, "what is mounted is one of `text` and `from`", help);
                None
            }
        }
    }

    fn test_volumes(&mut self, table: &Table) -> Vec<ImagePath> {
        let nodes = table.get("volumes").and_then(Node::list).unwrap_or_default();
        nodes.iter().filter_map(|node| self.free_path(node.text()?, &node.span)).collect()
    }

    /// A path that no container has for itself.
    fn free_path(&mut self, text: &str, span: &Span) -> Option<ImagePath> {
        let path = self.path(text, span)?;
        if TAKEN.contains(&path.as_str()) {
            let help = "every container has its own; `/tmp` is always empty and writable";
            self.bad(span, format!("`{path}` is taken in every container"), help);
            return None;
        }
        Some(path)
    }

    /// One read-only mount inside another could not be made: there is nowhere to put it.
    fn no_overlaps(&mut self, node: &Node, paths: &[&ImagePath]) {
        for inner in paths {
            let outer = paths.iter().find(|outer| !std::ptr::eq(*outer, inner) && inner.is_under(outer));
            if let Some(outer) = outer {
                let message = format!("`{inner}` is mounted below `{outer}`, which is mounted too");
                self.bad(&node.span, message, "what is mounted is read-only: mount them beside each other");
            }
        }
    }

    fn ask(&mut self, node: &Node, around: &Around) -> Option<Action> {
        let table = node.table()?;
        let (http, tcp): (&[&str], &[&str]) = (&["status", "body", "ca"], &["send", "answer"]);
        let strange = match (table.get("url"), table.get("tcp")) {
            (Some(_), None) => tcp,
            (None, Some(_)) => http,
            _ => {
                self.bad(&node.span, "a question goes to one of `url` and `tcp`", "say one of the two");
                return None;
            }
        };
        for (key, found) in strange.iter().filter_map(|key| Some((key, table.get(key)?))) {
            let help = "`status`, `body` and `ca` go with `url`; `send` and `answer` with `tcp`";
            self.bad(&found.span, format!("`{key}` says nothing here"), help);
        }
        if table.get("tcp").is_some() {
            let port = self.number(table, "tcp", 1..=65535).and_then(|port| u16::try_from(port).ok())?;
            let send = Self::text(table, "send").unwrap_or_default();
            let answer = Self::one_or_more(table.get("answer"));
            return Some(Action::Talk(AskTcp { port, send, answer }));
        }
        let url = table.get("url")?;
        let address = self.asked_address(url, around)?;
        let status = self.number(table, "status", 100..=599).and_then(|code| u16::try_from(code).ok());
        let ca = table.get("ca").and_then(|node| self.authority(node, around));
        let body = Self::one_or_more(table.get("body"));
        Some(Action::Ask(AskUrl { url: address, status: status.unwrap_or(200), body, ca }))
    }

    fn asked_address(&mut self, node: &Node, around: &Around) -> Option<String> {
        let text = node.text()?;
        let rest = ["http://", "https://"].iter().find_map(|scheme| text.strip_prefix(scheme));
        let (Some(rest), Ok(_)) = (rest, text.parse::<Url>()) else {
            let help = "write a whole address, such as `https://localhost:8443/`";
            self.bad(&node.span, format!("`{text}` is not an http or https address"), help);
            return None;
        };
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let name =
            if host.ends_with(']') { host } else { host.rsplit_once(':').map_or(host, |(name, _)| name) };
        if !around.network && !LOOPBACK.contains(&name) {
            let help = "ask `localhost`, `127.0.0.1` or `[::1]`, or give the test the host's network: `network = true`";
            self.bad(&node.span, format!("nothing but the loopback is there to ask, not `{name}`"), help);
            return None;
        }
        Some(text.to_owned())
    }

    fn authority(&mut self, node: &Node, around: &Around) -> Option<ImagePath> {
        let path = self.path(node.text()?, &node.span)?;
        if around.folders.iter().any(|folder| path.is_under(folder)) {
            return Some(path);
        }
        let help = "name a file below the test's `tls` folder (`ca.pem` there), a `mount`, or a volume";
        self.bad(&node.span, format!("`{path}` is not among what the test brings"), help);
        None
    }

    fn flagged(table: &Table, key: &str) -> bool {
        table.get(key).and_then(Node::flag).unwrap_or(false)
    }

    fn one_or_more(node: Option<&Node>) -> Vec<String> {
        let Some(node) = node else { return Vec::new() };
        let texts = node.list().map_or(std::slice::from_ref(node), |nodes| nodes);
        texts.iter().filter_map(Node::text).map(ToOwned::to_owned).collect()
    }

    fn number(&mut self, table: &Table, key: &str, range: std::ops::RangeInclusive<u32>) -> Option<u32> {
        let node = table.get(key)?;
        let number = node.integer()?;
        let fine = u32::try_from(number).ok().filter(|number| range.contains(number));
        if fine.is_none() {
            let help = format!("{} to {}", range.start(), range.end());
            self.bad(&node.span, format!("`{key}` can't be {number}"), &help);
        }
        fine
    }
}
