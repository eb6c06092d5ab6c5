//! Reports for programs, in our own form: all findings, those that do not count marked as such.

use serde_json::{Map, Value, json};

use super::compare::{Comparison, Row};
use super::finding::{Finding, standing};
use super::report::{Counts, Report, SnapshotFacts};
use super::subject::{Package, Subject};
use crate::advisory::{DERIVED_ONLY, Level, SignedBy};

/// The whole report.
pub fn report_json(report: &Report) -> Value {
    json!({
        "as_of": report.as_of,
        "subject": subject(&report.subject),
        "snapshot": snapshot(&report.snapshot),
        "counts": counts(&report.counts),
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
    })
}

/// Two reports side by side.
pub fn comparison_json(comparison: &Comparison) -> Value {
    let row =
        |row: &Row| json!({ "ours": row.ours, "other": row.other, "reduction_percent": row.reduction() });
    let side = |report: &Report| {
        json!({
            "subject": subject(&report.subject), "counts": counts(&report.counts),
        })
    };
    let levels: Map<String, Value> =
        comparison.levels.iter().map(|(level, count)| (level.name().to_owned(), row(count))).collect();
    let sources: Vec<Value> = comparison
        .sources
        .iter()
        .map(|(name, count)| json!({ "source": name, "ours": count.ours, "other": count.other }))
        .collect();
    json!({
        "as_of": comparison.ours.as_of,
        "snapshot": snapshot(&comparison.ours.snapshot),
        "ours": side(comparison.ours),
        "other": side(comparison.other),
        "total": row(&comparison.total),
        "severity": levels,
        "fixable": row(&comparison.fixable),
        "exploited": row(&comparison.exploited),
        "folded": row(&comparison.folded),
        "packages": row(&comparison.packages),
        "sources": sources,
    })
}

fn subject(subject: &Subject) -> Value {
    let Subject { name, what, digest, product, platforms, distro, packages, notes, .. } = subject;
    let package = |package: &Package| {
        json!({
            "name": package.binary, "version": package.version, "source": package.source,
            "source_version": package.source_version, "architecture": package.architecture,
            "ecosystem": package.ecosystem, "purl": package.purl,
            "files": package.files.as_ref().map(std::collections::BTreeSet::len),
        })
    };
    json!({
        "name": name, "kind": what, "product": product, "digest": digest.map(|digest| format!("sha256:{digest}")),
        "platforms": platforms, "release": distro, "releases": subject.releases(), "notes": notes,
        "packages": packages.iter().map(package).collect::<Vec<_>>(),
    })
}

fn snapshot(facts: &SnapshotFacts) -> Value {
    json!({
        "digest": format!("sha256:{}", facts.digest), "date": facts.date, "counts_from": facts.counts_from,
        "age_days": facts.days(), "stale": facts.is_stale(), "feeds": facts.feeds,
        "signed": !matches!(facts.signed, None | Some(SignedBy::Nobody)), "signed_by": facts.signer(),
        "derived_only": facts.derived_only, "note": facts.derived_only.then_some(DERIVED_ONLY),
    })
}

fn counts(counts: &Counts) -> Value {
    let levels: Map<String, Value> = Level::WORST_FIRST
        .into_iter()
        .map(|level| (level.name().to_owned(), counts.level(level).into()))
        .collect();
    let folded: Map<String, Value> =
        counts.folded.iter().map(|(status, count)| (standing(*status).to_owned(), (*count).into())).collect();
    json!({
        "total": counts.total, "fixable": counts.fixable, "exploited": counts.exploited,
        "severity": levels, "sources": counts.sources, "folded": folded, "silenced": counts.silenced,
    })
}

fn finding(finding: &Finding) -> Value {
    json!({
        "id": finding.id, "aliases": finding.aliases, "summary": finding.summary, "source": finding.source,
        "ecosystem": finding.ecosystem, "packages": finding.binaries, "installed": finding.installed,
        "status": finding.status, "counts": finding.counts(), "fixed": finding.fixed, "fixable": finding.fixable,
        "severity": finding.level(), "severity_by": finding.severity, "kev": finding.kev, "epss": finding.epss,
        "advisory": finding.advisory, "no_dsa": finding.no_dsa, "urgency": finding.urgency,
        "published": finding.published, "fix_available_at": finding.fix_available_at,
        "evidence": finding.evidence, "feed": finding.feed, "hint": finding.hint, "silenced": finding.silenced,
        "page": finding.page(),
    })
}
