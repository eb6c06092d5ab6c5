//! The plan of a run: of each recipe what moves and why, and the lock that comes of it. Nothing is written but what
//! was fetched and when versions were first seen.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::fixes::{Fix, Sources};
use super::newer::{Held, Newer, newer};
use crate::advisory::{self, Ecosystem, Seen, Snapshot};
use crate::catalog::{Catalog, Entry};
use crate::diag::{Failure, Problem, Result, codes};
use crate::fetch::Transfers;
use crate::host::{Progress, Voice};
use crate::ident::{DebVersion, PackageName};
use crate::lock::{self, Archive, Change, Lock};
use crate::pipeline::{self, Context, LockMode, Locks, Pinned};
use crate::recipe::Family;

/// How far pins move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Those that a security archive has newer, or whose newer version fixes a CVE.
    Security,
    /// All.
    All,
}

/// A source package that has a newer version.
#[derive(Debug, Clone, PartialEq)]
pub struct Move {
    /// The source package.
    pub source: PackageName,
    /// Its pinned version.
    pub from: DebVersion,
    /// The version that is offered.
    pub to: DebVersion,
    /// The binary packages of it that the recipe has pinned.
    pub binaries: BTreeSet<PackageName>,
    /// What it fixes.
    pub fixes: Vec<Fix>,
    /// Whether it is from an archive of security updates.
    pub security_archive: bool,
}

impl Move {
    /// Whether it is a matter of security.
    pub fn is_security(&self) -> bool {
        self.security_archive || !self.fixes.is_empty()
    }
}

/// What is planned for one recipe.
#[derive(Debug, Clone, Default)]
pub struct Planned {
    /// What moves.
    pub moves: Vec<Move>,
    /// What has a newer version and stays, because it is no matter of security.
    pub waiting: Vec<Move>,
    /// What the archives would take back.
    pub held: BTreeSet<Held>,
    /// All that changes in the lock.
    pub changes: Vec<Change>,
    /// The lock as it is; `None` where there is none.
    pub before: Option<Lock>,
}

/// What is planned for a catalog.
#[derive(Debug)]
pub struct Plan {
    /// One for each entry of the catalog, in its order.
    pub recipes: Vec<Result<Planned>>,
    /// All locks as they will be.
    pub locks: Locks,
    /// What should be said all the same.
    pub warnings: Vec<Problem>,
}

/// Looks at the archives and plans. A recipe that can't be planned is kept with the reason, and the others go on.
pub fn plan(
    context: &Context,
    catalog: &Catalog,
    extent: Extent,
    snapshot: Option<&Snapshot>,
) -> Result<Plan> {
    let shelf = advisory::Shelf::of(&context.store);
    let _alone = shelf.lock()?;
    context.progress.say("Looking", "at what the archives have");
    // Each lock is resolved several times here, and none is written: nobody wants to hear of that.
    let context = &Context { progress: Progress::new(Voice::Quiet), ..context.clone() };
    let mut seen = Seen::read(&shelf)?;
    let known = seen.clone();
    let mut plan = Plan { recipes: Vec::new(), locks: Locks::default(), warnings: Vec::new() };
    for entry in &catalog.entries {
        let mut planner =
            Planner { context, extent, snapshot, seen: &mut seen, warnings: &mut plan.warnings };
        // A recipe that fails leaves no trace in the locks of those that it stands on.
        let mut locks = plan.locks.clone();
        let planned = planner.one(entry, &mut locks);
        if planned.is_ok() {
            plan.locks = locks;
        }
        plan.recipes.push(planned);
    }
    if seen != known {
        seen.write(&shelf)?;
    }
    Ok(plan)
}

struct Planner<'a> {
    context: &'a Context,
    extent: Extent,
    snapshot: Option<&'a Snapshot>,
    seen: &'a mut Seen,
    warnings: &'a mut Vec<Problem>,
}

