//! What moves, and why.

use super::{House, deb, rows};

const OLD: [(&str, &str); 1] = [("1.0-1", "CVE-2026-0001")];
const FIXED: [(&str, &str); 2] =
    [("1.0-1+deb13u1", "CVE-2026-1000 CVE-2026-102633"), ("1.0-1", "CVE-2026-0001")];

fn house() -> House {
    let house = House::new(&[deb("liba", &OLD), deb("libb", &OLD), deb("libc", &OLD)]);
    house.recipe("one", "", &["liba", "libb"]);
    house.patch(&[]).ok();
    house
}

#[test]
fn what_security_has_newer_moves_with_the_cves_that_its_changelog_names_by_difference() {
    let mut house = house();
    let before = house.tag("one", "latest");
    house.fix(&deb("liba", &FIXED), 3600);
    let plan = rows(&house.patch(&["--dry-run", "--json"]).ok());
    let moves = plan["one"]["moves"].as_array().expect("moves");
    assert_eq!(moves.len(), 1);
    assert_eq!((&moves[0]["source"], &moves[0]["from"]), (&"liba".into(), &"1.0-1".into()));
    let named: Vec<&str> =
        moves[0]["fixes"].as_array().unwrap().iter().map(|fix| fix["id"].as_str().unwrap()).collect();
    assert_eq!(named, ["CVE-2026-1000", "CVE-2026-102633"]);
    assert_eq!(house.tag("one", "latest"), before, "a dry run does nothing");
    assert!(house.lock("one").contains("version = \"1.0-1\"\n"));

    let out = house.patched(&[]);
    assert_eq!(out["one"]["outcome"], "out");
    assert_eq!(out["one"]["fixed"].as_array().unwrap().len(), 2);
    let note = house.sandbox.text(out["one"]["note"].as_str().expect("a note"));
    assert!(note.contains("know nothing of CVEs that are open"), "{note}");
    assert_ne!(house.tag("one", "latest"), before);
    let lock = house.lock("one");
    assert!(lock.contains("version = \"1.0-1+deb13u1\""), "{lock}");
    assert_eq!(lock.matches("\nversion = \"1.0-1\"\n").count(), 1, "libb stays:\n{lock}");
}

#[test]
fn a_fix_is_available_since_the_release_file_and_not_since_the_changelog_s_date() {
    let mut house = house();
    house.fix(&deb("liba", &FIXED), 3600);
    house.patch(&[]).ok();
    let report = house.run_report(&["report", "mttr", "--format", "json"]);
    let cve = house.run_report(&["report", "cve", "CVE-2026-1000", "--format", "json"]);
    assert!(!cve.contains("2024-01-09"), "{cve}");
    let day = hardpan::ident::Epoch(i64::from(super::now()) - 3600).to_string();
    assert!(cve.contains(&day[..10]), "{day} is not in {cve}");
    assert!(report.contains("unknown"), "nobody said how bad it is: {report}");
}

#[test]
fn what_main_has_newer_moves_if_it_fixes_a_cve_and_waits_if_it_does_not() {
    let mut house = house();
    house.update(&deb("libb", &[("1.0-2", "typo"), ("1.0-1", "CVE-2026-0001")]));
    let plan = rows(&house.patch(&["--dry-run", "--json"]).ok());
    assert_eq!(plan["one"]["moves"].as_array().unwrap().len(), 0);
    assert_eq!(plan["one"]["waiting"][0]["source"], "libb");
    assert_eq!(house.patched(&[])["one"]["outcome"], "up to date");
    house.update(&deb("libb", &[("1.0-3", "CVE-2026-7777"), ("1.0-2", "typo"), ("1.0-1", "CVE-2026-0001")]));
    let out = house.patched(&[]);
    assert_eq!(out["one"]["fixed"][0], "CVE-2026-7777");
}

