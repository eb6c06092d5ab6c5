//! Recipe and lock: is the lock there, does it satisfy, and if not may it change.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use super::Context;
use crate::canon::HashReader;
use crate::diag::{Problem, Result, codes};
use crate::fetch::{ArchiveUpstream, Pin, Transfers};
use crate::host;
use crate::ident::{PackageName, Platform, Sha256};
use crate::lock::{self, Archive, Change, Lock, Moves, Request};
use crate::recipe::{Chain, Family};

/// Whether the lock may change, and how far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockMode {
    /// Not at all.
    Locked,
    /// As far as the recipe needs it.
    Needed,
    /// These pins move.
    Update(BTreeSet<PackageName>),
    /// All pins move.
    UpdateAll,
}

/// A recipe and a lock that satisfies it.
#[derive(Debug)]
pub struct Pinned {
    /// The recipe.
    pub family: Family,
    /// The lock.
    pub lock: Lock,
    /// The archives that it draws on.
    pub archives: Vec<Archive>,
}

/// What happened to locks on the way.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PinReport {
    /// What moved, by lock file.
    pub changes: Vec<(PathBuf, Vec<Change>)>,
    /// Locks that were written though no pin moved: only what they have seen of the archives did.
    pub refreshed: Vec<PathBuf>,
}

/// The locks that one command works with: as they are on disk, or as they will be when it succeeds.
/// A command that fails changes no lock.
#[derive(Debug, Clone, Default)]
pub struct Locks {
    changed: BTreeMap<PathBuf, Lock>,
}

impl Locks {
    fn read(&self, path: &Path) -> Result<Option<Lock>> {
        match self.changed.get(path) {
            Some(lock) => Ok(Some(lock.clone())),
            None => Lock::read(path),
        }
    }

    /// The lock of this file as it will be; `None` where nothing changes it.
    pub fn changed(&self, path: &Path) -> Option<&Lock> {
        self.changed.get(path)
    }

    /// Writes the lock of one file, if it changed, whole or not at all.
    pub fn commit_one(&self, path: &Path) -> Result<()> {
        self.changed(path).map_or(Ok(()), |lock| lock.write(path))
    }

    /// Writes what changed, each lock whole or not at all.
    pub fn commit(self) -> Result<()> {
        self.changed.iter().try_for_each(|(path, lock)| lock.write(path))
    }
}

/// The platforms that are asked for, all of which the recipe must be for.
pub fn platforms(family: &Family, asked: Option<&[Platform]>) -> Result<Vec<Platform>> {
    let all = family.platforms();
    let Some(asked) = asked else { return Ok(all) };
    if let Some(platform) = asked.iter().find(|platform| !all.contains(platform)) {
        let names: Vec<String> = all.iter().map(ToString::to_string).collect();
        let message = format!("`{}` is not for {platform}", family.path().display());
        return Err(Problem::new(codes::USAGE, message)
            .help(format!("it is for {}", names.join(", ")))
            .into());
    }
    Ok(all.into_iter().filter(|platform| asked.contains(platform)).collect())
}

/// Brings a recipe and a lock together. The locks of the recipes below come first, because their
/// pins hold here too; a pin that is to move moves in each of them that has it.
pub fn pin(
    context: &Context,
    family: &Family,
    mode: &LockMode,
    locks: &mut Locks,
) -> Result<(Pinned, PinReport)> {
    let mut report = PinReport::default();
    let mut parents = Vec::new();
    for path in family.parent_paths() {
        let parent = Family::open(&path)?;
        let there = locks.read(&parent.lock_path())?;
        // A lock holds all that its recipe needs; those of the recipes below are only compared.
        if *mode == LockMode::Locked && there.is_none() {
            continue;
        }
        let (lock, _) = bring(context, &parent, &mode.below(there.as_ref()), &parents, locks, &mut report)?;
        parents.push(lock);
    }
    let (lock, archives) = bring(context, family, mode, &parents, locks, &mut report)?;
    Ok((Pinned { family: family.clone(), lock, archives }, report))
}

impl LockMode {
    /// What the mode means for the lock of a recipe below: of named pins, those that it has.
    fn below(&self, there: Option<&Lock>) -> Self {
        let Self::Update(names) = self else { return self.clone() };
        let has = |name: &&PackageName| {
            there.is_some_and(|lock| lock.packages.values().any(|packages| packages.contains_key(*name)))
        };
        let own: BTreeSet<PackageName> = names.iter().filter(has).cloned().collect();
        if own.is_empty() { Self::Needed } else { Self::Update(own) }
    }
}

