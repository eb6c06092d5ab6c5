//! `hardpan rebuild`: build an image again from its own provenance, and compare.

mod explain;
mod outcome;
mod queue;
mod report;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::signing::TrustArgs;
use super::{Global, print, pull};
use crate::attest::{self as statements, ReadProvenance, read_provenance};
use crate::diag::{Failure, Problem, Result, codes};
use crate::host;
use crate::ident::{BlobDigest, Platform, Reference, Sha256};
use crate::image::{Image, layout_index};
use crate::pipeline::{self, Context, Finished};
use crate::verify::{self, Attached, Difference, Differences};

#[derive(Debug, Clone, clap::Args)]
pub(super) struct Args {
    /// OCI layout folders, archive files, or references
    #[arg(value_name = "IMAGE", required_unless_present = "all")]
    images: Vec<String>,
    /// All images of a folder, or all that are published below REGISTRY/PREFIX
    #[arg(long, value_name = "DIR|PREFIX", conflicts_with = "images")]
    all: Option<String>,
    #[command(flatten)]
    trust: TrustArgs,
    /// Sign a statement of the result with this key, or by exec:PROGRAM
    #[arg(long = "as", value_name = "KEY")]
    signer: Option<String>,
    /// Sign a verification summary (VSA) too, with this other key, or by exec:PROGRAM
    #[arg(long, value_name = "KEY", requires = "signer")]
    vsa: Option<String>,
    /// Read the keys' password from this file
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Attach what is signed to the image
    #[arg(long, requires = "signer")]
    attach: bool,
    /// Where what is signed is written; NAME.rebuild.json if not said and not attached
    #[arg(long, value_name = "FILE", requires = "signer", conflicts_with_all = ["all", "attach"])]
    statement: Option<PathBuf>,
    /// Where files are that were too large for provenance: the recipe's folder
    #[arg(long, value_name = "DIR")]
    files: Option<PathBuf>,
    /// Keep the image that was built, as a layout folder
    #[arg(long, value_name = "DIR", conflicts_with = "all")]
    out: Option<PathBuf>,
    /// With --all: where the report is written, as report.json and index.html
    #[arg(long, value_name = "DIR", default_value = "out/rebuild")]
    report: PathBuf,
    /// Use the store only for packages, never an archive
    #[arg(long)]
    offline: bool,
    /// How many threads; all processors if not said
    #[arg(short, long, value_name = "N")]
    jobs: Option<usize>,
    /// Speak plain http with registries that are not on this machine
    #[arg(long)]
    plain_http: bool,
}

