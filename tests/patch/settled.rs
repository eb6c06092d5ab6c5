//! What the ledger has as open ends when advisories, or the image, have it no more.

use serde_json::{Value, json};

use super::support::Flaw;
use super::{House, deb};

const OLD: [(&str, &str); 1] = [("1.0-1", "first")];

/// A tracker that knows these of liba: the CVE's last digit, and the version that has it fixed.
fn tracker(known: &[(&str, Option<&str>)]) -> String {
    let one = |(number, fixed): &(&str, Option<&str>)| {
        let status = if fixed.is_some() { "resolved" } else { "open" };
        let mut release =
            json!({ "status": status, "repositories": { "trixie": "1.0-1" }, "urgency": "high" });
        if let Some(fixed) = fixed {
            release["fixed_version"] = json!(fixed);
        }
        let entry = json!({ "description": "bad", "scope": "remote", "releases": { "trixie": release } });
        (format!("CVE-2026-100{number}"), entry)
    };
    // A source that no image has keeps the export from being empty.
    let liba: serde_json::Map<String, Value> = known.iter().map(one).collect();
    let others: serde_json::Map<String, Value> = [("9", None)].iter().map(one).collect();
    if liba.is_empty() {
        json!({ "elsewhere": others }).to_string()
    } else {
        json!({ "liba": liba, "elsewhere": others }).to_string()
    }
}

impl House {
    fn told(&self, known: &[(&str, Option<&str>)], date: &str) {
        self.sandbox.write("tracker.json", tracker(known));
        self.sandbox.hardpan(&["advisories", "import", "tracker.json", "--date", date]).ok();
    }

    /// All exposures to a CVE, of any image.
    fn report(&self, number: &str) -> Vec<Value> {
        let cve = format!("CVE-2026-100{number}");
        let said = self.sandbox.hardpan(&["report", "cve", &cve, "--format=json"]).ok().stdout;
        let said: Value = serde_json::from_str(&said).expect("JSON");
        said["rows"].as_array().expect("rows").clone()
    }

    /// How the last exposure of the image `one` to a CVE stands: its state, and why it is gone.
    fn stands(&self, number: &str) -> (String, Option<String>) {
        let cve = format!("CVE-2026-100{number}");
        let said = self.sandbox.hardpan(&["report", "cve", &cve, "--image=one", "--format=json"]).ok().stdout;
        let said: Value = serde_json::from_str(&said).expect("JSON");
        let last = said["rows"].as_array().and_then(|all| all.last()).unwrap_or_else(|| panic!("{said:#}"));
        let word = |name: &str| last[name].as_str().filter(|word| !word.is_empty()).map(str::to_owned);
        (word("state").expect("a state"), word("gone_why"))
    }
}

fn gone(why: &str) -> (String, Option<String>) {
    ("gone".to_owned(), Some(why.to_owned()))
}

fn open() -> (String, Option<String>) {
    ("open".to_owned(), None)
}

/// An image with liba, published, in which three vulnerabilities were found.
fn found() -> House {
    let house = House::new(&[deb("liba", &OLD), deb("libb", &OLD)]);
    house.recipe("one", "", &["liba", "libb"]);
    house.patch(&[]).ok();
    house.told(&[("1", None), ("2", None), ("3", Some("9.0-1"))], "2026-11-20");
    house.patch(&[]).ok();
    assert_eq!(["1", "2", "3"].map(|number| house.stands(number)), [open(), open(), open()]);
    house
}

#[test]
fn what_advisories_take_back_or_correct_is_open_no_more() {
    let house = found();
    // One is gone, one was fixed in what is there, and one is as it was.
    house.told(&[("2", Some("1.0-1")), ("3", Some("9.0-1"))], "2026-11-21");
    assert_eq!(house.patched(&[])["one"]["outcome"], "up to date");
    assert_eq!((house.stands("1"), house.stands("2")), (gone("withdrawn"), gone("withdrawn")));
    assert_eq!(house.stands("3"), open());
    // What comes back is found again.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    house.told(&[("1", None), ("3", Some("9.0-1"))], "2026-11-22");
    house.patch(&[]).ok();
    assert_eq!((house.stands("1"), house.stands("2")), (open(), gone("withdrawn")));
}

