//! Scanners of others that read images, without a network.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::tool;
use super::tools::{OSV_SCANNER, built};

/// A zip archive without members: its end (APPNOTE 4.3.16).
const EMPTY_ZIP: [u8; 22] = *b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

/// What is found in our images; without advisories for each it does not even list packages.
const ECOSYSTEMS: [&str; 9] =
    ["Debian", "PyPI", "npm", "Go", "Maven", "RubyGems", "Packagist", "crates.io", "Hackage"];

/// Whether osv-scanner tells of a package at all: it leaves out what is built from Linux itself, whose many
/// CVEs are those of a kernel that no container has.
pub fn is_told_by_osv(name: &str) -> bool {
    !name.starts_with("linux-")
}

/// The Debian packages that osv-scanner finds in a docker archive: names and versions.
pub fn osv_packages(archive: &Path) -> BTreeSet<(String, String)> {
    let database = tempfile::tempdir().expect("a folder");
    for ecosystem in ECOSYSTEMS {
        let folder = database.path().join("osv-scanner").join(ecosystem);
        std::fs::create_dir_all(&folder).expect("ours");
        std::fs::write(folder.join("all.zip"), EMPTY_ZIP).expect("ours");
    }
    let said = osv(archive, &[], database.path());
    let results = said["results"].as_array().map(Vec::as_slice).unwrap_or_default();
    let packages = results.iter().flat_map(|result| result["packages"].as_array().expect("packages"));
    let of_debian = packages.map(|package| &package["package"]).filter(|package| {
        package["ecosystem"].as_str().is_some_and(|ecosystem| ecosystem.starts_with("Debian:"))
    });
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    of_debian.map(|package| (text(&package["os_package_name"]), text(&package["version"]))).collect()
}

/// What osv-scanner says of a docker archive, with the advisories below `database`.
pub fn osv(archive: &Path, more: &[&str], database: &Path) -> Value {
    let mut command: Command = tool(&built(OSV_SCANNER).display().to_string(), &["scan", "image"]);
    command.args(["--offline", "--offline-vulnerabilities", "--all-packages", "--format", "json"]).args(more);
    command.env("OSV_SCANNER_LOCAL_DB_CACHE_DIRECTORY", database).arg("--archive").arg(archive);
    let output = command.output().expect("osv-scanner runs");
    // 1 says that there are vulnerabilities.
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{command:?}: {}\n{said}", output.status);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{command:?}: {error}\n{said}"))
}
