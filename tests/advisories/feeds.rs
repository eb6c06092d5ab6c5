//! OSV of several ecosystems, KEV, EPSS, CVE 5; which of them is believed; time that goes backwards.

use hardpan::advisory::{Ecosystem, Level};
use hardpan::ident::Epoch;

use super::support::Sandbox;
use super::{TRACKER, current, cve, osv, said, version};

const KEV: &str = r#"{"title": "CISA Catalog", "catalogVersion": "2026.11.20", "dateReleased": "2026-11-20T15:00:00.1234Z", "count": 2,
    "vulnerabilities": [
        {"cveID": "CVE-2025-15467", "vulnerabilityName": "OpenSSL", "dateAdded": "2026-11-18", "dueDate": "2026-12-09", "knownRansomwareCampaignUse": "Known"},
        {"cveID": "CVE-nonsense", "dateAdded": "2026-11-18"}]}"#;

const EPSS: &str = "#model_version:v2025.03.14,score_date:2026-11-20T00:00:00+0000\ncve,epss,percentile\n\
    CVE-2025-15467,0.01250,0.78\nCVE-2026-102633,0.90000,0.99\nCVE-2026-0001,2.0,0.1\n";

fn record5(cve: &str, version: &str, state: &str) -> String {
    serde_json::json!({
        "dataType": "CVE_RECORD", "dataVersion": version,
        "cveMetadata": { "cveId": cve, "state": state, "datePublished": "2026-01-27T14:00:00.000Z", "dateUpdated": "2026-01-28T10:00:00" },
        "containers": {
            "cna": { "title": "Overflow", "metrics": [{ "format": "CVSS", "other": {} }] },
            "adp": [
                { "providerMetadata": { "shortName": "CVE" } },
                { "providerMetadata": { "shortName": "CISA-ADP" }, "metrics": [{ "cvssV3_1": {
                    "baseScore": 9.8, "baseSeverity": "CRITICAL", "vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" } }] },
            ],
        },
    })
    .to_string()
}

#[test]
fn severity_exploitation_and_likelihood_come_together_by_cve() {
    let sandbox = Sandbox::new();
    sandbox.write("tracker.json", TRACKER);
    sandbox.write("kev.json", KEV);
    sandbox.write("epss.csv", EPSS);
    sandbox.write("CVE-2025-15467.json", record5("CVE-2025-15467", "5.1", "PUBLISHED"));
    let out = sandbox
        .hardpan(&[
            "advisories",
            "import",
            "tracker.json",
            "kev.json",
            "epss.csv",
            "CVE-2025-15467.json",
            "--date=2026-11-20",
        ])
        .ok();
    assert!(out.stderr.contains("the record number 2 of `kev.json`"), "{}", out.stderr);
    assert!(out.stderr.contains("the record in line 5 of `epss.csv`"), "{}", out.stderr);
    let snapshot = current(&sandbox);
    let known = snapshot.about(cve("CVE-2025-15467")).expect("readable").expect("known");
    let severity = known.severity().expect("said");
    assert_eq!(
        (severity.level, severity.score, severity.source.as_str()),
        (Level::Critical, Some(9.8), "cve:CISA-ADP")
    );
    assert!(known.kev.as_ref().is_some_and(|kev| kev.ransomware));
    assert_eq!(known.epss.map(|epss| epss.score), Some(0.0125));
    assert_eq!(known.published.map(|at| at.to_string()).as_deref(), Some("2026-01-27T14:00:00Z"));
    assert!(known.packages.contains(&(Ecosystem::debian("12"), "openssl".to_owned())));
    // Nobody says how bad it is: that is unknown, and no guess.
    let unsaid = snapshot.about(cve("CVE-2026-102633")).expect("readable").expect("known");
    assert!(unsaid.severity().is_none() && unsaid.epss.is_some());
    // Debian's own word counts where nobody else says more.
    let unimportant = snapshot.about(cve("CVE-2011-3374")).expect("readable").expect("known");
    assert_eq!(
        unimportant.severity().map(|severity| (severity.level, severity.source.clone())),
        Some((Level::Negligible, "debian".into()))
    );
    let out = sandbox.hardpan(&["advisories", "show", "CVE-2025-15467", "--json"]).ok();
    let json: serde_json::Value = serde_json::from_str(&out.stdout).expect("JSON");
    assert_eq!((&json["severity"]["level"], &json["kev"]["ransomware"]), (&"critical".into(), &true.into()));
}

