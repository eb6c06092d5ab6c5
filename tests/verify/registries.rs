//! Registries that hand out something else than was published.

use serde_json::{Value, json};

use crate::support::signed::Signed;
use crate::support::{Auth, Flaw, Hand, Output, Registry, sha256_hex};
use crate::{KINDS, SPDX, verify};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// The image, published, and the reference of its tag.
fn published() -> (Signed, Registry, String) {
    let (signed, registry) = (Signed::new(), Registry::start());
    let to = format!("{}/team", registry.host());
    signed.sandbox.hardpan(&["publish", "made", "--to", &to, "--key", "team.pem"]).ok();
    (signed, registry, format!("{to}/made:latest"))
}

/// Verifies it from the registry, with nothing in the store.
fn afresh(signed: &Signed, reference: &str) -> Output {
    let store = signed.sandbox.path("fresh-store");
    let _ = std::fs::remove_dir_all(&store);
    verify(&signed.sandbox, reference, &["--store", &store.display().to_string()])
}

/// Changes the list of what refers to the image's index.
fn relisted(registry: &Registry, index: &str, change: impl FnOnce(&mut Vec<Value>)) {
    let tag = index.replace(':', "-");
    let mut list = registry.manifest("team/made", &tag).unwrap();
    change(list["manifests"].as_array_mut().unwrap());
    registry.put("team/made", &tag, INDEX, list.to_string().as_bytes());
}

#[test]
fn the_published_image_passes_with_either_kind_of_list() {
    let (signed, registry, reference) = published();
    afresh(&signed, &reference).ok();
    registry.lists(true);
    afresh(&signed, &reference).ok();
}

#[test]
fn an_emptied_list_of_referrers_leaves_nothing_to_believe() {
    let (signed, registry, reference) = published();
    relisted(&registry, &signed.image.index(), Vec::clear);
    let out = afresh(&signed, &reference).exits(6).says("HP602");
    for (_, word) in KINDS {
        assert!(out.stderr.contains(&format!("the index has no {word} statement")), "{}", out.stderr);
    }
}

#[test]
fn a_list_that_lacks_one_statement_is_noticed() {
    let (signed, registry, reference) = published();
    relisted(&registry, &signed.image.index(), |all| {
        all.retain(|one| one["annotations"]["dev.sigstore.bundle.predicateType"] != SPDX);
    });
    afresh(&signed, &reference).exits(6).says("the index has no spdxjson statement");
}

#[test]
fn a_list_swapped_for_that_of_an_older_image_is_noticed() {
    let (signed, registry, reference) = published();
    let to = reference.trim_end_matches("/made:latest");
    let older = ["publish", "older", "--to", to, "--key", "team.pem", "--tag", "old", "--allow-older"];
    signed.sandbox.hardpan(&older).ok();
    let tag = |digest: &str| digest.replace(':', "-");
    let list = registry.manifest("team/made", &tag(&signed.older.index())).unwrap();
    registry.put("team/made", &tag(&signed.image.index()), INDEX, list.to_string().as_bytes());
    afresh(&signed, &reference).exits(6).says("HP602").says("the index has no sign statement");
}

#[test]
fn annotations_of_a_list_are_not_believed() {
    let (signed, registry, reference) = published();
    relisted(&registry, &signed.image.index(), |all| {
        for one in all {
            one["annotations"]["dev.sigstore.bundle.predicateType"] = json!(SPDX);
            one["artifactType"] = json!("application/vnd.example+json");
        }
    });
    afresh(&signed, &reference).ok();
}

/// What the list has under this kind, with another bundle put in its place by the registry.
fn exchanged(registry: &Registry, index: &str, kind: &str, bundle: &[u8]) {
    let tag = index.replace(':', "-");
    let list = registry.manifest("team/made", &tag).unwrap();
    let all = list["manifests"].as_array().unwrap();
    let old = all.iter().find(|one| one["annotations"]["dev.sigstore.bundle.predicateType"] == kind).unwrap();
    let mut manifest = registry.manifest("team/made", old["digest"].as_str().unwrap()).unwrap();
    registry.put_blob("team/made", bundle);
    manifest["layers"][0]["digest"] = json!(format!("sha256:{}", sha256_hex(bundle)));
    manifest["layers"][0]["size"] = json!(bundle.len());
    let text = manifest.to_string();
    let digest =
        registry.put("team/made", "x", "application/vnd.oci.image.manifest.v1+json", text.as_bytes());
    let old = old.clone();
    relisted(registry, index, |all| {
        for one in all.iter_mut().filter(|one| **one == old) {
            one["digest"] = json!(digest);
            one["size"] = json!(text.len());
        }
    });
}

