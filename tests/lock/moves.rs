//! Which pins move, and what is said of it.

use crate::support::{Archive, Deb, World};

fn deb(name: &str, version: &str) -> Vec<u8> {
    Deb::new(name, version).file(&format!("/usr/share/{name}"), version, 0o644).build()
}

/// A lock of three packages at 1.0; the archive has 1.1 of all of them beside that.
fn newer() -> World {
    let mut archive = Archive::new("made");
    for name in ["one", "two", "three"] {
        archive.add("trixie", "main", deb(name, "1.0"));
    }
    let mut world = World::over(archive);
    world.lock(&[]).ok().says("Adding one 1.0").says("Adding three 1.0").says("made.lock");
    for name in ["one", "two", "three"] {
        world.archive.add("trixie", "main", deb(name, "1.1"));
    }
    world.archive.date(1_700_086_400).publish();
    world
}

fn versions(world: &World) -> [String; 3] {
    world.build(&["--locked"]).ok();
    ["one", "two", "three"].map(|name| world.image().text(&format!("/usr/share/{name}")).to_owned())
}

#[test]
fn pins_stay_though_there_are_newer_versions() {
    let world = newer();
    world.lock(&[]).ok().says("Unchanged");
    world.build(&[]).ok();
    assert_eq!(versions(&world), ["1.0", "1.0", "1.0"]);
}

#[test]
fn update_of_a_package_moves_its_pin_only() {
    let world = newer();
    let out = world.lock(&["--update", "two"]).ok().says("Updating two 1.0 -> 1.1");
    assert!(!out.stderr.contains("one 1") && !out.stderr.contains("three 1"), "{}", out.stderr);
    assert_eq!(versions(&world), ["1.0", "1.1", "1.0"]);
}

#[test]
fn update_moves_all_pins_and_says_each() {
    let world = newer();
    let out = world.lock(&["--update"]).ok().says("Updating one 1.0 -> 1.1");
    out.says("Updating two 1.0 -> 1.1").says("Updating three 1.0 -> 1.1");
    assert_eq!(versions(&world), ["1.1", "1.1", "1.1"]);
}

#[test]
fn a_package_that_joins_moves_no_other_pin() {
    let mut world = newer();
    world.archive.add("trixie", "main", deb("four", "1.1")).publish();
    world.recipe("debian.packages = [\"one\", \"two\", \"three\", \"four\"]\n");
    let out = world.build(&[]).ok().says("Adding four 1.1");
    assert!(!out.stderr.contains("Updating"), "{}", out.stderr);
    assert_eq!(versions(&world), ["1.0", "1.0", "1.0"]);
    world.recipe("debian.packages = [\"one\", \"two\", \"three\"]\n");
    world.lock(&[]).ok().says("Removing four 1.1");
}

#[test]
fn update_of_a_package_that_is_not_pinned_is_refused_with_the_nearest() {
    let world = newer();
    let out = world.refuses("HP308", &["lock", "made.toml", "--update", "thre"]);
    out.says("`thre` is not in the lock").says("did you mean `three`?");
}

#[test]
fn changes_come_as_json_too() {
    let world = newer();
    let out = world.lock(&["--json", "--update", "two"]).ok();
    let json: serde_json::Value = serde_json::from_str(&out.stdout).unwrap();
    let change = &json[0]["changed"][0]["changes"][0];
    assert_eq!((&change["name"], &change["before"]), (&"two".into(), &"1.0".into()));
    assert_eq!(change["after"], "1.1");
}

#[test]
fn update_and_locked_do_not_fit_together() {
    newer().lock(&["--locked", "--update"]).exits(2);
}
