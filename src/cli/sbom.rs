//! `hardpan sbom`: print the SBOM that is attached to an image.

use serde_json::Value;

use super::signing::TrustArgs;
use super::{Global, print, pull};
use crate::attest;
use crate::canon;
use crate::diag::{Problem, Result, codes};
use crate::image::Image;
use crate::store::Store;
use crate::verify::{self, About, Attached};

/// A format of SBOMs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// SPDX 2.3 JSON
    Spdx,
    /// `CycloneDX` 1.6 JSON
    Cyclonedx,
    /// SPDX 3.0.1 JSON-LD, of images that were built with `--spdx3`
    Spdx3,
}

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// An OCI layout folder, an archive file, or a reference
    #[arg(value_name = "IMAGE")]
    image: String,
    /// In which format
    #[arg(long, value_enum, default_value = "spdx")]
    format: Format,
    /// Of which platform; of all of them if not said
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<String>,
    /// Speak plain http with registries that are not on this machine
    #[arg(long)]
    plain_http: bool,
    #[command(flatten)]
    trust: TrustArgs,
}

impl Format {
    fn kind(self) -> &'static str {
        match self {
            Self::Spdx => attest::SPDX,
            Self::Cyclonedx => attest::CYCLONEDX,
            Self::Spdx3 => attest::SPDX3,
        }
    }
}

pub(super) fn run(global: &Global, args: &Args) -> Result<()> {
    let store = Store::open(&global.store_path()?)?;
    let image = pull::open_small(&args.image, &store, args.plain_http)?;
    let about = subject(&image, args.platform.as_deref())?;
    let document = document(args, &image, &about, args.format.kind())?;
    print::line(&String::from_utf8_lossy(&canon::to_json(&document)));
    Ok(())
}

/// The index, or the platform that is asked for.
pub(super) fn subject(image: &Image, platform: Option<&str>) -> Result<About> {
    let subjects = verify::subjects(image);
    let names: Vec<&str> = subjects.iter().map(|about| about.name.as_str()).collect();
    let wanted = |about: &&About| platform.is_none_or(|platform| about.name == platform);
    subjects.iter().find(wanted).cloned().ok_or_else(|| {
        let what =
            format!("`{}` has nothing for {}", image.name(), platform.unwrap_or("statements to be about"));
        let help = if names.is_empty() {
            "a docker archive has no place for statements: take the OCI layout or the reference".to_owned()
        } else {
            format!("it has {}", names.join(", "))
        };
        Problem::new(codes::USAGE, what).help(help).into()
    })
}

/// The document of a kind: one that a trusted key signed, if there is any; with keys that were named, only
/// such a one. A bundle that does not read is passed over.
fn document(args: &Args, image: &Image, about: &About, kind: &str) -> Result<Value> {
    let own = image
        .referrers
        .iter()
        .filter(|referrer| referrer.subject == about.digest && verify::is_bundle(referrer));
    let mut found: Vec<Attached> = own
        .filter_map(|referrer| verify::read_attached(image, referrer).ok())
        .filter(|one| one.statement.predicate_type == kind && one.statement.is_about(&about.digest))
        .collect();
    let keys = args.trust.open_any(&Global::environment())?;
    let trusted = keys.and_then(|keys| found.iter().position(|one| keys.verify(&one.bundle).is_ok()));
    if let Some(at) = trusted {
        return Ok(found.swap_remove(at).statement.predicate);
    }
    let what = format!("the {} of `{}`", about.name, image.name());
    if args.trust.is_said() && !found.is_empty() {
        let problem = Problem::new(
            codes::NO_STATEMENT,
            format!("{what} has no SBOM that a key which was named signed"),
        );
        return Err(problem.help("name the signer's public key: `--key FILE`").into());
    }
    let Some(first) = found.into_iter().next() else {
        let what = format!("{what} has no {} attached", attest::kind_name(kind));
        let help = if kind == attest::SPDX3 {
            "build it with `--spdx3`, or take `--format spdx`"
        } else {
            "build it without `--no-attest`, and publish it with what refers to it"
        };
        return Err(Problem::new(codes::NO_STATEMENT, what).help(help).into());
    };
    print::error(&format!(
        "{:>12} nobody who is trusted here signed it; name a key with `--key`",
        "Unverified"
    ));
    Ok(first.statement.predicate)
}
