//! `hardpan why`: the chain of reasons for which a file is in an image.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Value, json};

use super::signing::TrustArgs;
use super::{Global, print, pull, statement};
use crate::attest::{self, Brought, Needed, PathReason, Reasons};
use crate::diag::{Failure, Problem, Result, codes, nearest};
use crate::host::size;
use crate::ident::ImagePath;
use crate::image::Image;
use crate::recipe::merged;
use crate::store::Store;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// An OCI layout folder, an archive file, or a reference
    #[arg(value_name = "IMAGE")]
    image: String,
    /// The file, link or folder, such as /usr/lib/x86_64-linux-gnu/libz.so.1
    #[arg(value_name = "PATH")]
    path: String,
    /// On which platform; on each if not said
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<String>,
    /// Speak plain http with registries that are not on this machine
    #[arg(long)]
    plain_http: bool,
    #[command(flatten)]
    trust: TrustArgs,
}

/// One step of a chain: a path, and who needs it.
type Step<'a> = (ImagePath, Option<&'a Needed>);

pub(super) fn run(global: &Global, args: &Args) -> Result<()> {
    let wanted: ImagePath = merged(&args.path)
        .parse()
        .map_err(|error| Problem::new(codes::USAGE, format!("{error}")).help("write the whole path"))?;
    let store = Store::open(&global.store_path()?)?;
    let image = pull::open_small(&args.image, &store, args.plain_http)?;
    let all = reasons(args, &image)?;
    let mut found = Vec::new();
    let mut missing = Vec::new();
    for reasons in &all {
        match Found::of(reasons, &wanted) {
            Some(one) => found.push(one),
            None => missing.push(no_such_path(&args.image, reasons, &wanted)),
        }
    }
    if found.is_empty() {
        return Failure::check(missing);
    }
    if global.json {
        print::line(&Value::Array(found.iter().map(Found::json).collect()).to_string());
        return Ok(());
    }
    // Platforms whose answers are the same are told once.
    let mut told: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for one in &found {
        told.entry(one.text(global.verbose)).or_default().push(&one.reasons.platform);
    }
    for (text, platforms) in told {
        let label = if found.len() > 1 { format!("{}\n", platforms.join(", ")) } else { String::new() };
        print::line(&print::lines(&format!("{label}{text}")));
    }
    Ok(())
}

/// What the image says of itself, for the platform that is asked for or for each.
fn reasons(args: &Args, image: &Image) -> Result<Vec<Reasons>> {
    let platforms: Vec<String> = match &args.platform {
        Some(platform) => vec![platform.clone()],
        None => image.platforms.iter().map(|platform| platform.platform.clone()).collect(),
    };
    let read = |platform: &String| {
        let about = statement::subject(image, Some(platform))?;
        let predicate = statement::predicate(&args.trust, image, &about, attest::CLOSURE)?;
        serde_json::from_value(predicate).map_err(|error| {
            let what = format!("what `{}` says of its files does not read", image.name());
            Failure::from(Problem::new(codes::BAD_BUNDLE, what).found(error))
        })
    };
    platforms.iter().map(read).collect()
}

fn no_such_path(image: &str, reasons: &Reasons, wanted: &ImagePath) -> Problem {
    let what = format!("`{wanted}` is not in `{image}` for {}", reasons.platform);
    let name = wanted.file_name();
    let same = reasons.paths.keys().find(|path| path.file_name() == name).map(ImagePath::as_str);
    let near = same.or_else(|| nearest(wanted.as_str(), reasons.paths.keys().map(ImagePath::as_str)));
    let help = near.map_or_else(
        || "`hardpan inspect` shows what the image holds".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    Problem::new(codes::NOT_IN_IMAGE, what).help(help)
}

/// A path of an image, and what is known of it.
struct Found<'a> {
    reasons: &'a Reasons,
    path: ImagePath,
    /// What is below it, if it is a folder.
    below: Vec<(&'a ImagePath, &'a PathReason)>,
}

impl<'a> Found<'a> {
    fn of(reasons: &'a Reasons, path: &ImagePath) -> Option<Self> {
        let below: Vec<_> =
            reasons.paths.iter().filter(|(other, _)| *other != path && other.is_under(path)).collect();
        let there = reasons.paths.contains_key(path) || !below.is_empty();
        there.then(|| Self { reasons, path: path.clone(), below })
    }

