//! The content-addressed store, under the user's cache folder.
//!
//! ```text
//! lock                    held by all who use the store, alone by who deletes from it
//! blobs/ab/<sha256>       bytes that have this digest: packages, indices, layers, configurations
//! partial/<sha256>        a download under way; locked by who is at it, kept to go on with later
//! derived/<kind>/<key>    what was computed from blobs, by the digest of its inputs
//! advisories/<sha256>     a snapshot of advisories, and what stands beside it (`advisory::Shelf`)
//! ```
//!
//! What is in `blobs` and `derived` appears whole or not at all and is never changed in place. It is checked
//! on the way in by its digest; on the way out by its stamp (`host::stamped`), which any write
//! removes: then it is hashed again, and thrown away if it changed. A stamp shows who wrote, not a disk
//! that decays, and whoever may write to the folder can set it: the folder is its user's alone. The store does not know what a
//! blob means.

mod blobs;
mod gc;
mod partial;

pub use blobs::{BlobWriter, Store};
pub use gc::{Collected, Keep, collect};
pub use partial::Partial;
