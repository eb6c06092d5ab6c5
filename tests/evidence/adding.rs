//! `hardpan attest`: further statements about an image.

use serde_json::{Value, json};

use crate::support::signed::{Signed, files, world};
use crate::support::{Hand, MTIME, Output, Registry};
use crate::{image, json, list};

const VEX: &str = "https://openvex.dev/ns";
const SCAN: &str = "{ \"statements\": [], \"author\": \"us\" }";

fn attest(signed: &Signed, image: &str, more: &[&str]) -> Output {
    signed.sandbox.write("vex.json", SCAN);
    let fixed = ["attest", image, "--type", "openvex", "--predicate", "vex.json", "--key", "team.pem"];
    signed.sandbox.hardpan(&[&fixed[..], more].concat())
}

fn requires(signed: &Signed, image: &str, word: &str) -> Output {
    signed.sandbox.write("policy.toml", format!("require = [\"sign\", \"spdxjson\", \"{word}\"]"));
    signed.sandbox.hardpan(&["verify", image, "--key", "team.pub", "--policy", "policy.toml"])
}

#[test]
fn a_statement_is_attached_to_the_index_and_to_each_platform() {
    let signed = Signed::new();
    let before = files(&signed.image.0);
    requires(&signed, "made", "openvex").exits(6).says("the index has no openvex statement");
    let out = attest(&signed, "made", &[]).ok();
    assert_eq!(out.stdout.lines().count(), 3);
    for (subject, printed) in signed.image.subjects().iter().zip(out.stdout.lines()) {
        let attached = signed.image.statement(VEX, subject);
        assert_eq!(attached.manifest, printed);
        assert_eq!(attached.statement["predicate"], serde_json::from_str::<Value>(SCAN).unwrap());
        assert_eq!(list(&attached.statement, "/subject").len(), 3);
    }
    requires(&signed, "made", "openvex").ok();
    // What was there is as it was.
    let after = files(&signed.image.0);
    let kept = before.iter().filter(|(path, _)| !path.ends_with("index.json"));
    assert!(kept.into_iter().all(|(path, bytes)| after.get(path) == Some(bytes)));
    assert_eq!(signed.image.statements().len(), crate::STATEMENTS + 3);
    // Said once more, it is the same.
    attest(&signed, "made", &[]).ok();
    assert_eq!(files(&signed.image.0), after);
}

#[test]
fn a_statement_can_be_about_one_platform() {
    let signed = Signed::new();
    let said = json(attest(&signed, "made", &["--platform", "linux/arm64", "--json"]));
    let arm64 = signed.image.platform("arm64");
    assert_eq!((&said["type"], &said["about"]), (&json!(VEX), &json!([arm64])));
    assert_eq!(said["referrers"], json!([signed.image.statement(VEX, &arm64).manifest]));
    assert_eq!(signed.image.statements().len(), crate::STATEMENTS + 1);
    let out = requires(&signed, "made", "openvex").exits(6).says("linux/amd64 has no openvex statement");
    assert!(!out.stderr.contains("linux/arm64"), "{}", out.stderr);
    attest(&signed, "made", &["--platform", "linux/riscv64"]).exits(2).says("linux/riscv64");
}

#[test]
fn a_type_is_a_word_or_an_address() {
    let signed = Signed::new();
    signed.sandbox.write("x.json", "{}");
    let with = |kind: &str| {
        signed.sandbox.hardpan(&[
            "attest",
            "made",
            "--type",
            kind,
            "--predicate",
            "x.json",
            "--key",
            "team.pem",
        ])
    };
    let before = files(&signed.image.0);
    let out = with("nonsense").exits(2).says("HP201").says("`nonsense` is no type of statement");
    out.says("openvex").says("test-result");
    with("").exits(2);
    assert_eq!(files(&signed.image.0), before);
    with("https://example.org/review/v1").ok();
    requires(&signed, "made", "https://example.org/review/v1").ok();
    with("vuln").ok();
    requires(&signed, "made", "vuln").ok();
}

#[test]
fn what_is_no_predicate_is_refused_and_nothing_is_changed() {
    let signed = Signed::new();
    let before = files(&signed.image.0);
    let with = |text: &str| {
        signed.sandbox.write("p.json", text);
        let fixed = ["attest", "made", "--type", "openvex", "--predicate", "p.json", "--key", "team.pem"];
        signed.sandbox.hardpan(&fixed).exits(2).says("HP201").says("p.json")
    };
    with("").says("is not JSON");
    with("{\"a\":1} trailing").says("is not JSON");
    with("[1]").says("is not an object");
    with("\"text\"").says("is not an object");
    let other = format!("sha256:{}", "ab".repeat(32));
    let whole = crate::support::statement(VEX, &[&other], &json!({}));
    with(&whole.to_string()).says("a whole statement about something else").says("its `predicate` alone");
    let typed = crate::support::statement("https://example.org/x", &[&signed.image.index()], &json!({}));
    with(&typed.to_string()).says("a whole statement of another type").says("--type https://example.org/x");
    let spaced = crate::support::statement(VEX, &[&signed.image.index()], &json!({}));
    let spaced = serde_json::to_string_pretty(&spaced).expect("JSON");
    with(&spaced).says("a whole statement that hardpan did not write").says("its `predicate` alone");
    with("{\"_type\":\"x\",\"predicateType\":\"y\"}").says("a whole statement");
    assert_eq!(files(&signed.image.0), before);
    let missing = ["attest", "made", "--type", "openvex", "--predicate", "none.json", "--key", "team.pem"];
    let out = signed.sandbox.hardpan(&missing);
    assert!(out.code != 0 && out.stderr.contains("none.json"), "{}", out.stderr);
}

