//! The store: killed at any moment, shared, damaged, full, or cleaned up, it never gives wrong bytes
//! and never is in the way of the next run.
#![allow(clippy::disallowed_methods)]

#[path = "store/cleaning.rs"]
mod cleaning;
#[path = "store/damage.rs"]
mod damage;
#[path = "store/full.rs"]
mod full;
#[path = "store/kills.rs"]
mod kills;
mod support;

use std::path::{Path, PathBuf};

use support::{Deb, World};

/// Two packages, one of which is some hundred kilobytes of noise.
fn world() -> World {
    let mut seed: u32 = 7;
    let noise = (0..300_000).map(|_| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        seed.to_be_bytes()[0]
    });
    World::new(&[
        Deb::new("hello", "1.0").file("/usr/share/hello", noise.collect::<Vec<u8>>(), 0o644),
        Deb::new("other", "1.0").file("/usr/share/other", "x", 0o644),
    ])
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}
