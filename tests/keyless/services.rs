//! What is signed with services that do as they should, and with those that don't.

use hardpan::diag::codes::KEYLESS;
use hardpan::sign::{Bundle, Custody};
use serde_json::json;

use super::support::{Plan, Wrong, base64_of, bytes_of};
use super::{Desk, ISSUER, NAME, TYPE};

const CA: &str = "/api/v2/signingCert";
const V1: &str = "/api/v1/log/entries";
const V2: &str = "/api/v2/log/entries";

#[test]
fn what_is_signed_is_verified_by_identity_with_either_version_of_the_log() {
    for version in [1, 2] {
        let desk = Desk::new(version);
        let signer = desk.open().expect("opened");
        let bundle = Bundle::parse(&signer.bundle(TYPE, b"{}").expect("signed")).expect("reads");
        assert_eq!(desk.trust().verify(&bundle), Ok(format!("{NAME} (by {ISSUER})")));
        assert_eq!(signer.custody(), Custody::Ephemeral);
        assert_eq!(signer.lasting_identity(), None);
        assert!(signer.describe().contains(NAME) && signer.describe().contains(ISSUER));
        let used = if version == 1 { V1 } else { V2 };
        assert_eq!(desk.sigstore.hits(used), 1);
        assert_eq!(desk.sigstore.hits("/stamp"), usize::from(version == 2));
    }
}

#[test]
fn one_certificate_serves_many_statements() {
    let desk = Desk::new(1);
    let signer = desk.open().expect("opened");
    for payload in ["{}", "[]", "1", "2"] {
        signer.bundle(TYPE, payload.as_bytes()).expect("signed");
    }
    assert_eq!((desk.sigstore.hits(CA), desk.sigstore.hits(V1)), (1, 4));
}

#[test]
fn a_certificate_that_is_about_to_end_is_replaced() {
    let desk = Desk::new(1);
    desk.sigstore.wrong(CA, Wrong::Issues(Box::new(|plan: &mut Plan| plan.until = plan.from + 20)));
    let signer = desk.open().expect("opened");
    signer.bundle(TYPE, b"1").expect("signed");
    signer.bundle(TYPE, b"2").expect("signed");
    signer.bundle(TYPE, b"3").expect("signed");
    assert_eq!(desk.sigstore.hits(CA), 2);
}

#[test]
fn a_service_that_fails_now_and_then_is_asked_again() {
    let desk = Desk::new(1);
    desk.sigstore.wrong_times(CA, Wrong::Status(500), 2).wrong_times(V1, Wrong::Status(429), 1);
    desk.sign().expect("signed");
    assert_eq!((desk.sigstore.hits(CA), desk.sigstore.hits(V1)), (3, 2));
}

#[test]
fn an_entry_that_the_log_has_already_is_taken() {
    let desk = Desk::new(1);
    desk.sigstore.wrong(V1, Wrong::HasIt);
    let bundle = Bundle::parse(&desk.sign().expect("signed")).expect("reads");
    desk.trust().verify(&bundle).expect("verified");
}

#[test]
fn services_that_refuse_are_named_with_what_they_said() {
    for (version, path, status, name) in [
        (1, CA, 401, "certificate authority"),
        (1, CA, 500, "certificate authority"),
        (1, V1, 500, "transparency log"),
        (1, V1, 413, "transparency log"),
        (2, V2, 400, "transparency log"),
        (2, "/stamp", 503, "timestamp authority"),
    ] {
        let desk = Desk::new(version);
        desk.sigstore.wrong(path, Wrong::Status(status));
        let said = desk.refused(KEYLESS);
        let told = [name, &format!("status {status}"), "as ordered", &desk.sigstore.url()]
            .iter()
            .all(|part| said.contains(part));
        assert!(told, "{said}");
        let token = super::support::Sigstore::token(600);
        assert!(!said.contains(&token[..40]), "a token is shown: {said}");
    }
}

