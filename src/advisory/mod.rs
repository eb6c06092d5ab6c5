//! What is known of vulnerabilities, offline first: feeds are imported once, into a snapshot that is asked.
//!
//! ```text
//! Debian's tracker ─┐
//! OSV               ├─► spool ─► snapshot ─► affecting(Debian:13, openssl), about(CVE-2026-9999)
//! KEV, EPSS, CVE 5  │   sorted   one file, named by its digest, maybe signed
//! changelogs ───────┘
//! ```
//!
//! The internal form is OSV's (schema 1.7), by *source* package. Each feed's records are read one at a
//! time under limits; a broken one is named and the rest serves. A snapshot holds no time of this machine, so
//! that the same feeds make the same bytes, and it is told of in every report by its digest and the
//! feeds' own dates. Versions are compared in the order of their ecosystem, where that is known (`VersionOrder`).
//!
//! The room does not know images, inventories or what counts as a finding: that is `scan`.

mod carrier;
mod changelog;
mod compose;
mod container;
mod cve5;
mod cvss;
mod dates;
mod derive;
mod download;
mod export;
mod feed;
mod group;
mod import;
mod intake;
mod kinds;
mod limits;
mod lists;
mod lookup;
mod names;
mod osv;
mod record;
mod seen;
mod shelf;
mod snapshot;
mod spool;
mod tracker;
mod version_order;

pub use carrier::{Siblings, fixed_since};
pub use changelog::{Changelog, changelog_cves, fixed_between};
pub use derive::{Derived, Look, derive};
pub use download::download;
pub use export::export_osv;
pub use feed::{DERIVED_ONLY, Feed, FeedKind, Head};
pub use group::{Known, Said};
pub use import::{Imported, Order, Origin, import};
pub use names::package_name;
pub use record::{
    Advisory, Affected, Ecosystem, Epss, Evidence, Kev, Level, NoDsa, NoDsaReason, Severity, Span, Standing,
    State, Urgency,
};
pub use seen::Seen;
pub use shelf::{Current, PREDICATE, Shelf, SignedBy, check_bundle, open_file};
pub use snapshot::Snapshot;
pub use version_order::VersionOrder;
