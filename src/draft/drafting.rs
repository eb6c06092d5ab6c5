//! Drafting: look, plan, build, repair, try; until the draft works or nothing more can be done.

use super::bench::Bench;
use super::compose::{self, Parts};
use super::plan::{Plan, Selection, select};
use super::probe::{self, Answer, Prober, Worth};
use super::program::{self, Program};
use super::repair::{self, Patient};
use super::service::{self, Service};
use super::subject::Subject;
use super::world::{World, is_install_only, is_program};
use super::{Draft, Foundation, State, Wish, complaint, runtime, scripts, write};
use crate::diag::{Failure, Problem, Result, codes};
use crate::ident::{ImagePath, PackageName, Platform};
use crate::pipeline::{Context, Finished};
use crate::source::Kind;

/// Builds of one plan before it is given up.
const MAX_ROUNDS: usize = 12;

/// Times that a program's complaints are heeded.
const MAX_COMPLAINTS: usize = 6;

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
    let what = format!("package `{}` holds no program", subject.main);
    let problem = Problem::new(codes::NO_PROGRAM, what);
    let problem = subject.steps.iter().fold(problem, |problem, step| problem.fact("looked", step));
    problem.help(format!(
        "name the package with the program; a library such as `{}` comes with what needs it",
        wish.package
    ))
}

/// The packages on all platforms that have them, with those that are on every system: scripts need
/// these, and what a draft does not need is not in its lock. Archives other than Debian's lack them.
fn explore(bench: &Bench, wish: &Wish, foundation: &Foundation) -> Result<Vec<World>> {
    let attempt = |platforms: &[Platform], more: &[&str]| {
        bench.worlds(&foundation.exploring(wish, platforms, more), platforms)
    };
    let all = &foundation.platforms;
    let lacks = |failure: &Failure| failure.is(codes::UNKNOWN_PACKAGE) || failure.is(codes::UNSATISFIABLE);
    let failure = match attempt(all, ESSENTIAL) {
        Err(failure) if lacks(&failure) => failure,
        outcome => return outcome,
    };
    // Perhaps one of the platforms lacks it.
    let one = || all.iter().filter(|_| all.len() > 1).find_map(|platform| attempt(&[*platform], ESSENTIAL).ok());
    let is_asked = |problem: &Problem| problem.message.contains(&format!("`{}`", wish.package));
    if failure.problems().iter().all(is_asked) {
        return one().ok_or(failure);
    }
    match attempt(all, &[]) {
        Err(failure) if lacks(&failure) => one().ok_or(failure),
        outcome => outcome,
    }
}

/// What all attempts share.
struct Drafting<'a> {
    context: &'a Context,
    wish: &'a Wish,
    prober: Option<&'a dyn Prober>,
    bench: Bench<'a>,
    foundation: Foundation,
    worlds: Vec<World>,
    subject: Subject,
}

/// What came of one program.
struct Outcome {
    program: Program,
    plan: Plan,
    service: Service,
    /// The program's answer, if it was tried.
    answer: Option<Answer>,
    /// Why it does not build, if so.
    problems: Vec<Problem>,
}

impl Outcome {
    /// How good it is; a version that another program says is worth more than a name.
    fn rank(&self) -> (bool, bool, bool, Option<Worth>) {
        let worth = self.answer.as_ref().map(|answer| answer.worth);
        let says = worth.is_some_and(|worth| worth >= Worth::VersionBadly);
        let sure = self.program.sure && worth != Some(Worth::Nothing);
        (self.problems.is_empty(), says, sure, worth)
    }

    /// Whether no other program is tried: it works, or it is surely the one that is meant.
    fn is_enough(&self) -> bool {
        let worth = self.answer.as_ref().map(|answer| answer.worth);
        self.problems.is_empty()
            && worth.is_none_or(|worth| {
                worth >= Worth::VersionBadly || self.program.sure && worth >= Worth::Usage
            })
    }
}

