//! Bundles with certificates: the good ones, and each way in which one is not.

use hardpan::diag::codes::NOT_SIGNED;
use hardpan::sign::Keys;
use serde_json::{Value, json};

use super::support::{Plan, Sigstore, base64_of, bytes_of};
use super::{ISSUER, NAME, read, said, trust};

/// Something done to a plan, and to an entry.
type PlanChange = fn(&mut Plan);
type Change = fn(&mut Value);

/// Why a bundle is not believed.
fn refused(sigstore: &Sigstore, bundle: &Value) -> String {
    said(trust(&sigstore.trusted_root()).verify(&read(bundle)), NOT_SIGNED)
}

#[test]
fn good_bundles_are_believed_by_either_version_of_the_log_and_by_a_clock() {
    let sigstore = Sigstore::start();
    let keys = trust(&sigstore.trusted_root());
    let now = super::support::now();
    for (version, stamped) in [(1, None), (1, Some(now + 2)), (2, Some(now + 2))] {
        let bundle = sigstore.bundle(|plan| (plan.version, plan.stamped) = (version, stamped));
        assert_eq!(keys.verify(&read(&bundle)), Ok(format!("{NAME} (by {ISSUER})")), "{version} {stamped:?}");
    }
    let old = sigstore.bundle(|plan| plan.old_issuer = Some(ISSUER.into()));
    keys.verify(&read(&old)).expect("both places for the issuer agree");
}

#[test]
fn nobody_is_believed_unless_named() {
    let sigstore = Sigstore::start();
    let bundle = read(&sigstore.bundle(|_| {}));
    let why = said(Keys::default().verify(&bundle), NOT_SIGNED);
    assert!(why.contains("by a certificate"), "{why}");
    let root =
        hardpan::sign::TrustedRoot::parse(sigstore.trusted_root().to_string().as_bytes()).expect("ours");
    for (name, issuer) in [
        ("other@hardpan.example", ISSUER),
        ("builder@hardpan.exampl", ISSUER),
        ("BUILDER@hardpan.example", ISSUER),
        (NAME, "https://issuer.example/"),
        (NAME, "https://other.example"),
    ] {
        let keys = Keys::default().with_identity(name, issuer, &root).expect("enough");
        let why = said(keys.verify(&bundle), NOT_SIGNED);
        assert!(why.contains(if issuer == ISSUER { NAME } else { ISSUER }), "{why}");
        // Of several that are named, one is enough.
        keys.with_identity(NAME, ISSUER, &root).expect("enough").verify(&bundle).expect("verified");
    }
    assert!(Keys::default().with_identity("", ISSUER, &root).is_err());
}

#[test]
fn certificates_that_do_not_hold_are_not_believed() {
    let sigstore = Sigstore::start();
    let cases: [(PlanChange, &str); 12] = [
        (|plan| plan.name = "other@hardpan.example".into(), "other@hardpan.example"),
        (|plan| plan.names = 2, "other1@hardpan.example"),
        (|plan| plan.names = 0, "nobody"),
        (|plan| plan.issuer = "https://other.example".into(), "https://other.example"),
        (|plan| plan.old_issuer = Some("https://other.example".into()), "does not say who vouches"),
        (|plan| plan.integrated = plan.until + 1, "CertExpired"),
        (|plan| plan.integrated = plan.from - 1, "CertNotValidYet"),
        (|plan| plan.stranger = true, "UnknownIssuer"),
        (|plan| plan.seen = false, "no trusted certificate log"),
        (|plan| plan.purpose = 2, "does not hold"),
        (|plan| plan.key = 2, "key did not make"),
        (|plan| plan.stamped = Some(plan.until + 1), "CertExpired"),
    ];
    for (change, why) in cases {
        let said = refused(&sigstore, &sigstore.bundle(change));
        assert!(said.contains(why), "{why}: {said}");
    }
}

