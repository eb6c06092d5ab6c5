//! What is attached to an image: bundles, and the statements in them.

use crate::attest::{CONTENTS_POLICY, PAYLOAD_TYPE, Statement, TEST_RESULT, read_policy_result};
use crate::diag::{Problem, Result, codes};
use crate::ident::BlobDigest;
use crate::image::{Image, Referrer};
use crate::sign::{BUNDLE_FAMILY, Bundle};

/// A bundle that is attached to an image, and what it says; nothing of it is believed yet.
#[derive(Debug)]
pub struct Attached {
    /// Digest of the manifest that attaches it.
    pub manifest: BlobDigest,
    /// What it is attached to.
    pub subject: BlobDigest,
    /// The bundle.
    pub bundle: Bundle,
    /// What it says.
    pub statement: Statement,
}

impl Attached {
    /// What kind of thing it says: its predicate type, and of tests' results, whether it is that of the
    /// contents policy.
    pub fn kind(&self) -> &str {
        let kind = self.statement.predicate_type.as_str();
        let contents = kind == TEST_RESULT && read_policy_result(&self.statement.predicate).is_some();
        if contents { CONTENTS_POLICY } else { kind }
    }
}

/// Whether a referrer holds a bundle.
pub fn is_bundle(referrer: &Referrer) -> bool {
    let kinds = [referrer.artifact_type.as_deref(), referrer.descriptor.artifact_type.as_deref()];
    let layers = referrer.layers.iter().map(|layer| Some(layer.media_type.as_str()));
    kinds.into_iter().chain(layers).flatten().any(|kind| kind.starts_with(BUNDLE_FAMILY))
}

/// The kind of statement that a referrer says it holds, by its annotations.
pub fn annotated_kind(referrer: &Referrer) -> Option<&str> {
    referrer.descriptor.annotations.get("dev.sigstore.bundle.predicateType").map(String::as_str)
}

/// Reads the bundle of a referrer.
pub fn read_attached(image: &Image, referrer: &Referrer) -> Result<Attached> {
    let what = format!("the attestation {} of `{}`", referrer.descriptor.digest, image.name());
    let bad =
        |why: String| Problem::new(codes::BAD_BUNDLE, format!("{what} does not read as one")).found(why);
    let [layer] = &referrer.layers[..] else {
        return Err(bad(format!("{} blobs", referrer.layers.len())).expected("one bundle").into());
    };
    let bytes = image.content(layer)?;
    let bundle = Bundle::parse(&bytes).map_err(|failure| failure.fact("in", &what))?;
    if bundle.payload_type() != PAYLOAD_TYPE {
        return Err(bad(format!("a payload of the type `{}`", bundle.payload_type()))
            .expected(PAYLOAD_TYPE)
            .into());
    }
    let statement = Statement::parse(bundle.payload()).map_err(bad)?;
    let (manifest, subject) = (referrer.descriptor.digest, referrer.subject);
    Ok(Attached { manifest, subject, bundle, statement })
}

/// All bundles of an image that are attached to `subject` and say that they are of a kind; what they
/// really are is checked as they are read.
pub fn attached_of_kind(image: &Image, subject: &BlobDigest, kind: &str) -> Result<Vec<Attached>> {
    let about = image.referrers.iter().filter(|referrer| referrer.subject == *subject && is_bundle(referrer));
    let said = about.filter(|referrer| annotated_kind(referrer).is_none_or(|said| said == kind));
    let read: Result<Vec<Attached>> = said.map(|referrer| read_attached(image, referrer)).collect();
    Ok(read?.into_iter().filter(|attached| attached.statement.predicate_type == kind).collect())
}