#[test]
fn everything_moves_what_waits_too() {
    let mut house = house();
    house.update(&deb("libb", &[("1.0-2", "typo"), ("1.0-1", "CVE-2026-0001")]));
    let out = house.patched(&["--everything"]);
    assert_eq!(out["one"]["outcome"], "out");
    assert_eq!(out["one"]["moves"][0]["to"], "1.0-2");
}

#[test]
fn an_image_that_a_fix_does_not_touch_is_left_alone() {
    let mut house = house();
    house.recipe("other", "", &["libc"]);
    house.patch(&[]).ok();
    let before = (house.tag("other", "latest"), house.lock("other"));
    house.fix(&deb("liba", &FIXED), 60);
    let out = house.patched(&[]);
    assert_eq!((&out["one"]["outcome"], &out["other"]["outcome"]), (&"out".into(), &"up to date".into()));
    assert_eq!((house.tag("other", "latest"), house.lock("other")), before);
}

#[test]
fn what_is_pinned_and_in_no_image_moves_and_nobody_was_exposed_to_it() {
    let mut house = House::new(&[deb("liba", &OLD).depends("libb"), deb("libb", &OLD)]);
    house.recipe("one", "", &["liba"]);
    house.patch(&[]).ok();
    let before = house.tag("one", "latest");
    house.fix(&deb("libb", &FIXED), 60);
    let out = house.patched(&[]);
    assert_eq!(out["one"]["outcome"], "up to date");
    assert_eq!(house.tag("one", "latest"), before);
    assert!(house.lock("one").contains("1.0-1+deb13u1"));
    assert!(!house.run_report(&["report", "export"]).contains("CVE-2026-1000"));
    // Beside what is in the image, it is not counted either.
    house.fix(
        &deb("liba", &[("1.0-1+deb13u2", "CVE-2026-4444"), ("1.0-1", "CVE-2026-0001")]).depends("libb"),
        30,
    );
    house.fix(&deb("libb", &[("1.0-1+deb13u2", "CVE-2026-5555"), FIXED[0], FIXED[1]]), 30);
    let out = house.patched(&[]);
    assert_eq!(out["one"]["fixed"], serde_json::json!(["CVE-2026-4444"]));
    let note = house.sandbox.text(out["one"]["note"].as_str().expect("a note"));
    assert!(!note.contains("libb") && !note.contains("CVE-2026-5555"), "{note}");
}

#[test]
fn pins_never_go_back_when_an_archive_takes_a_version_back() {
    let mut house = house();
    house.fix(&deb("liba", &FIXED), 3600);
    house.patch(&[]).ok();
    let lock = house.lock("one");
    house.security.withdraw("liba");
    house.security.date(super::now() - 60).publish();
    let plan = rows(&house.patch(&["--dry-run", "--json"]).ok());
    assert_eq!(plan["one"]["held"][0]["package"], "liba");
    assert_eq!(house.patched(&["--everything"])["one"]["outcome"], "up to date");
    assert_eq!(house.lock("one"), lock);
}

#[test]
fn advisories_say_what_is_fixed_where_they_know_the_package() {
    let mut house = house();
    let tracker = r#"{ "liba": {
        "CVE-2026-5555": { "description": "bad", "scope": "remote", "releases": { "trixie": { "status": "resolved",
            "repositories": { "trixie": "1.0-1", "trixie-security": "1.0-1+deb13u1" }, "fixed_version": "1.0-1+deb13u1", "urgency": "high" } } },
        "CVE-2026-6666": { "description": "worse", "scope": "remote", "releases": { "trixie": { "status": "open",
            "repositories": { "trixie": "1.0-1" }, "urgency": "not yet assigned" } } } } }"#;
    house.sandbox.write("tracker.json", tracker);
    house.run_report(&["advisories", "import", "tracker.json", "--date", "2026-11-20"]);
    house.fix(&deb("liba", &FIXED), 60);
    let out = house.patched(&[]);
    let fixes = out["one"]["moves"][0]["fixes"].as_array().unwrap();
    assert_eq!(fixes.len(), 1, "what is open still is not fixed: {fixes:?}");
    assert_eq!(
        (&fixes[0]["id"], &fixes[0]["severity"], &fixes[0]["known_by"]),
        (&"CVE-2026-5555".into(), &"high".into(), &"advisories".into())
    );
    let note = house.sandbox.text(out["one"]["note"].as_str().expect("a note"));
    let listed = house.run_report(&["advisories", "list", "--json"]);
    let digest =
        note.split("sha256:").find_map(|rest| rest.split_once("` of 2026-11-20")).expect("the snapshot").0;
    assert!(listed.contains(digest), "{note}\n{listed}");
}

