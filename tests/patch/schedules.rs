//! Schedules, ready to commit.

use std::collections::BTreeSet;

use saphyr::{LoadableYamlNode as _, YamlOwned as Yaml};

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

/// The names in a mapping.
fn names(mapping: &Yaml) -> BTreeSet<String> {
    let mapping = mapping.as_mapping().expect("a mapping");
    mapping.keys().map(|key| key.as_str().expect("a name").to_owned()).collect()
}

#[track_caller]
fn only(mapping: &Yaml, known: &[&str]) {
    let unknown: Vec<String> =
        names(mapping).into_iter().filter(|name| !known.contains(&name.as_str())).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

/// Runners refuse keys that they don't know. Those that are known here are from their references: GitHub's "Workflow
/// syntax", GitLab's "CI/CD YAML syntax" (job keywords, `cache`), Kubernetes' batch/v1.
#[test]
fn schedules_in_yaml_read_as_those_read_them_who_run_them() {
    let read = |kind: &str| {
        let text = emitted(kind);
        let mut all = Yaml::load_from_str(&text).unwrap_or_else(|error| panic!("{kind}: {error}\n{text}"));
        assert_eq!(all.len(), 1, "{kind}");
        all.remove(0)
    };
    let github = read("github");
    only(&github, &["name", "on", "concurrency", "permissions", "jobs"]);
    let job = &github["jobs"]["patch"];
    only(job, &["runs-on", "timeout-minutes", "steps"]);
    let steps = job["steps"].as_sequence().expect("steps");
    for step in steps {
        only(step, &["name", "uses", "with", "run", "env", "if"]);
        assert!(names(step).contains("uses") != names(step).contains("run"), "{step:?}");
    }
    assert!(steps.iter().any(|step| step.as_mapping_get("run").and_then(Yaml::as_str) == Some(COMMAND)));

    let gitlab = read("gitlab");
    assert_eq!(names(&gitlab), BTreeSet::from(["patch".to_owned()]));
    let job = &gitlab["patch"];
    only(
        job,
        &["image", "rules", "resource_group", "timeout", "variables", "cache", "script", "after_script"],
    );
    only(&job["cache"], &["key", "paths", "when"]);
    assert_eq!(job["cache"]["paths"][0].as_str(), Some(".cache/hardpan"));
    assert_eq!(job["script"][0].as_str(), Some(COMMAND));

    let kubernetes = read("kubernetes");
    only(&kubernetes, &["apiVersion", "kind", "metadata", "spec"]);
    let spec = &kubernetes["spec"];
    only(spec, &["schedule", "concurrencyPolicy", "startingDeadlineSeconds", "jobTemplate"]);
    let job = &spec["jobTemplate"]["spec"];
    only(job, &["backoffLimit", "activeDeadlineSeconds", "template"]);
    let pod = &job["template"]["spec"];
    only(pod, &["restartPolicy", "automountServiceAccountToken", "containers", "volumes"]);
    let container = &pod["containers"][0];
    only(container, &["name", "image", "workingDir", "command", "env", "volumeMounts"]);
    let words = container["command"].as_sequence().expect("words").iter();
    let words: Vec<&str> = words.map(|word| word.as_str().expect("a word")).collect();
    assert_eq!(words.join(" "), COMMAND);
    assert_eq!(container["volumeMounts"][0]["name"].as_str(), pod["volumes"][0]["name"].as_str());
}
