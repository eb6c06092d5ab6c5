//! What is freed, and what stays.

use serde_json::Value;

use crate::{files, world};

fn gc(world: &crate::support::World, more: &[&str]) -> Value {
    let out = world.run(&[&["gc", "--json", "--older-than", "0s"], more].concat()).ok();
    serde_json::from_str(&out.stdout).unwrap()
}

#[test]
fn what_a_root_pins_stays_and_builds_offline() {
    let world = world();
    let digest = world.build(&[]).ok().stdout;
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let said = world.run(&["gc", "--older-than", "0s", "--root", "made.lock"]).ok().stdout;
    assert!(said.starts_with("freed ") && said.contains(", kept "), "{said}");
    std::fs::remove_dir_all(world.sandbox.path("out")).unwrap();
    assert_eq!(world.build(&["--locked", "--offline"]).ok().stdout, digest);
    assert!(gc(&world, &["--root", "."])["kept_files"].as_u64().unwrap() > 0);
}

#[test]
fn without_roots_everything_goes_and_is_fetched_again() {
    let world = world();
    let digest = world.build(&[]).ok().stdout;
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let before = files(&world.sandbox.store()).len() as u64;
    let tried = gc(&world, &["--dry-run"]);
    assert_eq!((&tried["dry_run"], files(&world.sandbox.store()).len() as u64), (&true.into(), before));
    let freed = gc(&world, &[]);
    assert_eq!(freed["files"], tried["files"]);
    assert_eq!((&freed["kept_files"], &freed["kept_bytes"]), (&0.into(), &0.into()));
    assert!(freed["bytes"].as_u64().unwrap() > 100_000);
    world.refuses("HP404", &["build", "made.toml", "--offline"]);
    assert_eq!(world.build(&["--locked"]).ok().stdout, digest);
}

#[test]
fn what_was_used_of_late_stays() {
    let world = world();
    world.build(&[]).ok();
    let out = world.run(&["gc", "--json"]).ok();
    let freed: Value = serde_json::from_str(&out.stdout).unwrap();
    assert_eq!(freed["files"], 0);
    world.build(&["--offline"]).ok();
}

#[test]
fn an_age_or_a_root_that_is_none_is_refused() {
    let world = world();
    world.refuses("HP201", &["gc", "--older-than", "soon"]).says("`soon` is not an age").says("30d");
    world.refuses("HP201", &["gc", "--root", "nowhere.lock"]).says("there is no `nowhere.lock`");
}

#[test]
fn a_store_that_is_in_use_is_not_cleaned() {
    let mut world = world();
    let server = crate::support::Server::start(world.archive.root());
    world.url = server.url();
    world.lock(&[]).ok();
    server.fault_if(|_| true, crate::support::Fault::Trickle(100_000), usize::MAX);
    let arguments = world.arguments(&["build", "made.toml", "--locked"]);
    let build = world.sandbox.spawn(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    while server.hits(&world.archive.pool_path("hello")) == 0 {
        std::thread::yield_now();
    }
    world.run(&["gc", "--older-than", "0s"]).exits(1).says("HP104");
    build.wait().ok();
}

#[test]
fn a_build_leaves_nothing_in_the_folder_for_temporary_files() {
    let world = world();
    world.build(&[]).ok();
    world.run(&["build", "made.toml", "--format", "docker-archive", "--out", "made.tar"]).ok();
    assert!(files(&world.sandbox.tmp()).is_empty());
}
