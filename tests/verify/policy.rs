//! What a site asks for by a policy file, each rule kept and broken.

use serde_json::Value;

use crate::support::signed::{Signed, trusted};
use crate::support::{Output, statement};
use crate::{SPDX, checks, verify};

/// Verifies the image under a policy.
pub fn under(signed: &Signed, policy: &str, more: &[&str]) -> Output {
    signed.sandbox.write("policy.toml", policy);
    verify(&signed.sandbox, "made", &[&["--policy", "policy.toml"], more].concat())
}

/// The image is refused by this policy alone; the words are said.
#[track_caller]
fn breaks(policy: &str, words: &[&str]) {
    let signed = Signed::new();
    let out = under(&signed, policy, &[]).exits(6).says("HP601").says("HP607");
    for word in words {
        assert!(out.stderr.contains(word), "{word:?} was not said, but:\n{}", out.stderr);
    }
    let checks = checks(&under(&signed, policy, &["--json"]).exits(6));
    assert!(checks.iter().all(|check| check["code"] == "HP607"), "{checks:?}");
}

#[track_caller]
fn keeps(policy: &str) -> Output {
    under(&Signed::new(), policy, &[]).ok()
}

/// Who built the image.
pub const LOCAL: &str = "https://hardpan.dev/builder/local/v1";

#[test]
fn builders_are_held_against_the_provenance() {
    keeps(&format!("builders = [\"https://example.org/b\", \"{LOCAL}\"]"));
    let words = ["does not allow who built the image", LOCAL, "https://example.org/b"];
    breaks("builders = [\"https://example.org/b\"]", &words);
    // A part of an id is another id.
    breaks(&format!("builders = [\"{}\"]", &LOCAL[..LOCAL.len() - 1]), &words[..2]);
}

#[test]
fn the_source_is_the_one_named_or_below_it() {
    for source in ["https://git.example.org", "https://git.example.org/", "https://git.example.org/images"] {
        let out = keeps(&format!("source = \"{source}\""));
        assert!(out.stdout.contains("https://git.example.org/images"), "{}", out.stdout);
    }
    for source in [
        "https://git.example.org/image",
        "https://git.example",
        "https://other.example.org",
        "http://git.example.org",
    ] {
        breaks(
            &format!("source = \"{source}\""),
            &["where the image's recipe is kept", source, "https://git.example.org/images"],
        );
    }
}

#[test]
fn the_recipe_is_one_of_those_named() {
    keeps("recipes = [\"python\", \"made\"]");
    breaks("recipes = [\"python\"]", &["does not allow the image's recipe", "made", "python"]);
    breaks("recipes = [\"mad\"]", &["does not allow the image's recipe"]);
}

#[test]
fn an_image_may_be_so_old_and_no_older() {
    keeps("max-age = \"30000d\"");
    breaks(
        "max-age = \"30d\"",
        &["older than the policy allows", "created 2023-12-04", "hardpan lock --update"],
    );
}

#[test]
fn all_rules_together_pass_and_each_that_is_broken_is_told() {
    let all = format!(
        "builders = [\"{LOCAL}\"]\nsource = \"https://git.example.org\"\nrecipes = [\"made\"]\nmax-age = \"30000d\"\n"
    );
    keeps(&all);
    let none = "builders = [\"x\"]\nsource = \"x\"\nrecipes = [\"x\"]\nmax-age = \"1d\"\n";
    let signed = Signed::new();
    let checks = checks(&under(&signed, none, &["--json"]).exits(6));
    let of: Vec<&str> = checks.iter().map(|check| check["of"].as_str().unwrap()).collect();
    assert_eq!(of, ["index", "linux/amd64", "linux/arm64", "recipe", "source", "age"]);
}

#[test]
fn what_is_required_may_be_less_or_more_than_usual() {
    let signed = Signed::new();
    for attached in signed.image.statements().iter().filter(|attached| attached.kind == SPDX) {
        signed.image.detach(attached);
    }
    verify(&signed.sandbox, "made", &[]).exits(6).says("HP602");
    under(&signed, "require = [\"sign\", \"slsaprovenance1\", \"cyclonedx\"]", &[]).ok();
    under(&signed, "require = [\"https://slsa.dev/provenance/v1\"]", &[]).ok();
    let out = under(&signed, "require = [\"sign\", \"openvex\"]", &[]).exits(6);
    out.says("the index has no openvex statement").says("linux/arm64 has no openvex statement");
}

#[test]
fn what_is_there_is_checked_even_if_it_is_not_required() {
    let signed = Signed::new();
    let index = signed.image.index();
    let attached = signed.image.statement(SPDX, &index);
    let mut predicate = attached.statement["predicate"].clone();
    predicate["files"].as_array_mut().unwrap().clear();
    signed.image.swap(&attached, &trusted().bundle(&statement(SPDX, &[&index], &predicate)));
    under(&signed, "require = [\"sign\"]", &[]).exits(6).says("HP604");
}

#[test]
fn a_policy_that_does_not_read_is_a_usage_error_before_anything_is_opened() {
    let signed = Signed::new();
    for (policy, word) in [
        ("[", "expected"),
        ("maxage = \"30d\"", "maxage"),
        ("max-age = \"soon\"", "HP203"),
        ("builders = 1", "HP203"),
        ("require = [\"nonsense\"]", "`nonsense` is no type of statement"),
    ] {
        let out = under(&signed, policy, &[]).exits(2).says("HP203").says("policy.toml").says("`require`");
        assert!(out.stderr.contains(word) && out.stdout.is_empty(), "{policy}: {}", out.stderr);
    }
    let out = verify(&signed.sandbox, "no-such-image", &["--policy", "policy.toml"]);
    out.exits(2).says("HP203");
    verify(&signed.sandbox, "made", &["--policy", "no-such.toml"]).says("no-such.toml");
}

#[test]
fn for_machines_the_report_has_its_shape() {
    let signed = Signed::new();
    let out = verify(&signed.sandbox, "made", &["--json"]).ok();
    let said: Value = serde_json::from_str(&out.stdout).unwrap();
    assert_eq!(said["image"], "made");
    assert_eq!(said["digest"], signed.image.index());
    assert_eq!(said["passed"], true);
    assert_eq!(said["keys"][0]["name"], "team.pub");
    assert_eq!(said["keys"][0]["fingerprint"], trusted().fingerprint());
    for check in said["checks"].as_array().unwrap() {
        assert_eq!(check["outcome"], "passed");
        assert!(check["what"].is_string() && check["of"].is_string() && check["detail"].is_string());
        assert!(check.get("code").is_none());
    }
    let whats = ["signature", "provenance", "SPDX", "CycloneDX", "layers", "files", "pins"];
    for what in whats {
        assert!(said["checks"].as_array().unwrap().iter().any(|check| check["what"] == what), "{what}");
    }
    assert_eq!(out.stdout.lines().count(), 1);
}
