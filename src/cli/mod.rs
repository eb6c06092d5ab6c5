//! Arguments, exit codes, printing; one file a verb.
//!
//! Results go to the standard output, all else to the error output. The exit code is the hundreds
//! digit of the first problem's code: 0 done, 1 this machine or a bug, 2 usage, 3 recipe or lock, 4 an
//! input could not be had, 5 an input is not what was pinned or signed, 6 a check failed, 7
//! publishing failed.

mod advisories;
mod advisories_derive;
mod advisories_look;
mod attend;
mod attest;
mod books;
mod build;
mod closure;
mod completions;
mod debug;
mod diff;
mod explain;
mod gc;
mod inspect;
mod keys;
mod lock;
mod mirrors;
mod new;
mod patch;
mod patch_table;
mod print;
mod prober;
mod publish;
mod pull;
mod rebuild;
mod report;
mod sbom;
mod scan;
mod scan_subject;
mod scan_table;
mod scan_vex;
mod schema;
mod signing;
mod snapshot;
mod statement;
mod test;
mod verify;
mod vex;
mod vex_add;
mod vex_export;
mod vex_look;
mod why;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{ColorChoice, Parser, Subcommand};

use crate::diag::{Failure, Problem, Result, codes, render};
use crate::fetch::{MirrorConfig, Mirrors};
use crate::host::{self, Client, Environment, Progress, Voice};
use crate::ident::Epoch;
use crate::pipeline::Context;
use crate::store::Store;

/// Turns a recipe into a hardened, minimal, reproducible container image.
///
/// A TOML recipe names packages of signed archives, file by file; hardpan pins them in a lock,
/// fetches and checks them, and writes an image that is the same to the byte on every machine.
#[derive(Debug, Parser)]
#[command(
    name = "hardpan",
    version,
    propagate_version = true,
    after_help = "`hardpan explain CODE` says more about a problem, such as HP307."
)]
pub struct Cli {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    global: Global,
}

/// Options of every verb.
#[allow(clippy::struct_excessive_bools)] // each is a flag of its own on the command line
#[derive(Debug, clap::Args)]
pub(crate) struct Global {
    /// Where blobs are kept; the user's cache folder if not said
    #[arg(long, global = true, value_name = "DIR", env = "HARDPAN_STORE")]
    store: Option<PathBuf>,
    /// Where an archive is: NAME=URL, http, https or file; may be given several times
    #[arg(long, global = true, value_name = "NAME=URL")]
    mirror: Vec<String>,
    /// Print problems and results only
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Print more
    #[arg(short, long, global = true)]
    verbose: bool,
    /// Print results as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Whether to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: ColorChoice,
    /// No progress bars
    #[arg(long, global = true)]
    no_progress: bool,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Draft a recipe for a Debian package
    ///
    /// Looks at the package and all that it depends on for the program, what that needs, configuration,
    /// user, folders and ports; builds the image; asks the program for its version in a container, or starts
    /// the server and talks to it; and writes a recipe, its lock, and tests of what was seen. Where runc or
    /// crun is missing the recipe is written untried, and says so.
    New(new::Args),
    /// Build the images of recipes
    Build(build::Args),
    /// Pin what recipes need, or move pins
    Lock(lock::Args),
    /// Show what an image is and holds
    Inspect(inspect::Args),
    /// Show what differs between two images, by package and by file
    Diff(diff::Args),
    /// Make, show and import signing keys
    Keys(keys::Args),
    /// Put images into a registry
    Publish(publish::Args),
    /// Bring an image out of a registry, with all that refers to it
    Pull(pull::Args),
    /// Show why a file is in an image
    Why(why::Args),
    /// Print the command that gives a shell beside an image
    Debug(debug::Args),
    /// Show what the image of a recipe holds, package by package, and what needs what
    Closure(closure::Args),
    /// Print the SBOM that is attached to an image
    Sbom(sbom::Args),
    /// Add a signed statement to an image
    Attest(attest::Args),
    /// Run the tests of an image in containers
    Test(test::Args),
    /// What `test` starts itself as
    #[command(hide = true)]
    Attend(attend::Args),
    /// Check an image: digests, signatures, SBOMs, pins, tags, policy
    Verify(verify::Args),
    /// Build images again from their own provenance, and compare
    Rebuild(rebuild::Args),
    /// Bring images up to date where a fix exists: relock, rebuild, test, sign, publish, write down
    Patch(patch::Args),
    /// Find the known vulnerabilities of an image, an SBOM, a lock file or a Debian system
    Scan(scan::Args),
    /// Show how long fixes took, what is open where, and what a CVE touches
    Report(report::Args),
    /// What is known of vulnerabilities: import feeds, derive from changelogs, show
    Advisories(advisories::Args),
    /// Decide on vulnerabilities, and say so to others: list, check, add, export as OpenVEX or CSAF
    Vex(vex::Args),
    /// Show where archives are looked for, and why
    Mirrors(mirrors::Args),
    /// Free what the store holds and nobody needs
    Gc(gc::Args),
    /// Print the JSON Schema of recipes
    Schema(schema::Args),
    /// Say more about a problem's code
    Explain(explain::Args),
    /// Print completions for a shell
    Completions(completions::Args),
}

