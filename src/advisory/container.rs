//! What feeds come in: one file, compressed or not, a zip, a tar, a folder; read member by member.
//!
//! Nothing is unpacked to disk, so that names that climb lead nowhere; they are refused all the same. Every member
//! and the whole of them are bounded, and check sums are compared. Only members that end in `.json` are read.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read, Seek as _};
use std::path::{Path, PathBuf};

use super::limits::{self, Budgeted, MAX_FILES, MAX_INPUT, MAX_RECORD};
use crate::canon::{self, Codec, HashReader};
use crate::diag::{Problem, Result, codes};
use crate::host;
use crate::ident::Sha256;

/// Something to be imported.
#[derive(Debug)]
pub(super) struct Input {
    /// What it is called in messages.
    pub(super) name: String,
    form: Form,
    digest: Sha256,
}

#[derive(Debug)]
enum Form {
    /// A file and the codec around its text.
    Text(File, Codec),
    /// A file and the codec around its tar.
    Tar(File, Codec),
    Zip(File),
    Folder(PathBuf, Vec<PathBuf>),
}

/// Takes each member: its name and bytes.
pub(super) type Take<'t> = dyn FnMut(&str, Vec<u8>) -> Result<()> + 't;

impl Input {
    /// A folder or file of this machine.
    pub(super) fn open(path: &Path) -> Result<Self> {
        if host::is_dir(path) {
            return Self::folder(path);
        }
        if !host::is_file(path) {
            let what = format!("there is no feed `{}`", path.display());
            return Err(Problem::new(codes::FEED_NOT_HAD, what)
                .help("name a file, a folder or an address")
                .into());
        }
        Self::of_file(host::open(path)?, format!("`{}`", path.display()))
    }

    fn folder(path: &Path) -> Result<Self> {
        let files: Vec<PathBuf> = host::walk(path)?
            .into_iter()
            .filter(|file| is_record(&file.to_string_lossy()) && !file.is_symlink())
            .collect();
        let name = format!("the folder `{}`", path.display());
        if files.is_empty() || files.len() as u64 > MAX_FILES {
            return Err(
                limits::broken(&name, &format!("{} files that end in `.json`", files.len()), false).into()
            );
        }
        let mut lines = String::new();
        for file in &files {
            let relative = file.strip_prefix(path).unwrap_or(file);
            let digest = super::shelf::digest_of(host::open(file)?, file)?;
            let _ = writeln!(lines, "{digest}  {}", relative.display());
        }
        let digest = Sha256::of(lines.as_bytes());
        Ok(Self { name, form: Form::Folder(path.to_owned(), files), digest })
    }

    /// An open file. It is hashed, and its first bytes say what it is.
    pub(super) fn of_file(mut file: File, name: String) -> Result<Self> {
        let failed = |error: io::Error| limits::broken(&name, &error.to_string(), true);
        let length = file.metadata().map_err(failed)?.len();
        if length > MAX_INPUT {
            let what = format!("{name} is larger than any feed of advisories");
            return Err(Problem::new(codes::FEED_TOO_LARGE, what).found(format!("{length} bytes")).into());
        }
        // What was just fetched stands at its end.
        file.rewind().map_err(failed)?;
        let mut reader = HashReader::new(io::BufReader::with_capacity(1 << 18, &file));
        io::copy(&mut reader, &mut io::sink()).map_err(failed)?;
        let (digest, _) = reader.finish();
        file.rewind().map_err(failed)?;
        let mut magic = [0; 6];
        let got = read_some(&mut file, &mut magic).map_err(failed)?;
        file.rewind().map_err(failed)?;
        let form = if magic[..got].starts_with(b"PK") {
            Form::Zip(file)
        } else {
            let codec = Codec::of_magic(&magic[..got]);
            if is_tar(&file, codec) { Form::Tar(file, codec) } else { Form::Text(file, codec) }
        };
        Ok(Self { name, form, digest })
    }

    /// Its digest; of a folder, that of its files' digests and names.
    pub(super) fn digest(&self) -> Sha256 {
        self.digest
    }

