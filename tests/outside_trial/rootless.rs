//! As an ordinary user, in a user name space.

use serde_json::Value;

use super::Stage;
use crate::support::{Output, World};

const USER: u32 = 12_345;

const TESTS: &str = r#"
[[test]]
name   = "as its user"
run    = ["BOX", "sh", "-c", "id -u; id -g; cat /proc/self/status; touch /x || echo read-only"]
stdout = ["65532\n65532\n", "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "read-only"]

[[test]]
name  = "no shell"
run   = ["/bin/sh"]
fails = true

[[test]]
name    = "serves"
volumes = ["/srv"]
tls     = "/run/tls"
[[test.step]]
run = ["BOX", "sh", "-c", "cat /run/tls/key.pem > /srv/x; ip addr"]
stdout = "lo: <LOOPBACK,UP"
[[test.step]]
run    = ["BOX", "sh", "-c", "trap 'exit 0' TERM; httpd -f -p 127.0.0.1:8080 -h /srv & wait"]
server = 8080
[[test.step]]
ask = { url = "http://localhost:8080/x", body = "PRIVATE KEY" }
"#;

/// Whether the kernel gives ordinary users what they need.
fn allowed(stage: &Stage) -> bool {
    let words = ["--user", "--map-root-user", "--net", "--mount", "true"];
    stage.world.sandbox.run_program("unshare", &words).uid(USER).output().code == 0
}

fn test(stage: &Stage, tests: &str, runtime: &str) -> Output {
    stage.world.sandbox.write("tests.toml", World::head("made") + &tests.replace("BOX", super::BOX));
    stage.world.sandbox.give_to(USER);
    let arguments = ["test", "out/made", "--recipe", "tests.toml", "--runtime", runtime, "--json"];
    stage.world.sandbox.run(&arguments).uid(USER).output()
}

#[test]
#[ignore = "needs crun and busybox"]
fn an_ordinary_user_runs_tests_as_their_user_or_is_told_why_not() {
    let stage = Stage::new();
    let out = test(&stage, TESTS, "crun");
    if !allowed(&stage) {
        out.exits(1).says("HP108");
        return;
    }
    let value: Value = serde_json::from_str(&out.ok().stdout).expect("JSON");
    assert_eq!(value["passed"], 3, "{value}");
    let missing = value["isolation"]["missing"].to_string();
    assert!(missing.contains("memory is watched"), "{missing}");
    stage.is_tidy();
}

#[test]
#[ignore = "needs crun and busybox"]
fn bounds_hold_for_an_ordinary_user_too() {
    let stage = Stage::new();
    if !allowed(&stage) {
        return;
    }
    let tests = r#"
[[test]]
name   = "eats"
memory = 64
run    = ["BOX", "sh", "-c", "dd if=/dev/zero of=/dev/null bs=300M count=200"]

[[test]]
name    = "forks"
run     = ["BOX", "sh", "-c", "while sleep 86471 & do :; done"]
timeout = 5
"#;
    let out = test(&stage, tests, "crun").exits(6);
    let value: Value = serde_json::from_str(&out.stdout).expect("JSON");
    assert!(value["tests"][0]["failures"][0].to_string().contains("at most 64 MiB"), "{value}");
    assert!(value["tests"][1]["output"].to_string().contains("can't fork"), "{value}");
    assert!(super::processes("86471").is_empty());
    stage.is_tidy();
}

#[test]
#[ignore = "needs runc and busybox"]
fn runc_can_be_root_only_and_says_what_helps() {
    let stage = Stage::new();
    if !allowed(&stage) {
        return;
    }
    test(&stage, TESTS, "runc").exits(1).says("HP108").says("install crun, or run as root");
    let root = "[[test]]\nname = \"root\"\nuser = 0\nrun = [\"BOX\", \"id\"]\nstdout = \"uid=0\"\n";
    test(&stage, root, "runc").ok();
}
