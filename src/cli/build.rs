//! `hardpan build`: recipes to images.

mod all;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::signing::{SigningArgs, beside};
use super::{Global, lock, print};
use crate::canon::Compression;
use crate::diag::{Problem, Result, codes};
use crate::host::{self, Stopwatch, size};
use crate::ident::Platform;
use crate::image::{ArchiveKind, Artifact, Parts, PlatformImage, write_archive, write_layout};
use crate::pipeline::{self, Attesting, Built, Context, Finished, LockMode, Order};
use crate::policy::Verdict;
use crate::sign::Signer;

/// The folder of recipes, where none is named.
const CATALOG: &str = "recipes";

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A folder in the OCI layout
    OciLayout,
    /// A tar of such a folder
    OciArchive,
    /// What `docker load` takes; one platform
    DockerArchive,
}

#[allow(clippy::struct_excessive_bools)] // each is a flag of its own on the command line
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Recipes, such as recipes/python.toml; with `--all`, a folder of them (recipes if not said)
    #[arg(required_unless_present = "all", value_name = "RECIPE")]
    recipes: Vec<PathBuf>,
    /// Build every recipe of the folder, with all its variants, each after what it stands on
    #[arg(long, conflicts_with = "out")]
    all: bool,
    /// Only what a change since a revision of git touches, and what stands on it
    #[arg(long, value_name = "REV", requires = "all")]
    changed_since: Option<String>,
    /// Which variant, such as dev
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    /// Which platforms, such as linux/amd64,linux/arm64; all of the recipe's if not said
    #[arg(long, value_name = "PLATFORM", value_delimiter = ',')]
    platform: Vec<Platform>,
    /// What to write
    #[arg(long, value_enum, default_value = "oci-layout")]
    format: Format,
    /// Where: a folder for a layout, a file for an archive; out/NAME if not said
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
    /// How to compress layers: gzip or zstd
    #[arg(long, value_name = "KIND", default_value = "gzip")]
    compression: Compression,
    /// Use the lock as it is, or fail
    #[arg(long)]
    locked: bool,
    /// Use the store only, never the network
    #[arg(long)]
    offline: bool,
    /// How many threads; all processors if not said
    #[arg(short, long, value_name = "N")]
    jobs: Option<usize>,
    /// Write the SBOM as SPDX 3.0.1 too
    #[arg(long, conflicts_with = "no_attest")]
    spdx3: bool,
    /// Make the image only: no SBOM, no provenance, no signature
    #[arg(long)]
    no_attest: bool,
    #[command(flatten)]
    signing: SigningArgs,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<()> {
    check(args)?;
    let places = if args.recipes.is_empty() { &[PathBuf::from(CATALOG)][..] } else { &args.recipes };
    // Mirrors are looked for beside the recipes.
    let files: Vec<PathBuf> =
        if args.all { places.iter().map(|folder| folder.join("all")).collect() } else { places.to_vec() };
    let context = global.context(&files, args.offline, args.jobs)?;
    // A password is asked for, and a wrong one refused, before anything is fetched.
    let signs = !args.no_attest && args.format != Format::DockerArchive;
    let signer = signs.then(|| args.signing.open(&Global::environment())).transpose()?;
    if args.all {
        return all::run(global, args, &context, places, signer.as_deref());
    }
    for recipe in &args.recipes {
        let job = Job { recipe, variant: args.variant.as_deref() };
        let made = make(args, &context, &job, signer.as_deref())?;
        tell(global, &made, signer.as_deref());
    }
    Ok(())
}

fn check(args: &Args) -> Result<()> {
    let usage = |message: &str, help: &str| Err(Problem::new(codes::USAGE, message).help(help).into());
    if args.recipes.len() > 1 && args.out.is_some() {
        return usage(
            "`--out` names one place, but there are several recipes",
            "leave it out: each goes to out/NAME",
        );
    }
    if args.format == Format::DockerArchive && args.platform.len() > 1 {
        return usage("a docker archive holds one platform", "name one: `--platform linux/amd64`");
    }
    if args.format == Format::DockerArchive && args.compression == Compression::Zstd {
        return usage("`docker load` takes no zstd layers", "leave out `--compression zstd`");
    }
    if args.jobs == Some(0) {
        return usage("`--jobs 0` does nothing", "give 1 or more");
    }
    Ok(())
}

/// The platforms that are asked for; of a docker archive, this machine's, if nothing is said.
fn platforms(args: &Args) -> Option<Vec<Platform>> {
    let here = if cfg!(target_arch = "aarch64") { Platform::Arm64 } else { Platform::Amd64 };
    match (args.platform.is_empty(), args.format) {
        (true, Format::DockerArchive) => Some(vec![here]),
        (true, _) => None,
        (false, _) => Some(args.platform.clone()),
    }
}

/// What is to be built.
struct Job<'a> {
    recipe: &'a Path,
    variant: Option<&'a str>,
}

/// An image that was built and written.
struct Made {
    finished: Finished,
    out: PathBuf,
    /// Whether anything at `out` changed.
    changed: bool,
    /// How many statements refer to it.
    statements: usize,
    seconds: f64,
}

