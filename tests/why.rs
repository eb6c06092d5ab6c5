//! `hardpan why` and `hardpan closure`: what an image says of its own files, and what a recipe brings.
#![allow(clippy::disallowed_methods)]

mod support;

use serde_json::{Value, json};
use support::{
    AARCH64, Archive, Deb, Elf, ElfKind, Hand, Layout, Output, Registry, World, X86_64, statement,
};

const CLOSURE: &str = "https://hardpan.dev/closure/v1";
const LIB: &str = "/usr/lib/x86_64-linux-gnu";
const ZLIB: &str = "/usr/lib/x86_64-linux-gnu/libz.so.1.3";

fn json(output: Output) -> Value {
    serde_json::from_str(&output.ok().stdout).expect("JSON")
}

/// A program that needs `liba`, which needs `libz` by way of a link; a second that needs `libz` too.
fn world() -> World {
    let elf = |kind| Elf::new(X86_64, kind);
    let liba = elf(ElfKind::Shared).soname("liba.so.1").needed("libz.so.1").build();
    let libz = elf(ElfKind::Shared).soname("libz.so.1").build();
    let debs = [
        Deb::new("app", "1:2.0-3")
            .file("/usr/bin/app", elf(ElfKind::Exec).needed("liba.so.1").build(), 0o755)
            .file("/usr/bin/other", elf(ElfKind::Exec).needed("libz.so.1").build(), 0o755)
            .file("/usr/share/app/data", vec![b'x'; 1500], 0o644)
            .depends("liba"),
        Deb::new("liba", "1").file(&format!("{LIB}/liba.so.1"), liba, 0o644).depends("libz"),
        Deb::new("libz", "1.3").file(ZLIB, libz, 0o644).symlink(&format!("{LIB}/libz.so.1"), "libz.so.1.3"),
    ];
    let world = World::new(&debs);
    world.recipe(
        "debian.packages = [\"app\"]\nimage.entrypoint = [\"/usr/bin/app\"]\nusers.me = 1000\n\
         files.\"/etc/motd\" = \"hello\"\nlinks.\"/usr/bin/alias\" = \"app\"\n",
    );
    world
}

fn built() -> World {
    let world = world();
    world.build(&[]).ok();
    world
}

fn why(world: &World, path: &str) -> String {
    world.sandbox.hardpan(&["why", "out/made", path]).ok().stdout
}

