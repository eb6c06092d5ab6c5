//! SBOMs as documents: they hold against their schemas, point to what is in them, and are printed.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::signed::{Signed, world};
use crate::support::{Image, MTIME, Schema, validate};
use crate::{CYCLONEDX, SPDX, SPDX3, image, json, list};

/// The document that is attached, and the one that is printed, which are the same.
#[track_caller]
fn document(signed: &Signed, format: &str, kind: &str, platform: Option<&str>) -> Value {
    let mut arguments = vec!["sbom", "made", "--format", format];
    let whole = platform.map(|architecture| format!("linux/{architecture}"));
    arguments.extend(whole.iter().flat_map(|platform| ["--platform", platform]));
    let printed = signed.sandbox.hardpan(&arguments).ok();
    let subject = platform.map_or_else(|| signed.image.index(), |platform| signed.image.platform(platform));
    let attached = signed.image.statement(kind, &subject).statement["predicate"].clone();
    assert_eq!(printed.stdout, format!("{attached}\n"));
    attached
}

#[test]
fn each_sbom_holds_against_the_schema_of_its_format() {
    let signed = Signed::new();
    for platform in [None, Some("amd64"), Some("arm64")] {
        let spdx = document(&signed, "spdx", SPDX, platform);
        assert_eq!(validate(Schema::Spdx23, &spdx), Ok(()), "{platform:?}");
        let cyclonedx = document(&signed, "cyclonedx", CYCLONEDX, platform);
        assert_eq!(validate(Schema::CycloneDx16, &cyclonedx), Ok(()), "{platform:?}");
    }
}

#[test]
fn spdx_3_is_written_when_asked_for_and_holds_against_its_schema() {
    let world = world("1.1", MTIME);
    world.build(&["--key", "team.pem", "--spdx3"]).ok();
    for subject in image(&world).subjects() {
        let attached = image(&world).statement(SPDX3, &subject).statement;
        assert_eq!(validate(Schema::Spdx301, &attached["predicate"]), Ok(()));
    }
    let printed = json(world.sandbox.hardpan(&["sbom", "out/made", "--format", "spdx3"]));
    assert_eq!(printed, image(&world).statement(SPDX3, &image(&world).index()).statement["predicate"]);
    let graph = list(&printed, "/@graph");
    let ids: Vec<&str> = graph.iter().filter_map(|element| element["spdxId"].as_str()).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "an identifier twice");
    for relation in graph.iter().filter(|element| element["type"] == "Relationship") {
        for to in list(relation, "/to").iter().chain([&relation["from"]]) {
            assert!(ids.contains(&to.as_str().unwrap()), "{to} is nowhere");
        }
    }
    for file in ["/usr/bin/hello", "/etc/motd", "/etc/app.conf", "/etc/passwd"] {
        let named = |element: &&Value| element["type"] == "software_File" && element["name"] == file;
        assert!(graph.iter().any(|element| named(&element)), "{file}");
    }
}

#[test]
fn an_image_without_spdx_3_says_how_to_get_it() {
    let signed = Signed::new();
    let out = signed.sandbox.hardpan(&["sbom", "made", "--format", "spdx3"]).exits(6);
    assert!(out.says("HP602").says("the index of `made` has no spdx3").says("--spdx3").stdout.is_empty());
}

#[test]
fn what_cannot_be_printed_is_told() {
    let signed = Signed::new();
    let out = signed.sandbox.hardpan(&["sbom", "made", "--platform", "linux/riscv64"]).exits(2);
    out.says("HP201").says("linux/riscv64").says("index, linux/amd64, linux/arm64");
    signed.sandbox.hardpan(&["sbom", "made", "--format", "text"]).exits(2);
    signed.sandbox.hardpan(&["sbom", "nothing here"]).exits(4).says("HP405");
    let bare = world("1.1", MTIME);
    bare.build(&["--no-attest"]).ok();
    let out = bare.sandbox.hardpan(&["sbom", "out/made"]).exits(6).says("HP602");
    out.says("has no spdxjson attached").says("--no-attest");
}

#[test]
fn every_reference_within_an_sbom_leads_somewhere_and_no_name_is_used_twice() {
    let signed = Signed::new();
    for platform in [None, Some("amd64")] {
        let spdx = document(&signed, "spdx", SPDX, platform);
        let elements = list(&spdx, "/packages").iter().chain(list(&spdx, "/files"));
        let ids: Vec<&str> = elements.map(|element| element["SPDXID"].as_str().unwrap()).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
        for relation in list(&spdx, "/relationships") {
            for end in ["spdxElementId", "relatedSpdxElement"] {
                let id = relation[end].as_str().unwrap();
                assert!(id == "SPDXRef-DOCUMENT" || ids.contains(&id), "{id}");
            }
        }
        let cyclonedx = document(&signed, "cyclonedx", CYCLONEDX, platform);
        let mut references = vec![cyclonedx["metadata"]["component"]["bom-ref"].as_str().unwrap()];
        let mut queue: Vec<&Value> = list(&cyclonedx, "/components").iter().collect();
        while let Some(component) = queue.pop() {
            references.push(component["bom-ref"].as_str().unwrap());
            queue.extend(component["components"].as_array().into_iter().flatten());
        }
        assert_eq!(references.iter().collect::<BTreeSet<_>>().len(), references.len());
        for dependency in list(&cyclonedx, "/dependencies") {
            for end in list(dependency, "/dependsOn").iter().chain([&dependency["ref"]]) {
                assert!(references.contains(&end.as_str().unwrap()), "{end}");
            }
        }
    }
}

/// Whether a text is a version-5 UUID (RFC 9562, section 5.5).
fn is_version_5(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    lengths == [8, 4, 4, 4, 12]
        && text.chars().all(|letter| letter == '-' || matches!(letter, '0'..='9' | 'a'..='f'))
        && parts[2].starts_with('5')
        && parts[3].starts_with(['8', '9', 'a', 'b'])
}

#[test]
fn times_are_the_images_and_identifiers_are_of_version_5_and_differ_by_what_is_described() {
    let signed = Signed::new();
    let mut seen = BTreeSet::new();
    for platform in [None, Some("amd64"), Some("arm64")] {
        let created = match platform {
            None => {
                signed.image.json(&signed.image.index())["annotations"]["org.opencontainers.image.created"]
                    .clone()
            }
            Some(architecture) => Image::all(&signed.image.0)[architecture].config["created"].clone(),
        };
        assert_eq!(created, "2023-12-04T22:13:20Z");
        let spdx = document(&signed, "spdx", SPDX, platform);
        let cyclonedx = document(&signed, "cyclonedx", CYCLONEDX, platform);
        assert_eq!(spdx["creationInfo"]["created"], created);
        assert_eq!(cyclonedx["metadata"]["timestamp"], created);
        for (document, key) in [(&spdx, "documentNamespace"), (&cyclonedx, "serialNumber")] {
            let text = document[key].as_str().unwrap();
            assert!(text.strip_prefix("urn:uuid:").is_some_and(is_version_5), "{text}");
            assert!(seen.insert(text.to_owned()), "{text} twice");
        }
    }
}
