//! Since when a fix is to be had, how bad what it fixes is, and who says so.

use serde_json::{Value, json};

use super::support::{Deb, Output};
use super::{House, deb, rows};

const OLD: [(&str, &str); 1] = [("1.0-1", "first")];
const FIXED: [(&str, &str); 2] = [("1.0-1+deb13u1", "CVE-2026-1000"), ("1.0-1", "first")];
const DAY: u32 = 86_400;

fn house() -> House {
    let house = House::new(&[deb("liba", &OLD), deb("libb", &OLD)]);
    house.recipe("one", "", &["liba"]);
    house.patch(&[]).ok();
    house
}

/// The day that a release file of this age was made on.
fn day(age: u32) -> String {
    hardpan::ident::Epoch(i64::from(super::now() - age)).to_string()[..10].to_owned()
}

impl House {
    /// What a dry run says of the image `one`.
    fn planned(&self) -> Value {
        rows(&self.patch(&["--dry-run", "--json"]).ok())["one"].clone()
    }

    /// The fixes of its first move.
    fn fixes(&self) -> Vec<Value> {
        self.planned()["moves"][0]["fixes"].as_array().expect("a move").clone()
    }

    fn import(&self, file: &str, content: &str) -> Output {
        self.sandbox.write(file, content);
        self.sandbox.hardpan(&["advisories", "import", file, "--date", "2026-11-20"]).ok()
    }
}

/// A tracker's word on one CVE of liba that is fixed from this version on.
fn resolved(cve: &str, fixed: &str) -> String {
    json!({ "liba": { cve: { "description": "bad", "scope": "remote", "releases": { "trixie": {
        "status": "resolved", "repositories": { "trixie": "1.0-1" }, "fixed_version": fixed,
        "urgency": "not yet assigned" } } } } })
    .to_string()
}

#[test]
fn the_first_release_file_that_held_a_fix_counts_though_newer_ones_hold_it_too() {
    let mut house = house();
    house.fix(&deb("liba", &FIXED), 5 * DAY);
    house.planned();
    // Another package's fix, in a newer release file; and main, which has nothing of liba's, is newer still.
    house.fix(&deb("libb", &FIXED), 2 * DAY);
    house.main.date(super::now() - 60).publish();
    let available = house.fixes()[0]["available"].to_string();
    assert!(available.contains(&day(5 * DAY)), "{available} is not {}", day(5 * DAY));
    house.patch(&[]).ok();
    let events = house.sandbox.hardpan(&["report", "export"]).ok().stdout;
    let fix = events.lines().find(|line| line.contains("release-file")).expect("a fix");
    assert!(fix.contains(&day(5 * DAY)), "{fix}");
}

#[test]
fn the_archive_that_holds_a_fix_dates_it_and_no_other() {
    let mut house = house();
    house.main.date(super::now() - 60).publish();
    house.fix(&deb("liba", &FIXED), 5 * DAY);
    let available = house.fixes()[0]["available"].to_string();
    assert!(available.contains(&day(5 * DAY)), "{available} is not {}", day(5 * DAY));
}

#[test]
fn a_security_archive_s_update_moves_though_it_names_no_cve() {
    let mut house = house();
    house.fix(&deb("liba", &[("1.0-1+deb13u1", "a regression"), OLD[0]]), 60);
    house.patch(&["--dry-run"]).ok();
    let said = house.patch(&["--dry-run"]).ok().stdout;
    assert!(said.contains("from the security archive, names no CVE"), "{said}");
    let out = house.patched(&[]);
    assert_eq!((&out["one"]["outcome"], &out["one"]["fixed"]), (&"out".into(), &json!([])));
    assert!(house.lock("one").contains("1.0-1+deb13u1"));
    let note = house.sandbox.text(out["one"]["note"].as_str().expect("a note"));
    assert!(note.contains("No CVE that is known."), "{note}");
}

#[test]
fn a_package_of_main_is_not_security_s_because_there_is_a_security_archive() {
    let mut house = house();
    house.update(&deb("liba", &[("1.0-2", "typo"), OLD[0]]));
    let plan = house.planned();
    assert_eq!((&plan["moves"], &plan["waiting"][0]["security_archive"]), (&json!([]), &false.into()));
}

