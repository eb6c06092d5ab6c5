//! Bundles: their bytes, what is refused, and whose they are.

use proptest::prelude::*;

use super::super::private::tests::key;
use super::super::{KeySigner, Signer as _};
use super::*;

const TYPE: &str = "application/vnd.in-toto+json";

fn signed(number: u8, payload: &[u8]) -> Vec<u8> {
    KeySigner::new(key(number), "a key").bundle(TYPE, payload).expect("signed")
}

fn refused(bytes: &[u8]) -> String {
    let failure = Bundle::parse(bytes).expect_err("refused");
    assert!(failure.is(codes::BAD_BUNDLE), "{failure:?}");
    failure.problems()[0].facts[0].1.clone()
}

/// The JSON of a good bundle, changed.
fn changed(change: impl Fn(&mut Value)) -> Vec<u8> {
    let mut json = serde_json::from_slice(&signed(1, b"{}")).expect("ours");
    change(&mut json);
    json.to_string().into_bytes()
}

/// Something done to a bundle's JSON.
type Change<'a> = &'a dyn Fn(&mut Value);

#[test]
fn the_bytes_of_a_bundle_are_these() {
    let golden = concat!(
        r#"{"dsseEnvelope":{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"MEUCIDXlpGetxCxEQdJ92BSBrJPOgNlQv4sdkOqCGoFK1ZNnAiEA+IaDgl9xJLqwEh3SxF+DQvbH2yo/GrmZLbvCg7cxfm4="}]},"#,
        r#""mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","#,
        r#""verificationMaterial":{"publicKey":{"hint":"+FeuTtbjTjN2Guolyq7j/lShWWD7ktzWOjdasSHesqk="}}}"#,
    );
    assert_eq!(String::from_utf8(signed(1, b"{}")).as_deref(), Ok(golden));
}

#[test]
fn any_flipped_bit_of_a_bundle_is_refused() {
    let bundle = signed(1, b"{\"a\":1}");
    let keys = [key(1).public()];
    let good = Bundle::parse(&bundle).expect("reads");
    assert_eq!(good.verify(&keys), Ok(VerifiedBy { key: keys[0].clone(), index: 0 }));
    for at in 0..bundle.len() {
        for bit in 0..8 {
            let mut other = bundle.clone();
            other[at] ^= 1 << bit;
            let verified = Bundle::parse(&other).and_then(|bundle| bundle.verify(&keys));
            assert!(verified.is_err(), "bit {bit} of byte {at}: {}", String::from_utf8_lossy(&other));
        }
    }
    for length in 0..bundle.len() {
        assert!(Bundle::parse(&bundle[..length]).is_err());
    }
}

#[test]
fn a_bundle_says_which_key_signed_it() {
    let keys = [key(2).public(), key(1).public()];
    let bundle = Bundle::parse(&signed(1, b"{}")).expect("reads");
    assert_eq!(bundle.verify(&keys).expect("signed").index, 1);
    let failure = bundle.verify(&keys[..1]).expect_err("another key");
    assert!(failure.is(codes::NOT_SIGNED));
    let said = format!("{failure:?}");
    assert!(said.contains("another key"), "{said}");
    assert!(said.contains(&key(1).public().hint()), "{said}");
    assert!(said.contains(&key(2).public().fingerprint().to_string()), "{said}");
    assert!(bundle.verify(&[]).expect_err("none").is(codes::NOT_SIGNED));
}

#[test]
fn a_bundle_under_the_name_of_another_key_is_not_its() {
    // Signed by key 1, named 2.
    let bytes =
        changed(|json| json["verificationMaterial"]["publicKey"]["hint"] = key(2).public().hint().into());
    let bundle = Bundle::parse(&bytes).expect("reads");
    let said = format!("{:?}", bundle.verify(&[key(1).public(), key(2).public()]).expect_err("not its"));
    assert!(said.contains("did not make"), "{said}");
}

#[test]
fn a_bundle_that_names_no_key_is_tried_with_all() {
    let bytes = changed(|json| json["verificationMaterial"]["publicKey"] = json!({}));
    let bundle = Bundle::parse(&bytes).expect("reads");
    assert_eq!(bundle.verify(&[key(2).public(), key(1).public()]).expect("signed").index, 1);
    assert!(format!("{:?}", bundle.verify(&[key(2).public()])).contains("not named"));
}

