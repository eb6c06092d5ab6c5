//! Advisories: feeds of every kind become a snapshot that is asked offline; broken and hostile ones do not.
//!
//! `advisories/osv-bookworm.tar.gz` and the decisions in `advisories/tracker.json` are Debian's: OSV records of
//! bookworm's packages made from changelogs, and excerpts of the security tracker in the shape of its export.
#![allow(clippy::disallowed_methods)]

#[path = "advisories/ages.rs"]
mod ages;
#[path = "advisories/changelogs.rs"]
mod changelogs;
#[path = "advisories/containers.rs"]
mod containers;
#[path = "advisories/feeds.rs"]
mod feeds;
#[path = "advisories/names.rs"]
mod names;
#[path = "advisories/snapshots.rs"]
mod snapshots;
mod support;
#[path = "advisories/tracker.rs"]
mod tracker;

use hardpan::advisory::{Ecosystem, Said, Shelf, Snapshot};
use hardpan::ident::CveId;
use support::Sandbox;

const OSV: &[u8] = include_bytes!("advisories/osv-bookworm.tar.gz");
const TRACKER: &str = include_str!("advisories/tracker.json");

fn cve(name: &str) -> CveId {
    name.parse().expect("a CVE")
}

fn version(text: &str) -> hardpan::ident::DebVersion {
    text.parse().expect("a version")
}

/// The current snapshot of a sandbox.
fn current(sandbox: &Sandbox) -> Snapshot {
    Shelf::at(&sandbox.store()).open_current().expect("imported").0
}

/// What a snapshot says of a CVE in a package.
fn said(snapshot: &Snapshot, release: &str, package: &str, name: &str) -> Option<Said> {
    let all = snapshot.affecting(&Ecosystem::debian(release), package).expect("readable");
    all.into_iter().find(|said| said.cve == Some(cve(name)))
}

/// A record of OSV.
fn osv(id: &str, cve: &str, package: &str, fixed: &str, modified: &str) -> String {
    serde_json::json!({
        "schema_version": "1.7.3", "id": id, "modified": modified, "upstream": [cve],
        "affected": [{
            "package": { "ecosystem": "Debian:13", "name": package },
            "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }, { "fixed": fixed }] }],
        }],
    })
    .to_string()
}

/// A zip of stored or deflated members.
fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    use std::io::Write as _;
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    for (name, bytes) in members {
        writer.start_file(*name, options).expect("in memory");
        writer.write_all(bytes).expect("in memory");
    }
    writer.finish().expect("in memory").into_inner()
}
