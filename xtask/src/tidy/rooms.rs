//! Each room uses only the rooms above it, and ARCHITECTURE.md says so too.

use std::collections::BTreeSet;

use super::finding::Finding;
use super::scan;
use super::tree::Tree;

/// The rooms from the top down. ARCHITECTURE.md repeats this for people, and the check below keeps
/// the two the same for the rooms that exist.
const ROOMS: [&str; 29] = [
    "ident", "canon", "diag", "host", "recipe", "lock", "store", "fetch", "source", "build", "layer",
    "image", "policy", "sbom", "attest", "sign", "publish", "verify", "advisory", "vex", "scan", "ledger",
    "trial", "catalog", "evidence", "pipeline", "draft", "patch", "cli",
];

/// The rooms that even those above them may use.
const FOR_ALL: [&str; 2] = ["ident", "diag"];

const PAGE: &str = "ARCHITECTURE.md";

/// Checks uses between rooms, and the page.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let for_tests = files_for_tests(tree);
    let mut findings = unknown_rooms(tree);
    for (path, text) in tree.rust() {
        if let Some(room) = room_of(path).filter(|room| ROOMS.contains(room) && !for_tests.contains(path)) {
            findings.extend(check_file(path, text, room));
        }
    }
    findings.extend(check_page(tree));
    findings
}

/// The room that a file belongs to; the crate's roots belong to none.
fn room_of(path: &str) -> Option<&str> {
    let inside = path.strip_prefix("src/")?;
    let room = inside.split_once('/').map(|(room, _)| room).or_else(|| inside.strip_suffix(".rs"))?;
    (!matches!(room, "lib" | "main")).then_some(room)
}

fn unknown_rooms(tree: &Tree) -> Vec<Finding> {
    let mut seen = BTreeSet::new();
    let files = tree.rust().filter_map(|(path, _)| Some((path, room_of(path)?)));
    let unknown = files.filter(|(_, room)| !ROOMS.contains(room) && seen.insert(*room));
    let found = unknown.map(|(path, room)| {
        Finding::new(
            path,
            1,
            format!("`{room}` is not in the room table"),
            "add it to ROOMS in xtask/src/tidy/rooms.rs and to ARCHITECTURE.md, or move the file into a room",
        )
    });
    found.collect()
}

/// Files that are modules for tests only (`#[cfg(test)] mod name;`).
fn files_for_tests(tree: &Tree) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (path, text) in tree.rust() {
        let code = scan::code(text);
        for (at, marker) in code.match_indices("#[cfg(test)]") {
            let rest = code[at + marker.len()..].trim_start();
            if let Some((name, _)) = rest.strip_prefix("mod ").and_then(|rest| rest.split_once(';')) {
                let folder = path.strip_suffix("/mod.rs").unwrap_or_else(|| path.trim_end_matches(".rs"));
                found.extend([format!("{folder}/{name}.rs"), format!("{folder}/{name}/mod.rs")]);
            }
        }
    }
    found
}

fn check_file(path: &str, text: &str, room: &str) -> Vec<Finding> {
    let code = scan::without_tests(&scan::code(text));
    let mut findings = Vec::new();
    for (at, used) in used(&code, depth(path)) {
        if !allowed(room, &used) {
            findings.push(Finding::new(
                path,
                scan::line(&code, at),
                format!("`{room}` uses `{used}`, which is below it in the room table"),
                "move what is used up, or hand it in from below: as an argument, or as a trait of this room",
            ));
        }
    }
    findings
}

fn allowed(room: &str, used: &str) -> bool {
    let place = |name: &str| ROOMS.iter().position(|known| *known == name);
    room == used || FOR_ALL.contains(&used) || place(used) < place(room)
}

/// How many modules deep a file is: `super` that often is the crate.
fn depth(path: &str) -> usize {
    let modules = path.trim_start_matches("src/").split('/').count();
    if path.ends_with("/mod.rs") { modules - 1 } else { modules }
}

/// The rooms that a code names by way of the crate's root, with their places.
fn used(code: &str, depth: usize) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut supers = 0;
    for (at, word) in scan::words(code) {
        supers = match word {
            "super" if code[..at].ends_with("super::") => supers + 1,
            "super" => 1,
            _ => 0,
        };
        if word == "crate" || supers == depth && depth > 0 {
            for (at, name) in names_after(code, at + word.len()) {
                if ROOMS.contains(&name) {
                    found.push((at, name.to_owned()));
                }
            }
        }
    }
    found
}

/// The names right after a path so far: one (`::a`), or those of a group (`::{a, b::c}`).
fn names_after(code: &str, at: usize) -> Vec<(usize, &str)> {
    if !code[at..].starts_with("::") {
        return Vec::new();
    }
    let begin = at + 2;
    if !code[begin..].starts_with('{') {
        return vec![(begin, scan::word_at(code, begin))];
    }
    let mut names = Vec::new();
    let (mut depth, mut last) = (0_i32, b',');
    for (at, byte) in code.bytes().enumerate().take(scan::closing(code, begin) - 1).skip(begin + 1) {
        if byte.is_ascii_whitespace() {
            continue;
        }
        if depth == 0 && last == b',' {
            names.push((at, scan::word_at(code, at)));
        }
        depth += i32::from(byte == b'{') - i32::from(byte == b'}');
        last = byte;
    }
    names
}