impl Planner<'_> {
    fn one(&mut self, entry: &Entry, locks: &mut Locks) -> Result<Planned> {
        let family = entry.family.as_ref().map_err(Failure::clone)?;
        let path = family.lock_path();
        let before = Lock::read(&path)?;
        let (mut moves, mut waiting, mut held) = (Vec::new(), Vec::new(), BTreeSet::new());
        if let Some(pinned) = &before {
            let (found, back) = self.offered(family, pinned)?;
            held = back;
            (moves, waiting) =
                found.into_iter().partition(|one| self.extent == Extent::All || one.is_security());
        }
        let names: BTreeSet<PackageName> = moves.iter().flat_map(|one| one.binaries.clone()).collect();
        let mode = if names.is_empty() { LockMode::Needed } else { LockMode::Update(names) };
        pipeline::pin(self.context, family, &mode, locks)?;
        let after = locks.changed(&path);
        let changes = match (&before, after) {
            (before, Some(after)) => lock::changes(&before.clone().unwrap_or_default(), after),
            (_, None) => Vec::new(),
        };
        if let (Some(before), Some(after)) = (&before, after) {
            no_step_back(&path, before, after)?;
        }
        Ok(Planned { moves, waiting, held, changes, before })
    }

    /// What the archives have newer than the lock, with what it fixes.
    fn offered(&mut self, family: &Family, pinned: &Lock) -> Result<(Vec<Move>, BTreeSet<Held>)> {
        let (offered, _) = pipeline::pin(self.context, family, &LockMode::UpdateAll, &mut Locks::default())?;
        let (found, held) = newer(pinned, &offered.lock);
        let ecosystem = ecosystem(family)?;
        if let Some(ecosystem) = &ecosystem {
            self.note(ecosystem, &found, &offered.lock);
        }
        let transfers = transfers(self.context, &offered);
        let sources = Sources {
            snapshot: self.snapshot,
            seen: self.seen,
            transfers: &transfers,
            ecosystem: ecosystem.as_ref(),
        };
        let mut moves = Vec::new();
        for one in found {
            let (fixes, warning) = sources.fixes(&one)?;
            self.warnings.extend(warning.filter(|warning| !self.warnings.contains(warning)));
            let security_archive = offered
                .archives
                .iter()
                .any(|archive| one.archives.contains(&archive.name) && is_security(archive));
            let Newer { source, from, to, binaries, .. } = one;
            moves.push(Move { source, from, to, binaries, fixes, security_archive });
        }
        Ok((moves, held))
    }

    /// Notes since when the newer versions are to be had: since the newest release file of the archive that holds them,
    /// at the latest.
    fn note(&mut self, ecosystem: &Ecosystem, found: &[Newer], offered: &Lock) {
        for one in found {
            let dates = offered.releases.iter().filter(|((archive, _), _)| one.archives.contains(archive));
            if let Some(date) = dates.map(|(_, release)| release.date).max() {
                self.seen.note(ecosystem, one.source.as_str(), &one.to, date);
            }
        }
    }
}

/// Whether all that an archive has is security updates: by its name, or by its suites' (`trixie-security`).
fn is_security(archive: &Archive) -> bool {
    let says = |text: &str| text.ends_with("-security") || text.ends_with("/updates");
    says(archive.name.as_str())
        || (!archive.suites.is_empty() && archive.suites.iter().all(|suite| says(suite)))
}

/// The release of Debian that a recipe's packages belong to.
fn ecosystem(family: &Family) -> Result<Option<Ecosystem>> {
    let Some(platform) = family.platforms().first().copied() else { return Ok(None) };
    let chain = family.chain(None, platform)?;
    Ok(chain.suite().map(|suite| Ecosystem::debian_named(&suite.value)))
}

fn transfers<'a>(context: &'a Context, pinned: &'a Pinned) -> Transfers<'a> {
    Transfers {
        mirrors: &context.mirrors,
        archives: &pinned.archives,
        client: &context.client,
        store: &context.store,
        progress: &context.progress,
        offline: context.offline,
    }
}

