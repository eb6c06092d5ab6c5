//! `hardpan test`: run an image's tests in containers.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::signing::SigningArgs;
use super::{Global, attest, print, pull, statement};
use crate::attest::{self as statements, ImageTested, read_provenance};
use crate::diag::{Failure, Problem, Result, codes, nearest};
use crate::host::{self, Progress, ScratchDir};
use crate::ident::{Platform, RecipeName, Reference, Repository, Sha256};
use crate::image::Image;
use crate::pipeline;
use crate::recipe::{Family, Mount, TestSpec};
use crate::store::Store;
use crate::trial::{self, Outcome, Part, Results, Trial, Verdict};
use crate::verify;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// An OCI layout folder, an archive file, or a reference
    #[arg(value_name = "IMAGE")]
    image: String,
    /// The recipe whose tests are run; the one in the image's provenance if not said
    #[arg(long, value_name = "FILE")]
    recipe: Option<PathBuf>,
    /// Which platform; this machine's if not said
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<Platform>,
    /// What makes containers: runc, crun or a path; the first that is there if not said
    #[arg(long, value_name = "RUNTIME")]
    runtime: Option<String>,
    /// An image that tests run things in, where it is not beside this one; may be given several times
    #[arg(long = "with", value_name = "NAME=IMAGE")]
    with: Vec<String>,
    /// Only the test of this name; may be given several times
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Write the results as `JUnit` XML too
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Sign the result, and attach it to the image
    #[arg(long, conflicts_with = "only")]
    attest: bool,
    /// Speak plain http with registries that are not on this machine
    #[arg(long)]
    plain_http: bool,
    #[command(flatten)]
    signing: SigningArgs,
}

/// Tests, and where they come from.
struct Tests {
    specs: Vec<TestSpec>,
    /// The recipe's folder, where there is one.
    folder: Option<PathBuf>,
    /// The digest of the recipe's text.
    recipe: Sha256,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<()> {
    // Before anything else: later there may be threads.
    let root = trial::become_root()?;
    let store = Store::open(&global.store_path()?)?;
    let progress = Progress::new(global.voice());
    let image = pull::open(&args.image, &store, args.plain_http)?;
    let wanted = wanted(args)?;
    let part = Part { image: &image, platform: trial::platform_of(&image, &wanted.to_string())? };
    let mut found = tests(&store, args, &image, wanted, &progress)?;
    choose(&mut found.specs, args)?;
    let others = others(&store, args, &found.specs)?;
    let mut parts = BTreeMap::new();
    for (name, image) in &others {
        let platform = trial::platform_of(image, &wanted.to_string())?;
        parts.insert(name.clone(), Part { image, platform });
    }
    let trial = Trial {
        part,
        tests: &found.specs,
        others: parts,
        recipe: found.folder.as_deref(),
        home: &store.root().join("trial"),
        runtime: args.runtime.as_deref(),
        root,
    };
    progress.say("Testing", &format!("{} {wanted}", args.image));
    let results = trial::run(&trial, |one| progress.say(one.verdict.word(), &print::harmless(&one.name)))?;
    told(&progress, &results);
    if let Some(path) = &args.junit {
        let suite = format!("{} {wanted}", args.image);
        host::write_atomic(path, trial::junit(&suite, &results.outcomes).as_bytes())?;
    }
    let referrers = if args.attest {
        attach(global, args, &store, &image, wanted, &found, &results)?
    } else {
        Vec::new()
    };
    if global.json {
        let digest = part.platform.digest;
        let value = as_json(args, wanted, &results);
        let value = merge(value, &json!({ "digest": digest, "referrers": referrers }));
        print::line(&escaped(&value.to_string()));
        return results.check(&args.image).map_err(Failure::told);
    }
    table(&results);
    results.check(&args.image)
}

/// JSON in which even control characters that it may hold as they are, which terminals obey, are escaped.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for letter in json.chars() {
        if letter.is_control() {
            text.push_str(&format_args!("\\u{:04x}", u32::from(letter)).to_string());
        } else {
            text.push(letter);
        }
    }
    text
}

fn merge(mut value: serde_json::Value, more: &serde_json::Value) -> serde_json::Value {
    let fields = value.as_object_mut().expect("an object");
    fields.extend(more.as_object().expect("an object").clone());
    value
}

fn wanted(args: &Args) -> Result<Platform> {
    args.platform.or_else(trial::own_platform).ok_or_else(|| {
        let what = "hardpan builds nothing for this machine's processor";
        Problem::new(codes::USAGE, what).help("say which platform: `--platform linux/amd64`").into()
    })
}

