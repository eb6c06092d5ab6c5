//! The same recipe and lock give the same bytes, whoever builds, wherever, however, whenever.

#![allow(clippy::disallowed_methods)] // tests are their own host

mod support;

use std::path::Path;

use serde_json::Value;
use support::{AARCH64, Archive, Codec, Deb, Elf, ElfKind, Sandbox, X86_64};

/// A small world: two recipes on a made archive, with what is hard to keep the same in it.
fn world() -> Archive {
    let mut archive = Archive::new("made");
    for (arch, machine) in [("amd64", X86_64), ("arm64", AARCH64)] {
        let library = Elf::new(machine, ElfKind::Shared).soname("libmade.so.1").build();
        let program = Elf::new(machine, ElfKind::Exec).needed("libmade.so.1").build();
        let triplet = if arch == "amd64" { "x86_64-linux-gnu" } else { "aarch64-linux-gnu" };
        let libmade = Deb::new("libmade1", "1.2-1")
            .arch(arch)
            .file(&format!("/usr/lib/{triplet}/libmade.so.1.2"), library, 0o644)
            .symlink(&format!("/usr/lib/{triplet}/libmade.so.1"), "libmade.so.1.2");
        archive.add("trixie", "main", libmade.build());
        let app = Deb::new("app", "3.1-2").arch(arch).depends("libmade1 (>= 1.0)").data_codec(Codec::Zstd);
        let app = app
            .file("/usr/bin/app", program, 0o4755)
            .file("/usr/share/app/data", vec![b'x'; 3 << 20], 0o640)
            .owner(7, 8)
            .hardlink("/usr/share/app/same", "/usr/share/app/data")
            .file("/usr/share/app/näme with blanks", "text", 0o644)
            .mtime(1_650_000_000)
            .file("/usr/share/man/man1/app.1", "manual", 0o644);
        archive.add("trixie", "main", app.build());
    }
    archive.publish();
    archive
}

const BELOW: &str = r#"
name = "below"
[debian.archives.made]
suites = ["trixie"]
keys = ["made.asc"]
[debian.packages]
"libmade1" = ["/usr/lib/*/libmade.so.1*"]
[users]
app = { uid = 1000, home = "/home/app" }
[directories]
"/home/app" = { mode = "0700", owner = "app" }
"/tmp" = "1777"
[image]
user = "app"
"#;

const ABOVE: &str = r#"
name = "above"
extends = "below"
version-of = "app"
tags = ["{version}", "3"]
[debian.packages]
"app" = "runtime"
[files]
"/etc/motd" = "hello\n"
[file]
"/usr/share/app/own" = { from = "own.txt", mode = "0640", owner = "app:app" }
[links]
"/usr/bin/a" = "app"
[modes]
"/usr/bin/app" = "4755"
[policy.allow]
setuid = "it changes who it runs as"
unowned = { reason = "its data comes with numbers of its own", paths = ["/usr/share/app/*"] }
[image]
entrypoint = ["/usr/bin/app"]
env = { B = "2", A = "1" }
ports = [8080]
"#;

/// A sandbox with the recipes in `folder` and, if given, their locks.
fn sandbox(archive: &Archive, folder: &str, locks: Option<&[(String, Vec<u8>)]>) -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.env("HARDPAN_MIRROR_MADE", archive.file_url());
    for (name, text) in [("below.toml", BELOW), ("above.toml", ABOVE), ("own.txt", "own\n")] {
        sandbox.write(format!("{folder}/{name}"), text);
    }
    sandbox.write(format!("{folder}/made.asc"), archive.key().armored_public());
    for (name, bytes) in locks.unwrap_or_default() {
        sandbox.write(format!("{folder}/{name}"), bytes);
    }
    sandbox
}

fn locks(sandbox: &Sandbox) -> Vec<(String, Vec<u8>)> {
    ["below.lock", "above.lock"].map(|name| (name.to_owned(), sandbox.read(format!("r/{name}")))).into()
}

