//! cosign's older form, which many verifiers still ask for: manifests under tags made of a digest.
//!
//! ```text
//! sha256-<hex>.sig   one layer: {"critical": {repository, digest, type}}, its signature an annotation
//! sha256-<hex>.att   one layer per attestation: its DSSE envelope, its predicate type an annotation
//! ```
//!
//! Each has the configuration that cosign writes, which names no time and no machine.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Bundle;
use crate::canon;
use crate::ident::{BlobDigest, Sha256};
use crate::image::MANIFEST;

const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
const ENVELOPE: &str = "application/vnd.dsse.envelope.v1+json";

/// The annotation that holds a layer's signature; empty where the layer holds its own.
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";

/// The time that is none, in Go.
const NO_TIME: &str = "0001-01-01T00:00:00Z";

/// Which of the manifests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LegacyKind {
    /// The signature.
    Signature,
    /// The attestations.
    Attestations,
}

/// An attestation, and what the manifest says of it.
#[derive(Debug, Clone, Copy)]
pub struct Attestation<'a> {
    /// The statement's predicate type.
    pub predicate_type: &'a str,
    /// The bundle that it is signed in.
    pub bundle: &'a Bundle,
}

/// A manifest, and the blobs that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegacyManifest {
    /// Its bytes.
    pub manifest: Vec<u8>,
    /// The configuration.
    pub config: Vec<u8>,
    /// The layers.
    pub layers: Vec<Vec<u8>>,
}

/// The tag that a digest's manifest has.
pub fn legacy_tag(digest: &BlobDigest, kind: LegacyKind) -> String {
    let ending = match kind {
        LegacyKind::Signature => "sig",
        LegacyKind::Attestations => "att",
    };
    format!("sha256-{}.{ending}", digest.0)
}

/// What is signed for a digest in a repository (containers/image, "simple signing").
pub fn simple_signing(repository: &str, digest: &BlobDigest) -> Vec<u8> {
    canon::to_json(&json!({
        "critical": {
            "identity": { "docker-reference": repository },
            "image": { "docker-manifest-digest": digest },
            "type": "cosign container image signature",
        },
        "optional": null,
    }))
}

/// The manifest of a signature (ASN.1 DER) over what [`simple_signing`] gave.
pub fn signature_manifest(payload: Vec<u8>, signature: &[u8]) -> LegacyManifest {
    let annotations = BTreeMap::from([(SIGNATURE, STANDARD.encode(signature))]);
    manifest(SIMPLE_SIGNING, vec![(payload, annotations)])
}

/// The manifest of attestations, in their order.
pub fn attestation_manifest(attestations: &[Attestation<'_>]) -> LegacyManifest {
    let layer = |attestation: &Attestation<'_>| {
        let predicate = ("predicateType", attestation.predicate_type.to_owned());
        (attestation.bundle.envelope(), BTreeMap::from([predicate, (SIGNATURE, String::new())]))
    };
    manifest(ENVELOPE, attestations.iter().map(layer).collect())
}

/// What is there under a tag, and what is new: entries of others stay, in their order. `None` if all that
/// is new is there already, or what is there is no such manifest.
pub fn merged(there: &[u8], new: &LegacyManifest) -> Option<LegacyManifest> {
    let mut all = listed(there)?;
    let more: Vec<Value> = listed(&new.manifest)?.into_iter().filter(|layer| !all.contains(layer)).collect();
    if more.is_empty() {
        return None;
    }
    all.extend(more);
    let (config, manifest) = described(&all);
    Some(LegacyManifest { manifest, config, layers: new.layers.clone() })
}

/// Whether everything of `new` is there already.
pub fn has_all(there: &[u8], new: &LegacyManifest) -> bool {
    let there = listed(there).unwrap_or_default();
    listed(&new.manifest).is_some_and(|layers| layers.iter().all(|layer| there.contains(layer)))
}

/// The layers that a manifest names.
fn listed(manifest: &[u8]) -> Option<Vec<Value>> {
    serde_json::from_slice::<Value>(manifest).ok()?.get("layers")?.as_array().cloned()
}

fn manifest(media_type: &str, layers: Vec<(Vec<u8>, BTreeMap<&str, String>)>) -> LegacyManifest {
    let all: Vec<Value> = layers
        .iter()
        .map(|(bytes, annotations)| {
            let mut layer = descriptor(media_type, bytes);
            layer["annotations"] = json!(annotations);
            layer
        })
        .collect();
    let (config, manifest) = described(&all);
    LegacyManifest { manifest, config, layers: layers.into_iter().map(|(bytes, _)| bytes).collect() }
}

