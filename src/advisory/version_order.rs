//! Which of two versions is newer: each ecosystem has an order of its own, and of some it is not known here.

use std::cmp::Ordering;

use semver::Version;

use super::record::Ecosystem;
use crate::ident::DebVersion;

/// An order of versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionOrder {
    /// dpkg's.
    Debian,
    /// That of Semantic Versioning 2.0.0 (section 11), which OSV's ranges of the type `SEMVER` are in.
    Semantic,
}

impl VersionOrder {
    /// That of an ecosystem, if it is known here.
    pub fn of(ecosystem: &Ecosystem) -> Option<Self> {
        match ecosystem.base() {
            "Debian" => Some(Self::Debian),
            "npm" | "crates.io" | "Go" => Some(Self::Semantic),
            _ => None,
        }
    }

    /// Compares two versions; `None` where one of them is none of this order.
    pub fn compare(self, one: &str, other: &str) -> Option<Ordering> {
        match self {
            Self::Debian => Some(one.parse::<DebVersion>().ok()?.cmp(&other.parse::<DebVersion>().ok()?)),
            Self::Semantic => Some(semantic(one)?.cmp_precedence(&semantic(other)?)),
        }
    }
}

/// Go has a `v` before each version, and records leave out parts that are zero.
fn semantic(text: &str) -> Option<Version> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let end = text.find(['-', '+']).unwrap_or(text.len());
    let (core, rest) = text.split_at(end);
    let missing = 2_usize.checked_sub(core.matches('.').count())?;
    Version::parse(&format!("{core}{}{rest}", ".0".repeat(missing))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ecosystems_differ_on_what_is_newer() {
        let of = |ecosystem: &str| VersionOrder::of(&ecosystem.parse().expect("one"));
        assert_eq!(of("PyPI"), None);
        let (debian, npm) = (of("Debian:13").expect("known"), of("npm").expect("known"));
        assert_eq!(debian.compare("1.0~rc1", "1.0"), Some(Ordering::Less));
        assert_eq!(debian.compare("1.0-rc1", "1.0"), Some(Ordering::Greater));
        assert_eq!(npm.compare("1.0.0-rc.1", "1.0.0"), Some(Ordering::Less));
        assert_eq!(npm.compare("1.0.0-rc.10", "1.0.0-rc.9"), Some(Ordering::Greater));
        assert_eq!(npm.compare("1.0.0+build", "1.0.0"), Some(Ordering::Equal));
        assert_eq!(npm.compare("1.10.0", "1.9.9"), Some(Ordering::Greater));
    }

    #[test]
    fn loose_forms_are_read_and_nonsense_is_not_compared() {
        let order = VersionOrder::Semantic;
        assert_eq!(order.compare("v1.2.3", "1.2.3"), Some(Ordering::Equal));
        assert_eq!(order.compare("2", "2.0.0"), Some(Ordering::Equal));
        assert_eq!(order.compare("2.1-rc1", "2.1.0"), Some(Ordering::Less));
        for text in ["", "1.2.3.4", "latest", "1.x", "-1", "1..2", "v"] {
            assert_eq!(order.compare(text, "1.0.0"), None, "{text}");
        }
    }
}
