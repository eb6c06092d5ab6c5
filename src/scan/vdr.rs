//! A vulnerability disclosure report: CycloneDX 1.6 with `vulnerabilities` (its schema is `bom-1.6.schema.json`).
//!
//! All findings are in it, those that do not count with an analysis that says why. Its serial number is made of what it
//! is about and what it was made with, so that the same question has the same document.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::finding::{Binary, Finding, standing};
use super::report::Report;
use crate::advisory::{DERIVED_ONLY, Level, Severity, Standing};
use crate::canon;
use crate::ident::Epoch;
use crate::sbom::uuid;

/// Where Debian's tracker is read.
const TRACKER: &str = "https://security-tracker.debian.org/tracker/";

/// The document; `at` is when it was made.
pub fn vdr(report: &Report, at: Epoch) -> Vec<u8> {
    let mut components: BTreeMap<&str, &Binary> = BTreeMap::new();
    for binary in report.findings.iter().flat_map(|finding| &finding.binaries) {
        components.insert(&binary.purl, binary);
    }
    let components: Vec<Value> = components
        .into_values()
        .map(|binary| {
            json!({
                "type": "library", "bom-ref": binary.purl, "purl": binary.purl,
                "name": binary.name, "version": binary.version,
            })
        })
        .collect();
    let facts = &report.snapshot;
    let seed = format!("VDR {} {:?} {}", report.subject.name, report.subject.digest, facts.digest);
    canon::to_json(&json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": format!("urn:uuid:{}", uuid(&seed)),
        "version": 1,
        "metadata": metadata(report, at),
        "components": components,
        "vulnerabilities": report.findings.iter().map(vulnerability).collect::<Vec<_>>(),
    }))
}

fn property(name: &str, value: impl ToString) -> Value {
    json!({ "name": format!("hardpan:scan:{name}"), "value": value.to_string() })
}

fn metadata(report: &Report, at: Epoch) -> Value {
    let subject = &report.subject;
    let mut component = json!({
        "type": "container",
        "bom-ref": "subject",
        "name": subject.name,
    });
    if let Some(digest) = subject.digest {
        component["hashes"] = json!([{ "alg": "SHA-256", "content": digest }]);
    }
    let facts = &report.snapshot;
    let mut properties = vec![
        property("subject", subject.what.name()),
        property("snapshot", format!("sha256:{}", facts.digest)),
        property("snapshot-date", facts.counts_from),
        property("snapshot-signature", facts.signature()),
    ];
    properties
        .extend(subject.releases().iter().map(|release| property("release", format!("debian-{release}"))));
    if facts.derived_only {
        properties.push(property("snapshot-note", DERIVED_ONLY));
    }
    properties.extend(facts.warnings().iter().map(|problem| property("warning", &problem.message)));
    properties.extend(subject.notes.iter().map(|note| property("note", note)));
    let tool = json!({ "type": "application", "name": "hardpan", "version": env!("CARGO_PKG_VERSION") });
    json!({
        "timestamp": at, "tools": { "components": [tool] }, "component": component, "properties": properties,
    })
}

