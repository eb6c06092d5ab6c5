//! Other people's tools, driven by the tests: a missing one is a failure, never a silent skip.
#![allow(clippy::disallowed_methods, dead_code, unused_imports)]

pub mod cosign;
mod docker;
pub mod registry;
pub mod sboms;
pub mod scanners;
pub mod tools;

pub use docker::Docker;

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

/// A command of another program.
pub fn tool(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    command
}

/// The hardpan that is tried: `cargo xtask ci` names one that is compiled as people run it.
pub fn hardpan() -> String {
    std::env::var("HARDPAN_TRIED").unwrap_or_else(|_| env!("CARGO_BIN_EXE_hardpan").to_owned())
}

/// Runs a command, which must succeed: what it printed.
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} can't be run: {error}"));
    let (out, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{out}\n{said}", output.status);
    out.into_owned()
}

/// How folders here begin; the process that made it follows.
const PREFIX: &str = "hardpan-outside-";

/// A new folder. What is shared by the tests of a program is never dropped, and a program may be killed:
/// what those left that are gone is removed here.
fn folder() -> tempfile::TempDir {
    for entry in std::fs::read_dir(std::env::temp_dir()).expect("a folder").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let process = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
        if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
    let prefix = format!("{PREFIX}{}-", std::process::id());
    tempfile::Builder::new().prefix(&prefix).tempdir().expect("a folder")
}

/// A folder with a copy of the catalog's recipes and their locks, and a store.
pub struct Workshop {
    folder: tempfile::TempDir,
    store: PathBuf,
    count: AtomicU32,
}

impl Workshop {
    /// One with a store of its own.
    pub fn new() -> Self {
        let folder = folder();
        let store = folder.path().join("store");
        Self::in_folder(folder, store)
    }

    /// One with the store of another, which is opened to every user.
    pub fn with_store_of(other: &Self) -> Self {
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(other.folder.path(), open).expect("ours");
        let folder = folder();
        let store = folder.path().join("store");
        run(tool("cp", &["-a"]).arg(&other.store).arg(&store));
        Self::in_folder(folder, store)
    }

    fn in_folder(folder: tempfile::TempDir, store: PathBuf) -> Self {
        let recipes = Path::new(env!("CARGO_MANIFEST_DIR")).join("recipes");
        run(tool("cp", &["-r"]).arg(recipes).arg(folder.path().join("recipes")));
        Self { folder, store, count: AtomicU32::new(0) }
    }

    /// Removes what the store has that was worked out from its blobs: layers are packed anew from packages.
    pub fn forget(&self) {
        std::fs::remove_dir_all(self.store.join("derived")).expect("ours");
    }

    /// A path in the folder.
    pub fn path(&self, relative: &str) -> String {
        self.folder.path().join(relative).display().to_string()
    }

    /// skopeo's name for an image in the folder.
    pub fn oci(&self, image: &str) -> String {
        format!("oci:{}", self.path(image))
    }

    /// Runs hardpan in the folder, which must succeed: what it printed.
    pub fn hardpan(&self, arguments: &[&str]) -> String {
        run(&mut self.command(arguments))
    }

    /// Runs hardpan in the folder, however it ends.
    pub fn try_hardpan(&self, arguments: &[&str]) -> std::process::Output {
        self.command(arguments).output().expect("hardpan runs")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = tool(&hardpan(), arguments);
        command.current_dir(self.folder.path()).env("HARDPAN_STORE", &self.store);
        command
    }

    /// Runs a command in the folder as another user, to whom all of it is given.
    pub fn run_as(&self, uid: u32, mut command: Command) -> String {
        run(tool("chown", &["-R", &uid.to_string()]).arg(self.folder.path()));
        command
            .current_dir(self.folder.path())
            .env("HARDPAN_STORE", &self.store)
            .env("HOME", self.folder.path());
        run(command.stdin(Stdio::null()).uid(uid).gid(uid))
    }

    /// A bundle that umoci unpacked from one platform of an image.
    pub fn unpacked(&self, image: &str, platform: &str) -> PathBuf {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let one = self.path(&format!("one-{number}"));
        run(&mut tool(
            "skopeo",
            &["--override-arch", platform, "copy", "-q", &self.oci(image), &format!("oci:{one}:x")],
        ));
        let bundle = self.folder.path().join(format!("bundle-{number}"));
        run(tool("umoci", &["unpack", "--image", &format!("{one}:x")]).arg(&bundle));
        bundle
    }

    /// The same, made to run `arguments` with a read-only root, no capability and no terminal.
    pub fn bundle(&self, image: &str, arguments: &[&str]) -> PathBuf {
        let bundle = self.unpacked(image, "amd64");
        let path = bundle.join("config.json");
        let mut config: Value =
            serde_json::from_slice(&std::fs::read(&path).expect("umoci wrote it")).expect("JSON");
        config["process"]["terminal"] = false.into();
        config["process"]["args"] = arguments.into();
        config["root"]["readonly"] = true.into();
        for set in config["process"]["capabilities"].as_object_mut().expect("sets").values_mut() {
            *set = Value::Array(Vec::new());
        }
        std::fs::write(&path, config.to_string()).expect("ours");
        bundle
    }

    /// Runs a bundle: what it printed.
    pub fn runc(&self, bundle: &Path) -> String {
        let id = format!("hardpan-{}-{}", std::process::id(), self.count.fetch_add(1, Ordering::Relaxed));
        run(tool("runc", &["--root", &self.path("runc"), "run", "--bundle"]).arg(bundle).arg(id))
    }
}

/// The bytes of all layers in a layout.
pub fn read_layers(layout: &Path) -> Vec<Vec<u8>> {
    let blobs = std::fs::read_dir(layout.join("blobs/sha256")).expect("a layout");
    let blobs = blobs.map(|blob| std::fs::read(blob.expect("listed").path()).expect("readable"));
    blobs.filter(|bytes| !bytes.starts_with(b"{")).collect()
}
