//! One container under way: made, let go, waited for, told to stop, killed.

use std::path::PathBuf;
use std::time::Duration;

use super::bundle::{Plan, config};
use super::runtime::{Runtime, words_of};
use crate::canon;
use crate::diag::Result;
use crate::host::{self, End, Rooted, Said, Stopwatch, Stream};

/// How often it is looked whether a container ended.
const TICK: Duration = Duration::from_millis(10);

/// How often it is looked how much memory it has, where the kernel does not limit it.
const MEMORY_TICK: Duration = Duration::from_millis(100);

/// How long the streams of a container may take to end after it.
const SETTLING: Duration = Duration::from_secs(5);

/// How long a killed process may take to be gone.
const DYING: Duration = Duration::from_secs(10);

/// A container; killed and removed when dropped.
pub(super) struct Container {
    runtime: Runtime,
    state: PathBuf,
    id: String,
    /// Its first process.
    process: u32,
    out: Stream,
    err: Stream,
    /// Its `/tmp`, held so that it can be looked at after its end.
    pub(super) tmp: Option<Rooted>,
    end: Option<End>,
    /// Bytes of memory that it may have, where nobody but us looks.
    watched: Option<u64>,
    /// Whether it was killed for its memory by us.
    pub(super) greedy: bool,
    looked: Stopwatch,
}

impl Container {
    /// Makes one, which does not run yet. The inner error is the runtime's word why it can't.
    pub(super) fn make(
        runtime: &Runtime,
        state: PathBuf,
        bundle: PathBuf,
        plan: &Plan,
        input: Option<Vec<u8>>,
    ) -> Result<std::result::Result<Self, String>> {
        host::write_atomic(&bundle.join("config.json"), &canon::to_json(&config(plan)))?;
        let pid_file = bundle.join("process");
        let launched = runtime.create(&state, plan.id, &bundle, &pid_file, input);
        let launched = match launched {
            Ok(launched) => launched,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let number = host::read_lossy(&pid_file).ok().and_then(|text| text.trim().parse::<u32>().ok());
        let id = plan.id.to_owned();
        let (Some(true), Some(process)) = (launched.well, number) else {
            let _ = runtime.operate(&state, &["delete", "--force", &id]);
            launched.err.settle(Duration::from_secs(1));
            let words = words_of(&launched.err.said().tail);
            let words = if launched.well.is_none() { format!("it hangs: {words}") } else { words };
            return Ok(Err(words));
        };
        let tmp = Rooted::open(format!("/proc/{process}/root/tmp").as_ref()).ok();
        Ok(Ok(Self {
            runtime: runtime.clone(),
            state,
            id,
            process,
            out: launched.out,
            err: launched.err,
            tmp,
            end: None,
            watched: (!plan.powers.cgroups).then(|| u64::from(plan.memory) << 20),
            greedy: false,
            looked: Stopwatch::start(),
        }))
    }

    /// Lets it run.
    pub(super) fn go(&self) -> std::result::Result<(), String> {
        self.runtime.operate(&self.state, &["start", &self.id])
    }

    /// How it ended; `None` while it runs.
    pub(super) fn glance(&mut self) -> Option<End> {
        if self.end.is_none() {
            // That it is not ours to wait for can't be: we adopted it.
            self.end = host::ended(self.process).unwrap_or(Some(End::Code(-1)));
            self.watch();
        }
        self.end
    }

    /// Kills it if it has more memory than it may have.
    fn watch(&mut self) {
        let Some(most) = self.watched.filter(|_| self.looked.elapsed() >= MEMORY_TICK) else { return };
        self.looked = Stopwatch::start();
        if self.end.is_none() && host::memory_beside(self.process).is_some_and(|held| held > most) {
            self.greedy = true;
            host::kill(self.process);
        }
    }

    /// Waits for its end; `None` if it does not come in time.
    pub(super) fn wait(&mut self, patience: Duration) -> Option<End> {
        let watch = Stopwatch::start();
        loop {
            match self.glance() {
                None if watch.elapsed() < patience => host::pause(TICK),
                end => return end,
            }
        }
    }

    /// Sends it a signal.
    pub(super) fn signal(&self, signal: &str) -> std::result::Result<(), String> {
        self.runtime.operate(&self.state, &["kill", &self.id, signal])
    }

    /// Kills it, if it still runs: with its first process, all others of its name space go.
    pub(super) fn kill(&mut self) {
        if self.glance().is_none() {
            host::kill(self.process);
            self.wait(DYING);
        }
    }

    /// What was said on its output and on its error output, until its end.
    pub(super) fn said(&self) -> (Said, Said) {
        if self.end.is_some() {
            self.out.settle(SETTLING);
            self.err.settle(SETTLING);
        }
        (self.out.said(), self.err.said())
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        self.kill();
        let _ = self.runtime.operate(&self.state, &["delete", "--force", &self.id]);
    }
}
