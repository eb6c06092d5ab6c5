//! What is signed about a rebuild, where it goes, and what the answer for machines holds.

use hardpan::attest::Statement;
use hardpan::sign::Bundle;
use serde_json::json;

use crate::support::{Hand, Registry, Sandbox, sha256_hex};
use crate::{Elsewhere, PROVENANCE, SUMMARY, TEST_RESULT, checker, document, hex, inputs, leaves_only};

/// The statement in a bundle file, which this key must have signed.
#[track_caller]
pub fn statement(sandbox: &Sandbox, file: &str, key: &Hand) -> Statement {
    signed(&sandbox.read(file), key)
}

#[track_caller]
fn signed(bytes: &[u8], key: &Hand) -> Statement {
    let bundle = Bundle::parse(bytes).expect("a bundle");
    assert!(key.made(bundle.payload(), bundle.signature()), "signed by another key");
    Statement::parse(bundle.payload()).expect("a statement")
}

/// What a statement is about.
#[track_caller]
pub fn subjects(statement: &Statement) -> Vec<String> {
    statement.subject.iter().map(|one| one.sha256().expect("a digest").to_string()).collect()
}

#[test]
fn a_signed_statement_says_that_it_passed_and_what_was_followed() {
    let elsewhere = Elsewhere::new();
    let out = leaves_only(&elsewhere.sandbox, &["made.rebuild.json"], || {
        elsewhere.rebuild(&["--as", "checker.pem"]).ok()
    });
    assert_eq!(out.stdout, format!("{}\n", elsewhere.made().index()));
    out.says("Signed").says("made.rebuild.json");
    let statement = statement(&elsewhere.sandbox, "made.rebuild.json", &checker());
    let layout = elsewhere.made();
    assert_eq!(statement.predicate_type, TEST_RESULT);
    assert_eq!(subjects(&statement), layout.subjects());
    let said = &statement.predicate;
    assert_eq!(said["result"], "PASSED");
    assert_eq!(said["passedTests"].as_array().expect("a list").len(), 1);
    assert_eq!(said["failedTests"], json!([]));
    assert_eq!(said["rebuilt"], json!({ "digest": { "sha256": hex(&layout.index()) }, "differences": [] }));
    let followed = layout.statement(PROVENANCE, &layout.index()).payload;
    assert_eq!(said["configuration"][0]["digest"]["sha256"], sha256_hex(&followed));
    let program = std::fs::read(env!("CARGO_BIN_EXE_hardpan")).expect("the program");
    assert_eq!(said["configuration"][1]["digest"]["sha256"], sha256_hex(&program));
}

#[test]
fn a_statement_goes_where_it_is_told() {
    let elsewhere = Elsewhere::new();
    leaves_only(&elsewhere.sandbox, &["deep", "deep/said.json"], || {
        elsewhere.rebuild(&["--as", "checker.pem", "--statement", "deep/said.json"]).ok()
    });
    statement(&elsewhere.sandbox, "deep/said.json", &checker());
}

#[test]
fn nothing_is_signed_unasked() {
    let elsewhere = Elsewhere::new();
    let before = std::fs::read(elsewhere.made().0.join("index.json")).expect("a layout");
    leaves_only(&elsewhere.sandbox, &[], || elsewhere.rebuild(&[]).ok());
    assert_eq!(std::fs::read(elsewhere.made().0.join("index.json")).expect("a layout"), before);
}

#[test]
fn a_failed_rebuild_is_signed_as_failed() {
    let elsewhere = Elsewhere::new();
    crate::pins::older(&elsewhere);
    let out = elsewhere.rebuild(&["--as", "checker.pem"]).exits(6).says("HP608");
    let said = statement(&elsewhere.sandbox, "made.rebuild.json", &checker());
    assert_eq!(subjects(&said), elsewhere.made().subjects());
    let predicate = &said.predicate;
    assert_eq!((&predicate["result"], &predicate["passedTests"]), (&json!("FAILED"), &json!([])));
    assert_eq!(predicate["failedTests"].as_array().expect("a list").len(), 1);
    assert_ne!(predicate["rebuilt"]["digest"]["sha256"], hex(&elsewhere.made().index()));
    // The statement has the very lines that people see.
    let lines = predicate["rebuilt"]["differences"].as_array().expect("lines");
    assert!(!lines.is_empty());
    for line in lines {
        assert!(out.stdout.contains(line.as_str().expect("a line")), "{line} in\n{}", out.stdout);
    }
}

