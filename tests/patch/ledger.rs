//! The ledger of a run: what it can't take ends the run before it begins, and what it knows outlives a run that ended early.

use std::time::Duration;

use super::broken::{all_fixed, take_note, ten};
use super::support::Flaw;
use super::{House, deb, rows};

const OLD: [(&str, &str); 1] = [("1.0-1", "first")];
const FIXED: [(&str, &str); 2] = [("1.0-1+deb13u1", "CVE-2026-1000"), ("1.0-1", "first")];

#[test]
fn what_can_not_be_recorded_is_not_begun() {
    let mut house = House::new(&[deb("liba", &OLD)]);
    house.recipe("one", "", &["liba"]);
    house.patch(&[]).ok();
    house.fix(&deb("liba", &FIXED), 60);
    let before = (house.tag("one", "latest"), house.lock("one"));
    house.sandbox.write("broken.db", "no ledger at all, but long enough to be looked at as one would be");
    house.patch(&["--ledger", "broken.db"]).exits(1).says("HP142");
    assert_eq!((house.tag("one", "latest"), house.lock("one")), before);
}

#[test]
fn what_was_out_before_is_known_from_the_ledger_where_the_tags_tell_it_no_more() {
    let open = r#"{ "liba": { "CVE-2026-0500": { "description": "bad", "scope": "remote", "releases": { "trixie": {
        "status": "open", "repositories": { "trixie": "1.0-1" }, "urgency": "high" } } }, "CVE-2026-1000": { "description": "bad",
        "scope": "remote", "releases": { "trixie": { "status": "resolved", "repositories": { "trixie": "1.0-1" },
        "fixed_version": "1.0-1+deb13u1", "urgency": "high" } } } } }"#;
    // From what was published; from what was found in it; and from that where something is found in the new one, too.
    for (text, ledger, feed) in [
        ("a regression", "ledger.db", None),
        ("CVE-2026-1000", "other.db", None),
        ("CVE-2026-1000", "other.db", Some(open)),
    ] {
        let mut house = House::new(&[deb("liba", &OLD)]);
        house.recipe("one", "", &["liba"]);
        house.patch(&["--ledger", "ledger.db"]).ok();
        let old = house.tag("one", "latest").expect("published");
        if let Some(feed) = feed {
            house.sandbox.write("tracker.json", feed);
            house.sandbox.hardpan(&["advisories", "import", "tracker.json", "--date", "2026-11-20"]).ok();
        }
        house.fix(&deb("liba", &[("1.0-1+deb13u1", text), OLD[0]]), 60);
        take_note(&house);
        // It is out, and what fails is what comes after that.
        house.patch(&["--ledger", ledger, "--notes", "taken"]).exits(6);
        assert_ne!(house.tag("one", "latest").as_ref(), Some(&old));
        let out = house.patched(&["--ledger", ledger]);
        assert_eq!(out["one"]["before"], old.as_str(), "by {ledger}, {feed:?}");
    }
}

#[test]
fn the_ledger_does_not_say_that_something_is_out_before_it_is() {
    let mut house = House::new(&[deb("liba", &OLD)]);
    house.recipe("one", "", &["liba"]);
    house.patch(&[]).ok();
    house.fix(&deb("liba", &FIXED), 60);
    house.registry.flaw("PUT", "/team/one/manifests/", Flaw::Status(403, "", ""));
    house.patch(&[]).exits(6);
    let events = house.sandbox.hardpan(&["report", "export"]).ok().stdout;
    assert_eq!(
        (events.matches("\"published\"").count(), events.matches("\"fixed\":{").count()),
        (1, 0),
        "{events}"
    );
    let report = house.sandbox.hardpan(&["report", "cve", "CVE-2026-1000", "--format", "json"]).ok().stdout;
    assert!(report.contains("\"open\""), "{report}");
}

