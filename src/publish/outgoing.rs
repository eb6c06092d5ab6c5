//! Bytes on their way into a registry. What is read is hashed on the way, and its last bytes are held
//! back until the digest is known: bytes that changed under us never make a whole upload.

use std::cell::RefCell;
use std::io::{self, Read};

use sha2::Digest as _;

use super::access::Spoiled;
use crate::diag::{Problem, Result, codes};
use crate::ident::{BlobDigest, Sha256};

/// Something to be sent.
pub(super) struct Blob<'a> {
    pub(super) digest: BlobDigest,
    pub(super) size: u64,
    /// Where it comes from, for people.
    pub(super) from: &'a str,
    pub(super) open: Box<dyn Fn() -> Result<Box<dyn Read>> + Sync + 'a>,
}

/// Reads a blob once to see that it still is what it is called, before anything of it is sent.
pub(super) fn check(blob: &Blob) -> Result<()> {
    let mut reader = Checked::new((blob.open)()?, blob);
    match io::copy(&mut reader, &mut io::sink()) {
        Ok(_) => Ok(()),
        Err(error) => Err(match error.downcast::<Spoiled>() {
            Ok(Spoiled(problem)) => problem.into(),
            Err(error) => unreadable(blob, &error).into(),
        }),
    }
}

fn unreadable(blob: &Blob, error: &io::Error) -> Problem {
    Problem::new(codes::FILE, format!("reading the blob {} of `{}` failed", blob.digest, blob.from))
        .fact("cause", error)
}

/// A large blob, read on from where the part before ended.
pub(super) struct Source<'a> {
    blob: &'a Blob<'a>,
    at: RefCell<Option<(Box<dyn Read>, u64)>>,
}

/// One part of a large blob.
struct Part<'s, 'a> {
    source: &'s Source<'a>,
    end: u64,
}

impl<'a> Source<'a> {
    pub(super) fn new(blob: &'a Blob<'a>) -> Self {
        Self { blob, at: RefCell::new(None) }
    }

    pub(super) fn part(&self, from: u64, end: u64) -> Result<Box<dyn Read + '_>> {
        let mut at = self.at.borrow_mut();
        if at.as_ref().is_none_or(|(_, at)| *at != from) {
            let mut reader = (self.blob.open)()?;
            let skipped = io::copy(&mut (&mut reader).take(from), &mut io::sink());
            skipped.map_err(|error| unreadable(self.blob, &error))?;
            *at = Some((reader, from));
        }
        drop(at);
        Ok(Box::new(Part { source: self, end }))
    }
}

impl Read for Part<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut at = self.source.at.borrow_mut();
        let (reader, at) = at.as_mut().expect("opened with the part");
        let left = usize::try_from(self.end - *at).unwrap_or(usize::MAX).min(buffer.len());
        let got = reader.read(&mut buffer[..left])?;
        if got == 0 && left > 0 {
            return Err(io::Error::other(Spoiled(shorter(self.source.blob, *at))));
        }
        *at += got as u64;
        Ok(got)
    }
}

fn changed(blob: &Blob, found: String) -> Problem {
    Problem::new(codes::CORRUPT, format!("the blob {} of `{}` has changed", blob.digest, blob.from))
        .found(found)
        .expected(format!("{}, {} bytes", blob.digest, blob.size))
        .help("nothing points to it in the registry; build the image anew, or take it again from where it came from")
}

fn shorter(blob: &Blob, at: u64) -> Problem {
    changed(blob, format!("{at} bytes"))
}

/// Passes bytes on, the last of them only if all of them have the right digest.
pub(super) struct Checked<'a> {
    inner: Box<dyn Read>,
    blob: &'a Blob<'a>,
    hash: sha2::Sha256,
    read: u64,
}

impl<'a> Checked<'a> {
    pub(super) fn new(inner: Box<dyn Read>, blob: &'a Blob<'a>) -> Self {
        Self { inner, blob, hash: sha2::Sha256::new(), read: 0 }
    }

    fn judge(&mut self) -> std::result::Result<(), Problem> {
        let found = BlobDigest(Sha256(self.hash.clone().finalize().into()));
        let more = self.inner.read(&mut [0]).unwrap_or(0);
        if more > 0 {
            return Err(changed(self.blob, format!("more than {} bytes", self.read)));
        }
        if found != self.blob.digest {
            return Err(changed(self.blob, format!("{found}, {} bytes", self.read)));
        }
        Ok(())
    }
}

impl Read for Checked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.blob.size - self.read).unwrap_or(usize::MAX).min(buffer.len());
        if left == 0 {
            return Ok(0);
        }
        let spoiled = |problem| io::Error::other(Spoiled(problem));
        let got = match self.inner.read(&mut buffer[..left]) {
            Ok(got) => got,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => return Err(spoiled(unreadable(self.blob, &error))),
        };
        if got == 0 {
            return Err(spoiled(shorter(self.blob, self.read)));
        }
        self.hash.update(&buffer[..got]);
        self.read += got as u64;
        if self.read == self.blob.size {
            self.judge().map_err(spoiled)?;
        }
        Ok(got)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content: &'static [u8], called: &[u8]) -> io::Result<Vec<u8>> {
        let digest = BlobDigest(Sha256::of(called));
        let open = Box::new(move || -> Result<Box<dyn Read>> { Ok(Box::new(content)) });
        let blob = Blob { digest, size: called.len() as u64, from: "x", open };
        let mut bytes = Vec::new();
        Checked::new((blob.open)().map_err(io::Error::other)?, &blob).take(100).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    #[test]
    fn bytes_that_changed_are_never_sent_whole() {
        assert_eq!(read(b"abc", b"abc").expect("whole"), b"abc");
        assert_eq!(read(b"", b"").expect("whole"), b"");
        for content in [&b"abd"[..], b"ab", b"abcd", b""] {
            assert!(read(content, b"abc").is_err(), "{content:?}");
        }
    }
}
