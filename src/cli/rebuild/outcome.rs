//! What came of a rebuild, signed: attached to the image, or written to a file.

use std::path::PathBuf;

use super::{Args, Global, Rebuilt};
use crate::attest::{self as statements, Comparison};
use crate::cli::signing::signer_named;
use crate::cli::{attest, pull};
use crate::diag::{Problem, Result, codes};
use crate::host;
use crate::ident::BlobDigest;
use crate::pipeline::{self, Context};
use crate::publish;
use crate::verify::{self, Difference};

/// Signs what came of it, and attaches or writes that; where it was written.
pub(super) fn sign(
    global: &Global,
    args: &Args,
    context: &Context,
    text: &str,
    rebuilt: &Rebuilt,
    explained: &[Difference],
) -> Result<Vec<String>> {
    let Some(name) = &args.signer else { return Ok(Vec::new()) };
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
    let passwords = args.password_file.as_deref();
    let signer = signer_named(name, passwords)?;
    let result = statements::test_result(&comparison);
    let mut artifacts =
        attest::statements(store, signer.as_ref(), &rebuilt.image, &about, statements::TEST_RESULT, &result)?;
    if let Some(name) = &args.vsa {
        let other = signer_named(name, passwords)?;
        if other.public_key() == signer.public_key() {
            let problem =
                Problem::new(codes::USAGE, "the summary is to be signed by the key that signs the result");
            return Err(problem.help("name another key with `--vsa`: it speaks for the verifier").into());
        }
        let verifier = "https://hardpan.dev/verifier/rebuild/v1";
        let summary = statements::verification_summary(&comparison, text, verifier, host::now());
        let kind = statements::VERIFICATION_SUMMARY;
        artifacts.extend(attest::statements(store, other.as_ref(), &rebuilt.image, &about, kind, &summary)?);
    }
    if args.attach {
        let image = pull::open_small(text, store, args.plain_http)?;
        attest::attach(global, text, args.plain_http, store, image, &artifacts)?;
        return Ok(artifacts.iter().map(|artifact| artifact.descriptor.digest.to_string()).collect());
    }
    write_bundles(args, context, rebuilt, &artifacts)
}

/// Writes each bundle once: the result, and the summary beside it.
fn write_bundles(
    args: &Args,
    context: &Context,
    rebuilt: &Rebuilt,
    artifacts: &[crate::image::Artifact],
) -> Result<Vec<String>> {
    let name = publish::name_of(&rebuilt.image).unwrap_or_else(|| "image".to_owned());
    let whole = args.statement.clone().unwrap_or_else(|| PathBuf::from(format!("{name}.rebuild.json")));
    let mut digests: Vec<BlobDigest> = artifacts.iter().map(|artifact| artifact.content.digest).collect();
    digests.dedup();
    let mut written = Vec::new();
    for (at, digest) in digests.iter().enumerate() {
        let path = if at == 0 { whole.clone() } else { whole.with_extension("vsa.json") };
        host::write_atomic(&path, &context.store.read_blob(&digest.0)?)?;
        context.progress.say("Signed", &path.display().to_string());
        written.push(path.display().to_string());
    }
    Ok(written)
}
