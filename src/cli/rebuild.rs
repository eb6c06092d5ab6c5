//! `hardpan rebuild`: build an image again from its own provenance, and compare.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::rebuild_report::{self, Entry, Verdict};
use super::signing::signer_named;
use super::{Global, attest, print, pull, verify as verify_verb};
use crate::attest::{self as statements, Comparison, ReadProvenance, read_provenance};
use crate::diag::{Failure, Problem, Result, codes};
use crate::host;
use crate::ident::{BlobDigest, Platform, Prefix, Reference, Sha256};
use crate::image::{Image, layout_index};
use crate::pipeline::{self, Context, Finished};
use crate::publish::{self, Purpose};
use crate::sign::Keys;
use crate::verify::{self, Attached, Difference, Differences, DifferingFile};

/// How long diffoscope may look at one file.
const LOOKING: Duration = Duration::from_mins(1);

#[derive(Debug, Clone, clap::Args)]
pub(super) struct Args {
    /// OCI layout folders, archive files, or references
    #[arg(value_name = "IMAGE", required_unless_present = "all")]
    images: Vec<String>,
    /// All images of a folder, or all that are published below REGISTRY/PREFIX
    #[arg(long, value_name = "DIR|PREFIX", conflicts_with = "images")]
    all: Option<String>,
    /// The public key of who must have signed the provenance; may be given several times
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
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
    #[arg(long, value_name = "FILE", requires = "signer", conflicts_with = "all")]
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
    provenance: ReadProvenance,
    /// Digest of the statement that was followed, and who signed it.
    followed: (Sha256, Option<String>),
    finished: Finished,
    found: BlobDigest,
    differences: Differences,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<()> {
    let context = global.context(&[], args.offline, args.jobs)?;
    match &args.all {
        None => args.images.iter().try_for_each(|text| one(global, args, &context, text)),
        Some(all) => {
            let images = every(args, &context, all)?;
            queue(global, args, &context, &images)
        }
    }
}

/// Builds one image again and says what came of it; fails if the bytes differ.
fn one(global: &Global, args: &Args, context: &Context, text: &str) -> Result<()> {
    let rebuilt = again(args, context, text)?;
    if let Some(out) = &args.out {
        crate::image::copy_layout(out, &built_image(context, &rebuilt.finished)?, &[])?;
    }
    let (same, wanted) = (rebuilt.same(), rebuilt.wanted());
    let explained = explain(context, &rebuilt)?;
    let written = sign(global, args, context, text, &rebuilt, &explained)?;
    if global.json {
        let followed = json!({ "digest": rebuilt.followed.0, "signed_by": rebuilt.followed.1 });
        let value = json!({
            "image": text,
            "same": same,
            "wanted": wanted,
            "found": rebuilt.found,
            "provenance": followed,
            "differences": as_json(&explained),
            "statements": written,
        });
        print::line(&value.to_string());
    } else {
        for difference in &explained {
            print::line(&format!("{}: {}", difference.place, difference.what));
        }
        if same {
            print::line(&rebuilt.found.to_string());
        }
    }
    if same {
        context.progress.say("Same", &format!("{text} builds again to {wanted}"));
        return Ok(());
    }
    Err(differs(text, &rebuilt, &explained).told())
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
        Rebuilt { image, provenance, followed, finished, found, differences: Differences::default() };
    if !rebuilt.same() {
        // Now the layers are needed as well.
        rebuilt.image = pull::open(text, &context.store, args.plain_http)?;
        let ours = built_image(context, &rebuilt.finished)?;
        rebuilt.differences = verify::differences(&rebuilt.image, &ours)?;
    }
    Ok(rebuilt)
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
    let about: Vec<Attached> =
        all.into_iter().filter(|attached| attached.statement.is_about(&subject.digest)).collect();
    let keys =
        if args.key.is_empty() { verify_verb::keys(&[]).ok() } else { Some(Keys::of_files(&args.key)?) };
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
        (Some(_), Some(failure)) if !args.key.is_empty() => Err(failure),
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
fn built_image(context: &Context, finished: &Finished) -> Result<Image> {
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

/// What differs, and why as far as it can be told.
fn explain(context: &Context, rebuilt: &Rebuilt) -> Result<Vec<Difference>> {
    let mut lines = rebuilt.differences.lines.clone();
    if rebuilt.same() {
        return Ok(lines);
    }
    let mut say = |what: String| lines.push(Difference { place: "why".to_owned(), what });
    let own = rebuilt.finished.order.compression.backend();
    let (theirs, version) = (&rebuilt.provenance, env!("CARGO_PKG_VERSION"));
    if theirs.compressor != own {
        say(format!("it was compressed by {}, and rebuilt by {own}", theirs.compressor));
    }
    if theirs.version != version {
        say(format!("it was built by hardpan {}, and rebuilt by {version}", theirs.version));
    } else if theirs.hardpan.is_some_and(|digest| Some(digest) != pipeline::own_digest(context).ok()) {
        say(format!("both are hardpan {version}, but not the same program"));
    }
    for file in &rebuilt.differences.files {
        lines.extend(diffoscope(context, file)?);
    }
    Ok(lines)
}

/// What diffoscope sees in two files, if it is here.
fn diffoscope(context: &Context, file: &DifferingFile) -> Result<Option<Difference>> {
    let folder = host::ScratchDir::beside(&context.store.root().join("compare"))?;
    let name = file.path.rsplit('/').next().unwrap_or("file");
    let (a, b) = (folder.path().join("published").join(name), folder.path().join("rebuilt").join(name));
    host::write_atomic(&a, &file.theirs)?;
    host::write_atomic(&b, &file.ours)?;
    let (a, b) = (a.to_string_lossy().into_owned(), b.to_string_lossy().into_owned());
    let Ok(answer) = host::ask("diffoscope", &["--no-progress", "--text", "-", &a, &b], &[], LOOKING) else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(&answer.stdout).into_owned();
    let inside = folder.path().to_string_lossy().into_owned();
    let shown: Vec<String> = text.lines().take(40).map(|line| line.replace(&inside, "")).collect();
    let what = format!("diffoscope /{}:\n{}", file.path, shown.join("\n"));
    Ok((!shown.is_empty()).then(|| Difference { place: file.place.clone(), what }))
}

fn as_json(lines: &[Difference]) -> Vec<Value> {
    lines.iter().map(|line| json!({ "place": line.place, "what": line.what })).collect()
}

/// Signs what came of it, and attaches or writes that; where it was written.
fn sign(
    global: &Global,
    args: &Args,
    context: &Context,
    text: &str,
    rebuilt: &Rebuilt,
    explained: &[Difference],
) -> Result<Vec<String>> {
    let Some(name) = &args.signer else { return Ok(Vec::new()) };
    let comparison = Comparison {
        same: rebuilt.same(),
        wanted: rebuilt.wanted(),
        found: Some(rebuilt.found),
        differences: explained.iter().map(|line| format!("{}: {}", line.place, line.what)).collect(),
        provenance: rebuilt.followed.0,
        hardpan: pipeline::own_digest(context)?,
    };
    let about = verify::subjects(&rebuilt.image);
    let store = &context.store;
    let passwords = args.password_file.as_deref();
    let signer = signer_named(name, passwords)?;
    let result = statements::test_result(&comparison);
    let mut artifacts =
        attest::statements(store, signer.as_ref(), &rebuilt.image, &about, statements::TEST_RESULT, &result)?;
    if let Some(name) = &args.vsa {
        let other = signer_named(name, passwords)?;
        if other.public_key() == signer.public_key() {
            let problem =
                Problem::new(codes::USAGE, "the summary is to be signed by the key that signs the result");
            return Err(problem.help("name another key with `--vsa`: it speaks for the verifier").into());
        }
        let verifier = "https://hardpan.dev/verifier/rebuild/v1";
        let summary = statements::verification_summary(&comparison, text, verifier, host::now());
        let kind = statements::VERIFICATION_SUMMARY;
        artifacts.extend(attest::statements(store, other.as_ref(), &rebuilt.image, &about, kind, &summary)?);
    }
    if args.attach {
        let image = pull::open_small(text, store, args.plain_http)?;
        attest::attach(global, text, args.plain_http, store, image, &artifacts)?;
        return Ok(artifacts.iter().map(|artifact| artifact.descriptor.digest.to_string()).collect());
    }
    write_bundles(args, context, rebuilt, &artifacts)
}

/// Writes each bundle once: the result, and the summary beside it.
fn write_bundles(
    args: &Args,
    context: &Context,
    rebuilt: &Rebuilt,
    artifacts: &[crate::image::Artifact],
) -> Result<Vec<String>> {
    let name = publish::name_of(&rebuilt.image).unwrap_or_else(|| "image".to_owned());
    let whole = args.statement.clone().unwrap_or_else(|| PathBuf::from(format!("{name}.rebuild.json")));
    let mut digests: Vec<BlobDigest> = artifacts.iter().map(|artifact| artifact.content.digest).collect();
    digests.dedup();
    let mut written = Vec::new();
    for (at, digest) in digests.iter().enumerate() {
        let path = if at == 0 { whole.clone() } else { whole.with_extension("vsa.json") };
        host::write_atomic(&path, &context.store.read_blob(&digest.0)?)?;
        context.progress.say("Signed", &path.display().to_string());
        written.push(path.display().to_string());
    }
    Ok(written)
}

/// The images of a folder, or below a prefix of a registry.
fn every(args: &Args, context: &Context, all: &str) -> Result<Vec<String>> {
    let folder = Path::new(all);
    let found = if host::is_dir(folder) {
        let layouts = host::list(folder)?.into_iter();
        let layouts = layouts.filter(|path| host::exists(&path.join("oci-layout")) || is_archive(path));
        layouts.map(|path| path.display().to_string()).collect()
    } else {
        let prefix: Prefix = all.parse().map_err(|error| {
            Problem::new(codes::USAGE, format!("`{all}` is neither a folder nor a registry's prefix"))
                .found(error)
        })?;
        let access = pull::access(args.plain_http, Purpose::Pull)?;
        context.progress.say("Listing", all);
        publish::images_below(&access, &prefix)?.iter().map(Reference::to_string).collect::<Vec<_>>()
    };
    if found.is_empty() {
        let problem = Problem::new(codes::NO_IMAGE, format!("there are no images in `{all}`"));
        return Err(problem.help("name a folder of OCI layouts, or REGISTRY/PREFIX").into());
    }
    Ok(found)
}

fn is_archive(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "tar")
}

/// Builds one after the other again; one that fails does not stop the rest. The report is written anew
/// after each, so that it is there whenever the run ends.
fn queue(global: &Global, args: &Args, context: &Context, images: &[String]) -> Result<()> {
    let mut entries: Vec<Entry> = images.iter().map(|image| Entry::waiting(image)).collect();
    for at in 0..entries.len() {
        let text = entries[at].image.clone();
        let watch = host::Stopwatch::start();
        let verdict = match again(args, context, &text) {
            Err(failure) => {
                Verdict::Failed(failure.problems().iter().map(|problem| problem.message.clone()).collect())
            }
            Ok(rebuilt) => {
                let explained = explain(context, &rebuilt)?;
                sign_queued(global, args, context, &text, &rebuilt, &explained)?;
                let (wanted, found) = (rebuilt.wanted(), rebuilt.found);
                Verdict::Built { wanted, found, differences: explained }
            }
        };
        entries[at] = Entry { seconds: watch.elapsed().as_secs_f64(), verdict, ..Entry::waiting(&text) };
        context.progress.say(entries[at].word(), &text);
        rebuild_report::write(&args.report, &entries)?;
    }
    if global.json {
        print::line(&rebuild_report::to_json(&entries).to_string());
    } else {
        for entry in &entries {
            print::line(&format!("{:<9} {}", entry.word(), entry.image));
        }
        context.progress.say("Report", &args.report.join("index.html").display().to_string());
    }
    let wrong = entries.iter().filter(|entry| !entry.is_same()).count();
    if wrong == 0 {
        return Ok(());
    }
    let what = format!("{wrong} of {} images were not built again to the same bytes", entries.len());
    let problem = Problem::new(codes::NOT_REPRODUCED, what);
    Err(Failure::from(problem.help(format!("see {}", args.report.join("index.html").display()))).told())
}

/// In a queue what is signed is attached, or kept with the report.
fn sign_queued(
    global: &Global,
    args: &Args,
    context: &Context,
    text: &str,
    rebuilt: &Rebuilt,
    explained: &[Difference],
) -> Result<()> {
    let digest = rebuilt.wanted().0;
    let statement = Some(args.report.join(format!("{digest}.rebuild.json")));
    let args = Args { statement, ..args.clone() };
    sign(global, &args, context, text, rebuilt, explained).map(drop)
}
