//! Decisions on vulnerabilities, applied to what a scan found.

use super::finding::{Finding, Silenced};
use super::report::Report;
use super::subject::{Package, Subject, What};
use crate::diag::Problem;
use crate::ident::{BlobDigest, Epoch};
use crate::vex::{Binary, By, Decisions, Question, Scanned};

impl Report {
    /// Silences what was decided about. Of several sets of decisions that speak of a finding, the first counts.
    pub fn decided(&mut self, decisions: &[&Decisions], now: Epoch) {
        if decisions.is_empty() {
            return;
        }
        let subject = self.subject.clone();
        let digests = digests(&subject);
        self.silence(|finding| silenced(decisions, &subject, &digests, finding, now));
    }

    /// Warnings: documents of others that can't count for what was scanned, and components that don't because a file of
    /// the same name is elsewhere.
    pub fn beside(&self, decisions: &Decisions, now: Epoch) -> Vec<Problem> {
        let subject = &self.subject;
        let digests = digests(subject);
        let mut found: Vec<Problem> = Vec::new();
        for finding in self.findings.iter().filter(|finding| finding.silenced.is_none()) {
            let more: Vec<Problem> =
                asked(subject, &digests, finding, now, |question| decisions.hindered(question).collect());
            for problem in more {
                // One decision may be about findings of several releases or versions.
                if !found.contains(&problem) {
                    found.push(problem);
                }
            }
        }
        let has = |of: &str, name: &str| {
            let is_it = |package: &Package| package.binary == name || package.source == name;
            subject.packages.iter().any(|package| is_it(package) && kind(&package.purl) == of)
        };
        found.extend(decisions.beside(Scanned {
            name: &subject.name,
            image: subject.product.as_deref().unwrap_or_default(),
            // Whoever wrote an SBOM calls things as they like, but for one that names its image by digest.
            sure: subject.what != What::Sbom || subject.digest.is_some(),
            digests: &digests,
            has: &has,
            now,
        }));
        found
    }
}

/// The digests by which others may name it: those of its index and of its platforms.
fn digests(subject: &Subject) -> Vec<BlobDigest> {
    subject.digest.map(BlobDigest).into_iter().chain(subject.manifests.iter().copied()).collect()
}

fn silenced(
    decisions: &[&Decisions],
    subject: &Subject,
    digests: &[BlobDigest],
    finding: &Finding,
    now: Epoch,
) -> Option<Silenced> {
    let verdict = asked(subject, digests, finding, now, |question| {
        decisions.iter().find_map(|decisions| decisions.verdict(&question))
    })?;
    let by = match verdict.by {
        By::People => verdict.author,
        By::Hardpan => format!("hardpan, by what {} says of where it is", verdict.author),
    };
    let reason = format!("{} ({})", verdict.reason, verdict.from);
    verdict.silences.then(|| Silenced { status: verdict.status.word().to_owned(), by, reason })
}

/// Asks about a finding.
fn asked<T>(
    subject: &Subject,
    digests: &[BlobDigest],
    finding: &Finding,
    now: Epoch,
    ask: impl FnOnce(Question) -> T,
) -> T {
    let ids: Vec<&str> =
        std::iter::once(finding.id.as_str()).chain(finding.aliases.iter().map(String::as_str)).collect();
    let versions: Vec<String> = finding.binaries.iter().map(|binary| binary.version.to_string()).collect();
    let binaries: Vec<Binary> = finding
        .binaries
        .iter()
        .zip(&versions)
        .map(|(binary, version)| Binary {
            kind: kind(&binary.purl),
            name: &binary.name,
            version: Some(version),
        })
        .collect();
    ask(Question {
        image: subject.product.as_deref().unwrap_or_default(),
        digests,
        ids: &ids,
        source: &finding.source,
        binaries: &binaries,
        // Where not every path is known, nobody can say that a file is not there: what packages list leaves out
        // links, and what no package brought.
        files: subject.paths.as_deref(),
        now,
    })
}

/// The type of a package URL: `deb` of `pkg:deb/debian/…`.
fn kind(purl: &str) -> &str {
    purl.strip_prefix("pkg:").and_then(|rest| rest.split('/').next()).unwrap_or_default()
}
