//! `hardpan vex add`: a decision at the end of its file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use super::vex::{folder_of, locked, names};
use super::{Global, print};
use crate::advisory::Shelf;
use crate::catalog::Catalog;
use crate::diag::{Failure, Problem, Result, codes};
use crate::host::{self, FileLock};
use crate::ident::Epoch;
use crate::vex::{ALL, Decisions, Draft, FOLDER, Justification, Standing, Status, append};

/// How long a decision holds that nobody says an end of, in seconds: half a year.
const TERM: i64 = 180 * 86_400;

/// How long git may take.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The CVE, such as CVE-2026-102633
    #[arg(value_name = "CVE")]
    id: String,
    /// The recipe, by its file or its name in the folder `recipes`; may be given several times; `all` for each image
    #[arg(long, value_name = "RECIPE", required = true)]
    recipe: Vec<PathBuf>,
    /// A source or binary package that is spoken of; may be given several times
    #[arg(long, value_name = "NAME", required = true)]
    package: Vec<String>,
    /// How it stands: `not_affected`, `affected`, `fixed` or `under_investigation`
    #[arg(long, value_name = "STATUS")]
    status: String,
    /// Why it is not affected: one of OpenVEX's five words (`hardpan explain HP343`)
    #[arg(long, value_name = "WORD")]
    justification: Option<String>,
    /// Why it is not affected, in words
    #[arg(long, value_name = "TEXT")]
    impact: Option<String>,
    /// What to do where it is affected
    #[arg(long, value_name = "TEXT")]
    action: Option<String>,
    /// How that is known
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who decides; who git says you are if not said
    #[arg(long, value_name = "NAME")]
    author: Option<String>,
    /// Since when: 2026-11-01; today if not said
    #[arg(long, value_name = "DATE")]
    date: Option<String>,
    /// From when on it counts as none; in half a year if not said and it silences
    #[arg(long, value_name = "DATE")]
    expires: Option<String>,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<()> {
    let place = Place::of(&args.recipe)?;
    let catalog = Catalog::open(&place.folder)?;
    let products = names(&catalog);
    // Who writes at the same time waits, so that neither loses what the other wrote.
    let store = global.store_path()?;
    host::create_dirs(&store)?;
    let _alone = FileLock::exclusive(&store.join("vex.lock"))?;
    let existing = Decisions::read(&place.folder, &products)?;
    let draft = draft(args, &place)?;
    let name = place.file.display().to_string();
    let text = if host::exists(&place.file) { host::read_text(&place.file)? } else { String::new() };
    let (whole, decision) = append(&name, &text, &draft, &products)?;
    let written = decision.written();
    existing.allow(&decision)?;
    let images = locked(&catalog);
    let new = Decisions::of_text(&name, &whole, Some(products.as_slice()))?;
    let place_of = new.own().iter().position(|one| *one == decision);
    let gone = new.gone(&images, None)?.into_iter().filter(|(at, _)| Some(*at) == place_of);
    let gone = gone.map(|(_, problem)| Problem { warning: false, ..problem });
    Failure::check(gone.collect())?;
    host::write_atomic(&place.file, whole.as_bytes())?;
    if decision.standing(host::now()) != Standing::Holds {
        new.idle(host::now()).iter().for_each(|warning| global.say(warning));
    }
    let shelf = Shelf::at(&store);
    if shelf.current()?.is_some() {
        let unknown = new.gone(&images, Some(&shelf.open_current()?.0))?.into_iter();
        unknown.filter(|(at, _)| Some(*at) == place_of).for_each(|(_, warning)| global.say(&warning));
    }
    let day = |at: Epoch| at.to_string()[..10].to_owned();
    if global.json {
        let value = json!({
            "file": place.file, "written": written, "cve": decision.id, "images": decision.images.to_string(),
            "status": decision.claim.status(), "author": decision.author, "expires": decision.expires.map(day),
        });
        print::line(&value.to_string());
    } else {
        let until = decision.expires.map(|at| format!(", until {}", day(at))).unwrap_or_default();
        print::line(&print::harmless(&format!(
            "{written}: {} {} in {}{until}",
            decision.id,
            decision.claim.status(),
            decision.images
        )));
    }
    Ok(())
}

