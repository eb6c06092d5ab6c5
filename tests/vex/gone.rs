//! Decisions on what is not there any more.

use hardpan::advisory::{Ecosystem, Shelf, Snapshot};
use hardpan::vex::{Decisions, Locked, LockedImage};
use serde_json::{Value, json};

use crate::support::{Sandbox, World};
use crate::{component, days_from_now, decision, read};

fn locked(image: &str, packages: &[(&str, &str, &str)]) -> LockedImage {
    let one = |(binary, source, version): &(&str, &str, &str)| Locked {
        binary: (*binary).to_owned(),
        source: (*source).to_owned(),
        source_version: version.parse().expect("a version"),
        ecosystem: Some(Ecosystem::debian("13")),
    };
    LockedImage { image: image.to_owned(), packages: packages.iter().map(one).collect(), holds_more: false }
}

fn images() -> Vec<LockedImage> {
    let ssl = ("libssl3t64", "openssl", "3.5.7-1~deb13u3");
    vec![
        locked("base", &[("libc6", "glibc", "2.41-12")]),
        locked("python", &[ssl, ("zlib1g", "zlib", "1:1.3.1-1")]),
        locked("nginx", &[ssl]),
    ]
}

fn tracker() -> Value {
    let release = |status: &str, fixed: Option<&str>| {
        let mut value =
            json!({ "status": status, "repositories": { "trixie": "1-1" }, "urgency": "not yet assigned" });
        if let Some(fixed) = fixed {
            value["fixed_version"] = fixed.into();
        }
        json!({ "description": "x", "scope": "remote", "releases": { "trixie": value } })
    };
    json!({
        "openssl": {
            "CVE-2026-102633": release("open", None),
            "CVE-2026-1001": release("resolved", Some("3.5.7-1~deb13u2")),
            "CVE-2026-1002": release("resolved", Some("3.5.7-1~deb13u9")),
        },
        "zlib": { "CVE-2026-1003": release("open", None) },
    })
}

fn snapshot(sandbox: &Sandbox) -> Snapshot {
    sandbox.write("tracker.json", tracker().to_string());
    sandbox.hardpan(&["advisories", "import", "tracker.json", "--date", "2026-11-20"]).ok();
    Shelf::at(&sandbox.store()).open_current().expect("imported").0
}

fn said(decisions: &Decisions, snapshot: Option<&Snapshot>) -> Vec<String> {
    let gone = decisions.gone(&images(), snapshot).expect("asked");
    assert!(gone.iter().all(|(_, problem)| problem.code.to_string() == "HP346" && problem.warning));
    gone.into_iter().map(|(at, problem)| format!("{}: {}", decisions.own()[at].id, problem.message)).collect()
}

#[test]
fn a_package_that_the_image_has_not_is_told_of() {
    let none =
        |name: &str, text: &str| assert_eq!(said(&read(name, text), None), Vec::<String>::new(), "{text}");
    none("python", &decision(&[]));
    none("python", &decision(&[("packages", "[\"libssl3t64\", \"zlib\"]")]));
    none("all", &decision(&[("packages", "[\"glibc\"]")]));
    let gone = |name: &str, packages: &str| said(&read(name, &decision(&[("packages", packages)])), None);
    assert_eq!(gone("base", "[\"openssl\"]").len(), 1);
    assert_eq!(gone("python", "[\"libssl3\", \"openssl\"]").len(), 1);
    assert_eq!(
        gone("all", "[\"libssl3\"]"),
        ["CVE-2026-102633: no image has package `libssl3`, which a decision on CVE-2026-102633 names"]
    );
    // Of an image without a lock, or with more in it than packages, nobody can tell.
    let decisions = read("python", &decision(&[("packages", "[\"django\"]")]));
    assert!(decisions.gone(&[], None).expect("asked").is_empty());
    let mut more = images();
    more[1].holds_more = true;
    assert!(decisions.gone(&more, None).expect("asked").is_empty());
    assert_eq!(decisions.gone(&images(), None).expect("asked").len(), 1);
}

