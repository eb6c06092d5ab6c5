//! What `hardpan report` prints.

use hardpan::advisory::Level;
use hardpan::ledger::{Event, FixSource, Why};
use serde_json::{Value, json};

use super::made::{Of, digest, lines};
use super::support::{Output, Sandbox};

const UNTIL: &str = "--until=2026-10-20";

/// Two images: fixes in time, too late, open, overdue, without a fix, gone.
fn month() -> Vec<Event> {
    let (python, nginx) = (Of("python"), Of("nginx"));
    let mut events = vec![python.built("04T00", 'a'), python.published("04T00", 'a', &["3.13"])];
    events.extend(python.whole("CVE-2026-1001", Level::Critical, "06T00", "06T12"));
    events.extend([
        // Fixed with the one before, but its fix was there for two days.
        python.detected("05T00", 'a', "CVE-2026-100002", Level::Critical),
        python.fix("05T01", "CVE-2026-100002", "04T12", FixSource::Advisory),
        python.fixed("06T11", "CVE-2026-100002", 'a', 'b'),
        python.detected("06T00", 'a', "CVE-2026-1003", Level::Unknown),
        python.fix("15T00", "CVE-2026-1003", "15T00", FixSource::ReleaseFile),
        nginx.built("04T00", 'n'),
        nginx.published("04T00", 'n', &["1.26", "1"]),
        nginx.detected("07T00", 'n', "CVE-2026-1001", Level::High),
        nginx.fix("07T00", "CVE-2026-1001", "07T00", FixSource::ReleaseFile),
        nginx.detected("07T00", 'n', "CVE-2026-1004", Level::Low),
        nginx.detected("07T00", 'n', "CVE-2026-1005", Level::Medium),
        nginx.gone("09T00", "CVE-2026-1005", Why::Withdrawn),
    ]);
    events.sort_by_key(Event::at);
    events
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("month.jsonl", lines(&month()));
    sandbox.hardpan(&["report", "import", "month.jsonl"]).ok();
    sandbox
}

fn report(sandbox: &Sandbox, arguments: &[&str]) -> String {
    sandbox.hardpan(&[&["report"], arguments].concat()).ok().stdout
}

fn as_json(sandbox: &Sandbox, arguments: &[&str]) -> Value {
    serde_json::from_str(&report(sandbox, &[arguments, &["--format=json"]].concat())).expect("JSON")
}

/// The row whose first column holds a word.
fn row<'a>(report: &'a Value, column: &str, word: &str) -> &'a Value {
    let rows = report["rows"].as_array().expect("rows");
    rows.iter().find(|row| row[column] == word).unwrap_or_else(|| panic!("{word} in {report}"))
}

const HOUR: i64 = 3_600;

#[test]
fn mttr_has_medians_and_percentiles_by_severity() {
    let report = as_json(&sandbox(), &["mttr", UNTIL]);
    assert_eq!(report["method"], "nearest-rank");
    assert_eq!(report["as_of"], "2026-10-21T00:00:00Z");
    let critical = row(&report, "severity", "critical");
    assert_eq!((&critical["fixed"], &critical["remediate_count"]), (&json!(2), &json!(2)));
    // 12 hours and 48 hours: of two, the first is the median and the second the 90th percentile.
    assert_eq!(critical["remediate_median_seconds"], 12 * HOUR);
    assert_eq!(critical["remediate_p90_seconds"], 48 * HOUR);
    assert_eq!(critical["exposed_median_seconds"], (5 * 24 + 12) * HOUR);
    assert_eq!(row(&report, "severity", "unknown")["remediate_median_seconds"], Value::Null);
    assert_eq!(row(&report, "severity", "all")["fixed"], 2);
}

#[test]
fn the_table_of_mttr_reads() {
    let text = report(&sandbox(), &["mttr", UNTIL]);
    let lines: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect())
        .collect();
    assert_eq!(lines[0], ["severity", "fixed", "to remediate: median", "90 %", "exposed: median", "90 %"]);
    assert_eq!(lines[1], ["critical", "2", "12h", "2d", "5d 12h", "5d 12h"]);
    assert_eq!(lines[6], ["unknown", "0", "-", "-", "-", "-"]);
    assert!(text.contains("nearest-rank"), "{text}");
}

