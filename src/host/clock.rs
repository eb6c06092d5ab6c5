//! Time and the machine's size.

use std::time::{Duration, Instant};

use crate::ident::Epoch;

/// The time of day, for `Valid-Until`, rollback and ages; never for anything that goes into an image.
pub fn now() -> Epoch {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Epoch(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// Measures how long something took, for the summary.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// What has passed since the start.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// Waits, between two tries.
pub fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// How many threads can really run at once.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// The most memory this process has held so far, in bytes (`VmHWM` of proc(5)), where the system says.
pub fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib << 10)
}
