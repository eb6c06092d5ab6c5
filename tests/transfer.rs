//! How bytes are had: from several mirrors, in spite of faults, within bounds of time and space, or
//! not at all.
#![allow(clippy::disallowed_methods)]

#[path = "transfer/faults.rs"]
mod faults;
#[path = "transfer/mirrors.rs"]
mod mirrors;
#[path = "transfer/offline.rs"]
mod offline;
#[path = "transfer/sources.rs"]
mod sources;
mod support;

use support::{Deb, Server, World};

/// A package whose file is too noisy to be short.
fn noisy() -> World {
    let mut seed: u32 = 7;
    let noise = (0..400_000).map(|_| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        seed.to_be_bytes()[0]
    });
    World::new(&[Deb::new("hello", "1.0").file("/usr/share/hello", noise.collect::<Vec<u8>>(), 0o644)])
}

/// The same behind a server, and already locked.
fn served() -> (World, Server) {
    let mut world = noisy();
    let server = Server::start(world.archive.root());
    world.url = server.url();
    world.sandbox.env("HARDPAN_TIMEOUT", "1");
    world.lock(&[]).ok();
    server.forget();
    (world, server)
}