#[test]
fn sla_says_what_was_met_and_what_was_not() {
    let report = as_json(&sandbox(), &["sla", UNTIL]);
    let counts = |name: &str| {
        let row = row(&report, "severity", name);
        ["met", "breached", "open", "overdue", "no_fix", "untimed", "gone"]
            .map(|key| row[key].as_u64().expect("a count"))
    };
    assert_eq!(counts("critical"), [1, 1, 0, 0, 0, 0, 0]);
    assert_eq!(counts("high"), [0, 1, 1, 1, 0, 0, 0], "open for 13 days, where 7 are allowed");
    assert_eq!(counts("medium"), [0, 0, 0, 0, 0, 0, 1]);
    assert_eq!(counts("low"), [0, 0, 0, 0, 1, 0, 0]);
    assert_eq!(counts("unknown"), [0, 0, 1, 0, 0, 0, 0]);
    assert_eq!(counts("all"), [1, 2, 2, 1, 1, 0, 1]);
    assert_eq!(row(&report, "severity", "critical")["met_share"], 0.5);
    assert_eq!(report["targets_seconds"], json!({ "critical": 86_400, "high": 604_800, "other": 2_592_000 }));
}

#[test]
fn the_policy_says_what_the_targets_are() {
    let sandbox = sandbox();
    sandbox.write("policy.toml", "[sla]\ncritical = \"2d\"\nhigh = \"4w\"\nother = \"1d\"\n");
    let report = as_json(&sandbox, &["sla", UNTIL, "--policy=policy.toml"]);
    let met = |name: &str| {
        (row(&report, "severity", name)["met"].clone(), row(&report, "severity", name)["overdue"].clone())
    };
    assert_eq!(met("critical"), (json!(2), json!(0)));
    assert_eq!(met("high"), (json!(0), json!(0)));
    assert_eq!(met("unknown"), (json!(0), json!(1)));
    sandbox.write("policy.toml", "[sla]\nlow = \"2d\"\n");
    sandbox.hardpan(&["report", "sla", "--policy=policy.toml"]).exits(2).says("HP203").says("low");
}

#[test]
fn weeks_are_told_one_by_one_also_those_in_which_nothing_ended() {
    let sandbox = sandbox();
    let late = [
        Of("nginx").fixed("26T00", "CVE-2026-1001", 'n', 'm'),
        Of("nginx").published("26T00", 'm', &["1.26"]),
    ];
    sandbox.write("late.jsonl", lines(&late));
    sandbox.hardpan(&["report", "import", "late.jsonl"]).ok();
    let weeks = |arguments: &[&str]| -> Vec<String> {
        let report = as_json(&sandbox, &[&["sla", "--by=week"], arguments].concat());
        let rows = report["rows"].as_array().expect("rows").clone();
        rows.iter()
            .map(|row| format!("{}:{}", row["week"].as_str().expect("a week"), row["breached"]))
            .collect()
    };
    let until = "--until=2026-10-27";
    assert_eq!(weeks(&[until]), ["2026-W41:1", "2026-W42:0", "2026-W43:0", "2026-W44:1", "open:0", "all:2"]);
    assert_eq!(weeks(&[until, "--since=2026-10-20"]), ["2026-W44:1", "open:0", "all:1"]);
    for what in ["sla", "mttr"] {
        let told = sandbox.hardpan(&["report", what, "--since=2026-10-29", until]).exits(2).stderr;
        assert!(told.contains("2026-10-29T00:00:00Z") && told.contains("2026-10-28T00:00:00Z"), "{told}");
    }
    // As it was a week before, when that one was open still.
    assert_eq!(weeks(&[UNTIL]), ["2026-W41:1", "open:1", "all:2"]);
    let mttr = as_json(&sandbox, &["mttr", "--by=week", until]);
    assert_eq!(row(&mttr, "week", "2026-W44")["remediate_median_seconds"], 19 * 24 * HOUR);
}

