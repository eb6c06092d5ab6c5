//! Files and folders, with problems that name the path.

use std::fs::{File, FileTimes};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::Scratch;
use crate::diag::{Problem, Result, codes};
use crate::ident::Epoch;

/// The largest text file that is read whole: recipes, locks, configuration. In bytes.
pub const MAX_TEXT: u64 = 64 << 20;

/// A blob that is whole has this time of last change, so that anyone who touches its bytes shows.
const STAMP: Duration = Duration::from_secs(1);

/// A problem with a path: what was being done to it, and the system's own words.
pub fn file_problem(doing: &str, path: &Path, error: &io::Error) -> Problem {
    let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    let code = if full { codes::DISK_FULL } else { codes::FILE };
    let problem = Problem::new(code, format!("{doing} `{}` failed", path.display())).fact("cause", error);
    if full {
        problem.help("make room (`hardpan gc` frees what no lock needs) and run the same command again")
    } else {
        problem
    }
}

fn check<T>(doing: &str, path: &Path, result: io::Result<T>) -> Result<T> {
    result.map_err(|error| file_problem(doing, path, &error).into())
}

/// Opens a file to read.
pub fn open(path: &Path) -> Result<File> {
    check("opening", path, File::open(path))
}

/// The bytes of a file of at most [`MAX_TEXT`] bytes.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let length = check("reading", path, open(path)?.take(MAX_TEXT + 1).read_to_end(&mut bytes))?;
    if length as u64 > MAX_TEXT {
        return Err(Problem::new(codes::FILE, format!("`{}` is too large to be read", path.display()))
            .expected(format!("at most {MAX_TEXT} bytes"))
            .into());
    }
    Ok(bytes)
}

/// The text of a file, which must be UTF-8.
pub fn read_text(path: &Path) -> Result<String> {
    let bytes = read(path)?;
    let text = String::from_utf8(bytes).map_err(io::Error::other);
    check("reading text from", path, text)
}

/// Writes a file whole or not at all, in place of what was there.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    create_dirs(folder)?;
    let mut scratch = Scratch::in_folder(folder)?;
    check("writing", path, scratch.file().write_all(bytes))?;
    scratch.persist(path)
}

/// Makes a folder and those above it.
pub fn create_dirs(path: &Path) -> Result<()> {
    check("creating the folder", path, std::fs::create_dir_all(path))
}

/// Whether this process may write to what is there: its rights, and whether the file system takes anything.
pub fn may_write(path: &Path) -> bool {
    let effective = rustix::fs::AtFlags::EACCESS;
    rustix::fs::accessat(rustix::fs::CWD, path, rustix::fs::Access::WRITE_OK, effective).is_ok()
}

/// Whether something is there.
pub fn exists(path: &Path) -> bool {
    path.exists()
}

/// Whether a regular file is there.
pub fn is_file(path: &Path) -> bool {
    path.is_file()
}

/// Whether a folder is there.
pub fn is_dir(path: &Path) -> bool {
    path.is_dir()
}

/// Whether a folder is there and holds nothing.
pub fn is_empty_dir(path: &Path) -> bool {
    std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none())
}

/// The paths in a folder, sorted; none if it is not there.
pub fn list(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => check("listing", folder, entries)?,
    };
    let paths: io::Result<Vec<PathBuf>> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut paths = check("listing", folder, paths)?;
    paths.sort();
    Ok(paths)
}

/// All files below a folder, sorted; symbolic links are listed, not followed.
pub fn walk(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in list(folder)? {
        if path.is_dir() && !path.is_symlink() {
            files.extend(walk(&path)?);
        } else {
            files.push(path);
        }
    }
    Ok(files)
}

/// Removes a file; that it is gone already is fine.
pub fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(file_problem("removing", path, &error).into())
        }
        _ => Ok(()),
    }
}

/// Removes a folder and all below it; that it is gone already is fine.
pub fn remove_dir(path: &Path) -> Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(file_problem("removing", path, &error).into())
        }
        _ => Ok(()),
    }
}

/// Gives a file another name, in place of what had it.
pub fn rename(from: &Path, to: &Path) -> Result<()> {
    check("renaming", from, std::fs::rename(from, to))
}

