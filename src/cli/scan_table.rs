//! Reports and comparisons for people at a terminal.

use std::fmt::Write as _;

use super::print;
use crate::advisory::{Level, Standing};
use crate::scan::{Comparison, Counts, Finding, Report, SnapshotFacts, Subject};

/// The most sources that a comparison names.
const MAX_SOURCES: usize = 15;

/// A report. With `all`, those that are folded are there too.
pub(super) fn report(report: &Report, all: bool) -> String {
    let mut parts = vec![head(report)];
    let shown: Vec<&Finding> = report.shown(all).collect();
    if !shown.is_empty() {
        let names = ["SEVERITY", "VULNERABILITY", "SOURCE", "INSTALLED", "FIXED IN", ""];
        let mut rows = vec![names.map(ToOwned::to_owned).to_vec()];
        let several = report.subject.releases().len() > 1;
        rows.extend(shown.iter().map(|finding| row(finding, several)));
        parts.push(print::columns(&rows));
    }
    parts.extend(hints(&shown));
    parts.extend(silenced(report));
    parts.push(summary(report, all));
    parts.join("\n\n")
}

fn head(report: &Report) -> String {
    let mut rows = vec![vec![report.subject.what.name().to_owned(), subject(&report.subject)]];
    rows.push(vec!["advisories".to_owned(), advisories(&report.snapshot)]);
    rows.extend(report.subject.notes.iter().map(|note| vec!["note".to_owned(), note.clone()]));
    if report.snapshot.derived_only {
        rows.push(vec!["note".to_owned(), format!("the advisories are {}", crate::advisory::DERIVED_ONLY)]);
    }
    print::columns(&rows)
}

fn subject(subject: &Subject) -> String {
    let mut words = vec![subject.name.clone()];
    words.extend(subject.digest.map(|digest| format!("sha256:{}", digest.short())));
    let releases = subject.releases();
    words.extend((!releases.is_empty()).then(|| format!("Debian {}", releases.join(" and "))));
    words.push(subject.platforms.join(" and "));
    words.push(format!("{} packages", subject.names()));
    words.retain(|word| !word.is_empty());
    words.join(", ")
}

fn advisories(facts: &SnapshotFacts) -> String {
    let names: Vec<&str> = facts.feeds.iter().map(|feed| feed.name.as_str()).collect();
    let age = match facts.days() {
        0 => "of today".to_owned(),
        1 => "a day old".to_owned(),
        days => format!("{days} days old"),
    };
    format!(
        "sha256:{}, {} ({age}), {}, {}",
        facts.digest.short(),
        facts.counts_from,
        names.join(" + "),
        facts.signature()
    )
}

/// A row; of `several` releases it says which one it is of.
fn row(finding: &Finding, several: bool) -> Vec<String> {
    let release = finding.release().filter(|_| several).map(|release| format!("Debian {release}"));
    let remarks: Vec<String> =
        release.into_iter().chain([remarks(finding)]).filter(|one| !one.is_empty()).collect();
    vec![
        finding.level().name().to_owned(),
        finding.id.clone(),
        finding.source.clone(),
        finding.installed.to_string(),
        finding.fixed.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string),
        remarks.join(", "),
    ]
}

fn remarks(finding: &Finding) -> String {
    let mut words = Vec::new();
    if let Some(kev) = &finding.kev {
        words.push(if kev.ransomware { "EXPLOITED, by ransomware" } else { "EXPLOITED" }.to_owned());
    }
    words.extend(finding.advisory.clone());
    match finding.status {
        _ if finding.fixable => {}
        Standing::NoDsa => words.push("no DSA".to_owned()),
        Standing::EndOfLife => words.push("end of life".to_owned()),
        Standing::Open | Standing::Resolved => {}
        Standing::Ignored => words.push("ignored".to_owned()),
        Standing::Undetermined => words.push("undetermined".to_owned()),
        Standing::Unimportant => words.push("unimportant".to_owned()),
    }
    if let Some(epss) = finding.epss.filter(|epss| epss.score >= 0.1) {
        words.push(format!("EPSS {:.0} %", epss.score * 100.0));
    }
    if finding.hint.is_some() {
        words.push("hint".to_owned());
    }
    words.join(", ")
}

