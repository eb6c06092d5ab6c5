//! Blobs and derived files.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Partial;
use crate::canon::{HashReader, HashWriter};
use crate::diag::{Problem, Result, codes};
use crate::host::{self, FileLock, Scratch};
use crate::ident::Sha256;

/// The store, open for use by this process; many may have it open.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
    _lease: Arc<FileLock>,
}

impl Store {
    /// Opens the store at `root`, which is made if it is not there.
    pub fn open(root: &Path) -> Result<Self> {
        host::create_private_dir(root)?;
        for folder in ["blobs", "partial", "derived"] {
            host::create_dirs(&root.join(folder))?;
        }
        let lease = FileLock::shared(&root.join("lock"))?;
        Ok(Self { root: root.to_owned(), _lease: Arc::new(lease) })
    }

    /// Where the store is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the blob of a digest is, or would be.
    pub fn path(&self, digest: &Sha256) -> PathBuf {
        let hex = digest.to_string();
        self.root.join("blobs").join(&hex[..2]).join(&hex)
    }

    /// The length of a blob, if it is here and whole.
    pub fn find(&self, digest: &Sha256) -> Result<Option<u64>> {
        let path = self.path(digest);
        if let Some((size, _)) = host::stamped(&path) {
            return Ok(Some(size));
        }
        if !host::exists(&path) {
            return Ok(None);
        }
        let mut reader = HashReader::new(host::open(&path)?);
        let copied = io::copy(&mut reader, &mut io::sink());
        copied.map_err(|error| host::file_problem("reading", &path, &error))?;
        let (found, size) = reader.finish();
        if found == *digest {
            host::set_used(&host::open(&path)?, &path)?;
            return Ok(Some(size));
        }
        host::remove(&path)?;
        Ok(None)
    }

    /// Opens a blob to read, and marks it as used.
    pub fn open_blob(&self, digest: &Sha256) -> Result<File> {
        let path = self.path(digest);
        if self.find(digest)?.is_none() {
            let what = format!("the blob {digest} is not in the store, or its bytes had changed");
            return Err(Problem::new(codes::CORRUPT, what)
                .help("run the same command again: it will be fetched or built anew")
                .into());
        }
        let file = host::open(&path)?;
        host::set_used(&file, &path)?;
        Ok(file)
    }

    /// The bytes of a small blob.
    pub fn read_blob(&self, digest: &Sha256) -> Result<Vec<u8>> {
        drop(self.open_blob(digest)?);
        host::read(&self.path(digest))
    }

    /// A new blob whose digest is not known yet.
    pub fn new_blob(&self) -> Result<BlobWriter> {
        Ok(BlobWriter { out: HashWriter::new(ScratchFile(Scratch::in_folder(&self.root.join("blobs"))?)) })
    }

    /// Stores bytes.
    pub fn put(&self, bytes: &[u8]) -> Result<Sha256> {
        let digest = Sha256::of(bytes);
        if self.find(&digest)?.is_none() {
            let mut scratch = Scratch::in_folder(&self.root.join("blobs"))?;
            let written = scratch.file().write_all(bytes);
            written.map_err(|error| host::file_problem("writing", &self.path(&digest), &error))?;
            self.adopt(scratch, &digest)?;
        }
        Ok(digest)
    }

    /// A download of this digest; waits while another hardpan is at it.
    pub fn partial(&self, digest: &Sha256) -> Result<Partial> {
        Partial::open(&self.root.join("partial").join(digest.to_string()))
    }

    /// Takes a whole download in. The caller has checked its digest.
    pub(super) fn adopt(&self, scratch: Scratch, digest: &Sha256) -> Result<()> {
        let mut scratch = scratch;
        let path = self.path(digest);
        host::create_dirs(path.parent().expect("below blobs"))?;
        host::set_used(scratch.file(), &path)?;
        scratch.persist(&path)
    }

    /// Where something derived is, or would be.
    pub fn derived_path(&self, kind: &str, key: &Sha256) -> PathBuf {
        self.root.join("derived").join(kind).join(key.to_string())
    }

