//! Many images, one after the other, with a report.

use std::path::Path;

use super::report::{self, Entry, Verdict};
use super::{Args, Global, again, explain, outcome};
use crate::cli::{print, pull};
use crate::diag::{Failure, Problem, Result, codes};
use crate::host;
use crate::ident::{Prefix, Reference};
use crate::pipeline::Context;
use crate::publish::{self, Purpose};

/// The images of a folder, or below a prefix of a registry.
pub(super) fn every(args: &Args, context: &Context, all: &str) -> Result<Vec<String>> {
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
pub(super) fn queue(
    global: &Global,
    args: &Args,
    context: &Context,
    signers: &outcome::Signers,
    images: &[String],
) -> Result<()> {
    let mut entries: Vec<Entry> = images.iter().map(|image| Entry::waiting(image)).collect();
    // What an earlier run said is not what this one says.
    report::write(&args.report, &entries)?;
    for at in 0..entries.len() {
        let text = entries[at].image.clone();
        let watch = host::Stopwatch::start();
        let verdict = verdict(global, args, context, signers, &text)
            .unwrap_or_else(|failure| Verdict::Failed(failure.problems().iter().map(in_a_line).collect()));
        entries[at] = Entry { seconds: watch.elapsed().as_secs_f64(), verdict, ..Entry::waiting(&text) };
        context.progress.say(entries[at].word(), &text);
        report::write(&args.report, &entries)?;
    }
    if global.json {
        print::line(&report::to_json(&entries).to_string());
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

/// What comes of one image; what is signed is attached, or kept with the report.
fn verdict(
    global: &Global,
    args: &Args,
    context: &Context,
    signers: &outcome::Signers,
    text: &str,
) -> Result<Verdict> {
    let rebuilt = again(args, context, text)?;
    let differences = explain::explain(context, &rebuilt)?;
    let (wanted, found) = (rebuilt.wanted(), rebuilt.found);
    let place = outcome::Place(args.report.join(format!("{}.rebuild.json", wanted.0)));
    outcome::sign(global, args, context, signers, &rebuilt, &differences, &place)?;
    Ok(Verdict::Built { wanted, found, differences })
}

/// A problem with its facts, in one line.
fn in_a_line(problem: &Problem) -> String {
    let facts = problem.facts.iter().map(|(name, value)| format!("; {name}: {value}"));
    format!("{}: {}{}", problem.code, problem.message, facts.collect::<String>())
}