#[test]
fn a_clock_that_is_behind_the_ledger_ends_a_run_before_it_begins() {
    let mut house = House::new(&[deb("liba", &OLD)]);
    house.recipe("one", "", &["liba"]);
    house.patch(&["--ledger", "events.db"]).ok();
    house.fix(&deb("liba", &FIXED), 60);
    let place = hardpan::ledger::Place::File(house.sandbox.path("events.db"));
    let tomorrow = hardpan::ident::Epoch(i64::from(super::now()) + 86_400);
    let digest = hardpan::ident::BlobDigest(hardpan::ident::Sha256::of(b"something"));
    let image = "other".parse().expect("a name");
    let built = hardpan::ledger::Built { at: tomorrow, image, digest, version: None };
    hardpan::ledger::Ledger::open(&place, Duration::from_secs(5))
        .and_then(|mut ledger| ledger.record(&[hardpan::ledger::Event::Built(built)], tomorrow))
        .expect("recorded");
    house.registry.heal();
    let before = (house.tag("one", "latest"), house.lock("one"));
    house.patch(&["--ledger", "events.db"]).exits(1).says("HP144");
    assert_eq!((house.tag("one", "latest"), house.lock("one")), before);
    assert_eq!(house.registry.asked().len(), 0, "something was begun");
}

/// A house whose ledger has what one run recorded, and its place.
fn with_ledger() -> (House, std::path::PathBuf) {
    let house = House::new(&[deb("liba", &OLD)]);
    house.recipe("one", "", &["liba"]);
    house.patch(&[]).ok();
    let ledger = house.sandbox.store().join("ledger.db");
    (house, ledger)
}

#[test]
fn a_ledger_that_is_damaged_or_locked_ends_a_run_before_it_begins_even_where_there_is_nothing_to_do() {
    let (house, ledger) = with_ledger();
    house.registry.heal();
    let other = rusqlite::Connection::open(&ledger).expect("opened");
    other.execute_batch("BEGIN IMMEDIATE").expect("locked");
    let out = house.patch(&[]).exits(1).says("HP141");
    assert_eq!(out.stderr.matches("HP141").count(), 1, "{}", out.stderr);
    other
        .execute_batch("ROLLBACK; UPDATE hardpan_event SET body = replace(body, '\"one\"', '\"two\"')")
        .expect("SQL");
    house.patch(&[]).exits(1).says("HP142").says("row 1 changed");
    other.execute_batch("DELETE FROM hardpan_event; PRAGMA wal_checkpoint(TRUNCATE)").expect("SQL");
    house.patch(&["--dry-run"]).ok();
    // A page that a run asks nothing of before it writes to it.
    let page = "SELECT rootpage FROM sqlite_master WHERE name = 'hardpan_event_of_cve'";
    let page: u32 = other.query_row(page, [], |row| row.get(0)).expect("a page");
    drop(other);
    let mut bytes = std::fs::read(&ledger).expect("readable");
    bytes[(page as usize - 1) * 4096..][..4096].fill(0x5a);
    std::fs::write(&ledger, bytes).expect("ours");
    house.patch(&[]).exits(1).says("HP142").says("is damaged");
    assert_eq!(house.registry.asked().len(), 0, "something was begun");
}

#[test]
fn a_ledger_in_a_folder_that_is_not_there_is_not_begun() {
    let (house, _) = with_ledger();
    house.patch(&["--ledger", "typo/ledger.db"]).exits(2).says("HP203").says("typo/ledger.db");
    assert!(!house.sandbox.path("typo").exists());
    house.patch(&["--ledger", "new.db"]).ok();
    assert!(house.sandbox.path("new.db").exists());
}

