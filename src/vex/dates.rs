//! Days: from when to when something counts.

use crate::diag::{Problem, codes};
use crate::ident::Epoch;

/// Seconds of a day.
pub(super) const DAY: i64 = 86_400;

/// The longest that a decision may hold, in days: somebody has to look at it again once a year.
pub(super) const LONGEST: i64 = 366;

/// A day as people write it.
pub(super) fn day(at: Epoch) -> String {
    at.to_string()[..10].to_owned()
}

/// Whether something of this date counts by now: a day begins as UTC has it, wherever this is asked.
pub(super) fn has_begun(date: Epoch, now: Epoch) -> bool {
    date <= now
}

/// Whether something that expires then has expired.
pub(super) fn has_expired(expires: Option<Epoch>, now: Epoch) -> bool {
    expires.is_some_and(|expires| expires <= now)
}

/// What is wrong with a pair of dates.
pub(super) fn wrong(date: Epoch, expires: Epoch) -> Option<Problem> {
    let bad = |message: String, help: String| Some(Problem::new(codes::VEX_DATE, message).help(help));
    let days = (expires.0 - date.0) / DAY;
    if days <= 0 {
        let message = format!("the decision of {} expires on {}", day(date), day(expires));
        return bad(
            message,
            "`expires` is a day after `date`: from it on the decision counts as none".into(),
        );
    }
    if days > LONGEST {
        let latest = Epoch(date.0 + LONGEST * DAY);
        let message = format!("the decision of {} holds for {days} days", day(date));
        let help = format!("decisions are looked at again within {LONGEST} days: by {} here", day(latest));
        return bad(message, help);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: &str) -> Epoch {
        Epoch::from_day(day).expect("a day")
    }

    #[test]
    fn a_year_is_the_longest_and_no_day_is_none() {
        assert_eq!(wrong(at("2026-11-01"), at("2027-11-02")), None);
        for expires in ["2027-11-03", "2026-11-01", "2026-10-31", "9999-12-31"] {
            let problem = wrong(at("2026-11-01"), at(expires)).expect("wrong");
            assert_eq!(problem.code, codes::VEX_DATE, "{expires}");
        }
    }

    #[test]
    fn what_expires_today_has_expired_and_tomorrow_has_not_begun() {
        let now = Epoch(at("2026-11-23").0 + 60);
        assert!(has_expired(Some(at("2026-11-23")), now) && !has_expired(Some(at("2026-11-24")), now));
        assert!(!has_expired(None, now));
        assert!(has_begun(at("2026-11-23"), now) && !has_begun(at("2026-11-24"), now));
        assert!(!has_begun(at("2026-11-24"), Epoch(at("2026-11-24").0 - 1)));
    }
}
