//! From the bytes of a source to file entries: Debian packages, archives, single files.
//!
//! Whatever it was, it becomes a *parcel*: one file in the store's `derived` folder that holds every
//! regular file as zstd frames and, at its end, an index of all entries. A package is decoded once in
//! its life; selection, closure and layers work on indices and read frames in whatever order they
//! need. Nothing is unpacked to disk.
//!
//! Everything here is hostile until shown otherwise: paths that climb, devices, links outwards,
//! duplicates, bombs, data cut short or with more after it are refused. The room does not know what
//! a recipe selects.

mod deb;
mod elf;
mod entry;
mod known_keys;
mod parcel;
mod read;
mod secrets;
mod single;
mod tarball;
mod zipball;

pub use elf::{ElfInfo, OpenNote, Priority};
pub use entry::{Content, Entry, Kind};
pub use parcel::{ContentReader, Parcel, ParcelIndex};
pub use read::{Form, parcel};
pub use secrets::{Secret, secrets};
