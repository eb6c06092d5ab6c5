//! What one run of a program costs.

use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::process::name;

/// How often memory is looked at. The kernel keeps the peak, so only what a process takes in its last
/// moment can be missed.
const LOOK: Duration = Duration::from_millis(1);

/// `/proc` counts processor time in hundredths of a second, whatever the kernel's clock (proc(5)).
const TICKS: f64 = 100.0;

/// The cost of one run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    /// Seconds on the wall.
    pub wall: f64,
    /// Seconds of processors, the program's children included.
    pub cpu: f64,
    /// The most memory that the program, or one of its children, held at once, in KiB.
    pub peak: u32,
}

/// Runs a command; `log` takes what it says, which is in the message if it fails.
pub fn measure(command: &mut Command, log: &Path) -> Result<Cost, String> {
    let name = name(command);
    let failed = |error: std::io::Error| format!("`{name}` can't be measured: {error}");
    let said = std::fs::File::create(log).map_err(failed)?;
    command.stdin(Stdio::null()).stderr(said);
    let before = children_cpu()?;
    let (status, wall, peak) = watched(command).map_err(failed)?;
    if !status.success() {
        let text = std::fs::read_to_string(log).unwrap_or_default();
        return Err(format!("`{name}` ended with {status}:\n{text}"));
    }
    Ok(Cost { wall, cpu: children_cpu()? - before, peak })
}

fn watched(command: &mut Command) -> std::io::Result<(ExitStatus, f64, u32)> {
    let begin = Instant::now();
    let mut child = command.spawn()?;
    let (id, over) = (child.id(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| watch(id, &over));
        let status = child.wait();
        let wall = begin.elapsed().as_secs_f64();
        over.store(true, Ordering::Relaxed);
        Ok((status?, wall, watcher.join().expect("the watcher does not panic")))
    })
}

/// The largest peak of a process and its descendants, until it is over.
fn watch(id: u32, over: &AtomicBool) -> u32 {
    let mut peak = 0;
    while !over.load(Ordering::Relaxed) {
        peak = peak.max(largest(id));
        std::thread::sleep(LOOK);
    }
    peak
}

fn largest(id: u32) -> u32 {
    // A process that ended meanwhile has nothing to say.
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
    let below = children.split_whitespace().filter_map(|child| child.parse().ok()).map(largest);
    below.chain([high_water(&status)]).max().unwrap_or(0)
}

/// `VmHWM:    12345 kB`
fn high_water(status: &str) -> u32 {
    let value = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    value.and_then(|value| value.trim().strip_suffix(" kB")?.trim().parse().ok()).unwrap_or(0)
}

/// Processor seconds of all children that were waited for.
fn children_cpu() -> Result<f64, String> {
    let stat = std::fs::read_to_string("/proc/self/stat").map_err(|error| format!("/proc: {error}"))?;
    cpu_of_children(&stat).ok_or_else(|| format!("/proc/self/stat reads `{stat}`"))
}

/// Fields 16 and 17 of proc(5)'s `stat`; the second is a name in parentheses and may hold blanks.
fn cpu_of_children(stat: &str) -> Option<f64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(13);
    let mut ticks = || fields.next()?.parse::<u32>().ok();
    Some(f64::from(ticks()? + ticks()?) / TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_words_are_read() {
        assert_eq!(high_water("Name:\tx\nVmPeak:\t 9 kB\nVmHWM:\t    5120 kB\n"), 5120);
        assert_eq!(high_water("Name:\tzombie\n"), 0);
        let stat = "7 (a) b) S 1 2 3 4 5 6 7 8 9 10 11 12 150 25 20 0";
        assert_eq!(cpu_of_children(stat), Some(1.75));
        assert_eq!(cpu_of_children("7 (a) S"), None);
    }

    #[test]
    fn a_run_costs_time_and_memory() {
        let log = std::env::temp_dir().join(format!("xtask-measure-{}", std::process::id()));
        let cost = measure(Command::new("sh").args(["-c", "sleep 0.05"]), &log).expect("runs");
        let why = measure(Command::new("sh").args(["-c", "echo because >&2; exit 3"]), &log).expect_err("3");
        std::fs::remove_file(&log).expect("removed");
        assert!(cost.wall >= 0.05 && cost.peak > 0, "{cost:?}");
        assert!(why.contains("because"), "{why}");
    }
}
