//! Ended before its time, and side by side.

use std::thread::sleep;
use std::time::Duration;

use rustix::process::Signal;

use crate::support::{Fault, Image, Server, World};
use crate::{files, world};

/// The digest of an undisturbed build, of a package archive that `world` shares.
fn undisturbed(world: &World) -> String {
    let digest = world.build(&[]).ok().stdout;
    world.forget();
    std::fs::remove_file(world.sandbox.path("made.lock")).unwrap();
    digest
}

fn ended_by(signal: Signal) {
    let mut world = world();
    let digest = undisturbed(&world);
    let server = Server::start(world.archive.root());
    world.url = server.url();
    server.fault_if(|request| request.path.starts_with("/pool"), Fault::Trickle(600_000), usize::MAX);
    for step in 0..16 {
        let arguments = world.arguments(&["build", "made.toml", "--out", "out/made"]);
        let mut run = world.sandbox.spawn(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        sleep(Duration::from_millis(step * step * 5));
        run.signal(signal);
        let out = run.wait();
        assert!(
            [0, -signal.as_raw(), 128 + signal.as_raw()].contains(&out.code),
            "{}: {}",
            out.code,
            out.stderr
        );
        // What is there is whole, or is not there.
        if world.sandbox.path("out/made").exists() {
            Image::open(&world.sandbox.path("out/made"));
        }
        assert_eq!(files(&world.sandbox.tmp()), Vec::<std::path::PathBuf>::new());
    }
    server.heal();
    assert_eq!(world.build(&[]).ok().stdout, digest);
    world.forget();
    assert_eq!(world.build(&["--locked"]).ok().stdout, digest);
    let left: Vec<_> =
        std::fs::read_dir(world.sandbox.path("")).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert_eq!(left.len(), 4, "{left:?}");
}

#[test]
fn killed_at_any_moment_it_leaves_nothing_half_written_and_the_same_command_succeeds() {
    ended_by(Signal::KILL);
}

#[test]
fn interrupted_at_any_moment_it_leaves_nothing_half_written_and_the_same_command_succeeds() {
    ended_by(Signal::INT);
}

#[test]
fn two_builds_at_once_over_one_store_end_with_the_same_image() {
    let mut world = world();
    let digest = undisturbed(&world);
    let server = Server::start(world.archive.root());
    world.url = server.url();
    server.fault_if(|request| request.path.starts_with("/pool"), Fault::Trickle(600_000), 2);
    world.lock(&[]).ok();
    let start = |out: &str| {
        let arguments = world.arguments(&["build", "made.toml", "--locked", "--out", out]);
        world.sandbox.spawn(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let runs = ["one", "two", "three", "four"].map(start);
    for run in runs {
        assert_eq!(run.wait().ok().stdout, digest);
    }
    assert_eq!(server.hits(&world.archive.pool_path("hello")), 1);
}

#[test]
fn two_builds_at_once_into_one_folder_leave_one_whole_image() {
    let world = world();
    let digest = undisturbed(&world);
    let arguments = world.arguments(&["build", "made.toml"]);
    let start = || world.sandbox.spawn(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let runs = [start(), start(), start()];
    for run in runs {
        assert_eq!(run.wait().ok().stdout, digest);
    }
    world.image();
}