/// The configuration and the manifest of layers.
fn described(layers: &[Value]) -> (Vec<u8>, Vec<u8>) {
    // The layers are not compressed, so that their digests are their diff ids.
    let diff_ids: Vec<&Value> = layers.iter().map(|layer| &layer["digest"]).collect();
    let history: Vec<Value> = layers.iter().map(|_| json!({ "created": NO_TIME })).collect();
    let config = canon::to_json(&json!({
        "architecture": "",
        "config": {},
        "created": NO_TIME,
        "history": history,
        "os": "",
        "rootfs": { "type": "layers", "diff_ids": diff_ids },
    }));
    let manifest = canon::to_json(&json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": descriptor(CONFIG, &config),
        "layers": layers,
    }));
    (config, manifest)
}

fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": BlobDigest(Sha256::of(bytes)), "size": bytes.len() })
}

#[cfg(test)]
mod merging {
    use super::*;

    fn one(payload: &str) -> LegacyManifest {
        signature_manifest(payload.as_bytes().to_vec(), payload.as_bytes())
    }

    #[test]
    fn entries_of_others_stay_and_nothing_is_there_twice() {
        let (theirs, ours) = (one("theirs"), one("ours"));
        let both = merged(&theirs.manifest, &ours).expect("something is new");
        assert!(has_all(&both.manifest, &theirs) && has_all(&both.manifest, &ours));
        assert!(!has_all(&theirs.manifest, &ours));
        let config: Value = serde_json::from_slice(&both.config).expect("JSON");
        assert_eq!(config["rootfs"]["diff_ids"].as_array().map(Vec::len), Some(2));
        assert_eq!(merged(&both.manifest, &ours), None);
        assert_eq!(merged(b"nonsense", &ours), None);
    }
}

#[cfg(test)]
mod tests {
    use super::super::private::tests::key;
    use super::super::{KeySigner, Signer as _};
    use super::*;

    fn digest() -> BlobDigest {
        BlobDigest(Sha256::of(b"an image"))
    }

    #[test]
    fn tags_are_made_of_the_digest() {
        let hex = Sha256::of(b"an image");
        assert_eq!(legacy_tag(&digest(), LegacyKind::Signature), format!("sha256-{hex}.sig"));
        assert_eq!(legacy_tag(&digest(), LegacyKind::Attestations), format!("sha256-{hex}.att"));
    }

    #[test]
    fn the_signed_payload_has_cosigns_words() {
        let payload = String::from_utf8(simple_signing("registry.example/app", &digest())).expect("text");
        let expected = format!(
            "{{\"critical\":{{\"identity\":{{\"docker-reference\":\"registry.example/app\"}},\"image\":{{\"docker-manifest-digest\":\"{}\"}},\"type\":\"cosign container image signature\"}},\"optional\":null}}",
            digest()
        );
        assert_eq!(payload, expected);
    }

    #[test]
    fn the_signature_in_the_manifest_is_over_its_layer() {
        let signer = KeySigner::new(key(1), "a key");
        let payload = simple_signing("registry.example/app", &digest());
        let made = signature_manifest(payload.clone(), &signer.sign(&payload).expect("signed"));
        assert_eq!(made.layers, std::slice::from_ref(&payload));
        let json: Value = serde_json::from_slice(&made.manifest).expect("JSON");
        assert_eq!(json["layers"][0]["mediaType"], SIMPLE_SIGNING);
        let signature = json["layers"][0]["annotations"][SIGNATURE].as_str().expect("there");
        let signature = STANDARD.decode(signature).expect("base64");
        assert!(key(1).public().verify(&payload, &signature));
        assert_eq!(json["config"]["digest"], BlobDigest(Sha256::of(&made.config)).to_string());
        let config: Value = serde_json::from_slice(&made.config).expect("JSON");
        assert_eq!(config["rootfs"]["diff_ids"], json!([BlobDigest(Sha256::of(&payload))]));
    }

    #[test]
    fn each_attestation_is_a_layer_with_its_type() {
        let signer = KeySigner::new(key(1), "a key");
        let bundles: Vec<Bundle> = [&b"{}"[..], b"[]"]
            .iter()
            .map(|payload| {
                Bundle::parse(&signer.bundle("application/vnd.in-toto+json", payload).expect("signed"))
            })
            .collect::<Result<_, _>>()
            .expect("ours");
        let attestations = [("a", &bundles[0]), ("b", &bundles[1])]
            .map(|(predicate_type, bundle)| Attestation { predicate_type, bundle });
        let made = attestation_manifest(&attestations);
        let json: Value = serde_json::from_slice(&made.manifest).expect("JSON");
        for (at, name) in ["a", "b"].into_iter().enumerate() {
            let layer = &json["layers"][at];
            assert_eq!(layer["annotations"], json!({ "predicateType": name, SIGNATURE: "" }));
            assert_eq!(layer["digest"], BlobDigest(Sha256::of(&made.layers[at])).to_string());
            assert_eq!(layer["size"], made.layers[at].len());
        }
        assert_eq!(made, attestation_manifest(&attestations), "the same each time");
    }
}
