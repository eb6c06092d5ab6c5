//! What was decided for a draft, and the files that follow from it.
//!
//! A plan is changed while its draft is tried: files go that can't be had, files come that the program
//! asked for. What is taken is worked out anew from the plan each time, for each platform by itself.

use std::collections::{BTreeMap, BTreeSet};

use super::language::{Language, Script, script};
use super::program::Program;
use super::runtime;
use super::subject::Subject;
use super::world::{World, interpreter_of, is_program};
use crate::ident::{ImagePath, PackageName};
use crate::layer::PackageParcel;
use crate::source::{Entry, Kind};

/// What was decided, with the reasons.
#[derive(Debug, Clone, Default)]
pub(super) struct Plan {
    /// Languages whose modules are taken.
    pub(super) languages: Vec<&'static Language>,
    /// Why there is a shell.
    pub(super) shell: Option<String>,
    /// Packages of which everything is taken that is for run time, and why.
    pub(super) data: BTreeMap<PackageName, String>,
    /// Single files that come from wherever they are, and why.
    pub(super) more: BTreeMap<ImagePath, String>,
    /// Files that are left out, of one package or of all, and why.
    pub(super) without: BTreeMap<(ImagePath, Option<PackageName>), String>,
    /// Needs that stay unmet.
    pub(super) skip: BTreeMap<String, String>,
    /// Packages beyond those that the subject depends on.
    pub(super) roots: BTreeMap<PackageName, String>,
    /// Rules of the contents policy that don't hold, and why.
    pub(super) allow: BTreeMap<String, Exception>,
    /// Owners of packaged files.
    pub(super) owners: BTreeMap<ImagePath, String>,
    /// Permission bits of packaged files.
    pub(super) modes: BTreeMap<ImagePath, String>,
    /// Packaged folders that belong to an account of the package: the program's user gets them.
    pub(super) folders: BTreeSet<ImagePath>,
    /// Links that a maintainer script would have made.
    pub(super) links: BTreeMap<ImagePath, String>,
    /// Variables that the program needs.
    pub(super) env: BTreeMap<String, String>,
}

/// An exception to a rule of the contents policy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Exception {
    /// Why.
    pub(super) reason: String,
    /// For these paths only; for all if empty.
    pub(super) paths: BTreeSet<ImagePath>,
}

/// What is taken of a package.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Part {
    /// The files.
    pub(super) wanted: BTreeSet<ImagePath>,
    /// Why the package is there.
    pub(super) why: String,
}

/// What is taken, by package.
pub(super) type Selection = BTreeMap<PackageName, Part>;

