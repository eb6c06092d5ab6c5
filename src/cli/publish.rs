//! `hardpan publish`: images into a registry.

use serde_json::{Value, json};

use super::{Global, print, pull};
use crate::diag::{Problem, Result, codes};
use crate::host::{Progress, size};
use crate::ident::{Prefix, TagName};
use crate::image::Image;
use crate::publish::{self, Count, Order, Published, Purpose};
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
    /// Speak plain http with registries that are not on this machine
    #[arg(long)]
    plain_http: bool,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<()> {
    let store = Store::open(&global.store_path()?)?;
    let progress = Progress::new(global.voice());
    let access = pull::access(args.plain_http, Purpose::Push)?;
    let mut results = Vec::new();
    for text in &args.images {
        let image = pull::open(text, &store, args.plain_http)?;
        let order = Order {
            repository: args.to.repository(&name(&image)?).map_err(|error| unnamed(&image).found(error))?,
            tags: if args.tag.is_empty() { tags(&image)? } else { args.tag.clone() },
            image: &image,
            extra: &[],
            allow_older: args.allow_older,
        };
        let published = publish::push(&access, &store, &progress, &order)?;
        if global.json {
            results.push(as_json(&published));
        } else {
            say(&progress, &published);
            print::line(&format!("{}@{}", published.repository, published.digest));
        }
    }
    if global.json {
        print::line(&Value::Array(results).to_string());
    }
    Ok(())
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
