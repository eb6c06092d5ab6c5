//! Pins that are other than they were: changed in the lock, gone from the archive, other bytes there.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Fault, Layout, Registry, Server};
use crate::{Elsewhere, PROVENANCE, differences, document, inputs, leaves_only, names};

/// What a lock's entry of a package begins with.
fn head(name: &str, platform: &str) -> String {
    format!("[[package]]\nname = \"{name}\"\nplatform = \"{platform}\"\n")
}

/// An entry of a lock.
fn entry(lock: &str, name: &str, platform: &str) -> String {
    let from = lock.find(&head(name, platform)).expect("an entry");
    let rest = &lock[from..];
    rest[..rest.find("\n\n").map_or(rest.len(), |end| end + 1)].to_owned()
}

/// The lock in the provenance of an image.
fn lock(layout: &Layout) -> String {
    let said = layout.statement(PROVENANCE, &layout.index()).statement;
    said["predicate"]["buildDefinition"]["externalParameters"]["lock"].as_str().expect("a lock").to_owned()
}

/// Has the trusted key say that `hello` was pinned to 1.0 on these platforms.
pub fn older_on(elsewhere: &Elsewhere, platforms: &[&str]) {
    let other = lock(&Layout(elsewhere.sandbox.path("older")));
    let mut text = lock(&elsewhere.made());
    for platform in platforms {
        let (was, is) = (entry(&text, "hello", platform), entry(&other, "hello", platform));
        assert_ne!(was, is);
        text = text.replace(&was, &is);
    }
    elsewhere.restate(|predicate| inputs(predicate)["lock"] = json!(text));
}

/// On both.
pub fn older(elsewhere: &Elsewhere) {
    older_on(elsewhere, &["linux/amd64", "linux/arm64"]);
}

#[test]
fn a_changed_pin_is_named_with_package_layer_entry_and_byte() {
    let elsewhere = Elsewhere::new();
    older(&elsewhere);
    let out = leaves_only(&elsewhere.sandbox, &[], || elsewhere.rebuild(&[]).exits(6));
    let out =
        out.says("HP608").says("does not build again to the same bytes").says(&elsewhere.made().index());
    let lines: Vec<String> = out.stdout.lines().map(str::to_owned).collect();
    for platform in ["linux/amd64", "linux/arm64"] {
        names(&lines, &[&format!("{platform}: package hello: 1.1, rebuilt 1.0")]);
        // `hello 1.1 amd64` and `hello 1.0 amd64` part at the ninth byte.
        let entry = ["layer ", "/usr/bin/hello ", "content ", "from byte 8 on: 31 20 61", "rebuilt 30 20 61"];
        names(&lines, &[&[platform][..], &entry].concat());
    }
    assert!(!out.stdout.contains("package data"), "it is the same:\n{}", out.stdout);
    assert!(!out.stdout.contains("/usr/share/data/text"), "it is the same:\n{}", out.stdout);
    assert!(!out.stdout.lines().any(|line| line.starts_with("sha256:")), "a digest as if all were well");
    assert!(!out.stderr.contains("Same"));
}

#[test]
fn a_platform_whose_pins_are_the_same_is_not_named() {
    let elsewhere = Elsewhere::new();
    older_on(&elsewhere, &["linux/arm64"]);
    let said = document(&elsewhere.rebuild(&["--json"]).exits(6));
    let lines = differences(&said);
    names(&lines, &["linux/arm64: package hello: 1.1, rebuilt 1.0"]);
    assert!(lines.iter().all(|line| !line.contains("linux/amd64")), "{lines:?}");
}

