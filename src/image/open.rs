//! Opening an image in any of its forms: layout folder, archive of one, docker archive.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::form::{self, Form};
use super::model::{Descriptor, INDEX, MANIFEST};
use super::overlay::Overlay;
use super::whole::{Blob, Whole};
use crate::diag::{Problem, Result, codes};
use crate::host;
use crate::ident::{BlobDigest, Epoch, Sha256};
use crate::store::Store;

/// The largest content of an artifact that is read, in bytes: an SBOM lists every file of an image.
const MAX_CONTENT: u64 = 128 << 20;

/// The largest manifest, index or configuration that is read, in bytes (distribution specification:
/// registries take 4 MiB).
const MAX_JSON: u64 = 4 << 20;

/// An image that can be read.
#[derive(Debug)]
pub struct Image {
    name: String,
    form: Form,
    /// Its tags.
    pub tags: Vec<String>,
    /// Digest and length of its index; `None` where it has none.
    pub index: Option<(BlobDigest, u64)>,
    /// Its platforms.
    pub platforms: Vec<OpenPlatform>,
    /// What refers to it, or to one of its platforms.
    pub referrers: Vec<Referrer>,
    /// Other images that lie in the same layout: what they are called there, and their digests.
    pub strays: Vec<(Option<String>, BlobDigest)>,
    /// Annotations of its index.
    pub annotations: BTreeMap<String, String>,
    /// Every blob that it says it has, and its length.
    pub(super) blobs: BTreeMap<BlobDigest, u64>,
    /// What was put over it.
    pub(super) overlay: Option<Overlay>,
}

/// An artifact about an image.
#[derive(Debug, Clone)]
pub struct Referrer {
    /// What points to its manifest.
    pub descriptor: Descriptor,
    /// What kind of artifact it is.
    pub artifact_type: Option<String>,
    /// What it is about.
    pub subject: BlobDigest,
    /// Its configuration.
    pub config: Descriptor,
    /// Its content.
    pub layers: Vec<Descriptor>,
}

/// One platform of an image.
#[derive(Debug, Clone)]
pub struct OpenPlatform {
    /// `linux/amd64`, as the image says it.
    pub platform: String,
    /// Digest of its manifest; `None` in a docker archive that has none.
    pub digest: Option<BlobDigest>,
    /// Length of its manifest in bytes.
    pub size: u64,
    /// Digest of its configuration.
    pub config_digest: BlobDigest,
    /// Its configuration.
    pub config: Value,
    /// Its manifest's annotations.
    pub annotations: BTreeMap<String, String>,
    /// Its layers, the lowest first: where the image has them, their length in bytes, their digest.
    pub layers: Vec<(String, u64, Option<BlobDigest>)>,
}

