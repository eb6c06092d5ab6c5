//! The provenance against its own lock and the image's packages, where it is signed by the trusted key.

use serde_json::{Value, json};

use crate::support::signed::Signed;
use crate::{PROVENANCE, failures, refused, restated};

/// The provenance of the index is changed and signed again; it is refused with these words, and only
/// there.
#[track_caller]
fn held(change: impl FnOnce(&mut Value), words: &[&str]) {
    let signed = Signed::new();
    restated(&signed.image, PROVENANCE, &signed.image.index(), |statement| {
        change(&mut statement["predicate"]);
    });
    refused(&signed, "HP605", "index", &[&["the provenance of the index"], words].concat());
    assert_eq!(failures(&signed), [("index".to_owned(), "HP605".to_owned())]);
}

const DEPENDENCIES: &str = "/buildDefinition/resolvedDependencies";

fn dependencies(predicate: &mut Value) -> &mut Vec<Value> {
    predicate.pointer_mut(DEPENDENCIES).unwrap().as_array_mut().unwrap()
}

#[test]
fn a_dependency_that_the_lock_does_not_pin_is_named() {
    let more =
        json!({ "name": "package more 1 (all)", "uri": "pkg:x", "digest": { "sha256": "4".repeat(64) } });
    held(
        |predicate| dependencies(predicate).push(more),
        &["lists what its own lock does not pin", "package more 1 (all)", &"4".repeat(64)],
    );
}

#[test]
fn a_dependency_with_another_digest_than_locked_is_named() {
    for name in ["package data", "release made", "file app.conf"] {
        let change = |predicate: &mut Value| {
            let all = dependencies(predicate).iter_mut();
            let mut found = all.filter(|one| one["name"].as_str().unwrap().starts_with(name));
            found.next().unwrap()["digest"]["sha256"] = json!("4".repeat(64));
        };
        held(change, &["does not pin", name]);
    }
}

#[test]
fn a_package_of_the_image_that_is_no_dependency_is_named() {
    held(
        |predicate| {
            dependencies(predicate).retain(|one| !one["name"].as_str().unwrap().starts_with("package data"));
        },
        &["does not name a package that the image holds", "data 2:1.0+b1-1"],
    );
    held(|predicate| dependencies(predicate).clear(), &["does not name a package that the image holds"]);
}

#[test]
fn the_provenance_of_an_older_build_does_not_fit_though_it_is_signed_as_if_it_did() {
    let signed = Signed::new();
    let old = signed.older.statement(PROVENANCE, &signed.older.index()).statement;
    held(
        |predicate| *predicate = old["predicate"].clone(),
        &["does not name a package that the image holds", "hello 1.1"],
    );
}

#[test]
fn a_lock_that_pins_less_than_was_used_is_refused() {
    let change = |predicate: &mut Value| {
        let lock = predicate.pointer_mut("/buildDefinition/externalParameters/lock").unwrap();
        let text = lock.as_str().unwrap().to_owned();
        let at = text.find("name = \"data\"").unwrap();
        let at = at + text[at..].find("sha256 = \"").unwrap() + "sha256 = \"".len();
        *lock = json!(text.replace(&text[at..at + 64], &"4".repeat(64)));
    };
    held(change, &["lists what its own lock does not pin", "package data"]);
}

#[test]
fn provenance_that_cannot_be_followed_is_refused() {
    let put = |path: &'static str, value: Value| {
        move |predicate: &mut Value| *predicate.pointer_mut(path).unwrap() = value
    };
    held(
        put("/buildDefinition/externalParameters/lock", json!("garbage")),
        &["has a lock that can't be read"],
    );
    held(
        put("/buildDefinition/buildType", json!("https://example.org/x")),
        &["can't be followed", "https://example.org/x"],
    );
    held(
        put("/buildDefinition/externalParameters/platforms", json!(["linux/other"])),
        &["externalParameters"],
    );
    held(put("/buildDefinition/externalParameters", json!({})), &["externalParameters"]);
    held(put("/runDetails/builder", json!({})), &["/runDetails/builder/id"]);
    held(
        |predicate| predicate["buildDefinition"]["externalParameters"]["more"] = json!(1),
        &["externalParameters", "more"],
    );
    held(|predicate| dependencies(predicate)[0]["digest"] = json!({}), &["no name or digest"]);
}