fn vulnerability(finding: &Finding) -> Value {
    let affects: Vec<Value> = finding
        .binaries
        .iter()
        .map(|binary| {
            json!({ "ref": binary.purl, "versions": [{ "version": binary.version, "status": "affected" }] })
        })
        .collect();
    let mut value = json!({
        "id": finding.id,
        "ratings": ratings(finding),
        "affects": unique(affects),
        "properties": properties(finding),
    });
    let fields = value.as_object_mut().expect("an object");
    let mut put = |key: &str, field: Option<Value>| field.map(|field| fields.insert(key.to_owned(), field));
    put("source", finding.page().map(|page| json!({ "name": "Debian", "url": page })));
    put("description", (!finding.summary.is_empty()).then(|| json!(finding.summary)));
    put("published", finding.published.map(|published| json!(published)));
    put(
        "recommendation",
        finding.fixed.as_ref().map(|fixed| json!(format!("Move {} to {fixed} or newer.", finding.source))),
    );
    let advisory = finding
        .advisory
        .as_deref()
        .filter(|advisory| advisory.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
    put(
        "advisories",
        advisory.map(|advisory| json!([{ "title": advisory, "url": format!("{TRACKER}{advisory}") }])),
    );
    put("analysis", analysis(finding));
    value
}

/// The schema wants each once; a package of two platforms may have one URL.
fn unique(values: Vec<Value>) -> Vec<Value> {
    let mut once = Vec::new();
    for value in values {
        if !once.contains(&value) {
            once.push(value);
        }
    }
    once
}

fn ratings(finding: &Finding) -> Vec<Value> {
    let Some(severity) = &finding.severity else {
        return vec![json!({ "severity": "unknown" })];
    };
    let Severity { level, score, source, vector } = severity;
    let word = match level {
        Level::Negligible => "none",
        level => level.name(),
    };
    let mut rating = json!({ "source": { "name": source }, "severity": word });
    if let Some(score) = score {
        rating["score"] = json!(score);
    }
    if let Some(vector) = vector {
        rating["vector"] = json!(vector);
        rating["method"] = method(vector).into();
    }
    vec![rating]
}

fn method(vector: &str) -> &'static str {
    match vector.split('/').next().unwrap_or_default() {
        "CVSS:4.0" => "CVSSv4",
        "CVSS:3.1" => "CVSSv31",
        "CVSS:3.0" => "CVSSv3",
        first if first.starts_with("AV:") => "CVSSv2",
        _ => "other",
    }
}

fn properties(finding: &Finding) -> Vec<Value> {
    let mut found = vec![
        property("source", &finding.source),
        property("installed", &finding.installed),
        property("status", standing(finding.status)),
        property("fixable", finding.fixable),
        property("counts", finding.counts()),
        property("feed", &finding.feed),
    ];
    let mut put = |name: &str, value: Option<String>| found.extend(value.map(|value| property(name, value)));
    put("release", finding.release().map(|release| format!("debian-{release}")));
    put("fixed", finding.fixed.as_ref().map(ToString::to_string));
    put("fix-available-at", finding.fix_available_at.map(|at| at.to_string()));
    put("exploited-since", finding.kev.as_ref().map(|kev| kev.added.to_string()));
    put("epss", finding.epss.map(|epss| epss.score.to_string()));
    put("no-dsa", finding.no_dsa.as_ref().map(|no_dsa| no_dsa.comment.clone()));
    put("hint", finding.hint.as_ref().map(|hint| format!("{} ({})", hint.text, hint.evidence.join(", "))));
    put("aliases", (!finding.aliases.is_empty()).then(|| finding.aliases.join(" ")));
    found
}

/// What was decided: by somebody, or by Debian.
fn analysis(finding: &Finding) -> Option<Value> {
    if let Some(silenced) = &finding.silenced {
        let state = match silenced.status.as_str() {
            "fixed" => "resolved",
            "under_investigation" => "in_triage",
            "affected" => "exploitable",
            _ => "not_affected",
        };
        return Some(json!({ "state": state, "detail": format!("{}: {}", silenced.by, silenced.reason) }));
    }
    match finding.status {
        _ if finding.fixable => Some(json!({ "state": "exploitable", "response": ["update"] })),
        Standing::Ignored => Some(json!({ "state": "exploitable", "response": ["will_not_fix"] })),
        Standing::Undetermined => Some(json!({ "state": "in_triage" })),
        Standing::NoDsa => {
            let comment = finding.no_dsa.as_ref().map(|no_dsa| no_dsa.comment.trim()).unwrap_or_default();
            let why = if comment.is_empty() { String::new() } else { format!(": {comment}") };
            let detail = format!("Debian gives no security update of its own for it (no-dsa){why}");
            Some(json!({ "state": "exploitable", "detail": detail }))
        }
        // No state of CycloneDX means this: that nobody is affected is not what Debian says.
        Standing::Unimportant => Some(json!({
            "detail": "Debian holds it for unimportant: it is in nothing that is built, or of no consequence for security",
        })),
        Standing::EndOfLife | Standing::Open | Standing::Resolved => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_method_is_that_of_the_vector() {
        for (vector, name) in [
            ("CVSS:4.0/AV:N", "CVSSv4"),
            ("CVSS:3.1/AV:N", "CVSSv31"),
            ("CVSS:3.0/AV:N", "CVSSv3"),
            ("AV:N/AC:L", "CVSSv2"),
            ("x", "other"),
        ] {
            assert_eq!(method(vector), name);
        }
    }
}
