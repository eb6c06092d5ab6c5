//! Every byte that is hashed or signed is written here: JSON, tar, the compressed blocks of a
//! layer, and what DSSE signs; and what comes in compressed is read here, under limits.
//!
//! A layer on its way out:
//!
//! ```text
//! entries ─► tar headers + content ─► blocks of 1 MiB ─► one gzip member (or zstd frame) a block ─► blob
//!                                  └► diff id                                                  └► blob digest
//! ```
//!
//! The cut into blocks depends on nothing but the tar's length, so any number of workers gives the
//! same bytes. **Changing a format constant in this room changes every digest.**
//!
//! This room does not know where bytes come from or go to.

mod blocks;
mod decode;
mod dsse;
mod frame;
mod hashing;
mod json;
mod members;
mod tar;

pub use blocks::{BLOCK, BlockWriter, Compressed, Compression, compress};
pub use decode::{Codec, MAX_DECODER_MEMORY, decoder, finish};
pub use dsse::pae_head;
pub use frame::{Framer, unframe};
pub use hashing::{HashReader, HashWriter};
pub use json::{sorted_to_json, to_json};
pub use tar::{Header, Kind, TRAILER, padding};
