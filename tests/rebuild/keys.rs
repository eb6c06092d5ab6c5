//! Whose provenance is followed, and what is said of who vouches for it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::{Layout, statement};
use crate::{Elsewhere, PROVENANCE, document, inputs, signed, stranger};

#[test]
fn a_key_that_did_not_sign_is_an_error() {
    let elsewhere = Elsewhere::new();
    let out = elsewhere.sandbox.hardpan(&["rebuild", "made", "--key", "other.pub"]).exits(5).says("HP511");
    assert_eq!(out.stdout, "");
    elsewhere.sandbox.hardpan(&["rebuild", "made", "--key", "none.pub"]).exits(1);
}

#[test]
fn one_of_several_keys_is_enough() {
    let elsewhere = Elsewhere::new();
    let out = elsewhere.sandbox.hardpan(&["rebuild", "made", "--key", "other.pub", "--key", "team.pub"]).ok();
    out.says("provenance signed by");
}

#[test]
fn without_a_key_it_is_built_and_said_that_nobody_vouches() {
    let elsewhere = Elsewhere::new();
    let out = elsewhere.sandbox.hardpan(&["rebuild", "made"]).ok();
    assert!(!out.stderr.contains("provenance signed by"));
    out.says("nobody here vouches for").says("--key");
    let said = document(&elsewhere.sandbox.hardpan(&["rebuild", "made", "--json"]).ok());
    assert_eq!(said["provenance"]["signed_by"], Value::Null);
}

#[test]
fn keys_that_lie_in_keys_vouch_unasked() {
    let elsewhere = Elsewhere::new();
    elsewhere.sandbox.write("keys/team.pub", signed::trusted().public_pem());
    elsewhere.sandbox.hardpan(&["rebuild", "made"]).ok().says("provenance signed by");
    let elsewhere = Elsewhere::new();
    elsewhere.sandbox.write("keys/other.pub", crate::support::Hand::new(8).public_pem());
    elsewhere.sandbox.hardpan(&["rebuild", "made"]).ok().says("nobody here vouches for");
}

/// What the stranger says about an image: that it was built from something else.
fn forged(layout: &Layout) -> Vec<u8> {
    let mut said = layout.statement(PROVENANCE, &layout.index()).statement;
    inputs(&mut said["predicate"])["lock"] = json!("version = 1\n");
    stranger().bundle(&said)
}

#[test]
fn of_several_provenances_that_of_the_named_key_is_followed() {
    for first in [true, false] {
        let elsewhere = Elsewhere::new();
        let layout = elsewhere.made();
        let (forged, own) = (forged(&layout), layout.statement(PROVENANCE, &layout.index()));
        layout.attach(&layout.index(), PROVENANCE, &forged);
        if first {
            let bundle = layout.bytes(&own.bundle);
            layout.swap(&own, &bundle);
        }
        let out = elsewhere.rebuild(&[]).ok();
        assert_eq!(out.stdout, format!("{}\n", layout.index()));
    }
}

#[test]
fn a_forged_provenance_is_not_followed_where_a_key_is_named() {
    let elsewhere = Elsewhere::new();
    let layout = elsewhere.made();
    let (forged, own) = (forged(&layout), layout.statement(PROVENANCE, &layout.index()));
    layout.swap(&own, &forged);
    elsewhere.rebuild(&[]).exits(5).says("HP511");
}

#[test]
fn a_changed_byte_of_the_statement_is_no_longer_signed() {
    let elsewhere = Elsewhere::new();
    let layout = elsewhere.made();
    let own = layout.statement(PROVENANCE, &layout.index());
    let mut said = own.statement.clone();
    inputs(&mut said["predicate"])["sourceDateEpoch"] = json!(5);
    let mut bundle = layout.json(&own.bundle);
    bundle["dsseEnvelope"]["payload"] = json!(STANDARD.encode(said.to_string()));
    layout.swap(&own, bundle.to_string().as_bytes());
    elsewhere.rebuild(&[]).exits(5).says("HP511");
}

#[test]
fn provenance_about_another_image_is_not_followed() {
    let elsewhere = Elsewhere::new();
    let (layout, older) = (elsewhere.made(), Layout(elsewhere.sandbox.path("older")));
    let own = layout.statement(PROVENANCE, &layout.index());
    let others = older.statement(PROVENANCE, &older.index());
    layout.swap(&own, &older.bytes(&others.bundle));
    elsewhere.rebuild(&[]).exits(6).says("HP602").says("about it");
}

#[test]
fn an_image_without_provenance_says_so() {
    let elsewhere = Elsewhere::new();
    let layout = elsewhere.made();
    for attached in layout.statements() {
        layout.detach(&attached);
    }
    let out = elsewhere.rebuild(&[]).exits(6).says("HP602").says("no provenance");
    out.says("built with its evidence");
    elsewhere.sandbox.hardpan(&["rebuild", "nowhere"]).exits(4).says("HP405");
}

/// Trusted provenance of an image, of a build that another tool made.
pub fn by_another_tool(layout: &Layout) -> Vec<u8> {
    let predicate = json!({
        "buildDefinition": { "buildType": "https://example.org/other/v1", "externalParameters": {} },
        "runDetails": { "builder": { "id": "https://example.org/b" } },
    });
    let subjects = layout.subjects();
    let subjects: Vec<&str> = subjects.iter().map(String::as_str).collect();
    signed::trusted().bundle(&statement(PROVENANCE, &subjects, &predicate))
}

#[test]
fn provenance_of_another_tool_is_refused_by_its_type() {
    let elsewhere = Elsewhere::new();
    let layout = elsewhere.made();
    let own = layout.statement(PROVENANCE, &layout.index());
    layout.swap(&own, &by_another_tool(&layout));
    let out = elsewhere.rebuild(&[]).exits(6).says("HP605");
    out.says("https://example.org/other/v1").says("https://hardpan.dev/build-type/image/v1");
}
