//! Recipes that stand on others.

use crate::support::{Deb, Image, World};

fn world() -> World {
    let world = World::new(&[
        Deb::new("libone", "1.0").file("/usr/share/one", "1", 0o644),
        Deb::new("two", "1.0").file("/usr/share/two", "2", 0o644).depends("libone"),
    ]);
    let base = format!("{}debian.packages = [\"libone\"]\n[users]\nme = 1000\n", World::head("base"));
    world.sandbox.write("base.toml", base);
    let upper = "name = \"upper\"\nextends = \"base\"\nplatforms = [\"linux/amd64\"]\ntags = [\"1\"]\n";
    let rest = "debian.packages = [\"two\"]\n[directories]\n\"/data\" = { owner = \"me:me\" }\n";
    world.sandbox.write("upper.toml", format!("{upper}{rest}"));
    world
}

#[test]
fn a_recipe_that_extends_another_has_its_very_layers_first() {
    let world = world();
    world.run(&["build", "base.toml", "upper.toml"]).ok();
    let image = |name: &str| Image::open(&world.sandbox.path(format!("out/{name}")));
    let (base, upper) = (image("base"), image("upper"));
    assert!(upper.layers.len() > base.layers.len());
    assert!(upper.layers.starts_with(&base.layers));
    assert_eq!((upper.text("/usr/share/one"), upper.text("/usr/share/two")), ("1", "2"));
    assert_eq!(upper.item("/data").owner, (1000, 1000));
}

#[test]
fn the_lower_recipe_is_the_same_whether_it_is_built_alone_or_below_another() {
    let (first, second) = (world(), world());
    first.run(&["build", "base.toml"]).ok();
    second.run(&["build", "upper.toml"]).ok();
    second.run(&["build", "base.toml"]).ok();
    let layers = |world: &World| Image::open(&world.sandbox.path("out/base")).layers;
    assert_eq!(layers(&first), layers(&second));
}

#[test]
fn a_chain_may_be_long() {
    let world = world();
    let mut below = "upper".to_owned();
    for at in 0..5 {
        let name = format!("link-{at}");
        let text = format!(
            "name = \"{name}\"\nextends = \"{below}\"\nplatforms = [\"linux/amd64\"]\ntags = [\"1\"]\nfiles.\"/etc/{name}\" = \"x\"\n"
        );
        world.sandbox.write(format!("{name}.toml"), text);
        below = name;
    }
    world.run(&["build", "link-4.toml"]).ok();
    let image = Image::open(&world.sandbox.path("out/link-4"));
    assert!((0..5).all(|at| image.has(&format!("/etc/link-{at}"))) && image.has("/usr/share/one"));
}
