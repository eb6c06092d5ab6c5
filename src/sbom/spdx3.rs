//! SPDX 3.0.1 as JSON-LD (its schema is `spdx-json-schema.json` of the specification).
//!
//! Every element has an address made of the document's name space and what the element is; relations
//! are elements too. Licences are expressions that a relation declares.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::bill::Bill;
use super::licence::UNKNOWN;
use super::parts::{Part, PartKind, parts};
use super::uuid::uuid;
use crate::canon;
use crate::ident::{BlobDigest, Purl, Sha256};

/// The document of an image.
pub fn spdx3(bill: &Bill) -> Vec<u8> {
    let mut graph =
        Graph { space: format!("urn:uuid:{}", uuid(&bill.seed("SPDX 3.0.1"))), elements: BTreeMap::new() };
    let root = graph.image("image", bill.name.as_str(), bill, &bill.digest, bill.purl().as_str());
    let mut images = BTreeMap::new();
    for platform in &bill.platforms {
        let id = if bill.platform.is_some() {
            root.clone()
        } else {
            let name = format!("{} {}", bill.name, platform.platform);
            let purl = Purl::oci(&bill.name, &platform.digest, Some(platform.platform));
            graph.image(&format!("image/{}", platform.platform), &name, bill, &platform.digest, purl.as_str())
        };
        images.insert(platform.platform, id);
    }
    for (rule, reason) in bill.exceptions() {
        let id = graph.id(&format!("exception/{rule}"));
        let statement = format!("contents policy, exception from {rule}: {reason}");
        let fields = json!({ "annotationType": "review", "statement": statement, "subject": root });
        graph.put(&id, "Annotation", fields);
    }
    let parts = parts(bill);
    for (key, part) in &parts {
        graph.part(key, part);
    }
    let on = |id: &String| -> Vec<String> {
        let here = |part: &&Part| part.platforms.iter().any(|platform| images.get(platform) == Some(id));
        parts.iter().filter(|(_, part)| here(part)).map(|(key, _)| graph.id(&part_name(key))).collect()
    };
    let contained: BTreeMap<String, Vec<String>> = images.values().map(|id| (id.clone(), on(id))).collect();
    for (id, within) in contained {
        graph.relate(&id, "contains", within);
    }
    if bill.platform.is_none() {
        graph.relate(&root, "contains", images.into_values().collect());
    }
    graph.finish(bill, root)
}

fn part_name(key: &str) -> String {
    format!("part/{key}")
}

struct Graph {
    space: String,
    elements: BTreeMap<String, Value>,
}

impl Graph {
    /// The address of an element, without letters that an address may not have.
    fn id(&self, name: &str) -> String {
        format!("{}#{}", self.space, name.replace(' ', "/").replace(['+', '~'], "_"))
    }

    fn put(&mut self, id: &str, kind: &str, mut fields: Value) {
        fields["spdxId"] = json!(id);
        fields["type"] = json!(kind);
        fields["creationInfo"] = json!("_:creation");
        self.elements.insert(id.to_owned(), fields);
    }

    fn relate(&mut self, from: &str, how: &str, to: Vec<String>) {
        if to.is_empty() {
            return;
        }
        let id = self.id(&format!("relation/{}", Sha256::of(format!("{from} {how}").as_bytes()).short()));
        let fields = json!({ "from": from, "relationshipType": how, "to": to, "completeness": "complete" });
        self.put(&id, "Relationship", fields);
    }

    fn image(&mut self, id: &str, name: &str, bill: &Bill, digest: &BlobDigest, purl: &str) -> String {
        let id = self.id(id);
        let fields = json!({
            "name": name,
            "software_packageVersion": bill.version,
            "software_packageUrl": purl,
            "software_primaryPurpose": "container",
            "builtTime": bill.created,
            "verifiedUsing": [hash("sha256", &digest.0)],
        });
        self.put(&id, "software_Package", fields);
        id
    }

