//! One flipped byte, anywhere: where it is, and with every digest around it put right.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::support::signed::{Signed, trusted};
use crate::support::{bundle, flip};
use crate::{CYCLONEDX, KINDS, PROVENANCE, SIGN, SPDX, failures, hex, named, refused, resigned, verify};

/// Flips a byte in the middle of a blob; the image is refused, and the blob named.
#[track_caller]
fn flipped(signed: &Signed, of: &str, digest: &str) {
    let middle = signed.image.bytes(digest).len() / 2;
    signed.image.flip(digest, middle);
    refused(signed, "HP508", of, &[hex(digest)]);
}

#[test]
fn the_image_itself_passes() {
    let signed = Signed::new();
    for image in ["made", "older"] {
        let out = verify(&signed.sandbox, image, &[]).ok();
        assert!(!out.stdout.contains("FAILED") && out.stdout.ends_with('\n'));
    }
    let out = verify(&signed.sandbox, "made", &["--quiet"]).ok();
    assert_eq!(out.stdout, format!("{}\n", signed.image.index()));
}

#[test]
fn a_flipped_byte_in_a_layer_is_named() {
    for architecture in ["amd64", "arm64"] {
        let signed = Signed::new();
        let manifest = signed.image.json(&signed.image.platform(architecture));
        let of = format!("linux/{architecture}");
        let out = {
            flipped(&signed, &of, manifest["layers"][0]["digest"].as_str().unwrap());
            verify(&signed.sandbox, "made", &[]).says("layer 0 ")
        };
        // Nothing else is wrong, and the other platform is looked at all the same.
        assert_eq!(out.stdout.matches("FAILED").count(), 1, "{}", out.stdout);
    }
}

#[test]
fn a_layer_that_is_packed_in_another_way_is_named_though_it_holds_the_same() {
    let signed = Signed::new();
    let manifest = signed.image.json(&signed.image.platform("amd64"));
    let digest = manifest["layers"][0]["digest"].as_str().unwrap();
    // The system that packed it, which nobody reads (RFC 1952, section 2.3).
    signed.image.flip(digest, 9);
    refused(&signed, "HP508", "linux/amd64", &["layer 0", hex(digest)]);
}

#[test]
fn bytes_behind_the_end_of_a_layer_are_seen() {
    let signed = Signed::new();
    let manifest = signed.image.json(&signed.image.platform("amd64"));
    let digest = manifest["layers"][0]["digest"].as_str().unwrap();
    let bytes = [signed.image.bytes(digest), b"more".to_vec()].concat();
    std::fs::write(signed.image.path(digest), bytes).unwrap();
    refused(&signed, "HP508", "linux/amd64", &[hex(digest)]);
}

#[test]
fn a_flipped_byte_in_configuration_manifest_or_index_is_named() {
    let place = |which: &str| {
        let signed = Signed::new();
        let manifest = signed.image.platform("amd64");
        let config = signed.image.json(&manifest)["config"]["digest"].as_str().unwrap().to_owned();
        let digest = match which {
            "index" => signed.image.index(),
            "manifest" => manifest,
            _ => config,
        };
        flipped(&signed, "image", &digest);
    };
    ["index", "manifest", "config"].into_iter().for_each(place);
}

#[test]
fn a_flipped_byte_in_any_bundle_is_named() {
    for (kind, _) in KINDS {
        for (of, subject) in named(&Signed::new().image) {
            let signed = Signed::new();
            flipped(&signed, of, &signed.image.statement(kind, &subject).bundle);
        }
    }
}

#[test]
fn a_flipped_byte_in_what_attaches_a_statement_is_named() {
    let signed = Signed::new();
    let attached = signed.image.statement(SPDX, &signed.image.platform("arm64"));
    flipped(&signed, "image", &attached.manifest);
}

/// The parts of a bundle.
fn parts(bytes: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let value: serde_json::Value = serde_json::from_slice(bytes).unwrap();
    let decode = |value: &serde_json::Value| STANDARD.decode(value.as_str().unwrap()).unwrap();
    (decode(&value["dsseEnvelope"]["payload"]), decode(&value["dsseEnvelope"]["signatures"][0]["sig"]))
}

#[test]
fn a_flipped_byte_in_a_statement_with_all_digests_put_right_is_caught_by_its_signature() {
    for (kind, word) in KINDS {
        let signed = Signed::new();
        let attached = signed.image.statement(kind, &signed.image.index());
        let (mut payload, signature) = parts(&signed.image.bytes(&attached.bundle));
        // A digit of a digest or a letter of a name: JSON all the same.
        let at = payload.windows(4).position(|window| window == b"made").unwrap();
        payload[at] ^= 1;
        let changed = bundle("application/vnd.in-toto+json", &payload, &signature, &trusted().hint());
        signed.image.swap(&attached, &changed);
        let message = format!("the {word} statement of the index is not signed by a trusted key");
        refused(&signed, "HP602", "index", &[&message, "its key did not make"]);
        assert_eq!(failures(&signed).len(), 1, "{kind}");
    }
}

#[test]
fn a_flipped_byte_in_a_signature_with_all_digests_put_right_is_caught() {
    for (kind, word) in KINDS {
        let signed = Signed::new();
        let attached = signed.image.statement(kind, &signed.image.platform("arm64"));
        let (payload, mut signature) = parts(&signed.image.bytes(&attached.bundle));
        *signature.last_mut().unwrap() ^= 1;
        let changed = bundle("application/vnd.in-toto+json", &payload, &signature, &trusted().hint());
        signed.image.swap(&attached, &changed);
        let message = format!("the {word} statement of the linux/arm64 is not signed");
        refused(&signed, "HP602", "linux/arm64", &[&message]);
        assert_eq!(failures(&signed).len(), 1, "{kind}");
    }
}

