//! Images out of registries, with what refers to them.

use serde_json::{Value, json};

use crate::support::{Flaw, Output, Registry, Sandbox};
use crate::{KIND, published};

fn pull(sandbox: &Sandbox, registry: &Registry, what: &str, more: &[&str]) -> Output {
    let from = format!("{}/team/hello{what}", registry.host());
    let store = sandbox.path("other-store").display().to_string();
    sandbox.hardpan(&[&["pull", &from, "--out", "pulled", "--store", &store], more].concat())
}

/// The files of a layout, without `index.json`, which says under which tag it was pulled.
fn files(sandbox: &Sandbox, folder: &str) -> Vec<(String, Vec<u8>)> {
    let blobs = sandbox.path(folder).join("blobs/sha256");
    let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(blobs)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn an_image_comes_back_with_all_that_refers_to_it() {
    for lists in [false, true] {
        let (sandbox, registry, digest) = published();
        registry.lists(lists);
        let out = pull(&sandbox, &registry, ":1.2", &["--json"]).ok();
        let said: Value = serde_json::from_str(&out.stdout).unwrap();
        assert_eq!(said["digest"], *digest);
        assert_eq!(said["referrers"].as_array().unwrap().len(), 3);
        assert_eq!(said["referrers"][0]["artifact_type"], KIND);
        assert_eq!(files(&sandbox, "pulled"), files(&sandbox, "hello"));
        pull(&sandbox, &registry, &format!("@{digest}"), &[]).ok();
    }
}

#[test]
fn the_list_under_a_tag_is_read_even_if_the_registrys_own_is_empty() {
    let (sandbox, registry, _) = published();
    registry.flaw("GET", "/referrers/", Flaw::Status(200, "", "{\"manifests\":[]}"));
    pull(&sandbox, &registry, ":1.2", &[]).ok();
    assert_eq!(files(&sandbox, "pulled"), files(&sandbox, "hello"));
}

#[test]
fn a_list_that_names_what_is_gone_or_of_another_image_does_no_harm() {
    let (sandbox, registry, digest) = published();
    let index = registry.manifest("team/hello", &digest).unwrap();
    let tag = digest.replace(':', "-");
    let mut list = registry.manifest("team/hello", &tag).unwrap();
    let foreign = index["manifests"][0].clone();
    // A note about something else, whose content is not even there.
    let mut note = registry.manifest("team/hello", list["manifests"][0]["digest"].as_str().unwrap()).unwrap();
    note["subject"]["digest"] = json!(format!("sha256:{}", "1".repeat(64)));
    note["layers"][0]["digest"] = json!(format!("sha256:{}", "2".repeat(64)));
    let moved = registry.put("team/hello", "moved", crate::MANIFEST, note.to_string().as_bytes());
    let moved = json!({ "digest": moved, "size": 1, "mediaType": crate::MANIFEST });
    let gone = json!({ "digest": format!("sha256:{}", "0".repeat(64)), "size": 1, "mediaType": "x" });
    list["manifests"].as_array_mut().unwrap().extend([
        foreign,
        moved,
        gone,
        json!({ "digest": "../x" }),
        json!(7),
    ]);
    registry.put("team/hello", &tag, crate::INDEX, list.to_string().as_bytes());
    pull(&sandbox, &registry, ":1.2", &[]).ok();
    assert_eq!(files(&sandbox, "pulled"), files(&sandbox, "hello"));
}

/// Pulling meets the flaw for good and is refused, and nothing is written.
#[track_caller]
fn refused(code: &str, path: &str, flaw: Flaw) -> Output {
    let (sandbox, registry, _) = published();
    registry.flaw("GET", path, flaw);
    let out = pull(&sandbox, &registry, ":1.2", &[]);
    assert!(out.stderr.contains(code), "{}", out.stderr);
    assert!(!sandbox.path("pulled").exists());
    registry.heal();
    pull(&sandbox, &registry, ":1.2", &[]).ok();
    assert_eq!(files(&sandbox, "pulled"), files(&sandbox, "hello"));
    out
}

#[test]
fn wrong_bytes_are_refused() {
    refused("HP504", "/blobs/", Flaw::Garbled).exits(5).says("gives other bytes").says("expected");
    refused("HP504", "/manifests/sha256:", Flaw::Garbled).exits(5).says("gives other bytes");
    refused("HP504", "/blobs/", Flaw::TooLong).exits(5);
}

#[test]
fn a_registry_that_gives_half_of_everything_is_gone_on_with_or_given_up() {
    let (sandbox, registry, _) = published();
    registry.flaw_times("GET", "/blobs/", 0, 9, Flaw::Truncated);
    pull(&sandbox, &registry, ":1.2", &[]).ok();
    assert_eq!(files(&sandbox, "pulled"), files(&sandbox, "hello"));
    refused("HP406", "/blobs/", Flaw::Lost).exits(4);
    refused("HP406", "/manifests/", Flaw::Status(500, "", "")).exits(4);
}

#[test]
fn what_is_not_there_is_told() {
    let (sandbox, registry, _) = published();
    pull(&sandbox, &registry, ":9", &[]).exits(4).says("HP405").says("hello:9");
    let index = registry.manifest("team/hello", "1.2").unwrap();
    registry.remove("team/hello", index["manifests"][1]["digest"].as_str().unwrap());
    pull(&sandbox, &registry, ":1.2", &[]).exits(5).says("HP509").says("not there");
}
