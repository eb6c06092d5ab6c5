//! CycloneDX 1.6 as JSON (its schema is `bom-1.6.schema.json` of the specification).

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::bill::Bill;
use super::parts::{Part, PartKind, parts};
use super::uuid::uuid;
use crate::canon;
use crate::ident::{ImagePath, Purl, Sha1, Sha256};

/// The document, its fields in the order of their names, as all types here: values would take several
/// times as long to write.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    bom_format: &'static str,
    components: Vec<Component<'a>>,
    compositions: Value,
    dependencies: Vec<Value>,
    metadata: Value,
    serial_number: String,
    spec_version: &'static str,
    version: u32,
}

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct Component<'a> {
    #[serde(rename = "bom-ref")]
    bom_ref: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    components: Vec<File<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_references: Option<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<Hash<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    licenses: Option<Value>,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    publisher: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    supplier: Option<Value>,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
}

#[derive(Serialize)]
struct Hash<T> {
    alg: &'static str,
    content: T,
}

#[derive(Serialize)]
struct File<'a> {
    #[serde(rename = "bom-ref")]
    bom_ref: String,
    hashes: (Hash<&'a Sha1>, Hash<&'a Sha256>),
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
}

/// The document of an image.
pub fn cyclonedx(bill: &Bill) -> Vec<u8> {
    let parts = parts(bill);
    let root = bill.purl().to_string();
    let mut components: Vec<Component> = Vec::new();
    let mut needs: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for platform in bill.platforms.iter().filter(|_| bill.platform.is_none()) {
        let purl = Purl::oci(&bill.name, &platform.digest, Some(platform.platform)).to_string();
        components.push(Component {
            kind: "container",
            bom_ref: purl.clone(),
            name: format!("{} {}", bill.name, platform.platform),
            version: Some(bill.version.clone()),
            purl: Some(purl.clone()),
            hashes: vec![Hash { alg: "SHA-256", content: platform.digest.0.to_string() }],
            properties: exceptions(platform.exceptions.iter()),
            ..Component::default()
        });
        needs.entry(root.clone()).or_default().push(purl);
    }
    for (key, part) in &parts {
        components.push(component(key, part));
        let depends = part.depends.iter().map(|other| reference(other, &parts[other])).collect();
        needs.insert(reference(key, part), depends);
        for platform in &part.platforms {
            let found =
                bill.platforms.iter().find(|one| one.platform == *platform && bill.platform.is_none());
            let image = found.map_or_else(
                || root.clone(),
                |one| Purl::oci(&bill.name, &one.digest, Some(*platform)).to_string(),
            );
            needs.entry(image).or_default().push(reference(key, part));
        }
    }
    let dependencies = needs.into_iter().map(|(of, on)| json!({ "ref": of, "dependsOn": on }));
    canon::sorted_to_json(&Document {
        schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
        bom_format: "CycloneDX",
        components,
        // Which parts there are and what is in them is known to the last file.
        compositions: json!([{ "aggregate": "complete", "assemblies": [root] }]),
        dependencies: dependencies.collect(),
        metadata: metadata(bill, &root),
        serial_number: format!("urn:uuid:{}", uuid(&bill.seed("CycloneDX 1.6"))),
        spec_version: "1.6",
        version: 1,
    })
}

fn metadata(bill: &Bill, root: &str) -> Value {
    let tool = json!({ "type": "application", "name": "hardpan", "version": env!("CARGO_PKG_VERSION") });
    let mut metadata = json!({
        "timestamp": bill.created,
        "lifecycles": [{ "phase": "build" }],
        "tools": { "components": [tool] },
        "component": {
            "type": "container",
            "bom-ref": root,
            "name": bill.name,
            "version": bill.version,
            "description": bill.summary.clone().unwrap_or_default(),
            "purl": root,
            "hashes": [{ "alg": "SHA-256", "content": bill.digest.0 }],
        },
    });
    if let Some(exceptions) = exceptions(bill.exceptions().iter()) {
        metadata["component"]["properties"] = exceptions;
    }
    metadata
}

/// What of the contents policy an image needs exceptions from, and why.
fn exceptions<'a>(of: impl Iterator<Item = (impl std::fmt::Display, &'a String)>) -> Option<Value> {
    let all: Vec<Value> = of
        .map(|(rule, reason)| json!({ "name": format!("hardpan:policy:{rule}"), "value": reason }))
        .collect();
    (!all.is_empty()).then(|| json!(all))
}

/// What a part is called within the document.
fn reference(key: &str, part: &Part) -> String {
    part.package().map_or_else(|| key.to_owned(), |package| package.purl.to_string())
}

fn component<'a>(key: &str, part: &'a Part) -> Component<'a> {
    let digests = [
        ("SHA-256", part.sha256.map(|digest| digest.to_string())),
        ("SHA-512", part.sha512.map(|digest| digest.to_string())),
    ];
    let hashes = digests.into_iter().filter_map(|(alg, content)| Some(Hash { alg, content: content? }));
    let files = part.files.iter().map(|((path, sha256), sha1)| file(key, path, sha256, sha1));
    let plain = Component {
        bom_ref: reference(key, part),
        components: files.collect(),
        description: part.summary(),
        hashes: hashes.collect(),
        name: part.name.clone(),
        version: part.version.clone(),
        kind: "data",
        ..Component::default()
    };
    match &part.kind {
        PartKind::Package(package) => {
            let (pin, licence) = (&package.pin, &package.licence);
            Component {
                kind: "library",
                purl: Some(package.purl.to_string()),
                supplier: Some(json!({ "name": pin.vendor })),
                publisher: package.item.maintainer.clone(),
                licenses: licence.expression.as_ref().map(|text| json!([{ "expression": text }])),
                properties: Some(properties(&[
                    ("hardpan:deb:architecture", &pin.architecture),
                    ("hardpan:deb:pool-path", &pin.path),
                    ("hardpan:deb:source", pin.source.0.as_str()),
                    ("hardpan:deb:source-version", &pin.source.1.to_string()),
                    ("hardpan:licences", &licence.each.join(", ")),
                ])),
                ..plain
            }
        }
        PartKind::Source(address) => {
            let address = address.as_ref().filter(|text| text.contains("://"));
            let references = address.map(|url| json!([{ "type": "distribution", "url": url }]));
            Component { kind: "file", external_references: references, ..plain }
        }
        PartKind::Recipe | PartKind::Generated => plain,
    }
}

fn properties(of: &[(&str, &str)]) -> Value {
    let given = of.iter().filter(|(_, value)| !value.is_empty());
    given.map(|(name, value)| json!({ "name": name, "value": value })).collect()
}

fn file<'a>(owner: &str, path: &'a ImagePath, sha256: &'a Sha256, sha1: &'a Sha1) -> File<'a> {
    File {
        bom_ref: format!("{owner} {path} {}", sha256.short()),
        hashes: (Hash { alg: "SHA-1", content: sha1 }, Hash { alg: "SHA-256", content: sha256 }),
        name: path.as_str(),
        kind: "file",
    }
}