impl Drafting<'_> {
    /// Plans for a program, builds and tries.
    fn attempt(&self, program: Program) -> Result<Outcome> {
        self.context.progress.say("Trying", &format!("{}: {}", program.path, program.why));
        let mut plan = Plan::default();
        scripts::prepare(&self.worlds[0], &self.subject, &program, &mut plan);
        let service = service::look(&self.worlds[0], &self.subject, &program);
        let mut outcome = Outcome { program, plan, service, answer: None, problems: Vec::new() };
        let here = [self.worlds[0].platform];
        let Some(finished) = self.settle(&mut outcome, &here)? else { return Ok(outcome) };
        let finished = if self.add_data(&mut outcome, &finished) {
            self.settle(&mut outcome, &here)?
        } else {
            Some(finished)
        };
        if let Some(finished) = finished {
            self.ask(&mut outcome, finished)?;
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
            remarks,
        }))
    }

    /// Builds and repairs until it builds; `None`, with the problems in the outcome, if it can't be.
    fn settle(&self, outcome: &mut Outcome, platforms: &[Platform]) -> Result<Option<Finished>> {
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

    /// Adds the data that packages of the image depend on; whether there is any.
    fn add_data(&self, outcome: &mut Outcome, finished: &Finished) -> bool {
        let world = &self.worlds[0];
        let before = outcome.plan.data.len();
        let mut queue: Vec<PackageName> = finished.built.packages.iter().flatten().cloned().collect();
        queue.extend(self.subject.family.iter().cloned());
        queue.push(self.subject.asked.clone());
        while let Some(name) = queue.pop() {
            if self.foundation.packages.contains(&name) {
                continue;
            }
            let own = self.subject.family.contains(&name) || name == self.subject.asked;
            let source = world.package(name.as_str()).map(|package| package.source());
            for needed in world.depends(name.as_str()) {
                let same = world.package(needed.as_str()).map(|package| package.source()) == source;
                if (own || same)
                    && is_data(world, needed)
                    && !self.foundation.packages.contains(needed)
                    && !self.subject.family.contains(needed)
                    && !outcome.plan.data.contains_key(needed)
                {
                    outcome.plan.data.insert(needed.clone(), format!("data that {name} depends on"));
                    queue.push(needed.clone());
                }
            }
        }
        outcome.plan.data.len() > before
    }

    /// Asks the program for its version, and gives it what it says that it misses.
    fn ask(&self, outcome: &mut Outcome, mut finished: Finished) -> Result<()> {
        let Some(prober) = self.prober else { return Ok(()) };
        let versions = self.versions();
        let versions: Vec<&str> = versions.iter().map(String::as_str).collect();
        let here = [self.worlds[0].platform];
        for _ in 0..MAX_COMPLAINTS {
            let commands = probe::questions(outcome.program.path.as_str());
            let Some(ran) = prober.ask(self.context, self.bench.path(), &finished, &commands)? else {
                return Ok(());
            };
            let said: Vec<String> = ran.iter().map(|ran| format!("{}\n{}", ran.stdout, ran.stderr)).collect();
            let answer = probe::best(commands, ran, &versions);
            let worth = answer.as_ref().map_or(Worth::Nothing, |answer| answer.worth);
            if answer
                .as_ref()
                .is_some_and(|answer| outcome.answer.as_ref().is_none_or(|known| known.worth <= answer.worth))
            {
                outcome.answer = answer;
            }
            if worth == Worth::Version {
                return Ok(());
            }
            let there = |path: &ImagePath| {
                finished
                    .inventories
                    .iter()
                    .any(|one| one.files.contains_key(path) || one.links.contains_key(path))
            };
            let mut changed =
                !complaint::heed(&self.worlds[0], &mut outcome.plan, &said.join("\n"), &there).is_empty();
            if !changed && worth < Worth::Help {
                changed = scripts::embed(&self.worlds[0], &outcome.program, &mut outcome.plan).is_some();
            }
            if !changed {
                return Ok(());
            }
            let before = outcome.plan.clone();
            match self.settle(outcome, &here)? {
                Some(next) => finished = next,
                None => {
                    outcome.plan = before;
                    return Ok(());
                }
            }
        }
        Ok(())
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

    /// Builds the best draft on all platforms, and writes it.
    fn finish(mut self, mut outcome: Outcome) -> Result<Draft> {
        if outcome.problems.is_empty() {
            let platforms: Vec<Platform> = self.worlds.iter().map(|world| world.platform).collect();
            if self.settle(&mut outcome, &platforms)?.is_none() && self.worlds.len() > 1 {
                // Better one platform that works than two that don't.
                let problems = outcome.problems.clone();
                self.worlds.truncate(1);
                if self.settle(&mut outcome, &platforms[..1])?.is_none() {
                    outcome.problems = problems;
                }
            }
        }
        let remarks = self.remarks(&outcome);
        let text = self.text(&outcome, remarks.clone());
        let state = match (&outcome.problems[..], &outcome.answer) {
            ([], Some(answer)) if answer.worth > Worth::Nothing => State::Tried,
            ([], Some(_)) => State::Silent,
            ([], None) => State::Built,
            (problems, _) => State::Broken(problems.to_vec()),
        };
        let lock = if outcome.problems.is_empty() { self.bench.lock()? } else { None };
        let mut found = self.subject.steps.clone();
        found.push(format!("the program is {}: {}", outcome.program.path, outcome.program.why));
        if let Some(answer) = outcome.answer.as_ref().filter(|answer| answer.worth > Worth::Nothing) {
            let says = answer.says.as_ref().map(|(text, _)| text.as_str()).unwrap_or_default();
            found.push(format!("`{}` says: {says}", answer.command.join(" ")));
        }
        found.extend(remarks);
        Ok(Draft { text, lock, found, state })
    }

    fn remarks(&self, outcome: &Outcome) -> Vec<String> {
        let mut remarks = Vec::new();
        if !outcome.problems.is_empty() {
            remarks.push("It does not build yet: `hardpan build` says what is missing.".to_owned());
        }
        if let Some(why) = &outcome.plan.shell {
            remarks.push(format!("There is a shell in it: {why}."));
        }
        if outcome.program.unit.as_ref().is_some_and(|unit| unit.forks) {
            remarks.push(
                "Its unit expects it to go into the background: a container needs it in the foreground, so look for such an option."
                    .to_owned(),
            );
        }
        let low: Vec<String> = outcome
            .service
            .ports
            .iter()
            .filter(|(port, _)| *port < 1024)
            .map(|(port, _)| port.to_string())
            .collect();
        if !low.is_empty() {
            remarks.push(format!(
                "It is configured for port {}: without rights it listens there only where the runtime lets everybody do so.",
                low.join(" and ")
            ));
        }
        for language in &outcome.plan.languages {
            remarks.push(format!(
                "It is written in {}, at least in part: modules of all that it depends on are taken.",
                language.name
            ));
        }
        if self.worlds.len() < self.foundation.platforms.len() {
            remarks.push(format!("It works on {} only.", self.worlds[0].platform));
        }
        remarks
    }
}

/// Whether a failure is about what the draft says, not about the machine, the network or the archive.
fn is_of_the_draft(failure: &Failure) -> bool {
    matches!(failure.exit_code(), 3 | 6)
}

/// Whether a package holds data for run time only: no programs, libraries or modules.
fn is_data(world: &World, name: &PackageName) -> bool {
    let Some(package) = world.package(name.as_str()).filter(|_| !is_install_only(name)) else { return false };
    let mut any = false;
    for entry in &package.parcel.index.entries {
        if entry.kind == Kind::Directory {
            continue;
        }
        let path = &entry.path;
        let elf = world.is_elf(path);
        let script = entry.mode & 0o111 != 0 && world.interpreter(path).is_some() && is_program(path);
        let module = path.as_str().contains("/python3/")
            || path.as_str().contains("/perl5/")
            || path.as_str().contains("/ruby/");
        if elf || script || module || is_program(path) || runtime::is_library(path) {
            return false;
        }
        any |= runtime::is_wanted(path);
    }
    any
}
