//! The statements that are attached to an image, for verbs that print what one says.

use serde_json::Value;

use super::signing::TrustArgs;
use super::{Global, print};
use crate::attest;
use crate::diag::{Problem, Result, codes};
use crate::image::Image;
use crate::verify::{self, About, Attached};

/// The index, or the platform that is asked for.
pub(super) fn subject(image: &Image, platform: Option<&str>) -> Result<About> {
    let subjects = verify::subjects(image);
    let names: Vec<&str> = subjects.iter().map(|about| about.name.as_str()).collect();
    let wanted = |about: &&About| platform.is_none_or(|platform| about.name == platform);
    subjects.iter().find(wanted).cloned().ok_or_else(|| {
        let what =
            format!("`{}` has nothing for {}", image.name(), platform.unwrap_or("statements to be about"));
        let help = if names.is_empty() {
            "a docker archive has no place for statements: take the OCI layout or the reference".to_owned()
        } else {
            format!("it has {}", names.join(", "))
        };
        Problem::new(codes::USAGE, what).help(help).into()
    })
}

/// The predicate of a kind: one that a trusted key signed, if there is any; with keys that were named, only
/// such a one. A bundle that does not read is passed over.
pub(super) fn predicate(trust: &TrustArgs, image: &Image, about: &About, kind: &str) -> Result<Value> {
    let own = image
        .referrers
        .iter()
        .filter(|referrer| referrer.subject == about.digest && verify::is_bundle(referrer));
    let mut found: Vec<Attached> = own
        .filter_map(|referrer| verify::read_attached(image, referrer).ok())
        .filter(|one| one.statement.predicate_type == kind && one.statement.is_about(&about.digest))
        .collect();
    let keys = trust.open_any(&Global::environment())?;
    let trusted = keys.and_then(|keys| found.iter().position(|one| keys.verify(&one.bundle).is_ok()));
    if let Some(at) = trusted {
        return Ok(found.swap_remove(at).statement.predicate);
    }
    let what = format!("the {} of `{}`", about.name, image.name());
    if trust.is_said() && !found.is_empty() {
        let problem = Problem::new(
            codes::NO_STATEMENT,
            format!("{what} has no {} that a key which was named signed", attest::kind_name(kind)),
        );
        return Err(problem.help("name the signer's public key: `--key FILE`").into());
    }
    let Some(first) = found.into_iter().next() else {
        let what = format!("{what} has no {} attached", attest::kind_name(kind));
        let help = if kind == attest::SPDX3 {
            "build it with `--spdx3`, or take `--format spdx`"
        } else {
            "build it without `--no-attest`, and publish it with what refers to it"
        };
        return Err(Problem::new(codes::NO_STATEMENT, what).help(help).into());
    };
    print::error(&format!(
        "{:>12} nobody who is trusted here signed it; name a key with `--key`",
        "Unverified"
    ));
    Ok(first.statement.predicate)
}
