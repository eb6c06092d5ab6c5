//! Packages that nothing needs: HP320, and each of the reasons for which there is none.

use crate::support::{Deb, World};
use crate::{LIB, library, program};

/// A recipe that takes `app`, whose program it runs, and `extra` (all of it unless `take` says what).
fn with(extra: Deb, take: &str, rest: &str) -> World {
    let app = Deb::new("app", "1").file("/usr/bin/app", program().build(), 0o755);
    over(app, extra, take, rest)
}

fn over(app: Deb, extra: Deb, take: &str, rest: &str) -> World {
    let world = World::new(&[app, extra]);
    let entrypoint = if rest.contains("entrypoint") { "" } else { "image.entrypoint = [\"/usr/bin/app\"]\n" };
    world.recipe(&format!(
        "debian.packages.app = \"all\"\ndebian.packages.extra = {take}\n{entrypoint}{rest}"
    ));
    world
}

fn tool() -> Deb {
    Deb::new("extra", "1").file("/usr/bin/tool", program().build(), 0o755).file(
        "/usr/lib/tool/data",
        "x",
        0o644,
    )
}

#[track_caller]
fn warned(world: &World) -> bool {
    let out = world.build(&[]).ok();
    let told = out.stderr.matches("warning[HP320]: nothing in the image needs the package `extra`").count();
    assert!(told <= 1 && out.stderr.matches("HP320").count() == told, "{}", out.stderr);
    told == 1
}

#[test]
fn a_package_that_nothing_needs_is_told_each_time_also_where_nothing_is_done() {
    let world = with(tool(), "\"all\"", "");
    assert!(warned(&world));
    assert!(warned(&world), "a cached build");
    let out = world.build(&["--json", "--offline"]).ok().says("HP320");
    out.says("made.toml:").says("`extra = \"…\"` in `[closure.keep]`");
    let out = world.build(&["--quiet"]).ok();
    assert!(out.stderr.is_empty(), "{}", out.stderr);
    assert!(
        with(library("extra", &format!("{LIB}/liba.so.1")), "\"all\"", "")
            .build(&[])
            .ok()
            .stderr
            .contains("HP320")
    );
}

#[test]
fn a_package_that_is_kept_with_a_reason_is_not_told() {
    assert!(!warned(&with(tool(), "\"all\"", "closure.keep.extra = \"people look at it\"\n")));
}

#[test]
fn what_another_packages_file_needs_is_needed() {
    let app = |elf: &crate::support::Elf| Deb::new("app", "1").file("/usr/bin/app", elf.build(), 0o755);
    let lib = || library("extra", &format!("{LIB}/liba.so.1"));
    assert!(warned(&over(app(&program()), lib(), "\"all\"", "")));
    assert!(!warned(&over(app(&program().needed("liba.so.1")), lib(), "\"all\"", "")));
    let script = Deb::new("app", "1").file("/usr/bin/app", "#!/usr/bin/tool\n", 0o755);
    assert!(!warned(&over(script, tool(), "\"all\"", "")));
    let row = "closure.dlopen.\"/usr/bin/app\" = [\"/usr/lib/tool/*\"]\n";
    assert!(!warned(&with(tool(), "\"all\"", row)));
}

#[test]
fn a_package_that_only_needs_itself_is_not_needed() {
    let own = Deb::new("extra", "1")
        .file("/usr/bin/tool", program().needed("liba.so.1").build(), 0o755)
        .file(&format!("{LIB}/liba.so.1"), crate::shared().build(), 0o644);
    assert!(warned(&with(own, "\"all\"", "")));
}

#[test]
fn what_the_recipe_names_is_needed() {
    for rest in [
        "image.entrypoint = [\"/usr/bin/tool\"]\nimage.cmd = [\"/usr/bin/app\"]\n",
        "image.entrypoint = [\"/bin/tool\", \"/usr/bin/app\"]\n",
        "image.entrypoint = [\"/usr/bin/app\"]\nimage.cmd = [\"tool\"]\n",
        "image.entrypoint = [\"/usr/bin/app\"]\nimage.cmd = [\"--data=/usr/lib/tool/data\"]\n",
        "image.env.DATA = \"/usr/lib/tool\"\n",
        "links.\"/usr/bin/other\" = \"tool\"\n",
        "links.\"/usr/bin/other\" = \"/bin/tool\"\n",
        "files.\"/etc/app.conf\" = \"run /usr/bin/tool now\"\n",
        "[[test]]\nname = \"runs\"\nrun = [\"/usr/bin/tool\", \"-V\"]\n",
        "[[test]]\nname = \"runs\"\nrun = [\"/usr/bin/app\", \"/usr/lib/tool/data\"]\n",
    ] {
        assert!(!warned(&with(tool(), "\"all\"", rest)), "{rest}");
    }
}

