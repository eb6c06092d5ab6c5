//! What could be passed over in silence, and must not be.

use serde_json::{Value, json};

use crate::policy::{LOCAL, under};
use crate::support::MTIME;
use crate::support::signed::{Signed, trusted, world};
use crate::{PROVENANCE, SPDX, refused, resigned, restated, verify};

#[test]
fn a_second_image_in_a_layout_is_not_passed_over() {
    // Other tools take from a layout what the tag that they were given names.
    let signed = Signed::new();
    let old = signed.older.index();
    for digest in signed.older.digests() {
        signed.image.put(&signed.older.bytes(&digest));
    }
    let mut other = signed.older.top()["manifests"][0].clone();
    other["annotations"] = json!({ "org.opencontainers.image.ref.name": "stable" });
    signed.image.change_top(|top| top["manifests"].as_array_mut().unwrap().push(other));
    let out = verify(&signed.sandbox, "made", &[]).exits(6);
    assert!(out.stderr.contains(&old) || out.stderr.contains("stable"), "{}", out.stderr);
}

#[test]
fn every_blob_that_an_image_names_is_read() {
    // The empty configuration of artifacts, too: whoever copies the image copies it.
    let signed = Signed::new();
    let empty = signed.image.put(b"{}");
    signed.image.flip(&empty, 1);
    refused(&signed, "HP508", "image", &[crate::hex(&empty)]);
}

#[test]
fn a_builder_rule_is_not_kept_by_an_image_that_does_not_say_who_built_it() {
    let signed = Signed::new();
    for attached in signed.image.statements().iter().filter(|attached| attached.kind == PROVENANCE) {
        signed.image.detach(attached);
    }
    let policy = format!("require = [\"sign\"]\nbuilders = [\"{LOCAL}\"]");
    under(&signed, &policy, &[]).exits(6);
}

#[test]
fn a_docker_archive_of_our_own_is_refused_as_one() {
    let world = world("1.1", MTIME);
    world.build(&["--format", "docker-archive", "--platform", "linux/amd64", "--out", "docker.tar"]).ok();
    verify(&world.sandbox, "docker.tar", &[]).exits(6).says("docker archive").says("verify the OCI layout");
}

#[test]
fn machines_are_told_the_exact_culprit_too() {
    let signed = Signed::new();
    restated(&signed.image, SPDX, &signed.image.index(), |statement| {
        let files = statement["predicate"]["files"].as_array_mut().unwrap();
        files.retain(|file| file["fileName"] != "./etc/motd");
    });
    let out = verify(&signed.sandbox, "made", &["--json"]).exits(6);
    let said: Value = serde_json::from_str(&out.stdout).unwrap();
    let checks = said["checks"].as_array().unwrap();
    let failed: Vec<&Value> = checks.iter().filter(|check| check["outcome"] == "failed").collect();
    assert!(failed[0].to_string().contains("/etc/motd"), "{failed:?}");
}

#[test]
fn a_configuration_with_more_layers_than_the_manifest_is_refused() {
    let signed = Signed::new();
    resigned(&signed.image, &trusted(), |image| {
        image.change_config("amd64", false, |config| {
            let more = json!(format!("sha256:{}", "5".repeat(64)));
            config["rootfs"]["diff_ids"].as_array_mut().unwrap().push(more);
        });
    });
    refused(&signed, "HP508", "linux/amd64", &[&"5".repeat(64)]);
}

#[test]
fn a_layer_of_another_length_than_the_manifest_says_is_refused() {
    let signed = Signed::new();
    resigned(&signed.image, &trusted(), |image| {
        image.change_manifest("amd64", false, |manifest| {
            let size = manifest["layers"][0]["size"].as_u64().unwrap();
            manifest["layers"][0]["size"] = json!(size + 1);
        });
    });
    refused(&signed, "HP508", "linux/amd64", &["layer 0"]);
}

#[test]
fn a_package_that_an_sbom_names_in_a_way_that_does_not_read_is_not_passed_over() {
    for purl in ["pkg:deb/made/more@1", "pkg:deb/made/more?arch=amd64", "pkg:deb/made/m%zz@1?arch=amd64"] {
        let signed = Signed::new();
        restated(&signed.image, SPDX, &signed.image.index(), |statement| {
            let mut more = statement["predicate"]["packages"][0].clone();
            more["SPDXID"] = json!("SPDXRef-more");
            more["externalRefs"][0]["referenceLocator"] = json!(purl);
            statement["predicate"]["packages"].as_array_mut().unwrap().push(more);
        });
        refused(&signed, "HP604", "index", &[purl]);
    }
}

#[test]
fn an_image_of_the_future_is_not_young() {
    let world = world("1.1", 4_000_000_000);
    world.build(&["--key", "team.pem"]).ok();
    world.sandbox.write("policy.toml", "max-age = \"30d\"");
    let out = verify(&world.sandbox, "out/made", &["--policy", "policy.toml"]).exits(6);
    out.says("HP607").says("2096-10-02");
}
