//! Running another program for its answer, under limits of time and space.
//!
//! No shell: a program is a path, or a name that is looked up in `PATH`. One thread feeds and reads
//! its pipes as they are ready, so that no order in which the program reads and writes can block
//! both sides, and a program that hangs is killed by its id.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

/// How often it is asked whether the program ended while a child of its own keeps a pipe open.
const GLANCE: Duration = Duration::from_millis(20);

/// How long a killed program may take to be gone.
const DYING: Duration = Duration::from_secs(2);

/// The most that is kept of what a program says on its error output, in bytes.
const MAX_SAID: usize = 4 << 10;

/// A program to be run.
#[derive(Debug)]
pub struct Call<'a> {
    /// A path, or a name that is looked up in `PATH`.
    pub program: &'a str,
    /// Its arguments.
    pub arguments: &'a [&'a str],
    /// Variables of ours that it does not get.
    pub without: &'a [&'a str],
    /// What it gets on its standard input, in parts.
    pub input: &'a [&'a [u8]],
    /// The most bytes that it may answer.
    pub most: usize,
    /// How long it may take.
    pub patience: Duration,
}

/// How a program ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    /// It ended with exit code 0, and this answer.
    Well(Vec<u8>),
    /// It could not be started, and why.
    NotStarted(String),
    /// It ended with another exit code or by a signal; how, and what it said on its error output.
    Badly(String, String),
    /// It answered too much, and was killed.
    TooMuch,
    /// It took too long, and was killed; what it said on its error output.
    TooLong(String),
}

/// Runs a program to its end.
pub fn call(call: &Call<'_>) -> io::Result<Ended> {
    let mut command = Command::new(call.program);
    command.args(call.arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for name in call.without {
        command.env_remove(name);
    }
    let child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Ok(Ended::NotStarted(error.to_string())),
    };
    Running::new(child, call)?.finish(call)
}

/// A program under way; killed when dropped before its end.
struct Running {
    child: Child,
    start: Instant,
    input: Option<ChildStdin>,
    output: Option<ChildStdout>,
    errors: Option<ChildStderr>,
    part: usize,
    sent: usize,
    answer: Vec<u8>,
    said: Vec<u8>,
}

impl Running {
    fn new(mut child: Child, call: &Call<'_>) -> io::Result<Self> {
        let (input, output, errors) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let pipes = [
            input.as_ref().map(AsFd::as_fd),
            output.as_ref().map(AsFd::as_fd),
            errors.as_ref().map(AsFd::as_fd),
        ];
        let blocking = pipes.into_iter().flatten().try_for_each(do_not_block);
        // The answer may be secret to some: a buffer that does not grow leaves no copy behind.
        let answer = Vec::with_capacity(call.most.min(64 << 10) + 1);
        let (start, said) = (Instant::now(), Vec::new());
        let running = Self { child, start, input, output, errors, part: 0, sent: 0, answer, said };
        blocking.map(|()| running)
    }

    fn finish(mut self, call: &Call<'_>) -> io::Result<Ended> {
        loop {
            if self.start.elapsed() >= call.patience {
                return Ok(Ended::TooLong(self.words()));
            }
            let ended = self.child.try_wait()?;
            self.exchange(call)?;
            if self.answer.len() > call.most {
                return Ok(Ended::TooMuch);
            }
            // What the program itself wrote before its end was read after it: nothing is missed.
            if let Some(status) = ended {
                return Ok(self.judge(status));
            }
            self.wait(call)?;
        }
    }

    fn judge(&mut self, status: ExitStatus) -> Ended {
        if status.success() {
            Ended::Well(std::mem::take(&mut self.answer))
        } else {
            Ended::Badly(status.to_string(), self.words())
        }
    }

    /// What it said, harmless for a terminal and on one line.
    fn words(&self) -> String {
        let text = String::from_utf8_lossy(&self.said);
        let lines = text.lines().map(|line| line.chars().filter(|letter| !letter.is_control()).collect());
        let lines: Vec<String> = lines.filter(|line: &String| !line.trim().is_empty()).collect();
        lines.join(" | ")
    }

    /// Sends and takes what can be sent and taken now.
    fn exchange(&mut self, call: &Call<'_>) -> io::Result<()> {
        self.feed(call)?;
        // One more than the most is enough to know.
        let room = call.most + 1 - self.answer.len();
        if take(&mut self.output, &mut self.answer, room)? {
            self.output = None;
        }
        let mut said = Vec::new();
        if take(&mut self.errors, &mut said, MAX_SAID)? {
            self.errors = None;
        }
        let room = MAX_SAID - self.said.len();
        self.said.extend_from_slice(&said[..said.len().min(room)]);
        Ok(())
    }

