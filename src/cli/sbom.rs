//! `hardpan sbom`: print the SBOM that is attached to an image.

use serde_json::Value;

use super::{Global, print, pull};
use crate::attest;
use crate::canon;
use crate::diag::{Problem, Result, codes};
use crate::image::Image;
use crate::store::Store;
use crate::verify::{self, About};

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
    let document = document(&image, &about, args.format.kind())?;
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
        Problem::new(codes::USAGE, what).help(format!("it has {}", names.join(", "))).into()
    })
}

fn document(image: &Image, about: &About, kind: &str) -> Result<Value> {
    let found = verify::attached_of_kind(image, &about.digest, kind)?;
    let Some(first) = found.into_iter().find(|attached| attached.statement.is_about(&about.digest)) else {
        let what =
            format!("the {} of `{}` has no {} attached", about.name, image.name(), attest::kind_name(kind));
        let help = if kind == attest::SPDX3 {
            "build it with `--spdx3`, or take `--format spdx`"
        } else {
            "build it without `--no-attest`, and publish it with what refers to it"
        };
        return Err(Problem::new(codes::NO_STATEMENT, what).help(help).into());
    };
    Ok(first.statement.predicate)
}
