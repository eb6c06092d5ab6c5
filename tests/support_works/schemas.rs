//! The schemas can say yes and can say no.

use serde_json::{Value, json};

use super::support::{Schema, sha256_hex, validate};

fn spdx_23() -> Value {
    json!({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": "made",
        "documentNamespace": "https://hardpan.example/made",
        "creationInfo": { "created": "2026-01-02T03:04:05Z", "creators": ["Tool: hardpan"] },
        "packages": [{
            "SPDXID": "SPDXRef-Package",
            "name": "hello",
            "downloadLocation": "NOASSERTION",
            "checksums": [{ "algorithm": "SHA256", "checksumValue": "00" }],
        }],
        "relationships": [{
            "spdxElementId": "SPDXRef-DOCUMENT",
            "relatedSpdxElement": "SPDXRef-Package",
            "relationshipType": "DESCRIBES",
        }],
    })
}

fn spdx_301() -> Value {
    json!({
        "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld",
        "@graph": [
            {
                "type": "CreationInfo",
                "@id": "_:creation",
                "specVersion": "3.0.1",
                "created": "2026-01-02T03:04:05Z",
                "createdBy": ["https://hardpan.example/made/tool"],
            },
            {
                "type": "SpdxDocument",
                "spdxId": "https://hardpan.example/made/document",
                "creationInfo": "_:creation",
                "rootElement": ["https://hardpan.example/made/hello"],
            },
            {
                "type": "software_Package",
                "spdxId": "https://hardpan.example/made/hello",
                "creationInfo": "_:creation",
                "name": "hello",
            },
        ],
    })
}

fn cyclonedx_16() -> Value {
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",
        "metadata": { "timestamp": "2026-01-02T03:04:05Z" },
        "components": [{
            "type": "library",
            "name": "hello",
            "version": "1",
            "licenses": [{ "license": { "id": "Apache-2.0" } }],
        }],
    })
}

/// `validate` refuses `document` once `value` stands at `pointer`, and names the place.
fn refuses(schema: Schema, document: &Value, pointer: &str, value: Value) {
    validate(schema, document).expect("good before it is changed");
    let mut broken = document.clone();
    *broken.pointer_mut(pointer).expect("a place in the document") = value;
    let wrong = validate(schema, &broken).expect_err("broken");
    // Where one of several forms may stand, the place that is named is that of all of them.
    let around = pointer.rsplit_once('/').expect("not the root").0;
    let named = |said: &String| {
        around.starts_with(said.split(": ").next().expect("a place")) || said.starts_with(pointer)
    };
    assert!(wrong.iter().any(named), "{pointer}: {wrong:?}");
}

#[test]
fn a_broken_spdx_23_document_is_refused() {
    let good = spdx_23();
    refuses(Schema::Spdx23, &good, "/relationships/0/relationshipType", json!("KNOWS"));
    refuses(Schema::Spdx23, &good, "/packages/0/checksums/0/algorithm", json!("SHA257"));
    refuses(Schema::Spdx23, &good, "/creationInfo", json!({ "created": "2026-01-02T03:04:05Z" }));
    refuses(Schema::Spdx23, &good, "/packages/0", json!({ "SPDXID": "SPDXRef-Package", "name": "hello" }));
    refuses(Schema::Spdx23, &good, "/name", json!(7));
}

#[test]
fn a_broken_spdx_301_document_is_refused() {
    let good = spdx_301();
    refuses(Schema::Spdx301, &good, "/@graph/0/created", json!("yesterday"));
    refuses(Schema::Spdx301, &good, "/@graph/2/type", json!("software_Parcel"));
    refuses(Schema::Spdx301, &good, "/@context", json!("https://spdx.org/rdf/2.3"));
}

#[test]
fn a_broken_cyclonedx_document_is_refused() {
    let good = cyclonedx_16();
    refuses(Schema::CycloneDx16, &good, "/serialNumber", json!("urn:uuid:7"));
    refuses(Schema::CycloneDx16, &good, "/metadata/timestamp", json!("yesterday"));
    refuses(Schema::CycloneDx16, &good, "/components/0/type", json!("parcel"));
    // The list of licences is in another file than the schema.
    refuses(Schema::CycloneDx16, &good, "/components/0/licenses/0/license/id", json!("Apache-7.0"));
}

/// The schema asks for a text only; that it is a date is for those who read it (`pyspdxtools`).
#[test]
fn the_schema_of_spdx_23_does_not_look_at_dates() {
    let mut document = spdx_23();
    document["creationInfo"]["created"] = "yesterday".into();
    validate(Schema::Spdx23, &document).expect("so the schema says");
}

#[test]
fn the_schemas_are_the_published_ones() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemas");
    let names = std::fs::read_dir(&folder).expect("there").map(|entry| entry.expect("listed").file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().expect("text")).collect();
    names.retain(|name| name != "README.md");
    names.sort();
    let told = std::fs::read_to_string(folder.join("README.md")).expect("there");
    let digests = names.iter().map(|name| {
        let bytes = std::fs::read(folder.join(name)).expect("there");
        format!("    {}  {name}\n", sha256_hex(&bytes))
    });
    let digests: String = digests.collect();
    assert!(told.ends_with(&format!("\n\n{digests}")), "{digests}");
}
