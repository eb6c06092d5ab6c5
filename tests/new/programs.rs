//! Which program an image is for, and what it needs because it is a script.

use super::made::{draft, elf, program, read, taken, tool, world};
use crate::support::Deb;

#[test]
fn a_package_without_programs_stands_for_the_one_that_it_depends_on() {
    let debs = [
        Deb::new("db", "1").depends("db-17, adduser, helper").arch("all"),
        tool("adduser"),
        tool("helper"),
        Deb::new("db-17", "17.1-1").file("/usr/lib/db/17/bin/dbd", elf(&[]), 0o755).file(
            "/usr/bin/db-17",
            elf(&[]),
            0o755,
        ),
    ];
    let recipe = read(&draft(&world(&debs), "db"));
    assert_eq!(program(&recipe), "/usr/bin/db-17");
    assert_eq!(recipe["version-of"].as_str(), Some("db-17"));
    assert!(taken(&recipe, "adduser").is_empty());
}

#[test]
fn the_program_that_the_service_starts_wins_with_the_arguments_that_mean_something() {
    let unit =
        "[Service]\nExecStart=/usr/sbin/served --config /etc/served.conf $OPTIONS\nKillSignal=SIGQUIT\n";
    let deb = Deb::new("serve", "1")
        .file("/usr/bin/serve", elf(&[]), 0o755)
        .file("/usr/sbin/served", elf(&[]), 0o755)
        .file("/etc/served.conf", "port 8080\n", 0o644)
        .file("/usr/lib/systemd/system/serve.service", unit, 0o644);
    let recipe = read(&draft(&world(&[deb]), "serve"));
    assert_eq!(program(&recipe), "/usr/sbin/served");
    let cmd: Vec<&str> =
        recipe["image"]["cmd"].as_array().unwrap().iter().filter_map(toml::Value::as_str).collect();
    assert_eq!(cmd, ["--config", "/etc/served.conf"]);
    assert_eq!(recipe["image"]["stop-signal"].as_str(), Some("SIGQUIT"));
    assert_eq!(recipe["image"]["ports"][0].as_integer(), Some(8080));
}

#[test]
fn a_program_is_preferred_to_the_script_that_a_service_starts_it_by() {
    let unit = "[Service]\nType=forking\nExecStart=/usr/sbin/webctl start\n";
    let debs = [
        Deb::new("web", "1")
            .depends("web-bin")
            .file("/usr/sbin/webctl", "#!/bin/sh\nexec web\n", 0o755)
            .file("/usr/lib/systemd/system/web.service", unit, 0o644),
        Deb::new("web-bin", "1").source("web", "1").file("/usr/sbin/web", elf(&[]), 0o755),
    ];
    let text = draft(&world(&debs), "web");
    let recipe = read(&text);
    assert_eq!(program(&recipe), "/usr/sbin/web");
    assert_eq!(recipe["version-of"].as_str(), Some("web-bin"), "nothing is taken of `web`");
    assert!(recipe["image"].get("cmd").is_none(), "what the script was given is not for the program");
    assert!(text.contains("into the background"), "{text}");
    assert!(taken(&recipe, "web").is_empty(), "a script that nothing can run is left out: {text}");
    assert!(text.contains("Left out: /usr/sbin/webctl: nothing in the image could run it"), "{text}");
}

#[test]
fn a_name_that_only_alternatives_would_give_is_looked_for_with_an_ending() {
    let deb = Deb::new("edit", "1").file("/usr/bin/edit.tiny", elf(&[]), 0o755).file(
        "/usr/bin/other",
        elf(&[]),
        0o755,
    );
    assert_eq!(program(&read(&draft(&world(&[deb]), "edit"))), "/usr/bin/edit.tiny");
}

#[test]
fn modules_come_with_a_program_in_a_language_that_has_them() {
    let debs =
        [
            Deb::new("pytool", "1").depends("python3, python3-dep").file(
                "/usr/bin/pytool",
                "#!/usr/bin/python3\n",
                0o755,
            ),
            Deb::new("python3", "3.13")
                .depends("python3-lib")
                .symlink("/usr/bin/python3", "python3.13")
                .file("/usr/bin/python3.13", elf(&[]), 0o755),
            Deb::new("python3-lib", "3.13").file("/usr/lib/python3.13/os.py", "", 0o644).file(
                "/usr/lib/python3.13/test/x.py",
                "",
                0o644,
            ),
            Deb::new("python3-dep", "1")
                .file("/usr/lib/python3/dist-packages/dep/__init__.py", "", 0o644)
                .file("/usr/bin/dep", "#!/usr/bin/python3\n", 0o755),
        ];
    let world = world(&debs);
    let text = draft(&world, "pytool");
    let recipe = read(&text);
    assert_eq!(taken(&recipe, "python3-dep"), ["/usr/lib/python3/dist-packages/dep/__init__.py"]);
    assert!(taken(&recipe, "python3-lib").iter().all(|pattern| !pattern.contains("test")), "{text}");
    let image = crate::support::Image::open(&world.sandbox.path("out/pytool"));
    assert!(image.has("/usr/bin/python3.13"), "the closure brings the interpreter");
    assert_eq!(recipe["image"]["env"]["PYTHONDONTWRITEBYTECODE"].as_str(), Some("1"));
}

#[test]
fn a_shell_script_brings_the_shell_and_the_programs_that_it_starts_and_says_so() {
    let script = "#!/bin/sh\n# never: frob\nX=$(sed -e s/a/b/ /etc/x)\nexec /usr/lib/wrap/real \"$@\"\n";
    let debs = [
        Deb::new("wrap", "1").file("/usr/bin/wrap", script, 0o755).file(
            "/usr/lib/wrap/real",
            elf(&[]),
            0o755,
        ),
        Deb::new("dash", "1").file("/usr/bin/dash", elf(&[]), 0o755).symlink("/usr/bin/sh", "dash"),
        Deb::new("sed", "1").file("/usr/bin/sed", elf(&[]), 0o755),
        Deb::new("frob", "1").file("/usr/bin/frob", elf(&[]), 0o755),
    ];
    let debs = [
        &debs[..],
        &[
            "bash",
            "coreutils",
            "debianutils",
            "diffutils",
            "findutils",
            "grep",
            "gzip",
            "hostname",
            "libc-bin",
            "mawk",
            "ncurses-bin",
            "perl-base",
            "tar",
            "util-linux",
        ]
        .map(|name| Deb::new(name, "1")),
    ]
    .concat();
    let text = draft(&world(&debs), "wrap");
    let recipe = read(&text);
    assert_eq!(taken(&recipe, "sed"), ["/usr/bin/sed"]);
    assert!(text.contains("There is a shell in it"), "{text}");
    let reason = recipe["policy"]["allow"]["shell"]["reason"].as_str().expect("a reason");
    assert!(reason.contains("/usr/bin/wrap is a shell script"), "{reason}");
    assert!(!text.contains("frob") && !text.contains("has no shell"), "{text}");
}
