//! Provenance that a trusted key signed and that means harm: nothing of it leaves the store's folder.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::{Output, sha256_hex};
use crate::{Elsewhere, inputs, leaves_only};

/// A rebuild of what the provenance says after this change, which must leave nothing anywhere.
#[track_caller]
fn run(change: impl FnOnce(&Elsewhere, &mut Value)) -> Output {
    let elsewhere = Elsewhere::new();
    elsewhere.restate(|predicate| change(&elsewhere, predicate));
    leaves_only(&elsewhere.sandbox, &[], || elsewhere.rebuild(&["--as", "checker.pem"]))
}

/// It must be refused as what can't be followed.
#[track_caller]
pub fn refused(words: &str, change: impl FnOnce(&Elsewhere, &mut Value)) {
    let out = run(change).exits(6).says("HP605").says(words);
    assert_eq!(out.stdout, "");
}

pub fn file(path: &str, content: &[u8]) -> Value {
    json!({ "path": path, "sha256": sha256_hex(content), "content": STANDARD.encode(content) })
}

#[test]
fn a_recipe_whose_file_is_more_than_a_name_is_refused() {
    for name in ["../x.toml", "a/x.toml", "/x.toml", "..", ".", "", "x", "x.lock", ".toml", "../made.toml"] {
        refused("recipe", |_, predicate| inputs(predicate)["recipe"]["file"] = json!(name));
    }
    refused("recipe", |elsewhere, predicate| {
        inputs(predicate)["recipe"]["file"] = json!(elsewhere.sandbox.root().join("x.toml"));
    });
}

#[test]
fn a_recipe_below_whose_file_is_more_than_a_name_is_refused() {
    for name in ["../x.toml", "/x.toml", "x"] {
        let below = json!([{ "file": name, "text": "name = \"x\"\n" }]);
        refused("recipe", |_, predicate| inputs(predicate)["extends"] = below);
    }
}

#[test]
fn a_file_outside_the_recipes_folder_is_refused() {
    for path in ["../x", "a/../../x", "/x", "a/../b", "..", ".", "", "./x"] {
        refused("outside the recipe's folder", |_, predicate| {
            inputs(predicate)["files"].as_array_mut().expect("files").push(file(path, b"x"));
        });
    }
    refused("outside the recipe's folder", |elsewhere, predicate| {
        let path = elsewhere.sandbox.root().join("taken");
        let path = path.to_str().expect("UTF-8");
        inputs(predicate)["files"].as_array_mut().expect("files").push(file(path, b"x"));
    });
}

#[test]
fn a_large_file_outside_the_folder_that_was_named_is_refused() {
    let elsewhere = Elsewhere::new();
    elsewhere.sandbox.write("files/none", "");
    elsewhere.sandbox.write("secret", "x");
    elsewhere.restate(|predicate| {
        let one = json!({ "path": "../secret", "sha256": sha256_hex(b"x") });
        inputs(predicate)["files"].as_array_mut().expect("files").push(one);
    });
    elsewhere.rebuild(&["--files", "files"]).exits(6).says("HP605").says("../secret");
}

#[test]
fn a_file_that_is_not_base64_is_refused() {
    for content in ["!", "AAA", "\u{0}", &"?".repeat(4 << 20)] {
        refused("base64", |_, predicate| inputs(predicate)["files"][0]["content"] = json!(content));
    }
}

#[test]
fn a_file_that_is_not_what_its_digest_says_is_refused() {
    let out = run(|_, predicate| inputs(predicate)["files"][0]["content"] = json!(STANDARD.encode("other")));
    out.exits(5).says("HP504").says("not the one that the image was built with");
}

#[test]
fn a_platform_that_the_provenance_does_not_know_is_refused() {
    refused("linux/arm64", |_, predicate| inputs(predicate)["platforms"] = json!(["linux/amd64"]));
    refused("linux/amd64", |_, predicate| inputs(predicate)["platforms"] = json!([]));
    refused("externalParameters", |_, predicate| inputs(predicate)["platforms"] = json!(["plan9/mips"]));
}

#[test]
fn parameters_of_another_form_are_refused() {
    type Change = fn(&mut Value);
    let changes: [(Change, &str); 9] = [
        (|predicate| *inputs(predicate) = Value::Null, "externalParameters"),
        (|predicate| inputs(predicate)["more"] = json!(1), "more"),
        (|predicate| inputs(predicate)["lock"] = json!(["x"]), "externalParameters"),
        (|predicate| inputs(predicate)["recipe"] = json!("made.toml"), "externalParameters"),
        (|predicate| inputs(predicate)["sourceDateEpoch"] = json!("soon"), "externalParameters"),
        (|predicate| inputs(predicate)["files"][0]["sha256"] = json!("00"), "externalParameters"),
        (|predicate| inputs(predicate)["compression"] = json!("lzma"), "lzma"),
        (|predicate| predicate["buildDefinition"]["internalParameters"] = json!({}), "internalParameters"),
        (|predicate| predicate["runDetails"] = json!(7), "runDetails"),
    ];
    for (change, words) in changes {
        refused(words, |_, predicate| change(predicate));
    }
}

#[test]
fn a_recipe_does_not_reach_files_of_this_machine() {
    for from in ["../../../secret", "/etc/hostname"] {
        let out = run(|elsewhere, predicate| {
            elsewhere.sandbox.write("../secret", "a secret of this machine");
            let text = inputs(predicate)["recipe"]["text"].as_str().expect("a recipe").to_owned();
            inputs(predicate)["recipe"]["text"] = json!(text.replace("\"app.conf\"", &format!("\"{from}\"")));
        });
        assert!(
            out.code != 0 && out.code != 6 || out.stderr.contains("HP605"),
            "{from} was read: {}",
            out.stderr
        );
        assert!(!out.stdout.contains("secret of this machine"));
    }
}

#[test]
fn what_can_not_be_built_leaves_nothing_and_no_statement() {
    type Change = fn(&mut Value);
    let changes: [Change; 7] = [
        |predicate| inputs(predicate)["recipe"]["text"] = json!("\u{0}"),
        |predicate| inputs(predicate)["recipe"]["text"] = json!("name = \"../x\"\n"),
        |predicate| inputs(predicate)["lock"] = json!("\u{0}"),
        |predicate| inputs(predicate)["lock"] = json!("version = 99\n"),
        |predicate| inputs(predicate)["lock"] = json!("x".repeat(4 << 20)),
        |predicate| inputs(predicate)["variant"] = json!("../x"),
        |predicate| inputs(predicate)["files"][0]["path"] = json!("n".repeat(300)),
    ];
    for (at, change) in changes.into_iter().enumerate() {
        let out = run(|_, predicate| change(predicate));
        assert!(out.code != 0 && out.code != 101, "change {at}: {}\n{}", out.code, out.stderr);
        assert_eq!(out.stdout, "");
    }
}
