//! What `hardpan patch` prints: what would be done, and what was done.

use serde_json::{Value, json};

use super::{Global, print};
use crate::catalog::{Catalog, ImageTask};
use crate::diag::Result;
use crate::patch::{Move, Outcome, Plan, Planned};

/// An image that was kept back while its lock moved, and what it lacks.
pub(super) struct Late {
    /// The place of its recipe.
    pub(super) at: usize,
    /// What it is called.
    pub(super) image: String,
    /// What the lock has and it has not.
    pub(super) moves: Vec<Move>,
}

/// What would be done.
pub(super) fn plan(global: &Global, catalog: &Catalog, plan: &Plan, late: &[Late]) -> Result<()> {
    plan.warnings.iter().for_each(|warning| global.say(warning));
    let rows = catalog.entries.iter().zip(&plan.recipes).enumerate();
    if global.json {
        for (at, (entry, planned)) in rows {
            let mut row = match planned {
                Ok(planned) => planned_json(planned),
                Err(failure) => {
                    json!({ "problems": failure.problems().iter().map(print::problem_json).collect::<Vec<_>>() })
                }
            };
            row["name"] = json!(entry.name);
            let late = late.iter().filter(|late| late.at == at);
            row["late"] =
                late.map(|late| json!({ "image": late.image, "moves": moves_json(&late.moves) })).collect();
            print::line(&row.to_string());
        }
    } else {
        let mut lines = Vec::new();
        for (at, (entry, planned)) in rows {
            if let Ok(planned) = planned {
                lines.extend(plan_lines(&entry.name, planned));
            }
            for late in late.iter().filter(|late| late.at == at) {
                lines.extend(late.moves.iter().map(|one| move_line(&late.image, "lacks", one)));
            }
        }
        if lines.is_empty() {
            lines.push(vec!["nothing moves".to_owned()]);
        }
        print::line(&print::columns(&lines));
    }
    let failures = plan.recipes.iter().filter_map(|planned| planned.as_ref().err());
    crate::diag::Failure::check(failures.flat_map(|failure| failure.problems().to_vec()).collect())
}

fn plan_lines(name: &str, planned: &Planned) -> Vec<Vec<String>> {
    let mut lines = Vec::new();
    for (word, moves) in [("moves", &planned.moves), ("waits", &planned.waiting)] {
        lines.extend(moves.iter().map(|one| move_line(name, word, one)));
    }
    for held in &planned.held {
        lines.push(vec![
            name.to_owned(),
            "stays".to_owned(),
            held.package.to_string(),
            held.pinned.to_string(),
            format!("the archives went back to {}", held.offered),
        ]);
    }
    if planned.before.is_none() {
        lines.push(vec![
            name.to_owned(),
            "is new".to_owned(),
            String::new(),
            String::new(),
            "it has no lock".to_owned(),
        ]);
    }
    lines
}

fn move_line(name: &str, word: &str, one: &Move) -> Vec<String> {
    let since = one.fixes.iter().filter_map(|fix| fix.available).min();
    let since = since.map(|since| format!(", to be had since {since}")).unwrap_or_default();
    vec![
        name.to_owned(),
        word.to_owned(),
        one.source.to_string(),
        format!("{} → {}", one.from, one.to),
        format!("{}{since}", why(one)),
    ]
}

fn why(one: &Move) -> String {
    let names: Vec<&str> = one.fixes.iter().map(|fix| fix.id.as_str()).collect();
    match (&names[..], one.security_archive) {
        ([], true) => "from the security archive, names no CVE".to_owned(),
        ([], false) => "names no CVE".to_owned(),
        (names, _) => format!("fixes {}", names.join(" ")),
    }
}

fn moves_json(moves: &[Move]) -> Value {
    let one = |one: &Move| {
        json!({
            "source": one.source, "from": one.from, "to": one.to, "packages": one.binaries,
            "security_archive": one.security_archive, "fixes": one.fixes,
        })
    };
    moves.iter().map(one).collect()
}

