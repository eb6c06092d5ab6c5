//! `hardpan mirrors`: where archives are looked for, and why.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::{Global, print};
use crate::diag::Result;
use crate::lock;
use crate::recipe::Family;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The recipes whose archives are looked up; without any, Debian's own
    #[arg(value_name = "RECIPE")]
    recipes: Vec<PathBuf>,
    /// The Debian suite to look for, where no recipe says one
    #[arg(long, default_value = "trixie")]
    suite: String,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<()> {
    let (mirrors, _) = global.mirrors(&args.recipes)?;
    let mut archives = Vec::new();
    for recipe in &args.recipes {
        let family = Family::open(recipe)?;
        for platform in family.platforms() {
            archives.extend(lock::archives(&family.chain(None, platform)?)?);
        }
    }
    if args.recipes.is_empty() {
        archives = lock::debian_archives(&args.suite);
    }
    archives.sort_by(|a, b| a.name.cmp(&b.name));
    archives.dedup_by(|a, b| a.name == b.name);
    let mut all = Vec::new();
    for archive in &archives {
        let asked = mirrors.look(archive)?;
        let rows = asked.iter().map(|asked| {
            json!({ "url": asked.mirror.url.to_string(), "said_by": asked.mirror.said_by, "used": asked.passed_by.is_none(), "why": asked.passed_by })
        });
        all.push(
            json!({ "archive": archive.name, "suites": archive.suites, "mirrors": rows.collect::<Vec<_>>() }),
        );
        if !global.json {
            let rows: Vec<Vec<String>> = asked
                .iter()
                .map(|asked| {
                    let why = asked
                        .passed_by
                        .as_ref()
                        .map_or_else(|| "used".to_owned(), |why| format!("passed by: {why}"));
                    vec![format!("  {}", asked.mirror.url), asked.mirror.said_by.clone(), why]
                })
                .collect();
            print::line(&format!("{} ({})", archive.name, archive.suites.join(", ")));
            let none = format!("  none known: give `--mirror {}=URL`", archive.name);
            print::line(&if rows.is_empty() { none } else { print::columns(&rows) });
        }
    }
    if global.json {
        print::line(&Value::Array(all).to_string());
    }
    Ok(())
}
