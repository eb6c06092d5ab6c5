//! Patterns of paths: `*` and `?` stay inside a folder, `**` crosses folders, `{a,b}` chooses.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use globset::{Glob, GlobBuilder, GlobMatcher};

/// A pattern of image paths, or a plain path, which is a pattern that matches itself.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: String,
    glob: Glob,
    // Made when it is first asked: most recipes that are read are only compared with what is built.
    matcher: OnceLock<GlobMatcher>,
}

impl Pattern {
    /// Whether the path (with its leading slash) matches.
    pub fn matches(&self, path: &str) -> bool {
        if self.is_plain() {
            return self.text == path;
        }
        self.matcher.get_or_init(|| self.glob.compile_matcher()).is_match(path)
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it has no wildcards.
    pub fn is_plain(&self) -> bool {
        !self.text.contains(['*', '?', '[', '{', '\\'])
    }
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if !text.starts_with('/') && !text.starts_with("**") {
            return Err(format!("`{text}` begins neither with `/` nor with `**`"));
        }
        // Debian's files are all below /usr by now; a pattern may be written either way.
        Self::compile(merged(text))
    }
}

impl Pattern {
    /// A pattern of members of an archive, which has no merged `/usr`: written with or without a
    /// slash at its beginning, compared with one.
    pub fn of_members(text: &str) -> Result<Self, String> {
        let rest = text.trim_start_matches("./").trim_start_matches('/');
        Self::compile(format!("/{rest}"))
    }

    fn compile(text: String) -> Result<Self, String> {
        let glob = GlobBuilder::new(&text).literal_separator(true).backslash_escape(true).build();
        let glob = glob.map_err(|error| error.kind().to_string())?;
        Ok(Self { text, glob, matcher: OnceLock::new() })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}
impl Eq for Pattern {}

/// The folders that merged `/usr` made links of (Debian's `usrmerge`).
pub const ALIASES: [&str; 6] = ["bin", "sbin", "lib", "lib32", "lib64", "libx32"];

/// A path as it is with merged `/usr`: `/bin/x` is `/usr/bin/x`.
pub fn merged(path: &str) -> String {
    let first = path.strip_prefix('/').and_then(|rest| rest.split('/').next());
    match first {
        Some(first) if ALIASES.contains(&first) && path.len() > first.len() + 1 => format!("/usr{path}"),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        pattern.parse::<Pattern>().unwrap().matches(path)
    }

    #[test]
    fn one_star_stays_in_its_folder_and_two_cross() {
        assert!(matches("/usr/lib/*/libssl.so.3", "/usr/lib/x86_64-linux-gnu/libssl.so.3"));
        assert!(!matches("/usr/*/libssl.so.3", "/usr/lib/x86_64-linux-gnu/libssl.so.3"));
        assert!(matches("/usr/lib/python3.13/**", "/usr/lib/python3.13/os.py"));
        assert!(matches("**/test/**", "/usr/lib/python3.13/test/x.py"));
        assert!(!matches("**/test/**", "/usr/lib/python3.13/unittest/x.py"));
        assert!(matches("/usr/share/{doc,info}/**", "/usr/share/info/x"));
    }

    #[test]
    fn a_pattern_means_merged_paths() {
        assert!(matches("/bin/sh", "/usr/bin/sh"));
        assert_eq!(merged("/lib"), "/lib");
        assert_eq!(merged("/library/x"), "/library/x");
    }

    #[test]
    fn a_pattern_of_members_is_not_merged() {
        for text in ["bin/*", "/bin/*", "./bin/*"] {
            assert!(Pattern::of_members(text).unwrap().matches("/bin/tool"), "{text}");
        }
    }

    #[test]
    fn a_pattern_that_can_match_nothing_is_refused() {
        assert!("usr/bin/x".parse::<Pattern>().is_err());
        assert!("/usr/[".parse::<Pattern>().is_err());
    }
}