#[test]
fn what_an_image_has_no_more_is_removed_and_what_a_newer_version_has_no_more_is_fixed() {
    let mut house = found();
    // The archive has a version that advisories know of as fixed only later, when it is out already.
    house.update(&deb("liba", &[("1.0-2", "more"), OLD[0]]));
    house.patch(&["--everything"]).ok();
    assert_eq!(house.stands("1"), open());
    house.told(&[("1", Some("1.0-2")), ("2", None), ("3", Some("9.0-1"))], "2026-11-21");
    house.patch(&[]).ok();
    assert_eq!(
        (house.stands("1"), house.stands("2"), house.stands("3")),
        (gone("withdrawn"), open(), open())
    );
    let recipe = house.sandbox.text("recipes/one.toml").replace("liba = \"all\"\n", "");
    house.sandbox.write("recipes/one.toml", recipe);
    house.run(&["lock", "recipes/one.toml"]).ok();
    assert_eq!(house.patched(&[])["one"]["outcome"], "out");
    assert_eq!((house.stands("2"), house.stands("3")), (gone("removed"), gone("removed")));
    assert_eq!(house.stands("1"), gone("withdrawn"), "what has ended ends once");
}

#[test]
fn a_version_that_advisories_do_not_name_any_more_once_it_is_out_is_a_fix() {
    let mut house = found();
    house.update(&deb("liba", &[("1.0-2", "more"), OLD[0]]));
    house.told(&[("1", None), ("2", None), ("3", Some("1.0-2"))], "2026-11-21");
    // It is moved by hand, so no plan of a run names what it fixes.
    house.run(&["lock", "recipes/one.toml", "--update", "liba"]).ok();
    assert_eq!(house.patched(&[])["one"]["outcome"], "out");
    assert_eq!(house.stands("3"), ("fixed".to_owned(), None));
    assert_eq!((house.stands("1"), house.stands("2")), (open(), open()));
}

#[test]
fn changelogs_alone_end_nothing_for_they_know_nothing_of_what_is_open() {
    let mut house = found();
    house.fix(&deb("libb", &[("1.0-1+deb13u1", "CVE-2026-7777"), OLD[0]]), 60);
    let derived = house.run(&["advisories", "derive", "recipes/one.toml", "--store", "other"]).ok().stdout;
    house.sandbox.hardpan(&["advisories", "export", "--store", "other", "--out", "derived.adv"]).ok();
    house.patch(&["--advisories", "derived.adv"]).ok();
    assert_eq!(["1", "2", "3"].map(|number| house.stands(number)), [open(), open(), open()], "{derived}");
}

#[test]
fn what_a_changelog_named_and_advisories_do_not_is_taken_back_by_those_that_know_what_is_open() {
    let mut house = House::new(&[deb("liba", &OLD)]);
    house.recipe("one", "", &["liba"]);
    house.patch(&[]).ok();
    house.fix(&deb("liba", &[("1.0-1+deb13u1", "CVE-2026-1008"), OLD[0]]), 60);
    house.registry.flaw("PUT", "/team/one/manifests/", Flaw::Status(403, "", ""));
    house.patch(&[]).exits(6);
    assert_eq!(house.stands("8"), open());
    house.told(&[("1", None)], "2026-11-20");
    house.patch(&[]).exits(6);
    assert_eq!((house.stands("1"), house.stands("8")), (open(), gone("withdrawn")));
}

#[test]
fn what_advisories_take_back_of_an_image_that_is_kept_back_is_open_no_more() {
    let mut house = found();
    house.fix(&deb("liba", &[("1.0-1+deb13u1", "more"), OLD[0]]), 60);
    house.told(&[("1", Some("1.0-1+deb13u1")), ("2", Some("1.0-1+deb13u1")), ("3", None)], "2026-11-21");
    house.registry.flaw("PUT", "/team/one/manifests/", Flaw::Status(403, "", ""));
    house.patch(&[]).exits(6);
    assert_eq!((house.stands("1"), house.stands("2")), (open(), open()));
    // One is gone, one is said to be fixed in what is there.
    house.told(&[("2", Some("1.0-1")), ("3", None)], "2026-11-22");
    house.patch(&[]).exits(6);
    assert_eq!(
        ["1", "2", "3"].map(|number| house.stands(number)),
        [gone("withdrawn"), gone("withdrawn"), open()]
    );
}

