//! What the archive has of a package and of all that it depends on, on the platforms that have it.

use super::bench::Bench;
use super::foundation::exploring;
use super::world::World;
use super::{Foundation, Wish};
use crate::diag::{Failure, Problem, Result, codes};
use crate::ident::Platform;

/// Packages that are on every Debian system, so that nothing says that it depends on them.
const ESSENTIAL: &[&str] = &[
    "bash",
    "coreutils",
    "dash",
    "debianutils",
    "diffutils",
    "findutils",
    "grep",
    "gzip",
    "hostname",
    "libc-bin",
    "mawk",
    "ncurses-bin",
    "perl-base",
    "sed",
    "tar",
    "util-linux",
];

/// The packages on all platforms that have them, with those that are on every system: scripts need
/// these, and what a draft does not need is not in its lock. Archives other than Debian's lack them.
pub(super) fn explore(bench: &Bench, wish: &Wish, foundation: &Foundation) -> Result<Vec<World>> {
    let attempt =
        |platforms: &[Platform], more: &[&str]| bench.worlds(&exploring(wish, platforms, more), platforms);
    let all = &foundation.platforms;
    let lacks = |failure: &Failure| failure.is(codes::UNKNOWN_PACKAGE) || failure.is(codes::UNSATISFIABLE);
    let failure = match attempt(all, ESSENTIAL) {
        Err(failure) if lacks(&failure) => failure,
        outcome => return outcome,
    };
    // Perhaps one of the platforms lacks it.
    let alone =
        |platform: &Platform| attempt(&[*platform], ESSENTIAL).or_else(|_| attempt(&[*platform], &[])).ok();
    let one = || all.iter().filter(|_| all.len() > 1).find_map(alone);
    let is_asked = |problem: &Problem| problem.message.contains(&format!("`{}`", wish.package));
    if failure.problems().iter().all(is_asked) {
        return one().ok_or_else(|| unnamed(failure));
    }
    match attempt(all, &[]) {
        Err(failure) if lacks(&failure) => one().ok_or_else(|| unnamed(failure)),
        outcome => outcome,
    }
}

/// The problems without their places: what was looked at is a recipe that nobody wrote.
fn unnamed(failure: Failure) -> Failure {
    let mut problems = failure.into_problems();
    for problem in &mut problems {
        problem.place = None;
    }
    problems.dedup_by(|one, other| one.help == other.help);
    Failure::check(problems).expect_err("there was one")
}