/// Where it is written, and what it is about.
struct Place {
    folder: PathBuf,
    file: PathBuf,
    /// The recipes, where the file speaks of all.
    images: Vec<String>,
}

impl Place {
    fn of(recipes: &[PathBuf]) -> Result<Self> {
        let parsed: Vec<(PathBuf, String)> = recipes.iter().map(|recipe| parts(recipe)).collect();
        let folder = parsed.first().map(|(folder, _)| folder.clone()).unwrap_or_default();
        if parsed.iter().any(|(other, _)| *other != folder) {
            let problem = Problem::new(codes::USAGE, "the recipes are in several folders");
            return Err(problem.help("decide for those of one folder at a time").into());
        }
        let names: Vec<String> = parsed.into_iter().map(|(_, name)| name).collect();
        if names.len() > 1 && names.iter().any(|name| name == ALL) {
            return Err(
                Problem::new(codes::USAGE, "`all` is each image: no other is to be named beside it").into()
            );
        }
        let (stem, images) =
            if let [one] = &names[..] { (one.clone(), Vec::new()) } else { (ALL.to_owned(), names) };
        let file = folder.join(FOLDER).join(format!("{stem}.toml"));
        Ok(Self { folder, file, images })
    }
}

/// The folder and the name of a recipe: of `python`, that in `recipes`.
fn parts(recipe: &Path) -> (PathBuf, String) {
    let stem = recipe.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    if recipe.extension().is_some_and(|ending| ending == "toml") {
        return (folder_of(recipe), stem);
    }
    let bare = recipe.parent().is_some_and(|folder| folder.as_os_str().is_empty());
    let folder = if bare { PathBuf::from("recipes") } else { folder_of(recipe) };
    (folder, recipe.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default())
}

fn draft(args: &Args, place: &Place) -> Result<Draft> {
    let word = |error: crate::vex::Unknown| {
        let help = error.help.clone();
        Problem::new(codes::VEX_WORD, error.to_string()).help(help)
    };
    let status: Status = args.status.parse().map_err(word)?;
    let justification: Option<Justification> =
        args.justification.as_deref().map(str::parse).transpose().map_err(word)?;
    let date = match &args.date {
        Some(text) => day(text)?,
        None => Epoch(host::now().0.div_euclid(86_400) * 86_400),
    };
    let expires = args.expires.as_deref().map(day).transpose()?;
    Ok(Draft {
        id: args.id.clone(),
        images: place.images.clone(),
        packages: args.package.clone(),
        status,
        justification,
        impact: args.impact.clone(),
        action: args.action.clone(),
        reason: args.reason.clone(),
        author: author(args, &place.folder)?,
        date,
        expires: expires.or_else(|| status.silences().then_some(Epoch(date.0 + TERM))),
    })
}

fn day(text: &str) -> Result<Epoch> {
    Epoch::from_day(text).map_err(|error| Problem::new(codes::USAGE, error.to_string()).into())
}

/// Who decides: who is named, else who git says works here.
fn author(args: &Args, folder: &Path) -> Result<String> {
    if let Some(author) = &args.author {
        return Ok(author.clone());
    }
    let ask = |key: &str| {
        let place = folder.to_string_lossy();
        let answer = host::ask("git", &["-C", &place, "config", "--get", key], b"", PATIENCE).ok()?;
        let text = String::from_utf8(answer.stdout).ok()?.trim().to_owned();
        (answer.success && !text.is_empty()).then_some(text)
    };
    match (ask("user.name"), ask("user.email")) {
        (Some(name), Some(mail)) => Ok(format!("{name} <{mail}>")),
        (Some(only), None) | (None, Some(only)) => Ok(only),
        (None, None) => {
            let problem = Problem::new(codes::USAGE, "nobody is known who decides this");
            Err(problem.help("say who: `--author 'Ada <ada@example.org>'`, or `git config user.name`").into())
        }
    }
}
