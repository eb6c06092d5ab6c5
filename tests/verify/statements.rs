//! Statements that are missing, of others, about others, or not what they say they are.

use serde_json::{Value, json};

use crate::support::signed::{Signed, trusted};
use crate::support::{Hand, statement};
use crate::{CYCLONEDX, KINDS, PROVENANCE, SIGN, SPDX, failures, named, refused, resigned, restated, verify};

#[test]
fn everything_by_another_key_is_refused_kind_by_kind() {
    let signed = Signed::new();
    resigned(&signed.image, &Hand::new(8), |_| ());
    let hint = Hand::new(8).hint();
    let out = refused(&signed, "HP602", "index", &["a signature by another key", &hint, "--key FILE"]);
    for (of, _) in named(&signed.image) {
        for (_, word) in KINDS {
            assert!(
                out.stderr.contains(&format!("the {word} statement of the {of} is not signed")),
                "{word} {of}"
            );
        }
    }
    assert_eq!(failures(&signed).len(), 12);
    signed.sandbox.hardpan(&["verify", "made", "--key", "other.pub"]).ok();
}

#[test]
fn one_statement_by_another_key_is_refused() {
    for (kind, word) in KINDS {
        let signed = Signed::new();
        let attached = signed.image.statement(kind, &signed.image.platform("amd64"));
        signed.image.swap(&attached, &Hand::new(8).bundle(&attached.statement));
        let message = format!("the {word} statement of the linux/amd64 is not signed by a trusted key");
        refused(&signed, "HP602", "linux/amd64", &[&message]);
        assert_eq!(failures(&signed).len(), 1);
    }
}

#[test]
fn the_signature_of_another_image_is_refused() {
    let signed = Signed::new();
    let index = signed.image.index();
    let other = signed.older.statement(SIGN, &signed.older.index());
    let own = signed.image.statement(SIGN, &index);
    signed.image.swap(&own, &signed.older.bytes(&other.bundle));
    let words = ["the sign statement attached to the index is about something else", &index, &other.subject];
    refused(&signed, "HP603", "index", &words);
    refused(&signed, "HP602", "index", &["the index has no sign statement"]);
}

#[test]
fn provenance_alone_is_no_signature() {
    let signed = Signed::new();
    for attached in signed.image.statements().iter().filter(|attached| attached.kind != PROVENANCE) {
        signed.image.detach(attached);
    }
    for (of, _) in named(&signed.image) {
        let message = format!("{of} has no sign statement");
        refused(&signed, "HP602", of, &[&message, "slsaprovenance1", "build it with evidence"]);
    }
    assert_eq!(failures(&signed).len(), 9);
}

#[test]
fn each_statement_is_missed_at_index_and_platforms() {
    for (kind, word) in KINDS {
        for (of, subject) in named(&Signed::new().image) {
            let signed = Signed::new();
            signed.image.detach(&signed.image.statement(kind, &subject));
            refused(&signed, "HP602", of, &[&format!("{of} has no {word} statement"), kind]);
            assert_eq!(failures(&signed), [(of.to_owned(), "HP602".to_owned())]);
        }
    }
}

#[test]
fn a_statement_about_another_digest_is_refused_though_it_is_signed() {
    let elsewhere = format!("sha256:{}", "3".repeat(64));
    for (kind, word) in KINDS {
        let signed = Signed::new();
        restated(&signed.image, kind, &signed.image.platform("amd64"), |statement| {
            statement["subject"] = json!([{ "name": "made", "digest": { "sha256": "3".repeat(64) } }]);
        });
        let message = format!("the {word} statement attached to the linux/amd64 is about something else");
        refused(&signed, "HP603", "linux/amd64", &[&message, &elsewhere]);
    }
}

#[test]
fn a_digest_by_another_algorithm_is_no_subject() {
    let signed = Signed::new();
    let subject = signed.image.index();
    restated(&signed.image, SIGN, &subject, |statement| {
        statement["subject"] = json!([{ "name": subject, "digest": { "sha512": crate::hex(&subject) } }]);
    });
    refused(&signed, "HP603", "index", &["about something else"]);
}

#[test]
fn an_sbom_under_the_type_of_provenance_is_none() {
    let signed = Signed::new();
    let sbom = signed.image.statement(SPDX, &signed.image.index()).statement["predicate"].clone();
    restated(&signed.image, PROVENANCE, &signed.image.index(), |statement| statement["predicate"] = sbom);
    refused(&signed, "HP605", "index", &["the provenance of the index can't be followed", "buildType"]);
    assert_eq!(failures(&signed), [("index".to_owned(), "HP605".to_owned())]);
}

