//! `hardpan build --all`: a folder of recipes, each image after what it stands on, side by side. One
//! that fails is told at the end, and stops only what stands on it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::super::{Global, print};
use super::{Args, Job, Made, json_summary, make};
use crate::catalog::{self, Catalog, ImageTask};
use crate::diag::{self, Failure, Problem, Result, codes};
use crate::host::{self, Stopwatch, size};
use crate::pipeline::Context;
use crate::sign::Signer;

/// What came of it.
enum Outcome {
    Made(Box<Made>),
    /// It went wrong: its own name, and why.
    Failed(String, Failure),
    /// What it stands on went wrong: that one's name.
    NotTried(String),
}

pub(super) fn run(
    global: &Global,
    args: &Args,
    context: &Context,
    folders: &[PathBuf],
    signer: Option<&dyn Signer>,
) -> Result<()> {
    let watch = Stopwatch::start();
    let catalog = open(args, folders)?;
    let tasks = catalog::images(&catalog, args.variant.as_deref());
    if let (true, Some(revision)) = (tasks.is_empty(), &args.changed_since) {
        if !global.quiet {
            print::error(&format!("{:>12} no recipe has changed since `{revision}`", "Nothing"));
        }
        return Ok(());
    }
    let after = catalog::after(&catalog, &tasks);
    // Each image may use all threads: the last one that is left has the machine for itself.
    let outcomes = host::in_order(context.jobs, &after, |at, below: &[&Outcome]| {
        let task = &tasks[at];
        let outcome = one(args, context, task, below, signer);
        say(context, task, &outcome);
        outcome
    });
    if global.json {
        for (task, outcome) in tasks.iter().zip(&outcomes) {
            print::line(&json_row(task, outcome, signer).to_string());
        }
    } else {
        print::line(&table(&tasks, &outcomes));
    }
    for (task, outcome) in tasks.iter().zip(&outcomes) {
        let Outcome::Made(made) = outcome else { continue };
        for warning in &made.finished.warnings {
            global.say(&warning.clone().fact("image", task.name()));
        }
    }
    if !global.quiet && !global.json {
        print::error(&totals(&outcomes, watch.elapsed().as_secs_f64()));
    }
    failure(&tasks, outcomes)
}

fn open(args: &Args, folders: &[PathBuf]) -> Result<Catalog> {
    let [folder] = folders else {
        let problem = Problem::new(codes::USAGE, "`--all` takes one folder");
        return Err(problem.help("such as `hardpan build --all recipes`").into());
    };
    let catalog = Catalog::open(folder)?;
    if let Some(variant) = &args.variant {
        check_variant(&catalog, folder, variant)?;
    }
    match &args.changed_since {
        None => Ok(catalog),
        Some(revision) => {
            let wanted: BTreeSet<PathBuf> = catalog::changed_since(&catalog, folder, revision)?;
            Ok(catalog.only(&wanted))
        }
    }
}

/// A variant must be one of some recipe: a misspelt one would build nothing and call that a success.
fn check_variant(catalog: &Catalog, folder: &Path, wanted: &str) -> Result<()> {
    let families = catalog.entries.iter().filter_map(|entry| entry.family.as_ref().ok());
    let all: BTreeSet<String> = families.flat_map(crate::recipe::Family::variants).collect();
    if all.contains(wanted) {
        return Ok(());
    }
    let what = format!("no recipe in `{}` has a variant `{wanted}`", folder.display());
    let known: Vec<String> = all.iter().map(|name| format!("`{name}`")).collect();
    let help = if known.is_empty() {
        "they have none at all".to_owned()
    } else {
        format!("they have {}", known.join(", "))
    };
    Err(Problem::new(codes::AMENDMENT, what).help(help).into())
}

