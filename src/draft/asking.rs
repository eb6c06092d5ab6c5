//! Asking a program for its version in the image, and giving it what it says that it misses.

use super::drafting::Drafting;
use super::outcome::Outcome;
use super::probe::{self, Worth};
use super::{complaint, scripts};
use crate::diag::Result;
use crate::ident::ImagePath;
use crate::pipeline::Finished;

/// Times that a program's complaints are heeded.
const MAX_COMPLAINTS: usize = 6;

impl Drafting<'_> {
    /// Asks the program for its version, and gives it what it says that it misses; the image that came of it.
    pub(super) fn ask(&self, outcome: &mut Outcome, mut finished: Finished) -> Result<Finished> {
        let Some(prober) = self.prober else { return Ok(finished) };
        let versions = self.versions();
        let versions: Vec<&str> = versions.iter().map(String::as_str).collect();
        let here = [self.worlds[0].platform];
        for _ in 0..MAX_COMPLAINTS {
            let commands = probe::questions(outcome.program.path.as_str());
            let Some(ran) = prober.ask(self.context, self.bench.path(), &finished, &commands)? else {
                return Ok(finished);
            };
            let said: Vec<String> = ran.iter().map(|ran| format!("{}\n{}", ran.stdout, ran.stderr)).collect();
            outcome.said = said.join("\n");
            let answer = probe::best(commands, ran, &versions);
            let worth = answer.as_ref().map_or(Worth::Nothing, |answer| answer.worth);
            if answer
                .as_ref()
                .is_some_and(|answer| outcome.answer.as_ref().is_none_or(|known| known.worth <= answer.worth))
            {
                outcome.answer = answer;
            }
            if worth == Worth::Version {
                return Ok(finished);
            }
            let there = |path: &ImagePath| is_in(&finished, path);
            let mut changed =
                !complaint::heed(&self.worlds[0], &mut outcome.plan, &outcome.said, &there).is_empty();
            if !changed && worth < Worth::Help {
                changed = scripts::embed(&self.worlds[0], &outcome.program, &mut outcome.plan).is_some();
            }
            if !changed {
                return Ok(finished);
            }
            let before = outcome.plan.clone();
            let Some(next) = self.settle(outcome, &here)? else {
                outcome.plan = before;
                outcome.problems.clear();
                return Ok(finished);
            };
            finished = next;
        }
        Ok(finished)
    }

    /// What the program may say as its version.
    fn versions(&self) -> Vec<String> {
        let world = &self.worlds[0];
        let all = self.subject.family.iter().filter_map(|name| world.package(name.as_str()));
        let mut versions: Vec<String> =
            all.map(|package| probe::said_version(package.version.upstream()).to_owned()).collect();
        versions.dedup();
        versions.retain(|version| !version.is_empty());
        versions
    }
}

/// Whether an image has a file or link at a path.
pub(super) fn is_in(finished: &Finished, path: &ImagePath) -> bool {
    finished.inventories.iter().any(|one| one.files.contains_key(path) || one.links.contains_key(path))
}
