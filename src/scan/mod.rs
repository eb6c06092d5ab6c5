//! What of the known vulnerabilities is in something: an image, a folder, an SBOM, a lock file.
//!
//! ```text
//! image, docker archive ─┐
//! root folder            ├─► Subject ──┐
//! SPDX, CycloneDX        │  packages,  ├─► scan ─► Report ─► SARIF, CycloneDX, vulns, Markdown, JSON
//! lock file             ─┘  their      │  pure     counts    against another: Comparison
//!                           sources    │
//!                          Snapshot ───┘
//! ```
//!
//! Packages are matched by the name and version of their *source*, in Debian's order of versions, within their
//! release. A finding that is resolved is none; of the others the tracker's order says whether they count. What
//! a snapshot does not know is not made up: a severity may be unknown, and a snapshot of changelogs says
//! that it knows nothing of what is open. That a vulnerable file seems not to be there is a hint
//! with its evidence, which silences nothing.
//!
//! The room does not know who decides that a finding does not matter: [`Report::silence`] is told so.

mod compare;
mod coverage;
mod decided;
mod dpkg;
mod fail;
mod finding;
mod hint;
mod image;
mod json;
mod known;
mod lock;
mod markdown;
mod matching;
mod prefix;
mod purl;
mod release;
mod report;
mod sarif;
mod sbom;
mod sbom_source;
mod subject;
mod tree;
mod vdr;
mod vulns;

pub use compare::{Comparison, Row};
pub use fail::{FailOn, Met};
pub use finding::{Finding, Hint, Silenced};
pub use image::of_image;
pub use json::{comparison_json, report_json};
pub use known::note_packed;
pub use lock::of_lock;
pub use markdown::{comparison_markdown, report_markdown};
pub use matching::scan;
pub use prefix::{is_prefix, of_prefix};
pub use report::{Counts, Report, SnapshotFacts, WEEK};
pub use sarif::sarif;
pub use sbom::{is_sbom, of_sbom};
pub use subject::{Package, Subject, Want, What};
pub use vdr::vdr;
pub use vulns::{COSIGN_VULN, VULNS, cosign_vuln, vulns};
