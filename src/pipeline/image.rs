//! From layers to the image's small blobs: configuration, manifests, index, tags.

use std::collections::{BTreeMap, BTreeSet};

use super::{Layers, Pinned};
use crate::canon::Compression;
use crate::diag::{Failure, Problem, Result, codes};
use crate::ident::{BlobDigest, PackageName, RecipeName, Sha256, TagName};
use crate::image::{self, Config, ImageParts, PlatformImage, Runtime};
use crate::policy::{self, Unneeded, Verdict};
use crate::recipe::{Chain, EXCEPTION_LABEL, Place, Recipe};

/// An image whose every blob is known.
#[derive(Debug)]
pub struct Built {
    /// Its name.
    pub name: RecipeName,
    /// Its tags, the most telling first.
    pub tags: Vec<TagName>,
    /// Its platforms.
    pub platforms: Vec<PlatformImage>,
    /// The packages of each platform.
    pub packages: Vec<BTreeSet<PackageName>>,
    /// The index.
    pub index: Vec<u8>,
    /// What the contents policy says of each platform; none is violated.
    pub verdicts: Vec<Verdict>,
    /// How many layers were in the store already, and how many there are.
    pub reused: (usize, usize),
}

impl Built {
    /// Digest of the index: what the image is called by.
    pub fn digest(&self) -> BlobDigest {
        BlobDigest(Sha256::of(&self.index))
    }
}

/// What `{version}` means in a recipe.
pub(super) fn version(pinned: &Pinned, recipe: &Recipe) -> Option<String> {
    if let Some(version) = &recipe.version {
        return Some(version.clone());
    }
    let name = &recipe.version_of.as_ref()?.value;
    let package = pinned.lock.packages.values().find_map(|packages| packages.get(name))?;
    Some(package.version.release().to_owned())
}

/// Why `{version}` means nothing where it is used.
pub(super) fn no_version(recipe: &Recipe, place: &Place) -> Problem {
    if let Some(name) = &recipe.version_of {
        let message = format!("`version-of` names `{}`, which is not among the pinned packages", name.value);
        let problem = name.place.problem(codes::BAD_VALUE, message, "named here");
        return problem.help("name a package of `[debian.packages]`, or one that these need");
    }
    let problem = place.problem(codes::BAD_VALUE, "`{version}` means nothing here", "used here");
    problem.help("say `version = \"…\"` or `version-of = \"PACKAGE\"`")
}

/// Puts the version in; `None` if it is needed and not known.
pub(super) fn substitute(text: &str, version: Option<&str>) -> Option<String> {
    if !text.contains("{version}") {
        return Some(text.to_owned());
    }
    Some(text.replace("{version}", version?))
}

