//! Drafts that do not build at first.

use super::made::{draft, drafted, elf, program, read, taken, tool, world};
use crate::support::Deb;

#[test]
fn a_plugin_that_needs_what_nothing_has_is_left_out_with_the_reason() {
    let deb = tool("tool").file("/usr/lib/tool/plain.so", elf(&[]), 0o644).file(
        "/usr/lib/tool/fancy.so",
        elf(&["libgone.so.7"]),
        0o644,
    );
    let text = draft(&world(&[deb]), "tool");
    let recipe = read(&text);
    assert_eq!(taken(&recipe, "tool"), ["/usr/bin/tool", "/usr/lib/tool/plain.so"]);
    assert!(text.contains("Left out: /usr/lib/tool/fancy.so: it needs libgone.so.7"), "{text}");
}

#[test]
fn a_need_of_the_program_itself_that_nothing_meets_is_said_in_the_recipe() {
    let deb = Deb::new("tool", "1").file("/usr/bin/tool", elf(&["libgone.so.7"]), 0o755);
    let recipe = read(&draft(&world(&[deb]), "tool"));
    assert!(recipe["closure"]["skip"]["libgone.so.7"].as_str().expect("a reason").contains("/usr/bin/tool"));
}

#[test]
fn of_two_packages_with_one_path_the_programs_wins() {
    let debs = [
        tool("tool").depends("tool-data").file("/usr/share/tool/both", "a", 0o644),
        Deb::new("tool-data", "1").file("/usr/share/tool/both", "b", 0o644).file(
            "/usr/share/tool/own",
            "",
            0o644,
        ),
    ];
    let recipe = read(&draft(&world(&debs), "tool"));
    assert_eq!(taken(&recipe, "tool-data"), ["/usr/share/tool/own"]);
}

#[test]
fn what_the_contents_policy_refuses_goes_or_gets_another_mode() {
    let deb = tool("tool")
        .file("/usr/lib/tool/bash", elf(&[]), 0o755)
        .file("/usr/share/tool/open", "", 0o666)
        .file("/usr/share/tool/whose", "", 0o644)
        .owner(123, 45);
    let text = draft(&world(&[deb]), "tool");
    let recipe = read(&text);
    assert!(
        text.contains("Left out: /usr/lib/tool/bash: the contents policy's rule `shell` refuses it"),
        "{text}"
    );
    assert!(recipe.get("policy").is_none(), "{text}");
    assert!(recipe["modes"].get("/usr/share/tool/open").is_some(), "{text}");
    assert_eq!(recipe["owners"]["/usr/share/tool/whose"].as_str(), Some("root:root"));
}

#[test]
fn a_folder_that_belongs_to_an_account_of_the_package_is_the_users() {
    let deb = tool("tool").dir("/etc/tool", 0o770).owner(123, 45).file("/etc/tool/tool.conf", "", 0o644);
    let recipe = read(&draft(&world(&[deb]), "tool"));
    assert_eq!(recipe["directories"]["/etc/tool"]["owner"].as_str(), Some("nonroot:nonroot"));
    assert!(recipe.get("owners").is_none(), "the file is root's");
}

#[test]
fn a_shell_that_is_the_program_is_allowed_with_a_reason() {
    let recipe = read(&draft(&world(&[tool("zsh")]), "zsh"));
    assert_eq!(program(&recipe), "/usr/bin/zsh");
    assert!(recipe["policy"]["allow"]["shell"]["reason"].as_str().is_some());
    assert_eq!(recipe["test"].as_array().unwrap().len(), 1, "it can't be said to have no shell");
}

#[test]
fn an_interpreter_that_nothing_has_is_said_in_the_recipe() {
    let deb = Deb::new("tool", "1").file("/usr/bin/tool", "#!/usr/bin/nowhere\n", 0o755);
    let recipe = read(&draft(&world(&[deb]), "tool"));
    assert!(
        recipe["closure"]["skip"]["/usr/bin/nowhere"].as_str().expect("a reason").contains("/usr/bin/tool")
    );
}

#[test]
fn a_draft_that_can_not_be_built_is_written_and_says_so() {
    // A file where another package needs a folder: nothing that a draft could leave out by itself.
    let world = world(&[tool("tool")]);
    let base = world.sandbox.text("base.toml") + "[files]\n\"/usr/bin\" = \"a file\"\n";
    world.sandbox.write("base.toml", base);
    let out = drafted(&world, "tool", &[]).ok().says("it does not build yet");
    assert!(out.stderr.contains("warning[HP3"), "{}", out.stderr);
    assert!(world.sandbox.text("tool.toml").contains("It does not build yet"));
    assert!(!world.sandbox.path("tool.lock").exists());
}
