//! Debian packages in memory (deb(5)): correct ones by default, and broken ones on request.

use super::compression::{Codec, compress, decompress};
use super::index::md5_hex;
use super::tarball::{MTIME, Tarball};

/// A member of the outer `ar` archive: its name and bytes.
type Member = (String, Vec<u8>);

/// A package under construction.
///
/// Paths are absolute (`/usr/bin/hello`) and become members such as `./usr/bin/hello`; `owner`,
/// `mtime` and `xattr` change the entry added last. What isn't said is sensible.
#[derive(Debug, Clone)]
pub struct Deb {
    fields: Vec<(String, String)>,
    control: Option<String>,
    scripts: Tarball,
    data: Tarball,
    copyright: Option<String>,
    parents: bool,
    codecs: (Codec, Codec),
    version_file: Vec<u8>,
    extra: Vec<Member>,
    data_tar: Option<Vec<u8>>,
    data_member: Option<Member>,
    control_member: Option<Member>,
    garbage: Vec<u8>,
    cut: usize,
}

/// The order in which known fields are written; others come after them.
const ORDER: [&str; 4] = ["Package", "Source", "Version", "Architecture"];

impl Deb {
    /// A package for amd64 that holds its copyright file and nothing else.
    pub fn new(name: &str, version: &str) -> Self {
        let bare = Self {
            fields: Vec::new(),
            control: None,
            scripts: Tarball::new(),
            data: Tarball::new(),
            copyright: Some(format!("{name} was made for a test.\n\nLicense: MIT\n")),
            parents: true,
            codecs: (Codec::Xz, Codec::Xz),
            version_file: b"2.0\n".to_vec(),
            extra: Vec::new(),
            data_tar: None,
            data_member: None,
            control_member: None,
            garbage: Vec::new(),
            cut: 0,
        };
        let named = bare.field("Package", name).field("Version", version).arch("amd64");
        let kept = named.field("Maintainer", "Nobody <nobody@example.org>");
        kept.field("Description", "a package of a test")
    }

    /// Sets a field of the control file, in place of one of the same name.
    pub fn field(self, name: &str, value: &str) -> Self {
        let mut deb = self.without_field(name);
        deb.fields.push((name.into(), value.into()));
        deb.fields
            .sort_by_key(|(name, _)| ORDER.iter().position(|known| known == name).unwrap_or(ORDER.len()));
        deb
    }

