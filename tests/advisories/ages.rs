//! Ages: of when feeds are that say it themselves, and of when those are that do not.

use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::support::{Sandbox, Server};
use super::{osv, zip};

const OLD: &str = "2024-05-01T00:00:00Z";

fn record(number: u32, modified: &str) -> String {
    osv(&format!("DEBIAN-CVE-2026-{number}"), &format!("CVE-2026-{number}"), "x", "1-1", modified)
}

/// What the age of the current snapshot counts from.
fn counts_from(sandbox: &Sandbox) -> String {
    let listed = sandbox.hardpan(&["advisories", "list", "--json"]).ok().stdout;
    let json: Value = serde_json::from_str(&listed).expect("JSON");
    json["head"]["counts_from"].as_str().expect("a date").to_owned()
}

/// Sets when a file was written to, so many days ago.
fn age(sandbox: &Sandbox, path: &str, days: u64) {
    let file = std::fs::File::options().write(true).open(sandbox.path(path)).expect("there");
    file.set_modified(SystemTime::now() - Duration::from_secs(days * 86_400)).expect("ours");
}

fn days(sandbox: &Sandbox) -> i64 {
    let from: hardpan::ident::Epoch = counts_from(sandbox).parse().expect("a date");
    (super::support::now() - from.0) / 86_400
}

fn import(sandbox: &Sandbox, more: &[&str]) {
    sandbox.hardpan(&[&["advisories", "import"], more].concat()).ok();
}

#[test]
fn a_record_that_changed_long_ago_and_was_taken_today_makes_no_snapshot_old() {
    let sandbox = Sandbox::new();
    sandbox.write("tracker.json", super::TRACKER);
    sandbox.write("one.json", record(1000, OLD));
    import(&sandbox, &["tracker.json", "one.json"]);
    assert_eq!(days(&sandbox), 0);
    // Its file's own time counts, as the tracker's does, and what is said goes before it.
    age(&sandbox, "one.json", 30);
    import(&sandbox, &["one.json"]);
    assert_eq!(days(&sandbox), 30);
    import(&sandbox, &["one.json", "--date=2026-10-01"]);
    assert_eq!(counts_from(&sandbox), "2026-10-01T00:00:00Z");
}

#[test]
fn a_whole_list_is_as_old_as_its_newest_record_whenever_it_is_imported() {
    for (form, name) in [("zip", "all.zip"), ("folder", "all")] {
        let sandbox = Sandbox::new();
        sandbox.write("one.json", record(1000, OLD));
        match form {
            "zip" => drop(sandbox.write(name, zip(&[("a.json", record(1001, OLD).as_bytes())]))),
            _ => drop(sandbox.write("all/a.json", record(1001, OLD))),
        }
        import(&sandbox, &[name]);
        assert_eq!(counts_from(&sandbox), OLD, "{form}");
        // Nor does it count as fresh beside a record that was taken today, in whatever order they come.
        import(&sandbox, &["one.json"]);
        assert_eq!(counts_from(&sandbox), OLD, "{form}, then a record");
        import(&sandbox, &["one.json", name, "--replace"]);
        assert_eq!(counts_from(&sandbox), OLD, "{form} and a record");
        import(&sandbox, &["one.json", "--replace"]);
        assert_eq!(days(&sandbox), 0);
        import(&sandbox, &[name]);
        assert_eq!(counts_from(&sandbox), OLD, "{form} after a record");
    }
}

#[test]
fn of_single_records_the_one_that_was_taken_first_counts_until_it_is_taken_again() {
    let sandbox = Sandbox::new();
    sandbox.write("one.json", record(1000, OLD));
    sandbox.write("two.json", record(1001, OLD));
    age(&sandbox, "one.json", 40);
    import(&sandbox, &["one.json"]);
    import(&sandbox, &["two.json"]);
    assert_eq!(days(&sandbox), 40);
    age(&sandbox, "one.json", 2);
    import(&sandbox, &["one.json", "two.json"]);
    assert_eq!(days(&sandbox), 2);
}

#[test]
fn a_single_record_that_goes_backwards_is_refused_however_new_its_file_is() {
    let sandbox = Sandbox::new();
    sandbox.write("new.json", record(1000, "2026-11-10T00:00:00Z"));
    sandbox.write("old.json", record(1000, OLD));
    age(&sandbox, "new.json", 3);
    import(&sandbox, &["new.json"]);
    for more in [&[][..], &["--replace"], &["--date=2026-11-22"]] {
        let out = sandbox.hardpan(&[&["advisories", "import", "old.json"], more].concat());
        out.exits(5).says("HP543").says("DEBIAN-CVE-2026-1000");
    }
    // A file from the future says nothing of when it was taken.
    let file = std::fs::File::options().write(true).open(sandbox.path("new.json")).expect("there");
    file.set_modified(SystemTime::now() + Duration::from_hours(9 * 24)).expect("ours");
    sandbox.hardpan(&["advisories", "import", "new.json"]).exits(5).says("still to come");
}

#[test]
fn what_a_server_does_not_date_counts_as_of_now_and_that_is_said() {
    let sandbox = Sandbox::new();
    sandbox.write("www/tracker.json", super::TRACKER);
    let server = Server::start(sandbox.path("www"));
    let address = format!("{}/tracker.json", server.url());
    let out = sandbox.hardpan(&["advisories", "import", &address]).ok();
    assert!(out.stderr.contains("the server does not say of when"), "{}", out.stderr);
    assert_eq!(days(&sandbox), 0);
    let out = sandbox.hardpan(&["advisories", "import", &address, "--date=2026-11-20", "--allow-older"]).ok();
    assert!(!out.stderr.contains("does not say"), "{}", out.stderr);
}
