//! Programs that start something and end before it: what they started keeps the streams, and is
//! waited for by its process number.
//!
//! ```text
//! hardpan ──starts──► runc create ──starts──► the container's first process
//!    │                    └─ ends at once            │ stdin, stdout, stderr: pipes of ours
//!    └────────── is told of its end (as the nearest ancestor that adopts orphans)
//! ```

use std::collections::VecDeque;
use std::io::{self, PipeReader, Read as _, Write as _};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

/// How much is kept of the beginning of a stream, in bytes.
const HEAD: usize = 1 << 20;

/// How much is kept of its end.
const TAIL: usize = 64 << 10;

/// How often it is looked whether something ended.
const TICK: Duration = Duration::from_millis(5);

/// What was said on a stream: its beginning and its end, whatever its length.
#[derive(Debug, Default)]
struct Kept {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    total: u64,
    ended: bool,
}

/// A stream that is being read on the side.
#[derive(Debug, Clone, Default)]
pub struct Stream(Arc<Mutex<Kept>>);

/// What was said on a stream so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Said {
    /// Its beginning, at most 1 MiB.
    pub head: Vec<u8>,
    /// Its last bytes, at most 64 KiB; of a short stream all of it.
    pub tail: Vec<u8>,
    /// How many bytes there were in all.
    pub total: u64,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// By itself, with this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

/// What came of the program that starts another.
#[derive(Debug)]
pub struct Launched {
    /// Whether it ended well; `None` if it took too long and was killed.
    pub well: Option<bool>,
    /// What is and will be said by it and by what it started.
    pub out: Stream,
    /// The same, on the error output.
    pub err: Stream,
}

impl Stream {
    fn of(mut pipe: PipeReader) -> Self {
        let stream = Self::default();
        let kept = Arc::clone(&stream.0);
        std::thread::spawn(move || {
            let mut buffer = vec![0; 64 << 10];
            loop {
                match pipe.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(got) => kept.lock().expect("no reader panics").take(&buffer[..got]),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => break,
                }
            }
            kept.lock().expect("no reader panics").ended = true;
        });
        stream
    }

    /// What was said so far.
    pub fn said(&self) -> Said {
        let kept = self.0.lock().expect("no reader panics");
        Said { head: kept.head.clone(), tail: kept.tail.iter().copied().collect(), total: kept.total }
    }

    /// Waits for its end, not longer than this.
    pub fn settle(&self, patience: Duration) {
        let start = Instant::now();
        while start.elapsed() < patience && !self.0.lock().expect("no reader panics").ended {
            std::thread::sleep(TICK);
        }
    }
}

impl Kept {
    fn take(&mut self, bytes: &[u8]) {
        let room = HEAD - self.head.len();
        self.head.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.tail.extend(bytes);
        let over = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..over);
        self.total += bytes.len() as u64;
    }
}

/// Starts a program whose streams go on after it; waits for its own end.
pub fn launch(
    program: &str,
    arguments: &[String],
    input: Option<Vec<u8>>,
    patience: Duration,
) -> io::Result<Launched> {
    let (out, their_out) = io::pipe()?;
    let (err, their_err) = io::pipe()?;
    let mut command = Command::new(program);
    command.args(arguments).stdout(their_out).stderr(their_err);
    match input {
        None => drop(command.stdin(Stdio::null())),
        Some(bytes) => {
            let (theirs, mut ours) = io::pipe()?;
            command.stdin(theirs);
            // One that does not read its input is no error.
            std::thread::spawn(move || ours.write_all(&bytes));
        }
    }
    let mut child = command.spawn()?;
    // Our copies of its ends: while we hold them, no stream ends.
    drop(command);
    let (out, err) = (Stream::of(out), Stream::of(err));
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Launched { well: Some(status.success()), out, err });
        }
        if start.elapsed() > patience {
            let _ = child.kill();
            let _ = child.wait();
            return Ok(Launched { well: None, out, err });
        }
        std::thread::sleep(TICK);
    }
}