    /// Opens something derived, if it is here and was not touched; marks it as used.
    pub fn open_derived(&self, kind: &str, key: &Sha256) -> Result<Option<File>> {
        let path = self.derived_path(kind, key);
        // One that was touched is not removed, but replaced by who makes it anew: another thread may have
        // done so just now.
        if host::stamped(&path).is_none() {
            return Ok(None);
        }
        let file = host::open(&path)?;
        host::set_used(&file, &path)?;
        Ok(Some(file))
    }

    /// The bytes of something small that was derived.
    pub fn read_derived(&self, kind: &str, key: &Sha256) -> Result<Option<Vec<u8>>> {
        let Some(mut file) = self.open_derived(kind, key)? else { return Ok(None) };
        let mut bytes = Vec::new();
        let read = file.read_to_end(&mut bytes);
        read.map_err(|error| host::file_problem("reading", &self.derived_path(kind, key), &error))?;
        Ok(Some(bytes))
    }

    /// A file to be filled with something derived.
    pub fn new_derived(&self, kind: &str) -> Result<Scratch> {
        let folder = self.root.join("derived").join(kind);
        host::create_dirs(&folder)?;
        Scratch::in_folder(&folder)
    }

    /// Gives something derived its name.
    pub fn put_derived(&self, kind: &str, key: &Sha256, mut scratch: Scratch) -> Result<()> {
        let path = self.derived_path(kind, key);
        host::set_used(scratch.file(), &path)?;
        scratch.persist(&path)
    }

    /// Stores something small that was derived.
    pub fn write_derived(&self, kind: &str, key: &Sha256, bytes: &[u8]) -> Result<()> {
        let mut scratch = self.new_derived(kind)?;
        let written = scratch.file().write_all(bytes);
        written.map_err(|error| host::file_problem("writing", &self.derived_path(kind, key), &error))?;
        self.put_derived(kind, key, scratch)
    }
}

struct ScratchFile(Scratch);

impl Write for ScratchFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.file().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.file().flush()
    }
}

/// A blob being written.
pub struct BlobWriter {
    out: HashWriter<ScratchFile>,
}

impl BlobWriter {
    /// Ends the blob and stores it: its digest and length in bytes.
    pub fn finish(self, store: &Store) -> Result<(Sha256, u64)> {
        let (ScratchFile(scratch), digest, size) = self.out.finish();
        store.adopt(scratch, &digest)?;
        Ok((digest, size))
    }
}

impl Write for BlobWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn touch(path: &Path, bytes: &[u8]) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).expect("ours");
        std::fs::write(path, bytes).expect("ours");
    }

    #[test]
    fn a_blob_is_found_by_its_digest() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("opens");
        let digest = store.put(b"bytes").expect("stored");
        assert_eq!(store.find(&digest).expect("readable"), Some(5));
        assert_eq!(store.read_blob(&digest).expect("whole"), b"bytes");
        assert_eq!(store.find(&Sha256::of(b"other")).expect("readable"), None);
    }

    #[test]
    fn a_blob_that_was_written_to_is_thrown_away() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("opens");
        let digest = store.put(b"bytes").expect("stored");
        touch(&store.path(&digest), b"bytez");
        assert!(store.open_blob(&digest).expect_err("changed").is(codes::CORRUPT));
        assert!(!store.path(&digest).exists());
    }

    #[test]
    fn a_blob_whose_bytes_are_right_is_stamped_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("opens");
        let digest = store.put(b"bytes").expect("stored");
        touch(&store.path(&digest), b"bytes");
        assert_eq!(store.find(&digest).expect("readable"), Some(5));
        assert!(host::stamped(&store.path(&digest)).is_some());
    }

    #[test]
    fn something_derived_that_was_touched_is_made_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("opens");
        let key = Sha256::of(b"inputs");
        store.write_derived("layers", &key, b"{}").expect("stored");
        assert_eq!(store.read_derived("layers", &key).expect("readable"), Some(b"{}".to_vec()));
        touch(&store.derived_path("layers", &key), b"[]");
        assert_eq!(store.read_derived("layers", &key).expect("readable"), None);
        // Who looked takes nothing away from who made it anew meanwhile.
        assert!(store.derived_path("layers", &key).exists());
        store.write_derived("layers", &key, b"{}").expect("stored again");
        assert_eq!(store.read_derived("layers", &key).expect("readable"), Some(b"{}".to_vec()));
    }
}
