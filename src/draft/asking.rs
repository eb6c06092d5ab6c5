//! Asking a program for its version in the image, and giving it what it says that it misses.

use super::drafting::Drafting;
use super::outcome::Outcome;
use super::probe::{self, Worth};
use super::{complaint, scripts, words};
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
            let said = outcome.said.clone();
            let mut changed = self.heed(outcome, &finished, &said);
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

    /// Adds what the words of a program ask for, with what that needs in turn; whether there is anything.
    pub(super) fn heed(&self, outcome: &mut Outcome, finished: &Finished, said: &str) -> bool {
        let (world, known) = (&self.worlds[0], outcome.plan.more.clone());
        let mut again = false;
        for path in words::paths(said).into_iter().filter_map(|path| path.parse::<ImagePath>().ok()) {
            // It was left out because something was missing for it; now it is known that it is needed.
            if outcome.plan.without.remove(&(path.clone(), None)).is_some() {
                again |= outcome.plan.more.insert(path, "the program looks for it".to_owned()).is_none();
            }
        }
        again |= self.shell_behind(outcome, finished, said);
        let there = |path: &ImagePath| self.is_in(finished, path);
        let added = complaint::heed(world, &mut outcome.plan, said, &there);
        let more: Vec<ImagePath> =
            outcome.plan.more.keys().filter(|path| !known.contains_key(*path)).cloned().collect();
        for path in more {
            scripts::need(world, &self.subject, &path, &mut outcome.plan);
        }
        again | !added.is_empty()
    }

    /// Adds a shell where a script that is there can't be started for want of something: the program
    /// starts it through one.
    fn shell_behind(&self, outcome: &mut Outcome, finished: &Finished, said: &str) -> bool {
        let lines = said.lines().filter(|line| line.contains("o such file or directory"));
        let paths = lines.flat_map(words::paths).filter_map(|path| path.parse::<ImagePath>().ok());
        let script = paths.into_iter().find(|path| {
            let interpreter = self.worlds[0].interpreter(path);
            self.is_in(finished, path)
                && interpreter
                    .and_then(|interpreter| scripts::find_program(&self.worlds[0], &interpreter))
                    .is_some_and(|interpreter| self.is_in(finished, &interpreter))
        });
        let (Some(script), Some(shell)) = (script, scripts::find_program(&self.worlds[0], "sh")) else {
            return false;
        };
        let why = format!("{} starts {script} through a shell", outcome.program.path);
        outcome.plan.shell.get_or_insert_with(|| why.clone());
        outcome.plan.more.insert(shell, why).is_none()
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

    /// Whether an image has a file or link at a path.
    pub(super) fn is_in(&self, finished: &Finished, path: &ImagePath) -> bool {
        let inventories = finished.inventories(self.context).unwrap_or_default();
        inventories.iter().any(|one| one.files.contains_key(path) || one.links.contains_key(path))
    }
}
