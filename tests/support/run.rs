//! One run of a program: its surroundings, its end, and what it said.

use std::io::Read;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// A run that takes longer hangs.
const LONGEST: Duration = Duration::from_mins(5);

/// What starts each run, so that it does not inherit that signals are ignored, as they are in a shell's background:
/// a test that sends one would wait for ever.
const ENV: &str = "/usr/bin/env";
const SIGNALS: &str = "--default-signal=INT,QUIT";

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The exit code; where a signal ended it, the signal's number, negative.
    pub code: i32,
    /// What it printed as its result.
    pub stdout: String,
    /// What it said on the way.
    pub stderr: String,
}

impl Output {
    /// Panics with all that was said unless the exit code is 0.
    #[track_caller]
    pub fn ok(self) -> Self {
        self.exits(0)
    }

    /// Panics with all that was said unless the exit code is this one.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        let Self { code: real, stdout, stderr } = &self;
        assert!(*real == code, "exit code {real}, not {code}\n--- stdout\n{stdout}\n--- stderr\n{stderr}");
        self
    }

    /// Panics with all that was said unless this was said on stderr.
    #[track_caller]
    pub fn says(self, words: &str) -> Self {
        assert!(self.stderr.contains(words), "{words:?} was not said, but:\n{}", self.stderr);
        self
    }
}

/// A run to be described and then started. Its environment is empty but for what is set here.
#[derive(Debug, Clone)]
pub struct Run {
    program: PathBuf,
    arguments: Vec<String>,
    variables: Vec<(String, Option<String>)>,
    cwd: Option<PathBuf>,
    umask: Option<u32>,
    uid: Option<u32>,
}

impl Run {
    /// A run of `program`.
    pub fn new(program: impl AsRef<Path>, arguments: &[&str]) -> Self {
        Self {
            program: program.as_ref().into(),
            arguments: arguments.iter().map(|&argument| argument.into()).collect(),
            variables: Vec::new(),
            cwd: None,
            umask: None,
            uid: None,
        }
    }

    /// Sets a variable.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.into(), Some(value.into())));
        self
    }

    /// Takes a variable away.
    pub fn without_env(mut self, name: &str) -> Self {
        self.variables.push((name.into(), None));
        self
    }

    /// Where it runs.
    pub fn cwd(mut self, folder: impl AsRef<Path>) -> Self {
        self.cwd = Some(folder.as_ref().into());
        self
    }

    /// Which permissions new files don't get.
    pub fn umask(mut self, mask: u32) -> Self {
        self.umask = Some(mask);
        self
    }

    /// As which user and group it runs; only root may ask for this.
    pub fn uid(mut self, uid: u32) -> Self {
        self.uid = Some(uid);
        self
    }

    fn command(&self) -> Command {
        let mut command = match self.umask {
            None => Command::new(ENV),
            // The mask belongs to the process, and setting it in this one would hit other tests.
            Some(mask) => {
                let mut shell = Command::new("/bin/sh");
                shell.arg("-c").arg(format!("umask {mask:04o}; exec \"$0\" \"$@\"")).arg(ENV);
                shell
            }
        };
        command.arg(SIGNALS).arg(&self.program).args(&self.arguments).env_clear();
        for (name, value) in &self.variables {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if let Some(cwd) = &self.cwd {
            command.current_dir(cwd);
        }
        if let Some(uid) = self.uid {
            command.uid(uid).gid(uid);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Starts it.
    pub fn spawn(&self) -> Running {
        let mut child = self.command().spawn().unwrap_or_else(|error| {
            panic!("{} can't be started: {error}", self.program.display());
        });
        let stdout = listen(child.stdout.take());
        let stderr = listen(child.stderr.take());
        Running { child, said: Some((stdout, stderr)) }
    }

    /// Runs it to its end.
    pub fn output(&self) -> Output {
        self.spawn().wait()
    }
}

/// A program that runs; killed when dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    said: Option<(JoinHandle<String>, JoinHandle<String>)>,
}

impl Running {
    /// Its process number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has not ended yet.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("our own child").is_none()
    }

    /// Sends it a signal; that it is gone already is fine.
    pub fn signal(&mut self, signal: Signal) {
        if self.is_running() {
            let _ = kill_process(Pid::from_child(&self.child), signal);
        }
    }

    /// Kills it as a power cut would: it is told nothing.
    pub fn kill(mut self) -> Output {
        self.signal(Signal::KILL);
        self.wait()
    }

    /// Waits for its end. A run of minutes is a hang, and a panic.
    pub fn wait(mut self) -> Output {
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("our own child") {
                break status;
            }
            assert!(start.elapsed() < LONGEST, "it hangs");
            thread::sleep(Duration::from_millis(2));
        };
        let (stdout, stderr) = self.said.take().expect("waited for once");
        let text = |said: JoinHandle<String>| said.join().expect("a pipe that reads");
        Output { code: code_of(status), stdout: text(stdout), stderr: text(stderr) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn code_of(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| -signal)).expect("one of both")
}

/// Reads a pipe on the side, so that a program that says much does not wait for us.
fn listen(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
    let mut pipe = pipe.expect("piped");
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).expect("a pipe that reads");
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
