//! Drafts of real packages from Debian's archive: each is built as it was written, and passes its own tests
//! in runc. `cargo xtask ci` runs what is ignored here.

#![allow(clippy::disallowed_methods)] // tests are their own host

use std::path::{Path, PathBuf};
use std::process::Command;

/// Small packages: three tools, and servers of HTTP, DNS, and protocols of their own.
const PACKAGES: [(&str, Option<&str>); 7] = [
    ("jq", None),
    ("sqlite3", None),
    ("tree", None),
    ("tinyproxy", Some("answers by HTTP")),
    ("dnsmasq", Some("answers")),
    ("beanstalkd", Some("answers")),
    ("redis", Some("answers")),
];

/// A folder that goes with its owner.
struct Bench(PathBuf);

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Bench {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("hardpan-drafts-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        for name in ["static", "base"] {
            for ending in ["toml", "lock"] {
                let file = format!("{name}.{ending}");
                let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("recipes").join(&file);
                std::fs::copy(from, folder.join(file)).expect("a recipe of the catalog");
            }
        }
        Self(folder)
    }

    /// Runs hardpan with the user's own store; what it said must be a success.
    fn run(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hardpan"));
        let output = command.args(arguments).current_dir(&self.0).output().expect("hardpan starts");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {said}");
        said
    }
}

#[test]
#[ignore = "needs Debian's archive and runc"]
fn real_packages_are_drafted_built_and_pass_their_tests() {
    let bench = Bench::new();
    for (package, serves) in PACKAGES {
        let file = format!("{package}.toml");
        bench.run(&["new", "--from-package", package, "--out", &file]);
        bench.run(&["build", &file, "--no-attest", "--out", "image"]);
        bench.run(&["test", "image", "--recipe", &file]);
        let text = std::fs::read_to_string(bench.0.join(&file)).expect("the recipe");
        assert!(text.contains("says its version"), "{text}");
        if let Some(serves) = serves {
            assert!(text.contains(&format!("comes up and {serves} on port")), "{text}");
        }
        std::fs::remove_dir_all(bench.0.join("image")).expect("the image");
    }
}