/// An image that was built again.
struct Rebuilt {
    image: Image,
    /// How it is opened again: by digest, so that a tag that moves meanwhile changes nothing.
    name: String,
    provenance: ReadProvenance,
    /// Digest of the statement that was followed, and who signed it.
    followed: (Sha256, Option<String>),
    finished: Finished,
    found: BlobDigest,
    differences: Differences,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<()> {
    let several = args.images.len() > 1;
    if several && (args.statement.is_some() || args.out.is_some()) {
        let what = "`--statement` and `--out` name one place, but there are several images";
        let help = "leave them out, or rebuild one after the other";
        return Err(Problem::new(codes::USAGE, what).help(help).into());
    }
    let context = global.context(&[], args.offline, args.jobs)?;
    // A wrong password is refused before anything is built.
    let signers = outcome::Signers::open(args)?;
    if let Some(all) = &args.all {
        let images = queue::every(args, &context, all)?;
        return queue::queue(global, args, &context, &signers, &images);
    }
    let mut values = Vec::new();
    let mut problems = Vec::new();
    for (at, text) in args.images.iter().enumerate() {
        match one(global, args, &context, &signers, (at, text)) {
            Ok((value, failure)) => {
                values.push(value);
                problems.extend(failure.into_iter().flat_map(Failure::into_problems));
            }
            // The others are built all the same.
            Err(failure) if several => {
                let told: Vec<Value> = failure.problems().iter().map(print::problem_json).collect();
                values.push(json!({ "image": text, "problems": told }));
                problems.extend(failure.into_problems());
            }
            Err(failure) => return Err(failure),
        }
    }
    if global.json {
        let value = if several { Value::Array(values) } else { values.remove(0) };
        print::line(&value.to_string());
    }
    Failure::check(problems).map_err(Failure::told)
}

/// Builds one image again and says what came of it: for machines, and the problem if the bytes differ.
fn one(
    global: &Global,
    args: &Args,
    context: &Context,
    signers: &outcome::Signers,
    (at, text): (usize, &str),
) -> Result<(Value, Option<Failure>)> {
    let rebuilt = again(args, context, text)?;
    if let Some(out) = &args.out {
        crate::image::copy_layout(out, &built_image(context, &rebuilt.finished)?, &[])?;
    }
    let (same, wanted) = (rebuilt.same(), rebuilt.wanted());
    let explained = explain::explain(context, &rebuilt)?;
    let place = outcome::Place::of(args, at, &rebuilt);
    let written = outcome::sign(global, args, context, signers, &rebuilt, &explained, &place)?;
    let value = json!({
        "image": text,
        "same": same,
        "wanted": wanted,
        "found": rebuilt.found,
        "provenance": { "digest": rebuilt.followed.0, "signed_by": rebuilt.followed.1 },
        "differences": explain::as_json(&explained),
        "statements": written,
    });
    if !global.json {
        say(&explained);
        if same {
            print::line(&rebuilt.found.to_string());
        }
    }
    if same {
        context.progress.say("Same", &format!("{text} builds again to {wanted}"));
        return Ok((value, None));
    }
    Ok((value, Some(differs(text, &rebuilt, &explained))))
}

/// Prints what differs. What an image says may not pass for what is found here: further lines are set in.
fn say(explained: &[Difference]) {
    for Difference { place, what } in explained {
        let mut lines = what.split('\n').map(print::harmless);
        print::line(&format!("{}: {}", print::harmless(place), lines.next().unwrap_or_default()));
        for line in lines {
            print::line(&format!("    {line}"));
        }
    }
}

fn differs(text: &str, rebuilt: &Rebuilt, explained: &[Difference]) -> Failure {
    let count = explained.len();
    Problem::new(codes::NOT_REPRODUCED, format!("`{text}` does not build again to the same bytes"))
        .found(rebuilt.found)
        .expected(rebuilt.wanted())
        .help(format!("what differs is listed above ({count} lines)"))
        .into()
}

impl Rebuilt {
    fn wanted(&self) -> BlobDigest {
        self.image.descriptor().expect("an image with provenance has a manifest").digest
    }

