//! Every dependency has its reason in a comment over its line.

use std::path::Path;

use super::finding::Finding;
use super::tree::Tree;

/// Checks all manifests.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let manifests =
        tree.texts().filter(|(path, _)| Path::new(path).file_name().is_some_and(|n| n == "Cargo.toml"));
    manifests.flat_map(|(path, text)| check_manifest(path, text)).collect()
}

fn check_manifest(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut inside = false;
    let mut open = 0_i32;
    let mut above = "";
    for (number, line) in text.lines().enumerate() {
        let trimmed = line.trim();
        let dependency = if open == 0 && trimmed.starts_with('[') {
            let table = trimmed.trim_matches(|char| matches!(char, '[' | ']'));
            inside = table.ends_with("dependencies");
            table.rsplit_once("dependencies.").map(|(_, name)| name)
        } else if inside && open == 0 && !trimmed.starts_with('#') {
            trimmed.split_once('=').map(|(name, _)| name.trim())
        } else {
            None
        };
        if let Some(name) = dependency.filter(|_| !above.starts_with('#')) {
            let what = format!("the dependency `{name}` has no reason");
            findings.push(Finding::new(
                path,
                number + 1,
                what,
                "say in a comment over its line why it is needed",
            ));
        }
        open += if trimmed.starts_with('#') || trimmed.starts_with('[') && open == 0 {
            0
        } else {
            balance(trimmed)
        };
        above = trimmed;
    }
    findings
}

/// How many brackets a line leaves open.
fn balance(line: &str) -> i32 {
    let count = |char: char| i32::from(char == '[') - i32::from(char == ']');
    line.chars().map(count).sum()
}

#[cfg(test)]
mod tests {
    use super::super::finding::places;
    use super::*;

    fn found(text: &str) -> Vec<String> {
        places(&check(&Tree::of(&[("xtask/Cargo.toml", text)])))
    }

    #[test]
    fn dependencies_with_reasons_are_fine_and_other_tables_need_none() {
        let text = "[package]\nname = \"x\"\n[dependencies]\n# Why.\na = \"1\"\n# Why.\nb = { version = \"1\", features = [\n  \"c=d\",\n] }\n[profile.release]\nlto = true\n# Why.\n[dependencies.e]\nversion = \"1\"\n";
        assert!(found(text).is_empty(), "{:?}", found(text));
    }

    #[test]
    fn each_dependency_needs_a_reason_of_its_own() {
        let text = "[dependencies]\n# Why.\na = \"1\"\nb = \"1\"\n\n[dev-dependencies]\nc = \"1\"\n[target.'cfg(unix)'.dependencies]\nd.workspace = true\n[build-dependencies.e]\nversion = \"1\"\n";
        let lines = [4, 7, 9, 10].map(|line| format!("xtask/Cargo.toml:{line}"));
        assert_eq!(found(text), lines);
    }
}
