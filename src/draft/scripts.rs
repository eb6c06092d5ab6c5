//! What a program that is a script needs beside its interpreter: modules of its language, or the
//! programs that a shell script starts.

use super::language::{Script, embedded, script};
use super::plan::Plan;
use super::program::Program;
use super::shell;
use super::subject::Subject;
use super::world::{World, is_program};
use crate::ident::ImagePath;

/// The largest script that is read, in bytes.
const MAX_SCRIPT: u64 = 1 << 18;

/// Scripts that are followed from one to the next.
const MAX_SCRIPTS: usize = 24;

/// Adds to the plan what the program needs because it is a script.
pub(super) fn prepare(world: &World, subject: &Subject, program: &Program, plan: &mut Plan) {
    need(world, subject, &program.path, plan);
}

/// Adds to the plan what a file needs if it is a script.
pub(super) fn need(world: &World, subject: &Subject, path: &ImagePath, plan: &mut Plan) {
    let Some(file) = world.follow(path.as_str()).and_then(|steps| steps.last().cloned()) else { return };
    let mut queue = vec![file];
    let mut seen = Vec::new();
    while let Some(path) = queue.pop() {
        if seen.contains(&path) || seen.len() >= MAX_SCRIPTS {
            continue;
        }
        seen.push(path.clone());
        let Some(interpreter) = world.interpreter(&path) else { continue };
        // `#!/usr/bin/env python3` needs both.
        let first = world.content(&path).and_then(|(_, content)| content.interpreter.clone());
        let first = first.and_then(|line| find_program(world, line.split_whitespace().next()?));
        plan.more.extend(first.map(|first| (first, format!("it runs {path}"))));
        if let Some(found) = find_program(world, &interpreter) {
            let holder = world.find(&found).map(|(package, _)| package.name.clone());
            let why = format!("it runs {path}");
            plan.roots.extend(holder.map(|holder| (holder, why.clone())));
            plan.more.entry(found).or_insert(why);
        }
        match script(&interpreter) {
            Script::Language(language) => drop(plan.speak(language)),
            Script::Shell => follow_shell(world, subject, plan, &path, &mut queue),
            Script::Other => {}
        }
    }
}

/// What a shell script starts and reads.
fn follow_shell(
    world: &World,
    subject: &Subject,
    plan: &mut Plan,
    path: &ImagePath,
    queue: &mut Vec<ImagePath>,
) {
    plan.shell.get_or_insert_with(|| format!("{path} is a shell script"));
    let Some(text) = world.text(path, MAX_SCRIPT) else { return };
    for name in shell::commands(&text) {
        if let Some(found) = find_program(world, &name) {
            start(world, plan, path, &found, queue);
        }
    }
    for word in shell::paths(&text) {
        let Ok(read) = crate::recipe::merged(&word).parse::<ImagePath>() else { continue };
        let owner = world.find(&read).map(|(package, _)| package.name.clone());
        let own = owner.is_some_and(|owner| subject.family.contains(&owner));
        if own || is_program(&read) && world.follow(read.as_str()).is_some() {
            start(world, plan, path, &read, queue);
        }
    }
}

/// Takes a program that a script starts, and what that needs in turn.
fn start(world: &World, plan: &mut Plan, by: &ImagePath, found: &ImagePath, queue: &mut Vec<ImagePath>) {
    if let Script::Language(language) = script(found.file_name()) {
        plan.speak(language);
        let last = world.follow(found.as_str()).and_then(|steps| steps.last().cloned());
        let holder = last.and_then(|last| Some(world.find(&last)?.0.name.clone()));
        plan.roots.extend(holder.map(|holder| (holder, format!("{by} starts it"))));
    }
    plan.more.entry(found.clone()).or_insert_with(|| format!("{by} starts it"));
    // Where people and scripts look, there has to be something of that name.
    if !is_program(found)
        && let Some(link) = bare_link(world, found)
    {
        plan.links.entry(link).or_insert_with(|| found.to_string());
    }
    queue.extend(world.follow(found.as_str()).and_then(|steps| steps.last().cloned()));
}

/// `/usr/bin/NAME` for a program that is elsewhere, as alternatives make it.
fn bare_link(world: &World, found: &ImagePath) -> Option<ImagePath> {
    let link: ImagePath = format!("/usr/bin/{}", found.file_name()).parse().ok()?;
    let in_bin = found.parent().is_some_and(|folder| folder.file_name() == "bin");
    (in_bin && world.find(&link).is_none()).then_some(link)
}

/// A program by name or path; one that only an alternative would be called so is found too.
pub(super) fn find_program(world: &World, wanted: &str) -> Option<ImagePath> {
    if wanted.starts_with('/')
        && let Some(steps) = world.follow(wanted)
    {
        return steps.first().cloned();
    }
    let name = wanted.rsplit('/').next().unwrap_or(wanted);
    let in_programs = |path: &&&ImagePath| {
        is_program(path) || path.parent().is_some_and(|folder| folder.file_name() == "bin")
    };
    let leads = |path: &&&ImagePath| world.follow(path.as_str()).is_some();
    let named = world.programs(name);
    let found = named.iter().filter(in_programs).find(leads).copied();
    found.or_else(|| world.alternatives(name).iter().filter(in_programs).find(leads).copied()).cloned()
}

/// Adds the language that a program has in it, if it has one; whether that is new.
pub(super) fn embed(world: &World, program: &Program, plan: &mut Plan) -> Option<&'static str> {
    let file = world.follow(program.path.as_str())?.last()?.clone();
    let (_, content) = world.content(&file)?;
    let language = embedded(&content.elf.as_deref()?.needed)?;
    plan.speak(language).then_some(language.name)
}
