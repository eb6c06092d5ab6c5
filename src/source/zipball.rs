//! zip archives: stored or deflated members, no encryption (APPNOTE 6.3).

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Write};

use super::entry::{Entry, Kind};
use super::parcel::ParcelWriter;
use super::tarball::Collector;

/// The longest target of a symbolic link, in bytes.
const MAX_TARGET: u64 = 4096;

/// Reads a zip into a parcel. Members without a Unix mode are plain files of mode 0644. Times in a
/// zip have no zone, so they are not used: the epoch stands for them.
pub(super) fn read<W: Write>(
    file: File,
    collector: &mut Collector,
    out: &mut ParcelWriter<W>,
) -> Result<(), String> {
    let mut archive = zip::ZipArchive::new(file).map_err(|error| error.to_string())?;
    for at in 0..archive.len() {
        let mut member = archive.by_index(at).map_err(|error| error.to_string())?;
        let name =
            String::from_utf8(member.name_raw().to_vec()).map_err(|_| "a name is not UTF-8".to_owned())?;
        let size = member.size();
        collector.spend(size)?;
        let Some(path) = collector.place(&name)? else { continue };
        let mode = member.unix_mode();
        let kind = match mode.unwrap_or(0) & 0o170_000 {
            0o120_000 => {
                let mut target = String::new();
                (&mut member)
                    .take(MAX_TARGET)
                    .read_to_string(&mut target)
                    .map_err(|error| error.to_string())?;
                Kind::Symlink(target)
            }
            _ if member.is_dir() => Kind::Directory,
            0 | 0o100_000 => {
                Kind::File(out.file(&mut member, size).map_err(|error| format!("`{name}`: {error}"))?)
            }
            _ => return Err(format!("`{name}` is neither file, folder nor link")),
        };
        // The check sum is compared where a member is read to its end.
        let mut beyond = [0; 1];
        if member.read(&mut beyond).map_err(|error| format!("`{name}`: {error}"))? != 0 {
            return Err(format!("`{name}` is longer than it says"));
        }
        let default = if matches!(kind, Kind::Directory) { 0o755 } else { 0o644 };
        let mode = mode.map_or(default, |mode| mode & 0o7777);
        collector.push(Entry { path, mode, uid: 0, gid: 0, mtime: 0, xattrs: BTreeMap::new(), kind })?;
    }
    collector.close()
}
