//! `hardpan test` where no container is made: what it refuses, and what it says of it. Real containers
//! are in `outside_trial`.

#![allow(clippy::disallowed_methods)] // tests are their own host

mod support;

use serde_json::Value;
use support::{Deb, Elf, ElfKind, World, X86_64};

const TESTS: &str = "[[test]]\nname = \"one\"\nrun = [\"/usr/bin/hello\"]\n[[test]]\nname = \"two\"\nrun = [\"/bin/sh\"]\nfails = true\n";

/// An image of one program that ends at once.
fn world(tests: &str) -> World {
    let program = Elf::new(X86_64, ElfKind::Exec).build();
    let world = World::new(&[Deb::new("hello", "1.0").file("/usr/bin/hello", program, 0o755)]);
    world.recipe(&format!(
        "[debian.packages]\nhello = \"all\"\n[image]\nentrypoint = [\"/usr/bin/hello\"]\n{tests}"
    ));
    world.build(&[]).ok();
    world
}

/// A runtime that is a script.
fn runtime(world: &World, script: &str) -> String {
    use std::os::unix::fs::PermissionsExt as _;
    let path = world.sandbox.write("runtime", format!("#!/bin/sh\n{script}"));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}

#[test]
fn an_image_without_tests_or_without_a_word_of_them_has_not_passed() {
    let world = world("");
    world.refuses("HP612", &["test", "out/made"]).says("`out/made` has no tests").says("--recipe");
    world.build(&["--no-attest", "--out", "out/bare"]).ok();
    world.refuses("HP612", &["test", "out/bare"]).says("no provenance");
}

#[test]
fn a_test_that_nobody_wrote_is_not_run() {
    let world = world(TESTS);
    world.refuses("HP201", &["test", "out/made", "--only", "tow"]).says("did you mean `two`?");
    world.refuses("HP201", &["test", "out/made", "--with", "nginx"]).says("NAME=IMAGE");
    world.refuses("HP405", &["test", "out/none"]);
    world.refuses("HP201", &["attend", "somebody", "x"]).says("by itself");
}

#[test]
fn a_platform_that_the_image_lacks_is_named_with_those_it_has() {
    let world = world(TESTS);
    world
        .refuses("HP201", &["test", "out/made", "--platform", "linux/arm64"])
        .says("`out/made` is not for linux/arm64")
        .says("one of linux/amd64");
}

#[test]
fn without_a_runtime_it_says_which_would_do() {
    let world = world(TESTS);
    world
        .refuses("HP107", &["test", "out/made", "--runtime", "no-such-runtime"])
        .says("no OCI runtime `no-such-runtime`")
        .says("runc");
    let mute = runtime(&world, "exit 0\n");
    world.refuses("HP107", &["test", "out/made", "--runtime", &mute]).says("does not say what it is");
}

#[test]
fn a_runtime_that_can_make_no_container_is_the_machines_fault_and_must_fail_tests_do_not_pass_by_it() {
    let world = world(TESTS.replace("/bin/sh", "/usr/bin/hello").as_str());
    let broken = runtime(
        &world,
        "case \"$*\" in --version) echo 'runc version 0';; *create*) echo 'no name spaces here' >&2; exit 1;; esac\n",
    );
    let before = world.state();
    let out = world.run(&["test", "out/made", "--runtime", &broken, "--json"]).exits(1).says("HP108");
    let value: Value = serde_json::from_str(&out.says("no name spaces here").stdout).unwrap();
    assert_eq!((&value["passed"], &value["failed"]), (&0.into(), &2.into()));
    assert!(world.state() == before, "something was left behind");
}

#[test]
fn a_program_of_another_processor_is_untested_unless_qemu_is_there() {
    let program = Elf::new(support::AARCH64, ElfKind::Exec).build();
    let mut archive = support::Archive::new("made");
    archive.add(
        "trixie",
        "main",
        Deb::new("hello", "1.0").arch("arm64").file("/usr/bin/hello", program, 0o755).build(),
    );
    let world = World::over(archive);
    let head = World::head("made").replace("amd64", "arm64");
    world.sandbox.write("made.toml", format!("{head}[debian.packages]\nhello = \"all\"\n{TESTS}"));
    world.build(&[]).ok();
    let foreign = std::env::consts::ARCH == "x86_64"
        && !std::path::Path::new("/proc/sys/fs/binfmt_misc/qemu-aarch64").exists()
        && !std::path::Path::new("/usr/bin/qemu-aarch64-static").exists();
    if !foreign {
        return;
    }
    let arguments = ["test", "out/made", "--platform", "linux/arm64", "--junit", "junit.xml"];
    let out = world.run(&arguments).ok();
    assert!(out.stdout.contains("untested") && out.stdout.contains("qemu-user-static"), "{}", out.stdout);
    assert!(out.stdout.ends_with("0 passed, 0 failed, 2 untested\n"), "{}", out.stdout);
    assert!(world.sandbox.text("junit.xml").contains("<skipped message=\"this machine is not linux/arm64"));
    let value: Value =
        serde_json::from_str(&world.run(&[&arguments[..], &["--json"]].concat()).ok().stdout).unwrap();
    assert_eq!((&value["untested"], &value["tests"][0]["outcome"]), (&2.into(), &"untested".into()));
    assert!(value["runtime"].is_null());
}
