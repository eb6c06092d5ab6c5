//! Tags against digests.
//!
//! A dated tag (`3.13.5-20261122`, `3.13.5-20261122-2`) never moves. So a moving tag can be held
//! against them: no dated image of its line may be newer than what it names.

use std::collections::BTreeMap;

use super::report::Report;
use crate::diag::{Problem, codes};
use crate::ident::{BlobDigest, Epoch, dated};
use crate::image::Image;

/// What a registry's tags say about an image.
#[derive(Debug, Clone, Default)]
pub struct TagFacts {
    /// The tag that the image was asked for by.
    pub asked: String,
    /// What that tag names.
    pub digest: Option<BlobDigest>,
    /// The dated tags of the repository that may be of the same line, and what they name.
    pub dated: BTreeMap<String, DatedImage>,
}

/// What a dated tag names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatedImage {
    /// Its digest.
    pub digest: BlobDigest,
    /// Its own time.
    pub created: Epoch,
    /// Its variant.
    pub variant: Option<String>,
}

/// Whether a dated tag's version belongs to the line of a moving tag: `3.13.5` to `3.13`, `3` and
/// `latest`; a tag's variant is compared by who has the images.
pub fn same_line(moving: &str, version: &str) -> bool {
    let numbered = moving.starts_with(|first: char| first.is_ascii_digit());
    if !numbered {
        return true;
    }
    let stem = |text: &str| text.split('-').next().unwrap_or_default().to_owned();
    let (moving, version) = (stem(moving), stem(version));
    version == moving || version.strip_prefix(&moving).is_some_and(|rest| rest.starts_with('.'))
}

/// A tag in a layout that names another image than the one that is checked: who asks for it gets what
/// nobody looked at.
pub(super) fn check_strays(image: &Image, report: &mut Report) {
    for (tag, digest) in &image.strays {
        match tag {
            None => {
                let note = format!("{digest} is in the layout too, and was not checked");
                report.note("tag", "layout", note);
            }
            Some(tag) => {
                let problem = Problem::new(codes::TAG_MOVED, format!("the tag `{tag}` names another image"))
                    .found(digest)
                    .expected(image.descriptor().map_or_else(String::new, |own| own.digest.to_string()))
                    .help("somebody moved it, or another tool put a second image there: verify that one by itself");
                report.add("tag", tag, Err(problem));
            }
        }
    }
}

/// Holds the tag that an image was asked for by against the dated ones.
pub(super) fn check(image: &Image, facts: &TagFacts, report: &mut Report) {
    let (Some(digest), Some(created)) = (image.descriptor().map(|found| found.digest), created(image)) else {
        return;
    };
    let tag = &facts.asked;
    let moved = |message: String| Problem::new(codes::TAG_MOVED, message);
    if let Some(named) = facts.digest.filter(|named| *named != digest) {
        let problem = moved(format!("the tag `{tag}` names another image")).found(named).expected(digest);
        report.add(
            "tag",
            tag,
            Err(problem.help("it was moved while it was read: run the same command again")),
        );
        return;
    }
    if let Some((_, date)) = dated(tag) {
        let day = created.day();
        let fits = date == day.replace('-', "");
        let problem =
            moved(format!("the tag `{tag}` names an image of another day")).found(day).expected(date);
        report.add("tag", tag, if fits { Ok(format!("of {date}")) } else { Err(problem) });
        return;
    }
    let variant = image.annotations.get("dev.hardpan.variant").cloned();
    let line = facts.dated.iter().filter(|(name, one)| {
        one.variant == variant && dated(name).is_some_and(|(version, _)| same_line(tag, version))
    });
    let newest = line.max_by_key(|(_, one)| one.created);
    match newest {
        Some((name, newest)) if newest.created > created => {
            let problem = moved(format!("the tag `{tag}` names an older image than there is"))
                .found(format!("{digest}, created {created}"))
                .expected(format!("{}, created {} (`{name}`)", newest.digest, newest.created))
                .help(format!("somebody moved it back: use `{name}`, and publish again"));
            report.add("tag", tag, Err(problem));
        }
        Some((name, _)) => {
            report.add("tag", tag, Ok(format!("names {digest}, and nothing newer is there than `{name}`")));
        }
        None => report.note("tag", tag, "no dated tags to hold it against".to_owned()),
    }
}

fn created(image: &Image) -> Option<Epoch> {
    image.annotation("org.opencontainers.image.created")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_belong_to_lines() {
        for (moving, version, same) in [
            ("3.13", "3.13.5", true),
            ("3", "3.13.5", true),
            ("3.1", "3.13.5", false),
            ("latest", "3.13.5", true),
            ("3.13-dev", "3.13.5-dev", true),
            ("3.13.5", "3.13.5", true),
        ] {
            assert_eq!(same_line(moving, version), same, "{moving} {version}");
        }
    }
}
