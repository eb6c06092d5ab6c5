//! What is published is believed by other people's tools, on real registries: cosign 2 and 3 verify
//! it offline, skopeo, docker and syft take it, parsers of SBOMs read what it says of itself. And what
//! is not ours is believed neither by them nor by `hardpan verify`.
//!
//! `cargo xtask ci` installs the programs and runs what is ignored here. Images are made of packages
//! of the tests' own, so all this needs no network but the loopback interface.
#![allow(clippy::disallowed_methods)] // tests are their own host

#[path = "outside_trust/believed.rs"]
mod believed;
#[path = "outside_trust/goods.rs"]
mod goods;
#[path = "outside_trust/keys.rs"]
mod keys;
#[path = "outside_trust/listed.rs"]
mod listed;
mod outside;
#[path = "outside_trust/refused.rs"]
mod refused;
mod support;
#[path = "outside_trust/taken.rs"]
mod taken;
