//! Each rule: what breaks it, and what looks alike and does not.

use crate::support::{Deb, World};
use crate::{breaks, recipe, refused, with, world};

#[test]
fn shells_are_found_by_name_in_any_folder_of_programs() {
    for path in
        ["/bin/sh", "/usr/bin/bash", "/opt/x/bin/zsh-5.9", "/usr/lib/klibc/bin/dash", "/usr/bin/busybox"]
    {
        let merged = path.replace("/bin/sh", "/usr/bin/sh").replace("/usr/usr", "/usr");
        breaks(&world(&[with(path, "x", 0o755)]), "shell", &merged);
    }
    for path in ["/usr/bin/ssh", "/usr/share/bash", "/usr/share/completions/zsh"] {
        world(&[with(path, "x", 0o644)]).build(&[]).ok();
    }
}

#[test]
fn links_to_a_shell_are_found_through_alternatives_and_by_any_name() {
    let deb = with("/usr/bin/mksh", "x", 0o755)
        .symlink("/usr/bin/sh", "/etc/alternatives/sh")
        .symlink("/etc/alternatives/sh", "/bin/mksh")
        .symlink("/usr/bin/run-step", "mksh");
    let out = refused(&world(&[deb]));
    for link in ["/usr/bin/sh", "/etc/alternatives/sh", "/usr/bin/run-step"] {
        assert!(
            out.stderr.contains(&format!("{link} is a link to a shell, `/usr/bin/mksh`")),
            "{}",
            out.stderr
        );
    }
    // Nothing runs by a link that leads nowhere.
    world(&[with("/usr/share/x", "x", 0o644).symlink("/usr/bin/sh", "dash")]).build(&[]).ok();
}

#[test]
fn a_copy_of_a_shell_under_another_name_is_one() {
    let deb = with("/usr/bin/bash", "the shell", 0o755).file("/usr/bin/innocent", "the shell", 0o755);
    breaks(&world(&[deb]), "shell", "/usr/bin/innocent");
}

#[test]
fn package_managers_are_found_as_programs_and_as_modules() {
    for path in
        ["/usr/bin/dpkg", "/usr/bin/dpkg-deb", "/usr/bin/apt-get", "/usr/bin/pip3.13", "/usr/local/bin/npx"]
    {
        breaks(&world(&[with(path, "x", 0o755)]), "package-manager", path);
    }
    for (path, folder) in [
        ("/usr/lib/python3/dist-packages/pip/__init__.py", "/usr/lib/python3/dist-packages/pip"),
        ("/usr/lib/python3.13/ensurepip/__init__.py", "/usr/lib/python3.13/ensurepip"),
        ("/opt/node/lib/node_modules/npm/package.json", "/opt/node/lib/node_modules/npm"),
    ] {
        breaks(&world(&[with(path, "x", 0o644)]), "package-manager", folder);
    }
    world(&[with("/usr/bin/pipe", "x", 0o755).file("/var/lib/dpkg/info/x", "x", 0o644)]).build(&[]).ok();
}

#[test]
fn set_id_bits_and_capabilities_are_found_where_a_recipe_gives_them() {
    let world = world(&[
        with("/usr/bin/su", "x", 0o4755),
        Deb::new("ping", "1").file("/usr/bin/ping", "x", 0o755).xattr("security.capability", b"\x01\0\0\x02"),
    ]);
    // What a package has of it goes by itself.
    world.build(&[]).ok();
    std::fs::remove_dir_all(world.sandbox.path("out")).expect("ours");
    let takes = crate::all(&world);
    for mode in ["4755", "2755"] {
        recipe(&world, &format!("{takes}[modes]\n\"/usr/bin/su\" = \"{mode}\"\n"), "");
        breaks(&world, "setuid", "/usr/bin/su");
    }
    recipe(&world, &format!("capabilities = [\"/usr/bin/ping\"]\n{takes}"), "");
    breaks(&world, "setuid", "/usr/bin/ping");
}

#[test]
fn what_anybody_may_write_is_found_but_not_sticky_folders() {
    breaks(&world(&[with("/usr/share/open", "x", 0o666)]), "world-writable", "/usr/share/open");
    breaks(
        &world(&[with("/usr/share/x", "x", 0o644).dir("/srv/open", 0o777)]),
        "world-writable",
        "/srv/open",
    );
    let fine = with("/usr/share/x", "x", 0o664).dir("/var/spool/x", 0o1777).symlink("/usr/share/y", "x");
    world(&[fine]).build(&[]).ok();
}