/// No pin ever goes back: what resolution would take an older version of is a problem, not a plan.
fn no_step_back(path: &Path, before: &Lock, after: &Lock) -> Result<()> {
    let mut back: BTreeMap<(&PackageName, &DebVersion), &DebVersion> = BTreeMap::new();
    for (platform, packages) in &before.packages {
        let Some(now) = after.packages.get(platform) else { continue };
        for (name, old) in packages {
            if let Some(new) = now.get(name).filter(|new| new.version < old.version) {
                back.insert((name, &old.version), &new.version);
            }
        }
    }
    if back.is_empty() {
        return Ok(());
    }
    let what = format!("to bring `{}` up to date, pins would have to go back", path.display());
    let mut problem = Problem::new(codes::DOWNGRADE, what);
    for ((name, old), new) in back {
        problem = problem.found(format!("{name} {old} -> {new}"));
    }
    Err(problem
        .help("look at `hardpan lock --update` by hand; `hardpan explain HP651` says how this can come about")
        .into())
}

impl Planned {
    /// Those of moves whose source does not move here.
    pub fn not_moved(&self, mut moves: Vec<Move>) -> Vec<Move> {
        moves.retain(|one| self.moves.iter().all(|known| known.source != one.source));
        moves
    }

    /// What of it is about an image of these packages: a lock also pins what only stands in dependencies, and
    /// nobody is exposed to what is in no image.
    #[must_use]
    pub fn within(&self, packages: &BTreeSet<PackageName>) -> Self {
        let of_image = |one: &&Move| one.binaries.iter().any(|name| packages.contains(name));
        let is_pin = |change: &Change| change.what.parse::<PackageName>().is_ok();
        let has = |change: &Change| packages.iter().any(|name| name.as_str() == change.what);
        Self {
            moves: self.moves.iter().filter(of_image).cloned().collect(),
            waiting: self.waiting.iter().filter(of_image).cloned().collect(),
            held: self.held.iter().filter(|held| packages.contains(&held.package)).cloned().collect(),
            changes: self.changes.iter().filter(|change| !is_pin(change) || has(change)).cloned().collect(),
            before: self.before.clone(),
        }
    }

    /// The same without the fixes of what does not touch an image.
    #[must_use]
    pub fn without(mut self, decided: impl Fn(&Move, &Fix) -> bool) -> Self {
        for one in &mut self.moves {
            let fixes = std::mem::take(&mut one.fixes);
            one.fixes = fixes.into_iter().filter(|fix| !decided(one, fix)).collect();
        }
        self
    }

    /// The CVEs that its moves fix, each once.
    pub fn fixes(&self) -> BTreeMap<&str, (&Move, &Fix)> {
        let all = self.moves.iter().flat_map(|one| one.fixes.iter().map(move |fix| (one, fix)));
        all.map(|(one, fix)| (fix.id.as_str(), (one, fix))).collect()
    }

    /// Whether anything changes in the lock.
    pub fn is_idle(&self) -> bool {
        self.changes.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debians_security_archive_is_one_and_its_main_archive_is_none() {
        let archives = lock::debian_archives("trixie");
        let named: Vec<(String, bool)> =
            archives.iter().map(|archive| (archive.name.to_string(), is_security(archive))).collect();
        assert_eq!(named, [("debian".to_owned(), false), ("debian-security".to_owned(), true)]);
    }
    #[test]
    fn an_archive_of_any_name_is_security_s_if_all_of_its_suites_are() {
        let mut archive = lock::debian_archives("trixie").remove(0);
        let mut with = |suites: &[&str]| {
            archive.suites = suites.iter().map(ToString::to_string).collect();
            is_security(&archive)
        };
        assert!(with(&["trixie-security"]) && with(&["trixie-security", "trixie/updates"]));
        assert!(!with(&["trixie", "trixie-security"]) && !with(&["trixie-security", "trixie-updates"]));
        assert!(!with(&[]), "it says nothing of what it has");
    }
}
