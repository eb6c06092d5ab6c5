//! What programs say, without a test that knows it beforehand: for drafts of recipes.

use std::time::Duration;

use super::container::Container;
use super::foreign::{Emulation, emulation};
use super::hall::Hall;
use super::room::Room;
use super::run::Trial;
use super::runtime::Runtime;
use crate::diag::Result;
use crate::host::{self, End};
use crate::recipe::RunSpec;

/// The most that is kept of a stream, in bytes.
const MOST: usize = 64 << 10;

/// How a program ended, and what it said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Heard {
    /// Its exit code; `None` if a signal ended it, it took too long, or it did not begin.
    pub exit: Option<i32>,
    /// The beginning of its output.
    pub stdout: String,
    /// The beginning of its error output; why it did not begin.
    pub stderr: String,
}

/// Runs the first program of each test, in a container as the test would have, and says what came of
/// it; `None` if the image can't be run on this machine.
pub fn hear(trial: &Trial) -> Result<Option<Vec<Heard>>> {
    if let Emulation::Impossible(_) = emulation(&trial.part.platform.platform) {
        return Ok(None);
    }
    let runtime = Runtime::find(trial.runtime, trial.root)?;
    let mut hall = Hall::open(trial.home, &runtime)?;
    hall.unpack(None, trial.part.image, trial.part.platform)?;
    let mut all = Vec::new();
    for test in trial.tests {
        let Some(run) = test.runs().next() else { continue };
        let seconds = test.steps.first().map_or(0, |step| step.timeout);
        let folder = hall.ground.new_folder("tests")?;
        let mut room = Room::open(&mut hall, test, &folder, trial.recipe)?;
        all.push(one(&mut room, run, Duration::from_secs(seconds.into()))?);
        drop(room);
        let _ = host::remove_dir(&folder);
    }
    Ok(Some(all))
}

fn one(room: &mut Room, run: &RunSpec, patience: Duration) -> Result<Heard> {
    let Ok(mut container) = room.container(run)? else { return Ok(Heard::default()) };
    if let Err(words) = container.go() {
        return Ok(Heard { stderr: words, ..Heard::default() });
    }
    let end = container.wait(patience);
    container.kill();
    Ok(heard(&container, end))
}

/// The beginnings of what a container said, and how it ended by itself.
pub(super) fn heard(container: &Container, end: Option<End>) -> Heard {
    let (out, err) = container.said();
    let exit = match end {
        Some(End::Code(code)) => Some(code),
        _ => None,
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(MOST)]).into_owned();
    Heard { exit, stdout: text(&out.head), stderr: text(&err.head) }
}
