//! Documents of others: what is read of them, and what is refused.

use hardpan::diag::Failure;
use hardpan::vex::{Document, Status, read_document};
use serde_json::{Value, json};

use crate::rendered;
use crate::support::Sandbox;

fn good() -> Value {
    json!({
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": "https://example.org/vex/1",
        "author": "Example Security",
        "timestamp": "2026-11-20T10:00:00.5+02:00",
        "version": 3,
        "statements": [
            {
                "vulnerability": { "name": "CVE-2026-102633", "aliases": ["GHSA-aaaa-bbbb-cccc"] },
                "products": [{ "@id": "pkg:oci/python", "subcomponents": [{ "@id": "pkg:deb/debian/openssl" }] }],
                "status": "not_affected",
                "justification": "vulnerable_code_not_in_execute_path",
            },
            {
                "vulnerability": { "name": "CVE-2026-1" },
                "products": [{ "@id": "pkg:oci/python" }],
                "status": "affected",
                "action_statement": "update",
            },
        ],
    })
}

fn parse(value: &Value) -> Result<Document, Failure> {
    read_document(value.to_string().as_bytes(), "others.json")
}

/// A document with another value at a place is refused with this code and these words.
#[track_caller]
fn refused(pointer: &str, value: Value, code: &str, words: &str) {
    let mut document = good();
    let (parent, key) = pointer.rsplit_once('/').expect("a place");
    let parent = document.pointer_mut(parent).expect("there");
    match parent {
        Value::Array(list) => list[key.parse::<usize>().expect("a number")] = value,
        other if value.is_null() => drop(other.as_object_mut().expect("an object").remove(key)),
        other => other[key] = value,
    }
    let failure = parse(&document).expect_err("refused");
    let said = rendered(&failure);
    assert!(failure.problems().iter().any(|problem| problem.code.to_string() == code), "{code}:\n{said}");
    assert!(said.contains(words), "{words:?}:\n{said}");
}

#[test]
fn a_good_document_is_read() {
    let document = parse(&good()).expect("good");
    assert_eq!((document.author.as_str(), document.statements.len()), ("Example Security", 2));
    assert_eq!(document.timestamp.to_string(), "2026-11-20T08:00:00Z");
    assert_eq!(document.statements[0].aliases, ["GHSA-aaaa-bbbb-cccc"]);
    assert_eq!(document.statements[1].status, Status::Affected);
    let mut unversioned = good();
    unversioned["@context"] = "https://openvex.dev/ns".into();
    parse(&unversioned).expect("good");
}

#[test]
fn rules_are_held_and_the_statement_is_named() {
    refused("/statements/0/justification", Value::Null, "HP342", "statement 1");
    refused("/statements/1/action_statement", Value::Null, "HP342", "`affected` has no action");
    refused("/statements/1/action_statement", "  ".into(), "HP342", "has no action");
    refused("/statements/1/justification", "component_not_present".into(), "HP342", "stands beside");
    refused("/statements/0/status", "wontfix".into(), "HP343", "`wontfix` is not a status");
    refused("/statements/0/justification", "because".into(), "HP343", "`because` is not a justification");
    refused("/statements/0/status", Value::Null, "HP342", "it has no status");
    refused("/statements/0/status", 7.into(), "HP340", "`status` is no text");
    refused("/statements/0/vulnerability", Value::Null, "HP340", "it names no vulnerability");
    refused("/statements/0/products", json!([]), "HP340", "it names no product");
    refused("/statements/0/products", json!([{}]), "HP340", "without an identifier");
    refused("/statements/0/timestamp", "yesterday".into(), "HP340", "`timestamp` is no time");
}

#[test]
fn what_is_no_openvex_of_a_known_version_is_refused() {
    refused("/@context", "https://openvex.dev/ns/v0.9.0".into(), "HP340", "v0.9.0");
    refused("/@context", Value::Null, "HP340", "no \"@context\"");
    refused("/author", Value::Null, "HP340", "there is no `author`");
    refused("/timestamp", Value::Null, "HP340", "there is no `timestamp`");
    refused("/statements", json!([]), "HP340", "there are no `statements`");
    for text in ["", "[]", "null", "{", "{}", "<html>", "\u{feff}{}"] {
        let failure = read_document(text.as_bytes(), "x").expect_err("refused");
        assert!(rendered(&failure).contains("HP340"), "{text}");
    }
}

