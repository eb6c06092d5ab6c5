//! `hardpan lock`: pin, compare, move pins.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::{Global, print};
use crate::diag::{Problem, Result, codes};
use crate::fetch;
use crate::ident::PackageName;
use crate::lock::{self, Vouched};
use crate::pipeline::{self, Context, LockMode, Locks, PinReport, Pinned};
use crate::recipe::Family;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Recipes, such as recipes/python.toml
    #[arg(required = true, value_name = "RECIPE")]
    recipes: Vec<PathBuf>,
    /// Move the pins of these packages, or all pins if none is named
    #[arg(long, value_name = "PACKAGE", num_args = 0..)]
    update: Option<Vec<PackageName>>,
    /// Fail if the lock does not satisfy the recipe; change nothing
    #[arg(long, conflicts_with = "update")]
    locked: bool,
    /// Use the store only, never the network
    #[arg(long)]
    offline: bool,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<()> {
    let context = global.context(&args.recipes, args.offline, None)?;
    let mode = match (&args.update, args.locked) {
        (_, true) => LockMode::Locked,
        (None, false) => LockMode::Needed,
        (Some(names), false) if names.is_empty() => LockMode::UpdateAll,
        (Some(names), false) => LockMode::Update(names.iter().cloned().collect()),
    };
    let mut results = Vec::new();
    for recipe in &args.recipes {
        if recipe.extension().is_none_or(|extension| extension != "toml") {
            let problem =
                Problem::new(codes::USAGE, format!("`{}` is not a recipe's file", recipe.display()));
            return Err(problem
                .help("recipes end in `.toml`; packages to move go behind `--update`, after the recipes")
                .into());
        }
        let family = Family::open(recipe)?;
        let mut locks = Locks::default();
        let (pinned, report) = pipeline::pin(&context, &family, &mode, &mut locks)?;
        locks.commit()?;
        let vouched = if args.locked { Some(vouch(&context, &pinned)?) } else { None };
        if global.json {
            results.push(json_report(&family, &report, vouched.as_ref()));
        } else if !global.quiet {
            say(&report);
            if let Some(vouched) = &vouched {
                say_vouched(vouched);
            } else if report == PinReport::default() {
                let count: usize = pinned.lock.packages.values().map(std::collections::BTreeMap::len).sum();
                print::error(&format!(
                    "{:>12} {} ({count} packages pinned)",
                    "Unchanged",
                    family.lock_path().display()
                ));
            }
        }
    }
    if global.json {
        print::line(&Value::Array(results).to_string());
    }
    Ok(())
}

/// Checks the pins against the signed release files in the store. Where the store holds none of
/// these, nothing was checked, and that is a problem.
fn vouch(context: &Context, pinned: &Pinned) -> Result<Vouched> {
    let read = |sha256: &crate::ident::Sha256, path: &str| fetch::stored_index(&context.store, sha256, path);
    let vouched = lock::vouch(&pinned.lock, &pinned.archives, &read)?;
    if context.offline && vouched.pins == 0 && !vouched.missing.is_empty() {
        let problem = Problem::new(
            codes::OFFLINE,
            "no pin could be checked: the store holds none of the release files that the lock names",
        );
        return Err(problem
            .help("lock once without `--offline` on this machine, or leave `--offline` out")
            .into());
    }
    Ok(vouched)
}

/// Says what came of checking the pins.
fn say_vouched(vouched: &Vouched) {
    print::error(&format!("{:>12} {} pins against signed release files", "Checked", vouched.pins));
    if vouched.missing.is_empty() {
        for pin in &vouched.earlier {
            print::error(&format!("{:>12} {pin}: it was pinned from an earlier release file", "Not checked"));
        }
    } else {
        let count = vouched.earlier.len();
        print::error(&format!("{:>12} {count} pins, for want of what is not in the store:", "Not checked"));
    }
    for missing in &vouched.missing {
        print::error(&format!("{:>12} {missing}", "Not stored"));
    }
}

/// Says what moved, package by package.
pub(super) fn say(report: &PinReport) {
    for (path, changes) in &report.changes {
        for change in changes {
            let text = change.to_string();
            let (verb, rest) = text.split_once(' ').unwrap_or((&text, ""));
            print::error(&format!("{verb:>12} {rest}"));
        }
        print::error(&format!("{:>12} {}", "Locked", path.display()));
    }
    for path in &report.refreshed {
        print::error(&format!("{:>12} {} (no pin moved)", "Locked", path.display()));
    }
}

fn json_report(family: &Family, report: &PinReport, vouched: Option<&Vouched>) -> Value {
    let change = |change: &crate::lock::Change| json!({ "name": change.what, "before": change.before, "after": change.after, "platforms": change.platforms });
    let changes: Vec<Value> = report
        .changes
        .iter()
        .map(|(path, changes)| json!({ "lock": path, "changes": changes.iter().map(change).collect::<Vec<_>>() }))
        .collect();
    json!({ "recipe": family.path(), "lock": family.lock_path(), "changed": changes, "checked": vouched.map(|vouched| json!({ "pins": vouched.pins, "not_checked": vouched.earlier, "not_stored": vouched.missing })) })
}
