//! What came of a rebuild, signed: attached to the image, or written to a file.

use std::path::{Path, PathBuf};

use super::{Args, Global, Rebuilt};
use crate::attest::{self as statements, Comparison};
use crate::cli::signing::signer_named;
use crate::cli::{attest, pull};
use crate::diag::{Problem, Result, codes};
use crate::host;
use crate::ident::{BlobDigest, RecipeName};
use crate::pipeline::{self, Context};
use crate::publish;
use crate::sign::Signer;
use crate::verify::{self, Difference};

/// Who signs what came of it.
pub(super) struct Signers {
    result: Option<Box<dyn Signer>>,
    summary: Option<Box<dyn Signer>>,
}

impl Signers {
    /// Opens those that the arguments name, two different ones.
    pub(super) fn open(args: &Args) -> Result<Self> {
        let passwords = args.password_file.as_deref();
        let open =
            |name: &Option<String>| name.as_ref().map(|name| signer_named(name, passwords)).transpose();
        let signers = Self { result: open(&args.signer)?, summary: open(&args.vsa)? };
        if let (Some(one), Some(other)) = (&signers.result, &signers.summary)
            && one.public_key() == other.public_key()
        {
            let what = "the summary is to be signed by the key that signs the result";
            let help = "name another key with `--vsa`: it speaks for the verifier";
            return Err(Problem::new(codes::USAGE, what).help(help).into());
        }
        Ok(signers)
    }
}

/// The file that a statement is written to.
pub(super) struct Place(pub(super) PathBuf);

impl Place {
    /// As it was said, else after the image's own name, which stays in the working folder whatever the
    /// image is called; of several images, the later ones with their digest.
    pub(super) fn of(args: &Args, at: usize, rebuilt: &Rebuilt) -> Self {
        let plain = |name: &String| name.parse::<RecipeName>().is_ok();
        let name = publish::name_of(&rebuilt.image).filter(plain).unwrap_or_else(|| "image".to_owned());
        let more = if at == 0 { String::new() } else { format!("-{}", rebuilt.wanted().0.short()) };
        Self(args.statement.clone().unwrap_or_else(|| PathBuf::from(format!("{name}{more}.rebuild.json"))))
    }
}

/// Signs what came of it, and attaches or writes that; where it was written.
pub(super) fn sign(
    global: &Global,
    args: &Args,
    context: &Context,
    signers: &Signers,
    rebuilt: &Rebuilt,
    explained: &[Difference],
    place: &Place,
) -> Result<Vec<String>> {
    let Some(signer) = &signers.result else { return Ok(Vec::new()) };
    let comparison = Comparison {
        same: rebuilt.same(),
        wanted: rebuilt.wanted(),
        found: Some(rebuilt.found),
        differences: explained.iter().map(|line| format!("{}: {}", line.place, line.what)).collect(),
        provenance: rebuilt.followed.0,
        hardpan: pipeline::own_digest(context)?,
    };
    let about = verify::subjects(&rebuilt.image);
    let store = &context.store;
    let result = statements::test_result(&comparison);
    let mut artifacts =
        attest::statements(store, signer.as_ref(), &rebuilt.image, &about, statements::TEST_RESULT, &result)?;
    if let Some(other) = &signers.summary {
        let verifier = "https://hardpan.dev/verifier/rebuild/v1";
        let summary = statements::verification_summary(&comparison, &rebuilt.name, verifier, host::now());
        let kind = statements::VERIFICATION_SUMMARY;
        artifacts.extend(attest::statements(store, other.as_ref(), &rebuilt.image, &about, kind, &summary)?);
    }
    if args.attach {
        let image = pull::open_small(&rebuilt.name, store, args.plain_http)?;
        attest::attach(global, &rebuilt.name, args.plain_http, store, image, &artifacts)?;
        return Ok(artifacts.iter().map(|artifact| artifact.descriptor.digest.to_string()).collect());
    }
    write_bundles(context, &artifacts, &place.0)
}

/// Writes each bundle once: the result, and the summary beside it.
fn write_bundles(
    context: &Context,
    artifacts: &[crate::image::Artifact],
    whole: &Path,
) -> Result<Vec<String>> {
    let mut digests: Vec<BlobDigest> = artifacts.iter().map(|artifact| artifact.content.digest).collect();
    digests.dedup();
    let mut written = Vec::new();
    for (at, digest) in digests.iter().enumerate() {
        let path = if at == 0 { whole.to_owned() } else { whole.with_extension("vsa.json") };
        host::write_atomic(&path, &context.store.read_blob(&digest.0)?)?;
        context.progress.say("Signed", &path.display().to_string());
        written.push(path.display().to_string());
    }
    Ok(written)
}
