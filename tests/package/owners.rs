//! A path in an image has one owner.

use crate::support::{Deb, World};

const BUILD: [&str; 2] = ["build", "made.toml"];

fn two(first: &str, second: &str) -> World {
    let deb = |name: &str, path: &str| Deb::new(name, "1.0").file(path, name, 0o644);
    let world = World::new(&[deb("one", first), deb("two", second)]);
    world.lock(&[]).ok();
    world
}

#[test]
fn two_packages_that_own_one_path_are_named_with_it() {
    let world = two("/usr/share/here", "/usr/share/here");
    let out = world.refuses("HP316", &BUILD).says("`/usr/share/here` is owned by").says("help:");
    out.says("package `one`").says("package `two`").says("except = [\"/usr/share/here\"]");
    world.recipe(
        "[debian.packages]\none = \"all\"\ntwo = { files = [\"/**\"], except = [\"/usr/share/here\"] }\n",
    );
    world.build(&[]).ok();
    assert_eq!(world.image().text("/usr/share/here"), "one");
}

#[test]
fn two_packages_that_own_one_path_by_two_names_are_named_with_it() {
    two("/usr/lib/here", "/lib/here").refuses("HP316", &BUILD).says("`/usr/lib/here` is owned by");
}

#[test]
fn two_packages_may_share_a_folder() {
    two("/usr/share/here/one", "/usr/share/here/two").build(&[]).ok();
}

#[test]
fn what_the_recipe_writes_itself_stands_over_what_a_package_holds() {
    let world = two("/usr/share/one", "/usr/share/two");
    world.recipe("debian.packages = [\"one\", \"two\"]\nfiles.\"/usr/share/one\" = \"mine\"\n");
    world.build(&[]).ok();
    assert_eq!((world.image().text("/usr/share/one"), world.image().text("/usr/share/two")), ("mine", "two"));
}

#[test]
fn a_file_of_one_package_below_a_link_of_another_is_refused() {
    let one = Deb::new("one", "1.0").symlink("/usr/share/here", "/etc");
    let two = Deb::new("two", "1.0").file("/usr/share/here/file", "x", 0o644);
    let world = World::new(&[one, two]);
    world.lock(&[]).ok();
    world.refuses("HP316", &["build", "made.toml", "--locked"]).says("/usr/share/here");
}
