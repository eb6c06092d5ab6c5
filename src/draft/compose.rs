//! From a plan to the recipe's sheet: what is taken on each platform becomes patterns that hold on all.

use std::collections::{BTreeMap, BTreeSet};

use super::patterns::{self, Patterns};
use super::plan::{Plan, Selection, foreign_programs, select};
use super::probe::Answer;
use super::program::Program;
use super::service::Service;
use super::serving::Serving;
use super::sheet::{Image, Package, Sheet};
use super::subject::Subject;
use super::world::World;
use super::{Foundation, Wish, examination};
use crate::ident::{ImagePath, PackageName, Platform};
use crate::recipe::Pattern;
use crate::source::Kind;

/// Reasons whose paths are shown by name; of more, the number is told.
const SHOWN: usize = 3;

/// All that a sheet is made from.
pub(super) struct Parts<'a> {
    pub(super) wish: &'a Wish,
    pub(super) foundation: &'a Foundation,
    pub(super) worlds: &'a [World],
    pub(super) subject: &'a Subject,
    pub(super) program: &'a Program,
    pub(super) plan: &'a Plan,
    pub(super) service: &'a Service,
    pub(super) answer: Option<&'a Answer>,
    pub(super) serving: Option<&'a Serving>,
    /// Why a service was not seen to serve.
    pub(super) silence: Option<&'a str>,
    /// Remarks above everything.
    pub(super) remarks: Vec<String>,
}

/// The sheet.
pub(super) fn sheet(parts: &Parts) -> Sheet {
    let Parts { wish, foundation, worlds, subject, program, plan, service, .. } = parts;
    let unit = program.unit.as_ref();
    let is_service = unit.is_some() || !service.ports.is_empty();
    let mut env = plan.env.clone();
    env.extend(program.own_unit().iter().flat_map(|unit| unit.environment.clone()));
    let image = Image {
        entrypoint: vec![program.path.to_string()],
        cmd: program.arguments.clone(),
        env,
        workdir: workdir(parts),
        ports: service.ports.clone(),
        volumes: service.volumes.iter().cloned().collect(),
        stop_signal: service
            .signal
            .clone()
            .or_else(|| unit.and_then(|unit| unit.signal.clone()))
            .filter(|name| is_signal(name)),
    };
    let packages = packages(parts);
    Sheet {
        head: head(parts),
        name: wish.name.clone(),
        summary: summary(&worlds[0], subject),
        extends: wish.extends.clone(),
        suite: wish.suite.clone().or_else(|| wish.extends.is_none().then(|| super::SUITE.to_owned())),
        platforms: worlds.iter().map(|world| world.platform).collect::<BTreeSet<_>>().into_iter().collect(),
        version_of: version_of(parts, &packages),
        packages,
        links: plan.links.clone(),
        directories: service.folders.union(&plan.folders).cloned().collect(),
        users: service.users.clone(),
        owners: plan.owners.clone(),
        modes: plan.modes.clone(),
        skip: plan.skip.clone(),
        allow: plan.allow.clone(),
        image,
        tests: examination::tests(parts),
        category: if is_service { "servers" } else { "tools" },
        keywords: keywords(parts),
        owner: foundation.owner.clone(),
        end_of_life: foundation.end_of_life.clone(),
    }
}

