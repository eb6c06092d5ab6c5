//! `hardpan patch`: images brought up to date, tried, published, and written down.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::signing::{SigningArgs, TrustArgs};
use super::{Global, books, patch_table, patience, print, pull, snapshot};
use crate::advisory::{self, SignedBy, Snapshot};
use crate::catalog::{self, Catalog};
use crate::diag::{Problem, Result, codes};
use crate::host::{self, Stopwatch};
use crate::ident::Prefix;
use crate::ledger::{self, ImageId};
use crate::patch::{self, Books, Extent, Patching, Place, Plan, Schedule, Scheduled, Trials};
use crate::pipeline::Context;
use crate::publish::Purpose;
use crate::scan::{FailOn, SnapshotFacts};
use crate::sign::Signer;
use crate::trial;
use crate::verify::Policy;

/// The folder of recipes, where none is named.
const CATALOG: &str = "recipes";

#[allow(clippy::struct_excessive_bools)] // each is a flag of its own on the command line
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Recipes, such as recipes/python.toml, with what they stand on; with `--all`, a folder of them (recipes if not said)
    #[arg(value_name = "RECIPE", required_unless_present = "all")]
    recipes: Vec<PathBuf>,
    /// Every recipe of the folder, with all its variants
    #[arg(long)]
    all: bool,
    /// Publish there: a registry and the first part of the repositories' names; each image's own name follows
    #[arg(long, value_name = "REGISTRY/PREFIX", conflicts_with = "out")]
    to: Option<Prefix>,
    /// Without `--to`: the folder that layouts are written to; out if not said
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Move what a security archive has newer, and what fixes a CVE (this is what is done if nothing is said)
    #[arg(long, conflicts_with = "everything")]
    security_only: bool,
    /// Move all that the archives have newer
    #[arg(long)]
    everything: bool,
    /// Print what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Another snapshot of advisories than the current one: its digest, or a file
    #[arg(long, value_name = "DIGEST|FILE")]
    advisories: Option<String>,
    /// Keep an image back where there is such a finding: fixable, kev, critical, high, medium, low, any
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    fail_on: Vec<FailOn>,
    /// The site's policy: advisories that are older than its `advisories-max-age`, or missing, end the run before it begins
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Publish without running the images' own tests
    #[arg(long)]
    no_test: bool,
    /// What makes containers for the tests: runc, crun or a path; the first that is there if not said
    #[arg(long, value_name = "RUNTIME")]
    runtime: Option<String>,
    /// The folder that release notes are written to
    #[arg(long, value_name = "DIR", default_value = "notes")]
    notes: PathBuf,
    /// The ledger: a file, or `postgres://USER@HOST/DATABASE`; `ledger.db` in the store if not said
    #[arg(long, value_name = "FILE|URL", env = "HARDPAN_LEDGER", hide_env_values = true)]
    ledger: Option<String>,
    /// Leave out cosign's older form of signature and attestations
    #[arg(long)]
    no_legacy: bool,
    /// Speak plain http with registries that are not on this machine
    #[arg(long)]
    plain_http: bool,
    /// How many images at once; as many as there are processors if not said
    #[arg(short, long, value_name = "N")]
    jobs: Option<usize>,
    /// Print the schedule that runs this command day and night, instead of running it
    #[arg(long, value_name = "KIND")]
    emit: Option<Emit>,
    #[command(flatten)]
    signing: SigningArgs,
}

