//! Trusted roots and signing configs that are garbage, or not enough.

use hardpan::diag::codes::{BAD_BUNDLE, CONFIG};
use hardpan::sign::{Keys, TrustedRoot};
use serde_json::{Value, json};

use super::support::base64_of;
use super::{Desk, ISSUER, NAME, said};

/// Something done to a file's content, and a place in it.
type Change = fn(&mut Value);
type Place = fn(&mut Value) -> &mut Value;

#[test]
fn a_trusted_root_that_is_garbage_is_refused_by_who_signs_and_who_verifies() {
    let cases: [(Change, &str); 11] = [
        (|root| *root = json!("garbage"), "no media type"),
        (|root| root["mediaType"] = json!("text/plain"), "text/plain"),
        (|root| *root = json!({ "mediaType": root["mediaType"] }), "no certificate authority"),
        (|root| root["tlogs"] = json!([]), "no transparency log"),
        (|root| root["tlogs"][0] = json!({}), "publicKey"),
        (|root| root["tlogs"][0]["publicKey"]["rawBytes"] = json!(base64_of(b"garbage")), "DER"),
        (|root| root["tlogs"][0]["publicKey"]["rawBytes"] = json!("*"), "base64"),
        (|root| root["tlogs"][0]["publicKey"]["validFor"]["start"] = json!("yesterday"), "yesterday"),
        (
            |root| root["certificateAuthorities"][0]["certChain"]["certificates"] = json!([]),
            "without a certificate",
        ),
        (
            |root| {
                root["certificateAuthorities"][0]["certChain"]["certificates"][1]["rawBytes"] =
                    json!(base64_of(b"\x30\x02\x30\x00"));
            },
            "no certificate",
        ),
        (
            |root| {
                root["timestampAuthorities"][0]["certChain"]["certificates"][0]["rawBytes"] = json!("AAAA");
            },
            "DER",
        ),
    ];
    for (change, why) in cases {
        let desk = Desk::new(1);
        let mut root = desk.sigstore.trusted_root();
        change(&mut root);
        desk.sandbox.write("root.json", root.to_string());
        let signing = desk.refused(BAD_BUNDLE);
        let trust = TrustedRoot::parse(root.to_string().as_bytes())
            .and_then(|root| Keys::default().with_identity(NAME, ISSUER, &root));
        let verifying = said(trust, BAD_BUNDLE);
        assert!(signing.contains(why) && verifying.contains(why), "{why}: {signing} {verifying}");
    }
    let desk = Desk::new(1);
    desk.sandbox.write("root.json", b"\xff\x00{");
    assert!(desk.refused(BAD_BUNDLE).contains("no JSON"));
    desk.sandbox.write("root.json", "");
    assert!(desk.refused(BAD_BUNDLE).contains("root.json"));
}

#[test]
fn a_signing_config_that_is_garbage_is_refused() {
    let cases: [(Change, &str); 6] = [
        (|config| *config = json!([]), "signing config"),
        (|config| config["mediaType"] = json!("text/plain"), "text/plain"),
        (|config| config["caUrls"] = json!([]), "no certificate authority"),
        (|config| config["caUrls"][0]["url"] = json!("http://ca.example"), "https://"),
        (
            |config| config["caUrls"][0]["validFor"]["end"] = json!("2024-01-01T00:00:00Z"),
            "no certificate authority",
        ),
        (|config| config["rekorTlogUrls"][0]["majorApiVersion"] = json!(9), "no transparency log"),
    ];
    for (change, why) in cases {
        let desk = Desk::new(1);
        let mut config = desk.sigstore.signing_config(1, false);
        change(&mut config);
        desk.sandbox.write("config.json", config.to_string());
        let said = desk.refused(CONFIG);
        assert!(said.contains(why), "{why}: {said}");
    }
    let desk = Desk::new(1);
    desk.sandbox.write("config.json", desk.sigstore.signing_config(2, false).to_string());
    assert!(desk.refused(CONFIG).contains("no timestamp authority"));
}

#[test]
fn who_is_trusted_is_trusted_for_its_time_only() {
    let desk = Desk::new(1);
    let bundle = super::read(&desk.sigstore.bundle(|_| {}));
    desk.trust().verify(&bundle).expect("verified");
    let places: [Place; 3] = [
        |root| &mut root["certificateAuthorities"][0]["validFor"],
        |root| &mut root["tlogs"][0]["publicKey"]["validFor"],
        |root| &mut root["ctlogs"][0]["publicKey"]["validFor"],
    ];
    for place in places {
        let mut root = desk.sigstore.trusted_root();
        place(&mut root)["end"] = json!("2024-01-01T00:00:00Z");
        super::said(super::trust(&root).verify(&bundle), hardpan::diag::codes::NOT_SIGNED);
    }
}
