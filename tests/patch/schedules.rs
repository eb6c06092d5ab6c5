//! Schedules, ready to commit.

use super::House;
use super::support::Sandbox;

fn emitted(kind: &str) -> String {
    let sandbox = Sandbox::new();
    let arguments =
        ["patch", "--all", "images", "--to", "registry.example/team", "--key", "ci.key", "--emit", kind];
    sandbox.hardpan(&arguments).ok().stdout
}

const COMMAND: &str = "hardpan patch --all images --to registry.example/team --key ci.key";

#[test]
fn each_runs_the_command_that_was_said_and_no_two_at_once() {
    for (kind, words) in [
        (
            "github",
            &[
                "cron:",
                "group: hardpan-patch",
                "cargo install",
                "docker login registry.example ",
                "git add -- images/*.lock",
            ][..],
        ),
        (
            "gitlab",
            &[
                "git add -- images/*.lock",
                "resource_group: hardpan-patch",
                "$CI_PIPELINE_SOURCE == \"schedule\"",
            ],
        ),
        ("kubernetes", &["kind: CronJob", "concurrencyPolicy: Forbid", "backoffLimit: 0"]),
        ("systemd", &["OnCalendar=hourly", "Persistent=true", "Type=oneshot"]),
    ] {
        let text = emitted(kind);
        let argv = format!("[\"{}\"]", COMMAND.replace(' ', "\", \""));
        assert!(text.contains(COMMAND) != text.contains(&argv), "{kind}:\n{text}");
        assert!(!text.contains("/bin/sh"), "hardened images have no shell:\n{text}");
        assert!(
            !text.contains("--emit") && !text.contains('@') || kind == "github" || kind == "gitlab",
            "{text}"
        );
        for word in words {
            assert!(text.contains(word), "{kind}: `{word}` is not in\n{text}");
        }
    }
}

#[test]
fn all_that_was_said_is_in_the_schedule_but_for_what_may_be_secret() {
    let sandbox = Sandbox::new();
    let patch = ["patch", "images/one.toml", "--emit", "systemd"];
    let more = [
        "--ledger",
        "kept/ledger.db",
        "--mirror",
        "debian=file:///m",
        "--store",
        "kept/store",
        "--policy",
        "p.toml",
    ];
    let text = sandbox.hardpan(&[&patch[..], &more].concat()).ok().stdout;
    for pair in more.chunks(2) {
        assert!(text.contains(&pair.join(" ")), "{pair:?} is not in\n{text}");
    }
    assert!(!text.contains("docker login"), "{text}");
    let secret = ["--ledger", "postgres://me:secret@db.example/ledger"];
    let refused = sandbox.hardpan(&[&patch[..], &secret].concat());
    refused.exits(2).says("HARDPAN_LEDGER");
    // What the environment says stays there.
    let kept = sandbox.run(&patch).env("HARDPAN_LEDGER", secret[1]).output().ok().stdout;
    assert!(!kept.contains("secret") && !kept.contains("--ledger"), "{kept}");
}

#[test]
fn words_that_would_need_quoting_are_refused() {
    let house = House::new(&[]);
    for recipe in ["a b.toml", "a;b.toml", "$(x).toml", "a'b.toml"] {
        house
            .sandbox
            .hardpan(&["patch", recipe, "--emit", "systemd"])
            .exits(2)
            .says("can't stand in a schedule");
    }
}
