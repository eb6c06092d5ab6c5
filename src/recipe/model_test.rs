//! What an image must do: tests, concretely.

use std::collections::BTreeMap;

use super::model::{At, Owner, Place};
use crate::ident::{ImagePath, RecipeName};

/// Seconds that a step has if it does not say.
pub const DEFAULT_TIMEOUT: u32 = 30;

/// MiB of memory that a test has if it does not say.
pub const DEFAULT_MEMORY: u32 = 1024;

/// What the image must do: steps that share mounts, volumes and a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestSpec {
    /// What it shows; no two tests of a recipe are named the same.
    pub name: String,
    /// Where it is written.
    pub place: Place,
    /// Who it runs as, if not the image's user: the owner of volumes, and of steps that say no other.
    pub user: Option<At<Owner>>,
    /// Read-only files.
    pub mounts: BTreeMap<ImagePath, At<Mount>>,
    /// Empty writable folders.
    pub volumes: Vec<ImagePath>,
    /// The folder of a certificate made for the run.
    pub tls: Option<ImagePath>,
    /// Whether it has the host's network.
    pub network: bool,
    /// Memory in MiB.
    pub memory: u32,
    /// At least one.
    pub steps: Vec<TestStep>,
}

/// What is mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mount {
    /// A text file.
    Text {
        /// The content.
        text: String,
        /// Permission bits.
        mode: u32,
    },
    /// A file or folder of the recipe's folder.
    From {
        /// Below the recipe's folder.
        from: String,
        /// Permission bits of a file; its own if not said.
        mode: Option<u32>,
    },
}

/// One step of a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestStep {
    /// Where it is written.
    pub place: Place,
    /// Seconds after which it has failed.
    pub timeout: u32,
    /// What happens.
    pub action: Action,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Runs a program in a container of its own.
    Run(Box<RunSpec>),
    /// Asks for an address.
    Ask(AskUrl),
    /// Talks to a TCP port.
    Talk(AskTcp),
    /// Ends the servers so far.
    Stop,
}

/// A program in a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunSpec {
    /// What is run.
    pub command: Command,
    /// What it reads.
    pub stdin: Option<String>,
    /// Further environment variables.
    pub env: BTreeMap<String, String>,
    /// Who it runs as, if not the test's user.
    pub user: Option<At<Owner>>,
    /// The folder that it begins in.
    pub workdir: Option<ImagePath>,
    /// How it must end.
    pub ending: Ending,
    /// Whether it is run again until it comes out right, within its time.
    pub retry: bool,
    /// What its output must contain.
    pub stdout: Vec<String>,
    /// What its error output must contain.
    pub stderr: Vec<String>,
    /// What is there afterwards.
    pub files: BTreeMap<ImagePath, FileFact>,
    /// The port on which it listens, if it stays up.
    pub server: Option<u16>,
    /// The image that it runs in, if it is another.
    pub image: Option<RecipeName>,
}

/// What is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// The image's entrypoint and cmd.
    Own,
    /// The image's entrypoint with these arguments.
    Arguments(Vec<String>),
    /// A program and its arguments.
    Program(Vec<String>),
}

/// How a program must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Well: with 0; a server that is stopped may also end by its stop signal.
    Well,
    /// With this exit code.
    Code(u8),
    /// In any other way than with 0, or not even begin.
    Fails,
}

/// What a path must be after a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileFact {
    /// A file that contains each of these.
    Contains(Vec<String>),
    /// There.
    There,
    /// Not there.
    Absent,
}

/// A question by HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskUrl {
    /// The address.
    pub url: String,
    /// The expected status.
    pub status: u16,
    /// What the body must contain.
    pub body: Vec<String>,
    /// Whose certificates are believed: a path in the container.
    pub ca: Option<ImagePath>,
}

/// A talk by TCP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskTcp {
    /// The port of the loopback.
    pub port: u16,
    /// What is sent.
    pub send: String,
    /// What must come back.
    pub answer: Vec<String>,
}

impl TestSpec {
    /// The runs among the steps.
    pub fn runs(&self) -> impl Iterator<Item = &RunSpec> {
        self.steps.iter().filter_map(|step| match &step.action {
            Action::Run(run) => Some(run.as_ref()),
            _ => None,
        })
    }

    /// The programs of the image itself that the test names by path. Those that must fail are not
    /// among them: such a test often shows that a program is not there.
    pub fn programs(&self) -> impl Iterator<Item = &str> {
        self.runs().filter(|run| run.image.is_none() && run.ending != Ending::Fails).filter_map(|run| {
            match &run.command {
                Command::Program(words) => words.first().map(String::as_str),
                _ => None,
            }
        })
    }

    /// The users that it names in its own image, each place once.
    pub(super) fn users(&self) -> impl Iterator<Item = &At<Owner>> {
        let steps = self.runs().filter(|run| run.image.is_none()).filter_map(|run| run.user.as_ref());
        self.user.iter().chain(steps.filter(|user| Some(*user) != self.user.as_ref()))
    }
}
