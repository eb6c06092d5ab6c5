//! Package URLs as others write them (package-url specification): what of them decides whether something is meant.

/// A package URL, taken apart; names and versions are decoded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ReadPurl {
    /// `oci`, `deb`.
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) version: Option<String>,
    /// Where an image is said to be; images of one name are many.
    pub(super) repository: Option<String>,
}

/// Reads a package URL; `None` for anything else.
pub(super) fn read(text: &str) -> Option<ReadPurl> {
    let rest = text.strip_prefix("pkg:")?.trim_start_matches('/');
    let rest = rest.split('#').next().unwrap_or_default();
    let (path, qualifiers) = rest.split_once('?').unwrap_or((rest, ""));
    let (kind, path) = path.split_once('/')?;
    let (path, version) = match path.rsplit_once('@') {
        // `@` at the beginning of a part is that of a scope, not of a version.
        Some((path, version)) if !path.is_empty() && !path.ends_with('/') => (path, Some(decode(version)?)),
        _ => (path, None),
    };
    let name = decode(path.trim_end_matches('/').rsplit('/').next()?)?;
    let repository = qualifiers.split('&').find_map(|pair| pair.strip_prefix("repository_url="));
    let whole = !kind.is_empty() && !name.is_empty();
    whole.then_some(())?;
    Some(ReadPurl {
        kind: kind.to_ascii_lowercase(),
        name,
        version,
        repository: repository.map(str::to_owned),
    })
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        if *first == b'%' {
            let digits = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok())?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Option<(String, String, Option<String>, bool)> {
        let purl = read(text)?;
        Some((purl.kind, purl.name, purl.version, purl.repository.is_some()))
    }

    #[test]
    fn the_spellings_of_others_are_read() {
        let is = |text: &str, kind: &str, name: &str, version: Option<&str>, repository: bool| {
            let expected = Some((kind.into(), name.into(), version.map(Into::into), repository));
            assert_eq!(parts(text), expected, "{text}");
        };
        is("pkg:oci/python@sha256:ab", "oci", "python", Some("sha256:ab"), false);
        is(
            "pkg:oci/python@sha256%3Aab?repository_url=x.example/team",
            "oci",
            "python",
            Some("sha256:ab"),
            true,
        );
        is("pkg:oci/python", "oci", "python", None, false);
        is("pkg:deb/debian/libstdc%2B%2B6@1%3A1.0?arch=amd64", "deb", "libstdc++6", Some("1:1.0"), false);
        is("pkg:npm/%40scope/x@1.0", "npm", "x", Some("1.0"), false);
        is("pkg:npm/@scope/x", "npm", "x", None, false);
    }

    #[test]
    fn what_is_none_is_none() {
        for text in
            ["", "pkg:", "pkg:oci", "pkg:oci/", "oci/python", "python@1", "pkg:oci/%zz", "pkg:oci/a@%ff"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
