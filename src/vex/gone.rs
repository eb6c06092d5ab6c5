//! Decisions on what is not there any more: packages that no lock has, CVEs that nobody speaks of.

use std::collections::{BTreeMap, BTreeSet};

use super::dates::day;
use super::decision::{Decision, Images};
use super::shelf::Decisions;
use crate::advisory::{Ecosystem, Said, Snapshot, Standing};
use crate::diag::{Problem, Result, codes, nearest};
use crate::ident::DebVersion;

/// What an image is locked to.
#[derive(Debug, Clone)]
pub struct LockedImage {
    /// The recipe's name.
    pub image: String,
    /// Its packages, on all platforms.
    pub packages: Vec<Locked>,
    /// Whether it holds what comes from no package, whose parts no lock names.
    pub holds_more: bool,
}

/// A package that is pinned.
#[derive(Debug, Clone)]
pub struct Locked {
    /// Its own name.
    pub binary: String,
    /// Its source package.
    pub source: String,
    /// The version of that.
    pub source_version: DebVersion,
    /// The release of Debian that it is of; `None` for a package of others, whom no advisory knows.
    pub ecosystem: Option<Ecosystem>,
}

impl Decisions {
    /// What is gone of what people's own decisions speak of, each with the place of its decision in [`Self::own`]:
    /// packages that none of their images has, and CVEs that the snapshot does not know any more, or not of these
    /// packages in these versions. `images` are those that have a lock; of others nothing is said. A snapshot
    /// that knows nothing of what is open is not asked. Warnings.
    pub fn gone(&self, images: &[LockedImage], snapshot: Option<&Snapshot>) -> Result<Vec<(usize, Problem)>> {
        let snapshot = snapshot.filter(|snapshot| snapshot.head().tells_what_is_open());
        let mut found = Vec::new();
        for (at, decision) in self.own.iter().enumerate() {
            found.extend(gone_packages(decision, images).into_iter().map(|problem| (at, problem)));
            let Some(snapshot) = snapshot else { continue };
            if let Some(why) = gone_cve(decision, images, snapshot)? {
                let problem =
                    warn(decision, format!("the decision on {} is about nothing: {why}", decision.about()));
                let whose = format!("sha256:{}, of {}", snapshot.digest(), snapshot.head().date);
                found.push((at, problem.fact("advisories", whose)));
            }
        }
        Ok(found)
    }
}

fn warn(decision: &Decision, message: String) -> Problem {
    let label = format!("by {}, {}", decision.author, day(decision.date));
    decision.place.problem(codes::VEX_GONE, message, label).help("delete it, or correct it").warn()
}

fn own<'a>(decision: &Decision, images: &'a [LockedImage]) -> Vec<&'a LockedImage> {
    images.iter().filter(|image| decision.images.has(&image.image)).collect()
}

fn gone_packages(decision: &Decision, images: &[LockedImage]) -> Vec<Problem> {
    let images = own(decision, images);
    let locked = || images.iter().flat_map(|image| &image.packages);
    let names: BTreeSet<&str> = locked().flat_map(|one| [one.binary.as_str(), one.source.as_str()]).collect();
    // An image whose lock is missing may have anything, and so may one that holds more than packages.
    let unknown = images.iter().any(|image| image.holds_more)
        || match &decision.images {
            Images::All => images.is_empty(),
            Images::Named(all) => all.len() != images.len(),
        };
    if unknown {
        return Vec::new();
    }
    let gone = decision.packages.iter().filter(|name| !names.contains(name.as_str()));
    gone.map(|name| {
        let whose = match &decision.images {
            Images::All => "no image has".to_owned(),
            Images::Named(all) if all.len() == 1 => format!("the image {} has no", decision.images),
            Images::Named(_) => format!("none of the images {} has", decision.images),
        };
        let problem =
            warn(decision, format!("{whose} package `{name}`, which a decision on {} names", decision.id));
        match nearest(name, names.iter().copied()) {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem,
        }
    })
    .collect()
}

/// Why nothing is left to decide, if so.
fn gone_cve(decision: &Decision, images: &[LockedImage], snapshot: &Snapshot) -> Result<Option<String>> {
    let mut sources: BTreeMap<(&str, &Ecosystem), Vec<&DebVersion>> = BTreeMap::new();
    for one in own(decision, images).into_iter().flat_map(|image| &image.packages) {
        if !decision.covers(&one.source, &one.binary) {
            continue;
        }
        let known = one.ecosystem.as_ref().filter(|ecosystem| snapshot.head().covers.contains(ecosystem));
        let Some(ecosystem) = known else { return Ok(None) };
        sources.entry((&one.source, ecosystem)).or_default().push(&one.source_version);
    }
    if sources.is_empty() {
        // That no image has the package is said elsewhere, and other ecosystems have no locks of ours.
        return Ok(None);
    }
    let mut named = false;
    for ((source, ecosystem), versions) in sources {
        for said in snapshot.affecting(ecosystem, source)? {
            if !is_meant(decision, &said, snapshot)? {
                continue;
            }
            named = true;
            let open = said.affected.standing() != Standing::Resolved;
            if open || versions.iter().any(|version| said.affected.touches(version)) {
                return Ok(None);
            }
        }
    }
    if named {
        return Ok(Some("the versions that are locked are not affected any more".to_owned()));
    }
    let Some((known, _)) = snapshot.look_up(&decision.id)? else {
        return Ok(Some(format!("no advisory names {}", decision.id)));
    };
    let others: BTreeSet<&str> = known.packages.iter().map(|(_, name)| name.as_str()).collect();
    let others: Vec<&str> = others.into_iter().take(5).collect();
    Ok(Some(if others.is_empty() {
        "no advisory names these packages".to_owned()
    } else {
        format!("advisories name other packages: {}", others.join(", "))
    }))
}

/// Whether a decision speaks of what an advisory says, by any of its names: as in a scan, where it silences.
fn is_meant(decision: &Decision, said: &Said, snapshot: &Snapshot) -> Result<bool> {
    let key = said.cve.map_or_else(|| said.id.clone(), |cve| cve.to_string());
    if decision.id == said.id || decision.id == key {
        return Ok(true);
    }
    // What is decided about a CVE is known by the CVE.
    if decision.id.starts_with("CVE-") {
        return Ok(false);
    }
    Ok(snapshot.about_id(&key)?.is_some_and(|known| known.aliases.contains(&decision.id)))
}
