//! An image's statements signed by another key, and cosign's older form of them.
//!
//! Whoever publishes may hold a key that the build did not: then the statements that the build made,
//! and a key that is trusted here signed, are signed again. The older form is made when an image is
//! published, because a simple signature names the repository.

use std::collections::BTreeMap;

use super::evidence::{attach, store_bundle};
use crate::attest::{self, Subject, write_statement};
use crate::diag::{Problem, Result, codes};
use crate::ident::{BlobDigest, Repository};
use crate::image::{Artifact, Descriptor, Image, MANIFEST};
use crate::publish::{self, Access, ExtraTag};
use crate::sign::{
    Attestation, Bundle, Keys, LegacyKind, LegacyManifest, PublicKey, Signer, attestation_manifest, has_all,
    legacy_tag, merged, signature_manifest, simple_signing,
};
use crate::store::Store;
use crate::verify::{self, About, Attached, elsewhere, is_bundle, read_attached};

/// A manifest of cosign's older form, and the tag that it goes under.
#[derive(Debug)]
pub struct OlderForm {
    /// `sha256-<hex>.sig` or `.att`.
    pub tag: String,
    /// The manifest and its blobs.
    pub manifest: LegacyManifest,
}

/// Whether a key made a bundle's signature. That the bundle names the key says nothing.
fn is_by(bundle: &Bundle, key: &PublicKey) -> bool {
    bundle.verify(std::slice::from_ref(key)).is_ok()
}

/// The statements about a subject.
fn statements(image: &Image, about: &About) -> Result<Vec<Attached>> {
    let own =
        image.referrers.iter().filter(|referrer| referrer.subject == about.digest && is_bundle(referrer));
    own.map(|referrer| read_attached(image, referrer)).collect()
}

/// Signs everything that is said about an image with this signer, in place of whoever signed it, and
/// the image itself if nobody did. `trusted` are the keys whose word is taken over.
pub fn resigned(store: &Store, image: Image, signer: &dyn Signer, trusted: &Keys) -> Result<Image> {
    let mut artifacts: Vec<Artifact> = Vec::new();
    let mut contents: BTreeMap<Vec<u8>, Descriptor> = BTreeMap::new();
    for about in verify::subjects(&image) {
        let subject = about.descriptor(&image);
        let there = statements(&image, &about)?;
        let mut kinds = Vec::new();
        for attached in there {
            if !is_by(&attached.bundle, signer.public_key()) {
                trusted.verify(&attached.bundle).map_err(|failure| untrusted(&attached, failure))?;
            }
            if !attached.statement.is_about(&about.digest) {
                return Err(elsewhere(&attached, &about).into());
            }
            let kind = attached.statement.predicate_type.clone();
            let payload = attached.bundle.into_payload();
            let content = match contents.get(&payload) {
                Some(content) => content.clone(),
                None => store_bundle(store, signer, &payload)?,
            };
            contents.insert(payload, content.clone());
            artifacts.push(attach(&subject, &kind, &content));
            kinds.push(kind);
        }
        if !kinds.iter().any(|kind| kind == attest::COSIGN_SIGN) {
            let statement = write_statement(&[Subject::new("", &about.digest)], attest::COSIGN_SIGN, b"{}");
            let content = store_bundle(store, signer, &statement)?;
            artifacts.push(attach(&subject, attest::COSIGN_SIGN, &content));
        }
    }
    image.with_referrers(store, &artifacts, |referrer| !is_bundle(referrer))
}

fn untrusted(attached: &Attached, failure: crate::diag::Failure) -> crate::diag::Failure {
    let kind = attest::kind_name(&attached.statement.predicate_type).to_owned();
    let problem = failure.into_problems().remove(0);
    let message = format!(
        "the {kind} statement is not signed by a key that is trusted here, so it is not signed again"
    );
    let help = "put the public key of who signed it into `keys/` as a `.pub` file, or build the image here";
    Problem { code: codes::NOT_SIGNED, message, ..problem }.help(help).into()
}

/// Whether an image has statements, and whether this key signed all of them; `None` stands for a key
/// that there is not.
pub fn signed_by(image: &Image, key: Option<&PublicKey>) -> Result<Option<bool>> {
    let mut any = None;
    for about in verify::subjects(image) {
        for attached in statements(image, &about)? {
            let same = key.is_some_and(|key| is_by(&attached.bundle, key));
            any = Some(any.unwrap_or(true) && same && attached.statement.is_about(&about.digest));
        }
    }
    Ok(any)
}

/// Cosign's older form of what this signer said about an image, for one repository.
pub fn older_form(image: &Image, signer: &dyn Signer, repository: &str) -> Result<Vec<OlderForm>> {
    let mut forms = Vec::new();
    for about in verify::subjects(image) {
        let own = |attached: &Attached| {
            attached.statement.is_about(&about.digest) && is_by(&attached.bundle, signer.public_key())
        };
        let own: Vec<Attached> = statements(image, &about)?.into_iter().filter(own).collect();
        forms.push(simple(&about.digest, signer, repository)?);
        let said: Vec<Attestation> = own
            .iter()
            .filter(|attached| attached.statement.predicate_type != attest::COSIGN_SIGN)
            .map(|attached| Attestation {
                predicate_type: &attached.statement.predicate_type,
                bundle: &attached.bundle,
            })
            .collect();
        if !said.is_empty() {
            let tag = legacy_tag(&about.digest, LegacyKind::Attestations);
            forms.push(OlderForm { tag, manifest: attestation_manifest(&said) });
        }
    }
    Ok(forms)
}

fn simple(digest: &BlobDigest, signer: &dyn Signer, repository: &str) -> Result<OlderForm> {
    let payload = simple_signing(repository, digest);
    let signature = signer.sign(&payload)?;
    let manifest = signature_manifest(payload, &signature);
    Ok(OlderForm { tag: legacy_tag(digest, LegacyKind::Signature), manifest })
}

/// The same as tags of a repository, of those that are not there yet. What others signed under the same tag stays.
pub fn older_tags(
    access: &Access,
    image: &Image,
    signer: &dyn Signer,
    repository: &Repository,
) -> Result<Vec<ExtraTag>> {
    let mut extra = Vec::new();
    for OlderForm { tag, manifest } in older_form(image, signer, &repository.to_string())? {
        let manifest = match publish::manifest(access, repository, &tag)? {
            Some(there) if has_all(&there, &manifest) => continue,
            Some(there) => merged(&there, &manifest).unwrap_or(manifest),
            None => manifest,
        };
        extra.push(ExtraTag {
            tag: tag.parse().expect("a digest and an ending make a tag"),
            media_type: MANIFEST.to_owned(),
            manifest: manifest.manifest,
            blobs: std::iter::once(manifest.config).chain(manifest.layers).collect(),
        });
    }
    Ok(extra)
}