#[test]
fn a_name_that_only_looks_like_it_is_not_the_program() {
    for rest in [
        "image.cmd = [\"toolbox\"]\n",
        "image.cmd = [\"data\"]\n",
        "image.env.DATA = \"/usr/lib\"\n",
        "image.env.DATA = \"/usr/lib/toolbox/data2\"\n",
        "image.cmd = [\"/usr/bin/toolbox\"]\n",
    ] {
        assert!(warned(&with(tool(), "\"all\"", rest)), "{rest}");
    }
}

#[test]
fn a_program_that_is_named_by_a_link_is_needed() {
    let debs = tool().symlink("/usr/bin/link", "tool");
    assert!(!warned(&with(
        debs,
        "\"all\"",
        "image.entrypoint = [\"/usr/bin/link\"]\nimage.cmd = [\"/usr/bin/app\"]\n"
    )));
}

#[test]
fn what_a_present_package_depends_on_is_needed() {
    let app = || Deb::new("app", "1").file("/usr/bin/app", program().build(), 0o755);
    for relation in ["extra", "other | extra (>= 0.1)", "extra:any"] {
        assert!(
            !warned(&over(app().depends(relation), tool().multi_arch("allowed"), "\"all\"", "")),
            "{relation}"
        );
    }
    assert!(!warned(&over(app().pre_depends("extra"), tool(), "\"all\"", "")));
    assert!(warned(&over(app().field("Recommends", "extra"), tool(), "\"all\"", "")));
}

#[test]
fn files_that_were_picked_by_hand_are_needed_unless_they_are_only_libraries() {
    assert!(!warned(&with(tool(), "[\"/usr/lib/tool/data\"]", "")));
    let lib = library("extra", &format!("{LIB}/liba.so.1"));
    assert!(warned(&with(lib, &format!("[\"{LIB}/*\"]"), "")));
}

#[test]
fn programs_are_needed_where_a_shell_can_run_them() {
    let app = || Deb::new("app", "1").file("/usr/bin/app", program().build(), 0o755);
    let allow = "policy.allow.shell = \"a tool for people\"\n";
    let shell = app().file("/usr/bin/sh", program().build(), 0o755);
    assert!(!warned(&over(shell.clone(), tool(), "\"all\"", allow)));
    // A library is no program.
    assert!(warned(&over(shell, library("extra", &format!("{LIB}/liba.so.1")), "\"all\"", allow)));
}

#[test]
fn only_the_packages_of_the_recipe_itself_are_told() {
    let world = with(tool(), "\"all\"", "");
    world.sandbox.write("low.toml", World::head("low") + "debian.packages = [\"extra\"]\n");
    world.recipe("extends = \"low\"\ndebian.packages = [\"app\"]\nimage.entrypoint = [\"/usr/bin/app\"]\n");
    assert!(!warned(&world));
    world.run(&["build", "low.toml"]).ok().says("warning[HP320]").says("`extra`");
    // What a recipe below has may be what needs it.
    let low = World::head("low") + "debian.packages.extra = [\"/usr/bin/tool\"]\n";
    world.sandbox.write("low.toml", low);
    assert!(!warned(&world));
}

#[test]
fn a_package_of_which_nothing_but_its_licence_is_there_is_needed_by_nobody() {
    let empty = Deb::new("extra", "1").file("/usr/share/man/x", "x", 0o644);
    assert!(warned(&with(empty, "\"runtime\"", "")));
}

#[test]
fn what_made_a_package_needed_may_go_without_a_change_of_layers() {
    let test = "[[test]]\nname = \"runs\"\nrun = [\"/usr/bin/tool\", \"-V\"]\n";
    let world = with(tool(), "\"all\"", test);
    assert!(!warned(&world) && !warned(&world), "the test names it");
    let digest = world.build(&[]).ok().stdout.clone();
    world.recipe(
        "debian.packages.app = \"all\"\ndebian.packages.extra = \"all\"\nimage.entrypoint = [\"/usr/bin/app\"]\n",
    );
    assert!(warned(&world), "nothing names it any more");
    assert_eq!(world.build(&[]).ok().stdout, digest);
}
