//! The lock file: what is pinned, in TOML that only hardpan writes.
//!
//! ```toml
//! version = 1
//! [[release]]                 # a suite's signed release file, and the index parts that were read
//! [[package]]                 # one per package and platform, sorted
//! [[file]]                    # a file from the recipe's folder
//! [[download]]                # an archive from an address
//! ```
//!
//! It names no host. It is read through wire types of its own, so that the form on disk and the form
//! in memory can change apart; its version is looked at before anything else.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use serde::Deserialize;

use crate::diag::{Problem, Result, codes};
use crate::host;
use crate::ident::{ArchiveName, DebVersion, Epoch, PackageName, Platform, Sha256};

/// The version of the lock file's form that this hardpan writes and reads.
const VERSION: i64 = 1;

const HEAD: &str = "# Written by hardpan. Commit it; `hardpan lock --update` moves its pins.\n";

/// What is pinned.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lock {
    /// Release files, by archive and suite.
    pub releases: BTreeMap<(ArchiveName, String), LockedRelease>,
    /// Packages, by platform and name.
    pub packages: BTreeMap<Platform, BTreeMap<PackageName, LockedPackage>>,
    /// Files from recipes' folders, by recipe and path.
    pub files: BTreeMap<(String, String), (Sha256, u64)>,
    /// Downloads, by recipe, name and platform.
    pub downloads: BTreeMap<(String, String, Platform), Sha256>,
}

/// A release file that the lock has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedRelease {
    /// Its Origin.
    pub origin: String,
    /// Its date.
    pub date: Epoch,
    /// Digest of the signed file.
    pub sha256: Sha256,
    /// Digest and size of each index that was read, by its path below the suite's folder.
    pub indices: BTreeMap<String, (Sha256, u64)>,
}

/// A pinned package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedPackage {
    /// Its version.
    pub version: DebVersion,
    /// Name of its source package.
    pub source: PackageName,
    /// Version of its source package.
    pub source_version: DebVersion,
    /// Its architecture: the platform's, or `all`.
    pub architecture: String,
    /// The archive that it comes from.
    pub archive: ArchiveName,
    /// Path below the archive's root.
    pub path: String,
    /// Length in bytes.
    pub size: u64,
    /// Digest.
    pub sha256: Sha256,
    /// What its dependencies were resolved to.
    pub depends: BTreeSet<PackageName>,
}

impl Lock {
    /// Reads a lock file; `None` if there is none.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        if !host::exists(path) {
            return Ok(None);
        }
        let text = host::read_text(path)?;
        Self::parse(&text, &path.display().to_string()).map(Some)
    }

    /// Reads the text of a lock; `name` is how it is called in messages.
    pub fn parse(text: &str, name: &str) -> Result<Self> {
        let bad = |why: String| {
            Problem::new(codes::BAD_LOCK, format!("the lock `{name}` can't be read"))
                .found(why)
                .help("take it from version control again, or delete it and run `hardpan lock`")
        };
        let version =
            toml::from_str::<WireVersion>(text).map_err(|error| bad(error.message().to_owned()))?.version;
        if version != VERSION {
            let problem = bad(format!("version {version}")).expected(format!("version {VERSION}"));
            return Err(problem
                .help("a newer hardpan wrote it: use that one, or lock again with this one")
                .into());
        }
        let wire: Wire = toml::from_str(text).map_err(|error| bad(error.message().to_owned()))?;
        wire.into_lock().map_err(|why| bad(why).into())
    }

    /// Writes the lock, whole or not at all; nothing is touched if it says the same already.
    pub fn write(&self, path: &Path) -> Result<()> {
        let text = self.to_text();
        if host::exists(path) && host::read(path)? == text.as_bytes() {
            return Ok(());
        }
        host::write_atomic(path, text.as_bytes())
    }

    /// The one text of this lock.
    pub fn to_text(&self) -> String {
        let mut text = format!("{HEAD}version = {VERSION}\n");
        for ((archive, suite), release) in &self.releases {
            write_release(&mut text, archive, suite, release);
        }
        let all = self.packages.iter().flat_map(|(platform, packages)| {
            packages.iter().map(move |(name, package)| (name, platform, package))
        });
        let mut all: Vec<_> = all.collect();
        all.sort_by_key(|(name, platform, _)| (*name, *platform));
        for (name, platform, package) in all {
            write_package(&mut text, name, *platform, package);
        }
        for ((recipe, path), (sha256, size)) in &self.files {
            let (recipe, path) = (quote(recipe), quote(path));
            let _ = write!(
                text,
                "\n[[file]]\nrecipe = {recipe}\npath = {path}\nsha256 = \"{sha256}\"\nsize = {size}\n"
            );
        }
        for ((recipe, name, platform), sha256) in &self.downloads {
            let (recipe, name) = (quote(recipe), quote(name));
            let _ = write!(
                text,
                "\n[[download]]\nrecipe = {recipe}\nname = {name}\nplatform = \"{platform}\"\nsha256 = \"{sha256}\"\n"
            );
        }
        text
    }
}

