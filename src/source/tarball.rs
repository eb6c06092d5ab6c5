//! Reading a tar as a stream, under limits. The `tar` crate reads plain headers and their check
//! sums; extended headers are read here, because their lengths must be bounded before they are
//! believed.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};

use super::entry::{Entry, Kind};
use super::parcel::ParcelWriter;
use crate::canon;
use crate::ident::ImagePath;
use crate::recipe::merged;

/// The most entries that a source may have.
const MAX_ENTRIES: usize = 500_000;
/// The most bytes that all names and attributes of a source may have together.
const MAX_NAMES: usize = 64 << 20;
/// The most bytes that an extended header may have.
const MAX_EXTENSION: u64 = 1 << 20;
/// The last second of the year 9999: what comes after can't be written as RFC 3339.
const MAX_TIME: i64 = 253_402_300_799;
/// The most bytes of zeros after the end of a tar: a record of any honest blocking factor.
const MAX_PADDING: u64 = 1 << 20;

/// How many bytes a source of `packed` bytes may unpack to: honest data does not shrink
/// three-hundredfold.
pub(super) fn unpacked_limit(packed: u64) -> u64 {
    (64 << 20) + packed.saturating_mul(300)
}

/// How the names of members become paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// Those of a Debian package: `/bin/x` is `/usr/bin/x`.
    Merged,
    /// Those of an archive: so many leading folders are taken off, and no more.
    Stripped(usize),
}

/// Collects the entries of a source and refuses what is hostile.
pub(super) struct Collector {
    pub(super) entries: Vec<Entry>,
    kinds: BTreeMap<ImagePath, Shape>,
    /// Hard links so far, and the files that they name.
    links: BTreeMap<ImagePath, ImagePath>,
    names: usize,
    left: u64,
    names_are: Names,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    File,
    Link,
    Directory,
}

/// What goes before an entry in extended headers.
#[derive(Default)]
struct Extensions {
    path: Option<String>,
    link: Option<String>,
    size: Option<u64>,
    mtime: Option<i64>,
    uid: Option<u32>,
    gid: Option<u32>,
    xattrs: BTreeMap<String, Vec<u8>>,
}

impl Collector {
    /// For a source of `packed` bytes.
    pub(super) fn new(packed: u64, names_are: Names) -> Self {
        Self {
            entries: Vec::new(),
            kinds: BTreeMap::new(),
            links: BTreeMap::new(),
            names: 0,
            left: unpacked_limit(packed),
            names_are,
        }
    }

    /// Takes so many bytes of content from what the source may unpack to.
    pub(super) fn spend(&mut self, bytes: u64) -> Result<(), String> {
        self.left = self.left.checked_sub(bytes).ok_or("it unpacks to far more than it is long: a bomb")?;
        Ok(())
    }

    /// Where a member goes; `None` for one whose name is stripped away.
    pub(super) fn place(&self, name: &str) -> Result<Option<ImagePath>, String> {
        let path =
            ImagePath::from_member(name).map_err(|error| format!("a member has a bad name: {error}"))?;
        let strip = if let Names::Stripped(strip) = self.names_are { strip } else { 0 };
        let parts: Vec<&str> = path.member().split('/').skip(strip).collect();
        if parts.is_empty() || path.is_root() {
            return Ok(None);
        }
        let stripped = format!("/{}", parts.join("/"));
        let path = if self.names_are == Names::Merged { merged(&stripped) } else { stripped };
        path.parse().map(Some).map_err(|error: crate::ident::Malformed| error.to_string())
    }

