//! What stays of exceptions: labels, SBOMs, and the policy's result as a statement.

use serde_json::{Value, json};

use crate::support::{Deb, Layout, World};
use crate::{all, recipe, with, world};

const RESULT: &str = "https://in-toto.io/attestation/test-result/v0.1";
const SPDX: &str = "https://spdx.dev/Document";
const CYCLONEDX: &str = "https://cyclonedx.org/bom";
const SPDX3: &str = "https://spdx.dev/Document/v3.0.1";

fn layout(world: &World) -> Layout {
    Layout(world.sandbox.path("out/made"))
}

fn predicate(world: &World, kind: &str) -> Value {
    let layout = layout(world);
    layout.statement(kind, &layout.index()).statement["predicate"].clone()
}

/// What a verb prints about the image holds these words.
#[track_caller]
fn prints(world: &World, verb: &str, words: &str) {
    let said = world.run(&[verb, "out/made"]).ok().stdout;
    assert!(said.contains(words), "{words}:\n{said}");
}

#[test]
fn an_image_without_exceptions_passes_every_rule() {
    let world = world(&[with("/usr/share/x", "x", 0o644)]);
    world.build(&[]).ok();
    let result = predicate(&world, RESULT);
    assert_eq!(
        (&result["result"], &result["warnedTests"], &result["failedTests"]),
        (&json!("PASSED"), &json!([]), &json!([]))
    );
    assert_eq!(result["passedTests"].as_array().expect("a list").len(), 7);
    let platform = &result["contentsPolicy"]["platforms"]["linux/amd64"];
    assert_eq!(*platform, json!({ "exceptions": {}, "replaced": [] }));
    prints(&world, "verify", "7 rules, no exception");
    let spdx = predicate(&world, SPDX);
    assert!(!spdx.to_string().contains("contents policy"), "{spdx}");
}

#[test]
fn exceptions_are_in_the_result_with_reasons_and_paths() {
    let world = crate::rules::fine();
    let result = predicate(&world, RESULT);
    assert_eq!(result["result"], "WARNED");
    assert_eq!(result["warnedTests"], json!(["contents policy: no shell (shell)"]));
    let exceptions = &result["contentsPolicy"]["platforms"]["linux/amd64"]["exceptions"];
    assert_eq!(*exceptions, json!({ "shell": { "reason": "a test needs it", "paths": ["/usr/bin/dash"] } }));
    let names: Vec<&str> = result["configuration"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|one| one["name"].as_str())
        .collect();
    assert_eq!(names[0], "recipe made.toml");
    assert!(names[1].starts_with("hardpan "), "{names:?}");
    prints(&world, "verify", "7 rules; allowed: shell (a test needs it)");
}

#[test]
fn the_result_is_attached_to_index_and_platform_and_the_same_each_time() {
    let world = crate::rules::fine();
    let statements = || {
        let layout = layout(&world);
        let of = |subject: &String| layout.statement(RESULT, subject);
        layout.subjects().iter().map(|subject| of(subject).payload).collect::<Vec<_>>()
    };
    let first = statements();
    assert_eq!(first.len(), 2);
    world.build(&[]).ok();
    assert_eq!(statements(), first);
    world.forget();
    world.build(&[]).ok();
    assert_eq!(statements(), first);
}

#[test]
fn exceptions_are_in_sboms_of_every_format() {
    let world = crate::rules::fine();
    world.build(&["--spdx3"]).ok();
    let spdx = predicate(&world, SPDX);
    let image =
        spdx["packages"].as_array().expect("packages").iter().find(|one| one["SPDXID"] == "SPDXRef-Image");
    let annotation = &image.expect("the image")["annotations"][0];
    assert_eq!(annotation["comment"], "contents policy, exception from shell: a test needs it");
    assert_eq!(annotation["annotationDate"], spdx["creationInfo"]["created"]);
    let cyclonedx = predicate(&world, CYCLONEDX);
    let properties = json!([{ "name": "hardpan:policy:shell", "value": "a test needs it" }]);
    assert_eq!(cyclonedx["metadata"]["component"]["properties"], properties);
    let spdx3 = predicate(&world, SPDX3);
    let notes: Vec<&Value> = spdx3["@graph"]
        .as_array()
        .expect("a graph")
        .iter()
        .filter(|one| one["type"] == "Annotation")
        .collect();
    assert_eq!(notes.len(), 1);
    assert_eq!(notes[0]["statement"], "contents policy, exception from shell: a test needs it");
    for (schema, document) in [
        (crate::support::Schema::Spdx23, &spdx),
        (crate::support::Schema::CycloneDx16, &cyclonedx),
        (crate::support::Schema::Spdx301, &spdx3),
    ] {
        crate::support::validate(schema, document).expect("as the schema says");
    }
}

#[test]
fn inspect_and_build_tell_exceptions_to_people_and_machines() {
    let world = crate::rules::fine();
    prints(&world, "inspect", "shell: a test needs it");
    let inspected: Value =
        serde_json::from_str(&world.run(&["inspect", "out/made", "--json"]).ok().stdout).expect("JSON");
    assert_eq!(inspected["platforms"][0]["exceptions"], json!({ "shell": "a test needs it" }));
    let built: Value = serde_json::from_str(&world.build(&["--json"]).ok().stdout).expect("JSON");
    assert_eq!(built["exceptions"], json!({ "shell": "a test needs it" }));
}

#[test]
fn packaged_files_that_a_recipe_replaces_are_noted() {
    let world = world(&[
        with("/etc/thing.conf", "theirs", 0o644),
        Deb::new("same", "1").file("/etc/same", "same", 0o644),
    ]);
    let takes = format!("{}[files]\n\"/etc/thing.conf\" = \"ours\"\n\"/etc/same\" = \"same\"\n", all(&world));
    recipe(&world, &takes, "");
    world.build(&[]).ok();
    let replaced =
        predicate(&world, RESULT)["contentsPolicy"]["platforms"]["linux/amd64"]["replaced"].clone();
    assert_eq!(replaced, json!([{ "path": "/etc/thing.conf", "package": "thing", "by": "recipe" }]));
    prints(&world, "verify", "packaged files replaced by the recipe: 1");
}

#[test]
fn a_policy_of_a_site_tells_this_result_from_that_of_other_tests() {
    let world = crate::rules::fine();
    let verify = |word: &str| {
        world.sandbox.write("site.toml", format!("require = [\"sign\", \"{word}\"]\n"));
        world.run(&["verify", "out/made", "--policy", "site.toml"])
    };
    verify("contents-policy").ok();
    verify("test-result").exits(6).says("HP602");
    world.build(&["--no-attest", "--out", "bare"]).ok();
}

#[test]
fn a_result_that_says_that_a_rule_is_broken_fails_verification() {
    let signed = crate::support::signed::Signed::new();
    let index = signed.image.index();
    let there = signed.image.statement(RESULT, &index);
    let mut statement = there.statement.clone();
    statement["predicate"]["result"] = json!("FAILED");
    statement["predicate"]["failedTests"] = json!(["contents policy: no shell (shell)"]);
    let key = crate::support::signed::trusted();
    signed.image.swap(&there, &key.bundle(&statement));
    let out = signed.sandbox.hardpan(&["verify", "made", "--key", "team.pub"]).exits(6);
    assert!(out.stderr.contains("HP610"), "{}", out.stderr);
}