/// Every digest that a build prints: index, manifests, configurations, layers, diff ids.
fn digests(json: &str) -> Value {
    let built: Value = serde_json::from_str(json).expect("a line of JSON");
    let of = |value: &Value, name: &str| value[name].clone();
    let platform = |value: &Value| {
        let layers: Vec<Value> = value["layers"]
            .as_array()
            .expect("layers")
            .iter()
            .map(|layer| serde_json::json!([layer["digest"], layer["diff_id"]]))
            .collect();
        serde_json::json!([of(value, "platform"), of(value, "digest"), of(value, "config"), layers])
    };
    let platforms: Vec<Value> =
        built["platforms"].as_array().expect("platforms").iter().map(platform).collect();
    serde_json::json!([built["digest"], platforms])
}

fn first(archive: &Archive) -> (Value, Vec<(String, Vec<u8>)>) {
    let sandbox = sandbox(archive, "r", None);
    let output = sandbox.hardpan(&["build", "r/above.toml", "--json"]).ok();
    (digests(&output.stdout), locks(&sandbox))
}

const BUILD: [&str; 4] = ["build", "r/above.toml", "--json", "--locked"];

#[test]
fn umask_zone_locale_folder_jobs_and_epoch_variables_change_nothing() {
    let archive = world();
    let (expected, locks) = first(&archive);
    for (umask, jobs, zone, locale) in
        [(0o077, "1", "Asia/Kolkata", "de_DE.UTF-8"), (0o000, "8", "America/New_York", "C")]
    {
        let sandbox = sandbox(&archive, "r", Some(&locks));
        let run = sandbox.run(&[&BUILD[..], &["--jobs", jobs]].concat());
        let output = run.umask(umask).env("TZ", zone).env("LANG", locale).env("LC_ALL", locale).output().ok();
        assert_eq!(digests(&output.stdout), expected, "umask {umask:o}, jobs {jobs}");
    }
    let elsewhere = sandbox(&archive, "deep/down/r", Some(&locks));
    let output = elsewhere.hardpan(&["build", "deep/down/r/above.toml", "--json", "--locked"]).ok();
    assert_eq!(digests(&output.stdout), expected);
}

#[test]
fn another_user_gets_the_same_digests() {
    let archive = world();
    let (expected, locks) = first(&archive);
    let sandbox = sandbox(&archive, "r", Some(&locks));
    if !rustix::process::geteuid().is_root() {
        eprintln!("left out: only root can become another user");
        return;
    }
    sandbox.give_to(12_345);
    let output = sandbox.run(&BUILD).uid(12_345).output().ok();
    assert_eq!(digests(&output.stdout), expected);
}

#[test]
fn a_warm_store_gives_what_a_cold_one_gave() {
    let archive = world();
    let (expected, locks) = first(&archive);
    let sandbox = sandbox(&archive, "r", Some(&locks));
    for round in 0..3 {
        if round == 2 {
            std::fs::remove_dir_all(sandbox.store().join("derived")).expect("ours");
        }
        assert_eq!(digests(&sandbox.hardpan(&BUILD).ok().stdout), expected, "round {round}");
    }
    // Half of the work is done already: only one platform, or only the recipe below.
    let half = crate::sandbox(&archive, "r", Some(&locks));
    half.hardpan(&["build", "r/below.toml", "--platform", "linux/arm64"]).ok();
    assert_eq!(digests(&half.hardpan(&BUILD).ok().stdout), expected);
}

#[test]
fn relocking_unchanged_packages_gives_the_same_digests() {
    let mut archive = world();
    let (expected, locks) = first(&archive);
    archive.date(1_700_100_000).publish();
    let sandbox = sandbox(&archive, "r", Some(&locks));
    sandbox.hardpan(&["lock", "r/above.toml", "--update"]).ok();
    assert_ne!(self::locks(&sandbox), locks, "the release is a newer one");
    assert_eq!(digests(&sandbox.hardpan(&BUILD).ok().stdout), expected);
}

