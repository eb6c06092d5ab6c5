//! `hardpan new`: drafts a recipe for a Debian package.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::prober::Containers;
use super::{Global, print};
use crate::diag::{Problem, Result, codes};
use crate::draft::{self, Draft, Prober, State, Wish};
use crate::host;
use crate::ident::{PackageName, Platform, RecipeName};
use crate::trial;

/// The folder of recipes, where none is named.
const CATALOG: &str = "recipes";

/// The recipe that drafts stand on, where it is there.
const BASE: &str = "base";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The Debian package with the program, such as nginx
    #[arg(long, value_name = "PACKAGE")]
    from_package: PackageName,
    /// The recipe's name; the package's if not said
    #[arg(long, value_name = "NAME")]
    name: Option<RecipeName>,
    /// Where the recipe is written; recipes/NAME.toml if not said
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The recipe that it extends; `base` if that is in the same folder and nothing is said
    #[arg(long, value_name = "NAME")]
    extends: Option<RecipeName>,
    /// The Debian suite; that of the recipe below, or trixie, if not said
    #[arg(long, value_name = "SUITE")]
    suite: Option<String>,
    /// A platform that it is for; all of the recipe below, if not said; may be given several times
    #[arg(long, value_name = "PLATFORM")]
    platform: Vec<Platform>,
    /// Write over a recipe that is there
    #[arg(long)]
    force: bool,
    /// Do not run the program to find out how it says its version
    #[arg(long)]
    no_try: bool,
    /// Use the store only, never the network
    #[arg(long)]
    offline: bool,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<()> {
    // Before anything else: later there may be threads.
    let root = if args.no_try { None } else { trial::become_root().ok() };
    let out = out(args)?;
    let folder = out.parent().map(Path::to_owned).unwrap_or_default();
    let name = match &args.name {
        Some(name) => name.clone(),
        None => name_of(args, &out)?,
    };
    if host::exists(&out) && !args.force {
        let problem = Problem::new(codes::USAGE, format!("`{}` is there already", out.display()));
        return Err(problem.help("name another file by `--out`, or write over it by `--force`").into());
    }
    let base: RecipeName = BASE.parse().expect("a name of ours");
    let has_base = name != base && host::is_file(&folder.join(format!("{BASE}.toml")));
    let extends = args.extends.clone().or_else(|| has_base.then_some(base));
    let wish = Wish {
        package: args.from_package.clone(),
        name,
        folder,
        extends,
        suite: args.suite.clone(),
        platforms: args.platform.clone(),
    };
    let context = global.context(std::slice::from_ref(&out), args.offline, None)?;
    let prober = root.map(|root| Containers { root, folder: wish.folder.clone() });
    let draft = draft::draft(&context, &wish, prober.as_ref().map(|prober| prober as &dyn Prober))?;
    host::write_atomic(&out, draft.text.as_bytes())?;
    if let Some(lock) = &draft.lock {
        lock.write(&out.with_extension("lock"))?;
    }
    tell(global, args, &out, &wish, &draft);
    Ok(())
}

/// Where the recipe is written.
fn out(args: &Args) -> Result<PathBuf> {
    let name = args.name.as_ref().map_or(args.from_package.as_str(), RecipeName::as_str);
    let Some(out) = &args.out else { return Ok(Path::new(CATALOG).join(format!("{name}.toml"))) };
    if out.extension().is_none_or(|extension| extension != "toml") {
        let problem = Problem::new(codes::USAGE, format!("`{}` is not a recipe's file", out.display()));
        return Err(problem.help("recipes end in `.toml`").into());
    }
    Ok(out.clone())
}

/// The recipe's name, by its file's.
fn name_of(args: &Args, out: &Path) -> Result<RecipeName> {
    let stem = out.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    stem.parse().map_err(|error| {
        let what = format!("`{stem}` can't be the name of the recipe for `{}`", args.from_package);
        Problem::new(codes::USAGE, what).found(error).help("say another one: `--name NAME`").into()
    })
}

fn tell(global: &Global, args: &Args, out: &Path, wish: &Wish, draft: &Draft) {
    if global.json {
        print::line(&summary(out, draft).to_string());
        return;
    }
    if !global.quiet {
        for line in &draft.found {
            print::error(&format!("{:>12} {}", "Found", print::harmless(line)));
        }
    }
    if let State::Broken(problems) = &draft.state {
        for problem in problems {
            global.say(&problem.clone().warn());
        }
    }
    let said = match &draft.state {
        State::Tried => "it builds, and its tests passed",
        State::Failing => "it builds, but one of its tests failed: `hardpan test` shows which",
        State::Silent => "it builds, but its program said nothing that a test could expect: look at the test",
        State::Built if args.no_try => "it builds; its test was not tried",
        State::Built => {
            "it builds; its test was not tried, for images can't be run here (runc or crun is needed)"
        }
        State::Broken(_) => "it does not build yet: what is missing stands above",
    };
    print::line(&out.display().to_string());
    if global.quiet {
        return;
    }
    print::error(&format!("{:>12} {} ({said})", "Drafted", out.display()));
    let file = out.display();
    print::error(&format!("{:>12} $EDITOR {file}\n{:>12} hardpan build {file}", "Go on with", ""));
    print::error(&format!("{:>12} hardpan test out/{} --recipe {file}", "", wish.name));
}

fn summary(out: &Path, draft: &Draft) -> Value {
    let (state, problems) = match &draft.state {
        State::Tried => ("tried", Vec::new()),
        State::Failing => ("failing", Vec::new()),
        State::Silent => ("silent", Vec::new()),
        State::Built => ("built", Vec::new()),
        State::Broken(problems) => ("broken", problems.iter().map(print::problem_json).collect()),
    };
    json!({ "recipe": out, "found": draft.found, "state": state, "problems": problems })
}
