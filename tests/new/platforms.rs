//! For which platforms a draft is.

use super::made::{drafted, elf, program, read, tool, world};
use crate::support::{Deb, World};

fn platforms(text: &str) -> Vec<String> {
    let list = read(text)["platforms"].as_array().expect("a list").clone();
    list.iter().map(|one| one.as_str().expect("a text").to_owned()).collect()
}

/// A world whose base is for both platforms.
fn both(debs: &[Deb]) -> World {
    let world = world(debs);
    let text = world.sandbox.text("base.toml");
    let text =
        text.replace("platforms = [\"linux/amd64\"]", "platforms = [\"linux/amd64\", \"linux/arm64\"]");
    assert!(text.contains("arm64"), "{text}");
    world.sandbox.write("base.toml", text);
    world
}

#[test]
fn a_package_that_one_platform_has_is_for_that_one_and_says_so() {
    let world = both(&[tool("one")]);
    drafted(&world, "one", &[]).ok().says("it builds");
    let text = world.sandbox.text("one.toml");
    assert_eq!(platforms(&text), ["linux/amd64"]);
    assert!(text.contains("It works on linux/amd64 only."), "{text}");
}

#[test]
fn a_platform_that_is_named_is_the_only_one() {
    let everywhere = Deb::new("both", "1").arch("all").file("/usr/bin/both", elf(&[]), 0o755);
    let world = both(&[tool("tool"), everywhere]);
    drafted(&world, "tool", &["--platform", "linux/amd64"]).ok();
    let text = world.sandbox.text("tool.toml");
    assert_eq!(platforms(&text), ["linux/amd64"]);
    assert!(!text.contains(" only."), "nothing is missing: {text}");
    assert_eq!(program(&read(&text)), "/usr/bin/tool");
    drafted(&world, "tool", &["--platform", "linux/sparc", "--force"]).exits(2);
    drafted(&world, "tool", &["--platform", "linux/arm64", "--force"]).exits(3).says("linux/arm64");
}

#[test]
fn a_platform_that_the_recipe_below_lacks_is_refused() {
    let world = world(&[tool("tool")]);
    drafted(&world, "tool", &["--platform", "linux/arm64"]).exits(2).says("not for linux/arm64");
}
