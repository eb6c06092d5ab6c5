//! The recipe language as JSON Schema (draft 2020-12), so that editors complete and check it.

use serde_json::{Map, Value, json};

use super::keys;
use super::shape::{Key, Kind};

/// The schema as a JSON value.
pub fn schema() -> Value {
    let mut schema = object(keys::recipe());
    let head = schema.as_object_mut().expect("an object");
    head.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
    head.insert("title".into(), "hardpan recipe".into());
    schema
}

fn object(keys: &[Key]) -> Value {
    let property = |key: &Key| {
        let mut schema = value(&key.kind);
        schema.as_object_mut().expect("an object").insert("description".into(), key.about.into());
        (key.name.to_owned(), schema)
    };
    let properties: Map<String, Value> = keys.iter().map(property).collect();
    let required: Vec<&str> = keys.iter().filter(|key| key.required).map(|key| key.name).collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

fn value(kind: &Kind) -> Value {
    match kind {
        // Editors know TOML dates as strings.
        Kind::Text | Kind::Date => json!({ "type": "string" }),
        Kind::Integer => json!({ "type": "integer" }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::List(kind) => json!({ "type": "array", "items": value(kind) }),
        Kind::Map(_, kind) => json!({ "type": "object", "additionalProperties": value(kind) }),
        Kind::Table(keys) => object(keys),
        Kind::Either(kinds) => json!({ "anyOf": kinds.iter().map(value).collect::<Vec<_>>() }),
        Kind::Any => json!({}),
    }
}
