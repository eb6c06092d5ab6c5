//! `hardpan closure`: what the image of a recipe holds, package by package, and what needs what.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::{Value, json};

use super::{Global, print};
use crate::attest::{Brought, Needed, PathReason, Reasons};
use crate::canon::Compression;
use crate::diag::Result;
use crate::host::size;
use crate::ident::{ImagePath, Platform};
use crate::pipeline::{self, Context, Finished, LockMode, Order};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A recipe, such as recipes/python.toml
    #[arg(value_name = "RECIPE")]
    recipe: PathBuf,
    /// Which variant, such as dev
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    /// On which platform; the first of the recipe's if not said
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<Platform>,
    /// Use the lock as it is, or fail
    #[arg(long)]
    locked: bool,
    /// Use the store only, never the network
    #[arg(long)]
    offline: bool,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<()> {
    let context = global.context(std::slice::from_ref(&args.recipe), args.offline, None)?;
    let order = Order {
        recipe: args.recipe.clone(),
        variant: args.variant.clone(),
        platforms: args.platform.map(|platform| vec![platform]),
        compression: Compression::default(),
        mode: if args.locked { LockMode::Locked } else { LockMode::Needed },
    };
    let finished = pipeline::build(&context, &order)?;
    if !global.quiet {
        super::lock::say(&finished.report);
        finished.warnings.iter().for_each(|warning| global.say(warning));
    }
    let closure = Closure::of(&reasons(&context, &finished)?);
    if global.json {
        print::line(&closure.json(finished.built.name.as_str()).to_string());
    } else {
        print::line(&print::lines(&closure.text(finished.built.name.as_str(), global.verbose)));
    }
    Ok(())
}

fn reasons(context: &Context, finished: &Finished) -> Result<Reasons> {
    let platform = finished.layers[0].chain.platform;
    let pins = finished.pinned.lock.packages.get(&platform);
    let version = |name: &_| Some(pins?.get(name)?.version.to_string());
    Ok(Reasons::of(platform, &finished.inventories(context)?[0], version))
}

/// A package, or what a recipe makes by itself.
#[derive(Default)]
struct Part {
    version: Option<String>,
    recipe: String,
    asked: bool,
    size: u64,
    paths: BTreeMap<ImagePath, PathReason>,
}

struct Closure {
    platform: String,
    parts: BTreeMap<String, Part>,
    /// Which part needs which, and by which files.
    needs: BTreeMap<String, BTreeMap<String, BTreeSet<Needed>>>,
}

impl Closure {
    fn of(reasons: &Reasons) -> Self {
        let mut parts: BTreeMap<String, Part> = BTreeMap::new();
        for (path, reason) in &reasons.paths {
            let part = parts.entry(name_of(reason)).or_default();
            part.version = part.version.take().or_else(|| reason.version.clone());
            part.recipe.clone_from(&reason.recipe);
            part.asked |= matches!(reason.reason, Brought::Asked | Brought::Made);
            part.size += reason.size;
            part.paths.insert(path.clone(), reason.clone());
        }
        let mut needs: BTreeMap<String, BTreeMap<String, BTreeSet<Needed>>> = BTreeMap::new();
        for reason in reasons.paths.values() {
            let own = name_of(reason);
            for needed in &reason.needed {
                let by = reasons.paths.get(&needed.by).map(name_of).unwrap_or_default();
                if by != own && !by.is_empty() {
                    needs.entry(by).or_default().entry(own.clone()).or_default().insert(needed.clone());
                }
            }
        }
        Self { platform: reasons.platform.clone(), parts, needs }
    }

    fn text(&self, name: &str, verbose: bool) -> String {
        let size_of = |parts: &BTreeMap<String, Part>| parts.values().map(|part| part.size).sum::<u64>();
        let paths: usize = self.parts.values().map(|part| part.paths.len()).sum();
        let mut lines = vec![format!(
            "{name} for {}: {} in {paths} paths of {} parts",
            self.platform,
            size(size_of(&self.parts)),
            self.parts.len()
        )];
        let mut told = BTreeSet::new();
        let mut roots: Vec<(&String, &Part)> = self.parts.iter().filter(|(_, part)| part.asked).collect();
        roots.sort_by_key(|(name, part)| (std::cmp::Reverse(part.size), (*name).clone()));
        for (part, _) in roots {
            self.branch(part, None, 0, verbose, &mut told, &mut lines);
        }
        let left: Vec<&String> = self.parts.keys().filter(|part| !told.contains(*part)).collect();
        for part in left {
            self.branch(part, None, 0, verbose, &mut told, &mut lines);
        }
        lines.join("\n")
    }

    /// A part, and below it what it needs that nobody has shown yet.
    fn branch(
        &self,
        name: &String,
        needed: Option<&BTreeSet<Needed>>,
        depth: usize,
        verbose: bool,
        told: &mut BTreeSet<String>,
        lines: &mut Vec<String>,
    ) {
        let part = &self.parts[name];
        let indent = "  ".repeat(depth + 1);
        let why = needed.and_then(BTreeSet::first).map_or_else(
            || format!("recipe {} asks for it", part.recipe),
            |first| {
                let more = needed.map_or(0, BTreeSet::len) - 1;
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                let how = if first.how == "opened" { "opens it for" } else { "needs" };
                format!("{} {how} {}{more}", first.by, first.name)
            },
        );
        let again = !told.insert(name.clone());
        let facts = if again {
            "see above".to_owned()
        } else {
            format!("{}, paths: {}", size(part.size), part.paths.len())
        };
        let version = part.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
        lines.push(format!("{indent}{name}{version}  {facts}  ({why})"));
        if again {
            return;
        }
        if verbose {
            lines.extend(
                part.paths.iter().map(|(path, reason)| format!("{indent}    {path}  {}", size(reason.size))),
            );
        }
        for (needs, by) in self.needs.get(name).into_iter().flatten() {
            // What the recipe asks for is a branch of its own.
            if !self.parts[needs].asked {
                self.branch(needs, Some(by), depth + 1, verbose, told, lines);
            }
        }
    }

    fn json(&self, name: &str) -> Value {
        let part = |(name, part): (&String, &Part)| {
            let needs = self.needs.get(name).into_iter().flatten();
            json!({
                "name": name,
                "version": part.version,
                "recipe": part.recipe,
                "asked": part.asked,
                "size": part.size,
                "paths": part.paths.keys().collect::<Vec<_>>(),
                "needs": needs.map(|(needs, by)| json!({ "name": needs, "by": by })).collect::<Vec<_>>(),
            })
        };
        json!({
            "name": name,
            "platform": self.platform,
            "size": self.parts.values().map(|part| part.size).sum::<u64>(),
            "parts": self.parts.iter().map(part).collect::<Vec<_>>(),
        })
    }
}

/// The package of a path; what belongs to none, by who makes it.
fn name_of(reason: &PathReason) -> String {
    match (&reason.package, &reason.source, reason.reason) {
        (Some(package), _, _) => package.clone(),
        (None, Some(source), _) => source.clone(),
        (None, None, Brought::Made) => "made by hardpan".to_owned(),
        (None, None, _) => "written in recipes".to_owned(),
    }
}
