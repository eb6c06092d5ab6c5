//! One report against another: what a base of few files spares.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::report::Report;
use crate::advisory::Level;

/// A count on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Row {
    /// Of the one that is looked at.
    pub ours: usize,
    /// Of the one that it is held against.
    pub other: usize,
}

impl Row {
    /// By how much ours is less, in per cent of the other, with one decimal; negative where it is more; `None` where the
    /// other has none. It is 100 only where nothing is left, and 0 only where both are the same.
    pub fn reduction(self) -> Option<f64> {
        #[allow(clippy::cast_precision_loss)] // counts of findings
        let (ours, other) = (self.ours as f64, self.other as f64);
        let tenths = ((other - ours) / other * 1000.0).round();
        let tenths = match self.ours.cmp(&self.other) {
            Ordering::Equal => 0.0,
            Ordering::Greater => tenths.min(-1.0),
            Ordering::Less if self.ours == 0 => 1000.0,
            Ordering::Less => tenths.clamp(1.0, 999.0),
        };
        (self.other > 0).then_some(tenths / 10.0)
    }
}

/// Two reports, side by side.
#[derive(Debug, Clone)]
pub struct Comparison<'a> {
    /// The one that is looked at.
    pub ours: &'a Report,
    /// The one that it is held against.
    pub other: &'a Report,
    /// Those that count.
    pub total: Row,
    /// Of these, by severity, the worst first; all levels.
    pub levels: Vec<(Level, Row)>,
    /// Of these, those that a fix is known for.
    pub fixable: Row,
    /// Of these, those that are being exploited.
    pub exploited: Row,
    /// Those that are folded.
    pub folded: Row,
    /// Of those that count, by source; the other's worst first.
    pub sources: Vec<(String, Row)>,
    /// Packages that are there.
    pub packages: Row,
}

impl<'a> Comparison<'a> {
    /// Counts both.
    pub fn of(ours: &'a Report, other: &'a Report) -> Self {
        let row = |count: &dyn Fn(&Report) -> usize| Row { ours: count(ours), other: count(other) };
        let names: BTreeSet<&String> =
            ours.counts.sources.keys().chain(other.counts.sources.keys()).collect();
        let of = |counts: &BTreeMap<String, usize>, name: &str| counts.get(name).copied().unwrap_or_default();
        let mut sources: Vec<(String, Row)> = names
            .into_iter()
            .map(|name| (name.clone(), row(&|report| of(&report.counts.sources, name))))
            .collect();
        sources.sort_by(|(a, one), (b, two)| (two.other, two.ours, a).cmp(&(one.other, one.ours, b)));
        Self {
            ours,
            other,
            total: row(&|report| report.counts.total),
            levels: Level::WORST_FIRST
                .into_iter()
                .map(|level| (level, row(&|report| report.counts.level(level))))
                .collect(),
            fixable: row(&|report| report.counts.fixable),
            exploited: row(&|report| report.counts.exploited),
            folded: row(&|report| report.counts.all_folded()),
            sources,
            packages: row(&|report| report.subject.names()),
        }
    }

    /// The rows of a table, each with what it is called.
    pub fn rows(&self) -> Vec<(&'static str, Row)> {
        let mut rows: Vec<(&'static str, Row)> =
            self.levels.iter().map(|(level, row)| (level.name(), *row)).collect();
        rows.extend([
            ("all that count", self.total),
            ("fixable", self.fixable),
            ("exploited", self.exploited),
            ("folded", self.folded),
            ("packages", self.packages),
        ]);
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reduction_is_of_the_other() {
        let row = |ours, other| Row { ours, other }.reduction();
        assert_eq!(row(0, 100), Some(100.0));
        assert_eq!(row(1, 3), Some(66.7));
        assert_eq!(row(3, 2), Some(-50.0));
        assert_eq!((row(0, 0), row(5, 0)), (None, None));
    }

    #[test]
    fn what_is_left_is_never_rounded_away_and_what_fell_neither() {
        let row = |ours, other| Row { ours, other }.reduction();
        assert_eq!((row(1, 3000), row(0, 3000)), (Some(99.9), Some(100.0)));
        assert_eq!((row(2999, 3000), row(3000, 3000)), (Some(0.1), Some(0.0)));
        assert_eq!(row(30001, 30000), Some(-0.1));
    }
}
