//! How much is read of what somebody else wrote.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use crate::diag::{Problem, codes};

/// The largest file that is taken for a feed, in bytes.
pub(super) const MAX_INPUT: u64 = 8 << 30;

/// The largest that a compressed feed may unpack to, in bytes.
pub(super) const MAX_UNPACKED: u64 = 32 << 30;

/// How many times its packed size something may unpack to. Records of JSON are packed to a tenth or twentieth.
pub(super) const MAX_RATIO: u64 = 120;

/// What is unpacked whatever the ratio, in bytes.
pub(super) const FREE: u64 = 64 << 20;

/// The largest record, in bytes: those of kernels list thousands of versions.
pub(super) const MAX_RECORD: u64 = 64 << 20;

/// The most files of one feed.
pub(super) const MAX_FILES: u64 = 4_000_000;

/// A reader that fails where one record goes on for too long. Who reads sets the count back at each record.
pub(super) struct Metered<R> {
    inner: R,
    since: Rc<Cell<u64>>,
}

impl<R: Read> Metered<R> {
    pub(super) fn new(inner: R) -> (Self, Rc<Cell<u64>>) {
        let since = Rc::new(Cell::new(0));
        (Self { inner, since: Rc::clone(&since) }, since)
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buffer)?;
        let since = self.since.get() + got as u64;
        self.since.set(since);
        if since > MAX_RECORD { Err(too_large("a record is longer than any that is known")) } else { Ok(got) }
    }
}

/// A reader that fails, rather than ends, where more comes than a budget allows.
pub(super) struct Budgeted<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Budgeted<R> {
    /// `packed` is the size of what is unpacked.
    pub(super) fn unpacking(inner: R, packed: u64) -> Self {
        Self { inner, left: allowance(packed) }
    }
}

/// How much something of this size may unpack to.
pub(super) fn allowance(packed: u64) -> u64 {
    packed.saturating_mul(MAX_RATIO).clamp(FREE, MAX_UNPACKED)
}

impl<R: Read> Read for Budgeted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buffer)?;
        self.left = self
            .left
            .checked_sub(got as u64)
            .ok_or_else(|| too_large("it unpacks to far more than any feed of its size"))?;
        Ok(got)
    }
}

/// What somebody else's text is quoted with, cut and in one line: it may try to look like a line of ours.
pub(super) fn one_line(text: &str, most: usize) -> String {
    text.chars().take(most).map(|letter| if letter.is_whitespace() { ' ' } else { letter }).collect()
}

pub(super) fn too_large(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, why)
}

/// A feed that does not read. Limits are told apart from damage by their words: parsers hand only those on.
pub(super) fn broken(input: &str, why: &str, io: bool) -> Problem {
    let large = io && (why.contains("than any") || why.contains("too large"));
    if large {
        Problem::new(codes::FEED_TOO_LARGE, format!("{input} is larger than any feed of advisories"))
            .found(why)
            .help("it is broken or hostile: get it again from its source")
    } else {
        Problem::new(codes::BAD_FEED, format!("{input} can't be read"))
            .found(one_line(why, 1_000))
            .help("get the file again; nothing of it was taken")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_unpacks_to_far_more_than_it_should_is_an_error() {
        let read = |length: u64, packed| {
            io::copy(&mut Budgeted::unpacking(io::repeat(0).take(length), packed), &mut io::sink())
        };
        assert_eq!(read(FREE, 10).expect("small"), FREE);
        let error = read(FREE + 1, 10).expect_err("a bomb");
        assert!(broken("x", &error.to_string(), true).code == codes::FEED_TOO_LARGE);
        assert!(read(FREE + 1, 1 << 20).is_ok());
    }

    #[test]
    fn a_record_without_end_is_an_error_and_the_next_one_begins_anew() {
        let (mut reader, since) = Metered::new(io::repeat(b'a'));
        let mut buffer = vec![0; 1 << 20];
        for _ in 0..MAX_RECORD >> 20 {
            reader.read_exact(&mut buffer).expect("within");
        }
        since.set(0);
        reader.read_exact(&mut buffer).expect("a new record");
        since.set(MAX_RECORD);
        assert!(reader.read_exact(&mut buffer).is_err());
    }
}
