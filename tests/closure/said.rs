//! `[closure]`: what a recipe says of needs, what is wrong with it, and what is left over in it.

use crate::support::{Deb, World};
use crate::{LIB, app, lacks, library, program, taken, takes, world};

const A: &str = "/usr/lib/x86_64-linux-gnu/liba.so.1";

/// A program that needs `liba.so.1`, which is in reach, and `libgone.so.1`, which is not.
fn needy() -> World {
    let app = app(&program().needed("liba.so.1").needed("libgone.so.1")).depends("liba, plugins");
    let plugins = Deb::new("plugins", "1").file("/usr/lib/app/plugins/one.so", "x", 0o644);
    world(&[app, library("liba", A), plugins], "")
}

const SKIP: &str = "closure.skip.\"libgone.so.1\" = \"only the GUI needs it\"\n";

#[test]
fn a_need_that_is_skipped_with_a_reason_is_not_missed() {
    let world = needy();
    lacks(&world, "HP317", "`libgone.so.1`").says("say in `[closure] skip` why `libgone.so.1` is not needed");
    takes(&world, SKIP);
    assert!(!world.build(&[]).ok().stderr.contains("HP320"));
    // What is skipped is not taken either, even if it is there.
    takes(&world, &format!("{SKIP}closure.skip.\"liba.so.1\" = \"x\"\n"));
    assert!(taken(&world, &[A]).is_empty());
}

#[test]
fn a_skip_that_nothing_needs_any_more_is_told_each_time() {
    let world = needy();
    takes(&world, &format!("{SKIP}closure.skip.\"libold.so.1\" = \"x\"\n"));
    for _ in 0..2 {
        let out = world.build(&[]).ok();
        let out = out.says("warning[HP320]: `libold.so.1` is skipped, but nothing here needs it");
        assert_eq!(out.stderr.matches("HP320").count(), 1, "{}", out.stderr);
    }
}

#[test]
fn reasons_must_say_something_and_kept_packages_must_be_names() {
    let world = needy();
    for (rest, words) in [
        ("closure.skip.\"x.so\" = \" \"\n", "there is no reason for `x.so`"),
        ("closure.keep.liba = \"\"\n", "there is no reason for `liba`"),
        ("closure.keep.\"No Name\" = \"x\"\n", "No Name"),
        ("closure.dlopen.\"relative\" = []\n", "relative"),
        ("closure.dlopen.\"/usr/bin/app\" = [\"../x.so\"]\n", "../x.so"),
        ("closure.dlopen.\"/usr/bin/app\" = [\"\"]\n", "a pattern of paths, or a library's name"),
    ] {
        takes(&world, rest);
        world.build(&[]).exits(3).says("error[HP304]").says(words);
    }
    takes(&world, "closure.dlopens = {}\n");
    world.build(&[]).exits(3).says("error[HP302]").says("`dlopen`?");
}

#[test]
fn what_the_recipe_says_that_a_file_opens_must_be_had() {
    let world = needy();
    let row = |opens: &str| format!("{SKIP}closure.dlopen.\"/usr/bin/app\" = [{opens}]\n");
    takes(&world, &row("\"/usr/lib/app/plugins/*.so\""));
    assert_eq!(taken(&world, &["/usr/lib/app/plugins/one.so"]).len(), 1);
    takes(&world, &row("\"/usr/lib/app/plugins/*.dll\""));
    lacks(
        &world,
        "HP307",
        "`/usr/bin/app` opens `/usr/lib/app/plugins/*.dll`, which no locked package holds",
    )
    .says("made.toml:");
    takes(&world, &row("\"libmissing.so.9\""));
    lacks(&world, "HP317", "`/usr/bin/app` needs the library `libmissing.so.9`");
}

#[test]
fn a_row_for_files_that_are_not_there_is_left_over() {
    let world = needy();
    takes(&world, &format!("{SKIP}closure.dlopen.\"/usr/bin/gone*\" = []\n"));
    lacks(&world, "HP307", "`/usr/bin/gone*` matches nothing that this recipe adds").says("made.toml:");
}

#[test]
fn a_row_by_a_pattern_holds_for_each_file_that_it_fits() {
    let libs =
        library("libs", "/usr/lib/app/one.so").file("/usr/lib/app/two.so", crate::shared().build(), 0o644);
    let world = world(&[app(&program()).depends("liba, libs"), libs, library("liba", A)], "");
    let row = "closure.dlopen.\"/usr/lib/app/*.so\" = [\"liba.so.1\"]\n";
    world.recipe(&format!("debian.packages = [\"app\", \"libs\"]\n{row}"));
    world.build(&[]).ok();
    let found = crate::needed(&world, A);
    assert_eq!(
        found,
        ["/usr/lib/app/one.so", "/usr/lib/app/two.so"].map(|by| format!("{by} as opened liba.so.1"))
    );
}

#[test]
fn a_package_that_is_kept_must_be_taken_here() {
    let world = needy();
    world.recipe(&format!("debian.packages = [\"app\"]\n{SKIP}closure.keep.liba = \"others link it\"\n"));
    lacks(&world, "HP307", "`liba` is kept, but this recipe does not take it");
}

#[test]
fn all_that_is_missing_is_said_at_once_and_once() {
    let elf = program().needed("libone.so.1").needed("libtwo.so.1").needed("libone.so.1").build();
    let deb = Deb::new("app", "1").file("/usr/bin/app", elf.clone(), 0o755).file("/usr/bin/b", elf, 0o755);
    let out = world(&[deb], "").build(&[]).exits(3);
    assert_eq!(out.stderr.matches("error[HP317]").count(), 4, "{}", out.stderr);
    assert!(
        out.stderr.find("app` needs the library `libone").unwrap() < out.stderr.find("b` needs").unwrap()
    );
}

#[test]
fn a_skip_or_row_of_a_variant_holds_in_that_variant() {
    let world = needy();
    takes(&world, "[variant.dev]\nadd.closure.skip = { \"libgone.so.1\" = \"dev never opens it\" }\n");
    lacks(&world, "HP317", "`libgone.so.1`");
    world.build(&["--variant", "dev"]).ok();
    assert!(
        crate::support::Image::open(&world.sandbox.path("out/made-dev")).has(&format!("{LIB}/liba.so.1"))
    );
}