/// What a schedule is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Emit {
    /// A workflow of GitHub Actions
    Github,
    /// A pipeline of GitLab
    Gitlab,
    /// A `CronJob` of Kubernetes
    Kubernetes,
    /// A service and a timer of systemd
    Systemd,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<()> {
    if let Some(kind) = args.emit {
        print::line(patch::schedule(kind.schedule(), &args.scheduled(global)?).trim_end());
        return Ok(());
    }
    // Before anything else: later there may be threads.
    let root = if args.no_test || args.dry_run { false } else { trial::become_root()? };
    let watch = Stopwatch::start();
    let files: Vec<PathBuf> = if args.all {
        args.folders().iter().map(|folder| folder.join("all")).collect()
    } else {
        args.recipes.clone()
    };
    let context = global.context(&files, false, args.jobs)?;
    let catalog = args.catalog()?;
    let _alone = (!args.dry_run).then(|| patch::alone(&context.store)).transpose()?;
    // What would fail at the end is refused before anything is done: a password, a clock, a ledger, a runtime. A plan needs
    // nobody who signs; but one who is named is known.
    let signer = if args.dry_run && !args.signing.is_said()? {
        None
    } else {
        Some(args.signing.open(&Global::environment())?)
    };
    let (snapshot, signed) = asked(global, &context, args, signer.as_deref())?.unzip();
    if args.dry_run {
        let plan = patch::plan(&context, &catalog, args.extent(), snapshot.as_ref())?;
        let late = late(&books::place(global, args.ledger.as_deref())?, &catalog, &plan)?;
        return patch_table::plan(global, &catalog, &plan, &late);
    }
    let ledger = Books::open(&books::place(global, args.ledger.as_deref())?, patience()?)?;
    patch::notes_ready(&args.notes)?;
    let trials = Trials { runtime: args.runtime.as_deref(), root, turn: std::sync::Mutex::default() };
    let trials = (!args.no_test).then_some(trials);
    trials.as_ref().map_or(Ok(()), |trials| trials.ready(&catalog))?;
    let place = args.place()?;
    let plan = patch::plan(&context, &catalog, args.extent(), snapshot.as_ref())?;
    let tasks = catalog::images(&catalog, None);
    let patching = Patching {
        context: &context,
        catalog: &catalog,
        plan: &plan,
        place: &place,
        signer: signer.as_deref().expect("it was opened: this is no dry run"),
        books: &ledger,
        notes: &args.notes,
        trials,
        snapshot: snapshot.as_ref(),
        signed: signed.unwrap_or(SignedBy::Nobody),
        fail_on: &args.fail_on,
    };
    let outcomes = patch::run(&patching, &tasks);
    patch_table::outcomes(global, &plan, &tasks, &outcomes, watch.elapsed().as_secs_f64());
    patch::kept_back(&tasks, &outcomes)
}

/// What images lack though no pin moves, as the ledger has it: by the place of their recipe, and by name.
fn late(ledger: &ledger::Place, catalog: &Catalog, plan: &Plan) -> Result<Vec<patch_table::Late>> {
    let mut late = Vec::new();
    let Some(books) = Books::look(ledger, patience()?)? else { return Ok(late) };
    for task in catalog::images(catalog, None) {
        let Ok(planned) = &plan.recipes[task.at] else { continue };
        let Some(lock) = &planned.before else { continue };
        let Ok(name) = task.entry.name.parse() else { continue };
        let image = ImageId { name, variant: task.variant.clone() };
        let moves = planned.not_moved(books.late(&image, lock)?);
        if !moves.is_empty() {
            late.push(patch_table::Late { at: task.at, image: task.name(), moves });
        }
    }
    Ok(late)
}

/// The snapshot to go by, if there is one, and whose signature it bears. What is asked of it can't be asked of nothing.
fn asked(
    global: &Global,
    context: &Context,
    args: &Args,
    own: Option<&dyn Signer>,
) -> Result<Option<(Snapshot, SignedBy)>> {
    let shelf = advisory::Shelf::of(&context.store);
    let policy = args.policy.as_deref().map(Policy::read).transpose()?;
    let max_age = policy.and_then(|policy| policy.advisories_max_age);
    let snapshot = match &args.advisories {
        Some(name) => Some(shelf.open_named(name)?),
        None if shelf.current()?.is_none() => None,
        None => Some(shelf.open_current()?.0),
    };
    let Some(snapshot) = snapshot else {
        let asks = if args.fail_on.is_empty() { max_age.map(|_| "the policy") } else { Some("`--fail-on`") };
        let Some(who) = asks else { return Ok(None) };
        let what = format!("{who} needs to know of vulnerabilities, and nothing was imported");
        let problem = Problem::new(codes::NO_ADVISORIES, what);
        return Err(problem.help("`hardpan advisories import FILE…` reads feeds").into());
    };
    let facts = SnapshotFacts::of(&snapshot, context.now);
    facts.check_age(max_age)?;
    facts.warnings().iter().for_each(|warning| global.say(warning));
    let signed =
        snapshot::signed_by(&shelf, &snapshot, args.advisories.as_deref(), &TrustArgs::default(), own)?;
    Ok(Some((snapshot, signed)))
}

impl Emit {
    fn schedule(self) -> Schedule {
        match self {
            Self::Github => Schedule::Github,
            Self::Gitlab => Schedule::Gitlab,
            Self::Kubernetes => Schedule::Kubernetes,
            Self::Systemd => Schedule::Systemd,
        }
    }
}

impl Args {
    fn extent(&self) -> Extent {
        if self.everything { Extent::All } else { Extent::Security }
    }

    fn folders(&self) -> Vec<PathBuf> {
        if self.recipes.is_empty() { vec![PathBuf::from(CATALOG)] } else { self.recipes.clone() }
    }

