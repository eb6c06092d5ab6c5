//! hardpan turns a TOML recipe into a hardened, minimal, reproducible container image.
//!
//! The rooms and the rules between them are described in `ARCHITECTURE.md`; `cargo xtask tidy`
//! holds them.

pub mod advisory;
pub mod attest;
pub mod canon;
pub mod catalog;
pub mod cli;
pub mod diag;
pub mod draft;
pub mod fetch;
pub mod host;
pub mod ident;
pub mod image;
pub mod layer;
pub mod ledger;
pub mod lock;
pub mod patch;
pub mod pipeline;
pub mod policy;
pub mod publish;
pub mod recipe;
pub mod sbom;
pub mod scan;
pub mod sign;
pub mod source;
pub mod store;
pub mod trial;
pub mod verify;
pub mod vex;
