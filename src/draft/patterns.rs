//! From the paths that are wanted of a package to the few patterns that people would write.
//!
//! ```text
//! /usr/bin/a /usr/bin/b                        ─► /usr/bin/{a,b}
//! everything below /usr/share/x                ─► /usr/share/x/**
//! all but little of what is below /usr/lib/x   ─► /usr/lib/x/**, except what is not
//! /usr/lib/x86_64-linux-gnu/x/y                ─► /usr/lib/*/x/y
//! ```

use std::collections::{BTreeMap, BTreeSet};

use crate::ident::{ImagePath, Platform};

/// Names in one pair of braces.
const MAX_NAMES: usize = 8;

/// What is not wanted of a folder, for which it is still said as a whole.
const MAX_EXCEPT: usize = 12;

/// Patterns of what is taken, and of what is left out of that.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Patterns {
    /// What is taken.
    pub(super) files: Vec<String>,
    /// What is left out.
    pub(super) except: Vec<String>,
}

/// A folder of a package.
#[derive(Default)]
struct Folder<'a> {
    folders: BTreeMap<&'a str, Folder<'a>>,
    /// Names and whether they are wanted.
    names: BTreeMap<&'a str, bool>,
    wanted: usize,
    unwanted: usize,
}

/// Patterns that match `wanted` and nothing else of `all`.
pub(super) fn patterns(all: &BTreeSet<ImagePath>, wanted: &BTreeSet<ImagePath>) -> Patterns {
    let mut root = Folder::default();
    for path in all {
        let is_wanted = wanted.contains(path);
        let mut folder = &mut root;
        let mut components = path.member().split('/').peekable();
        while let Some(name) = components.next() {
            *(if is_wanted { &mut folder.wanted } else { &mut folder.unwanted }) += 1;
            if components.peek().is_none() {
                folder.names.insert(name, is_wanted);
            } else {
                folder = folder.folders.entry(name).or_default();
            }
        }
    }
    let mut found = Patterns::default();
    describe(&root, "", 0, &mut found);
    found
}

fn describe(folder: &Folder, path: &str, depth: usize, found: &mut Patterns) {
    if folder.wanted == 0 {
        return;
    }
    // The folder of all libraries belongs to nobody.
    let own = depth >= 3 && path != "/usr/lib/*" || depth == 2 && path.starts_with("/etc/");
    let nearly = folder.unwanted <= MAX_EXCEPT && folder.wanted >= 10 + 3 * folder.unwanted;
    if own && folder.wanted > 1 && (folder.unwanted == 0 || nearly) {
        found.files.push(format!("{path}/**"));
        if folder.unwanted > 0 {
            let mut except = Patterns::default();
            describe(&inverted(folder), path, depth, &mut except);
            found.except.extend(except.files);
        }
        return;
    }
    let names: Vec<&str> =
        folder.names.iter().filter(|(_, wanted)| **wanted).map(|(name, _)| *name).collect();
    for names in names.chunks(MAX_NAMES) {
        let names: Vec<String> = names.iter().map(|name| component(name)).collect();
        found.files.push(match &names[..] {
            [one] => format!("{path}/{one}"),
            several => format!("{path}/{{{}}}", several.join(",")),
        });
    }
    for (name, below) in &folder.folders {
        describe(below, &format!("{path}/{}", component(name)), depth + 1, found);
    }
}

/// The same folder with what is wanted and what is not exchanged.
fn inverted<'a>(folder: &Folder<'a>) -> Folder<'a> {
    Folder {
        folders: folder.folders.iter().map(|(name, below)| (*name, inverted(below))).collect(),
        names: folder.names.iter().map(|(name, wanted)| (*name, !wanted)).collect(),
        wanted: folder.unwanted,
        unwanted: folder.wanted,
    }
}

/// A name in a pattern: names of architectures stand for each other.
fn component(name: &str) -> String {
    let words = Platform::ALL.iter().flat_map(|platform| {
        let triplet = platform.triplet();
        [triplet, triplet.split('-').next().unwrap_or(triplet), platform.architecture()]
    });
    let mut text = escaped(name);
    for word in words {
        text = text.replace(word, "*");
    }
    text
}

/// Letters that mean something in patterns match themselves as any letter.
fn escaped(name: &str) -> String {
    name.chars().map(|letter| if "*?[]{},\\!".contains(letter) { '?' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(paths: &[&str]) -> BTreeSet<ImagePath> {
        paths.iter().map(|path| path.parse().expect("a path")).collect()
    }

    #[test]
    fn files_of_a_folder_stand_in_braces_and_whole_folders_as_such() {
        let all = set(&[
            "/usr/bin/a",
            "/usr/bin/b",
            "/usr/bin/c",
            "/usr/share/x/1",
            "/usr/share/x/y/2",
            "/etc/x/1",
        ]);
        let wanted = set(&["/usr/bin/a", "/usr/bin/b", "/usr/share/x/1", "/usr/share/x/y/2", "/etc/x/1"]);
        let found = patterns(&all, &wanted);
        assert_eq!(found.files, ["/etc/x/1", "/usr/bin/{a,b}", "/usr/share/x/**"]);
        assert!(found.except.is_empty());
    }

    #[test]
    fn little_that_is_not_wanted_is_an_exception() {
        let names: Vec<String> = (0..20).map(|at| format!("/usr/lib/x86_64-linux-gnu/x/{at}")).collect();
        let mut all: BTreeSet<ImagePath> = names.iter().map(|name| name.parse().expect("a path")).collect();
        let wanted = all.clone();
        all.extend(set(&["/usr/lib/x86_64-linux-gnu/x/sub/no"]));
        let found = patterns(&all, &wanted);
        assert_eq!(found.files, ["/usr/lib/*/x/**"]);
        assert_eq!(found.except, ["/usr/lib/*/x/sub/no"]);
    }

    #[test]
    fn names_that_would_be_patterns_match_themselves() {
        let all = set(&["/usr/bin/[", "/usr/bin/{", "/usr/bin/x"]);
        let found = patterns(&all, &set(&["/usr/bin/["]));
        assert_eq!(found.files, ["/usr/bin/?"]);
    }
}
