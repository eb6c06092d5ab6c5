//! Options of `build` that say what is said and by whom, and keys that can't be used.

use crate::support::signed::world;
use crate::support::{Layout, MTIME, Output, World};
use crate::{SPDX3, image, json};

#[test]
fn without_evidence_nothing_refers_to_the_image_and_its_digest_is_the_same() {
    let world = world("1.1", MTIME);
    let said = json(world.build(&["--no-attest", "--json"]));
    assert!(said["signed"].is_null());
    assert!(image(&world).statements().is_empty());
    let bare = image(&world).index();
    world.build(&["--key", "team.pem", "--out", "with"]).ok();
    assert_eq!(Layout(world.sandbox.path("with")).index(), bare);
    // What was said about the same image before stays.
    world.build(&["--no-attest", "--out", "with"]).ok();
    assert_eq!(Layout(world.sandbox.path("with")).statements().len(), crate::STATEMENTS);
}

#[test]
fn what_does_not_go_together_is_a_usage_error() {
    let world = world("1.1", MTIME);
    world.build(&["--no-attest", "--spdx3"]).exits(2);
    world.build(&["--key", "team.pem", "--signer", "exec:true"]).exits(2);
    assert!(!world.sandbox.path("made.lock").exists());
}

#[test]
fn spdx_3_is_not_written_unless_asked_for_and_goes_when_not_asked_again() {
    let world = world("1.1", MTIME);
    let index = || image(&world).index();
    world.build(&["--key", "team.pem", "--spdx3"]).ok();
    assert_eq!(image(&world).of_kind(SPDX3, &index()).len(), 1);
    world.build(&["--key", "team.pem"]).ok();
    assert_eq!(image(&world).of_kind(SPDX3, &index()).len(), 0);
    assert_eq!(image(&world).statements().len(), crate::STATEMENTS);
}

/// Building is refused with this code before anything is locked, fetched or written.
#[track_caller]
fn refused(world: &World, code: &str, out: Output) -> Output {
    let out = out.exits(2).says(code);
    for name in ["made.lock", "out"] {
        assert!(!world.sandbox.path(name).exists(), "{name} was written");
    }
    assert!(!out.stderr.contains("Fetching"), "{}", out.stderr);
    out
}

/// A world with an encrypted key.
fn locked_key() -> World {
    let world = world("1.1", MTIME);
    let generate = world.sandbox.run(&["keys", "generate", "--out", "own"]);
    generate.env("HARDPAN_KEY_PASSWORD", "right").output().ok();
    world
}

#[test]
fn a_wrong_password_is_refused_before_anything_is_fetched() {
    let world = locked_key();
    world.sandbox.write("wrong", "wrong\n");
    let out = world.build(&["--key", "own.key", "--password-file", "wrong"]);
    refused(&world, "HP205", out).says("own.key");
    let out = world.build(&["--key", "own.key"]);
    refused(&world, "HP205", out);
    world.sandbox.write("right", "right\n");
    world.build(&["--key", "own.key", "--password-file", "right"]).ok();
    world.sandbox.hardpan(&["verify", "out/made", "--key", "own.pub"]).ok();
}

#[test]
fn a_key_that_others_may_read_is_refused_before_anything_is_fetched() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = locked_key();
    for mode in [0o644, 0o640, 0o604] {
        let path = world.sandbox.path("own.key");
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        let out = world.build(&["--key", "own.key"]);
        refused(&world, "HP206", out).says("chmod 600 own.key");
    }
}

#[test]
fn the_environment_names_a_key_and_the_command_line_goes_before_it() {
    let mut world = locked_key();
    world.sandbox.env("HARDPAN_KEY", "own.key").env("HARDPAN_KEY_PASSWORD", "right");
    world.build(&[]).ok().says("the key own.key");
    world.sandbox.hardpan(&["verify", "out/made", "--key", "own.pub"]).ok();
    world.build(&["--key", "team.pem"]).ok().says("the key team.pem");
    world.sandbox.hardpan(&["verify", "out/made", "--key", "team.pub"]).ok();
    world.sandbox.hardpan(&["verify", "out/made", "--key", "own.pub"]).exits(6);
    assert!(!world.sandbox.home().join(".local").exists(), "a development key was made for nothing");
}

#[test]
fn a_signer_that_fails_leaves_no_image_that_seems_signed() {
    let world = world("1.1", MTIME);
    world.sandbox.write("key.pub", crate::support::Hand::new(9).public_pem());
    let script = "#!/bin/sh\n[ \"$1\" = sign ] && exit 3\nexec cat \"$(dirname \"$0\")/key.pub\"\n";
    let path = world.sandbox.write("signer", script);
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    world.build(&["--signer", &format!("exec:{}", path.display())]).exits(1).says("HP105");
    assert!(!world.sandbox.path("out").exists());
}
