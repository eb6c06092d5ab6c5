//! A snapshot as records of OSV (schema 1.7), for other tools.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::group::{FactGroup, PackageGroup, WireAffected};
use super::snapshot::Snapshot;
use crate::canon;
use crate::diag::Result;

/// Which version of the schema the records are written in.
const SCHEMA: &str = "1.7.0";

/// Takes a record: the feed's name, its own, its canonical JSON.
pub type Take<'a> = &'a mut dyn FnMut(&str, &str, &[u8]) -> Result<()>;

/// Hands over each record of each feed, by the feed's name, the record's name and its canonical JSON, sorted by feed
/// and name. What is only a score (KEV, EPSS) is no record.
pub fn export_osv(snapshot: &Snapshot, take: Take<'_>) -> Result<()> {
    // As text, which takes a tenth of the room that values do.
    let mut affected: BTreeMap<(usize, String), Vec<u8>> = BTreeMap::new();
    snapshot.each_package(&mut |group: PackageGroup| {
        let (ecosystem, name) = group.key.split_once('\n').unwrap_or_default();
        for (feed, wire) in &group.affected {
            let list = affected.entry((*feed, wire.id.clone())).or_default();
            list.push(if list.is_empty() { b'[' } else { b',' });
            list.extend(canon::to_json(&object(ecosystem, name, wire)));
        }
        Ok(())
    })?;
    let mut records: BTreeMap<(usize, String), Vec<u8>> = BTreeMap::new();
    snapshot.each_fact(&mut |group: FactGroup| {
        for (feed, fact) in group.facts {
            let key = (feed, fact.id.clone());
            let touched = affected.remove(&key);
            let scored = fact.kev.is_some() || fact.epss.is_some();
            if scored && touched.is_none() {
                continue;
            }
            let fact = serde_json::to_value(&fact).expect("our own type");
            let touched = touched.map_or_else(Vec::new, |mut list| {
                list.push(b']');
                serde_json::from_slice(&list).expect("just written")
            });
            records.insert(key, canon::to_json(&record(&group.key, fact, touched)));
        }
        Ok(())
    })?;
    for ((feed, id), record) in &records {
        let name = snapshot.head().feeds.get(*feed).map_or("", |feed| feed.name.as_str());
        take(name, id, record)?;
    }
    Ok(())
}

fn object(ecosystem: &str, name: &str, wire: &WireAffected) -> Value {
    let mut value = serde_json::to_value(wire).expect("our own type");
    let fields = value.as_object_mut().expect("a struct");
    fields.remove("id");
    fields.remove("cve");
    fields.insert("package".to_owned(), json!({ "ecosystem": ecosystem, "name": name }));
    value
}

fn record(key: &str, fact: Value, affected: Vec<Value>) -> Value {
    let Value::Object(mut fact) = fact else { unreachable!("a struct") };
    let mut record = Map::new();
    for name in ["id", "published", "summary"] {
        if let Some(value) = fact.remove(name) {
            record.insert(name.to_owned(), value);
        }
    }
    // OSV wants to know when a record changed; where a feed does not say, the beginning of time stands for it.
    let modified = fact.remove("modified").unwrap_or_else(|| "1970-01-01T00:00:00Z".into());
    record.insert("modified".to_owned(), modified);
    record.insert("schema_version".to_owned(), SCHEMA.into());
    let id = record.get("id").and_then(Value::as_str).unwrap_or_default();
    let mut upstream: Vec<Value> =
        fact.remove("aliases").and_then(|names| names.as_array().cloned()).unwrap_or_default();
    if key != id && !upstream.iter().any(|name| name == key) {
        upstream.push(key.into());
    }
    if !upstream.is_empty() {
        record.insert("upstream".to_owned(), upstream.into());
    }
    if let Some(severity) = fact.remove("severity") {
        let vector = severity.get("vector").and_then(Value::as_str);
        if let Some((kind, vector)) = vector.and_then(|vector| Some((form(vector)?, vector))) {
            record.insert("severity".to_owned(), json!([{ "type": kind, "score": vector }]));
        }
        record.insert(
            "database_specific".to_owned(),
            json!({ "severity": severity.get("level"), "severity_source": severity.get("source") }),
        );
    }
    record.insert("affected".to_owned(), affected.into());
    Value::Object(record)
}

fn form(vector: &str) -> Option<&'static str> {
    match vector.split_once('/')?.0 {
        "CVSS:4.0" => Some("CVSS_V4"),
        "CVSS:3.0" | "CVSS:3.1" => Some("CVSS_V3"),
        _ => Some("CVSS_V2"),
    }
}
