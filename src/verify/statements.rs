//! Which statements are attached, who signed them, and what they are about.

use std::collections::BTreeMap;

use super::attached::{Attached, is_bundle, read_attached};
use super::report::Report;
use crate::attest::{self, kind_name};
use crate::diag::{Problem, codes};
use crate::ident::BlobDigest;
use crate::image::{Descriptor, Image, MANIFEST};
use crate::sign::{Bundle, Keys};

/// Something that statements are attached to: an index, or a platform's manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// `index`, `linux/amd64`.
    pub name: String,
    /// Its digest.
    pub digest: BlobDigest,
    /// Its place among the image's platforms; `None` for the index.
    pub platform: Option<usize>,
}

impl About {
    /// What points to it.
    pub fn descriptor(&self, image: &Image) -> Descriptor {
        match self.platform {
            None => image.descriptor().expect("a subject that is the index"),
            Some(at) => Descriptor::new(MANIFEST, self.digest, image.platforms[at].size),
        }
    }

    /// How it is called in a sentence.
    fn called(&self) -> String {
        if self.platform.is_some() { self.name.clone() } else { format!("the {}", self.name) }
    }
}

/// What an image's statements are about.
pub fn subjects(image: &Image) -> Vec<About> {
    let index = image.index.map(|(digest, _)| About { name: "index".to_owned(), digest, platform: None });
    let platforms = image.platforms.iter().enumerate().filter_map(|(at, platform)| {
        Some(About { name: platform.platform.clone(), digest: platform.digest?, platform: Some(at) })
    });
    index.into_iter().chain(platforms).collect()
}

/// The statements about one subject that a trusted key signed, by kind. What is broken, about
/// something else or missing is reported.
pub fn trusted(
    image: &Image,
    about: &About,
    keys: &Keys,
    require: &[String],
    report: &mut Report,
) -> BTreeMap<String, Vec<Attached>> {
    let mut trusted: BTreeMap<String, Vec<Attached>> = BTreeMap::new();
    let mut foreign: BTreeMap<String, Problem> = BTreeMap::new();
    let own =
        image.referrers.iter().filter(|referrer| referrer.subject == about.digest && is_bundle(referrer));
    for referrer in own {
        let attached = match read_attached(image, referrer) {
            Ok(attached) => attached,
            Err(failure) => {
                report.fail("attestation", &about.name, failure);
                continue;
            }
        };
        let kind = attached.kind().to_owned();
        match signer(&attached.bundle, keys) {
            Err(problem) => drop(foreign.insert(kind, problem)),
            Ok(_) if !attached.statement.is_about(&about.digest) => {
                report.add("attestation", &about.name, Err(elsewhere(&attached, about)));
            }
            Ok(_) => trusted.entry(kind).or_default().push(attached),
        }
    }
    for kind in require {
        let what = what(kind);
        match (trusted.get(kind).and_then(|found| found.first()), foreign.remove(kind)) {
            (Some(first), _) => {
                let by = signer(&first.bundle, keys).unwrap_or_default();
                report.add(what, &about.name, Ok(format!("signed by {by}")));
            }
            (None, Some(problem)) => report.add(what, &about.name, Err(unsigned(problem, kind, about))),
            (None, None) => report.add(what, &about.name, Err(missing(kind, about, &trusted))),
        }
    }
    for kind in foreign.keys() {
        report.note(
            "attestation",
            &about.name,
            format!("{} by a key that is not trusted: passed over", kind_name(kind)),
        );
    }
    trusted
}

/// Who signed a bundle, of those that are trusted.
fn signer(bundle: &Bundle, keys: &Keys) -> Result<String, Problem> {
    keys.verify(bundle).map_err(|failure| failure.into_problems().remove(0))
}

/// What a kind of statement is called in a report.
fn what(kind: &str) -> &'static str {
    match kind {
        attest::COSIGN_SIGN => "signature",
        attest::PROVENANCE => "provenance",
        attest::SPDX => "SPDX",
        attest::CYCLONEDX => "CycloneDX",
        _ => "attestation",
    }
}

/// The problem with a statement that is attached to what it is not about.
pub fn elsewhere(attached: &Attached, about: &About) -> Problem {
    let named: Vec<String> =
        attached.statement.subject.iter().filter_map(|subject| Some(subject.sha256()?.to_string())).collect();
    let kind = kind_name(&attached.statement.predicate_type);
    Problem::new(
        codes::WRONG_SUBJECT,
        format!("the {kind} statement attached to the {} is about something else", about.name),
    )
    .found(named.join(", "))
    .expected(about.digest)
    .fact("attached by", attached.manifest)
    .help("somebody moved or replayed it: publish the image again with its own statements")
}

fn unsigned(problem: Problem, kind: &str, about: &About) -> Problem {
    let message =
        format!("the {} statement of the {} is not signed by a trusted key", kind_name(kind), about.name);
    Problem { code: codes::NO_STATEMENT, message, ..problem }
}

fn missing(kind: &str, about: &About, there: &BTreeMap<String, Vec<Attached>>) -> Problem {
    let there: Vec<&str> = there.keys().map(|kind| kind_name(kind)).collect();
    let found =
        if there.is_empty() { "nothing signed by a trusted key".to_owned() } else { there.join(", ") };
    let message = format!("{} has no {} statement", about.called(), kind_name(kind));
    Problem::new(codes::NO_STATEMENT, message).found(found).expected(kind).help(
        "build it with evidence and publish all of it, or leave this kind out of the policy's `require`",
    )
}