    /// The text of a file that is no container, from its beginning; `None` for a container.
    pub(super) fn text(&self) -> Result<Option<Box<dyn Read + Send + '_>>> {
        let Form::Text(file, codec) = &self.form else { return Ok(None) };
        unpacked(file, *codec).map(Some).map_err(|error| self.bad(&error).into())
    }

    /// Hands over each member that ends in `.json`, until `take` fails.
    pub(super) fn members(&self, take: &mut Take<'_>) -> Result<()> {
        let count = match &self.form {
            Form::Text(..) => return Ok(()),
            Form::Folder(root, files) => return self.files(root, files, take),
            Form::Zip(file) => self.zip(file, take)?,
            Form::Tar(file, codec) => self.tar(file, *codec, take)?,
        };
        if count > 0 {
            return Ok(());
        }
        Err(limits::broken(&self.name, "no member that ends in `.json`", false)
            .help("an archive inside of an archive is to be unpacked first")
            .into())
    }

    fn bad(&self, error: &io::Error) -> Problem {
        limits::broken(&self.name, &error.to_string(), true)
    }

    fn files(&self, root: &Path, files: &[PathBuf], take: &mut Take<'_>) -> Result<()> {
        for path in files {
            let mut bytes = Vec::new();
            let read = host::open(path)?.take(MAX_RECORD + 1).read_to_end(&mut bytes);
            read.map_err(|error| self.bad(&error))?;
            if bytes.len() as u64 > MAX_RECORD {
                return Err(self.bad(&limits::too_large("a record is longer than any that is known")).into());
            }
            take(&path.strip_prefix(root).unwrap_or(path).display().to_string(), bytes)?;
        }
        Ok(())
    }

    fn zip(&self, file: &File, take: &mut Take<'_>) -> Result<u64> {
        let bad = |why: String| limits::broken(&self.name, &why, true);
        let packed = file.metadata().map_err(|error| self.bad(&error))?.len();
        let file = file.try_clone().map_err(|error| self.bad(&error))?;
        let reader = io::BufReader::with_capacity(1 << 16, file);
        let mut archive =
            zip::ZipArchive::new(reader).map_err(|error| bad(format!("not a whole zip: {error}")))?;
        if archive.len() as u64 > MAX_FILES {
            return Err(bad("it has too many members, more than any feed: too large".to_owned()).into());
        }
        check_layout(&mut archive, packed).map_err(bad)?;
        let (mut count, mut left) = (0, limits::allowance(packed));
        for at in 0..archive.len() {
            let mut member = archive.by_index(at).map_err(|error| bad(error.to_string()))?;
            let name = member_name(member.name_raw()).map_err(bad)?;
            if !member.is_file() || !is_record(&name) {
                continue;
            }
            let bytes = read_member(&mut member, &name, &mut left).map_err(bad)?;
            take(&name, bytes)?;
            count += 1;
        }
        Ok(count)
    }

    fn tar(&self, file: &File, codec: Codec, take: &mut Take<'_>) -> Result<u64> {
        let bad = |why: String| limits::broken(&self.name, &why, true);
        let length = file.metadata().map_err(|error| self.bad(&error))?.len();
        let mut archive = tar::Archive::new(unpacked(file, codec).map_err(|error| self.bad(&error))?);
        let (mut count, mut left) = (0, limits::allowance(length));
        for member in archive.entries().map_err(|error| self.bad(&error))?.raw(true) {
            let mut member = member.map_err(|error| self.bad(&error))?;
            // Long names stand in records of their own, and these files have none.
            if member.header().entry_type() != tar::EntryType::Regular {
                continue;
            }
            let name = member_name(&member.path_bytes()).map_err(bad)?;
            if !is_record(&name) {
                continue;
            }
            let bytes = read_member(&mut member, &name, &mut left).map_err(bad)?;
            if bytes.len() as u64 != member.size() {
                return Err(bad(format!("`{name}` is cut short")).into());
            }
            take(&name, bytes)?;
            count += 1;
            if count > MAX_FILES {
                return Err(bad("it has too many members, more than any feed: too large".to_owned()).into());
            }
        }
        // The end is read too: a file that was cut short shows there.
        canon::finish(&mut archive.into_inner(), 1 << 20).map_err(|error| self.bad(&error))?;
        Ok(count)
    }
}

fn is_record(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    // A name of any member, and no path of this machine: its case says something.
    file.strip_suffix(".json").is_some() && !file.starts_with('.')
}

fn read_some(reader: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut got = 0;
    while got < buffer.len() {
        match reader.read(&mut buffer[got..])? {
            0 => break,
            more => got += more,
        }
    }
    Ok(got)
}

fn unpacked(file: &File, codec: Codec) -> io::Result<Box<dyn Read + Send + '_>> {
    let packed = file.metadata()?.len();
    let mut file = file.try_clone()?;
    file.rewind()?;
    let decoder = canon::decoder(codec, file)?;
    Ok(if codec == Codec::Plain { decoder } else { Box::new(Budgeted::unpacking(decoder, packed)) })
}

/// Whether a tar is in it: POSIX's magic in the first header.
fn is_tar(file: &File, codec: Codec) -> bool {
    let mut header = [0; 512];
    // One that does not unpack is no tar; what is wrong with it is said when it is read.
    let got = unpacked(file, codec).and_then(|mut reader| read_some(&mut reader, &mut header)).unwrap_or(0);
    got == 512 && header[257..262] == *b"ustar"
}

/// A member's name, which is only ever shown; one that climbs is a sign that somebody tries.
fn member_name(raw: &[u8]) -> std::result::Result<String, String> {
    let name = std::str::from_utf8(raw).map_err(|_| "the name of a member is not UTF-8".to_owned())?;
    let shown: String = name.chars().take(100).flat_map(char::escape_debug).collect();
    if name.len() > 1_000
        || name.contains(['\0', '\\'])
        || name.starts_with('/')
        || name.split('/').any(|part| part == "..")
    {
        return Err(format!("the member `{shown}` has a name that leads out of the archive"));
    }
    Ok(shown)
}

fn read_member(member: &mut dyn Read, name: &str, left: &mut u64) -> std::result::Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let limit = MAX_RECORD.min(*left);
    member.take(limit + 1).read_to_end(&mut bytes).map_err(|error| format!("`{name}`: {error}"))?;
    if bytes.len() as u64 > limit {
        return Err(format!(
            "`{name}` is larger than any record, or all together unpack to far more than any feed"
        ));
    }
    *left -= bytes.len() as u64;
    Ok(bytes)
}

/// Members that lie over each other unpack the same bytes again and again, so no two may. Neither may one be
/// encrypted.
fn check_layout<R: Read + io::Seek>(
    archive: &mut zip::ZipArchive<R>,
    length: u64,
) -> std::result::Result<(), String> {
    for at in 0..archive.len() {
        let member = archive.by_index_raw(at).map_err(|error| error.to_string())?;
        if member.encrypted() {
            return Err("a member is encrypted".to_owned());
        }
        if member.compressed_size() > length {
            return Err("a member is said to be longer than the archive".to_owned());
        }
    }
    match archive.has_overlapping_entries() {
        Ok(false) => Ok(()),
        Ok(true) => Err("two members lie over each other".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}
