//! A report as an attestation: in-toto's predicate `vulns` 0.2, and cosign's `vuln`.
//!
//! ```text
//! { scanner: { uri, version, db: { uri, version, lastUpdate }, result: [{ id, severity, annotations }] },
//!   metadata: { scanStartedOn, scanFinishedOn } }
//! ```
//!
//! cosign's has the same, `invocation` beside it, and as `result` whatever the scanner says: our own report. What Debian folds
//! and what somebody decided about are among the results, with `counts` false: a signed statement leaves nothing out in silence.

use serde_json::{Value, json};

use super::finding::{Finding, standing};
use super::json::report_json;
use super::report::Report;
use crate::advisory::DERIVED_ONLY;
use crate::attest::{Subject, write_statement};
use crate::canon;
use crate::ident::{BlobDigest, Epoch};

/// The predicate type of in-toto.
pub const VULNS: &str = "https://in-toto.io/attestation/vulns/v0.2";

/// The predicate type of cosign.
pub const COSIGN_VULN: &str = "https://cosign.sigstore.dev/attestation/vuln/v1";

/// What hardpan is known by.
const SCANNER: &str = "https://hardpan.dev/scan";

/// The statement, or the predicate alone where there is no digest that it could be about; `at` is when it was made.
pub fn vulns(report: &Report, at: Epoch) -> Vec<u8> {
    let result: Vec<Value> = report.findings.iter().map(result).collect();
    let mut predicate = json!({
        "scanner": { "uri": SCANNER, "version": env!("CARGO_PKG_VERSION"), "db": db(report, true), "result": result },
        "metadata": metadata(at),
    });
    if !report.subject.notes.is_empty() {
        predicate["metadata"]["notes"] = json!(report.subject.notes);
    }
    stated(report, VULNS, &predicate)
}

/// The same in cosign's words.
pub fn cosign_vuln(report: &Report, at: Epoch) -> Vec<u8> {
    let predicate = json!({
        "invocation": { "parameters": [], "uri": "", "event_id": "", "builder.id": "" },
        "scanner": {
            "uri": SCANNER, "version": env!("CARGO_PKG_VERSION"), "db": db(report, false), "result": report_json(report),
        },
        "metadata": metadata(at),
    });
    stated(report, COSIGN_VULN, &predicate)
}

fn stated(report: &Report, kind: &str, predicate: &Value) -> Vec<u8> {
    let predicate = canon::to_json(predicate);
    let Some(digest) = report.subject.digest else { return predicate };
    write_statement(&[Subject::new(&report.subject.name, &BlobDigest(digest))], kind, &predicate)
}

fn db(report: &Report, dated: bool) -> Value {
    let facts = &report.snapshot;
    let mut version = format!("sha256:{}", facts.digest);
    if facts.derived_only {
        // There is no field for it, and some readers refuse fields that they do not know.
        version.push_str("; ");
        version.push_str(DERIVED_ONLY);
    }
    let mut value = json!({ "uri": "https://hardpan.dev/advisories/v1", "version": version });
    if dated {
        value["lastUpdate"] = json!(facts.counts_from);
    }
    value
}

fn metadata(at: Epoch) -> Value {
    json!({ "scanStartedOn": at, "scanFinishedOn": at })
}

fn result(finding: &Finding) -> Value {
    let mut severity = Vec::new();
    match &finding.severity {
        None => severity.push(json!({ "method": "none", "score": "unknown" })),
        Some(said) => {
            severity.push(json!({ "method": said.source, "score": said.level.name() }));
            severity.extend(
                said.score.map(|score| json!({ "method": "cvss_score", "score": format!("{score:.1}") })),
            );
            severity.extend(
                said.vector.as_ref().map(|vector| json!({ "method": "cvss_vector", "score": vector })),
            );
        }
    }
    let purls: Vec<&str> = finding.binaries.iter().map(|binary| binary.purl.as_str()).collect();
    json!({
        "id": finding.id,
        "severity": severity,
        "annotations": [{
            "source": finding.source,
            "installed": finding.installed,
            "fixed": finding.fixed,
            "status": standing(finding.status),
            "counts": finding.counts(),
            "silenced": finding.silenced,
            "packages": purls,
            "exploited": finding.kev.is_some(),
            "hint": finding.hint.as_ref().map(|hint| &hint.text),
            "evidence": finding.evidence,
        }],
    })
}