#[test]
fn of_each_newer_version_its_own_changelog_is_read() {
    let mut house = house();
    house.fix(&deb("liba", &FIXED), 600);
    assert_eq!(house.fixes().len(), 1);
    house.fix(&deb("liba", &[("1.0-1+deb13u2", "CVE-2026-2000"), FIXED[0], OLD[0]]), 60);
    let fixes = house.fixes();
    let named: Vec<&Value> = fixes.iter().map(|fix| &fix["id"]).collect();
    assert_eq!(named, ["CVE-2026-1000", "CVE-2026-2000"]);
}

#[test]
fn a_rebuild_of_the_same_source_fixes_nothing_whatever_its_changelog_names() {
    let mut house = house();
    let rebuilt = deb("liba", &[("1.0-1+b1", "rebuilt for CVE-2026-1000"), OLD[0]]);
    house.update(&rebuilt.source("liba", "1.0-1"));
    let plan = house.planned();
    assert_eq!((&plan["moves"], &plan["waiting"][0]["fixes"]), (&json!([]), &json!([])));
}

#[test]
fn what_nobody_can_say_is_said_once() {
    let mut house = house();
    house.recipe("other", "", &["liba"]);
    house.patch(&[]).ok();
    let mute = |version: &str| Deb::new("liba", version).file("/usr/share/liba", version, 0o644);
    house.fix(&mute("1.0-1+deb13u1"), 60);
    let mute = "nobody can say what liba 1.0-1+deb13u1 fixes";
    for arguments in [&["--dry-run"][..], &[]] {
        let out = house.patch(arguments).ok();
        assert_eq!(out.stderr.matches(mute).count(), 1, "{}", out.stderr);
    }
}

