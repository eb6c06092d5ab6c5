//! What `hardpan scan` was given: found out from its content, whatever it is called.

use std::io::Read as _;
use std::path::Path;

use super::{Global, pull};
use crate::canon::Codec;
use crate::diag::{Problem, Result, codes};
use crate::host;
use crate::ident::Reference;
use crate::image::Image;
use crate::lock::Lock;
use crate::scan::{self, Subject, Want};
use crate::store::Store;

/// Where the magic of a tar header is, and what it is (POSIX.1, "ustar Interchange Format").
const USTAR: (usize, &[u8]) = (257, b"ustar");

/// As many first bytes as are looked at.
const START: u64 = 4096;

/// Opens it.
pub(super) fn open(global: &Global, text: &str, want: &Want, plain_http: bool) -> Result<Subject> {
    let path = Path::new(text);
    if host::is_dir(path) {
        return of_folder(global, path, text, want);
    }
    if host::exists(path) {
        return of_file(global, path, text, want);
    }
    match text.parse::<Reference>() {
        Ok(_) => of_image(global, &pull::open_any(global, text, plain_http)?, want),
        Err(error) => Err(nothing(text)
            .fact("as a path", "nothing is there")
            .fact("as a reference", error)
            .help("name an OCI layout folder, an archive, an SBOM, a lock file, a folder with a Debian system, or a reference such as `registry.example/team/python:3.13`")
            .into()),
    }
}

/// A store that can't be opened spares nothing, and is no reason to fail.
fn of_image(global: &Global, image: &Image, want: &Want) -> Result<Subject> {
    let store = global.store_path().and_then(|path| Store::open(&path)).ok();
    scan::of_image(image, want, store.as_ref())
}

fn nothing(text: &str) -> Problem {
    let text: String = text.chars().take(200).flat_map(char::escape_debug).collect();
    Problem::new(codes::NOT_SCANNABLE, format!("`{text}` is nothing that can be scanned"))
}

fn of_folder(global: &Global, path: &Path, text: &str, want: &Want) -> Result<Subject> {
    if ["index.json", "manifest.json"].iter().any(|name| host::is_file(&path.join(name))) {
        return of_image(global, &Image::open(path)?, want);
    }
    if scan::is_prefix(path) {
        return scan::of_prefix(path, want);
    }
    Err(nothing(text)
        .fact("as an image", "the folder has neither `index.json` nor `manifest.json`")
        .fact("as a system", "it has none of `var/lib/dpkg`, `etc/os-release`, `etc/debian_version`")
        .help("name the folder that an image was written to, or the root of a Debian system")
        .into())
}

fn of_file(global: &Global, path: &Path, text: &str, want: &Want) -> Result<Subject> {
    let mut start = Vec::new();
    let read = host::open(path)?.take(START).read_to_end(&mut start);
    read.map_err(|error| host::file_problem("reading", path, &error))?;
    if start.get(USTAR.0..).is_some_and(|rest| rest.starts_with(USTAR.1)) {
        return of_image(global, &Image::open(path)?, want);
    }
    if scan::is_sbom(&start) {
        return scan::of_sbom(&host::read(path)?, text, want);
    }
    if looks_like_lock(&start) {
        return of_lock(path, text, want);
    }
    let lock = path.with_extension("lock");
    let is_recipe = path.extension().is_some_and(|end| end == "toml");
    if is_recipe && host::is_file(&lock) {
        return of_lock(&lock, &lock.display().to_string(), want);
    }
    let mut problem = nothing(text)
        .fact("as an archive", "it has no header of a tar")
        .fact("as an SBOM", "it is no JSON object")
        .fact("as a lock", "no line of its beginning says `version = …`");
    if Codec::of_magic(&start) != Codec::Plain {
        problem = problem.help("it is compressed: unpack it first (`gunzip`, `unxz`, `unzstd`)");
    } else if is_recipe {
        let missing = format!("a recipe has no versions, and `{}` is not there", lock.display());
        problem = problem.help(format!("{missing}: `hardpan lock {text}` writes it"));
    } else {
        problem = problem.help("name an image's archive as `docker save` writes it, an SBOM as SPDX or CycloneDX JSON, or a lock file");
    }
    Err(problem.into())
}

fn of_lock(path: &Path, text: &str, want: &Want) -> Result<Subject> {
    let whole = host::read_text(path)?;
    scan::of_lock(&Lock::parse(&whole, text)?, whole.as_bytes(), text, want)
}

/// Whether a text begins as locks do: with a version, before any table.
fn looks_like_lock(start: &[u8]) -> bool {
    let text = String::from_utf8_lossy(start);
    let head = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let first = head.take(1).next().and_then(|line| line.split_once('='));
    first.is_some_and(|(key, value)| key.trim() == "version" && value.trim().parse::<i64>().is_ok())
}
