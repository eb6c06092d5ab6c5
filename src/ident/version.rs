//! Debian versions and their order (Debian policy, 5.6.12).

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use super::{Malformed, serde_as_text};

/// A Debian version, `[epoch:]upstream[-revision]`, kept as it was written and ordered as dpkg does.
#[derive(Debug, Clone)]
pub struct DebVersion {
    text: String,
    parsed: debversion::Version,
}

impl DebVersion {
    /// A version of another ecosystem, such as `2!1.0` of Python's: kept as it was written, and whoever wants its order
    /// asks that ecosystem's own. It is printable ASCII.
    pub fn of_others(text: &str) -> Result<Self, Malformed> {
        if text.is_empty() || text.len() > 256 || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Malformed::new(text, "a version"));
        }
        let parsed =
            debversion::Version { epoch: None, upstream_version: text.to_owned(), debian_revision: None };
        Ok(Self { text: text.to_owned(), parsed })
    }

    /// The version as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The upstream part alone: what `{version}` means in a recipe.
    pub fn upstream(&self) -> &str {
        &self.parsed.upstream_version
    }

    /// The version that upstream itself gave: without what Debian puts behind it where it leaves files of
    /// upstream's out, `+dfsg1`, `+ds`, `~dfsg`.
    pub fn release(&self) -> &str {
        let upstream = self.upstream();
        let cut = upstream.rsplit_once(['+', '~', '.']).filter(|(_, mark)| {
            let number = mark.strip_prefix("dfsg").or_else(|| mark.strip_prefix("ds"));
            number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
        });
        cut.map_or(upstream, |(release, _)| release)
    }
}

impl fmt::Display for DebVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for DebVersion {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".+-~:".contains(&byte);
        let bad = || Malformed::new(text, "a Debian version");
        let epoch = text.split_once(':').map_or("0", |(epoch, _)| epoch);
        if text.len() > 256 || !text.bytes().all(allowed) || epoch.parse::<u32>().is_err() || text.is_empty()
        {
            return Err(bad());
        }
        let parsed = text.parse().map_err(|_| bad())?;
        Ok(Self { text: text.to_owned(), parsed })
    }
}

impl Ord for DebVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parsed.cmp(&other.parsed)
    }
}
impl PartialOrd for DebVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
/// Versions are equal where dpkg takes them for equal: `1.0` and `1.0-0`, `1.00`.
impl PartialEq for DebVersion {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for DebVersion {}
serde_as_text!(DebVersion);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_debian_puts_behind_a_repacked_version_is_no_part_of_the_release() {
        for (version, release) in [
            ("2:1.60.1+dfsg-4", "1.60.1"),
            ("8.1.1+dfsg1-1", "8.1.1"),
            ("2.8.3+ds1-2+b1", "2.8.3"),
            ("1.32.3+ds-1", "1.32.3"),
            ("3.0.7~dfsg-1", "3.0.7"),
            ("1:1.3.dfsg+really1.3.1-1", "1.3.dfsg+really1.3.1"),
            ("1.0+ds1a-1", "1.0+ds1a"),
            ("1.2.3-4", "1.2.3"),
        ] {
            assert_eq!(version.parse::<DebVersion>().expect("a version").release(), release, "{version}");
        }
    }

    #[test]
    fn versions_are_ordered_as_dpkg_orders_them() {
        let ascending =
            ["1.0~~", "1.0~rc1", "1.0", "1.0-1", "1.0-1+b2", "1.0-1.1", "1.0+b1", "1.2", "1.10", "1:0.1"];
        for pair in ascending.windows(2) {
            let [low, high] = [pair[0], pair[1]].map(|text| text.parse::<DebVersion>().expect("a version"));
            assert!(low < high, "{low} < {high}");
        }
        assert_eq!(
            "5:7.0.15-1~deb12u7".parse::<DebVersion>().map(|version| version.upstream().to_owned()),
            Ok("7.0.15".into())
        );
    }

    #[test]
    fn versions_of_others_are_kept_as_they_are_if_they_can_be_shown() {
        for text in ["2!1.0", "1.0.0-rc.1+build_5", "1_2", "v1", "a:b"] {
            let version = DebVersion::of_others(text).expect("kept");
            assert_eq!((version.as_str(), version.cmp(&version)), (text, Ordering::Equal));
        }
        for text in ["", "1 0", "1\u{1b}[2J", "1\u{e9}", &"1".repeat(257)] {
            assert!(DebVersion::of_others(text).is_err(), "{text}");
        }
    }

    #[test]
    fn text_that_is_no_version_is_refused() {
        for text in ["", "1 0", "1/2", "a:1", "1.0_1"] {
            assert!(text.parse::<DebVersion>().is_err(), "{text}");
        }
    }
}
