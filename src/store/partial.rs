//! Downloads under way: kept when cut, so that the next try or the next hardpan goes on.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};

use sha2::Digest as _;

use super::Store;
use crate::diag::Result;
use crate::host::{self, FileLock};
use crate::ident::Sha256;

/// A download under way, held by this process alone.
pub struct Partial {
    file: File,
    path: PathBuf,
    hash: sha2::Sha256,
    length: u64,
    _lock: FileLock,
}

impl Partial {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let lock = FileLock::exclusive(&path.with_extension("lock"))?;
        let file = host::open_append(path)?;
        let mut partial =
            Self { file, path: path.to_owned(), hash: sha2::Sha256::new(), length: 0, _lock: lock };
        partial.rehash().map_err(|error| host::file_problem("reading", path, &error))?;
        Ok(partial)
    }

    fn rehash(&mut self) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        let mut buffer = vec![0; 1 << 16];
        loop {
            let got = self.file.read(&mut buffer)?;
            if got == 0 {
                return Ok(());
            }
            self.hash.update(&buffer[..got]);
            self.length += got as u64;
        }
    }

    /// Bytes that are here.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The digest of what is here.
    pub fn digest(&self) -> Sha256 {
        Sha256(self.hash.clone().finalize().into())
    }

    /// Throws away what is here.
    pub fn clear(&mut self) -> Result<()> {
        let cleared = self.file.set_len(0).and_then(|()| self.file.seek(SeekFrom::Start(0)));
        cleared.map_err(|error| host::file_problem("emptying", &self.path, &error))?;
        self.hash = sha2::Sha256::new();
        self.length = 0;
        Ok(())
    }

    /// Gives it its place among the blobs; the caller has compared its digest.
    pub fn keep(self, store: &Store) -> Result<()> {
        let digest = self.digest();
        let path = store.path(&digest);
        host::create_dirs(path.parent().expect("below blobs"))?;
        host::set_used(&self.file, &self.path)?;
        host::rename(&self.path, &path)?;
        host::remove(&self.path.with_extension("lock"))
    }

    /// Removes it: there is nothing to go on with.
    pub fn discard(self) -> Result<()> {
        host::remove(&self.path)?;
        host::remove(&self.path.with_extension("lock"))
    }
}

impl Write for Partial {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.file.write(bytes)?;
        self.hash.update(&bytes[..taken]);
        self.length += taken as u64;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
