//! One broken recipe a code under `tests/errors`, and what is said of it beside it. Where that is
//! meant to change, `HARDPAN_BLESS=1` writes it anew.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Deb, Elf, ElfKind, World, X86_64};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/errors")
}

/// The names of the fixtures, without their ending.
fn names() -> Vec<String> {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let recipes = files.filter(|path| path.extension().is_some_and(|ending| ending == "toml"));
    let mut names: Vec<String> =
        recipes.map(|path| path.file_stem().unwrap().to_str().unwrap().into()).collect();
    names.sort();
    names
}

/// Packages with something to be wrong about, and all fixtures beside each other.
fn world() -> World {
    let program = Elf::new(X86_64, ElfKind::Exec).needed("libmissing.so.1").build();
    let world = World::new(&[
        Deb::new("hello", "1.0").file("/usr/bin/hello", "hi", 0o755).provides("greeter"),
        Deb::new("rival", "1.0").file("/usr/bin/hello", "ho", 0o755),
        Deb::new("needy", "1.0").depends("hello (>= 2.0) | missing"),
        Deb::new("linked", "1.0").file("/usr/bin/linked", program, 0o755),
        Deb::new("script", "1.0").file("/usr/bin/script", "#!/usr/bin/perl -w\n", 0o755),
    ]);
    for name in names() {
        let file = format!("{name}.toml");
        world.sandbox.write(&file, fs::read(folder().join(&file)).unwrap());
    }
    world
}

#[test]
fn every_broken_recipe_is_refused_in_the_words_that_stand_beside_it() {
    let world = world();
    let bless = std::env::var_os("HARDPAN_BLESS").is_some();
    let mut wrong = Vec::new();
    for name in names() {
        let out = world.run(&["build", "--quiet", &format!("{name}.toml")]);
        let said = format!("exit code {}\n\n{}", out.code, out.stderr);
        let path = folder().join(format!("{name}.txt"));
        if bless {
            fs::write(&path, &said).unwrap();
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        if said != expected {
            wrong.push(format!("--- {name}: expected\n{expected}\n--- but it said\n{said}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_broken_recipe_is_broken_by_the_code_in_its_name_and_leaves_nothing_behind() {
    let world = world();
    for name in names().iter().filter(|name| name.starts_with("HP")) {
        let code = name.split('-').next().unwrap();
        let out = world.run(&["build", &format!("{name}.toml")]);
        let out = out.exits(3).says(&format!("error[{code}]: "));
        // Of what is no TOML, nobody knows what was meant.
        assert!(code == "HP301" || out.stderr.contains("= help: "), "{}", out.stderr);
    }
    assert!(!world.sandbox.path("out").exists());
    assert_eq!(fs::read_dir(world.sandbox.tmp()).unwrap().count(), 0);
}

#[test]
fn every_code_about_recipes_has_a_fixture() {
    let codes: BTreeSet<String> = names().iter().map(|name| name.split('-').next().unwrap().into()).collect();
    // Those about locks are in `lock.rs`; 319 and 320 need libraries with symbols, and are tested with those.
    for number in (301..=321).filter(|number| ![313, 314, 319, 320].contains(number)) {
        assert!(codes.contains(&format!("HP{number}")), "HP{number}");
    }
}

#[test]
fn all_problems_of_a_file_are_reported_at_once_in_its_order() {
    let out = world().run(&["build", "many.toml"]).exits(3);
    let lines = out.stderr.lines().filter_map(|line| line.trim_start().strip_prefix("--> many.toml:"));
    let numbers: Vec<u32> = lines.map(|place| place.split(':').next().unwrap().parse().unwrap()).collect();
    assert!(numbers.len() >= 8, "{}", out.stderr);
    assert!(numbers.is_sorted(), "{numbers:?}");
}

#[test]
fn problems_come_as_json_too() {
    let out = world().run(&["build", "--json", "--quiet", "HP302.toml"]).exits(3);
    let json: serde_json::Value = serde_json::from_str(&out.stdout).unwrap();
    let problems = json["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 2);
    assert_eq!(problems[0]["code"], "HP302");
}

#[test]
fn a_recipe_that_is_not_there_is_named_with_the_nearest() {
    let world = world();
    world.run(&["build", "mad.toml"]).exits(3).says("error[HP311]").says("made.toml`?");
    world
        .run(&["build", "made.toml", "--variant", "dev"])
        .exits(3)
        .says("error[HP312]")
        .says("has no variant");
}

/// How many problems a recipe with this text has.
fn problems(text: &str) -> usize {
    let world = world();
    world.recipe(text);
    world.build(&[]).exits(3).stderr.matches("error[").count()
}

#[test]
fn a_bad_name_hides_no_other_problem() {
    let world = world();
    let rest = "links.\"relative\" = \"x\"\n";
    for head in ["name = \"Not A Name\"", "", "name = \"made\"\nplatforms = [\"linux/mips\"]"] {
        world.sandbox.write("made.toml", format!("{head}\n{rest}"));
        let out = world.build(&[]).exits(3);
        assert_eq!(out.stderr.matches("error[").count(), 2, "{}", out.stderr);
    }
}

#[test]
fn patterns_that_match_nothing_are_reported_for_all_sections_at_once() {
    let text = "drop = [\"/x/**\"]\nmodes.\"/y\" = \"0755\"\nowners.\"/z\" = \"1:1\"\n";
    assert_eq!(problems(&format!("{text}debian.packages.hello = [\"/usr/bin/*\"]\n")), 3);
}

#[test]
fn unknown_users_are_reported_all_at_once() {
    let text = "[directories]\n\"/a\" = { owner = \"one:0\" }\n\"/b\" = { owner = \"0:two\" }\n";
    assert_eq!(problems(&format!("{text}[image]\nuser = \"three\"\n")), 3);
}
