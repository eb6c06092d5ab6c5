//! Sandboxes and runs, with the plain tools of any system in the place of hardpan.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use rustix::process::Signal;

use crate::support::Sandbox;

#[test]
fn hardpan_runs_with_nothing_but_the_environment_of_its_sandbox() {
    let mut sandbox = Sandbox::new();
    sandbox.env("HARDPAN_MIRROR_DEBIAN", "file:///x");
    let said = sandbox.run_program("env", &[]).output().ok().stdout;
    let mut names: Vec<_> = said.lines().map(|line| line.split_once('=').unwrap().0).collect();
    names.sort_unstable();
    let expected = [
        "HARDPAN_MIRROR_DEBIAN",
        "HARDPAN_STORE",
        "HARDPAN_SYSTEM_ROOT",
        "HARDPAN_TIMEOUT",
        "HOME",
        "PATH",
        "TMPDIR",
        "XDG_CACHE_HOME",
        "XDG_CONFIG_HOME",
    ];
    assert_eq!(names, expected);
    assert_eq!(sandbox.hardpan(&["--version"]).code, 0);
}

#[test]
fn runs_take_a_variable_a_folder_and_a_mask() {
    let sandbox = Sandbox::new();
    let path = sandbox.write("in/a.toml", "x = 1\n");
    assert_eq!(sandbox.text("in/a.toml"), "x = 1\n");
    let script = "umask; pwd; echo $X $#; touch made; echo oops >&2; exit 3";
    let run = sandbox.run_program("sh", &["-c", script, "sh", "a b"]).cwd(path.parent().unwrap());
    let out = run.env("X", "y").umask(0o077).output().exits(3).says("oops");
    let lines: Vec<_> = out.stdout.lines().collect();
    assert_eq!(lines, ["0077", path.parent().unwrap().to_str().unwrap(), "y 1"]);
    let made = std::fs::metadata(sandbox.path("in/made")).unwrap();
    assert_eq!(made.permissions().mode() & 0o777, 0o600);
}

#[test]
fn root_may_run_as_another_user() {
    let sandbox = Sandbox::new();
    if std::fs::metadata(sandbox.root()).unwrap().uid() != 0 {
        return;
    }
    sandbox.give_to(1234);
    let out = sandbox.run_program("sh", &["-c", "id -u; id -g; touch made"]).uid(1234).output().ok();
    assert_eq!(out.stdout, "1234\n1234\n");
    assert_eq!(std::fs::metadata(sandbox.path("made")).unwrap().uid(), 1234);
}

#[test]
fn a_run_can_be_ended_before_its_time() {
    let sandbox = Sandbox::new();
    let sleep = || sandbox.run_program("sleep", &["100"]).spawn();
    assert_eq!(sleep().kill().code, -9);
    let mut asked = sleep();
    assert!(asked.is_running());
    asked.signal(Signal::TERM);
    assert_eq!(asked.wait().code, -15);
}