fn is_signal(name: &str) -> bool {
    name.strip_prefix("SIG")
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// Where the unit begins, if it is there.
fn workdir(parts: &Parts) -> Option<String> {
    let said: ImagePath = parts.program.own_unit()?.workdir.as_deref()?.parse().ok()?;
    let made = parts.service.folders.contains(&said) || parts.worlds[0].below(&said).next().is_some();
    made.then(|| said.to_string())
}

/// The package whose version is the image's: the subject's, if anything is taken of it, else the program's.
fn version_of(parts: &Parts, packages: &[(String, Vec<Package>)]) -> PackageName {
    let main = &parts.subject.main;
    let mut taken = packages.iter().flat_map(|(_, packages)| packages);
    let steps = parts.worlds[0].follow(parts.program.path.as_str()).unwrap_or_default();
    let holder = steps.last().and_then(|path| parts.worlds[0].find(path)).map(|(package, _)| &package.name);
    if taken.any(|package| package.name == *main) { main } else { holder.unwrap_or(main) }.clone()
}

/// The package's own line about itself.
fn summary(world: &World, subject: &Subject) -> String {
    let said = |name: &PackageName| world.package(name.as_str())?.field("Description").map(ToOwned::to_owned);
    said(&subject.main).or_else(|| said(&subject.asked)).unwrap_or_else(|| subject.main.to_string())
}

fn keywords(parts: &Parts) -> Vec<String> {
    let section =
        parts.worlds[0].package(parts.subject.main.as_str()).and_then(|package| package.field("Section"));
    let section = section.map(|section| section.rsplit('/').next().unwrap_or(section).to_owned());
    let mut words = vec![parts.subject.asked.to_string()];
    words.extend(section.filter(|word| !matches!(word.as_str(), "misc" | "utils" | "admin" | "oldlibs")));
    words.dedup();
    words
}

fn head(parts: &Parts) -> Vec<String> {
    let Parts { wish, worlds, subject, program, plan, .. } = parts;
    let version = worlds[0].package(subject.main.as_str()).map(|package| package.version.to_string());
    let mut head = vec![format!(
        "Drafted by `hardpan new --from-package {}` from {} {}: a beginning, to be looked at and made one's own.",
        wish.package,
        subject.main,
        version.unwrap_or_default()
    )];
    head.extend(parts.remarks.iter().cloned());
    head.push(format!("The program is {}: {}.", program.path, program.why));
    let mut reasons: BTreeMap<&str, Vec<&ImagePath>> = BTreeMap::new();
    for ((path, _), why) in &plan.without {
        reasons.entry(why).or_default().push(path);
    }
    let scripts = foreign_programs(&worlds[0], subject, plan);
    let unrun = "nothing in the image could run it";
    reasons.entry(unrun).or_default().extend(&scripts);
    reasons.retain(|_, paths| !paths.is_empty());
    for (why, paths) in reasons {
        let mut names: Vec<String> = paths.iter().take(SHOWN).map(ToString::to_string).collect();
        if paths.len() > SHOWN {
            names.push(format!("{} more", paths.len() - SHOWN));
        }
        head.push(format!("Left out: {}: {why}.", names.join(", ")));
    }
    head
}

/// What is taken of each package, in groups.
fn packages(parts: &Parts) -> Vec<(String, Vec<Package>)> {
    let selections: Vec<Selection> =
        parts.worlds.iter().map(|world| select(world, parts.subject, parts.program, parts.plan)).collect();
    let names: BTreeSet<&PackageName> = selections.iter().flat_map(Selection::keys).collect();
    let mut groups: BTreeMap<(usize, String), Vec<Package>> = BTreeMap::new();
    for name in names {
        let why = selections
            .iter()
            .find_map(|selection| Some(selection.get(name)?.why.clone()))
            .unwrap_or_default();
        if let Some(package) = merged(parts.worlds, &selections, name) {
            groups.entry(group(&why)).or_default().push(package);
        }
    }
    if parts.wish.extends.is_none() {
        groups.insert((0, "What every image needs.".to_owned()), foundation(parts.worlds));
    }
    groups.into_iter().map(|((_, said), packages)| (said, packages)).collect()
}

/// The group of a reason: its place, and what is said above it.
fn group(why: &str) -> (usize, String) {
    match why {
        "the program" => (1, "The program, and what belongs to it.".to_owned()),
        "of the same source" => (2, "Of the same source: what the program reads.".to_owned()),
        _ if why.starts_with("modules in ") => (
            4,
            format!(
                "{}{}: of all packages that the program's depends on.",
                why[..1].to_uppercase(),
                &why[1..]
            ),
        ),
        _ if why.starts_with("data") => (3, "Data of what is needed.".to_owned()),
        _ => (5, "What the program starts, loads or reads beyond that.".to_owned()),
    }
}

fn foundation(worlds: &[World]) -> Vec<Package> {
    let rows: [(&str, &[&str]); 4] = [
        ("base-files", &["/etc/debian_version", "/etc/os-release", "/usr/lib/os-release"]),
        ("ca-certificates", &["/usr/share/ca-certificates/mozilla/*.crt"]),
        ("netbase", &["/etc/protocols", "/etc/services"]),
        ("tzdata", &["/usr/share/zoneinfo/**"]),
    ];
    let platforms: Vec<Platform> = worlds.iter().map(|world| world.platform).collect();
    rows.iter()
        .map(|(name, files)| Package {
            name: name.parse().expect("a name of ours"),
            patterns: Patterns {
                files: files.iter().map(|file| (*file).to_owned()).collect(),
                except: Vec::new(),
            },
            platforms: platforms.clone(),
        })
        .collect()
}

/// The patterns of a package that hold on each platform that has it.
fn merged(worlds: &[World], selections: &[Selection], name: &PackageName) -> Option<Package> {
    let mut platforms = Vec::new();
    let mut all: Option<Patterns> = None;
    let mut entries: Vec<BTreeSet<ImagePath>> = Vec::new();
    for (world, selection) in worlds.iter().zip(selections) {
        let (Some(part), Some(package)) = (selection.get(name), world.package(name.as_str())) else {
            continue;
        };
        platforms.push(world.platform);
        let own: BTreeSet<ImagePath> = package
            .parcel
            .index
            .entries
            .iter()
            .filter(|entry| entry.kind != Kind::Directory)
            .map(|entry| entry.path.clone())
            .collect();
        let found = patterns::patterns(&own, &part.wanted);
        entries.push(own);
        match &mut all {
            None => all = Some(found),
            Some(all) => {
                all.files.extend(
                    found.files.into_iter().filter(|file| !all.files.contains(file)).collect::<Vec<_>>(),
                );
                all.except.extend(
                    found.except.into_iter().filter(|file| !all.except.contains(file)).collect::<Vec<_>>(),
                );
            }
        }
    }
    let mut patterns = all?;
    // What only one platform has would match nothing on the other.
    let everywhere = |text: &String| {
        let Ok(pattern) = text.parse::<Pattern>() else { return false };
        entries.iter().all(|paths| paths.iter().any(|path| pattern.matches(path.as_str())))
    };
    patterns.files.retain(everywhere);
    patterns.except.retain(everywhere);
    (!patterns.files.is_empty()).then(|| Package { name: name.clone(), patterns, platforms })
}
