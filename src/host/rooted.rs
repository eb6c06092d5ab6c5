//! A tree of files that is somebody else's: whatever links are in it, nothing outside is touched.
//!
//! Folders on the way are found by the kernel with the tree as its root (openat2(2),
//! `RESOLVE_IN_ROOT`), so that a link that is absolute or climbs leads to where it would inside a
//! container. The last component is never followed where something is made or removed.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Gid, Mode, OFlags, ResolveFlags, Stat, Timespec, Timestamps, Uid};
use rustix::io::Errno;

/// A tree, by its root.
#[derive(Debug)]
pub struct Rooted {
    root: OwnedFd,
    /// The folder that was last found: entries come folder by folder.
    last: Option<(PathBuf, OwnedFd)>,
}

/// Permissions, owner and time of something that is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traits {
    /// Permission and set-id bits.
    pub mode: u32,
    /// User and group; those of this process if not said.
    pub owner: Option<(u32, u32)>,
    /// Time of last change, in seconds since 1970.
    pub mtime: Option<i64>,
}

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Met {
    /// Whether it is a regular file.
    pub file: bool,
    /// Whether it is a folder.
    pub folder: bool,
    /// Permission and set-id bits.
    pub mode: u32,
    /// Its user.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
}

const INSIDE: ResolveFlags = ResolveFlags::IN_ROOT.union(ResolveFlags::NO_MAGICLINKS);
const FOLDER: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

impl Rooted {
    /// The tree below a folder.
    pub fn open(path: &Path) -> io::Result<Self> {
        let root = rustix::fs::openat(CWD, path, FOLDER, Mode::empty())?;
        Ok(Self { root, last: None })
    }

    /// Makes a folder, or gives one that is there these traits.
    pub fn make_folder(&mut self, path: &Path, traits: Traits) -> io::Result<()> {
        let Some((folder, name)) = self.place(path)? else {
            return set_traits(rustix::fs::openat(&self.root, ".", FOLDER, Mode::empty())?, traits);
        };
        let made = rustix::fs::mkdirat(folder, name, Mode::from_raw_mode(0o700));
        if made == Err(Errno::EXIST) {
            let there = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
            if FileType::from_raw_mode(there.st_mode) != FileType::Directory {
                self.remove(path)?;
                return self.make_folder(path, traits);
            }
        } else {
            made?;
        }
        let flags = FOLDER | OFlags::NOFOLLOW;
        set_traits(rustix::fs::openat(folder, name, flags, Mode::empty())?, traits)
    }

    /// Makes a file with this content, in place of what was there; how many bytes it has.
    pub fn make_file(&mut self, path: &Path, content: &mut dyn Read, traits: Traits) -> io::Result<u64> {
        self.remove(path)?;
        let (folder, name) = self.place(path)?.ok_or_else(no_name)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file = File::from(rustix::fs::openat(folder, name, flags, Mode::from_raw_mode(0o600))?);
        let length = io::copy(content, &mut file)?;
        set_traits(file.into(), traits)?;
        Ok(length)
    }

    /// Makes a symbolic link, in place of what was there.
    pub fn make_link(&mut self, path: &Path, target: &OsStr, owner: Option<(u32, u32)>) -> io::Result<()> {
        self.remove(path)?;
        let (folder, name) = self.place(path)?.ok_or_else(no_name)?;
        rustix::fs::symlinkat(target, folder, name)?;
        if let Some((uid, gid)) = owner {
            let (uid, gid) = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
            rustix::fs::chownat(folder, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW)?;
        }
        Ok(())
    }

    /// Makes a second name of a file of the tree, in place of what was there.
    pub fn make_hard_link(&mut self, path: &Path, target: &Path) -> io::Result<()> {
        let (folder, name) = self.place(target)?.ok_or_else(no_name)?;
        let (folder, name) = (folder.try_clone_to_owned()?, name.to_owned());
        let there = rustix::fs::statat(&folder, &name, AtFlags::SYMLINK_NOFOLLOW)?;
        if FileType::from_raw_mode(there.st_mode) == FileType::Directory {
            return Err(io::Error::other("a hard link to a folder"));
        }
        let (to, new) = self.place(path)?.ok_or_else(no_name)?;
        let same = rustix::fs::statat(to, new, AtFlags::SYMLINK_NOFOLLOW);
        if same.is_ok_and(|same| (same.st_dev, same.st_ino) == (there.st_dev, there.st_ino)) {
            return Ok(());
        }
        self.remove(path)?;
        let (to, new) = self.place(path)?.ok_or_else(no_name)?;
        Ok(rustix::fs::linkat(&folder, &name, to, new, AtFlags::empty())?)
    }

