//! What this machine remembers of what it sent: which repositories have a blob, and where a large
//! upload goes on. Both are hints: the registry is asked in any case.
//!
//! ```text
//! derived/pushed/<sha256 of registry and digest>      ["registry/repository", …]
//! derived/uploads/<sha256 of repository and digest>   an address
//! ```

use crate::canon;
use crate::diag::Result;
use crate::ident::{BlobDigest, Repository, Sha256};
use crate::store::Store;

/// Repositories that are remembered for one blob.
const MOST: usize = 8;

fn key(place: &str, digest: &BlobDigest) -> Sha256 {
    Sha256::of(format!("{place} {digest}").as_bytes())
}

fn repositories(store: &Store, registry: &str, digest: &BlobDigest) -> Result<Vec<Repository>> {
    let bytes = store.read_derived("pushed", &key(registry, digest))?;
    Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default())
}

/// Another repository of the same registry that had the blob.
pub(super) fn elsewhere(store: &Store, here: &Repository, digest: &BlobDigest) -> Result<Option<Repository>> {
    let all = repositories(store, here.registry().as_str(), digest)?;
    Ok(all.into_iter().rev().find(|other| other != here && other.registry() == here.registry()))
}

/// Remembers that a repository has a blob.
pub(super) fn remember(store: &Store, here: &Repository, digest: &BlobDigest) -> Result<()> {
    let registry = here.registry().as_str();
    let mut all = repositories(store, registry, digest)?;
    if all.contains(here) {
        return Ok(());
    }
    all.push(here.clone());
    let all = &all[all.len().saturating_sub(MOST)..];
    store.write_derived("pushed", &key(registry, digest), &canon::to_json(&all))
}

/// Where a large upload goes on.
pub(super) fn upload(store: &Store, here: &Repository, digest: &BlobDigest) -> Result<Option<String>> {
    let bytes = store.read_derived("uploads", &key(&here.to_string(), digest))?;
    Ok(bytes.and_then(|bytes| String::from_utf8(bytes).ok()))
}

/// Remembers where a large upload goes on.
pub(super) fn remember_upload(
    store: &Store,
    here: &Repository,
    digest: &BlobDigest,
    address: &str,
) -> Result<()> {
    store.write_derived("uploads", &key(&here.to_string(), digest), address.as_bytes())
}
