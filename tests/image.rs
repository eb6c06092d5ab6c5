//! What the image says of itself: configuration, annotations, tags, generated files; and what
//! `inspect` and `diff` tell of it.
#![allow(clippy::disallowed_methods)]

mod support;

use serde_json::{Value, json};
use support::{Deb, Image, World};

fn inspect(world: &World, image: &str) -> Value {
    let said = world.run(&["inspect", image, "--json"]).ok().stdout;
    serde_json::from_str(&said).expect("JSON")
}

fn hello() -> World {
    World::new(&[
        Deb::new("hello", "2:1.4+git1-3").file("/usr/bin/hello", "hi", 0o755).mtime(1_600_000_000),
        Deb::new("certs", "1").file("/usr/share/ca-certificates/b.crt", "BBB", 0o644).file(
            "/usr/share/ca-certificates/a.crt",
            "AAA\n",
            0o644,
        ),
    ])
}

const WHOLE: &str = r#"
summary = "says hello"
source = "https://git.example/hello"
licenses = "MIT"
version-of = "hello"
tags = ["{version}", "1"]
debian.packages = ["hello"]
[users]
app = { uid = 1000, groups = ["tty"], home = "/app", shell = "/bin/none", comment = "The App" }
root = 0
[groups]
tty = 5
[image]
user = "app"
entrypoint = ["/usr/bin/hello"]
cmd = ["--to", "you"]
env = { Z = "1", A = "x=y" }
workdir = "/app"
ports = [8080, "53/udp"]
volumes = ["/data"]
stop-signal = "QUIT"
labels = { "example.version" = "{version}" }
annotations = { "example.note" = "n {version}" }
[lifecycle]
owner = "team"
contact = "team@example"
end-of-life = 2030-01-31
status = "stable"
"#;

/// Writes the whole recipe, whose tags take the place of the head's.
fn whole(world: &World) {
    let head = World::head("made").replace("tags = [\"1\"]\n", "");
    world.sandbox.write("made.toml", head + WHOLE);
}

#[test]
fn the_configuration_is_what_the_recipe_says() {
    let world = hello();
    whole(&world);
    world.build(&[]).ok();
    let image = inspect(&world, "out/made");
    let config = &image["platforms"][0]["config"];
    let run = &config["config"];
    assert_eq!(run["User"], "1000:1000");
    assert_eq!(run["Entrypoint"], json!(["/usr/bin/hello"]));
    assert_eq!(run["Cmd"], json!(["--to", "you"]));
    assert_eq!(run["Env"], json!(["A=x=y", "Z=1"]));
    assert_eq!(run["WorkingDir"], "/app");
    assert_eq!(run["ExposedPorts"], json!({ "53/udp": {}, "8080/tcp": {} }));
    assert_eq!(run["Volumes"], json!({ "/data": {} }));
    assert_eq!(run["StopSignal"], "SIGQUIT");
    assert_eq!(run["Labels"]["example.version"], "1.4+git1");
    assert_eq!(run["Labels"]["dev.hardpan.owner"], "team");
    assert_eq!((&config["os"], &config["architecture"]), (&json!("linux"), &json!("amd64")));
    // The newest packaged time, not a clock's.
    assert_eq!(config["created"], "2023-11-14T22:13:20Z");
}

#[test]
fn annotations_and_tags_are_what_the_recipe_says() {
    let world = hello();
    whole(&world);
    world.build(&[]).ok();
    let image = inspect(&world, "out/made");
    // A tag may not hold what a version may.
    assert_eq!(image["tags"], json!(["1.4-git1", "1"]));
    let annotations = &image["platforms"][0]["annotations"];
    for (name, value) in [
        ("org.opencontainers.image.title", "made"),
        ("org.opencontainers.image.version", "1.4+git1"),
        ("org.opencontainers.image.description", "says hello"),
        ("org.opencontainers.image.source", "https://git.example/hello"),
        ("org.opencontainers.image.licenses", "MIT"),
        ("org.opencontainers.image.created", "2023-11-14T22:13:20Z"),
        ("dev.hardpan.end-of-life", "2030-01-31"),
        ("example.note", "n 1.4+git1"),
    ] {
        assert_eq!(annotations[name], value, "{name}");
    }
}

#[test]
fn the_base_digest_is_that_of_the_manifest_below() {
    let world = hello();
    whole(&world);
    let above = "name = \"above\"\nextends = \"made\"\nplatforms = [\"linux/amd64\"]\n";
    world.sandbox.write("above.toml", above);
    world.build(&[]).ok();
    world.run(&["build", "above.toml"]).ok();
    let (below, above) = (inspect(&world, "out/made"), inspect(&world, "out/above"));
    let annotations = &above["platforms"][0]["annotations"];
    assert_eq!(annotations["org.opencontainers.image.base.digest"], below["platforms"][0]["digest"]);
    assert_eq!(annotations["org.opencontainers.image.base.name"], "made");
}

