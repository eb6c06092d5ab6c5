//! `hardpan vex`: decisions on vulnerabilities, and which of them are looked at.

use std::path::{Path, PathBuf};

use super::{Global, vex_add as add, vex_export as export, vex_look as look};
use crate::advisory::Ecosystem;
use crate::catalog::{Catalog, Entry};
use crate::diag::{Problem, Result, codes};
use crate::lock::Lock;
use crate::vex::{Decisions, Locked, LockedImage};

/// The folder of recipes, where none is named.
const CATALOG: &str = "recipes";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Show what was decided: what counts, what has expired, what is about nothing any more
    List(look::ListArgs),
    /// Check decisions: form, rules, dates, contradictions, and that they are about something
    Check(look::CheckArgs),
    /// Write what was decided on an image as OpenVEX or CSAF
    #[command(visible_alias = "show")]
    Export(export::Args),
    /// Decide: adds to a file of decisions
    Add(add::Args),
}

/// Which recipes' decisions are looked at.
#[derive(Debug, clap::Args)]
pub(super) struct Which {
    /// Recipes, such as recipes/python.toml; with `--all`, or if none is named, a folder of them (recipes)
    #[arg(value_name = "RECIPE")]
    recipes: Vec<PathBuf>,
    /// Every recipe of the folder
    #[arg(long)]
    all: bool,
    /// Which snapshot of advisories is asked whether a CVE is still one: its digest, or a file; the current one
    /// if not said
    #[arg(long, value_name = "DIGEST|FILE")]
    pub(super) advisories: Option<String>,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<()> {
    match &args.verb {
        Verb::List(args) => look::list(global, args),
        Verb::Check(args) => look::check(global, args),
        Verb::Export(args) => export::run(global, args),
        Verb::Add(args) => add::run(global, args),
    }
}

/// The recipes of a folder, and what was decided beside them.
pub(super) struct Scope {
    pub(super) catalog: Catalog,
    pub(super) decisions: Decisions,
    /// The names of all recipes of the folder.
    pub(super) products: Vec<String>,
}

impl Which {
    /// Reads the decisions; all that is wrong in any file of the folder is reported.
    pub(super) fn open(&self) -> Result<Scope> {
        let (folder, wanted) = self.places()?;
        let catalog = Catalog::open(&folder)?;
        let products = names(&catalog);
        let mut decisions = Decisions::read(&folder, &products)?;
        if !wanted.is_empty() {
            for path in &wanted {
                if !catalog.entries.iter().any(|entry| entry.path == *path) {
                    let what = format!("there is no recipe `{}`", path.display());
                    return Err(Problem::new(codes::NO_RECIPE, what).help("name its file").into());
                }
            }
            let named = catalog.entries.iter().filter(|entry| wanted.contains(&entry.path));
            let named: Vec<String> = named.map(|entry| entry.name.clone()).collect();
            decisions = decisions.only(&named);
        }
        Ok(Scope { catalog, decisions, products })
    }

    /// The folder, and the recipes of it that are meant; none for all.
    fn places(&self) -> Result<(PathBuf, Vec<PathBuf>)> {
        let usage = |what: &str, help: &str| Err(Problem::new(codes::USAGE, what).help(help).into());
        let [first, rest @ ..] = &self.recipes[..] else { return Ok((PathBuf::from(CATALOG), Vec::new())) };
        if self.all || crate::host::is_dir(first) {
            if !rest.is_empty() {
                return usage("one folder is looked at", "such as `hardpan vex check --all recipes`");
            }
            return Ok((first.clone(), Vec::new()));
        }
        let folder = folder_of(first);
        if rest.iter().any(|path| folder_of(path) != folder) {
            return usage("the recipes are in several folders", "look at those of one folder at a time");
        }
        // Names are compared as the catalog writes them.
        let inside = |path: &PathBuf| path.file_name().map_or_else(|| path.clone(), |name| folder.join(name));
        Ok((folder.clone(), self.recipes.iter().map(inside).collect()))
    }
}

/// The folder that a recipe is in.
pub(super) fn folder_of(recipe: &Path) -> PathBuf {
    match recipe.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// The names of a folder's recipes.
pub(super) fn names(catalog: &Catalog) -> Vec<String> {
    catalog.entries.iter().map(|entry| entry.name.clone()).collect()
}

/// What the recipes of a folder are locked to; those without a lock that reads are left out.
pub(super) fn locked(catalog: &Catalog) -> Vec<LockedImage> {
    catalog.entries.iter().filter_map(locked_image).collect()
}

fn locked_image(entry: &Entry) -> Option<LockedImage> {
    let family = entry.family.as_ref().ok()?;
    let lock = Lock::read(&family.lock_path()).ok()??;
    let platform = family.platforms().first().copied()?;
    let suite = family.chain(None, platform).ok()?.suite().map(|suite| suite.value.clone());
    let packages = lock.packages.values().flatten().map(|(name, package)| {
        let release = lock.releases.iter().find(|((archive, _), _)| *archive == package.archive);
        let release = release.filter(|(_, release)| release.origin.starts_with("Debian"));
        let ecosystem = release.map(|((_, own), _)| Ecosystem::debian_named(suite.as_deref().unwrap_or(own)));
        Locked {
            binary: name.to_string(),
            source: package.source.to_string(),
            source_version: package.source_version.clone(),
            ecosystem,
        }
    });
    let packages = packages.collect();
    let holds_more = !lock.downloads.is_empty() || !lock.files.is_empty();
    Some(LockedImage { image: entry.name.clone(), packages, holds_more })
}
