//! What maintainer scripts would have made, from packages that are made here; `outside_generate.rs`
//! asks the real tools.
#![allow(clippy::disallowed_methods)]

#[path = "generate/certificates.rs"]
mod certificates;
#[path = "generate/libraries.rs"]
mod libraries;
#[path = "generate/mime.rs"]
mod mime;
mod support;
#[path = "generate/system.rs"]
mod system;

use support::{Deb, Output, World};

/// A world whose recipe takes all of these packages and says this.
fn world(debs: &[Deb], rest: &str) -> World {
    let world = World::new(debs);
    let names: Vec<String> =
        world.archive.packages().iter().map(|name| format!("\"{name}\" = \"all\"\n")).collect();
    world.recipe(&format!("[debian.packages]\n{}{rest}", names.concat()));
    world
}

/// A build that is refused, and what it says.
#[track_caller]
fn refused(world: &World, code: &str) -> Output {
    world.build(&[]).exits(3).says(&format!("error[{code}]")).says("= help: ")
}
