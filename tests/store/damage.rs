//! Bytes of the store that changed under its hands.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::World;
use crate::{files, world};

/// Changes every file of the store that the predicate takes; how many those were.
fn damage(world: &World, takes: impl Fn(&Path) -> bool, change: impl Fn(&mut Vec<u8>)) -> usize {
    let paths =
        files(&world.sandbox.store()).into_iter().filter(|path| takes(path) && !path.ends_with("lock"));
    let paths: Vec<_> = paths.collect();
    for path in &paths {
        let mut bytes = std::fs::read(path).unwrap();
        change(&mut bytes);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    paths.len()
}

fn flip(bytes: &mut [u8]) {
    let middle = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte ^= 1;
    }
}

/// With every such file spoilt, the same command gives the same image, whose blobs are whole.
fn survives(takes: impl Fn(&Path) -> bool, change: impl Fn(&mut Vec<u8>)) {
    let world = world();
    let digest = world.build(&[]).ok().stdout;
    assert!(damage(&world, takes, change) > 0);
    std::fs::remove_dir_all(world.sandbox.path("out")).unwrap();
    assert_eq!(world.build(&["--locked"]).ok().stdout, digest);
    world.image();
}

fn is_blob(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "blobs")
}

#[test]
fn blobs_whose_bytes_changed_are_fetched_and_built_again() {
    survives(is_blob, |bytes| flip(bytes));
}

#[test]
fn blobs_that_were_cut_short_or_emptied_are_fetched_and_built_again() {
    survives(is_blob, |bytes| bytes.truncate(bytes.len() / 2));
    survives(is_blob, Vec::clear);
}

#[test]
fn derived_files_that_were_cut_short_or_emptied_are_made_again() {
    survives(|path| !is_blob(path), |bytes| bytes.truncate(bytes.len() / 2));
    survives(|path| !is_blob(path), Vec::clear);
}

#[test]
fn derived_files_whose_bytes_changed_are_made_again() {
    survives(|path| !is_blob(path), |bytes| flip(bytes));
}

#[test]
fn a_store_without_its_blobs_or_without_its_derived_files_is_filled_again() {
    for folder in ["blobs", "derived", "partial"] {
        let world = world();
        let digest = world.build(&[]).ok().stdout;
        std::fs::remove_dir_all(world.sandbox.store().join(folder)).unwrap();
        assert_eq!(world.build(&["--locked"]).ok().stdout, digest, "{folder}");
        world.image();
    }
}

#[test]
fn damage_is_noticed_offline_too() {
    let world = world();
    world.build(&[]).ok();
    damage(&world, |_| true, |bytes| flip(bytes));
    std::fs::remove_dir_all(world.sandbox.path("out")).unwrap();
    let out = world.build(&["--locked", "--offline"]);
    assert!([4, 5].contains(&out.code), "{}: {}", out.code, out.stderr);
    assert!(!world.sandbox.path("out").exists());
}