#[test]
fn provenance_under_the_type_of_an_sbom_is_none() {
    for (kind, word) in [(SPDX, "spdxjson"), (CYCLONEDX, "cyclonedx")] {
        let signed = Signed::new();
        let index = signed.image.index();
        let provenance = signed.image.statement(PROVENANCE, &index).statement["predicate"].clone();
        restated(&signed.image, kind, &index, |statement| statement["predicate"] = provenance);
        let message = format!("the {word} statement of the index holds no such document");
        refused(&signed, "HP604", "index", &[&message]);
    }
}

#[test]
fn the_two_formats_of_an_sbom_do_not_stand_for_each_other() {
    for (kind, other) in [(SPDX, CYCLONEDX), (CYCLONEDX, SPDX)] {
        let signed = Signed::new();
        let index = signed.image.index();
        let document = signed.image.statement(other, &index).statement["predicate"].clone();
        restated(&signed.image, kind, &index, |statement| statement["predicate"] = document);
        refused(&signed, "HP604", "index", &["holds no such document", "another format"]);
    }
}

#[test]
fn types_and_statements_that_are_swapped_whole_are_seen_by_what_they_say() {
    // The annotations still say what was there before; only the statements count.
    let signed = Signed::new();
    let index = signed.image.index();
    let (spdx, provenance) =
        (signed.image.statement(SPDX, &index), signed.image.statement(PROVENANCE, &index));
    let (first, second) = (signed.image.bytes(&provenance.bundle), signed.image.bytes(&spdx.bundle));
    signed.image.swap(&spdx, &first);
    signed.image.swap(&provenance, &second);
    verify(&signed.sandbox, "made", &[]).ok();
    let gone = signed.image.of_kind(SPDX, &index).remove(0);
    signed.image.detach(&gone);
    refused(&signed, "HP602", "index", &["the index has no slsaprovenance1 statement"]);
}

#[test]
fn the_sbom_of_one_platform_is_not_that_of_another() {
    for kind in [SPDX, CYCLONEDX] {
        let signed = Signed::new();
        let (amd64, arm64) = (signed.image.platform("amd64"), signed.image.platform("arm64"));
        let (of_amd64, of_arm64) =
            (signed.image.statement(kind, &amd64), signed.image.statement(kind, &arm64));
        signed.image.swap(&of_arm64, &signed.image.bytes(&of_amd64.bundle));
        refused(&signed, "HP603", "linux/arm64", &["attached to the linux/arm64", &amd64, &arm64]);
        // Signed anew as if it were of the other one, it still says itself what it describes.
        let moved = statement(kind, &[&arm64], &of_amd64.statement["predicate"]);
        let there = signed.image.of_kind(kind, &arm64).remove(0);
        signed.image.swap(&there, &trusted().bundle(&moved));
        let words = ["the SBOM of the linux/arm64 is that of another image", &amd64, &arm64];
        refused(&signed, "HP604", "linux/arm64", &words);
    }
}

#[test]
fn replayed_attestations_of_an_older_build_are_refused() {
    for (kind, word) in KINDS {
        let signed = Signed::new();
        let (own, old) = (
            signed.image.statement(kind, &signed.image.index()),
            signed.older.statement(kind, &signed.older.index()),
        );
        signed.image.swap(&own, &signed.older.bytes(&old.bundle));
        let message = format!("the {word} statement attached to the index is about something else");
        refused(&signed, "HP603", "index", &[&message, &old.subject, "replayed"]);
    }
}

#[test]
fn a_replayed_attestation_beside_the_right_one_is_refused_too() {
    let signed = Signed::new();
    let old = signed.older.statement(SPDX, &signed.older.index());
    signed.image.attach(&signed.image.index(), SPDX, &signed.older.bytes(&old.bundle));
    refused(&signed, "HP603", "index", &["somebody moved or replayed it"]);
    assert_eq!(failures(&signed).len(), 1);
}

