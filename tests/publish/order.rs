//! What is sent, when, and how often.

use serde_json::{Value, json};

use crate::support::{Asked, Flaw, Registry, Sandbox};
use crate::{KIND, Made, PLAIN, json_of, publish, published};

/// What a request does: blobs 0, manifests 1, referrers 2, lists of referrers 3, the image's tags 4.
fn step(asked: &Asked, notes: &[String]) -> Option<u32> {
    let wanted = asked.path.rsplit('/').next().unwrap();
    match (&*asked.method, asked.path.contains("/manifests/")) {
        ("POST" | "PUT" | "PATCH", false) => Some(0),
        ("PUT", true) if notes.iter().any(|note| note == wanted) => Some(2),
        ("PUT", true) if wanted.starts_with("sha256:") => Some(1),
        ("PUT", true) if wanted.starts_with("sha256-") => Some(3),
        ("PUT", true) => Some(4),
        _ => None,
    }
}

/// The digests of all that a list names.
fn listed(registry: &Registry, digest: &str) -> Vec<Value> {
    let list = registry.manifest("team/hello", &digest.replace(':', "-")).expect("a list");
    list["manifests"].as_array().unwrap().clone()
}

#[test]
fn blobs_come_before_manifests_before_referrers_before_tags() {
    let (_sandbox, registry, digest) = published();
    let index = registry.manifest("team/hello", &digest).unwrap();
    let subjects = [
        digest,
        index["manifests"][0]["digest"].as_str().unwrap().into(),
        index["manifests"][1]["digest"].as_str().unwrap().into(),
    ];
    let notes: Vec<String> = subjects
        .iter()
        .flat_map(|subject| listed(&registry, subject))
        .map(|entry| entry["digest"].as_str().unwrap().to_owned())
        .collect();
    let steps: Vec<u32> = registry.asked().iter().filter_map(|asked| step(asked, &notes)).collect();
    assert!(steps.is_sorted(), "{steps:?}");
    let count = |wanted: u32| steps.iter().filter(|step| **step == wanted).count();
    assert_eq!((count(1), count(2), count(3), count(4)), (3, 3, 3, 3));
    assert_eq!(registry.lacking(), Vec::<String>::new());
}

#[test]
fn the_same_again_sends_nothing() {
    let (sandbox, registry, digest) = published();
    registry.heal();
    let said = json_of(publish(&sandbox, &registry, "hello", &["--json"]));
    assert!(registry.asked().iter().all(|asked| matches!(&*asked.method, "GET" | "HEAD")));
    assert_eq!(said[0]["uploaded"]["blobs"], 0);
    assert_eq!(said[0]["skipped"]["blobs"], 9);
    assert_eq!(said[0]["moved"], json!([]));
    assert_eq!(said[0]["digest"], *digest);
}

#[test]
fn what_is_printed_is_the_reference_with_its_digest() {
    let (sandbox, registry) = (Sandbox::new(), Registry::start());
    let digest = PLAIN.write(&sandbox);
    let out = publish(&sandbox, &registry, "hello", &[]).ok();
    assert_eq!(out.stdout, format!("{}/team/hello@{digest}\n", registry.host()));
}

#[test]
fn referrers_are_listed_with_their_own_kind_at_the_index_and_at_each_platform() {
    let (_sandbox, registry, digest) = published();
    let index = registry.manifest("team/hello", &digest).unwrap();
    for platform in index["manifests"].as_array().unwrap() {
        assert_eq!(platform["platform"]["os"], "linux");
    }
    for subject in [digest.as_str(), index["manifests"][1]["digest"].as_str().unwrap()] {
        let entries = listed(&registry, subject);
        assert_eq!(entries.len(), 1);
        assert_eq!(entries[0]["artifactType"], KIND);
        assert_eq!(entries[0]["annotations"], json!({ "note": "of ours" }));
        let note = registry.manifest("team/hello", entries[0]["digest"].as_str().unwrap()).unwrap();
        assert_eq!(note["subject"]["digest"], *subject);
    }
}

#[test]
fn what_others_listed_stays_listed() {
    let (sandbox, registry) = (Sandbox::new(), Registry::start());
    let digest = PLAIN.write(&sandbox);
    let other =
        json!({ "digest": format!("sha256:{}", "0".repeat(64)), "mediaType": "x", "size": 1, "own": true });
    let list = json!({ "schemaVersion": 2, "mediaType": crate::INDEX, "manifests": [other] });
    registry.lists(true).put(
        "team/hello",
        &digest.replace(':', "-"),
        crate::INDEX,
        list.to_string().as_bytes(),
    );
    publish(&sandbox, &registry, "hello", &[]).ok();
    let entries = listed(&registry, &digest);
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0], other);
}

