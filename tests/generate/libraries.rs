//! The loader's cache. That it is the real `ldconfig`'s byte for byte, `outside_generate.rs` shows.

use crate::support::{Deb, Elf, ElfKind, World, X86_64};
use crate::world;

fn library(soname: Option<&str>) -> Vec<u8> {
    let elf = Elf::new(X86_64, ElfKind::Shared);
    soname.map_or(elf.clone(), |soname| elf.soname(soname)).build()
}

/// The entries of a cache: name, path, and the number of the folder of processors.
fn entries(cache: &[u8]) -> Vec<(String, String, Option<u64>)> {
    assert!(cache.starts_with(b"glibc-ld.so.cache1.1"));
    let word = |at: usize| u32::from_le_bytes(cache[at..at + 4].try_into().unwrap()) as usize;
    let text = |at: usize| {
        let end = cache[at..].iter().position(|byte| *byte == 0).unwrap();
        String::from_utf8(cache[at..at + end].to_vec()).unwrap()
    };
    let entry = |number: usize| {
        let at = 48 + number * 24;
        let field = u64::from_le_bytes(cache[at + 16..at + 24].try_into().unwrap());
        let index = (field >> 62 == 1).then_some(field & 0xffff_ffff);
        (text(word(at + 4)), text(word(at + 8)), index)
    };
    (0..word(20)).map(entry).collect()
}

fn cache(world: &World) -> Vec<(String, String, Option<u64>)> {
    entries(&world.image().item("/etc/ld.so.cache").content)
}

fn entry(name: &str, path: &str) -> (String, String, Option<u64>) {
    (name.into(), path.into(), None)
}

#[test]
fn folders_of_the_configuration_come_first_under_the_names_that_it_gives_them() {
    let deb = Deb::new("libs", "1")
        .file("/etc/ld.so.conf", "include /etc/ld.so.conf.d/*.conf\n", 0o644)
        .file("/etc/ld.so.conf.d/a.conf", "# comment\n/opt/x/ # mine\n/lib/x86_64-linux-gnu\n/gone\n", 0o644)
        .file("/etc/ld.so.conf.d/.hidden.conf", "/hidden\n", 0o644)
        .file("/hidden/libh.so.1", library(None), 0o644)
        .file("/opt/x/liba.so.1", library(None), 0o644)
        .file("/usr/lib/x86_64-linux-gnu/liba.so.1", library(None), 0o644)
        .file("/usr/lib/libz.so.9", library(None), 0o644)
        .file("/usr/lib/libz.so.10", library(None), 0o644)
        .file("/usr/lib/no.so", library(None), 0o644)
        .file("/usr/lib/libtext.so", "INPUT(-lz)", 0o644);
    let world = world(&[deb], "");
    world.build(&[]).ok();
    let wanted = [
        entry("libz.so.10", "/lib/libz.so.10"),
        entry("libz.so.9", "/lib/libz.so.9"),
        entry("liba.so.1", "/opt/x/liba.so.1"),
        entry("liba.so.1", "/lib/x86_64-linux-gnu/liba.so.1"),
    ];
    assert_eq!(cache(&world), wanted);
}

#[test]
fn a_library_without_a_link_of_its_own_name_gets_one() {
    let folder = "/usr/lib/x86_64-linux-gnu";
    let deb = Deb::new("libs", "1")
        .file(&format!("{folder}/liba.so.1.2"), library(Some("liba.so.1")), 0o644)
        .file(&format!("{folder}/liba.so.1.10"), library(Some("liba.so.1")), 0o644)
        .file(&format!("{folder}/libb.so.1.0"), library(Some("libb.so.1")), 0o644)
        .symlink(&format!("{folder}/libb.so.1"), "libb.so.1.0")
        .symlink(&format!("{folder}/libb.so"), "libb.so.1");
    let world = world(&[deb], "");
    world.build(&[]).ok();
    assert_eq!(world.image().item(&format!("{folder}/liba.so.1")).link, "liba.so.1.10");
    let names: Vec<String> = cache(&world).into_iter().map(|(name, ..)| name).collect();
    assert_eq!(names, ["libb.so.1", "libb.so", "liba.so.1"]);
}

#[test]
fn libraries_for_better_processors_come_first_and_are_named_by_their_files() {
    let folder = "/usr/lib/x86_64-linux-gnu";
    let better = |name: &str| format!("{folder}/glibc-hwcaps/{name}/libx.so.1.5");
    let deb = Deb::new("libs", "1")
        .file(&format!("{folder}/libx.so.1"), library(Some("libx.so.1")), 0o644)
        .file(&better("x86-64-v3"), library(Some("libx.so.1")), 0o644)
        .file(&better("x86-64-v2"), library(Some("libx.so.1")), 0o644);
    let world = world(&[deb], "");
    world.build(&[]).ok();
    let path = |name: &str| format!("/lib/x86_64-linux-gnu/glibc-hwcaps/{name}/libx.so.1.5");
    let wanted = [
        ("libx.so.1".to_owned(), path("x86-64-v2"), Some(0)),
        ("libx.so.1".to_owned(), path("x86-64-v3"), Some(1)),
        entry("libx.so.1", "/lib/x86_64-linux-gnu/libx.so.1"),
    ];
    assert_eq!(cache(&world), wanted);
}

#[test]
fn a_recipe_lists_the_libraries_below_it_again_only_if_it_adds_some() {
    let debs = [
        Deb::new("low", "1").file("/usr/lib/liblow.so.1", library(None), 0o644),
        Deb::new("up", "1").file("/usr/lib/libup.so.1", library(None), 0o644),
        Deb::new("text", "1").file("/usr/share/text", "x", 0o644),
    ];
    let world = world(&debs, "");
    world.sandbox.write("low.toml", World::head("low") + "debian.packages = [\"low\"]\n");
    world.recipe("extends = \"low\"\ndebian.packages = [\"up\"]\n");
    world.build(&[]).ok();
    assert_eq!(
        cache(&world),
        [entry("libup.so.1", "/lib/libup.so.1"), entry("liblow.so.1", "/lib/liblow.so.1")]
    );
    world.recipe("extends = \"low\"\ndebian.packages = [\"text\"]\n");
    world.build(&[]).ok();
    assert_eq!(cache(&world), [entry("liblow.so.1", "/lib/liblow.so.1")]);
}

#[test]
fn a_configuration_that_includes_itself_ends() {
    let deb = Deb::new("libs", "1")
        .file("/etc/ld.so.conf", "include ld.so.conf /etc/[ /etc/none\n/usr/../lib\n/loop\n", 0o644)
        .symlink("/loop", "loop")
        .file("/usr/lib/liba.so.1", library(None), 0o644);
    let world = world(&[deb], "");
    world.build(&[]).ok();
    assert_eq!(cache(&world).len(), 1);
}
