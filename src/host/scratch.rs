//! Files that exist whole or not at all.
//!
//! A scratch file has no name (`O_TMPFILE`) until it is whole, so that a killed process leaves
//! nothing behind. On file systems that lack this it has a temporary name, which the store sweeps.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::fs::{AtFlags, CWD, Mode, OFlags};

use super::files::file_problem;
use crate::diag::Result;

/// A file being written, to be given its name when it is whole.
#[derive(Debug)]
pub struct Scratch {
    file: File,
    folder: PathBuf,
    named: Option<PathBuf>,
}

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A name that no other process or thread has. It begins with a dot and ends in `.part`.
pub(super) fn temporary_name() -> String {
    format!(".hardpan-{}-{}.part", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

fn nameless(folder: &Path) -> io::Result<File> {
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(CWD, folder, flags, Mode::from_raw_mode(0o644))?.into())
}

impl Scratch {
    /// A new empty file on the file system of `folder`.
    pub fn in_folder(folder: &Path) -> Result<Self> {
        if let Ok(file) = nameless(folder) {
            return Ok(Self { file, folder: folder.to_owned(), named: None });
        }
        let path = folder.join(temporary_name());
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path);
        let file = file.map_err(|error| file_problem("creating a temporary file in", folder, &error))?;
        Ok(Self { file, folder: folder.to_owned(), named: Some(path) })
    }

    /// The file, to write to and read from.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Gives the file its name, in place of what had it.
    pub fn persist(mut self, path: &Path) -> Result<()> {
        let failed = |error: io::Error| file_problem("writing", path, &error);
        self.file.flush().map_err(failed)?;
        let temporary = match self.named.take() {
            Some(named) => named,
            None => self.give_name().map_err(failed)?,
        };
        std::fs::rename(&temporary, path).map_err(|error| {
            let _ = std::fs::remove_file(&temporary);
            failed(error).into()
        })
    }

    /// A nameless file can't replace another in one step; it gets a temporary name first.
    fn give_name(&self) -> io::Result<PathBuf> {
        let temporary = self.folder.join(temporary_name());
        let own = format!("/proc/self/fd/{}", self.file.as_raw_fd());
        rustix::fs::linkat(CWD, own.as_str(), CWD, &temporary, AtFlags::SYMLINK_FOLLOW)?;
        Ok(temporary)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Some(path) = self.named.take() {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// A folder being filled, to be given its name when it is whole; removed if it never is.
#[derive(Debug)]
pub struct ScratchDir {
    path: Option<PathBuf>,
}

impl ScratchDir {
    /// A new empty folder beside `path`, whose parent folders are made. What killed processes left
    /// there is removed.
    pub fn beside(path: &Path) -> Result<Self> {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        super::create_dirs(parent)?;
        sweep(parent);
        let path = parent.join(temporary_name());
        std::fs::create_dir(&path).map_err(|error| file_problem("creating the folder", &path, &error))?;
        Ok(Self { path: Some(path) })
    }

    /// Where it is now.
    pub fn path(&self) -> &Path {
        self.path.as_deref().expect("not persisted yet")
    }

    /// Gives the folder its name, which must be free or an empty folder.
    pub fn persist(mut self, to: &Path) -> Result<()> {
        std::fs::rename(self.path(), to).map_err(|error| file_problem("writing", to, &error))?;
        self.path = None;
        Ok(())
    }
}

impl Drop for ScratchDir {
    fn drop(&mut self) {
        if let Some(path) = self.path.take() {
            let _ = std::fs::remove_dir_all(path);
        }
    }
}

/// Removes temporary names in `folder` whose process is no more.
pub(super) fn sweep(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.strip_prefix(".hardpan-")?.strip_suffix(".part"));
        let Some(pid) = owner.and_then(|rest| rest.split('-').next()) else { continue };
        if !Path::new("/proc").join(pid).exists() {
            let path = entry.path();
            let _ = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
        }
    }
}

/// A lock between processes, held until dropped.
#[derive(Debug)]
pub struct FileLock {
    _file: File,
}

impl FileLock {
    fn open(path: &Path) -> Result<File> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        file.map_err(|error| file_problem("opening the lock", path, &error).into())
    }

    /// Waits for a lock that many may hold at once.
    pub fn shared(path: &Path) -> Result<Self> {
        let file = Self::open(path)?;
        file.lock_shared().map_err(|error| file_problem("locking", path, &error))?;
        Ok(Self { _file: file })
    }

    /// Waits for a lock that one alone holds. Whoever held it before may have removed its file: then
    /// the lock is on nothing, and the one that is there now is taken.
    pub fn exclusive(path: &Path) -> Result<Self> {
        loop {
            let file = Self::open(path)?;
            file.lock().map_err(|error| file_problem("locking", path, &error))?;
            let held = file.metadata().map_err(|error| file_problem("locking", path, &error))?;
            if std::fs::metadata(path).is_ok_and(|there| there.ino() == held.ino()) {
                return Ok(Self { _file: file });
            }
        }
    }

    /// Takes a lock that one alone holds, if it is free.
    pub fn try_exclusive(path: &Path) -> Result<Option<Self>> {
        let file = Self::open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(file_problem("locking", path, &error).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).expect("a folder").flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_scratch_file_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut scratch = Scratch::in_folder(folder.path()).expect("made");
        scratch.file().write_all(b"half").expect("written");
        drop(scratch);
        assert!(names(folder.path()).is_empty());
        let target = folder.path().join("x");
        std::fs::write(&target, "old").expect("written");
        let mut scratch = Scratch::in_folder(folder.path()).expect("made");
        scratch.file().write_all(b"new").expect("written");
        assert_eq!(std::fs::read(&target).expect("read"), b"old");
        scratch.persist(&target).expect("named");
        assert_eq!(std::fs::read(&target).expect("read"), b"new");
        assert_eq!(names(folder.path()), ["x"]);
    }

    #[test]
    fn what_a_dead_process_left_is_swept_and_a_living_ones_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let alive = format!(".hardpan-{}-0.part", std::process::id());
        for name in [".hardpan-999999999-0.part", &alive, "mine"] {
            std::fs::create_dir(folder.path().join(name)).expect("made");
        }
        sweep(folder.path());
        let mut left = names(folder.path());
        left.sort();
        assert_eq!(left, [alive, "mine".to_owned()]);
    }

    #[test]
    fn an_exclusive_lock_keeps_others_out() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lock");
        let held = FileLock::shared(&path).expect("free");
        assert!(FileLock::try_exclusive(&path).expect("readable").is_none());
        drop(held);
        assert!(FileLock::try_exclusive(&path).expect("readable").is_some());
    }
}
