//! Images' own tests: what fails them is kept back, what passes them says so. The runtime is a script that makes no
//! container; real ones are in `outside_patch`.

use super::support::{Elf, ElfKind, Layout, X86_64};
use super::{House, deb};

const OLD: [(&str, &str); 1] = [("1.0-1", "first")];
const FIXED: [(&str, &str); 2] = [("1.0-1+deb13u1", "CVE-2026-1000"), ("1.0-1", "first")];
const TESTS: &str = "\n[[test]]\nname = \"it starts\"\nrun = [\"/usr/bin/hello\"]\n";
const TEST_RESULT: &str = "https://in-toto.io/attestation/test-result/v0.1";

/// A container that ends well once it is let go; `create` is what the script does for the real thing.
const WELL: &str =
    "sh -c 'while [ ! -e \"$0/go\" ]; do sleep 0.02; done' \"$bundle\" >/dev/null 2>&1 & echo $! >\"$pid\"";
const BADLY: &str = "sh -c 'while [ ! -e \"$0/go\" ]; do sleep 0.02; done; exit 3' \"$bundle\" >/dev/null 2>&1 & echo $! >\"$pid\"";

fn house() -> House {
    let program = Elf::new(X86_64, ElfKind::Exec).build();
    let hello = |entries: &[(&str, &str)]| deb("hello", entries).file("/usr/bin/hello", &program, 0o755);
    let mut house = House::new(&[hello(&OLD), deb("liba", &OLD)]);
    house.recipe("one", "", &["hello"]).recipe("other", "", &["liba"]);
    let text = house.sandbox.text("recipes/one.toml") + TESTS;
    house.sandbox.write("recipes/one.toml", text);
    house.patch(&[]).ok();
    house.fix(&hello(&FIXED), 60);
    house
}

impl House {
    /// A run with tests, in containers that a script pretends to make.
    fn tried(&self, create: &str) -> super::Output {
        use std::os::unix::fs::PermissionsExt as _;
        let script = format!(
            "#!/bin/sh\nwhile [ $# -gt 0 ]; do case \"$1\" in\n--version) echo 'runc version 0'; exit;;\n--root) state=$2; shift;;\n\
             --bundle) bundle=$2; shift;;\n--pid-file) pid=$2; shift;;\n\
             create|start|kill|delete) verb=$1;; esac; shift; done\n\
             case $verb in create) mkdir -p \"$state\"; echo \"$bundle\" >\"$state/../bundle\"; {create};;\n\
             start) touch \"$(cat \"$state/../bundle\")/go\";; esac\n"
        );
        let runtime = self.sandbox.write("runtime", script);
        std::fs::set_permissions(&runtime, std::fs::Permissions::from_mode(0o755)).expect("ours");
        let to = self.to();
        self.run(&["patch", "--all", "--json", "--to", &to, "--runtime", "./runtime"])
    }
}

#[test]
fn an_image_that_fails_its_test_is_kept_back_and_one_without_tests_is_not() {
    let mut house = house();
    house.fix(&deb("liba", &FIXED), 50);
    let before = (house.tag("one", "latest"), house.lock("one"), house.tag("other", "latest"));
    let out = house.tried(BADLY).exits(6).says("HP650").says("it starts");
    let rows = super::rows(&out);
    assert_eq!((&rows["one"]["outcome"], &rows["other"]["outcome"]), (&"kept back".into(), &"out".into()));
    assert_eq!((house.tag("one", "latest"), house.lock("one")), (before.0, before.1));
    assert_ne!(house.tag("other", "latest"), before.2);
    assert!(rows["other"]["tests_passed"].is_null(), "{rows:?}");
}

#[test]
fn what_came_of_tests_is_counted_and_attested_to_the_platform_that_was_run() {
    let house = house();
    let rows = super::rows(&house.tried(WELL).ok());
    assert_eq!((&rows["one"]["outcome"], &rows["one"]["tests_passed"]), (&"out".into(), &1.into()));
    house.sandbox.hardpan(&["pull", &format!("{}/one:latest", house.to()), "--out", "pulled"]).ok();
    let layout = Layout(house.sandbox.path("pulled"));
    let said = |subject: &str| {
        let all = layout.of_kind(TEST_RESULT, subject);
        all.iter().filter(|one| one.statement["predicate"].to_string().contains("it starts")).count()
    };
    assert_eq!((said(&layout.platform("amd64")), said(&layout.index())), (1, 0));
}

#[test]
fn a_runtime_that_is_not_there_ends_a_run_before_it_begins() {
    let house = house();
    house.registry.heal();
    let to = house.to();
    let arguments = ["patch", "--all", "--to", &to, "--runtime", "no-such-runtime"];
    let out = house.run(&arguments).exits(1).says("HP107").says("no-such-runtime");
    assert_eq!(out.stderr.matches("HP107").count(), 1, "{}", out.stderr);
    assert_eq!(house.registry.asked().len(), 0, "something was begun");
    // The same where there is nothing to do, so that it is known before there is.
    house.patch(&[]).ok();
    house.run(&arguments).exits(1).says("HP107");
}

#[test]
fn images_without_tests_need_nothing_that_makes_containers() {
    let house = House::new(&[deb("liba", &OLD)]);
    house.recipe("one", "", &["liba"]);
    let to = house.to();
    house.run(&["patch", "--all", "--to", &to, "--runtime", "no-such-runtime"]).ok();
    assert!(house.tag("one", "latest").is_some());
}
