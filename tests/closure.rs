//! What files need: that it is found as a loader finds it, taken with the links on the way, and missed
//! by name where nothing has it; and what is said of packages that nothing needs.
#![allow(clippy::disallowed_methods)]

#[path = "closure/hostile.rs"]
mod hostile;
#[path = "closure/libraries.rs"]
mod libraries;
#[path = "closure/notes.rs"]
mod notes;
#[path = "closure/order.rs"]
mod order;
#[path = "closure/said.rs"]
mod said;
#[path = "closure/scripts.rs"]
mod scripts;
mod support;
#[path = "closure/table.rs"]
mod table;
#[path = "closure/texts.rs"]
mod texts;
#[path = "closure/unneeded.rs"]
mod unneeded;
#[path = "closure/versions.rs"]
mod versions;

use serde_json::Value;
use support::{Deb, Elf, ElfKind, Output, World, X86_64};

/// Where Debian's libraries are.
const LIB: &str = "/usr/lib/x86_64-linux-gnu";

fn shared() -> Elf {
    Elf::new(X86_64, ElfKind::Shared)
}

fn program() -> Elf {
    Elf::new(X86_64, ElfKind::Exec)
}

/// A program that a loader has to look at, whatever it needs.
fn dynamic() -> Elf {
    shared().soname("app")
}

/// A package `app` with the program `/usr/bin/app`.
fn app(elf: &Elf) -> Deb {
    Deb::new("app", "1").file("/usr/bin/app", elf.build(), 0o755)
}

/// A package with one library that needs nothing.
fn library(name: &str, path: &str) -> Deb {
    let soname = path.rsplit('/').next().expect("a name");
    Deb::new(name, "1").file(path, shared().soname(soname).build(), 0o644)
}

/// A world whose recipe takes all files of `app`, and says this besides. What `app` depends on is in
/// reach, and taken only where something needs it.
fn world(debs: &[Deb], rest: &str) -> World {
    let world = World::new(debs);
    takes(&world, rest);
    world
}

fn takes(world: &World, rest: &str) {
    world.recipe(&format!("debian.packages.app = \"all\"\nclosure.keep.app = \"it is tested\"\n{rest}"));
}

/// A build that lacks a library, an interpreter or a version of symbols: what it says.
#[track_caller]
fn lacks(world: &World, code: &str, words: &str) -> Output {
    world.build(&[]).exits(3).says(&format!("error[{code}]: ")).says(words).says("= help: ")
}

/// What `why` says of a path.
#[track_caller]
fn why(world: &World, path: &str) -> Value {
    let said = world.run(&["why", "out/made", path, "--json"]).ok().stdout;
    let mut all: Vec<Value> = serde_json::from_str(&said).expect("JSON");
    assert_eq!(all.len(), 1, "{said}");
    all.remove(0)
}

/// Who needs a path, each as `/who as how name`.
#[track_caller]
fn needed(world: &World, path: &str) -> Vec<String> {
    let said = why(world, path);
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let all = said["why"]["needed"].as_array().cloned().unwrap_or_default();
    let one =
        |need: &Value| format!("{} as {} {}", text(&need["by"]), text(&need["as"]), text(&need["name"]));
    all.iter().map(one).collect()
}

/// Builds, and says which of these paths are there.
#[track_caller]
fn taken<'a>(world: &World, paths: &[&'a str]) -> Vec<&'a str> {
    world.build(&[]).ok();
    let image = world.image();
    paths.iter().copied().filter(|path| image.has(path)).collect()
}
