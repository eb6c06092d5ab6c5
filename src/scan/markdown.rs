//! Reports for people who read them in a pull request.
//!
//! Names come from feeds and files of others: whatever Markdown or HTML would take for its own is escaped, and
//! nothing of theirs is a link.

use std::fmt::Write as _;

use super::compare::Comparison;
use super::finding::{Finding, standing};
use super::report::{Report, SnapshotFacts};
use super::subject::Subject;
use crate::advisory::Level;

/// The most rows of a table: code hosts cut long comments off.
const MAX_ROWS: usize = 200;

/// The report. With `all`, those that are folded are there too.
pub fn report_markdown(report: &Report, all: bool) -> String {
    let mut text = format!("## {}\n\n{}\n", verdict(report), about(&report.subject, &report.snapshot));
    let shown: Vec<&Finding> = report.shown(all).collect();
    if !shown.is_empty() {
        text.push_str(
            "\n| severity | vulnerability | source | installed | fixed | |\n|---|---|---|---|---|---|\n",
        );
    }
    let several = report.subject.releases().len() > 1;
    for finding in shown.iter().take(MAX_ROWS) {
        let _ = writeln!(text, "{}", row(finding, several));
    }
    if shown.len() > MAX_ROWS {
        let _ = writeln!(text, "\n… and {} more.", shown.len() - MAX_ROWS);
    }
    let hints = shown.iter().take(MAX_ROWS).filter_map(|finding| Some((finding, finding.hint.as_ref()?)));
    for (at, (finding, hint)) in hints.enumerate() {
        if at == 0 {
            text.push_str("\nHints, which decide nothing:\n\n");
        }
        let evidence = hint.evidence.join(", ");
        let _ =
            writeln!(text, "- {}: {} ({})", escaped(&finding.id), escaped(&hint.text), escaped(&evidence));
    }
    for (at, (finding, silenced)) in report.silenced().enumerate() {
        if at == 0 {
            text.push_str("\nDecided about, and not counted:\n\n");
        }
        let _ = writeln!(
            text,
            "- {} in {}: {}, by {}: {}",
            escaped(&finding.id),
            escaped(&finding.source),
            escaped(&silenced.status),
            escaped(&silenced.by),
            escaped(&silenced.reason)
        );
    }
    if !all && report.counts.all_folded() > 0 {
        let folded: Vec<String> = report
            .counts
            .folded
            .iter()
            .map(|(status, count)| format!("{count} {}", standing(*status)))
            .collect();
        let _ = writeln!(text, "\nNot counted, by Debian's own decision: {}.", folded.join(", "));
    }
    text
}

/// Two reports side by side.
pub fn comparison_markdown(comparison: &Comparison) -> String {
    let (ours, other) = (&comparison.ours.subject, &comparison.other.subject);
    let mut text = format!(
        "## {} against {}\n\n{}\n\n| | {} | {} | reduction |\n|---|--:|--:|--:|\n",
        escaped(&ours.name),
        escaped(&other.name),
        advisories(&comparison.ours.snapshot),
        escaped(&ours.name),
        escaped(&other.name)
    );
    for (name, row) in comparison.rows() {
        let _ = writeln!(text, "| {name} | {} | {} | {} |", row.ours, row.other, percent(row.reduction()));
    }
    if !comparison.sources.is_empty() {
        text.push_str("\n| source | ours | other |\n|---|--:|--:|\n");
    }
    for (name, row) in comparison.sources.iter().take(MAX_ROWS) {
        let _ = writeln!(text, "| {} | {} | {} |", escaped(name), row.ours, row.other);
    }
    text
}

/// A reduction in words.
fn percent(reduction: Option<f64>) -> String {
    reduction.map_or_else(|| "–".to_owned(), |reduction| format!("{reduction:.1} %"))
}

fn verdict(report: &Report) -> String {
    let counts = &report.counts;
    let name = escaped(&report.subject.name);
    if counts.total == 0 {
        let open = if report.snapshot.derived_only { "known to be fixed in newer versions" } else { "open" };
        return format!("{name}: no vulnerability {open}");
    }
    let levels = Level::WORST_FIRST.into_iter().filter(|level| counts.level(*level) > 0);
    let levels: Vec<String> = levels.map(|level| format!("{} {level}", counts.level(level))).collect();
    format!("{name}: {} ({}), {} fixable", plural(counts.total), levels.join(", "), counts.fixable)
}

fn plural(count: usize) -> String {
    format!("{count} vulnerabilit{}", if count == 1 { "y" } else { "ies" })
}

fn about(subject: &Subject, facts: &SnapshotFacts) -> String {
    let mut lines = Vec::new();
    let releases = subject.releases();
    let release =
        if releases.is_empty() { String::new() } else { format!(", Debian {}", releases.join(" and ")) };
    let digest = subject.digest.map(|digest| format!(" `sha256:{digest}`")).unwrap_or_default();
    lines.push(format!("{}{digest}{release}, {} packages  ", subject.what.name(), subject.names()));
    lines.push(advisories(facts));
    lines.extend(subject.notes.iter().map(|note| format!("\n> {}", escaped(note))));
    lines.join("\n")
}

fn advisories(facts: &SnapshotFacts) -> String {
    let mut text = format!(
        "advisories `sha256:{}` of {} ({} old), {}",
        facts.digest,
        facts.counts_from,
        facts.age_in_words(),
        escaped(&facts.signature())
    );
    for problem in facts.warnings() {
        let _ = write!(text, "\n\n> {}", escaped(&problem.message));
    }
    text
}

/// A row; of `several` releases it says which one it is of.
fn row(finding: &Finding, several: bool) -> String {
    let id = finding.page().map_or_else(|| escaped(&finding.id), |page| format!("[{}]({page})", finding.id));
    let mut more = Vec::new();
    more.extend(finding.release().filter(|_| several).map(|release| format!("Debian {}", escaped(release))));
    if finding.kev.is_some() {
        more.push("**exploited**".to_owned());
    }
    more.extend(finding.advisory.as_deref().map(escaped));
    if !finding.fixable {
        more.push(standing(finding.status).to_owned());
    }
    if finding.hint.is_some() {
        more.push("hint".to_owned());
    }
    let fixed = finding.fixed.as_ref().map(|fixed| code(fixed.as_str())).unwrap_or_default();
    format!(
        "| {} | {id} | {} | {} | {fixed} | {} |",
        finding.level(),
        escaped(&finding.source),
        code(finding.installed.as_str()),
        more.join(", ")
    )
}

/// A version: its letters need no escape inside of code.
fn code(version: &str) -> String {
    format!("`{version}`")
}

/// Text of others.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '@' => out.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '!' | '~' | '(' | ')' => {
                out.push('\\');
                out.push(letter);
            }
            letter if letter.is_control() => out.push(' '),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_is_no_markdown() {
        assert_eq!(escaped("[x](http://y) <b>|\n@team"), "\\[x\\]\\(http://y\\) &lt;b&gt;\\| &#64;team");
    }

    #[test]
    fn a_reduction_has_one_decimal() {
        assert_eq!((percent(Some(66.7)).as_str(), percent(None).as_str()), ("66.7 %", "–"));
    }
}
