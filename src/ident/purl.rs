//! Package URLs: the names by which scanners and SBOMs know packages (package-url specification;
//! its types `deb`, `oci` and `generic`).

use std::fmt::Write as _;

use super::{BlobDigest, DebVersion, PackageName, Platform, RecipeName, Sha256};

/// A package URL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Purl(String);

impl Purl {
    /// A Debian package. `vendor` is who made the archive (`debian`), `distribution` what it is for
    /// (`debian-13`), and the source package is named where its name or version differ.
    pub fn deb(
        vendor: &str,
        name: &PackageName,
        version: &DebVersion,
        architecture: &str,
        distribution: &str,
        source: (&PackageName, &DebVersion),
    ) -> Self {
        let upstream = match source {
            (other, source) if source != version => format!("{other}@{source}"),
            (other, _) if other != name => other.to_string(),
            _ => String::new(),
        };
        let version = version.to_string();
        let qualifiers = [("arch", architecture), ("distro", distribution), ("upstream", &upstream)];
        Self::new("deb", Some(vendor), name.as_str(), &version, &qualifiers)
    }

    /// A Debian source package.
    pub fn deb_source(vendor: &str, name: &PackageName, version: &DebVersion, distribution: &str) -> Self {
        let qualifiers = [("arch", "source"), ("distro", distribution)];
        Self::new("deb", Some(vendor), name.as_str(), &version.to_string(), &qualifiers)
    }

    /// An image, by the digest of its index or, with a platform, of its manifest.
    pub fn oci(name: &RecipeName, digest: &BlobDigest, platform: Option<Platform>) -> Self {
        let arch = platform.map(Platform::architecture).unwrap_or_default();
        Self::new("oci", None, name.as_str(), &digest.to_string(), &[("arch", arch)])
    }

    /// Something that no package manager knows, by its digest.
    pub fn generic(name: &str, digest: &Sha256) -> Self {
        Self::new("generic", None, name, "", &[("checksum", &format!("sha256:{digest}"))])
    }

    fn new(kind: &str, namespace: Option<&str>, name: &str, version: &str, more: &[(&str, &str)]) -> Self {
        let mut text = format!("pkg:{kind}/");
        if let Some(namespace) = namespace {
            let _ = write!(text, "{}/", encode(namespace));
        }
        text.push_str(&encode(name));
        if !version.is_empty() {
            let _ = write!(text, "@{}", encode(version));
        }
        let said = more.iter().filter(|(_, value)| !value.is_empty());
        for (at, (key, value)) in said.enumerate() {
            let _ = write!(text, "{}{key}={}", if at == 0 { '?' } else { '&' }, encode(value));
        }
        Self(text)
    }

    /// The same without version and qualifiers: `pkg:deb/debian/libssl3t64`.
    #[must_use]
    pub fn plain(&self) -> Self {
        Self(self.0.split(['@', '?', '#']).next().unwrap_or_default().to_owned())
    }

    /// The URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Purl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Percent-encodes what is neither unreserved nor a colon (package-url specification, "Character
/// encoding").
fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b".-_~:".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deb(name: &str, version: &str, source: (&str, &str)) -> String {
        let version: DebVersion = version.parse().expect("a version");
        let source = (source.0.parse().expect("a name"), source.1.parse().expect("a version"));
        let name = name.parse().expect("a name");
        Purl::deb("debian", &name, &version, "amd64", "debian-13", (&source.0, &source.1)).to_string()
    }

    #[test]
    fn packages_are_named_as_scanners_name_them() {
        assert_eq!(
            deb("libstdc++6", "14.2.0-19", ("gcc-14", "14.2.0-19")),
            "pkg:deb/debian/libstdc%2B%2B6@14.2.0-19?arch=amd64&distro=debian-13&upstream=gcc-14"
        );
        assert_eq!(
            deb("zlib1g", "1:1.3.dfsg+really1.3.1-1+b1", ("zlib", "1:1.3.dfsg+really1.3.1-1")),
            "pkg:deb/debian/zlib1g@1:1.3.dfsg%2Breally1.3.1-1%2Bb1?arch=amd64&distro=debian-13\
             &upstream=zlib%401:1.3.dfsg%2Breally1.3.1-1"
        );
        assert_eq!(
            deb("bash", "5.2~rc1-1", ("bash", "5.2~rc1-1")),
            "pkg:deb/debian/bash@5.2~rc1-1?arch=amd64&distro=debian-13"
        );
    }

    #[test]
    fn a_plain_one_has_neither_version_nor_qualifiers() {
        let version: DebVersion = "1:14.2.0-19+b1".parse().expect("a version");
        let (name, source) = ("libstdc++6".parse().expect("a name"), "gcc-14".parse().expect("a name"));
        let purl = Purl::deb("debian", &name, &version, "amd64", "debian-13", (&source, &version));
        assert_eq!(purl.plain().as_str(), "pkg:deb/debian/libstdc%2B%2B6");
    }
}
