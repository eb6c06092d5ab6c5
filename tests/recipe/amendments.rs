//! Variants and what differs between platforms, as they show in the image.

use crate::support::{Archive, Deb, Image, World};

fn world(rest: &str) -> World {
    let mut archive = Archive::new("made");
    for arch in ["amd64", "arm64"] {
        for name in ["hello", "shell"] {
            let deb = Deb::new(name, "1.0").arch(arch).file(&format!("/usr/bin/{name}"), arch, 0o755);
            archive.add("trixie", "main", deb.build());
        }
    }
    let world = World::over(archive);
    let head = World::head("made").replace("[\"linux/amd64\"]", "[\"linux/amd64\", \"linux/arm64\"]");
    world.sandbox.write("made.toml", head + rest);
    world
}

const RECIPE: &str = r#"
[debian.packages]
hello = ["/usr/bin/*"]

[links]
"/usr/bin/one" = "hello"
"/usr/bin/two" = "hello"

[image]
user = 65532
entrypoint = ["/usr/bin/hello"]
env = { A = "1", B = "2" }
"#;

#[test]
fn a_variant_adds_replaces_and_removes() {
    let variant = r#"
[variant.dev]
add.debian.packages = { shell = ["/usr/bin/shell"] }
add.image = { env = { C = "3" }, workdir = "/" }
replace.image = { user = 0, entrypoint = ["/usr/bin/shell"] }
replace.links = { "/usr/bin/one" = "shell" }
remove.links = ["/usr/bin/two"]
remove.image.env = ["A"]
"#;
    let world = world(&format!("{RECIPE}{variant}"));
    let build = |more: &[&str]| {
        world.build(&[&["--platform", "linux/amd64"], more].concat()).ok();
    };
    build(&[]);
    build(&["--variant", "dev"]);
    let (plain, dev) = (world.image(), Image::open(&world.sandbox.path("out/made-dev")));
    assert!(plain.has("/usr/bin/two") && !plain.has("/usr/bin/shell"));
    assert!(!dev.has("/usr/bin/two") && dev.has("/usr/bin/shell") && dev.has("/usr/bin/hello"));
    assert_eq!((&*plain.item("/usr/bin/one").link, &*dev.item("/usr/bin/one").link), ("hello", "shell"));
    let of = |image: &Image, key: &str| image.config["config"][key].clone();
    assert_eq!((of(&plain, "User"), of(&dev, "User")), ("65532:65532".into(), "0:0".into()));
    assert_eq!(of(&dev, "Entrypoint"), serde_json::json!(["/usr/bin/shell"]));
    assert_eq!(of(&dev, "WorkingDir"), "/");
    let env = |image: &Image| of(image, "Env").to_string();
    assert!(env(&plain).contains("A=1") && env(&plain).contains("B=2") && !env(&plain).contains("C=3"));
    assert!(!env(&dev).contains("A=1") && env(&dev).contains("B=2") && env(&dev).contains("C=3"));
}

#[test]
fn a_platform_adds_replaces_and_removes_for_itself_only() {
    let platform = r#"
[platform."linux/arm64"]
add.debian.packages = { shell = ["/usr/bin/shell"] }
replace.links = { "/usr/bin/one" = "shell" }
remove.links = ["/usr/bin/two"]
"#;
    let world = world(&format!("{RECIPE}{platform}"));
    world.build(&[]).ok();
    let images = Image::all(&world.sandbox.path("out/made"));
    let (amd64, arm64) = (&images["amd64"], &images["arm64"]);
    assert_eq!((amd64.text("/usr/bin/hello"), arm64.text("/usr/bin/hello")), ("amd64", "arm64"));
    assert!(amd64.has("/usr/bin/two") && !amd64.has("/usr/bin/shell"));
    assert!(!arm64.has("/usr/bin/two") && arm64.has("/usr/bin/shell"));
    assert_eq!(arm64.item("/usr/bin/one").link, "shell");
}

#[test]
fn a_package_may_be_for_some_platforms_only() {
    let world = world(
        "[debian.packages]\nhello = \"all\"\nshell = { files = [\"/usr/bin/*\"], platforms = [\"linux/arm64\"] }\n",
    );
    world.build(&[]).ok();
    let images = Image::all(&world.sandbox.path("out/made"));
    assert!(!images["amd64"].has("/usr/bin/shell") && images["arm64"].has("/usr/bin/shell"));
}

#[test]
fn a_variant_that_nobody_declares_is_refused_with_those_there_are() {
    let world = world(&format!("{RECIPE}[variant.dev]\nadd.image.workdir = \"/\"\n"));
    let out = world.build(&["--variant", "dve"]).exits(3).says("error[HP312]");
    out.says("has no variant `dve`").says("`dev`");
}

#[test]
fn a_variant_that_nobody_declares_is_refused_before_anything_is_written() {
    let world = world(RECIPE);
    world.refuses("HP312", &["build", "made.toml", "--variant", "dve"]);
}

#[test]
fn a_variant_removes_tests_by_their_names_and_adds_its_own() {
    let tests = r#"
[[test]]
name  = "no shell"
run   = ["/bin/sh"]
fails = true

[variant.dev]
remove.test = ["no shell"]
add.test    = [{ name = "a shell", run = ["/bin/sh"] }]

[variant.other]
remove.test = ["no shelf"]
"#;
    let world = world(&format!("{RECIPE}{tests}"));
    let out = world.build(&["--platform", "linux/amd64", "--variant", "dev"]).exits(3);
    let gone = r#"`test."no shelf"` is not there to remove"#;
    assert!(out.stderr.contains(gone), "{}", out.stderr);
    assert!(!out.stderr.contains("no shell"), "{}", out.stderr);
}