fn planned_json(planned: &Planned) -> Value {
    let held = planned
        .held
        .iter()
        .map(|held| json!({ "package": held.package, "pinned": held.pinned, "offered": held.offered }));
    json!({
        "moves": moves_json(&planned.moves),
        "waiting": moves_json(&planned.waiting),
        "held": held.collect::<Vec<_>>(),
        "is_new": planned.before.is_none(),
    })
}

/// What was done.
pub(super) fn outcomes(
    global: &Global,
    plan: &Plan,
    tasks: &[ImageTask],
    outcomes: &[Outcome],
    seconds: f64,
) {
    plan.warnings.iter().for_each(|warning| global.say(warning));
    if global.json {
        for (task, outcome) in tasks.iter().zip(outcomes) {
            print::line(&json_row(plan, task, outcome).to_string());
        }
        return;
    }
    let head = ["image", "outcome", "digest", "fixes", "tests", "where"].map(str::to_owned).to_vec();
    let mut rows = vec![head];
    let dash = || "-".to_owned();
    for (task, outcome) in tasks.iter().zip(outcomes) {
        let row = match outcome {
            Outcome::UpToDate(_) => continue,
            Outcome::Out(done) => vec![
                task.name(),
                outcome.word().to_owned(),
                done.digest.0.short(),
                done.fixed.len().to_string(),
                done.tests.map_or_else(dash, |passed| format!("{passed} passed")),
                done.place.clone(),
            ],
            Outcome::Decided(digest) => {
                vec![task.name(), outcome.word().to_owned(), digest.0.short(), dash(), dash(), dash()]
            }
            Outcome::KeptBack(kept) => {
                let out = kept.out.map_or_else(dash, |out| out.0.short());
                vec![task.name(), outcome.word().to_owned(), out, dash(), dash(), dash()]
            }
            Outcome::NotTried(_, out) => {
                let out = out.map_or_else(dash, |out| out.0.short());
                vec![task.name(), outcome.word().to_owned(), out, dash(), dash(), dash()]
            }
        };
        rows.push(row);
        if let Outcome::Out(done) = outcome {
            done.warnings.iter().for_each(|warning| global.say(&warning.clone().fact("image", task.name())));
        }
    }
    if rows.len() > 1 {
        print::line(&print::columns(&rows));
    }
    if !global.quiet {
        print::error(&totals(outcomes, seconds));
    }
}

fn totals(outcomes: &[Outcome], seconds: f64) -> String {
    let count = |word: &str| outcomes.iter().filter(|outcome| outcome.word() == word).count();
    if count("up to date") == outcomes.len() {
        return format!("{:>12} all {} images are up to date, in {seconds:.2} s", "Nothing", outcomes.len());
    }
    let words =
        ["out", "decisions out", "up to date", "kept back", "not tried"].map(|word| (count(word), word));
    let words: Vec<String> =
        words.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    format!("{:>12} {} images: {}, in {seconds:.2} s", "Done", outcomes.len(), words.join(", "))
}

fn json_row(plan: &Plan, task: &ImageTask, outcome: &Outcome) -> Value {
    let nothing = Planned::default();
    let mut row = planned_json(plan.recipes[task.at].as_ref().unwrap_or(&nothing));
    match outcome {
        Outcome::UpToDate(digest) | Outcome::Decided(digest) => row["digest"] = json!(digest),
        Outcome::Out(done) => {
            row["digest"] = json!(done.digest);
            row["before"] = json!(done.before);
            row["place"] = json!(done.place);
            row["tags"] = json!(done.tags);
            row["fixed"] = json!(done.fixed);
            row["tests_passed"] = json!(done.tests);
            row["note"] = json!(done.note);
        }
        Outcome::KeptBack(kept) => {
            row["digest"] = json!(kept.out);
            row["built"] = json!(kept.built);
            row["problems"] = kept.failure.problems().iter().map(print::problem_json).collect();
        }
        Outcome::NotTried(cause, out) => {
            row["digest"] = json!(out);
            row["because"] = json!(cause.culprit());
        }
    }
    row["name"] = json!(task.entry.name);
    row["variant"] = json!(task.variant);
    row["outcome"] = json!(outcome.word());
    row
}