/// Runs hardpan with the process's arguments.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.verb {
        Verb::New(args) => new::run(&cli.global, &args),
        Verb::Build(args) => build::run(&cli.global, &args),
        Verb::Lock(args) => lock::run(&cli.global, &args),
        Verb::Inspect(args) => inspect::run(&cli.global, &args),
        Verb::Diff(args) => diff::run(&cli.global, &args),
        Verb::Keys(args) => keys::run(&cli.global, &args),
        Verb::Publish(args) => publish::run(&cli.global, &args),
        Verb::Pull(args) => pull::run(&cli.global, &args),
        Verb::Why(args) => why::run(&cli.global, &args),
        Verb::Debug(args) => debug::run(&cli.global, &args),
        Verb::Closure(args) => closure::run(&cli.global, &args),
        Verb::Sbom(args) => sbom::run(&cli.global, &args),
        Verb::Attest(args) => attest::run(&cli.global, &args),
        Verb::Test(args) => test::run(&cli.global, &args),
        Verb::Attend(args) => attend::run(&args),
        Verb::Verify(args) => verify::run(&cli.global, &args),
        Verb::Rebuild(args) => rebuild::run(&cli.global, &args),
        Verb::Patch(args) => patch::run(&cli.global, &args),
        Verb::Scan(args) => scan::run(&cli.global, &args),
        Verb::Report(args) => report::run(&cli.global, &args),
        Verb::Advisories(args) => advisories::run(&cli.global, &args),
        Verb::Vex(args) => vex::run(&cli.global, &args),
        Verb::Mirrors(args) => mirrors::run(&cli.global, &args),
        Verb::Gc(args) => gc::run(&cli.global, &args),
        Verb::Schema(args) => schema::run(&args),
        Verb::Explain(args) => explain::run(&args),
        Verb::Completions(args) => completions::run(&args),
    };
    match outcome.and_then(|()| print::check()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            cli.global.report(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}

impl Global {
    /// Prints problems on the error output.
    fn report(&self, failure: &Failure) {
        for problem in failure.problems() {
            self.say(problem);
        }
        // Some verbs print what is wrong as part of their own JSON.
        if self.json && !failure.is_told() {
            let problems = failure.problems().iter().map(print::problem_json).collect::<Vec<_>>();
            print::line(&serde_json::json!({ "problems": problems }).to_string());
        }
    }

    /// Prints one problem or warning.
    fn say(&self, problem: &Problem) {
        if !(problem.warning && self.quiet) {
            print::error(&render(problem, self.colour()));
        }
    }

    fn colour(&self) -> bool {
        match self.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => host::on_terminal() && host::variable("NO_COLOR").is_none(),
        }
    }

    fn voice(&self) -> Voice {
        if self.quiet {
            Voice::Quiet
        } else if host::on_terminal() && !self.no_progress {
            Voice::Bars
        } else {
            Voice::Lines
        }
    }

    fn environment() -> Environment {
        Environment::of_process()
    }

    fn store_path(&self) -> Result<PathBuf> {
        let own = || Some(Self::environment().cache?.join("hardpan"));
        self.store.clone().or_else(own).ok_or_else(|| {
            let problem = Problem::new(
                codes::CONFIG,
                "there is no place for the store: neither HOME nor XDG_CACHE_HOME is set",
            );
            problem.help("say where it is: `--store DIR`, or HARDPAN_STORE").into()
        })
    }

    /// Where mirrors are, with `mirrors.toml` beside the recipes and in the folder above them.
    fn mirrors(&self, recipes: &[PathBuf]) -> Result<(Mirrors, Client)> {
        let folders: Vec<PathBuf> = recipes
            .iter()
            .filter_map(|recipe| recipe.parent())
            .flat_map(|folder| {
                let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
                [folder.to_owned(), folder.join("..")]
            })
            .chain([PathBuf::from(".")])
            .collect();
        let config = MirrorConfig::read(&self.mirror, &folders, &Self::environment())?;
        let client = Client::new(patience()?);
        Ok((Mirrors::new(config, client.clone()), client))
    }

    fn context(&self, recipes: &[PathBuf], offline: bool, jobs: Option<usize>) -> Result<Context> {
        let (mirrors, client) = self.mirrors(recipes)?;
        Ok(Context {
            store: Store::open(&self.store_path()?)?,
            mirrors: mirrors.into(),
            client,
            progress: Progress::new(self.voice()),
            offline,
            jobs: jobs.unwrap_or_else(host::cores).max(1),
            now: host::now(),
            clamp: clamp()?,
            shelf: std::sync::Arc::default(),
        })
    }
}

fn config_number(name: &str, what: &str) -> Result<Option<i64>> {
    let Some(text) = host::variable(name) else { return Ok(None) };
    match text.parse::<i64>() {
        Ok(number) if number >= 0 => Ok(Some(number)),
        _ => Err(Problem::new(codes::CONFIG, format!("the variable {name} does not say {what}"))
            .found(text)
            .expected("a whole number of seconds")
            .into()),
    }
}

/// How long a server may take to answer: `HARDPAN_TIMEOUT`, in seconds, 30 if not said.
fn patience() -> Result<Duration> {
    let seconds = config_number("HARDPAN_TIMEOUT", "how long to wait")?.unwrap_or(30).max(1);
    Ok(Duration::from_secs(seconds.unsigned_abs()))
}

/// No time in an image is later than `SOURCE_DATE_EPOCH` (reproducible-builds.org's specification).
fn clamp() -> Result<Option<Epoch>> {
    Ok(config_number("SOURCE_DATE_EPOCH", "a time")?.map(Epoch))
}