#[test]
fn forms_that_are_not_known_are_not_guessed_at() {
    let sandbox = Sandbox::new();
    sandbox.write("six.json", record5("CVE-2025-15467", "6.0", "PUBLISHED"));
    sandbox.hardpan(&["advisories", "import", "six.json"]).exits(5).says("HP542");
    let two = osv("DEBIAN-CVE-2026-1000", "CVE-2026-1000", "x", "1-1", "2026-11-01T00:00:00Z")
        .replace("1.7.3", "2.0.0");
    sandbox.write("two.json", two);
    sandbox.hardpan(&["advisories", "import", "two.json"]).exits(5).says("HP542");
    sandbox.write("epss.csv", EPSS.replace("cve,epss,percentile", "cve,score"));
    sandbox.hardpan(&["advisories", "import", "epss.csv"]).exits(5).says("HP542");
    sandbox.write("kev.json", KEV.replace("\"count\": 2", "\"count\": 3"));
    sandbox.hardpan(&["advisories", "import", "kev.json"]).exits(5).says("HP540");
}

#[test]
fn a_list_from_the_future_is_refused_and_keeps_no_true_one_out() {
    let sandbox = Sandbox::new();
    sandbox.write("kev.json", KEV);
    sandbox.write("epss.csv", EPSS);
    sandbox.write("kev-future.json", KEV.replace("2026-11-20T15", "2199-11-20T15"));
    sandbox.write("epss-future.csv", EPSS.replace("2026-11-20", "2199-11-20"));
    for name in ["kev-future.json", "epss-future.csv"] {
        sandbox.hardpan(&["advisories", "import", name]).exits(5).says("HP540").says("still to come");
    }
    sandbox.hardpan(&["advisories", "import", "kev.json", "epss.csv"]).ok();
}

#[test]
fn scores_that_break_off_and_a_catalog_of_nothing_take_no_list_s_place() {
    let sandbox = Sandbox::new();
    sandbox.write("epss.csv", EPSS);
    sandbox.hardpan(&["advisories", "import", "epss.csv"]).ok();
    let before = current(&sandbox).digest();
    let next = EPSS.replace("2026-11-20", "2026-11-21").replace("CVE-2026-0001,2.0,0.1\n", "");
    let last = next.find("CVE-2026-102633").expect("there");
    for cut in [last + 3, last + 15, last + 20, last + 24] {
        sandbox.write("cut.csv", &next[..cut]);
        sandbox.hardpan(&["advisories", "import", "cut.csv"]).exits(5).says("HP540").says("breaks off");
    }
    let empty = r#"{"title": "x", "catalogVersion": "2026.11.20", "dateReleased": "2026-11-20T15:00:00Z", "count": 0, "vulnerabilities": []}"#;
    sandbox.write("empty.json", empty);
    sandbox.hardpan(&["advisories", "import", "empty.json"]).exits(5).says("the catalog is empty");
    assert_eq!(current(&sandbox).digest(), before);
    // One without a newline at its end is whole as long as its last line reads.
    sandbox.write("whole.csv", next.trim_end());
    sandbox.hardpan(&["advisories", "import", "whole.csv"]).ok();
    assert_eq!(current(&sandbox).head().feeds[0].records, 2);
}

