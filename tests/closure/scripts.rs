//! What runs scripts and programs: first lines, and loaders.

use crate::support::{Deb, World};
use crate::{lacks, needed, program, taken, world};

/// A package `app` with a script of this first line.
fn script(line: &str) -> Deb {
    Deb::new("app", "1").file("/usr/bin/app", format!("{line}\nrest\n"), 0o755).depends("lang")
}

/// An interpreter behind a link, and one more program.
fn lang() -> Deb {
    Deb::new("lang", "1")
        .file("/usr/bin/lang3", program().build(), 0o755)
        .symlink("/usr/bin/lang", "lang3")
        .file("/usr/bin/env", program().build(), 0o755)
        .file("/usr/bin/unused", program().build(), 0o755)
}

fn scripted(line: &str) -> World {
    world(&[script(line), lang()], "")
}

#[test]
fn the_interpreter_of_a_script_comes_with_the_links_to_it() {
    for line in ["#!/usr/bin/lang", "#!/bin/lang -E", "#! /usr/bin/lang\t-x y"] {
        let world = scripted(line);
        let found = taken(&world, &["/usr/bin/lang", "/usr/bin/lang3", "/usr/bin/unused"]);
        assert_eq!(found, ["/usr/bin/lang", "/usr/bin/lang3"], "{line}");
    }
}

#[test]
fn what_env_runs_is_needed_beside_env() {
    for line in [
        "#!/usr/bin/env lang",
        "#!/bin/env -S lang -E -s",
        "#!/usr/bin/env -S A=b C= lang x",
        "#!/usr/bin/env -iS lang",
        "#!/usr/bin/env -Slang -E",
        "#!/usr/bin/env --split-string=lang -E",
        "#!/usr/bin/env -S -u HOME lang",
        "#!/usr/bin/env -S --unset HOME -C /tmp lang",
    ] {
        let world = scripted(line);
        let found = taken(&world, &["/usr/bin/env", "/usr/bin/lang3", "/usr/bin/unused"]);
        assert_eq!(found, ["/usr/bin/env", "/usr/bin/lang3"], "{line}");
        assert_eq!(needed(&world, "/usr/bin/lang3"), ["/usr/bin/app as interpreter lang"], "{line}");
    }
}

#[test]
fn an_interpreter_that_nobody_has_is_missed() {
    lacks(
        &scripted("#!/usr/bin/perl -w"),
        "HP317",
        "`/usr/bin/app` is run by `/usr/bin/perl`, which no locked",
    );
    lacks(&scripted("#!/usr/bin/env perl"), "HP317", "`/usr/bin/app` is run by `perl`")
        .says("add the package that holds `/usr/bin/perl`");
    let world = world(&[script("#!/usr/bin/lang"), lang()], "drop = [\"/usr/bin/app\"]\n");
    world.build(&[]).ok();
}

#[test]
fn only_what_can_be_run_has_an_interpreter() {
    let text = Deb::new("app", "1").file("/usr/lib/app/module", "#!/usr/bin/perl\n", 0o644);
    world(&[text], "").build(&[]).ok();
}

#[test]
fn an_interpreter_is_skipped_by_its_path_or_its_name() {
    for (line, word) in [("#!/usr/bin/perl", "/usr/bin/perl"), ("#!/usr/bin/env perl", "perl")] {
        let world =
            world(&[script(line), lang()], &format!("[closure.skip]\n\"{word}\" = \"run by hand\"\n"));
        let out = world.build(&[]).ok();
        assert!(!out.stderr.contains("HP320"), "{}", out.stderr);
    }
}

#[test]
fn the_loader_of_a_program_is_needed_and_its_aliases_are_followed() {
    let elf = program().interp("/lib64/ld-linux-x86-64.so.2").build();
    let app = || Deb::new("app", "1").file("/usr/bin/app", elf.clone(), 0o755);
    lacks(&world(&[app()], ""), "HP317", "`/usr/bin/app` is run by `/lib64/ld-linux-x86-64.so.2`");
    let libc = Deb::new("libc6", "1")
        .file("/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", program().build(), 0o755)
        .symlink("/usr/lib64/ld-linux-x86-64.so.2", "../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2");
    let world = world(&[app().depends("libc6"), libc], "");
    let real = "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2";
    assert_eq!(taken(&world, &[real, "/usr/lib64/ld-linux-x86-64.so.2"]).len(), 2);
    assert_eq!(needed(&world, real), ["/usr/bin/app as interpreter /lib64/ld-linux-x86-64.so.2"]);
}

#[test]
fn interpreters_of_interpreters_are_needed_as_well() {
    let debs = [
        script("#!/usr/bin/first").depends("first, lang"),
        Deb::new("first", "1").file("/usr/bin/first", "#!/usr/bin/lang\n", 0o755),
        lang(),
    ];
    let world = world(&debs, "");
    world.build(&[]).ok();
    assert_eq!(needed(&world, "/usr/bin/lang3"), ["/usr/bin/first as interpreter /usr/bin/lang"]);
}
