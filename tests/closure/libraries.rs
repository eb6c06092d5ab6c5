//! Where libraries are looked for, as ld.so(8) describes it.

use crate::support::{AARCH64, Deb, Elf, ElfKind, World};
use crate::{LIB, app, lacks, library, needed, program, shared, taken, takes, world};

const X: &str = "/opt/x/liba.so.1";
const Y: &str = "/opt/y/liba.so.1";
const SYSTEM: &str = "/usr/lib/x86_64-linux-gnu/liba.so.1";

/// `liba.so.1` in three folders, each of a package of its own.
fn three() -> Vec<Deb> {
    vec![library("liba-x", X), library("liba-y", Y), library("liba", SYSTEM)]
}

/// Which of the three a program gets.
fn gets(elf: &Elf) -> Vec<&'static str> {
    let mut debs = three();
    debs.push(app(&elf.clone().needed("liba.so.1")).depends("liba-x, liba-y, liba"));
    taken(&world(&debs, ""), &[X, Y, SYSTEM])
}

#[test]
fn a_library_comes_from_the_first_folder_that_the_loader_looks_in() {
    assert_eq!(gets(&program()), [SYSTEM]);
    assert_eq!(gets(&program().runpath("/opt/none:/opt/x:/opt/y")), [X]);
    assert_eq!(gets(&program().rpath("/opt/y")), [Y]);
    // A RUNPATH makes the older form count for nothing.
    assert_eq!(gets(&program().rpath("/opt/y").runpath("/opt/x")), [X]);
    assert_eq!(gets(&program().rpath("/opt/y").runpath("/opt/none")), [SYSTEM]);
    // What is no absolute path depends on where the program is started.
    assert_eq!(gets(&program().runpath("opt/x:.:")), [SYSTEM]);
}

#[test]
fn origin_is_the_folder_of_the_file_in_both_of_its_forms() {
    assert_eq!(gets(&program().runpath("$ORIGIN/../../opt/x")), [X]);
    assert_eq!(gets(&program().rpath("${ORIGIN}/../../opt/y")), [Y]);
    // Nothing is above the root.
    assert_eq!(gets(&program().runpath("$ORIGIN/../../../../../../opt/x")), [X]);
}

#[test]
fn origin_of_a_library_is_its_own_folder() {
    let first = shared().soname("liba.so.1").runpath("$ORIGIN/private").needed("libb.so.1").build();
    let debs = [
        app(&program().needed("liba.so.1")).depends("liba, libb"),
        Deb::new("liba", "1").file(SYSTEM, first, 0o644),
        library("libb", &format!("{LIB}/private/libb.so.1")),
    ];
    let world = world(&debs, "");
    world.build(&[]).ok();
    let found = needed(&world, &format!("{LIB}/private/libb.so.1"));
    assert_eq!(found, [format!("{SYSTEM} as library libb.so.1")]);
}

/// `app` needs `liba.so.1`, and that `libb.so.1`, which is where only `app` says.
fn inherited(app_elf: &Elf, liba: &Elf) -> World {
    let liba = liba.clone().soname("liba.so.1").needed("libb.so.1").build();
    let debs = [
        app(&app_elf.clone().needed("liba.so.1")).depends("liba, libb"),
        Deb::new("liba", "1").file(SYSTEM, liba, 0o644),
        library("libb", "/opt/x/libb.so.1"),
    ];
    world(&debs, "")
}

#[test]
fn an_rpath_holds_for_what_is_needed_by_what_is_needed() {
    let world = inherited(&program().rpath("/opt/x"), &shared());
    assert_eq!(taken(&world, &["/opt/x/libb.so.1"]).len(), 1);
    assert_eq!(needed(&world, "/opt/x/libb.so.1"), [format!("{SYSTEM} as library libb.so.1")]);
}

#[test]
fn a_runpath_holds_for_its_own_file_only() {
    let what = format!("`{SYSTEM}` needs the library `libb.so.1`");
    lacks(&inherited(&program().runpath("/opt/x"), &shared()), "HP317", &what);
    // And one of the library's own makes what it inherits count for nothing.
    lacks(&inherited(&program().rpath("/opt/x"), &shared().runpath("/opt/none")), "HP317", &what);
}

