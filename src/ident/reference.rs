//! References to images in registries (OCI distribution specification, "Pulling manifests").
//!
//! ```text
//! registry.example:5000/team/python:3.13@sha256:…
//! └─────── registry ──┘ └─ path ──┘ └tag┘ └ digest ┘
//! ```
//!
//! The registry is always written out: a name without one is not guessed to be somebody's.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::{BlobDigest, Malformed, TagName, serde_as_text};

/// The longest name of a repository, its registry included.
const MAX_NAME: usize = 255;

/// A registry: a host, and its port where it is not the usual one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Registry(String);

/// A repository of a registry: where the manifests and blobs of one image are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Repository {
    registry: Registry,
    path: String,
}

/// A registry, and the first part of its repositories' paths, which may be empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    registry: Registry,
    path: String,
}

/// An image in a registry, by tag, by digest, or by both (then the digest decides).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// Where it is.
    pub repository: Repository,
    /// Its tag.
    pub tag: Option<TagName>,
    /// The digest of its index or manifest.
    pub digest: Option<BlobDigest>,
}

impl Registry {
    /// The host and its port, as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is on this machine, so that nobody can listen on the way.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }
}

/// Whether `host[:port]` never leaves this machine.
pub fn is_loopback(authority: &str) -> bool {
    let host = host_of(authority);
    let inner = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || inner.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || inner.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback())
}

/// The host of `host[:port]`.
fn host_of(authority: &str) -> &str {
    match authority.rfind(':') {
        Some(at) if !authority.ends_with(']') => &authority[..at],
        _ => authority,
    }
}

impl Repository {
    /// Where it is.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Its name in the registry.
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl Prefix {
    /// The registry.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The repository of a name below the prefix.
    pub fn repository(&self, name: &str) -> Result<Repository, Malformed> {
        let slash = if self.path.is_empty() { "" } else { "/" };
        format!("{}/{}{slash}{name}", self.registry, self.path).parse()
    }
}

impl Reference {
    /// What the registry is asked for: the digest, or the tag, or `latest`.
    pub fn wanted(&self) -> String {
        let tag = || self.tag.as_ref().map_or_else(|| "latest".to_owned(), ToString::to_string);
        self.digest.map_or_else(tag, |digest| digest.to_string())
    }
}

/// Labels of letters, digits and `-` with single dots between, or an IPv6 address in brackets.
fn is_host(host: &str) -> bool {
    if let Some(inner) = host.strip_prefix('[') {
        return inner.strip_suffix(']').is_some_and(|address| address.parse::<Ipv6Addr>().is_ok());
    }
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    host.split('.').all(label)
}

/// `a-z 0-9`, with `.`, `_`, `__` or any number of `-` between.
fn is_component(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = text.bytes().next().is_some_and(word) && text.bytes().next_back().is_some_and(word);
    let separators = text.split(|letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit());
    let known =
        |between: &str| matches!(between, "" | "." | "_" | "__") || between.bytes().all(|byte| byte == b'-');
    ends && separators.into_iter().all(known)
}

impl FromStr for Registry {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let bad = || {
            let expected =
                "a registry: a host with a dot or a port in its name, or `localhost` (and no `https://`)";
            Malformed::new(text, expected)
        };
        let host = host_of(text);
        let port = text[host.len()..].strip_prefix(':');
        let named = host.contains('.') || host.starts_with('[') || host == "localhost" || port.is_some();
        let port_fine = port.is_none_or(|port| {
            port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
        });
        if named && port_fine && is_host(host) && text.len() <= MAX_NAME {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(bad())
        }
    }
}

impl FromStr for Repository {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let expected = "a repository such as `registry.example/team/python`, in lower-case letters";
        let (registry, path) = text.split_once('/').ok_or_else(|| Malformed::new(text, expected))?;
        if text.len() > MAX_NAME || !path.split('/').all(is_component) {
            return Err(Malformed::new(text, expected));
        }
        Ok(Self { registry: registry.parse()?, path: path.to_owned() })
    }
}

impl FromStr for Prefix {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let text = text.trim_end_matches('/');
        if !text.contains('/') {
            return Ok(Self { registry: text.parse()?, path: String::new() });
        }
        let repository: Repository = text.parse()?;
        Ok(Self { registry: repository.registry, path: repository.path })
    }
}

impl FromStr for Reference {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.parse()?)),
            None => (text, None),
        };
        let slash = rest.find('/').unwrap_or(rest.len());
        let (name, tag) = match rest[slash..].split_once(':') {
            Some((path, tag)) => (&rest[..slash + path.len()], Some(tag.parse()?)),
            None => (rest, None),
        };
        Ok(Self { repository: name.parse()?, tag, digest })
    }
}

impl fmt::Display for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.path)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slash = if self.path.is_empty() { "" } else { "/" };
        write!(f, "{}{slash}{}", self.registry, self.path)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.repository)?;
        self.tag.iter().try_for_each(|tag| write!(f, ":{tag}"))?;
        self.digest.iter().try_for_each(|digest| write!(f, "@{digest}"))
    }
}
serde_as_text!(Registry);
serde_as_text!(Repository);
serde_as_text!(Reference);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_reads_back_as_written() {
        let digest = format!("sha256:{}", "a".repeat(64));
        for text in [
            "localhost/a".to_owned(),
            "localhost:5000/a/b_c/d__e/f---g:1.0".to_owned(),
            format!("registry.example/team/python:3.13@{digest}"),
            format!("[::1]:5000/python@{digest}"),
        ] {
            let reference: Reference = text.parse().unwrap();
            assert_eq!(reference.to_string(), text);
        }
    }

    #[test]
    fn what_names_no_registry_or_is_no_reference_is_refused() {
        for text in [
            "",
            "python",
            "python:3.13",
            "library/python",
            "https://registry.example/python",
            "registry.example",
            "registry.example/",
            "registry.example/Python",
            "registry.example/a//b",
            "registry.example/../a",
            "registry.example/a:",
            "registry.example/a:-x",
            "registry.example/a@sha256:00",
            "registry.example/a@md5:00",
            "registry.example:0/a",
            "registry.example:99999/a",
            "registry.example:+5/a",
            "user@registry.example/a",
            "registry..example/a",
            "[::1/a",
            "[x]:5000/a",
            "registry.example/a b",
            "registry.example/a\n",
        ] {
            assert!(text.parse::<Reference>().is_err(), "{text:?}");
        }
        assert!(format!("registry.example/{}", "a".repeat(300)).parse::<Reference>().is_err());
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for (registry, loopback) in [
            ("localhost", true),
            ("localhost:5000", true),
            ("127.0.0.1:5000", true),
            ("127.9.0.1:5000", true),
            ("[::1]:5000", true),
            ("[::1]", true),
            ("localhost.example", false),
            ("127.0.0.1.example", false),
            ("10.0.0.1:5000", false),
            ("registry:5000", false),
        ] {
            assert_eq!(registry.parse::<Registry>().unwrap().is_loopback(), loopback, "{registry}");
        }
    }

    #[test]
    fn a_prefix_may_be_a_registry_alone() {
        let prefix: Prefix = "localhost:5000".parse().unwrap();
        assert_eq!(prefix.repository("python").unwrap().to_string(), "localhost:5000/python");
        let prefix: Prefix = "localhost:5000/team/".parse().unwrap();
        assert_eq!(prefix.repository("python").unwrap().to_string(), "localhost:5000/team/python");
        assert!(prefix.repository("Not A Name").is_err());
        assert!("team".parse::<Prefix>().is_err());
    }
}
