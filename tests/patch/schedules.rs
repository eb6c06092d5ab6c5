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
        ("github", &["cron:", "concurrency:", "group: hardpan-patch"][..]),
        ("gitlab", &["resource_group: hardpan-patch", "$CI_PIPELINE_SOURCE == \"schedule\""]),
        ("kubernetes", &["kind: CronJob", "concurrencyPolicy: Forbid", "backoffLimit: 0"]),
        ("systemd", &["OnCalendar=hourly", "Persistent=true", "Type=oneshot"]),
    ] {
        let text = emitted(kind);
        assert!(text.contains(COMMAND), "{kind}:\n{text}");
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
