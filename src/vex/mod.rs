//! Decisions on vulnerabilities: what people say of a CVE in an image, what follows from that and from
//! what the image holds, and how both are written for others.
//!
//! ```text
//! vex/python.toml ─┐
//! vex/all.toml     ├─► decisions ─► verdict(image, CVE, packages)      for scans
//! others' OpenVEX ─┘       │
//!                          └─► document ─► OpenVEX 0.2.0, CSAF 2.0     attached, signed
//! ```
//!
//! A file of decisions lies in `vex/` beside the recipes and is called as the recipe's file is, or `all`:
//!
//! ```toml
//! [[decision]]                          # somebody decided it
//! cve = "CVE-2026-102633"
//! packages = ["openssl"]                # source or binary packages
//! status = "not_affected"
//! justification = "vulnerable_code_not_in_execute_path"
//! reason = "…"
//! author = "Ada <ada@example.org>"
//! date = 2026-11-01
//! expires = 2027-05-01
//!
//! [[component]]                         # somebody knows where it is; hardpan looks whether that is there
//! cve = "CVE-2026-102634"
//! packages = ["openssl"]
//! paths = ["/usr/bin/openssl"]
//! reason = "…"                          # author, date, expires as above
//! ```
//!
//! **Which one wins**, of those that hold today and cover a package: people's own before others' documents,
//! those before what hardpan worked out; then the later date; then what silences less. Two of people's own with one
//! date and different statuses are an error. What has expired, or is dated in the future, counts as none.
//! Something is silenced only if each package that it was found in is covered.
//!
//! Debian's advisories name source packages and not which of their binary packages or files a CVE is in, so hardpan
//! never concludes by itself that a component is not there: somebody says once where it is (`[[component]]`), and for
//! each image it is looked up. The room does not know findings or scans, and never the clock: `now` is handed in.

mod append;
mod beside;
mod component;
mod conflict;
mod csaf;
mod dates;
mod decision;
mod document;
mod gone;
mod held;
mod keys;
mod lower;
mod openvex;
mod purl;
mod read;
mod rules;
mod shelf;
mod verdict;
mod words;

pub use append::{Draft, append};
pub use beside::Scanned;
pub use csaf::{Publisher, csaf};
pub use decision::{Claim, Decision, Images, Standing};
pub use document::{Document, Product, Statement, document};
pub use gone::{Locked, LockedImage};
pub use held::{Held, HeldPackage};
pub use openvex::{is_own_vex, openvex};
pub use read::read_document;
pub use shelf::{ALL, Decisions, FOLDER, files_of, open_document};
pub use verdict::{Binary, Question, Verdict};
pub use words::{By, Justification, Status, Unknown};
