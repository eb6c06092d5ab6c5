//! What a build can be told, each taken out of the provenance again.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::{Deb, Layout, Output, Sandbox, World};
use crate::{build_signed, carried, inputs};

fn world() -> World {
    World::new(&[
        Deb::new("libone", "1.0").file("/usr/share/one", "1", 0o644),
        Deb::new("two", "1.0").file("/usr/share/two", "2", 0o644).depends("libone").mtime(1_700_000_000),
    ])
}

/// The image builds again to what was built.
#[track_caller]
fn again(sandbox: &Sandbox, name: &str, more: &[&str]) -> Output {
    let out = sandbox.hardpan(&[&["rebuild", name, "--key", "team.pub"], more].concat()).ok();
    assert_eq!(out.stdout, format!("{}\n", Layout(sandbox.path(name)).index()));
    out
}

#[test]
fn a_variant_is_the_one_that_was_built() {
    let world = world();
    world.recipe("debian.packages = [\"two\"]\n[variant.dev]\nadd.files = { \"/etc/variant\" = \"dev\" }\n");
    build_signed(&world, &["made.toml", "--variant", "dev"]);
    let name = "made-dev";
    let sandbox = carried(&world, name);
    again(&sandbox, name, &[]);
    // The variant is what makes it so.
    crate::restate(&Layout(sandbox.path(name)), |predicate| {
        inputs(predicate)["variant"] = serde_json::Value::Null;
    });
    let out = sandbox.hardpan(&["rebuild", name, "--key", "team.pub"]).exits(6).says("HP608");
    assert!(out.stdout.contains("/etc/variant was published, and is not rebuilt"), "{}", out.stdout);
}

#[test]
fn a_chain_of_recipes_is_taken_along() {
    let world = world();
    world.sandbox.write("base.toml", format!("{}debian.packages = [\"libone\"]\n", World::head("base")));
    for (name, below) in [("middle", "base"), ("upper", "middle")] {
        let text = format!(
            "name = \"{name}\"\nextends = \"{below}\"\nplatforms = [\"linux/amd64\"]\ntags = [\"1\"]\nfiles.\"/etc/{name}\" = \"x\"\n"
        );
        world.sandbox.write(format!("{name}.toml"), text);
    }
    build_signed(&world, &["upper.toml"]);
    again(&carried(&world, "upper"), "upper", &[]);
}

#[test]
fn zstd_layers_are_zstd_again() {
    let world = world();
    build_signed(&world, &["made.toml", "--compression", "zstd"]);
    let sandbox = carried(&world, "made");
    let layout = Layout(sandbox.path("made"));
    let manifest = layout.json(&layout.platform("amd64"));
    assert!(manifest["layers"][0]["mediaType"].as_str().expect("a type").ends_with("+zstd"));
    again(&sandbox, "made", &[]);
}

#[test]
fn the_epoch_is_that_of_the_build_whatever_the_environment_says() {
    let world = world();
    let build = |name: &str, epoch: Option<&str>| {
        crate::secret(&world.sandbox, "team.pem", &crate::signed::trusted().private_pem());
        let out = format!("out/{name}");
        let arguments = world.arguments(&["build", "made.toml", "--key", "team.pem", "--out", &out]);
        let run = world.sandbox.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        epoch.into_iter().fold(run, |run, epoch| run.env("SOURCE_DATE_EPOCH", epoch)).output().ok();
        name.to_owned()
    };
    let (plain, clamped) = (build("plain", None), build("clamped", Some("1600000000")));
    let index = |name: &str| Layout(world.sandbox.path(format!("out/{name}"))).index();
    assert_ne!(index(&plain), index(&clamped), "the epoch is earlier than the packages");
    for name in [&plain, &clamped] {
        for epoch in [None, Some("1000000000"), Some("1600000000"), Some("1900000000")] {
            let sandbox = carried(&world, name);
            let run = sandbox.run(&["rebuild", name, "--key", "team.pub"]);
            let out =
                epoch.into_iter().fold(run, |run, epoch| run.env("SOURCE_DATE_EPOCH", epoch)).output().ok();
            assert_eq!(out.stdout, format!("{}\n", index(name)), "{name} with {epoch:?}");
        }
    }
}

