//! `hardpan build --all`: a folder of recipes, each image after what it stands on; what a change touches;
//! and that one which fails stops only what stands on it.
#![allow(clippy::disallowed_methods)]

mod support;

use serde_json::Value;
use support::{Deb, Elf, ElfKind, Image, Output, World, X86_64};

/// A folder of recipes: `low`, `mid` on it, `top` on that, and `apart` by itself.
fn world() -> World {
    let deb = |name: &str| Deb::new(name, "1").file(&format!("/usr/share/{name}"), name, 0o644);
    let broken = Elf::new(X86_64, ElfKind::Exec).needed("libgone.so.1").build();
    let world = World::new(&[
        deb("low"),
        deb("mid"),
        deb("top"),
        deb("apart"),
        Deb::new("broken", "1").file("/usr/bin/broken", broken, 0o755),
    ]);
    world.sandbox.write("recipes/made.asc", world.archive.key().armored_public());
    recipe(&world, "low", "", "");
    // Names that sort before what they stand on.
    recipe(&world, "b-mid", "extends = \"low\"\n", "mid");
    recipe(&world, "a-top", "extends = \"b-mid\"\n", "top");
    recipe(&world, "apart", "", "");
    world
}

/// Writes a recipe that takes one package, that of its own name if none is said.
fn recipe(world: &World, name: &str, rest: &str, package: &str) {
    let package = if package.is_empty() { name } else { package };
    let text = format!("{}debian.packages = [\"{package}\"]\n{rest}", World::head(name));
    world.sandbox.write(format!("recipes/{name}.toml"), text);
}

fn all(world: &World, more: &[&str]) -> Output {
    world.run(&[&["build", "--all"], more].concat())
}

/// One row an image, in the order in which they are told.
fn rows(output: &Output) -> Vec<Value> {
    let values = output.stdout.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    values.filter(|value| !value["outcome"].is_null()).collect()
}

/// The images and what came of each.
fn outcomes(output: &Output) -> Vec<String> {
    let name = |row: &Value| {
        let variant = row["variant"].as_str().map(|variant| format!("-{variant}")).unwrap_or_default();
        format!(
            "{}{variant} {}",
            row["name"].as_str().expect("a name"),
            row["outcome"].as_str().expect("one")
        )
    };
    rows(output).iter().map(name).collect()
}

fn row(output: &Output, name: &str) -> Value {
    rows(output).into_iter().find(|row| row["name"] == name).expect(name)
}

#[test]
fn each_image_is_built_after_what_it_stands_on_whose_layers_it_shares() {
    let world = world();
    let out = all(&world, &["--json"]).ok();
    assert_eq!(outcomes(&out), ["apart built", "low built", "b-mid built", "a-top built"]);
    let reused = |name: &str| row(&out, name)["layers_reused"].as_u64().expect("a number");
    // Each layer is made once: those below were there already.
    assert_eq!([reused("apart"), reused("low"), reused("b-mid"), reused("a-top")], [0, 0, 1, 2]);
    let layers = |name: &str| Image::open(&world.sandbox.path(format!("out/{name}"))).layers;
    assert!(layers("a-top").starts_with(&layers("b-mid")) && layers("b-mid").starts_with(&layers("low")));
    assert_eq!(row(&out, "low")["path"], "out/low");
    assert_eq!(row(&out, "low")["tag"], "1");
}

#[test]
fn the_same_comes_of_any_number_of_threads_and_of_building_one_by_one() {
    let digests = |world: &World, jobs: &str| {
        let out = all(world, &["--json", "--jobs", jobs]).ok();
        rows(&out).iter().map(|row| row["digest"].as_str().expect("a digest").to_owned()).collect::<Vec<_>>()
    };
    let world = world();
    let first = digests(&world, "1");
    world.forget();
    assert_eq!(digests(&world, "8"), first);
    world.forget();
    let one = |name: &str| {
        let path = format!("recipes/{name}.toml");
        world.run(&["build", &path, "--quiet"]).ok().stdout.trim().to_owned()
    };
    assert_eq!(["apart", "low", "b-mid", "a-top"].map(one), *first);
}

