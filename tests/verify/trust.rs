//! Whose signatures count.

use crate::support::signed::{Signed, world};
use crate::support::{Hand, MTIME};
use crate::verify;

#[test]
fn one_of_several_keys_is_enough_and_none_of_them_is_not() {
    let signed = Signed::new();
    let run = |keys: &[&str]| {
        let named: Vec<&str> = keys.iter().flat_map(|&key| ["--key", key]).collect();
        signed.sandbox.hardpan(&[&["verify", "made"], &named[..]].concat())
    };
    let out = run(&["other.pub", "team.pub"]).ok().says("other.pub (").says("team.pub (");
    assert!(out.stdout.contains("signed by team.pub"), "{}", out.stdout);
    run(&["other.pub"]).exits(6).says("HP602").says(&Hand::new(8).fingerprint());
}

#[test]
fn a_key_that_is_none_is_a_usage_error() {
    let signed = Signed::new();
    let with = |key: &str| signed.sandbox.hardpan(&["verify", "made", "--key", key]);
    signed.sandbox.write("garbage.pub", "garbage");
    with("garbage.pub").exits(2).says("HP204").says("garbage.pub");
    with("team.pem").exits(2).says("HP204").says("a private key").says("hardpan keys show");
    let out = with("no-such.pub");
    assert!(out.code != 0 && out.code != 6 && out.stderr.contains("no-such.pub"), "{}", out.stderr);
    // One that reads does not make up for one that does not.
    let both = ["verify", "made", "--key", "team.pub", "--key", "garbage.pub"];
    signed.sandbox.hardpan(&both).exits(2).says("HP204");
}

#[test]
fn without_any_key_nothing_is_verified() {
    let signed = Signed::new();
    let out = signed.sandbox.hardpan(&["verify", "made"]).exits(2).says("HP201");
    assert!(out.stdout.is_empty());
    out.says("there is no key to verify with").says("--key FILE");
}

#[test]
fn the_keys_of_the_working_folder_count_if_none_is_named_and_are_told() {
    let signed = Signed::new();
    signed.sandbox.write("keys/other.pub", Hand::new(8).public_pem());
    signed.sandbox.hardpan(&["verify", "made"]).exits(6).says("HP602");
    signed.sandbox.write("keys/team.pub", signed.sandbox.read("team.pub"));
    signed.sandbox.write("keys/README.md", "not a key");
    let out = signed.sandbox.hardpan(&["verify", "made"]).ok();
    out.says("Trusting").says("keys/team.pub (").says("keys/other.pub (");
    // A key that is named counts alone.
    signed.sandbox.hardpan(&["verify", "made", "--key", "other.pub"]).exits(6);
}

#[test]
fn the_development_key_of_this_machine_counts_here_and_nowhere_else() {
    let world = world("1.1", MTIME);
    world.build(&[]).ok().says("proves only \"this machine\"");
    let out = world.sandbox.hardpan(&["verify", "out/made"]).ok();
    out.says("the development key of this machine (");
    let elsewhere = Signed::new();
    let folder = world.sandbox.path("out/made").display().to_string();
    elsewhere.sandbox.hardpan(&["verify", &folder]).exits(2);
    verify(&elsewhere.sandbox, &folder, &[]).exits(6).says("HP602").says("by another key");
}

#[test]
fn an_image_that_was_built_without_evidence_is_refused_with_a_way_out() {
    let world = world("1.1", MTIME);
    world.build(&["--no-attest"]).ok();
    assert!(!world.sandbox.home().join(".local").exists(), "a key was made for nothing");
    let out = verify(&world.sandbox, "out/made", &[]).exits(6);
    out.says("HP602")
        .says("the index has no sign statement")
        .says("build it with evidence")
        .says("`require`");
}
