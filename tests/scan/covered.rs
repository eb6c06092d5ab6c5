//! What nobody knows: a snapshot that says nothing of what is scanned never looks like "nothing found".

use serde_json::json;

use super::made::{MAIN, base, docker, os_release, parsed, root, sampled, stands, status, tracked};
use super::support::Sandbox;

#[test]
fn a_snapshot_that_says_nothing_of_a_release_is_an_error_wherever_it_is_asked() {
    let sandbox = sampled();
    root(&sandbox, "twelve", &MAIN);
    for (number, file) in [("13", "thirteen"), ("99", "never")] {
        root(&sandbox, file, &MAIN);
        sandbox.write(format!("{file}/etc/os-release"), os_release(number));
        sandbox.write(format!("{file}/etc/debian_version"), format!("{number}.1\n"));
        let release = format!("Debian:{number}");
        for arguments in
            [&["scan", file][..], &["scan", file, "--fail-on", "any"], &["scan", "twelve", "--compare", file]]
        {
            sandbox.hardpan(arguments).exits(4).says("HP443").says(&release).says("Debian:12");
        }
    }
    sandbox.write("image.tar", docker(&[base(&MAIN)]));
    sandbox.hardpan(&["scan", "image.tar"]).ok();
}

#[test]
fn feeds_without_packages_find_nothing_and_say_so() {
    let sandbox = Sandbox::new();
    sandbox.write("kev.json", json!({ "title": "CISA", "catalogVersion": "2026.11.20", "dateReleased": "2026-11-20T00:00:00Z", "count": 1,
        "vulnerabilities": [{ "cveID": "CVE-2026-1000", "vulnerabilityName": "x", "dateAdded": "2026-11-19", "dueDate": "2026-12-01",
            "knownRansomwareCampaignUse": "Unknown" }] }).to_string());
    sandbox.hardpan(&["advisories", "import", "kev.json"]).ok().says("nothing of packages");
    root(&sandbox, "root", &MAIN);
    sandbox.hardpan(&["scan", "root", "--fail-on", "any"]).exits(4).says("HP443").says("no ecosystem");
    assert!(!sandbox.hardpan(&["advisories", "list"]).ok().stdout.contains("changelogs"));
}

#[test]
fn of_other_ecosystems_in_an_sbom_it_is_noted_as_long_as_anything_is_known() {
    let sandbox = sampled();
    let component = |purl: &str| json!({ "type": "library", "name": "x", "purl": purl });
    let bom = |purls: &[&str]| {
        let components: Vec<_> = purls.iter().map(|purl| component(purl)).collect();
        sandbox.write(
            "bom.json",
            json!({ "bomFormat": "CycloneDX", "specVersion": "1.6", "components": components }).to_string(),
        );
    };
    let debian = "pkg:deb/debian/libexpat1@2.5.0-1%2Bdeb12u2?arch=amd64&distro=debian-12&upstream=expat";
    bom(&[debian, "pkg:npm/left-pad@1.3.0"]);
    let report = parsed(&sandbox.hardpan(&["scan", "bom.json", "--json"]).ok().stdout);
    assert_eq!(
        (&report["counts"]["total"], &report["subject"]["notes"]),
        (&json!(27), &json!(["the advisories say nothing of npm"]))
    );
    bom(&["pkg:npm/left-pad@1.3.0"]);
    sandbox.hardpan(&["scan", "bom.json"]).exits(4).says("HP443").says("npm");
    // What is of Debian and of no release is an error, whatever else is in it.
    bom(&["pkg:deb/debian/libexpat1@2.5.0-1%2Bdeb12u2?upstream=expat", "pkg:npm/left-pad@1.3.0"]);
    sandbox.hardpan(&["scan", "bom.json"]).exits(5).says("HP562");
}

#[test]
fn what_is_exploited_counts_whatever_debian_decided() {
    let ignored = stands(json!({ "status": "open", "nodsa": "minor", "nodsa_reason": "ignored" }));
    let sandbox =
        tracked(&json!({ "expat": { "CVE-2026-1000": ignored.clone(), "CVE-2026-1001": ignored } }));
    root(&sandbox, "root", &MAIN);
    let counts = || {
        let report = parsed(&sandbox.hardpan(&["scan", "root", "--json"]).ok().stdout);
        (report["counts"]["total"].as_u64(), report["counts"]["exploited"].as_u64())
    };
    assert_eq!(counts(), (Some(0), Some(0)));
    sandbox.write("kev.json", json!({ "title": "CISA", "catalogVersion": "2026.11.20", "dateReleased": "2026-11-20T00:00:00Z", "count": 1,
        "vulnerabilities": [{ "cveID": "CVE-2026-1000", "vulnerabilityName": "x", "dateAdded": "2026-11-19", "dueDate": "2026-12-01",
            "knownRansomwareCampaignUse": "Unknown" }] }).to_string());
    sandbox.hardpan(&["advisories", "import", "kev.json"]).ok();
    assert_eq!(counts(), (Some(1), Some(1)));
    let table = sandbox.hardpan(&["scan", "root"]).ok().stdout;
    assert!(table.contains("CVE-2026-1000") && !table.contains("CVE-2026-1001"), "{table}");
}

#[test]
fn statements_leave_out_neither_what_was_decided_nor_what_was_passed_over() {
    let sandbox = sampled();
    root(&sandbox, "root", &MAIN);
    let broken = format!(
        "{}Package: broken\nStatus: install ok installed\nVersion: not a version!\n\n",
        status(&MAIN)
    );
    sandbox.write("root/var/lib/dpkg/status", broken);
    let vex = json!({ "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.org/1", "author": "Example", "timestamp": "2026-11-01T00:00:00Z",
        "version": 1, "statements": [{ "vulnerability": { "name": "CVE-2025-59375" }, "products": [{ "@id": "pkg:deb/debian/expat" }],
            "status": "not_affected", "justification": "vulnerable_code_not_present" }] });
    sandbox.write("others.json", vex.to_string());
    let scan = |format: &str| {
        sandbox.hardpan(&["scan", "root", "--vex", "others.json", "--format", format]).ok().stdout
    };
    let predicate = parsed(&scan("vulns"));
    let results = predicate["scanner"]["result"].as_array().expect("results");
    assert_eq!(results.len(), 44);
    let silenced: Vec<_> =
        results.iter().filter(|one| !one["annotations"][0]["silenced"].is_null()).collect();
    assert_eq!(silenced.len(), 1);
    let said = &silenced[0]["annotations"][0];
    assert_eq!((&said["counts"], &said["silenced"]["status"]), (&json!(false), &json!("not_affected")));
    assert!(predicate["metadata"]["notes"][0].as_str().expect("a note").contains("passed over"));
    for format in ["json", "sarif", "cyclonedx", "cosign-vuln", "markdown", "table"] {
        let text = scan(format);
        assert!(text.contains("CVE-2025-59375") && text.contains("passed over"), "{format}:\n{text}");
    }
}
