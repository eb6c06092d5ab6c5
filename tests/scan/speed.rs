//! A scan reads of a snapshot what it asks for, however large it is.

use std::fmt::Write as _;
use std::time::Instant;

use super::made::{NOW, root, snapshot};
use super::support::Sandbox;
use hardpan::scan::{Want, of_prefix, scan};

/// As many as are quickly imported by a program that is not optimised; [`export`] makes any number.
const RECORDS: u32 = 6_000;

/// A tracker export of this many records, over a hundredth as many sources.
fn export(records: u32) -> String {
    let mut text = String::from("{");
    for source in 0..records / 100 {
        let _ = write!(text, "{}\"source{source}\":{{", if source == 0 { "" } else { "," });
        for at in 0..100 {
            let number = 10_000 + source * 100 + at;
            let _ = write!(
                text,
                "{}\"CVE-2026-{number}\":{{\"description\":\"number {number} of many\",\"scope\":\"remote\",\"releases\":{{\"bookworm\":{{\"status\":\"resolved\",\"fixed_version\":\"1-{at}\",\"urgency\":\"not yet assigned\",\"repositories\":{{\"bookworm\":\"1-200\"}}}}}}}}",
                if at == 0 { "" } else { "," }
            );
        }
        text.push('}');
    }
    text.push('}');
    text
}

#[test]
fn of_many_records_those_are_read_that_are_asked_for() {
    let sandbox = Sandbox::new();
    sandbox.write("tracker.json", export(RECORDS));
    sandbox.hardpan(&["advisories", "import", "tracker.json", "--kind=tracker", "--date=2026-11-20"]).ok();
    let names: Vec<String> = (0..30).map(|at| format!("source{}", at * 2)).collect();
    let installed: Vec<(&str, &str, &str)> = names.iter().map(|name| (name.as_str(), "1-90", "")).collect();
    root(&sandbox, "root", &installed);
    let snapshot = snapshot(&sandbox);
    assert_eq!(snapshot.head().vulnerabilities, u64::from(RECORDS));
    let subject = of_prefix(&sandbox.path("root"), &Want::default()).expect("a root");
    let start = Instant::now();
    let report = scan(&subject, &snapshot, NOW).expect("a snapshot");
    // No measurement, for the program is not optimised and the machine busy: it hangs nowhere.
    assert!(start.elapsed().as_secs() < 3, "{:?}", start.elapsed());
    assert_eq!((report.counts.total, report.counts.fixable), (270, 270));
}