/// The tags of an image; a variant's end with its name.
pub fn built_tags(pinned: &Pinned, chain: &Chain) -> Result<Vec<TagName>> {
    let recipe = chain.last();
    let version = version(pinned, recipe);
    let mut tags: Vec<TagName> = Vec::new();
    for written in &recipe.tags {
        let text = substitute(&written.value, version.as_deref())
            .ok_or_else(|| no_version(recipe, &written.place))?;
        // Versions may hold what tags may not: `+` and `~`.
        let text: String = text
            .chars()
            .map(|letter| if letter.is_ascii_alphanumeric() || "_.-".contains(letter) { letter } else { '-' })
            .collect();
        let text =
            recipe.variant.as_ref().map_or_else(|| text.clone(), |variant| format!("{text}-{variant}"));
        let tag: TagName = text.parse().map_err(|error: crate::ident::Malformed| {
            written.place.problem(codes::BAD_VALUE, error.to_string(), "makes no tag")
        })?;
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    if tags.is_empty() {
        let text = recipe.variant.clone().unwrap_or_else(|| "latest".to_owned());
        tags.push(text.parse().expect("a variant's name is a tag"));
    }
    Ok(tags)
}

/// Makes the image of all platforms.
pub fn image(pinned: &Pinned, layers: &[Layers], compression: Compression) -> Result<Built> {
    let chain = &layers[0].chain;
    let tags = built_tags(pinned, chain)?;
    let name = chain.last().name.clone();
    let annotations = annotations(pinned, chain);
    let mut built = Built {
        name,
        tags,
        platforms: Vec::new(),
        packages: Vec::new(),
        index: Vec::new(),
        verdicts: Vec::new(),
        reused: (0, 0),
    };
    let mut violations: Vec<Problem> = Vec::new();
    for layers in layers {
        let (platform, verdict) = platform_image(pinned, layers, compression)?;
        let new = policy::violations(&layers.chain, &verdict);
        violations.extend(new.into_iter().filter(|one| !violations.contains(one)).collect::<Vec<_>>());
        built.platforms.push(platform);
        built.verdicts.push(verdict);
        built
            .packages
            .push(layers.recipes.iter().flat_map(|recipe| recipe.packages.iter().cloned()).collect());
        built.reused.0 += layers.reused;
        built.reused.1 += layers.recipes.iter().map(|recipe| recipe.layers.len()).sum::<usize>();
    }
    Failure::check(violations)?;
    built.index = image::index_of(&built.platforms, &annotations);
    Ok(built)
}

/// Warnings of the exceptions to the contents policy that no platform needs.
pub(super) fn unneeded_exceptions(built: &Built) -> Vec<Problem> {
    policy::unneeded(&unneeded(&built.verdicts))
}

fn unneeded(verdicts: &[Verdict]) -> Vec<Unneeded> {
    let Some((first, others)) = verdicts.split_first() else { return Vec::new() };
    let everywhere = |one: &&Unneeded| others.iter().all(|other| other.unneeded.contains(one));
    first.unneeded.iter().filter(everywhere).cloned().collect()
}

/// The image of one platform and what the contents policy says of it. Its base digest is that of the manifest
/// which the recipes below give.
fn platform_image(
    pinned: &Pinned,
    layers: &Layers,
    compression: Compression,
) -> Result<(PlatformImage, Verdict)> {
    let mut below: Option<(RecipeName, PlatformImage)> = None;
    let mut last = Verdict::default();
    for upto in 1..=layers.chain.recipes.len() {
        let chain = Chain { recipes: layers.chain.recipes[..upto].to_vec(), platform: layers.chain.platform };
        let parts = layers.recipes[..upto].iter().flat_map(|recipe| &recipe.layers).map(|layer| ImageParts {
            name: layer.name.clone(),
            digest: layer.digest,
            diff_id: layer.diff_id,
            size: layer.size,
            created: layer.created,
        });
        let mut annotations = annotations(pinned, &chain);
        if let Some((name, base)) = &below {
            annotations.insert("org.opencontainers.image.base.name".into(), name.to_string());
            annotations.insert("org.opencontainers.image.base.digest".into(), base.digest().to_string());
        }
        let mut runtime = runtime(pinned, &chain)?;
        last = policy::judge(&chain, &layers.findings[..upto], &runtime);
        let labels = last.reasons().into_iter();
        runtime.labels.extend(labels.map(|(rule, reason)| (format!("{EXCEPTION_LABEL}{rule}"), reason)));
        let config =
            Config { platform: chain.platform, runtime, layers: parts.collect(), compression, annotations };
        below = Some((chain.last().name.clone(), image::assemble(&config)));
    }
    Ok((below.expect("a chain has a recipe").1, last))
}

/// Annotations (image specification, annotations.md) that are the same on every platform.
fn annotations(pinned: &Pinned, chain: &Chain) -> BTreeMap<String, String> {
    let recipe = chain.last();
    let version = version(pinned, recipe);
    let lifecycle = &recipe.lifecycle;
    let known = [
        ("org.opencontainers.image.title", Some(recipe.name.to_string())),
        ("org.opencontainers.image.version", version.clone()),
        ("org.opencontainers.image.description", recipe.summary.clone()),
        ("org.opencontainers.image.source", recipe.source_url.clone()),
        ("org.opencontainers.image.licenses", recipe.licenses.clone()),
        ("dev.hardpan.variant", recipe.variant.clone()),
        ("dev.hardpan.owner", lifecycle.owner.clone()),
        ("dev.hardpan.contact", lifecycle.contact.clone()),
        ("dev.hardpan.end-of-life", lifecycle.end_of_life.clone()),
        ("dev.hardpan.status", lifecycle.status.clone()),
    ];
    let known = known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    known.chain(substituted(&recipe.image.annotations, version.as_deref())).collect()
}

fn substituted(
    map: &BTreeMap<String, String>,
    version: Option<&str>,
) -> impl Iterator<Item = (String, String)> {
    map.iter()
        .map(move |(name, value)| (name.clone(), substitute(value, version).unwrap_or_else(|| value.clone())))
}

/// How a container runs: what each recipe of the chain says, the later over the earlier.
fn runtime(pinned: &Pinned, chain: &Chain) -> Result<Runtime> {
    let mut runtime = Runtime::default();
    let mut volumes = BTreeSet::new();
    let mut ports = BTreeSet::new();
    for recipe in &chain.recipes {
        let spec = &recipe.image;
        if let Some(user) = &spec.user {
            let (uid, gid) = chain.owner_numbers(&user.value, &user.place)?;
            runtime.user = format!("{uid}:{gid}");
        }
        // A new entrypoint makes the arguments below it meaningless.
        if let Some(entrypoint) = &spec.entrypoint {
            runtime.entrypoint.clone_from(entrypoint);
            runtime.cmd.clear();
        }
        if let Some(cmd) = &spec.cmd {
            runtime.cmd.clone_from(cmd);
        }
        runtime.env.extend(spec.env.clone());
        runtime.workdir = spec.workdir.as_ref().map(ToString::to_string).or(runtime.workdir);
        runtime.stop_signal = spec.stop_signal.clone().or(runtime.stop_signal);
        ports.extend(spec.ports.iter().cloned());
        volumes.extend(spec.volumes.iter().map(ToString::to_string));
        runtime.labels.extend(substituted(&spec.labels, version(pinned, recipe).as_deref()));
    }
    runtime.labels.extend(annotations(pinned, chain));
    runtime.ports = ports.into_iter().collect();
    runtime.volumes = volumes.into_iter().collect();
    Ok(runtime)
}
