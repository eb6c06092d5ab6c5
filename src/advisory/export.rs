//! A snapshot as records of OSV (schema 1.7), for other tools.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::feed::{FeedKind, Head};
use super::group::{FactGroup, PackageGroup, WireAffected, WireFact};
use super::snapshot::Snapshot;
use crate::canon;
use crate::diag::Result;
use crate::ident::Epoch;

/// Which version of the schema the records are written in.
const SCHEMA: &str = "1.7.0";

/// Takes a record: its name, its canonical JSON.
pub type Take<'a> = &'a mut dyn FnMut(&str, &[u8]) -> Result<()>;

/// What all feeds say under one name.
struct Merged {
    /// What it is kept by: the CVE, where it has one.
    key: String,
    fact: WireFact,
    /// Whose severity it is: the least goes first, as in answers.
    rank: u8,
    /// The newest date of a feed that speaks of it, for where none says when the record itself changed.
    dated: Epoch,
}

/// Hands over each record, one a name whatever number of feeds have it, sorted by name. Where several feeds say how the
/// same package stands, the one that is believed in answers is. What is only a score (KEV, EPSS) is no record.
pub fn export_osv(snapshot: &Snapshot, take: Take<'_>) -> Result<()> {
    let head = snapshot.head();
    // As text, which takes a tenth of the room that values do.
    let mut affected: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    snapshot.each_package(&mut |group: PackageGroup| {
        let (ecosystem, name) = group.key.split_once('\n').unwrap_or_default();
        for (id, wire) in believed(&group.affected, head) {
            let list = affected.entry(id.to_owned()).or_default();
            list.push(if list.is_empty() { b'[' } else { b',' });
            list.extend(canon::to_json(&object(ecosystem, name, &wire)));
        }
        Ok(())
    })?;
    let mut records: BTreeMap<String, Merged> = BTreeMap::new();
    snapshot.each_fact(&mut |group: FactGroup| {
        for (feed, fact) in group.facts {
            if fact.kev.is_none() && fact.epss.is_none() {
                merge(&mut records, &group.key, feed, fact, head);
            }
        }
        Ok(())
    })?;
    for (id, merged) in records {
        let touched = affected.remove(&id).map_or_else(Vec::new, |mut list| {
            list.push(b']');
            serde_json::from_slice(&list).expect("just written")
        });
        take(&id, &canon::to_json(&record(merged, touched)))?;
    }
    Ok(())
}

/// Of the statements about a package, by their names, those of the feed that is believed; with the date that only changelogs
/// know, where they say the same.
fn believed<'a>(all: &'a [(usize, WireAffected)], head: &Head) -> Vec<(&'a str, WireAffected)> {
    let weight = |feed: usize| match head.feeds.get(feed).map(|feed| feed.kind) {
        Some(FeedKind::Tracker) => 2,
        Some(FeedKind::Osv) => 1,
        _ => 0,
    };
    let mut by_name: BTreeMap<&str, Vec<&(usize, WireAffected)>> = BTreeMap::new();
    for one in all {
        by_name.entry(&one.1.id).or_default().push(one);
    }
    let mut chosen: Vec<(&str, WireAffected)> = Vec::new();
    for (id, same) in by_name {
        let best = same.iter().map(|(feed, _)| weight(*feed)).max().unwrap_or_default();
        for (_, wire) in same.iter().filter(|(feed, _)| weight(*feed) == best) {
            let mut wire = wire.clone();
            let alike = same.iter().filter(|(_, other)| other.ranges == wire.ranges);
            let since = alike.filter_map(|(_, other)| other.ecosystem_specific.fix_available_at).min();
            wire.ecosystem_specific.fix_available_at = wire.ecosystem_specific.fix_available_at.or(since);
            // A record of an advisory makes a statement for each CVE: as OSV has it, that is one.
            wire.cve = None;
            if !chosen.iter().any(|(there, other)| *there == id && *other == wire) {
                chosen.push((id, wire));
            }
        }
    }
    chosen
}

fn merge(records: &mut BTreeMap<String, Merged>, key: &str, feed: usize, fact: WireFact, head: &Head) {
    let feed = head.feeds.get(feed);
    let rank = match feed.map(|feed| feed.kind) {
        Some(FeedKind::Cve5) => 0,
        Some(FeedKind::Osv) => 1,
        _ => 2,
    };
    let dated = feed.map(|feed| feed.date).unwrap_or_default();
    let Some(there) = records.get_mut(&fact.id) else {
        records.insert(fact.id.clone(), Merged { key: key.to_owned(), fact, rank, dated });
        return;
    };
    if fact.severity.is_some() && (there.fact.severity.is_none() || rank < there.rank) {
        there.fact.severity = fact.severity;
        there.rank = rank;
    }
    if fact.summary.len() > there.fact.summary.len() {
        there.fact.summary = fact.summary;
    }
    there.fact.aliases.extend(fact.aliases);
    there.fact.aliases.sort();
    there.fact.aliases.dedup();
    there.fact.modified = there.fact.modified.max(fact.modified);
    there.fact.published = [there.fact.published, fact.published].into_iter().flatten().min();
    there.dated = there.dated.max(dated);
}

fn object(ecosystem: &str, name: &str, wire: &WireAffected) -> Value {
    let mut value = serde_json::to_value(wire).expect("our own type");
    let fields = value.as_object_mut().expect("a struct");
    fields.remove("id");
    fields.remove("cve");
    fields.insert("package".to_owned(), json!({ "ecosystem": ecosystem, "name": name }));
    value
}

fn record(merged: Merged, affected: Vec<Value>) -> Value {
    let Merged { key, fact, dated, .. } = merged;
    // OSV wants to know when a record changed. Where no feed says it, the feed as it was then is all that is known.
    let modified = fact.modified.unwrap_or(dated);
    let Ok(Value::Object(mut fact)) = serde_json::to_value(&fact) else { unreachable!("a struct") };
    let mut record = Map::new();
    for name in ["id", "published", "summary"] {
        if let Some(value) = fact.remove(name) {
            record.insert(name.to_owned(), value);
        }
    }
    record.insert("modified".to_owned(), json!(modified));
    record.insert("schema_version".to_owned(), SCHEMA.into());
    let id = record.get("id").and_then(Value::as_str).unwrap_or_default();
    let mut upstream: Vec<Value> =
        fact.remove("aliases").and_then(|names| names.as_array().cloned()).unwrap_or_default();
    if key != id && !upstream.iter().any(|name| *name == key) {
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
