//! Addresses that a registry gives out: where an upload goes on, where a blob or a token is.

use std::fmt::{self, Write as _};

/// An `http` or `https` address. What stands behind `?` may be secret and is not shown.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Address {
    https: bool,
    authority: String,
    /// Path and query, with the slash.
    rest: String,
}

impl Address {
    /// `rest` begins with a slash.
    pub(super) fn new(https: bool, authority: &str, rest: &str) -> Self {
        let authority = authority.to_ascii_lowercase();
        let usual = if https { ":443" } else { ":80" };
        let authority = authority.strip_suffix(usual).unwrap_or(&authority).to_owned();
        Self { https, authority, rest: rest.to_owned() }
    }

    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let lower = text.get(..8).unwrap_or(text).to_ascii_lowercase();
        let (https, rest) = if lower.starts_with("https://") {
            (true, &text[8..])
        } else if lower.starts_with("http://") {
            (false, &text[7..])
        } else {
            return Err("it is not an address that begins with http:// or https://".into());
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        let slash = if rest.starts_with('/') { "" } else { "/" };
        if authority.is_empty() || authority.contains(['@', '\\']) {
            return Err("its host is empty, or has a user's name before it".into());
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("there is a blank, a control character or a letter that is not ASCII in it".into());
        }
        Ok(Self::new(https, authority, &format!("{slash}{rest}")))
    }

    /// What a `Location` header means here (RFC 3986, 5.2).
    pub(super) fn join(&self, location: &str) -> Result<Self, String> {
        let scheme = if self.https { "https" } else { "http" };
        let (authority, rest) = (&self.authority, &self.rest);
        let path = rest.split('?').next().unwrap_or_default();
        let absolute = location.find("://").is_some_and(|at| {
            at > 0
                && location[..at].bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        });
        let text = if absolute {
            location.to_owned()
        } else if location.starts_with("//") {
            format!("{scheme}:{location}")
        } else if location.starts_with('/') {
            format!("{scheme}://{authority}{location}")
        } else if location.starts_with('?') {
            format!("{scheme}://{authority}{path}{location}")
        } else {
            let folder = &path[..path.rfind('/').map_or(0, |at| at + 1)];
            format!("{scheme}://{authority}{folder}{location}")
        };
        Self::parse(&text)
    }

    /// With one more `name=value` in its query.
    pub(super) fn with(&self, name: &str, value: &str) -> Self {
        let joint = if self.rest.contains('?') { '&' } else { '?' };
        Self { rest: format!("{}{joint}{name}={}", self.rest, encoded(value)), ..self.clone() }
    }

    pub(super) fn is_https(&self) -> bool {
        self.https
    }

    pub(super) fn authority(&self) -> &str {
        &self.authority
    }

    /// Whether scheme, host and port are the same: only then may credentials go there.
    pub(super) fn same_server(&self, other: &Self) -> bool {
        (self.https, &self.authority) == (other.https, &other.authority)
    }

    /// All of it, secrets too.
    pub(super) fn secret(&self) -> String {
        let scheme = if self.https { "https" } else { "http" };
        format!("{scheme}://{}{}", self.authority, self.rest)
    }
}

/// What may stand in a query as it is (RFC 3986, 2.3); all else becomes `%xx`.
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.secret();
        f.write_str(all.split('?').next().unwrap_or_default())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        Address::parse(text).expect("an address")
    }

    #[test]
    fn locations_are_followed_as_browsers_do() {
        let base = address("https://registry.example/v2/a/blobs/uploads/?x=1");
        for (location, url) in [
            ("/v2/up/1?s=/y", "https://registry.example/v2/up/1?s=/y"),
            ("?digest=d", "https://registry.example/v2/a/blobs/uploads/?digest=d"),
            (
                "1?next=https://else.example/",
                "https://registry.example/v2/a/blobs/uploads/1?next=https://else.example/",
            ),
            ("//cdn.example/b", "https://cdn.example/b"),
            ("http://cdn.example:80/b#f", "http://cdn.example/b"),
            ("HTTPS://Registry.Example:443", "https://registry.example/"),
        ] {
            assert_eq!(base.join(location).expect(location).secret(), url);
        }
        for location in ["ftp://x/", "https://", "https://u:p@x/", "https://x\\@y/", "/a b", "/a\r\nx: y"] {
            assert!(base.join(location).is_err(), "{location}");
        }
    }

    #[test]
    fn another_port_scheme_or_host_is_another_server() {
        let base = address("https://registry.example/a");
        assert!(base.same_server(&address("https://REGISTRY.example:443/b")));
        for other in
            ["http://registry.example/a", "https://registry.example:5000/a", "https://x.registry.example/a"]
        {
            assert!(!base.same_server(&address(other)), "{other}");
        }
    }

    #[test]
    fn what_may_be_secret_is_not_shown() {
        let signed = address("https://cdn.example/blob?X-Signature=word").with("scope", "a:b,c d");
        assert_eq!(signed.to_string(), "https://cdn.example/blob");
        assert_eq!(format!("{signed:?}"), "https://cdn.example/blob");
        assert_eq!(signed.secret(), "https://cdn.example/blob?X-Signature=word&scope=a%3Ab%2Cc%20d");
    }
}
