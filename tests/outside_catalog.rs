//! The whole catalog, from Debian's own archive: every image passes its own tests in a real runtime,
//! verifies, builds again to the same bytes, and holds what a scanner of others finds.

#![allow(clippy::disallowed_methods)] // tests are their own host

mod outside;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::OnceLock;

use outside::sboms::syft;
use outside::scanners::osv_packages;
use outside::{Workshop, run, tool};
use serde_json::Value;

/// An image of the catalog.
struct Image {
    /// Its folder below `out`.
    name: String,
    /// A tag.
    tag: String,
}

/// One build of the catalog for all tests here.
fn catalog() -> &'static (Workshop, Vec<Image>) {
    static CATALOG: OnceLock<(Workshop, Vec<Image>)> = OnceLock::new();
    CATALOG.get_or_init(|| {
        let workshop = Workshop::new();
        let said = workshop.hardpan(&["build", "--all", "--locked", "--json", "--quiet"]);
        let images = lines(&said).into_iter().map(|row| Image {
            name: row["path"].as_str().expect("a path").trim_start_matches("out/").to_owned(),
            tag: row["tag"].as_str().expect("a tag").to_owned(),
        });
        let images = images.collect();
        (workshop, images)
    })
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

#[test]
#[ignore = "needs Debian's archive"]
fn a_catalog_that_is_up_to_date_is_not_built_again() {
    let (workshop, images) = catalog();
    let said = lines(&workshop.hardpan(&["build", "--all", "--locked", "--json", "--quiet"]));
    assert_eq!(said.len(), images.len());
    let built: Vec<&Value> = said.iter().filter(|row| row["outcome"] != "unchanged").collect();
    assert!(built.is_empty(), "{built:?}");
}

#[test]
#[ignore = "needs runc and Debian's archive"]
fn every_image_passes_its_own_tests() {
    let (workshop, images) = catalog();
    let mut failed = Vec::new();
    for image in images {
        let mut command =
            tool(env!("CARGO_BIN_EXE_hardpan"), &["test", "--json", "--platform", "linux/amd64"]);
        let output = command
            .args(["--runtime", "runc", &workshop.path(&format!("out/{}", image.name))])
            .current_dir(workshop.path(""))
            .env("HARDPAN_STORE", workshop.path("store"))
            .output()
            .expect("hardpan runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() || !said.contains("\"passed\"") || said.contains("\"untested\"") {
            failed.push(format!("{}: {said}{}", image.name, String::from_utf8_lossy(&output.stderr)));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
#[ignore = "needs Debian's archive"]
fn every_image_verifies() {
    let (workshop, images) = catalog();
    for image in images {
        workshop.hardpan(&["verify", &format!("out/{}", image.name)]);
    }
}

#[test]
#[ignore = "needs Debian's archive"]
fn every_image_builds_again_to_the_same_bytes() {
    let (workshop, images) = catalog();
    let again = Workshop::with_blobs_of(workshop);
    for image in images {
        again.hardpan(&["rebuild", &workshop.path(&format!("out/{}", image.name)), "--quiet"]);
    }
}

/// The binary packages that an SBOM of ours lists: names and versions.
fn listed(document: &str) -> BTreeSet<(String, String)> {
    let document: Value = serde_json::from_str(document).expect("JSON");
    let packages = document["packages"].as_array().expect("packages").iter().filter(|package| {
        let references = package["externalRefs"].as_array().map(Vec::as_slice).unwrap_or_default();
        let is_binary = |purl: &str| purl.starts_with("pkg:deb/") && !purl.contains("arch=source");
        references.iter().any(|one| one["referenceLocator"].as_str().is_some_and(is_binary))
    });
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    packages.map(|package| (text(&package["name"]), text(&package["versionInfo"]))).collect()
}

#[test]
#[ignore = "needs skopeo, syft, osv-scanner and Debian's archive"]
fn scanners_of_others_find_the_packages_that_the_sbom_lists() {
    let (workshop, images) = catalog();
    for Image { name, tag } in images {
        let listed =
            listed(&workshop.hardpan(&["sbom", &format!("out/{name}"), "--platform", "linux/amd64"]));
        assert!(!listed.is_empty(), "{name}");
        let one = workshop.path(&format!("scanned-{name}.tar"));
        let from = workshop.oci(&format!("out/{name}:{tag}"));
        let to = format!("docker-archive:{one}:{name}:x");
        run(&mut tool("skopeo", &["--override-arch", "amd64", "copy", "-q", &from, &to]));
        let found = syft(&format!("docker-archive:{one}"), "linux/amd64").into_iter();
        let found: BTreeSet<(String, String)> = found
            .filter(|package| package.purl.starts_with("pkg:deb/"))
            .map(|package| (package.name, package.version))
            .collect();
        assert_eq!(found, listed, "syft in {name}");
        assert_eq!(osv_packages(Path::new(&one)), listed, "osv-scanner in {name}");
        run(tool("rm", &[]).arg(&one));
    }
}
