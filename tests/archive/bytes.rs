//! Indices and packages whose bytes are not what was vouched for.

use std::io::Write as _;

use crate::support::{Codec, Output, World, compress};
use crate::{BUILD, hello};

/// The index is spoilt under both of its names; then it is as it was.
#[track_caller]
fn refuses_index(code: &str, spoil: impl Fn(&World, &str)) -> Output {
    let world = hello();
    for path in world.archive.index_paths("trixie", "main", "amd64") {
        spoil(&world, &path);
    }
    let out = world.refuses(code, &BUILD);
    let out = out.says("the index main/binary-amd64/Packages.xz of suite trixie of archive made");
    let out = out.says(&world.url).says("help:");
    world.archive.publish();
    world.build(&[]).ok();
    out
}

#[track_caller]
fn refuses_package(code: &str, spoil: impl Fn(&World, &str)) -> Output {
    let world = hello();
    world.lock(&[]).ok();
    spoil(&world, &world.archive.pool_path("hello"));
    let out = world.refuses(code, &["build", "made.toml", "--locked"]).says("hello");
    let out = out.says(&world.url).says("help:");
    world.archive.publish();
    world.build(&["--locked"]).ok();
    out
}

fn flip(world: &World, path: &str) {
    world.archive.flip_byte(path);
}

fn truncate(world: &World, path: &str) {
    world.archive.truncate(path);
}

fn lengthen(world: &World, path: &str) {
    let mut file = std::fs::File::options().append(true).open(world.archive.root().join(path)).unwrap();
    file.write_all(b"more").unwrap();
}

#[test]
fn an_index_whose_digest_differs_is_refused() {
    refuses_index("HP504", flip).says("is not what was pinned").says("expected: sha256 ").says("found: ");
}

#[test]
fn an_index_that_is_truncated_is_refused() {
    refuses_index("HP402", truncate).says("could not be fetched").says("it ended after ");
}

#[test]
fn an_index_larger_than_said_is_refused() {
    refuses_index("HP504", lengthen).says("the body is longer than it was said to be");
}

#[test]
fn a_package_whose_digest_differs_is_refused() {
    refuses_package("HP504", flip).says("is not what was pinned").says("expected: sha256 ").says("found: ");
}

#[test]
fn a_package_that_is_truncated_is_refused() {
    refuses_package("HP402", truncate).says("could not be fetched").says("it ended after ");
}

#[test]
fn a_package_larger_than_said_is_refused() {
    refuses_package("HP504", lengthen).says("the body is longer than it was said to be");
}

#[test]
fn a_package_that_is_another_is_refused() {
    let other = hello();
    refuses_package("HP504", |world, path| {
        let mut bytes = other.sandbox.read(other.archive.root().join(path));
        bytes.reverse();
        world.sandbox.write(world.archive.root().join(path), bytes);
    });
}

#[test]
fn an_index_that_is_vouched_for_but_reads_as_none_is_refused() {
    for bytes in [b"garbage".to_vec(), compress(Codec::Xz, b"Package: hello\nVersion: 1\n")[..40].to_vec()] {
        let mut world = hello();
        world.archive.replace_index("trixie", "main", "amd64", &bytes).publish();
        let out = world.refuses("HP505", &BUILD).says("archive made").says("found: ");
        assert!(out.stderr.contains("Packages"), "{}", out.stderr);
    }
}

#[test]
fn an_index_of_bytes_that_are_no_stanzas_is_refused() {
    let mut world = hello();
    let bytes = compress(Codec::Xz, &[0xff; 100]);
    world.archive.replace_index("trixie", "main", "amd64", &bytes).publish();
    world.refuses("HP505", &BUILD);
}

#[test]
fn a_stanza_that_says_no_sense_is_refused() {
    for text in ["Version: not a version!\n", "Version: 1\nArchitecture: amd64\nFilename: pool/x\n"] {
        let mut world = hello();
        let bytes = compress(Codec::Xz, format!("Package: hello\n{text}").as_bytes());
        world.archive.replace_index("trixie", "main", "amd64", &bytes).publish();
        world.refuses("HP505", &BUILD).says("a stanza is broken").says("Package: hello");
    }
}

#[test]
fn a_broken_stanza_is_reported_with_its_archive() {
    let mut world = hello();
    let bytes = compress(Codec::Xz, b"Package: hello\nVersion: not a version!\n");
    world.archive.replace_index("trixie", "main", "amd64", &bytes).publish();
    world.refuses("HP505", &BUILD).says("archive made").says("Packages.xz").says("help:");
}

#[test]
fn a_package_file_with_a_path_that_climbs_is_refused() {
    let mut world = hello();
    let digest = "0".repeat(64);
    let text = format!(
        "Package: climber\nVersion: 1\nArchitecture: amd64\nFilename: ../../../etc/passwd\nSize: 1\nSHA256: {digest}\n\n"
    );
    world.archive.add_to_index("trixie", "main", "amd64", &text).publish();
    world.recipe("debian.packages = [\"climber\"]\n");
    world.refuses("HP505", &BUILD);
}
