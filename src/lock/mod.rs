//! From what a recipe asks for to what is pinned: signed release files, indices, resolution, the
//! lock file, and whether a lock satisfies a recipe.
//!
//! ```text
//! release file ─(signature, dates, names)─► index part ─(digest)─► candidates ─► closure ─► lock
//! ```
//!
//! The room asks upstream through [`Upstream`]; it knows neither mirrors nor the store.

mod archive;
mod changes;
mod file;
mod openpgp;
mod packages;
mod release;
mod resolve;
mod satisfy;
mod update;
mod vouch;

pub use archive::{Archive, KNOWN, archives, debian_archives};
pub use changes::{Change, changes};
pub use file::{Lock, LockedPackage, LockedRelease};
pub use openpgp::{Keyring, Verified};
pub use packages::{Candidate, Universe};
pub use release::{IndexPart, Release, peek};
pub use satisfy::{reachable, stale};
pub use update::{Moves, Offer, Request, Shelf, Upstream, offers, update};
pub use vouch::{ReadBlob, Vouched, vouch};