/// Moves pins that no mirror holds any more, unless the lock is fixed.
pub fn move_gone(
    context: &Context,
    family: &Family,
    mode: &LockMode,
    gone: &[(PackageName, Pin)],
    locks: &mut Locks,
) -> Result<(Pinned, PinReport)> {
    let names: BTreeSet<PackageName> = gone.iter().map(|(name, _)| name.clone()).collect();
    if *mode == LockMode::Locked {
        let list: Vec<&str> = names.iter().map(PackageName::as_str).collect();
        let mut problem =
            Problem::new(codes::PIN_GONE, format!("{} is gone from every mirror", gone[0].1.name));
        for (_, pin) in &gone[1..] {
            problem = problem.fact("gone too", &pin.name);
        }
        let help =
            format!("move the pin: `hardpan lock {} --update {}`", family.path().display(), list.join(" "));
        return Err(problem.help(help).into());
    }
    let list: Vec<&str> = gone.iter().map(|(_, pin)| pin.name.as_str()).collect();
    context.progress.say("Moving", &format!("pins that are gone from every mirror: {}", list.join(", ")));
    let (pinned, report) = pin(context, family, &LockMode::Update(names), locks)?;
    let still = gone.iter().find(|(name, pin)| {
        let packages = pinned.lock.packages.values();
        packages
            .into_iter()
            .any(|packages| packages.get(name).is_some_and(|package| package.sha256 == pin.sha256))
    });
    match still {
        None => Ok((pinned, report)),
        Some((_, pin)) => {
            let what = format!("{} is on no mirror, though the archive's index has it", pin.name);
            let help = "the mirror is being updated: try again in a few minutes, or name another one";
            Err(Problem::new(codes::NOT_FETCHED, what).help(help).into())
        }
    }
}

/// All variants of a recipe on all its platforms: what one lock is for.
fn all_chains(family: &Family) -> Result<Vec<Chain>> {
    let variants = std::iter::once(None).chain(family.variants().into_iter().map(Some));
    let mut chains = Vec::new();
    for variant in variants {
        for platform in family.platforms() {
            chains.push(family.chain(variant.as_deref(), platform)?);
        }
    }
    Ok(chains)
}

fn bring(
    context: &Context,
    family: &Family,
    mode: &LockMode,
    parents: &[Lock],
    locks: &mut Locks,
    report: &mut PinReport,
) -> Result<(Lock, Vec<Archive>)> {
    let chains = all_chains(family)?;
    let archives = lock::archives(&chains[0])?;
    let path = family.lock_path();
    let old = locks.read(&path)?;
    let files = local_digests(&chains)?;
    let stale = match &old {
        None => Some("there is none yet".to_owned()),
        Some(lock) => lock::stale(lock, &chains, &archives, &files, parents),
    };
    let moves = match (mode, stale) {
        (LockMode::Locked | LockMode::Needed, None) => {
            return Ok((old.expect("not stale"), archives));
        }
        (LockMode::Locked, Some(why)) => return Err(refused(family, &why).into()),
        (LockMode::Needed, Some(_)) => Moves::Needed,
        (LockMode::Update(names), _) => Moves::Packages(names.clone()),
        (LockMode::UpdateAll, _) => Moves::All,
    };
    let transfers = Transfers {
        mirrors: &context.mirrors,
        archives: &archives,
        client: &context.client,
        store: &context.store,
        progress: &context.progress,
        offline: context.offline,
    };
    context.progress.say("Locking", &path.display().to_string());
    let request = Request {
        chains: &chains,
        archives: &archives,
        files,
        parents,
        moves,
        now: context.now,
        shelf: &context.shelf,
    };
    let lock = lock::update(&ArchiveUpstream { transfers }, old.as_ref(), &request)?;
    locks.changed.insert(path.clone(), lock.clone());
    let changes = lock::changes(&old.clone().unwrap_or_default(), &lock);
    if changes.is_empty() && old.as_ref() != Some(&lock) {
        report.refreshed.push(path.clone());
    }
    if !changes.is_empty() {
        report.changes.push((path, changes));
    }
    Ok((lock, archives))
}

fn refused(family: &Family, why: &str) -> Problem {
    let what =
        format!("the lock `{}` does not satisfy `{}`", family.lock_path().display(), family.path().display());
    Problem::new(codes::STALE_LOCK, what)
        .found(why)
        .expected("a lock that satisfies the recipe, because of `--locked`")
        .help(format!("bring it up to date: `hardpan lock {}`", family.path().display()))
}

/// Digest and length of every file that recipes take from their own folders.
fn local_digests(chains: &[Chain]) -> Result<BTreeMap<(String, String), (Sha256, u64)>> {
    let mut digests = BTreeMap::new();
    for recipe in chains.iter().flat_map(|chain| &chain.recipes) {
        for (from, _) in recipe.local_files() {
            let key = (recipe.name.to_string(), from.to_owned());
            if digests.contains_key(&key) {
                continue;
            }
            let path = recipe.folder.join(from);
            let mut reader = HashReader::new(host::open(&path)?);
            io::copy(&mut reader, &mut io::sink())
                .map_err(|error| host::file_problem("reading", &path, &error))?;
            digests.insert(key, reader.finish());
        }
    }
    Ok(digests)
}
