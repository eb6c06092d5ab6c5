//! Versions of symbols: a library that is too old is refused before a loader refuses it (HP319).

use crate::support::{Deb, Elf, World};
use crate::{LIB, app, lacks, program, shared, taken, takes, world};

const LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/liba.so.1";
const FORM: &str = "/usr/lib/x86_64-linux-gnu/glibc-hwcaps/x86-64-v3/liba.so.1";

fn liba(elf: &Elf) -> Deb {
    Deb::new("liba", "1").file(LIBRARY, elf.clone().soname("liba.so.1").build(), 0o644)
}

fn user() -> Elf {
    program().needed("liba.so.1").needs_version("liba.so.1", "A_1").needs_version("liba.so.1", "A_2")
}

fn pair(library: &Elf, user: &Elf) -> World {
    world(&[app(user).depends("liba"), liba(library)], "")
}

#[test]
fn a_library_with_all_versions_serves_and_one_that_lacks_any_does_not() {
    let old = shared().has_version("A_1");
    pair(&old.clone().has_version("A_2").has_version("A_3"), &user()).build(&[]).ok();
    let out =
        lacks(&pair(&old, &user()), "HP319", "`/usr/bin/app` needs version `A_2` of symbols in `liba.so.1`");
    out.says(&format!("`{LIBRARY}` has no such version")).says("from the same suite");
}

#[test]
fn a_version_that_may_be_missing_is_not_missed() {
    let user = program().needed("liba.so.1").needs_version("liba.so.1", "A_1");
    pair(&shared().has_version("A_1"), &user.clone().may_need_version("liba.so.1", "A_2")).build(&[]).ok();
    lacks(&pair(&shared().has_version("A_1"), &user.needs_version("liba.so.1", "A_2")), "HP319", "`A_2`");
}

#[test]
fn a_library_without_any_versions_is_let_through_as_the_loader_does() {
    pair(&shared(), &user()).build(&[]).ok();
}

#[test]
fn versions_count_for_the_library_that_they_are_of() {
    let user = user().needs_version("libother.so.1", "O_9");
    pair(&shared().has_version("A_1").has_version("A_2"), &user).build(&[]).ok();
}

#[test]
fn a_form_for_newer_processors_must_have_the_versions_too() {
    let whole = shared().soname("liba.so.1").has_version("A_1").has_version("A_2");
    let old = shared().soname("liba.so.1").has_version("A_1");
    for (form, fine) in [(&whole, true), (&old, false)] {
        let world = world(&[app(&user()), liba(&whole).file(FORM, form.build(), 0o644)], "");
        world.recipe("debian.packages = [\"app\", \"liba\"]\n");
        if fine {
            world.build(&[]).ok();
        } else {
            lacks(&world, "HP319", "`A_2`").says(&format!("`{FORM}` has no such version"));
        }
    }
}

#[test]
fn a_library_of_a_recipe_below_is_asked_for_versions_as_well() {
    let world = pair(&shared().has_version("A_1"), &user());
    world.sandbox.write("low.toml", World::head("low") + "debian.packages = [\"liba\"]\n");
    takes(&world, "extends = \"low\"\n");
    lacks(&world, "HP319", "`A_2`");
    world.run(&["build", "low.toml"]).ok();
}

#[test]
fn libraries_are_asked_for_versions_by_libraries_too_and_through_links() {
    let middle = shared().soname("libm.so.1").needed("liba.so.1").needs_version("liba.so.1", "A_2").build();
    let debs = [
        app(&program().needed("libm.so.1")).depends("libm, liba"),
        Deb::new("libm", "1").file(&format!("{LIB}/libm.so.1"), middle, 0o644),
        Deb::new("liba", "1").symlink(LIBRARY, "liba.so.1.5").file(
            &format!("{LIBRARY}.5"),
            shared().soname("liba.so.1").has_version("A_1").build(),
            0o644,
        ),
    ];
    lacks(&world(&debs, ""), "HP319", &format!("`{LIB}/libm.so.1` needs version `A_2`"))
        .says(&format!("`{LIBRARY}.5` has no such version"));
}

#[test]
fn a_library_that_is_skipped_has_no_versions_to_lack() {
    let world = world(&[app(&user())], "closure.skip.\"liba.so.1\" = \"loaded by nobody\"\n");
    assert!(taken(&world, &[LIBRARY]).is_empty());
}

/// A program of this machine and its real C library; the tables of both were written by a real linker.
#[cfg(target_arch = "x86_64")]
#[test]
fn versions_in_real_files_are_found_and_missed() {
    let read = |path: &str| std::fs::read(path).expect("a file of each Debian");
    let app = || Deb::new("app", "1").file("/usr/bin/app", read("/usr/bin/env"), 0o755).depends("libc6");
    let loader = "ld-linux-x86-64.so.2";
    let libc = |bytes: Vec<u8>| {
        let deb = Deb::new("libc6", "1").file(&format!("{LIB}/libc.so.6"), bytes, 0o755);
        let deb = deb.file(&format!("{LIB}/{loader}"), read(&format!("/lib64/{loader}")), 0o755);
        deb.symlink(&format!("/usr/lib64/{loader}"), &format!("../lib/x86_64-linux-gnu/{loader}"))
    };
    let real = world(&[app(), libc(read(&format!("{LIB}/libc.so.6")))], "");
    assert_eq!(taken(&real, &[&format!("{LIB}/libc.so.6")]).len(), 1);
    let old = shared().soname("libc.so.6").has_version("GLIBC_2.0").build();
    lacks(&world(&[app(), libc(old)], ""), "HP319", "`/usr/bin/app` needs version `GLIBC_");
}
