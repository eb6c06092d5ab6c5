//! A look at what a repository has under its tags, without bringing any of it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::access::Access;
use super::remote::Remote;
use crate::diag::Result;
use crate::ident::{BlobDigest, Repository};

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