#[test]
fn feeds_that_do_not_tell_what_is_open_leave_it_to_the_changelogs_and_say_how_bad_it_is() {
    let mut house = house();
    let kev = json!({ "title": "Known Exploited Vulnerabilities", "catalogVersion": "2026.11.20",
        "dateReleased": "2026-11-20T00:00:00Z", "count": 1, "vulnerabilities": [{ "cveID": "CVE-2026-1000",
        "vulnerabilityName": "liba", "dateAdded": "2026-11-19", "dueDate": "2026-12-10", "knownRansomwareCampaignUse": "Unknown" }] });
    let record = json!({ "dataType": "CVE_RECORD", "dataVersion": "5.1",
        "cveMetadata": { "cveId": "CVE-2026-1000", "state": "PUBLISHED", "datePublished": "2026-11-01T00:00:00Z", "dateUpdated": "2026-11-02T00:00:00Z" },
        "containers": { "cna": { "providerMetadata": { "shortName": "x" }, "metrics": [{ "cvssV3_1": {
            "vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "baseScore": 9.8, "baseSeverity": "CRITICAL" } }] } } });
    house.import("kev.json", &kev.to_string());
    house.import("cve.json", &record.to_string());
    house.fix(&deb("liba", &FIXED), 60);
    let fixes = house.fixes();
    assert_eq!(fixes.len(), 1, "{fixes:?}");
    assert_eq!(
        (&fixes[0]["known_by"], &fixes[0]["severity"], &fixes[0]["exploited"]),
        (&"changelogs".into(), &"critical".into(), &true.into())
    );
    let out = house.patched(&[]);
    let note = house.sandbox.text(out["one"]["note"].as_str().expect("a note"));
    assert!(note.contains("| CVE-2026-1000 | critical, exploited | liba |"), "{note}");
    let events = house.sandbox.hardpan(&["report", "export"]).ok().stdout;
    let found = events.lines().find(|line| line.contains("detected")).expect("found");
    assert!(found.contains("critical") && found.contains("2026-11-01"), "{found}");
}

#[test]
fn what_was_fixed_before_the_pinned_version_is_no_fix_of_the_newer_one() {
    let mut house = house();
    house.import("tracker.json", &resolved("CVE-2026-0009", "0.9-1"));
    house.fix(&deb("liba", &FIXED), 60);
    assert_eq!(house.fixes(), Vec::<Value>::new());
}

#[test]
fn a_fix_names_the_first_version_that_has_it_not_the_one_that_is_moved_to() {
    let mut house = house();
    house.import("tracker.json", &resolved("CVE-2026-5555", "1.0-1+deb13u1"));
    house.fix(&deb("liba", &[("1.0-1+deb13u2", "more"), FIXED[0], OLD[0]]), 60);
    let plan = house.planned();
    assert_eq!(plan["moves"][0]["to"], "1.0-1+deb13u2");
    assert_eq!(plan["moves"][0]["fixes"][0]["fixed"], "1.0-1+deb13u1");
}

#[test]
fn what_a_feed_says_of_a_package_alone_tells_how_bad_it_is() {
    let mut house = house();
    let osv = json!({ "schema_version": "1.7.3", "id": "DEBIAN-CVE-2026-1000", "modified": "2026-11-01T00:00:00Z",
        "upstream": ["CVE-2026-1000"], "affected": [{ "package": { "ecosystem": "Debian:13", "name": "liba" },
            "versions": ["1.0-1"], "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }, { "fixed": "1.0-2" }] }],
            "ecosystem_specific": { "urgency": "high" } }] });
    house.import("osv.json", &osv.to_string());
    house.fix(&deb("liba", &[("1.0-2", "CVE-2026-1000"), OLD[0]]), 60);
    let fixes = house.fixes();
    assert_eq!((fixes.len(), &fixes[0]["severity"]), (1, &"high".into()), "{fixes:?}");
}

#[test]
fn of_several_ranges_the_fix_is_the_one_that_is_moved_to_and_not_that_of_a_later_range() {
    let mut house = house();
    let events =
        json!([{ "introduced": "0" }, { "fixed": "1.0-2" }, { "introduced": "3.0-1" }, { "fixed": "3.0-2" }]);
    let osv = json!({ "schema_version": "1.7.3", "id": "DEBIAN-CVE-2026-1000", "modified": "2026-11-01T00:00:00Z",
        "upstream": ["CVE-2026-1000"], "affected": [{ "package": { "ecosystem": "Debian:13", "name": "liba" },
            "ranges": [{ "type": "ECOSYSTEM", "events": events }] }] });
    house.import("osv.json", &osv.to_string());
    house.fix(&deb("liba", &[("1.0-2", "more"), OLD[0]]), 5 * DAY);
    let fixes = house.fixes();
    assert_eq!((fixes.len(), &fixes[0]["fixed"]), (1, &"1.0-2".into()), "{fixes:?}");
    assert!(fixes[0]["available"].to_string().contains(&day(5 * DAY)), "{fixes:?}");
}

#[test]
fn somebody_who_makes_a_snapshot_is_waited_for() {
    let house = house();
    house.import("tracker.json", &resolved("CVE-2026-5555", "1.0-1+deb13u1"));
    let lock =
        std::fs::File::open(house.sandbox.store().join("advisories/lock")).expect("made by the import");
    lock.lock().expect("nobody else has it");
    let all = house.arguments(&["patch", "--all", "--dry-run"]);
    let mut running = house.sandbox.spawn(&all.iter().map(String::as_str).collect::<Vec<_>>());
    std::thread::sleep(std::time::Duration::from_millis(1500));
    assert!(running.is_running(), "it noted when versions were seen while another did");
    drop(lock);
    running.wait().ok();
}

#[test]
fn what_waits_stays_where_something_else_moves() {
    let mut house = house();
    house.recipe("both", "", &["liba", "libb"]);
    house.patch(&[]).ok();
    house.update(&deb("libb", &[("1.0-2", "typo"), OLD[0]]));
    house.fix(&deb("liba", &FIXED), 60);
    let out = house.patched(&[]);
    assert_eq!(
        (&out["both"]["outcome"], &out["both"]["waiting"][0]["source"]),
        (&"out".into(), &"libb".into())
    );
    let lock = house.lock("both");
    assert!(lock.contains("version = \"1.0-1+deb13u1\"") && !lock.contains("1.0-2"), "{lock}");
}