fn one(
    args: &Args,
    context: &Context,
    task: &ImageTask,
    below: &[&Outcome],
    signer: Option<&dyn Signer>,
) -> Outcome {
    if let Err(failure) = &task.entry.family {
        return Outcome::Failed(task.name(), failure.clone());
    }
    // A variant may be fine where the default, which is the last before it, is not.
    let own = usize::from(task.variant.is_some() && args.variant.is_none());
    let recipes = &below[..below.len().saturating_sub(own)];
    if let Some(culprit) = recipes.iter().find_map(|outcome| outcome.culprit()) {
        return Outcome::NotTried(culprit.to_owned());
    }
    let job = Job { recipe: &task.entry.path, variant: task.variant.as_deref() };
    match make(args, context, &job, signer) {
        Ok(made) => Outcome::Made(Box::new(made)),
        Err(failure) => Outcome::Failed(task.name(), failure),
    }
}

impl Outcome {
    fn word(&self) -> &'static str {
        match self {
            Self::Made(made) if made.changed => "built",
            Self::Made(_) => "unchanged",
            Self::Failed(..) => "failed",
            Self::NotTried(_) => "not tried",
        }
    }

    /// Who stops what stands on it.
    fn culprit(&self) -> Option<&str> {
        match self {
            Self::Made(_) => None,
            Self::Failed(name, _) | Self::NotTried(name) => Some(name),
        }
    }
}

/// Tells as soon as an image is done.
fn say(context: &Context, task: &ImageTask, outcome: &Outcome) {
    match outcome {
        Outcome::Made(made) if made.changed => context.progress.say("Built", &task.name()),
        Outcome::Made(_) => {}
        Outcome::Failed(_, failure) => {
            let first = failure.problems().first().map(|problem| problem.message.clone());
            context.progress.say("Failed", &format!("{}: {}", task.name(), first.unwrap_or_default()));
        }
        Outcome::NotTried(below) => {
            context.progress.say("Not tried", &format!("{}: `{below}` failed", task.name()));
        }
    }
}

fn table(tasks: &[ImageTask], outcomes: &[Outcome]) -> String {
    let head =
        ["image", "tag", "digest", "size", "packages", "outcome", "seconds"].map(str::to_owned).to_vec();
    let mut rows = vec![head];
    for (task, outcome) in tasks.iter().zip(outcomes) {
        let dash = || "-".to_owned();
        rows.push(match outcome {
            Outcome::Made(made) => {
                let built = &made.finished.built;
                vec![
                    task.name(),
                    built.tags[0].to_string(),
                    built.digest().0.short(),
                    built.platforms.first().map_or_else(dash, |image| size(image.size())),
                    built.packages.first().map_or_else(dash, |packages| packages.len().to_string()),
                    outcome.word().to_owned(),
                    format!("{:.2}", made.seconds),
                ]
            }
            _ => vec![task.name(), dash(), dash(), dash(), dash(), outcome.word().to_owned(), dash()],
        });
    }
    print::columns(&rows)
}

fn totals(outcomes: &[Outcome], seconds: f64) -> String {
    let count = |word: &str| outcomes.iter().filter(|outcome| outcome.word() == word).count();
    let parts = ["built", "unchanged", "failed", "not tried"].map(|word| (count(word), word));
    if count("unchanged") == outcomes.len() {
        return format!("{:>12} all {} images are up to date, in {seconds:.2} s", "Nothing", outcomes.len());
    }
    let words: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    format!("{:>12} {} images: {}, in {seconds:.2} s", "Done", outcomes.len(), words.join(", "))
}

fn json_row(task: &ImageTask, outcome: &Outcome, signer: Option<&dyn Signer>) -> Value {
    let mut row = match outcome {
        Outcome::Made(made) => json_summary(made, signer),
        Outcome::Failed(_, failure) => {
            json!({ "problems": failure.problems().iter().map(print::problem_json).collect::<Vec<_>>() })
        }
        Outcome::NotTried(below) => json!({ "because": below }),
    };
    row["name"] = json!(task.entry.name);
    row["variant"] = json!(task.variant);
    row["outcome"] = json!(outcome.word());
    row
}

/// All that went wrong, each with the image that it is about.
fn failure(tasks: &[ImageTask], outcomes: Vec<Outcome>) -> Result<()> {
    let problems = tasks.iter().zip(outcomes).flat_map(|(task, outcome)| {
        let own =
            if let Outcome::Failed(_, failure) = outcome { failure.into_problems() } else { Vec::new() };
        own.into_iter().map(|problem| (task.name(), problem))
    });
    Failure::check(diag::once_each("image", problems))
}