#[test]
fn a_platform_alone_is_built_alone() {
    let (elsewhere, registry) = (Elsewhere::new(), Registry::start());
    let sandbox = &elsewhere.sandbox;
    crate::secret(sandbox, "team.pem", &crate::signed::trusted().private_pem());
    sandbox.write("keys/team.pub", crate::signed::trusted().public_pem());
    let to = format!("{}/team", registry.host());
    sandbox.hardpan(&["publish", "made", "--to", &to, "--key", "team.pem"]).ok();
    let pool = elsewhere.archive.root().join("pool");
    for path in crate::signed::files(&pool).into_keys() {
        if path.to_string_lossy().contains("hello_1.1_amd64") {
            fs::remove_file(pool.join(path)).expect("our own file");
        }
    }
    let layout = elsewhere.made();
    let rebuild = |architecture: &str| {
        let reference = format!("{to}/made@{}", layout.platform(architecture));
        sandbox.hardpan(&["rebuild", &reference, "--key", "team.pub"])
    };
    assert_eq!(rebuild("arm64").ok().stdout, format!("{}\n", layout.platform("arm64")));
    // The other one's package is the one that is gone.
    rebuild("amd64").exits(4).says("HP403");
}

#[test]
fn a_package_that_vanished_from_all_mirrors_is_named_by_its_pin() {
    let elsewhere = Elsewhere::new();
    let pool = elsewhere.archive.root().join("pool");
    let mut gone = 0;
    for (path, _) in crate::signed::files(&pool) {
        if path.to_string_lossy().contains("hello_1.1") {
            fs::remove_file(pool.join(path)).expect("our own file");
            gone += 1;
        }
    }
    assert_eq!(gone, 2);
    let out = leaves_only(&elsewhere.sandbox, &[], || elsewhere.rebuild(&["--as", "checker.pem"]).exits(4));
    let out = out.says("HP403").says("hello").says("1.1");
    assert_eq!(out.stdout, "");
    let said = document(&elsewhere.rebuild(&["--json"]).exits(4));
    assert_eq!(said["problems"][0]["code"], "HP403");
}

#[test]
fn other_bytes_for_a_pin_are_refused_and_the_package_is_named() {
    let mut elsewhere = Elsewhere::new();
    let server = Server::start(elsewhere.archive.root());
    server.fault_if(|request| request.path.contains("hello_1.1"), Fault::Garble, usize::MAX);
    elsewhere.sandbox.env("HARDPAN_MIRROR_MADE", server.url());
    let out = leaves_only(&elsewhere.sandbox, &[], || elsewhere.rebuild(&["--as", "checker.pem"]).exits(5));
    out.says("HP504").says("hello");
    // Once the mirror is whole again, so is the image.
    server.heal();
    elsewhere.rebuild(&[]).ok();
}

#[test]
fn a_pin_that_is_missing_from_the_lock_is_named() {
    let elsewhere = Elsewhere::new();
    let text = lock(&elsewhere.made());
    let text = text.replace(&entry(&text, "data", "linux/arm64"), "");
    elsewhere.restate(|predicate| inputs(predicate)["lock"] = json!(text));
    let out = leaves_only(&elsewhere.sandbox, &[], || elsewhere.rebuild(&[]));
    assert_ne!(out.code, 0);
    out.says("data");
}

#[test]
fn a_lock_is_followed_and_never_written_anew() {
    let elsewhere = Elsewhere::new();
    // The archive has moved on; a lock made today would pin 1.2.
    let mut archive = crate::signed::archive("1.1", crate::MTIME + 20 * 86_400);
    for arch in ["amd64", "arm64"] {
        archive.add("trixie", "main", crate::signed::hello("1.2", arch, crate::MTIME).build());
    }
    archive.publish();
    let run = elsewhere.sandbox.run(&["rebuild", "made", "--key", "team.pub"]);
    let out = run.env("HARDPAN_MIRROR_MADE", &archive.file_url()).output().ok();
    assert_eq!(out.stdout, format!("{}\n", elsewhere.made().index()));
}

#[test]
fn a_recipe_that_says_something_else_differs() {
    let elsewhere = Elsewhere::new();
    elsewhere.restate(|predicate| {
        let text = inputs(predicate)["recipe"]["text"].as_str().expect("a recipe").to_owned();
        inputs(predicate)["recipe"]["text"] = Value::from(text.replace("good day", "good dax"));
    });
    let lines = differences(&document(&elsewhere.rebuild(&["--json"]).exits(6)));
    names(&lines, &["linux/amd64 layer", "/etc/motd", "from byte 7 on: 79 0a rebuilt 78 0a"]);
    assert!(lines.iter().all(|line| !line.contains("package ")), "{lines:?}");
}