#[test]
fn log_entries_that_do_not_hold_are_not_believed() {
    let sigstore = Sigstore::start();
    let cases: [(Change, &str); 12] = [
        (|entry| entry["inclusionProof"]["hashes"][1] = json!(base64_of([0; 32])), "does not hold"),
        (|entry| entry["inclusionProof"]["logIndex"] = json!("3"), "does not hold"),
        (|entry| entry["inclusionProof"]["hashes"] = json!([]), "does not hold"),
        (|entry| entry["inclusionProof"]["treeSize"] = json!("99"), "another tree"),
        (|entry| entry["inclusionProof"]["rootHash"] = json!(base64_of([0; 32])), "another tree"),
        (|entry| flip_text(&mut entry["inclusionProof"]["checkpoint"]["envelope"], 20), "checkpoint"),
        (|entry| entry["inclusionProof"]["checkpoint"]["envelope"] = json!(""), "checkpoint"),
        (
            |entry| flip_bytes(&mut entry["inclusionPromise"]["signedEntryTimestamp"], 20),
            "signed entry timestamp",
        ),
        (|entry| entry["integratedTime"] = json!("1700000000"), "signed entry timestamp"),
        (|entry| entry["logIndex"] = json!("1"), "signed entry timestamp"),
        (|entry| entry["kindVersion"]["version"] = json!("0.0.3"), "does not know"),
        (|entry| entry["logId"]["keyId"] = json!(base64_of([0; 32])), "no entry of a trusted log"),
    ];
    for (change, why) in cases {
        let mut bundle = sigstore.bundle(|_| {});
        change(&mut bundle["verificationMaterial"]["tlogEntries"][0]);
        let said = refused(&sigstore, &bundle);
        assert!(said.contains(why), "{why}: {said}");
    }
}

fn flip_text(value: &mut Value, at: usize) {
    let text = value.as_str().unwrap();
    let other = if &text[at..=at] == "1" { "2" } else { "1" };
    *value = json!(format!("{}{other}{}", &text[..at], &text[at + 1..]));
}

fn flip_bytes(value: &mut Value, at: usize) {
    let mut bytes = bytes_of(value);
    bytes[at] ^= 1;
    *value = json!(base64_of(bytes));
}

#[test]
fn an_entry_about_something_else_is_not_believed() {
    let sigstore = Sigstore::start();
    for version in [1, 2] {
        let stamped = Some(super::support::now());
        let bundle = sigstore.bundle(|plan| {
            (plan.version, plan.stamped, plan.logged) = (version, stamped, Some(b"{\"b\":2}".to_vec()));
        });
        assert!(refused(&sigstore, &bundle).contains("about something else"));
        // The same statement, signed by another certificate.
        let mut bundle = sigstore.bundle(|plan| (plan.version, plan.stamped) = (version, stamped));
        let other = sigstore.bundle(|plan| (plan.version, plan.until) = (version, plan.until + 60));
        bundle["verificationMaterial"]["tlogEntries"] = other["verificationMaterial"]["tlogEntries"].clone();
        assert!(refused(&sigstore, &bundle).contains("about something else"));
    }
}

#[test]
fn a_checkpoint_of_another_log_proves_nothing() {
    let sigstore = Sigstore::start();
    let mut root = sigstore.trusted_root();
    // The log's name with another's key.
    root["tlogs"][0]["publicKey"]["rawBytes"] = root["ctlogs"][0]["publicKey"]["rawBytes"].clone();
    let why = said(trust(&root).verify(&read(&sigstore.bundle(|_| {}))), NOT_SIGNED);
    assert!(why.contains("did not sign"), "{why}");
    let mut root = sigstore.trusted_root();
    root["tlogs"][1]["publicKey"]["rawBytes"] = root["ctlogs"][0]["publicKey"]["rawBytes"].clone();
    let bundle = sigstore.bundle(|plan| (plan.version, plan.stamped) = (2, Some(super::support::now())));
    let why = said(trust(&root).verify(&read(&bundle)), NOT_SIGNED);
    assert!(why.contains("did not sign"), "{why}");
}