    /// Removes what is at a path, and all below it; that nothing is there is fine.
    pub fn remove(&mut self, path: &Path) -> io::Result<()> {
        let Some((folder, name)) = self.place(path)? else { return Ok(()) };
        match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => return Ok(()),
            Err(error) => return Err(error.into()),
            Ok(there) if FileType::from_raw_mode(there.st_mode) == FileType::Directory => {
                let path = Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(name);
                std::fs::remove_dir_all(path)?;
            }
            Ok(_) => rustix::fs::unlinkat(folder, name, AtFlags::empty())?,
        }
        // What was removed may have been on the way to the folder that is remembered.
        self.last = None;
        Ok(())
    }

    /// The names in a folder of the tree; none if there is no such folder.
    pub fn names(&self, path: &Path) -> io::Result<Vec<std::ffi::OsString>> {
        let folder = match rustix::fs::openat2(&self.root, inside(path), FOLDER, Mode::empty(), INSIDE) {
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(Vec::new()),
            folder => folder?,
        };
        let entries = std::fs::read_dir(format!("/proc/self/fd/{}", folder.as_raw_fd()))?;
        entries.map(|entry| Ok(entry?.file_name())).collect()
    }

    /// What is at a path, links followed inside the tree.
    pub fn meet(&self, path: &Path) -> io::Result<Option<Met>> {
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        match rustix::fs::openat2(&self.root, inside(path), flags, Mode::empty(), INSIDE) {
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
            found => Ok(Some(met(&rustix::fs::fstat(found?)?))),
        }
    }

    /// At most `most` bytes of a regular file; `None` for what is none.
    pub fn read(&self, path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
        // A named pipe must not keep anybody waiting for its other end.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = match rustix::fs::openat2(&self.root, inside(path), flags, Mode::empty(), INSIDE) {
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::NXIO) => return Ok(None),
            file => File::from(file?),
        };
        if !file.metadata()?.is_file() {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        file.take(most).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    /// Sees to it that something can be mounted at a path: the paths that had to be made, in their order.
    pub fn make_mount_point(&mut self, path: &Path, folder: bool) -> io::Result<Vec<PathBuf>> {
        let kind = |found: Met| if found.folder { "a folder" } else { "a file" };
        match self.meet(path)? {
            Some(found) if found.folder == folder => return Ok(Vec::new()),
            Some(found) => return Err(io::Error::other(format!("{} is there", kind(found)))),
            None => {}
        }
        let traits = Traits { mode: 0o755, owner: None, mtime: None };
        let mut made = Vec::new();
        let mut above: Vec<&Path> = path.ancestors().skip(1).collect();
        above.reverse();
        for parent in above.into_iter().filter(|parent| parent.parent().is_some()) {
            if self.meet(parent)?.is_none() {
                self.make_folder(parent, traits)?;
                made.push(parent.to_owned());
            }
        }
        if folder {
            self.make_folder(path, traits)?;
        } else {
            self.make_file(path, &mut io::empty(), Traits { mode: 0o644, ..traits })?;
        }
        made.push(path.to_owned());
        Ok(made)
    }

    /// The folder that a path is in, and its name there; `None` for the root itself. Folders that are
    /// missing are made, as archives may leave them out.
    fn place<'a>(&mut self, path: &'a Path) -> io::Result<Option<(std::os::fd::BorrowedFd<'_>, &'a OsStr)>> {
        let path = inside(path);
        if path.components().any(|part| matches!(part, Component::ParentDir)) {
            return Err(io::Error::other("a path that climbs (`..`)"));
        }
        let Some(name) = path.file_name() else { return Ok(None) };
        let parent = path.parent().unwrap_or(Path::new(""));
        if self.last.as_ref().is_none_or(|(last, _)| last != parent) {
            let folder = self.folder(parent)?;
            self.last = Some((parent.to_owned(), folder));
        }
        Ok(self.last.as_ref().map(|(_, folder)| (folder.as_fd(), name)))
    }

    fn folder(&self, path: &Path) -> io::Result<OwnedFd> {
        let open = |path: &Path| {
            let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
            rustix::fs::openat2(&self.root, path, FOLDER, Mode::empty(), INSIDE)
        };
        match open(path) {
            Err(Errno::NOENT) => {}
            found => return Ok(found?),
        }
        let above = self.folder(path.parent().unwrap_or(Path::new("")))?;
        let name = path.file_name().ok_or_else(no_name)?;
        rustix::fs::mkdirat(&above, name, Mode::from_raw_mode(0o755))?;
        Ok(open(path)?)
    }
}

/// A path as the kernel is given it: below the root.
fn inside(path: &Path) -> &Path {
    let below = path.strip_prefix("/").unwrap_or(path);
    if below.as_os_str().is_empty() { Path::new(".") } else { below }
}

fn no_name() -> io::Error {
    io::Error::other("it is the root itself")
}

fn met(found: &Stat) -> Met {
    let kind = FileType::from_raw_mode(found.st_mode);
    Met {
        file: kind == FileType::RegularFile,
        folder: kind == FileType::Directory,
        mode: found.st_mode & 0o7777,
        uid: found.st_uid,
        gid: found.st_gid,
    }
}

/// Owner first: changing it takes set-id bits away.
fn set_traits(what: OwnedFd, traits: Traits) -> io::Result<()> {
    if let Some((uid, gid)) = traits.owner {
        let (uid, gid) = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
        rustix::fs::chownat(&what, "", uid, gid, AtFlags::EMPTY_PATH)?;
    }
    // Folders are open as paths only, of which the kernel changes the mode by this name alone.
    let own = format!("/proc/self/fd/{}", what.as_raw_fd());
    rustix::fs::chmodat(CWD, own.as_str(), Mode::from_raw_mode(traits.mode), AtFlags::empty())?;
    if let Some(seconds) = traits.mtime {
        let time = Timespec { tv_sec: seconds, tv_nsec: 0 };
        let times = Timestamps { last_access: time, last_modification: time };
        rustix::fs::utimensat(CWD, own.as_str(), &times, AtFlags::empty())?;
    }
    Ok(())
}
