//! Where `cargo xtask ci` put the programs that no Debian package has.

#[path = "../../xtask/src/tools/places.rs"]
mod places;

use std::path::{Path, PathBuf};
use std::process::Command;

pub use places::{COSIGN_2, COSIGN_3, GoProgram, OSV_SCANNER, REGISTRY};

use super::tool;

/// A program that was built from its Go module.
pub fn built(program: GoProgram) -> PathBuf {
    there(&program.folder(), program.name)
}

/// A command of the Python environment: a program's text and its arguments.
pub fn python(code: &str, arguments: &[&str]) -> Command {
    let interpreter = there(&places::python_folder(), "bin/python");
    let mut command = tool(&interpreter.display().to_string(), &["-c", code]);
    command.args(arguments).env_remove("PYTHONPATH").env_remove("PYTHONHOME");
    command
}

fn there(folder: &str, program: &str) -> PathBuf {
    let path = places::folder().expect("a home").join(folder).join(program);
    assert!(Path::new(&path).is_file(), "{} is missing: `cargo xtask ci` installs it", path.display());
    path
}