#[test]
fn what_this_machine_has_is_found_with_one_image_and_those_that_have_not_begun_are_not_tried() {
    let mut house = ten();
    let before = house.tag("image0", "latest");
    all_fixed(&mut house);
    let arguments = ["patch", "--all", "--no-test", "--json", "--jobs=1", "--to", &house.to()];
    let run =
        house.sandbox.spawn(&house.arguments(&arguments).iter().map(String::as_str).collect::<Vec<_>>());
    while house.tag("image0", "latest") == before {
        std::thread::sleep(Duration::from_millis(1));
    }
    // Somebody takes the ledger in the middle of the run, and keeps it for longer than it waits.
    let other = rusqlite::Connection::open(house.sandbox.store().join("ledger.db")).expect("opened");
    other.busy_timeout(Duration::from_secs(10)).expect("set");
    other.execute_batch("BEGIN IMMEDIATE").expect("locked");
    let out = run.wait().exits(6).says("HP650").says("HP141").says("for which this machine would fail too");
    let rows = rows(&out);
    let of = |word: &str| rows.values().filter(|row| row["outcome"] == word).collect::<Vec<_>>();
    let (kept, not_tried) = (of("kept back"), of("not tried"));
    assert!(kept.len() == 1 && !not_tried.is_empty(), "{rows:#?}");
    assert!(not_tried.iter().all(|row| row["because"] == kept[0]["name"]), "{rows:#?}");
    // It may have been out already, and not written down: what is out is said.
    let name = kept[0]["name"].as_str().expect("a name");
    assert_eq!(kept[0]["digest"].as_str(), house.tag(name, "latest").as_deref(), "{rows:#?}");
    other.execute_batch("ROLLBACK").expect("freed");
    assert!(house.patched(&[]).values().all(|row| row["outcome"] == "out" || row["outcome"] == "up to date"));
}

pub(super) fn with_variant() -> House {
    let house = House::new(&[deb("liba", &OLD), deb("libb", &OLD)]);
    house.recipe("one", "", &["liba"]);
    let text =
        house.sandbox.text("recipes/one.toml") + "\n[variant.dev.add.debian.packages]\nlibb = \"all\"\n";
    house.sandbox.write("recipes/one.toml", text);
    house.patch(&[]).ok();
    house
}

#[test]
fn what_a_recipe_s_kept_back_image_or_variant_lacked_is_still_known_to_the_next_run() {
    for (path, times) in [("/team/one/manifests/", 1), ("/team/one/manifests/latest-dev", usize::MAX)] {
        let mut house = with_variant();
        house.fix(&deb("liba", &FIXED), 60);
        house.registry.flaw_times("PUT", path, 0, times, Flaw::Status(403, "", ""));
        house.patch(&["--jobs", "1"]).exits(6).says("HP650");
        house.registry.heal();
        let plan = house.patch(&["--dry-run"]).ok().stdout;
        let lacking = if times == 1 { "one  lacks" } else { "one-dev  lacks" };
        assert!(plan.contains(lacking) && plan.contains("fixes CVE-2026-1000"), "{path}: {plan}");
        let plan = rows(&house.patch(&["--dry-run", "--json"]).ok());
        assert_eq!(plan["one"]["late"][0]["moves"][0]["to"], FIXED[0].0, "{plan:#?}");
        let out = house.patch(&["--json"]).ok().stdout;
        assert_eq!(house.patch(&["--dry-run"]).ok().stdout, "nothing moves\n");
        let report =
            house.sandbox.hardpan(&["report", "cve", "CVE-2026-1000", "--format", "json"]).ok().stdout;
        assert!(!report.contains("\"open\""), "{path}: {report}");
        assert!(out.lines().any(|row| row.contains("\"fixed\":[\"CVE-2026-1000\"]")), "{path}: {out}");
    }
}

#[test]
fn what_a_variant_lacked_is_known_though_the_run_ended_right_after_its_recipe_s_own_image() {
    let mut house = with_variant();
    house.fix(&deb("liba", &FIXED), 60);
    // It is killed as soon as the lock that both share is written.
    let all = house.arguments(&["patch", "--all", "--no-test", "--jobs=1", "--to", &house.to()]);
    let run = house.sandbox.spawn(&all.iter().map(String::as_str).collect::<Vec<_>>());
    let before = house.lock("one");
    while house.lock("one") == before {
        std::thread::sleep(Duration::from_millis(2));
    }
    run.kill();
    house.patch(&[]).ok();
    let report = house.sandbox.hardpan(&["report", "cve", "CVE-2026-1000", "--format", "json"]).ok().stdout;
    let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
    assert_eq!(report["rows"].as_array().map(Vec::len), Some(2), "{report:#}");
    assert!(!report.to_string().contains("\"open\""), "{report:#}");
}

