//! CSAF 2.0, profile "VEX" (section 4.5), of the same statements.
//!
//! The image, by digest, is a product; each package that is spoken of is another, which comes with the image as a
//! default component. A vulnerability is there once, with all that is said of it (section 6.1.23).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::document::{Document, Product, Statement};
use super::openvex::openvex;
use super::words::Status;
use crate::canon;
use crate::ident::{CveId, Sha256};

/// Who publishes a CSAF document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publisher {
    /// Its name; that of the statements' author if not said.
    pub name: Option<String>,
    /// An address that is its own, which CSAF wants.
    pub namespace: String,
}

/// Writes a document.
pub fn csaf(document: &Document, publisher: &Publisher) -> Vec<u8> {
    let at = document.timestamp;
    let digest = Sha256::of(&openvex(document)).to_string();
    let name = publisher.name.clone().unwrap_or_else(|| document.author.clone());
    let title = format!("Vulnerabilities in the image {}", document.name);
    let value = json!({
        "document": {
            "category": "csaf_vex",
            "csaf_version": "2.0",
            "title": title,
            "publisher": { "category": "vendor", "name": name, "namespace": publisher.namespace },
            "tracking": {
                "id": format!("hardpan-vex-{}-{}", slug(&document.name), &digest[..16]),
                "status": "final",
                "version": "1",
                "initial_release_date": at,
                "current_release_date": at,
                "revision_history": [{ "date": at, "number": "1", "summary": "As decided." }],
                "generator": { "engine": { "name": "hardpan", "version": env!("CARGO_PKG_VERSION") } },
            },
        },
        "product_tree": product_tree(document),
        "vulnerabilities": vulnerabilities(document),
    });
    canon::to_json(&value)
}

/// What an identifier of a document may be made of.
fn slug(text: &str) -> String {
    let fine = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    text.chars().map(|letter| if fine(letter) { letter } else { '_' }).take(100).collect()
}

/// The identifier of a part in a product, or of the whole.
fn product_id(product: &str, part: Option<&str>) -> String {
    part.map_or_else(|| product.to_owned(), |part| format!("{part} in {product}"))
}

/// A package URL where it is one.
fn helper(id: &str) -> Option<Value> {
    id.starts_with("pkg:").then(|| json!({ "purl": id }))
}

fn named(id: &str) -> Value {
    let mut value = json!({ "name": id, "product_id": id });
    if let Some(helper) = helper(id) {
        value["product_identification_helper"] = helper;
    }
    value
}

fn product_tree(document: &Document) -> Value {
    let (mut names, mut relations) = (BTreeSet::new(), BTreeSet::new());
    for product in document.statements.iter().flat_map(|statement| &statement.products) {
        names.insert(product.id.as_str());
        for part in &product.subcomponents {
            names.insert(part.as_str());
            relations.insert((part.as_str(), product.id.as_str()));
        }
    }
    let relation = |(part, product): (&str, &str)| {
        let id = product_id(product, Some(part));
        json!({
            "category": "default_component_of",
            "product_reference": part,
            "relates_to_product_reference": product,
            "full_product_name": { "name": id, "product_id": id },
        })
    };
    let mut tree = json!({ "full_product_names": names.into_iter().map(named).collect::<Vec<_>>() });
    if !relations.is_empty() {
        tree["relationships"] = relations.into_iter().map(relation).collect();
    }
    tree
}

/// All that is said of one vulnerability.
#[derive(Default)]
struct Said<'a> {
    status: BTreeMap<&'static str, BTreeSet<String>>,
    flags: Vec<Value>,
    threats: Vec<Value>,
    remediations: Vec<Value>,
    notes: BTreeSet<String>,
    names: BTreeSet<&'a str>,
}

fn vulnerabilities(document: &Document) -> Vec<Value> {
    let mut all: BTreeMap<(bool, Option<CveId>, &str), Said> = BTreeMap::new();
    let mut taken: BTreeSet<(&str, String)> = BTreeSet::new();
    let mut statements: Vec<&Statement> = document.statements.iter().collect();
    statements.sort_by_key(|statement| std::cmp::Reverse(statement.timestamp));
    for statement in statements {
        let name = statement.vulnerability.as_str();
        let cve = name.parse().ok();
        let said = all.entry((cve.is_none(), cve, name)).or_default();
        said.names.extend(statement.ids());
        // A product has one status (section 6.1.6); a document of others may have had another before.
        let fresh: Vec<String> =
            products(statement).into_iter().filter(|id| taken.insert((name, id.clone()))).collect();
        if !fresh.is_empty() {
            take(said, statement, fresh);
        }
    }
    all.into_iter().map(|((_, cve, name), said)| vulnerability(cve, name, said)).collect()
}

fn products(statement: &Statement) -> BTreeSet<String> {
    let of = |product: &Product| -> Vec<String> {
        if product.subcomponents.is_empty() {
            return vec![product_id(&product.id, None)];
        }
        product.subcomponents.iter().map(|part| product_id(&product.id, Some(part))).collect()
    };
    statement.products.iter().flat_map(of).collect()
}

fn take(said: &mut Said, statement: &Statement, products: Vec<String>) {
    let at = statement.timestamp;
    let list = match statement.status {
        Status::NotAffected => "known_not_affected",
        Status::Affected => "known_affected",
        Status::Fixed => "fixed",
        Status::UnderInvestigation => "under_investigation",
    };
    if let Some(word) = statement.justification {
        said.flags.push(json!({ "label": word, "date": at, "product_ids": products }));
    }
    if let Some(impact) = statement.impact.as_deref().filter(|text| !text.is_empty()) {
        said.threats
            .push(json!({ "category": "impact", "details": impact, "date": at, "product_ids": products }));
    }
    if let Some(action) = statement.action.as_deref().filter(|text| !text.is_empty()) {
        let kind = "mitigation";
        said.remediations
            .push(json!({ "category": kind, "details": action, "date": at, "product_ids": products }));
    }
    said.notes.extend(statement.notes.clone().filter(|notes| !notes.is_empty()));
    said.status.entry(list).or_default().extend(products);
}

fn vulnerability(cve: Option<CveId>, name: &str, said: Said) -> Value {
    let mut value = Map::new();
    let mut set = |key: &str, found: Value| drop(value.insert(key.to_owned(), found));
    if let Some(cve) = cve {
        set("cve", json!(cve));
    }
    let others: Vec<Value> = said
        .names
        .iter()
        .filter(|other| cve.is_none() || **other != name)
        .map(|other| json!({ "system_name": other.split('-').next().unwrap_or(other), "text": other }))
        .collect();
    let mut notes: Vec<Value> =
        said.notes.into_iter().map(|text| json!({ "category": "details", "text": text })).collect();
    if notes.is_empty() {
        // The profile wants one.
        notes.push(json!({ "category": "summary", "text": name }));
    }
    set("notes", notes.into());
    set("product_status", json!(said.status));
    for (key, list) in [
        ("ids", others),
        ("flags", said.flags),
        ("threats", said.threats),
        ("remediations", said.remediations),
    ] {
        if !list.is_empty() {
            set(key, list.into());
        }
    }
    value.into()
}