#[test]
fn what_is_not_tried_is_looked_at_all_the_same_for_it_stays_out() {
    let mut house = found();
    house.standing("two", "one", &["libb"]);
    house.patch(&[]).ok();
    let two = house.tag("two", "latest");
    house.fix(&deb("liba", &[("1.0-1+deb13u1", "more"), OLD[0]]), 60);
    house.told(&[("4", None), ("3", Some("9.0-1"))], "2026-11-21");
    house.registry.flaw("PUT", "/team/one/manifests/", Flaw::Status(403, "", ""));
    let rows = super::rows(&house.patch(&["--json"]).exits(6));
    assert_eq!(
        (&rows["two"]["outcome"], rows["two"]["digest"].as_str()),
        (&"not tried".into(), two.as_deref())
    );
    let rows = house.report("4");
    let images: Vec<&str> = rows.iter().filter_map(|row| row["image"].as_str()).collect();
    assert_eq!(images, ["one", "two"]);
}

#[test]
fn a_ledger_that_was_brought_back_from_a_copy_is_told_again_what_it_lacks_and_so_is_a_new_one() {
    let house = found();
    let ledger = house.sandbox.path("kept.db");
    let keep = ["--ledger", "kept.db"];
    house.patch(&keep).ok();
    let copy = std::fs::read(&ledger).expect("readable");
    house.told(&[("1", None), ("2", None), ("3", None), ("4", None)], "2026-11-21");
    let known = |ledger: &str| {
        let said = house
            .sandbox
            .hardpan(&["report", "--ledger", ledger, "cve", "CVE-2026-1004", "--json"])
            .ok()
            .stdout;
        let said: Value = serde_json::from_str(&said).expect("JSON");
        said["rows"].as_array().map_or(0, Vec::len)
    };
    house.patch(&keep).ok();
    assert_eq!(known("kept.db"), 1);
    std::fs::write(&ledger, copy).expect("ours");
    assert_eq!(known("kept.db"), 0);
    house.patch(&keep).ok();
    assert_eq!(known("kept.db"), 1);
    house.patch(&["--ledger", "new.db"]).ok();
    assert_eq!(known("new.db"), 1);
    let images = house.sandbox.hardpan(&["report", "--ledger", "new.db", "images"]).ok().stdout;
    assert!(images.contains("published"), "{images}");
}

#[test]
fn what_was_decided_about_an_image_that_is_kept_back_is_entered_once_and_is_no_fix_when_it_gets_out() {
    let mut house = found();
    let decision = "[[decision]]\ncve = \"CVE-2026-1001\"\npackages = [\"liba\"]\nstatus = \"not_affected\"\n\
                    justification = \"vulnerable_code_not_in_execute_path\"\nreason = \"nobody calls it\"\n\
                    author = \"Ada <ada@example.org>\"\ndate = 2026-11-01\nexpires = 2027-05-01\n";
    house.sandbox.write("recipes/vex/one.toml", decision);
    house.fix(&deb("liba", &[("1.0-1+deb13u1", "more"), OLD[0]]), 60);
    house.told(&[("1", Some("1.0-1+deb13u1")), ("2", Some("1.0-1+deb13u1")), ("3", None)], "2026-11-21");
    house.registry.flaw("PUT", "/team/one/manifests/", Flaw::Status(403, "", ""));
    for _ in 0..3 {
        house.patch(&[]).exits(6);
        std::thread::sleep(std::time::Duration::from_millis(1100));
    }
    assert_eq!((house.report("1").len(), house.stands("1")), (1, gone("decided")));
    house.registry.heal();
    house.patch(&[]).ok();
    assert_eq!((house.report("1").len(), house.stands("1")), (1, gone("decided")));
    assert_eq!(house.stands("2").0, "fixed");
}
