//! The layers of one platform, unpacked as they are into a folder (image specification, layer.md).
//!
//! ```text
//! layer 0 ─► files
//! layer 1 ─► files, `.wh.name` (name goes), `.wh..wh..opq` (all of the layers below goes)
//! ```
//!
//! As root, users and groups are those of the layers; in a user name space of one user everything is
//! that user's. Devices are left out: a container has its own `/dev`.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::diag::Result;
use crate::host::{self, Rooted, Traits};
use crate::image::{Image, LayerMember, OpenPlatform, Proof, stream_layer};

/// The most bytes that an image may unpack to.
const MOST_BYTES: u64 = 64 << 30;

/// The most members that its layers may have.
const MOST_MEMBERS: u64 = 4_000_000;

/// Marks what a layer takes away.
const WHITEOUT: &[u8] = b".wh.";

/// Marks a folder that shows nothing of the layers below.
const OPAQUE: &[u8] = b".wh..wh..opq";

/// Folders get their times when all is in them.
type Times = BTreeMap<PathBuf, Traits>;

/// A tree under way.
struct Unpacking {
    tree: Rooted,
    /// Whether users and groups are those of the layers.
    owners: bool,
    bytes: u64,
    members: u64,
    /// What this layer brought.
    here: BTreeSet<PathBuf>,
    folders: Times,
}

/// Unpacks all layers into `folder`, which must be empty.
pub(super) fn unpack(image: &Image, platform: &OpenPlatform, folder: &Path, owners: bool) -> Result<()> {
    let failed = |error: io::Error| host::file_problem("unpacking an image into", folder, &error);
    let tree = Rooted::open(folder).map_err(failed)?;
    let mut unpacking =
        Unpacking { tree, owners, bytes: 0, members: 0, here: BTreeSet::new(), folders: Times::new() };
    unpacking.folder(Path::new(""), 0o755, (0, 0), None).map_err(failed)?;
    for at in 0..platform.layers.len() {
        unpacking.here.clear();
        stream_layer(image, platform, at, Proof::Whole, |member, content| unpacking.take(&member, content))?;
    }
    unpacking.set_times().map_err(failed)?;
    Ok(())
}

impl Unpacking {
    fn take(&mut self, member: &LayerMember, content: &mut dyn Read) -> io::Result<()> {
        self.members += 1;
        if self.members > MOST_MEMBERS {
            return Err(io::Error::other(format!("more than {MOST_MEMBERS} members")));
        }
        let path = &member.path;
        if let Some(name) = path.file_name().map(OsStr::as_bytes).filter(|name| name.starts_with(WHITEOUT)) {
            return self.take_away(path.parent().unwrap_or(Path::new("")), name);
        }
        let traits = Traits {
            mode: member.mode,
            owner: self.owners.then_some((member.uid, member.gid)),
            mtime: Some(member.mtime),
        };
        let target = || member.link.as_deref().ok_or_else(|| io::Error::other("a link to nothing"));
        match member.kind {
            '0' => {
                self.forget(path);
                // One more than fits is enough to know.
                let room = MOST_BYTES - self.bytes;
                self.bytes += self.tree.make_file(path, &mut content.take(room + 1), traits)?;
                if self.bytes > MOST_BYTES {
                    return Err(io::Error::other(format!("more than {MOST_BYTES} bytes")));
                }
            }
            '1' => {
                self.forget(path);
                self.tree.make_hard_link(path, Path::new(target()?))?;
            }
            '2' => {
                self.forget(path);
                self.tree.make_link(path, target()?, traits.owner)?;
            }
            '5' => self.folder(path, member.mode, (member.uid, member.gid), Some(member.mtime))?,
            // Devices and named pipes: a container has its own.
            _ => return Ok(()),
        }
        self.here.insert(path.clone());
        Ok(())
    }

    fn folder(&mut self, path: &Path, mode: u32, owner: (u32, u32), mtime: Option<i64>) -> io::Result<()> {
        let traits = Traits { mode, owner: self.owners.then_some(owner), mtime: None };
        self.tree.make_folder(path, traits)?;
        if mtime.is_some() {
            self.folders.insert(path.to_owned(), Traits { mtime, ..traits });
        }
        Ok(())
    }

    /// What a whiteout names: something of the layers below, or all of theirs in a folder.
    fn take_away(&mut self, folder: &Path, name: &[u8]) -> io::Result<()> {
        if name == OPAQUE {
            return self.empty(folder);
        }
        let hidden = &name[WHITEOUT.len()..];
        if hidden.is_empty() || hidden == b"." || hidden == b".." {
            return Err(io::Error::other("a whiteout of nothing"));
        }
        let path = folder.join(OsStr::from_bytes(hidden));
        if self.here.contains(&path) { Ok(()) } else { self.remove(&path) }
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.forget(path);
        self.tree.remove(path)
    }

    /// What is below a path is no more, or elsewhere: a link may stand there now.
    fn forget(&mut self, path: &Path) {
        let below = self.folders.range(path.to_owned()..).take_while(|(folder, _)| folder.starts_with(path));
        for folder in below.map(|(folder, _)| folder.clone()).collect::<Vec<_>>() {
            self.folders.remove(&folder);
        }
    }

    /// Takes away all in a folder that this layer did not bring.
    fn empty(&mut self, folder: &Path) -> io::Result<()> {
        let names: Vec<OsString> = self.tree.names(folder)?;
        for path in names.into_iter().map(|name| folder.join(name)) {
            let next = self.here.range(path.clone()..).next().cloned();
            match next {
                Some(next) if next == path || next.starts_with(&path) => {
                    // A folder that it brought may hold more than what it brought.
                    self.empty(&path)?;
                }
                _ => self.remove(&path)?,
            }
        }
        Ok(())
    }

    /// Files that came later moved the times of their folders.
    fn set_times(&mut self) -> io::Result<()> {
        for (path, traits) in std::mem::take(&mut self.folders) {
            // A later layer may have put something else there.
            if self.tree.meet(&path)?.is_some_and(|found| found.folder) {
                self.tree.make_folder(&path, traits)?;
            }
        }
        Ok(())
    }
}
