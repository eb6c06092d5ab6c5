//! An archive with a base, and drafts over it.

use crate::support::{Deb, Elf, ElfKind, Output, World, X86_64};

/// An archive with these packages, and the recipe `base` that drafts stand on.
pub fn world(debs: &[Deb]) -> World {
    let world = World::new(debs);
    let rest = "[users]\nroot = { uid = 0, home = \"/root\" }\nnonroot = { uid = 65532, home = \"/home/nonroot\" }\n\
                [groups]\nroot = 0\nnonroot = 65532\n[image]\nuser = 65532\n\
                [lifecycle]\nowner = \"the-team\"\nend-of-life = 2030-06-30\n";
    world.sandbox.write("base.toml", World::head("base") + rest);
    world
}

/// Drafts a package, which must build, and gives the recipe's text.
pub fn draft(world: &World, package: &str) -> String {
    drafted(world, package, &[]).ok().says("it builds");
    let text = world.sandbox.text(format!("{package}.toml"));
    world.run(&["build", &format!("{package}.toml"), "--no-attest"]).ok();
    text
}

/// Runs `hardpan new`.
pub fn drafted(world: &World, package: &str, more: &[&str]) -> Output {
    let out = format!("{package}.toml");
    let arguments = ["new", "--from-package", package, "--out", &out, "--no-try"];
    world.run(&[&arguments, more].concat())
}

/// The recipe as data.
pub fn read(text: &str) -> toml::Table {
    text.parse().unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The patterns that are taken of a package.
pub fn taken(recipe: &toml::Table, package: &str) -> Vec<String> {
    let Some(entry) = recipe["debian"]["packages"].get(package) else { return Vec::new() };
    let list = entry.get("files").unwrap_or(entry);
    list.as_array().expect("a list").iter().map(|one| one.as_str().expect("a text").to_owned()).collect()
}

/// The entrypoint's program.
pub fn program(recipe: &toml::Table) -> &str {
    recipe["image"]["entrypoint"][0].as_str().expect("a text")
}

/// A program that needs these libraries.
pub fn elf(libraries: &[&str]) -> Vec<u8> {
    libraries.iter().fold(Elf::new(X86_64, ElfKind::Exec), |elf, name| elf.needed(name)).build()
}

/// A package with a program of its name.
pub fn tool(name: &str) -> Deb {
    Deb::new(name, "1.2.3-1").file(&format!("/usr/bin/{name}"), elf(&[]), 0o755)
}