#[test]
fn blobs_are_mounted_from_another_repository() {
    let (sandbox, registry, _) = published();
    registry.heal();
    let to = format!("{}/else", registry.host());
    let said = json_of(sandbox.hardpan(&["publish", "hello", "--to", &to, "--json"]));
    assert_eq!((&said[0]["mounted"]["blobs"], &said[0]["uploaded"]["blobs"]), (&json!(9), &json!(0)));
    assert_eq!(registry.hits("PATCH", "") + registry.hits("PUT", "/blobs/"), 0);
}

#[test]
fn a_registry_that_does_not_mount_is_sent_the_blobs() {
    let (sandbox, registry, _) = published();
    registry.mounts(false);
    let to = format!("{}/else", registry.host());
    let said = json_of(sandbox.hardpan(&["publish", "hello", "--to", &to, "--json"]));
    assert_eq!(said[0]["uploaded"]["blobs"], 9);
    assert_eq!(registry.lacking(), Vec::<String>::new());
}

#[test]
fn a_large_blob_goes_on_where_it_was_cut() {
    let (sandbox, registry) = (Sandbox::new(), Registry::start());
    let big = 33 << 20;
    Made { big, ..PLAIN }.write(&sandbox);
    registry.flaw_times("PATCH", "", 0, 2, Flaw::Half);
    publish(&sandbox, &registry, "hello", &[]).ok();
    let parts: Vec<Asked> = registry.asked().into_iter().filter(|asked| asked.method == "PATCH").collect();
    // Half, half of what was left, and the rest.
    assert_eq!(parts.len(), 1);
    assert_eq!(parts[0].headers["content-range"], format!("{}-{}", big / 4 * 3, big - 1));
    assert_eq!(registry.lacking(), Vec::<String>::new());
}

#[test]
fn a_large_blob_goes_on_in_the_next_run() {
    let (sandbox, registry) = (Sandbox::new(), Registry::start());
    let big = 33 << 20;
    Made { big, ..PLAIN }.write(&sandbox);
    registry.flaw_times("PATCH", "", 0, 1, Flaw::Half).flaw("GET", "/blobs/uploads/", Flaw::Lost);
    publish(&sandbox, &registry, "hello", &[]).exits(7).says("HP702");
    registry.heal();
    publish(&sandbox, &registry, "hello", &[]).ok();
    let parts: Vec<Asked> = registry.asked().into_iter().filter(|asked| asked.method == "PATCH").collect();
    assert_eq!(parts.len(), 1);
    assert_eq!(parts[0].headers["content-range"], format!("{}-{}", big / 2, big - 1));
}

#[test]
fn a_layer_that_changed_on_the_disk_is_never_sent_whole() {
    for big in [1000, 33 << 20] {
        let (sandbox, registry) = (Sandbox::new(), Registry::start());
        Made { big, ..PLAIN }.write(&sandbox);
        let mut bytes = vec![b'x'; big];
        let path = format!("hello/blobs/sha256/{}", crate::sha256_hex(&bytes));
        bytes[big / 2] ^= 1;
        sandbox.write(&path, &bytes);
        publish(&sandbox, &registry, "hello", &[]).exits(5).says("HP508").says("has changed");
        assert!(registry.tags("team/hello").is_empty());
        assert_eq!(registry.hits("PUT", "/manifests/"), 0);
    }
}

#[test]
fn several_images_and_an_archive_are_published_at_once() {
    let (sandbox, registry) = (Sandbox::new(), Registry::start());
    PLAIN.write(&sandbox);
    Made { name: "bye", seed: "b", ..PLAIN }.write(&sandbox);
    let out = publish(&sandbox, &registry, "hello", &["bye"]).ok();
    assert_eq!(out.stdout.lines().count(), 2);
    assert!(registry.tag("team/bye", "1.2").is_some());
}

#[test]
fn an_image_goes_from_registry_to_registry() {
    let (sandbox, registry, digest) = published();
    let second = Registry::start();
    publish(&sandbox, &second, &format!("{}/team/hello:1.2", registry.host()), &[]).ok();
    assert_eq!(second.tag("team/hello", "1.2"), Some(digest.clone()));
    assert!(second.tag("team/hello", &digest.replace(':', "-")).is_some());
    assert_eq!(second.lacking(), Vec::<String>::new());
}

#[test]
fn what_is_neither_a_path_nor_a_reference_is_told_as_both() {
    let (sandbox, registry) = (Sandbox::new(), Registry::start());
    let out = publish(&sandbox, &registry, "library/hello", &[]).exits(4).says("HP405");
    out.says("as a path").says("as a reference");
    assert!(registry.asked().is_empty());
}
