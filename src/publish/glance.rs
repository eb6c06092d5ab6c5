//! A look at what a repository has under its tags, without bringing any of it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::access::Access;
use super::remote::Remote;
use crate::diag::Result;
use crate::ident::{BlobDigest, Prefix, Reference, Repository, TagName};

/// What a tag or digest points to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glance {
    /// Its digest.
    pub digest: BlobDigest,
    /// The annotations of the index or manifest.
    pub annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

/// The tags of a repository; none where the registry does not list them.
pub fn tags(access: &Access, repository: &Repository) -> Result<Vec<String>> {
    Remote { access, repository }.tags()
}

/// What a tag or digest points to; `None` if it is not there.
pub fn glance(access: &Access, repository: &Repository, wanted: &str) -> Result<Option<Glance>> {
    let given = Remote { access, repository }.manifest(wanted)?;
    Ok(given.map(|given| {
        let annotations = serde_json::from_slice::<Wire>(&given.bytes).map(|wire| wire.annotations);
        Glance { digest: given.digest, annotations: annotations.unwrap_or_default() }
    }))
}

/// All images that are published below a prefix: of each repository each digest once, under the most
/// telling of its tags that are not made of a digest.
pub fn images_below(access: &Access, prefix: &Prefix) -> Result<Vec<Reference>> {
    let mut images = Vec::new();
    for repository in repositories(access, prefix)? {
        let mut seen: BTreeMap<BlobDigest, Reference> = BTreeMap::new();
        let mut names = tags(access, &repository)?;
        // A dated tag never moves: it says best which image is meant.
        names.sort_by_key(|tag| (std::cmp::Reverse(tag.len()), tag.clone()));
        for name in names.iter().filter(|name| !name.starts_with("sha256-")) {
            let Ok(tag) = name.parse::<TagName>() else { continue };
            if let Some(there) = glance(access, &repository, name)? {
                let reference = Reference { repository: repository.clone(), tag: Some(tag), digest: None };
                seen.entry(there.digest).or_insert(reference);
            }
        }
        images.extend(seen.into_values());
    }
    images.sort_by_key(ToString::to_string);
    Ok(images)
}

/// The repositories below a prefix, as far as the registry lists them (distribution specification,
/// `_catalog`, which not all have).
fn repositories(access: &Access, prefix: &Prefix) -> Result<Vec<Repository>> {
    // Who may list is asked for as for any repository below the prefix.
    let any = prefix.repository("any").expect("a name below a prefix");
    let names = Remote { access, repository: &any }.catalog()?;
    let below = any.path().trim_end_matches("any");
    let own = names.iter().filter_map(|name| name.strip_prefix(below));
    Ok(own.filter_map(|name| prefix.repository(name).ok()).collect())
}

/// The bytes of a manifest; `None` if it is not there.
pub fn manifest(access: &Access, repository: &Repository, wanted: &str) -> Result<Option<Vec<u8>>> {
    Ok(Remote { access, repository }.manifest(wanted)?.map(|given| given.bytes))
}