#[test]
fn a_whole_statement_of_ours_is_attached_to_what_it_is_about() {
    let signed = Signed::new();
    let whole =
        crate::support::statement(VEX, &[&signed.image.platform("arm64")], &json!({ "author": "us" }));
    signed.sandbox.write("p.json", whole.to_string());
    let fixed = ["attest", "made", "--type", "openvex", "--predicate", "p.json", "--key", "team.pem"];
    let out = signed.sandbox.hardpan(&fixed).ok();
    assert_eq!(out.stdout.lines().count(), 1);
    let attached = signed.image.statement(VEX, &signed.image.platform("arm64"));
    assert_eq!(attached.statement["predicate"], json!({ "author": "us" }));
    assert_eq!(list(&attached.statement, "/subject").len(), 1);
    // Nobody gets it attached to another platform.
    let amd64 = [&fixed[..], &["--platform", "linux/amd64"]].concat();
    signed.sandbox.hardpan(&amd64).exits(2).says("a whole statement about something else");
}

#[test]
fn nothing_can_be_attached_to_an_archive() {
    let world = world("1.1", MTIME);
    world.build(&["--key", "team.pem", "--format", "oci-archive", "--out", "made.tar"]).ok();
    let before = world.sandbox.read("made.tar");
    world.sandbox.write("x.json", "{}");
    let fixed = ["attest", "made.tar", "--type", "vuln", "--predicate", "x.json", "--key", "team.pem"];
    world.sandbox.hardpan(&fixed).exits(2).says("HP201").says("the archive `made.tar`");
    assert!(world.sandbox.read("made.tar") == before);
}

#[test]
fn a_statement_by_a_key_that_nobody_trusts_satisfies_nobody() {
    let signed = Signed::new();
    crate::secret(&signed.sandbox, "other.pem", &Hand::new(8).private_pem());
    signed.sandbox.write("vex.json", SCAN);
    let fixed = ["attest", "made", "--type", "openvex", "--predicate", "vex.json", "--key", "other.pem"];
    signed.sandbox.hardpan(&fixed).ok();
    requires(&signed, "made", "openvex").exits(6).says("the openvex statement of the index is not signed");
    let both = ["verify", "made", "--policy", "policy.toml", "--key", "team.pub", "--key", "other.pub"];
    signed.sandbox.hardpan(&both).ok();
}

#[test]
fn a_later_build_of_the_same_image_keeps_what_was_added_and_another_image_does_not() {
    let world = world("1.1", MTIME);
    let build = || world.build(&["--key", "team.pem"]).ok();
    build();
    world.sandbox.write("vex.json", SCAN);
    let fixed = ["attest", "out/made", "--type", "openvex", "--predicate", "vex.json", "--key", "team.pem"];
    world.sandbox.hardpan(&fixed).ok();
    let before = files(&world.sandbox.path("out/made"));
    build();
    assert_eq!(files(&world.sandbox.path("out/made")), before);
    assert_eq!(image(&world).statements().len(), crate::STATEMENTS + 3);
    // By another key: what the build says is said by that one alone, what others said stays.
    crate::secret(&world.sandbox, "other.pem", &Hand::new(8).private_pem());
    world.build(&["--key", "other.pem"]).ok();
    assert_eq!(image(&world).statements().len(), crate::STATEMENTS + 3);
    world.sandbox.hardpan(&["verify", "out/made", "--key", "other.pub"]).ok();
    assert_eq!(image(&world).of_kind(VEX, &image(&world).index()).len(), 1);
    let more = world.sandbox.text("made.toml") + "\"/etc/more\" = { from = \"app.conf\" }\n";
    world.sandbox.write("made.toml", more);
    world.build(&["--key", "team.pem"]).ok();
    assert_eq!(image(&world).statements().len(), crate::STATEMENTS);
}

#[test]
fn a_statement_is_attached_in_a_registry() {
    let (signed, registry) = (Signed::new(), Registry::start());
    let to = format!("{}/team", registry.host());
    signed.sandbox.hardpan(&["publish", "made", "--to", &to, "--key", "team.pem"]).ok();
    let reference = format!("{to}/made:latest");
    let tags = |registry: &Registry| -> Vec<(String, Option<String>)> {
        let all = registry.tags("team/made").into_iter().filter(|tag| !tag.starts_with("sha256-"));
        all.map(|tag| (tag.clone(), registry.tag("team/made", &tag))).collect()
    };
    let before = tags(&registry);
    attest(&signed, &reference, &[]).ok();
    assert_eq!(tags(&registry), before);
    requires(&signed, &reference, "openvex").ok();
    requires(&signed, &format!("{to}/made@{}", signed.image.platform("amd64")), "openvex").ok();
    let list = registry.manifest("team/made", &signed.image.index().replace(':', "-")).unwrap();
    assert_eq!(list["manifests"].as_array().unwrap().len(), 6);
    signed.sandbox.hardpan(&["pull", &reference, "--out", "pulled"]).ok();
    requires(&signed, "pulled", "openvex").ok();
}
