//! `cargo xtask ci`: all that must hold before a change is taken, cheapest first.
//!
//! The first step that fails ends the run, and the last line names it. What a machine can't do is
//! left out only where nobody counts on it: under `CI`, it is a failure.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::process::{cargo, released, show_and_run};
use crate::{tidy, tools};

/// How a step that did not fail ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// All of it was done.
    Done,
    /// It was not done; this is why.
    LeftOut(String),
}

type Step = (&'static str, fn(&Path) -> Result<Ended, String>);

const STEPS: [Step; 6] = [
    ("format", format),
    ("clippy", clippy),
    ("tidy", |root| tidy::run(root).map(|()| Ended::Done)),
    ("deny", deny),
    ("test", test),
    ("outside", outside),
];

/// Runs all steps in the repository at `root`.
pub fn run(root: &Path) -> Result<(), String> {
    run_steps(root, &STEPS).map(|summary| println!("{summary}"))
}

/// `Ok` is the last line of a good run, `Err` that of a bad one.
fn run_steps(root: &Path, steps: &[Step]) -> Result<String, String> {
    let begin = Instant::now();
    let mut told = Vec::new();
    for (number, (name, step)) in steps.iter().enumerate() {
        println!("\n==> {}/{} {name}", number + 1, steps.len());
        let begin = Instant::now();
        let ended = step(root).map_err(|why| format!("\nci failed in the step `{name}`: {why}"))?;
        told.push(match ended {
            Ended::Done => format!("{name} {}", seconds(begin.elapsed())),
            Ended::LeftOut(why) => {
                println!("    left out: {why}");
                format!("{name} LEFT OUT")
            }
        });
    }
    Ok(format!("\nci passed in {}: {}", seconds(begin.elapsed()), told.join(", ")))
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

/// Whether someone counts on this run being whole.
fn counted_on() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}

fn step(root: &Path, arguments: &[&str]) -> Result<Ended, String> {
    show_and_run(cargo(root).args(arguments)).map(|()| Ended::Done)
}

fn format(root: &Path) -> Result<Ended, String> {
    step(root, &["fmt", "--all", "--check"])
}

/// With the benchmark, which nothing else compiles.
fn clippy(root: &Path) -> Result<Ended, String> {
    let target = ["clippy", "--workspace", "--all-targets", "--features", "xtask/bench"];
    step(root, &[&target[..], &["--locked", "--", "-D", "warnings"]].concat())
}

fn test(root: &Path) -> Result<Ended, String> {
    step(root, &["test", "--workspace", "--features", "xtask/bench", "--locked"])
}

/// Licences, duplicates and origins; advisories need a network and are looked at elsewhere.
fn deny(root: &Path) -> Result<Ended, String> {
    let program = tools::cargo_deny()?;
    // Even crates for other systems must be here, or cargo's graph is not to be had offline.
    step(root, &["fetch", "--locked"])?;
    let mut command = crate::process::program(program);
    command.current_dir(root).args(["--offline", "--locked", "check", "licenses", "bans", "sources"]);
    show_and_run(&mut command).map(|()| Ended::Done)
}

/// The tests that ask programs of others what they make of our images. One at a time: they start
/// daemons and containers.
fn outside(root: &Path) -> Result<Ended, String> {
    let tests = outside_tests(root)?;
    if tests.is_empty() {
        return Ok(Ended::LeftOut("there is no tests/outside*.rs".to_owned()));
    }
    if let Err(why) = tools::outside_programs() {
        let why = format!("{why}; needed by {}", tests.join(", "));
        return if counted_on() { Err(why) } else { Ok(Ended::LeftOut(why)) };
    }
    let mut command = cargo(root);
    command.args([
        "test",
        "--locked",
        "--no-fail-fast",
        "--test",
        "outside*",
        "--",
        "--include-ignored",
        "--test-threads=1",
    ]);
    // They build whole catalogs: by the program as people run it.
    command.env("HARDPAN_OUTSIDE", "1").env("HARDPAN_TRIED", released(root)?);
    show_and_run(&mut command)?;
    // One test of keyless signing asks cosign too; the services that it takes are those of its neighbours.
    step(root, &["test", "--locked", "--test", "keyless", "outside::", "--", "--ignored"])
}

fn outside_tests(root: &Path) -> Result<Vec<String>, String> {
    let tests = root.join("tests");
    let failed = |error| format!("`{}` can't be listed: {error}", tests.display());
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&tests).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
        if name.starts_with("outside") && Path::new(&name).extension().is_some_and(|end| end == "rs") {
            names.push(format!("tests/{name}"));
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: Step = ("one", |_| Ok(Ended::Done));

    #[test]
    fn the_last_line_of_a_good_run_names_every_step() {
        let absent: Step = ("two", |_| Ok(Ended::LeftOut("no docker".to_owned())));
        let line = run_steps(Path::new("."), &[GOOD, absent]).expect("passed");
        assert!(line.contains("one 0.0 s, two LEFT OUT"), "{line}");
    }

    #[test]
    fn the_first_failure_ends_the_run_and_is_named() {
        let bad: Step = ("two", |_| Err("two tests failed".to_owned()));
        let never: Step = ("three", |_| panic!("a step after a failed one"));
        let why = run_steps(Path::new("."), &[GOOD, bad, never]).expect_err("failed");
        assert_eq!(why, "\nci failed in the step `two`: two tests failed");
    }

    #[test]
    fn tests_of_the_outside_are_found_by_their_names() {
        let folder = std::env::temp_dir().join(format!("xtask-outside-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("tests")).expect("made");
        for name in ["outside_docker.rs", "outside.txt", "build.rs"] {
            std::fs::write(folder.join("tests").join(name), "").expect("written");
        }
        let found = outside_tests(&folder);
        std::fs::remove_dir_all(&folder).expect("removed");
        assert_eq!(found.as_deref(), Ok(&["tests/outside_docker.rs".to_owned()][..]));
    }
}
