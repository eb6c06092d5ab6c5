//! Environment variables and the folders that they name.

use std::path::PathBuf;

/// An environment variable that is set, not empty, and UTF-8.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Where this user's and this host's things are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// The user's cache folder (XDG base directory specification, `XDG_CACHE_HOME`).
    pub cache: PathBuf,
    /// The user's configuration folder (`XDG_CONFIG_HOME`).
    pub config: PathBuf,
    /// The root below which the host's own configuration is looked up; `/` but in tests.
    pub system: PathBuf,
}

impl Environment {
    /// As the process finds it. `HARDPAN_SYSTEM_ROOT` moves the system root, for tests and chroots.
    pub fn of_process() -> Self {
        let home = variable("HOME").map_or_else(std::env::temp_dir, PathBuf::from);
        let folder = |name, below: &str| variable(name).map_or_else(|| home.join(below), PathBuf::from);
        Self {
            cache: folder("XDG_CACHE_HOME", ".cache"),
            config: folder("XDG_CONFIG_HOME", ".config"),
            system: variable("HARDPAN_SYSTEM_ROOT").map_or_else(|| PathBuf::from("/"), PathBuf::from),
        }
    }
}