fn check_page(tree: &Tree) -> Vec<Finding> {
    let existing: BTreeSet<&str> = tree.paths().filter_map(room_of).collect();
    let here = |names: &[&str]| -> Vec<String> {
        names.iter().filter(|name| existing.contains(**name)).map(|name| (*name).to_owned()).collect()
    };
    let Some(page) = tree.text(PAGE) else {
        return vec![Finding::new(PAGE, 1, "the page is not there", "write it, with the table of rooms")];
    };
    let Some((line, named)) = table(page) else {
        let remedy = "add one whose first column has the head `room`, and each room's name in backticks";
        return vec![Finding::new(PAGE, 1, "there is no table of rooms", remedy)];
    };
    let known = named.iter().filter(|name| !ROOMS.contains(name)).map(|name| {
        let what = format!("the table of rooms names `{name}`, which is not in xtask/src/tidy/rooms.rs");
        Finding::new(PAGE, line, what, "keep the two tables the same")
    });
    let mut findings: Vec<Finding> = known.collect();
    if here(&named) != here(&ROOMS) {
        let what = format!("the table's rooms are not those of the code: {}", here(&named).join(" "));
        let remedy = format!("name each existing room once, in this order: {}", here(&ROOMS).join(" "));
        findings.push(Finding::new(PAGE, line, what, remedy));
    }
    findings
}

/// The table of rooms: its first line, and the names in backticks in its first column.
fn table(page: &str) -> Option<(usize, Vec<&str>)> {
    let first_cell = |line: &'_ str| -> Option<String> {
        Some(line.trim().strip_prefix('|')?.split('|').next()?.trim().to_ascii_lowercase())
    };
    let lines: Vec<&str> = page.lines().collect();
    let head = lines.iter().position(|line| first_cell(line).is_some_and(|cell| cell.starts_with("room")))?;
    let rows = lines[head + 1..].iter().take_while(|line| line.trim().starts_with('|'));
    let cells = rows.filter_map(|row| row.trim().strip_prefix('|')?.split('|').next());
    let names = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    Some((head + 1, names.map(|name| name.trim_end_matches(".rs")).collect()))
}

#[cfg(test)]
mod tests {
    use super::super::finding::places;
    use super::*;

    const PAGE_TEXT: &str = "# Rooms\n\n| room | what |\n|---|---|\n| `ident` | a |\n| `lock`, `store` | b |\n| `pipeline.rs` | c |\n\n| `other` | table |\n";

    fn with(path: &str, text: &str) -> Tree {
        let files = [("src/ident/mod.rs", ""), ("src/lock/mod.rs", ""), ("src/store/mod.rs", "")];
        let page = [("src/pipeline.rs", ""), (PAGE, PAGE_TEXT), (path, text)];
        Tree::of(&[&files[..], &page].concat())
    }

    #[test]
    fn a_use_of_a_room_above_or_of_one_for_all_is_fine() {
        let text = "use crate::ident::X;\nuse crate::recipe;\npub(crate) fn f() { crate::lock::g() }\nuse super::update;";
        assert!(check(&with("src/lock/a.rs", text)).is_empty());
        assert!(check(&with("src/ident/a.rs", "use crate::diag::Problem;")).is_empty());
    }

    #[test]
    fn a_use_of_a_room_below_is_found_in_whatever_form() {
        let forms = [
            "use crate::store::Store;",
            "use crate::{ident::X, store};",
            "use crate::{\n    host::{self, fetch},\n    store::{A, lock},\n};",
            "fn f() { crate::store::open() }",
            "use super::super::store;",
        ];
        for form in forms {
            let found = check(&with("src/lock/a.rs", form));
            assert_eq!(found.len(), 1, "{form}: {found:?}");
            assert!(found[0].to_string().contains("`lock` uses `store`"), "{}", found[0]);
        }
        assert_eq!(places(&check(&with("src/lock/mod.rs", "\nuse super::store;"))), ["src/lock/mod.rs:2"]);
    }

    #[test]
    fn comments_strings_and_tests_may_name_any_room() {
        let text = "// crate::store\nconst A: &str = \"crate::store\";\n#[cfg(test)]\nmod tests {\n use crate::store;\n}\n";
        assert!(check(&with("src/lock/a.rs", text)).is_empty());
        let mut tree = with("src/lock/mod.rs", "#[cfg(test)]\nmod made;\n");
        assert!(check(&tree).is_empty());
        tree = Tree::of(&[
            ("src/lock/mod.rs", "#[cfg(test)]\nmod made;\n"),
            ("src/lock/made.rs", "use crate::store;"),
            (PAGE, "| room |\n|---|\n| `lock` |\n"),
        ]);
        assert!(check(&tree).is_empty());
    }

    #[test]
    fn a_room_that_the_table_lacks_is_named_once() {
        let tree = with("src/attic/mod.rs", "use crate::store;");
        assert_eq!(places(&check(&tree)), ["src/attic/mod.rs:1"]);
    }

    #[test]
    fn the_page_names_the_same_rooms_in_the_same_order() {
        let page = |text: &str| places(&check(&Tree::of(&[("src/lock/mod.rs", ""), (PAGE, text)])));
        assert!(page("| Room | |\n|--|--|\n| `lock` | |\n| `store` | planned |\n").is_empty());
        assert_eq!(page("no table"), ["ARCHITECTURE.md:1"]);
        assert_eq!(page("\n| room |\n|--|\n| `store` |\n"), ["ARCHITECTURE.md:2"]);
        assert_eq!(page("| room |\n|--|\n| `lock` |\n| `attic` |\n"), ["ARCHITECTURE.md:1"]);
        assert_eq!(places(&check(&Tree::of(&[("src/lock/mod.rs", "")]))), ["ARCHITECTURE.md:1"]);
        let swapped = PAGE_TEXT.replace("`lock`, `store`", "`store`, `lock`");
        assert_eq!(places(&check(&with(PAGE, &swapped))), ["ARCHITECTURE.md:3"]);
    }
}
