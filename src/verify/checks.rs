//! All checks of an image, in their order.

use std::collections::BTreeMap;

use serde_json::Value;

use super::attached::Attached;
use super::listing::{self, Present};
use super::policy::Policy;
use super::report::Report;
use super::statements::{About, subjects, trusted};
use super::{origin, tags};
use crate::attest::{self, ReadPolicyResult};
use crate::diag::{Problem, Result, codes};
use crate::host;
use crate::ident::{Age, Epoch};
use crate::image::{self, Contents, Image};
use crate::sbom;
use crate::sign::Keys;

/// Seconds.
const DAY: i64 = 86_400;

/// What an image is held against.
pub struct Against<'a> {
    /// Whose signatures count.
    pub keys: &'a Keys,
    /// What the site asks for.
    pub policy: &'a Policy,
    /// What tags there are, and what they name; none for an image that is in no registry.
    pub tags: Option<&'a tags::TagFacts>,
    /// The time, for ages.
    pub now: Epoch,
    /// How many platforms are read at once.
    pub jobs: usize,
}

/// Checks everything of an image. Its manifests' and configurations' digests were checked when it was
/// opened.
pub fn verify(image: &Image, against: &Against) -> Report {
    let mut report = Report::default();
    let subjects = subjects(image);
    if subjects.is_empty() || image.is_docker_archive() {
        let problem = Problem::new(codes::NO_STATEMENT, "a docker archive has no place for statements");
        let help = "verify the OCI layout or the published reference that it was made from";
        report.add("signature", "image", Err(problem.help(help)));
        return report;
    }
    let statements: Vec<_> = subjects
        .iter()
        .map(|about| trusted(image, about, against.keys, &against.policy.require, &mut report))
        .collect();
    let contents = contents(image, against.jobs, &mut report);
    for (about, statements) in subjects.iter().zip(&statements) {
        let Some(present) = present(about, &contents) else { continue };
        check_statements(about, statements, &present, against.policy, &mut report);
    }
    tags::check_strays(image, &mut report);
    check_policy(image, against, &mut report);
    if let Some(facts) = against.tags {
        tags::check(image, facts, &mut report);
    }
    report
}

/// What each platform holds, its layers' digests and diff ids recomputed; `None` where they are wrong.
fn contents(image: &Image, jobs: usize, report: &mut Report) -> Vec<Option<Contents>> {
    let read = host::side_by_side(jobs, &image.platforms, |platform| image::contents(image, platform));
    let mut all = Vec::new();
    for (platform, contents) in image.platforms.iter().zip(read) {
        let (layers, name) = (platform.layers.len(), &platform.platform);
        match contents {
            Ok(contents) => {
                report.add("layers", name, Ok(format!("{layers} layers have their digests and diff ids")));
                all.push(Some(contents));
            }
            Err(failure) => {
                report.fail("layers", name, failure);
                all.push(None);
            }
        }
    }
    all
}

/// What a subject holds: a platform its own files, the index those of all.
fn present(about: &About, contents: &[Option<Contents>]) -> Option<Present> {
    let mut present = Present::default();
    for (at, contents) in contents.iter().enumerate() {
        if about.platform.is_none_or(|platform| platform == at) {
            present.add(contents.as_ref()?);
        }
    }
    Some(present)
}

fn check_statements(
    about: &About,
    statements: &BTreeMap<String, Vec<Attached>>,
    present: &Present,
    policy: &Policy,
    report: &mut Report,
) {
    let of_kind =
        |kind: &str| statements.get(kind).into_iter().flatten().map(|attached| &attached.statement.predicate);
    for kind in [attest::SPDX, attest::CYCLONEDX] {
        for predicate in of_kind(kind) {
            report.add("files", &about.name, check_listing(about, kind, predicate, present));
        }
    }
    for result in of_kind(attest::CONTENTS_POLICY).filter_map(attest::read_policy_result) {
        report.add("contents", &about.name, check_contents(&result));
    }
    if !policy.builders.is_empty() && of_kind(attest::PROVENANCE).next().is_none() {
        let what = format!("nothing that is trusted says who built the {}", about.name);
        let problem = Problem::new(codes::POLICY, what).expected(policy.builders.join(", "));
        report.add("policy", &about.name, Err(problem));
    }
    for predicate in of_kind(attest::PROVENANCE) {
        match origin::check(&about.name, predicate, present) {
            Err(problem) => report.add("pins", &about.name, Err(problem)),
            Ok((seen, provenance)) => {
                report.add("pins", &about.name, Ok(seen));
                if let Some(problem) = wrong_builder(policy, &provenance.builder) {
                    report.add("policy", &about.name, Err(problem));
                }
            }
        }
    }
}