impl Plan {
    /// Adds a language, with the variables that it wants.
    pub(super) fn speak(&mut self, language: &'static Language) -> bool {
        if self.languages.contains(&language) {
            return false;
        }
        self.languages.push(language);
        self.env.extend(language.env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        true
    }

    fn is_out(&self, path: &ImagePath, package: &PackageName) -> bool {
        self.without.contains_key(&(path.clone(), None))
            || self.without.contains_key(&(path.clone(), Some(package.clone())))
    }
}

/// What is taken on one platform.
pub(super) fn select(world: &World, subject: &Subject, program: &Program, plan: &Plan) -> Selection {
    let mut selection = Selection::new();
    let steps = world.follow(program.path.as_str()).unwrap_or_default();
    let holder = steps.last().and_then(|last| world.find(last)).map(|(package, _)| package.name.clone());
    for (at, name) in subject.family.iter().enumerate() {
        let Some(package) = world.package(name.as_str()) else { continue };
        let is_main = at == 0 || Some(name) == holder.as_ref();
        let why = if is_main { "the program" } else { "of the same source" };
        let fits = |entry: &&Entry| {
            let path = &entry.path;
            runtime::is_wanted(path)
                && (is_main || !is_program(path) && !runtime::is_library(path))
                && !is_foreign(world, package, entry, plan)
        };
        take(&mut selection, plan, package, fits, why);
    }
    select_modules(world, subject, plan, &mut selection);
    for (name, why) in &plan.data {
        if let Some(package) = world.package(name.as_str()) {
            let fits =
                |entry: &&Entry| runtime::is_wanted(&entry.path) && !is_foreign(world, package, entry, plan);
            take(&mut selection, plan, package, fits, why);
        }
    }
    for path in &steps {
        select_one(world, path, "the program", &mut selection);
    }
    for (path, why) in &plan.more {
        for step in world.follow(path.as_str()).unwrap_or_default() {
            select_one(world, &step, why, &mut selection);
        }
    }
    selection.retain(|_, part| !part.wanted.is_empty());
    selection
}

/// The modules of the plan's languages, of all packages that the subject needs.
fn select_modules(world: &World, subject: &Subject, plan: &Plan, selection: &mut Selection) {
    if plan.languages.is_empty() {
        return;
    }
    let roots: Vec<PackageName> =
        std::iter::once(subject.main.clone()).chain(plan.roots.keys().cloned()).collect();
    for name in world.reach(&roots) {
        let Some(package) = world.package(name.as_str()) else { continue };
        for language in &plan.languages {
            let why = format!("modules in {}", language.name);
            take(selection, plan, package, |entry| language.has(&entry.path), &why);
        }
    }
}

fn take(
    selection: &mut Selection,
    plan: &Plan,
    package: &PackageParcel,
    fits: impl Fn(&&Entry) -> bool,
    why: &str,
) {
    let entries = package.parcel.index.entries.iter().filter(|entry| entry.kind != Kind::Directory);
    let wanted: BTreeSet<ImagePath> = entries
        .filter(fits)
        .map(|entry| entry.path.clone())
        .filter(|path| !plan.is_out(path, &package.name))
        .collect();
    if !wanted.is_empty() {
        let part = selection.entry(package.name.clone()).or_default();
        part.wanted.extend(wanted);
        if part.why.is_empty() {
            why.clone_into(&mut part.why);
        }
    }
}

fn select_one(world: &World, path: &ImagePath, why: &str, selection: &mut Selection) {
    let Some((package, _)) = world.find(path) else { return };
    let part = selection.entry(package.name.clone()).or_default();
    part.wanted.insert(path.clone());
    if part.why.is_empty() {
        why.clone_into(&mut part.why);
    }
}

/// Whether an entry is a script that nothing in the image can run, or a link to one: in a shell's
/// language, unless the program starts it, or in a language that the program is not written in.
fn is_foreign(world: &World, package: &PackageParcel, entry: &Entry, plan: &Plan) -> bool {
    let (package, entry) = match &entry.kind {
        Kind::Symlink(_) => {
            let steps = world.follow(entry.path.as_str());
            match steps.and_then(|steps| world.find(steps.last()?)) {
                Some(found) if !plan.more.contains_key(&found.1.path) => found,
                // What leads to nothing that a package has may lead to a volume.
                _ => return false,
            }
        }
        _ => (package, entry),
    };
    let content = match &entry.kind {
        Kind::File(content) => content,
        Kind::HardLink(first) => match package.entry(first).map(|entry| &entry.kind) {
            Some(Kind::File(content)) => content,
            _ => return false,
        },
        _ => return false,
    };
    if entry.mode & 0o111 == 0 {
        return false;
    }
    let Some(interpreter) = interpreter_of(content) else { return false };
    match script(&interpreter) {
        Script::Language(language) => !plan.languages.contains(&language),
        Script::Shell | Script::Other => true,
    }
}

/// The scripts among the programs of the subject that are left out because nothing can run them.
pub(super) fn foreign_programs(world: &World, subject: &Subject, plan: &Plan) -> Vec<ImagePath> {
    let package = world.package(subject.main.as_str());
    let entries = package.into_iter().flat_map(|package| {
        let entries = package.parcel.index.entries.iter();
        entries.filter(|entry| is_program(&entry.path) && is_foreign(world, package, entry, plan))
    });
    entries.map(|entry| entry.path.clone()).filter(|path| !plan.more.contains_key(path)).collect()
}
