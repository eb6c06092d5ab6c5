//! `hardpan vex add` and `list`: decisions at the end of their file, and what there is.

use serde_json::Value;

use crate::days_from_now;
use crate::support::{Deb, Output, Sandbox, World};

/// A recipe over one package, with its lock.
fn world() -> World {
    let deb = Deb::new("libhello", "1.0-1").arch("amd64").source("hello-src", "1.0-1");
    let world = World::new(&[deb.file("/usr/bin/hello", "hello", 0o755)]);
    world.lock(&[]).ok();
    world
}

const NOT: [&str; 6] = [
    "--status",
    "not_affected",
    "--justification",
    "vulnerable_code_not_present",
    "--reason",
    "not \"compiled\" in",
];

fn add(world: &World, more: &[&str]) -> Output {
    world.sandbox.hardpan(&[&["vex", "add"], more].concat())
}

fn list(sandbox: &Sandbox) -> Vec<Value> {
    let out = sandbox.hardpan(&["vex", "list", "--json", "."]).ok();
    serde_json::from_str::<Value>(&out.stdout).expect("JSON").as_array().expect("a list").clone()
}

#[test]
fn a_decision_is_added_and_what_was_there_stays() {
    let world = world();
    let ada = ["--author", "Ada <ada@example.org>"];
    let first = ["CVE-2026-102633", "--recipe", "made.toml", "--package", "hello-src"];
    let out = add(&world, &[&first[..], &NOT, &ada].concat()).ok();
    assert!(
        out.stdout.starts_with("./vex/made.toml:2: CVE-2026-102633 not_affected in made, until "),
        "{}",
        out.stdout
    );
    let text = world.sandbox.text("vex/made.toml");
    assert!(text.contains(&format!("expires = {}", days_from_now(180))), "{text}");
    let kept = format!("# kept as it is\n{text}\n  # and this   \n");
    world.sandbox.write("vex/made.toml", &kept);
    let second = ["CVE-2026-7777", "--recipe", "made.toml", "--package", "libhello", "--status", "affected"];
    add(&world, &[&second[..], &["--action", "update", "--reason", "x"], &ada].concat()).ok();
    let text = world.sandbox.text("vex/made.toml");
    assert!(text.starts_with(&kept) && text.matches("[[decision]]").count() == 2, "{text}");
    let all = list(&world.sandbox);
    let ids: Vec<&str> = all.iter().filter_map(|one| one["cve"].as_str()).collect();
    assert_eq!(ids, ["CVE-2026-7777", "CVE-2026-102633"]);
    assert!(
        all.iter().all(|one| one["counts"] == "holds" && one["author"] == "Ada <ada@example.org>"),
        "{all:?}"
    );
    assert_eq!(all[1]["reason"], "not \"compiled\" in");
    world.sandbox.hardpan(&["vex", "check", "."]).ok();
}

#[test]
fn what_would_not_be_read_again_is_not_written() {
    let world = world();
    let base = ["CVE-2026-1234", "--recipe", "made.toml", "--package", "libhello", "--author", "Ada"];
    let refuses = |code: &str, more: &[&str]| {
        let arguments = [&["vex", "add"], &base[..], more].concat();
        world.refuses(code, &arguments)
    };
    refuses("HP342", &["--status", "not_affected", "--reason", "x"]);
    refuses("HP342", &["--status", "affected", "--reason", "x"]);
    refuses("HP343", &["--status", "fine", "--reason", "x"]);
    refuses("HP304", &["--status", "under_investigation", "--reason", "\u{1b}[2J"]);
    refuses("HP344", &[&NOT[..], &["--expires", "2020-01-01"]].concat());
    refuses("HP201", &[&NOT[..], &["--expires", "soon"]].concat());
    refuses("HP346", &[&["--package", "libhelo"], &NOT[..]].concat()).says("did you mean `libhello`?");
    world
        .refuses(
            "HP341",
            &[
                &["vex", "add", "CVE-2026-1234", "--recipe", "mode.toml", "--package", "x", "--author", "A"],
                &NOT[..],
            ]
            .concat(),
        )
        .says("did you mean `made`?");
    world
        .refuses(
            "HP304",
            &[
                &[
                    "vex",
                    "add",
                    "cve-2026-1234",
                    "--recipe",
                    "made.toml",
                    "--package",
                    "libhello",
                    "--author",
                    "A",
                ],
                &NOT[..],
            ]
            .concat(),
        )
        .says("did you mean `CVE-2026-1234`?");
    add(&world, &[&base[..], &NOT].concat()).ok();
    refuses("HP347", &["--status", "under_investigation", "--reason", "x"]);
}

