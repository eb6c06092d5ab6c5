//! One inventory of an image, written in the words of several formats: SPDX 2.3, CycloneDX 1.6, SPDX
//! 3.0.1; and read again from the first two.
//!
//! ```text
//! inventories of layers, pins ─► Bill ─► parts: packages, archives, recipe, generated, each with files
//!                                          ├► spdx       SPDX 2.3 JSON
//!                                          ├► cyclonedx  CycloneDX 1.6 JSON
//!                                          └► spdx3      SPDX 3.0.1 JSON-LD
//! ```
//!
//! Same image, same bytes: times are the image's, identifiers are digests of what they name. The
//! room does not know how a document is signed or where it is kept.

mod bill;
mod cyclonedx;
mod licence;
mod listed;
mod parts;
mod spdx;
mod spdx3;
mod uuid;

pub use bill::{Bill, PackagePin, PlatformBill, SourcePin};
pub use cyclonedx::cyclonedx;
pub use listed::{Listed, listed};
pub use spdx::spdx;
pub use spdx3::spdx3;
pub use uuid::uuid;