fn make(args: &Args, context: &Context, job: &Job, signer: Option<&dyn Signer>) -> Result<Made> {
    let watch = Stopwatch::start();
    let order = Order {
        recipe: job.recipe.to_owned(),
        variant: job.variant.map(ToOwned::to_owned),
        platforms: platforms(args),
        compression: args.compression,
        mode: if args.locked { LockMode::Locked } else { LockMode::Needed },
    };
    let finished = pipeline::build(context, &order)?;
    let built = &finished.built;
    let out = args.out.clone().unwrap_or_else(|| default_out(built, args, job.variant));
    let artifacts = match signer {
        None if args.no_attest => pipeline::with_others(context, &out, built, Vec::new())?,
        None => Vec::new(),
        Some(signer) => {
            let attesting = Attesting { signer, spdx3: args.spdx3 };
            let own = pipeline::attest(context, &finished, &attesting)?;
            pipeline::with_others(context, &out, built, own)?
        }
    };
    let changed = write(args.format, &out, built, &artifacts, context)?;
    let statements = artifacts.len();
    Ok(Made { finished, out, changed, statements, seconds: watch.elapsed().as_secs_f64() })
}

/// Tells of one image.
fn tell(global: &Global, made: &Made, signer: Option<&dyn Signer>) {
    if !global.quiet {
        lock::say(&made.finished.report);
    }
    for warning in &made.finished.warnings {
        global.say(warning);
    }
    if global.json {
        print::line(&json_summary(made, signer).to_string());
    } else {
        if !global.quiet {
            print::error(&summary(made, signer));
        }
        print::line(&made.finished.built.digest().to_string());
    }
    if global.verbose {
        let peak = host::peak_memory().map_or_else(|| "unknown".to_owned(), size);
        print::error(&format!("{:>12} {peak}", "Memory"));
    }
}

fn default_out(built: &Built, args: &Args, variant: Option<&str>) -> PathBuf {
    let variant = variant.map(|variant| format!("-{variant}")).unwrap_or_default();
    let ending = if args.format == Format::OciLayout { "" } else { ".tar" };
    Path::new("out").join(format!("{}{variant}{ending}", built.name))
}

/// Writes the image; whether anything changed there (an archive is always written anew).
fn write(
    format: Format,
    out: &Path,
    built: &Built,
    artifacts: &[Artifact],
    context: &Context,
) -> Result<bool> {
    let Built { name, tags, platforms, index, .. } = built;
    let beside = beside(!artifacts.is_empty());
    let parts = Parts { platforms, index, tags, artifacts, beside: &beside, store: &context.store };
    match format {
        Format::OciLayout => write_layout(out, &parts),
        Format::OciArchive => write_archive(ArchiveKind::Oci, out, name, &parts).map(|()| true),
        Format::DockerArchive => write_archive(ArchiveKind::Docker, out, name, &parts).map(|()| true),
    }
}

fn summary(made: &Made, signer: Option<&dyn Signer>) -> String {
    let built = &made.finished.built;
    let tags: Vec<String> = built.tags.iter().map(ToString::to_string).collect();
    let (reused, layers) = built.reused;
    let mut rows = vec![
        vec!["Image".to_owned(), format!("{}:{}", built.name, tags.join(", "))],
        vec!["Digest".to_owned(), built.digest().to_string()],
    ];
    for (image, packages) in built.platforms.iter().zip(&built.packages) {
        rows.push(vec![
            image.platform.to_string(),
            format!("{}, packages: {}, layers: {}", size(image.size()), packages.len(), image.layers.len()),
        ]);
    }
    for (rule, reason) in exceptions(built) {
        rows.push(vec!["Allowed".to_owned(), format!("{rule}: {reason}")]);
    }
    rows.push(vec!["Layers".to_owned(), format!("{reused} of {layers} reused")]);
    if let Some(signer) = signer {
        let only = if signer.is_development() { ", which proves only \"this machine\"" } else { "" };
        rows.push(vec![
            "Signed".to_owned(),
            format!("{} statements by {}{only}", made.statements, signer.describe()),
        ]);
    }
    rows.push(vec!["Written".to_owned(), format!("{} in {:.2} s", made.out.display(), made.seconds)]);
    rows.iter().map(|row| format!("{:>12} {}", row[0], row[1])).collect::<Vec<_>>().join("\n")
}

/// The exceptions to the contents policy that a platform needs, and why.
fn exceptions(built: &Built) -> BTreeMap<String, String> {
    built.verdicts.iter().flat_map(Verdict::reasons).collect()
}

fn json_summary(made: &Made, signer: Option<&dyn Signer>) -> Value {
    let built = &made.finished.built;
    let platform = |(image, packages): (&PlatformImage, _)| {
        let layers: Vec<Value> = image
            .layers
            .iter()
            .map(|layer| json!({ "name": layer.name, "digest": layer.digest, "diff_id": layer.diff_id, "size": layer.size }))
            .collect();
        json!({
            "platform": image.platform,
            "digest": image.digest(),
            "config": image.config_digest(),
            "size": image.size(),
            "created": image.created,
            "layers": layers,
            "packages": packages,
        })
    };
    json!({
        "name": built.name,
        "tag": built.tags[0],
        "tags": built.tags,
        "digest": built.digest(),
        "platforms": built.platforms.iter().zip(&built.packages).map(platform).collect::<Vec<_>>(),
        "path": made.out,
        "exceptions": exceptions(built),
        "changed": made.changed,
        "signed": signer.map(|signer| json!({
            "by": signer.describe(),
            "key": signer.public_key().fingerprint(),
            "development_key": signer.is_development(),
            "statements": made.statements,
        })),
        "layers_reused": built.reused.0,
        "seconds": (made.seconds * 1000.0).round() / 1000.0,
    })
}
