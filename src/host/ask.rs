//! Asking a small program: one text in, one text out, within a time.

use std::io::{self, Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The most that is taken of what a program says, in bytes.
const MOST: u64 = 1 << 20;

/// How often a waiting thread looks whether the program has ended.
const TICK: Duration = Duration::from_millis(10);

/// What a program said.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// Whether it ended well.
    pub success: bool,
    /// Its result; may be secret.
    pub stdout: Vec<u8>,
    /// What it complained of.
    pub stderr: Vec<u8>,
}

/// Runs a program found by the `PATH`, gives it `input` and waits for its end, at most for `time`.
pub fn ask(program: &str, arguments: &[&str], input: &[u8], time: Duration) -> io::Result<Answer> {
    let end = Instant::now() + time;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let input = input.to_vec();
    // One that does not read its input is no error; what it says is what counts.
    thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(&input)));
    let (stdout, stderr) = (listen(stdout), listen(stderr));
    let success = wait(&mut child, end)?;
    // A grandchild may hold the pipes open longer than the program lives.
    let left = || end.saturating_duration_since(Instant::now()).max(TICK);
    let late = |_| io::Error::new(io::ErrorKind::TimedOut, "its output did not end in time");
    let stdout = stdout.recv_timeout(left()).map_err(late)?;
    let stderr = stderr.recv_timeout(left()).map_err(late)?;
    Ok(Answer { success, stdout, stderr })
}

fn wait(child: &mut Child, end: Instant) -> io::Result<bool> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        if Instant::now() > end {
            let _ = child.kill();
            let _ = child.wait();
            return Err(io::Error::new(io::ErrorKind::TimedOut, "it did not end in time"));
        }
        thread::sleep(TICK);
    }
}

fn listen(pipe: Option<impl io::Read + Send + 'static>) -> std::sync::mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(pipe) = pipe {
            let _ = pipe.take(MOST).read_to_end(&mut bytes);
        }
        let _ = sender.send(bytes);
    });
    receiver
}
