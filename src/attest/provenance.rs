//! SLSA provenance v1 of a build (SLSA 1.2, "Build: Provenance"). Its `buildType` is described in
//! `docs/provenance.md`, field by field.
//!
//! It holds all that a build depends on from outside, recipe and lock in full, so that a digest can be
//! rebuilt from it; and it says no more than is true: who signed it says who vouches for it, and a
//! local run claims nothing of how well the build was kept apart.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::canon;
use crate::ident::{BlobDigest, Platform, Sha256};

/// What kind of build this is, and how its parameters are read.
pub const BUILD_TYPE: &str = "https://hardpan.dev/build-type/image/v1";

/// Where a build ran and how far its key was away; each mode has an id of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Builder {
    /// On some machine, signed by a key that hardpan made there by itself.
    Development,
    /// On some machine, signed by a key file that the build could read.
    Local,
    /// On some machine, signed by another program, whose key the build may not have had.
    Separate,
    /// On some machine, signed by a certificate for an identity that an OIDC provider vouched for.
    Keyless,
}

impl Builder {
    /// The builder's id.
    pub fn id(self) -> &'static str {
        match self {
            Self::Development => "https://hardpan.dev/builder/development/v1",
            Self::Local => "https://hardpan.dev/builder/local/v1",
            Self::Separate => "https://hardpan.dev/builder/separate-signer/v1",
            Self::Keyless => "https://hardpan.dev/builder/keyless/v1",
        }
    }
}

/// The text of a recipe and the name of its file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildRecipe {
    /// The file's name, without folders.
    pub file: String,
    /// What is in it.
    pub text: String,
}

/// A file beside a recipe that the build read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildFile {
    /// Its path, from the recipe's folder.
    pub path: String,
    /// Its digest.
    pub sha256: Sha256,
    /// Whether its owner may run it.
    #[serde(default)]
    pub executable: bool,
    /// Its bytes in base64, if it is small.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

/// All that a build depends on from outside (`externalParameters`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BuildInputs {
    /// The recipe that was built.
    pub recipe: BuildRecipe,
    /// Those that it extends, the one that extends nothing first.
    pub extends: Vec<BuildRecipe>,
    /// The variant; `None` for the default.
    pub variant: Option<String>,
    /// The platforms, in the order of the index.
    pub platforms: Vec<Platform>,
    /// How layers are compressed.
    pub compression: String,
    /// `SOURCE_DATE_EPOCH`, in seconds, if it was set.
    pub source_date_epoch: Option<i64>,
    /// The lock's text.
    pub lock: String,
    /// The files beside the recipes.
    pub files: Vec<BuildFile>,
}

/// Something that was fetched or pinned (`resolvedDependencies`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// What it is called.
    pub name: String,
    /// Its address or package URL.
    pub uri: String,
    /// Its digest.
    pub sha256: Sha256,
    /// Notes, such as its path in the archive's pool.
    pub annotations: BTreeMap<String, String>,
}

/// What a provenance is made of.
#[derive(Debug, Clone)]
pub struct Provenance {
    /// All that the build depends on from outside.
    pub inputs: BuildInputs,
    /// What was fetched or pinned.
    pub dependencies: Vec<Dependency>,
    /// Where it ran.
    pub builder: Builder,
    /// The digest of the hardpan that ran.
    pub hardpan: Sha256,
    /// What the compressor is called, with its version.
    pub compressor: String,
    /// What the kernel enforced while layers were made.
    pub enforced: Vec<String>,
    /// What was made beside the image: names and digests.
    pub byproducts: Vec<(String, Sha256)>,
    /// The image's own digest, from which the id of the invocation is made.
    pub image: BlobDigest,
}

impl Provenance {
    /// The predicate's one byte string.
    pub fn to_json(&self) -> Vec<u8> {
        let dependency = |dependency: &Dependency| {
            let mut value = json!({
                "name": dependency.name,
                "uri": dependency.uri,
                "digest": { "sha256": dependency.sha256 },
            });
            if !dependency.annotations.is_empty() {
                value["annotations"] = json!(dependency.annotations);
            }
            value
        };
        let byproducts = self.byproducts.iter();
        let version = env!("CARGO_PKG_VERSION");
        canon::to_json(&json!({
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": self.inputs,
                "internalParameters": {
                    "hardpan": { "version": version, "digest": { "sha256": self.hardpan } },
                    "compressor": self.compressor,
                    "enforcedByKernel": self.enforced,
                },
                "resolvedDependencies": self.dependencies.iter().map(dependency).collect::<Vec<_>>(),
            },
            "runDetails": {
                "builder": { "id": self.builder.id(), "version": { "hardpan": version } },
                // Times would differ from run to run; the same build is the same invocation.
                "metadata": { "invocationId": format!("sha256:{}", self.invocation()) },
                "byproducts": byproducts.map(|(name, digest)| json!({ "name": name, "digest": { "sha256": digest } })).collect::<Vec<_>>(),
            },
        }))
    }

    fn invocation(&self) -> Sha256 {
        let inputs = Sha256::of(&canon::to_json(&self.inputs));
        Sha256::of(format!("{inputs} {} {} {}", self.hardpan, self.image, self.builder.id()).as_bytes())
    }
}

/// What a provenance says, as far as it is needed to check or to build again.
#[derive(Debug, Clone)]
pub struct ReadProvenance {
    /// All that the build depended on from outside.
    pub inputs: BuildInputs,
    /// What it lists as fetched: names and digests.
    pub dependencies: Vec<(String, Sha256)>,
    /// Who it says ran it.
    pub builder: String,
    /// The version of hardpan that ran.
    pub version: String,
    /// The digest of the hardpan that ran.
    pub hardpan: Option<Sha256>,
    /// The compressor.
    pub compressor: String,
}

/// Reads a predicate; the error says what is missing. That of another tool is refused by its type.
pub fn read_provenance(predicate: &Value) -> Result<ReadProvenance, String> {
    let at = |path: &str| predicate.pointer(path);
    let text = |path: &str| at(path).and_then(Value::as_str).ok_or_else(|| format!("it has no `{path}`"));
    let build_type = text("/buildDefinition/buildType")?;
    if build_type != BUILD_TYPE {
        return Err(format!("its build type is `{build_type}`, not `{BUILD_TYPE}`"));
    }
    let inputs = at("/buildDefinition/externalParameters").cloned().unwrap_or_default();
    let inputs: BuildInputs =
        serde_json::from_value(inputs).map_err(|error| format!("its externalParameters: {error}"))?;
    let dependencies = at("/buildDefinition/resolvedDependencies").and_then(Value::as_array);
    let read = |one: &Value| {
        let name = one.get("name").and_then(Value::as_str)?;
        let digest = one.pointer("/digest/sha256").and_then(Value::as_str)?;
        Some((name.to_owned(), digest.parse().ok()?))
    };
    let dependencies: Option<Vec<_>> = dependencies.into_iter().flatten().map(read).collect();
    let hardpan = text("/buildDefinition/internalParameters/hardpan/digest/sha256").ok();
    Ok(ReadProvenance {
        inputs,
        dependencies: dependencies.ok_or("one of its resolvedDependencies has no name or digest")?,
        builder: text("/runDetails/builder/id")?.to_owned(),
        version: text("/buildDefinition/internalParameters/hardpan/version")?.to_owned(),
        hardpan: hardpan.and_then(|hex| hex.parse().ok()),
        compressor: text("/buildDefinition/internalParameters/compressor")?.to_owned(),
    })
}
