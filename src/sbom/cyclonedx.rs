//! CycloneDX 1.6 as JSON (its schema is `bom-1.6.schema.json` of the specification).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::bill::Bill;
use super::parts::{Part, PartKind, parts};
use super::uuid::uuid;
use crate::canon;
use crate::ident::{ImagePath, Purl, Sha1, Sha256};

/// The document of an image.
pub fn cyclonedx(bill: &Bill) -> Vec<u8> {
    let parts = parts(bill);
    let root = bill.purl().to_string();
    let mut components: Vec<Value> = Vec::new();
    let mut needs: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for platform in bill.platforms.iter().filter(|_| bill.platform.is_none()) {
        let purl = Purl::oci(&bill.name, &platform.digest, Some(platform.platform)).to_string();
        components.push(json!({
            "type": "container",
            "bom-ref": purl,
            "name": format!("{} {}", bill.name, platform.platform),
            "version": bill.version,
            "purl": purl,
            "hashes": [{ "alg": "SHA-256", "content": platform.digest.0 }],
        }));
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
    canon::to_json(&json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": format!("urn:uuid:{}", uuid(&bill.seed("CycloneDX 1.6"))),
        "version": 1,
        "metadata": {
            "timestamp": bill.created,
            "lifecycles": [{ "phase": "build" }],
            "tools": { "components": [{ "type": "application", "name": "hardpan", "version": env!("CARGO_PKG_VERSION") }] },
            "component": {
                "type": "container",
                "bom-ref": root,
                "name": bill.name,
                "version": bill.version,
                "description": bill.summary.clone().unwrap_or_default(),
                "purl": root,
                "hashes": [{ "alg": "SHA-256", "content": bill.digest.0 }],
            },
        },
        "components": components,
        "dependencies": dependencies.collect::<Vec<_>>(),
        // Which parts there are and what is in them is known to the last file.
        "compositions": [{ "aggregate": "complete", "assemblies": [root] }],
    }))
}

/// What a part is called within the document.
fn reference(key: &str, part: &Part) -> String {
    part.package().map_or_else(|| key.to_owned(), |package| package.purl.to_string())
}

fn component(key: &str, part: &Part) -> Value {
    let mut fields = Map::new();
    let mut put = |key: &str, value: Value| fields.insert(key.to_owned(), value);
    put("bom-ref", json!(reference(key, part)));
    put("name", json!(part.name));
    if let Some(version) = &part.version {
        put("version", json!(version));
    }
    if let Some(summary) = part.summary() {
        put("description", json!(summary));
    }
    let digests = [
        ("SHA-256", part.sha256.map(|digest| digest.to_string())),
        ("SHA-512", part.sha512.map(|digest| digest.to_string())),
    ];
    let hashes: Vec<Value> = digests
        .into_iter()
        .filter_map(|(name, digest)| Some(json!({ "alg": name, "content": digest? })))
        .collect();
    if !hashes.is_empty() {
        put("hashes", json!(hashes));
    }
    let files = part.files.iter().map(|((path, sha256), sha1)| file(key, path, sha256, sha1));
    let files: Vec<Value> = files.collect();
    if !files.is_empty() {
        put("components", json!(files));
    }
    match &part.kind {
        PartKind::Package(package) => {
            let pin = &package.pin;
            put("type", json!("library"));
            put("purl", json!(package.purl.as_str()));
            put("supplier", json!({ "name": pin.vendor }));
            if let Some(maintainer) = &package.item.maintainer {
                put("publisher", json!(maintainer));
            }
            if let Some(expression) = &package.licence.expression {
                put("licenses", json!([{ "expression": expression }]));
            }
            put(
                "properties",
                properties(&[
                    ("hardpan:deb:architecture", &pin.architecture),
                    ("hardpan:deb:pool-path", &pin.path),
                    ("hardpan:deb:source", pin.source.0.as_str()),
                    ("hardpan:deb:source-version", &pin.source.1.to_string()),
                    ("hardpan:licences", &package.licence.each.join(", ")),
                ]),
            );
        }
        PartKind::Source(address) => {
            put("type", json!("file"));
            if let Some(address) = address.as_ref().filter(|text| text.contains("://")) {
                put("externalReferences", json!([{ "type": "distribution", "url": address }]));
            }
        }
        PartKind::Recipe | PartKind::Generated => drop(put("type", json!("data"))),
    }
    Value::Object(fields)
}

fn properties(of: &[(&str, &str)]) -> Value {
    let given = of.iter().filter(|(_, value)| !value.is_empty());
    given.map(|(name, value)| json!({ "name": name, "value": value })).collect()
}

fn file(owner: &str, path: &ImagePath, sha256: &Sha256, sha1: &Sha1) -> Value {
    json!({
        "type": "file",
        "bom-ref": format!("{owner} {path} {}", sha256.short()),
        "name": path.as_str(),
        "hashes": [
            { "alg": "SHA-1", "content": sha1 },
            { "alg": "SHA-256", "content": sha256 },
        ],
    })
}
