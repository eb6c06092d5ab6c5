//! SARIF 2.1.0 (OASIS standard, section 3), as code hosts take it.
//!
//! A rule a vulnerability, a result a finding. Places are files of the image (the package's own entry in dpkg's
//! list), or the file that was scanned; what somebody decided about is there with a suppression (3.27.23).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::finding::{Finding, standing};
use super::report::Report;
use super::subject::What;
use crate::advisory::{DERIVED_ONLY, Level};
use crate::canon;
use crate::ident::Epoch;

/// Where what hardpan is stands.
const HOME: &str = "https://hardpan.dev";

/// The report; `at` is when it was made. With `all`, those that are folded are there too.
pub fn sarif(report: &Report, all: bool, at: Epoch) -> Vec<u8> {
    let taken: Vec<&Finding> =
        report.findings.iter().filter(|one| one.silenced.is_some() || all || one.counts()).collect();
    let mut of_rules: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in &taken {
        of_rules.entry(&finding.id).or_default().push(finding);
    }
    let rules: BTreeMap<&str, Value> = of_rules.iter().map(|(id, findings)| (*id, rule(findings))).collect();
    let places: BTreeMap<&str, usize> = rules.keys().enumerate().map(|(at, id)| (*id, at)).collect();
    let results: Vec<Value> = taken.iter().map(|one| result(report, one, places[one.id.as_str()])).collect();
    let facts = &report.snapshot;
    let mut notifications: Vec<Value> = facts
        .warnings()
        .iter()
        .map(|problem| json!({ "level": "warning", "message": { "text": problem.message } }))
        .collect();
    notifications.extend(
        report.subject.notes.iter().map(|note| json!({ "level": "note", "message": { "text": note } })),
    );
    let mut driver = json!({
        "name": "hardpan",
        "version": env!("CARGO_PKG_VERSION"),
        "semanticVersion": env!("CARGO_PKG_VERSION"),
        "informationUri": HOME,
        "rules": rules.into_values().collect::<Vec<_>>(),
    });
    if facts.derived_only {
        driver["fullDescription"] = json!({ "text": format!("The advisories are {DERIVED_ONLY}.") });
    }
    canon::to_json(&json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": driver },
            "invocations": [{
                "executionSuccessful": true,
                "endTimeUtc": at,
                "toolExecutionNotifications": notifications,
            }],
            "columnKind": "unicodeCodePoints",
            "properties": properties(report),
            "results": results,
        }],
    }))
}

fn properties(report: &Report) -> Value {
    let facts = &report.snapshot;
    json!({
        "subject": report.subject.name,
        "digest": report.subject.digest.map(|digest| format!("sha256:{digest}")),
        "snapshot": format!("sha256:{}", facts.digest),
        "snapshotDate": facts.counts_from,
        "snapshotSignature": facts.signature(),
        "derivedOnly": facts.derived_only,
    })
}

/// The rule of a vulnerability, which may be in several sources.
fn rule(findings: &[&Finding]) -> Value {
    let finding = findings[0];
    let level = finding.level();
    let sources: BTreeSet<&str> = findings.iter().map(|one| one.source.as_str()).collect();
    let title = format!("{} in {}", finding.id, sources.into_iter().collect::<Vec<_>>().join(", "));
    let summary = if finding.summary.is_empty() { title.clone() } else { finding.summary.clone() };
    let mut properties = json!({ "tags": ["security", "vulnerability", level.name()] });
    // Code hosts sort by this number; where nobody gave any there is none.
    if let Some(score) = finding.severity.as_ref().and_then(|severity| severity.score) {
        properties["security-severity"] = format!("{score:.1}").into();
    }
    if let Some(severity) = &finding.severity {
        properties["severitySource"] = severity.source.clone().into();
    }
    let mut rule = json!({
        "id": finding.id,
        "name": "Vulnerability",
        "shortDescription": { "text": title },
        "fullDescription": { "text": summary },
        "help": { "text": help(findings) },
        "defaultConfiguration": { "level": word(level) },
        "properties": properties,
    });
    if let Some(page) = finding.page() {
        rule["helpUri"] = page.into();
    }
    rule
}