    /// Leaves a field of the control file out.
    pub fn without_field(mut self, name: &str) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self
    }

    /// `Architecture`.
    pub fn arch(self, name: &str) -> Self {
        self.field("Architecture", name)
    }

    /// `Depends`.
    pub fn depends(self, relations: &str) -> Self {
        self.field("Depends", relations)
    }

    /// `Pre-Depends`.
    pub fn pre_depends(self, relations: &str) -> Self {
        self.field("Pre-Depends", relations)
    }

    /// `Provides`.
    pub fn provides(self, relations: &str) -> Self {
        self.field("Provides", relations)
    }

    /// `Multi-Arch`.
    pub fn multi_arch(self, value: &str) -> Self {
        self.field("Multi-Arch", value)
    }

    /// `Source`; the version in parentheses is there only where it isn't the package's own.
    pub fn source(self, name: &str, version: &str) -> Self {
        let own = self.fields.iter().any(|(field, value)| field == "Version" && value == version);
        let value = if own { name.to_owned() } else { format!("{name} ({version})") };
        self.field("Source", &value)
    }

    /// The whole text of the control file, whatever the fields say.
    pub fn control_text(mut self, text: &str) -> Self {
        self.control = Some(text.into());
        self
    }

    /// One more file beside the control file: `postinst`, `conffiles`, `triggers`.
    pub fn control_file(mut self, name: &str, content: &str, mode: u32) -> Self {
        self.scripts = self.scripts.file(&format!("./{name}"), content, mode);
        self
    }

    fn data(mut self, change: impl FnOnce(Tarball) -> Tarball) -> Self {
        self.data = change(self.data);
        self
    }

    /// A regular file.
    pub fn file(self, path: &str, content: impl AsRef<[u8]>, mode: u32) -> Self {
        self.data(|data| data.file(&member(path), content, mode))
    }

    /// A folder.
    pub fn dir(self, path: &str, mode: u32) -> Self {
        self.data(|data| data.dir(&member(path), mode))
    }

    /// A symbolic link; the target is taken literally.
    pub fn symlink(self, path: &str, target: &str) -> Self {
        self.data(|data| data.symlink(&member(path), target))
    }

    /// A hard link; the target is a path of this package.
    pub fn hardlink(self, path: &str, target: &str) -> Self {
        self.data(|data| data.hardlink(&member(path), &member(target)))
    }

    /// A character device.
    pub fn device(self, path: &str) -> Self {
        self.data(|data| data.device(&member(path)))
    }

    /// A named pipe.
    pub fn fifo(self, path: &str) -> Self {
        self.data(|data| data.fifo(&member(path)))
    }

    /// Any tar header, well-formed or not, and content padded to full blocks.
    pub fn raw_entry(self, header: &[u8], content: &[u8]) -> Self {
        self.data(|data| data.raw_entry(header, content))
    }

    /// Owner and group of the entry added last.
    pub fn owner(self, uid: u64, gid: u64) -> Self {
        self.data(|data| data.owner(uid, gid))
    }

    /// Time of last change of the entry added last.
    pub fn mtime(self, seconds: u64) -> Self {
        self.data(|data| data.mtime(seconds))
    }

    /// An extended attribute of the entry added last.
    pub fn xattr(self, name: &str, value: &[u8]) -> Self {
        self.data(|data| data.xattr(name, value))
    }

    /// Another text of the copyright file.
    pub fn copyright(mut self, text: &str) -> Self {
        self.copyright = Some(text.into());
        self
    }

    /// No copyright file.
    pub fn no_copyright(mut self) -> Self {
        self.copyright = None;
        self
    }

    /// No folders but those that are declared.
    pub fn no_parents(mut self) -> Self {
        self.parents = false;
        self
    }

    /// How the data is compressed; xz unless said.
    pub fn data_codec(mut self, codec: Codec) -> Self {
        self.codecs.1 = codec;
        self
    }

    /// How the control files are compressed; xz unless said.
    pub fn control_codec(mut self, codec: Codec) -> Self {
        self.codecs.0 = codec;
        self
    }

    /// What `debian-binary` holds; `2.0` and a line end unless said.
    pub fn format_version(mut self, bytes: &[u8]) -> Self {
        self.version_file = bytes.into();
        self
    }

    /// One more `ar` member, after those that belong there.
    pub fn member(mut self, name: &str, bytes: &[u8]) -> Self {
        self.extra.push((name.into(), bytes.into()));
        self
    }

    /// Puts other bytes in place of the uncompressed data tar.
    pub fn data_tar(mut self, bytes: Vec<u8>) -> Self {
        self.data_tar = Some(bytes);
        self
    }

    /// Puts another `ar` member in place of the data member.
    pub fn data_member(mut self, name: &str, bytes: &[u8]) -> Self {
        self.data_member = Some((name.into(), bytes.into()));
        self
    }

    /// Puts another `ar` member in place of the control member.
    pub fn control_member(mut self, name: &str, bytes: &[u8]) -> Self {
        self.control_member = Some((name.into(), bytes.into()));
        self
    }

    /// Bytes that follow the compressed stream inside the data member.
    pub fn append_to_data_stream(mut self, bytes: &[u8]) -> Self {
        self.garbage.extend(bytes);
        self
    }

    /// Cuts the last `n` bytes off the data member, whose header then says the shorter length.
    pub fn truncate_data(mut self, n: usize) -> Self {
        self.cut = n;
        self
    }

    /// The package file.
    pub fn build(&self) -> Vec<u8> {
        let data = self.whole_data();
        let mut members = vec![("debian-binary".into(), self.version_file.clone()), self.controls(&data)];
        let bytes = self.data_tar.clone().unwrap_or_else(|| data.build());
        let name = format!("data.tar{}", self.codecs.1.extension());
        let replaced = self.data_member.clone();
        let (name, mut bytes) = replaced.unwrap_or_else(|| (name, compress(self.codecs.1, &bytes)));
        bytes.extend(&self.garbage);
        bytes.truncate(bytes.len().saturating_sub(self.cut));
        members.push((name, bytes));
        members.extend(self.extra.iter().cloned());
        ar(&members)
    }

    fn whole_data(&self) -> Tarball {
        let name = self.fields.iter().find(|(field, _)| field == "Package").map_or("", |(_, name)| name);
        let path = format!("./usr/share/doc/{name}/copyright");
        let mut data = self.data.clone();
        // A test that brings the file itself means its own.
        if let Some(text) = self.copyright.as_ref().filter(|_| data.names().all(|name| name != path)) {
            data = data.file(&path, text, 0o644);
        }
        if self.parents { data.with_parents() } else { data }
    }

    fn controls(&self, data: &Tarball) -> Member {
        let sums = data.files().map(|(name, content)| {
            let (sum, path) = (md5_hex(content), name.trim_start_matches("./"));
            format!("{sum}  {path}\n")
        });
        let sums: Vec<String> = sums.collect();
        let lines: Vec<String> =
            self.fields.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        let control = self.control.clone().unwrap_or_else(|| lines.concat());
        let mut files = Tarball::new().dir("./", 0o755).file("./control", control, 0o644);
        files = files.file("./md5sums", sums.concat(), 0o644);
        let mut bytes = files.build();
        // The scripts follow, in place of the two blocks that end a tar.
        bytes.truncate(bytes.len() - 1024);
        bytes.extend(self.scripts.build());
        let name = format!("control.tar{}", self.codecs.0.extension());
        self.control_member.clone().unwrap_or_else(|| (name, compress(self.codecs.0, &bytes)))
    }
}

