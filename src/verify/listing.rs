//! The layers against the SBOMs, both ways.

use std::collections::{BTreeMap, BTreeSet};

use crate::diag::{Problem, codes};
use crate::ident::{BlobDigest, Sha256};
use crate::image::{Contents, FileFacts};
use crate::sbom::Listed;

/// How many differences are named; the rest is counted.
const NAMED: usize = 8;

/// What is really there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Present {
    /// Paths with a leading slash, and digests.
    pub files: BTreeSet<(String, Sha256)>,
    /// Name, version and architecture of each Debian package.
    pub packages: BTreeSet<(String, String, String)>,
}

impl Present {
    /// Adds what one platform holds. Another name of a file counts as the file that it names.
    pub fn add(&mut self, contents: &Contents) {
        for (path, facts) in &contents.files {
            if let Some(digest) = content_of(contents, facts) {
                self.files.insert((format!("/{path}"), digest));
            }
        }
        let packages = contents.packages.iter();
        self.packages.extend(
            packages.map(|(name, facts)| (name.clone(), facts.version.clone(), facts.architecture.clone())),
        );
    }
}

fn content_of(contents: &Contents, facts: &FileFacts) -> Option<Sha256> {
    if facts.kind != "hard link" {
        return facts.sha256;
    }
    let target = facts.link.as_ref()?;
    contents.files.get(target.trim_start_matches("./").trim_start_matches('/'))?.sha256
}

/// Compares an SBOM with what is there; what is seen, or what differs.
pub fn compare(of: &str, digest: &BlobDigest, listed: &Listed, present: &Present) -> Result<String, Problem> {
    let wrong = |message: String| Problem::new(codes::NOT_AS_LISTED, message);
    if listed.image != Some(digest.0) {
        let found = listed.image.map_or_else(|| "no digest".to_owned(), |digest| format!("sha256:{digest}"));
        return Err(wrong(format!("the SBOM of the {of} is that of another image"))
            .found(found)
            .expected(digest));
    }
    let (read, unread): (Vec<_>, Vec<_>) =
        listed.packages.iter().map(|purl| (purl, read_purl(purl))).partition(|(_, read)| read.is_some());
    let packages: BTreeSet<_> = read.into_iter().filter_map(|(_, read)| read).collect();
    let mut differences = file_differences(&listed.files, &present.files);
    let named = |(name, version, architecture): &(String, String, String)| {
        format!("package {name} {version} ({architecture})")
    };
    differences.extend(
        present
            .packages
            .difference(&packages)
            .map(|one| format!("{} is in the image and not listed", named(one))),
    );
    differences.extend(
        packages
            .difference(&present.packages)
            .map(|one| format!("{} is listed and not in the image", named(one))),
    );
    differences.extend(unread.into_iter().map(|(purl, _)| format!("`{purl}` does not read as a package")));
    if differences.is_empty() {
        let (files, packages) = (present.files.len(), packages.len());
        return Ok(format!("{files} files and {packages} packages are as listed"));
    }
    let count = differences.len();
    let mut problem =
        wrong(format!("the {of} does not hold what its SBOM lists")).found(format!("{count} differences"));
    for difference in differences.iter().take(NAMED) {
        problem = problem.fact("difference", difference);
    }
    Err(problem.help("the SBOM or the image was changed: don't use either"))
}

fn file_differences(
    listed: &BTreeSet<(String, Sha256)>,
    present: &BTreeSet<(String, Sha256)>,
) -> Vec<String> {
    let by_path = |only: BTreeSet<&(String, Sha256)>| -> BTreeMap<String, Sha256> {
        only.into_iter().map(|(path, digest)| (path.clone(), *digest)).collect()
    };
    let unlisted = by_path(present.difference(listed).collect());
    let absent = by_path(listed.difference(present).collect());
    let mut differences = Vec::new();
    for (path, digest) in &unlisted {
        differences.push(match absent.get(path) {
            Some(said) => format!("{path} has the digest {digest}, and is listed with {said}"),
            None => format!("{path} is in the image and not listed"),
        });
    }
    let gone = absent.keys().filter(|path| !unlisted.contains_key(*path));
    differences.extend(gone.map(|path| format!("{path} is listed and not in the image")));
    differences
}

/// Name, version and architecture of a package URL.
fn read_purl(purl: &str) -> Option<(String, String, String)> {
    let (path, qualifiers) = purl.strip_prefix("pkg:deb/")?.split_once('?')?;
    let (name, version) = path.rsplit_once('/')?.1.rsplit_once('@')?;
    let architecture = qualifiers.split('&').find_map(|one| one.strip_prefix("arch="))?;
    Some((decode(name)?, decode(version)?, decode(architecture)?))
}

/// Undoes percent-encoding.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'%' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, content: &str) -> (String, Sha256) {
        (path.to_owned(), Sha256::of(content.as_bytes()))
    }

    fn set(files: &[(String, Sha256)]) -> BTreeSet<(String, Sha256)> {
        files.iter().cloned().collect()
    }

    #[test]
    fn each_kind_of_difference_is_named() {
        let listed = set(&[file("/a", "a"), file("/b", "b"), file("/c", "c")]);
        let present = set(&[file("/a", "a"), file("/b", "other"), file("/d", "d")]);
        let found = file_differences(&listed, &present).join("\n");
        assert!(found.contains("/b has the digest") && found.contains("/d is in the image and not listed"));
        assert!(found.contains("/c is listed and not in the image") && !found.contains("/a"), "{found}");
    }

    #[test]
    fn package_urls_read_back() {
        let purl = "pkg:deb/debian/libstdc%2B%2B6@14.2.0-19%2Bb1?arch=amd64&distro=debian-13&upstream=gcc-14";
        let read = read_purl(purl).expect("a package");
        assert_eq!(read, ("libstdc++6".to_owned(), "14.2.0-19+b1".to_owned(), "amd64".to_owned()));
        assert_eq!(read_purl("pkg:deb/debian/x%zz@1?arch=all"), None);
    }
}
