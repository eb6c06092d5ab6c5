//! Ledgers that are locked, damaged, not ours, of another version, or on a full disk.

use std::path::{Path, PathBuf};
use std::time::Instant;

use hardpan::advisory::Level;
use hardpan::ledger::Event;
use rusqlite::Connection;

use super::made::{Of, lines};
use super::support::Sandbox;

const CVE: &str = "CVE-2026-123456";

fn events() -> Vec<Event> {
    Of("python").whole(CVE, Level::High, "06T00", "07T12")
}

/// A ledger with some events, and a file with more.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("events.jsonl", lines(&events()));
    sandbox.write("more.jsonl", lines(&Of("nginx").whole(CVE, Level::Low, "06T00", "07T12")));
    sandbox.hardpan(&["report", "import", "events.jsonl"]).ok();
    sandbox
}

fn ledger(sandbox: &Sandbox) -> PathBuf {
    sandbox.store().join("ledger.db")
}

fn sql(path: &Path, statement: &str) {
    Connection::open(path).and_then(|database| database.execute_batch(statement)).expect("SQL");
}

/// All that reads or writes refuses, and the file stays as it is.
fn refuses(sandbox: &Sandbox, code: &str, words: &str) {
    let before = std::fs::read(ledger(sandbox)).expect("readable");
    for arguments in [&["sla"][..], &["export"], &["import", "more.jsonl"]] {
        sandbox.hardpan(&[&["report"], arguments].concat()).exits(1).says(code).says(words);
        assert!(std::fs::read(ledger(sandbox)).expect("readable") == before, "{arguments:?} wrote to it");
    }
}

#[test]
fn a_ledger_that_another_writes_to_is_waited_for_and_then_left_and_read_all_the_while() {
    let sandbox = sandbox();
    let other = Connection::open(ledger(&sandbox)).expect("opened");
    other.execute_batch("BEGIN IMMEDIATE").expect("locked");
    let begin = Instant::now();
    sandbox.hardpan(&["report", "import", "more.jsonl"]).exits(1).says("HP141").says("HARDPAN_TIMEOUT");
    assert!(begin.elapsed().as_secs() >= 2, "it did not wait");
    assert_eq!(sandbox.hardpan(&["report", "export"]).ok().stdout, lines(&events()));
    other.execute_batch("ROLLBACK").expect("freed");
    sandbox.hardpan(&["report", "import", "more.jsonl"]).ok();
}

#[test]
fn a_file_that_is_no_ledger_is_left_alone() {
    for content in [
        &b"just some text that is longer than the head of a database file, which has one hundred bytes"[..],
        b"x",
        &[0; 4096],
    ] {
        let sandbox = sandbox();
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(sandbox.store().join(format!("ledger.db{end}")));
        }
        std::fs::write(ledger(&sandbox), content).expect("ours");
        refuses(&sandbox, "HP142", "is not a ledger");
    }
    let sandbox = Sandbox::new();
    sandbox.write("more.jsonl", lines(&events()));
    sql(&ledger(&sandbox), "CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)");
    refuses(&sandbox, "HP142", "not a ledger");
}

#[test]
fn a_row_whose_columns_say_something_else_than_its_event_is_named() {
    for change in ["image = 'bogus' WHERE seq = 2", "at = 9000000000000000000 WHERE seq = 2"] {
        let sandbox = sandbox();
        sql(&ledger(&sandbox), &format!("UPDATE hardpan_event SET {change}"));
        sandbox.hardpan(&["report", "export"]).exits(1).says("HP142").says("row 2 changed");
    }
}

#[test]
fn a_row_that_was_changed_is_named() {
    let sandbox = sandbox();
    sql(&ledger(&sandbox), "UPDATE hardpan_event SET body = replace(body, 'high', 'low') WHERE seq = 1");
    for arguments in [&["sla"][..], &["export"]] {
        sandbox.hardpan(&[&["report"], arguments].concat()).exits(1).says("HP142").says("row 1 changed");
    }
}

#[test]
fn damaged_pages_and_a_file_that_was_cut_are_found() {
    let many: Vec<Event> = (0..400)
        .map(|number| {
            Of("python").detected("05T00", 'a', &format!("CVE-2026-{}", 1000 + number), Level::High)
        })
        .collect();
    for damage in ["garbage", "cut"] {
        let sandbox = Sandbox::new();
        sandbox.write("events.jsonl", lines(&many));
        sandbox.hardpan(&["report", "import", "events.jsonl"]).ok();
        sql(&ledger(&sandbox), "PRAGMA wal_checkpoint(TRUNCATE)");
        let mut bytes = std::fs::read(ledger(&sandbox)).expect("readable");
        if damage == "cut" {
            bytes.truncate(bytes.len() / 2 + 100);
        } else {
            // Not the first page, whose damage makes it no database at all.
            bytes[4096..].fill(0xa5);
        }
        std::fs::write(ledger(&sandbox), &bytes).expect("ours");
        let out = sandbox.hardpan(&["report", "export"]).exits(1);
        out.says("HP142").says("is damaged").says("bring back a copy");
    }
}

#[test]
fn a_ledger_of_a_newer_version_is_left_alone() {
    let sandbox = sandbox();
    sql(&ledger(&sandbox), "PRAGMA user_version = 3; PRAGMA wal_checkpoint(TRUNCATE)");
    refuses(&sandbox, "HP143", "newer hardpan");
}

