//! Scans of what others make, and what another scanner counts: a root of mmdebstrap, images of ours, osv-scanner.
#![allow(clippy::disallowed_methods)]

mod outside;
mod support;

use std::collections::BTreeSet;
use std::path::Path;

use outside::scanners::osv;
use outside::{Workshop, hardpan, run, tool};
use serde_json::{Value, json};
use support::{Sandbox, Tarball, sha256_hex};

/// OSV's records of bookworm, made from changelogs.
const OSV: &[u8] = include_bytes!("advisories/osv-bookworm.tar.gz");

/// Packages of the sample as main has them, and as security has them: name, version, source.
const MAIN: [(&str, &str, &str); 3] = [
    ("libssl3", "3.0.20-1~deb12u2", "openssl"),
    ("libexpat1", "2.5.0-1+deb12u2", "expat"),
    ("redis-server", "5:7.0.15-1~deb12u7", "redis"),
];
const SECURITY: [(&str, &str, &str); 3] = [
    ("libssl3", "3.0.22-1~deb12u2", "openssl"),
    ("libexpat1", "2.5.0-1+deb12u5", "expat"),
    ("redis-server", "5:7.0.15-1~deb12u10", "redis"),
];

/// A docker archive with these packages, as `docker save` writes it.
fn archive(installed: &[(&str, &str, &str)]) -> Vec<u8> {
    let stanza = |(name, version, source): &(&str, &str, &str)| {
        format!(
            "Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nSource: {source}\nVersion: {version}\nMaintainer: Nobody <nobody@example.org>\nDescription: made\n\n"
        )
    };
    let os_release = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nVERSION=\"12 (bookworm)\"\nVERSION_CODENAME=bookworm\nID=debian\n";
    let layer = Tarball::new()
        .file("usr/lib/os-release", os_release, 0o644)
        .file("etc/os-release", os_release, 0o644)
        .file("etc/debian_version", "12.12\n", 0o644)
        .file("var/lib/dpkg/status", installed.iter().map(stanza).collect::<String>(), 0o644)
        .with_parents()
        .build();
    let config = json!({
        "architecture": "amd64", "os": "linux", "config": {}, "history": [{ "created_by": "made" }],
        "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{}", sha256_hex(&layer))] },
    })
    .to_string();
    let name = format!("{}.json", sha256_hex(config.as_bytes()));
    let manifest = json!([{ "Config": name, "RepoTags": ["made:1"], "Layers": ["layer.tar"] }]);
    Tarball::new()
        .file(&name, config, 0o644)
        .file("layer.tar", layer, 0o644)
        .file("manifest.json", manifest.to_string(), 0o644)
        .build()
}

/// The records as osv-scanner's own database.
fn database(folder: &Path) {
    use std::io::{Read as _, Write as _};
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(OSV));
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for entry in tar.entries().expect("a tar") {
        let mut entry = entry.expect("an entry");
        let path = entry.path().expect("a path").into_owned();
        if path.extension().is_some_and(|end| end == "json") {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).expect("in memory");
            writer.start_file(name, zip::write::SimpleFileOptions::default()).expect("in memory");
            writer.write_all(&bytes).expect("in memory");
        }
    }
    let path = folder.join("osv-scanner/Debian");
    std::fs::create_dir_all(&path).expect("ours");
    std::fs::write(path.join("all.zip"), writer.finish().expect("in memory").into_inner()).expect("ours");
}

/// The CVEs that osv-scanner finds.
fn by_osv(said: &Value) -> BTreeSet<String> {
    let results = said["results"].as_array().map(Vec::as_slice).unwrap_or_default();
    let packages = results.iter().flat_map(|result| result["packages"].as_array().expect("packages"));
    let found =
        packages.flat_map(|package| package["vulnerabilities"].as_array().cloned().unwrap_or_default());
    found.map(|one| one["id"].as_str().expect("a name").trim_start_matches("DEBIAN-").to_owned()).collect()
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}:\n{text}"))
}