fn member(path: &str) -> String {
    format!("./{}", path.strip_prefix('/').unwrap_or(path))
}

/// An `ar` archive in the plain form that deb(5) allows: names of at most 16 bytes, even offsets.
fn ar(members: &[Member]) -> Vec<u8> {
    let mut out = b"!<arch>\n".to_vec();
    for (name, bytes) in members {
        let mode = "100644";
        out.extend(format!("{name:<16}{MTIME:<12}0     0     {mode:<8}{:<10}`\n", bytes.len()).bytes());
        out.extend(bytes);
        if bytes.len() % 2 == 1 {
            out.push(b'\n');
        }
    }
    out
}

/// The control file in a package that [`Deb`] built; `None` if it was built so broken that there is
/// none to be found.
pub fn control_of(deb: &[u8]) -> Option<String> {
    let mut rest = deb.strip_prefix(b"!<arch>\n")?;
    while rest.len() >= 60 {
        let (header, after) = rest.split_at(60);
        let name = std::str::from_utf8(&header[..16]).ok()?.trim_end();
        let size: usize = std::str::from_utf8(&header[48..58]).ok()?.trim_end().parse().ok()?;
        if name.starts_with("control.tar") {
            return control_in(&decompress(Codec::of_name(name), after.get(..size)?));
        }
        rest = after.get(size.next_multiple_of(2)..)?;
    }
    None
}

fn control_in(bytes: &[u8]) -> Option<String> {
    let mut archive = tar::Archive::new(bytes);
    let entries = archive.entries().ok()?.filter_map(Result::ok);
    let mut control = entries.into_iter().find(|entry| entry.path_bytes().ends_with(b"control"))?;
    let mut text = String::new();
    std::io::Read::read_to_string(&mut control, &mut text).ok()?;
    Some(text)
}