/// A basic string of TOML.
fn quote(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn write_release(text: &mut String, archive: &ArchiveName, suite: &str, release: &LockedRelease) {
    let LockedRelease { origin, date, sha256, .. } = release;
    let (suite, origin) = (quote(suite), quote(origin));
    let _ = write!(
        text,
        "\n[[release]]\narchive = \"{archive}\"\nsuite = {suite}\norigin = {origin}\ndate = \"{date}\"\nsha256 = \"{sha256}\"\nindices = [\n"
    );
    for (path, (sha256, size)) in &release.indices {
        let _ = writeln!(text, "  {{ path = {}, sha256 = \"{sha256}\", size = {size} }},", quote(path));
    }
    text.push_str("]\n");
}

fn write_package(text: &mut String, name: &PackageName, platform: Platform, package: &LockedPackage) {
    let LockedPackage { version, source, source_version, architecture, archive, path, size, sha256, depends } =
        package;
    let path = quote(path);
    let _ = write!(
        text,
        "\n[[package]]\nname = \"{name}\"\nplatform = \"{platform}\"\nversion = \"{version}\"\nsource = \"{source}\"\n\
         source-version = \"{source_version}\"\narchitecture = \"{architecture}\"\narchive = \"{archive}\"\npath = {path}\n\
         size = {size}\nsha256 = \"{sha256}\"\n"
    );
    if !depends.is_empty() {
        let names: Vec<String> = depends.iter().map(|name| format!("\"{name}\"")).collect();
        let _ = writeln!(text, "depends = [{}]", names.join(", "));
    }
}

#[derive(Deserialize)]
struct WireVersion {
    version: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Wire {
    #[serde(rename = "version")]
    _version: i64,
    #[serde(default)]
    release: Vec<WireRelease>,
    #[serde(default)]
    package: Vec<WirePackage>,
    #[serde(default)]
    file: Vec<WireFile>,
    #[serde(default)]
    download: Vec<WireDownload>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireRelease {
    archive: ArchiveName,
    suite: String,
    origin: String,
    date: Epoch,
    sha256: Sha256,
    indices: Vec<WireIndex>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireIndex {
    path: String,
    sha256: Sha256,
    size: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WirePackage {
    name: PackageName,
    platform: Platform,
    version: DebVersion,
    source: PackageName,
    source_version: DebVersion,
    architecture: String,
    archive: ArchiveName,
    path: String,
    size: u64,
    sha256: Sha256,
    #[serde(default)]
    depends: BTreeSet<PackageName>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireFile {
    recipe: String,
    path: String,
    sha256: Sha256,
    size: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireDownload {
    recipe: String,
    name: String,
    platform: Platform,
    sha256: Sha256,
}

impl Wire {
    /// A path that climbs, or a pin that is there twice, was not written by hardpan.
    fn into_lock(self) -> std::result::Result<Lock, String> {
        let mut lock = Lock::default();
        for WireRelease { archive, suite, origin, date, sha256, indices } in self.release {
            let indices = indices.into_iter().map(|index| (index.path, (index.sha256, index.size))).collect();
            lock.releases.insert((archive, suite), LockedRelease { origin, date, sha256, indices });
        }
        for WirePackage {
            name,
            platform,
            version,
            source,
            source_version,
            architecture,
            archive,
            path,
            size,
            sha256,
            depends,
        } in self.package
        {
            let package = LockedPackage {
                version,
                source,
                source_version,
                architecture,
                archive,
                path,
                size,
                sha256,
                depends,
            };
            crate::ident::ImagePath::from_member(&package.path).map_err(|error| error.to_string())?;
            if lock.packages.entry(platform).or_default().insert(name.clone(), package).is_some() {
                return Err(format!("`{name}` is pinned twice for {platform}"));
            }
        }
        lock.files =
            self.file.into_iter().map(|file| ((file.recipe, file.path), (file.sha256, file.size))).collect();
        let downloads = self.download.into_iter();
        lock.downloads = downloads
            .map(|download| ((download.recipe, download.name, download.platform), download.sha256))
            .collect();
        Ok(lock)
    }
}
