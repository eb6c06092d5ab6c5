//! The contents policy: what no image holds without a reason, what is said of a reason, and what of it
//! stays in the image.
#![allow(clippy::disallowed_methods)]

#[path = "policy/chains.rs"]
mod chains;
#[path = "policy/evidence.rs"]
mod evidence;
#[path = "policy/exceptions.rs"]
mod exceptions;
#[path = "policy/rules.rs"]
mod rules;
#[path = "policy/secrets.rs"]
mod secrets;
mod support;

use serde_json::Value;
use support::{Archive, Deb, Output, World};

/// A world of these packages whose recipe says a user and takes them whole.
fn world(debs: &[Deb]) -> World {
    let world = World::new(debs);
    recipe(&world, &all(&world), "");
    world
}

/// All of every package, as a recipe says it.
fn all(world: &World) -> String {
    let all = world.archive.packages().iter().map(|name| format!("{name} = \"all\"\n")).collect::<String>();
    format!("[debian.packages]\n{all}")
}

/// The head of a recipe that says a user, and no exception.
fn head(name: &str) -> String {
    let head = World::head(name);
    let (head, _) = head.split_once("policy.allow").expect("the exception of tests");
    format!("{head}image.user = 65532\n")
}

/// Writes `made.toml`: what it takes, and then what it allows.
fn recipe(world: &World, takes: &str, allows: &str) {
    let allows = if allows.is_empty() { String::new() } else { format!("[policy.allow]\n{allows}\n") };
    world.sandbox.write("made.toml", format!("{}{takes}{allows}", head("made")));
}

/// A package with one more file.
fn with(path: &str, content: impl AsRef<[u8]>, mode: u32) -> Deb {
    Deb::new("thing", "1.0").file("/usr/share/thing", "thing", 0o644).file(path, content, mode)
}

/// The build must be refused by the policy alone, and write nothing.
#[track_caller]
fn refused(world: &World) -> Output {
    let out = world.build(&[]).exits(6);
    assert_eq!(
        out.stderr.matches("error[").count(),
        out.stderr.matches("error[HP610]").count(),
        "{}",
        out.stderr
    );
    assert!(!world.sandbox.path("out").exists());
    out
}

/// The build must be refused by a rule, because of a path.
#[track_caller]
fn breaks(world: &World, rule: &str, path: &str) {
    let out = refused(world);
    let lines = out.stderr.lines().filter(|line| line.contains("rule:"));
    let rules: Vec<&str> = lines.map(|line| line.trim_start_matches([' ', '=']).trim()).collect();
    assert!(rules.iter().any(|line| line.contains(&format!("{rule}: "))), "{rules:?}\n{}", out.stderr);
    assert!(
        out.stderr.contains(&format!("`{path}`")) || out.stderr.contains(&format!("{path} ")),
        "{}",
        out.stderr
    );
}

/// The configuration of the only image of a layout.
fn config(world: &World, out: &str) -> Value {
    let said = world.run(&["inspect", out, "--json"]).ok().stdout;
    let said: Value = serde_json::from_str(&said).expect("JSON");
    said["platforms"][0]["config"]["config"].clone()
}
