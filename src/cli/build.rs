//! `hardpan build`: recipes to images.

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
use crate::pipeline::{self, Attesting, Built, Context, LockMode, Order};
use crate::policy::Verdict;
use crate::sign::Signer;

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
    /// Recipes, such as recipes/python.toml
    #[arg(required = true, value_name = "RECIPE")]
    recipes: Vec<PathBuf>,
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
    let context = global.context(&args.recipes, args.offline, args.jobs)?;
    // A password is asked for, and a wrong one refused, before anything is fetched.
    let signs = !args.no_attest && args.format != Format::DockerArchive;
    let signer = signs.then(|| args.signing.open(&Global::environment())).transpose()?;
    for recipe in &args.recipes {
        one(global, args, &context, recipe, signer.as_deref())?;
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

/// Who signed, and how many statements refer to the image.
struct Signed<'a> {
    signer: &'a dyn Signer,
    statements: usize,
}

fn one(
    global: &Global,
    args: &Args,
    context: &Context,
    recipe: &Path,
    signer: Option<&dyn Signer>,
) -> Result<()> {
    let watch = Stopwatch::start();
    let order = Order {
        recipe: recipe.to_owned(),
        variant: args.variant.clone(),
        platforms: platforms(args),
        compression: args.compression,
        mode: if args.locked { LockMode::Locked } else { LockMode::Needed },
    };
    let finished = pipeline::build(context, &order)?;
    if !global.quiet {
        lock::say(&finished.report);
    }
    let built = &finished.built;
    for warning in &built.warnings {
        global.say(warning);
    }
    let out = args.out.clone().unwrap_or_else(|| default_out(built, args));
    let artifacts = match signer {
        None if args.no_attest => pipeline::with_others(context, &out, built, Vec::new())?,
        None => Vec::new(),
        Some(signer) => {
            let attesting = Attesting { signer, spdx3: args.spdx3 };
            let own = pipeline::attest(context, &finished, &attesting)?;
            pipeline::with_others(context, &out, built, own)?
        }
    };
    write(args.format, &out, built, &artifacts, context)?;
    let signed = signer.map(|signer| Signed { signer, statements: artifacts.len() });
    let seconds = watch.elapsed().as_secs_f64();
    if global.json {
        print::line(&json_summary(built, signed.as_ref(), &out, seconds).to_string());
    } else {
        if !global.quiet {
            print::error(&summary(built, signed.as_ref(), &out, seconds));
        }
        print::line(&built.digest().to_string());
    }
    if global.verbose {
        let peak = host::peak_memory().map_or_else(|| "unknown".to_owned(), size);
        print::error(&format!("{:>12} {peak}", "Memory"));
    }
    Ok(())
}

fn default_out(built: &Built, args: &Args) -> PathBuf {
    let variant = args.variant.as_ref().map(|variant| format!("-{variant}")).unwrap_or_default();
    let ending = if args.format == Format::OciLayout { "" } else { ".tar" };
    Path::new("out").join(format!("{}{variant}{ending}", built.name))
}

fn write(format: Format, out: &Path, built: &Built, artifacts: &[Artifact], context: &Context) -> Result<()> {
    let Built { name, tags, platforms, index, .. } = built;
    let beside = beside(!artifacts.is_empty());
    let parts = Parts { platforms, index, tags, artifacts, beside: &beside, store: &context.store };
    match format {
        Format::OciLayout => write_layout(out, &parts).map(drop),
        Format::OciArchive => write_archive(ArchiveKind::Oci, out, name, &parts),
        Format::DockerArchive => write_archive(ArchiveKind::Docker, out, name, &parts),
    }
}

fn summary(built: &Built, signed: Option<&Signed>, out: &Path, seconds: f64) -> String {
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
    if let Some(Signed { signer, statements }) = signed {
        let only = if signer.is_development() { ", which proves only \"this machine\"" } else { "" };
        rows.push(vec![
            "Signed".to_owned(),
            format!("{statements} statements by {}{only}", signer.describe()),
        ]);
    }
    rows.push(vec!["Written".to_owned(), format!("{} in {seconds:.2} s", out.display())]);
    rows.iter().map(|row| format!("{:>12} {}", row[0], row[1])).collect::<Vec<_>>().join("\n")
}

/// The exceptions to the contents policy that a platform needs, and why.
fn exceptions(built: &Built) -> BTreeMap<String, String> {
    built.verdicts.iter().flat_map(Verdict::reasons).collect()
}

fn json_summary(built: &Built, signed: Option<&Signed>, out: &Path, seconds: f64) -> Value {
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
        "path": out,
        "exceptions": exceptions(built),
        "signed": signed.map(|Signed { signer, statements }| json!({
            "by": signer.describe(),
            "key": signer.public_key().fingerprint(),
            "development_key": signer.is_development(),
            "statements": statements,
        })),
        "layers_reused": built.reused.0,
        "seconds": (seconds * 1000.0).round() / 1000.0,
    })
}
