//! What a draft that did not build says is wrong, and what is changed because of it.

use std::collections::BTreeSet;

use super::plan::{Exception, Plan, Selection};
use super::words;
use crate::diag::{Problem, codes};
use crate::ident::{ImagePath, PackageName};

/// What a repair has to know of the draft.
pub(super) struct Patient<'a> {
    /// What is taken, on all platforms together.
    pub(super) selection: &'a Selection,
    /// The main program, and the files that its links lead to.
    pub(super) program: &'a [ImagePath],
    /// The package with the programs.
    pub(super) main: &'a PackageName,
    /// Whether a file is a program or library rather than data.
    pub(super) is_elf: &'a dyn Fn(&ImagePath) -> bool,
}

/// Changes the plan so that the problem goes; whether anything was changed.
pub(super) fn repair(plan: &mut Plan, patient: &Patient, problem: &Problem) -> bool {
    match problem.code {
        codes::MISSING_LIBRARY | codes::SYMBOL_VERSION => missing(plan, patient, problem),
        codes::CONFLICT => conflict(plan, patient, problem),
        codes::CONTENTS => contents(plan, patient, problem),
        _ => false,
    }
}

impl Patient<'_> {
    fn is_program(&self, path: &ImagePath) -> bool {
        self.program.contains(path)
    }

    fn takes(&self, path: &ImagePath) -> bool {
        self.selection.values().any(|part| part.wanted.contains(path))
    }
}

/// A file that needs what no package has: left out, if it is not the program; if it is no file that was
/// chosen, its need stays unmet.
fn missing(plan: &mut Plan, patient: &Patient, problem: &Problem) -> bool {
    let words = words::quoted(&problem.message);
    let (Some(by), Some(need)) = (words.first(), words.get(1)) else { return false };
    let Ok(path) = by.parse::<ImagePath>() else { return false };
    let why = format!("it needs {need}, which none of the packages has that are depended on");
    if patient.takes(&path) && !patient.is_program(&path) {
        return plan.without.insert((path, None), why).is_none();
    }
    let why = format!("{by} wants it, and none of the packages has it that are depended on");
    plan.skip.insert((*need).to_owned(), why).is_none()
}

/// A path of two packages: kept of the package with the programs, else of the first.
fn conflict(plan: &mut Plan, patient: &Patient, problem: &Problem) -> bool {
    let words = words::quoted(&problem.message);
    let Some(Ok(path)) = words.first().map(|path| path.parse::<ImagePath>()) else { return false };
    let owners: Vec<PackageName> = words[1..].iter().filter_map(|name| name.parse().ok()).collect();
    let taken =
        |name: &PackageName| patient.selection.get(name).is_some_and(|part| part.wanted.contains(&path));
    let Some(loser) = owners.iter().rev().find(|name| taken(name) && *name != patient.main).or(owners.last())
    else {
        return false;
    };
    let why = "another package has it, too".to_owned();
    plan.without.insert((path.clone(), Some(loser.clone())), why).is_none()
}

/// What the contents policy refuses: left out where the program does without, else allowed with the
/// reason that is known.
fn contents(plan: &mut Plan, patient: &Patient, problem: &Problem) -> bool {
    let facts = || problem.facts.iter();
    let rule =
        facts().find(|(name, _)| *name == "rule").map(|(_, rule)| rule.split(':').next().unwrap_or(rule));
    let Some(rule) = rule.map(ToOwned::to_owned) else { return false };
    let found = facts().filter(|(name, _)| *name == "found").map(|(_, text)| text.as_str());
    let texts: Vec<&str> = std::iter::once(problem.message.as_str()).chain(found).collect();
    let mut paths: Vec<ImagePath> =
        texts.iter().filter_map(|text| words::paths(text).first()?.parse().ok()).collect();
    paths.dedup();
    let mut changed = false;
    for path in &paths {
        changed |= match rule.as_str() {
            // Owners and modes are said of files; folders are made anew.
            "world-writable" | "unowned" if !patient.takes(path) => plan.folders.insert(path.clone()),
            "world-writable" => plan.modes.insert(path.clone(), "0755".to_owned()).is_none(),
            "unowned" => plan.owners.insert(path.clone(), "root:root".to_owned()).is_none(),
            "shell" | "package-manager" if patient.takes(path) && !is_kept(plan, patient, path) => {
                let why = format!("the contents policy's rule `{rule}` refuses it");
                plan.without.insert((path.clone(), None), why).is_none()
            }
            "secrets" if can_go(plan, patient, path) => {
                let why = format!("the contents policy's rule `{rule}` refuses it");
                plan.without.insert((path.clone(), None), why).is_none()
            }
            _ => false,
        };
    }
    if changed {
        return true;
    }
    let reason = match (rule.as_str(), &plan.shell) {
        ("shell", Some(why)) => why.clone(),
        ("shell" | "package-manager", _) => format!("it is what `{}` is for", patient.main),
        ("secrets", _) => "programs and libraries that read keys know how these begin".to_owned(),
        _ => format!("`{}` comes with it: look whether it has to", patient.main),
    };
    let known = plan.allow.entry(rule).or_insert(Exception { reason, paths: BTreeSet::new() });
    let before = known.paths.len();
    known.paths.extend(paths.iter().cloned());
    known.paths.len() > before
}

/// Whether a file is the program, or something that it starts.
fn is_kept(plan: &Plan, patient: &Patient, path: &ImagePath) -> bool {
    patient.is_program(path) || plan.more.contains_key(path)
}

/// Whether a file of data was chosen and is neither the program nor something that it starts.
fn can_go(plan: &Plan, patient: &Patient, path: &ImagePath) -> bool {
    patient.takes(path) && !is_kept(plan, patient, path) && !(patient.is_elf)(path)
}
