//! Programs that are started, and what is said when they fail.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Cargo, in a folder, free of what `cargo run` told this program about itself.
pub fn cargo(folder: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(folder).stdin(Stdio::null());
    // Build scripts ask to be run again when these change, so they would rebuild half the world.
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(about_this_package) {
            command.env_remove(name);
        }
    }
    command
}

/// hardpan, compiled as people run it, from the repository at `root`.
pub fn released(root: &Path) -> Result<PathBuf, String> {
    let target = ["--locked", "--package", "hardpan", "--bin", "hardpan"];
    show_and_run(cargo(root).args(["build", "--release"]).args(target))?;
    let folder = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    Ok(root.join(folder).join("release/hardpan"))
}

fn about_this_package(variable: &str) -> bool {
    let prefixes = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"];
    prefixes.iter().any(|prefix| variable.starts_with(prefix)) || variable == "CARGO_PRIMARY_PACKAGE"
}

/// Any other program, without a terminal to ask.
pub fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command.stdin(Stdio::null());
    command
}

/// Runs a command with its output in view; `Err` says how it ended.
pub fn run(command: &mut Command) -> Result<(), String> {
    let name = name(command);
    let status = command.status().map_err(|error| format!("`{name}` did not start: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{name}` ended with {status}")) }
}

/// Shows a command, then runs it.
pub fn show_and_run(command: &mut Command) -> Result<(), String> {
    println!("    {}", line(command));
    run(command)
}

/// A command as one would type it.
fn line(command: &Command) -> String {
    let arguments = command.get_args().map(|word| word.to_string_lossy().into_owned());
    std::iter::once(name(command)).chain(arguments).collect::<Vec<_>>().join(" ")
}

/// What a command's program is called, without its folder.
pub fn name(command: &Command) -> String {
    let program = Path::new(command.get_program());
    program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned()
}

/// Where a program is: in `PATH`, or in the folders of the system that a user's `PATH` often lacks.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(system).map(|folder| folder.join(name)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_other_than_success_is_said_with_the_programs_name() {
        assert_eq!(run(&mut program("true")), Ok(()));
        let why = run(program("sh").args(["-c", "exit 7"])).expect_err("failed");
        assert!(why.contains("`sh`") && why.contains('7'), "{why}");
        assert!(run(&mut program("no-such-program")).expect_err("failed").contains("did not start"));
    }

    #[test]
    fn a_program_is_found_by_its_name() {
        assert!(find("sh").is_some());
        assert_eq!(find("no-such-program"), None);
    }

    #[test]
    fn what_cargo_says_of_this_package_is_not_passed_on() {
        assert!(about_this_package("CARGO_PKG_VERSION") && about_this_package("CARGO_MANIFEST_DIR"));
        assert!(!about_this_package("CARGO_HOME") && !about_this_package("CARGO_TARGET_DIR"));
    }
}