#[test]
fn a_catalog_that_is_up_to_date_is_left_alone_and_says_so() {
    let world = world();
    all(&world, &[]).ok().says("4 images: 4 built");
    let out = all(&world, &[]).ok().says("Nothing all 4 images are up to date");
    assert_eq!(out.stdout.matches(" unchanged ").count(), 4, "{}", out.stdout);
    let out = all(&world, &["--json", "--offline", "--locked"]).ok();
    assert!(outcomes(&out).iter().all(|one| one.ends_with(" unchanged")), "{}", out.stdout);
    // One image that is gone is written again, and it alone.
    std::fs::remove_dir_all(world.sandbox.path("out/low")).expect("ours");
    let out = all(&world, &["--json"]).ok();
    assert_eq!(outcomes(&out), ["apart unchanged", "low built", "b-mid unchanged", "a-top unchanged"]);
}

#[test]
fn one_that_fails_stops_what_stands_on_it_and_nothing_else() {
    let world = world();
    recipe(&world, "b-mid", "extends = \"low\"\n", "broken");
    let out = all(&world, &["--json"]).exits(3).says("error[HP317]").says("libgone.so.1");
    assert_eq!(outcomes(&out), ["apart built", "low built", "b-mid failed", "a-top not tried"]);
    let out = out.says("image: b-mid");
    assert_eq!(row(&out, "b-mid")["problems"][0]["code"], "HP317");
    assert_eq!(row(&out, "a-top")["because"], "b-mid");
    assert!(!world.sandbox.path("out/b-mid").exists() && !world.sandbox.path("out/a-top").exists());
    let out = all(&world, &[]).exits(3).says("4 images: 2 unchanged, 1 failed, 1 not tried");
    assert!(out.stdout.contains("not tried"), "{}", out.stdout);
    // Mended, the rest follows.
    recipe(&world, "b-mid", "extends = \"low\"\n", "mid");
    let out = all(&world, &["--json"]).ok();
    assert_eq!(outcomes(&out), ["apart unchanged", "low unchanged", "b-mid built", "a-top built"]);
}

#[test]
fn what_stands_on_what_was_not_tried_is_not_tried_because_of_what_failed() {
    let world = world();
    recipe(&world, "low", "", "broken");
    let out = all(&world, &["--json"]).exits(3);
    assert_eq!(outcomes(&out), ["apart built", "low failed", "b-mid not tried", "a-top not tried"]);
    assert_eq!(
        (&row(&out, "b-mid")["because"], &row(&out, "a-top")["because"]),
        (&"low".into(), &"low".into())
    );
}

#[test]
fn a_recipe_that_does_not_read_is_one_that_fails() {
    let world = world();
    world.sandbox.write("recipes/zz-bad.toml", "name = \n");
    world.sandbox.write("recipes/notes.txt", "no recipe");
    let out = all(&world, &["--json"]).exits(3).says("error[HP301]").says("zz-bad.toml");
    let mut said = outcomes(&out);
    said.sort();
    assert_eq!(said, ["a-top built", "apart built", "b-mid built", "low built", "zz-bad failed"]);
    // What extends it can't be read either; a recipe that extends none that is there, likewise.
    recipe(&world, "on-bad", "extends = \"zz-bad\"\n", "apart");
    recipe(&world, "on-none", "extends = \"none\"\n", "apart");
    let out = all(&world, &["--json"]).exits(3);
    let failed: Vec<String> = outcomes(&out).into_iter().filter(|one| one.ends_with(" failed")).collect();
    assert_eq!(failed.len(), 3, "{failed:?}");
    // What two have in common is told once, of both.
    let out = out.says("image: zz-bad").says("image: on-bad");
    assert_eq!(out.stderr.matches("error[HP301]").count(), 1, "{}", out.stderr);
}

#[test]
fn each_failure_is_told_with_its_image() {
    let world = world();
    recipe(&world, "apart", "", "broken");
    world.sandbox.write("recipes/zz-bad.toml", "name = \"zz-bad\"\nnme = 1\n");
    let out = all(&world, &[]).exits(3).says("image: apart").says("image: zz-bad");
    assert!(out.stderr.contains("HP317") && out.stderr.contains("HP302"), "{}", out.stderr);
}