#[test]
fn contradictions_are_refused_and_the_later_of_two_wins() {
    let mut document = good();
    let mut other = document["statements"][0].clone();
    other["status"] = "under_investigation".into();
    other.as_object_mut().expect("an object").remove("justification");
    document["statements"].as_array_mut().expect("a list").push(other.clone());
    let failure = parse(&document).expect_err("refused");
    assert!(
        rendered(&failure).contains("HP347") && rendered(&failure).contains("statements 1 and 3"),
        "{}",
        rendered(&failure)
    );
    // Later, of other parts, or the same again: no contradiction.
    document["statements"][2]["timestamp"] = "2026-11-21T10:00:00Z".into();
    parse(&document).expect("good");
    document["statements"][2] = other.clone();
    document["statements"][2]["products"] = json!([{ "@id": "pkg:oci/nginx" }]);
    parse(&document).expect("good");
    document["statements"][2] = document["statements"][0].clone();
    parse(&document).expect("good");
}

#[test]
fn all_that_is_wrong_is_said_at_once_and_not_without_end() {
    let mut document = good();
    let broken = json!({ "vulnerability": { "name": "CVE-2026-1" }, "products": [], "status": "nope" });
    document["statements"] = Value::Array(vec![broken; 1_000]);
    let failure = parse(&document).expect_err("refused");
    assert_eq!(failure.problems().len(), 20);
    assert!(rendered(&failure).contains("1980 more"), "{}", rendered(&failure));
}

#[test]
fn deep_and_hostile_ones_are_refused_and_move_no_cursor() {
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    read_document(deep.as_bytes(), "x").expect_err("refused");
    let nested = good().to_string().replace("\"update\"", &deep);
    read_document(nested.as_bytes(), "x").expect_err("refused");
    let mut document = good();
    document["statements"][0]["status"] = "\u{1b}[2J\u{202e}".into();
    document["statements"][1]["vulnerability"]["name"] = "".into();
    let said = rendered(&parse(&document).expect_err("refused"));
    assert!(!said.chars().any(|letter| letter.is_control() && letter != '\n'), "{said:?}");
    let sandbox = Sandbox::new();
    sandbox.write("recipes/python.toml", crate::support::World::head("python"));
    sandbox.write("others.json", document.to_string());
    let out = sandbox.hardpan(&["vex", "check", "--document", "others.json"]).exits(3).says("HP343");
    assert!(!out.stderr.chars().any(|letter| letter.is_control() && letter != '\n'), "{:?}", out.stderr);
}

#[test]
fn images_that_are_none_of_ours_are_a_warning() {
    let sandbox = Sandbox::new();
    sandbox.write("recipes/pythn.toml", crate::support::World::head("pythn"));
    sandbox.write("others.json", good().to_string());
    let out = sandbox.hardpan(&["vex", "check", "--document", "others.json"]).ok();
    for words in ["warning[HP341]", "python", "did you mean `pythn`?"] {
        assert!(out.stderr.contains(words), "{words}:\n{}", out.stderr);
    }
    sandbox.write("recipes/python.toml", crate::support::World::head("python"));
    let out = sandbox.hardpan(&["vex", "check", "--document", "others.json"]).ok();
    assert!(!out.stderr.contains("HP341"), "{}", out.stderr);
    sandbox.write("others.json", vec![b' '; 65 << 20]);
    sandbox.hardpan(&["vex", "check", "--document", "others.json"]).exits(1).says("too large");
}

#[test]
fn what_is_named_may_be_a_folder_a_file_or_a_document() {
    let sandbox = Sandbox::new();
    sandbox.write("recipes/python.toml", crate::support::World::head("python"));
    sandbox.write("recipes/vex/python.toml", crate::decision(&[]));
    sandbox.write("recipes/vex/others.json", good().to_string());
    sandbox.write("empty/x", "");
    let open = |path: &str| hardpan::vex::Decisions::of_path(&sandbox.path(path), None);
    let count =
        |path: &str| open(path).map(|found| (found.own().len(), found.documents().len())).expect("read");
    assert_eq!(count("recipes"), (1, 1));
    assert_eq!(count("recipes/vex"), (1, 1));
    assert_eq!(count("recipes/vex/python.toml"), (1, 0));
    assert_eq!(count("recipes/vex/others.json"), (0, 1));
    for path in ["empty", "nowhere.json", "nowhere.toml", "nowhere"] {
        assert!(open(path).is_err(), "{path}");
    }
}
