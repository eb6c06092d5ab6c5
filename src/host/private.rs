//! Files that only their owner may read, and random bytes.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use zeroize::Zeroizing;

use super::files::file_problem;
use crate::diag::{Problem, Result, codes};

/// The most bytes that a file with a secret in it may have.
const MAX_SECRET: u64 = 64 << 10;

/// Permissions of group and others.
const OF_OTHERS: u32 = 0o077;

/// What came of writing a file that must not be there yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It was written.
    New,
    /// Something was there, and is as it was.
    Exists,
}

/// The bytes of a file with a secret in it, whoever may read it.
pub fn read_secret(path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    read_open(path, &mut super::open(path)?)
}

/// The bytes of a file that nobody but its owner may read or write; a file that is open to others is
/// a problem. The file that is looked at is the one that is read.
pub fn read_private(path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    let mut file = super::open(path)?;
    let metadata = file.metadata().map_err(|error| file_problem("looking at", path, &error))?;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & OF_OTHERS != 0 {
        let name = path.display();
        return Err(Problem::new(codes::LOOSE_KEY, format!("the key file `{name}` is open to other users"))
            .found(format!("permissions {mode:04o}"))
            .expected("permissions 0600")
            .help(format!("close it: `chmod 600 {name}`; if others could read it until now, make a new key"))
            .into());
    }
    read_open(path, &mut file)
}

fn read_open(path: &Path, file: &mut File) -> Result<Zeroizing<Vec<u8>>> {
    // Room for all of it from the start: a buffer that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(MAX_SECRET).expect("small") + 1));
    let read = file.take(MAX_SECRET + 1).read_to_end(&mut bytes);
    let length = read.map_err(|error| file_problem("reading", path, &error))?;
    if length as u64 > MAX_SECRET {
        return Err(Problem::new(codes::BAD_KEY, format!("`{}` is too large for a key", path.display()))
            .expected(format!("at most {MAX_SECRET} bytes"))
            .into());
    }
    Ok(bytes)
}

/// Writes a file whole or not at all, and only if nothing is there; `private` ones are open to
/// nobody but their owner from their first moment.
pub fn write_new(path: &Path, bytes: &[u8], private: bool) -> Result<Written> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mode = if private { 0o600 } else { 0o644 };
    match write_and_link(path, folder, bytes, mode) {
        Ok(()) => Ok(Written::New),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Written::Exists),
        Err(error) => Err(file_problem("writing", path, &error).into()),
    }
}

fn write_and_link(path: &Path, folder: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    if let Ok(file) = rustix::fs::openat(CWD, folder, flags, Mode::from_raw_mode(mode)) {
        let file = fill(file.into(), bytes, mode)?;
        let own = format!("/proc/self/fd/{}", file.as_raw_fd());
        return Ok(rustix::fs::linkat(CWD, own.as_str(), CWD, path, AtFlags::SYMLINK_FOLLOW)?);
    }
    // A file system without nameless files: a name of our own first.
    let named = Named(folder.join(super::scratch::temporary_name()));
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&named.0)?;
    fill(file, bytes, mode)?;
    std::fs::hard_link(&named.0, path)
}

/// A temporary name, removed when done with.
struct Named(PathBuf);

impl Drop for Named {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn fill(mut file: File, bytes: &[u8], mode: u32) -> io::Result<File> {
    // Whatever the umask left of them.
    file.set_permissions(Permissions::from_mode(mode))?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(file)
}

/// An environment variable that holds a secret: `Some` as soon as it is set, be it to nothing.
pub fn secret_variable(name: &str) -> Option<Zeroizing<Vec<u8>>> {
    Some(Zeroizing::new(std::env::var_os(name)?.into_vec()))
}

/// Fills `bytes` with random ones from the kernel.
pub fn random(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes).map_err(|error| {
        Problem::new(codes::INTERNAL, "the kernel gives no random bytes").fact("cause", error).into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).expect("there").permissions().mode() & 0o7777
    }

    #[test]
    fn a_private_file_is_closed_and_never_replaces_another() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        assert_eq!(write_new(&path, b"first", true), Ok(Written::New));
        assert_eq!(mode(&path), 0o600);
        assert_eq!(write_new(&path, b"second", true), Ok(Written::Exists));
        assert_eq!(*read_private(&path).expect("private"), b"first");
        let public = folder.path().join("pub");
        assert_eq!(write_new(&public, b"x", false), Ok(Written::New));
        assert_eq!(mode(&public), 0o644);
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 2);
    }

    #[test]
    fn a_dangling_link_is_not_written_through() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        std::os::unix::fs::symlink(folder.path().join("elsewhere"), &path).expect("linked");
        assert_eq!(write_new(&path, b"x", true), Ok(Written::Exists));
        assert!(!folder.path().join("elsewhere").exists());
    }

    #[test]
    fn a_file_that_any_other_may_touch_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        write_new(&path, b"x", true).expect("written");
        for bit in 0..6 {
            std::fs::set_permissions(&path, Permissions::from_mode(0o600 | 1 << bit)).expect("ours");
            let failure = read_private(&path).expect_err("open");
            assert!(failure.is(codes::LOOSE_KEY), "bit {bit}: {failure}");
        }
        assert!(read_secret(&path).is_ok());
    }

    #[test]
    fn a_large_file_is_no_secret() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        write_new(&path, &vec![b'x'; 70_000], true).expect("written");
        assert!(read_private(&path).expect_err("too large").is(codes::BAD_KEY));
    }
}