const VARIANTS: &str = "[variant.dev]\nadd.files = { \"/etc/dev\" = \"x\" }\n[variant.debug]\nadd.files = { \"/etc/debug\" = \"x\" }\n";

#[test]
fn variants_are_images_of_their_own() {
    let world = world();
    recipe(&world, "low", VARIANTS, "");
    let out = all(&world, &["--json"]).ok();
    let mut said = outcomes(&out);
    said.sort();
    let wanted =
        ["a-top built", "apart built", "b-mid built", "low built", "low-debug built", "low-dev built"];
    assert_eq!(said, wanted);
    assert!(Image::open(&world.sandbox.path("out/low-dev")).has("/etc/dev"));
    assert!(!Image::open(&world.sandbox.path("out/low")).has("/etc/dev"));
    world.forget();
    let out = all(&world, &["--json", "--variant", "dev"]).ok();
    assert_eq!(outcomes(&out), ["low-dev built"]);
}

#[test]
fn a_variant_that_no_recipe_has_is_refused() {
    let world = world();
    recipe(&world, "low", VARIANTS, "");
    all(&world, &["--variant", "dve"])
        .exits(3)
        .says("error[HP312]")
        .says("`dve`")
        .says("they have `debug`, `dev`");
}

#[test]
fn a_variant_may_be_fine_where_the_default_is_not_and_the_other_way_round() {
    let world = world();
    let drop = "drop = [\"/usr/bin/broken\"]\n";
    recipe(&world, "apart", &format!("[variant.dev]\nadd.{drop}"), "broken");
    let out = all(&world, &["--json"]).exits(3);
    let said = outcomes(&out);
    assert!(
        said.contains(&"apart failed".to_owned()) && said.contains(&"apart-dev built".to_owned()),
        "{said:?}"
    );
    recipe(&world, "apart", &format!("{drop}[variant.dev]\nremove.{drop}"), "broken");
    let out = all(&world, &["--json"]).exits(3);
    let said = outcomes(&out);
    assert!(
        said.contains(&"apart built".to_owned()) && said.contains(&"apart-dev failed".to_owned()),
        "{said:?}"
    );
    // A variant stands on what its recipe stands on.
    recipe(&world, "low", "", "broken");
    recipe(&world, "b-mid", "extends = \"low\"\n[variant.dev]\nadd.files = { \"/x\" = \"y\" }\n", "mid");
    let said = outcomes(&all(&world, &["--json"]).exits(3));
    assert!(said.contains(&"b-mid-dev not tried".to_owned()), "{said:?}");
}

#[test]
fn arguments_that_make_no_sense_together_are_refused() {
    let world = world();
    all(&world, &["recipes", "more"]).exits(2).says("`--all` takes one folder");
    all(&world, &["--out", "x"]).exits(2);
    world.run(&["build", "--changed-since", "HEAD", "recipes/low.toml"]).exits(2).says("--all");
    std::fs::create_dir(world.sandbox.path("empty")).expect("ours");
    for folder in ["empty", "none"] {
        all(&world, &[folder]).exits(3).says("there are no recipes in").says("HP311");
    }
}

#[test]
fn files_beside_recipes_that_are_none_are_left_alone() {
    let world = world();
    std::fs::remove_file(world.sandbox.path("recipes/apart.toml")).expect("ours");
    let mirrors = format!("[archives]\nmade = [\"{}\"]\n", world.url);
    world.sandbox.write("recipes/mirrors.toml", mirrors);
    world.sandbox.write("recipes/policy.toml", "");
    let out = all(&world, &["--json"]);
    assert!(
        !outcomes(&out).iter().any(|one| one.contains("mirrors") || one.contains("policy")),
        "{}",
        out.stdout
    );
}

/// Runs git in the work folder, as somebody.
#[track_caller]
fn git(world: &World, arguments: &[&str]) {
    let who = ["-c", "user.name=Nobody", "-c", "user.email=nobody@example.org", "-c", "commit.gpgsign=false"];
    world.sandbox.run_program("/usr/bin/git", &[&who, arguments].concat()).output().ok();
}