#[test]
fn owners_without_an_account_are_found_and_those_with_one_are_fine() {
    let deb =
        with("/usr/share/theirs", "x", 0o644).owner(7, 0).file("/usr/share/ours", "x", 0o644).owner(0, 8);
    let world = world(&[deb]);
    let takes = crate::all(&world);
    let out = refused(&world);
    for words in [
        "/usr/share/theirs belongs to the user 7, which is no account",
        "/usr/share/ours belongs to the group 8, which is no group",
    ] {
        assert!(out.stderr.contains(words), "{}", out.stderr);
    }
    recipe(&world, &format!("{takes}[users]\nseven = 7\n"), "");
    refused(&world).says("/usr/share/ours");
    recipe(&world, &format!("{takes}[users]\nseven = 7\n[groups]\neight = 8\n"), "");
    world.build(&[]).ok();
    // A file of the recipe's own is read as the image has it.
    recipe(
        &world,
        &format!("{takes}[files]\n\"/etc/passwd\" = \"x:x:7:7::/:/x\\n\"\n\"/etc/group\" = \"y:x:8:\\n\"\n"),
        "",
    );
    world.build(&[]).ok();
}

#[test]
fn an_image_runs_as_a_number_that_is_neither_root_nor_in_its_group() {
    let world = world(&[with("/usr/share/x", "x", 0o644)]);
    let takes = crate::all(&world);
    let with_user = |user: &str| {
        let head = crate::head("made").replace("image.user = 65532\n", user);
        world.sandbox.write("made.toml", format!("{head}{takes}"));
    };
    for (user, words) in [
        ("", "runs as root, because no recipe says as whom"),
        ("image.user = 0\n", "the image runs as root"),
        ("image.user = \"65532:0\"\n", "runs in the group of root"),
        ("users.root = 0\nimage.user = \"root\"\n", "the image runs as root"),
    ] {
        with_user(user);
        refused(&world).says("rule: root: ").says(words);
    }
    with_user("users.app = 1000\nimage.user = \"app\"\n");
    world.build(&[]).ok();
    assert_eq!(crate::config(&world, "out/made")["User"], "1000:1000");
}

#[test]
fn all_that_is_wrong_is_said_at_once_with_what_to_write() {
    let world = world(&[
        with("/usr/bin/dash", "x", 0o755),
        Deb::new("other", "1").file("/usr/bin/apt", "y", 0o755).dir("/srv/open", 0o777),
    ]);
    let head = crate::head("made").replace("image.user = 65532\n", "");
    world.sandbox.write("made.toml", head + &crate::all(&world));
    let out = refused(&world);
    assert_eq!(out.stderr.matches("error[HP610]").count(), 4, "{}", out.stderr);
    for words in [
        "`/usr/bin/dash` of package `thing` is a shell",
        "`/usr/bin/apt` of package `other` is a package manager",
        "`/srv/open` of package `other` is a folder without the sticky bit",
        "[policy.allow]\n",
        "shell = { reason = \"why\", paths = [\"/usr/bin/dash\"] }",
        "root = \"why\"",
        "in `made.toml`",
    ] {
        assert!(out.stderr.contains(words), "{words}:\n{}", out.stderr);
    }
    // No lock either: nothing is half done.
    let machines = world.build(&["--json"]).exits(6);
    let said: serde_json::Value = serde_json::from_str(&machines.stdout).expect("JSON");
    let codes: Vec<&str> =
        said["problems"].as_array().expect("a list").iter().filter_map(|one| one["code"].as_str()).collect();
    assert_eq!(codes, ["HP610"; 4]);
}

#[test]
fn what_was_written_as_the_help_says_is_accepted() {
    let world = world(&[
        with("/usr/bin/dash", "x", 0o755).file("/usr/bin/apt", "x", 0o755),
        Deb::new("keys", "1").file("/etc/key.pem", crate::secrets::pem("RSA PRIVATE KEY"), 0o644),
    ]);
    let said = refused(&world).stderr;
    let lines = said.lines().map(str::trim).filter(|line| line.contains("reason = \"why\""));
    let allows: Vec<&str> = lines.collect();
    assert_eq!(allows.len(), 3, "{said}");
    recipe(&world, &crate::all(&world), &allows.join("\n"));
    world.build(&[]).ok();
}

#[test]
fn a_hundred_paths_of_one_package_are_one_problem() {
    let mut deb = Deb::new("open", "1");
    for number in 0..100 {
        deb = deb.file(&format!("/usr/share/open/{number:03}"), "x", 0o666);
    }
    let out = refused(&world(&[deb])).says("100 paths of package `open`").says("and 75 more");
    assert_eq!(out.stderr.matches("error[").count(), 1);
}

/// The world of a build that passes, for what is done to it afterwards.
pub fn fine() -> World {
    let world = world(&[with("/usr/bin/dash", "x", 0o755)]);
    recipe(&world, &crate::all(&world), "shell = \"a test needs it\"");
    world.build(&[]).ok();
    world
}