/// How an adopted process ended; `None` while it runs.
pub fn ended(process: u32) -> io::Result<Option<End>> {
    let found = match waitpid(Some(number(process)?), WaitOptions::NOHANG) {
        Err(rustix::io::Errno::INTR) => return Ok(None),
        found => found?,
    };
    Ok(found.and_then(|(_, status)| {
        status.exit_status().map(End::Code).or_else(|| status.terminating_signal().map(End::Signal))
    }))
}

/// Kills a process that was not waited for yet, so that its number is still its own.
pub fn kill(process: u32) {
    if let Ok(process) = number(process) {
        let _ = kill_process(process, Signal::KILL);
    }
}

fn number(process: u32) -> io::Result<Pid> {
    let number = i32::try_from(process).ok().and_then(Pid::from_raw);
    number.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "not the number of a process"))
}

/// The memory that all processes of a process name space hold, in bytes, by its first process: where
/// the kernel has no limit for it, somebody has to look.
pub fn memory_beside(process: u32) -> Option<u64> {
    let space = |process: &std::path::Path| std::fs::read_link(process.join("ns/pid")).ok();
    let own = space(&std::path::Path::new("/proc").join(process.to_string()))?;
    let page = rustix::param::page_size() as u64;
    let mut held = 0;
    for entry in std::fs::read_dir("/proc").ok()?.flatten() {
        let path = entry.path();
        if entry.file_name().as_encoded_bytes()[0].is_ascii_digit() && space(&path).as_ref() == Some(&own) {
            let pages = std::fs::read_to_string(path.join("statm")).unwrap_or_default();
            // What is shared, such as programs and libraries, is not each process's own.
            let mut pages = pages.split(' ').skip(1).map(|pages| pages.parse::<u64>().unwrap_or(0));
            let (resident, shared) = (pages.next().unwrap_or(0), pages.next().unwrap_or(0));
            held += resident.saturating_sub(shared) * page;
        }
    }
    Some(held)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, input: Option<Vec<u8>>) -> Launched {
        launch("sh", &["-c".into(), script.into()], input, Duration::from_secs(20)).expect("started")
    }

    #[test]
    fn a_stream_without_end_is_kept_in_bounds_with_its_first_and_last_bytes() {
        let launched = shell("echo first; head -c 5000000 /dev/zero; echo last", None);
        launched.out.settle(Duration::from_secs(20));
        let said = launched.out.said();
        assert!(said.head.starts_with(b"first\n") && said.head.len() == HEAD);
        assert!(said.tail.ends_with(b"\0last\n") && said.tail.len() == TAIL);
        assert_eq!(said.total, 5_000_011);
    }

    #[test]
    fn what_it_started_keeps_the_streams_after_its_end() {
        let start = Instant::now();
        let launched = shell("(sleep 1; cat; echo late) & exit 3", Some(b"in".to_vec()));
        assert_eq!(launched.well, Some(false));
        assert!(start.elapsed() < Duration::from_millis(900));
        assert_eq!(launched.out.said().total, 0);
        launched.out.settle(Duration::from_secs(20));
        assert!(launched.out.said().head.ends_with(b"late\n"));
    }

    #[test]
    fn input_larger_than_a_pipe_comes_back_whole_and_one_that_nobody_reads_blocks_nobody() {
        let input = vec![b'x'; 3 << 20];
        let launched = shell("wc -c", Some(input.clone()));
        launched.out.settle(Duration::from_secs(20));
        assert_eq!(launched.out.said().head, b"3145728\n");
        let launched = shell("echo hi", Some(input));
        launched.out.settle(Duration::from_secs(20));
        assert_eq!((launched.well, &launched.out.said().head[..]), (Some(true), &b"hi\n"[..]));
    }

    #[test]
    fn one_that_hangs_is_killed_in_time() {
        let arguments = ["30".to_owned()];
        let launched = launch("sleep", &arguments, None, Duration::from_millis(100)).expect("started");
        assert_eq!(launched.well, None);
    }
}