    /// Takes in an entry. A hard link to a hard link is one to the file itself.
    pub(super) fn push(&mut self, mut entry: Entry) -> Result<(), String> {
        if let Kind::HardLink(target) = &mut entry.kind
            && let Some(file) = self.links.get(target)
        {
            *target = file.clone();
        }
        if let Kind::HardLink(target) = &entry.kind {
            self.links.insert(entry.path.clone(), target.clone());
        }
        let path = &entry.path;
        self.names += path.as_str().len() + entry.xattrs.values().map(Vec::len).sum::<usize>() + 64;
        if self.entries.len() >= MAX_ENTRIES || self.names > MAX_NAMES {
            return Err(format!("it has more than {MAX_ENTRIES} entries, or too much text in them"));
        }
        if let Some(link) =
            path.ancestors().find(|above| matches!(self.kinds.get(above), Some(Shape::Link | Shape::File)))
        {
            return Err(format!("`{path}` goes through `{link}`, which is not a folder"));
        }
        let shape = match &entry.kind {
            Kind::Directory => Shape::Directory,
            Kind::Symlink(_) => Shape::Link,
            Kind::File(_) => Shape::File,
            Kind::HardLink(target) if self.kinds.get(target) == Some(&Shape::File) => Shape::File,
            Kind::HardLink(target) => {
                return Err(format!("`{path}` is a hard link to `{target}`, which is no file before it"));
            }
        };
        match self.kinds.insert(path.clone(), shape) {
            None => self.entries.push(entry),
            Some(Shape::Directory) if shape == Shape::Directory => {}
            Some(_) => return Err(format!("`{path}` is there twice")),
        }
        Ok(())
    }

    /// After the last entry: nothing may go through a link that came after it.
    pub(super) fn close(&self) -> Result<(), String> {
        let links: BTreeSet<&ImagePath> = self
            .kinds
            .iter()
            .filter(|(_, shape)| **shape != Shape::Directory)
            .map(|(path, _)| path)
            .collect();
        for path in self.kinds.keys() {
            if let Some(link) = path.ancestors().find(|above| links.contains(above)) {
                return Err(format!("`{path}` goes through `{link}`, which is not a folder"));
            }
        }
        Ok(())
    }
}

/// Reads a whole tar into a parcel.
pub(super) fn read<W: Write>(
    tar: &mut (dyn Read + Send),
    collector: &mut Collector,
    out: &mut ParcelWriter<W>,
) -> Result<(), String> {
    let mut archive = tar::Archive::new(tar);
    let mut extensions = Extensions::default();
    for member in archive.entries().map_err(|error| error.to_string())?.raw(true) {
        let mut member = member.map_err(|error| format!("its tar is broken: {error}"))?;
        let kind = member.header().entry_type();
        match kind.as_byte() {
            b'x' => extensions.pax(&bounded(&mut member)?)?,
            b'g' => drop(bounded(&mut member)?),
            b'L' => extensions.path = Some(long_name(&mut member)?),
            b'K' => extensions.link = Some(long_name(&mut member)?),
            _ => take_member(&mut member, std::mem::take(&mut extensions), collector, out)?,
        }
    }
    canon::finish(archive.into_inner(), MAX_PADDING).map_err(|error| error.to_string())?;
    collector.close()
}

fn bounded(member: &mut tar::Entry<impl Read>) -> Result<Vec<u8>, String> {
    let size = member.header().entry_size().map_err(|error| error.to_string())?;
    if size > MAX_EXTENSION {
        return Err(format!("an extended header of {size} bytes is too long"));
    }
    let mut bytes = Vec::new();
    member.read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 != size {
        return Err("its tar is cut short".to_owned());
    }
    Ok(bytes)
}

fn long_name(member: &mut tar::Entry<impl Read>) -> Result<String, String> {
    let bytes = bounded(member)?;
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    text(&bytes[..end])
}

fn text(bytes: &[u8]) -> Result<String, String> {
    if bytes.len() > 4096 {
        return Err(format!("a name of {} bytes is longer than 4096", bytes.len()));
    }
    String::from_utf8(bytes.to_vec())
        .map_err(|_| format!("a name is not UTF-8: {:?}", String::from_utf8_lossy(bytes)))
}

impl Extensions {
    /// Records of an extended header: `<length> <key>=<value>\n` (POSIX.1-2017, pax).
    fn pax(&mut self, mut bytes: &[u8]) -> Result<(), String> {
        let bad = || "an extended header is broken".to_owned();
        while !bytes.is_empty() {
            let space = bytes.iter().position(|byte| *byte == b' ').ok_or_else(bad)?;
            let length: usize = std::str::from_utf8(&bytes[..space])
                .ok()
                .and_then(|digits| digits.parse().ok())
                .ok_or_else(bad)?;
            let record =
                bytes.get(space + 1..length).and_then(|record| record.strip_suffix(b"\n")).ok_or_else(bad)?;
            let equals = record.iter().position(|byte| *byte == b'=').ok_or_else(bad)?;
            self.record(&text(&record[..equals])?, &record[equals + 1..])?;
            bytes = &bytes[length..];
        }
        Ok(())
    }