#[test]
fn a_payload_signed_as_another_type_does_not_verify() {
    let bytes = changed(|json| json["dsseEnvelope"]["payloadType"] = "text/plain".into());
    let bundle = Bundle::parse(&bytes).expect("reads");
    assert!(bundle.verify(&[key(1).public()]).expect_err("another type").is(codes::NOT_SIGNED));
}

#[test]
fn the_older_versions_read_and_others_do_not() {
    for version in ["0.1", "0.2", "0.3"] {
        let media_type = format!("application/vnd.dev.sigstore.bundle+json;version={version}");
        let bytes = changed(|json| json["mediaType"] = media_type.clone().into());
        assert!(Bundle::parse(&bytes).is_ok(), "{version}");
    }
    assert!(refused(&changed(|json| json["mediaType"] = "text/html".into())).contains("text/html"));
}

#[test]
fn what_is_not_quite_a_bundle_is_named() {
    let payload = |json: &mut Value| json["dsseEnvelope"]["payload"] = "e30".into();
    let url_safe = |json: &mut Value| json["dsseEnvelope"]["payload"] = "_w==".into();
    let two = |json: &mut Value| {
        let one = json["dsseEnvelope"]["signatures"][0].clone();
        json["dsseEnvelope"]["signatures"] = json!([one, one]);
    };
    let none = |json: &mut Value| json["dsseEnvelope"]["signatures"] = json!([]);
    let strange = |json: &mut Value| json["dsseEnvelope"]["extra"] = 1.into();
    let both = |json: &mut Value| json["verificationMaterial"]["certificate"] = json!({ "rawBytes": "AA==" });
    let neither = |json: &mut Value| json["verificationMaterial"] = json!({});
    let message = |json: &mut Value| {
        json.as_object_mut().expect("one").remove("dsseEnvelope");
        json["messageSignature"] = json!({});
    };
    let empty = |json: &mut Value| {
        json.as_object_mut().expect("one").remove("dsseEnvelope");
    };
    let cases: [(Change, &str); 9] = [
        (&payload, "not base64"),
        (&url_safe, "not base64"),
        (&two, "2 signatures"),
        (&none, "0 signatures"),
        (&strange, "unknown field"),
        (&both, "exactly one"),
        (&neither, "exactly one"),
        (&message, "messageSignature"),
        (&empty, "no `dsseEnvelope`"),
    ];
    for (change, found) in cases {
        let said = refused(&changed(change));
        assert!(said.contains(found), "{said}");
    }
    for garbage in ["", "{}", "null", "[]", "\u{0}", "{\"mediaType\":1}"] {
        refused(garbage.as_bytes());
    }
    refused(&vec![b'['; 100_000]);
    let twice = String::from_utf8(signed(1, b"{}")).expect("text").replacen('{', "{\"mediaType\":\"x\",", 1);
    assert!(refused(twice.as_bytes()).contains("duplicate"));
}

#[test]
fn a_bundle_by_certificate_reads_back_and_no_key_verifies_it() {
    let material = Material::Certificate {
        chain: vec![vec![1, 2, 3]],
        log_entries: vec![json!({ "logIndex": "1" })],
        timestamps: Some(json!({})),
    };
    let bytes = write_bundle(TYPE, b"{}", b"x", &material);
    let bundle = Bundle::parse(&bytes).expect("reads");
    assert_eq!(*bundle.material(), material);
    assert!(format!("{:?}", bundle.verify(&[key(1).public()])).contains("certificate"));
}

#[test]
fn the_envelope_of_a_bundle_holds_the_same_payload_and_signature() {
    let bundle = Bundle::parse(&signed(1, b"{}")).expect("reads");
    let envelope: Value = serde_json::from_slice(&bundle.envelope()).expect("JSON");
    assert_eq!(envelope["payload"], "e30=");
    assert_eq!(envelope["payloadType"], TYPE);
    let signature = STANDARD.encode(bundle.signature());
    assert_eq!(envelope["signatures"], json!([{ "keyid": "", "sig": signature }]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_payload_round_trips(payload in proptest::collection::vec(any::<u8>(), 0..2000), kind in "\\PC{0,40}") {
        let signer = KeySigner::new(key(1), "a key");
        let bytes = signer.bundle(&kind, &payload).expect("signed");
        prop_assert_eq!(&bytes, &signer.bundle(&kind, &payload).expect("signed"));
        let bundle = Bundle::parse(&bytes).expect("reads");
        prop_assert_eq!(bundle.payload(), &payload[..]);
        prop_assert_eq!(bundle.payload_type(), &kind[..]);
        prop_assert!(bundle.verify(&[key(1).public()]).is_ok());
    }
}
