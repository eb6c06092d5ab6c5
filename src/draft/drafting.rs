//! Drafting: look, plan, build, repair, try; until the draft works or nothing more can be done.

use super::bench::Bench;
use super::compose::{self, Parts};
use super::exploring::explore;
use super::outcome::Outcome;
use super::plan::{Plan, Selection, select};
use super::probe::{Prober, Worth};
use super::program::{self, Program};
use super::repair::{self, Patient};
use super::service;
use super::subject::Subject;
use super::world::World;
use super::{Draft, Foundation, State, Wish, scripts, write};
use crate::diag::{Failure, Problem, Result, codes};
use crate::ident::{ImagePath, Platform};
use crate::pipeline::{Context, Finished};

/// Builds of one plan before it is given up.
const MAX_ROUNDS: usize = 12;

/// Drafts a recipe.
pub fn draft(context: &Context, wish: &Wish, prober: Option<&dyn Prober>) -> Result<Draft> {
    let bench = Bench::new(context, &wish.folder)?;
    let foundation = Foundation::of(wish)?;
    let worlds = explore(&bench, wish, &foundation)?;
    let subject = Subject::of(&worlds[0], &wish.package);
    let programs = program::candidates(&worlds[0], &subject);
    if programs.is_empty() {
        return Err(no_program(wish, &subject).into());
    }
    let drafting = Drafting { context, wish, prober, bench, foundation, worlds, subject };
    let mut best: Option<Outcome> = None;
    for program in programs {
        let outcome = drafting.attempt(program)?;
        let enough = outcome.is_enough();
        if best.as_ref().is_none_or(|best| outcome.rank() > best.rank()) {
            best = Some(outcome);
        }
        if enough {
            break;
        }
    }
    drafting.finish(best.expect("there is a program"))
}

fn no_program(wish: &Wish, subject: &Subject) -> Problem {
    let what = format!("package `{}` holds no program", wish.package);
    let problem = Problem::new(codes::NO_PROGRAM, what);
    let problem = subject.steps.iter().fold(problem, |problem, step| problem.fact("looked", step));
    problem.help(format!(
        "name the package with the program; a library such as `{}` comes with what needs it",
        wish.package
    ))
}

/// What all attempts share.
pub(super) struct Drafting<'a> {
    pub(super) context: &'a Context,
    pub(super) wish: &'a Wish,
    pub(super) prober: Option<&'a dyn Prober>,
    pub(super) bench: Bench<'a>,
    pub(super) foundation: Foundation,
    pub(super) worlds: Vec<World>,
    pub(super) subject: Subject,
}

