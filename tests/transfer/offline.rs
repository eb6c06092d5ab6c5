//! Without the network.

use crate::served;

#[test]
fn what_is_missing_offline_is_named_and_nothing_is_asked_for() {
    let (world, server) = served();
    let out = world.refuses("HP404", &["build", "made.toml", "--offline"]).says("hello 1.0");
    out.says("`--offline` forbids").says("help: run the same command once without `--offline`");
    world.forget();
    std::fs::remove_file(world.sandbox.path("made.lock")).unwrap();
    world.refuses("HP404", &["lock", "made.toml", "--offline"]).says("release file of suite trixie");
    assert_eq!(server.requests(), []);
}

#[test]
fn with_everything_in_the_store_an_offline_build_asks_for_nothing_and_is_the_same() {
    let (mut world, server) = served();
    let first = world.build(&[]).ok().stdout;
    server.forget();
    std::fs::remove_dir_all(world.sandbox.path("out")).unwrap();
    assert_eq!(world.build(&["--offline"]).ok().stdout, first);
    assert_eq!(server.requests(), []);
    world.url = String::new();
    assert_eq!(world.build(&["--offline", "--locked"]).ok().stdout, first);
}

#[test]
fn a_lock_can_be_made_again_offline_from_what_the_store_holds() {
    let (world, server) = served();
    let lock = world.sandbox.read("made.lock");
    server.forget();
    std::fs::remove_file(world.sandbox.path("made.lock")).unwrap();
    world.lock(&["--offline"]).ok();
    assert_eq!(world.sandbox.read("made.lock"), lock);
    assert_eq!(server.requests(), []);
}
