//! Time: how long it took, and what that is worth against targets.

use std::collections::BTreeMap;

use serde_json::json;

use super::picture::{Picture, Point, Stack};
use super::sheet::{Cell, Column, Sheet, length};
use super::{By, Known, Report};
use crate::advisory::Level;
use crate::ident::Epoch;
use crate::ledger::{Exposure, ImageId, Spread, Standing, Tally, of_exposure, spread, standing, target};
use crate::verify::Targets;

/// The row of those that have not ended, among rows of weeks.
const OPEN: &str = "open";

/// The row of all.
const ALL: &str = "all";

/// The most weeks that are filled up with empty ones: ten years.
const MOST_WEEKS: i64 = 520;

type Group<'a> = (String, Vec<&'a Exposure>);

/// How long it took.
pub(super) fn mttr(known: &Known, since: Option<Epoch>, by: By) -> Report {
    let mut exposures = known.exposures(since);
    exposures.retain(|(_, exposure)| exposure.published.is_some());
    let (mut rows, mut points) = (Vec::new(), Vec::new());
    for (name, group) in groups(&exposures, by) {
        let (remediate, exposed) = spreads(&group);
        points.push(Point { name: name.clone(), median: remediate.median, ninetieth: remediate.ninetieth });
        rows.push(times(name, group.len(), remediate, exposed));
    }
    let all: Vec<&Exposure> = exposures.iter().map(|(_, exposure)| *exposure).collect();
    let (remediate, exposed) = spreads(&all);
    rows.push(times(ALL.to_owned(), all.len(), remediate, exposed));
    let mut facts = known.facts(since);
    facts.insert("method".to_owned(), "nearest-rank".into());
    facts.insert("by".to_owned(), word(by).into());
    let notes = vec![
        "to remediate: from when the fix could be had to when an image with it was published".to_owned(),
        "exposed: from public knowledge to that publication; median and 90th percentile are nearest-rank"
            .to_owned(),
    ];
    Report {
        name: "mttr",
        title: format!("Time from a fix to a published image, by {}", word(by)),
        facts,
        sheet: Sheet { columns: time_columns(by), rows },
        picture: if by == By::Week { Picture::Trend(points) } else { Picture::Spans(points) },
        text: None,
        notes,
    }
}

fn time_columns(by: By) -> Vec<Column> {
    vec![
        (word(by), word(by)),
        ("fixed", "fixed"),
        ("remediate_count", ""),
        ("remediate_median_seconds", "to remediate: median"),
        ("remediate_p90_seconds", "90 %"),
        ("exposed_count", ""),
        ("exposed_median_seconds", "exposed: median"),
        ("exposed_p90_seconds", "90 %"),
    ]
}

fn times(name: String, fixed: usize, remediate: Spread, exposed: Spread) -> Vec<Cell> {
    let mut cells = vec![Cell::Text(name), Cell::Count(fixed)];
    for spread in [remediate, exposed] {
        cells.extend([
            Cell::Count(spread.count),
            Cell::Length(spread.median),
            Cell::Length(spread.ninetieth),
        ]);
    }
    cells
}

fn spreads(group: &[&Exposure]) -> (Spread, Spread) {
    let measures: Vec<_> = group.iter().map(|exposure| of_exposure(exposure)).collect();
    (
        spread(measures.iter().filter_map(|times| times.to_remediate).collect()),
        spread(measures.iter().filter_map(|times| times.exposed).collect()),
    )
}

/// Targets met and broken.
pub(super) fn sla(known: &Known, since: Option<Epoch>, by: By, targets: &Targets) -> Report {
    let exposures = known.exposures(since);
    let (mut rows, mut stacks, mut total) = (Vec::new(), Vec::new(), Tally::default());
    for (name, group) in groups(&exposures, by) {
        let mut tally = Tally::default();
        for exposure in &group {
            tally.count(standing(exposure, targets, known.as_of));
        }
        stacks.push(stack(&name, &tally));
        rows.push(tallied(name.clone(), by_name(by, &name, targets), &tally));
        total = total.and(tally);
    }
    let no_target = (by == By::Severity).then_some(Cell::Length(None));
    rows.push(tallied(ALL.to_owned(), no_target, &total));
    let mut facts = known.facts(since);
    facts.insert("by".to_owned(), word(by).into());
    let seconds = json!({ "critical": targets.critical.0, "high": targets.high.0, "other": targets.other.0 });
    facts.insert("targets_seconds".to_owned(), seconds);
    let notes = vec![
        format!(
            "targets, from when the fix could be had to publication: critical {}, high {}, other {}",
            length(targets.critical.0),
            length(targets.high.0),
            length(targets.other.0)
        ),
        "breached: published too late, or overdue; overdue: still open past the target, and among the open too".to_owned(),
        "met %: of those met or breached; open without a known fix, untimed and gone count for neither".to_owned(),
    ];
    Report {
        name: "sla",
        title: format!("Targets met and broken, by {}", word(by)),
        facts,
        sheet: Sheet { columns: tally_columns(by), rows },
        picture: Picture::Stacks {
            legend: vec![
                ("met", "met"),
                ("late", "published late"),
                ("overdue", "overdue"),
                ("waiting", "open in time"),
                ("nofix", "no fix known"),
            ],
            stacks,
        },
        text: None,
        notes,
    }
}

