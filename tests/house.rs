//! What a house should not do to its guests: take from where it may not, write where it should not,
//! give power that nobody asked for, say one thing and do another.
#![allow(clippy::disallowed_methods)]

mod support;

use serde_json::Value;
use support::{Codec, Deb, Image, Tarball, World, compress, sha256_hex};

fn hello() -> World {
    World::new(&[Deb::new("hello", "1").file("/usr/bin/hello", "hi", 0o755)])
}

#[test]
fn a_local_file_and_an_archive_of_one_name_are_two_things() {
    let world = hello();
    let tar = compress(Codec::Gzip, &Tarball::new().file("bin/tool", "from the archive", 0o755).build());
    world.sandbox.write("files/tool.tar.gz", &tar);
    world.sandbox.write("tool", "from the folder");
    let url = format!("file://{}", world.sandbox.path("files/tool.tar.gz").display());
    world.recipe(&format!(
        "[file]\n\"/opt/x\" = \"tool\"\n[archive.tool]\nurl = \"{url}\"\nsha256 = \"{}\"\nplace = \"/usr/local\"\n",
        sha256_hex(&tar)
    ));
    world.build(&[]).ok();
    assert_eq!(world.image().text("/opt/x"), "from the folder");
    assert_eq!(world.image().text("/usr/local/bin/tool"), "from the archive");
}

#[test]
fn a_local_file_that_is_a_link_out_of_the_folder_is_refused() {
    let world = hello();
    world.sandbox.write("../outside", "secret");
    std::os::unix::fs::symlink("../outside", world.sandbox.path("link")).expect("ours");
    world.recipe("file.\"/x\" = \"link\"\n");
    world.refuses("HP318", &["build", "made.toml"]).says("leads out of the recipe's folder");
    // One that stays inside is what it points to.
    world.sandbox.write("inside", "fine");
    std::fs::remove_file(world.sandbox.path("link")).expect("ours");
    std::os::unix::fs::symlink("inside", world.sandbox.path("link")).expect("ours");
    world.build(&[]).ok();
    assert_eq!(world.image().text("/x"), "fine");
}

#[test]
fn capabilities_are_gone_unless_the_recipe_says_so() {
    let ping =
        Deb::new("ping", "1").file("/usr/bin/ping", "x", 0o755).xattr("security.capability", b"\x01\0\0\x02");
    let world = World::new(&[ping]);
    world.recipe("debian.packages = [\"ping\"]\n");
    world.build(&[]).ok();
    assert!(world.image().item("/usr/bin/ping").xattrs.is_empty());
    world.recipe("policy.allow.setuid = \"a test\"\ncapabilities = [\"/usr/bin/ping\"]\ndebian.packages = [\"ping\"]\n");
    world.build(&[]).ok();
    assert_eq!(world.image().item("/usr/bin/ping").xattrs.len(), 1);
    world.recipe("capabilities = [\"/usr/share/doc/**\"]\ndebian.packages = [\"ping\"]\n");
    world.build(&[]).exits(3).says("HP307");
}

#[test]
fn without_a_home_no_place_for_the_store_is_guessed() {
    let world = hello();
    let run = |world: &World| world.sandbox.run(&["build", "made.toml"]).without_env("HARDPAN_STORE");
    let out = run(&world).without_env("HOME").without_env("XDG_CACHE_HOME").output();
    out.exits(2).says("HP203").says("--store");
    let mode = |path: std::path::PathBuf| {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::metadata(path).expect("there").permissions().mode() & 0o777
    };
    let mirror = format!("--mirror=made={}", world.url);
    world.sandbox.run(&["build", "made.toml", &mirror]).without_env("HARDPAN_STORE").umask(0).output().ok();
    assert_eq!(mode(world.sandbox.cache().join("hardpan")), 0o700);
}

#[test]
fn what_build_prints_for_machines_keeps_its_names() {
    let world = hello();
    let said: Value = serde_json::from_str(&world.build(&["--json"]).ok().stdout).expect("a line of JSON");
    let names = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    let all = [
        "digest",
        "exceptions",
        "layers_reused",
        "name",
        "path",
        "platforms",
        "seconds",
        "signed",
        "tag",
        "tags",
    ];
    assert_eq!(names(&said), all);
    assert_eq!(
        (&said["name"], &said["tag"], &said["path"]),
        (&"made".into(), &"1".into(), &"out/made".into())
    );
    let platform = ["config", "created", "digest", "layers", "packages", "platform", "size"];
    assert_eq!(names(&said["platforms"][0]), platform);
    assert_eq!(names(&said["platforms"][0]["layers"][0]), ["diff_id", "digest", "name", "size"]);
}

