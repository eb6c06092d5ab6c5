//! Which program an image is for.
//!
//! The program that the package's service starts; else one that is called as the package is; else
//! the others of the package, the likeliest first. Several are given: which of them works is tried.

use super::subject::{Subject, likeness};
use super::unit::Unit;
use super::world::{PROGRAM_FOLDERS, World, is_program};
use crate::ident::{ImagePath, PackageName};
use crate::source::Kind;

/// The largest unit that is read, in bytes.
const MAX_UNIT: u64 = 1 << 16;

/// Programs that are tried before giving up.
const MAX_PROGRAMS: usize = 6;

/// Endings of packages' names that programs don't have.
const ENDINGS: [&str; 16] = [
    "-server",
    "-daemon",
    "-core",
    "-bin",
    "-tools",
    "-utils",
    "-client",
    "-cli",
    "-nox",
    "-light",
    "-tiny",
    "-full",
    "-base",
    "-standalone",
    "-common",
    "-perl",
];

/// A program that the image may be for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Program {
    /// Where it is, as people call it.
    pub(super) path: ImagePath,
    /// What its service gives it.
    pub(super) arguments: Vec<String>,
    /// Why it was chosen.
    pub(super) why: String,
    /// The service's unit.
    pub(super) unit: Option<Unit>,
    /// Whether a name says that it is the one: the unit's, or the package's.
    pub(super) sure: bool,
}

impl Program {
    /// The unit, if it is this program that it starts.
    pub(super) fn own_unit(&self) -> Option<&Unit> {
        let starts = |unit: &&Unit| {
            unit.exec.first().is_some_and(|path| crate::recipe::merged(path) == self.path.as_str())
        };
        self.unit.as_ref().filter(starts)
    }
}

/// The programs that an image of the subject may be for, the likeliest first.
pub(super) fn candidates(world: &World, subject: &Subject) -> Vec<Program> {
    let mut found: Vec<Program> = Vec::new();
    let mut add = |program: Program| {
        if found.iter().all(|known| known.path != program.path) {
            found.push(program);
        }
    };
    let unit = unit(world, subject);
    let named = named(world, subject);
    // A service that is started by a script is run by the program itself, where it has the same name.
    let started = unit.and_then(|(name, unit)| of_unit(world, subject, &name, &unit));
    match (started, named.first()) {
        (Some(started), Some(named)) if !is_elf(world, &started.path) && is_elf(world, &named.path) => {
            add(Program { unit: started.unit.clone(), ..named.clone() });
            add(started);
        }
        (Some(started), _) => add(started),
        (None, _) => {}
    }
    named.into_iter().for_each(&mut add);
    others(world, subject).into_iter().for_each(&mut add);
    found.truncate(MAX_PROGRAMS);
    found
}

/// The subject's service: the unit that is called as the package, else the first that starts something.
fn unit(world: &World, subject: &Subject) -> Option<(String, Unit)> {
    let mut units: Vec<(i32, String, Unit)> = Vec::new();
    for package in subject.family.iter().filter_map(|name| world.package(name.as_str())) {
        for entry in &package.parcel.index.entries {
            let path = entry.path.as_str();
            let Some(name) = path.strip_prefix("/usr/lib/systemd/system/") else { continue };
            let Some(stem) = name.strip_suffix(".service").filter(|stem| !stem.contains('/')) else {
                continue;
            };
            let Some(text) = world.text(&entry.path, MAX_UNIT) else { continue };
            let file = |path: &str| world.text(&path.parse().ok()?, MAX_UNIT);
            let unit = Unit::read(&text, &file);
            if unit.exec.is_empty() {
                continue;
            }
            let own = i32::from(package.name == subject.main);
            let likeness = likeness(stem, subject.main.as_str()).max(likeness(stem, subject.asked.as_str()));
            // What a timer starts, or helps, is called longer than the service itself.
            let rank =
                likeness * 8 + own * 12 - i32::from(stem.contains('@')) - i32::from(stem.contains('-'));
            units.push((rank, name.to_owned(), unit));
        }
    }
    let named_or_main = |unit: &(i32, String, Unit)| unit.0 >= 10;
    let best = units
        .into_iter()
        .filter(named_or_main)
        .max_by(|a, b| a.0.cmp(&b.0).then_with(|| b.1.len().cmp(&a.1.len())).then_with(|| b.1.cmp(&a.1)))?;
    Some((best.1, best.2))
}

fn of_unit(world: &World, subject: &Subject, name: &str, unit: &Unit) -> Option<Program> {
    let (path, arguments) = unit.exec.split_first()?;
    let path: ImagePath = crate::recipe::merged(path).parse().ok()?;
    let path = if world.follow(path.as_str()).is_some() { path } else { stand_in(world, subject, &path)? };
    // What only looks whether something is there, or sends a signal, is not the service.
    let helper = matches!(path.file_name(), "true" | "test" | "kill" | "sh" | "bash" | "systemctl" | "env");
    (!helper).then(|| Program {
        path,
        arguments: arguments.to_vec(),
        why: format!("the unit {name} starts it"),
        unit: Some(unit.clone()),
        sure: true,
    })
}