/// All is in git, and built.
fn tracked() -> World {
    let world = world();
    world.sandbox.write("recipes/files/motd", "hello\n");
    recipe(&world, "apart", "[file]\n\"/etc/motd\" = \"files/motd\"\n", "");
    world.sandbox.write(".gitignore", "out\n");
    all(&world, &[]).ok();
    git(&world, &["init", "-q", "-b", "main"]);
    git(&world, &["add", "."]);
    git(&world, &["commit", "-q", "-m", "all"]);
    world
}

/// The images that a change since a revision touches.
fn since(world: &World, revision: &str) -> Vec<String> {
    let out = all(world, &["--json", "--changed-since", revision]).ok();
    rows(&out).iter().map(|row| row["name"].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn a_change_touches_its_recipe_and_what_stands_on_that() {
    let world = tracked();
    assert!(since(&world, "HEAD").is_empty());
    recipe(&world, "b-mid", "extends = \"low\"\nfiles.\"/etc/x\" = \"y\"\n", "mid");
    // What they stand on is built first, and here unchanged.
    assert_eq!(since(&world, "HEAD"), ["low", "b-mid", "a-top"]);
    git(&world, &["commit", "-q", "-a", "-m", "mid"]);
    assert!(since(&world, "HEAD").is_empty());
    assert_eq!(since(&world, "HEAD~1"), ["low", "b-mid", "a-top"]);
    recipe(&world, "low", "files.\"/etc/z\" = \"y\"\n", "");
    let out = all(&world, &["--json", "--changed-since", "HEAD"]).ok();
    assert_eq!(outcomes(&out), ["low built", "b-mid built", "a-top built"]);
}

#[test]
fn a_lock_a_local_file_and_a_new_recipe_count_as_changes() {
    let world = tracked();
    world.sandbox.write("recipes/files/motd", "good day\n");
    assert_eq!(since(&world, "HEAD"), ["apart"]);
    git(&world, &["commit", "-q", "-a", "-m", "motd"]);
    let lock = world.sandbox.text("recipes/a-top.lock");
    world.sandbox.write("recipes/a-top.lock", format!("{lock}\n"));
    assert_eq!(since(&world, "HEAD"), ["low", "b-mid", "a-top"]);
    git(&world, &["checkout", "-q", "."]);
    // Git knows nothing of it yet.
    recipe(&world, "new", "", "top");
    assert_eq!(since(&world, "HEAD"), ["new"]);
    // What is no part of a recipe touches none.
    git(&world, &["add", "."]);
    git(&world, &["commit", "-q", "-m", "new"]);
    world.sandbox.write("recipes/README.md", "text");
    world.sandbox.write("other/low.toml", "text");
    assert!(since(&world, "HEAD").is_empty());
}

#[test]
fn a_local_file_that_is_gone_and_a_recipe_that_does_not_read_count_as_changes() {
    let world = tracked();
    std::fs::remove_file(world.sandbox.path("recipes/files/motd")).expect("ours");
    let out = all(&world, &["--json", "--changed-since", "HEAD"]).exits(3).says("HP318");
    assert_eq!(outcomes(&out), ["apart failed"]);
}

#[test]
fn where_nothing_changed_nothing_is_built_and_that_is_said() {
    let out = all(&tracked(), &["--changed-since", "HEAD"]).ok();
    assert!(out.stdout.is_empty(), "{}", out.stdout);
    out.says("no recipe has changed since `HEAD`");
}

#[test]
fn without_git_or_a_revision_of_it_the_reason_is_told() {
    let world = tracked();
    let refused = |revision: &str| all(&world, &["--changed-since", revision]).exits(2).says("error[HP201]");
    refused("no-such-branch").says("git could not tell what changed").says("no-such-branch");
    let place = world.sandbox.path("written");
    world
        .run(&["build", "--all", &format!("--changed-since=--output={}", place.display())])
        .exits(2)
        .says("is not the name of a revision");
    assert!(!place.exists(), "git's options are not to be had by a revision's name");
    let arguments = world.arguments(&["build", "--all", "--changed-since", "HEAD"]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let run = world.sandbox.run(&arguments).env("PATH", "/nonexistent");
    run.output().exits(2).says("error[HP201]").says("needs git");
    std::fs::remove_dir_all(world.sandbox.path(".git")).expect("ours");
    refused("HEAD").says("git could not tell what changed");
}
