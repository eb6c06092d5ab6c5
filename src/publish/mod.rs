//! Images in registries (OCI distribution specification 1.1): sending them, with what refers to them,
//! and bringing them back.
//!
//! ```text
//! blobs ─► manifests ─► index ─► referrers ─► read back ─► lists of referrers ─► further tags
//!                                                                                    │
//!                                          moving tags ◄─ the dated tag ◄────────────┘
//! ```
//!
//! Each step is done for all before the next begins, so that no tag points at something that is not
//! whole, wherever it ends. What is there already is not sent again. Credentials go to the registry
//! that they are for, and nowhere else. The room does not know recipes, nor what signatures say.

mod access;
mod address;
mod challenge;
mod credentials;
mod failure;
mod fallback;
mod glance;
mod outgoing;
mod pull;
mod push;
mod pushed;
mod remote;
mod session;
mod shipment;
mod tags;
mod upload;

pub use access::Access;
pub use credentials::CredentialFiles;
pub use failure::Purpose;
pub use glance::{Glance, glance, images_below, manifest, tags};
pub use pull::{Depth, pull};
pub use push::{Count, Order, Published, push};
pub use shipment::{ExtraTag, name_of};