    fn record(&mut self, key: &str, value: &[u8]) -> Result<(), String> {
        let number = |what: &str| -> Result<i64, String> {
            // Times may have a fraction; whole seconds are kept.
            let digits =
                std::str::from_utf8(value).ok().and_then(|text| text.split('.').next()?.parse().ok());
            digits.ok_or_else(|| format!("an extended header has a broken {what}"))
        };
        let id = |what| {
            number(what).and_then(|id| u32::try_from(id).map_err(|_| format!("a {what} is out of range")))
        };
        match key {
            "path" => self.path = Some(text(value)?),
            "linkpath" => self.link = Some(text(value)?),
            "size" => {
                self.size =
                    Some(u64::try_from(number("size")?).map_err(|_| "a size is negative".to_owned())?);
            }
            "mtime" => self.mtime = Some(number("mtime")?),
            "uid" => self.uid = Some(id("uid")?),
            "gid" => self.gid = Some(id("gid")?),
            key if key.starts_with("GNU.sparse") => return Err("sparse files are not taken".to_owned()),
            key => {
                if let Some(name) = key.strip_prefix("SCHILY.xattr.") {
                    self.xattrs.insert(name.to_owned(), value.to_owned());
                }
            }
        }
        Ok(())
    }
}

fn take_member<W: Write>(
    member: &mut tar::Entry<impl Read>,
    extensions: Extensions,
    collector: &mut Collector,
    out: &mut ParcelWriter<W>,
) -> Result<(), String> {
    let header = member.header().clone();
    let broken = |error: std::io::Error| format!("a header of its tar is broken: {error}");
    let own_name = text(&header.path_bytes());
    let name = extensions.path.clone().map_or(own_name, Ok)?;
    let size = extensions.size.map_or_else(|| header.entry_size().map_err(broken), Ok)?;
    if extensions.size.is_some_and(|said| header.entry_size().is_ok_and(|own| own != said)) {
        return Err(format!("`{name}` has two sizes"));
    }
    collector.spend(size)?;
    let Some(path) = collector.place(&name)? else { return Ok(()) };
    let link = || -> Result<String, String> {
        let own = || header.link_name_bytes().map_or_else(|| Ok(String::new()), |bytes| text(&bytes));
        extensions.link.clone().map_or_else(own, Ok)
    };
    let kind = match header.entry_type().as_byte() {
        b'0' | 0 | b'7' => Kind::File(out.file(member, size).map_err(|error| format!("`{name}`: {error}"))?),
        b'1' => match collector.place(&link()?)? {
            Some(target) => Kind::HardLink(target),
            None => return Err(format!("`{name}` is a hard link to nothing")),
        },
        b'2' => Kind::Symlink(link()?),
        b'5' => Kind::Directory,
        b'3' | b'4' => return Err(format!("`{name}` is a device node")),
        b'6' => return Err(format!("`{name}` is a named pipe")),
        other => return Err(format!("`{name}` is of the kind {:?}, which is not taken", char::from(other))),
    };
    if matches!(&kind, Kind::Symlink(target) if target.is_empty() || target.contains('\0')) {
        return Err(format!("`{name}` is a link to nothing"));
    }
    let owner = |extension: Option<u32>, own: std::io::Result<u64>| match extension {
        Some(id) => Ok(id),
        None => own
            .map_err(broken)
            .and_then(|id| u32::try_from(id).map_err(|_| format!("`{name}` has an owner out of range"))),
    };
    let own_time = || header.mtime().map_err(broken).map(|time| i64::try_from(time).unwrap_or(i64::MAX));
    let mtime = extensions.mtime.map_or_else(own_time, Ok)?;
    if !(0..=MAX_TIME).contains(&mtime) {
        return Err(format!("`{name}` has a time out of range"));
    }
    let entry = Entry {
        path,
        mode: header.mode().map_err(broken)? & 0o7777,
        uid: owner(extensions.uid, header.uid())?,
        gid: owner(extensions.gid, header.gid())?,
        mtime,
        xattrs: extensions.xattrs,
        kind,
    };
    collector.push(entry)
}
