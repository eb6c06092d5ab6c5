//! The verbs on the command line.
//!
//! What only `bench` needs (the library itself, codecs) is behind a feature, so that `ci` and `tidy`
//! build in a second and can say what is wrong even when the library does not compile.

mod sizes;

use std::path::Path;
use std::process::ExitCode;

use crate::{ci, tidy};

const USAGE: &str = "\
usage: cargo xtask VERB

  ci                 all that must hold before a change is taken; .ci/run calls it
  tidy               the rules of the house that no compiler knows
  sizes [--measure [IMAGE…]]
                     the README's table of the catalog; and what Debian's slim images would hold, made anew
  bench [--runs N]   medians against the floor and against mmdebstrap, as a table
";

/// Runs the verb that `arguments` name. A wrong command line is 2, anything else that fails is 1.
pub fn run(arguments: &[String]) -> ExitCode {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["ci"] => ci::run(root()),
        ["tidy"] => tidy::run(root()),
        ["sizes", ..] => sizes::run_sizes(root(), &words[1..]),
        ["bench", ..] => bench(&words[1..]),
        #[cfg(feature = "bench")]
        ["floor", folder] => crate::bench::floor(Path::new(folder)),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(feature = "bench")]
fn bench(arguments: &[&str]) -> Result<(), String> {
    crate::bench::run(root(), arguments)
}

/// Starts the same verb again in a program that is optimised and has it: the floor is computed in it.
#[cfg(not(feature = "bench"))]
fn bench(arguments: &[&str]) -> Result<(), String> {
    let mut command = crate::process::cargo(root());
    command.args([
        "run",
        "--quiet",
        "--release",
        "--locked",
        "--package",
        "xtask",
        "--features",
        "bench",
        "--",
    ]);
    command.arg("bench").args(arguments);
    crate::process::run(&mut command)
}

/// The repository's root.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder in the root")
}
