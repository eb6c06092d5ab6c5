//! Lengths of time as people write them: `30d`, `12h`, `0s`.

use std::str::FromStr;

use super::{Malformed, serde_as_text};

/// A length of time in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Age(pub i64);

const UNITS: [(char, i64); 5] = [('w', 604_800), ('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

impl FromStr for Age {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let found = UNITS.iter().find_map(|(unit, seconds)| {
            let number = text.strip_suffix(*unit)?.parse::<u32>().ok()?;
            Some(Self(i64::from(number) * seconds))
        });
        found.ok_or_else(|| Malformed::new(text, "an age (a number and a unit: `30d`, `12h`, `0s`)"))
    }
}

impl std::fmt::Display for Age {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0 == 0 {
            return f.write_str("0d");
        }
        let (unit, seconds) =
            UNITS.iter().find(|(_, seconds)| self.0 % seconds == 0).expect("seconds divide all");
        write!(f, "{}{unit}", self.0 / seconds)
    }
}
serde_as_text!(Age);