    fn catalog(&self) -> Result<Catalog> {
        if self.all {
            let folders = self.folders();
            let [folder] = &folders[..] else {
                let problem = Problem::new(codes::USAGE, "`--all` takes one folder");
                return Err(problem.help("such as `hardpan patch --all recipes`").into());
            };
            return Catalog::open(folder);
        }
        let folders: BTreeSet<&Path> = self.recipes.iter().map(|recipe| folder_of(recipe)).collect();
        let mut folders = folders.into_iter();
        let (Some(folder), None) = (folders.next(), folders.next()) else {
            let problem = Problem::new(codes::USAGE, "the recipes are in several folders");
            return Err(problem.help("run the command once for each folder").into());
        };
        let wanted: BTreeSet<PathBuf> =
            self.recipes.iter().filter_map(|recipe| Some(folder.join(recipe.file_name()?))).collect();
        let catalog = Catalog::open(folder)?;
        let there = |path: &PathBuf| catalog.entries.iter().any(|entry| entry.path == *path);
        match wanted.iter().find(|path| !there(path)) {
            None => Ok(catalog.only(&wanted)),
            Some(path) => {
                let problem =
                    Problem::new(codes::NO_RECIPE, format!("there is no recipe `{}`", path.display()));
                Err(problem.help("`--all` takes every recipe of a folder").into())
            }
        }
    }

    fn place(&self) -> Result<Place> {
        let Some(prefix) = &self.to else {
            return Ok(Place::Folder(self.out.clone().unwrap_or_else(|| PathBuf::from("out"))));
        };
        let access = Box::new(pull::access(self.plain_http, Purpose::Push)?);
        Ok(Place::Registry { access, prefix: prefix.clone(), older_form: !self.no_legacy })
    }

    /// What a schedule runs: this command, with all that it says. What the environment says is the schedule's own business.
    fn scheduled(&self, global: &Global) -> Result<Scheduled> {
        let mut words = vec!["hardpan".to_owned(), "patch".to_owned()];
        words.extend(self.all.then(|| "--all".to_owned()));
        words.extend(self.recipes.iter().map(|path| path.display().to_string()));
        let mut option = |name: &str, value: Option<String>| {
            words.extend(value.into_iter().flat_map(|value| [name.to_owned(), value]));
        };
        let shown = |path: &PathBuf| path.display().to_string();
        option("--to", self.to.as_ref().map(ToString::to_string));
        option("--out", self.out.as_ref().map(shown));
        option("--advisories", self.advisories.clone());
        let kinds: Vec<String> = self.fail_on.iter().map(ToString::to_string).collect();
        option("--fail-on", (!kinds.is_empty()).then(|| kinds.join(",")));
        option("--policy", self.policy.as_ref().map(shown));
        option("--runtime", self.runtime.clone());
        option("--notes", (self.notes != Path::new("notes")).then(|| shown(&self.notes)));
        option("--ledger", self.own_ledger()?);
        option("--jobs", self.jobs.map(|jobs| jobs.to_string()));
        for mirror in &global.mirror {
            option("--mirror", Some(mirror.clone()));
        }
        let from_environment = host::variable("HARDPAN_STORE").map(PathBuf::from);
        option("--store", global.store.as_ref().filter(|_| global.store != from_environment).map(shown));
        let flags = [
            ("--everything", self.everything),
            ("--no-test", self.no_test),
            ("--no-legacy", self.no_legacy),
            ("--plain-http", self.plain_http),
        ];
        words.extend(flags.iter().filter(|(_, said)| *said).map(|(name, _)| (*name).to_owned()));
        words.extend(self.signing.words());
        // It stands in YAML, in a unit and in a shell: what would need quoting there is not guessed at.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@=,+".contains(&byte);
        if let Some(word) = words.iter().find(|word| !word.bytes().all(plain)) {
            let problem = Problem::new(codes::USAGE, format!("`{word}` can't stand in a schedule"));
            return Err(problem.expected("letters, digits and `-_./:@=,+`").into());
        }
        let folders = self.folders();
        let folder = if self.all { &folders[0] } else { folder_of(&folders[0]) };
        Ok(Scheduled {
            words,
            folder: folder.display().to_string(),
            registry: self.to.as_ref().map(|prefix| prefix.registry().to_string()),
        })
    }

    /// The ledger, where the command says it. An address may hold a password, which has no place in a file that is committed.
    fn own_ledger(&self) -> Result<Option<String>> {
        let said = self.ledger.clone().filter(|said| host::variable("HARDPAN_LEDGER").as_ref() != Some(said));
        if said.as_ref().is_some_and(|said| said.contains("://")) {
            let problem = Problem::new(codes::USAGE, "a database's address has no place in a schedule");
            return Err(problem.help("leave it out: schedules take it from HARDPAN_LEDGER").into());
        }
        Ok(said)
    }
}

fn folder_of(recipe: &Path) -> &Path {
    match recipe.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
