//! Every code of a problem has a page, every page a code, and every code of recipes a test.

use std::collections::BTreeMap;

use super::finding::Finding;
use super::scan;
use super::tree::Tree;

const CODES: &str = "src/diag/code.rs";

const PAGES: &str = "src/diag/codes.md";

/// Checks codes against pages and tests; a tree without codes has none to check.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let (Some(codes), Some(pages)) = (tree.text(CODES), tree.text(PAGES)) else { return Vec::new() };
    let mut findings = Vec::new();
    let codes = each_once(CODES, declared(codes), &mut findings);
    let pages = each_once(PAGES, sections(pages), &mut findings);
    for (code, line) in codes.iter().filter(|(code, _)| !pages.contains_key(*code)) {
        let remedy = format!("add `## HP{code} …` to {PAGES}");
        findings.push(Finding::new(CODES, *line, format!("HP{code} has no page"), remedy));
    }
    for (code, line) in pages.iter().filter(|(code, _)| !codes.contains_key(*code)) {
        let what = format!("the page of HP{code} has no code");
        findings.push(Finding::new(PAGES, *line, what, format!("remove it, or add the code to {CODES}")));
    }
    for (code, line) in codes.iter().filter(|(code, _)| code.starts_with('3') && !tested(tree, code)) {
        let remedy = "add a fixture or test that draws it and names it";
        findings.push(Finding::new(CODES, *line, format!("no file below tests/ names HP{code}"), remedy));
    }
    findings
}

/// Codes by number with their lines; a number that comes twice is a finding.
fn each_once(
    path: &str,
    found: Vec<(String, usize)>,
    findings: &mut Vec<Finding>,
) -> BTreeMap<String, usize> {
    let mut once = BTreeMap::new();
    for (code, line) in found {
        if let Some(first) = once.insert(code.clone(), line) {
            let what = format!("HP{code} stands here and in line {first}");
            findings.push(Finding::new(path, line, what, "give one of the two another number"));
        }
    }
    once
}

/// `NAME = 301;`
fn declared(text: &str) -> Vec<(String, usize)> {
    let code = scan::without_tests(&scan::code(text));
    let lines = code.lines().enumerate().filter_map(|(number, line)| {
        let (name, value) = line.trim().strip_suffix(';')?.split_once(" = ")?;
        let named = name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
        (named && is_code(value)).then(|| (value.to_owned(), number + 1))
    });
    lines.collect()
}

/// `## HP301 what it means`
fn sections(text: &str) -> Vec<(String, usize)> {
    let lines = text.lines().enumerate().filter_map(|(number, line)| {
        let (code, _) = line.strip_prefix("## HP")?.split_once(' ')?;
        is_code(code).then(|| (code.to_owned(), number + 1))
    });
    lines.collect()
}

fn is_code(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn tested(tree: &Tree, code: &str) -> bool {
    let name = format!("HP{code}");
    tree.texts().any(|(path, text)| path.starts_with("tests/") && text.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::super::finding::places;
    use super::*;

    const CODE: &str = "/// A.\nSYNTAX = 301;\nFILE = 102;\nlet x = 999;\n";

    fn found(code: &str, pages: &str, test: &str) -> Vec<String> {
        places(&check(&Tree::of(&[(CODES, code), (PAGES, pages), ("tests/errors/a.toml", test)])))
    }

    #[test]
    fn codes_with_pages_and_tests_are_fine() {
        assert!(found(CODE, "# T\n\n## HP301 a\n\n## HP102 b\n", "# HP301").is_empty());
        assert!(check(&Tree::of(&[("src/lib.rs", "")])).is_empty());
    }

    #[test]
    fn a_code_without_page_and_a_page_without_code_are_found() {
        assert_eq!(found(CODE, "## HP301 a\n## HP102b\n", "HP301"), ["src/diag/code.rs:3"]);
        assert_eq!(found(CODE, "## HP301 a\n## HP102 b\n## HP103 c\n", "HP301"), ["src/diag/codes.md:3"]);
    }

    #[test]
    fn a_recipe_code_that_no_test_names_is_found() {
        assert_eq!(found(CODE, "## HP301 a\n## HP102 b\n", ""), ["src/diag/code.rs:2"]);
    }

    #[test]
    fn a_number_given_twice_is_found() {
        let twice = format!("{CODE}OTHER = 301;\n");
        assert_eq!(found(&twice, "## HP301 a\n## HP102 b\n", "HP301"), ["src/diag/code.rs:5"]);
    }
}
