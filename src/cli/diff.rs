//! `hardpan diff`: what changed between two images, by package and by file.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Global, print, pull};
use crate::diag::Result;
use crate::image::{Contents, FileFacts, Image, contents};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The one image
    #[arg(value_name = "A")]
    before: String,
    /// The other image
    #[arg(value_name = "B")]
    after: String,
    /// Speak plain http with registries that are not on this machine
    #[arg(long)]
    plain_http: bool,
}

/// A difference: what it is of, before, after.
type Row = (String, Option<String>, Option<String>);

pub(super) fn run(global: &Global, args: &Args) -> Result<()> {
    let open = |text: &str| pull::open_any(global, text, args.plain_http);
    let (before, after) = (by_platform(&open(&args.before)?)?, by_platform(&open(&args.after)?)?);
    let platforms: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let empty = Contents::default();
    let mut all = serde_json::Map::new();
    for platform in platforms {
        let (a, b) = (before.get(platform).unwrap_or(&empty), after.get(platform).unwrap_or(&empty));
        let version = |facts: &crate::image::PackageFacts| facts.version.clone();
        let packages = rows(&a.packages, &b.packages, version);
        let files = rows(&a.files, &b.files, facts);
        if global.json {
            all.insert(
                platform.clone(),
                json!({ "packages": json_rows("", &packages), "files": json_rows("/", &files) }),
            );
        } else {
            print::line(&text(platform, &packages, &files));
        }
    }
    if global.json {
        print::line(&Value::Object(all).to_string());
    }
    Ok(())
}

fn by_platform(image: &Image) -> Result<BTreeMap<String, Contents>> {
    image
        .platforms
        .iter()
        .map(|platform| Ok((platform.platform.clone(), contents(image, platform)?)))
        .collect()
}

/// What is said of a file: enough to see in which way it differs.
fn facts(facts: &FileFacts) -> String {
    let content = match (&facts.link, &facts.sha256) {
        (Some(link), _) => format!("-> {link}"),
        (None, Some(sha256)) => format!("{} bytes, sha256 {}", facts.size, sha256.short()),
        (None, None) => String::new(),
    };
    format!("{} {:04o} {} {content}", facts.kind, facts.mode, facts.owner).trim_end().to_owned()
}

fn rows<T>(
    before: &BTreeMap<String, T>,
    after: &BTreeMap<String, T>,
    say: impl Fn(&T) -> String,
) -> Vec<Row> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let rows =
        names.into_iter().map(|name| (name.clone(), before.get(name).map(&say), after.get(name).map(&say)));
    rows.filter(|(_, before, after)| before != after).collect()
}

fn json_rows(slash: &str, rows: &[Row]) -> Vec<Value> {
    rows.iter()
        .map(|(name, before, after)| json!({ "name": format!("{slash}{name}"), "before": before, "after": after }))
        .collect()
}

fn text(platform: &str, packages: &[Row], files: &[Row]) -> String {
    if packages.is_empty() && files.is_empty() {
        return format!("{platform}: no difference");
    }
    let line = |slash: &str| {
        let slash = slash.to_owned();
        move |(name, before, after): &Row| match (before, after) {
            (None, Some(after)) => format!("  + {slash}{name}  {after}"),
            (Some(before), None) => format!("  - {slash}{name}  {before}"),
            (before, after) => {
                let text = |side: &Option<String>| side.clone().unwrap_or_default();
                format!("  ~ {slash}{name}  {}  =>  {}", text(before), text(after))
            }
        }
    };
    let packages: Vec<String> = packages.iter().map(line("")).map(|line| print::harmless(&line)).collect();
    let files: Vec<String> = files.iter().map(line("/")).map(|line| print::harmless(&line)).collect();
    format!(
        "{platform}\n packages ({})\n{}\n files ({})\n{}",
        packages.len(),
        packages.join("\n"),
        files.len(),
        files.join("\n")
    )
}
