//! Opening an image in any of its forms: layout folder, archive of one, docker archive.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::model::Descriptor;
use crate::diag::{Problem, Result, codes};
use crate::host;
use crate::ident::{BlobDigest, Sha256};

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
}

/// One platform of an image.
#[derive(Debug, Clone)]
pub struct OpenPlatform {
    /// `linux/amd64`, as the image says it.
    pub platform: String,
    /// Digest of its manifest; `None` in a docker archive that has none.
    pub digest: Option<BlobDigest>,
    /// Digest of its configuration.
    pub config_digest: BlobDigest,
    /// Its configuration.
    pub config: Value,
    /// Its manifest's annotations.
    pub annotations: BTreeMap<String, String>,
    /// Its layers, the lowest first: where the image has them, their length in bytes, their digest.
    pub layers: Vec<(String, u64, Option<BlobDigest>)>,
}

#[derive(Debug)]
enum Form {
    Folder(PathBuf),
    Archive(PathBuf, BTreeMap<String, (u64, u64)>),
}

#[derive(Deserialize)]
struct WireIndex {
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct WireManifest {
    config: Descriptor,
    layers: Vec<Descriptor>,
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
            Form::Archive(path.to_owned(), members(path)?)
        };
        let mut image = Self { name, form, tags: Vec::new(), index: None, platforms: Vec::new() };
        if image.has("index.json") {
            image.read_layout()?;
        } else if image.has("manifest.json") {
            image.read_docker()?;
        } else {
            return Err(image.bad("it has neither `index.json` nor `manifest.json`").into());
        }
        Ok(image)
    }

    /// How it was called.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn bad(&self, why: &str) -> Problem {
        Problem::new(codes::BAD_IMAGE, format!("`{}` does not read as an image", self.name)).found(why)
    }

    fn has(&self, member: &str) -> bool {
        match &self.form {
            Form::Folder(folder) => host::exists(&folder.join(member)),
            Form::Archive(_, members) => members.contains_key(member),
        }
    }

    /// A reader of a member, and its length in bytes.
    pub fn read(&self, member: &str) -> Result<(Box<dyn Read + Send>, u64)> {
        match &self.form {
            Form::Folder(folder) => {
                let path = folder.join(member);
                if !host::exists(&path) {
                    return Err(self.bad(&format!("`{member}` is missing")).into());
                }
                let file = host::open(&path)?;
                let size =
                    file.metadata().map_err(|error| host::file_problem("reading", &path, &error))?.len();
                Ok((Box::new(file), size))
            }
            Form::Archive(path, members) => {
                let (at, size) =
                    members.get(member).ok_or_else(|| self.bad(&format!("`{member}` is missing")))?;
                let mut file = host::open(path)?;
                file.seek(SeekFrom::Start(*at))
                    .map_err(|error| host::file_problem("reading", path, &error))?;
                Ok((Box::new(file.take(*size)), *size))
            }
        }
    }

    fn small(&self, member: &str) -> Result<Vec<u8>> {
        let (reader, size) = self.read(member)?;
        if size > MAX_JSON {
            return Err(self.bad(&format!("`{member}` has {size} bytes, more than {MAX_JSON}")).into());
        }
        let mut bytes = Vec::new();
        reader
            .take(MAX_JSON)
            .read_to_end(&mut bytes)
            .map_err(|error| self.bad(&format!("`{member}`: {error}")))?;
        Ok(bytes)
    }

    fn json<T: for<'de> Deserialize<'de>>(&self, member: &str, bytes: &[u8]) -> Result<T> {
        serde_json::from_slice(bytes).map_err(|error| self.bad(&format!("`{member}`: {error}")).into())
    }

    /// A small blob that has the digest and length it is named by.
    fn blob(&self, descriptor: &Descriptor) -> Result<Vec<u8>> {
        let member = format!("blobs/sha256/{}", descriptor.digest.0);
        let bytes = self.small(&member)?;
        let found = BlobDigest(Sha256::of(&bytes));
        if found != descriptor.digest || bytes.len() as u64 != descriptor.size {
            return Err(Problem::new(
                codes::CORRUPT,
                format!("the blob `{member}` of `{}` has changed", self.name),
            )
            .found(format!("{found}, {} bytes", bytes.len()))
            .expected(format!("{}, {} bytes", descriptor.digest, descriptor.size))
            .help("take the image again from where it came from")
            .into());
        }
        Ok(bytes)
    }

    fn read_layout(&mut self) -> Result<()> {
        let top: WireIndex = self.json("index.json", &self.small("index.json")?)?;
        let name = |descriptor: &Descriptor| {
            descriptor.annotations.get("org.opencontainers.image.ref.name").cloned()
        };
        let Some(first) = top.manifests.first().cloned() else {
            return Err(self.bad("its `index.json` names nothing").into());
        };
        let same = top.manifests.iter().filter(|descriptor| descriptor.digest == first.digest);
        self.tags = same.filter_map(name).collect();
        if first.media_type.contains("index") || first.media_type.contains("manifest.list") {
            let index: WireIndex = self.json("index", &self.blob(&first)?)?;
            self.index = Some((first.digest, first.size));
            for descriptor in &index.manifests {
                let platform = self.read_manifest(descriptor)?;
                self.platforms.push(platform);
            }
        } else {
            let platform = self.read_manifest(&first)?;
            self.platforms.push(platform);
        }
        Ok(())
    }

    fn read_manifest(&self, descriptor: &Descriptor) -> Result<OpenPlatform> {
        let manifest: WireManifest = self.json("manifest", &self.blob(descriptor)?)?;
        let config: Value = self.json("configuration", &self.blob(&manifest.config)?)?;
        let layers = manifest.layers.iter();
        Ok(OpenPlatform {
            platform: platform_of(&config),
            digest: Some(descriptor.digest),
            config_digest: manifest.config.digest,
            config,
            annotations: manifest.annotations,
            layers: layers
                .map(|layer| (format!("blobs/sha256/{}", layer.digest.0), layer.size, Some(layer.digest)))
                .collect(),
        })
    }

    fn read_docker(&mut self) -> Result<()> {
        let manifests: Vec<WireDocker> = self.json("manifest.json", &self.small("manifest.json")?)?;
        let Some(manifest) = manifests.into_iter().next() else {
            return Err(self.bad("its `manifest.json` names nothing").into());
        };
        let bytes = self.small(&manifest.config)?;
        let config: Value = self.json(&manifest.config, &bytes)?;
        let layers: Result<Vec<_>> =
            manifest.layers.iter().map(|member| Ok((member.clone(), self.read(member)?.1, None))).collect();
        self.tags = manifest.repo_tags.unwrap_or_default();
        self.platforms.push(OpenPlatform {
            platform: platform_of(&config),
            digest: None,
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

/// Where each member of a plain tar begins, and its length.
fn members(path: &Path) -> Result<BTreeMap<String, (u64, u64)>> {
    let bad = |error: io::Error| {
        Problem::new(codes::BAD_IMAGE, format!("`{}` does not read as a tar", path.display()))
            .fact("cause", error)
    };
    let file: File = host::open(path)?;
    let mut archive = tar::Archive::new(file);
    let mut members = BTreeMap::new();
    for member in archive.entries_with_seek().map_err(bad)? {
        let member = member.map_err(bad)?;
        let name = String::from_utf8_lossy(&member.path_bytes()).trim_start_matches("./").to_owned();
        members.insert(name, (member.raw_file_position(), member.size()));
    }
    Ok(members)
}
