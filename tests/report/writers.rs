//! Several writers at once, and writers that are killed.

use std::path::Path;
use std::thread;
use std::time::Duration;

use hardpan::advisory::Level;
use hardpan::ledger::{Event, FixSource, Ledger, Place};

use super::made::{Of, at, lines};
use super::support::Sandbox;

/// Many events of one image.
fn many(name: &'static str, count: usize) -> Vec<Event> {
    let cve = |number: usize| format!("CVE-2026-{}", 100_000 + number);
    (0..count).map(|number| Of(name).detected("05T00", 'a', &cve(number), Level::High)).collect()
}

fn exported(sandbox: &Sandbox) -> String {
    sandbox.hardpan(&["report", "export"]).ok().stdout
}

#[test]
fn processes_that_write_at_once_wait_for_each_other_and_lose_nothing() {
    let mut sandbox = Sandbox::new();
    sandbox.env("HARDPAN_TIMEOUT", "60");
    let names = ["one", "two", "three", "four", "five", "six"];
    let mut all = Vec::new();
    for name in names {
        let events = many(name, 200);
        sandbox.write(format!("{name}.jsonl"), lines(&events));
        all.extend(events);
    }
    // There is no ledger yet: one of them makes it.
    let runs: Vec<_> =
        names.iter().map(|name| sandbox.spawn(&["report", "import", &format!("{name}.jsonl")])).collect();
    for run in runs {
        assert_eq!(run.wait().ok().stdout, "200 new events, 0 known already\n");
    }
    let text = exported(&sandbox);
    assert_eq!(text.lines().count(), 1 + all.len());
    for event in &all {
        assert!(text.contains(&event.to_text()));
    }
}

#[test]
fn of_those_who_record_the_same_at_once_one_does() {
    // Each time none of them finds a ledger: one makes it while the others look.
    for _ in 0..20 {
        one_of_many();
    }
}

fn one_of_many() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ledger.db");
    let record = |path: &Path| {
        let mut ledger = Ledger::open(&Place::File(path.into()), Duration::from_mins(1)).expect("opened");
        let events = Of("python").whole("CVE-2026-123456", Level::High, "06T00", "07T12");
        ledger.record(&events, at("07T12")).expect("recorded").new
    };
    let new: usize = thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| record(&path))).collect();
        threads.into_iter().map(|one| one.join().expect("no panic")).sum()
    });
    assert_eq!(new, 5);
}

#[test]
fn a_writer_that_is_killed_has_written_all_or_nothing() {
    let sandbox = Sandbox::new();
    let before = [Of("nginx").fix("05T00", "CVE-2026-1234", "05T00", FixSource::ReleaseFile)];
    sandbox.write("before.jsonl", lines(&before));
    sandbox.hardpan(&["report", "import", "before.jsonl"]).ok();
    let events = many("python", 4_000);
    sandbox.write("events.jsonl", lines(&events));
    let (mut none, mut killed) = (0, 0);
    for step in 0..12 {
        let run = sandbox.spawn(&["report", "import", "events.jsonl"]);
        thread::sleep(Duration::from_millis(20 + 40 * step));
        killed += usize::from(run.kill().code == -9);
        match exported(&sandbox).lines().count() {
            2 => none += 1,
            count => assert_eq!(count, 2 + events.len(), "after {step}"),
        }
    }
    assert!(none > 0 && killed > 0, "{none} of {killed} kills came before the end");
    sandbox.hardpan(&["report", "import", "events.jsonl"]).ok();
    assert_eq!(exported(&sandbox).lines().count(), 2 + events.len());
}