#[test]
fn what_is_out_and_was_not_written_down_is_written_down_by_the_next_run_though_no_pin_moves() {
    let mut house = with_variant();
    house.fix(&deb("liba", &FIXED), 60);
    let before = house.tag("one", "latest-dev");
    // The last tag is moved, and nobody hears of it: as if the run had been killed right then.
    house.registry.flaw("PUT", "/team/one/manifests/latest-dev", Flaw::Unanswered);
    house.patch(&["--jobs", "1"]).exits(6);
    house.registry.heal();
    let new = house.tag("one", "latest-dev");
    assert_ne!(new, before);
    let rows: Vec<serde_json::Value> = house
        .patch(&["--json"])
        .ok()
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let dev = rows.iter().find(|row| row["variant"] == "dev").expect("a row");
    assert_eq!(dev["outcome"], "out", "{dev:#}");
    assert_eq!((dev["digest"].as_str(), dev["before"].as_str()), (new.as_deref(), before.as_deref()));
    assert_eq!(dev["fixed"], serde_json::json!(["CVE-2026-1000"]));
    assert!(house.sandbox.text(dev["note"].as_str().expect("a note")).contains("CVE-2026-1000"));
    let report = house.sandbox.hardpan(&["report", "cve", "CVE-2026-1000", "--format", "json"]).ok().stdout;
    assert!(!report.contains("\"open\""), "{report}");
    assert!(house.patched(&[]).values().all(|row| row["outcome"] == "up to date"));
}

#[test]
fn a_note_of_a_variant_that_can_not_be_written_is_written_by_the_next_run() {
    let mut house = with_variant();
    house.fix(&deb("liba", &FIXED), 60);
    // Where the variant's note would stand there is a folder: its name is that of the same run over a copy.
    take_note(&house);
    let taken = house.sandbox.path("taken");
    for entry in std::fs::read_dir(&taken).expect("notes").flatten() {
        let name = entry.file_name().into_string().expect("a name");
        if !name.starts_with("one-dev-") {
            std::fs::remove_dir_all(entry.path()).expect("ours");
        }
    }
    assert!(std::fs::read_dir(&taken).expect("notes").count() == 1, "the variant's is taken");
    house.patch(&["--notes", "taken", "--jobs=1"]).exits(6);
    let rows: Vec<serde_json::Value> = house
        .patch(&["--json"])
        .ok()
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let dev = rows.iter().find(|row| row["variant"] == "dev").expect("a row");
    let note = house.sandbox.text(dev["note"].as_str().unwrap_or_else(|| panic!("{dev:#}")));
    assert!(note.contains("CVE-2026-1000"), "{note}");
}

#[test]
fn what_somebody_brought_out_by_hand_is_written_down() {
    let (mut house, _) = with_ledger();
    house.fix(&deb("liba", &FIXED), 60);
    house.registry.flaw("PUT", "/team/one/manifests/", Flaw::Status(403, "", ""));
    house.patch(&[]).exits(6);
    house.registry.heal();
    house.run(&["lock", "recipes/one.toml", "--update"]).ok();
    house.run(&["build", "recipes/one.toml", "--locked"]).ok();
    house.sandbox.hardpan(&["publish", "out/one", "--to", &house.to()]).ok();
    assert_eq!(house.patched(&[])["one"]["outcome"], "out");
    let report = house.sandbox.hardpan(&["report", "cve", "CVE-2026-1000", "--format", "json"]).ok().stdout;
    assert!(report.contains("\"fixed\"") && !report.contains("\"open\""), "{report}");
    assert_eq!(house.patched(&[])["one"]["outcome"], "up to date");
}

#[test]
fn a_dry_run_reads_a_ledger_that_another_holds() {
    let (house, ledger) = with_ledger();
    let other = rusqlite::Connection::open(&ledger).expect("opened");
    other.execute_batch("BEGIN IMMEDIATE").expect("locked");
    house.patch(&["--dry-run"]).ok();
}
