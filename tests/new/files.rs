//! Which files are taken, and how the recipe reads.

use super::made::{draft, drafted, elf, program, read, taken, tool, world};
use crate::support::Deb;

#[test]
fn what_only_an_installed_system_uses_is_not_taken() {
    let mut deb = tool("tool").file("/etc/tool/tool.conf", "", 0o644).file("/usr/share/tool/data", "", 0o644);
    for path in [
        "/etc/init.d/tool",
        "/etc/logrotate.d/tool",
        "/usr/share/man/man1/tool.1",
        "/usr/lib/systemd/system/x.timer",
        "/usr/share/bash-completion/completions/tool",
        "/usr/include/tool.h",
    ] {
        deb = deb.file(path, "", 0o644);
    }
    let recipe = read(&draft(&world(&[deb]), "tool"));
    assert_eq!(taken(&recipe, "tool"), ["/etc/tool/tool.conf", "/usr/bin/tool", "/usr/share/tool/data"]);
}

#[test]
fn packages_of_the_same_source_give_data_and_no_other_programs() {
    let debs = [
        tool("big").depends("big-common, other-data, libbig1"),
        Deb::new("big-common", "1.2.3-1")
            .source("big", "1.2.3-1")
            .file("/usr/share/big/1", "", 0o644)
            .file("/usr/share/big/2", "", 0o644)
            .file("/usr/bin/big-helper", elf(&[]), 0o755),
        Deb::new("other-data", "1").file("/usr/share/other/1", "", 0o644),
        Deb::new("libbig1", "1").source("big", "1.2.3-1").file(
            "/usr/lib/x86_64-linux-gnu/libbig.so.1",
            elf(&[]),
            0o644,
        ),
    ];
    let recipe = read(&draft(&world(&debs), "big"));
    assert_eq!(taken(&recipe, "big-common"), ["/usr/share/big/**"]);
    assert_eq!(taken(&recipe, "other-data"), ["/usr/share/other/1"]);
    assert!(taken(&recipe, "libbig1").is_empty(), "the closure takes libraries that are needed");
}

#[test]
fn the_draft_says_what_it_is_and_what_its_base_says() {
    let world =
        world(&[tool("tool").field("Description", "says \"hello\" to \\ all").field("Section", "net")]);
    let text = draft(&world, "tool");
    let recipe = read(&text);
    assert_eq!(recipe["summary"].as_str(), Some("says \"hello\" to \\ all"));
    assert_eq!(recipe["extends"].as_str(), Some("base"));
    assert_eq!(recipe["lifecycle"]["owner"].as_str(), Some("the-team"));
    assert_eq!(recipe["platforms"].as_array().unwrap().len(), 1);
    assert_eq!(program(&recipe), "/usr/bin/tool");
    assert!(text.starts_with("# Drafted by `hardpan new --from-package tool` from tool 1.2.3-1"), "{text}");
    assert!(text.lines().all(|line| line.len() <= 120), "{text}");
    assert!(world.sandbox.path("tool.lock").exists(), "the lock that it was built with lies beside it");
}

#[test]
fn nothing_is_left_behind_and_the_result_is_told_to_machines() {
    let world = world(&[tool("tool")]);
    let out = drafted(&world, "tool", &["--json"]).ok();
    let value: serde_json::Value = serde_json::from_str(&out.stdout).expect("JSON");
    assert_eq!((value["state"].as_str(), value["recipe"].as_str()), (Some("built"), Some("tool.toml")));
    let names: Vec<String> = std::fs::read_dir(world.sandbox.path(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(names.iter().all(|name| !name.starts_with(".hardpan")), "{names:?}");
}
