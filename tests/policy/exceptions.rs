//! Exceptions: which paths they are for, what is said of those that nothing needs, and variants.

use crate::support::Deb;
use crate::{all, config, head, recipe, refused, with, world};

fn two_shells() -> Deb {
    with("/usr/bin/dash", "d", 0o755).file("/usr/bin/bash", "b", 0o755).symlink("/usr/bin/sh", "dash")
}

#[test]
fn an_exception_for_all_holds_for_all() {
    let world = world(&[two_shells()]);
    recipe(&world, &all(&world), "shell = \"hooks run by it\"");
    let out = world.build(&[]).ok().says("Allowed shell: hooks run by it");
    assert!(!out.stderr.contains("warning[HP610]"), "{}", out.stderr);
}

#[test]
fn an_exception_for_paths_holds_for_these_and_for_links_to_them() {
    let world = world(&[two_shells()]);
    recipe(&world, &all(&world), "shell = { reason = \"r\", paths = [\"/usr/bin/dash\"] }");
    let out = refused(&world)
        .says("`/usr/bin/bash` of package `thing` is a shell")
        .says("add it to the `paths` of `shell`");
    assert!(!out.stderr.contains("/usr/bin/sh "), "{}", out.stderr);
    recipe(&world, &all(&world), "shell = { reason = \"r\", paths = [\"/usr/bin/{da,ba}sh\"] }");
    world.build(&[]).ok();
}

#[test]
fn an_exception_for_paths_is_none_for_the_configuration() {
    let world = world(&[with("/usr/share/x", "x", 0o644)]);
    let takes = format!("image.env = {{ PASSWORD = \"x\" }}\n{}", all(&world));
    recipe(&world, &takes, "secrets = { reason = \"r\", paths = [\"/**\"] }");
    refused(&world).says("named after a password");
    recipe(&world, &takes, "secrets = \"the password of a test\"");
    world.build(&[]).ok();
}

#[test]
fn an_exception_that_nothing_needs_is_a_warning_and_no_label() {
    let world = world(&[two_shells()]);
    let allows = "shell = { reason = \"r\", paths = [\"/usr/bin/*sh\", \"/opt/**\"] }\nsetuid = \"s\"";
    recipe(&world, &all(&world), allows);
    let out = world.build(&[]).ok();
    for words in [
        "warning[HP610]: nothing in the image needs the exception to `setuid`",
        "warning[HP610]: `/opt/**` allows nothing that breaks the rule `shell`",
    ] {
        assert!(out.stderr.contains(words), "{words}: {}", out.stderr);
    }
    assert_eq!(out.stderr.matches("warning[HP610]").count(), 2, "{}", out.stderr);
    let labels = config(&world, "out/made")["Labels"].clone();
    assert_eq!(labels["dev.hardpan.policy.shell"], "r");
    assert!(labels["dev.hardpan.policy.setuid"].is_null(), "{labels}");
    // As clear when everything is cached.
    let again = world.build(&[]).ok().says("1 of 1 reused");
    assert_eq!(again.stderr.matches("warning[HP610]").count(), 2, "{}", again.stderr);
}

#[test]
fn a_variant_says_its_own_exceptions() {
    let world = world(&[two_shells()]);
    let variant = |allow: &str| {
        let text = format!(
            "{}debian.packages.thing = [\"/usr/share/thing\"]\n[variant.dev]\n\
             replace.debian.packages.thing = \"all\"\n{allow}",
            head("made")
        );
        world.sandbox.write("made.toml", text);
    };
    variant("");
    world.build(&[]).ok();
    let out = world.build(&["--variant", "dev"]).exits(6);
    // What it says is where it goes, word for word.
    let lines: Vec<&str> = out.stderr.lines().map(str::trim).collect();
    let at =
        lines.iter().position(|line| *line == "[variant.dev.add.policy.allow]").expect("where to write it");
    variant(&format!("{}\n{}\n", lines[at], lines[at + 1]));
    world.build(&["--variant", "dev"]).ok();
    world.build(&[]).ok();
    assert!(config(&world, "out/made")["Labels"]["dev.hardpan.policy.shell"].is_null());
    assert_eq!(config(&world, "out/made-dev")["Labels"]["dev.hardpan.policy.shell"], "why");
}

#[test]
fn another_reason_changes_labels_and_no_layer() {
    let world = world(&[two_shells()]);
    recipe(&world, &all(&world), "shell = \"one\"");
    world.build(&[]).ok();
    recipe(&world, &all(&world), "shell = \"another\"");
    world.build(&[]).ok().says("1 of 1 reused");
    assert_eq!(config(&world, "out/made")["Labels"]["dev.hardpan.policy.shell"], "another");
}

#[test]
fn an_exception_for_one_platform_is_needed_if_that_one_needs_it() {
    let mut archive = crate::Archive::new("made");
    for arch in ["amd64", "arm64"] {
        let deb = Deb::new("thing", "1").arch(arch).file("/usr/share/thing", arch, 0o644);
        let deb = if arch == "arm64" { deb.file("/usr/bin/dash", "x", 0o755) } else { deb };
        archive.add("trixie", "main", deb.build());
    }
    let world = crate::World::over(archive);
    let both = head("made").replace("[\"linux/amd64\"]", "[\"linux/amd64\", \"linux/arm64\"]");
    world.sandbox.write("made.toml", format!("{both}{}", all(&world)));
    refused(&world).says("`/usr/bin/dash`");
    world.sandbox.write("made.toml", format!("{both}{}[policy.allow]\nshell = \"r\"\n", all(&world)));
    let out = world.build(&[]).ok();
    assert!(!out.stderr.contains("warning[HP610]"), "{}", out.stderr);
    let said = world.run(&["inspect", "out/made", "--json"]).ok().stdout;
    let said: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    let exceptions = |at: usize| said["platforms"][at]["exceptions"].clone();
    assert_eq!((exceptions(0), exceptions(1)), (serde_json::json!({}), serde_json::json!({ "shell": "r" })));
}