#[test]
fn the_order_of_mirrors_changes_nothing() {
    let archive = world();
    let (expected, locks) = first(&archive);
    let copy = tempfile::tempdir().expect("a folder");
    let copied =
        std::process::Command::new("cp").arg("-r").arg(archive.root()).arg(copy.path().join("a")).status();
    assert!(copied.expect("cp runs").success());
    let other = format!("file://{}", copy.path().join("a").display());
    for mirrors in [format!("{other} {}", archive.file_url()), format!("file:///nowhere {other}")] {
        let sandbox = sandbox(&archive, "r", Some(&locks));
        let output = sandbox.run(&BUILD).env("HARDPAN_MIRROR_MADE", &mirrors).output().ok();
        assert_eq!(digests(&output.stdout), expected, "{mirrors}");
    }
}

#[test]
fn source_date_epoch_clamps_from_above() {
    let archive = world();
    let (expected, locks) = first(&archive);
    let sandbox = sandbox(&archive, "r", Some(&locks));
    let later = sandbox.run(&BUILD).env("SOURCE_DATE_EPOCH", "2000000000").output().ok();
    assert_eq!(digests(&later.stdout), expected, "nothing is later");
    let earlier = sandbox.run(&BUILD).env("SOURCE_DATE_EPOCH", "1000000000").output().ok();
    let built: Value = serde_json::from_str(&earlier.stdout).expect("a line of JSON");
    assert_eq!(built["platforms"][0]["created"], "2001-09-09T01:46:40Z");
}

#[test]
fn archives_hold_the_same_blobs_as_the_layout() {
    let archive = world();
    let (expected, locks) = first(&archive);
    let sandbox = sandbox(&archive, "r", Some(&locks));
    let oci = sandbox.hardpan(&[&BUILD[..], &["--format", "oci-archive", "--out", "a.tar"]].concat()).ok();
    assert_eq!(digests(&oci.stdout), expected);
    let docker = ["--format", "docker-archive", "--platform", "linux/amd64", "--out", "d.tar"];
    let docker = sandbox.hardpan(&[&BUILD[..], &docker[..]].concat()).ok();
    // The same configuration and the same layers with the same diff ids.
    assert_eq!(digests(&docker.stdout)[1][0], expected[1][0]);
    let again = sandbox.read("a.tar");
    sandbox.hardpan(&[&BUILD[..], &["--format", "oci-archive", "--out", "b.tar"]].concat()).ok();
    assert!(again == sandbox.read("b.tar"), "an archive is the same to the byte");
}

#[test]
fn the_recipe_below_is_the_very_blobs_of_the_recipe_above() {
    let archive = world();
    let (above, locks) = first(&archive);
    let sandbox = sandbox(&archive, "r", Some(&locks));
    let output = sandbox.hardpan(&["build", "r/below.toml", "--json", "--locked"]).ok();
    let below = digests(&output.stdout);
    for platform in 0..2 {
        let layers = below[1][platform][3].as_array().expect("layers");
        assert!(!layers.is_empty());
        for (at, layer) in layers.iter().enumerate() {
            assert_eq!(&above[1][platform][3][at], layer);
        }
    }
}

/// The image of the made archive, pinned. If this fails, look at which digest moved: diff ids move
/// when trees, headers or generated files change; layer digests alone when a compressor changed;
/// configurations alone when the image's configuration is written differently; manifests and index
/// alone when annotations are. Every image in the world moves with them: say so in CHANGELOG.md.
#[test]
fn the_digests_of_a_made_image_are_the_pinned_ones() {
    let (found, _) = first(&world());
    let pinned: Value = serde_json::from_str(include_str!("golden/made.json")).expect("JSON");
    assert_eq!(found, pinned, "\nif the change is meant, tests/golden/made.json becomes:\n{found:#}");
    assert!(Path::new("CHANGELOG.md").exists());
}