#[test]
fn rows_may_be_images_or_packages_and_one_image_alone() {
    let sandbox = sandbox();
    let by_image = as_json(&sandbox, &["sla", "--by=image", UNTIL]);
    assert_eq!(row(&by_image, "image", "nginx")["overdue"], 1);
    assert_eq!(row(&as_json(&sandbox, &["sla", "--by=package", UNTIL]), "package", "openssl")["met"], 1);
    let one = as_json(&sandbox, &["sla", UNTIL, "--image=nginx"]);
    assert_eq!(row(&one, "severity", "critical")["met"], 0);
    assert_eq!(row(&one, "severity", "high")["overdue"], 1);
    sandbox.hardpan(&["report", "sla", "--image=../x"]).exits(2);
}

#[test]
fn images_are_told_with_digests_tags_and_what_is_open() {
    let sandbox = sandbox();
    let report_of = as_json(&sandbox, &["images", UNTIL]);
    let nginx = row(&report_of, "image", "nginx");
    assert_eq!(nginx["digest"], digest('n').to_string());
    assert_eq!(
        (&nginx["tags"], &nginx["repository"]),
        (&json!(["1", "1.26"]), &json!("localhost:5000/nginx"))
    );
    let counts = ["open", "fixable", "critical", "high", "low", "unknown"].map(|key| nginx[key].clone());
    assert_eq!(counts, [2, 1, 0, 1, 1, 0].map(Value::from));
    let python = row(&report_of, "image", "python");
    assert_eq!((&python["digest"], &python["unknown"]), (&json!(digest('b').to_string()), &json!(1)));
    assert_eq!(
        (&python["built"], &python["published"]),
        (&json!("2026-10-06T12:00:00Z"), &json!("2026-10-06T12:00:00Z"))
    );
    assert_eq!(report_of["rows"].as_array().map(Vec::len), Some(2));
    let all = as_json(&sandbox, &["images", UNTIL, "--all", "--image=python"]);
    let older = row(&all, "state", "older");
    assert_eq!((&older["digest"], &older["critical"]), (&json!(digest('a').to_string()), &json!(2)));
    assert!(report(&sandbox, &["images", UNTIL]).contains(&digest('n').to_string()));
}

#[test]
fn what_is_out_since_before_the_ledger_is_told_and_not_what_was_built_after_it_and_kept_back() {
    let sandbox = Sandbox::new();
    let of = Of("valkey");
    let events = [of.detected("05T00", 'a', "CVE-2026-1001", Level::High), of.built("05T01", 'b')];
    sandbox.write("events.jsonl", lines(&events));
    sandbox.hardpan(&["report", "import", "events.jsonl"]).ok();
    let told = as_json(&sandbox, &["images", UNTIL]);
    assert_eq!(told["rows"].as_array().map(Vec::len), Some(1), "{told:#}");
    let out = row(&told, "image", "valkey");
    assert_eq!(
        (&out["digest"], &out["state"], &out["high"]),
        (&json!(digest('a').to_string()), &json!("seen"), &json!(1))
    );
    let all = as_json(&sandbox, &["images", UNTIL, "--all"]);
    let kept = row(&all, "state", "built");
    assert_eq!((&kept["digest"], &kept["high"]), (&json!(digest('b').to_string()), &json!(0)));
    // Once it is published, it is what is out.
    sandbox.write("more.jsonl", lines(&[of.published("06T00", 'b', &["8"])]));
    sandbox.hardpan(&["report", "import", "more.jsonl"]).ok();
    let now = as_json(&sandbox, &["images", UNTIL]);
    assert_eq!(row(&now, "state", "published")["digest"], digest('b').to_string());
}

#[test]
fn a_file_of_nothing_is_no_ledger_and_stays_as_it_is() {
    let sandbox = Sandbox::new();
    sandbox.write("empty.db", "");
    sandbox.hardpan(&["report", "sla", "--ledger", "empty.db"]).exits(1).says("HP140");
    assert_eq!(sandbox.read("empty.db").len(), 0);
}

