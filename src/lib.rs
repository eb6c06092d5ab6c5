//! hardpan turns a TOML recipe into a hardened, minimal, reproducible container image.
//!
//! The rooms and the rules between them are described in `ARCHITECTURE.md`; `cargo xtask tidy`
//! holds them.

pub mod canon;
pub mod diag;
pub mod fetch;
pub mod host;
pub mod ident;
pub mod lock;
pub mod recipe;
pub mod source;
pub mod store;
