//! Tar files in memory, honest ones and hostile ones: member names and links are taken literally.

use tar::{Builder, EntryType, Header};

/// When an entry was last changed, unless it says otherwise: 2023-11-14T22:13:20Z.
pub const MTIME: u64 = 1_700_000_000;

/// The most that the fields for names in a tar header hold.
const NAME_FIELD: usize = 100;

/// What an entry holds besides its header.
#[derive(Debug, Clone)]
struct Entry {
    name: String,
    kind: EntryType,
    content: Vec<u8>,
    link: String,
    mode: u32,
    owner: (u64, u64),
    mtime: u64,
    xattrs: Vec<(String, Vec<u8>)>,
}

#[derive(Debug, Clone)]
enum Part {
    Entry(Entry),
    Raw(Vec<u8>),
}

/// A tar under construction. `owner`, `mtime`, `mode` and `xattr` change the entry added last.
#[derive(Debug, Clone, Default)]
pub struct Tarball {
    parts: Vec<Part>,
}

impl Tarball {
    /// One without entries.
    pub fn new() -> Self {
        Self::default()
    }

    fn add(mut self, name: &str, kind: EntryType, mode: u32, link: &str, content: &[u8]) -> Self {
        self.parts.push(Part::Entry(Entry {
            name: name.into(),
            kind,
            content: content.into(),
            link: link.into(),
            mode,
            owner: (0, 0),
            mtime: MTIME,
            xattrs: Vec::new(),
        }));
        self
    }

    /// A regular file.
    pub fn file(self, name: &str, content: impl AsRef<[u8]>, mode: u32) -> Self {
        self.add(name, EntryType::Regular, mode, "", content.as_ref())
    }

    /// A folder; its name gets a closing slash if it has none.
    pub fn dir(self, name: &str, mode: u32) -> Self {
        let slash = if name.ends_with('/') { "" } else { "/" };
        self.add(&format!("{name}{slash}"), EntryType::Directory, mode, "", b"")
    }

    /// A symbolic link.
    pub fn symlink(self, name: &str, target: &str) -> Self {
        self.add(name, EntryType::Symlink, 0o777, target, b"")
    }

    /// A hard link to another member.
    pub fn hardlink(self, name: &str, target: &str) -> Self {
        self.add(name, EntryType::Link, 0o644, target, b"")
    }

    /// A character device, with the numbers of the null device.
    pub fn device(self, name: &str) -> Self {
        self.add(name, EntryType::Char, 0o666, "", b"")
    }

    /// A named pipe.
    pub fn fifo(self, name: &str) -> Self {
        self.add(name, EntryType::Fifo, 0o644, "", b"")
    }

    /// Any header block, well-formed or not, followed by content that is padded to full blocks.
    pub fn raw_entry(mut self, header: &[u8], content: &[u8]) -> Self {
        let mut bytes = [header, content].concat();
        bytes.resize(header.len() + content.len().next_multiple_of(512), 0);
        self.parts.push(Part::Raw(bytes));
        self
    }

    fn last(mut self, change: impl FnOnce(&mut Entry)) -> Self {
        let Some(Part::Entry(entry)) = self.parts.last_mut() else {
            panic!("there is no entry yet whose settings could be changed")
        };
        change(entry);
        self
    }

    /// Changes the numbers of owner and group.
    pub fn owner(self, uid: u64, gid: u64) -> Self {
        self.last(|entry| entry.owner = (uid, gid))
    }

    /// Changes the time of last change, in seconds since 1970.
    pub fn mtime(self, seconds: u64) -> Self {
        self.last(|entry| entry.mtime = seconds)
    }

    /// Adds an extended attribute, by its full name: `security.capability`.
    pub fn xattr(self, name: &str, value: &[u8]) -> Self {
        self.last(|entry| entry.xattrs.push((name.into(), value.into())))
    }

    /// The names of the entries so far, folders with their closing slash.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries().map(|entry| entry.name.as_str())
    }

    /// Names and contents of the regular files so far.
    pub fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let files = self.entries().filter(|entry| entry.kind == EntryType::Regular);
        files.map(|entry| (entry.name.as_str(), &entry.content[..]))
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.parts.iter().filter_map(|part| match part {
            Part::Entry(entry) => Some(entry),
            Part::Raw(_) => None,
        })
    }

    /// The same, with the folders above each entry put before it where nothing else declares them.
    pub fn with_parents(self) -> Self {
        let mut known: Vec<String> =
            self.names().filter(|name| name.ends_with('/')).map(Into::into).collect();
        let mut whole = Self::new();
        for part in self.parts {
            if let Part::Entry(entry) = &part {
                for (slash, _) in entry.name.trim_end_matches('/').match_indices('/') {
                    let parent = &entry.name[..=slash];
                    if !known.iter().any(|name| name == parent) {
                        known.push(parent.into());
                        whole = whole.dir(parent, 0o755);
                    }
                }
            }
            whole.parts.push(part);
        }
        whole
    }

    /// The bytes of the tar, with the two empty blocks that end it.
    pub fn build(&self) -> Vec<u8> {
        let mut builder = Builder::new(Vec::new());
        for part in &self.parts {
            match part {
                Part::Entry(entry) => write(&mut builder, entry),
                Part::Raw(bytes) => builder.get_mut().extend(bytes),
            }
        }
        builder.into_inner().expect("memory takes it")
    }
}

fn write(builder: &mut Builder<Vec<u8>>, entry: &Entry) {
    let records = entry.xattrs.iter().map(|(name, value)| (format!("SCHILY.xattr.{name}"), &value[..]));
    let records: Vec<(String, &[u8])> = records.collect();
    let records = records.iter().map(|(key, value)| (key.as_str(), *value));
    builder.append_pax_extensions(records).expect("memory takes it");
    for (kind, name) in [(EntryType::GNULongLink, &entry.link), (EntryType::GNULongName, &entry.name)] {
        if name.len() > NAME_FIELD {
            let long = [name.as_bytes(), b"\0"].concat();
            append(builder, blank("././@LongLink", kind), &long);
        }
    }
    let mut header = blank(&entry.name, entry.kind);
    header.set_mode(entry.mode);
    header.set_uid(entry.owner.0);
    header.set_gid(entry.owner.1);
    header.set_mtime(entry.mtime);
    let fields = header.as_gnu_mut().expect("made as one");
    put(&mut fields.linkname, &entry.link);
    if entry.kind == EntryType::Char {
        header.set_device_major(1).expect("small");
        header.set_device_minor(3).expect("small");
    }
    append(builder, header, &entry.content);
}

/// A header whose name is what the test says, `..` and all, which the setter of the crate refuses.
fn blank(name: &str, kind: EntryType) -> Header {
    let mut header = Header::new_gnu();
    put(&mut header.as_gnu_mut().expect("made as one").name, name);
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header
}

fn put(field: &mut [u8; NAME_FIELD], text: &str) {
    let length = text.len().min(NAME_FIELD);
    field[..length].copy_from_slice(&text.as_bytes()[..length]);
}

fn append(builder: &mut Builder<Vec<u8>>, mut header: Header, content: &[u8]) {
    header.set_size(content.len() as u64);
    header.set_cksum();
    builder.append(&header, content).expect("memory takes it");
}
