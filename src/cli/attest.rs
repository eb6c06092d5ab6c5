//! `hardpan attest`: add any statement to an image.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::signing::{SigningArgs, beside};
use super::{Global, print, pull, statement};
use crate::attest::{self, Subject, write_statement};
use crate::diag::{Problem, Result, codes};
use crate::host::{self, Progress};
use crate::ident::Reference;
use crate::image::{self, Artifact, Image};
use crate::pipeline;
use crate::publish::{self, Order, Purpose};
use crate::sign::Signer;
use crate::store::Store;
use crate::verify::{self, About};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// An OCI layout folder, or a reference
    #[arg(value_name = "IMAGE")]
    image: String,
    /// What is claimed: a word such as openvex, vuln or test-result, or the address of a predicate type
    #[arg(long = "type", value_name = "TYPE")]
    kind: String,
    /// The predicate, a JSON file
    #[arg(long, value_name = "FILE")]
    predicate: PathBuf,
    /// About which platform; about the index and each platform if not said
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<String>,
    /// Speak plain http with registries that are not on this machine
    #[arg(long)]
    plain_http: bool,
    #[command(flatten)]
    signing: SigningArgs,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<()> {
    let kind = kind(&args.kind)?;
    let predicate = predicate(args)?;
    let signer = args.signing.open(&Global::environment())?;
    let store = Store::open(&global.store_path()?)?;
    let image = pull::open_small(&args.image, &store, args.plain_http)?;
    let about = match &args.platform {
        Some(platform) => vec![statement::subject(&image, Some(platform))?],
        None => verify::subjects(&image),
    };
    let artifacts = statements(&store, signer.as_ref(), &image, &about, &kind, &predicate)?;
    let digests: Vec<_> = artifacts.iter().map(|artifact| artifact.descriptor.digest).collect();
    attach(global, &args.image, args.plain_http, &store, image, &artifacts)?;
    if global.json {
        let value = json!({ "type": kind, "about": about.iter().map(|one| one.digest).collect::<Vec<_>>(), "referrers": digests });
        print::line(&value.to_string());
    } else {
        for digest in digests {
            print::line(&digest.to_string());
        }
    }
    Ok(())
}

fn kind(text: &str) -> Result<String> {
    attest::kind(text).ok_or_else(|| {
        let words: Vec<&str> = attest::words().collect();
        Problem::new(codes::USAGE, format!("`{text}` is no type of statement"))
            .expected(format!("one of {}, or an address", words.join(", ")))
            .into()
    })
}

fn predicate(args: &Args) -> Result<Vec<u8>> {
    let bytes = host::read(&args.predicate)?;
    let value: Value = serde_json::from_slice(&bytes).map_err(|error| {
        Problem::new(codes::USAGE, format!("the predicate `{}` is not JSON", args.predicate.display()))
            .found(error)
    })?;
    if !value.is_object() {
        let what = format!("the predicate `{}` is not an object", args.predicate.display());
        return Err(Problem::new(codes::USAGE, what).expected("`{ … }`").into());
    }
    if value.get("predicateType").is_some() && value.get("_type").is_some() {
        let what = format!("`{}` is a whole statement", args.predicate.display());
        return Err(Problem::new(codes::USAGE, what).expected("its `predicate` alone").into());
    }
    // Signed as it was given: numbers and the order of keys are not ours to change.
    Ok(bytes.trim_ascii().to_vec())
}

/// One statement about all of these, attached to each.
pub(super) fn statements(
    store: &Store,
    signer: &dyn Signer,
    image: &Image,
    about: &[About],
    kind: &str,
    predicate: &[u8],
) -> Result<Vec<Artifact>> {
    let name = publish::name_of(image).unwrap_or_default();
    let subjects: Vec<Subject> = about
        .iter()
        .map(|one| match one.platform {
            None => Subject::new(&name, &one.digest),
            Some(_) => Subject::new(&format!("{name} {}", one.name), &one.digest),
        })
        .collect();
    let content = pipeline::store_bundle(store, signer, &write_statement(&subjects, kind, predicate))?;
    Ok(about.iter().map(|one| pipeline::attach(&one.descriptor(image), kind, &content)).collect())
}

/// Attaches artifacts to an image where it is: in its folder, or in its registry.
pub(super) fn attach(
    global: &Global,
    text: &str,
    plain_http: bool,
    store: &Store,
    image: Image,
    artifacts: &[Artifact],
) -> Result<()> {
    let path = std::path::Path::new(text);
    if host::is_dir(path) {
        let image = image.with_referrers(store, artifacts, |_| true)?;
        return image::copy_layout(path, &image, &beside(true)).map(drop);
    }
    if host::exists(path) {
        let problem = Problem::new(codes::USAGE, format!("nothing can be attached to the archive `{text}`"));
        return Err(problem.help("build an OCI layout folder, or publish it and attach it there").into());
    }
    let reference: Reference =
        text.parse().map_err(|error| Problem::new(codes::USAGE, "not a reference").found(error))?;
    let image = image.with_referrers(store, artifacts, |_| false)?;
    let order = Order {
        image: &image,
        repository: reference.repository,
        tags: Vec::new(),
        extra: &[],
        allow_older: true,
    };
    let access = pull::access(plain_http, Purpose::Push)?;
    publish::push(&access, store, &Progress::new(global.voice()), &order).map(drop)
}
