//! Names of vulnerabilities: `CVE-2026-102633` (CVE record format 5, "cveId").

use std::fmt;
use std::str::FromStr;

use super::{Malformed, serde_as_text};

/// The name of a CVE, ordered by year and then by number: `CVE-2026-9999` comes before `CVE-2026-10000`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CveId {
    year: u16,
    number: u64,
}

/// The most digits that the number of a CVE may have.
const MAX_DIGITS: usize = 19;

impl CveId {
    /// The year in its name, which is that of its reservation and says nothing of when it was published.
    pub fn year(self) -> u16 {
        self.year
    }

    /// The number within its year.
    pub fn number(self) -> u64 {
        self.number
    }

    /// The CVE that `text` begins with, in any case of letters, and how long its name is there: how changelogs
    /// are read. A number that is too short, too long or padded is none.
    pub fn at_start(text: &[u8]) -> Option<(Self, usize)> {
        let head = text.get(..4)?;
        if !head.eq_ignore_ascii_case(b"CVE-") {
            return None;
        }
        let year = text.get(4..8).filter(|year| year.iter().all(u8::is_ascii_digit))?;
        let digits = text.get(8..)?.strip_prefix(b"-")?;
        let width = digits.iter().take_while(|digit| digit.is_ascii_digit()).count();
        let padded = width > 4 && digits[0] == b'0';
        if !(4..=MAX_DIGITS).contains(&width) || padded {
            return None;
        }
        let number = |digits: &[u8]| std::str::from_utf8(digits).ok()?.parse::<u64>().ok();
        let year = u16::try_from(number(year)?).ok().filter(|year| *year >= 1999)?;
        Some((Self { year, number: number(&digits[..width])? }, 9 + width))
    }
}

impl fmt::Display for CveId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CVE-{:04}-{:04}", self.year, self.number)
    }
}

impl FromStr for CveId {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let whole = Self::at_start(text.as_bytes()).filter(|(_, length)| *length == text.len());
        whole
            .filter(|_| text.starts_with("CVE-"))
            .map(|(cve, _)| cve)
            .ok_or_else(|| Malformed::new(text, "a CVE's name, such as `CVE-2026-102633`"))
    }
}
serde_as_text!(CveId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_length_are_ordered_by_number() {
        let mut names =
            ["CVE-2026-102633", "CVE-2026-9999", "CVE-2025-59375", "CVE-2026-10000", "CVE-2010-0001"]
                .map(|name| name.parse::<CveId>().expect("a name"));
        names.sort();
        let sorted = names.map(|name| name.to_string());
        assert_eq!(
            sorted,
            ["CVE-2010-0001", "CVE-2025-59375", "CVE-2026-9999", "CVE-2026-10000", "CVE-2026-102633"]
        );
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in [
            "",
            "CVE-",
            "CVE-2026-123",
            "CVE-2026-01234",
            "CVE-20261-1234",
            "CVE-1998-1234",
            "cve-2026-1234",
            "CVE-2026-1234 ",
            "CVE-2026-XXXX",
            "CVE-2026-12345678901234567890",
            "TEMP-0000000-ABCDEF",
        ] {
            assert!(text.parse::<CveId>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_name_ends_where_its_digits_end() {
        let found =
            |text: &str| CveId::at_start(text.as_bytes()).map(|(cve, length)| (cve.to_string(), length));
        assert_eq!(found("CVE-2026-102633, and more"), Some(("CVE-2026-102633".into(), 15)));
        assert_eq!(found("cve-2019-1547/CVE-2019-1549"), Some(("CVE-2019-1547".into(), 13)));
        assert_eq!(found("CVE-2026-"), None);
    }
}
