//! The sample: what bookworm's main has of three sources, brought up to what its security suite has.

use super::House;
use super::support::Deb;

/// OSV's records of bookworm, made from changelogs.
const OSV: &[u8] = include_bytes!("../advisories/osv-bookworm.tar.gz");

/// A binary package, its source, and the source's versions in main and in security.
const PACKAGES: [(&str, &str, &str, &str); 3] = [
    ("libssl3", "openssl", "3.0.20-1~deb12u2", "3.0.22-1~deb12u2"),
    ("libexpat1", "expat", "2.5.0-1+deb12u2", "2.5.0-1+deb12u5"),
    ("redis-server", "redis", "5:7.0.15-1~deb12u7", "5:7.0.15-1~deb12u10"),
];

fn deb(name: &str, source: &str, version: &str) -> Deb {
    let file = format!("/usr/share/{name}/version");
    Deb::new(name, version).source(source, version).file(&file, format!("{version}\n"), 0o644)
}

#[test]
fn an_image_of_main_shows_forty_four_and_after_the_patch_none() {
    let mut house = House::of("bookworm", &PACKAGES.map(|(name, source, main, _)| deb(name, source, main)));
    house.recipe("one", "", &PACKAGES.map(|(name, ..)| name));
    house.sandbox.write("osv.tar.gz", OSV);
    house.sandbox.hardpan(&["advisories", "import", "osv.tar.gz"]).ok();
    house.patch(&[]).ok();
    let reference = format!("{}/one:latest", house.to());
    let scan = || {
        let said =
            house.sandbox.hardpan(&["scan", &reference, "--release", "bookworm", "--json"]).ok().stdout;
        let report: serde_json::Value = serde_json::from_str(&said).expect("JSON");
        ["total", "fixable"].map(|count| report["counts"][count].as_u64().expect("a count"))
    };
    assert_eq!(scan(), [44, 44]);
    let before = house.tag("one", "latest");
    for (name, source, _, fixed) in PACKAGES {
        let suite = "bookworm-security";
        house.security.add(suite, "main", deb(name, source, fixed).build());
    }
    house.security.date(super::now() - 60).publish();
    let said = house.patched(&["--fail-on", "fixable"]);
    assert_eq!(said["one"]["outcome"], "out");
    assert_eq!(said["one"]["fixed"].as_array().expect("CVEs").len(), 44);
    assert_ne!(house.tag("one", "latest"), before);
    let reference = format!("{}/one:latest", house.to());
    let said = house.sandbox.hardpan(&["scan", &reference, "--release", "bookworm", "--fail-on", "any"]).ok();
    assert!(said.stdout.contains("nothing that counts was found"), "{}", said.stdout);
    let events = house.sandbox.hardpan(&["report", "export"]).ok().stdout;
    let of = |kind: &str| events.lines().filter(|line| line.starts_with(&format!("{{\"{kind}\":"))).count();
    assert_eq!([of("detected"), of("fix"), of("fixed")], [44; 3], "{events}");
}