#[test]
fn a_time_must_be_vouched_for() {
    let sigstore = Sigstore::start();
    let now = super::support::now();
    let why = refused(&sigstore, &sigstore.bundle(|plan| plan.version = 2));
    assert!(why.contains("no time"), "{why}");
    // Version 1 without its promise: the time in the entry is nobody's word.
    let mut bundle = sigstore.bundle(|_| {});
    bundle["verificationMaterial"]["tlogEntries"][0].as_object_mut().unwrap().remove("inclusionPromise");
    assert!(refused(&sigstore, &bundle).contains("no time"));
    let mut bundle = sigstore.bundle(|_| {});
    bundle["verificationMaterial"]["tlogEntries"] = json!([]);
    assert!(refused(&sigstore, &bundle).contains("no log entry"));
    // A clock that nobody trusts, or that is none, or of another signature.
    let good = sigstore.bundle(|plan| (plan.version, plan.stamped) = (2, Some(now)));
    let mut root = sigstore.trusted_root();
    root["timestampAuthorities"] = root["certificateAuthorities"].clone();
    let why = said(trust(&root).verify(&read(&good)), NOT_SIGNED);
    assert!(why.contains("not trusted"), "{why}");
    root["timestampAuthorities"] = json!([]);
    assert!(said(trust(&root).verify(&read(&good)), NOT_SIGNED).contains("no time"));
    let wrong = sigstore.bundle(|plan| (plan.version, plan.stamped, plan.clock_purpose) = (2, Some(now), 3));
    let mut root = sigstore.trusted_root();
    root["timestampAuthorities"][0]["certChain"]["certificates"].as_array_mut().unwrap().remove(0);
    assert!(said(trust(&root).verify(&read(&wrong)), NOT_SIGNED).contains("not trusted"));
    let mut moved = good.clone();
    let other = sigstore.bundle(|plan| (plan.payload, plan.stamped) = (b"{}".to_vec(), Some(now)));
    moved["verificationMaterial"]["timestampVerificationData"] =
        other["verificationMaterial"]["timestampVerificationData"].clone();
    assert!(refused(&sigstore, &moved).contains("over another signature"));
}

#[test]
fn every_byte_of_a_timestamp_counts() {
    let sigstore = Sigstore::start();
    let good = sigstore.bundle(|plan| (plan.version, plan.stamped) = (2, Some(super::support::now())));
    let keys = trust(&sigstore.trusted_root());
    keys.verify(&read(&good)).expect("verified");
    let place = "/verificationMaterial/timestampVerificationData/rfc3161Timestamps/0/signedTimestamp";
    let length = bytes_of(good.pointer(place).unwrap()).len();
    let mut believed = Vec::new();
    for at in 0..length {
        let mut bundle = good.clone();
        flip_bytes(bundle.pointer_mut(place).unwrap(), at);
        if keys.verify(&read(&bundle)).is_ok() {
            believed.push(at);
        }
    }
    // What is not signed, and not looked at: versions, names of algorithms beside those that are used,
    // and the certificate, which the trusted root has as well.
    assert!(believed.len() < length * 3 / 5, "{} of {length}", believed.len());
}

#[test]
fn floods_of_entries_are_not_looked_at() {
    let sigstore = Sigstore::start();
    let mut bundle = sigstore.bundle(|_| {});
    let entry = bundle["verificationMaterial"]["tlogEntries"][0].clone();
    bundle["verificationMaterial"]["tlogEntries"] = vec![entry; 17].into();
    assert!(refused(&sigstore, &bundle).contains("at most"));
}

#[test]
fn other_payloads_and_flipped_signatures_are_not_believed() {
    let sigstore = Sigstore::start();
    let mut bundle = sigstore.bundle(|_| {});
    bundle["dsseEnvelope"]["payload"] = json!(base64_of(b"{}"));
    assert!(refused(&sigstore, &bundle).contains("key did not make"));
    let mut bundle = sigstore.bundle(|_| {});
    bundle["dsseEnvelope"]["payloadType"] = json!("text/plain");
    assert!(refused(&sigstore, &bundle).contains("key did not make"));
}

#[test]
fn a_certificate_flipped_anywhere_is_refused_and_nothing_panics() {
    let sigstore = Sigstore::start();
    let good = sigstore.bundle(|_| {});
    let keys = trust(&sigstore.trusted_root());
    let length = bytes_of(&good["verificationMaterial"]["certificate"]["rawBytes"]).len();
    for at in 0..length {
        let mut bundle = good.clone();
        flip_bytes(&mut bundle["verificationMaterial"]["certificate"]["rawBytes"], at);
        assert!(keys.verify(&read(&bundle)).is_err(), "byte {at}");
    }
}