#[test]
fn a_recipe_above_says_only_what_differs() {
    let world = hello();
    whole(&world);
    let above = "name = \"above\"\nextends = \"made\"\nplatforms = [\"linux/amd64\"]\n[image]\nentrypoint = [\"/x\"]\nenv = { A = \"2\" }\n";
    world.sandbox.write("above.toml", above);
    world.run(&["build", "above.toml"]).ok();
    let run = inspect(&world, "out/above")["platforms"][0]["config"]["config"].clone();
    assert_eq!(run["Env"], json!(["A=2", "Z=1"]));
    assert_eq!(run["User"], "1000:1000");
    // Another program's arguments would mean nothing to this one.
    assert_eq!((&run["Entrypoint"], &run["Cmd"]), (&json!(["/x"]), &Value::Null));
}

#[test]
fn accounts_are_written_as_passwd_and_group_have_them() {
    let world = hello();
    whole(&world);
    world.build(&[]).ok();
    let image = Image::open(&world.sandbox.path("out/made"));
    let passwd = "root:x:0:0:root:/nonexistent:/usr/sbin/nologin\napp:x:1000:1000:The App:/app:/bin/none\n";
    assert_eq!(image.text("/etc/passwd"), passwd);
    assert_eq!(image.text("/etc/group"), "root:x:0:\ntty:x:5:app\napp:x:1000:\n");
}

#[test]
fn certificates_become_one_bundle_in_the_order_of_their_names() {
    let world = hello();
    world.recipe("drop = [\"/usr/share/ca-certificates/**\"]\ndebian.packages = [\"certs\"]\n");
    world.build(&[]).ok();
    let image = Image::open(&world.sandbox.path("out/made"));
    assert_eq!(image.text("/etc/ssl/certs/ca-certificates.crt"), "AAA\nBBB\n");
    assert!(!image.has("/usr/share/ca-certificates/a.crt"));
}

#[test]
fn scanners_find_debians_own_stanza_and_the_sums_of_what_is_there() {
    let world = hello();
    world.recipe("debian.packages.hello = [\"/usr/bin/hello\"]\n");
    world.build(&[]).ok();
    let image = Image::open(&world.sandbox.path("out/made"));
    let stanza = image.text("/var/lib/dpkg/status.d/hello");
    assert!(stanza.starts_with("Package: hello\nVersion: 2:1.4+git1-3\n"), "{stanza}");
    let sums = image.text("/var/lib/dpkg/status.d/hello.md5sums");
    let paths: Vec<&str> = sums.lines().filter_map(|line| Some(line.split_once("  ")?.1)).collect();
    assert_eq!(paths, ["usr/bin/hello", "usr/share/doc/hello/copyright"]);
    assert!(image.has("/usr/share/doc/hello/copyright"));
}

#[test]
fn a_difference_is_told_by_package_and_by_file() {
    let world = hello();
    world.recipe("debian.packages = [\"hello\"]\nfiles.\"/etc/motd\" = \"a\"\n");
    world.build(&["--out", "one"]).ok();
    world.recipe("debian.packages = [\"certs\"]\nfiles.\"/etc/motd\" = \"b\"\n");
    world.build(&["--out", "two"]).ok();
    let out = world.run(&["diff", "one", "two"]).ok();
    for line in ["+ certs  1", "- hello  2:1.4+git1-3", "~ /etc/motd", "- /usr/bin/hello"] {
        assert!(out.stdout.contains(line), "{line} in\n{}", out.stdout);
    }
    world.run(&["diff", "one", "one"]).ok();
    assert_eq!(world.run(&["diff", "one", "one"]).ok().stdout, "linux/amd64: no difference\n");
}

#[test]
fn one_flipped_byte_in_an_image_is_named() {
    let world = hello();
    world.recipe("debian.packages = [\"hello\"]\n");
    world.build(&[]).ok();
    let image = inspect(&world, "out/made");
    let platform = &image["platforms"][0];
    for digest in
        [&image["digest"], &platform["digest"], &platform["config_digest"], &platform["layers"][0]["digest"]]
    {
        let digest = digest.as_str().expect("a digest").strip_prefix("sha256:").expect("a prefix");
        let path = world.sandbox.path(format!("out/made/blobs/sha256/{digest}"));
        let whole = std::fs::read(&path).expect("a blob");
        let mut flipped = whole.clone();
        let middle = flipped.len() / 2;
        flipped[middle] ^= 1;
        std::fs::remove_file(&path).expect("ours");
        std::fs::write(&path, flipped).expect("ours");
        world.run(&["inspect", "out/made"]).exits(5).says("HP508").says(digest);
        // The next build notices too, and mends it.
        world.build(&[]).ok();
        assert!(std::fs::read(&path).expect("a blob") == whole);
    }
}
