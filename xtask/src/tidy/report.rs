//! All checks, over the repository.

use std::path::Path;

use super::finding::Finding;
use super::tree::Tree;
use super::{codes, layout, manifests, rooms, sizes, words};

const CHECKS: [fn(&Tree) -> Vec<Finding>; 6] =
    [rooms::check, sizes::check, layout::check, words::check, codes::check, manifests::check];

/// Checks the repository at `root` and prints what was found.
pub fn run(root: &Path) -> Result<(), String> {
    let tree = Tree::read(root)?;
    let findings = check(&tree);
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => {
            println!("tidy: {} files, nothing to say", tree.len());
            Ok(())
        }
        1 => Err("tidy: 1 violation".to_owned()),
        count => Err(format!("tidy: {count} violations")),
    }
}

fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings: Vec<Finding> = CHECKS.iter().flat_map(|check| check(tree)).collect();
    findings.sort();
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_violation_is_reported_not_only_the_first() {
        let path = ["", "root", ".ssh"].join("/");
        let tree = Tree::of(&[("notes.txt", &path), ("src/util.rs", "fn f() {}\n")]);
        let text: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();
        let text = text.join("\n");
        for words in ["`notes.txt` is not", "path of one machine", "banned", "says what it is for"] {
            assert!(text.contains(words), "{words}: {text}");
        }
    }
}
