//! What all decisions together say of a vulnerability in packages of an image.

use std::collections::BTreeSet;

use super::component::{Seen, seen};
use super::dates;
use super::decision::{Claim, Decision, Standing};
use super::document::{Document, Statement};
use super::purl::{self, ReadPurl};
use super::shelf::Decisions;
use super::words::{By, Justification, Status};
use crate::ident::{BlobDigest, Epoch, ImagePath};

/// A vulnerability that was found in packages of an image.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// The recipe that the image is of; empty for an image that is none of ours.
    pub image: &'a str,
    /// The digests of its index and platforms, as far as they are known.
    pub digests: &'a [BlobDigest],
    /// All names of the vulnerability.
    pub ids: &'a [&'a str],
    /// The source package that it is in.
    pub source: &'a str,
    /// The packages made of that source which are in the image; all of them.
    pub binaries: &'a [Binary<'a>],
    /// Every file and link in the image; `None` where they are not known, and then nothing is worked out.
    pub files: Option<&'a BTreeSet<ImagePath>>,
    /// The time that it is asked for.
    pub now: Epoch,
}

/// A package in an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binary<'a> {
    /// The type of its package URL: `deb`, `pypi`, `npm`.
    pub kind: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its version, where it is known.
    pub version: Option<&'a str>,
}

/// What holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The name that it was decided under.
    pub id: String,
    /// How the packages stand to it.
    pub status: Status,
    /// Why it is not affected.
    pub justification: Option<Justification>,
    /// Whose word that is.
    pub by: By,
    /// Who decided it, or who said where the vulnerability is.
    pub author: String,
    /// Why. For people; it may be of others, and holds no control characters but ends of lines.
    pub reason: String,
    /// Whether a finding is silenced by it.
    pub silences: bool,
    /// Since when.
    pub date: Epoch,
    /// Until when.
    pub expires: Option<Epoch>,
    /// Where it is written: `vex/python.toml:12`, or the name of a document.
    pub from: String,
}

/// Something that speaks of a package, and how much it counts.
#[derive(Clone, Copy)]
enum Voice<'a> {
    Own(&'a Decision),
    Other(&'a Document, &'a Statement),
}

impl Voice<'_> {
    fn status(self) -> Status {
        match self {
            Self::Own(decision) => decision.claim.status(),
            Self::Other(_, statement) => statement.status,
        }
    }

    /// The greatest wins: people's own, others' documents, what was worked out; the later; what silences less.
    fn weight(self) -> (u8, Epoch, std::cmp::Reverse<Status>) {
        let (rank, date) = match self {
            Self::Own(decision) if decision.claim.by() == By::People => (2, decision.date),
            Self::Own(decision) => (0, decision.date),
            Self::Other(_, statement) => (1, statement.timestamp),
        };
        (rank, date, std::cmp::Reverse(self.status()))
    }

    fn verdict(self, id: &str) -> Verdict {
        let status = self.status();
        match self {
            Self::Own(decision) => Verdict {
                id: decision.id.clone(),
                status,
                justification: decision.claim.justification(),
                by: decision.claim.by(),
                author: decision.author.clone(),
                reason: reason(decision),
                silences: status.silences(),
                date: decision.date,
                expires: decision.expires,
                from: decision.written(),
            },
            Self::Other(document, statement) => Verdict {
                id: id.to_owned(),
                status,
                justification: statement.justification,
                by: By::People,
                author: harmless(&document.author),
                reason: harmless(&statement.words()),
                silences: status.silences(),
                date: statement.timestamp,
                expires: None,
                from: harmless(&document.name),
            },
        }
    }
}

/// Text of others without what moves a cursor.
fn harmless(text: &str) -> String {
    text.chars().filter(|letter| *letter == '\n' || !letter.is_control()).collect()
}

/// Why, in words: what people said, or what was worked out and from whose word.
pub(super) fn reason(decision: &Decision) -> String {
    match &decision.claim {
        Claim::Stands { impact: Some(impact), .. } => format!("{impact} ({})", decision.reason),
        Claim::Stands { action: Some(action), .. } => format!("{} ({action})", decision.reason),
        Claim::Stands { .. } => decision.reason.clone(),
        Claim::Within { .. } => format!("{} ({})", absence(decision), decision.reason),
    }
}

