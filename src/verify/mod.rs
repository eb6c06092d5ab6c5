//! Whether an image is what it says: digests, signatures, statements, contents, pins, tags, policy.
//!
//! ```text
//! image ─► bundles ─► signed by a trusted key ─► about this digest ─► of every kind that is asked for
//!       ─► layers: digests, diff ids ─► files = SBOM, both ways ─► packages = lock = provenance
//!       ─► tags, policy                                                     ─► one report
//! ```
//!
//! Every check reports what it saw or what is wrong; none stops the others. The room reads what is
//! opened for it and does not know how images are published.

mod attached;
mod checks;
mod compare;
mod listing;
mod origin;
mod policy;
mod report;
mod statements;
mod tags;

pub use attached::{Attached, annotated_kind, attached_of_kind, is_bundle, read_attached};
pub use checks::{Against, unreadable, verify};
pub use compare::{Difference, Differences, DifferingFile, differences};
pub use policy::{Policy, Targets};
pub use report::{Check, Outcome, Report};
pub use statements::{About, elsewhere, subjects};
pub use tags::{DatedImage, TagFacts, same_line};
