//! What the makers of SBOMs say of a package's source, each in its own place.
//!
//! | who | name | version |
//! |---|---|---|
//! | all that follow the purl type `deb` | qualifier `upstream=name@version` | the same; the package's own if left out |
//! | hardpan | property `hardpan:deb:source` | `hardpan:deb:source-version` |
//! | syft | property `syft:metadata:source` | `syft:metadata:sourceVersion` |
//! | trivy | property `aquasecurity:trivy:SrcName` | `…:SrcEpoch`, `…:SrcVersion`, `…:SrcRelease` |
//! | hardpan, trivy, in SPDX | `sourceInfo`: `built … from …: name version` | the same |

use std::collections::BTreeMap;

use super::purl::ReadPurl;
use super::subject::of_rebuild;
use crate::ident::{DebVersion, PackageName};

/// The source of a package by all that is said, the most exact first; its own name where nobody says any.
pub(super) fn source(
    purl: &ReadPurl,
    version: &DebVersion,
    properties: &BTreeMap<String, String>,
    source_info: Option<&str>,
) -> Result<(PackageName, DebVersion), String> {
    let said = hardpan(properties)
        .or_else(|| syft(properties))
        .or_else(|| trivy(properties))
        .or_else(|| upstream(purl))
        .or_else(|| source_info.and_then(in_words));
    let (name, own) = said.unwrap_or_else(|| (purl.name.clone(), None));
    let malformed = |error: crate::ident::Malformed| error.to_string();
    let own = own.filter(|own| !own.is_empty());
    let own = own.map(|own| own.parse()).transpose().map_err(malformed)?;
    Ok((name.parse().map_err(malformed)?, own.unwrap_or_else(|| of_rebuild(version))))
}

type Said = Option<(String, Option<String>)>;

fn property(properties: &BTreeMap<String, String>, name: &str) -> Option<String> {
    properties.get(name).filter(|value| !value.is_empty()).cloned()
}

fn hardpan(properties: &BTreeMap<String, String>) -> Said {
    let name = property(properties, "hardpan:deb:source")?;
    Some((name, property(properties, "hardpan:deb:source-version")))
}

fn syft(properties: &BTreeMap<String, String>) -> Said {
    let name = property(properties, "syft:metadata:source")?;
    Some((name, property(properties, "syft:metadata:sourceVersion")))
}

fn trivy(properties: &BTreeMap<String, String>) -> Said {
    let part = |name: &str| property(properties, &format!("aquasecurity:trivy:{name}"));
    let name = part("SrcName")?;
    let version = part("SrcVersion").map(|version| {
        let epoch = part("SrcEpoch").filter(|epoch| epoch != "0").map(|epoch| format!("{epoch}:"));
        let release = part("SrcRelease").map(|release| format!("-{release}"));
        format!("{}{version}{}", epoch.unwrap_or_default(), release.unwrap_or_default())
    });
    Some((name, version))
}

fn upstream(purl: &ReadPurl) -> Said {
    let upstream = purl.qualifiers.get("upstream").filter(|upstream| !upstream.is_empty())?;
    let (name, version) =
        upstream.split_once('@').map_or((upstream.as_str(), None), |(name, version)| (name, Some(version)));
    Some((name.to_owned(), version.map(ToOwned::to_owned)))
}

/// `built package from: openssl 3.0.20-1`, `built from the source package openssl 3.0.20-1`.
fn in_words(info: &str) -> Said {
    let rest = info
        .strip_prefix("built package from: ")
        .or_else(|| info.strip_prefix("built from the source package "))?;
    let mut words = rest.split_whitespace();
    Some((words.next()?.to_owned(), words.next().map(ToOwned::to_owned)))
}

#[cfg(test)]
mod tests {
    use super::super::purl;
    use super::*;

    fn of(text: &str, properties: &[(&str, &str)], info: Option<&str>) -> Result<String, String> {
        let purl = purl::read(text).expect("a purl");
        let version = purl.version.as_deref().expect("one").parse().expect("a version");
        let properties =
            properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        source(&purl, &version, &properties, info).map(|(name, version)| format!("{name} {version}"))
    }

    #[test]
    fn the_source_is_found_wherever_its_tool_puts_it() {
        let bare = "pkg:deb/debian/libbrotli1@1.0.9-2%2Bb6?arch=amd64&distro=debian-12";
        let wanted = Ok("brotli 1.0.9-2".to_owned());
        assert_eq!(of(&format!("{bare}&upstream=brotli%401.0.9-2"), &[], None), wanted);
        assert_eq!(of(&format!("{bare}&upstream=brotli"), &[], None), wanted);
        assert_eq!(
            of(bare, &[("syft:metadata:source", "brotli"), ("syft:metadata:sourceVersion", "1.0.9-2")], None),
            wanted
        );
        assert_eq!(
            of(bare, &[("hardpan:deb:source", "brotli"), ("hardpan:deb:source-version", "1.0.9-2")], None),
            wanted
        );
        let trivy = [
            ("aquasecurity:trivy:SrcName", "zlib"),
            ("aquasecurity:trivy:SrcEpoch", "1"),
            ("aquasecurity:trivy:SrcVersion", "1.2.13.dfsg"),
            ("aquasecurity:trivy:SrcRelease", "1"),
        ];
        assert_eq!(
            of("pkg:deb/debian/zlib1g@1.2.13.dfsg-1?epoch=1", &trivy, None),
            Ok("zlib 1:1.2.13.dfsg-1".to_owned())
        );
        assert_eq!(of(bare, &[], Some("built package from: brotli 1.0.9-2")), wanted);
        assert_eq!(of(bare, &[], Some("built from the source package brotli 1.0.9-2")), wanted);
        // Nobody says it: its own name, and the version without the mark of a rebuild.
        assert_eq!(
            of(bare, &[], Some("acquired package info from DPKG DB: /var/lib/dpkg/status")),
            Ok("libbrotli1 1.0.9-2".to_owned())
        );
    }

    #[test]
    fn a_source_that_is_none_is_refused() {
        assert!(of("pkg:deb/debian/a1@1?upstream=..%2Fx", &[], None).is_err());
        assert!(of("pkg:deb/debian/a1@1?upstream=xx%40y%20z", &[], None).is_err());
    }
}
