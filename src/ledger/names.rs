//! The words of events: images, vulnerabilities, how a fix is known, why one is gone.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ident::RecipeName;

/// An image as its recipe names it, and its variant: `python`, `python+debug`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageId {
    /// The recipe's name.
    pub name: RecipeName,
    /// The variant, if it is one.
    pub variant: Option<String>,
}

impl ImageId {
    /// The image of a recipe, without a variant.
    pub fn of(name: RecipeName) -> Self {
        Self { name, variant: None }
    }
}

impl fmt::Display for ImageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)?;
        self.variant.iter().try_for_each(|variant| write!(f, "+{variant}"))
    }
}

impl FromStr for ImageId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, variant) = match text.split_once('+') {
            Some((name, variant)) => (name, Some(variant)),
            None => (text, None),
        };
        let slug = |text: &str| text.parse::<RecipeName>().map_err(|error| error.to_string());
        Ok(Self {
            name: slug(name)?,
            variant: variant.map(|word| slug(word).map(|_| word.into())).transpose()?,
        })
    }
}

/// What a vulnerability is called: `CVE-2026-123456`, or what a feed says where there is no number yet.
/// Sorted by year, then by number.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VulnId(String);

impl VulnId {
    /// The name as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn numbers(&self) -> Option<(u32, u64)> {
        let (year, number) = self.0.strip_prefix("CVE-")?.split_once('-')?;
        Some((year.parse().ok()?, number.parse().ok()?))
    }
}

impl Ord for VulnId {
    fn cmp(&self, other: &Self) -> Ordering {
        // Those without a number come after all that have one.
        let key = |id: &Self| id.numbers().map_or((1, (0, 0)), |numbers| (0, numbers));
        key(self).cmp(&key(other)).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for VulnId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for VulnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for VulnId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let cve = text.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("cve-"));
        let word = if cve { text.to_ascii_uppercase() } else { text.to_owned() };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte);
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let fine = match word.strip_prefix("CVE-").map(|rest| rest.split_once('-')) {
            Some(Some((year, number))) => {
                year.len() == 4 && digits(year) && digits(number) && (4..=19).contains(&number.len())
            }
            Some(None) => false,
            None => (1..=64).contains(&word.len()) && word.bytes().all(plain),
        };
        if fine { Ok(Self(word)) } else { Err(format!("`{}` is no name of a vulnerability", shown(text))) }
    }
}

/// How it is known since when a fix could be had.
///
/// A changelog is not among them, and must not become one: its date is that of the maintainer's entry,
/// which may be weeks before anybody could have the fix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FixSource {
    /// The date of the release file in which the fixed version first stood.
    ReleaseFile,
    /// The date of the distribution's own advisory.
    Advisory,
    /// When we first saw it: it was there then, and perhaps before.
    Observed,
}

/// Why an exposure ended without a fix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// What was said of the vulnerability was taken back.
    Withdrawn,
    /// People decided that it does not touch the image (VEX).
    Decided,
    /// The image has the package no more.
    Removed,
    /// The image is made no more.
    Retired,
}

macro_rules! words {
    ($type:ident, $what:literal, $($variant:ident = $word:literal),+) => {
        impl $type {
            /// All of them, in their order.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its name.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
        impl FromStr for $type {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                let known = Self::ALL.iter().copied().find(|word| word.name() == text);
                known.ok_or_else(|| {
                    let words: Vec<&str> = Self::ALL.iter().map(|word| word.name()).collect();
                    format!("`{}` is not {}: {}", shown(text), $what, words.join(", "))
                })
            }
        }
        as_text!($type);
    };
}

macro_rules! as_text {
    ($type:ty) => {
        impl Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

words!(
    FixSource,
    "a way to know since when there is a fix (a changelog's date is none)",
    ReleaseFile = "release-file",
    Advisory = "advisory",
    Observed = "observed"
);
words!(
    Why,
    "a reason for which an exposure ends without a fix",
    Withdrawn = "withdrawn",
    Decided = "decided",
    Removed = "removed",
    Retired = "retired"
);
as_text!(ImageId);
as_text!(VulnId);

/// The beginning of a text that may be anything.
fn shown(text: &str) -> String {
    text.chars().take(80).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cves_are_sorted_by_year_and_number_and_may_have_six_digits() {
        let mut ids: Vec<VulnId> = ["CVE-2026-100001", "TEMP-1", "cve-2026-9999", "CVE-2025-100002"]
            .map(|text| text.parse().expect("a name"))
            .into();
        ids.sort();
        let sorted: Vec<&str> = ids.iter().map(VulnId::as_str).collect();
        assert_eq!(sorted, ["CVE-2025-100002", "CVE-2026-9999", "CVE-2026-100001", "TEMP-1"]);
        for text in ["", "CVE-2026", "CVE-2026-1", "CVE-26-1234", "CVE-2026-12a4", "a b", "CVE-2026-+1234"] {
            assert!(text.parse::<VulnId>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_changelog_is_no_way_to_know_since_when_there_is_a_fix() {
        let why = "changelog".parse::<FixSource>().expect_err("refused");
        assert!(why.contains("a changelog's date is none"), "{why}");
        assert!(FixSource::ALL.iter().all(|source| !source.name().contains("changelog")));
    }

    #[test]
    fn an_image_reads_back_with_its_variant() {
        for text in ["python", "python+debug", "postgresql-init"] {
            assert_eq!(text.parse::<ImageId>().map(|id| id.to_string()).as_deref(), Ok(text));
        }
        for text in ["", "python+", "+debug", "../x", "python debug", "Python"] {
            assert!(text.parse::<ImageId>().is_err(), "{text}");
        }
    }
}
