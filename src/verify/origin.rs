//! The provenance against its own lock, and the image's packages against both.

use std::collections::BTreeSet;

use serde_json::Value;

use super::listing::Present;
use crate::attest::{ReadProvenance, read_provenance};
use crate::diag::{Problem, codes};
use crate::ident::Sha256;
use crate::lock::Lock;

/// Checks a provenance; what is seen, or the first thing that does not fit.
pub fn check(of: &str, predicate: &Value, present: &Present) -> Result<(String, ReadProvenance), Problem> {
    let wrong =
        |message: &str| Problem::new(codes::BAD_PROVENANCE, format!("the provenance of the {of} {message}"));
    let provenance = read_provenance(predicate).map_err(|why| wrong("can't be followed").found(why))?;
    let lock = Lock::parse(&provenance.inputs.lock, "of the provenance").map_err(|failure| {
        wrong("has a lock that can't be read").fact("cause", &failure.problems()[0].message)
    })?;
    let pinned = pinned(&lock, &provenance);
    for (name, digest) in &provenance.dependencies {
        if !pinned.contains(digest) {
            return Err(wrong("lists what its own lock does not pin")
                .found(format!("{name} sha256:{digest}"))
                .expected("each dependency to be in the lock, or a file of the recipe")
                .help("it was changed, or is not hardpan's: don't believe it"));
        }
    }
    let listed: BTreeSet<&Sha256> = provenance.dependencies.iter().map(|(_, digest)| digest).collect();
    let versions: BTreeSet<(String, String)> = lock
        .packages
        .values()
        .flatten()
        .filter(|(_, package)| listed.contains(&package.sha256))
        .map(|(name, package)| (name.to_string(), package.version.to_string()))
        .collect();
    let unknown = present
        .packages
        .iter()
        .find(|(name, version, _)| !versions.contains(&(name.clone(), version.clone())));
    if let Some((name, version, _)) = unknown {
        return Err(wrong("does not name a package that the image holds")
            .found(format!("{name} {version}"))
            .expected("each package to be pinned by the lock and listed as a dependency"));
    }
    let seen = format!(
        "{} dependencies are as locked, built by {}",
        provenance.dependencies.len(),
        provenance.builder
    );
    Ok((seen, provenance))
}

/// Everything that a lock and the recipe's own files pin, by digest.
fn pinned(lock: &Lock, provenance: &ReadProvenance) -> BTreeSet<Sha256> {
    let packages =
        lock.packages.values().flat_map(|packages| packages.values()).map(|package| package.sha256);
    let releases = lock.releases.values().map(|release| release.sha256);
    let files = lock.files.values().map(|(sha256, _)| *sha256);
    let own = provenance.inputs.files.iter().map(|file| file.sha256);
    packages.chain(releases).chain(files).chain(lock.downloads.values().copied()).chain(own).collect()
}
