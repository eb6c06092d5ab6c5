//! No room on the disk.

use std::path::Path;
use std::process::Command;

use crate::world;

/// A small file system in memory, gone when dropped.
struct Small<'a>(&'a Path);

impl<'a> Small<'a> {
    /// `None`, with the reason on the error output, where this machine does not let us.
    fn mount(at: &'a Path, size: &str) -> Option<Self> {
        let option = format!("size={size},mode=0755");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", &option, "tmpfs"]).arg(at).output();
        match mount {
            Ok(out) if out.status.success() => Some(Self(at)),
            Ok(out) => {
                eprintln!("skipped: no tmpfs can be mounted: {}", String::from_utf8_lossy(&out.stderr));
                None
            }
            Err(error) => {
                eprintln!("skipped: there is no `mount`: {error}");
                None
            }
        }
    }
}

impl Drop for Small<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0).output();
    }
}

#[test]
fn a_store_that_is_full_is_said_to_be_and_the_same_command_succeeds_with_room() {
    for size in ["64k", "400k", "700k"] {
        let world = world();
        let digest = world.build(&[]).ok().stdout;
        world.forget();
        let store = world.sandbox.store();
        std::fs::create_dir(&store).unwrap();
        let Some(small) = Small::mount(&store, size) else { return };
        world.refuses("HP103", &["build", "made.toml", "--locked"]).says("help:").says("hardpan gc");
        drop(small);
        assert_eq!(world.build(&["--locked"]).ok().stdout, digest);
    }
}

#[test]
fn an_output_that_is_full_is_said_to_be_and_nothing_half_written_stays() {
    let world = world();
    let digest = world.build(&[]).ok().stdout;
    let folder = world.sandbox.path("small");
    std::fs::create_dir(&folder).unwrap();
    let Some(small) = Small::mount(&folder, "64k") else { return };
    for more in [&["--out", "small/made"][..], &["--format", "oci-archive", "--out", "small/made.tar"]] {
        let arguments = [&["build", "made.toml", "--locked"][..], more].concat();
        world.refuses("HP103", &arguments).says("help:");
    }
    drop(small);
    assert_eq!(world.build(&["--out", "small/made"]).ok().stdout, digest);
}

#[test]
fn an_archive_that_is_full_is_named() {
    let world = world();
    world.build(&[]).ok();
    let folder = world.sandbox.path("small");
    std::fs::create_dir(&folder).unwrap();
    let Some(_small) = Small::mount(&folder, "64k") else { return };
    let arguments = ["build", "made.toml", "--locked", "--format", "oci-archive", "--out", "small/made.tar"];
    world.refuses("HP103", &arguments).says("small/made.tar");
}
