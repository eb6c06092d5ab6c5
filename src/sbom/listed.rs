//! What an SBOM lists: read again, to be compared with the image that it is about.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::ident::Sha256;

/// What an SBOM lists.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listed {
    /// The image's digest, as the document says it.
    pub image: Option<Sha256>,
    /// URLs of its Debian packages, without sources.
    pub packages: BTreeSet<String>,
    /// Paths with a leading slash, and digests.
    pub files: BTreeSet<(String, Sha256)>,
}

/// Reads SPDX 2.3 or CycloneDX; the error says what is missing or malformed.
pub fn listed(document: &Value) -> Result<Listed, String> {
    if document.get("spdxVersion").is_some() {
        of_spdx(document)
    } else if document.get("bomFormat").is_some() {
        of_cyclonedx(document)
    } else {
        Err("it is neither SPDX 2.3 nor CycloneDX".to_owned())
    }
}

fn array<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

/// The SHA-256 among digests, each `{name: …, content: …}` under the format's own keys.
fn sha256(
    value: &Value,
    list: &str,
    (name, wanted): (&str, &str),
    content: &str,
) -> Result<Option<Sha256>, String> {
    let found = array(value, list).find(|digest| text(digest, name) == Some(wanted));
    let found = found.and_then(|digest| text(digest, content));
    found.map(|hex| hex.parse().map_err(|_| format!("`{hex}` is no SHA-256 digest"))).transpose()
}

/// Whether a package URL is that of a Debian package that was installed.
fn is_package(purl: &str) -> bool {
    purl.starts_with("pkg:deb/") && !purl.contains("arch=source")
}

fn of_spdx(document: &Value) -> Result<Listed, String> {
    let digest = |value| sha256(value, "checksums", ("algorithm", "SHA256"), "checksumValue");
    let mut listed = Listed::default();
    for package in array(document, "packages") {
        if text(package, "SPDXID") == Some("SPDXRef-Image") {
            listed.image = digest(package)?;
        }
        let purls =
            array(package, "externalRefs").filter_map(|reference| text(reference, "referenceLocator"));
        listed.packages.extend(purls.filter(|purl| is_package(purl)).map(ToOwned::to_owned));
    }
    for file in array(document, "files") {
        let name = text(file, "fileName").ok_or("a file has no name")?;
        let path = name
            .strip_prefix("./")
            .ok_or_else(|| format!("the file name `{name}` does not begin with `./`"))?;
        let digest = digest(file)?.ok_or_else(|| format!("the file `{name}` has no SHA-256 digest"))?;
        listed.files.insert((format!("/{path}"), digest));
    }
    Ok(listed)
}

fn of_cyclonedx(document: &Value) -> Result<Listed, String> {
    let digest = |value| sha256(value, "hashes", ("alg", "SHA-256"), "content");
    let mut listed = Listed::default();
    if let Some(image) = document.pointer("/metadata/component") {
        listed.image = digest(image)?;
    }
    let mut queue: Vec<&Value> = array(document, "components").collect();
    while let Some(component) = queue.pop() {
        queue.extend(array(component, "components"));
        if let Some(purl) = text(component, "purl").filter(|purl| is_package(purl)) {
            listed.packages.insert(purl.to_owned());
        }
        // Parts that are files of a recipe have no path for a name.
        let path = text(component, "name").filter(|name| name.starts_with('/'));
        if let Some(path) = path.filter(|_| text(component, "type") == Some("file")) {
            let digest =
                digest(component)?.ok_or_else(|| format!("the file `{path}` has no SHA-256 digest"))?;
            listed.files.insert((path.to_owned(), digest));
        }
    }
    Ok(listed)
}