    fn part(&mut self, key: &str, part: &Part) {
        let own = self.id(&part_name(key));
        let mut fields = json!({ "name": part.name });
        let digests = part.sha256.map(|digest| hash("sha256", &digest)).into_iter();
        let digests: Vec<Value> = digests.chain(part.sha512.map(|digest| hash("sha512", &digest))).collect();
        if !digests.is_empty() {
            fields["verifiedUsing"] = json!(digests);
        }
        if let Some(version) = &part.version {
            fields["software_packageVersion"] = json!(version);
        }
        if let Some(summary) = part.summary() {
            fields["summary"] = json!(summary);
        }
        match &part.kind {
            PartKind::Package(package) => {
                let (name, version) = &package.pin.source;
                fields["software_packageUrl"] = json!(package.purl.as_str());
                fields["software_primaryPurpose"] = json!("library");
                fields["software_sourceInfo"] =
                    json!(format!("built from the source package {name} {version}"));
                fields["suppliedBy"] = json!(self.supplier(&package.pin.vendor));
                self.licence(&own, package.licence.expression.as_deref().unwrap_or(UNKNOWN));
            }
            PartKind::Source(address) => {
                fields["software_primaryPurpose"] = json!("archive");
                if let Some(address) = address.as_ref().filter(|text| text.contains("://")) {
                    fields["software_downloadLocation"] = json!(address);
                }
            }
            PartKind::Recipe | PartKind::Generated => fields["software_primaryPurpose"] = json!("file"),
        }
        self.put(&own, "software_Package", fields);
        let files = part.files.iter().map(|((path, sha256), sha1)| {
            let name = Sha256::of(format!("{path}\0{sha256}").as_bytes()).to_string();
            let id = self.id(&format!("file/{}", &name[..32]));
            let digests = [hash("sha1", sha1), hash("sha256", sha256)];
            (id, json!({ "name": path.as_str(), "verifiedUsing": digests }))
        });
        let files: Vec<(String, Value)> = files.collect();
        let within: BTreeSet<String> = files.iter().map(|(id, _)| id.clone()).collect();
        for (id, fields) in files {
            self.put(&id, "software_File", fields);
        }
        self.relate(&own, "contains", within.into_iter().collect());
        let needs = part.depends.iter().map(|other| self.id(&part_name(other))).collect();
        self.relate(&own, "dependsOn", needs);
    }

    fn supplier(&mut self, vendor: &str) -> String {
        let id = self.id(&format!("vendor/{vendor}"));
        self.put(&id, "Organization", json!({ "name": vendor }));
        id
    }

    fn licence(&mut self, of: &str, expression: &str) {
        let id = self.id(&format!("licence/{}", Sha256::of(expression.as_bytes()).short()));
        let fields = json!({ "simplelicensing_licenseExpression": expression });
        self.put(&id, "simplelicensing_LicenseExpression", fields);
        self.relate(of, "hasDeclaredLicense", vec![id]);
    }

    fn finish(mut self, bill: &Bill, root: String) -> Vec<u8> {
        let (tool, sbom, document) = (self.id("tool/hardpan"), self.id("sbom"), self.id("document"));
        self.put(&tool, "Tool", json!({ "name": concat!("hardpan ", env!("CARGO_PKG_VERSION")) }));
        let all: Vec<String> = self.elements.keys().cloned().collect();
        let fields = json!({ "rootElement": [root], "element": all, "software_sbomType": ["build"] });
        self.put(&sbom, "software_Sbom", fields);
        let elements: Vec<String> = self.elements.keys().cloned().collect();
        let fields = json!({
            "name": format!("{} {}", bill.name, bill.version),
            "rootElement": [sbom],
            "element": elements,
            "profileConformance": ["core", "software", "simpleLicensing"],
        });
        self.put(&document, "SpdxDocument", fields);
        let creation = json!({
            "@id": "_:creation",
            "type": "CreationInfo",
            "specVersion": "3.0.1",
            "created": bill.created,
            "createdBy": [self.id("vendor/hardpan")],
            "createdUsing": [tool],
        });
        let by = self.supplier("hardpan");
        debug_assert!(self.elements.contains_key(&by));
        let graph: Vec<Value> = std::iter::once(creation).chain(self.elements.into_values()).collect();
        canon::to_json(&json!({
            "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld",
            "@graph": graph,
        }))
    }
}

fn hash(algorithm: &str, digest: &impl std::fmt::Display) -> Value {
    json!({ "type": "Hash", "algorithm": algorithm, "hashValue": digest.to_string() })
}
