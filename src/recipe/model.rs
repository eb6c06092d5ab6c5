//! What a recipe concretely asks for, on one platform, in one variant.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::Pattern;
use super::model_test::TestSpec;
use super::policy::Exception;
use crate::diag::{Code, Problem, SourceText, Span};
use crate::ident::{ArchiveName, ImagePath, PackageName, Platform, RecipeName, Sha256};

/// Where in which text something was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The text.
    pub source: Arc<SourceText>,
    /// The words.
    pub span: Span,
}

impl Place {
    /// A problem with what was written here.
    pub fn problem(&self, code: Code, message: impl Into<String>, label: impl Into<String>) -> Problem {
        Problem::new(code, message).at(&self.source, self.span.clone(), label)
    }
}

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Where it was written.
    pub place: Place,
}

/// A recipe and those it extends, the one that extends nothing first.
#[derive(Debug, Clone, PartialEq)]
pub struct Chain {
    /// At least one.
    pub recipes: Vec<Recipe>,
    /// What all of it is for.
    pub platform: Platform,
}

impl Chain {
    /// The recipe that the image is named after.
    pub fn last(&self) -> &Recipe {
        self.recipes.last().expect("a chain has a recipe")
    }

    /// The Debian suite: of the nearest recipe that says one.
    pub fn suite(&self) -> Option<&At<String>> {
        self.recipes.iter().rev().find_map(|recipe| recipe.suite.as_ref())
    }

    /// All accounts, by name; later recipes win.
    pub fn users(&self) -> BTreeMap<&str, &User> {
        self.recipes.iter().flat_map(|recipe| &recipe.users).map(|user| (user.name.as_str(), user)).collect()
    }

    /// All groups, by name; later recipes win.
    pub fn groups(&self) -> BTreeMap<&str, u32> {
        self.recipes
            .iter()
            .flat_map(|recipe| &recipe.groups)
            .map(|group| (group.name.as_str(), group.gid))
            .collect()
    }
}

/// One recipe of a chain, with variant and platform applied.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    /// The image's name.
    pub name: RecipeName,
    /// What it is, in a line.
    pub summary: Option<String>,
    /// What it is, in a paragraph.
    pub description: Option<String>,
    /// Where its own source is.
    pub source_url: Option<String>,
    /// Its licence.
    pub licenses: Option<String>,
    /// The variant that was asked for, if this is the recipe that was asked for.
    pub variant: Option<String>,
    /// What `{version}` means, if it is written out.
    pub version: Option<String>,
    /// The package whose upstream version is what `{version}` means.
    pub version_of: Option<At<PackageName>>,
    /// Tags as written.
    pub tags: Vec<At<String>>,
    /// The Debian suite.
    pub suite: Option<At<String>>,
    /// Debian's components; empty means `main`.
    pub components: Vec<String>,
    /// Packages to take where a dependency leaves a choice.
    pub prefer: Vec<PackageName>,
    /// Further archives.
    pub archives: Vec<ArchiveSpec>,
    /// What comes from packages, in the order written.
    pub packages: Vec<PackageEntry>,
    /// Symbolic links and their targets.
    pub links: BTreeMap<ImagePath, At<String>>,
    /// Folders to make.
    pub directories: BTreeMap<ImagePath, At<Directory>>,
    /// Text files.
    pub texts: BTreeMap<ImagePath, At<TextFile>>,
    /// Files from the recipe's folder.
    pub files: BTreeMap<ImagePath, At<LocalFile>>,
    /// Archives from an address.
    pub downloads: BTreeMap<String, At<Download>>,
    /// Permission bits, the last that matches wins.
    pub modes: Vec<At<(Pattern, u32)>>,
    /// Owners, the last that matches wins.
    pub owners: Vec<At<(Pattern, Owner)>>,
    /// Files that keep their capabilities.
    pub capabilities: Vec<At<Pattern>>,
    /// What is left out.
    pub drop: Vec<At<Pattern>>,
    /// Accounts.
    pub users: Vec<User>,
    /// Groups.
    pub groups: Vec<Group>,
    /// What files need beyond what their headers say.
    pub closure: ClosureSpec,
    /// What maintainer scripts would have made.
    pub system: System,
    /// The image's configuration.
    pub image: ImageSpec,
    /// Exceptions to the contents policy; the place is that of the rule's name.
    pub allow: Vec<At<Exception>>,
    /// What the image must do.
    pub tests: Vec<TestSpec>,
    /// Who answers for it and until when.
    pub lifecycle: Lifecycle,
    /// At most how many layers it adds.
    pub layers: usize,
    /// The folder that the recipe is in.
    pub folder: PathBuf,
    /// Its text.
    pub text: Arc<SourceText>,
}

impl Recipe {
    /// The files that the recipe takes from its own folder, and where it says so. A file may be
    /// there twice.
    pub fn local_files(&self) -> impl Iterator<Item = (&str, &Place)> {
        let files = self.files.values().map(|file| (file.value.from.as_str(), &file.place));
        let certificates = self.system.certificates.iter().map(|file| (file.value.as_str(), &file.place));
        files.chain(certificates)
    }
}

