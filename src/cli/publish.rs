//! `hardpan publish`: images into a registry.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use super::signing::SigningArgs;
use super::{Global, print, pull};
use crate::diag::{Problem, Result, codes};
use crate::host::{Environment, Progress, size};
use crate::ident::{Prefix, Repository, TagName};
use crate::image::Image;
use crate::pipeline;
use crate::publish::{self, Count, ExtraTag, Order, Published, Purpose};
use crate::sign::{Keys, Signer, development_public_key};
use crate::store::Store;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// OCI layout folders, archive files, or references to other registries
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<String>,
    /// Where to: a registry and the first part of the repositories' names; each image's own name follows
    #[arg(long, value_name = "REGISTRY/PREFIX")]
    to: Prefix,
    /// A tag that moves to the image, instead of the image's own; may be given several times
    #[arg(long, value_name = "TAG")]
    tag: Vec<TagName>,
    /// Move tags back even from an image that was made later
    #[arg(long)]
    allow_older: bool,
    /// Leave out cosign's older form of signature and attestations
    #[arg(long)]
    no_legacy: bool,
    /// Speak plain http with registries that are not on this machine
    #[arg(long)]
    plain_http: bool,
    #[command(flatten)]
    signing: SigningArgs,
}

/// An image, signed as it is to be published, and cosign's older form of that.
struct Signed {
    image: Image,
    extra: Vec<ExtraTag>,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<()> {
    let store = Store::open(&global.store_path()?)?;
    let progress = Progress::new(global.voice());
    let access = pull::access(args.plain_http, Purpose::Push)?;
    let mut results = Vec::new();
    // A wrong password is refused before anything is sent.
    let named = args.signing.is_said()?.then(|| args.signing.open(&Global::environment())).transpose()?;
    for text in &args.images {
        match one(args, &store, &progress, &access, named.as_deref(), text) {
            Ok(published) if global.json => results.push(as_json(&published)),
            Ok(published) => {
                say(&progress, &published);
                print::line(&format!("{}@{}", published.repository, published.digest));
            }
            // What was published before is published, and said.
            Err(failure) if global.json && !results.is_empty() => {
                let problems: Vec<Value> = failure.problems().iter().map(print::problem_json).collect();
                print::line(&json!({ "published": results, "problems": problems }).to_string());
                return Err(failure.told());
            }
            Err(failure) => return Err(failure),
        }
    }
    if global.json {
        print::line(&Value::Array(results).to_string());
    }
    Ok(())
}

fn one(
    args: &Args,
    store: &Store,
    progress: &Progress,
    access: &publish::Access,
    named: Option<&dyn Signer>,
    text: &str,
) -> Result<Published> {
    let image = pull::open(text, store, args.plain_http)?;
    let repository = args.to.repository(&name(&image)?).map_err(|error| unnamed(&image).found(error))?;
    let mut moving = if args.tag.is_empty() { tags(&image)? } else { args.tag.clone() };
    let mut seen = BTreeSet::new();
    moving.retain(|tag| seen.insert(tag.clone()));
    check_tags(&moving)?;
    let signed = sign(access, args, store, progress, named, image, &repository)?;
    let order = Order {
        repository,
        tags: moving,
        image: &signed.image,
        extra: &signed.extra,
        allow_older: args.allow_older,
    };
    publish::push(access, store, progress, &order)
}

/// Tags that name what refers to a digest are not for images: whoever sets one hides signatures.
fn check_tags(tags: &[TagName]) -> Result<()> {
    let reserved = |tag: &&TagName| {
        let hex = tag.as_str().strip_prefix("sha256-").and_then(|rest| rest.get(..64));
        hex.is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    match tags.iter().find(reserved) {
        None => Ok(()),
        Some(tag) => {
            Err(Problem::new(codes::USAGE, format!("the tag `{tag}` is kept for what refers to a digest"))
                .help("choose another `--tag`")
                .into())
        }
    }
}

/// Signs an image by the named signer, if there is one; else it is published as it was signed, and the
/// development key makes the older form where it signed the rest.
fn sign(
    access: &publish::Access,
    args: &Args,
    store: &Store,
    progress: &Progress,
    named: Option<&dyn Signer>,
    image: Image,
    repository: &Repository,
) -> Result<Signed> {
    let environment = Global::environment();
    let (image, signer) = match named {
        Some(signer) => {
            (pipeline::resigned(store, image, signer, &trusted(&environment, signer))?, Some(signer))
        }
        None => (image, None),
    };
    let own;
    let signer = match (signer, development_public_key(&environment)?) {
        (Some(signer), _) => Some(signer),
        (None, Some(key)) if pipeline::signed_by(&image, Some(&key))? == Some(true) => {
            own = args.signing.open(&environment)?;
            Some(own.as_ref())
        }
        _ => None,
    };
    if pipeline::signed_by(&image, None)?.is_none() {
        progress.say("Unsigned", &format!("nothing is said about `{}`; `--key FILE` signs it", image.name()));
    }
    let extra = match signer.filter(|signer| !args.no_legacy && signer.lasting_identity().is_some()) {
        None => Vec::new(),
        Some(signer) => pipeline::older_tags(access, &image, signer, repository)?,
    };
    if signer.is_none() && !args.no_legacy && !image.referrers.is_empty() {
        let why = "cosign's older form, which takes the key that signed: `--key FILE`";
        progress.say("Without", why);
    }
    Ok(Signed { image, extra })
}

/// Whose word is taken over: the keys of the working folder and of this machine.
fn trusted(environment: &Environment, signer: &dyn Signer) -> Keys {
    let there = Keys::by_default(Path::new("keys"), environment).unwrap_or_default();
    there.with(signer.public_key().clone(), signer.describe())
}

fn unnamed(image: &Image) -> Problem {
    let what = format!("`{}` has no name that a repository can have", image.name());
    Problem::new(codes::BAD_IMAGE, what)
        .help("rename its folder, or give it the annotation org.opencontainers.image.title")
}

fn name(image: &Image) -> Result<String> {
    Ok(publish::name_of(image).ok_or_else(|| unnamed(image))?)
}

fn tags(image: &Image) -> Result<Vec<TagName>> {
    let none = || {
        Problem::new(codes::USAGE, format!("`{}` has no tags", image.name()))
            .help("say under which tag it is to be published: `--tag TAG`")
    };
    let tags: Result<Vec<TagName>> = image
        .tags
        .iter()
        .map(|tag| {
            // Other tools write whole references there.
            let last = tag.rsplit(['/', ':']).next().unwrap_or_default();
            Ok(last.parse().map_err(|error| none().found(error))?)
        })
        .collect();
    let tags = tags?;
    if tags.is_empty() { Err(none().into()) } else { Ok(tags) }
}

fn say(progress: &Progress, published: &Published) {
    let Published { repository, tags, moved, uploaded, mounted, skipped, referrers, .. } = published;
    let count = |what: &str, count: &Count| {
        (count.blobs > 0).then(|| format!("{} blobs {what} ({})", count.blobs, size(count.bytes)))
    };
    let parts = [count("sent", uploaded), count("mounted", mounted), count("there already", skipped)];
    let mut parts: Vec<String> = parts.into_iter().flatten().collect();
    if *referrers > 0 {
        parts.push(format!("{referrers} referrers"));
    }
    progress.say("Published", &format!("{repository}: {}", parts.join(", ")));
    for tag in tags {
        let verb = if moved.contains(tag) { "Tagged" } else { "Unchanged" };
        progress.say(verb, &format!("{repository}:{tag}"));
    }
}

fn as_json(published: &Published) -> Value {
    let count = |count: &Count| json!({ "blobs": count.blobs, "bytes": count.bytes });
    let Published { repository, digest, tags, moved, .. } = published;
    json!({
        "repository": repository,
        "digest": digest,
        "reference": format!("{repository}@{digest}"),
        "tags": tags,
        "moved": moved,
        "uploaded": count(&published.uploaded),
        "mounted": count(&published.mounted),
        "skipped": count(&published.skipped),
        "manifests": published.manifests,
        "referrers": published.referrers,
    })
}
