//! The OCI runtime that makes containers: runc or crun (runtime specification, runtime.md,
//! "Operations").
//!
//! `create` makes a container whose process waits, `start` lets it go. What goes wrong while it is made
//! is the machine's fault; what goes wrong afterwards is the program's.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::diag::{Problem, Result, codes};
use crate::host::{self, Launched};

/// How long an operation may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// Those that are looked for, in the order for root. In a user name space of one user runc wants that
/// user to be root; crun doesn't.
const KNOWN: [&str; 2] = ["runc", "crun"];

/// Whose runtime it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Make {
    /// runc, and whatever is not known.
    Runc,
    /// crun.
    Crun,
}

/// A runtime.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Runtime {
    /// A path, or a name that is looked up.
    program: String,
    make: Make,
    /// Its name and version, in a line.
    pub(super) version: String,
    /// Whether it filters system calls.
    pub(super) seccomp: bool,
    /// Whether this is root of the machine.
    pub(super) root: bool,
}

impl Runtime {
    /// The runtime that was named, else the first that is there.
    pub(super) fn find(named: Option<&str>, root: bool) -> Result<Self> {
        let mut names: Vec<&str> = named.map_or(KNOWN.to_vec(), |name| vec![name]);
        if !root {
            names.reverse();
        }
        let found = names.iter().find_map(|name| Self::ask(name, root).ok());
        found.ok_or_else(|| missing(named, &names, root).into())
    }

    /// Asks a program what it is.
    fn ask(program: &str, root: bool) -> std::result::Result<Self, String> {
        let found = (!program.contains('/')).then(|| host::find_program(program));
        let program = match found {
            None => program.to_owned(),
            Some(None) => return Err("it is nowhere in PATH".to_owned()),
            Some(Some(path)) => path.display().to_string(),
        };
        let answer = host::ask(&program, &["--version"], b"", PATIENCE).map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&answer.stdout).into_owned();
        let line: String = text.lines().next().unwrap_or_default().chars().take(100).collect();
        if !answer.success || line.trim().is_empty() {
            return Err("it does not say what it is".to_owned());
        }
        let make = if line.contains("crun") { Make::Crun } else { Make::Runc };
        let lower = text.to_lowercase();
        let seccomp = lower.contains("seccomp") && !lower.contains("-seccomp");
        let line = line.chars().filter(|letter| !letter.is_control()).collect();
        Ok(Self { program, make, version: line, seccomp, root })
    }

    pub(super) fn is_runc(&self) -> bool {
        self.make == Make::Runc
    }

    /// The arguments of every operation: its own folder, where its words go, no cgroups where there are
    /// none to be had.
    fn arguments(&self, state: &Path, more: &[&str]) -> Vec<String> {
        let mut all = vec!["--root".to_owned(), state.display().to_string()];
        if self.make == Make::Crun && !self.root {
            all.push("--cgroup-manager=disabled".to_owned());
        }
        all.extend(more.iter().map(|&word| word.to_owned()));
        all
    }

    /// Makes a container from a bundle; its streams are those of the container as well. The number of
    /// its first process is written to `process`.
    pub(super) fn create(
        &self,
        state: &Path,
        id: &str,
        bundle: &Path,
        process: &Path,
        input: Option<Vec<u8>>,
    ) -> std::io::Result<Launched> {
        let (bundle, process) = (bundle.display().to_string(), process.display().to_string());
        let words = ["create", "--bundle", &bundle, "--pid-file", &process, id];
        host::launch(&self.program, &self.arguments(state, &words), input, PATIENCE)
    }

    /// Does something to a container; the runtime's words if it can't.
    pub(super) fn operate(&self, state: &Path, words: &[&str]) -> std::result::Result<(), String> {
        let arguments = self.arguments(state, words);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let answer =
            host::ask(&self.program, &arguments, b"", PATIENCE).map_err(|error| error.to_string())?;
        if answer.success { Ok(()) } else { Err(words_of(&answer.stderr)) }
    }

    /// Removes all containers of a folder, their processes included.
    pub(super) fn clear(&self, state: &Path) {
        for container in host::list(state).unwrap_or_default() {
            if let Some(id) = container.file_name().and_then(|name| name.to_str()) {
                let _ = self.operate(state, &["delete", "--force", id]);
            }
        }
    }
}

/// What a program complained of: one line, of plain letters.
pub(super) fn words_of(said: &[u8]) -> String {
    let text = String::from_utf8_lossy(said);
    let lines =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.contains("level=warning"));
    let line = lines.collect::<Vec<_>>().join(" | ");
    let plain: String = line.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let start = plain.char_indices().rev().nth(599).map_or(0, |(at, _)| at);
    plain[start..].to_owned()
}

fn missing(named: Option<&str>, names: &[&str], root: bool) -> Problem {
    let what = match named {
        Some(name) => format!("there is no OCI runtime `{name}`"),
        None => format!("there is no OCI runtime: neither `{}` is found", names.join("` nor `")),
    };
    let problem = Problem::new(codes::NO_RUNTIME, what).help(
        "install one (Debian and Ubuntu have packages `runc` and `crun`), or say where it is: `--runtime PATH`",
    );
    match named.map(|name| Runtime::ask(name, root)) {
        Some(Err(why)) => problem.found(why),
        _ => problem,
    }
}

/// What can't be done on this machine, and what to do about it.
pub(super) fn not_isolated(what: &str, why: impl std::fmt::Display) -> Problem {
    Problem::new(codes::NOT_ISOLATED, what.to_owned())
        .found(why)
        .help("run it as root, or where the kernel allows user name spaces: `hardpan explain HP108`")
}

/// The folder below which a run keeps what its runtime notes.
pub(super) fn state_folder(ground: &Path) -> PathBuf {
    ground.join("containers")
}
