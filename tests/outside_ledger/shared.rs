//! The same ledger, in a server: moved, shared, locked, broken.

use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use hardpan::advisory::Level;
use hardpan::ledger::{Event, Ledger, Place};

use crate::made::{Of, at, lines};
use crate::server::Server;
use crate::support::Sandbox;

const CVE: &str = "CVE-2026-123456";

fn some() -> Vec<Event> {
    let mut events = Of("python").whole(CVE, Level::High, "06T00", "07T12");
    events.extend(Of("nginx+debug").whole("CVE-2026-1001", Level::Unknown, "06T00", "20T12"));
    events.sort_by_key(Event::at);
    events
}

fn many(name: &'static str, count: usize) -> Vec<Event> {
    let cve = |number: usize| format!("CVE-2026-{}", 100_000 + number);
    (0..count).map(|number| Of(name).detected("05T00", 'a', &cve(number), Level::High)).collect()
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_ledger_moves_to_a_server_and_back_and_says_the_same() {
    let (server, sandbox) = (Server::start(), Sandbox::new());
    sandbox.write("events.jsonl", lines(&some()));
    sandbox.hardpan(&["report", "import", "events.jsonl"]).ok();
    let exported = sandbox.hardpan(&["report", "export"]).ok().stdout;
    sandbox.write("exported.jsonl", &exported);
    let import = || server.hardpan(&sandbox, &["report", "import", "exported.jsonl"]).ok().stdout;
    assert_eq!(import(), "10 new events, 0 known already\n");
    assert_eq!(import(), "0 new events, 10 known already\n");
    assert_eq!(server.hardpan(&sandbox, &["report", "export"]).ok().stdout, exported);
    for report in [&["sla"][..], &["mttr", "--by=week"], &["images", "--all"], &["cve", CVE]] {
        let arguments = [&["report"], report, &["--until=2026-10-30", "--format=json"]].concat();
        let here = sandbox.hardpan(&arguments).ok().stdout;
        assert_eq!(server.hardpan(&sandbox, &arguments).ok().stdout, here);
    }
    assert_eq!(server.sql("SELECT count(*), count(DISTINCT image) FROM hardpan_event"), "10|2\n");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn processes_that_write_at_once_wait_for_each_other_and_lose_nothing() {
    let (server, mut sandbox) = (Server::start(), Sandbox::new());
    sandbox.env("HARDPAN_TIMEOUT", "60").env("HARDPAN_LEDGER", server.address(""));
    let names = ["one", "two", "three", "four"];
    for name in names {
        sandbox.write(format!("{name}.jsonl"), lines(&many(name, 200)));
    }
    // The tables are not there yet: one of them makes them.
    let runs: Vec<_> =
        names.iter().map(|name| sandbox.spawn(&["report", "import", &format!("{name}.jsonl")])).collect();
    for run in runs {
        assert_eq!(run.wait().ok().stdout, "200 new events, 0 known already\n");
    }
    assert_eq!(server.sql("SELECT count(*) FROM hardpan_event"), "800\n");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn of_those_who_record_the_same_at_once_one_does() {
    let server = Server::start();
    let place: Place = server.address("").parse().expect("an address");
    let events = Of("python").whole(CVE, Level::High, "06T00", "07T12");
    let record = || {
        let mut ledger = Ledger::open(&place, Duration::from_mins(1)).expect("opened");
        ledger.record(&events, at("07T12")).expect("recorded").new
    };
    let new: usize = thread::scope(|scope| {
        let threads: Vec<_> = (0..6).map(|_| scope.spawn(record)).collect();
        threads.into_iter().map(|one| one.join().expect("no panic")).sum()
    });
    assert_eq!(new, 5);
    let mut ledger = Ledger::open(&place, Duration::from_secs(5)).expect("opened");
    let later: Vec<Event> = events[1..].iter().map(|event| event.clone().moved_to(at("07T13"))).collect();
    assert_eq!(ledger.record(&later, at("07T13")).expect("recorded").new, 0);
    let back = ledger.record(&later, at("06T00")).expect_err("set back");
    assert_eq!(back.problems()[0].code.to_string(), "HP144");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_writer_or_a_server_that_is_killed_leaves_all_or_nothing() {
    let (mut server, sandbox) = (Server::start(), Sandbox::new());
    sandbox.write("few.jsonl", lines(&some()));
    server.hardpan(&sandbox, &["report", "import", "few.jsonl"]).ok();
    let events = many("python", 3_000);
    sandbox.write("events.jsonl", lines(&events));
    let count = |server: &Server| server.sql("SELECT count(*) FROM hardpan_event").trim().to_owned();
    let whole = (10 + events.len()).to_string();
    let mut none = 0;
    for step in 0..6 {
        let run =
            sandbox.run(&["report", "import", "events.jsonl"]).env("HARDPAN_LEDGER", &server.address(""));
        let running = run.spawn();
        thread::sleep(Duration::from_millis(30 + 60 * step));
        running.kill();
        let there = count(&server);
        assert!(there == "10" || there == whole, "{there}");
        none += usize::from(there == "10");
    }
    assert!(none > 0, "no kill came before the end");
    // Held up by another, so that the server ends in the middle.
    let mut lock = server.psql("BEGIN; LOCK TABLE hardpan_event; SELECT pg_sleep(90)");
    let mut lock = lock.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("psql is installed");
    thread::sleep(Duration::from_millis(500));
    let run = sandbox.run(&["report", "import", "events.jsonl"]).env("HARDPAN_LEDGER", &server.address(""));
    let running = run.env("HARDPAN_TIMEOUT", "60").spawn();
    wait_until_held_up(&server);
    server.stop();
    running.wait().exits(1).says("HP140").says("run the same command again");
    let _ = lock.wait();
    server.run();
    let there = count(&server);
    assert!(there == "10" || there == whole, "{there}");
    server.hardpan(&sandbox, &["report", "import", "events.jsonl"]).ok();
    assert_eq!(count(&server), whole);
}

/// Waits until a hardpan waits for a lock.
fn wait_until_held_up(server: &Server) {
    let begin = Instant::now();
    let held_up = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'hardpan' AND wait_event_type = 'Lock'";
    while server.sql(held_up) != "1\n" {
        assert!(begin.elapsed() < Duration::from_mins(1), "it does not wait");
        thread::sleep(Duration::from_millis(100));
    }
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_ledger_that_another_writes_to_is_waited_for_and_then_left_and_read_all_the_while() {
    let (server, sandbox) = (Server::start(), Sandbox::new());
    sandbox.write("events.jsonl", lines(&some()));
    server.hardpan(&sandbox, &["report", "import", "events.jsonl"]).ok();
    let lock =
        format!("BEGIN; SELECT pg_advisory_xact_lock({}); SELECT pg_sleep(20)", 0x6870_6c65_6467_6572_i64);
    let mut lock = server.psql(&lock).stdout(Stdio::null()).spawn().expect("psql is installed");
    thread::sleep(Duration::from_secs(1));
    server.hardpan(&sandbox, &["report", "import", "events.jsonl"]).exits(1).says("HP141");
    assert_eq!(server.hardpan(&sandbox, &["report", "export"]).ok().stdout, lines(&some()));
    lock.kill().expect("ours");
    let _ = lock.wait();
}

#[test]
#[ignore = "needs PostgreSQL"]
fn older_tables_are_brought_up_newer_ones_left_alone_and_a_changed_row_is_named() {
    let (server, sandbox) = (Server::start(), Sandbox::new());
    // As the first version made them.
    server.sql(
        "CREATE TABLE hardpan_event (seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id TEXT NOT NULL UNIQUE, \
         at BIGINT NOT NULL, kind TEXT NOT NULL, image TEXT NOT NULL, cve TEXT, body TEXT NOT NULL); \
         CREATE TABLE hardpan_schema (version BIGINT NOT NULL); INSERT INTO hardpan_schema VALUES (1)",
    );
    for event in some() {
        let body = event.to_text();
        server.sql(&format!(
            "INSERT INTO hardpan_event (id, at, kind, image, body) VALUES ('{}', {}, '{}', '{}', '{body}')",
            Event::id(&body),
            event.at().0,
            event.kind(),
            event.image()
        ));
    }
    assert_eq!(server.hardpan(&sandbox, &["report", "export"]).ok().stdout, lines(&some()));
    assert_eq!(server.sql("SELECT version FROM hardpan_schema"), "2\n");
    server.sql("UPDATE hardpan_event SET body = replace(body, 'high', 'low')");
    server.hardpan(&sandbox, &["report", "sla"]).exits(1).says("HP142").says("row 1 changed");
    server.sql("UPDATE hardpan_schema SET version = 3");
    server.hardpan(&sandbox, &["report", "sla"]).exits(1).says("HP143").says("newer hardpan");
}
