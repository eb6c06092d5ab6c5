//! This very program, started a second time as a helper that is spoken with line by line.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// How long a helper that is told to end may take.
const ENDING: Duration = Duration::from_secs(5);

/// The longest line that a helper may answer, in bytes.
const LONGEST: u64 = 16 << 20;

/// A helper under way. Its input ends when this process does, however that comes.
#[derive(Debug)]
pub struct Helper {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Helper {
    /// Starts this program with these arguments.
    pub fn start(arguments: &[&str]) -> io::Result<Self> {
        // By this name the kernel starts the same file even if it was replaced meanwhile.
        let mut command = Command::new("/proc/self/exe");
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn()?;
        let (sender, lines) = channel();
        let output = BufReader::new(child.stdout.take().expect("piped"));
        std::thread::spawn(move || {
            let mut output = output;
            loop {
                let mut line = String::new();
                match io::Read::take(&mut output, LONGEST).read_line(&mut line) {
                    Ok(got) if got > 0 && sender.send(line).is_ok() => {}
                    _ => return,
                }
            }
        });
        let input = child.stdin.take();
        Ok(Self { child, input, lines })
    }

    /// Its process number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Says a line.
    pub fn say(&mut self, line: &str) -> io::Result<()> {
        let input = self.input.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        writeln!(input, "{line}")?;
        input.flush()
    }

    /// Waits for its next line.
    pub fn hear(&self, patience: Duration) -> io::Result<String> {
        let late = |_| io::Error::new(io::ErrorKind::TimedOut, "the helper did not answer");
        self.lines.recv_timeout(patience).map_err(late)
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        self.input = None;
        let start = Instant::now();
        while start.elapsed() < ENDING && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(2));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The lines that a helper is told, until whoever started it is gone.
pub fn told() -> impl Iterator<Item = String> {
    io::stdin().lines().map_while(Result::ok)
}