/// What hardpan saw of a component that is not there.
pub(super) fn absence(decision: &Decision) -> String {
    let Claim::Within { paths, binaries } = &decision.claim else { return String::new() };
    let mut places: Vec<String> = paths.iter().map(ToString::to_string).collect();
    places.extend(binaries.iter().map(|name| format!("files of the package {name}")));
    format!("the image holds nothing of what it is in: {}", places.join(", "))
}

impl Decisions {
    /// What holds for a vulnerability in an image; `None` if nobody has said anything that counts. It silences only
    /// where each of the packages is covered; of those, the word that silences least is given.
    pub fn verdict(&self, question: &Question) -> Option<Verdict> {
        let alone = [Binary { kind: "deb", name: question.source, version: None }];
        let binaries = if question.binaries.is_empty() { &alone[..] } else { question.binaries };
        let voices: Vec<Option<Voice>> =
            binaries.iter().map(|binary| self.voice(question, *binary)).collect();
        let whole = voices.iter().all(Option::is_some);
        let least = voices.into_iter().flatten().min_by_key(|voice| (voice.status(), voice.weight()))?;
        let id = question.ids.first().copied().unwrap_or_default();
        (whole || !least.status().silences()).then(|| least.verdict(id))
    }

    /// The decision of people's own or by hardpan that counts for one package, whatever others say.
    pub(super) fn own_voice(&self, question: &Question, binary: Binary) -> Option<&Decision> {
        match self.voice(question, binary)? {
            Voice::Own(decision) => Some(decision),
            Voice::Other(..) => None,
        }
    }

    fn voice(&self, question: &Question, binary: Binary) -> Option<Voice<'_>> {
        let own = self.own.iter().filter(|one| speaks(one, question, binary)).map(Voice::Own);
        let others = self.documents.iter().flat_map(|document| {
            let said = document.statements.iter().filter(|one| addresses(one, question, binary));
            said.map(move |statement| Voice::Other(document, statement))
        });
        // Of two that weigh the same, the first that is written.
        own.chain(others).reduce(|best, next| if next.weight() > best.weight() { next } else { best })
    }
}

fn speaks(decision: &Decision, question: &Question, binary: Binary) -> bool {
    question.ids.contains(&decision.id.as_str())
        && !question.image.is_empty()
        && decision.images.has(question.image)
        && decision.covers(question.source, binary.name)
        && decision.standing(question.now) == Standing::Holds
        && (decision.claim.by() == By::People || seen(&decision.claim, question) == Seen::Nothing)
}

fn addresses(statement: &Statement, question: &Question, binary: Binary) -> bool {
    let named = statement.ids().any(|id| question.ids.contains(&id));
    named
        && dates::has_begun(statement.timestamp, question.now)
        && statement.products.iter().any(|product| {
            let parts: BTreeSet<ReadPurl> =
                product.subcomponents.iter().filter_map(|purl| purl::read(purl)).collect();
            let whole = product.subcomponents.is_empty();
            let part = || parts.iter().any(|part| is_package(part, question, binary));
            product.purls().filter_map(purl::read).any(|purl| {
                if purl.kind == "oci" {
                    is_image(&purl, question.image, question.digests) && (whole || part())
                } else {
                    whole && is_package(&purl, question, binary)
                }
            })
        })
}

/// An image by its digest; by its name alone only where no registry is named, for there are many of a name.
pub(super) fn is_image(purl: &ReadPurl, image: &str, digests: &[BlobDigest]) -> bool {
    match &purl.version {
        Some(version) => digests.iter().any(|digest| digest.to_string() == *version),
        None => purl.repository.is_none() && !image.is_empty() && purl.name == image,
    }
}

/// A package by its own name, or by its source's where no version is said, which would be the source's, and where no
/// package here has that name: others mean packages that are installed.
fn is_package(purl: &ReadPurl, question: &Question, binary: Binary) -> bool {
    let version = purl.version.as_deref().is_none_or(|version| Some(version) == binary.version);
    let installed = || question.binaries.iter().any(|binary| binary.name == question.source);
    let source = purl.name == question.source && purl.version.is_none() && !installed();
    purl.kind == binary.kind && (purl.name == binary.name && version || source)
}