/// Marks a file as whole and read-only: its time of last change is the stamp, and stays it until
/// somebody writes to it. Its time of last use is now.
pub fn set_used(file: &File, path: &Path) -> Result<()> {
    let times = FileTimes::new().set_modified(SystemTime::UNIX_EPOCH + STAMP).set_accessed(SystemTime::now());
    check("stamping", path, file.set_times(times))?;
    check("stamping", path, file.set_permissions(std::fs::Permissions::from_mode(0o444)))
}

/// Length and time of last use of a file that is whole; `None` for one that is not there or whose
/// bytes may have been touched since it was stamped.
pub fn stamped(path: &Path) -> Option<(u64, Epoch)> {
    let metadata = std::fs::metadata(path).ok()?;
    if !metadata.is_file() || metadata.modified().ok()? != SystemTime::UNIX_EPOCH + STAMP {
        return None;
    }
    let used = metadata.accessed().ok()?.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Some((metadata.len(), Epoch(i64::try_from(used.as_secs()).unwrap_or(i64::MAX))))
}

/// Copies a whole file to a new path, whole or not at all, stamped as the original is. Where the
/// file system can share the bytes it does (`std::io::copy` asks the kernel).
pub fn copy_stamped(from: &Path, to: &Path) -> Result<()> {
    let folder = to.parent().unwrap_or(Path::new("."));
    let mut scratch = Scratch::in_folder(folder)?;
    let mut source = open(from)?;
    check("writing", to, io::copy(&mut source, scratch.file()))?;
    set_used(scratch.file(), to)?;
    scratch.persist(to)
}

/// Opens a file to read and to write at its end; makes it if it is not there.
pub fn open_append(path: &Path) -> Result<File> {
    let file = std::fs::OpenOptions::new().read(true).append(true).create(true).open(path);
    check("opening", path, file)
}

/// Length of a file, and when it was last used or changed, whichever is later.
pub fn size_and_use(path: &Path) -> Result<(u64, Epoch)> {
    let metadata = check("looking at", path, std::fs::symlink_metadata(path))?;
    let times = [metadata.accessed(), metadata.modified()].into_iter().flatten();
    let latest = times.max().unwrap_or(SystemTime::UNIX_EPOCH);
    let seconds = latest.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    Ok((metadata.len(), Epoch(i64::try_from(seconds).unwrap_or(i64::MAX))))
}

/// A time of the system's in whole seconds.
pub(super) fn epoch(time: SystemTime) -> Epoch {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    Epoch(i64::try_from(seconds).unwrap_or(i64::MAX))
}

/// When a file was last written to.
pub fn modified(path: &Path) -> Result<Epoch> {
    let time = std::fs::metadata(path).and_then(|metadata| metadata.modified());
    check("looking at", path, time).map(epoch)
}

/// Whether a file's owner may run it.
pub fn is_executable(path: &Path) -> Result<bool> {
    Ok(check("looking at", path, std::fs::metadata(path))?.permissions().mode() & 0o100 != 0)
}

/// Where a path really is, links followed; the path itself if nothing is there.
pub fn whole_path(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// The text of a file, with replacement characters for what is not UTF-8.
pub fn read_lossy(path: &Path) -> Result<String> {
    Ok(String::from_utf8_lossy(&read(path)?).into_owned())
}

/// Makes a folder that only this user may look into, and those above it; one that is there stays as
/// it is.
pub fn create_private_dir(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    create_dirs(path)?;
    check("closing to others", path, std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)))
}

/// The running program's file, and what changes whenever it is replaced or written to.
pub fn own_program() -> Result<(File, String)> {
    use std::os::unix::fs::MetadataExt as _;
    let path = Path::new("/proc/self/exe");
    let file = open(path)?;
    let facts = check("looking at", path, file.metadata())?;
    let (device, inode, size) = (facts.dev(), facts.ino(), facts.size());
    let times = (facts.mtime(), facts.mtime_nsec(), facts.ctime(), facts.ctime_nsec());
    Ok((file, format!("{device} {inode} {size} {times:?}")))
}

/// Lets a file be run by all, or by nobody.
pub fn set_executable(path: &Path, executable: bool) -> Result<()> {
    let mode = if executable { 0o755 } else { 0o644 };
    check("changing the mode of", path, std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)))
}
