//! Medians and ratios as a Markdown table.

use std::fmt::Write as _;

use super::measure::Cost;

/// One thing that is timed.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What it is called.
    pub name: &'static str,
    /// The bytes that it made.
    pub size: Option<u64>,
    /// What each run cost.
    pub costs: Vec<Cost>,
}

impl Row {
    /// A row without runs.
    pub fn new(name: &'static str) -> Self {
        Self { name, size: None, costs: Vec::new() }
    }

    /// How much more wall time than another row this takes, in per cent of the other's.
    pub fn over(&self, other: &Self) -> f64 {
        let wall = |row: &Self| median(&row.sorted(|cost| cost.wall));
        (wall(self) / wall(other) - 1.0) * 100.0
    }

    fn sorted(&self, value: impl Fn(&Cost) -> f64) -> Vec<f64> {
        let mut values: Vec<f64> = self.costs.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        values
    }
}

/// The table of rows with at least one run each; the first is what the others are compared with.
pub fn table(rows: &[&Row]) -> String {
    let mut text = "| | wall | processors | wall ÷ floor | processors ÷ floor | memory | result |\n\
                    |---|---|---|---|---|---|---|\n"
        .to_owned();
    for row in rows {
        let (wall, cpu) = (row.sorted(|cost| cost.wall), row.sorted(|cost| cost.cpu));
        let ratio = |value: fn(&Cost) -> f64| {
            format!("{:.2}", median(&row.sorted(value)) / median(&rows[0].sorted(value)))
        };
        let memory = median(&row.sorted(|cost| f64::from(cost.peak)));
        let size = row.size.map_or_else(|| "–".to_owned(), megabytes);
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {:.0} MiB | {size} |",
            row.name,
            spread(&wall),
            spread(&cpu),
            ratio(|cost| cost.wall),
            ratio(|cost| cost.cpu),
            memory / 1024.0,
        );
    }
    text
}

/// The middle of sorted values, or the mean of the two in the middle.
fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) }
}

/// Median, least and most, in the unit that suits them.
fn spread(sorted: &[f64]) -> String {
    let (least, most) = (sorted[0], sorted[sorted.len() - 1]);
    let middle = median(sorted);
    if middle < 0.1 {
        format!("{:.1} ms ({:.1}–{:.1})", middle * 1e3, least * 1e3, most * 1e3)
    } else {
        format!("{middle:.2} s ({least:.2}–{most:.2})")
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &'static str, walls: &[f64]) -> Row {
        let costs = walls.iter().map(|wall| Cost { wall: *wall, cpu: wall * 2.0, peak: 2048 }).collect();
        Row { name, size: Some(12_345_678), costs }
    }

    #[test]
    fn rows_show_median_spread_and_ratio_to_the_first() {
        let (floor, cold) = (row("floor", &[1.0, 3.0, 2.0]), row("cold", &[4.0, 2.0]));
        let text = table(&[&floor, &cold]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[2],
            "| floor | 2.00 s (1.00–3.00) | 4.00 s (2.00–6.00) | 1.00 | 1.00 | 2 MiB | 12.3 MB |"
        );
        assert_eq!(
            lines[3],
            "| cold | 3.00 s (2.00–4.00) | 6.00 s (4.00–8.00) | 1.50 | 1.50 | 2 MiB | 12.3 MB |"
        );
    }

    #[test]
    fn what_is_short_is_shown_in_milliseconds() {
        assert_eq!(spread(&[0.0081, 0.0082, 0.0125]), "8.2 ms (8.1–12.5)");
    }
}