/// What the build's contents policy said, with the exceptions that it made.
fn check_contents(result: &ReadPolicyResult) -> std::result::Result<String, Problem> {
    if !result.passed {
        let message = "the contents policy's result, which the build signed, says that a rule is broken";
        return Err(Problem::new(codes::CONTENTS, message).expected("a result that says PASSED or WARNED"));
    }
    let exceptions: BTreeMap<&String, &String> = result.exceptions.values().flatten().collect();
    let mut text = format!("{} rules", result.rules);
    match exceptions.len() {
        0 => text.push_str(", no exception"),
        _ => {
            let each = exceptions.iter().map(|(rule, reason)| format!("{rule} ({reason})"));
            text.push_str(&format!("; allowed: {}", each.collect::<Vec<_>>().join(", ")));
        }
    }
    if result.replaced > 0 {
        text.push_str(&format!("; packaged files replaced by the recipe: {}", result.replaced));
    }
    Ok(text)
}

fn check_listing(
    about: &About,
    kind: &str,
    predicate: &Value,
    present: &Present,
) -> std::result::Result<String, Problem> {
    let kind_name = attest::kind_name(kind);
    let wrong = |why: String| {
        let message = format!("the {kind_name} statement of the {} holds no such document", about.name);
        Problem::new(codes::NOT_AS_LISTED, message).found(why)
    };
    let is_spdx = predicate.get("spdxVersion").is_some();
    if is_spdx != (kind == attest::SPDX) {
        return Err(wrong("a document of another format".to_owned()));
    }
    let listed = sbom::listed(predicate).map_err(wrong)?;
    listing::compare(&about.name, &about.digest, &listed, present).map(|seen| format!("{kind_name}: {seen}"))
}

fn wrong_builder(policy: &Policy, builder: &str) -> Option<Problem> {
    let allowed = policy.builders.is_empty() || policy.builders.iter().any(|known| known == builder);
    let problem = Problem::new(codes::POLICY, "the policy does not allow who built the image");
    (!allowed).then(|| problem.found(builder).expected(policy.builders.join(", ")))
}

/// What the policy asks of the image itself.
fn check_policy(image: &Image, against: &Against, report: &mut Report) {
    let policy = against.policy;
    let annotation =
        |name: &str| image.annotation(&format!("org.opencontainers.image.{name}")).map(str::to_owned);
    if !policy.recipes.is_empty() {
        let title = annotation("title").unwrap_or_default();
        let problem = Problem::new(codes::POLICY, "the policy does not allow the image's recipe");
        let fits = policy.recipes.contains(&title);
        let problem = problem.found(&title).expected(policy.recipes.join(", "));
        report.add("policy", "recipe", if fits { Ok(title) } else { Err(problem) });
    }
    if let Some(wanted) = &policy.source {
        let source = annotation("source").unwrap_or_default();
        let problem =
            Problem::new(codes::POLICY, "the policy does not allow where the image's recipe is kept");
        let fits = under(&source, wanted);
        let problem = problem.found(&source).expected(wanted);
        report.add("policy", "source", if fits { Ok(source) } else { Err(problem) });
    }
    if let Some(most) = policy.max_age {
        report.add("policy", "age", check_age(annotation("created").as_deref(), most, against.now));
    }
}

/// Whether an address is the wanted one or below it; a longer name that begins alike is neither.
fn under(address: &str, wanted: &str) -> bool {
    let rest = address.strip_prefix(wanted.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '#', '@', '?']))
}

fn check_age(created: Option<&str>, most: Age, now: Epoch) -> std::result::Result<String, Problem> {
    let problem = |found: String| {
        Problem::new(codes::POLICY, "the image is older than the policy allows")
            .found(found)
            .expected(format!("at most {most}"))
            .help("build it again from newer packages: `hardpan lock --update`, then `hardpan build`")
    };
    let text = created.ok_or_else(|| problem("no time".to_owned()))?;
    let created: Epoch = text.parse().map_err(|_| problem(format!("the time `{text}`")))?;
    // A clock that is a little off is no reason to distrust an image; one made tomorrow is.
    if created.0 - now.0 > DAY {
        return Err(problem(format!("created {created}, which is still to come")));
    }
    if now.0 - created.0 > most.0 {
        return Err(problem(format!("created {created}")));
    }
    Ok(format!("created {created}, at most {most} ago"))
}

/// What could not even be opened as an image, as a report: a digest that is wrong on the way to its
/// manifests.
pub fn unreadable<T>(opened: Result<T>) -> std::result::Result<T, Report> {
    opened.map_err(|failure| {
        let mut report = Report::default();
        report.fail("image", "image", failure);
        report
    })
}