    fn reason(&self) -> Option<&'a PathReason> {
        self.reasons.paths.get(&self.path)
    }

    /// The shortest way from a path to one that a recipe asks for, or that is there for itself.
    fn chain(&self) -> Vec<Step<'a>> {
        let mut queue = VecDeque::from([vec![(self.path.clone(), None)]]);
        let mut seen = BTreeSet::from([self.path.clone()]);
        let mut longest = Vec::new();
        while let Some(chain) = queue.pop_front() {
            let (path, _) = chain.last().expect("a chain begins somewhere");
            let Some(reason) = self.reasons.paths.get(path) else { return chain };
            if reason.reason != Brought::Needed {
                return chain;
            }
            for needed in &reason.needed {
                if seen.insert(needed.by.clone()) {
                    let mut next = chain.clone();
                    next.push((needed.by.clone(), Some(needed)));
                    queue.push_back(next);
                }
            }
            longest = chain;
        }
        longest
    }

    fn text(&self, verbose: bool) -> String {
        let Some(reason) = self.reason() else { return self.folder() };
        let mut lines = vec![format!("{}{}", self.path, facts(reason))];
        for (at, (path, needed)) in self.chain().iter().enumerate() {
            let indent = "  ".repeat(at);
            if let Some(needed) = needed {
                let facts = self.reasons.paths.get(path).map(facts).unwrap_or_default();
                lines.push(format!("{indent}needed {} by {path}{facts}", how(needed)));
            }
            match self.reasons.paths.get(path) {
                Some(reason) if reason.reason != Brought::Needed => {
                    lines.push(format!("{indent}  {}", itself(reason)));
                }
                _ => {}
            }
        }
        lines.extend(self.others(reason, verbose));
        lines.join("\n")
    }

    /// Who else needs it.
    fn others(&self, reason: &PathReason, verbose: bool) -> Vec<String> {
        let told: Vec<ImagePath> = self.chain().into_iter().map(|(path, _)| path).collect();
        let rest: Vec<&Needed> = reason.needed.iter().filter(|needed| !told.contains(&needed.by)).collect();
        let shown = if verbose { rest.len() } else { rest.len().min(4) };
        let mut lines: Vec<String> = rest[..shown]
            .iter()
            .map(|needed| format!("also needed {} by {}", how(needed), needed.by))
            .collect();
        if shown < rest.len() {
            lines.push(format!("and by {} more (`--verbose` lists them)", rest.len() - shown));
        }
        lines
    }

    fn folder(&self) -> String {
        let mut packages: BTreeMap<String, (usize, u64)> = BTreeMap::new();
        for (_, reason) in &self.below {
            let of = reason.package.clone().unwrap_or_else(|| format!("recipe {}", reason.recipe));
            let count = packages.entry(of).or_default();
            count.0 += 1;
            count.1 += reason.size;
        }
        let total: u64 = self.below.iter().map(|(_, reason)| reason.size).sum();
        let mut lines = vec![format!(
            "{}  a folder, for what is in it: {} paths, {}",
            self.path,
            self.below.len(),
            size(total)
        )];
        let rows: Vec<Vec<String>> = packages
            .iter()
            .map(|(of, (count, bytes))| vec![format!("  {of}"), count.to_string(), size(*bytes)])
            .collect();
        lines.push(print::columns(&rows));
        lines.join("\n")
    }

    fn json(&self) -> Value {
        let chain = self.chain();
        let steps: Vec<Value> = chain
            .iter()
            .map(|(path, needed)| {
                json!({ "path": path, "needs": needed.map(|needed| json!({ "as": needed.how, "name": needed.name })) })
            })
            .collect();
        json!({
            "platform": self.reasons.platform,
            "path": self.path,
            "why": self.reason(),
            "chain": if self.reason().is_some() { steps } else { Vec::new() },
            "holds": self.below.iter().map(|(path, _)| path).collect::<Vec<_>>(),
        })
    }
}

fn facts(reason: &PathReason) -> String {
    let link = reason.link.as_ref().map(|target| format!("a link to {target}"));
    let bytes = if link.is_none() { Some(size(reason.size)) } else { None };
    let package = reason.package.as_ref().map(|package| {
        format!("package {package} {}", reason.version.clone().unwrap_or_default()).trim_end().to_owned()
    });
    let recipe = Some(format!("recipe {}", reason.recipe));
    let facts: Vec<String> =
        [link, bytes, package, reason.source.clone(), recipe].into_iter().flatten().collect();
    format!("  ({})", facts.join(", "))
}

fn how(needed: &Needed) -> String {
    match needed.how.as_str() {
        "opened" => format!("at run time ({})", needed.name),
        how => format!("as {how} {}", needed.name),
    }
}

/// Why something is there that nothing else has to need.
fn itself(reason: &PathReason) -> String {
    match (reason.reason, &reason.package) {
        (Brought::Asked, Some(package)) => {
            format!("recipe `{}` asks for it, of package `{package}`", reason.recipe)
        }
        (Brought::Asked, None) => format!("recipe `{}` says it", reason.recipe),
        (Brought::Licence, Some(package)) => format!("the licence of package `{package}`"),
        (Brought::Licence | Brought::Made | Brought::Needed, _) => {
            "hardpan made it, as a maintainer script would have".to_owned()
        }
    }
}
