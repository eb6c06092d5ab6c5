//! Bringing a lock up to date.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::file::{LockedPackage, LockedRelease};
use super::packages::{Candidate, Universe};
use super::resolve::{Wanted, resolve};
use super::satisfy::{downloads, roots};
use super::{Archive, IndexPart, Lock, Release};
use crate::diag::{Problem, Result, codes};
use crate::ident::{Epoch, PackageName, Platform, Sha256};
use crate::recipe::Chain;

/// How release files and indices are had.
pub trait Upstream {
    /// The release file of a suite, as `check` accepts it: where one mirror's is refused, the next
    /// mirror is asked, and the first refusal is reported if all are. What was accepted is kept.
    fn release(
        &self,
        archive: &Archive,
        suite: &str,
        check: &dyn Fn(&[u8]) -> Result<Release>,
    ) -> Result<Release>;

    /// An index of a suite, checked against its digest and size, decompressed. It is kept.
    fn index(
        &self,
        archive: &Archive,
        suite: &str,
        part: &IndexPart,
        by_hash: bool,
    ) -> Result<Box<dyn Read + Send>>;
}

/// What was read of archives: who brings many locks up to date reads each release file and each index once, and
/// all locks see the archives at the same moment.
#[derive(Debug, Default)]
pub struct Shelf {
    universes: Mutex<BTreeMap<Sha256, Arc<Universe>>>,
    releases: Mutex<BTreeMap<String, Release>>,
}

impl Shelf {
    fn get(&self, key: &Sha256) -> Option<Arc<Universe>> {
        held(&self.universes).get(key).cloned()
    }

    fn put(&self, key: Sha256, universe: Universe) -> Arc<Universe> {
        Arc::clone(held(&self.universes).entry(key).or_insert(Arc::new(universe)))
    }