    fn feed(&mut self, call: &Call<'_>) -> io::Result<()> {
        while let Some(pipe) = &mut self.input {
            let Some(part) = call.input.get(self.part) else {
                self.input = None;
                return Ok(());
            };
            if self.sent == part.len() {
                (self.part, self.sent) = (self.part + 1, 0);
                continue;
            }
            match pipe.write(&part[self.sent..]) {
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // It need not read what it does not want; its answer tells.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => self.input = None,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Waits until something can be sent or taken, or for a glance at whether it ended.
    fn wait(&self, call: &Call<'_>) -> io::Result<()> {
        let left = call.patience.saturating_sub(self.start.elapsed()).min(GLANCE);
        let mut pipes = Vec::with_capacity(3);
        pipes.extend(self.input.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::OUT)));
        pipes.extend(self.output.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        pipes.extend(self.errors.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        let timeout = Timespec { tv_sec: 0, tv_nsec: left.subsec_nanos().into() };
        match poll(&mut pipes, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        // A program of another user can't be killed, nor waited for forever.
        let start = Instant::now();
        while start.elapsed() < DYING && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

fn do_not_block(pipe: BorrowedFd<'_>) -> io::Result<()> {
    let flags = fcntl_getfl(pipe)?;
    Ok(fcntl_setfl(pipe, flags | OFlags::NONBLOCK)?)
}

/// Takes what is there, at most `room` bytes; whether the pipe ended.
fn take(pipe: &mut Option<impl Read>, into: &mut Vec<u8>, room: usize) -> io::Result<bool> {
    let Some(pipe) = pipe else { return Ok(false) };
    match pipe.take(room as u64).read_to_end(into) {
        // Less than there was room for: the pipe has an end, and this was it.
        Ok(count) => Ok(count < room),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INPUT: usize = 3 << 20;

    fn shell(script: &str, input: &[&[u8]], most: usize) -> Ended {
        let arguments = ["-c", script];
        let patience = Duration::from_secs(20);
        let call = Call { program: "sh", arguments: &arguments, without: &["HOME"], input, most, patience };
        super::call(&call).expect("pipes work")
    }

    #[test]
    fn input_larger_than_any_pipe_comes_back_whole() {
        let input: Vec<u8> = (0..=250).cycle().take(INPUT).collect();
        let (first, second) = input.split_at(1000);
        assert!(shell("cat", &[first, &[], second], INPUT) == Ended::Well(input.clone()));
    }

    #[test]
    fn a_program_that_reads_nothing_or_talks_first_blocks_nobody() {
        let input = vec![b'x'; INPUT];
        assert_eq!(shell("echo hi", &[&input], 10), Ended::Well(b"hi\n".to_vec()));
        let talks = "head -c 1000000 /dev/zero; cat > /dev/null";
        assert!(matches!(shell(talks, &[&input], INPUT), Ended::Well(answer) if answer.len() == 1_000_000));
        let complains = "head -c 1000000 /dev/zero >&2; echo hi";
        assert_eq!(shell(complains, &[], 10), Ended::Well(b"hi\n".to_vec()));
    }

    #[test]
    fn an_answer_without_end_is_cut_and_one_that_just_fits_is_not() {
        assert_eq!(shell("cat /dev/zero", &[], 10), Ended::TooMuch);
        assert_eq!(shell("printf 0123456789", &[], 10), Ended::Well(b"0123456789".to_vec()));
        assert_eq!(shell("printf 0123456789a", &[], 10), Ended::TooMuch);
    }

    #[test]
    fn a_program_that_hangs_is_killed_in_time() {
        let patience = Duration::from_millis(200);
        let call = Call { program: "sleep", arguments: &["30"], without: &[], input: &[], most: 1, patience };
        let start = Instant::now();
        assert_eq!(super::call(&call).expect("pipes work"), Ended::TooLong(String::new()));
        assert!(start.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn a_child_that_keeps_the_pipe_keeps_nobody_waiting() {
        let start = Instant::now();
        assert_eq!(shell("sleep 8 & echo hi", &[], 10), Ended::Well(b"hi\n".to_vec()));
        assert!(start.elapsed() < Duration::from_secs(6));
    }

    #[test]
    fn a_bad_end_says_how_and_what_was_said() {
        let Ended::Badly(how, words) = shell("printf 'no\\033 key\\n\\nhere' >&2; exit 3", &[], 10) else {
            panic!("not badly");
        };
        assert!(how.contains('3'), "{how}");
        assert_eq!(words, "no key | here");
        let call = Call {
            program: "no-such-program-here",
            arguments: &[],
            without: &[],
            input: &[],
            most: 1,
            patience: DYING,
        };
        assert!(matches!(super::call(&call).expect("fine"), Ended::NotStarted(_)));
    }

    #[test]
    fn variables_that_are_kept_back_do_not_arrive() {
        assert_eq!(shell("printf \"[$HOME]\"", &[], 10), Ended::Well(b"[]".to_vec()));
    }
}
