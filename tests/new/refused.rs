//! What `hardpan new` refuses.

use super::made::{drafted, tool, world};
use crate::support::Deb;

#[test]
fn a_recipe_that_is_there_is_not_written_over_unless_that_is_said() {
    let world = world(&[tool("tool")]);
    world.sandbox.write("tool.toml", "mine");
    world
        .refuses("HP201", &["new", "--from-package", "tool", "--out", "tool.toml", "--no-try"])
        .says("--force");
    drafted(&world, "tool", &["--force"]).ok();
    assert!(world.sandbox.text("tool.toml").contains("/usr/bin/tool"));
}

#[test]
fn a_package_that_is_not_there_is_an_error_with_the_nearest_name() {
    let world = world(&[tool("tool")]);
    drafted(&world, "toll", &[]).exits(3).says("HP308").says("did you mean `tool`?");
    assert!(!world.sandbox.path("toll.toml").exists());
}

#[test]
fn what_was_looked_at_is_not_shown_as_if_somebody_had_written_it() {
    let world = world(&[tool("tool")]);
    let out = drafted(&world, "toll", &[]);
    assert!(!out.stderr.contains(".part:"), "{}", out.stderr);
}

#[test]
fn a_virtual_package_is_an_error_that_names_who_provides_it() {
    let world = world(&[tool("tool").provides("tools")]);
    drafted(&world, "tools", &[]).exits(3).says("HP308").says("such as `tool`");
}

#[test]
fn what_came_of_it_can_be_had_as_json() {
    let world = world(&[tool("tool")]);
    let out = drafted(&world, "tool", &["--json"]).ok();
    let told: serde_json::Value = serde_json::from_str(&out.stdout).expect("JSON");
    assert_eq!(told["recipe"], "tool.toml");
    assert_eq!(told["state"], "built");
    assert!(told["found"][0].as_str().expect("a line").contains("/usr/bin/tool"));
}

#[test]
fn a_package_without_a_program_is_refused() {
    let world = world(&[Deb::new("libx1", "1").file("/usr/lib/x86_64-linux-gnu/libx.so.1", "", 0o644)]);
    drafted(&world, "libx1", &[]).exits(2).says("HP209").says("holds no program");
    let left: Vec<_> =
        std::fs::read_dir(world.sandbox.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with('.')), "{left:?}");
}

#[test]
fn a_file_that_is_no_recipe_is_refused() {
    let world = world(&[tool("tool")]);
    world.run(&["new", "--from-package", "tool", "--out", "tool.txt"]).exits(2).says(".toml");
    world.run(&["new", "--from-package", "g++", "--name", "Bad Name"]).exits(2);
}
