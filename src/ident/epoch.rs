//! Moments in whole seconds, and the two spellings in which archives and images write them.

use std::fmt;
use std::str::FromStr;

use super::{Malformed, serde_as_text};

/// Whole seconds since 1970-01-01T00:00:00Z; may be negative. Written as RFC 3339 in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Epoch(pub i64);

const DAY: i64 = 86_400;
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Days since 1970-01-01 of a day of the proleptic Gregorian calendar.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March here, so that the leap day is the last of its year.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719_468
}

/// Year, month and day of a day counted since 1970-01-01.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

impl Epoch {
    /// The day, as `YYYYMMDD`.
    pub fn day(self) -> String {
        let (year, month, day) = civil_from_days(self.0.div_euclid(DAY));
        format!("{year:04}{month:02}{day:02}")
    }

    /// The year and the number of the week that it is in (ISO 8601: weeks begin on Monday, and the first of
    /// a year is that of its 4 January).
    pub fn week(self) -> (i64, i64) {
        let day = self.0.div_euclid(DAY);
        // 1970-01-01 was a Thursday; the Thursday of a week is in the year that the week is of.
        let thursday = day - (day + 3).rem_euclid(7) + 3;
        let (year, ..) = civil_from_days(thursday);
        (year, (thursday - days_from_civil(year, 1, 1)) / 7 + 1)
    }

    /// The first moment of the day `YYYY-MM-DD`.
    pub fn from_day(text: &str) -> Result<Self, Malformed> {
        format!("{text}T00:00:00Z")
            .parse()
            .map_err(|_: Malformed| Malformed::new(text, "a day such as `2026-09-12`"))
    }

    /// Reads the date of a Debian release file, `Sat, 12 Sep 2026 07:55:41 UTC` (Debian wiki,
    /// `RepositoryFormat`, "Date, Valid-Until": always UTC).
    pub fn from_release_date(text: &str) -> Result<Self, Malformed> {
        read_release_date(text)
            .ok_or_else(|| Malformed::new(text, "a date such as `Sat, 12 Sep 2026 07:55:41 UTC`"))
    }
}

fn read_release_date(text: &str) -> Option<Epoch> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [weekday, day, month, year, time, zone] = words[..] else { return None };
    if !weekday.ends_with(',') || !matches!(zone, "UTC" | "GMT" | "+0000" | "Z") {
        return None;
    }
    let month = MONTHS.iter().position(|name| *name == month)?;
    seconds(number(year, 4)?, i64::try_from(month).ok()? + 1, day.parse().ok()?, time)
}

fn seconds(year: i64, month: i64, day: i64, time: &str) -> Option<Epoch> {
    let parts: Vec<&str> = time.split(':').collect();
    let [hour, minute, second] = parts[..] else { return None };
    let (hour, minute, second) = (number(hour, 2)?, number(minute, 2)?, number(second, 2)?);
    let days = days_from_civil(year, month, day);
    let real = civil_from_days(days) == (year, month, day) && hour < 24 && minute < 60 && second < 61;
    real.then_some(Epoch(days * DAY + hour * 3_600 + minute * 60 + second))
}

fn number(digits: &str, width: usize) -> Option<i64> {
    (digits.len() == width && digits.bytes().all(|digit| digit.is_ascii_digit()))
        .then(|| digits.parse().ok())
        .flatten()
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(self.0.div_euclid(DAY));
        let second = self.0.rem_euclid(DAY);
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

impl FromStr for Epoch {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let read = || {
            let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
            let parts: Vec<&str> = date.split('-').collect();
            let [year, month, day] = parts[..] else { return None };
            seconds(number(year, 4)?, number(month, 2)?, number(day, 2)?, time)
        };
        read().ok_or_else(|| Malformed::new(text, "a time such as `2026-09-12T07:55:41Z`"))
    }
}
serde_as_text!(Epoch);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_moments_are_spelled_as_they_should() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_789_199_741, "2026-09-12T07:55:41Z"),
        ] {
            assert_eq!(Epoch(seconds).to_string(), text);
            assert_eq!(text.parse(), Ok(Epoch(seconds)));
        }
    }

    #[test]
    fn a_release_date_is_read_and_its_neighbours_refused() {
        let date = Epoch::from_release_date("Sat, 12 Sep 2026 07:55:41 UTC");
        assert_eq!(date.map(|date| date.to_string()), Ok("2026-09-12T07:55:41Z".to_owned()));
        for text in ["", "12 Sep 2026", "Sat, 31 Feb 2026 07:55:41 UTC", "Sat, 12 Sep 2026 07:55:41 CET"] {
            assert!(Epoch::from_release_date(text).is_err(), "{text}");
        }
    }

    #[test]
    fn weeks_are_those_of_iso_8601() {
        for (day, week) in [
            ("2026-11-23", (2026, 48)),
            ("2026-11-22", (2026, 47)),
            ("2027-01-03", (2026, 53)),
            ("2027-01-04", (2027, 1)),
            ("2024-12-30", (2025, 1)),
            ("1970-01-01", (1970, 1)),
            ("1969-12-28", (1969, 52)),
        ] {
            assert_eq!(Epoch::from_day(day).map(Epoch::week), Ok(week), "{day}");
        }
        assert!(Epoch::from_day("2026-02-30").is_err());
    }

    proptest! {
        #[test]
        fn any_moment_reads_back(seconds in -62_000_000_000_i64..250_000_000_000) {
            prop_assert_eq!(Epoch(seconds).to_string().parse(), Ok(Epoch(seconds)));
        }
    }
}