    fn same(&self) -> bool {
        self.found == self.wanted()
    }
}

/// Follows an image's provenance.
fn again(args: &Args, context: &Context, text: &str) -> Result<Rebuilt> {
    let image = pull::open_small(text, &context.store, args.plain_http)?;
    let name = by_digest(text, &image);
    let (attached, signed_by) = provenance(args, context, &image)?;
    let followed = (Sha256::of(attached.bundle.payload()), signed_by);
    let provenance = read_provenance(&attached.statement.predicate).map_err(|why| {
        Problem::new(codes::BAD_PROVENANCE, format!("the provenance of `{text}` can't be followed"))
            .found(why)
    })?;
    let platforms = platforms(&image, &provenance)?;
    let finished = pipeline::rebuild(context, &provenance.inputs, &platforms, args.files.as_deref())?;
    let found = reached(&image, &finished);
    let mut rebuilt =
        Rebuilt { image, name, provenance, followed, finished, found, differences: Differences::default() };
    if !rebuilt.same() {
        // Now the layers are needed as well.
        rebuilt.image = pull::open(&rebuilt.name, &context.store, args.plain_http)?;
        let ours = built_image(context, &rebuilt.finished)?;
        rebuilt.differences = verify::differences(&rebuilt.image, &ours)?;
    }
    Ok(rebuilt)
}

/// A reference with the digest that was found there; a path as it is.
fn by_digest(text: &str, image: &Image) -> String {
    let reference = text.parse::<Reference>().ok().filter(|_| !host::exists(Path::new(text)));
    match (reference, image.descriptor()) {
        (Some(reference), Some(found)) => {
            Reference { tag: None, digest: Some(found.digest), ..reference }.to_string()
        }
        _ => text.to_owned(),
    }
}

/// The digest that stands where the image's does: of the index, or of the one platform's manifest.
fn reached(image: &Image, finished: &Finished) -> BlobDigest {
    let platforms = &finished.built.platforms;
    match (&image.index, &platforms[..]) {
        (None, [only]) => only.digest(),
        _ => finished.built.digest(),
    }
}

/// The provenance that is attached to an image. With keys, one of them must have signed it; without,
/// it is followed all the same: what is compared are bytes, and who vouched is said.
fn provenance(args: &Args, context: &Context, image: &Image) -> Result<(Attached, Option<String>)> {
    let missing = |what: &str| {
        Problem::new(codes::NO_STATEMENT, format!("`{}` has no provenance {what}", image.name()))
            .help("only an image that hardpan built with its evidence can be built again from itself")
    };
    let subject = image.descriptor().ok_or_else(|| missing("attached"))?;
    let all = verify::attached_of_kind(image, &subject.digest, statements::PROVENANCE)?;
    let mut about: Vec<Attached> =
        all.into_iter().filter(|attached| attached.statement.is_about(&subject.digest)).collect();
    // Others may say how the image came to be as well; ours is the one that can be followed.
    about.sort_by_key(|attached| read_provenance(&attached.statement.predicate).is_err());
    let keys = args.trust.open_any(&Global::environment())?;
    let mut why = None;
    let mut first = None;
    for attached in about {
        match keys.as_ref().map(|keys| keys.verify(&attached.bundle)) {
            Some(Ok(by)) => {
                context.progress.say("Following", &format!("provenance signed by {by}"));
                return Ok((attached, Some(by)));
            }
            Some(Err(failure)) => why = Some(failure),
            None => {}
        }
        first = first.or(Some(attached));
    }
    match (first, why) {
        (None, _) => Err(missing("attached that is about it").into()),
        (Some(_), Some(failure)) if args.trust.is_said() => Err(failure),
        (Some(attached), _) => {
            let what = "provenance whose signature nobody here vouches for; name a key with `--key`";
            context.progress.say("Following", what);
            Ok((attached, None))
        }
    }
}

/// The platforms of an image, all of which its provenance must be for.
fn platforms(image: &Image, provenance: &ReadProvenance) -> Result<Vec<Platform>> {
    let mut platforms = Vec::new();
    for platform in &image.platforms {
        let known = platform.platform.parse().ok().filter(|one| provenance.inputs.platforms.contains(one));
        platforms.push(known.ok_or_else(|| {
            let what = format!("the provenance is not for {}, which the image has", platform.platform);
            Problem::new(codes::BAD_PROVENANCE, what)
        })?);
    }
    Ok(platforms)
}

/// What was built, as an image that can be read.
pub(super) fn built_image(context: &Context, finished: &Finished) -> Result<Image> {
    let built = &finished.built;
    for platform in &built.platforms {
        context.store.put(&platform.config)?;
        context.store.put(&platform.manifest)?;
    }
    context.store.put(&built.index)?;
    let index = crate::image::Descriptor::of(crate::image::INDEX, &built.index);
    let top = layout_index(&index, built.tags.iter().map(ToString::to_string), &[]);
    Image::in_store("what was rebuilt", &context.store, top)
}