impl House {
    /// What a verb prints that asks no archive.
    fn run_report(&self, arguments: &[&str]) -> String {
        self.sandbox.hardpan(arguments).ok().stdout
    }
}

#[test]
fn what_a_scan_must_not_find_keeps_an_image_back_until_somebody_decides() {
    let mut house = house();
    let tracker = r#"{ "liba": {
        "CVE-2026-6666": { "description": "worse", "scope": "remote", "releases": { "trixie": { "status": "open",
            "repositories": { "trixie": "1.0-1" }, "urgency": "high" } } } } }"#;
    house.sandbox.write("tracker.json", tracker);
    // Nothing is known yet, so nothing can be kept back for it.
    house.patch(&["--fail-on", "any"]).exits(4).says("--fail-on");
    house.run_report(&["advisories", "import", "tracker.json", "--date", "2026-11-20"]);
    house.fix(&deb("liba", &FIXED), 60);
    let before = (house.tag("one", "latest"), house.lock("one"));
    house.patch(&["--fail-on", "any"]).exits(6).says("HP640").says("CVE-2026-6666");
    assert_eq!((house.tag("one", "latest"), house.lock("one")), before);
    house.sandbox.write(
        "recipes/vex/one.toml",
        "[[decision]]\ncve = \"CVE-2026-6666\"\npackages = [\"liba\"]\nstatus = \"not_affected\"\n\
         justification = \"vulnerable_code_not_in_execute_path\"\nreason = \"nobody calls it\"\n\
         author = \"Ada <ada@example.org>\"\ndate = 2026-11-01\nexpires = 2027-05-01\n",
    );
    house.patch(&["--fail-on", "any"]).ok();
    assert_ne!(house.tag("one", "latest"), before.0);
}

#[test]
fn what_a_new_snapshot_knows_of_an_image_that_stays_is_written_down_once() {
    let house = house();
    let open = |cve: &str| {
        format!(
            "{{ \"libb\": {{ \"{cve}\": {{ \"description\": \"bad\", \"scope\": \"remote\", \"releases\": {{ \"trixie\": {{ \"status\": \"open\",\
         \"repositories\": {{ \"trixie\": \"1.0-1\" }}, \"urgency\": \"high\" }} }} }} }} }}"
        )
    };
    house.sandbox.write("tracker.json", open("CVE-2026-6666"));
    house.run_report(&["advisories", "import", "tracker.json", "--date", "2026-11-20"]);
    let digest = house.tag("one", "latest").expect("published");
    assert_eq!(house.patched(&[])["one"]["outcome"], "up to date");
    let report = house.run_report(&["report", "cve", "CVE-2026-6666", "--format", "json"]);
    assert!(report.contains(&digest) && report.contains("open"), "{report}");
    let events = house.run_report(&["report", "export"]);
    house.patch(&[]).ok();
    assert_eq!(house.run_report(&["report", "export"]), events);
    house.sandbox.write("tracker.json", open("CVE-2026-7777"));
    house.run_report(&["advisories", "import", "tracker.json", "--date", "2026-11-21"]);
    house.patch(&[]).ok();
    assert!(house.run_report(&["report", "export"]).contains("CVE-2026-7777"));
}