#[test]
fn a_record_that_goes_backwards_is_refused_unless_that_is_asked_for() {
    let sandbox = Sandbox::new();
    let (id, name) = ("DEBIAN-CVE-2026-1000", "CVE-2026-1000");
    sandbox.write("new.json", osv(id, name, "x", "1-2", "2026-11-10T00:00:00Z"));
    sandbox.write("old.json", osv(id, name, "x", "1-1", "2026-11-01T00:00:00Z"));
    sandbox.write(
        "other.json",
        osv("DEBIAN-CVE-2026-1001", "CVE-2026-1001", "x", "1-1", "2026-11-01T00:00:00Z"),
    );
    sandbox.hardpan(&["advisories", "import", "new.json"]).ok();
    sandbox
        .hardpan(&["advisories", "import", "old.json"])
        .exits(5)
        .says("HP543")
        .says("DEBIAN-CVE-2026-1000");
    // One that is older and new here takes nothing back.
    sandbox.hardpan(&["advisories", "import", "other.json"]).ok();
    let fixed = |name| said(&current(&sandbox), "13", "x", name).and_then(|said| said.affected.fixed);
    assert_eq!(
        (fixed("CVE-2026-1000"), fixed("CVE-2026-1001")),
        (Some(version("1-2")), Some(version("1-1")))
    );
    sandbox.hardpan(&["advisories", "import", "old.json", "--allow-older"]).ok();
    assert_eq!(fixed("CVE-2026-1000"), Some(version("1-1")));
    sandbox.hardpan(&["advisories", "import", "new.json", "--replace"]).ok();
    assert_eq!((fixed("CVE-2026-1000"), fixed("CVE-2026-1001")), (Some(version("1-2")), None));
    sandbox.write("future.json", osv("X-1", "CVE-2026-1002", "x", "1-1", "2199-01-01T00:00:00Z"));
    sandbox.hardpan(&["advisories", "import", "future.json"]).exits(5).says("still to come");
}