#[test]
fn a_bundle_that_names_another_key_is_not_tried_with_ours() {
    let signed = Signed::new();
    let attached = signed.image.statement(SIGN, &signed.image.index());
    let (payload, signature) = parts(&signed.image.bytes(&attached.bundle));
    let other = crate::support::Hand::new(8).hint();
    signed.image.swap(&attached, &bundle("application/vnd.in-toto+json", &payload, &signature, &other));
    refused(&signed, "HP602", "index", &["by another key", &other]);
    // One that names none is tried with all.
    let attached = signed.image.statement(SIGN, &signed.image.index());
    signed.image.swap(&attached, &bundle("application/vnd.in-toto+json", &payload, &signature, ""));
    verify(&signed.sandbox, "made", &[]).ok();
}

#[test]
fn a_changed_configuration_with_all_digests_put_right_has_no_signature() {
    let signed = Signed::new();
    signed.image.change_config("amd64", false, |config| config["config"]["User"] = json!("0:0"));
    refused(&signed, "HP602", "index", &["the index has no sign statement", "nothing signed"]);
    let failed = failures(&signed);
    // The platform that was changed and the index lack all; the other has its own still.
    assert_eq!(failed.len(), 8, "{failed:?}");
    assert!(failed.iter().all(|(of, code)| of != "linux/arm64" && code == "HP602"));
}

#[test]
fn a_changed_configuration_with_its_old_statements_moved_along_is_not_what_they_are_about() {
    let signed = Signed::new();
    let old = signed.image.platform("amd64");
    signed.image.change_config("amd64", true, |config| config["config"]["User"] = json!("0:0"));
    let new = signed.image.platform("amd64");
    let words = ["the sign statement attached to the linux/amd64 is about something else", &old, &new];
    refused(&signed, "HP603", "linux/amd64", &words);
    assert!(failures(&signed).iter().any(|(of, code)| of == "index" && code == "HP603"));
}

#[test]
fn a_diff_id_that_is_not_the_layers_is_named_even_if_it_is_signed() {
    let signed = Signed::new();
    let wrong = format!("sha256:{}", "5".repeat(64));
    resigned(&signed.image, &trusted(), |image| {
        image.change_config("arm64", false, |config| config["rootfs"]["diff_ids"][0] = json!(wrong));
    });
    refused(&signed, "HP508", "linux/arm64", &["layer 0", &wrong]);
    assert_eq!(failures(&signed).len(), 1);
}

#[test]
fn a_layer_too_few_in_the_configuration_is_named() {
    let signed = Signed::new();
    resigned(&signed.image, &trusted(), |image| {
        image.change_config("arm64", false, |config| config["rootfs"]["diff_ids"] = json!([]));
    });
    refused(&signed, "HP508", "linux/arm64", &["layer 0", "diff id none"]);
}

#[test]
fn a_blob_that_is_gone_is_named() {
    for kind in [PROVENANCE, CYCLONEDX] {
        let signed = Signed::new();
        let attached = signed.image.statement(kind, &signed.image.index());
        std::fs::remove_file(signed.image.path(&attached.bundle)).unwrap();
        refused(&signed, "HP509", "index", &[hex(&attached.bundle), "is missing"]);
    }
    let signed = Signed::new();
    std::fs::remove_file(signed.image.path(&signed.image.platform("amd64"))).unwrap();
    refused(&signed, "HP509", "image", &["is missing"]);
}

/// Numbers that look random and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most
    }
}

#[test]
fn any_flipped_byte_of_any_blob_that_says_something_is_refused() {
    let signed = Signed::new();
    let mut numbers = Numbers(7);
    // The configuration of artifacts is the same two bytes everywhere, and has a test of its own.
    let digests: Vec<String> =
        signed.image.digests().into_iter().filter(|digest| signed.image.bytes(digest) != b"{}").collect();
    for round in 0..72 {
        let digest = &digests[round % digests.len()];
        let at = numbers.below(signed.image.bytes(digest).len());
        signed.image.flip(digest, at);
        let out = verify(&signed.sandbox, "made", &[]).exits(6).says("HP601");
        assert!(out.stderr.contains(hex(digest)), "byte {at} of {digest}:\n{}", out.stderr);
        signed.image.flip(digest, at);
    }
    verify(&signed.sandbox, "made", &[]).ok();
}

#[test]
fn a_flipped_byte_of_the_layouts_own_index_never_makes_another_image_pass() {
    let signed = Signed::new();
    let path = signed.image.0.join("index.json");
    let length = std::fs::read(&path).unwrap().len();
    let mut numbers = Numbers(11);
    let mut passed = 0;
    for _ in 0..60 {
        let at = numbers.below(length);
        flip(&path, at);
        let out = verify(&signed.sandbox, "made", &["--quiet"]);
        match out.code {
            // A tag's name, a note: nothing of the image.
            0 => {
                passed += 1;
                assert!(signed.image.digests().contains(&out.stdout.trim().to_owned()));
                assert_eq!(out.stdout.trim(), format!("sha256:{}", hex(out.stdout.trim())));
            }
            6 => assert!(out.stderr.contains("HP601")),
            other => panic!("exit code {other} after byte {at}:\n{}", out.stderr),
        }
        flip(&path, at);
    }
    assert!(passed < 40, "{passed} of 60 were not noticed");
}