fn tally_columns(by: By) -> Vec<Column> {
    let mut columns = vec![(word(by), word(by))];
    if by == By::Severity {
        columns.push(("target_seconds", "target"));
    }
    columns.extend([
        ("met", "met"),
        ("breached", "breached"),
        ("open", "open"),
        ("overdue", "overdue"),
        ("no_fix", "no fix"),
        ("untimed", "untimed"),
        ("gone", "gone"),
        ("met_share", "met %"),
    ]);
    columns
}

/// The target cell of a row, where rows are severities.
fn by_name(by: By, name: &str, targets: &Targets) -> Option<Cell> {
    let severity = (by == By::Severity).then(|| Level::of_word(name)).flatten()?;
    Some(Cell::Length(Some(target(targets, severity).0)))
}

fn tallied(name: String, of_target: Option<Cell>, tally: &Tally) -> Vec<Cell> {
    let mut cells = vec![Cell::Text(name)];
    cells.extend(of_target);
    let counts =
        [tally.met, tally.breached, tally.open, tally.overdue, tally.no_fix, tally.untimed, tally.gone];
    cells.extend(counts.map(Cell::Count));
    cells.push(Cell::Share(tally.met_share()));
    cells
}

fn stack(name: &str, tally: &Tally) -> Stack {
    let late = tally.breached - tally.overdue;
    let parts = vec![tally.met, late, tally.overdue, tally.open - tally.overdue, tally.no_fix];
    Stack { name: name.to_owned(), parts }
}

fn word(by: By) -> &'static str {
    match by {
        By::Severity => "severity",
        By::Image => "image",
        By::Package => "package",
        By::Week => "week",
    }
}

/// Exposures by what was asked for, in the order in which they are told.
fn groups<'a>(exposures: &[(&'a ImageId, &'a Exposure)], by: By) -> Vec<Group<'a>> {
    if by == By::Week {
        return weeks(exposures);
    }
    if by == By::Severity {
        let of = |severity: Level| {
            let those = exposures.iter().map(|(_, exposure)| *exposure);
            (severity.to_string(), those.filter(|exposure| exposure.severity == severity).collect())
        };
        return Level::WORST_FIRST.iter().map(|severity| of(*severity)).collect();
    }
    let mut found: BTreeMap<String, Vec<&Exposure>> = BTreeMap::new();
    for (image, exposure) in exposures {
        let name = if by == By::Image { image.to_string() } else { exposure.package.clone() };
        found.entry(name).or_default().push(exposure);
    }
    found.into_iter().collect()
}

/// By the week of their end, also weeks in which none ended; then those that are open.
fn weeks<'a>(exposures: &[(&'a ImageId, &'a Exposure)]) -> Vec<Group<'a>> {
    const WEEK: i64 = 7 * 86_400;
    // Weeks begin on Monday, and 1970-01-05 was one.
    let number = |time: Epoch| (time.0 - 4 * 86_400).div_euclid(WEEK);
    let mut found: BTreeMap<i64, Vec<&Exposure>> = BTreeMap::new();
    let mut open = Vec::new();
    for (_, exposure) in exposures {
        match exposure.ended() {
            Some(ended) => found.entry(number(ended)).or_default().push(exposure),
            None => open.push(*exposure),
        }
    }
    if let (Some((first, _)), Some((last, _))) = (found.first_key_value(), found.last_key_value()) {
        for week in (*first).max(last - MOST_WEEKS)..*last {
            found.entry(week).or_default();
        }
    }
    let name = |week: i64| {
        let (year, week) = Epoch(week * WEEK + 4 * 86_400).week();
        format!("{year:04}-W{week:02}")
    };
    let mut groups: Vec<Group<'a>> = found.into_iter().map(|(week, those)| (name(week), those)).collect();
    if !open.is_empty() {
        groups.push((OPEN.to_owned(), open));
    }
    groups
}

/// How an exposure stands to its target, in words.
pub(super) fn judged(exposure: &Exposure, targets: &Targets, now: Epoch) -> String {
    let target = length(target(targets, exposure.severity).0);
    match standing(exposure, targets, now) {
        Standing::Met => format!("met the target of {target}"),
        Standing::Late => format!("broke the target of {target}"),
        Standing::InTime => format!("the target of {target} is not over"),
        Standing::Overdue => format!("overdue: the target of {target} is over"),
        Standing::NoFix => "no release file has a fix".to_owned(),
        Standing::Untimed => "nobody knows since when there was a fix".to_owned(),
        Standing::Gone => "ended without a fix".to_owned(),
    }
}