#[test]
#[ignore = "needs osv-scanner"]
fn osv_scanner_counts_the_same_forty_four_and_none_after_the_patch() {
    let sandbox = Sandbox::new();
    sandbox.write("osv.tar.gz", OSV);
    sandbox.run_program(&hardpan(), &["advisories", "import", "osv.tar.gz"]).output().ok();
    let folder = tempfile::tempdir().expect("a folder");
    database(folder.path());
    for (installed, wanted) in [(&MAIN, 44), (&SECURITY, 0)] {
        let path = sandbox.write("image.tar", archive(installed));
        let theirs = by_osv(&osv(&path, &[], folder.path()));
        let out = sandbox.run_program(&hardpan(), &["scan", "image.tar", "--json"]).output().ok();
        let report = parsed(&out.stdout);
        let ours: BTreeSet<String> = report["findings"]
            .as_array()
            .expect("findings")
            .iter()
            .map(|one| one["id"].as_str().expect("a name").to_owned())
            .collect();
        assert_eq!(ours.len(), wanted);
        assert_eq!(ours, theirs);
    }
}

/// What is open in any Debian that has these sources: the real feeds are brought by people, and are not here.
fn open_in(sources: &BTreeSet<String>) -> Value {
    let records = sources.iter().enumerate().map(|(at, source)| {
        let stands = json!({ "trixie": { "status": "open", "urgency": "not yet assigned", "repositories": { "trixie": "1" } } });
        (source.clone(), json!({ format!("CVE-2026-{}", 10_000 + at): { "description": "made", "releases": stands } }))
    });
    Value::Object(records.collect())
}

#[test]
#[ignore = "needs mmdebstrap and Debian's archives"]
fn a_real_root_of_debian_is_compared_with_our_images() {
    let workshop = Workshop::new();
    let root = workshop.path("root");
    let mut mmdebstrap = tool(
        "mmdebstrap",
        &["--quiet", "--variant=minbase", "--mode=root", "--format=directory", "trixie", &root],
    );
    run(&mut mmdebstrap);
    for recipe in ["base", "python"] {
        workshop.hardpan(&["build", &format!("recipes/{recipe}.toml")]);
    }
    // One made CVE for each source that the root has: what is left is what an image still shares with it.
    std::fs::write(
        workshop.path("none.json"),
        "{\"nothing\":{\"CVE-2026-0001\":{\"releases\":{\"trixie\":{\"status\":\"open\"}}}}}",
    )
    .expect("ours");
    workshop.hardpan(&["advisories", "import", "none.json", "--kind=tracker", "--date=2026-11-01"]);
    let empty = parsed(&workshop.hardpan(&["scan", &root, "--json"]));
    let packages = empty["subject"]["packages"].as_array().expect("packages");
    let sources: BTreeSet<String> =
        packages.iter().map(|one| one["source"].as_str().expect("a name").to_owned()).collect();
    assert!(packages.len() > 60 && sources.contains("glibc"), "{}", packages.len());
    assert_eq!((&empty["subject"]["release"], &empty["subject"]["notes"]), (&json!("13"), &json!([])));
    let with_files =
        packages.iter().filter(|one| one["files"].as_u64().is_some_and(|files| files > 0)).count();
    assert!(with_files > 50, "{with_files} of {} have files", packages.len());
    std::fs::write(workshop.path("open.json"), open_in(&sources).to_string()).expect("ours");
    workshop.hardpan(&["advisories", "import", "open.json", "--kind=tracker", "--date=2026-11-02"]);
    for recipe in ["base", "python"] {
        let image = format!("out/{recipe}");
        let compared = parsed(&workshop.hardpan(&[
            "scan",
            &image,
            "--compare",
            &root,
            "--platform=linux/amd64",
            "--json",
        ]));
        let total = &compared["total"];
        assert_eq!(total["other"].as_u64(), Some(sources.len() as u64), "{total}");
        assert!(
            total["reduction_percent"].as_f64().is_some_and(|percent| percent > 30.0),
            "{recipe}: {total}"
        );
        println!("{}", workshop.hardpan(&["scan", &image, "--compare", &root, "--platform=linux/amd64"]));
    }
}