#[test]
fn a_swapped_attestation_is_refused() {
    let (signed, registry, reference) = published();
    let index = signed.image.index();
    // By another key: the SBOM without its files.
    let mut sbom = signed.image.statement(SPDX, &index).statement;
    sbom["predicate"]["files"] = json!([]);
    exchanged(&registry, &index, SPDX, &Hand::new(8).bundle(&sbom));
    afresh(&signed, &reference).exits(6).says("the spdxjson statement of the index is not signed");
    // By the right key, about an older image.
    let old = signed.older.statement(SPDX, &signed.older.index());
    exchanged(&registry, &index, SPDX, &signed.older.bytes(&old.bundle));
    afresh(&signed, &reference).exits(6).says("HP603").says("about something else");
}

#[test]
fn a_platform_swapped_for_an_older_one_is_refused() {
    let (signed, registry, reference) = published();
    let to = reference.trim_end_matches("/made:latest");
    let older = ["publish", "older", "--to", to, "--key", "team.pem", "--tag", "old", "--allow-older"];
    signed.sandbox.hardpan(&older).ok();
    // An index of our image's arm64 and the older one's amd64, each with good statements of its own.
    let mut index = signed.image.json(&signed.image.index());
    index["manifests"][0]["digest"] = json!(signed.older.platform("amd64"));
    index["manifests"][0]["size"] = json!(signed.older.bytes(&signed.older.platform("amd64")).len());
    registry.put("team/made", "latest", INDEX, index.to_string().as_bytes());
    let out = afresh(&signed, &reference).exits(6).says("the index has no sign statement");
    assert!(out.stdout.contains("ok  signature   linux/amd64"), "{}", out.stdout);
}

#[test]
fn wrong_bytes_from_a_registry_fail_the_checks() {
    for path in ["/blobs/", "/manifests/sha256:"] {
        let (signed, registry, reference) = published();
        registry.flaw("GET", path, Flaw::Garbled);
        afresh(&signed, &reference).exits(6).says("HP601").says("HP504").says("gives other bytes");
    }
}

#[test]
fn a_registry_that_does_not_answer_is_no_verdict_on_the_image() {
    let refusal = "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"no\"}]}";
    for (flaw, code) in [
        (Flaw::Status(500, "", ""), 4),
        (Flaw::Status(429, "Retry-After: 3600", ""), 4),
        (Flaw::Status(403, "", refusal), 4),
        (Flaw::Lost, 4),
    ] {
        let (mut signed, registry, reference) = published();
        signed.sandbox.env("HARDPAN_TIMEOUT", "1");
        registry.flaw("GET", "/manifests/", flaw.clone());
        let out = afresh(&signed, &reference);
        assert_eq!(out.code, code, "{flaw:?}: {}", out.stderr);
        assert!(out.stdout.is_empty() && !out.stderr.contains("HP601"), "{flaw:?}: {}", out.stderr);
    }
    let (signed, registry, reference) = published();
    registry.auth(Auth::Basic("who:what".into()));
    afresh(&signed, &reference).exits(4).says("HP406");
    let missing = reference.replace(":latest", ":nothing");
    registry.auth(Auth::Open);
    afresh(&signed, &missing).exits(4).says("HP405");
}

#[test]
fn a_registry_that_dies_halfway_never_lets_an_image_pass() {
    let (mut signed, registry, reference) = published();
    signed.sandbox.env("HARDPAN_TIMEOUT", "1");
    registry.heal();
    afresh(&signed, &reference).ok();
    let all = registry.asked().len();
    for count in (0..all).step_by(1 + all / 12) {
        registry.heal().dies_after(count, count % 2 == 0);
        let out = afresh(&signed, &reference);
        assert!(matches!(out.code, 4..=6), "after {count}: {} {}", out.code, out.stderr);
        registry.heal();
    }
    afresh(&signed, &reference).ok();
}
