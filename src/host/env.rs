//! Environment variables and the folders that they name.

use std::path::PathBuf;

/// An environment variable that is set, not empty, and UTF-8.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Where the system keeps programs for administrators, which an ordinary user's `PATH` often lacks.
const ADMINISTRATORS: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// Where a program is: in a folder of the `PATH`, else among those for administrators.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let others = ADMINISTRATORS.iter().map(PathBuf::from);
    folders.into_iter().chain(others).map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// Where this user's and this host's things are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// The user's cache folder (XDG base directory specification, `XDG_CACHE_HOME`); `None` for a
    /// user without a home, for whom no folder is safe to guess.
    pub cache: Option<PathBuf>,
    /// The user's configuration folder (`XDG_CONFIG_HOME`).
    pub config: Option<PathBuf>,
    /// The user's data folder (`XDG_DATA_HOME`).
    pub data: Option<PathBuf>,
    /// The root below which the host's own configuration is looked up; `/` but in tests.
    pub system: PathBuf,
}

impl Environment {
    /// As the process finds it. `HARDPAN_SYSTEM_ROOT` moves the system root, for tests and chroots.
    pub fn of_process() -> Self {
        let home = variable("HOME").map(PathBuf::from);
        let folder = |name, below: &str| {
            variable(name).map(PathBuf::from).or_else(|| Some(home.as_ref()?.join(below)))
        };
        Self {
            cache: folder("XDG_CACHE_HOME", ".cache"),
            config: folder("XDG_CONFIG_HOME", ".config"),
            data: folder("XDG_DATA_HOME", ".local/share"),
            system: variable("HARDPAN_SYSTEM_ROOT").map_or_else(|| PathBuf::from("/"), PathBuf::from),
        }
    }
}
