//! `hardpan advisories derive`: what was fixed, from changelogs of the packages that archives serve.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::advisories::{IfSigned, settle};
use super::{Global, print};
use crate::advisory::{self, Derived, Look, Shelf};
use crate::catalog::Catalog;
use crate::diag::{Failure, Problem, Result, codes};
use crate::fetch::{ArchiveUpstream, Transfers};
use crate::ident::{PackageName, Platform};
use crate::lock::{self, Archive, Lock, LockedPackage};
use crate::pipeline::Context;
use crate::recipe::Family;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Recipes with a lock: what was fixed since the pinned versions; with `--all`, a folder of them (recipes if not said)
    #[arg(value_name = "RECIPE", required_unless_present_any = ["all", "suite"])]
    recipes: Vec<PathBuf>,
    /// Every recipe of the folder that has a lock
    #[arg(long, conflicts_with = "suite")]
    all: bool,
    /// What the updates of a suite of Debian fix beside the release itself: trixie
    #[arg(long, value_name = "SUITE", conflicts_with = "recipes")]
    suite: Option<String>,
    /// These source packages alone
    #[arg(long, value_name = "SOURCE")]
    source: Vec<PackageName>,
    /// Use the store only, never the network
    #[arg(long)]
    offline: bool,
    #[command(flatten)]
    signing: IfSigned,
}

/// Archives, a platform, and what is pinned of it.
struct Case {
    archives: Vec<Archive>,
    platform: Platform,
    pins: Option<BTreeMap<PackageName, LockedPackage>>,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<()> {
    let recipes = recipes(args)?;
    let context = global.context(&recipes, args.offline, None)?;
    let shelf = Shelf::of(&context.store);
    let _alone = shelf.lock()?;
    let cases = cases(args, &recipes)?;
    let only: BTreeSet<PackageName> = args.source.iter().cloned().collect();
    let upstreams: Vec<ArchiveUpstream<'_>> = cases.iter().map(|case| upstream(&context, case)).collect();
    let looks: Vec<Look<'_>> = cases
        .iter()
        .zip(&upstreams)
        .map(|(case, upstream)| Look {
            upstream,
            platform: case.platform,
            pins: case.pins.as_ref(),
            only: &only,
        })
        .collect();
    let (imported, derived) =
        advisory::derive(&shelf, &looks, context.now, &mut |problem| global.say(&problem))?;
    if !global.json {
        let rows: Vec<Vec<String>> = derived.iter().map(cells).collect();
        if !rows.is_empty() {
            print::line(&print::columns(&rows));
        }
    }
    settle(global, &shelf, &imported, &args.signing, Some(derived.iter().map(row).collect()))
}

fn upstream<'a>(context: &'a Context, case: &'a Case) -> ArchiveUpstream<'a> {
    let transfers = Transfers {
        mirrors: &context.mirrors,
        archives: &case.archives,
        client: &context.client,
        store: &context.store,
        progress: &context.progress,
        offline: context.offline,
    };
    ArchiveUpstream { transfers }
}

fn recipes(args: &Args) -> Result<Vec<PathBuf>> {
    if !args.all {
        return Ok(args.recipes.clone());
    }
    let own = [PathBuf::from("recipes")];
    let folders = if args.recipes.is_empty() { &own[..] } else { &args.recipes };
    let mut paths = Vec::new();
    for folder in folders {
        paths.extend(Catalog::open(folder)?.entries.into_iter().map(|entry| entry.path));
    }
    paths.retain(|path| lock_of(path).is_ok_and(|lock| lock.is_some()));
    if paths.is_empty() {
        return Err(no_lock(folders.first().map_or(Path::new("recipes"), PathBuf::as_path)).into());
    }
    Ok(paths)
}

fn lock_of(path: &Path) -> Result<Option<Lock>> {
    Lock::read(&path.with_extension("lock"))
}

fn no_lock(path: &Path) -> Problem {
    Problem::new(
        codes::STALE_LOCK,
        format!("`{}` has no lock, so nobody knows which versions are pinned", path.display()),
    )
    .help("`hardpan lock RECIPE` makes one; `--suite trixie` looks at all of a suite instead")
}

fn cases(args: &Args, recipes: &[PathBuf]) -> Result<Vec<Case>> {
    if let Some(suite) = &args.suite {
        let platform: Platform =
            "linux/amd64".parse().map_err(|error| Problem::new(codes::INTERNAL, format!("{error}")))?;
        return Ok(vec![Case { archives: lock::debian_archives(suite), platform, pins: None }]);
    }
    let (mut cases, mut problems) = (Vec::new(), Vec::new());
    for recipe in recipes {
        match case(recipe) {
            Ok(case) => cases.extend(case),
            Err(failure) => problems.extend(failure.into_problems()),
        }
    }
    Failure::check(problems).map(|()| together(cases))
}

/// Sources are the same on all platforms, so the first one that the lock has packages for is looked at.
fn case(recipe: &Path) -> Result<Option<Case>> {
    let family = Family::open(recipe)?;
    let lock = Lock::read(&family.lock_path())?.ok_or_else(|| no_lock(recipe))?;
    let Some((platform, pins)) = lock.packages.into_iter().find(|(_, packages)| !packages.is_empty()) else {
        return Ok(None);
    };
    let archives = lock::archives(&family.chain(None, platform)?)?;
    Ok(Some(Case { archives, platform, pins: Some(pins) }))
}

/// Recipes over the same archives are looked at as one, so that each index is read once. Where two of them pin
/// different versions of a package, the older one counts.
fn together(cases: Vec<Case>) -> Vec<Case> {
    let mut joined: Vec<Case> = Vec::new();
    let same = |a: &Case, b: &Case| {
        let names = |case: &Case| -> Vec<(String, Vec<String>, Vec<String>)> {
            let archives = case.archives.iter();
            archives.map(|one| (one.name.to_string(), one.suites.clone(), one.components.clone())).collect()
        };
        a.platform == b.platform && names(a) == names(b)
    };
    for case in cases {
        let Some(there) = joined.iter_mut().find(|there| same(there, &case)) else {
            joined.push(case);
            continue;
        };
        let pins = there.pins.get_or_insert_default();
        for (name, package) in case.pins.unwrap_or_default() {
            let older = pins.get(&name).is_none_or(|there| package.source_version < there.source_version);
            if older {
                pins.insert(name, package);
            }
        }
    }
    joined
}

fn row(derived: &Derived) -> Value {
    let Derived { ecosystem, source, from, to, between, fixes } = derived;
    let fixed: BTreeMap<String, &crate::ident::DebVersion> =
        between.iter().filter_map(|cve| Some((cve.to_string(), fixes.get(cve)?))).collect();
    json!({ "ecosystem": ecosystem, "source": source, "from": from, "to": to, "fixed": fixed, "named": fixes.len() })
}

fn cells(derived: &Derived) -> Vec<String> {
    let Derived { ecosystem, source, from, to, between, .. } = derived;
    let names: Vec<String> = between.iter().map(ToString::to_string).collect();
    let text = if names.is_empty() {
        "names no CVE".to_owned()
    } else {
        format!("{}: {}", names.len(), names.join(" "))
    };
    vec![ecosystem.to_string(), source.to_string(), format!("{from} → {to}"), text]
}
