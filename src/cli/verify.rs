//! `hardpan verify`: is an image what it says, and by whom?

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::signing::TrustArgs;
use super::{Global, print, pull};
use crate::diag::{Failure, Result};
use crate::host::{self, Progress};
use crate::ident::{Reference, dated};
use crate::image::Image;
use crate::publish::{self, Purpose};
use crate::store::Store;
use crate::verify::{self, Against, DatedImage, Outcome, Policy, Report, TagFacts};

/// How many dated tags of a line are looked at.
const LOOKED_AT: usize = 50;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// An OCI layout folder, an archive file, or a reference
    #[arg(value_name = "IMAGE")]
    image: String,
    #[command(flatten)]
    trust: TrustArgs,
    /// What else is asked of the image: builders, source, recipes, max-age, require
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Speak plain http with registries that are not on this machine
    #[arg(long)]
    plain_http: bool,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<()> {
    let keys = args.trust.open(&Global::environment())?;
    let policy = args.policy.as_deref().map(Policy::read).transpose()?.unwrap_or_default();
    let store = Store::open(&global.store_path()?)?;
    let progress = Progress::new(global.voice());
    let named = keys.names().map(|(name, fingerprint)| format!("{name} ({fingerprint})"));
    let used: Vec<String> = named.chain(keys.identities()).collect();
    progress.say("Trusting", &used.join(", "));
    let opened = pull::open(&args.image, &store, args.plain_http);
    let (digest, report) = match damaged(opened)? {
        Err(report) => (None, report),
        Ok(image) => {
            let facts = tag_facts(args)?;
            let against = Against {
                keys: &keys,
                policy: &policy,
                tags: facts.as_ref(),
                now: host::now(),
                jobs: host::cores(),
            };
            (image.descriptor().map(|found| found.digest), verify::verify(&image, &against))
        }
    };
    if global.json {
        let value = json!({
            "image": args.image,
            "digest": digest,
            "passed": report.passed(),
            "keys": keys.names().map(|(name, fingerprint)| json!({ "name": name, "fingerprint": fingerprint })).collect::<Vec<_>>(),
            "identities": keys.identities().collect::<Vec<_>>(),
            "checks": report.checks.iter().map(verify::Check::to_json).collect::<Vec<Value>>(),
        });
        print::line(&value.to_string());
        // What is wrong stands in the checks; it is not printed as JSON a second time.
        return report.result(&args.image).map_err(Failure::told);
    }
    table(global, &report);
    if let Some(digest) = digest.filter(|_| report.passed()) {
        print::line(&digest.to_string());
    }
    report.result(&args.image)
}

/// An image that can't be opened because its bytes are wrong is one that fails its checks; one that
/// is not there is not.
fn damaged(opened: Result<Image>) -> Result<std::result::Result<Image, Report>> {
    match opened {
        Err(failure) if failure.exit_code() == 5 => Ok(verify::unreadable(Err::<Image, Failure>(failure))),
        opened => opened.map(Ok),
    }
}

/// What a registry's tags say, where the image was asked for by a tag.
fn tag_facts(args: &Args) -> Result<Option<TagFacts>> {
    if host::exists(Path::new(&args.image)) {
        return Ok(None);
    }
    let Ok(reference) = args.image.parse::<Reference>() else { return Ok(None) };
    let Some(asked) = reference.tag else { return Ok(None) };
    let access = pull::access(args.plain_http, Purpose::Pull)?;
    let repository = &reference.repository;
    let mut facts = TagFacts {
        digest: publish::glance(&access, repository, asked.as_str())?.map(|there| there.digest),
        asked: asked.to_string(),
        dated: BTreeMap::new(),
    };
    let line = |tag: &String| dated(tag).is_some_and(|(version, _)| verify::same_line(&facts.asked, version));
    let mut candidates: Vec<String> = publish::tags(&access, repository)?.into_iter().filter(line).collect();
    // Only the newest days can hold anything newer.
    candidates.sort_by_key(|tag| Reverse(dated(tag).map(|(_, day)| day.to_owned())));
    candidates.truncate(LOOKED_AT);
    for tag in candidates {
        let Some(there) = publish::glance(&access, repository, &tag)? else { continue };
        let created =
            there.annotations.get("org.opencontainers.image.created").and_then(|text| text.parse().ok());
        let Some(created) = created else { continue };
        let variant = there.annotations.get("dev.hardpan.variant").cloned();
        facts.dated.insert(tag, DatedImage { digest: there.digest, created, variant });
    }
    Ok(Some(facts))
}

fn table(global: &Global, report: &Report) {
    let widths = report.checks.iter().map(|check| check.of.len());
    let width = widths.max().unwrap_or(0);
    for check in &report.checks {
        let (mark, detail) = match &check.outcome {
            Outcome::Passed(detail) => ("ok", detail.clone()),
            Outcome::Noted(detail) => ("note", detail.clone()),
            Outcome::Failed(problem) => ("FAILED", problem.message.clone()),
        };
        if !global.quiet {
            print::line(&format!("{mark:>6}  {:<11} {:<width$}  {detail}", check.what, check.of));
        }
    }
}
