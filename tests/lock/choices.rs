//! What is chosen where there is a choice.

use crate::support::{Archive, Deb, Output, World};

fn deb(name: &str, version: &str) -> Deb {
    Deb::new(name, version).file(&format!("/usr/share/{name}"), version, 0o644)
}

fn pinned(world: &World) -> Vec<String> {
    let lock: toml::Value = toml::from_str(&world.sandbox.text("made.lock")).unwrap();
    let packages = lock["package"].as_array().unwrap().iter();
    packages
        .map(|it| format!("{} {}", it["name"].as_str().unwrap(), it["version"].as_str().unwrap()))
        .collect()
}

fn lock(debs: &[Deb], recipe: &str) -> (World, Output) {
    let world = World::new(debs);
    world.recipe(recipe);
    let out = world.lock(&[]);
    (world, out)
}

#[test]
fn the_newest_version_of_all_suites_wins_by_debians_order() {
    let mut archive = Archive::new("made");
    archive.suites(&["trixie", "trixie-updates"]);
    for version in ["1.9", "1.10~rc1", "1:0.1~"] {
        archive.add("trixie", "main", deb("hello", version).build());
    }
    archive.add("trixie-updates", "main", deb("hello", "1:0.1").build());
    let world = World::over(archive);
    let text = world.sandbox.text("made.toml").replace("[\"trixie\"]", "[\"trixie\", \"trixie-updates\"]");
    world.sandbox.write("made.toml", text);
    world.lock(&[]).ok();
    assert_eq!(pinned(&world), ["hello 1:0.1"]);
}

#[test]
fn an_archive_of_higher_priority_wins_over_newer_versions() {
    let world = World::new(&[deb("hello", "2.0")]);
    let mut team = Archive::new("team");
    team.add("stable", "main", deb("hello", "1.0").build()).suites(&["stable"]).publish();
    world.sandbox.write("team.asc", team.key().armored_public());
    let url = format!("--mirror=team={}", team.file_url());
    for (priority, expected) in [(600, "hello 1.0"), (500, "hello 2.0"), (400, "hello 2.0")] {
        world.recipe(&format!(
            "debian.archives.team = {{ suites = [\"stable\"], keys = [\"team.asc\"], priority = {priority} }}\ndebian.packages = [\"hello\"]\n"
        ));
        world.lock(&["--update", &url]).ok();
        assert_eq!(pinned(&world), [expected], "{priority}");
    }
}

#[test]
fn the_first_alternative_that_is_there_is_taken_unless_the_recipe_says_otherwise() {
    let debs = [deb("hello", "1").depends("nowhere | second | third"), deb("second", "1"), deb("third", "1")];
    let (world, out) = lock(&debs, "debian.packages = [\"hello\"]\n");
    out.ok();
    assert_eq!(pinned(&world), ["hello 1", "second 1"]);
    let (world, out) = lock(&debs, "debian.packages = [\"hello\"]\ndebian.prefer = [\"third\"]\n");
    out.ok();
    assert_eq!(pinned(&world), ["hello 1", "third 1"]);
    let (world, out) = lock(&debs, "debian.packages = [\"hello\", \"third\"]\n");
    out.ok();
    assert_eq!(pinned(&world), ["hello 1", "third 1"]);
}

#[test]
fn a_virtual_package_is_met_by_what_provides_it() {
    let debs = [deb("hello", "1").depends("greeter"), deb("bb", "1").provides("greeter"), deb("aa", "1")];
    let (world, out) = lock(&debs, "debian.packages = [\"hello\"]\n");
    out.ok();
    assert_eq!(pinned(&world), ["bb 1", "hello 1"]);
}

#[test]
fn a_virtual_package_with_a_bound_is_met_by_a_version_that_fits_only() {
    let hello = || deb("hello", "1").depends("greeter (>= 2)");
    let (_, out) = lock(&[hello(), deb("bb", "9").provides("greeter")], "debian.packages = [\"hello\"]\n");
    out.exits(3).says("HP315").says("greeter (>= 2)");
    let (_, out) =
        lock(&[hello(), deb("bb", "9").provides("greeter (= 1)")], "debian.packages = [\"hello\"]\n");
    out.exits(3).says("HP315");
    let (world, out) =
        lock(&[hello(), deb("bb", "1").provides("greeter (= 2)")], "debian.packages = [\"hello\"]\n");
    out.ok();
    assert_eq!(pinned(&world), ["bb 1", "hello 1"]);
}

#[test]
fn dependencies_are_followed_in_circles_and_recommendations_are_not() {
    let hello = deb("hello", "1").pre_depends("aa (>= 1)").field("Recommends", "extra");
    let debs = [
        hello,
        deb("aa", "1").depends("bb"),
        deb("bb", "1").depends("aa:any, hello (= 1)"),
        deb("extra", "1"),
    ];
    let debs = debs.map(|deb| deb.multi_arch("allowed"));
    let (world, out) = lock(&debs, "debian.packages = [\"hello\"]\n");
    out.ok();
    assert_eq!(pinned(&world), ["aa 1", "bb 1", "hello 1"]);
}

#[test]
fn dependencies_that_can_not_be_met_are_named_and_no_lock_is_written() {
    let world = World::new(&[deb("hello", "1").depends("aa (>= 2)"), deb("aa", "1")]);
    let out = world.refuses("HP315", &["lock", "made.toml"]).says("`hello` 1 needs `aa (>= 2)`");
    out.says("found: aa 1");
}
