//! Whether a lock satisfies a recipe: asked of the parsed forms, so that comments, order and line
//! ends don't matter.

use std::collections::{BTreeMap, BTreeSet};

use super::{Archive, Lock};
use crate::ident::{PackageName, Platform, Sha256};
use crate::recipe::{At, Chain};

/// All packages that `roots` need, themselves included; `Err` names one that is not pinned.
pub fn reachable<'a>(
    lock: &Lock,
    platform: Platform,
    roots: impl IntoIterator<Item = &'a PackageName>,
) -> Result<BTreeSet<PackageName>, PackageName> {
    let empty = BTreeMap::new();
    let packages = lock.packages.get(&platform).unwrap_or(&empty);
    let mut queue: Vec<&PackageName> = roots.into_iter().collect();
    let mut reached = BTreeSet::new();
    while let Some(name) = queue.pop() {
        let package = packages.get(name).ok_or_else(|| name.clone())?;
        if reached.insert(name.clone()) {
            queue.extend(&package.depends);
        }
    }
    Ok(reached)
}

/// The packages that chains of one platform name, each once.
pub(super) fn roots(chains: &[Chain], platform: Platform) -> Vec<&At<PackageName>> {
    let chains = chains.iter().filter(|chain| chain.platform == platform);
    let entries = chains.flat_map(|chain| &chain.recipes).flat_map(|recipe| &recipe.packages);
    let mut seen = BTreeSet::new();
    entries.map(|entry| &entry.name).filter(|name| seen.insert(&name.value)).collect()
}

/// The downloads of chains, by recipe, name and platform.
pub(super) fn downloads(chains: &[Chain]) -> BTreeMap<(String, String, Platform), Sha256> {
    let mut found = BTreeMap::new();
    for chain in chains {
        for recipe in &chain.recipes {
            for (name, download) in &recipe.downloads {
                found.insert((recipe.name.to_string(), name.clone(), chain.platform), download.value.sha256);
            }
        }
    }
    found
}

/// Why the lock does not satisfy the chains (all variants and platforms of a recipe); `None` if it
/// does. `files` are the digests of the recipes' own files, `parents` the locks of the recipes below.
pub fn stale(
    lock: &Lock,
    chains: &[Chain],
    archives: &[Archive],
    files: &BTreeMap<(String, String), (Sha256, u64)>,
    parents: &[Lock],
) -> Option<String> {
    let platforms: BTreeSet<Platform> = chains.iter().map(|chain| chain.platform).collect();
    platforms
        .iter()
        .find_map(|platform| stale_packages(lock, chains, *platform))
        .or_else(|| stale_platforms(lock, &platforms))
        .or_else(|| stale_archives(lock, archives))
        .or_else(|| stale_files(lock, files))
        .or_else(|| {
            (lock.downloads != downloads(chains))
                .then(|| "the recipe's archives are not those of the lock".to_owned())
        })
        .or_else(|| parents.iter().find_map(|parent| stale_parent(lock, parent)))
}

fn stale_packages(lock: &Lock, chains: &[Chain], platform: Platform) -> Option<String> {
    let roots = roots(chains, platform);
    let pinned: BTreeSet<PackageName> =
        lock.packages.get(&platform).into_iter().flat_map(|packages| packages.keys().cloned()).collect();
    match reachable(lock, platform, roots.iter().map(|root| &root.value)) {
        Err(missing) => Some(format!("`{missing}` is not pinned for {platform}")),
        Ok(reached) => pinned
            .difference(&reached)
            .next()
            .map(|extra| format!("`{extra}` is pinned for {platform}, but nothing needs it")),
    }
}

fn stale_platforms(lock: &Lock, platforms: &BTreeSet<Platform>) -> Option<String> {
    let extra = lock
        .packages
        .iter()
        .find(|(platform, packages)| !packages.is_empty() && !platforms.contains(platform));
    extra.map(|(platform, _)| format!("{platform} is pinned, but the recipe is not for it"))
}

fn stale_archives(lock: &Lock, archives: &[Archive]) -> Option<String> {
    let wanted: BTreeSet<_> = archives
        .iter()
        .flat_map(|archive| archive.suites.iter().map(|suite| (archive.name.clone(), suite.clone())))
        .collect();
    let there: BTreeSet<_> = lock.releases.keys().cloned().collect();
    let pinned: usize = lock.packages.values().map(BTreeMap::len).sum();
    if pinned == 0 && there.is_empty() {
        return None;
    }
    let missing = wanted
        .difference(&there)
        .next()
        .map(|(archive, suite)| format!("suite {suite} of archive {archive} is not in the lock"));
    missing.or_else(|| {
        there
            .difference(&wanted)
            .next()
            .map(|(archive, suite)| format!("suite {suite} of archive {archive} is in the lock only"))
    })
}

fn stale_files(lock: &Lock, files: &BTreeMap<(String, String), (Sha256, u64)>) -> Option<String> {
    if lock.files == *files {
        return None;
    }
    let changed = files.iter().find(|(key, digest)| lock.files.get(*key) != Some(digest));
    let gone = || lock.files.keys().find(|key| !files.contains_key(*key));
    let (_, path) = changed.map(|(key, _)| key).or_else(gone)?;
    Some(format!("the file `{path}` is not the one of the lock"))
}

/// A recipe pins what the recipe below pins, so that they share its layers bit for bit.
fn stale_parent(lock: &Lock, parent: &Lock) -> Option<String> {
    for (platform, packages) in &parent.packages {
        let Some(own) = lock.packages.get(platform) else { continue };
        for (name, package) in packages {
            let Some(there) = own.get(name) else { continue };
            if there.sha256 != package.sha256 {
                return Some(format!(
                    "`{name}` is {} here and {} in the lock of the recipe below ({platform})",
                    there.version, package.version
                ));
            }
        }
    }
    None
}
