//! Runs that end before their time: nothing of them stays.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::{BOX, Stage, processes};
use crate::support::{Running, World};

fn waits(seconds: u32) -> String {
    format!(
        "[[test]]\nname = \"waits\"\ntimeout = 600\nrun = [\"{BOX}\", \"sh\", \"-c\", \"sleep {seconds}; true\"]\n"
    )
}

/// A run whose container is up.
fn under_way(stage: &Stage, seconds: u32) -> Running {
    stage.world.sandbox.write("tests.toml", World::head("made") + &waits(seconds));
    let arguments = ["test", "out/made", "--recipe", "tests.toml", "--runtime", "runc"];
    let run = stage.world.sandbox.spawn(&arguments);
    let words = format!("sleep\0{seconds}");
    until(|| !processes(&words).is_empty(), "the container to be up");
    run
}

#[track_caller]
fn until(fine: impl Fn() -> bool, what: &str) {
    let begin = Instant::now();
    while !fine() {
        assert!(begin.elapsed() < Duration::from_mins(2), "waited for {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn is_gone(stage: &Stage, seconds: u32) {
    let words = format!("sleep\0{seconds}");
    until(|| processes(&words).is_empty(), "the container's end");
    let folder = stage.world.sandbox.store().join("trial");
    until(|| std::fs::read_dir(&folder).expect("there").next().is_none(), "the folder to be cleared");
}

/// cgroups of this process's runs.
fn groups(run: u32) -> usize {
    let Ok(found) = std::fs::read_dir("/sys/fs/cgroup") else { return 0 };
    let folders = found.flatten().map(|entry| entry.path()).chain(["/sys/fs/cgroup".into()]);
    let named = |folder: std::path::PathBuf| {
        let inside = std::fs::read_dir(folder).into_iter().flatten().flatten();
        inside
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(&format!("hardpan-{run}-")))
            .count()
    };
    folders.map(named).sum()
}

#[test]
#[ignore = "needs runc and busybox"]
fn a_run_that_is_ended_by_any_signal_leaves_no_container_and_no_folder() {
    let stage = Stage::new();
    for (number, signal) in [Signal::TERM, Signal::INT, Signal::HUP, Signal::KILL].into_iter().enumerate() {
        let seconds = 86_430 + u32::try_from(number).expect("small");
        let mut run = under_way(&stage, seconds);
        assert!(groups(run.id()) > 0);
        run.signal(signal);
        let id = run.id();
        assert_eq!(run.wait().code, -signal.as_raw());
        is_gone(&stage, seconds);
        until(|| groups(id) == 0, "its cgroups to be removed");
    }
}

#[test]
#[ignore = "needs runc and busybox"]
fn what_a_run_and_its_guard_left_when_both_were_killed_goes_with_the_next_run() {
    let stage = Stage::new();
    let run = under_way(&stage, 86_440);
    let guards = processes("attend\0guard");
    let folder = stage.world.sandbox.store().join("trial");
    let ours = |guard: &&u32| {
        let line = std::fs::read(format!("/proc/{guard}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(&folder.display().to_string())
    };
    let guard = *guards.iter().find(ours).expect("a guard");
    kill_process(Pid::from_raw(i32::try_from(guard).expect("small")).expect("a process"), Signal::KILL)
        .expect("ours");
    run.kill();
    std::thread::sleep(Duration::from_millis(500));
    assert!(!processes("sleep\x0086440").is_empty(), "nobody was there to end it");
    // The next run of any image.
    stage.passes("[[test]]\nname = \"next\"\n");
    is_gone(&stage, 86_440);
}

#[test]
#[ignore = "needs runc and busybox"]
fn a_run_beside_another_leaves_it_alone() {
    let stage = Stage::new();
    let run = under_way(&stage, 86_450);
    stage.passes("[[test]]\nname = \"beside\"\n");
    assert!(!processes("sleep\x0086450").is_empty());
    drop(run);
    is_gone(&stage, 86_450);
}

#[test]
#[ignore = "needs runc and busybox"]
fn a_run_that_is_killed_while_it_makes_a_container_leaves_none() {
    let stage = Stage::new();
    stage.world.sandbox.write("tests.toml", World::head("made") + &waits(86_460));
    let arguments = ["test", "out/made", "--recipe", "tests.toml", "--runtime", "runc"];
    for step in 0..12 {
        let run = stage.world.sandbox.spawn(&arguments);
        std::thread::sleep(Duration::from_millis(40 * step));
        run.kill();
    }
    is_gone(&stage, 86_460);
}
