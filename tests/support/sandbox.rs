//! A home of its own for each test, and hardpan run inside it.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, lchown};
use std::path::{Path, PathBuf};

use super::run::{Output, Run, Running};

/// The folders that a sandbox is made with.
const FOLDERS: [&str; 7] = ["work", "home", "cache", "config", "system", "store", "tmp"];

/// A folder with everything that hardpan may look at or write to, gone when dropped.
#[derive(Debug)]
pub struct Sandbox {
    folder: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

impl Sandbox {
    /// One with empty folders.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder for temporary files");
        // Tests that run as another user need to come through.
        let open = fs::Permissions::from_mode(0o755);
        fs::set_permissions(folder.path(), open).expect("our own folder");
        for name in FOLDERS {
            fs::create_dir(folder.path().join(name)).expect("a writable folder");
        }
        Self { folder, variables: Vec::new() }
    }

    /// The folder around all of them.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// A path in the folder where hardpan is run and recipes are written.
    pub fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root().join("work").join(relative)
    }

    /// `HARDPAN_STORE`.
    pub fn store(&self) -> PathBuf {
        self.root().join("store")
    }

    /// `HOME`.
    pub fn home(&self) -> PathBuf {
        self.root().join("home")
    }

    /// `XDG_CACHE_HOME`.
    pub fn cache(&self) -> PathBuf {
        self.root().join("cache")
    }

    /// `XDG_CONFIG_HOME`.
    pub fn config(&self) -> PathBuf {
        self.root().join("config")
    }

    /// `HARDPAN_SYSTEM_ROOT`: what hardpan takes for the host's own configuration.
    pub fn system(&self) -> PathBuf {
        self.root().join("system")
    }

    /// `TMPDIR`: whatever is left here was forgotten.
    pub fn tmp(&self) -> PathBuf {
        self.root().join("tmp")
    }

    /// Writes a file below the work folder, or at an absolute path, with the folders above it.
    pub fn write(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("below a root")).expect("a writable folder");
        fs::write(&path, content).expect("a writable folder");
        path
    }

    /// The bytes of a file below the work folder, or at an absolute path.
    pub fn read(&self, path: impl AsRef<Path>) -> Vec<u8> {
        let path = self.path(path);
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The text of a file below the work folder, or at an absolute path.
    pub fn text(&self, path: impl AsRef<Path>) -> String {
        String::from_utf8(self.read(path)).expect("text")
    }

    /// Sets a variable for every run from now on.
    pub fn env(&mut self, name: &str, value: impl Into<String>) -> &mut Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// Gives the sandbox and all that is in it to another user, for runs as that user.
    pub fn give_to(&self, uid: u32) {
        give(self.root(), uid);
    }

    /// Runs hardpan to its end.
    pub fn hardpan(&self, arguments: &[&str]) -> Output {
        self.run(arguments).output()
    }

    /// Starts hardpan, for tests that end it before its time.
    pub fn spawn(&self, arguments: &[&str]) -> Running {
        self.run(arguments).spawn()
    }

    /// A run of hardpan to be described further.
    pub fn run(&self, arguments: &[&str]) -> Run {
        self.run_program(env!("CARGO_BIN_EXE_hardpan"), arguments)
    }

    /// A run of another program in the same surroundings.
    pub fn run_program(&self, program: &str, arguments: &[&str]) -> Run {
        let mut run = Run::new(program, arguments).cwd(self.path(""));
        let folders = [
            ("HOME", self.home()),
            ("XDG_CACHE_HOME", self.cache()),
            ("XDG_CONFIG_HOME", self.config()),
            ("HARDPAN_SYSTEM_ROOT", self.system()),
            ("HARDPAN_STORE", self.store()),
            ("TMPDIR", self.tmp()),
        ];
        for (name, folder) in folders {
            run = run.env(name, folder.to_str().expect("a path in UTF-8"));
        }
        run = run.env("PATH", "/usr/local/bin:/usr/bin:/bin").env("HARDPAN_TIMEOUT", "2");
        self.variables.iter().fold(run, |run, (name, value)| run.env(name, value))
    }
}

fn give(path: &Path, uid: u32) {
    lchown(path, Some(uid), Some(uid)).expect("a test that runs as root");
    if path.is_dir() && !path.is_symlink() {
        for entry in fs::read_dir(path).expect("readable") {
            give(&entry.expect("readable").path(), uid);
        }
    }
}
