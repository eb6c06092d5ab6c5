//! Whether what a vulnerability is said to be in is in an image.
//!
//! Recipes may put files where they like, so a file of the same name elsewhere counts as the component too; but for those
//! that packages only call after themselves or after a program, such as dpkg's list of a package.

use std::collections::BTreeSet;

use super::decision::{Claim, Decision, Standing};
use super::shelf::Decisions;
use super::verdict::{Question, absence};
use crate::diag::{Problem, codes};
use crate::ident::ImagePath;
use crate::recipe::Pattern;

/// Folders in which files right below are called as a package or a program is, and are never the program: lists,
/// documentation, completions, settings. What lies deeper in them counts as a file elsewhere.
const NAMESAKES: [&str; 12] = [
    "/etc/bash_completion.d",
    "/etc/default",
    "/etc/logrotate.d",
    "/etc/pam.d",
    "/usr/share/bash-completion/completions",
    "/usr/share/bug",
    "/usr/share/doc",
    "/usr/share/doc-base",
    "/usr/share/lintian/overrides",
    "/usr/share/menu",
    "/var/lib/dpkg/info",
    "/var/lib/dpkg/status.d",
];

/// What can be seen of a component.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Seen<'a> {
    /// Nothing of it is there.
    Nothing,
    /// It is there, where it was said to be.
    There,
    /// A file of its name is there, elsewhere.
    Elsewhere(&'a ImagePath),
    /// It can't be told.
    Untold,
}

/// Looks for what a claim names. A claim that is no component is never seen to be absent.
pub(super) fn seen<'a>(claim: &Claim, question: &Question<'a>) -> Seen<'a> {
    let Claim::Within { paths, binaries } = claim else { return Seen::Untold };
    // Where only the source is known, so are not the packages that are made of it.
    let told = binaries.is_empty() || !question.binaries.is_empty();
    let Some(files) = question.files.filter(|_| told && !(paths.is_empty() && binaries.is_empty())) else {
        return Seen::Untold;
    };
    let here = |name: &String| question.binaries.iter().any(|binary| binary.name == name);
    if binaries.iter().any(here) || paths.iter().any(|pattern| any(files, pattern)) {
        return Seen::There;
    }
    paths.iter().find_map(|pattern| elsewhere(files, pattern)).map_or(Seen::Nothing, Seen::Elsewhere)
}

/// Whether a pattern matches any of the paths.
fn any(files: &BTreeSet<ImagePath>, pattern: &Pattern) -> bool {
    if pattern.is_plain()
        && let Ok(path) = pattern.as_str().parse::<ImagePath>()
    {
        return files.contains(&path);
    }
    files.iter().any(|path| pattern.matches(path.as_str()))
}

/// The first file that is called as what a pattern ends with.
fn elsewhere<'a>(files: &'a BTreeSet<ImagePath>, pattern: &Pattern) -> Option<&'a ImagePath> {
    let name = pattern.as_str().rsplit('/').next().unwrap_or_default();
    // A pattern for whole folders has no name to look for.
    let by_name = format!("**/{name}").parse::<Pattern>().ok().filter(|_| !name.contains("**"))?;
    files.iter().find(|path| by_name.matches(path.as_str()) && !is_namesake(path))
}

fn is_namesake(path: &ImagePath) -> bool {
    path.as_str().rsplit_once('/').is_some_and(|(folder, _)| NAMESAKES.contains(&folder))
}

impl Decisions {
    /// Warnings: components that count for nothing in an image because a file of the same name is elsewhere in it.
    pub fn hindered<'a>(&'a self, question: Question<'a>) -> impl Iterator<Item = Problem> + use<'a> {
        let about = move |one: &&Decision| {
            !question.image.is_empty()
                && question.ids.contains(&one.id.as_str())
                && one.images.has(question.image)
                && one.standing(question.now) == Standing::Holds
                && one.packages.iter().any(|name| {
                    name == question.source || question.binaries.iter().any(|binary| binary.name == name)
                })
        };
        self.own().iter().filter(about).filter_map(move |one| match seen(&one.claim, &question) {
            Seen::Elsewhere(path) => Some(hindrance(one, path)),
            _ => None,
        })
    }
}

fn hindrance(decision: &Decision, path: &ImagePath) -> Problem {
    let message =
        format!("the component of {} may be elsewhere, and so counts for nothing", decision.about());
    let label = format!("by {}", decision.author);
    decision
        .place
        .problem(codes::NO_VEX, message, label)
        .found(path)
        .expected(absence(decision))
        .help("take that file out of the image, add its path to `paths` if the flaw is in it too, or decide for this image in its own file")
        .warn()
}