/// What a path that no package has would lead to: a program of that name elsewhere, or one of the subject's
/// that alternatives would give the name: `squid-gnutls` is called `squid`.
fn stand_in(world: &World, subject: &Subject, path: &ImagePath) -> Option<ImagePath> {
    let name = path.file_name();
    let named = world.programs(name).into_iter().chain(world.alternatives(name)).next();
    let begin = format!("{name}-");
    let own = subject.family.iter().filter_map(|family| world.package(family.as_str()));
    let own = own.flat_map(|package| &package.parcel.index.entries).map(|entry| &entry.path);
    named
        .or_else(|| own.into_iter().find(|path| is_program(path) && path.file_name().starts_with(&begin)))
        .cloned()
}

/// Programs of the subject's packages that are called as it is.
fn named(world: &World, subject: &Subject) -> Vec<Program> {
    let mut found = Vec::new();
    for name in names(world, subject) {
        for folder in PROGRAM_FOLDERS {
            let Ok(path) = format!("{folder}/{name}").parse::<ImagePath>() else { continue };
            let owner = world.find(&path).map(|(package, _)| package.name.clone());
            if owner.is_some_and(|owner| subject.family.contains(&owner)) && leads(world, &path) {
                found.push(plain(path, format!("it is called as the package is: `{name}`"), true));
            }
        }
        for path in world.alternatives(&name) {
            let owner = world.find(path).map(|(package, _)| package.name.clone());
            if owner.is_some_and(|owner| subject.family.contains(&owner)) && is_program(path) {
                found.push(plain(path.clone(), format!("one of those that may be called `{name}`"), true));
            }
        }
    }
    found
}

fn plain(path: ImagePath, why: String, sure: bool) -> Program {
    Program { path, arguments: Vec::new(), why, unit: None, sure }
}

/// Whether a path ends at a file, links followed.
fn leads(world: &World, path: &ImagePath) -> bool {
    world.follow(path.as_str()).is_some()
}

fn is_elf(world: &World, path: &ImagePath) -> bool {
    world
        .follow(path.as_str())
        .and_then(|steps| steps.last().cloned())
        .is_some_and(|last| world.is_elf(&last))
}

/// What a program of the subject may be called, the likeliest first.
fn names(world: &World, subject: &Subject) -> Vec<String> {
    let source = subject.source(world);
    let mut names: Vec<String> = Vec::new();
    for name in [subject.asked.as_str(), subject.main.as_str(), source] {
        let bare = name
            .trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '.')
            .trim_end_matches('-');
        let mut forms = vec![name.to_owned(), bare.to_owned()];
        for ending in ENDINGS {
            forms.extend([name, bare].iter().filter_map(|name| Some(name.strip_suffix(ending)?.to_owned())));
        }
        let libs = forms.iter().filter_map(|form| form.strip_prefix("lib").map(ToOwned::to_owned));
        let prefixed = ["python3-", "node-", "ruby-", "golang-", "php-"];
        let modules = forms.iter().filter_map(|form| {
            prefixed.iter().find_map(|prefix| form.strip_prefix(prefix)).map(ToOwned::to_owned)
        });
        let more: Vec<String> = libs.chain(modules).collect();
        forms.extend(more);
        let daemons: Vec<String> = forms.iter().map(|form| format!("{form}d")).collect();
        forms.extend(daemons);
        names.extend(forms.into_iter().filter(|form| form.len() > 1));
    }
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

/// All programs of the main package, the likeliest first: those whose name is like the package's, then
/// those that others are links to, then the large ones.
fn others(world: &World, subject: &Subject) -> Vec<Program> {
    let holders: Vec<&PackageName> = subject.family.iter().collect();
    let mut ranked = Vec::new();
    for (nearness, holder) in holders.iter().enumerate() {
        let Some(package) = world.package(holder.as_str()) else { continue };
        let entries = &package.parcel.index.entries;
        let runs = |path: &ImagePath| {
            is_program(path) || path.parent().is_some_and(|folder| folder.file_name() == "bin")
        };
        let programs = entries.iter().filter(|entry| {
            runs(&entry.path) && matches!(entry.kind, Kind::File(_)) && entry.mode & 0o111 != 0
        });
        for entry in programs {
            let name = entry.path.file_name();
            let like = likeness(name, subject.asked.as_str()).max(likeness(name, subject.main.as_str()));
            let links = entries
                .iter()
                .filter(|other| matches!(&other.kind, Kind::Symlink(target) if target.rsplit('/').next() == Some(name)))
                .count();
            let size = world.content(&entry.path).map_or(0, |(_, content)| content.size);
            let elf = world.is_elf(&entry.path);
            let rank = (nearness, std::cmp::Reverse((like, elf, links, size)), entry.path.clone());
            ranked.push((rank, entry.path.clone()));
        }
    }
    ranked.sort();
    let only = ranked.len() == 1;
    let why = |path: &ImagePath| {
        if only {
            "it is the package's only program".to_owned()
        } else {
            format!("of the package's programs `{}` seems to be the main one", path.file_name())
        }
    };
    ranked.into_iter().map(|(_, path)| plain(path.clone(), why(&path), only)).collect()
}