#[derive(Deserialize)]
struct WireIndex {
    manifests: Vec<Descriptor>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireManifest {
    config: Descriptor,
    layers: Vec<Descriptor>,
    #[serde(default)]
    subject: Option<Descriptor>,
    #[serde(default)]
    artifact_type: Option<String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireDocker {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

impl Image {
    /// Opens an image. Everything that it says of its small blobs is checked; layers are checked as
    /// they are read.
    pub fn open(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        if !host::exists(path) {
            let problem = Problem::new(codes::NO_IMAGE, format!("there is no image `{name}`"));
            return Err(problem
                .help("an image is an OCI layout folder or an archive file, such as `out/python`")
                .into());
        }
        let form = if host::is_dir(path) {
            Form::Folder(path.to_owned())
        } else {
            Form::Archive(path.to_owned(), form::members(path)?)
        };
        Self::of_form(name, form)
    }

    /// Opens an image whose blobs are in the store; `layout_index` is what a layout folder of it would
    /// have as `index.json`. Layers may be missing, as long as nobody reads them.
    pub fn in_store(name: &str, store: &Store, layout_index: Vec<u8>) -> Result<Self> {
        Self::of_form(name.to_owned(), Form::Store(store.clone(), layout_index))
    }

    fn of_form(name: String, form: Form) -> Result<Self> {
        let mut image = Self {
            name,
            form,
            tags: Vec::new(),
            index: None,
            platforms: Vec::new(),
            referrers: Vec::new(),
            strays: Vec::new(),
            annotations: BTreeMap::new(),
            blobs: BTreeMap::new(),
            overlay: None,
        };
        if image.has("index.json") {
            image.read_layout()?;
        } else if image.has("manifest.json") {
            image.read_docker()?;
        } else {
            return Err(image.bad("it has neither `index.json` nor `manifest.json`").into());
        }
        Ok(image)
    }

    /// Whether it is what `docker load` takes, which has no place for referrers.
    pub fn is_docker_archive(&self) -> bool {
        self.has("manifest.json")
    }

    /// An annotation of the index, else of the first platform's manifest.
    pub fn annotation(&self, name: &str) -> Option<&str> {
        let first = || self.platforms.first()?.annotations.get(name);
        self.annotations.get(name).or_else(first).map(String::as_str)
    }

    /// How it was called.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn bad(&self, why: &str) -> Problem {
        Problem::new(codes::BAD_IMAGE, format!("`{}` does not read as an image", self.name)).found(why)
    }

    fn has(&self, member: &str) -> bool {
        self.form.has(member)
    }

    /// A reader of a member, and its length in bytes.
    pub fn read(&self, member: &str) -> Result<(Box<dyn Read + Send>, u64)> {
        let over = self.overlay.as_ref().filter(|_| member == "index.json" || !self.has(member));
        let found = match over {
            Some(over) => form::read_stored(&over.store, &over.top, member)?,
            None => self.form.read(member)?,
        };
        Ok(found.ok_or_else(|| self.bad(&format!("`{member}` is missing")))?)
    }

    fn small(&self, member: &str, most: u64) -> Result<Vec<u8>> {
        let (reader, size) = self.read(member)?;
        if size > most {
            return Err(self.bad(&format!("`{member}` has {size} bytes, more than {most}")).into());
        }
        let mut bytes = Vec::new();
        reader
            .take(most)
            .read_to_end(&mut bytes)
            .map_err(|error| self.bad(&format!("`{member}`: {error}")))?;
        Ok(bytes)
    }

    fn json<T: for<'de> Deserialize<'de>>(&self, member: &str, bytes: &[u8]) -> Result<T> {
        serde_json::from_slice(bytes).map_err(|error| self.bad(&format!("`{member}`: {error}")).into())
    }

    /// A manifest, index or configuration that has the digest and length it is named by.
    pub fn blob(&self, descriptor: &Descriptor) -> Result<Vec<u8>> {
        self.checked(descriptor, MAX_JSON)
    }

    /// The content of an artifact that has the digest and length it is named by.
    pub fn content(&self, descriptor: &Descriptor) -> Result<Vec<u8>> {
        self.checked(descriptor, MAX_CONTENT)
    }

    fn checked(&self, descriptor: &Descriptor, most: u64) -> Result<Vec<u8>> {
        let Descriptor { digest, size, .. } = descriptor;
        let bytes = self.small(&format!("blobs/sha256/{}", digest.0), most)?;
        let found = (Sha256::of(&bytes), bytes.len() as u64);
        if found != (digest.0, *size) {
            return Err(self.changed(&digest.0, *size, found).into());
        }
        Ok(bytes)
    }

    /// The problem with a blob that is not what it is named by.
    pub(super) fn changed(&self, digest: &Sha256, size: u64, found: (Sha256, u64)) -> Problem {
        let what = format!("the blob `blobs/sha256/{digest}` of `{}` has changed", self.name);
        Problem::new(codes::CORRUPT, what)
            .found(format!("sha256:{}, {} bytes", found.0, found.1))
            .expected(format!("sha256:{digest}, {size} bytes"))
            .help("take the image again from where it came from")
    }

    /// Every blob that the image says it has, and its length in bytes.
    pub fn blobs(&self) -> &BTreeMap<BlobDigest, u64> {
        &self.blobs
    }

    /// What `index.json` says; an image without one has no layout to be copied to.
    pub fn layout_index(&self) -> Result<Vec<u8>> {
        self.small("index.json", MAX_JSON)
    }

    pub(super) fn whole(&self) -> Result<Whole<'_>> {
        let blobs = self.blobs.iter().map(|(digest, size)| (digest.0, Blob::Member(self, *size)));
        Ok(Whole {
            top: self.layout_index()?,
            blobs: blobs.collect(),
            created: Epoch::default(),
            beside: &[],
        })
    }

    /// What points to the image itself: to its index, else to its one manifest.
    pub fn descriptor(&self) -> Option<Descriptor> {
        let only = || {
            let platform = self.platforms.first()?;
            Some(Descriptor::new(MANIFEST, platform.digest?, platform.size))
        };
        self.index.map(|(digest, size)| Descriptor::new(INDEX, digest, size)).or_else(only)
    }

    fn read_layout(&mut self) -> Result<()> {
        let top: WireIndex = self.json("index.json", &self.small("index.json", MAX_JSON)?)?;
        let name = |descriptor: &Descriptor| {
            descriptor.annotations.get("org.opencontainers.image.ref.name").cloned()
        };
        let Some(first) = top.manifests.first().cloned() else {
            return Err(self.bad("its `index.json` names nothing").into());
        };
        let (same, others): (Vec<_>, Vec<_>) =
            top.manifests.iter().partition(|descriptor| descriptor.digest == first.digest);
        self.tags = same.into_iter().filter_map(name).collect();
        self.blobs.insert(first.digest, first.size);
        if first.media_type.contains("index") || first.media_type.contains("manifest.list") {
            let index: WireIndex = self.json("index", &self.blob(&first)?)?;
            self.index = Some((first.digest, first.size));
            self.annotations = index.annotations;
            for descriptor in &index.manifests {
                let platform = self.read_manifest(descriptor)?;
                self.platforms.push(platform);
            }
        } else {
            let platform = self.read_manifest(&first)?;
            self.platforms.push(platform);
        }
        for descriptor in others {
            let manifest = descriptor.media_type == MANIFEST;
            match if manifest { self.read_referrer(descriptor)? } else { None } {
                Some(referrer) => self.referrers.push(referrer),
                None => self.strays.push((name(descriptor), descriptor.digest)),
            }
        }
        Ok(())
    }

    /// What refers to the image or to one of its platforms; other things in a layout are passed over.
    fn read_referrer(&mut self, descriptor: &Descriptor) -> Result<Option<Referrer>> {
        let manifest: WireManifest = self.json("manifest", &self.blob(descriptor)?)?;
        let ours = |digest: BlobDigest| {
            let mut platforms = self.platforms.iter();
            self.index.is_some_and(|(index, _)| index == digest)
                || platforms.any(|platform| platform.digest == Some(digest))
        };
        self.blob(&manifest.config)?;
        let Some(subject) = manifest.subject.filter(|subject| ours(subject.digest)) else { return Ok(None) };
        let named = [descriptor, &manifest.config].into_iter().chain(&manifest.layers);
        self.blobs.extend(named.map(|named| (named.digest, named.size)));
        Ok(Some(Referrer {
            descriptor: descriptor.clone(),
            artifact_type: manifest.artifact_type,
            subject: subject.digest,
            config: manifest.config,
            layers: manifest.layers,
        }))
    }

    fn read_manifest(&mut self, descriptor: &Descriptor) -> Result<OpenPlatform> {
        let manifest: WireManifest = self.json("manifest", &self.blob(descriptor)?)?;
        let config: Value = self.json("configuration", &self.blob(&manifest.config)?)?;
        let named = [descriptor, &manifest.config].into_iter().chain(&manifest.layers);
        self.blobs.extend(named.map(|named| (named.digest, named.size)));
        let layers = manifest.layers.iter();
        Ok(OpenPlatform {
            platform: platform_of(&config),
            digest: Some(descriptor.digest),
            size: descriptor.size,
            config_digest: manifest.config.digest,
            config,
            annotations: manifest.annotations,
            layers: layers
                .map(|layer| (format!("blobs/sha256/{}", layer.digest.0), layer.size, Some(layer.digest)))
                .collect(),
        })
    }

    fn read_docker(&mut self) -> Result<()> {
        let manifests: Vec<WireDocker> =
            self.json("manifest.json", &self.small("manifest.json", MAX_JSON)?)?;
        let Some(manifest) = manifests.into_iter().next() else {
            return Err(self.bad("its `manifest.json` names nothing").into());
        };
        let bytes = self.small(&manifest.config, MAX_JSON)?;
        let config: Value = self.json(&manifest.config, &bytes)?;
        let layers: Result<Vec<_>> =
            manifest.layers.iter().map(|member| Ok((member.clone(), self.read(member)?.1, None))).collect();
        self.tags = manifest.repo_tags.unwrap_or_default();
        self.platforms.push(OpenPlatform {
            platform: platform_of(&config),
            digest: None,
            size: 0,
            config_digest: BlobDigest(Sha256::of(&bytes)),
            config,
            annotations: BTreeMap::new(),
            layers: layers?,
        });
        Ok(())
    }
}

fn platform_of(config: &Value) -> String {
    let text = |key: &str| config.get(key).and_then(Value::as_str).unwrap_or("unknown").to_owned();
    format!("{}/{}", text("os"), text("architecture"))
}
