//! Artifacts about an image: a signature, an SBOM, a statement, each with a manifest of its own whose
//! `subject` is the image (image specification 1.1, manifest.md, "Guidelines for Artifact Usage").
//! Who has the image finds them by asking what refers to it; the image's own bytes don't change.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::model::{Descriptor, MANIFEST};
use crate::canon;
use crate::ident::BlobDigest;

/// The media type of a configuration that says nothing.
pub const EMPTY: &str = "application/vnd.oci.empty.v1+json";

/// The bytes of a configuration that says nothing.
pub const EMPTY_BYTES: &[u8] = b"{}";

/// An artifact: its manifest and its one blob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// What points to the manifest, with its kind and annotations, as a registry lists it.
    pub descriptor: Descriptor,
    /// What it is about.
    pub subject: BlobDigest,
    /// The manifest.
    pub manifest: String,
    /// What points to the content, which is in the store; artifacts about several subjects share it.
    pub content: Descriptor,
}

impl Artifact {
    /// An artifact about `subject`, of the kind that the media type of its content names. Nothing in it
    /// comes from a clock: the annotation of its time of making, which the specification leaves open,
    /// is left out.
    pub fn about(subject: &Descriptor, content: Descriptor, annotations: BTreeMap<String, String>) -> Self {
        let subject = Descriptor::new(&subject.media_type, subject.digest, subject.size);
        let manifest = canon::to_json(&json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": content.media_type,
            "config": Descriptor::of(EMPTY, EMPTY_BYTES),
            "layers": [content],
            "subject": subject,
            "annotations": annotations,
        }));
        let mut descriptor = Descriptor::of(MANIFEST, &manifest);
        descriptor.artifact_type = Some(content.media_type.clone());
        descriptor.annotations = annotations;
        let manifest = String::from_utf8(manifest).expect("JSON is UTF-8");
        Self { descriptor, subject: subject.digest, manifest, content }
    }
}