#[test]
fn a_cve_is_told_with_every_image_and_digest_that_it_touches_or_touched() {
    let sandbox = sandbox();
    let text = report(&sandbox, &["cve", "cve-2026-1001", UNTIL]);
    let wanted = format!(
        "nginx: open, high (cve5), openssl 3.5.1-1
    public            2026-10-01T00:00:00Z
    fix available     2026-10-07T00:00:00Z (release-file), 3.5.1-1+deb13u1
    first detected    2026-10-07T00:00:00Z
    digest with it    {}
    time to remediate overdue: the target of 7d is over
python: fixed, critical (cve5), openssl 3.5.1-1
    public            2026-10-01T00:00:00Z
    fix available     2026-10-06T00:00:00Z (release-file), 3.5.1-1+deb13u1
    first detected    2026-10-05T00:00:00Z
    rebuilt           2026-10-06T12:00:00Z
    published         2026-10-06T12:00:00Z
    digest with it    {}
    digest without it {}
    time to remediate 12h, met the target of 1d
    exposed           5d 12h
",
        digest('n'),
        digest('a'),
        digest('b')
    );
    assert_eq!(text, wanted);
    let rows = as_json(&sandbox, &["cve", "CVE-2026-1001", UNTIL]);
    assert_eq!(row(&rows, "image", "python")["digest_before"], digest('a').to_string());
    assert_eq!(row(&rows, "image", "nginx")["digests"], json!([digest('n').to_string()]));
    let none = report(&sandbox, &["cve", "CVE-2020-1001"]);
    assert_eq!(none, "the ledger knows of no image that CVE-2020-1001 touches or touched\n");
    sandbox.hardpan(&["report", "cve", "nonsense!"]).exits(2);
}

#[test]
fn values_for_spreadsheets_have_a_head_and_ends_of_lines_as_the_standard_says() {
    let sandbox = sandbox();
    let csv = report(&sandbox, &["sla", UNTIL, "--format=csv"]);
    let lines: Vec<&str> = csv.split("\r\n").collect();
    assert_eq!(lines[0], "severity,target_seconds,met,breached,open,overdue,no_fix,untimed,gone,met_share");
    assert_eq!(lines[1], "critical,86400,1,1,0,0,0,0,0,0.500");
    assert_eq!(lines[7], "all,,1,2,2,1,1,0,1,0.333\n");
    let hostile = sandbox_with("=cmd|' /C calc'!A0");
    let csv = report(&hostile, &["cve", "CVE-2026-1001", "--format=csv"]);
    assert!(csv.contains(",'=cmd|") && !csv.contains(",=cmd"), "{csv}");
}

/// A ledger with a package of any name.
fn sandbox_with(package: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let Event::Detected(mut found) = Of("python").detected("05T00", 'a', "CVE-2026-1001", Level::High) else {
        unreachable!()
    };
    package.clone_into(&mut found.package);
    sandbox.write("x.jsonl", lines(&[Event::Detected(found)]));
    sandbox.hardpan(&["report", "import", "x.jsonl"]).ok();
    sandbox
}

#[test]
fn pictures_stand_by_themselves_and_are_the_same_each_time() {
    let sandbox = sandbox();
    for arguments in [
        &["mttr"][..],
        &["mttr", "--by=week"],
        &["sla"],
        &["sla", "--by=image"],
        &["images"],
        &["cve", "CVE-2026-1001"],
    ] {
        let arguments = [arguments, &[UNTIL, "--format=svg"]].concat();
        let svg = report(&sandbox, &arguments);
        assert_eq!(report(&sandbox, &arguments), svg);
        let document = roxmltree::Document::parse(&svg).expect("XML");
        let root = document.root_element();
        let child = |name: &str| {
            root.children().find(|node| node.has_tag_name(name) || node.tag_name().name() == name)
        };
        for name in ["title", "desc"] {
            let text = child(name).and_then(|node| node.text()).unwrap_or_default();
            assert!(!text.is_empty(), "{name} of {svg}");
        }
        assert!(svg.contains("prefers-color-scheme:dark"));
        for forbidden in ["<script", "href", "url(", "@import", "<image", "<foreignObject"] {
            assert!(!svg.contains(forbidden), "{forbidden}");
        }
    }
    assert!(report(&sandbox, &["sla", UNTIL, "--format=svg"]).contains("high: 1 overdue"));
}