/// The tests of an image: of the recipe that was named, else of the one in its provenance.
fn tests(
    store: &Store,
    args: &Args,
    image: &Image,
    platform: Platform,
    progress: &Progress,
) -> Result<Tests> {
    let variant = image.annotation("dev.hardpan.variant");
    let read = |path: &Path| -> Result<(Vec<TestSpec>, Sha256)> {
        let chain = Family::open(path)?.chain(variant, platform)?;
        let recipe = chain.last();
        Ok((recipe.tests.clone(), Sha256::of(recipe.text.text.as_bytes())))
    };
    let found = if let Some(path) = &args.recipe {
        let (tests, recipe) = read(path)?;
        let folder = path.parent().map_or(PathBuf::new(), Path::to_owned);
        let folder = if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder };
        Tests { specs: tests, folder: Some(folder), recipe }
    } else {
        let inputs = provenance(image)?;
        progress.say("Taking", "tests from the image's provenance; `hardpan verify` says who signed it");
        let scratch = ScratchDir::beside(&store.root().join("trial-recipe"))?;
        let (tests, recipe) = read(&pipeline::recipes_of(&inputs, scratch.path())?)?;
        Tests { specs: tests, folder: None, recipe }
    };
    if found.specs.is_empty() {
        let what = format!("`{}` has no tests", args.image);
        let help = "write `[[test]]` into its recipe, or name another recipe with `--recipe`";
        return Err(Problem::new(codes::NO_TESTS, what).help(help).into());
    }
    Ok(found)
}

fn provenance(image: &Image) -> Result<statements::BuildInputs> {
    let missing = || {
        let what = format!("nothing says what the tests of `{}` are: it has no provenance", image.name());
        Problem::new(codes::NO_TESTS, what).help("name its recipe: `--recipe FILE`")
    };
    let subject = image.descriptor().ok_or_else(missing)?;
    let all = verify::attached_of_kind(image, &subject.digest, statements::PROVENANCE)?;
    let about = all.iter().filter(|attached| attached.statement.is_about(&subject.digest));
    let mut read = about.filter_map(|attached| read_provenance(&attached.statement.predicate).ok());
    Ok(read.next().ok_or_else(missing)?.inputs)
}

/// Leaves the tests that were asked for, none of which may need what is not there.
fn choose(tests: &mut Vec<TestSpec>, args: &Args) -> Result<()> {
    for only in &args.only {
        if !tests.iter().any(|test| test.name == *only) {
            let names = tests.iter().map(|test| test.name.as_str());
            let problem = Problem::new(codes::USAGE, format!("there is no test `{only}`"));
            let near = nearest(only, names.clone()).map(|near| format!("did you mean `{near}`?"));
            let all = || format!("there are `{}`", names.collect::<Vec<_>>().join("`, `"));
            return Err(problem.help(near.unwrap_or_else(all)).into());
        }
    }
    tests.retain(|test| args.only.is_empty() || args.only.contains(&test.name));
    let needy = |test: &&TestSpec| test.mounts.values().any(|at| matches!(at.value, Mount::From { .. }));
    match tests.iter().find(needy).filter(|_| args.recipe.is_none()) {
        None => Ok(()),
        Some(test) => {
            let what = format!("the test `{}` mounts files that lie beside the recipe", test.name);
            let help = "provenance does not carry them: name the recipe with `--recipe FILE`";
            Err(Problem::new(codes::USAGE, what).help(help).into())
        }
    }
}

/// The other images that tests run things in.
fn others(store: &Store, args: &Args, tests: &[TestSpec]) -> Result<BTreeMap<RecipeName, Image>> {
    let mut named = BTreeMap::new();
    for text in &args.with {
        let pair =
            text.split_once('=').and_then(|(name, image)| Some((name.parse::<RecipeName>().ok()?, image)));
        let Some((name, image)) = pair else {
            let problem = Problem::new(codes::USAGE, format!("`--with {text}` names no image"));
            return Err(problem.expected("NAME=IMAGE, such as `nginx=out/nginx`").into());
        };
        named.insert(name, image.to_owned());
    }
    let wanted: BTreeSet<&RecipeName> =
        tests.iter().flat_map(TestSpec::runs).filter_map(|run| run.image.as_ref()).collect();
    let mut images = BTreeMap::new();
    for name in wanted {
        let place = named.get(name).cloned().or_else(|| beside(&args.image, name)).unwrap_or_default();
        let image = pull::open(&place, store, args.plain_http).map_err(|failure| {
            let what = format!("a test runs things in the image `{name}`, which can't be opened");
            let problem = Problem::new(failure.problems()[0].code, what);
            let problem = problem.fact("cause", &failure.problems()[0].message);
            problem.help(format!("say where it is: `--with {name}=IMAGE`"))
        })?;
        images.insert(name.clone(), image);
    }
    Ok(images)
}

/// Where the image of a name lies beside another: in the same folder, or below the same prefix.
fn beside(image: &str, name: &RecipeName) -> Option<String> {
    let path = Path::new(image);
    if host::exists(path) {
        let folder = host::whole_path(path).parent()?.to_owned();
        let ending =
            if host::is_dir(path) { String::new() } else { format!(".{}", path.extension()?.to_str()?) };
        return Some(folder.join(format!("{name}{ending}")).display().to_string());
    }
    let reference: Reference = image.parse().ok()?;
    let (registry, path) = (reference.repository.registry(), reference.repository.path());
    let prefix = path.rsplit_once('/').map(|(prefix, _)| format!("{prefix}/")).unwrap_or_default();
    let repository: Repository = format!("{registry}/{prefix}{name}").parse().ok()?;
    Some(repository.to_string())
}

