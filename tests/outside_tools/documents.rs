//! Parsers of SBOMs read what is good, and say what is wrong with the rest; syft finds a package.

use serde_json::{Value, json};

use super::outside::registry::{Kind, Registry};
use super::outside::sboms::{Found, cyclonedx, spdx_tools, syft};
use super::{layout, pushed};

const PURL: &str = "pkg:deb/debian/hello@2.10-3?arch=amd64";

fn spdx() -> Value {
    json!({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": "made",
        "documentNamespace": "https://hardpan.example/made",
        "creationInfo": { "created": "2026-01-02T03:04:05Z", "creators": ["Tool: hardpan"] },
        "packages": [{
            "SPDXID": "SPDXRef-hello",
            "name": "hello",
            "versionInfo": "2.10-3",
            "downloadLocation": "NOASSERTION",
            "filesAnalyzed": false,
            "externalRefs": [{
                "referenceCategory": "PACKAGE-MANAGER",
                "referenceType": "purl",
                "referenceLocator": PURL,
            }],
        }],
        "relationships": [{
            "spdxElementId": "SPDXRef-DOCUMENT",
            "relatedSpdxElement": "SPDXRef-hello",
            "relationshipType": "DESCRIBES",
        }],
    })
}

fn bom() -> Value {
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "components": [{ "type": "library", "bom-ref": "hello", "name": "hello", "version": "2.10-3", "purl": PURL }],
    })
}

fn hello() -> Found {
    Found { name: "hello".to_owned(), version: "2.10-3".to_owned(), purl: PURL.to_owned() }
}

type Reader = fn(&std::path::Path) -> Result<Vec<Found>, Vec<String>>;

/// What a reader says of a document in which `value` stands at `pointer`.
fn changed(
    read: Reader,
    mut document: Value,
    pointer: &str,
    value: Value,
) -> Result<Vec<Found>, Vec<String>> {
    *document.pointer_mut(pointer).expect("a place in the document") = value;
    let folder = tempfile::tempdir().expect("a folder");
    // The parser of SPDX goes by a file's name.
    let path = folder.path().join("made.spdx.json");
    std::fs::write(&path, document.to_string()).expect("ours");
    read(&path)
}

#[test]
#[ignore = "needs the Python environment"]
fn the_parser_of_spdx_reads_and_refuses() {
    let with = |pointer: &str, value| changed(spdx_tools, spdx(), pointer, value);
    assert_eq!(with("/name", json!("made")), Ok(vec![hello()]));
    with("/creationInfo/created", json!("yesterday")).expect_err("no date");
    with("/packages/0/SPDXID", json!("hello")).expect_err("no identifier");
    with("/relationships/0/relatedSpdxElement", json!("SPDXRef-other")).expect_err("leads nowhere");
    with("/packages/0", json!({ "SPDXID": "SPDXRef-hello", "name": "hello" })).expect_err("lacks a location");
}

#[test]
#[ignore = "needs the Python environment"]
fn the_library_of_cyclonedx_reads_and_refuses() {
    let with = |pointer: &str, value| changed(cyclonedx, bom(), pointer, value);
    assert_eq!(with("/version", json!(1)), Ok(vec![hello()]));
    with("/components/0/type", json!("parcel")).expect_err("no such type");
    with("/version", json!("one")).expect_err("no number");
}

#[test]
#[ignore = "needs syft, registries, skopeo and umoci"]
fn syft_finds_a_package_in_a_registry_and_in_a_layout() {
    let folder = tempfile::tempdir().expect("a folder");
    let found = syft(&format!("oci-dir:{}", layout(folder.path())), "linux/amd64");
    assert_eq!((found.len(), found[0].name.as_str(), found[0].version.as_str()), (1, "hello", "2.10-3"));
    assert!(found[0].purl.starts_with("pkg:deb/debian/hello@2.10-3?arch=amd64"), "{found:?}");
    let registry = Registry::start(Kind::Cncf);
    assert_eq!(syft(&format!("registry:{}", pushed(&registry, "a/hello")), "linux/amd64"), found);
}
