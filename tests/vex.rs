//! Decisions on vulnerabilities: how they are written, which one counts, what is said of them to others, and
//! what is made of hostile ones.
#![allow(clippy::disallowed_methods)] // tests are their own host

#[path = "vex/adding.rs"]
mod adding;
#[path = "vex/attached.rs"]
mod attached;
#[path = "vex/documents.rs"]
mod documents;
#[path = "vex/foreign.rs"]
mod foreign;
#[path = "vex/gone.rs"]
mod gone;
#[path = "vex/refused.rs"]
mod refused;
mod support;
#[path = "vex/verdicts.rs"]
mod verdicts;

use hardpan::diag::Failure;
use hardpan::ident::Epoch;
use hardpan::vex::Decisions;

/// The day that tests with a clock of their own take for today.
fn today() -> Epoch {
    day("2026-11-23")
}

fn day(text: &str) -> Epoch {
    Epoch::from_day(text).expect("a day")
}

/// A day so many days from the real today, for runs of the program.
fn days_from_now(days: i64) -> String {
    let now =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
    let at = Epoch(i64::try_from(now).expect("small") + days * 86_400);
    at.to_string()[..10].to_owned()
}

/// A decision, less what is given.
fn decision(keys: &[(&str, &str)]) -> String {
    entry(
        "decision",
        &[("status", "\"not_affected\""), ("justification", "\"vulnerable_code_not_present\"")],
        keys,
    )
}

/// Where a vulnerability is, less what is given.
fn component(keys: &[(&str, &str)]) -> String {
    entry("component", &[], keys)
}

/// A key without a value is left out.
fn entry(kind: &str, own: &[(&str, &str)], keys: &[(&str, &str)]) -> String {
    let usual = [
        ("cve", "\"CVE-2026-102633\""),
        ("packages", "[\"openssl\"]"),
        ("reason", "\"we looked\""),
        ("author", "\"Ada <ada@example.org>\""),
        ("date", "2026-11-01"),
        ("expires", "2027-05-01"),
    ];
    let mut all: Vec<(&str, &str)> = usual.iter().chain(own).copied().collect();
    for (key, value) in keys {
        all.retain(|(known, _)| known != key);
        all.push((key, value));
    }
    let lines = all.iter().filter(|(_, value)| !value.is_empty());
    let lines: Vec<String> = lines.map(|(key, value)| format!("{key} = {value}\n")).collect();
    format!("[[{kind}]]\n{}\n", lines.concat())
}

fn products() -> Vec<String> {
    ["base", "python", "nginx"].map(str::to_owned).to_vec()
}

/// Reads a file of decisions that is fine.
#[track_caller]
fn read(name: &str, text: &str) -> Decisions {
    match Decisions::of_text(&format!("vex/{name}.toml"), text, Some(products().as_slice())) {
        Ok(decisions) => decisions,
        Err(failure) => panic!("{}", rendered(&failure)),
    }
}

/// Reads a file that is not.
#[track_caller]
fn fails(name: &str, text: &str) -> Failure {
    Decisions::of_text(&format!("vex/{name}.toml"), text, Some(products().as_slice())).expect_err("refused")
}

fn rendered(failure: &Failure) -> String {
    failure
        .problems()
        .iter()
        .map(|problem| hardpan::diag::render(problem, false))
        .collect::<Vec<_>>()
        .join("\n")
}