fn help(findings: &[&Finding]) -> String {
    let of = |finding: &&Finding| match &finding.fixed {
        Some(fixed) => format!("Move {} to {fixed} or newer.", finding.source),
        None => format!("No fixed version of {} is known in this release.", finding.source),
    };
    let all: BTreeSet<String> = findings.iter().map(of).collect();
    all.into_iter().collect::<Vec<_>>().join(" ")
}

/// The level of SARIF.
fn word(level: Level) -> &'static str {
    match level {
        Level::Critical | Level::High => "error",
        Level::Medium | Level::Unknown => "warning",
        Level::Low | Level::Negligible => "note",
    }
}

fn result(report: &Report, finding: &Finding, rule: usize) -> Value {
    let locations: Vec<Value> = finding
        .binaries
        .iter()
        .map(|binary| {
            json!({
                "physicalLocation": {
                    "artifactLocation": { "uri": uri(&place(report, &binary.name)) },
                    "region": { "startLine": 1 },
                },
                "logicalLocations": [{
                    "name": binary.name,
                    "fullyQualifiedName": binary.purl,
                    "kind": "package",
                }],
            })
        })
        .collect();
    let mut value = json!({
        "ruleId": finding.id,
        "ruleIndex": rule,
        "level": word(finding.level()),
        "message": { "text": message(finding) },
        "locations": locations,
        "partialFingerprints": {
            "finding/v1": format!("{} {} {}", finding.id, finding.ecosystem, finding.source),
        },
        "properties": {
            "source": finding.source,
            "installed": finding.installed,
            "fixed": finding.fixed,
            "fixable": finding.fixable,
            "status": standing(finding.status),
            "severity": finding.level(),
            "exploited": finding.kev.is_some(),
            "epss": finding.epss.map(|epss| epss.score),
            "hint": finding.hint,
        },
    });
    if let Some(silenced) = &finding.silenced {
        value["suppressions"] = json!([{
            "kind": "external",
            "status": "accepted",
            "justification": format!("{}, by {}: {}", silenced.status, silenced.by, silenced.reason),
        }]);
    }
    value
}

fn message(finding: &Finding) -> String {
    // A package of several platforms is one to who reads this.
    let names: BTreeSet<&str> = finding.binaries.iter().map(|binary| binary.name.as_str()).collect();
    let names: Vec<&str> = names.into_iter().collect();
    let mut text =
        format!("{} touches {} {} ({}).", finding.id, finding.source, finding.installed, names.join(", "));
    match &finding.fixed {
        Some(fixed) => drop(write!(text, " It is fixed in {fixed}.")),
        None => drop(write!(text, " No fix is known; it stands as {}.", standing(finding.status))),
    }
    if let Some(hint) = &finding.hint {
        let _ = write!(text, " A hint, and no decision: {}.", hint.text);
    }
    text
}

/// The file that a package is known by.
fn place(report: &Report, package: &str) -> String {
    match report.subject.what {
        What::Image => format!("var/lib/dpkg/status.d/{package}"),
        What::Foreign | What::Prefix => "var/lib/dpkg/status".to_owned(),
        What::Sbom | What::Lock => report.subject.name.clone(),
    }
}

/// A relative reference (RFC 3986): what is neither unreserved nor a slash is encoded.
fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.trim_start_matches('/').bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/+".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_relative_references() {
        assert_eq!(uri("var/lib/dpkg/status.d/libstdc++6"), "var/lib/dpkg/status.d/libstdc++6");
        assert_eq!(uri("/a b/\u{e9}:x"), "a%20b/%C3%A9%3Ax");
    }

    #[test]
    fn what_nobody_rated_is_a_warning() {
        let words: Vec<&str> = Level::WORST_FIRST.into_iter().map(word).collect();
        assert_eq!(words, ["error", "error", "warning", "note", "note", "warning"]);
    }
}