#[test]
fn an_rpath_is_inherited_whichever_file_is_looked_at_first() {
    // Both are asked for: neither is found by way of the other.
    let world = inherited(&program().rpath("/opt/x"), &shared());
    for packages in ["[\"app\", \"liba\"]", "[\"liba\", \"app\"]"] {
        world.recipe(&format!("debian.packages = {packages}\n"));
        assert_eq!(taken(&world, &["/opt/x/libb.so.1"]).len(), 1, "{packages}");
    }
}

#[test]
fn an_rpath_goes_through_as_many_libraries_as_there_are() {
    let link = |name: &str, needs: &str| shared().soname(name).needed(needs).build();
    let debs = [
        app(&program().rpath("/opt/x").needed("liba.so.1")).depends("libs, libz"),
        Deb::new("libs", "1")
            .file(SYSTEM, link("liba.so.1", "libb.so.1"), 0o644)
            .file(&format!("{LIB}/libb.so.1"), link("libb.so.1", "libc.so.1"), 0o644)
            // A circle, as libraries have them.
            .file(
                &format!("{LIB}/libc.so.1"),
                shared().needed("liba.so.1").needed("libz.so.1").build(),
                0o644,
            ),
        library("libz", "/opt/x/libz.so.1"),
    ];
    let world = world(&debs, "");
    for packages in ["[\"app\"]", "[\"app\", \"libs\"]"] {
        world.recipe(&format!("debian.packages = {packages}\n"));
        assert_eq!(taken(&world, &["/opt/x/libz.so.1"]).len(), 1, "{packages}");
    }
}

#[test]
fn folders_of_the_loaders_configuration_are_looked_in() {
    let debs = [
        app(&program().needed("liba.so.1")).depends("liba-x"),
        library("liba-x", X),
        Deb::new("conf", "1").file("/etc/ld.so.conf", "include /etc/ld.so.conf.d/*.conf\n", 0o644).file(
            "/etc/ld.so.conf.d/x.conf",
            "# of x\n/opt/x\n",
            0o644,
        ),
    ];
    let world = world(&debs, "");
    lacks(&world, "HP317", "`/usr/bin/app` needs the library `liba.so.1`");
    world.recipe("debian.packages = [\"app\", \"conf\"]\n");
    assert_eq!(taken(&world, &[X]), [X]);
    // A recipe may write it by itself.
    takes(&world, "[files]\n\"/etc/ld.so.conf\" = \"/opt/x\\n\"\n");
    assert_eq!(taken(&world, &[X]), [X]);
}

#[test]
fn links_on_the_way_to_a_library_come_along_and_nothing_else() {
    let debs = [
        app(&program().needed("liba.so.1")).depends("liba, liba-real"),
        Deb::new("liba", "1")
            .symlink(SYSTEM, "liba.so.1.2")
            .symlink(&format!("{LIB}/liba.so.1.2"), "/lib/other/liba.so")
            .symlink(&format!("{LIB}/liba.so"), "liba.so.1")
            .file(&format!("{LIB}/liba.a"), "x", 0o644),
        // The last link leads into another package.
        Deb::new("liba-real", "1").file(
            "/usr/lib/other/liba.so",
            shared().soname("liba.so.1").build(),
            0o644,
        ),
    ];
    let world = world(&debs, "");
    let paths = ["liba.so.1", "liba.so.1.2", "liba.so", "liba.a"].map(|name| format!("{LIB}/{name}"));
    assert_eq!(taken(&world, &paths.each_ref().map(String::as_str)), paths[..2]);
    assert_eq!(needed(&world, "/usr/lib/other/liba.so"), ["/usr/bin/app as library liba.so.1"]);
    assert!(world.image().has("/usr/share/doc/liba-real/copyright"), "licences come along");
}

#[test]
fn links_in_a_circle_lead_to_no_library() {
    let debs = [
        app(&program().needed("liba.so.1")).depends("liba"),
        Deb::new("liba", "1").symlink(SYSTEM, "liba.so.2").symlink(&format!("{LIB}/liba.so.2"), "liba.so.1"),
    ];
    lacks(&world(&debs, ""), "HP317", "`/usr/bin/app` needs the library `liba.so.1`");
}