#[test]
fn answers_that_are_none_are_refused() {
    for (version, path) in [(1, CA), (1, V1), (2, V2), (2, "/stamp")] {
        let desk = Desk::new(version);
        desk.sigstore.wrong(path, Wrong::Garbage);
        let said = desk.refused(KEYLESS);
        assert!(said.contains("does not verify"), "{said}");
    }
}

#[test]
fn certificates_that_are_not_what_was_asked_for_are_refused() {
    type Change = fn(&mut Plan);
    let cases: [(Change, &str); 7] = [
        (|plan| plan.spki = Plan::default().spki, "for another key"),
        (|plan| plan.stranger = true, "UnknownIssuer"),
        (|plan| plan.seen = false, "no trusted certificate log"),
        (|plan| plan.purpose = 1, "does not hold"),
        (|plan| (plan.from, plan.until) = (plan.from - 600, plan.from - 300), "ended at"),
        (|plan| (plan.from, plan.until) = (plan.from + 3000, plan.from + 3600), "does not hold"),
        (|plan| plan.spki = b"\x30\x03\x02\x01\x01".to_vec(), "for another key"),
    ];
    for (change, why) in cases {
        let desk = Desk::new(1);
        desk.sigstore.wrong(CA, Wrong::Issues(Box::new(change)));
        let said = desk.refused(KEYLESS);
        assert!(said.contains(why), "{why}: {said}");
    }
}

#[test]
fn a_certificate_of_garbage_is_refused() {
    for garbage in [
        "",
        "x",
        "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
        "-----BEGIN X-----\nMAA=\n-----END X-----\n",
    ] {
        let desk = Desk::new(1);
        let change = move |said: &mut serde_json::Value| {
            said["signedCertificateEmbeddedSct"]["chain"]["certificates"][0] = json!(garbage);
        };
        desk.sigstore.wrong(CA, Wrong::Says(Box::new(change)));
        desk.refused(KEYLESS);
    }
}

#[test]
fn log_entries_that_do_not_hold_are_refused() {
    type Change = fn(&mut serde_json::Value);
    let cases: [(Change, &str); 6] = [
        (
            |said| said["aa00"]["verification"]["signedEntryTimestamp"] = json!(base64_of(b"x")),
            "signed entry timestamp",
        ),
        (
            |said| said["aa00"]["verification"]["inclusionProof"]["hashes"][0] = json!("00".repeat(32)),
            "inclusion",
        ),
        (
            |said| said["aa00"]["verification"]["inclusionProof"]["rootHash"] = json!("00".repeat(32)),
            "another tree",
        ),
        (|said| said["aa00"]["integratedTime"] = json!(1), "signed entry timestamp"),
        (|said| said["aa00"]["logID"] = json!("00".repeat(32)), "no entry of a trusted log"),
        (
            |said| {
                let mut body: serde_json::Value =
                    serde_json::from_slice(&bytes_of(&said["aa00"]["body"])).unwrap();
                body["spec"]["payloadHash"]["value"] = json!("00".repeat(32));
                said["aa00"]["body"] = json!(base64_of(body.to_string()));
            },
            "about something else",
        ),
    ];
    for (change, why) in cases {
        let desk = Desk::new(1);
        desk.sigstore.wrong(V1, Wrong::Says(Box::new(change)));
        let said = desk.refused(KEYLESS);
        assert!(said.contains(why), "{why}: {said}");
    }
}

#[test]
fn an_entry_of_another_envelope_is_refused_by_its_hash() {
    let desk = Desk::new(1);
    let change = |said: &mut serde_json::Value| {
        let mut body: serde_json::Value = serde_json::from_slice(&bytes_of(&said["aa00"]["body"])).unwrap();
        body["spec"]["envelopeHash"]["value"] = json!("00".repeat(32));
        said["aa00"]["body"] = json!(base64_of(body.to_string()));
    };
    desk.sigstore.wrong(V1, Wrong::Says(Box::new(change)));
    assert!(desk.refused(KEYLESS).contains("about something else"));
}
