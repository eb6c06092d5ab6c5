//! Hashing on the way through, so that no byte is read twice for its digest.

use std::io::{self, Read, Write};

use sha2::Digest as _;

use crate::ident::Sha256;

/// Passes bytes on to a writer, hashing and counting them.
pub struct HashWriter<W> {
    inner: W,
    hash: sha2::Sha256,
    written: u64,
}

impl<W: Write> HashWriter<W> {
    /// Starts with nothing written.
    pub fn new(inner: W) -> Self {
        Self { inner, hash: sha2::Sha256::new(), written: 0 }
    }

    /// The writer, the digest of all that went through, and its length in bytes.
    pub fn finish(self) -> (W, Sha256, u64) {
        (self.inner, Sha256(self.hash.finalize().into()), self.written)
    }
}

impl<W: Write> Write for HashWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.inner.write(bytes)?;
        self.hash.update(&bytes[..taken]);
        self.written += taken as u64;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Passes bytes on from a reader, hashing and counting them.
pub struct HashReader<R> {
    inner: R,
    hash: sha2::Sha256,
    read: u64,
}

impl<R: Read> HashReader<R> {
    /// Starts with nothing read.
    pub fn new(inner: R) -> Self {
        Self { inner, hash: sha2::Sha256::new(), read: 0 }
    }

    /// The digest of all that went through, and its length in bytes.
    pub fn finish(self) -> (Sha256, u64) {
        (Sha256(self.hash.finalize().into()), self.read)
    }
}

impl<R: Read> Read for HashReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buffer)?;
        self.hash.update(&buffer[..got]);
        self.read += got as u64;
        Ok(got)
    }
}
