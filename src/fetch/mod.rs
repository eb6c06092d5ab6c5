//! Bytes from mirrors into the store, each checked against what is pinned or signed.
//!
//! The room knows addresses, retries and resumption. It does not know recipes.

mod apt;
mod config;
mod mirrors;
mod transfer;
mod upstream;

pub use apt::AptSource;
pub use config::MirrorConfig;
pub use mirrors::{Asked, Mirror, Mirrors};
pub use transfer::{Location, Pin, Transfers};
pub use upstream::{ArchiveUpstream, stored_index};
