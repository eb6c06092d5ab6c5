//! A run: all tests of an image, one after the other.

use std::collections::BTreeMap;
use std::path::Path;

use super::attendant;
use super::foreign::{Emulation, emulation};
use super::ground;
use super::hall::Hall;
use super::outcome::{Outcome, Verdict};
use super::room;
use super::runtime::{Runtime, not_isolated};
use crate::diag::{Failure, Problem, Result, codes};
use crate::host;
use crate::ident::RecipeName;
use crate::image::{Image, OpenPlatform};
use crate::recipe::TestSpec;

/// How many failed tests a problem names.
const SHOWN: usize = 5;

/// An image and the platform of it that is run.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// The image.
    pub image: &'a Image,
    /// Its platform.
    pub platform: &'a OpenPlatform,
}

/// What is to be tried.
pub struct Trial<'a> {
    /// What is tested.
    pub part: Part<'a>,
    /// The tests.
    pub tests: &'a [TestSpec],
    /// Other images that tests run things in.
    pub others: BTreeMap<RecipeName, Part<'a>>,
    /// The recipe's folder, if it is known.
    pub recipe: Option<&'a Path>,
    /// Where containers are made; only runs of tests put anything there.
    pub home: &'a Path,
    /// Who makes them, if somebody was named.
    pub runtime: Option<&'a str>,
    /// Whether this is root of the machine.
    pub root: bool,
}

/// How far containers were kept apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Isolation {
    /// What was enforced, in words.
    pub enforced: Vec<String>,
    /// What was not, and why.
    pub missing: Vec<String>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Results {
    /// Test by test.
    pub outcomes: Vec<Outcome>,
    /// How far containers were kept apart.
    pub isolation: Isolation,
    /// Who made the containers; `None` where there were none.
    pub runtime: Option<String>,
}

impl Results {
    /// How many came to this.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.outcomes.iter().filter(|one| one.verdict == verdict).count()
    }

    /// A problem if a test failed: with the image, or with the machine if it alone is to blame.
    pub fn check(&self, name: &str) -> Result<()> {
        let failed: Vec<&Outcome> =
            self.outcomes.iter().filter(|one| one.verdict == Verdict::Failed).collect();
        let Some(first) = failed.first() else { return Ok(()) };
        let machine = |one: &&Outcome| one.mismatches.iter().any(|mismatch| mismatch.machine);
        let why = first.mismatches.first().map(|mismatch| mismatch.found.clone()).unwrap_or_default();
        if failed.iter().all(machine) {
            return Err(not_isolated("no container can be made on this machine", plain(&why)).into());
        }
        let what = format!("{} of {} tests of `{name}` failed", failed.len(), self.outcomes.len());
        let mut problem = Problem::new(codes::TEST_FAILED, what);
        for one in failed.iter().take(SHOWN) {
            let line = one.mismatches.first().map(super::outcome::Mismatch::line).unwrap_or_default();
            problem = problem.found(plain(&format!("{}: {line}", one.name)));
        }
        if failed.len() > SHOWN {
            problem = problem.found(format!("{} more", failed.len() - SHOWN));
        }
        Err(Failure::from(problem))
    }
}

/// Text of others on one line, without what a terminal would obey.
fn plain(text: &str) -> String {
    let letters = text.chars().flat_map(|letter| {
        let spelled: Vec<char> =
            if letter.is_control() { letter.escape_default().collect() } else { vec![letter] };
        spelled
    });
    letters.collect()
}

/// Makes an ordinary user root of a user name space of its own, for all that follows; whether this is
/// root of the machine. Nothing may have started a thread before.
pub fn become_root() -> Result<bool> {
    if host::is_root() {
        return Ok(!host::in_user_space());
    }
    host::become_own_root().map(|()| false).map_err(|error| {
        not_isolated("containers need root, or a user name space, and the kernel gives this user none", error)
            .into()
    })
}

/// Makes sure that there is what makes containers: the runtime that was named, else one that is known.
pub fn ready(runtime: Option<&str>, root: bool) -> Result<()> {
    Runtime::find(runtime, root).map(drop)
}

/// Runs all tests, and tells each outcome as it comes.
pub fn run(trial: &Trial, mut tell: impl FnMut(&Outcome)) -> Result<Results> {
    if let Emulation::Impossible(why) = emulation(&trial.part.platform.platform) {
        let outcomes: Vec<Outcome> =
            trial.tests.iter().map(|test| Outcome::untested(&test.name, &why)).collect();
        outcomes.iter().for_each(tell);
        return Ok(Results { outcomes, isolation: Isolation::default(), runtime: None });
    }
    let runtime = Runtime::find(trial.runtime, trial.root)?;
    let mut hall = Hall::open(trial.home, &runtime)?;
    hall.unpack(None, trial.part.image, trial.part.platform)?;
    for (name, part) in &trial.others {
        hall.unpack(Some(name), part.image, part.platform)?;
    }
    let mut outcomes = Vec::new();
    for test in trial.tests {
        let outcome = room::run(&mut hall, test, trial.recipe)?;
        tell(&outcome);
        outcomes.push(outcome);
    }
    Ok(Results { outcomes, isolation: isolation(&hall), runtime: Some(runtime.version) })
}

fn isolation(hall: &Hall) -> Isolation {
    let powers = hall.powers;
    let mut enforced: Vec<String> = ["read-only root", "no capabilities", "no new privileges", "time limits"]
        .map(ToOwned::to_owned)
        .into();
    let mut missing = Vec::new();
    if powers.seccomp {
        enforced.push("filtered system calls".to_owned());
    } else {
        missing.push("system calls are not filtered: the runtime was built without seccomp".to_owned());
    }
    if powers.cgroups {
        enforced.push("memory and processes limited by cgroups".to_owned());
    } else {
        let why =
            if powers.root { "this machine has no cgroups to give" } else { "only root has cgroups here" };
        missing.push(format!("memory is watched, and not limited by the kernel: {why}"));
    }
    if !powers.root {
        missing
            .push("all files belong to the test's user: there is only one in a user name space".to_owned());
    }
    Isolation { enforced, missing }
}

/// What this program does as a helper of a run; whether there is such a role.
pub fn attend(role: &str, argument: &str) -> bool {
    match (role, argument) {
        ("guard", folder) => ground::guard(Path::new(folder)),
        ("network", "own") => attendant::attend(true),
        ("network", "host") => attendant::attend(false),
        _ => return false,
    }
    true
}
