//! `hardpan vex list|check`: what was decided, and whether it still holds.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::vex::{Which, locked};
use super::{Global, print};
use crate::advisory::{Shelf, Snapshot};
use crate::diag::{Failure, Problem, Result};
use crate::host;
use crate::vex::{Claim, Decision, Standing, open_document};

#[derive(Debug, clap::Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, clap::Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    which: Which,
    /// Check this OpenVEX document of others too; may be given several times
    #[arg(long, value_name = "FILE")]
    document: Vec<PathBuf>,
}

/// The snapshot that is asked, if there is any.
fn snapshot(global: &Global, which: &Which) -> Result<Option<Snapshot>> {
    let shelf = Shelf::at(&global.store_path()?);
    if let Some(name) = &which.advisories {
        return shelf.open_named(name).map(Some);
    }
    match shelf.current()? {
        Some(current) => shelf.open(&current.digest).map(Some),
        None => Ok(None),
    }
}

/// A decision, and what is to be said of it.
struct Row<'a> {
    decision: &'a Decision,
    standing: Standing,
    gone: bool,
}

impl Row<'_> {
    /// Whether it counts, in a word.
    fn counts(&self) -> &'static str {
        match (self.standing, self.gone) {
            (Standing::Expired, _) => "expired",
            (Standing::NotYet, _) => "future",
            (Standing::Holds, true) => "gone",
            (Standing::Holds, false) => "holds",
        }
    }

    fn cells(&self) -> Vec<String> {
        let decision = self.decision;
        let day = |at: crate::ident::Epoch| at.to_string()[..10].to_owned();
        vec![
            decision.id.clone(),
            decision.images.to_string(),
            packages(decision),
            claim(decision),
            self.counts().to_owned(),
            decision.expires.map_or_else(|| "-".to_owned(), day),
            decision.author.clone(),
            decision.written(),
        ]
    }

    fn json(&self) -> Value {
        let decision = self.decision;
        let (paths, binaries, impact, action) = match &decision.claim {
            Claim::Stands { impact, action, .. } => {
                (Vec::new(), Vec::new(), impact.as_ref(), action.as_ref())
            }
            Claim::Within { paths, binaries } => (
                paths.iter().map(ToString::to_string).collect(),
                binaries.iter().cloned().collect(),
                None,
                None,
            ),
        };
        json!({
            "cve": decision.id, "images": decision.images.to_string(), "packages": decision.packages,
            "status": decision.claim.status(), "justification": decision.claim.justification(), "by": decision.claim.by(),
            "paths": paths, "binaries": binaries, "impact": impact, "action": action, "reason": decision.reason,
            "author": decision.author, "date": decision.date, "expires": decision.expires,
            "counts": self.counts(), "written": decision.written(),
        })
    }
}

fn packages(decision: &Decision) -> String {
    decision.packages.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// What was said, in a few words.
fn claim(decision: &Decision) -> String {
    match &decision.claim {
        Claim::Stands { status, justification, .. } => {
            let why = justification.map(|word| format!(": {word}")).unwrap_or_default();
            format!("{status}{why}")
        }
        Claim::Within { paths, binaries } => {
            let places = paths.iter().map(ToString::to_string).chain(binaries.iter().cloned());
            format!("only in {}", places.collect::<Vec<_>>().join(", "))
        }
    }
}

pub(super) fn list(global: &Global, args: &ListArgs) -> Result<()> {
    let scope = args.which.open()?;
    let now = host::now();
    let gone = scope.decisions.gone(&locked(&scope.catalog), snapshot(global, &args.which)?.as_ref())?;
    let row = |(at, decision)| {
        let decision: &Decision = decision;
        Row { decision, standing: decision.standing(now), gone: gone.iter().any(|(place, _)| *place == at) }
    };
    let rows: Vec<Row> = scope.decisions.own().iter().enumerate().map(row).collect();
    if global.json {
        print::line(&Value::Array(rows.iter().map(Row::json).collect()).to_string());
    } else if !rows.is_empty() {
        print::line(&print::columns(&rows.iter().map(Row::cells).collect::<Vec<_>>()));
    }
    Ok(())
}

pub(super) fn check(global: &Global, args: &CheckArgs) -> Result<()> {
    let scope = args.which.open()?;
    let snapshot = snapshot(global, &args.which)?;
    let mut problems = scope.decisions.idle(host::now());
    let gone = scope.decisions.gone(&locked(&scope.catalog), snapshot.as_ref())?;
    problems.extend(gone.into_iter().map(|(_, problem)| problem));
    // What is a warning elsewhere is what this verb is asked for.
    for problem in &mut problems {
        problem.warning = false;
    }
    let mut strangers = Vec::new();
    for path in &args.document {
        match open_document(path) {
            Ok(document) => strangers.extend(document.strangers(&scope.products)),
            Err(failure) => problems.extend(failure.into_problems()),
        }
    }
    for warning in &strangers {
        global.say(warning);
    }
    let count = scope.decisions.own().len();
    if global.json {
        print::line(&summary(count, snapshot.as_ref(), &problems, &strangers).to_string());
        return Failure::check(problems).map_err(Failure::told);
    }
    let asked = match &snapshot {
        None => "no advisories are there, so CVEs were not looked up: `hardpan advisories import`".to_owned(),
        Some(snapshot) => match snapshot.head().caveat() {
            Some(caveat) => format!("CVEs were not looked up in the snapshot, which was {caveat}"),
            None => format!("advisories of {}, sha256:{}", snapshot.head().date, snapshot.digest()),
        },
    };
    if !global.quiet {
        print::error(&format!("{:>12} {asked}", "Asked"));
    }
    Failure::check(problems)?;
    let words = if count == 1 { "1 decision holds".to_owned() } else { format!("{count} decisions hold") };
    print::line(&words);
    Ok(())
}

fn summary(count: usize, snapshot: Option<&Snapshot>, problems: &[Problem], strangers: &[Problem]) -> Value {
    let json = |problems: &[Problem]| problems.iter().map(print::problem_json).collect::<Vec<_>>();
    json!({
        "decisions": count, "problems": json(problems), "warnings": json(strangers),
        "advisories": snapshot.map(|snapshot| json!({
            "digest": snapshot.digest(), "date": snapshot.head().date, "derived_only": !snapshot.head().tells_what_is_open(),
        })),
    })
}