#[test]
fn jobs_change_nothing() {
    let world = world();
    build_signed(&world, &["made.toml"]);
    again(&carried(&world, "made"), "made", &["--jobs", "1"]);
}

/// A recipe with two files of its own, of which one may be run.
fn with_files(large: &[u8]) -> World {
    let world = world();
    world.sandbox.write("sub/run.sh", "run me\n");
    let path = world.sandbox.path("sub/run.sh");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("our own file");
    world.sandbox.write("data.bin", large);
    world.recipe(
        "debian.packages = [\"two\"]\n[file]\n\"/usr/bin/run\" = { from = \"sub/run.sh\" }\n\"/data\" = { from = \"data.bin\" }\n",
    );
    build_signed(&world, &["made.toml"]);
    world
}

#[test]
fn files_come_out_of_the_provenance_and_may_be_run_as_before() {
    let world = with_files(&vec![7; 1 << 20]);
    let image = world.image();
    let sandbox = carried(&world, "made");
    again(&sandbox, "made", &["--out", "again"]);
    assert_eq!(image.item("/usr/bin/run").mode & 0o111, 0o111, "what is tested here");
    assert_eq!(image.item("/data").mode & 0o111, 0);
    let again = crate::support::Image::open(&sandbox.path("again"));
    for path in ["/usr/bin/run", "/data"] {
        assert_eq!(again.item(path), image.item(path));
    }
}

#[test]
fn a_file_too_large_for_provenance_has_to_be_pointed_to_and_is_held_against_its_digest() {
    let large = vec![7; (1 << 20) + 1];
    let world = with_files(&large);
    let sandbox = carried(&world, "made");
    let run = |more: &[&str]| sandbox.hardpan(&[&["rebuild", "made", "--key", "team.pub"], more].concat());
    run(&[]).exits(3).says("HP318").says("data.bin").says("--files DIR");
    // Beside the command is not where it is looked for.
    sandbox.write("data.bin", &large);
    run(&[]).exits(3).says("HP318");
    sandbox.write("beside/data.bin", vec![8; large.len()]);
    run(&["--files", "beside"]).exits(5).says("HP504").says("data.bin").says("not the one");
    sandbox.write("empty/none", "");
    run(&["--files", "empty"]).says("data.bin");
    assert_ne!(run(&["--files", "empty"]).code, 0);
    sandbox.write("beside/data.bin", &large);
    again(&sandbox, "made", &["--files", "beside"]);
    // Small ones come from the provenance, not from there.
    sandbox.write("beside/sub/run.sh", "run something else\n");
    again(&sandbox, "made", &["--files", "beside"]);
}

#[test]
fn keys_of_an_archive_are_taken_along() {
    let world = world();
    build_signed(&world, &["made.toml"]);
    let sandbox = carried(&world, "made");
    let layout = Layout(sandbox.path("made"));
    let attached = layout.statement(crate::PROVENANCE, &layout.index());
    let files = attached.statement["predicate"]["buildDefinition"]["externalParameters"]["files"].clone();
    let names: Vec<&str> =
        files.as_array().expect("files").iter().map(|one| one["path"].as_str().expect("a path")).collect();
    assert_eq!(names, ["made.asc"]);
    again(&sandbox, "made", &[]);
    // The lock vouches for no key of its own: a recipe without the key it names is not built.
    crate::restate(&layout, |predicate| inputs(predicate)["files"] = serde_json::json!([]));
    let out = sandbox.hardpan(&["rebuild", "made", "--key", "team.pub"]);
    assert_ne!(out.code, 0);
    out.says("made.asc");
}
