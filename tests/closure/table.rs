//! The table of what programs open without saying so.

use crate::support::{Deb, Elf, World};
use crate::{LIB, app, dynamic, library, needed, program, shared, taken, takes, world};

const UNWINDER: &str = "/usr/lib/x86_64-linux-gnu/libgcc_s.so.1";

fn caller(elf: &Elf) -> World {
    world(
        &[
            app(&elf.clone().needed("libc.so.6")).depends("libc6, libgcc-s1"),
            libc(),
            library("libgcc-s1", UNWINDER),
        ],
        "",
    )
}

fn libc() -> Deb {
    library("libc6", &format!("{LIB}/libc.so.6"))
}

#[test]
fn who_ends_threads_gets_the_unwinder_and_others_do_not() {
    for (function, what) in [
        ("pthread_exit", "ending a thread"),
        ("pthread_cancel", "cancelling a thread"),
        ("backtrace", "describing a stack"),
    ] {
        let world = caller(&program().calls("puts").calls(function));
        assert_eq!(taken(&world, &[UNWINDER]), [UNWINDER], "{function}");
        assert_eq!(needed(&world, UNWINDER), [format!("/usr/bin/app as opened {what}")]);
    }
    assert!(taken(&caller(&program().calls("puts").calls("pthread_exits")), &[UNWINDER]).is_empty());
}

#[test]
fn what_a_row_opens_may_be_missing() {
    let world =
        world(&[app(&program().needed("libc.so.6").calls("pthread_exit")).depends("libc6"), libc()], "");
    world.build(&[]).ok();
}

#[test]
fn who_converts_characters_gets_the_modules_of_the_table() {
    let gconv = |name: &str| format!("{LIB}/gconv/{name}");
    let debs = [
        app(&dynamic().calls("iconv_open")).depends("libc-bin"),
        Deb::new("libc-bin", "1")
            .file(&gconv("gconv-modules.cache"), "x", 0o644)
            .file(&gconv("gconv-modules.d/gconv-modules-extra.conf"), "x", 0o644)
            .file(&gconv("ISO8859-1.so"), shared().build(), 0o644)
            .file(&gconv("EUC-KR.so"), shared().build(), 0o644),
    ];
    let names =
        ["gconv-modules.cache", "gconv-modules.d/gconv-modules-extra.conf", "ISO8859-1.so", "EUC-KR.so"];
    let paths = names.map(gconv);
    assert_eq!(taken(&world(&debs, ""), &paths.each_ref().map(String::as_str)), paths[..3]);
}

#[test]
fn a_library_brings_its_modules_and_these_what_they_need() {
    let module = format!("{LIB}/ossl-modules/legacy.so");
    let debs = [
        app(&program().needed("libcrypto.so.3")).depends("libssl3t64, libz"),
        library("libssl3t64", &format!("{LIB}/libcrypto.so.3")).file(
            &module,
            shared().needed("libz.so.1").build(),
            0o644,
        ),
        library("libz", &format!("{LIB}/libz.so.1")),
    ];
    let world = world(&debs, "");
    assert_eq!(taken(&world, &[&module]), [&module]);
    assert_eq!(needed(&world, &module), [format!("{LIB}/libcrypto.so.3 as opened OpenSSL's providers")]);
    assert_eq!(needed(&world, &format!("{LIB}/libz.so.1")), [format!("{module} as library libz.so.1")]);
}

#[test]
fn what_the_recipe_says_that_a_file_opens_holds_instead_of_its_row_and_its_note() {
    let crypto = format!("{LIB}/libcrypto.so.3");
    let module = |name: &str| format!("{LIB}/ossl-modules/{name}.so");
    let note = r#"[{"soname":["libnone.so.1"],"priority":"required"}]"#;
    let debs = [
        app(&program().needed("libcrypto.so.3")).depends("libssl3t64, libz"),
        Deb::new("libssl3t64", "1")
            .file(&crypto, shared().soname("libcrypto.so.3").opens(note).build(), 0o644)
            .file(&module("legacy"), shared().build(), 0o644)
            .file(&module("fips"), shared().build(), 0o644),
        library("libz", &format!("{LIB}/libz.so.1")),
    ];
    let world = world(&debs, "");
    let both = [module("fips"), module("legacy")];
    let both = both.each_ref().map(String::as_str);
    crate::lacks(&world, "HP317", "`libnone.so.1`");
    takes(&world, &format!("closure.dlopen.\"{crypto}\" = [\"libz.so.1\", \"/lib/**/fips.so\"]\n"));
    assert_eq!(taken(&world, &both), [module("fips")]);
    assert_eq!(needed(&world, &module("fips")), [format!("{crypto} as opened the recipe says so")]);
    assert_eq!(needed(&world, &format!("{LIB}/libz.so.1")), [format!("{crypto} as opened libz.so.1")]);
    takes(&world, &format!("closure.dlopen.\"{crypto}\" = []\n"));
    assert!(taken(&world, &both).is_empty());
}