const POLICY: &str =
    "require = [\"sign\", \"slsaprovenance1\", \"spdxjson\", \"cyclonedx\", \"test-result\"]";

#[test]
fn a_result_is_attached_and_a_policy_that_asks_for_it_is_met() {
    let elsewhere = Elsewhere::new();
    let sandbox = &elsewhere.sandbox;
    sandbox.write("policy.toml", POLICY);
    let verify = || {
        let keys = ["--key", "team.pub", "--key", "checker.pub"];
        sandbox.hardpan(&[&["verify", "made", "--policy", "policy.toml"], &keys[..]].concat())
    };
    verify().exits(6).says("HP602").says("no test-result statement");
    let out = elsewhere.rebuild(&["--as", "checker.pem", "--attach", "--json"]).ok();
    assert!(!sandbox.path("made.rebuild.json").exists(), "attached, and not written as well");
    verify().ok();
    let layout = elsewhere.made();
    for subject in layout.subjects() {
        let attached = layout.result(&subject);
        signed(&layout.bytes(&attached.bundle), &checker());
        let listed = document(&out)["statements"].to_string();
        assert!(listed.contains(&attached.manifest), "{listed}");
    }
    // Another time it is the same statement; the image still builds again.
    elsewhere.rebuild(&["--as", "checker.pem", "--attach"]).ok();
    assert_eq!(layout.of_kind(TEST_RESULT, &layout.index()).len(), 1);
}

#[test]
fn a_result_is_attached_in_a_registry() {
    let (elsewhere, registry) = (Elsewhere::new(), Registry::start());
    let sandbox = &elsewhere.sandbox;
    sandbox.write("policy.toml", POLICY);
    crate::secret(sandbox, "team.pem", &crate::signed::trusted().private_pem());
    sandbox.write("keys/team.pub", crate::signed::trusted().public_pem());
    let to = format!("{}/team", registry.host());
    sandbox.hardpan(&["publish", "made", "--to", &to, "--key", "team.pem"]).ok();
    let before = registry.tag("team/made", "latest");
    let reference = format!("{to}/made:latest");
    sandbox.hardpan(&["rebuild", &reference, "--key", "team.pub", "--as", "checker.pem", "--attach"]).ok();
    assert_eq!(registry.tag("team/made", "latest"), before, "the tag stays where it was");
    let keys = ["--key", "team.pub", "--key", "checker.pub", "--policy", "policy.toml"];
    sandbox.hardpan(&[&["verify", &reference], &keys[..]].concat()).ok();
}