/// What maintainer scripts would have made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct System {
    /// Files with certificates, below the recipe's folder.
    pub certificates: Vec<At<String>>,
    /// Whether certificates are in `/etc/ssl/certs` by name and hash; `None` if not said.
    pub certificate_links: Option<bool>,
    /// Whether Java's trust store is made.
    pub java_trust_store: bool,
    /// Locales, such as `de_CH.UTF-8`.
    pub locales: Vec<At<String>>,
    /// The time zones that stay.
    pub timezones: Option<At<Zones>>,
    /// The local time zone, such as `Europe/Zurich`.
    pub timezone: Option<At<String>>,
    /// Fields of os-release(5).
    pub os_release: BTreeMap<String, At<String>>,
    /// Links and the programs that they finally lead to.
    pub alternatives: BTreeMap<ImagePath, At<ImagePath>>,
    /// Databases of nsswitch.conf(5), in the order written.
    pub nsswitch: Vec<(String, String)>,
    /// Whether the database of MIME types is made; where it was said.
    pub mime: Option<Place>,
}

/// Which time zones stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Zones {
    /// All that are taken.
    All,
    /// None; UTC needs none.
    None,
    /// Those whose names match one of the patterns, and UTC's.
    Only(Vec<At<Pattern>>),
}

/// A further archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveSpec {
    /// Its name.
    pub name: At<ArchiveName>,
    /// Its suites; empty for Debian's own archives means those of the recipe's suite.
    pub suites: Vec<String>,
    /// Its components; empty means `main`.
    pub components: Vec<String>,
    /// Paths of its keys, relative to the recipe's folder.
    pub keys: Vec<At<String>>,
    /// What its release files must say.
    pub origin: Option<String>,
    /// What its release files must say.
    pub label: Option<String>,
    /// Its rank; `None` means the default.
    pub priority: Option<i64>,
}

/// What is taken of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Take {
    /// What is needed at run time: no manuals, translations, package documentation.
    Runtime,
    /// Everything.
    All,
    /// What matches one of the patterns.
    Files(Vec<At<Pattern>>),
}

/// A package that a recipe names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageEntry {
    /// Its name.
    pub name: At<PackageName>,
    /// What is taken.
    pub take: Take,
    /// What is left out of it.
    pub except: Vec<At<Pattern>>,
}

/// What files need beyond what their headers say, and what they don't need.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ClosureSpec {
    /// Libraries and interpreters that are not needed, and why.
    pub skip: BTreeMap<String, At<String>>,
    /// Which files open what at run time: patterns, or names of libraries.
    pub dlopen: Vec<At<(Pattern, Vec<At<String>>)>>,
    /// Packages that nothing needs, and why they are there.
    pub keep: BTreeMap<String, At<String>>,
}

/// An owner, as written: numbers, or names to be looked up in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The user.
    pub user: String,
    /// The group; the user's own if not said.
    pub group: Option<String>,
}

/// A folder to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    /// Permission bits.
    pub mode: u32,
    /// Its owner; `0:0` if not said.
    pub owner: Option<Owner>,
}

/// A small text file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextFile {
    /// The content.
    pub text: String,
    /// Permission bits.
    pub mode: u32,
    /// Its owner; `0:0` if not said.
    pub owner: Option<Owner>,
}

/// A file from the recipe's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalFile {
    /// Below the recipe's folder.
    pub from: String,
    /// Permission bits; by whether the file is executable if not said.
    pub mode: Option<u32>,
    /// Its owner; `0:0` if not said.
    pub owner: Option<Owner>,
}

/// What a download is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DownloadFormat {
    /// A tar, compressed or not (its first bytes tell).
    Tar,
    /// A zip.
    Zip,
    /// A single file.
    File,
}

/// An archive from an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Download {
    /// The address as written.
    pub url: String,
    /// The digest of the whole file.
    pub sha256: Sha256,
    /// What it is.
    pub format: DownloadFormat,
    /// Leading folders to take off.
    pub strip: usize,
    /// What to take, after stripping, with a slash before it; empty means all.
    pub pick: Vec<At<Pattern>>,
    /// The folder that it goes below.
    pub place: ImagePath,
    /// The owner of all of it; `0:0` if not said.
    pub owner: Option<Owner>,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its name.
    pub name: String,
    /// Its number.
    pub uid: u32,
    /// Its group's number.
    pub gid: u32,
    /// Further groups.
    pub groups: Vec<At<String>>,
    /// Its home folder.
    pub home: String,
    /// Its shell.
    pub shell: String,
    /// Its full name.
    pub comment: String,
}

/// A group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its number.
    pub gid: u32,
}

/// The image's configuration; what is `None` comes from the recipe below.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImageSpec {
    /// Who the process runs as.
    pub user: Option<At<Owner>>,
    /// The program and its first arguments.
    pub entrypoint: Option<Vec<String>>,
    /// Default arguments.
    pub cmd: Option<Vec<String>>,
    /// Environment variables.
    pub env: BTreeMap<String, String>,
    /// The working folder.
    pub workdir: Option<ImagePath>,
    /// `8080/tcp`.
    pub ports: Vec<String>,
    /// Folders that hold data outside the image.
    pub volumes: Vec<ImagePath>,
    /// The signal that ends the program.
    pub stop_signal: Option<String>,
    /// Labels, as written.
    pub labels: BTreeMap<String, String>,
    /// Annotations, as written.
    pub annotations: BTreeMap<String, String>,
}

/// Who answers for an image and until when.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lifecycle {
    /// The team.
    pub owner: Option<String>,
    /// Where it is reached.
    pub contact: Option<String>,
    /// The last day of fixes.
    pub end_of_life: Option<String>,
    /// A word such as `stable`.
    pub status: Option<String>,
}
