//! The recipe that a draft becomes, as data; [`super::write`] makes the text of it.

use std::collections::BTreeMap;

use super::greeting::Ask;
use super::patterns::Patterns;
use super::plan::Exception;
use crate::ident::{ImagePath, PackageName, Platform, RecipeName};

/// A recipe to be written.
#[derive(Debug, Clone)]
pub(super) struct Sheet {
    /// What is said above everything.
    pub(super) head: Vec<String>,
    pub(super) name: RecipeName,
    pub(super) summary: String,
    /// The recipe below; without one the draft has what it needs itself.
    pub(super) extends: Option<RecipeName>,
    /// The suite, if it is not that of the recipe below.
    pub(super) suite: Option<String>,
    pub(super) platforms: Vec<Platform>,
    pub(super) version_of: PackageName,
    /// Packages in groups, each with a comment over it.
    pub(super) packages: Vec<(String, Vec<Package>)>,
    pub(super) links: BTreeMap<ImagePath, String>,
    /// Folders of the program's user.
    pub(super) directories: Vec<ImagePath>,
    /// Names of the account that the program runs as, and their homes.
    pub(super) users: Vec<(String, String)>,
    pub(super) owners: BTreeMap<ImagePath, String>,
    pub(super) modes: BTreeMap<ImagePath, String>,
    pub(super) skip: BTreeMap<String, String>,
    pub(super) allow: BTreeMap<String, Exception>,
    pub(super) image: Image,
    pub(super) tests: Vec<Test>,
    pub(super) category: &'static str,
    pub(super) keywords: Vec<String>,
    pub(super) owner: Option<String>,
    pub(super) end_of_life: Option<String>,
}

/// What is taken of a package.
#[derive(Debug, Clone)]
pub(super) struct Package {
    pub(super) name: PackageName,
    pub(super) patterns: Patterns,
    /// The platforms that have it, if not all.
    pub(super) platforms: Vec<Platform>,
}

/// The image's configuration.
#[derive(Debug, Clone, Default)]
pub(super) struct Image {
    pub(super) entrypoint: Vec<String>,
    pub(super) cmd: Vec<String>,
    pub(super) env: BTreeMap<String, String>,
    pub(super) workdir: Option<String>,
    pub(super) ports: Vec<(u16, bool)>,
    pub(super) volumes: Vec<ImagePath>,
    pub(super) stop_signal: Option<String>,
}

/// A test; of one run, if it has no server.
#[derive(Debug, Clone, Default)]
pub(super) struct Test {
    /// What is said above it.
    pub(super) comment: Vec<String>,
    pub(super) name: String,
    pub(super) run: Vec<String>,
    /// The exit code, if it is not 0.
    pub(super) exit: Option<u8>,
    pub(super) fails: bool,
    pub(super) stdout: Option<String>,
    pub(super) stderr: Option<String>,
    /// The server that it starts and asks.
    pub(super) server: Option<Server>,
}

/// A server that a test starts: the image's own entrypoint and arguments.
#[derive(Debug, Clone)]
pub(super) struct Server {
    pub(super) port: u16,
    /// All arguments, if the image's own do not do.
    pub(super) args: Option<Vec<String>>,
    /// Its exit code when it is stopped, if it is not 0.
    pub(super) exit: Option<u8>,
    pub(super) ask: Ask,
    pub(super) volumes: Vec<ImagePath>,
    pub(super) mounts: BTreeMap<ImagePath, String>,
}
