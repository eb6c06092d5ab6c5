//! `hardpan attest`: add any statement to an image.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::signing::{SigningArgs, beside};
use super::{Global, print, pull, statement};
use crate::attest::{self, Statement, Subject, raw_predicate, write_statement};
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
    /// The predicate, a JSON file; or a whole statement of this type about this image, as `hardpan scan` writes it
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
    let given = given(args)?;
    let signer = args.signing.open(&Global::environment())?;
    let store = Store::open(&global.store_path()?)?;
    let image = pull::open_small(&args.image, &store, args.plain_http)?;
    let about = match &args.platform {
        Some(platform) => vec![statement::subject(&image, Some(platform))?],
        None => verify::subjects(&image),
    };
    let (predicate, about) = predicate(args, &given, about, &kind)?;
    let artifacts = statements(&store, signer.as_ref(), &image, &about, &kind, predicate)?;
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

/// What a file holds: a predicate, or a statement around one.
struct Given {
    bytes: Vec<u8>,
    statement: Option<Statement>,
}

fn given(args: &Args) -> Result<Given> {
    let bytes = host::read(&args.predicate)?;
    let file = args.predicate.display();
    let value: Value = serde_json::from_slice(&bytes).map_err(|error| {
        Problem::new(codes::USAGE, format!("the predicate `{file}` is not JSON")).found(error)
    })?;
    if !value.is_object() {
        let what = format!("the predicate `{file}` is not an object");
        return Err(Problem::new(codes::USAGE, what).expected("`{ … }`").into());
    }
    // Signed as it was given: numbers and the order of keys are not ours to change.
    let bytes = bytes.trim_ascii().to_vec();
    if value.get("predicateType").is_none() || value.get("_type").is_none() {
        return Ok(Given { bytes, statement: None });
    }
    let statement = Statement::parse(&bytes).map_err(|why| {
        let what = format!("`{file}` is a whole statement, and does not read as one");
        Problem::new(codes::USAGE, what).found(why).expected("its `predicate` alone")
    })?;
    Ok(Given { bytes, statement: Some(statement) })
}

/// The predicate, and what it is about. A whole statement was made of something: it is taken for that alone, and as what it
/// says it is.
fn predicate<'a>(
    args: &Args,
    given: &'a Given,
    about: Vec<About>,
    kind: &str,
) -> Result<(&'a [u8], Vec<About>)> {
    let Some(statement) = &given.statement else { return Ok((&given.bytes, about)) };
    let bad = |why: &str| {
        let what = format!("`{}` is a whole statement{why}", args.predicate.display());
        Problem::new(codes::USAGE, what).expected("its `predicate` alone")
    };
    if statement.predicate_type != kind {
        let problem = bad(" of another type").found(&statement.predicate_type);
        return Err(problem
            .help(format!("say its own: `--type {}`", attest::kind_name(&statement.predicate_type)))
            .into());
    }
    let meant: Vec<About> = about.iter().filter(|one| statement.is_about(&one.digest)).cloned().collect();
    if meant.is_empty() {
        let names: Vec<String> = about.iter().map(|one| format!("{} {}", one.name, one.digest)).collect();
        return Err(bad(" about something else").fact("this image", names.join(", ")).into());
    }
    let Some(bytes) = raw_predicate(&given.bytes) else {
        return Err(bad(" that hardpan did not write").help("take it out: `jq .predicate FILE`").into());
    };
    Ok((bytes, meant))
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