#[test]
fn verbs_say_what_is_wrong_with_what_they_are_given() {
    let world = hello();
    world.build(&[]).ok();
    world.run(&["inspect", "nothere"]).exits(4).says("HP405");
    world.run(&["explain", "HP999"]).exits(2);
    world.run(&["gc", "--root", "made.asc"]).exits(2).says("is not a lock");
    world.run(&["gc", "--root", "made.toml", "--dry-run"]).ok();
    for (text, words) in
        [("[mirrors]\nmade = [1]\n", "an address in quotes"), ("[mirors]\n", "unknown field `mirors`")]
    {
        world.sandbox.write("mirrors.toml", text);
        world.sandbox.hardpan(&["mirrors", "made.toml"]).exits(2).says("HP203").says(words);
    }
}

#[test]
fn completions_and_lines_of_results_are_printed_whole_or_not_well() {
    let world = hello();
    for shell in ["bash", "zsh", "fish"] {
        assert!(world.sandbox.hardpan(&["completions", shell]).ok().stdout.contains("hardpan"));
    }
    for verb in ["completions bash", "schema", "explain HP307"] {
        let script = format!("exec {} {verb} > /dev/full", env!("CARGO_BIN_EXE_hardpan"));
        world.sandbox.run_program("sh", &["-c", &script]).output().exits(1).says("HP103");
    }
}

#[test]
fn checking_a_lock_offline_with_nothing_to_check_it_by_is_no_success() {
    let world = hello();
    world.lock(&[]).ok();
    let out = world.lock(&["--locked", "--offline"]).ok();
    assert!(out.stderr.contains("Checked 1 pins"), "{}", out.stderr);
    let said: Value = serde_json::from_str(&world.lock(&["--locked", "--json"]).ok().stdout).expect("JSON");
    assert_eq!(said[0]["checked"]["pins"], 1);
    std::fs::remove_dir_all(world.sandbox.store()).expect("ours");
    world.lock(&["--locked", "--offline"]).exits(4).says("HP404");
}

#[test]
fn a_pin_that_the_signed_index_does_not_bear_out_is_said() {
    let world = hello();
    world.lock(&[]).ok();
    let lock = world.sandbox.text("made.lock");
    world.sandbox.write("made.lock", lock.replace("version = \"1\"\n", "version = \"2\"\n"));
    let out = world.lock(&["--locked"]).ok();
    assert!(out.stderr.contains("Checked 0 pins") && out.stderr.contains("hello 2"), "{}", out.stderr);
    // And a build sees that the package itself says another version.
    world.build(&["--locked"]).exits(5).says("HP506").says("hello 1 amd64");
}

#[test]
fn an_image_shows_no_terminal_what_it_should_not() {
    let world = hello();
    world.build(&[]).ok();
    let shown = world.run(&["inspect", "out/made"]).ok().stdout;
    assert!(shown.chars().all(|letter| letter == '\n' || !letter.is_control()));
    assert!(Image::open(&world.sandbox.path("out/made")).has("/usr/bin/hello"));
}

/// What a terminal is shown, by way of script(1).
fn on_terminal(world: &World, more: &str) -> String {
    let hardpan = env!("CARGO_BIN_EXE_hardpan");
    let command = format!("{hardpan} build made.toml --mirror made={} {more}", world.url);
    world
        .sandbox
        .run_program("script", &["-qec", &command, "/dev/null"])
        .env("TERM", "xterm")
        .output()
        .ok()
        .stdout
}

#[test]
fn a_terminal_sees_bars_and_a_summary_and_nobody_else_does() {
    let world = World::new(&[Deb::new("hello", "1").file("/usr/bin/hello", vec![7; 4 << 20], 0o755)]);
    let shown = on_terminal(&world, "");
    assert!(shown.contains("Reading [") && shown.contains("Packing ["), "{shown}");
    assert!(shown.contains("Digest sha256:") && shown.contains("Written out/made"), "{shown}");
    world.forget();
    let shown = on_terminal(&world, "--no-progress");
    assert!(!shown.contains("Packing [") && shown.contains("Digest sha256:"), "{shown}");
    world.forget();
    let plain = world.build(&[]).ok();
    assert!(!plain.stderr.contains('\u{1b}') && !plain.stderr.contains("Packing ["), "{}", plain.stderr);
    assert!(plain.stderr.contains("Fetching") && plain.stderr.contains("Digest sha256:"));
    // Quiet leaves only the result, on the standard output.
    let quiet = world.build(&["--quiet"]).ok();
    assert!(quiet.stdout.starts_with("sha256:") && !quiet.stderr.contains("Digest"), "{}", quiet.stderr);
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let world = hello();
    world.sandbox.write("bad.toml", "nmae = 1\n");
    assert!(!world.run(&["build", "bad.toml"]).exits(3).stderr.contains('\u{1b}'));
    assert!(world.run(&["build", "bad.toml", "--color", "always"]).exits(3).stderr.contains('\u{1b}'));
}