fn hints(shown: &[&Finding]) -> Option<String> {
    let hints = shown.iter().filter_map(|finding| Some((finding, finding.hint.as_ref()?)));
    let lines: Vec<String> = hints
        .map(|(finding, hint)| {
            print::harmless(&format!("  {}: {} (there: {})", finding.id, hint.text, hint.evidence.join(", ")))
        })
        .collect();
    (!lines.is_empty()).then(|| format!("hints, which decide nothing\n{}", lines.join("\n")))
}

fn silenced(report: &Report) -> Option<String> {
    let lines: Vec<String> = report
        .silenced()
        .map(|(finding, decided)| {
            print::harmless(&format!(
                "  {} in {}: {}, by {}: {}",
                finding.id, finding.source, decided.status, decided.by, decided.reason
            ))
        })
        .collect();
    (!lines.is_empty()).then(|| format!("decided about, and not counted\n{}", lines.join("\n")))
}

fn summary(report: &Report, all: bool) -> String {
    let counts = &report.counts;
    let mut text = if counts.total == 0 {
        let known =
            if report.snapshot.derived_only { "no fix is missing" } else { "nothing that counts was found" };
        known.to_owned()
    } else {
        format!(
            "{} found ({}), {} fixable, {} exploited",
            counts.total,
            levels(counts),
            counts.fixable,
            counts.exploited
        )
    };
    let folded = counts.all_folded();
    if folded > 0 {
        let more = if all { "" } else { " (`--all` shows them)" };
        let _ = write!(text, "; {folded} that Debian decided about{more}");
    }
    if counts.silenced > 0 {
        let _ = write!(text, "; {} silenced", counts.silenced);
    }
    text
}

fn levels(counts: &Counts) -> String {
    let levels = Level::WORST_FIRST.into_iter().filter(|level| counts.level(*level) > 0);
    levels.map(|level| format!("{} {level}", counts.level(level))).collect::<Vec<_>>().join(", ")
}

/// Two reports side by side.
pub(super) fn comparison(comparison: &Comparison) -> String {
    let (ours, other) = (&comparison.ours.subject, &comparison.other.subject);
    let mut head = vec![
        vec!["A".to_owned(), subject(ours)],
        vec!["B".to_owned(), subject(other)],
        vec!["advisories".to_owned(), advisories(&comparison.ours.snapshot)],
    ];
    for (side, subject) in [("A", ours), ("B", other)] {
        head.extend(subject.notes.iter().map(|note| vec!["note".to_owned(), format!("{side}: {note}")]));
    }
    if comparison.ours.snapshot.derived_only {
        head.push(vec!["note".to_owned(), format!("the advisories are {}", crate::advisory::DERIVED_ONLY)]);
    }
    let mut rows = vec![["", "A", "B", "reduction"].map(ToOwned::to_owned).to_vec()];
    rows.extend(comparison.rows().into_iter().map(|(name, row)| {
        let percent = row.reduction().map_or_else(|| "-".to_owned(), |percent| format!("{percent:.1} %"));
        vec![name.to_owned(), row.ours.to_string(), row.other.to_string(), percent]
    }));
    let mut parts = vec![print::columns(&head), print::columns(&rows)];
    if !comparison.sources.is_empty() {
        let mut rows = vec![["SOURCE", "A", "B"].map(ToOwned::to_owned).to_vec()];
        let all = &comparison.sources;
        rows.extend(
            all.iter()
                .take(MAX_SOURCES)
                .map(|(name, row)| vec![name.clone(), row.ours.to_string(), row.other.to_string()]),
        );
        let mut table = print::columns(&rows);
        if all.len() > MAX_SOURCES {
            let _ = write!(table, "\nand {} more sources", all.len() - MAX_SOURCES);
        }
        parts.push(table);
    }
    parts.join("\n\n")
}