#[test]
fn a_ledger_of_an_older_version_is_brought_up_with_what_is_in_it() {
    let sandbox = Sandbox::new();
    // As the first version made it.
    sql(
        &ledger(&sandbox),
        "CREATE TABLE hardpan_event (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, \
         at BIGINT NOT NULL, kind TEXT NOT NULL, image TEXT NOT NULL, cve TEXT, body TEXT NOT NULL); \
         PRAGMA application_id = 1213221959; PRAGMA user_version = 1;",
    );
    let database = Connection::open(ledger(&sandbox)).expect("opened");
    for event in events() {
        let body = event.to_text();
        let row = (Event::id(&body).to_string(), event.at().0, event.kind(), "python", None::<String>, body);
        let insert = "INSERT INTO hardpan_event (id, at, kind, image, cve, body) VALUES (?, ?, ?, ?, ?, ?)";
        database.execute(insert, row).expect("inserted");
    }
    drop(database);
    assert_eq!(sandbox.hardpan(&["report", "export"]).ok().stdout, lines(&events()));
    let database = Connection::open(ledger(&sandbox)).expect("opened");
    let version: i64 =
        database.pragma_query_value(None, "user_version", |row| row.get(0)).expect("a version");
    assert_eq!(version, 2);
    let index = "SELECT count(*) FROM sqlite_master WHERE name = 'hardpan_event_of_image'";
    assert_eq!(database.query_row(index, [], |row| row.get::<_, i64>(0)).expect("a count"), 1);
}

#[test]
fn who_may_only_read_a_ledger_reads_it_whether_or_not_somebody_writes() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root has another user's files");
        return;
    }
    let sandbox = sandbox();
    sandbox.hardpan(&["report", "--ledger=kept # 1?.db", "import", "events.jsonl"]).ok();
    let kept = sandbox.path("kept # 1?.db");
    let older = sandbox.path("older.db");
    std::fs::copy(&kept, &older).expect("ours");
    sql(
        &older,
        "PRAGMA user_version = 1; DROP INDEX hardpan_event_of_cve; DROP INDEX hardpan_event_of_image; DROP INDEX hardpan_event_at",
    );
    let other = sandbox.path("other.db");
    sql(&other, "CREATE TABLE theirs (it TEXT)");
    let read = |file: &str| {
        let run = sandbox.run(&["report", "--ledger", file, "export"]).uid(65_534);
        run.env("HARDPAN_STORE", "/nowhere").output()
    };
    assert_eq!(read("kept # 1?.db").ok().stdout, lines(&events()));
    read("older.db").exits(1).says("HP140").says("write");
    read("other.db").exits(1).says("HP142");
    read("events.jsonl").exits(1).says("HP142");
    // While somebody has it open, what is in its log counts too.
    let writer = Connection::open(&kept).expect("opened");
    writer.execute_batch("DELETE FROM hardpan_event WHERE kind = 'published'").expect("SQL");
    assert!(!read("kept # 1?.db").ok().stdout.contains("\"published\""));
    drop(writer);
    let run = sandbox.run(&["report", "--ledger=kept # 1?.db", "import", "events.jsonl"]).uid(65_534);
    run.env("HARDPAN_STORE", "/nowhere").output().exits(1).says("HP140").says("may be written to");
}

#[test]
fn a_ledger_that_can_not_be_is_said_without_a_password() {
    let sandbox = Sandbox::new();
    sandbox.write("more.jsonl", lines(&events()));
    for (address, code, exit) in [
        ("mysql://me:secret@localhost/x", "HP203", 2),
        ("postgres://me:secret@localhost/x?sslmode=prefer", "HP203", 2),
        ("postgres://:secret@localhost/x", "HP203", 2),
        ("postgres://me:secret@localhost:1/x", "HP140", 1),
        ("/proc/none/ledger.db", "HP203", 2),
        (".", "HP140", 1),
    ] {
        let run = sandbox.run(&["report", "import", "more.jsonl"]).env("HARDPAN_LEDGER", address);
        let out = run.output().exits(exit).says(code);
        assert!(!out.stderr.contains("secret"), "{}", out.stderr);
    }
    let help = sandbox.run(&["report", "--help"]).env("HARDPAN_LEDGER", "postgres://me:secret@x/y").output();
    assert!(!help.ok().stdout.contains("secret"));
}

#[test]
fn a_full_disk_is_said_and_what_was_recorded_is_there() {
    let sandbox = Sandbox::new();
    let small = sandbox.path("small");
    std::fs::create_dir(&small).expect("ours");
    let Some(_mounted) = Mounted::new(&small, "size=400k") else { return };
    sandbox.write("events.jsonl", lines(&events()));
    let import = |file: &str| sandbox.hardpan(&["report", "--ledger=small/ledger.db", "import", file]);
    import("events.jsonl").ok();
    let many: Vec<Event> = (0..4_000)
        .map(|number| {
            Of("python").detected("05T00", 'a', &format!("CVE-2026-{}", 1000 + number), Level::High)
        })
        .collect();
    sandbox.write("many.jsonl", lines(&many));
    import("many.jsonl").exits(1).says("HP103").says("make room");
    let exported = sandbox.hardpan(&["report", "--ledger=small/ledger.db", "export"]).ok().stdout;
    assert_eq!(exported, lines(&events()));
    import("events.jsonl").ok();
}

/// A file system of its own, gone when dropped; only root can make one.
struct Mounted(PathBuf);

impl Mounted {
    fn new(at: &Path, options: &str) -> Option<Self> {
        let mount = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(at)
            .output();
        match mount {
            Ok(out) if out.status.success() => Some(Self(at.to_owned())),
            _ => {
                eprintln!("skipped: no tmpfs can be mounted");
                None
            }
        }
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
