//! Packages that are hostile or broken are refused by name before anything of them is in an image;
//! those that are merely unusual come through as they are.
#![allow(clippy::disallowed_methods)]

#[path = "package/bombs.rs"]
mod bombs;
#[path = "package/content.rs"]
mod content;
#[path = "package/entries.rs"]
mod entries;
#[path = "package/members.rs"]
mod members;
#[path = "package/owners.rs"]
mod owners;
mod support;

use support::{Archive, Deb, Output, World};

/// An archive with one package, whatever its bytes are, that its index describes rightly.
fn world(deb: impl AsRef<[u8]>) -> World {
    let control = "Package: hello\nVersion: 1.0\nArchitecture: amd64\n";
    let mut archive = Archive::new("made");
    archive.add_as("trixie", "main", control, deb);
    World::over(archive)
}

/// A build of this package is refused, for this reason; a healed one is taken, in the same place.
#[track_caller]
fn refuses(deb: impl AsRef<[u8]>, reason: &str) -> Output {
    let mut world = world(deb);
    world.lock(&[]).ok();
    let out = world.refuses("HP506", &["build", "made.toml", "--locked"]);
    let out = out.says("hello 1.0").says(reason).says("found:").says("help:");
    let healed = hello().file("/usr/share/hello", "hi", 0o644).field("Version", "1.1");
    world.archive.withdraw("hello").add("trixie", "main", healed.build()).publish();
    world.run(&["lock", "made.toml", "--update", "hello"]).ok();
    world.build(&["--locked"]).ok();
    assert_eq!(world.image().text("/usr/share/hello"), "hi");
    out
}

/// A build of this package succeeds.
#[track_caller]
fn takes(deb: &Deb) -> World {
    let world = world(deb.build());
    world.build(&[]).ok();
    world
}

fn hello() -> Deb {
    Deb::new("hello", "1.0")
}