#[test]
fn a_link_to_what_nobody_has_is_no_library() {
    let debs =
        [app(&program().needed("liba.so.1")).depends("liba"), Deb::new("liba", "1").symlink(SYSTEM, "gone")];
    lacks(&world(&debs, ""), "HP317", "`/usr/bin/app` needs the library `liba.so.1`");
}

#[test]
fn a_private_library_of_the_same_source_package_is_found_and_one_of_a_foreign_is_not() {
    let private = "/usr/lib/app/libprivate.so";
    let app = || app(&program().needed("libprivate.so")).source("appsource", "1").depends("app-libs");
    let libs = library("app-libs", private);
    let same = world(&[app(), libs.clone().source("appsource", "1")], "");
    assert_eq!(taken(&same, &[private]), [private]);
    lacks(&world(&[app(), libs], ""), "HP317", "`/usr/bin/app` needs the library `libprivate.so`");
}

#[test]
fn a_need_with_a_slash_is_a_path() {
    let debs =
        [app(&program().needed("/lib/odd/liba.so")).depends("liba"), library("liba", "/usr/lib/odd/liba.so")];
    let world = world(&debs, "");
    assert_eq!(taken(&world, &["/usr/lib/odd/liba.so"]).len(), 1);
    assert_eq!(needed(&world, "/usr/lib/odd/liba.so"), ["/usr/bin/app as library /lib/odd/liba.so"]);
}

#[test]
fn what_is_below_meets_needs_and_is_not_taken_twice() {
    let world = World::new(&[app(&program().needed("liba.so.1")).depends("liba"), library("liba", SYSTEM)]);
    world.sandbox.write("low.toml", World::head("low") + "debian.packages = [\"liba\"]\n");
    takes(&world, "extends = \"low\"\n");
    world.build(&[]).ok();
    world.run(&["build", "low.toml"]).ok();
    assert_eq!(needed(&world, SYSTEM), ["/usr/bin/app as library liba.so.1"]);
    let said = crate::why(&world, SYSTEM);
    assert_eq!(
        (said["why"]["recipe"].as_str(), said["why"]["reason"].as_str()),
        (Some("low"), Some("asked"))
    );
}

#[test]
fn needs_of_a_file_for_other_machines_are_nobodys() {
    let foreign = Elf::new(AARCH64, ElfKind::Exec).needed("libmissing.so.1").build();
    let world = world(&[Deb::new("app", "1").file("/usr/share/qemu/app", foreign, 0o755)], "");
    world.build(&[]).ok();
}

#[test]
fn a_library_for_another_machine_does_not_count() {
    let foreign = Elf::new(AARCH64, ElfKind::Shared).soname("liba.so.1").build();
    let debs = [
        app(&program().runpath("/opt/x").needed("liba.so.1")).depends("foreign, liba"),
        Deb::new("foreign", "1").file(X, foreign, 0o644),
        library("liba", SYSTEM),
    ];
    assert_eq!(taken(&world(&debs, ""), &[X, SYSTEM]), [SYSTEM]);
}

#[test]
fn a_library_that_is_taken_away_is_missed_by_name_with_who_needs_it() {
    let debs = [app(&program().needed("liba.so.1")).depends("liba"), library("liba", SYSTEM)];
    let world = world(&debs, "");
    assert_eq!(taken(&world, &[SYSTEM]), [SYSTEM]);
    // Dropped: the pattern is named.
    world.recipe("debian.packages = [\"app\", \"liba\"]\ndrop = [\"/usr/lib/**/liba.so*\"]\n");
    let out = lacks(&world, "HP317", "`/usr/bin/app` needs the library `liba.so.1`");
    assert!(
        out.says(&format!("the recipe drops `{SYSTEM}`: take `/usr/lib/**/liba.so*` out")).stdout.is_empty()
    );
    // Left out of what is taken: it comes all the same, because it is needed.
    world.recipe("debian.packages.app = \"all\"\ndebian.packages.liba = { except = [\"/usr/lib/**\"] }\n");
    assert_eq!(taken(&world, &[SYSTEM]), [SYSTEM]);
    // No package has it: its likely name is told.
    let alone = crate::world(&[app(&program().needed("liba.so.1"))], "");
    lacks(&alone, "HP317", "no locked package holds").says("`liba1` or `liba1t64`");
}