#[test]
fn the_tracker_goes_before_osv_and_an_advisory_is_named_with_the_fix() {
    let sandbox = Sandbox::new();
    let osv = osv("DEBIAN-CVE-2026-1000", "CVE-2026-1000", "expat", "1-1", "2026-11-01T00:00:00Z");
    let dsa = serde_json::json!({
        "schema_version": "1.7.3", "id": "DSA-6113-1", "modified": "2026-11-01T00:00:00Z", "upstream": ["CVE-2026-1000", "CVE-2026-1001"],
        "summary": "x - security update",
        "affected": [{ "package": { "ecosystem": "Debian:13", "name": "expat" }, "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }, { "fixed": "1-1" }] }] }],
    });
    sandbox.write("osv/DEBIAN-CVE-2026-1000.json", osv);
    sandbox.write("osv/DSA-6113-1.json", dsa.to_string());
    sandbox.hardpan(&["advisories", "import", "osv"]).ok();
    let of = |name| said(&current(&sandbox), "13", "expat", name).expect("named");
    assert_eq!(
        (of("CVE-2026-1000").id.as_str(), of("CVE-2026-1001").id.as_str()),
        ("DEBIAN-CVE-2026-1000", "DSA-6113-1")
    );
    assert_eq!(of("CVE-2026-1000").affected.advisory.as_deref(), Some("DSA-6113-1"));
    let tracker = r#"{"expat": {"CVE-2026-1000": {"releases": {"trixie": {"status": "open", "nodsa": "Minor issue", "nodsa_reason": "ignored"}}}}}"#;
    sandbox.write("tracker.json", tracker);
    sandbox.hardpan(&["advisories", "import", "tracker.json", "--date=2026-11-20"]).ok();
    assert_eq!(of("CVE-2026-1000").affected.fixed, None);
    assert_eq!(of("CVE-2026-1001").affected.fixed, Some(version("1-1")));
}

#[test]
fn other_ecosystems_are_kept_as_they_are_and_withdrawn_records_say_nothing() {
    let sandbox = Sandbox::new();
    let ghsa = serde_json::json!({
        "schema_version": "1.4.0", "id": "GHSA-aaaa-bbbb-cccc", "modified": "2026-11-01T00:00:00.123456Z", "published": "2026-10-01T00:00:00Z",
        "aliases": ["CVE-2026-2000"], "summary": "bad", "database_specific": { "severity": "MODERATE" },
        "severity": [{ "type": "CVSS_V4", "score": "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N" }],
        "affected": [
            { "package": { "ecosystem": "npm", "name": "@scope/left-pad" }, "ranges": [{ "type": "SEMVER", "events": [{ "introduced": "1.0.0" }, { "fixed": "1.3.1" }] }] },
            { "package": { "ecosystem": "PyPI", "name": "pad" }, "versions": ["1.0", "1.1rc1"], "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }, { "last_affected": "1.1rc1" }] }] },
        ],
    });
    let withdrawn = osv("DEBIAN-CVE-2026-3000", "CVE-2026-3000", "x", "1-1", "2026-11-01T00:00:00Z");
    let withdrawn = withdrawn.replacen('{', r#"{"withdrawn": "2026-11-02T00:00:00Z","#, 1);
    sandbox.write("osv/a.json", ghsa.to_string());
    sandbox.write("osv/b.json", withdrawn);
    let out = sandbox.hardpan(&["advisories", "import", "osv"]).ok();
    assert!(out.stderr.contains("1 taken back"), "{}", out.stderr);
    let snapshot = current(&sandbox);
    let npm = snapshot.affecting(&"npm".parse().expect("one"), "@scope/left-pad").expect("readable");
    assert_eq!(
        (npm[0].cve, npm[0].affected.spans[0].fixed.as_deref()),
        (Some(cve("CVE-2026-2000")), Some("1.3.1"))
    );
    let pypi = snapshot.affecting(&"PyPI".parse().expect("one"), "pad").expect("readable");
    assert!(pypi[0].affected.touches(&version("1.0")) && !pypi[0].affected.touches(&version("1.2")));
    let known = snapshot.about(cve("CVE-2026-2000")).expect("readable").expect("known");
    assert_eq!(known.severity().map(|severity| severity.level), Some(Level::Medium));
    assert_eq!(known.published, Some(Epoch(1_790_812_800)));
    let shown = sandbox.hardpan(&["advisories", "show", "CVE-2026-2000"]).ok().stdout;
    assert!(shown.contains("fixed in 1.3.1"), "{shown}");
    assert!(snapshot.about(cve("CVE-2026-3000")).expect("readable").is_none());
}

#[test]
fn ranges_of_debian_are_read_in_any_order_and_of_several_any_counts() {
    let sandbox = Sandbox::new();
    let text = serde_json::json!({
        "schema_version": "1.7.3", "id": "DEBIAN-CVE-2026-4000", "modified": "2026-11-01T00:00:00Z", "upstream": ["CVE-2026-4000"],
        "affected": [{ "package": { "ecosystem": "Debian:13", "name": "x" }, "versions": ["1.0-1", "5:7.0.15-1~deb12u7"],
            "ranges": [{ "type": "ECOSYSTEM", "events": [{ "fixed": "2.0-1" }, { "introduced": "0" }, { "introduced": "3.0-1" }, { "fixed": "3.0-2" }] }] }],
    });
    sandbox.write("a.json", text.to_string());
    sandbox.hardpan(&["advisories", "import", "a.json"]).ok();
    let affected = said(&current(&sandbox), "13", "x", "CVE-2026-4000").expect("named").affected;
    let touched = ["1.0-1", "2.0-1~deb12u1", "2.0-1", "2.5-1", "3.0-1", "3.0-2", "5:7.0.15-1~deb12u7"]
        .map(|text| affected.touches(&version(text)));
    assert_eq!(touched, [true, true, false, false, true, false, true]);
    assert_eq!((affected.fixed, affected.versions.len()), (Some(version("3.0-2")), 1));
}

#[test]
fn what_is_known_is_shown_by_the_feed_s_own_name_too() {
    let sandbox = Sandbox::new();
    sandbox
        .write("one.json", osv("DEBIAN-CVE-2026-1001", "CVE-2026-1001", "x", "1-1", "2026-11-01T00:00:00Z"));
    sandbox.hardpan(&["advisories", "import", "one.json"]).ok();
    let by_cve = sandbox.hardpan(&["advisories", "show", "CVE-2026-1001"]).ok().stdout;
    for name in ["DEBIAN-CVE-2026-1001", "cve-2026-1001"] {
        assert_eq!(sandbox.hardpan(&["advisories", "show", name]).ok().stdout, by_cve);
    }
    sandbox.hardpan(&["advisories", "show", "DEBIAN-CVE-2026-1002"]).exits(4);
}

/// A record of several CVEs, and one whose CVE is an alias, as a scan finds both.
fn named_by_others(sandbox: &Sandbox) {
    let range = |kind: &str, fixed: &str| serde_json::json!([{ "type": kind, "events": [{ "introduced": "0" }, { "fixed": fixed }] }]);
    let dsa = serde_json::json!({
        "schema_version": "1.7.3", "id": "DSA-9999-1", "modified": "2026-11-20T00:00:00Z", "summary": "glibc - security update",
        "upstream": ["CVE-2026-50002", "CVE-2026-50003"],
        "affected": [{ "package": { "ecosystem": "Debian:13", "name": "glibc" }, "ranges": range("ECOSYSTEM", "2.99-1") }],
    });
    let pysec = serde_json::json!({
        "schema_version": "1.7.3", "id": "PYSEC-2026-1", "modified": "2026-11-20T00:00:00Z",
        "aliases": ["CVE-2026-40001", "GHSA-aaaa-bbbb-cccc"],
        "affected": [{ "package": { "ecosystem": "npm", "name": "lodash" }, "ranges": range("SEMVER", "4.17.21") }],
    });
    sandbox.write("osv/dsa.json", dsa.to_string());
    sandbox.write("osv/pysec.json", pysec.to_string());
    sandbox.hardpan(&["advisories", "import", "osv"]).ok();
}

#[test]
fn what_a_scan_finds_is_shown_by_every_name_that_it_has() {
    let sandbox = Sandbox::new();
    named_by_others(&sandbox);
    let show = |name: &str| {
        let out = sandbox.hardpan(&["advisories", "show", name, "--json"]).ok().stdout;
        serde_json::from_str::<serde_json::Value>(&out).expect("JSON")
    };
    for (name, id, package) in [
        ("CVE-2026-50002", "CVE-2026-50002", "glibc"),
        ("CVE-2026-50003", "CVE-2026-50003", "glibc"),
        ("DSA-9999-1", "DSA-9999-1", "glibc"),
        ("dsa-9999-1", "DSA-9999-1", "glibc"),
        ("CVE-2026-40001", "CVE-2026-40001", "lodash"),
        ("GHSA-aaaa-bbbb-cccc", "CVE-2026-40001", "lodash"),
        ("PYSEC-2026-1", "CVE-2026-40001", "lodash"),
    ] {
        let known = show(name);
        assert_eq!((&known["id"], &known["affected"][0]["package"]), (&id.into(), &package.into()), "{name}");
    }
    let one = show("CVE-2026-50002");
    assert_eq!(one["summary"], "glibc - security update");
    // Another CVE of the same advisory is no other name of this one.
    assert_eq!(one["aliases"], serde_json::json!(["DSA-9999-1"]));
    assert_eq!(show("DSA-9999-1")["affected"].as_array().map(Vec::len), Some(2));
    for name in ["CVE-2026-50004", "GHSA-zzzz-bbbb-cccc", "DSA-9999-2"] {
        sandbox.hardpan(&["advisories", "show", name]).exits(4).says("HP440");
    }
}

#[test]
fn a_record_is_exported_once_whatever_number_of_feeds_have_it() {
    let sandbox = Sandbox::new();
    sandbox.write("tracker.json", TRACKER);
    sandbox.write("cve/CVE-2025-15467.json", record5("CVE-2025-15467", "5.1", "PUBLISHED"));
    let own = serde_json::json!({
        "schema_version": "1.7.3", "id": "CVE-2025-15467", "modified": "2026-02-01T00:00:00Z",
        "affected": [
            { "package": { "ecosystem": "Debian:12", "name": "openssl" }, "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }, { "fixed": "9-1" }] }] },
            { "package": { "ecosystem": "npm", "name": "ssl" }, "ranges": [{ "type": "SEMVER", "events": [{ "introduced": "0" }] }] },
        ],
    });
    sandbox.write("osv/a.json", own.to_string());
    sandbox.hardpan(&["advisories", "import", "tracker.json", "cve", "osv", "--date=2026-11-20"]).ok();
    named_by_others(&sandbox);
    sandbox.hardpan(&["advisories", "export", "--osv", "-o", "out.ndjson"]).ok();
    let records: Vec<serde_json::Value> =
        sandbox.text("out.ndjson").lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let ids: std::collections::BTreeSet<&str> = records.iter().filter_map(|one| one["id"].as_str()).collect();
    assert_eq!(ids.len(), records.len());
    assert!(records.iter().all(|one| one["modified"].as_str().is_some_and(|at| at > "2026")));
    let of = |id: &str| records.iter().find(|one| one["id"] == id).expect(id);
    let merged = of("CVE-2025-15467");
    assert_eq!(
        (&merged["modified"], &merged["summary"]),
        (&"2026-02-01T00:00:00Z".into(), &of("CVE-2025-15467")["summary"])
    );
    assert_eq!(merged["database_specific"]["severity_source"], "cve:CISA-ADP");
    // Of one package in one release the tracker's word stands there, and not OSV's beside it.
    let places = merged["affected"].as_array().expect("a list").iter();
    let places: Vec<&serde_json::Value> = places.filter(|one| one["package"]["name"] == "openssl").collect();
    let bookworm: Vec<&&serde_json::Value> =
        places.iter().filter(|one| one["package"]["ecosystem"] == "Debian:12").collect();
    assert_eq!(bookworm.len(), 1);
    assert_eq!(bookworm[0]["ranges"][0]["events"][1]["fixed"], "3.0.18-1~deb12u2");
    assert!(merged["affected"].to_string().contains(r#""name":"ssl""#));
    // What only the tracker has is as old as the tracker; an advisory of several CVEs says it once.
    assert_eq!(of("CVE-2016-2781")["modified"], "2026-11-20T00:00:00Z");
    assert_eq!(of("DSA-9999-1")["affected"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_range_ends_at_its_limit_and_what_is_fixed_before_all_was_never_there() {
    let sandbox = Sandbox::new();
    let record = |number: u32, ecosystem: &str, events: serde_json::Value| {
        serde_json::json!({
            "schema_version": "1.7.3", "id": format!("X-{number}"), "modified": "2026-11-01T00:00:00Z", "aliases": [format!("CVE-2026-{number}")],
            "affected": [{ "package": { "ecosystem": ecosystem, "name": "x" }, "ranges": [{ "type": "ECOSYSTEM", "events": events }] }],
        })
        .to_string()
    };
    let zero = serde_json::json!({ "introduced": "0" });
    let limited = serde_json::json!([zero, { "limit": "1.5.0" }, { "limit": "2.0.0" }]);
    let endless = serde_json::json!([zero, { "limit": "2.0.0" }, { "limit": "*" }]);
    let never = serde_json::json!([zero, { "fixed": "0" }]);
    for (at, ecosystem) in ["npm", "Debian:13"].into_iter().enumerate() {
        let at = 1000 + 10 * u32::try_from(at).expect("few");
        sandbox.write(format!("osv/{at}a.json"), record(at, ecosystem, limited.clone()));
        sandbox.write(format!("osv/{at}b.json"), record(at + 1, ecosystem, endless.clone()));
        sandbox.write(format!("osv/{at}c.json"), record(at + 2, ecosystem, never.clone()));
    }
    let out = sandbox.hardpan(&["advisories", "import", "osv"]).ok();
    assert!(!out.stderr.contains("refused"), "{}", out.stderr);
    for ecosystem in ["npm", "Debian:13"] {
        let ecosystem: Ecosystem = ecosystem.parse().expect("one");
        let all = current(&sandbox).affecting(&ecosystem, "x").expect("readable");
        let touched = |text: &str| -> Vec<bool> {
            all.iter().map(|one| one.affected.touches(&version(text))).collect()
        };
        assert_eq!(touched("1.9.9"), [true, true, false], "{ecosystem}");
        assert_eq!(touched("2.0.0"), [false, true, false], "{ecosystem}");
        assert_eq!(touched("0.0.0-x"), [true, true, false], "{ecosystem}");
    }
}

#[test]
fn what_is_only_related_is_no_other_name() {
    let sandbox = Sandbox::new();
    let record = serde_json::json!({
        "schema_version": "1.7.3", "id": "GHSA-aaaa-bbbb-cccc", "modified": "2026-11-01T00:00:00Z",
        "aliases": ["CVE-2026-1000"], "related": ["CVE-2026-2000"],
        "affected": [{ "package": { "ecosystem": "npm", "name": "x" }, "versions": ["1.0.0"] }],
    });
    sandbox.write("a.json", record.to_string());
    sandbox.hardpan(&["advisories", "import", "a.json"]).ok();
    let known = current(&sandbox).about(cve("CVE-2026-1000")).expect("readable").expect("known");
    assert_eq!(known.aliases, ["GHSA-aaaa-bbbb-cccc"]);
    sandbox.hardpan(&["advisories", "show", "CVE-2026-2000"]).exits(4);
}

#[test]
fn no_text_of_a_feed_reaches_a_terminal_raw_or_looks_like_a_line_of_ours() {
    let sandbox = Sandbox::new();
    let text = "evil\u{1b}[31m\u{202e}txt\n  severity   low, says cve\nsigned by you\u{200b}";
    let evil = serde_json::json!({
        "schema_version": "1.7.3", "id": "GHSA-aaaa-bbbb-cccc", "modified": "2026-11-01T00:00:00Z", "summary": text,
        "aliases": ["CVE-2026-1000", text],
        "affected": [{ "package": { "ecosystem": "npm", "name": "x\u{202e}y" }, "versions": ["1.0.0"] }],
    });
    let mut broken = evil.clone();
    broken["id"] = "GHSA-bbbb".into();
    broken["affected"][0]["ranges"] = serde_json::json!([{ "type": "SEMVER", "events": [{ text: "1" }] }]);
    sandbox.write("osv/a.json", evil.to_string());
    sandbox.write("osv/b.json", broken.to_string());
    let raw = |said: &str| {
        let bad = said.chars().any(|letter| matches!(letter, '\u{1b}' | '\u{202e}' | '\u{200b}'));
        bad || said
            .lines()
            .any(|line| line.starts_with("  severity   low") || line.starts_with("signed by you"))
    };
    let imported = sandbox.hardpan(&["advisories", "import", "osv"]).ok();
    assert!(imported.stderr.contains("GHSA-bbbb") && !raw(&imported.stderr), "{}", imported.stderr);
    let shown = sandbox.hardpan(&["advisories", "show", "CVE-2026-1000"]).ok();
    assert!(shown.stdout.contains("evil") && !raw(&shown.stdout), "{}", shown.stdout);
    sandbox.write(
        "kev.json",
        format!(r#"{{"catalogVersion": 1, "dateReleased": {{"{}": 1}}}}"#, text.escape_default()),
    );
    let refused = sandbox.hardpan(&["advisories", "import", "kev.json"]).exits(5);
    assert!(!raw(&refused.stderr), "{}", refused.stderr);
}

#[test]
fn the_help_of_import_makes_no_key_that_import_does_not() {
    let sandbox = Sandbox::new();
    for verb in ["import", "derive"] {
        let help = sandbox.hardpan(&["advisories", verb, "--help"]).ok().stdout;
        assert!(help.contains("the snapshot is not signed") && !help.contains("made on first use"), "{help}");
    }
    sandbox.write("epss.csv", EPSS);
    sandbox.hardpan(&["advisories", "import", "epss.csv"]).ok();
    assert!(sandbox.hardpan(&["advisories", "list"]).ok().stdout.contains("not signed"));
}
