//! The words of OpenVEX 0.2.0: statuses and justifications; and whose word something is.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::diag::nearest;

/// How a product stands to a vulnerability (OpenVEX 0.2.0, "Status Labels"). Ordered: what silences less is
/// less, so that where nothing else decides, the least wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Something has to be done.
    Affected,
    /// Nobody knows yet.
    UnderInvestigation,
    /// This version has a fix.
    Fixed,
    /// Nothing has to be done.
    NotAffected,
}

/// Why a product is not affected (OpenVEX 0.2.0, "Status Justifications").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Justification {
    /// What is vulnerable is not in the product.
    ComponentNotPresent,
    /// It is, and the vulnerable code is not in it.
    VulnerableCodeNotPresent,
    /// The code is there and is never run.
    VulnerableCodeNotInExecutePath,
    /// It is run, and nobody can make it do what it should not.
    VulnerableCodeCannotBeControlledByAdversary,
    /// Something else in the product keeps it from being used.
    InlineMitigationsAlreadyExist,
}

/// Whose word something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum By {
    /// Somebody decided it, here or in a document of others.
    People,
    /// hardpan worked it out.
    Hardpan,
}

macro_rules! words {
    ($type:ident, $what:literal, $($variant:ident = $word:literal),+) => {
        impl $type {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word for it.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.word())
            }
        }
        impl FromStr for $type {
            type Err = Unknown;
            fn from_str(text: &str) -> Result<Self, Unknown> {
                let found = Self::ALL.iter().find(|known| known.word() == text);
                found.copied().ok_or_else(|| Unknown::new($what, text, &[$($word),+]))
            }
        }
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.word())
            }
        }
    };
}

words!(
    Status,
    "a status",
    NotAffected = "not_affected",
    Affected = "affected",
    Fixed = "fixed",
    UnderInvestigation = "under_investigation"
);
words!(
    Justification,
    "a justification",
    ComponentNotPresent = "component_not_present",
    VulnerableCodeNotPresent = "vulnerable_code_not_present",
    VulnerableCodeNotInExecutePath = "vulnerable_code_not_in_execute_path",
    VulnerableCodeCannotBeControlledByAdversary = "vulnerable_code_cannot_be_controlled_by_adversary",
    InlineMitigationsAlreadyExist = "inline_mitigations_already_exist"
);
words!(By, "whose word it is", People = "people", Hardpan = "hardpan");

impl Status {
    /// Whether a finding with this status is silenced.
    pub fn silences(self) -> bool {
        matches!(self, Self::NotAffected | Self::Fixed)
    }
}

/// A word that is none of those that are known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {what}")]
pub struct Unknown {
    text: String,
    what: &'static str,
    /// What to write instead.
    pub help: String,
}

impl Unknown {
    fn new(what: &'static str, text: &str, known: &[&str]) -> Self {
        let text: String = text.chars().take(100).flat_map(char::escape_debug).collect();
        let like = text.to_ascii_lowercase().replace([' ', '-'], "_");
        let help = match nearest(&like, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("one of `{}`", known.join("`, `")),
        };
        Self { text, what, help }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_are_written_and_in_no_other_way() {
        for status in Status::ALL {
            assert_eq!(status.word().parse(), Ok(*status));
        }
        for text in ["", "Not_Affected", "not-affected", "not affected", "wontfix"] {
            assert!(text.parse::<Status>().is_err(), "{text}");
        }
        let unknown = "not-affected".parse::<Status>().expect_err("unknown");
        assert_eq!(unknown.help, "did you mean `not_affected`?");
        assert!("x".repeat(10_000).parse::<Justification>().expect_err("unknown").to_string().len() < 200);
    }

    #[test]
    fn only_what_needs_no_action_silences() {
        let silencing: Vec<_> = Status::ALL.iter().filter(|status| status.silences()).collect();
        assert_eq!(silencing, [&Status::NotAffected, &Status::Fixed]);
    }
}