/// Says how far containers were kept apart.
fn told(progress: &Progress, results: &Results) {
    if let Some(runtime) = &results.runtime {
        progress.say("Isolated", &format!("by {runtime}: {}", results.isolation.enforced.join(", ")));
    }
    for missing in &results.isolation.missing {
        progress.say("Not so", missing);
    }
}

fn table(results: &Results) {
    let mut rows = Vec::new();
    for one in &results.outcomes {
        let seconds =
            if one.verdict == Verdict::Untested { String::new() } else { format!("{:.2} s", one.seconds) };
        let word = if one.verdict == Verdict::Failed { "FAILED" } else { one.verdict.word() };
        rows.push(vec![word.to_owned(), seconds, one.name.clone()]);
    }
    let mut lines = Vec::new();
    for (one, row) in results.outcomes.iter().zip(print::columns(&rows).lines()) {
        lines.push(row.to_owned());
        lines.extend(details(one).into_iter().map(|line| format!("    {line}")));
    }
    for line in lines {
        print::line(&line);
    }
    let count = |verdict| results.count(verdict);
    print::line(&format!(
        "{} passed, {} failed, {} untested",
        count(Verdict::Passed),
        count(Verdict::Failed),
        count(Verdict::Untested)
    ));
}

/// Why a test failed, and the last that was said; harmless for a terminal.
fn details(one: &Outcome) -> Vec<String> {
    let mut lines: Vec<String> = one.reason.iter().map(|reason| print::harmless(reason)).collect();
    for mismatch in &one.mismatches {
        let step = mismatch.step.map(|step| format!("step {step}: ")).unwrap_or_default();
        lines.push(format!("{step}{}", print::harmless(&mismatch.what)));
        lines.push(format!("  expected: {}", print::harmless(&mismatch.expected)));
        lines.push(format!("  found:    {}", print::harmless(&mismatch.found)));
    }
    for words in &one.words {
        let step = words.step.map(|step| format!("step {step} ")).unwrap_or_default();
        lines.extend(
            words.lines.iter().map(|line| format!("{step}{}| {}", words.stream, print::harmless(line))),
        );
    }
    lines
}

fn as_json(args: &Args, platform: Platform, results: &Results) -> serde_json::Value {
    let count = |verdict| results.count(verdict);
    json!({
        "image": args.image,
        "platform": platform.to_string(),
        "runtime": results.runtime,
        "isolation": { "enforced": results.isolation.enforced, "missing": results.isolation.missing },
        "tests": results.outcomes.iter().map(Outcome::to_json).collect::<Vec<_>>(),
        "passed": count(Verdict::Passed),
        "failed": count(Verdict::Failed),
        "untested": count(Verdict::Untested),
    })
}

/// Signs what came of it, and attaches it to the platform's manifest: the digests of what is attached.
fn attach(
    global: &Global,
    args: &Args,
    store: &Store,
    image: &Image,
    platform: Platform,
    tests: &Tests,
    results: &Results,
) -> Result<Vec<String>> {
    let signer = args.signing.open(&Global::environment())?;
    let names = |verdict| {
        let of = results.outcomes.iter().filter(|one| one.verdict == verdict);
        of.map(|one| one.name.clone()).collect::<Vec<_>>()
    };
    let predicate = statements::image_tested(&ImageTested {
        platform: platform.to_string(),
        recipe: tests.recipe,
        runtime: results.runtime.clone().unwrap_or_else(|| "none".to_owned()),
        hardpan: pipeline::own_digest(&global.context(&[], true, None)?)?,
        passed: names(Verdict::Passed),
        untested: names(Verdict::Untested),
        failed: names(Verdict::Failed),
    });
    // Opened anew with what is attached by now.
    let again = pull::open_small(&args.image, store, args.plain_http)?;
    let about = vec![statement::subject(&again, Some(&platform.to_string()))?];
    if again.descriptor().map(|found| found.digest) != image.descriptor().map(|found| found.digest) {
        let what = format!("`{}` is another image than the one that was tested", args.image);
        return Err(Problem::new(codes::NOT_VERIFIED, what)
            .help("somebody wrote it meanwhile: test again")
            .into());
    }
    let kind = statements::TEST_RESULT;
    let artifacts = attest::statements(store, signer.as_ref(), &again, &about, kind, &predicate)?;
    let digests = artifacts.iter().map(|artifact| artifact.descriptor.digest.to_string()).collect();
    attest::attach(global, &args.image, args.plain_http, store, again, &artifacts)?;
    Ok(digests)
}