/// The lines of a text, each part of one without what stands in parentheses.
fn bare(text: &str) -> Vec<String> {
    text.lines().map(|line| line.split("  (").next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_file_is_explained_down_to_what_a_recipe_asks_for() {
    let text = why(&built(), ZLIB);
    let wanted = [
        ZLIB.to_owned(),
        "  needed as library libz.so.1 by /usr/bin/other".to_owned(),
        "    recipe `made` asks for it, of package `app`".to_owned(),
        format!("also needed as library libz.so.1 by {LIB}/liba.so.1"),
    ];
    assert_eq!(bare(&text), wanted, "{text}");
    assert!(text.contains("package libz 1.3, recipe made)"), "{text}");
}

#[test]
fn the_whole_way_is_told_where_it_is_long() {
    let world = built();
    world.recipe("debian.packages.app = [\"/usr/bin/app\"]\nimage.entrypoint = [\"/usr/bin/app\"]\n");
    world.build(&[]).ok();
    let text = why(&world, ZLIB);
    let wanted = [
        ZLIB.to_owned(),
        format!("  needed as library libz.so.1 by {LIB}/liba.so.1"),
        "    needed as library liba.so.1 by /usr/bin/app".to_owned(),
        "      recipe `made` asks for it, of package `app`".to_owned(),
    ];
    assert_eq!(bare(&text), wanted, "{text}");
}

#[test]
fn what_nobody_has_to_need_says_where_it_is_from() {
    let world = built();
    for (path, words) in [
        ("/usr/bin/app", "recipe `made` asks for it, of package `app`"),
        ("/etc/motd", "recipe `made` says it"),
        ("/usr/bin/alias", "recipe `made` says it"),
        ("/etc/passwd", "hardpan made it, as a maintainer script would have"),
        ("/usr/share/doc/libz/copyright", "the licence of package `libz`"),
        ("/usr/bin/alias", "(a link to app, recipe made)"),
        ("/usr/bin/app", "package app 1:2.0-3"),
    ] {
        let text = why(&world, path);
        assert!(text.contains(words), "{path}: {text}");
    }
}

#[test]
fn a_link_that_is_needed_is_explained_like_what_it_leads_to() {
    let text = why(&built(), &format!("{LIB}/libz.so.1"));
    assert!(
        text.contains("a link to libz.so.1.3") && text.contains("needed as library libz.so.1 by"),
        "{text}"
    );
}

#[test]
fn a_path_may_go_by_the_aliases_of_merged_usr() {
    let world = built();
    assert_eq!(why(&world, "/bin/app"), why(&world, "/usr/bin/app"));
    assert_eq!(why(&world, "/lib/x86_64-linux-gnu/libz.so.1.3"), why(&world, ZLIB));
    // The alias itself is a link.
    assert!(why(&world, "/bin").contains("a link to usr/bin"));
}

#[test]
fn a_folder_says_what_is_in_it_by_package() {
    let text = why(&built(), "/usr/share");
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("/usr/share  a folder, for what is in it: 4 paths, "), "{text}");
    let packages: Vec<&str> = lines[1..].iter().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(packages, ["app", "liba", "libz"], "{text}");
}

#[test]
fn json_says_the_same_for_programs() {
    let said = json(built().run(&["why", "out/made", ZLIB, "--json"]));
    let one = &said[0];
    assert_eq!((&one["platform"], &one["path"]), (&json!("linux/amd64"), &json!(ZLIB)));
    assert_eq!(one["why"]["package"], "libz");
    assert_eq!(one["why"]["reason"], "needed");
    assert_eq!(one["why"]["needed"].as_array().map(Vec::len), Some(2));
    assert_eq!(one["chain"][0], json!({ "path": ZLIB, "needs": null }));
    assert_eq!(
        one["chain"][1],
        json!({ "path": "/usr/bin/other", "needs": { "as": "library", "name": "libz.so.1" } })
    );
    let folder = json(built().run(&["why", "out/made", "/usr/share/app", "--json"]));
    assert_eq!(folder[0]["holds"], json!(["/usr/share/app/data"]));
    assert_eq!(folder[0]["why"], Value::Null);
}

#[test]
fn a_path_that_is_not_there_is_refused_with_the_nearest() {
    let world = built();
    let refused =
        |path: &str| world.sandbox.hardpan(&["why", "out/made", path]).exits(2).says("error[HP208]");
    refused("/opt/libz.so.1.3").says(&format!("did you mean `{ZLIB}`?"));
    refused("/usr/bin/appp").says("did you mean `/usr/bin/app`?");
    refused("/nothing/like/it").says("`hardpan inspect` shows what the image holds");
    // A name that only begins like a folder's is none.
    refused("/usr/sha");
    for path in ["usr/bin/app", "", "/usr/../bin/app"] {
        let out = world.sandbox.hardpan(&["why", "out/made", path]);
        assert_eq!(out.code, 2, "{path}: {}", out.stderr);
    }
}

#[test]
fn an_image_that_says_nothing_of_itself_is_not_guessed_about() {
    let world = world();
    world.build(&["--no-attest"]).ok();
    world
        .run(&["why", "out/made", "/usr/bin/app"])
        .exits(6)
        .says("error[HP602]")
        .says("no closure attached")
        .says("--no-attest");
    world.build(&["--format", "docker-archive", "--out", "made.tar"]).ok();
    // A docker archive has no place for statements.
    world.run(&["why", "made.tar", "/usr/bin/app"]).exits(6).says("error[HP602]");
    world.run(&["why", "out/none", "/usr/bin/app"]).says("there is no image `out/none`");
}

#[test]
fn an_archive_file_is_read_like_a_folder() {
    let world = world();
    world.build(&["--format", "oci-archive", "--out", "made.tar"]).ok();
    let out = world.run(&["why", "made.tar", ZLIB]).ok();
    assert!(out.stdout.contains("by /usr/bin/other"), "{}", out.stdout);
}

/// An image of two platforms; only that of arm64 has `/usr/bin/arm`.
fn two_platforms() -> World {
    let mut archive = Archive::new("made");
    for (arch, machine) in [("amd64", X86_64), ("arm64", AARCH64)] {
        let deb = Deb::new("app", "1").arch(arch);
        let deb = deb.file("/usr/bin/app", Elf::new(machine, ElfKind::Exec).build(), 0o755);
        let deb = if arch == "arm64" { deb.file("/usr/bin/arm", "x", 0o644) } else { deb };
        archive.add("trixie", "main", deb.build());
    }
    let world = World::over(archive);
    let head = World::head("made").replace("[\"linux/amd64\"]", "[\"linux/amd64\", \"linux/arm64\"]");
    world.sandbox.write("made.toml", head + "debian.packages = [\"app\"]\n");
    world.build(&[]).ok();
    world
}

#[test]
fn platforms_are_told_together_where_they_agree_and_apart_where_not() {
    let world = two_platforms();
    let text = why(&world, "/usr/bin/app");
    assert!(text.starts_with("linux/amd64, linux/arm64\n"), "{text}");
    assert_eq!(text.matches("asks for it").count(), 1, "{text}");
    // What one platform lacks is told of the others.
    assert!(why(&world, "/usr/bin/arm").contains("asks for it"));
    let ask = |platform: &str| world.run(&["why", "out/made", "/usr/bin/arm", "--platform", platform]);
    ask("linux/arm64").ok();
    ask("linux/amd64").exits(2).says("HP208").says("for linux/amd64");
    ask("linux/mips").exits(2).says("it has").says("linux/arm64");
}

#[test]
fn an_image_in_a_registry_is_asked_without_its_layers() {
    let (world, registry) = (built(), Registry::start());
    let to = format!("{}/team", registry.host());
    world.sandbox.hardpan(&["publish", "out/made", "--to", &to]).ok();
    let manifest = Layout(world.sandbox.path("out/made"));
    let manifest = manifest.json(&manifest.platform("amd64"));
    registry.heal();
    let reference = format!("{to}/made:1");
    let out = world.sandbox.hardpan(&["why", &reference, ZLIB]).ok();
    assert_eq!(out.stdout, why(&world, ZLIB));
    for layer in manifest["layers"].as_array().expect("layers") {
        assert_eq!(registry.hits("GET", layer["digest"].as_str().expect("a digest")), 0);
    }
    world.sandbox.hardpan(&["why", &reference, "/usr/bin/none"]).exits(2).says("HP208");
}

/// Puts another statement in place of the image's own, signed by this key or by nobody known.
fn forge(world: &World, hand: &Hand, predicate: &Value) {
    let layout = Layout(world.sandbox.path("out/made"));
    let platform = layout.platform("amd64");
    let own = layout.statement(CLOSURE, &platform);
    layout.swap(&own, &hand.bundle(&statement(CLOSURE, &[&platform], predicate)));
}

fn predicate(reason: &Value) -> Value {
    json!({ "platform": "linux/amd64", "paths": { "/usr/bin/app": reason } })
}

#[test]
fn a_statement_by_nobody_known_is_told_as_such_and_with_a_key_refused() {
    let world = built();
    let hand = Hand::new(7);
    forge(&world, &hand, &predicate(&json!({ "recipe": "forged", "reason": "asked" })));
    let out = world.sandbox.hardpan(&["why", "out/made", "/usr/bin/app"]).ok();
    let out = out.says("nobody who is trusted here signed it");
    assert!(out.stdout.contains("recipe `forged` says it"), "{}", out.stdout);
    world.sandbox.write("other.pub", Hand::new(8).public_pem());
    world.sandbox.write("hand.pub", hand.public_pem());
    let ask = |key: &str| world.sandbox.hardpan(&["why", "out/made", "/usr/bin/app", "--key", key]);
    ask("other.pub").exits(6).says("a key which was named signed");
    assert!(!ask("hand.pub").ok().stderr.contains("nobody"));
}

#[test]
fn what_a_statement_says_moves_no_cursor() {
    let world = built();
    let evil = "x\u{1b}[2J\u{7}y";
    let needed = json!([{ "by": "/usr/bin/app", "as": evil, "name": evil }, { "by": "/none", "as": "opened", "name": evil }]);
    let reason = json!({ "recipe": evil, "package": evil, "version": evil, "source": evil, "link": evil, "reason": "needed", "needed": needed });
    forge(&world, &Hand::new(7), &predicate(&reason));
    for path in ["/usr/bin/app", "/usr/bin", "/usr/bin/none"] {
        for more in [&[][..], &["--verbose"], &["--json"]] {
            let out = world.sandbox.hardpan(&[&["why", "out/made", path], more].concat());
            assert!(!out.stdout.contains(['\u{1b}', '\u{7}']), "{:?}", out.stdout);
            assert!(!out.stderr.contains(['\u{1b}', '\u{7}']), "{:?}", out.stderr);
        }
    }
}

#[test]
fn a_statement_that_does_not_read_is_refused_and_one_that_goes_in_circles_ends() {
    let world = built();
    forge(&world, &Hand::new(7), &json!({ "platform": "linux/amd64", "paths": [] }));
    world.sandbox.hardpan(&["why", "out/made", "/usr/bin/app"]).exits(5).says("does not read");
    let reason = |by: &str| json!({ "recipe": "made", "reason": "needed", "needed": [{ "by": by, "as": "library", "name": "x" }] });
    let world = built();
    let paths = json!({ "/a": reason("/b"), "/b": reason("/c"), "/c": reason("/a"), "/d": reason("/d") });
    forge(&world, &Hand::new(7), &json!({ "platform": "linux/amd64", "paths": paths }));
    assert_eq!(why(&world, "/a").matches("needed as library x by").count(), 2);
    why(&world, "/d");
}

#[test]
fn many_who_need_a_file_are_counted_and_listed_on_request() {
    let elf = Elf::new(X86_64, ElfKind::Exec).needed("libz.so.1").build();
    let names = ["aa", "bb", "cc", "dd", "ee", "ff", "gg"];
    let app = Deb::new("app", "1").depends("libz");
    let app = names.iter().fold(app, |deb, name| deb.file(&format!("/usr/bin/{name}"), &elf, 0o755));
    let libz = Elf::new(X86_64, ElfKind::Shared).build();
    let world = World::new(&[app, Deb::new("libz", "1").file(&format!("{LIB}/libz.so.1"), libz, 0o644)]);
    world.recipe("debian.packages = [\"app\"]\n");
    world.build(&[]).ok();
    let path = format!("{LIB}/libz.so.1");
    let text = why(&world, &path);
    assert_eq!(text.matches("also needed").count(), 4, "{text}");
    assert!(text.contains("and by 2 more (`--verbose` lists them)"), "{text}");
    let text = world.sandbox.hardpan(&["why", "out/made", &path, "--verbose"]).ok().stdout;
    assert_eq!(text.matches("also needed").count(), 6, "{text}");
}

#[test]
fn closure_shows_each_part_below_what_needs_it_with_its_size() {
    let world = world();
    let out = world.run(&["closure", "made.toml"]).ok();
    let lines = bare(&out.stdout);
    assert!(lines[0].starts_with("made for linux/amd64: ") && lines[0].ends_with(" parts"), "{}", out.stdout);
    let at = |words: &str| lines.iter().position(|line| line.contains(words)).expect(words);
    assert!(at("app 1:2.0-3") < at("    liba 1"), "{}", out.stdout);
    assert!(out.stdout.contains("/usr/bin/app needs liba.so.1)"), "{}", out.stdout);
    // Needed by two parts: shown once.
    assert_eq!(out.stdout.matches("libz 1.3  ").count(), 2, "{}", out.stdout);
    assert_eq!(out.stdout.matches("see above").count(), 1, "{}", out.stdout);
    assert!(!out.stdout.contains(ZLIB));
    let verbose = world.run(&["closure", "made.toml", "--verbose"]).ok().stdout;
    assert!(verbose.contains(ZLIB), "{verbose}");
    assert!(!world.sandbox.path("out").exists(), "it writes no image");
}

#[test]
fn closure_as_json_has_the_sizes_paths_and_needs_of_each_part() {
    let said = json(world().run(&["closure", "made.toml", "--json"]));
    let parts = said["parts"].as_array().expect("parts");
    let part = |name: &str| parts.iter().find(|part| part["name"] == name).expect(name);
    let sum: u64 = parts.iter().filter_map(|part| part["size"].as_u64()).sum();
    assert_eq!((&said["name"], said["size"].as_u64()), (&json!("made"), Some(sum)));
    assert_eq!((&part("app")["asked"], &part("libz")["asked"]), (&json!(true), &json!(false)));
    assert_eq!(part("liba")["needs"][0]["name"], "libz");
    assert_eq!(part("liba")["needs"][0]["by"][0]["by"], format!("{LIB}/liba.so.1"));
    let paths = part("libz")["paths"].as_array().expect("paths");
    assert!(paths.contains(&json!(ZLIB)) && paths.len() == 3, "{paths:?}");
    assert_eq!(part("written in recipes")["asked"], true);
}

#[test]
fn closure_of_a_recipe_that_lacks_something_names_it() {
    let world = world();
    world.recipe("debian.packages = [\"app\", \"libz\"]\ndrop = [\"/usr/lib/**/libz.so.1.3\"]\n");
    world.run(&["closure", "made.toml"]).exits(3).says("HP317").says("the recipe drops");
    world.run(&["closure", "gone.toml"]).exits(3).says("HP311");
}

#[test]
fn closure_takes_a_variant_and_a_platform() {
    let world = two_platforms();
    let recipe = world.sandbox.text("made.toml") + "variant.dev.add.files = { \"/etc/dev\" = \"x\" }\n";
    world.sandbox.write("made.toml", recipe);
    let said = |more: &[&str]| json(world.run(&[&["closure", "made.toml", "--json"], more].concat()));
    assert!(!said(&[]).to_string().contains("/usr/bin/arm"));
    let arm = said(&["--platform", "linux/arm64", "--variant", "dev"]);
    assert_eq!(arm["platform"], "linux/arm64");
    assert!(arm.to_string().contains("/usr/bin/arm") && arm.to_string().contains("/etc/dev"));
    world.run(&["closure", "made.toml", "--variant", "none"]).exits(3).says("HP312");
}
