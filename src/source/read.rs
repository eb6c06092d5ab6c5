//! From a blob of the store to its parcel, made at most once.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek as _};

use super::parcel::{PARCEL_VERSION, Parcel, ParcelIndex, ParcelWriter, note_large_elfs};
use super::tarball::{Collector, Names};
use super::{deb, single, tarball, zipball};
use crate::canon::{self, Codec};
use crate::diag::{Code, Problem, Result, codes};
use crate::host;
use crate::ident::{Sha256, Sha512};
use crate::store::Store;

/// What a blob is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A Debian package.
    Deb,
    /// A tar, compressed or not, and how many leading folders are taken off.
    Tar(usize),
    /// A zip, and how many leading folders are taken off.
    Zip(usize),
    /// A single file.
    Single,
}

/// The kind under which the store keeps parcels.
const KIND: &str = "parcels";

impl Form {
    fn code(self) -> Code {
        if self == Self::Deb { codes::BAD_PACKAGE } else { codes::BAD_ARCHIVE }
    }

    /// The key of the parcel of a blob read in this form.
    pub fn key(self, blob: &Sha256) -> Sha256 {
        Sha256::of(format!("parcel {PARCEL_VERSION} {self:?} {blob}").as_bytes())
    }
}

/// The parcel of a blob; `name` is what the blob is called in messages.
pub fn parcel(store: &Store, blob: &Sha256, form: Form, name: &str) -> Result<Parcel> {
    let key = form.key(blob);
    if let Some(file) = store.open_derived(KIND, &key)?
        && let Ok(parcel) = Parcel::open(file)
    {
        return Ok(parcel);
    }
    make(store, blob, form, name, &key)?;
    let path = store.derived_path(KIND, &key);
    Parcel::open(host::open(&path)?).map_err(|error| host::file_problem("reading", &path, &error).into())
}

fn make(store: &Store, blob: &Sha256, form: Form, name: &str, key: &Sha256) -> Result<()> {
    let input = store.open_blob(blob)?;
    let mut scratch = store.new_derived(KIND)?;
    let made = write(input, form, scratch.file());
    match made {
        Ok(()) => store.put_derived(KIND, key, scratch),
        Err(Refused::Output(error)) => Err(host::file_problem("writing below", store.root(), &error).into()),
        Err(Refused::Input(why)) => Err(Problem::new(form.code(), format!("{name} is refused"))
            .found(why)
            .fact("sha256", blob)
            .help("it is broken or hostile: take another version, or tell its archive")
            .into()),
    }
}

enum Refused {
    Input(String),
    Output(std::io::Error),
}

fn write(mut input: File, form: Form, file: &mut File) -> std::result::Result<(), Refused> {
    let length = input.metadata().map_err(Refused::Output)?.len();
    // What can't be written shows as a refusal of the input: who writes tells them apart.
    let failed = Cell::new(None);
    let noting = Noting { inner: &*file, failed: &failed };
    let mut out = ParcelWriter::new(BufWriter::with_capacity(1 << 18, noting)).map_err(Refused::Output)?;
    let sha512 = sha512(&mut input).map_err(Refused::Output)?;
    let mut index = read(&mut input, form, length, &mut out)
        .map_err(|why| failed.take().map_or(Refused::Input(why), Refused::Output))?;
    index.sha512 = Some(sha512);
    out.flush().map_err(Refused::Output)?;
    note_large_elfs(file, &mut index.entries);
    out.finish(&index).map_err(Refused::Output)
}

/// The digest of a whole file, which is read from its beginning again afterwards.
fn sha512(input: &mut File) -> io::Result<Sha512> {
    use sha2::Digest as _;
    let mut hash = sha2::Sha512::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        match input.read(&mut buffer)? {
            0 => break,
            got => hash.update(&buffer[..got]),
        }
    }
    input.rewind()?;
    Ok(Sha512(hash.finalize().into()))
}

/// Writes, and notes that it could not.
struct Noting<'a> {
    inner: &'a File,
    failed: &'a Cell<Option<io::Error>>,
}

impl io::Write for Noting<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner.write(bytes).inspect_err(|error| {
            // Errors can't be copied; those of a disk have a number. What was interrupted is tried again.
            let again = error.raw_os_error().map(io::Error::from_raw_os_error);
            let again = again.unwrap_or_else(|| error.kind().into());
            self.failed.set(Some(again).filter(|error| error.kind() != io::ErrorKind::Interrupted));
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

fn read<W: std::io::Write>(
    input: &mut File,
    form: Form,
    length: u64,
    out: &mut ParcelWriter<W>,
) -> std::result::Result<ParcelIndex, String> {
    let mut index = ParcelIndex::default();
    match form {
        Form::Deb => return deb::read(input, length, out),
        Form::Single => index.entries.push(single::read(input, length, out)?),
        Form::Zip(strip) => {
            let mut collector = Collector::new(length, Names::Stripped(strip));
            zipball::read(input.try_clone().map_err(|error| error.to_string())?, &mut collector, out)?;
            index.entries = collector.entries;
        }
        Form::Tar(strip) => {
            let mut magic = [0; 6];
            let got = input.read(&mut magic).map_err(|error| error.to_string())?;
            input.rewind().map_err(|error| error.to_string())?;
            let mut decoder =
                canon::decoder(Codec::of_magic(&magic[..got]), input).map_err(|error| error.to_string())?;
            let mut collector = Collector::new(length, Names::Stripped(strip));
            tarball::read(&mut decoder, &mut collector, out)?;
            index.entries = collector.entries;
        }
    }
    Ok(index)
}
