//! What makes a scan fail: findings of a kind, and advisories that are too old.

use hardpan::diag::codes;
use hardpan::ident::{Age, Epoch};
use hardpan::scan::{FailOn, Silenced, SnapshotFacts, WEEK};
use serde_json::json;

use super::made::{MAIN, SECURITY, root, sampled, scanned, snapshot, stands, tracked};
use super::support::Sandbox;

/// What is open, exploited, folded, rated; each in a source of its own.
fn rated() -> Sandbox {
    let open = || stands(json!({ "status": "open" }));
    let ignored = stands(json!({ "status": "open", "nodsa": "Minor issue", "nodsa_reason": "ignored" }));
    let sandbox = tracked(&json!({
        "bash": { "CVE-2026-0001": open(), "CVE-2026-0005": ignored.clone() },
        "dash": { "CVE-2026-0002": ignored },
        "curl": { "CVE-2026-0003": stands(json!({ "status": "resolved", "fixed_version": "8-1" })) },
        "nano": { "CVE-2026-0004": open() },
    }));
    let kev = json!({ "title": "CISA Catalog of Known Exploited Vulnerabilities", "catalogVersion": "2026.11.20", "dateReleased": "2026-11-20T00:00:00Z", "count": 1, "vulnerabilities": [
        { "cveID": "CVE-2026-0002", "vendorProject": "x", "product": "dash", "vulnerabilityName": "dash", "dateAdded": "2026-11-19", "shortDescription": "x", "requiredAction": "x", "dueDate": "2026-12-10", "knownRansomwareCampaignUse": "Known" },
    ] });
    sandbox.write("kev.json", kev.to_string());
    let cve = json!({
        "dataType": "CVE_RECORD", "dataVersion": "5.1",
        "cveMetadata": { "cveId": "CVE-2026-0001", "state": "PUBLISHED", "datePublished": "2026-11-01T00:00:00Z", "dateUpdated": "2026-11-02T00:00:00Z" },
        "containers": { "cna": { "providerMetadata": { "orgId": "x", "shortName": "x" }, "descriptions": [{ "lang": "en", "value": "bad" }],
            "metrics": [{ "cvssV3_1": { "version": "3.1", "vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "baseScore": 9.8, "baseSeverity": "CRITICAL" } }] } },
    });
    sandbox.write("cve.json", cve.to_string());
    sandbox.hardpan(&["advisories", "import", "kev.json", "cve.json"]).ok();
    sandbox
}

const FOUR: [(&str, &str, &str); 4] =
    [("bash", "5-1", ""), ("dash", "0-1", ""), ("curl", "7-1", ""), ("nano", "7-1", "")];

#[test]
fn a_scan_fails_on_what_it_was_told_to_and_names_it() {
    let sandbox = rated();
    root(&sandbox, "root", &FOUR);
    let fails = |words: &str, named: &[&str]| {
        let out = sandbox.hardpan(&["scan", "root", "--fail-on", words]).exits(6).says("HP640");
        for id in named {
            assert!(out.stderr.contains(id), "{words}: {}", out.stderr);
        }
        assert!(out.stdout.contains("4 found"), "it is printed all the same: {}", out.stdout);
        out
    };
    fails("any", &["CVE-2026-0001", "CVE-2026-0002", "CVE-2026-0003", "CVE-2026-0004"]);
    fails("fixable", &["CVE-2026-0003"]);
    fails("critical", &["CVE-2026-0001"]);
    fails("low", &["CVE-2026-0001"]);
    fails("unknown", &["CVE-2026-0004"]);
    // What is being exploited counts, whatever Debian decided.
    fails("kev", &["CVE-2026-0002"]);
    let both = fails("fixable,critical", &["CVE-2026-0003", "CVE-2026-0001"]);
    assert!(
        both.stderr.contains("`fixable`, `critical`") || both.stderr.contains("`critical`, `fixable`"),
        "{}",
        both.stderr
    );
    let out = sandbox.hardpan(&["scan", "root", "--fail-on=unknown", "--fail-on=fixable"]).exits(6);
    assert!(!out.stderr.contains("CVE-2026-0005"), "it is folded: {}", out.stderr);
    sandbox.hardpan(&["scan", "root", "--fail-on=unknown", "--all"]).exits(6).says("CVE-2026-0005");
    sandbox.hardpan(&["scan", "root", "--fail-on=worst"]).exits(2).says("fixable");
    root(&sandbox, "fine", &[("bash2", "5-1", "")]);
    sandbox.hardpan(&["scan", "fine", "--fail-on=any,kev,unknown"]).ok();
}

#[test]
fn in_json_what_met_stands_in_the_one_document() {
    let sandbox = rated();
    root(&sandbox, "root", &FOUR);
    let out = sandbox.hardpan(&["scan", "root", "--json", "--fail-on=fixable"]).exits(6);
    let report = super::made::parsed(&out.stdout);
    assert_eq!(report["failed"], json!([{ "on": "fixable", "count": 1, "ids": ["CVE-2026-0003"] }]));
    assert_eq!(report["findings"][0]["severity"], "critical");
    assert_eq!(report["findings"][0]["severity_by"]["score"], 9.8);
    assert_eq!(report["findings"][0]["published"], "2026-11-01T00:00:00Z");
}

#[test]
fn what_somebody_decided_about_counts_for_nothing_and_is_shown() {
    let sandbox = sampled();
    let mut report = scanned(&sandbox, &MAIN);
    let decided = || Silenced {
        status: "not_affected".to_owned(),
        by: "ada@example.org".to_owned(),
        reason: "no XML is read here".to_owned(),
    };
    report.silence(|finding| (finding.source == "expat").then(decided));
    assert_eq!((report.counts.total, report.counts.silenced, report.counts.fixable), (17, 27, 17));
    assert!(report.met(&[FailOn::Any], true)[0].1.iter().all(|one| one.source != "expat"));
    report.silence(|_| Some(decided()));
    assert!(report.met(&[FailOn::Any, FailOn::Fixable, FailOn::Kev], true).is_empty());
    // Asked anew, nothing is left of what was decided before.
    report.silence(|_| None);
    assert_eq!(report.counts.total, 44);
}

#[test]
fn old_advisories_are_said_and_too_old_ones_fail() {
    let sandbox = sampled();
    let snapshot = snapshot(&sandbox);
    let from = snapshot.head().counts_from();
    let aged = |age: i64| SnapshotFacts::of(&snapshot, Epoch(from.0 + age));
    assert!(!aged(WEEK).is_stale() && aged(WEEK + 1).is_stale());
    assert_eq!((aged(WEEK).warnings().len(), aged(WEEK + 1).warnings().len()), (0, 1));
    let most = Some(Age(3 * 86_400));
    assert!(aged(3 * 86_400).check_age(most).is_ok() && aged(99 * 86_400).check_age(None).is_ok());
    let failure = aged(3 * 86_400 + 1).check_age(most).expect_err("too old");
    assert!(failure.is(codes::ADVISORIES_TOO_OLD), "{failure}");
    // Hours where days would say little, and one is one.
    let words = |age: i64| {
        let failure = aged(age).check_age(Some(Age(0))).expect_err("too old");
        let problem = &failure.problems()[0];
        (problem.message.clone(), format!("{:?}", problem.facts))
    };
    for (age, old, found) in [
        (60, "0 hours old", "\"0 hours\""),
        (3_700, "1 hour old", "\"1 hour\""),
        (90_000, "25 hours old", "\"25 hours\""),
        (2 * 86_400 + 3_600, "2 days old", "\"2 days and 1 hour\""),
    ] {
        let (message, facts) = words(age);
        assert!(
            message.contains(old) && facts.contains(found) && facts.contains("at most 0d"),
            "{message} {facts}"
        );
    }
    // A clock that was set back does not make them fresh.
    let back = aged(-30 * 86_400);
    assert!(back.check_age(most).is_err() && back.warnings()[0].message.contains("from the future"));
    assert!(aged(-60).check_age(most).is_ok() && aged(-60).warnings().is_empty());
}

#[test]
fn how_old_they_may_be_is_an_option_or_the_site_s_policy() {
    let sandbox = tracked(&json!({ "bash": { "CVE-2026-0001": stands(json!({ "status": "open" })) } }));
    // Its date is the one that was said, some days before any day of these tests.
    root(&sandbox, "root", &SECURITY);
    sandbox.hardpan(&["scan", "root", "--max-age=0"]).exits(6).says("HP641");
    sandbox.hardpan(&["scan", "root", "--max-age=1h"]).exits(6).says("HP641").says("hours");
    sandbox.hardpan(&["scan", "root", "--max-age=36500"]).ok();
    sandbox.write("policy.toml", "advisories-max-age = \"1h\"\n");
    sandbox.hardpan(&["scan", "root", "--policy=policy.toml"]).exits(6).says("HP641");
    sandbox.hardpan(&["scan", "root", "--policy=policy.toml", "--max-age=36500"]).ok();
    sandbox.hardpan(&["scan", "root", "--max-age=soon"]).exits(2);
}

#[test]
fn a_signature_is_said_and_a_wrong_one_is_an_error() {
    let sandbox = sampled();
    root(&sandbox, "root", &SECURITY);
    let out = sandbox.hardpan(&["scan", "root"]).ok();
    assert!(out.stdout.contains("not signed"), "{}", out.stdout);
    for name in ["team", "other"] {
        sandbox.run(&["keys", "generate", "--out", name]).env("HARDPAN_KEY_PASSWORD", "x").output().ok();
    }
    sandbox.write("osv.tar.gz", super::made::OSV);
    sandbox
        .run(&["advisories", "import", "osv.tar.gz", "--key", "team.key"])
        .env("HARDPAN_KEY_PASSWORD", "x")
        .output()
        .ok();
    let out = sandbox.hardpan(&["scan", "root", "--key", "team.pub"]).ok();
    assert!(out.stdout.contains("signed by"), "{}", out.stdout);
    sandbox.hardpan(&["scan", "root", "--key", "other.pub"]).exits(5).says("HP511");
    // In a file with its signature beside it, and without.
    sandbox.hardpan(&["advisories", "export", "-o", "day.adv"]).ok();
    let file = ["scan", "root", "--advisories", "day.adv", "--key", "team.pub"];
    assert!(sandbox.hardpan(&file).ok().stdout.contains("signed by"));
    let elsewhere = Sandbox::new();
    root(&elsewhere, "root", &SECURITY);
    elsewhere.write("day.adv", sandbox.read("day.adv"));
    elsewhere.write("team.pub", sandbox.read("team.pub"));
    elsewhere.hardpan(&file).exits(5).says("HP511");
}
