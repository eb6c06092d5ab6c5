//! The same image has the same SBOMs, statements and signatures, to the byte.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::support::signed::{files, trusted, world};
use crate::support::{Layout, MTIME, Sandbox, World};
use crate::{CYCLONEDX, PROVENANCE, SIGN, SPDX, SPDX3, image};

type Files = BTreeMap<PathBuf, Vec<u8>>;

/// A layout, whole.
fn layout(sandbox: &Sandbox, folder: &str) -> Files {
    files(&sandbox.path(folder))
}

#[track_caller]
fn same(one: &Files, other: &Files) {
    let names = |files: &Files| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(one), names(other));
    assert!(one == other, "a file differs");
}

#[test]
fn another_folder_store_and_number_of_workers_make_the_same_bytes() {
    let world = world("1.1", MTIME);
    world.build(&["--key", "team.pem", "--jobs", "1"]).ok();
    let first = layout(&world.sandbox, "out/made");
    let other = Sandbox::new();
    for name in ["made.toml", "made.lock", "made.asc", "app.conf"] {
        other.write(format!("deep/folder/{name}"), world.sandbox.read(name));
    }
    crate::secret(&other, "keys of others/another-name.pem", &trusted().private_pem());
    let build = [
        "build",
        "deep/folder/made.toml",
        "--key",
        "keys of others/another-name.pem",
        "--jobs",
        "7",
        "--out",
        "x/y",
    ];
    let build = world.arguments(&build);
    let run = other.run(&build.iter().map(String::as_str).collect::<Vec<_>>());
    run.umask(0o077).env("TZ", "Asia/Tokyo").env("LC_ALL", "C").output().ok();
    same(&first, &layout(&other, "x/y"));
}

#[test]
fn again_from_what_is_cached_and_from_nothing_the_bytes_are_the_same() {
    let world = world("1.1", MTIME);
    world.build(&["--key", "team.pem"]).ok();
    let first = layout(&world.sandbox, "out/made");
    world.build(&["--key", "team.pem", "--out", "again"]).ok().says("2 of 2 reused");
    same(&first, &layout(&world.sandbox, "again"));
    world.forget();
    world.build(&["--key", "team.pem"]).ok();
    same(&first, &layout(&world.sandbox, "out/made"));
}

/// The bundles of a kind.
fn bundles(layout: &Layout, kind: &str) -> Vec<String> {
    layout.subjects().iter().map(|subject| layout.statement(kind, subject).bundle).collect()
}

#[test]
fn sboms_over_cached_layers_are_those_over_new_ones() {
    let world = world("1.1", MTIME);
    world.build(&["--key", "team.pem"]).ok();
    world.build(&["--key", "team.pem", "--spdx3", "--out", "more"]).ok().says("2 of 2 reused");
    let (plain, more) = (image(&world), Layout(world.sandbox.path("more")));
    assert_eq!(plain.index(), more.index());
    for kind in [SIGN, SPDX, CYCLONEDX] {
        assert_eq!(bundles(&plain, kind), bundles(&more, kind), "{kind}");
    }
    // The provenance has the further documents among its byproducts.
    assert_ne!(bundles(&plain, PROVENANCE), bundles(&more, PROVENANCE));
    let all_in_one = {
        world.forget();
        world.build(&["--key", "team.pem", "--spdx3"]).ok();
        layout(&world.sandbox, "out/made")
    };
    same(&all_in_one, &layout(&world.sandbox, "more"));
    assert_eq!(bundles(&more, SPDX3).len(), 3);
}

#[test]
fn locking_again_without_changes_changes_nothing() {
    let world = world("1.1", MTIME);
    world.build(&["--key", "team.pem"]).ok();
    let first = layout(&world.sandbox, "out/made");
    world.lock(&[]).ok();
    world.build(&["--key", "team.pem", "--locked"]).ok();
    same(&first, &layout(&world.sandbox, "out/made"));
}

#[test]
fn evidence_that_was_lost_from_the_store_is_made_again() {
    let world = world("1.1", MTIME);
    world.build(&["--key", "team.pem"]).ok();
    let first = layout(&world.sandbox, "out/made");
    let bundle = image(&world).statement(SPDX, &image(&world).index()).bundle;
    let hex = &bundle["sha256:".len()..];
    let gone = files(&world.sandbox.store()).into_keys().filter(|path| path.ends_with(hex));
    let gone: Vec<PathBuf> = gone.collect();
    assert_eq!(gone.len(), 1);
    std::fs::remove_file(world.sandbox.store().join(&gone[0])).unwrap();
    world.build(&["--key", "team.pem", "--out", "again"]).ok();
    same(&first, &layout(&world.sandbox, "again"));
}

#[test]
fn what_changes_without_changing_the_image_changes_its_provenance_only() {
    let world: World = world("1.1", MTIME);
    world.build(&["--key", "team.pem"]).ok();
    let before = image(&world);
    let of = |kind: &str| bundles(&before, kind);
    let (sign, spdx, provenance) = (of(SIGN), of(SPDX), of(PROVENANCE));
    let index = before.index();
    world.sandbox.write("made.toml", world.sandbox.text("made.toml") + "# a remark\n");
    world.build(&["--key", "team.pem"]).ok();
    assert_eq!(image(&world).index(), index);
    assert_eq!((bundles(&image(&world), SIGN), bundles(&image(&world), SPDX)), (sign, spdx));
    assert_ne!(bundles(&image(&world), PROVENANCE), provenance);
    world.sandbox.hardpan(&["verify", "out/made", "--key", "team.pub"]).ok();
}
