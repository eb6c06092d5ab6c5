//! One connection, with an end to everything: no thread waits for a peer that does nothing.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How many connections of this process the server had to end because the client never did.
pub(super) static OUTLASTED: AtomicUsize = AtomicUsize::new(0);

/// How often a waiting thread looks whether it should end.
const TICK: Duration = Duration::from_millis(20);
/// How long a connection may live in all.
const LIFE: Duration = Duration::from_mins(1);
/// The longest request that is read.
const MAX_HEAD: usize = 16 << 10;

/// A connection that ends when the server does, and by itself after a minute.
pub(super) struct Wire {
    stream: TcpStream,
    stop: Arc<AtomicBool>,
    end: Instant,
    buffer: Vec<u8>,
}

impl Wire {
    pub(super) fn new(stream: TcpStream, stop: Arc<AtomicBool>) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TICK))?;
        stream.set_write_timeout(Some(TICK))?;
        Ok(Self { stream, stop, end: Instant::now() + LIFE, buffer: Vec::new() })
    }

    /// Whether to go on, for those who wait.
    fn alive(&self) -> io::Result<()> {
        if Instant::now() > self.end {
            OUTLASTED.fetch_add(1, Ordering::Relaxed);
            return Err(ErrorKind::TimedOut.into());
        }
        if self.stop.load(Ordering::Relaxed) {
            return Err(ErrorKind::TimedOut.into());
        }
        Ok(())
    }

    /// The next request up to its empty line; `None` where the client is done.
    pub(super) fn head(&mut self) -> io::Result<Option<String>> {
        loop {
            if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                let rest = self.buffer.split_off(end + 4);
                let head = std::mem::replace(&mut self.buffer, rest);
                return Ok(Some(String::from_utf8_lossy(&head).into_owned()));
            }
            if self.buffer.len() > MAX_HEAD {
                return Err(ErrorKind::InvalidData.into());
            }
            self.alive()?;
            let mut part = [0; 4096];
            match self.stream.read(&mut part) {
                Ok(0) => return Ok(None),
                Ok(got) => self.buffer.extend(&part[..got]),
                Err(error) if patient(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// So many bytes of a request's body.
    pub(super) fn body(&mut self, length: usize) -> io::Result<Vec<u8>> {
        let mut part = vec![0; 64 << 10];
        while self.buffer.len() < length {
            self.alive()?;
            match self.stream.read(&mut part) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(got) => self.buffer.extend(&part[..got]),
                Err(error) if patient(&error) => {}
                Err(error) => return Err(error),
            }
        }
        let rest = self.buffer.split_off(length);
        Ok(std::mem::replace(&mut self.buffer, rest))
    }

    /// Sends all of it, or fails when the client goes or takes nothing.
    pub(super) fn send(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            self.alive()?;
            match self.stream.write(bytes) {
                Ok(sent) => bytes = &bytes[sent..],
                Err(error) if patient(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Sends at so many bytes a second, in small parts.
    pub(super) fn trickle(&mut self, bytes: &[u8], rate: u64) -> io::Result<()> {
        let start = Instant::now();
        let per_tick = usize::try_from(rate / 50).unwrap_or(usize::MAX).max(1);
        let mut sent = 0;
        for part in bytes.chunks(per_tick) {
            self.send(part)?;
            sent += part.len() as u64;
            let due = start + Duration::from_millis(sent * 1000 / rate.max(1));
            while Instant::now() < due {
                self.alive()?;
                std::thread::sleep(TICK.min(due.saturating_duration_since(Instant::now())));
            }
        }
        Ok(())
    }

    /// Does nothing until the client goes.
    pub(super) fn idle(&mut self) -> io::Result<()> {
        loop {
            self.alive()?;
            match self.stream.read(&mut [0; 4096]) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(error) if patient(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

fn patient(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}
