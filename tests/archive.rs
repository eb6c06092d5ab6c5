//! Archives that are not what they should be: each is refused by its code, with what was found, what
//! was expected and what to do next, and leaves neither lock nor image behind; once it is healed,
//! the same command succeeds.
#![allow(clippy::disallowed_methods)]

#[path = "archive/bytes.rs"]
mod bytes;
#[path = "archive/missing.rs"]
mod missing;
#[path = "archive/releases.rs"]
mod releases;
#[path = "archive/signatures.rs"]
mod signatures;
mod support;

use support::{Deb, World};

fn hello() -> World {
    World::new(&[Deb::new("hello", "1.0").file("/usr/share/hello", "hi\n", 0o644)])
}

const BUILD: [&str; 2] = ["build", "made.toml"];
