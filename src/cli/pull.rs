//! `hardpan pull`: an image out of a registry; and how any verb opens an image by path or reference.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::signing::beside;
use super::{Global, patience, print};
use crate::diag::{Problem, Result, codes};
use crate::host::{self, Http, Progress};
use crate::ident::Reference;
use crate::image::{self, Image};
use crate::publish::{self, Access, CredentialFiles, Depth, Purpose};
use crate::store::Store;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Which image: REGISTRY/REPOSITORY with :TAG, @DIGEST or both
    #[arg(value_name = "REF")]
    reference: Reference,
    /// The OCI layout folder to write
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Speak plain http with registries that are not on this machine
    #[arg(long)]
    plain_http: bool,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<()> {
    let store = Store::open(&global.store_path()?)?;
    let progress = Progress::new(global.voice());
    progress.say("Pulling", &args.reference.to_string());
    let image = fetch(&args.reference, &store, args.plain_http, Depth::Everything)?;
    let changed = image::copy_layout(&args.out, &image, &beside(!image.referrers.is_empty()))?;
    let digest = image.descriptor().map(|descriptor| descriptor.digest);
    progress.say(if changed { "Wrote" } else { "Unchanged" }, &args.out.display().to_string());
    if global.json {
        let referrers: Vec<_> = image
            .referrers
            .iter()
            .map(|referrer| {
                json!({
                    "digest": referrer.descriptor.digest,
                    "subject": referrer.subject,
                    "artifact_type": referrer.artifact_type,
                })
            })
            .collect();
        let found = json!({ "digest": digest, "out": args.out, "changed": changed, "referrers": referrers });
        print::line(&found.to_string());
    } else if let Some(digest) = digest {
        print::line(&digest.to_string());
    }
    Ok(())
}

/// How registries are spoken with, by this process's environment.
pub(super) fn access(plain_http: bool, purpose: Purpose) -> Result<Access> {
    let patience = patience()?;
    Ok(Access::new(Http::new(patience), CredentialFiles::of_process(patience), plain_http, purpose))
}

/// Brings an image into the store and opens it there.
pub(super) fn fetch(reference: &Reference, store: &Store, plain_http: bool, depth: Depth) -> Result<Image> {
    let access = access(plain_http, Purpose::Pull)?;
    let index = publish::pull(&access, reference, store, depth)?;
    Image::in_store(&reference.to_string(), store, index)
}

/// Opens an image: what is there as a path is a path, else what reads as a reference is one.
pub(super) fn open(text: &str, store: &Store, plain_http: bool) -> Result<Image> {
    open_to(text, store, plain_http, Depth::Everything)
}

/// Opens an image whose layers nobody will read.
pub(super) fn open_small(text: &str, store: &Store, plain_http: bool) -> Result<Image> {
    open_to(text, store, plain_http, Depth::Small)
}

fn open_to(text: &str, store: &Store, plain_http: bool, depth: Depth) -> Result<Image> {
    let path = Path::new(text);
    if host::exists(path) {
        return Image::open(path);
    }
    match text.parse::<Reference>() {
        Ok(reference) => fetch(&reference, store, plain_http, depth),
        Err(error) => {
            Err(Problem::new(codes::NO_IMAGE, format!("there is no image `{text}`"))
                .fact("as a path", "nothing is there")
                .fact("as a reference", error)
                .help("an image is an OCI layout folder, an archive file, or a reference such as `registry.example/team/python:3.13`")
                .into())
        }
    }
}

/// Opens an image for a verb that needs the store only where the image is in a registry.
pub(super) fn open_any(global: &Global, text: &str, plain_http: bool) -> Result<Image> {
    let path = Path::new(text);
    if host::exists(path) {
        return Image::open(path);
    }
    open(text, &Store::open(&global.store_path()?)?, plain_http)
}