#[test]
fn without_a_ledger_reports_are_empty_and_none_is_made() {
    let sandbox = Sandbox::new();
    for what in [&["mttr"][..], &["sla"], &["images"], &["cve", "CVE-2026-1001"]] {
        sandbox.hardpan(&[&["report"], what].concat()).ok().says("there is no ledger");
    }
    assert_eq!(report(&sandbox, &["export"]), "{\"ledger\":{\"format\":1}}\n");
    assert!(!sandbox.store().join("ledger.db").exists());
}

#[test]
fn a_ledger_that_was_named_must_be_there_and_an_image_that_is_not_in_it_is_said() {
    let sandbox = sandbox();
    for what in [&["mttr"][..], &["sla"], &["images"], &["cve", "CVE-2026-1001"], &["export"]] {
        let named = [&["report"], what, &["--ledger", "typo.db"]].concat();
        let refused = sandbox.hardpan(&named).exits(1).says("HP140").says("typo.db");
        assert!(refused.stdout.is_empty(), "{}", refused.stdout);
    }
    assert!(!sandbox.path("typo.db").exists());
    sandbox.hardpan(&["report", "images", "--image", "nosuch"]).ok().says("knows of no image `nosuch`");
}

#[test]
fn what_was_exported_makes_the_same_ledger_again() {
    let (one, other) = (sandbox(), Sandbox::new());
    let text = report(&one, &["export"]);
    other.write("moved.jsonl", &text);
    let import =
        |sandbox: &Sandbox| -> Output { sandbox.hardpan(&["report", "import", "moved.jsonl", "--json"]) };
    let count = month().len();
    assert_eq!(import(&other).ok().stdout, format!("{{\"known\":0,\"new\":{count}}}\n"));
    assert_eq!(import(&other).ok().stdout, format!("{{\"known\":{count},\"new\":0}}\n"));
    assert_eq!(report(&other, &["export"]), text);
    assert_eq!(report(&other, &["sla", UNTIL]), report(&one, &["sla", UNTIL]));
}

#[test]
fn a_file_that_holds_no_events_is_refused_line_by_line_and_nothing_is_recorded() {
    let sandbox = Sandbox::new();
    let good = lines(&month());
    let bad = good.replacen("\"high\"", "\"dreadful\"", 1).replacen("release-file", "changelog", 1);
    for (text, words) in [
        (String::new(), "holds no events"),
        ("{\"ledger\":{\"format\":2}}\n".to_owned(), "format that is not known"),
        (good.lines().skip(1).collect::<Vec<_>>().join("\n"), "holds no events"),
        (bad.clone(), "dreadful"),
        (bad, "changelog's date is none"),
        (good.trim_end().trim_end_matches('}').to_owned(), "is not an event"),
    ] {
        sandbox.write("bad.jsonl", text);
        sandbox.hardpan(&["report", "import", "bad.jsonl"]).exits(2).says("HP246").says(words);
        assert!(!sandbox.store().join("ledger.db").exists());
    }
    sandbox.hardpan(&["report", "import", "missing.jsonl"]).exits(1).says("HP102");
}

#[test]
fn times_are_days_moments_or_how_long_ago() {
    let sandbox = sandbox();
    for until in ["2026-10-20", "2026-10-20T12:00:00Z", "1d"] {
        report(&sandbox, &["sla", &format!("--until={until}")]);
    }
    for until in ["yesterday", "2026-10-32", "", "2026-10"] {
        let out = sandbox.hardpan(&["report", "sla", &format!("--until={until}")]);
        out.exits(2).says("HP201").says("30d");
    }
}