    /// The release file of a suite, not older than what a lock has seen of it.
    fn release(
        &self,
        upstream: &dyn Upstream,
        archive: &Archive,
        suite: &str,
        now: Epoch,
        seen: Option<Epoch>,
    ) -> Result<Release> {
        // Recipes may demand different things of an archive that they call by the same name.
        let key = format!(
            "{} {suite} {:?} {:?} {:?}",
            archive.name,
            archive.origin,
            archive.label,
            archive.keys.fingerprints()
        );
        let known = held(&self.releases).get(&key).cloned();
        if let Some(release) = known {
            release.not_before(archive, suite, seen)?;
            return Ok(release);
        }
        let check = |bytes: &[u8]| Release::check(archive, suite, bytes, now, seen);
        let release = upstream.release(archive, suite, &check)?;
        held(&self.releases).insert(key, release.clone());
        Ok(release)
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Which pins move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moves {
    /// Only what must, to satisfy the recipe.
    Needed,
    /// These packages, and what must.
    Packages(BTreeSet<PackageName>),
    /// All.
    All,
}

/// What a lock is brought up to date for.
pub struct Request<'a> {
    /// All variants and platforms of a recipe.
    pub chains: &'a [Chain],
    /// The archives that they draw on.
    pub archives: &'a [Archive],
    /// The digests of the recipes' own files.
    pub files: BTreeMap<(String, String), (Sha256, u64)>,
    /// The locks of the recipes below: their pins hold.
    pub parents: &'a [Lock],
    /// Which pins move.
    pub moves: Moves,
    /// The time, for `Valid-Until` and expiry of keys.
    pub now: Epoch,
    /// Where indices that were read are kept.
    pub shelf: &'a Shelf,
}

/// A lock that satisfies the request, with the pins of `old` where they may stay.
pub fn update(upstream: &dyn Upstream, old: Option<&Lock>, request: &Request) -> Result<Lock> {
    let mut lock =
        Lock { files: request.files.clone(), downloads: downloads(request.chains), ..Lock::default() };
    let platforms: BTreeSet<Platform> = request.chains.iter().map(|chain| chain.platform).collect();
    let any = platforms.iter().any(|platform| !roots(request.chains, *platform).is_empty());
    if !any {
        return Ok(lock);
    }
    check_named(request, old)?;
    let releases = releases(upstream, old, request, &mut lock)?;
    for platform in platforms {
        let universe = universe(upstream, request, &releases, platform, &mut lock)?;
        let resolved = resolve(&universe, &wanted(old, request, platform))?;
        lock.packages.insert(
            platform,
            resolved.into_iter().map(|(name, chosen)| (name, locked(request.archives, chosen))).collect(),
        );
    }
    Ok(lock)
}

/// `--update PKG` with a package that the lock does not have is a typing error.
fn check_named(request: &Request, old: Option<&Lock>) -> Result<()> {
    let Moves::Packages(names) = &request.moves else { return Ok(()) };
    let pinned: BTreeSet<&str> =
        old.iter().flat_map(|lock| lock.packages.values()).flatten().map(|(name, _)| name.as_str()).collect();
    match names.iter().find(|name| !pinned.contains(name.as_str())) {
        None => Ok(()),
        Some(name) => {
            let problem = Problem::new(
                codes::UNKNOWN_PACKAGE,
                format!("`{name}` is not in the lock, so its pin can't move"),
            );
            let near = crate::diag::nearest(name.as_str(), pinned);
            Err(problem
                .help(near.map_or_else(
                    || "the lock lists what is pinned".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                ))
                .into())
        }
    }
}

type Releases = Vec<(usize, String, Release)>;

/// What one suite of an archive offers for a platform.
#[derive(Debug)]
pub struct Offer {
    /// The archive's place in the list of archives.
    pub archive: usize,
    /// The suite.
    pub suite: String,
    /// Its release file, checked.
    pub release: Release,
    /// Its packages.
    pub packages: Universe,
}

/// What each suite of these archives offers, apart from the others: where something stands is known, and since which
/// release file. Nothing is resolved.
pub fn offers(
    upstream: &dyn Upstream,
    archives: &[Archive],
    platform: Platform,
    now: Epoch,
) -> Result<Vec<Offer>> {
    let mut offers = Vec::new();
    for (at, archive) in archives.iter().enumerate() {
        for suite in &archive.suites {
            let check = |bytes: &[u8]| Release::check(archive, suite, bytes, now, None);
            let release = upstream.release(archive, suite, &check)?;
            let mut packages = Universe::default();
            for component in &archive.components {
                for part in parts(archive, suite, &release, component, platform)? {
                    read_part(upstream, (at, archive), suite, release.by_hash, &part, &mut packages)?;
                }
            }
            offers.push(Offer { archive: at, suite: suite.clone(), release, packages });
        }
    }
    Ok(offers)
}

/// Reads one index into a universe.
fn read_part(
    upstream: &dyn Upstream,
    (at, archive): (usize, &Archive),
    suite: &str,
    by_hash: bool,
    part: &IndexPart,
    universe: &mut Universe,
) -> Result<()> {
    let reader = upstream.index(archive, suite, part, by_hash)?;
    let name = format!("index {} of suite {suite} of archive {}", part.path, archive.name);
    universe.add(at, &name, reader).map_err(|why| {
        Problem::new(codes::BAD_INDEX, format!("the {name} does not read as one")).found(why).into()
    })
}

fn releases(
    upstream: &dyn Upstream,
    old: Option<&Lock>,
    request: &Request,
    lock: &mut Lock,
) -> Result<Releases> {
    let mut releases = Vec::new();
    for (at, archive) in request.archives.iter().enumerate() {
        for suite in &archive.suites {
            let key = (archive.name.clone(), suite.clone());
            let seen = old.and_then(|lock| lock.releases.get(&key)).map(|release| release.date);
            let release = request.shelf.release(upstream, archive, suite, request.now, seen)?;
            let Release { origin, date, sha256, .. } = release.clone();
            lock.releases.insert(key, LockedRelease { origin, date, sha256, indices: BTreeMap::new() });
            releases.push((at, suite.clone(), release));
        }
    }
    Ok(releases)
}

/// All packages for a platform. Which index parts were read goes into the lock.
fn universe(
    upstream: &dyn Upstream,
    request: &Request,
    releases: &Releases,
    platform: Platform,
    lock: &mut Lock,
) -> Result<Arc<Universe>> {
    let mut wanted = Vec::new();
    for (at, suite, release) in releases {
        let archive = &request.archives[*at];
        for component in &archive.components {
            for part in parts(archive, suite, release, component, platform)? {
                let locked =
                    lock.releases.get_mut(&(archive.name.clone(), suite.clone())).expect("just locked");
                locked.indices.insert(part.path.clone(), (part.sha256, part.size));
                wanted.push((*at, suite, release.by_hash, part));
            }
        }
    }
    // The place of an archive is in what is read of it.
    let key: Vec<String> = wanted
        .iter()
        .map(|(at, suite, _, part)| {
            format!("{at} {} {suite} {} {}", request.archives[*at].name, part.path, part.sha256)
        })
        .collect();
    let key = Sha256::of(key.join("\n").as_bytes());
    if let Some(known) = request.shelf.get(&key) {
        return Ok(known);
    }
    let mut universe = Universe::default();
    for (at, suite, by_hash, part) in wanted {
        read_part(upstream, (at, &request.archives[at]), suite, by_hash, &part, &mut universe)?;
    }
    Ok(request.shelf.put(key, universe))
}

fn parts(
    archive: &Archive,
    suite: &str,
    release: &Release,
    component: &str,
    platform: Platform,
) -> Result<Vec<IndexPart>> {
    let index = |architecture: &str| release.index(&format!("{component}/binary-{architecture}/Packages"));
    let own = index(platform.architecture());
    let all = if release.all_apart { index("all") } else { None };
    let parts: Vec<IndexPart> = own.into_iter().chain(all).collect();
    if parts.is_empty() {
        let what = format!(
            "suite {suite} of archive {} has no component `{component}` for {platform}",
            archive.name
        );
        return Err(Problem::new(codes::BAD_INDEX, what)
            .help("check the components that the recipe names")
            .into());
    }
    Ok(parts)
}

fn wanted<'a>(old: Option<&Lock>, request: &'a Request, platform: Platform) -> Wanted<'a> {
    let prefer = request
        .chains
        .iter()
        .flat_map(|chain| &chain.recipes)
        .flat_map(|recipe| &recipe.prefer)
        .cloned()
        .collect();
    let mut pins = BTreeMap::new();
    let stays = |name: &PackageName| match &request.moves {
        Moves::Needed => true,
        Moves::Packages(names) => !names.contains(name),
        Moves::All => false,
    };
    let own = old
        .and_then(|lock| lock.packages.get(&platform))
        .into_iter()
        .flatten()
        .filter(|(name, _)| stays(name));
    let below = request.parents.iter().filter_map(|lock| lock.packages.get(&platform)).flatten();
    for (name, package) in own.chain(below) {
        if let Some(pin) = pin(request.archives, name, package) {
            pins.insert(name.clone(), pin);
        }
    }
    let priorities = request.archives.iter().map(|archive| archive.priority).collect();
    Wanted { roots: roots(request.chains, platform), prefer, pins, priorities, platform }
}

/// A pinned package as a candidate; its dependencies are what they were resolved to.
fn pin(archives: &[Archive], name: &PackageName, package: &LockedPackage) -> Option<Candidate> {
    let archive = archives.iter().position(|archive| archive.name == package.archive)?;
    let depends = package
        .depends
        .iter()
        .map(|name| vec![super::packages::Relation { name: name.to_string(), bound: None }]);
    Some(Candidate {
        name: name.clone(),
        version: package.version.clone(),
        architecture: package.architecture.clone(),
        source: package.source.clone(),
        source_version: package.source_version.clone(),
        depends: depends.collect(),
        provides: Vec::new(),
        path: package.path.clone(),
        size: package.size,
        sha256: package.sha256,
        archive,
    })
}

fn locked(archives: &[Archive], chosen: (Candidate, BTreeSet<PackageName>)) -> LockedPackage {
    let (candidate, depends) = chosen;
    LockedPackage {
        version: candidate.version,
        source: candidate.source,
        source_version: candidate.source_version,
        architecture: candidate.architecture,
        archive: archives[candidate.archive].name.clone(),
        path: candidate.path,
        size: candidate.size,
        sha256: candidate.sha256,
        depends,
    }
}
