//! What integration tests build their worlds from: packages, keys, archives, a server, a sandbox.
//!
//! Everything is made anew, in memory or in a temporary folder, by code that shares nothing with
//! hardpan itself: a test that wrote its packages with the code that reads them would only show
//! that the code agrees with itself. Nothing here reaches beyond the loopback interface.
// A test builds its surroundings by hand, so it needs the doors that hardpan keeps shut; each test
// binary uses a part of all this only; and a failing step is best seen as a panic at its place.
#![allow(clippy::disallowed_methods, dead_code, unused_imports)]
#![allow(clippy::return_self_not_must_use, clippy::new_without_default)]

mod archive;
mod certified;
mod compression;
mod deb;
mod der;
mod distribution;
mod elf;
mod fault;
mod hand;
mod image;
mod index;
mod keys;
mod layout;
mod registry;
mod run;
mod sandbox;
mod schema;
mod server;
pub mod signed;
mod sigstore;
mod tarball;
mod wire;
mod world;

pub use archive::Archive;
pub use certified::Plan;
pub use compression::{Codec, compress, decompress};
pub use deb::Deb;
pub use distribution::{Asked, Auth, Flaw};
pub use elf::{AARCH64, Elf, ElfKind, X86_64, elf};
pub use fault::Fault;
pub use hand::{BUNDLE_TYPE, Hand, IN_TOTO, bundle, statement};
pub use image::{Image, Item};
pub use index::{md5_hex, release_date, sha256_hex};
pub use keys::{Hash, Key, sign_inline};
pub use layout::{Attached, Layout, flip};
pub use registry::Registry;
pub use run::{Output, Run, Running};
pub use sandbox::Sandbox;
pub use schema::{Schema, validate};
pub use server::{Request, Server};
pub use sigstore::{Sigstore, Wrong, base64_of, bytes_of, now};
pub use tarball::{MTIME, Tarball};
pub use world::World;