#[test]
fn what_an_unknown_key_adds_is_passed_over_and_told() {
    let signed = Signed::new();
    let index = signed.image.index();
    let mut sbom = signed.image.statement(SPDX, &index).statement;
    sbom["predicate"]["files"] = json!([]);
    signed.image.attach(&index, SPDX, &Hand::new(8).bundle(&sbom));
    signed.image.attach(
        &index,
        "https://example.org/x",
        &Hand::new(8).bundle(&statement("https://example.org/x", &[&index], &json!({}))),
    );
    let out = verify(&signed.sandbox, "made", &[]).ok();
    assert!(out.stdout.contains("https://example.org/x by a key that is not trusted: passed over"));
}

#[test]
fn a_second_sbom_by_the_trusted_key_is_held_against_the_image_as_well() {
    let signed = Signed::new();
    let index = signed.image.index();
    let mut sbom = signed.image.statement(SPDX, &index).statement;
    let files = sbom["predicate"]["files"].as_array_mut().unwrap();
    files.retain(|file| file["fileName"] != "./usr/bin/hello");
    signed.image.attach(&index, SPDX, &trusted().bundle(&sbom));
    refused(&signed, "HP604", "index", &["/usr/bin/hello is in the image and not listed"]);
}

/// A bundle in place of the index's signature does not read; the words say why.
#[track_caller]
fn unreadable(bytes: &[u8], words: &[&str]) {
    let signed = Signed::new();
    let own = signed.image.statement(SIGN, &signed.image.index());
    signed.image.detach(&own);
    signed.image.attach(&signed.image.index(), SIGN, bytes);
    refused(&signed, "HP510", "index", words);
}

#[test]
fn what_does_not_read_as_a_bundle_is_refused() {
    unreadable(b"garbage", &["does not read as one"]);
    let index = Signed::new().image.index();
    let good = trusted().bundle(&statement(SIGN, &[&index], &json!({})));
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut bundle: Value = serde_json::from_slice(&good).unwrap();
        change(&mut bundle);
        bundle.to_string().into_bytes()
    };
    let twice = changed(&|bundle| {
        let signature = bundle["dsseEnvelope"]["signatures"][0].clone();
        bundle["dsseEnvelope"]["signatures"].as_array_mut().unwrap().push(signature);
    });
    unreadable(&twice, &["2 signatures", "one signature"]);
    unreadable(&changed(&|bundle| bundle["dsseEnvelope"]["signatures"] = json!([])), &["0 signatures"]);
    unreadable(&changed(&|bundle| bundle["more"] = json!(1)), &["more"]);
    unreadable(&changed(&|bundle| bundle["mediaType"] = json!("application/json")), &["the media type"]);
    let keyless = changed(&|bundle| bundle["verificationMaterial"] = json!({}));
    unreadable(&keyless, &["not exactly one of key and certificate"]);
}

#[test]
fn what_does_not_read_as_a_statement_is_refused_though_it_is_signed() {
    let key = trusted();
    unreadable(&key.bundle_of("text/plain", b"{}"), &["a payload of the type `text/plain`"]);
    unreadable(&key.bundle_of(crate::support::IN_TOTO, b"[]"), &["attestation"]);
    let index = Signed::new().image.index();
    let mut wrong = statement(SIGN, &[&index], &json!({}));
    wrong["_type"] = json!("https://example.org/Statement");
    unreadable(&key.bundle(&wrong), &["https://example.org/Statement"]);
    unreadable(&key.bundle(&statement(SIGN, &[], &json!({}))), &["it has no subject"]);
}

#[test]
fn a_signature_over_another_type_of_payload_does_not_count() {
    // What was signed as something else can't be passed off as a statement.
    let signed = Signed::new();
    let own = signed.image.statement(SIGN, &signed.image.index());
    let as_text = trusted().bundle_of("text/plain", &own.payload);
    let mut bundle: Value = serde_json::from_slice(&as_text).unwrap();
    bundle["dsseEnvelope"]["payloadType"] = json!(crate::support::IN_TOTO);
    signed.image.swap(&own, bundle.to_string().as_bytes());
    refused(&signed, "HP602", "index", &["its key did not make"]);
}

#[test]
fn a_certificate_is_no_key() {
    let signed = Signed::new();
    let own = signed.image.statement(SIGN, &signed.image.index());
    let mut bundle: Value = serde_json::from_slice(&signed.image.bytes(&own.bundle)).unwrap();
    bundle["verificationMaterial"] = json!({ "certificate": { "rawBytes": "MAA=" } });
    signed.image.swap(&own, bundle.to_string().as_bytes());
    refused(&signed, "HP602", "index", &["a signature by a certificate"]);
}
