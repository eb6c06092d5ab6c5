//! Scans: what of the known vulnerabilities is in images, systems, SBOMs and locks of every maker.
//!
//! `advisories/osv-bookworm.tar.gz` holds Debian's own data: OSV records of bookworm's packages, made from their
//! changelogs. The versions in these tests are real ones.
#![allow(clippy::disallowed_methods)]

#[path = "scan/compared.rs"]
mod compared;
#[path = "scan/covered.rs"]
mod covered;
#[path = "scan/decided.rs"]
mod decided;
#[path = "scan/documents.rs"]
mod documents;
#[path = "scan/failing.rs"]
mod failing;
#[path = "scan/given.rs"]
mod given;
#[path = "scan/hostile.rs"]
mod hostile;
#[path = "scan/made.rs"]
mod made;
#[path = "scan/packed.rs"]
mod packed;
#[path = "scan/pitfalls.rs"]
mod pitfalls;
#[path = "scan/sample.rs"]
mod sample;
#[path = "scan/speed.rs"]
mod speed;
mod support;
