//! Package URLs of SBOMs, read: `pkg:deb/debian/libssl3@3.0.20-1~deb12u2?arch=amd64&distro=debian-12&upstream=openssl`
//! (package-url specification, "How to parse a purl string in its components").

use std::collections::BTreeMap;

use crate::advisory::{Ecosystem, package_name};

/// The longest that is read, in bytes.
const MAX: usize = 4096;

/// The parts of a package URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReadPurl {
    pub(super) kind: String,
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) version: Option<String>,
    pub(super) qualifiers: BTreeMap<String, String>,
}

/// Reads one; the error says why it is none.
pub(super) fn read(text: &str) -> Result<ReadPurl, &'static str> {
    if text.len() > MAX {
        return Err("it is too long");
    }
    let rest = text.strip_prefix("pkg:").ok_or("it does not begin with `pkg:`")?.trim_start_matches('/');
    let rest = rest.split('#').next().unwrap_or(rest);
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (kind, rest) = rest.split_once('/').ok_or("it has no name")?;
    // A version may hold no slash, and a name of npm begins with an `@`.
    let last = rest.rfind('/').map_or(0, |slash| slash + 1);
    let version_at = rest[last..].rfind('@').map(|at| last + at).filter(|at| *at > last);
    let (path, version) = version_at.map_or((rest, None), |at| (&rest[..at], Some(&rest[at + 1..])));
    let (namespace, name) = path.trim_matches('/').rsplit_once('/').unwrap_or(("", path.trim_matches('/')));
    let mut qualifiers = BTreeMap::new();
    for (key, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        qualifiers.insert(key.to_ascii_lowercase(), decode(value)?);
    }
    let kind = kind.to_ascii_lowercase();
    let name = decode(name)?;
    if name.is_empty() || kind.is_empty() || name.contains(char::is_control) {
        return Err("it has no name");
    }
    let version = version.map(decode).transpose()?.filter(|version| !version.is_empty());
    Ok(ReadPurl { kind, namespace: decode(namespace)?, name, version, qualifiers })
}

impl ReadPurl {
    /// The ecosystem of OSV that packages of its kind belong to, Debian apart, and its name there.
    pub(super) fn elsewhere(&self) -> Option<(Ecosystem, String)> {
        let joined = |between: &str| {
            if self.namespace.is_empty() {
                self.name.clone()
            } else {
                format!("{}{between}{}", self.namespace, self.name)
            }
        };
        let (ecosystem, name) = match self.kind.as_str() {
            "pypi" => ("PyPI", self.name.clone()),
            "npm" => ("npm", joined("/")),
            "cargo" => ("crates.io", self.name.clone()),
            "golang" => ("Go", joined("/")),
            "maven" => ("Maven", joined(":")),
            "gem" => ("RubyGems", self.name.clone()),
            _ => return None,
        };
        let ecosystem = ecosystem.parse().ok()?;
        let name = package_name(&ecosystem, &name);
        Some((ecosystem, name))
    }
}

fn decode(text: &str) -> Result<String, &'static str> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = rest.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let digits = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.ok_or("it is not percent-encoded as URLs are")?);
        rest = &rest[2..];
    }
    String::from_utf8(bytes).map_err(|_| "it is no UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_read_and_decoded() {
        let purl = read("pkg:deb/debian/libstdc%2B%2B6@1:14.2.0-19%2Bb1?arch=amd64&distro=debian-13&upstream=gcc-14%4014.2.0-19").expect("one");
        assert_eq!(
            (purl.kind.as_str(), purl.namespace.as_str(), purl.name.as_str()),
            ("deb", "debian", "libstdc++6")
        );
        assert_eq!(purl.version.as_deref(), Some("1:14.2.0-19+b1"));
        assert_eq!(purl.qualifiers["upstream"], "gcc-14@14.2.0-19");
        let npm = read("pkg:npm/%40scope/left-pad@1.3.0").expect("one");
        assert_eq!(npm.elsewhere(), Some(("npm".parse().expect("one"), "@scope/left-pad".to_owned())));
        let bare = read("pkg:npm/@scope/left-pad").expect("one");
        assert_eq!((bare.name.as_str(), bare.version), ("left-pad", None));
        let python = read("pkg:pypi/Zope._Interface@5.0").expect("one").elsewhere();
        assert_eq!(python.map(|(_, name)| name).as_deref(), Some("zope-interface"));
    }

    #[test]
    fn nonsense_is_refused() {
        let long = format!("pkg:deb/debian/{}", "x".repeat(5000));
        for text in [
            "",
            "deb",
            "pkg:",
            "pkg:deb",
            "pkg:deb/",
            "pkg:deb/debian/%zz",
            "pkg:deb/a/%ff",
            "pkg:deb/a/b%0a",
            "pkg:deb/a/b%",
            &long,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
