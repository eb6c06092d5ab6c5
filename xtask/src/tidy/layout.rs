//! Names: what may stand at the top, what a module may not be called, and how a file begins.

use std::collections::BTreeSet;
use std::path::Path;

use super::finding::Finding;
use super::tree::Tree;

/// All that may stand at the top level.
const TOP: [&str; 17] = [
    ".cargo",
    ".ci",
    ".clippy.toml",
    ".deny.toml",
    ".gitattributes",
    ".gitignore",
    ".rustfmt.toml",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "docs",
    "keys",
    "recipes",
    "src",
];

/// The folders of checks, which stand at the top too.
const TOP_CHECKS: [&str; 2] = ["tests", "xtask"];

/// Drawers for whatever has no place: what lies in them can't be found by its meaning.
const BANNED: [&str; 6] = ["common", "helper", "helpers", "misc", "util", "utils"];

/// Checks names and heads.
pub fn check(tree: &Tree) -> Vec<Finding> {
    [check_top(tree), check_banned(tree), check_heads(tree)].concat()
}

fn check_top(tree: &Tree) -> Vec<Finding> {
    let mut seen = BTreeSet::new();
    let tops = tree.paths().map(|path| (path, path.split('/').next().unwrap_or(path)));
    let strange =
        tops.filter(|(_, top)| !TOP.contains(top) && !TOP_CHECKS.contains(top) && seen.insert(*top));
    let found = strange.map(|(path, top)| {
        let remedy = "move it below one of the folders, or add its name in xtask/src/tidy/layout.rs";
        Finding::new(path, 1, format!("`{top}` is not a name for the top level"), remedy)
    });
    found.collect()
}

fn check_banned(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, _) in tree.rust() {
        let stems = path.split('/').map(|part| part.trim_end_matches(".rs"));
        if let Some(name) = stems.into_iter().find(|stem| BANNED.contains(stem)) {
            let what = format!("`{name}` is banned as a name of modules");
            findings.push(Finding::new(path, 1, what, "name it after what it holds"));
        }
    }
    findings
}

fn check_heads(tree: &Tree) -> Vec<Finding> {
    let ours = tree
        .rust()
        .filter(|(path, _)| ["src", "xtask/src"].iter().any(|top| Path::new(path).starts_with(top)));
    let headless = ours.filter(|(_, text)| !text.starts_with("//!"));
    let found = headless.map(|(path, _)| {
        let remedy = "say in a few lines what the file is for, and what it does not know";
        Finding::new(path, 1, "the file does not begin with a `//!` that says what it is for", remedy)
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::super::finding::places;
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        places(&check(&Tree::of(&[(path, text)])))
    }

    #[test]
    fn only_agreed_names_stand_at_the_top() {
        for path in ["README.md", ".ci/run", "tests/a/b.rs", "xtask/Cargo.toml", "recipes/base.toml"] {
            assert!(found(path, "").is_empty(), "{path}");
        }
        assert_eq!(found("notes/today.md", ""), ["notes/today.md:1"]);
        assert_eq!(found("Makefile", ""), ["Makefile:1"]);
        let twice = Tree::of(&[("notes/a", ""), ("notes/b", "")]);
        assert_eq!(places(&check(&twice)), ["notes/a:1"]);
    }

    #[test]
    fn drawers_are_banned_as_files_and_as_folders() {
        for path in ["src/lock/utils.rs", "src/helpers/mod.rs", "tests/common/mod.rs", "xtask/src/misc.rs"] {
            assert_eq!(found(path, "//! A drawer."), [format!("{path}:1")]);
        }
        assert!(found("src/lock/utility_bill.rs", "//! Not a drawer.").is_empty());
    }

    #[test]
    fn a_source_file_begins_by_saying_what_it_is_for() {
        assert!(found("src/a.rs", "//! What it is for.\n").is_empty());
        assert_eq!(found("src/a.rs", "use std::fmt;\n//! Late.\n"), ["src/a.rs:1"]);
        assert!(found("tests/a.rs", "use std::fmt;\n").is_empty());
    }
}
