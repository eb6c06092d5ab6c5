//! How long it took, and what that is worth against targets.
//!
//! Time to remediate is `published − fix available`, exposure is `published − public`; neither is below
//! zero (a fix may come before its vulnerability is public). For an exposure that came again, as when a
//! tag was moved back, the fix counts from when it was found again.
//!
//! Median and 90th percentile are nearest-rank: of `n` sorted times the one at `⌈p·n⌉`, so always one
//! that really occurred.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::history::{Exposure, State};
use crate::advisory::Level;
use crate::ident::{Age, Epoch};
use crate::verify::Targets;

/// The times of one exposure, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measures {
    /// From the fix to its publication.
    pub to_remediate: Option<i64>,
    /// From public knowledge to the fix's publication.
    pub exposed: Option<i64>,
}

/// The middle of some times, and what nine of ten do not exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spread {
    /// How many times there are.
    pub count: usize,
    /// The median.
    pub median: Option<i64>,
    /// The 90th percentile.
    pub ninetieth: Option<i64>,
}

/// How an exposure stands to its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Fixed within the target.
    Met,
    /// Fixed after it.
    Late,
    /// There is a fix, it is not published, and there is time left.
    InTime,
    /// There is a fix, it is not published, and the target is over.
    Overdue,
    /// Open, and no fix is known.
    NoFix,
    /// Fixed, but nobody knows since when there was a fix.
    Untimed,
    /// It touches the image no more, without a fix.
    Gone,
}

/// How many stand how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Fixed within the target.
    pub met: usize,
    /// The target was broken: fixed too late, or overdue.
    pub breached: usize,
    /// Those of the breached that are still open.
    pub overdue: usize,
    /// Open with a fix known, the overdue among them.
    pub open: usize,
    /// Open without a known fix.
    pub no_fix: usize,
    /// Fixed, without it being known since when there was a fix.
    pub untimed: usize,
    /// Ended without a fix.
    pub gone: usize,
}

/// The times of one exposure.
pub fn of_exposure(exposure: &Exposure) -> Measures {
    let since = |start: Epoch| exposure.published.map(|published| (published.0 - start.0).max(0));
    Measures { to_remediate: started(exposure).and_then(since), exposed: exposure.public.and_then(since) }
}

/// When the time to remediate begins.
fn started(exposure: &Exposure) -> Option<Epoch> {
    let available = exposure.fix.as_ref()?.available;
    Some(if exposure.again { available.max(exposure.detected) } else { available })
}

/// How an exposure stands at a time.
pub fn standing(exposure: &Exposure, targets: &Targets, now: Epoch) -> Standing {
    let target = target(targets, exposure.severity);
    let within = |start: Epoch, end: Epoch| end.0 - start.0 <= target.0;
    match (exposure.state(), started(exposure), exposure.published) {
        (State::Gone, ..) => Standing::Gone,
        (State::Open, None, _) => Standing::NoFix,
        (State::Fixed, None, _) => Standing::Untimed,
        (_, Some(start), Some(end)) if within(start, end) => Standing::Met,
        (_, Some(_), Some(_)) => Standing::Late,
        (_, Some(start), None) if within(start, now) => Standing::InTime,
        (_, Some(_), None) => Standing::Overdue,
    }
}

/// The target of a severity.
pub fn target(targets: &Targets, severity: Level) -> Age {
    match severity {
        Level::Critical => targets.critical,
        Level::High => targets.high,
        _ => targets.other,
    }
}

/// The middle and the 90th percentile of some times.
pub fn spread(mut times: Vec<i64>) -> Spread {
    times.sort_unstable();
    // ⌈p·n⌉ in whole numbers, counted from one.
    let rank = |percent: usize| times.get((times.len() * percent).div_ceil(100).checked_sub(1)?).copied();
    Spread { count: times.len(), median: rank(50), ninetieth: rank(90) }
}

/// How many exposures of each severity stand how; all severities are there.
pub fn tally<'a>(
    exposures: impl IntoIterator<Item = &'a Exposure>,
    targets: &Targets,
    now: Epoch,
) -> BTreeMap<Reverse<Level>, Tally> {
    let mut all: BTreeMap<Reverse<Level>, Tally> =
        Level::WORST_FIRST.map(|severity| (Reverse(severity), Tally::default())).into_iter().collect();
    for exposure in exposures {
        all.entry(Reverse(exposure.severity)).or_default().count(standing(exposure, targets, now));
    }
    all
}

impl Tally {
    /// Counts one more.
    pub fn count(&mut self, standing: Standing) {
        match standing {
            Standing::Met => self.met += 1,
            Standing::Late => self.breached += 1,
            Standing::InTime => self.open += 1,
            Standing::Overdue => {
                self.open += 1;
                self.breached += 1;
                self.overdue += 1;
            }
            Standing::NoFix => self.no_fix += 1,
            Standing::Untimed => self.untimed += 1,
            Standing::Gone => self.gone += 1,
        }
    }

    /// Of those whose target is met or broken, how many met it, in thousandths.
    pub fn met_share(&self) -> Option<usize> {
        (self.met * 1000).checked_div(self.met + self.breached)
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            met: self.met + other.met,
            breached: self.breached + other.breached,
            overdue: self.overdue + other.overdue,
            open: self.open + other.open,
            no_fix: self.no_fix + other.no_fix,
            untimed: self.untimed + other.untimed,
            gone: self.gone + other.gone,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_rank() {
        assert_eq!(spread(vec![]), Spread::default());
        assert_eq!(spread(vec![7]), Spread { count: 1, median: Some(7), ninetieth: Some(7) });
        // Of ten, the fifth and the ninth; of eleven, the sixth and the tenth.
        let ten = spread((1..=10).rev().collect());
        assert_eq!((ten.median, ten.ninetieth), (Some(5), Some(9)));
        let eleven = spread((1..=11).collect());
        assert_eq!((eleven.median, eleven.ninetieth), (Some(6), Some(10)));
    }
}
