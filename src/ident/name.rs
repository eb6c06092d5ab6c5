//! The names of recipes, packages, archives and tags, each with the rule of its own field.

use std::fmt;
use std::str::FromStr;

use super::{Malformed, serde_as_text};

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $expected:literal, $rule:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(String);

        impl $type {
            /// The name as written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl FromStr for $type {
            type Err = Malformed;
            fn from_str(text: &str) -> Result<Self, Malformed> {
                let rule: fn(&str) -> bool = $rule;
                if rule(text) { Ok(Self(text.to_owned())) } else { Err(Malformed::new(text, $expected)) }
            }
        }
        impl std::borrow::Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
        serde_as_text!($type);
    };
}

fn lower_alnum(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

/// Words of lower-case letters and digits with single separators between: what a repository path
/// component may be (OCI distribution specification, "Pulling manifests").
fn slug(text: &str) -> bool {
    let separated = text.split(['-', '_', '.']).all(|word| !word.is_empty() && word.bytes().all(lower_alnum));
    separated && text.len() <= 128
}

name!(
    /// The name of a recipe, which is its image's repository name too.
    RecipeName,
    "a recipe name (lower-case letters and digits, with single `-`, `_` or `.` between)",
    slug
);
name!(
    /// The name of an archive, by which mirrors are configured; never a host.
    ArchiveName,
    "an archive name (lower-case letters and digits, with single `-` between)",
    |text| slug(text) && !text.contains(['_', '.'])
);
name!(
    /// The name of a binary or source package (Debian policy, 5.6.1).
    PackageName,
    "a Debian package name (two or more of `a-z 0-9 + - .`, beginning with a letter or digit)",
    |text| text.len() >= 2
        && text.len() <= 200
        && lower_alnum(text.as_bytes()[0])
        && text.bytes().all(|byte| lower_alnum(byte) || b"+-.".contains(&byte))
);
name!(
    /// An image tag (OCI distribution specification, "Pulling manifests").
    TagName,
    "a tag (up to 128 of `A-Z a-z 0-9 _ . -`, not beginning with `.` or `-`)",
    |text| !text.is_empty()
        && text.len() <= 128
        && !text.starts_with(['.', '-'])
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
);

impl ArchiveName {
    /// The environment variable that names a mirror of this archive.
    pub fn mirror_variable(&self) -> String {
        format!("HARDPAN_MIRROR_{}", self.0.to_ascii_uppercase().replace('-', "_"))
    }
}

/// The tag before the day, and the day, of a dated tag: `3.13.5-20261122`, or `3.13.5-20261122-2` for a
/// further image of one day.
pub fn dated(tag: &str) -> Option<(&str, &str)> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (rest, last) = tag.rsplit_once('-')?;
    if last.len() == 8 && is_number(last) {
        return Some((rest, last));
    }
    let (rest, date) = rest.rsplit_once('-')?;
    (is_number(last) && date.len() == 8 && is_number(date)).then_some((rest, date))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_to_their_fields_rules() {
        assert!("python".parse::<RecipeName>().is_ok());
        assert!("python--x".parse::<RecipeName>().is_err());
        assert!("../python".parse::<RecipeName>().is_err());
        assert!("libstdc++6".parse::<PackageName>().is_ok());
        assert!("Libc6".parse::<PackageName>().is_err());
        assert!("+x".parse::<PackageName>().is_err());
        assert!("3.13".parse::<TagName>().is_ok());
        assert!("3.13+x".parse::<TagName>().is_err());
        assert!(".hidden".parse::<TagName>().is_err());
    }

    #[test]
    fn an_archive_has_a_variable_for_its_mirror() {
        let name: ArchiveName = "debian-security".parse().expect("a name");
        assert_eq!(name.mirror_variable(), "HARDPAN_MIRROR_DEBIAN_SECURITY");
    }

    #[test]
    fn dated_tags_are_told_from_others() {
        assert_eq!(dated("3.13.5-20261122"), Some(("3.13.5", "20261122")));
        assert_eq!(dated("3.13.5-dev-20261122-2"), Some(("3.13.5-dev", "20261122")));
        for tag in ["3.13", "latest", "20261122", "3.13.5-2026112", "3-rc-1"] {
            assert_eq!(dated(tag), None, "{tag}");
        }
    }
}
