//! `hardpan sbom`: print the SBOM that is attached to an image.

use super::signing::TrustArgs;
use super::{Global, print, pull, statement};
use crate::attest;
use crate::canon;
use crate::diag::Result;
use crate::store::Store;

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
    let about = statement::subject(&image, args.platform.as_deref())?;
    let document = statement::predicate(&args.trust, &image, &about, args.format.kind())?;
    print::line(&String::from_utf8_lossy(&canon::to_json(&document)));
    Ok(())
}
