//! What hardpan says of its own language: the schema and the pages of codes.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::Sandbox;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn every_code_has_a_page_that_begins_with_it() {
    let sandbox = Sandbox::new();
    let pages = fs::read_to_string(Path::new(ROOT).join("src/diag/codes.md")).unwrap();
    let heads = pages.lines().filter_map(|line| line.strip_prefix("## HP"));
    let codes: Vec<&str> = heads.map(|head| head.split(' ').next().unwrap()).collect();
    assert!(codes.len() > 30);
    for code in codes {
        let page = sandbox.hardpan(&["explain", &format!("HP{code}")]).ok().stdout;
        assert!(page.starts_with(&format!("## HP{code} ")), "{page}");
        assert!(page.lines().count() >= 3, "{page}");
    }
    sandbox.hardpan(&["explain", "HP999"]).exits(2).says("there is no code `HP999`");
}

#[test]
fn the_schema_is_a_json_schema_that_takes_no_unknown_keys() {
    let schema = schema();
    assert!(schema["$schema"].as_str().unwrap().contains("json-schema.org"));
    assert_eq!(schema["type"], "object");
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(schema["required"], serde_json::json!(["name"]));
}

#[test]
fn the_schema_has_every_key_of_every_recipe() {
    let schema = schema();
    let recipes = fs::read_dir(Path::new(ROOT).join("recipes")).unwrap().map(|entry| entry.unwrap().path());
    let mut seen = BTreeSet::new();
    for path in recipes.filter(|path| path.extension().is_some_and(|ending| ending == "toml")) {
        let recipe: toml::Value = toml::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        assert!(fits(&schema, &schema, &recipe, &mut seen), "{}", path.display());
    }
    assert!(seen.contains("entrypoint") && seen.contains("except"), "{seen:?}");
}

fn schema() -> Value {
    serde_json::from_str(&Sandbox::new().hardpan(&["schema"]).ok().stdout).unwrap()
}

/// Whether a value fits a schema, as far as its keys go.
fn fits(root: &Value, schema: &Value, value: &toml::Value, seen: &mut BTreeSet<String>) -> bool {
    if let Some(name) = schema["$ref"].as_str() {
        return fits(root, root.pointer(name.trim_start_matches('#')).unwrap(), value, seen);
    }
    if let Some(choices) = schema["anyOf"].as_array().or(schema["oneOf"].as_array()) {
        return choices.iter().any(|choice| fits(root, choice, value, seen));
    }
    // What is checked elsewhere takes anything (`remove`).
    if schema.is_object() && schema["type"].is_null() {
        return true;
    }
    match value {
        toml::Value::Table(table) => table.iter().all(|(key, value)| {
            let known = schema["properties"].get(key);
            seen.extend(known.map(|_| key.clone()));
            let of = known.unwrap_or(&schema["additionalProperties"]);
            (known.is_some() || of.is_object()) && fits(root, of, value, seen)
        }),
        toml::Value::Array(list) => list.iter().all(|value| fits(root, &schema["items"], value, seen)),
        _ => schema["type"] != "object" && schema["type"] != "array",
    }
}
