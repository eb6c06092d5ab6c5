//! What can't be had: pins that are gone, mirrors that nobody knows or that don't answer.

use crate::support::{Archive, Deb, Fault, Server, World};
use crate::{BUILD, hello};

/// A lock that pins version 1.0 of two packages, in an archive that has version 1.1 of one of them.
fn moved_on() -> World {
    let deb = |name: &str, version: &str| {
        Deb::new(name, version).file(&format!("/usr/share/{name}"), version, 0o644).build()
    };
    let mut archive = Archive::new("made");
    archive.add("trixie", "main", deb("hello", "1.0")).add("trixie", "main", deb("other", "1.0"));
    let mut world = World::over(archive);
    world.lock(&[]).ok();
    world.archive.withdraw("hello").add("trixie", "main", deb("hello", "1.1"));
    world.archive.add("trixie", "main", deb("other", "1.1")).date(1_700_086_400).publish();
    world
}

#[test]
fn a_pin_that_is_gone_fails_under_locked_and_says_how_to_move_it() {
    let world = moved_on();
    let out = world.refuses("HP403", &["build", "made.toml", "--locked"]);
    out.says("hello 1.0").says("`hardpan lock made.toml --update hello`");
    world.lock(&["--update", "hello"]).ok().says("hello 1.0 -> 1.1");
    world.build(&["--locked"]).ok();
}

#[test]
fn a_plain_build_moves_just_the_pin_that_is_gone_says_so_and_goes_on() {
    let world = moved_on();
    let out = world.build(&[]).ok().says("pins that are gone from every mirror").says("hello 1.0");
    let out = out.says("Updating hello 1.0 -> 1.1");
    assert!(!out.stderr.contains("Updating other"), "{}", out.stderr);
    assert_eq!(world.image().text("/usr/share/hello"), "1.1");
    assert_eq!(world.image().text("/usr/share/other"), "1.0");
    world.build(&["--locked"]).ok();
}

#[test]
fn a_pin_that_is_gone_is_no_matter_where_the_store_holds_it() {
    let mut world = hello();
    world.build(&[]).ok();
    world.archive.withdraw("hello").publish();
    world.build(&["--locked"]).ok();
}

#[test]
fn a_package_that_only_the_index_has_is_not_a_pin_to_move() {
    let world = hello();
    world.lock(&[]).ok();
    world.archive.remove(&world.archive.pool_path("hello"));
    let out = world.refuses("HP402", &BUILD).says("hello 1.0").says("though the archive's index has it");
    out.says("the mirror is being updated");
    world.archive.publish();
    world.build(&[]).ok();
}

#[test]
fn an_archive_that_no_mirror_is_known_for_is_named_with_the_ways_to_say_one() {
    let mut world = hello();
    let url = std::mem::take(&mut world.url);
    let out = world.refuses("HP401", &BUILD).says("no mirror is known for the archive made");
    out.says("--mirror made=URL").says("HARDPAN_MIRROR_MADE").says("mirrors.toml");
    world.url = url;
    world.build(&[]).ok();
}

#[test]
fn a_mirror_without_the_suite_is_named() {
    let world = hello();
    world.archive.remove(&Archive::release_path("trixie"));
    let out = world.refuses("HP402", &BUILD).says("there is no such file").says("help:");
    out.says(&format!("{}/dists/trixie/InRelease", world.url));
    world.archive.publish();
    world.build(&[]).ok();
}

#[test]
fn a_mirror_that_does_not_answer_is_given_up() {
    let mut world = hello();
    let server = Server::start(world.archive.root());
    world.url = server.url();
    world.sandbox.env("HARDPAN_TIMEOUT", "1");
    server.fault_if(|_| true, Fault::Mute, usize::MAX);
    world.refuses("HP402", &BUILD).says("could not be fetched").says("help:").says(&server.url());
    server.heal();
    world.lock(&[]).ok();
    server.fault(&world.archive.pool_path("hello"), Fault::Mute);
    world.refuses("HP402", &["build", "made.toml", "--locked"]).says("hello 1.0");
    server.heal();
    world.build(&["--locked"]).ok();
}

#[test]
fn a_port_that_nobody_listens_on_is_given_up() {
    let mut world = hello();
    let server = Server::start(world.archive.root());
    world.url = server.url();
    drop(server);
    world.refuses("HP402", &BUILD).says("could not be fetched").says(&world.url);
    world.url = world.archive.file_url();
    world.build(&[]).ok();
}
