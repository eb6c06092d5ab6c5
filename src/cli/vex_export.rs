//! `hardpan vex export`: what was decided on an image, as a document for others.

use std::path::{Path, PathBuf};

use super::signing::TrustArgs;
use super::{Global, lock, print, pull, statement};
use crate::canon::Compression;
use crate::diag::{Problem, Result, codes};
use crate::host;
use crate::pipeline::{self, LockMode, Order};
use crate::store::Store;
use crate::vex::{Document, Publisher, csaf, openvex, read_document};
use crate::{attest, canon};

/// What stands for who publishes, where nobody says: CSAF wants an address.
const NAMESPACE: &str = "https://hardpan.dev/";

/// The annotation that says where an image's recipe is from.
const SOURCE: &str = "org.opencontainers.image.source";

#[allow(clippy::struct_excessive_bools)] // each is a flag of its own on the command line
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A recipe, such as recipes/python.toml: what is decided now, about the image that it makes; or an image
    /// (an OCI layout folder or a reference): what is attached to it
    #[arg(value_name = "RECIPE|IMAGE")]
    target: String,
    /// Write CSAF 2.0 instead of OpenVEX
    #[arg(long)]
    csaf: bool,
    /// Who publishes it, for CSAF; the author of the decisions if not said
    #[arg(long, value_name = "NAME", requires = "csaf")]
    publisher: Option<String>,
    /// An address that is the publisher's own, for CSAF; the recipe's `source` if not said
    #[arg(long, value_name = "URL", requires = "csaf")]
    namespace: Option<String>,
    /// Where to write it; the standard output if not said
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Of a recipe, which variant
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    /// Of a recipe: use the lock as it is, or fail
    #[arg(long)]
    locked: bool,
    /// Of a recipe: use the store only, never the network
    #[arg(long)]
    offline: bool,
    /// Speak plain http with registries that are not on this machine
    #[arg(long)]
    plain_http: bool,
    #[command(flatten)]
    trust: TrustArgs,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<()> {
    let path = Path::new(&args.target);
    let is_recipe = path.extension().is_some_and(|ending| ending == "toml");
    let bytes = if is_recipe { of_recipe(global, args, path)? } else { of_image(global, args)? };
    match &args.out {
        None => print::line(&String::from_utf8_lossy(&bytes)),
        Some(output) => {
            host::write_atomic(output, &[&bytes[..], b"\n"].concat())?;
            if !global.quiet {
                print::error(&format!("{:>12} {}", "Wrote", output.display()));
            }
        }
    }
    Ok(())
}

fn of_recipe(global: &Global, args: &Args, recipe: &Path) -> Result<Vec<u8>> {
    let context = global.context(&[recipe.to_owned()], args.offline, None)?;
    let order = Order {
        recipe: recipe.to_owned(),
        variant: args.variant.clone(),
        platforms: None,
        compression: Compression::default(),
        mode: if args.locked { LockMode::Locked } else { LockMode::Needed },
    };
    let finished = pipeline::build(&context, &order)?;
    if !global.quiet {
        lock::say(&finished.report);
    }
    let document = pipeline::vex(&context, &finished)?.ok_or_else(|| {
        let what = format!("nothing that counts today was decided on the image of `{}`", recipe.display());
        Problem::new(codes::NO_VEX, what)
            .help("`hardpan vex list` shows what there is, `hardpan vex add` decides")
    })?;
    let source = finished.layers.first().and_then(|layers| layers.chain.last().source_url.clone());
    written(args, &document, source)
}

fn of_image(global: &Global, args: &Args) -> Result<Vec<u8>> {
    let store = Store::open(&global.store_path()?)?;
    let image = pull::open_small(&args.target, &store, args.plain_http)?;
    let about = statement::subject(&image, None)?;
    let predicate = statement::predicate(&args.trust, &image, &about, attest::OPENVEX)?;
    let bytes = canon::to_json(&predicate);
    if !args.csaf {
        return Ok(bytes);
    }
    let mut document = read_document(&bytes, image.name())?;
    document.name = crate::publish::name_of(&image).unwrap_or(document.name);
    written(args, &document, image.annotation(SOURCE).map(str::to_owned))
}

fn written(args: &Args, document: &Document, source: Option<String>) -> Result<Vec<u8>> {
    if !args.csaf {
        return Ok(openvex(document));
    }
    let namespace = args.namespace.clone().or(source).unwrap_or_else(|| NAMESPACE.to_owned());
    let is_address =
        namespace.split_once("://").is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty());
    if !is_address || namespace.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
        let problem = Problem::new(codes::USAGE, "CSAF wants an address for who publishes").found(&namespace);
        return Err(problem.help("such as `--namespace https://team.example/`").into());
    }
    Ok(csaf(document, &Publisher { name: args.publisher.clone(), namespace }))
}