#[test]
fn a_contradiction_with_another_file_is_refused() {
    let world = world();
    let all = ["CVE-2026-1234", "--recipe", "./all", "--package", "libhello", "--author", "Ada"];
    add(&world, &[&all[..], &NOT].concat()).ok();
    assert!(world.sandbox.path("vex/all.toml").is_file());
    let own =
        ["vex", "add", "CVE-2026-1234", "--recipe", "made.toml", "--package", "libhello", "--author", "Bob"];
    let out =
        world.refuses("HP347", &[&own[..], &["--status", "under_investigation", "--reason", "x"]].concat());
    out.says("vex/all.toml:2, by Ada");
}

#[test]
fn who_decides_is_asked_of_git() {
    let world = world();
    let base = ["CVE-2026-1234", "--recipe", "made.toml", "--package", "libhello"];
    let arguments = [&["vex", "add"], &base[..], &NOT].concat();
    world.refuses("HP201", &arguments).says("--author");
    std::fs::write(
        world.sandbox.home().join(".gitconfig"),
        "[user]\nname = Grace\nemail = grace@example.org\n",
    )
    .expect("ours");
    add(&world, &[&base[..], &NOT].concat()).ok();
    assert_eq!(list(&world.sandbox)[0]["author"], "Grace <grace@example.org>");
}

#[test]
fn list_tells_what_holds_what_has_expired_and_what_is_gone() {
    let world = world();
    let one = |id: &str, package: &str, date: i64, expires: i64| {
        let (date, expires) = (days_from_now(date), days_from_now(expires));
        crate::decision(&[
            ("cve", &format!("\"{id}\"")),
            ("packages", &format!("[\"{package}\"]")),
            ("date", &date),
            ("expires", &expires),
        ])
    };
    let text = [
        one("CVE-2026-1001", "libhello", -10, 10),
        one("CVE-2026-1002", "libhello", -10, -1),
        one("CVE-2026-1003", "gone-package", -10, 10),
        one("CVE-2026-1004", "libhello", 5, 10),
    ];
    world.sandbox.write("vex/made.toml", text.concat());
    let all = list(&world.sandbox);
    let counts: Vec<&str> = all.iter().filter_map(|one| one["counts"].as_str()).collect();
    assert_eq!(counts, ["holds", "expired", "gone", "future"]);
    let out = world.sandbox.hardpan(&["vex", "list", "made.toml"]).ok();
    for words in ["CVE-2026-1003", "gone", "expired", "vulnerable_code_not_present", "vex/made.toml:2"] {
        assert!(out.stdout.contains(words), "{words}:\n{}", out.stdout);
    }
    let out = world.sandbox.hardpan(&["vex", "check", "--json", "made.toml"]).exits(3);
    let value: Value = serde_json::from_str(&out.stdout).expect("JSON");
    let codes: Vec<&str> =
        value["problems"].as_array().expect("a list").iter().filter_map(|one| one["code"].as_str()).collect();
    assert_eq!(codes, ["HP345", "HP344", "HP346"]);
}

#[test]
fn what_does_not_count_or_is_about_nothing_is_said_when_it_is_added() {
    let world = world();
    let ada = ["--recipe", "made.toml", "--package", "hello-src", "--author", "Ada <ada@example.org>"];
    let future = days_from_now(30);
    let dated = [&["CVE-2026-1001"], &ada[..], &NOT, &["--date", &future]].concat();
    add(&world, &dated).ok().says("is dated in the future");
    // Advisories are asked of what comes from Debian.
    let lock = world.sandbox.text("made.lock").replace("\"Made\"", "\"Debian\"");
    world.sandbox.write("made.lock", lock);
    let tracker = r#"{"hello-src": {"CVE-2026-1002": {"releases": {"trixie": {"status": "open", "repositories": {"trixie": "1.0-1"}, "urgency": "low"}}}}}"#;
    world.sandbox.write("tracker.json", tracker);
    world.sandbox.hardpan(&["advisories", "import", "tracker.json", "--date=2026-11-20"]).ok();
    let known = add(&world, &[&["CVE-2026-1002"], &ada[..], &NOT].concat()).ok();
    assert!(!known.stderr.contains("CVE-2026-1002"), "{}", known.stderr);
    add(&world, &[&["CVE-2026-1003"], &ada[..], &NOT].concat()).ok().says("no advisory names CVE-2026-1003");
    assert_eq!(list(&world.sandbox).len(), 3);
}
