//! The same needs are met by the same files, whatever comes first.

use crate::support::{Deb, World};
use crate::{LIB, program, shared};

/// Four programs whose libraries are in two packages each.
fn crowd() -> World {
    let program = |name: &str, needs: &str, rpath: &str| {
        let elf = program().needed(needs).needed("libc.so.1").rpath(rpath).build();
        Deb::new(name, "1").file(&format!("/usr/bin/{name}"), elf, 0o755).depends("one, two")
    };
    let library = |name: &str| shared().soname(name).needed("libc.so.1").build();
    World::new(&[
        program("aa", "liba.so.1", "/opt/one"),
        program("bb", "liba.so.1", "/opt/two"),
        program("cc", "libb.so.1", "/opt/two:/opt/one"),
        program("dd", "libb.so.1", "/opt/one:/opt/two"),
        Deb::new("one", "1")
            .file("/opt/one/liba.so.1", library("liba.so.1"), 0o644)
            .file("/opt/one/libb.so.1", library("libb.so.1"), 0o644)
            .file("/opt/one/libc.so.1", shared().build(), 0o644),
        Deb::new("two", "1")
            .file("/opt/two/liba.so.1", library("liba.so.1"), 0o644)
            .file(&format!("{LIB}/libc.so.1"), shared().build(), 0o644)
            .symlink("/opt/two/libc.so.1", "../../lib/x86_64-linux-gnu/libc.so.1"),
    ])
}

#[test]
fn the_order_of_packages_in_a_recipe_does_not_matter() {
    let digest = |packages: &str, jobs: &str| {
        let world = crowd();
        world.recipe(&format!("debian.packages = [{packages}]\n"));
        let digest = world.build(&["--jobs", jobs, "--no-attest"]).ok().stdout;
        let paths: Vec<String> = world.image().items.keys().cloned().collect();
        (digest, paths)
    };
    // The archives' keys differ; they are not in the image.
    let first = digest("\"aa\", \"bb\", \"cc\", \"dd\"", "1");
    assert!(first.1.contains(&"/opt/one/libb.so.1".to_owned()), "{:?}", first.1);
    assert_eq!(first, digest("\"dd\", \"cc\", \"bb\", \"aa\"", "4"));
    assert_eq!(first, digest("\"bb\", \"dd\", \"aa\", \"cc\"", "2"));
}

#[test]
fn the_reasons_are_the_same_each_time() {
    let world = crowd();
    world.recipe("debian.packages = [\"aa\", \"bb\", \"cc\", \"dd\"]\n");
    let said = |packages: &str| {
        world.recipe(&format!("debian.packages = [{packages}]\n"));
        world.run(&["closure", "made.toml", "--json"]).ok().stdout
    };
    let first = said("\"aa\", \"bb\", \"cc\", \"dd\"");
    assert_eq!(first, said("\"dd\", \"aa\", \"cc\", \"bb\""));
    world.forget();
    assert_eq!(first, said("\"cc\", \"dd\", \"bb\", \"aa\""));
}