#[test]
fn a_cve_that_is_none_any_more_is_told_of() {
    let sandbox = Sandbox::new();
    let snapshot = snapshot(&sandbox);
    let ask = |id: &str| said(&read("python", &decision(&[("cve", &format!("\"{id}\""))])), Some(&snapshot));
    assert_eq!(ask("CVE-2026-102633"), Vec::<String>::new());
    assert_eq!(ask("CVE-2026-1002"), Vec::<String>::new());
    assert!(ask("CVE-2026-1001")[0].ends_with("the versions that are locked are not affected any more"));
    assert!(ask("CVE-2026-1003")[0].ends_with("advisories name other packages: zlib"));
    assert!(ask("CVE-2020-9999")[0].ends_with("no advisory names CVE-2020-9999"));
    let place = component(&[("cve", "\"CVE-2020-9999\""), ("paths", "[\"/usr/bin/openssl\"]")]);
    assert_eq!(said(&read("python", &place), Some(&snapshot)).len(), 1);
    // A package of others, whom no advisory knows, is not asked for.
    let mut others = images();
    others[1].packages[0].ecosystem = None;
    let decisions = read("python", &decision(&[("cve", "\"CVE-2020-9999\"")]));
    assert!(decisions.gone(&others, Some(&snapshot)).expect("asked").is_empty());
    let known = images()[1].packages[0].clone();
    others[1].packages.push(Locked { binary: "openssl".to_owned(), ..known });
    assert!(decisions.gone(&others, Some(&snapshot)).expect("asked").is_empty());
}

#[test]
fn a_cve_that_only_an_advisory_of_several_names_is_none_that_is_gone() {
    let sandbox = Sandbox::new();
    let record = |id: &str, names: &str, list: [&str; 2]| {
        json!({
            "schema_version": "1.7.3", "id": id, "modified": "2026-11-20T00:00:00Z", names: list,
            "affected": [{ "package": { "ecosystem": "Debian:13", "name": "openssl" },
                "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }, { "fixed": "99-1" }] }] }],
        })
        .to_string()
    };
    sandbox.write("osv/a.json", record("DSA-9999-1", "upstream", ["CVE-2026-50002", "CVE-2026-50003"]));
    sandbox.write("osv/b.json", record("GHSA-aaaa-bbbb-cccc", "aliases", ["CVE-2026-50004", "PYSEC-2026-1"]));
    sandbox.hardpan(&["advisories", "import", "osv"]).ok();
    let snapshot = Shelf::at(&sandbox.store()).open_current().expect("imported").0;
    let ask = |id: &str| said(&read("python", &decision(&[("cve", &format!("\"{id}\""))])), Some(&snapshot));
    for id in ["CVE-2026-50002", "CVE-2026-50003", "CVE-2026-50004"] {
        assert_eq!(ask(id), Vec::<String>::new(), "{id}");
    }
    assert!(ask("CVE-2026-50005")[0].ends_with("no advisory names CVE-2026-50005"));
}

#[test]
fn check_asks_the_snapshot_and_says_which() {
    let sandbox = Sandbox::new();
    sandbox.write("recipes/python.toml", World::head("python"));
    let lock = format!(
        "version = 1\n\n[[release]]\narchive = \"debian\"\nsuite = \"trixie\"\norigin = \"Debian\"\ndate = \"2026-11-01T00:00:00Z\"\nsha256 = \"{0}\"\nindices = []\n\
         \n[[package]]\nname = \"libssl3t64\"\nplatform = \"linux/amd64\"\nversion = \"3.5.7-1~deb13u3\"\nsource = \"openssl\"\nsource-version = \"3.5.7-1~deb13u3\"\n\
         architecture = \"amd64\"\narchive = \"debian\"\npath = \"pool/x.deb\"\nsize = 1\nsha256 = \"{0}\"\n",
        "0".repeat(64)
    );
    sandbox.write("recipes/python.lock", lock);
    let (date, expires) = (days_from_now(-1), days_from_now(30));
    let text = decision(&[("cve", "\"CVE-2026-1001\""), ("date", &date), ("expires", &expires)]);
    sandbox.write("recipes/vex/python.toml", text);
    sandbox.hardpan(&["vex", "check"]).ok().says("no advisories are there");
    snapshot(&sandbox);
    sandbox
        .hardpan(&["vex", "check"])
        .exits(3)
        .says("HP346")
        .says("not affected any more")
        .says("of 2026-11-20");
}
