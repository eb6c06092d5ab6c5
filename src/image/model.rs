//! Configuration, manifest and index, as values and as their one byte string.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::canon::{self, Compression};
use crate::ident::{BlobDigest, DiffId, Epoch, Platform, Sha256};

/// The media type of an index (image specification, media-types.md).
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// The media type of a manifest.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// The media type of a configuration.
pub(super) const CONFIG: &str = "application/vnd.oci.image.config.v1+json";

/// What points to a blob (image specification, descriptor.md).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Descriptor {
    /// What it is.
    #[serde(rename = "mediaType")]
    pub media_type: String,
    /// Its digest.
    pub digest: BlobDigest,
    /// Its length in bytes.
    pub size: u64,
    /// What kind of artifact it is, if it points to the manifest of one.
    #[serde(default, rename = "artifactType", skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// What machine it is for, in an index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Value>,
    /// Notes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// How a container of the image runs (image specification, config.md, "config").
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Runtime {
    /// `uid:gid`.
    pub user: String,
    /// The program and its first arguments.
    pub entrypoint: Vec<String>,
    /// Default arguments.
    pub cmd: Vec<String>,
    /// Environment variables.
    pub env: BTreeMap<String, String>,
    /// The working folder.
    pub workdir: Option<String>,
    /// `8080/tcp`.
    pub ports: Vec<String>,
    /// Folders that hold data outside the image.
    pub volumes: Vec<String>,
    /// The signal that ends the program.
    pub stop_signal: Option<String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
}

/// One layer, as configuration and manifest name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageParts {
    /// What the layer is called, for the history.
    pub name: String,
    /// Digest of the blob.
    pub digest: BlobDigest,
    /// Digest of the uncompressed tar.
    pub diff_id: DiffId,
    /// Length of the blob in bytes.
    pub size: u64,
    /// The newest packaged time in it.
    pub created: Epoch,
}

/// All that an image of one platform is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The platform.
    pub platform: Platform,
    /// How it runs.
    pub runtime: Runtime,
    /// Its layers, the lowest first.
    pub layers: Vec<ImageParts>,
    /// How they are compressed.
    pub compression: Compression,
    /// Annotations of the manifest.
    pub annotations: BTreeMap<String, String>,
}

/// An image of one platform: its small blobs, and what points to its layers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformImage {
    /// The platform.
    pub platform: Platform,
    /// The configuration.
    pub config: Vec<u8>,
    /// The manifest.
    pub manifest: Vec<u8>,
    /// Its layers, the lowest first.
    pub layers: Vec<ImageParts>,
    /// The newest of its layers.
    pub created: Epoch,
}

impl PlatformImage {
    /// Digest of the manifest.
    pub fn digest(&self) -> BlobDigest {
        BlobDigest(Sha256::of(&self.manifest))
    }

    /// Digest of the configuration.
    pub fn config_digest(&self) -> BlobDigest {
        BlobDigest(Sha256::of(&self.config))
    }

    /// Bytes of all its layers.
    pub fn size(&self) -> u64 {
        self.layers.iter().map(|layer| layer.size).sum()
    }
}

impl Descriptor {
    /// What points to these bytes.
    pub fn of(media_type: &str, bytes: &[u8]) -> Self {
        Self::new(media_type, BlobDigest(Sha256::of(bytes)), bytes.len() as u64)
    }

    /// What points to a blob of this digest and length.
    pub fn new(media_type: &str, digest: BlobDigest, size: u64) -> Self {
        let media_type = media_type.to_owned();
        Self { media_type, digest, size, artifact_type: None, platform: None, annotations: BTreeMap::new() }
    }
}

/// Writes configuration and manifest.
pub fn assemble(config: &Config) -> PlatformImage {
    let created = config.layers.iter().map(|layer| layer.created).max().unwrap_or_default();
    let bytes = canon::to_json(&config_value(config, created));
    let layers: Vec<Descriptor> =
        config.layers.iter().map(|layer| layer_descriptor(layer, config.compression)).collect();
    let mut annotations = config.annotations.clone();
    annotations.insert("org.opencontainers.image.created".into(), created.to_string());
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": Descriptor::of(CONFIG, &bytes),
        "layers": layers,
        "annotations": annotations,
    });
    PlatformImage {
        platform: config.platform,
        config: bytes,
        manifest: canon::to_json(&manifest),
        layers: config.layers.clone(),
        created,
    }
}

fn layer_descriptor(layer: &ImageParts, compression: Compression) -> Descriptor {
    let media_type = format!("application/vnd.oci.image.layer.v1.tar+{}", compression.name());
    Descriptor::new(&media_type, layer.digest, layer.size)
}

fn config_value(config: &Config, created: Epoch) -> Value {
    let history = config
        .layers
        .iter()
        .map(|layer| json!({ "created": layer.created, "created_by": format!("hardpan: {}", layer.name) }));
    let diff_ids: Vec<DiffId> = config.layers.iter().map(|layer| layer.diff_id).collect();
    json!({
        "created": created,
        "architecture": config.platform.architecture(),
        "os": "linux",
        "config": runtime_value(&config.runtime),
        "rootfs": { "type": "layers", "diff_ids": diff_ids },
        "history": history.collect::<Vec<_>>(),
    })
}

fn runtime_value(runtime: &Runtime) -> Value {
    let set = |names: &[String]| {
        names.iter().map(|name| (name.clone(), json!({}))).collect::<serde_json::Map<_, _>>()
    };
    let env: Vec<String> = runtime.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let fields = [
        ("User", json!(runtime.user), runtime.user.is_empty()),
        ("Entrypoint", json!(runtime.entrypoint), runtime.entrypoint.is_empty()),
        ("Cmd", json!(runtime.cmd), runtime.cmd.is_empty()),
        ("Env", json!(env), env.is_empty()),
        ("WorkingDir", json!(runtime.workdir), runtime.workdir.is_none()),
        ("ExposedPorts", json!(set(&runtime.ports)), runtime.ports.is_empty()),
        ("Volumes", json!(set(&runtime.volumes)), runtime.volumes.is_empty()),
        ("StopSignal", json!(runtime.stop_signal), runtime.stop_signal.is_none()),
        ("Labels", json!(runtime.labels), runtime.labels.is_empty()),
    ];
    let present = fields.into_iter().filter(|(_, _, empty)| !empty);
    Value::Object(present.map(|(name, value, _)| (name.to_owned(), value)).collect())
}

/// Writes the index of one or more platforms.
pub fn index_of(images: &[PlatformImage], annotations: &BTreeMap<String, String>) -> Vec<u8> {
    let created = images.iter().map(|image| image.created).max().unwrap_or_default();
    let mut annotations = annotations.clone();
    annotations.insert("org.opencontainers.image.created".into(), created.to_string());
    let manifests = images.iter().map(|image| {
        let platform = json!({ "os": "linux", "architecture": image.platform.architecture() });
        Descriptor { platform: Some(platform), ..Descriptor::of(MANIFEST, &image.manifest) }
    });
    let index = json!({
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": manifests.collect::<Vec<_>>(),
        "annotations": annotations,
    });
    canon::to_json(&index)
}
