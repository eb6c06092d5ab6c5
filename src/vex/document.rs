//! A document of statements, as OpenVEX has them, in memory; and how decisions become one.
//!
//! A product is an image by the digest of its index or of a platform; its subcomponents are the packages that are
//! spoken of, without versions or qualifiers, because scanners differ on what of those they compare. A
//! statement of ours always has subcomponents: without any, it would silence the CVE in the whole image.

use std::collections::{BTreeMap, BTreeSet};

use super::dates::day;
use super::decision::{Claim, Decision};
use super::held::{Held, HeldPackage};
use super::shelf::Decisions;
use super::verdict::{Binary, Question, absence};
use super::words::{Justification, Status};
use crate::ident::{CveId, Epoch, Purl, RecipeName};

/// A document of statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// What it is called in messages: a file, an image.
    pub name: String,
    /// Its own identifier; empty for one that is not written yet.
    pub id: String,
    /// Who says all this.
    pub author: String,
    /// When it was issued.
    pub timestamp: Epoch,
    /// What it says; at least one.
    pub statements: Vec<Statement>,
}

/// How products stand to a vulnerability.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The vulnerability's name.
    pub vulnerability: String,
    /// Its other names.
    pub aliases: Vec<String>,
    /// Which products.
    pub products: Vec<Product>,
    /// How they stand to it.
    pub status: Status,
    /// Why they are not affected.
    pub justification: Option<Justification>,
    /// The same in words.
    pub impact: Option<String>,
    /// What to do.
    pub action: Option<String>,
    /// How the status is known.
    pub notes: Option<String>,
    /// Since when.
    pub timestamp: Epoch,
}

/// A product, or parts of one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Product {
    /// Its identifier, a package URL if it is ours.
    pub id: String,
    /// Its package URL, where that is not the identifier.
    pub purl: Option<String>,
    /// The parts that are meant; none means all of it.
    pub subcomponents: Vec<String>,
}

impl Statement {
    /// All names of the vulnerability.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.vulnerability.as_str()).chain(self.aliases.iter().map(String::as_str))
    }

    /// All that it says in words.
    pub(super) fn words(&self) -> String {
        let all = [&self.impact, &self.action, &self.notes];
        all.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" ")
    }
}

impl Product {
    /// What may be a package URL.
    pub(super) fn purls(&self) -> impl Iterator<Item = &str> {
        [Some(self.id.as_str()), self.purl.as_deref()].into_iter().flatten()
    }
}

/// What is said of an image, if anything is. `held` are its index and its platforms; `clamp` is the latest time that
/// may stand in it.
pub fn document(
    decisions: &Decisions,
    image: &RecipeName,
    held: &[Held],
    now: Epoch,
    clamp: Option<Epoch>,
) -> Option<Document> {
    let mut all: Vec<(&Decision, BTreeMap<String, BTreeSet<String>>)> =
        decisions.about(image.as_str()).map(|decision| (decision, BTreeMap::new())).collect();
    let ids: BTreeSet<&str> = all.iter().map(|(decision, _)| decision.id.as_str()).collect();
    for one in held {
        let product = Purl::oci(image, &one.digest, None).to_string();
        for id in &ids {
            for (decision, purls) in parts(decisions, image.as_str(), one, id, now) {
                let place = all.iter_mut().find(|(known, _)| std::ptr::eq(*known, decision));
                let (_, products) = place.expect("a decision about this image");
                products.entry(product.clone()).or_default().extend(purls);
            }
        }
    }
    let clamped = |at: Epoch| clamp.map_or(at, |clamp| at.min(clamp));
    let said = all.iter().filter(|(_, products)| !products.is_empty());
    let mut statements: Vec<Statement> = said
        .clone()
        .map(|(decision, products)| statement(decision, products, clamped(decision.date)))
        .collect();
    let cve = |id: &str| id.parse::<CveId>().ok();
    statements.sort_by(|one, other| {
        let key = |one: &Statement| {
            (cve(&one.vulnerability), one.vulnerability.clone(), one.status, one.notes.clone())
        };
        key(one).cmp(&key(other)).then_with(|| one.products.cmp(&other.products))
    });
    let timestamp = statements.iter().map(|statement| statement.timestamp).max()?;
    let mut authors: BTreeSet<&str> = said.clone().map(|(decision, _)| decision.author.as_str()).collect();
    if said.clone().any(|(decision, _)| matches!(decision.claim, Claim::Within { .. })) {
        authors.insert("hardpan");
    }
    let author = authors.into_iter().collect::<Vec<_>>().join(", ");
    Some(Document { name: image.to_string(), id: String::new(), author, timestamp, statements })
}

/// Which decision counts for which packages of an image, as the URLs that stand for them. A source package is named
/// too where one decision counts for all that the image has of it.
fn parts<'a>(
    decisions: &'a Decisions,
    image: &str,
    held: &Held,
    id: &str,
    now: Epoch,
) -> Vec<(&'a Decision, BTreeSet<String>)> {
    let mut found: Vec<(&Decision, BTreeSet<String>)> = Vec::new();
    let mut sources: BTreeMap<&str, Vec<&HeldPackage>> = BTreeMap::new();
    for package in &held.packages {
        sources.entry(&package.source).or_default().push(package);
    }
    for (source, packages) in sources {
        let binaries: Vec<Binary> =
            packages.iter().map(|one| Binary { kind: "deb", name: &one.binary, version: None }).collect();
        let question = Question {
            image,
            digests: &[],
            ids: &[id],
            source,
            binaries: &binaries,
            files: held.files.as_ref(),
            now,
        };
        let voices: Vec<Option<&Decision>> =
            binaries.iter().map(|binary| decisions.own_voice(&question, *binary)).collect();
        let alone = voices.first().copied().flatten();
        let alone = alone
            .filter(|first| voices.iter().all(|voice| voice.is_some_and(|one| std::ptr::eq(one, *first))));
        for (package, voice) in packages.iter().zip(&voices) {
            let Some(decision) = *voice else { continue };
            let mut purls = BTreeSet::from([package.purl.clone()]);
            purls.extend(alone.map(|_| package.source_purl.clone()));
            found.push((decision, purls));
        }
    }
    found
}

fn statement(
    decision: &Decision,
    products: &BTreeMap<String, BTreeSet<String>>,
    timestamp: Epoch,
) -> Statement {
    let product = |(id, parts): (&String, &BTreeSet<String>)| Product {
        id: id.clone(),
        purl: None,
        subcomponents: parts.iter().cloned().collect(),
    };
    let until = decision.expires.map(|expires| format!(", until {}", day(expires))).unwrap_or_default();
    let (since, author) = (day(decision.date), &decision.author);
    let (impact, action, notes) = match &decision.claim {
        Claim::Stands { impact, action, .. } => {
            let notes = format!("{} (decided by {author} on {since}{until})", decision.reason);
            (impact.clone(), action.clone(), notes)
        }
        Claim::Within { .. } => {
            let whose = format!("where it is was said by {author} on {since}{until}");
            let notes =
                format!("worked out by hardpan of what the image holds; {whose}: {}", decision.reason);
            (Some(absence(decision)), None, notes)
        }
    };
    Statement {
        vulnerability: decision.id.clone(),
        aliases: Vec::new(),
        products: products.iter().map(product).collect(),
        status: decision.claim.status(),
        justification: decision.claim.justification(),
        impact,
        action,
        notes: Some(notes),
        timestamp,
    }
}