#[test]
fn a_summary_is_signed_by_another_key() {
    let elsewhere = Elsewhere::new();
    let both = ["--as", "checker.pem", "--vsa"];
    let refused = leaves_only(&elsewhere.sandbox, &[], || {
        elsewhere.rebuild(&[&both[..], &["checker.pem"]].concat()).exits(2).says("HP201")
    });
    assert!(refused.stderr.contains("--vsa"), "{}", refused.stderr);
    // The same key in another file is the same key.
    let copy = checker().private_pem();
    crate::secret(&elsewhere.sandbox, "copy.pem", &copy);
    elsewhere.rebuild(&[&both[..], &["copy.pem"]].concat()).exits(2).says("HP201");
    let added = ["made.rebuild.json", "made.rebuild.vsa.json"];
    leaves_only(&elsewhere.sandbox, &added, || {
        elsewhere.rebuild(&[&both[..], &["speaker.pem"]].concat()).ok()
    });
    statement(&elsewhere.sandbox, added[0], &checker());
    let summary = statement(&elsewhere.sandbox, added[1], &Hand::new(6));
    let layout = elsewhere.made();
    assert_eq!(summary.predicate_type, SUMMARY);
    assert_eq!(subjects(&summary), layout.subjects());
    let said = &summary.predicate;
    assert_eq!(said["verificationResult"], "PASSED");
    assert_eq!(said["verifiedLevels"], json!(["SLSA_BUILD_LEVEL_1"]));
    assert_eq!(said["resourceUri"], "made");
    assert_eq!(said["slsaVersion"], "1.2");
    let followed = sha256_hex(&layout.statement(PROVENANCE, &layout.index()).payload);
    assert_eq!(said["inputAttestations"], json!([{ "digest": { "sha256": followed } }]));
    assert!(said["verifier"]["id"].is_string() && said["policy"]["uri"].is_string());
    let time = said["timeVerified"].as_str().expect("a time");
    assert!(time.ends_with('Z') && time.contains('T'), "{time}");
}

#[test]
fn a_failed_summary_verifies_no_level() {
    let elsewhere = Elsewhere::new();
    crate::pins::older(&elsewhere);
    elsewhere.rebuild(&["--as", "checker.pem", "--vsa", "speaker.pem"]).exits(6);
    let said = statement(&elsewhere.sandbox, "made.rebuild.vsa.json", &Hand::new(6)).predicate;
    assert_eq!(said["verificationResult"], "FAILED");
    assert_eq!(said["verifiedLevels"], json!(["FAILED"]));
}

#[test]
fn a_summary_is_attached_beside_the_result() {
    let elsewhere = Elsewhere::new();
    elsewhere.rebuild(&["--as", "checker.pem", "--vsa", "speaker.pem", "--attach"]).ok();
    let layout = elsewhere.made();
    for subject in layout.subjects() {
        let (result, summary) = (layout.result(&subject), layout.statement(SUMMARY, &subject));
        signed(&layout.bytes(&result.bundle), &checker());
        signed(&layout.bytes(&summary.bundle), &Hand::new(6));
    }
}

#[test]
fn options_that_need_a_signer_are_refused_without() {
    let elsewhere = Elsewhere::new();
    for option in [&["--attach"][..], &["--vsa", "speaker.pem"], &["--statement", "x.json"]] {
        elsewhere.rebuild(option).exits(2).says("--as");
    }
    elsewhere.sandbox.hardpan(&["rebuild"]).exits(2).says("IMAGE");
    elsewhere.sandbox.hardpan(&["rebuild", "made", "--all", "x"]).exits(2);
}

#[test]
fn the_answer_for_machines_is_one_document() {
    let elsewhere = Elsewhere::new();
    let digest = elsewhere.made().index();
    let said = document(&elsewhere.rebuild(&["--json"]).ok());
    assert_eq!((&said["image"], &said["same"]), (&json!("made"), &json!(true)));
    assert_eq!((&said["wanted"], &said["found"]), (&json!(digest), &json!(digest)));
    assert_eq!((&said["differences"], &said["statements"]), (&json!([]), &json!([])));
    let followed = elsewhere.made().statement(PROVENANCE, &digest).payload;
    assert_eq!(said["provenance"]["digest"], sha256_hex(&followed));
    assert!(said["provenance"]["signed_by"].as_str().expect("a name").contains("team"), "{said}");
    let said = document(&elsewhere.rebuild(&["--json", "--as", "checker.pem"]).ok());
    assert_eq!(said["statements"], json!(["made.rebuild.json"]));
    crate::pins::older(&elsewhere);
    let said = document(&elsewhere.rebuild(&["--json"]).exits(6));
    assert_eq!(said["same"], false);
    assert_ne!(said["found"], said["wanted"]);
    elsewhere.restate(|predicate| inputs(predicate)["lock"] = json!(7));
    let said = document(&elsewhere.rebuild(&["--json"]).exits(6));
    assert_eq!(said["problems"][0]["code"], "HP605");
}
