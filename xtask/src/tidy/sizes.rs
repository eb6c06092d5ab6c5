//! Files and functions that one can read in one go.

use super::finding::Finding;
use super::scan;
use super::tree::Tree;

/// The most lines that a Rust file may have.
const FILE: usize = 600;

/// The most lines that a function may have, from `fn` to its closing brace.
const FUNCTION: usize = 80;

/// A `main.rs` has fewer lines than this: it starts things, it does not do them.
const MAIN: usize = 15;

/// Checks the length of files and functions.
pub fn check(tree: &Tree) -> Vec<Finding> {
    tree.rust().flat_map(|(path, text)| check_file(path, text)).collect()
}

fn check_file(path: &str, text: &str) -> Vec<Finding> {
    let lines = text.lines().count();
    let mut findings = Vec::new();
    if lines > FILE {
        let what = format!("{lines} lines; a file has {FILE} at most");
        findings.push(Finding::new(path, FILE + 1, what, "split it by meaning"));
    }
    if path.ends_with("src/main.rs") && lines >= MAIN {
        let what = format!("{lines} lines; a `main.rs` has fewer than {MAIN}");
        findings.push(Finding::new(path, MAIN, what, "move what it does into a room"));
    }
    findings.extend(functions(text).into_iter().filter(|function| function.lines > FUNCTION).map(
        |function| {
            let what = format!(
                "the function `{}` has {} lines; a function has {FUNCTION} at most",
                function.name, function.lines
            );
            Finding::new(path, function.line, what, "give its parts names of their own")
        },
    ));
    findings
}

struct Function {
    name: String,
    line: usize,
    lines: usize,
}

/// All functions with a body, those inside others too.
fn functions(text: &str) -> Vec<Function> {
    let code = scan::code(text);
    let named = scan::words(&code).filter(|(_, word)| *word == "fn").filter_map(|(at, _)| {
        let begin = at + 2 + code[at + 2..].find(|char: char| !char.is_whitespace())?;
        let name = scan::word_at(&code, begin);
        // A type (`fn(u8)`) has no name, and a function of a trait may have no body.
        let (end, body) = scan::item(&code, begin);
        (!name.is_empty() && body.is_some()).then(|| {
            let line = scan::line(&code, at);
            Function { name: name.to_owned(), line, lines: scan::line(&code, end) - line + 1 }
        })
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::super::finding::places;
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        places(&check(&Tree::of(&[(path, text)])))
    }

    #[test]
    fn a_file_of_600_lines_is_fine_and_one_of_601_is_not() {
        assert!(found("src/a.rs", &"//\n".repeat(600)).is_empty());
        assert_eq!(found("tests/a.rs", &"//\n".repeat(601)), ["tests/a.rs:601"]);
        assert!(found("data.txt", &"\n".repeat(9000)).is_empty());
    }

    #[test]
    fn a_function_of_80_lines_is_fine_and_one_of_81_is_not() {
        let function =
            |lines: usize| format!("\nfn f<T>() -> [u8; 2] {{\n{}}}\n", "    // }\n".repeat(lines - 2));
        assert!(found("src/a.rs", &function(80)).is_empty());
        assert_eq!(found("src/a.rs", &function(81)), ["src/a.rs:2"]);
    }

    #[test]
    fn types_and_declarations_are_not_functions() {
        let text = "type F = fn(u8) -> u8;\ntrait T {\n    fn declared(&self);\n    fn given(&self) {}\n}\n";
        let names: Vec<String> = functions(text).into_iter().map(|function| function.name).collect();
        assert_eq!(names, ["given"]);
    }

    #[test]
    fn main_has_fewer_than_15_lines() {
        assert!(found("src/main.rs", &"//\n".repeat(14)).is_empty());
        assert_eq!(found("src/main.rs", &"//\n".repeat(15)), ["src/main.rs:15"]);
        assert!(found("src/cli/main_verb.rs", &"//\n".repeat(15)).is_empty());
    }
}
