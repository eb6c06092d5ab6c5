//! OpenVEX 0.2.0, written: the same document is the same bytes.
//!
//! Its identifier is made from what it says, so that a document that says something else is another one, and each
//! is of version 1. Its time is that of the newest decision in it.

use serde_json::{Map, Value, json};

use super::document::{Document, Product, Statement};
use crate::attest;
use crate::canon;
use crate::ident::Sha256;

/// The version of the format that is written and read.
pub(super) const CONTEXT: &str = "https://openvex.dev/ns/v0.2.0";

/// How identifiers of our documents begin.
const ID: &str = "https://hardpan.dev/vex/";

/// How the name of what made them begins.
const TOOL: &str = "hardpan ";

/// Writes a document.
pub fn openvex(document: &Document) -> Vec<u8> {
    let mut value = json!({
        "@context": CONTEXT,
        "author": document.author,
        "timestamp": document.timestamp,
        "tooling": format!("{TOOL}{}", env!("CARGO_PKG_VERSION")),
        "version": 1,
        "statements": document.statements.iter().map(statement).collect::<Vec<_>>(),
    });
    let id = match document.id.as_str() {
        "" => format!("{ID}{}", Sha256::of(&canon::to_json(&value))),
        id => id.to_owned(),
    };
    value["@id"] = id.into();
    canon::to_json(&value)
}

/// Whether a statement is a document that a build made of decisions.
pub fn is_own_vex(statement: &attest::Statement) -> bool {
    let tool = statement.predicate.get("tooling").and_then(Value::as_str);
    statement.predicate_type == attest::OPENVEX && tool.is_some_and(|tool| tool.starts_with(TOOL))
}

fn statement(statement: &Statement) -> Value {
    let mut vulnerability =
        Map::from_iter([("name".to_owned(), Value::from(statement.vulnerability.as_str()))]);
    if !statement.aliases.is_empty() {
        vulnerability.insert("aliases".to_owned(), json!(statement.aliases));
    }
    let mut value = json!({
        "vulnerability": vulnerability,
        "products": statement.products.iter().map(product).collect::<Vec<_>>(),
        "status": statement.status,
        "timestamp": statement.timestamp,
    });
    let said = [
        ("justification", statement.justification.map(|word| word.word().to_owned())),
        ("impact_statement", statement.impact.clone()),
        ("action_statement", statement.action.clone()),
        ("status_notes", statement.notes.clone()),
    ];
    for (key, text) in said {
        if let Some(text) = text {
            value[key] = text.into();
        }
    }
    value
}

fn product(product: &Product) -> Value {
    let mut value = json!({ "@id": product.id });
    if let Some(purl) = &product.purl {
        value["identifiers"] = json!({ "purl": purl });
    }
    if !product.subcomponents.is_empty() {
        let parts = product.subcomponents.iter().map(|part| json!({ "@id": part }));
        value["subcomponents"] = parts.collect();
    }
    value
}
