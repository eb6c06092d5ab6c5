//! Paths inside an image: absolute, normalised, and safe to write.

use std::fmt;
use std::str::FromStr;

use super::{Malformed, serde_as_text};

/// An absolute path inside an image, without `.`, `..`, empty components, or a slash at its end.
///
/// Ordered by its bytes, which is the order of entries in a layer. The longest is 4096 bytes, and
/// 255 a component, as on Linux (`PATH_MAX`, `NAME_MAX`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImagePath(String);

const EXPECTED: &str = "an absolute path without `.`, `..`, empty parts, control characters or whiteouts (`.wh.`), at most 4096 bytes long, 255 a part and 128 folders deep";

/// The most folders that a path goes through. Honest packages need a dozen; without a bound, names of
/// 4096 bytes that are all slashes cost time with the square of their depth.
const MAX_DEPTH: usize = 128;

/// A component that a layer may hold. `.wh.` marks a whiteout (image specification, layer.md), which
/// would delete what a layer below has.
fn is_component(part: &str) -> bool {
    !matches!(part, "" | "." | "..") && part.len() <= 255 && !part.starts_with(".wh.")
}

impl ImagePath {
    /// The root of the image.
    pub fn root() -> Self {
        Self("/".to_owned())
    }

    /// Takes a member name of an archive: `./usr/bin/x`, `usr/bin/x`, with or without a slash at its
    /// end. Climbing (`..`) and absolute names are refused, as they are never honest in a package.
    pub fn from_member(name: &str) -> Result<Self, Malformed> {
        let bad = || Malformed::new(name, "a relative path without `..`");
        if name.starts_with('/') {
            return Err(bad());
        }
        let parts: Vec<&str> = name.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
        if parts.contains(&"..") {
            return Err(bad());
        }
        format!("/{}", parts.join("/")).parse()
    }

    /// The path with its leading slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path as a member name of a tar: without the leading slash.
    pub fn member(&self) -> &str {
        &self.0[1..]
    }

    /// Whether this is `/`.
    pub fn is_root(&self) -> bool {
        self.0 == "/"
    }

    /// The last component; empty for the root.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The folder that holds this path; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        let cut = self.0.rfind('/').unwrap_or_default();
        Some(if cut == 0 { Self::root() } else { Self(self.0[..cut].to_owned()) })
    }

    /// All folders above this path, nearest first, the root last.
    pub fn ancestors(&self) -> impl Iterator<Item = Self> {
        std::iter::successors(self.parent(), Self::parent)
    }

    /// Whether this path is `folder` or below it.
    pub fn is_under(&self, folder: &Self) -> bool {
        folder.is_root()
            || self.0.strip_prefix(&folder.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The path one component further down.
    pub fn join(&self, name: &str) -> Result<Self, Malformed> {
        let slash = if self.is_root() { "" } else { "/" };
        format!("{}{slash}{name}", self.0).parse()
    }

    /// Where a symbolic link at this path with `target` points to. A target that climbs over the
    /// root stays at the root, as the kernel has it.
    pub fn resolve(&self, target: &str) -> Result<Self, Malformed> {
        let mut parts: Vec<&str> = Vec::new();
        let base =
            if target.starts_with('/') { "" } else { self.0.rsplit_once('/').map_or("", |(base, _)| base) };
        for part in base.split('/').chain(target.split('/')) {
            match part {
                "" | "." => {}
                ".." => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        format!("/{}", parts.join("/")).parse()
    }
}

impl fmt::Display for ImagePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ImagePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl FromStr for ImagePath {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let bad = || Malformed::new(text, EXPECTED);
        let rest = text.strip_prefix('/').ok_or_else(bad)?;
        let depth = rest.bytes().filter(|byte| *byte == b'/').count();
        if text.len() > 4096 || depth >= MAX_DEPTH || text.contains(char::is_control) {
            return Err(bad());
        }
        if rest.is_empty() || rest.split('/').all(is_component) {
            Ok(Self(text.to_owned()))
        } else {
            Err(bad())
        }
    }
}
serde_as_text!(ImagePath);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path(text: &str) -> ImagePath {
        text.parse().expect("a path")
    }

    #[test]
    fn climbing_and_absolute_members_are_refused() {
        for name in [
            "../etc/passwd",
            "usr/../../x",
            "/etc/passwd",
            "a\0b",
            "a\nb",
            "a/.wh.b",
            &"x".repeat(256),
            &"a/".repeat(200),
        ] {
            assert!(ImagePath::from_member(name).is_err(), "{name}");
        }
        assert_eq!(ImagePath::from_member("./usr//bin/"), Ok(path("/usr/bin")));
        assert_eq!(ImagePath::from_member("./"), Ok(ImagePath::root()));
    }

    #[test]
    fn links_resolve_as_the_kernel_does() {
        assert_eq!(path("/usr/bin/python3").resolve("python3.13"), Ok(path("/usr/bin/python3.13")));
        assert_eq!(path("/etc/os-release").resolve("../usr/lib/os-release"), Ok(path("/usr/lib/os-release")));
        assert_eq!(path("/a/b").resolve("../../../../x"), Ok(path("/x")));
        assert_eq!(path("/a").resolve("/b/./c"), Ok(path("/b/c")));
    }

    #[test]
    fn a_folder_holds_what_is_below_it_only() {
        assert!(path("/usr/bin").is_under(&path("/usr")));
        assert!(!path("/usrx").is_under(&path("/usr")));
        assert!(path("/usr").is_under(&ImagePath::root()));
        let above: Vec<_> = path("/a/b/c").ancestors().map(|path| path.to_string()).collect();
        assert_eq!(above, ["/a/b", "/a", "/"]);
    }

    proptest! {
        #[test]
        fn no_member_name_leaves_the_image(name in "[./a\\x00]{0,12}") {
            if let Ok(path) = ImagePath::from_member(&name) {
                prop_assert!(path.as_str().starts_with('/'));
                prop_assert!(path.as_str().split('/').all(|part| part != ".." && part != "."));
            }
        }

        #[test]
        fn resolving_stays_inside(target in "[./ab]{0,16}") {
            prop_assert!(path("/x/y").resolve(&target).is_ok());
        }
    }
}
