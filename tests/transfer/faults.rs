//! Servers that answer badly. Each test ends because hardpan gives up, or goes on, by itself.

use std::path::Path;

use crate::served;
use crate::support::{Fault, Output, Server, sha256_hex};

const LOCKED: [&str; 3] = ["build", "made.toml", "--locked"];

/// The package meets the fault for good: it is refused, with this code, and the store stays small.
/// Once the server is healed, the same command succeeds.
#[track_caller]
fn given_up(code: &str, fault: Fault) -> Output {
    let (world, server) = served();
    let path = world.archive.pool_path("hello");
    server.fault(&path, fault);
    let out = world.refuses(code, &LOCKED).says("hello 1.0").says(&server.url()).says("help:");
    let size = std::fs::metadata(world.archive.root().join(path)).unwrap().len();
    assert!(weight(&world.sandbox.store()) < 3 * size, "{}", weight(&world.sandbox.store()));
    // It was hardpan that gave up, not the server.
    assert_eq!(Server::outlasted(), 0);
    server.heal();
    world.build(&["--locked"]).ok();
    out
}

fn weight(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries.map(|it| if it.path().is_dir() { weight(&it.path()) } else { it.metadata().unwrap().len() }).sum()
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    given_up("HP402", Fault::Mute).says("could not be fetched");
}

#[test]
fn a_server_that_stalls_is_given_up() {
    given_up("HP402", Fault::Stall).says("could not be fetched");
}

#[test]
fn a_server_that_trickles_is_given_up() {
    given_up("HP402", Fault::Trickle(200)).says("could not be fetched");
}

#[test]
fn a_body_that_never_ends_is_given_up() {
    given_up("HP504", Fault::Endless).says("the body is longer than it was said to be");
}

#[test]
fn a_server_that_says_too_large_a_length_is_given_up_or_found_right() {
    let (world, server) = served();
    server.fault(&world.archive.pool_path("hello"), Fault::Lie(1000));
    let out = world.build(&["--locked"]);
    assert!([0, 4, 5].contains(&out.code), "{}", out.stderr);
    server.heal();
    world.build(&["--locked"]).ok();
}

#[test]
fn bytes_that_are_garbled_on_the_way_are_refused_and_not_kept() {
    given_up("HP504", Fault::Garble).says("is not what was pinned");
}

#[test]
fn a_status_of_refusal_is_named() {
    given_up("HP402", Fault::Status(403)).says("status 403");
    given_up("HP402", Fault::Status(500)).says("status 500");
}

#[test]
fn a_busy_server_is_asked_again() {
    for status in [429, 500, 503] {
        let (world, server) = served();
        let path = world.archive.pool_path("hello");
        server.fault_times(&path, Fault::Status(status), 2);
        world.build(&["--locked"]).ok();
        assert_eq!(server.hits(&path), 3);
    }
}

#[test]
fn a_busy_server_is_asked_again_for_release_files_and_indices() {
    let (world, server) = served();
    std::fs::remove_file(world.sandbox.path("made.lock")).unwrap();
    world.forget();
    server.fault_if(|request| request.path.ends_with("InRelease"), Fault::Status(503), 2);
    server.fault_if(|request| request.path.contains("Packages"), Fault::CutAfter(10), 1);
    world.lock(&[]).ok();
}

#[test]
fn a_transfer_that_was_cut_goes_on_where_it_ended() {
    let (world, server) = served();
    let path = world.archive.pool_path("hello");
    server.fault_times(&path, Fault::CutAfter(100_000), 1);
    world.build(&["--locked"]).ok();
    let ranges: Vec<_> = server.requests().into_iter().map(|request| request.range).collect();
    assert_eq!(ranges, [None, Some("bytes=100000-".into())]);
}

#[test]
fn a_transfer_that_was_cut_goes_on_in_the_next_run() {
    let (world, server) = served();
    let path = world.archive.pool_path("hello");
    server.fault_times(&path, Fault::CutAfter(100_000), 1).fault(&path, Fault::Status(403));
    world.refuses("HP402", &LOCKED);
    server.heal().forget();
    world.build(&["--locked"]).ok();
    let ranges: Vec<_> = server.requests().into_iter().map(|request| request.range).collect();
    assert_eq!(ranges, [Some("bytes=100000-".into())]);
}

#[test]
fn a_server_that_ignores_ranges_is_read_from_the_beginning() {
    let (world, server) = served();
    let path = world.archive.pool_path("hello");
    server.fault_times(&path, Fault::CutAfter(100_000), 1).fault(&path, Fault::IgnoreRange);
    world.build(&["--locked"]).ok();
}

#[test]
fn a_redirection_is_followed_but_not_for_ever() {
    let (world, server) = served();
    let path = world.archive.pool_path("hello");
    server.fault_times(&path, Fault::Redirect(format!("{}/{path}?again", server.url())), 1);
    world.build(&["--locked"]).ok();
    let to_itself = Fault::Redirect(format!("{}/{path}", server.url()));
    drop(server);
    given_up("HP402", to_itself);
}

#[test]
fn an_archive_whose_size_nobody_knows_is_given_up_too() {
    for (fault, code) in [(Fault::Stall, "HP402"), (Fault::Trickle(200), "HP402"), (Fault::Endless, "HP504")]
    {
        let (world, server) = served();
        let path = world.archive.pool_path("hello");
        let bytes = std::fs::read(world.archive.root().join(&path)).unwrap();
        let url = format!("{}/{path}", server.url());
        let sha256 = sha256_hex(&bytes);
        world.recipe(&format!(
            "[archive.tool]\nurl = \"{url}\"\nsha256 = \"{sha256}\"\nformat = \"file\"\nplace = \"/opt\"\n"
        ));
        server.fault(&path, fault);
        world.refuses(code, &["build", "made.toml"]).says("archive tool");
        assert_eq!(Server::outlasted(), 0);
        server.heal();
        world.build(&[]).ok();
    }
}