impl Drafting<'_> {
    /// Plans for a program, builds and tries.
    fn attempt(&self, program: Program) -> Result<Outcome> {
        self.context.progress.say("Trying", &format!("{}: {}", program.path, program.why));
        let mut plan = Plan::default();
        scripts::prepare(&self.worlds[0], &self.subject, &program, &mut plan);
        let service = service::look(&self.worlds[0], &self.subject, &program);
        let mut outcome = Outcome::begin(program, plan, service);
        let here = [self.worlds[0].platform];
        let Some(finished) = self.settle(&mut outcome, &here)? else { return Ok(outcome) };
        let mut finished = Some(finished);
        if self.add_data(&mut outcome, finished.as_ref().expect("built")) {
            finished = self.settle(&mut outcome, &here)?;
        }
        if let Some(finished) = finished {
            let finished = self.ask(&mut outcome, finished)?;
            self.serve(&mut outcome, finished)?;
        }
        Ok(outcome)
    }

    fn text(&self, outcome: &Outcome, remarks: Vec<String>) -> String {
        write::write(&compose::sheet(&Parts {
            wish: self.wish,
            foundation: &self.foundation,
            worlds: &self.worlds,
            subject: &self.subject,
            program: &outcome.program,
            plan: &outcome.plan,
            service: &outcome.service,
            answer: outcome.answer.as_ref(),
            serving: outcome.serving.as_ref(),
            silence: outcome.silence.as_deref(),
            remarks,
        }))
    }

    /// Builds and repairs until it builds; `None`, with the problems in the outcome, if it can't be.
    pub(super) fn settle(&self, outcome: &mut Outcome, platforms: &[Platform]) -> Result<Option<Finished>> {
        for _ in 0..MAX_ROUNDS {
            outcome.problems.clear();
            let text = self.text(outcome, Vec::new());
            let failure = match self.bench.build(&text, platforms) {
                Ok(finished) => return Ok(Some(finished)),
                Err(failure) => failure,
            };
            if !is_of_the_draft(&failure) {
                return Err(failure);
            }
            let selection = self.selection(outcome);
            let steps = self.worlds[0].follow(outcome.program.path.as_str()).unwrap_or_default();
            let is_elf = |path: &ImagePath| self.worlds[0].is_elf(path);
            let patient =
                Patient { selection: &selection, program: &steps, main: &self.subject.main, is_elf: &is_elf };
            let mut changed = false;
            for problem in failure.problems() {
                changed |= repair::repair(&mut outcome.plan, &patient, problem);
            }
            outcome.problems = failure.into_problems();
            if !changed {
                break;
            }
        }
        Ok(None)
    }

    fn selection(&self, outcome: &Outcome) -> Selection {
        let mut all = Selection::new();
        for world in &self.worlds {
            for (name, part) in select(world, &self.subject, &outcome.program, &outcome.plan) {
                let known = all.entry(name).or_default();
                known.wanted.extend(part.wanted);
                known.why = part.why;
            }
        }
        all
    }

    /// Builds on all platforms; on this machine's alone, if another can't be had.
    fn everywhere(&mut self, outcome: &mut Outcome) -> Result<Option<Finished>> {
        let platforms: Vec<Platform> = self.worlds.iter().map(|world| world.platform).collect();
        if let Some(finished) = self.settle(outcome, &platforms)? {
            return Ok(Some(finished));
        }
        if self.worlds.len() == 1 {
            return Ok(None);
        }
        // Better one platform that works than two that don't.
        let problems = outcome.problems.clone();
        self.worlds.truncate(1);
        let finished = self.settle(outcome, &platforms[..1])?;
        if finished.is_none() {
            outcome.problems = problems;
        }
        Ok(finished)
    }

    /// Runs the draft's own tests; whether one of them failed although the server's was taken away.
    fn verify(&self, outcome: &mut Outcome, finished: Option<&Finished>) -> Result<bool> {
        let (Some(prober), Some(finished)) = (self.prober, finished) else { return Ok(false) };
        let Some(failed) = prober.failing(self.context, self.bench.path(), finished)? else {
            return Ok(false);
        };
        if failed.is_empty() || outcome.serving.is_none() {
            return Ok(!failed.is_empty());
        }
        outcome.serving = None;
        outcome.silence = Some("it answered once, and did not when it was tried again".to_owned());
        let platforms: Vec<Platform> = self.worlds.iter().map(|world| world.platform).collect();
        let again = self.settle(outcome, &platforms)?;
        self.verify(outcome, again.as_ref())
    }

    /// Builds the best draft on all platforms, and writes it.
    fn finish(mut self, mut outcome: Outcome) -> Result<Draft> {
        let finished = if outcome.problems.is_empty() { self.everywhere(&mut outcome)? } else { None };
        let failed = self.verify(&mut outcome, finished.as_ref())?;
        let remarks = self.remarks(&outcome);
        let text = self.text(&outcome, remarks.clone());
        let state = match (&outcome.problems[..], &outcome.answer) {
            ([], _) if failed => State::Failing,
            ([], Some(answer)) if answer.worth > Worth::Nothing => State::Tried,
            ([], _) if outcome.serving.is_some() => State::Tried,
            ([], Some(_)) => State::Silent,
            ([], None) => State::Built,
            (problems, _) => State::Broken(problems.to_vec()),
        };
        let lock = if outcome.problems.is_empty() { self.bench.lock()? } else { None };
        let found = self.found(&outcome, remarks);
        Ok(Draft { text, lock, found, state })
    }
}

/// Whether a failure is about what the draft says, not about the machine, the network or the archive.
fn is_of_the_draft(failure: &Failure) -> bool {
    matches!(failure.exit_code(), 3 | 6)
}
