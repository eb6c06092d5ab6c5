//! The checker of licences, duplicates and origins.

use std::path::{Path, PathBuf};

use super::keep::kept;
use crate::process::{cargo, show_and_run};

/// The cargo-deny whose verdicts we rely on.
const CARGO_DENY: &str = "0.20.2";

/// Where cargo-deny is; it is built if it is not there yet.
pub fn cargo_deny() -> Result<PathBuf, String> {
    kept(&format!("cargo-deny-{CARGO_DENY}"), "bin/cargo-deny", |folder| {
        let mut install = cargo(Path::new("."));
        // Its objects are of no use to this project's own builds, whose folder this would be.
        install.env_remove("CARGO_TARGET_DIR");
        install.args(["install", "cargo-deny", "--version", CARGO_DENY, "--locked", "--root"]).arg(folder);
        show_and_run(&mut install)
    })
}
