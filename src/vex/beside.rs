//! Documents of others that a scan is told to go by, and that say nothing which could count there.

use super::dates::{day, has_begun};
use super::document::{Document, Product};
use super::purl::{self, ReadPurl};
use super::shelf::Decisions;
use super::verdict::is_image;
use crate::diag::{Problem, codes};
use crate::ident::{BlobDigest, Epoch};

/// What is scanned, as far as documents can name it.
#[derive(Clone, Copy)]
pub struct Scanned<'a> {
    /// What it is called in messages.
    pub name: &'a str,
    /// The recipe that the image is of; empty for an image that is none of ours.
    pub image: &'a str,
    /// Whether that is the recipe's name for certain, and not only what somebody else calls it.
    pub sure: bool,
    /// The digests of its index and platforms, as far as they are known.
    pub digests: &'a [BlobDigest],
    /// Whether a package is in it, by the type of its package URL and its name or its source's.
    pub has: &'a dyn Fn(&str, &str) -> bool,
    /// The time of the scan.
    pub now: Epoch,
}

impl Decisions {
    /// Warnings: people's own decisions where nobody knows which recipe's image is scanned, documents that speak neither of
    /// it nor of a package in it, and statements of the future. All count for nothing, and look as if they were obeyed.
    pub fn beside(&self, scanned: Scanned) -> Vec<Problem> {
        let of = |document| [stranger(document, scanned), ahead(document, scanned.now)];
        unplaced(self, scanned).into_iter().chain(self.documents.iter().flat_map(of).flatten()).collect()
    }
}

/// That people's own decisions are about images, and which one this is can't be told.
fn unplaced(decisions: &Decisions, scanned: Scanned) -> Option<Problem> {
    let own = decisions.own();
    let message = if own.is_empty() {
        return None;
    } else if scanned.image.is_empty() {
        format!("`{}` does not say which recipe it is an image of", scanned.name)
    } else if !scanned.sure && decisions.about(scanned.image).next().is_none() {
        format!("`{}` is of no recipe that anything was decided about", scanned.name)
    } else {
        return None;
    };
    let count = if own.len() == 1 {
        "the decision".to_owned()
    } else {
        format!("none of the {} decisions", own.len())
    };
    let none = if own.len() == 1 { "can't" } else { "can" };
    let problem = Problem::new(
        codes::VEX_PRODUCT,
        format!("{message}, so {count} of people's own {none} count for it"),
    );
    let problem = if scanned.image.is_empty() { problem } else { problem.found(scanned.image) };
    Some(
        problem
            .expected("the title of an image, the main component of an SBOM, or the name of a lock")
            .help("name the recipe: `--recipe NAME`")
            .warn(),
    )
}

fn stranger(document: &Document, scanned: Scanned) -> Option<Problem> {
    let products = || document.statements.iter().flat_map(|statement| &statement.products);
    if products().flat_map(Product::purls).filter_map(purl::read).any(|purl| is_meant(&purl, scanned)) {
        return None;
    }
    let message = format!("`{}` speaks neither of `{}` nor of a package in it", document.name, scanned.name);
    let problem = Problem::new(codes::VEX_PRODUCT, message);
    let problem = match products().next() {
        Some(product) => problem.found(&product.id),
        None => problem,
    };
    let expected = match scanned.digests.first() {
        Some(digest) => format!("`pkg:oci/…@{digest}`, or packages such as `pkg:deb/debian/…`"),
        None => "packages such as `pkg:deb/debian/…`".to_owned(),
    };
    let help = "its statements silence nothing here: scan the image that it is about";
    Some(problem.expected(expected).help(help).warn())
}

fn is_meant(purl: &ReadPurl, scanned: Scanned) -> bool {
    if purl.kind == "oci" {
        is_image(purl, scanned.image, scanned.digests)
    } else {
        (scanned.has)(&purl.kind, &purl.name)
    }
}

fn ahead(document: &Document, now: Epoch) -> Option<Problem> {
    let all = &document.statements;
    let early = || all.iter().map(|one| one.timestamp).filter(|date| !has_begun(*date, now));
    let first = early().min()?;
    let message = format!(
        "{} of {} statements of `{}` are dated in the future, and count as none",
        early().count(),
        all.len(),
        document.name
    );
    let problem = Problem::new(codes::VEX_DATE, message).fact("date", day(first)).fact("today", day(now));
    Some(problem.help("one of both is wrong: the document's `timestamp`, or this machine's clock").warn())
}
