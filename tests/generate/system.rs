//! Accounts' homes, name services, os-release, alternatives, time zones, locales.

use crate::support::{Deb, World};
use crate::{refused, world};

const RELEASE: &str = "PRETTY_NAME=\"Debian\"\nID=debian\nVERSION_ID=\"13\"\n";

fn files() -> Deb {
    Deb::new("base-files", "13")
        .file("/usr/lib/os-release", RELEASE, 0o644)
        .symlink("/etc/os-release", "../usr/lib/os-release")
}

#[test]
fn homes_of_users_are_made_unless_they_are_nowhere_or_not_ours() {
    let users = "[users]\nroot = { uid = 0, home = \"/root\" }\napp = { uid = 7, gid = 8, home = \"/srv/app\" }\n\
                 none = 9\ndev = { uid = 10, home = \"/dev/shm\" }\nbad = { uid = 11, home = \"no path\" }\n\
                 said = { uid = 12, home = \"/said\" }\n[directories]\n\"/said\" = \"0711\"\n";
    let world = world(&[Deb::new("hello", "1")], users);
    world.build(&[]).ok();
    let image = world.image();
    let item = |path: &str| (image.item(path).mode, image.item(path).owner);
    assert_eq!(item("/srv/app"), (0o700, (7, 8)));
    assert_eq!(item("/root"), (0o700, (0, 0)));
    assert_eq!(item("/said").0, 0o711);
    assert_eq!(item("/tmp"), (0o1777, (0, 0)));
    for path in ["/nonexistent", "/dev/shm", "/no path", "/etc/shadow"] {
        assert!(!image.has(path), "{path}");
    }
}

#[test]
fn name_services_are_written_where_a_libc_comes_or_the_recipe_speaks_of_them() {
    let libc = || Deb::new("libc6", "2.41-1").file("/usr/lib/x", "x", 0o644);
    let world = world(&[libc()], "");
    world.build(&[]).ok();
    assert_eq!(world.image().text("/etc/nsswitch.conf"), "passwd: files\ngroup: files\nhosts: files dns\n");
    world.recipe("system.nsswitch = { hosts = \"dns [!UNAVAIL=return] files\", services = \"files\" }\n");
    world.build(&[]).ok();
    let text = "hosts: dns [!UNAVAIL=return] files\nservices: files\npasswd: files\ngroup: files\n";
    assert_eq!(world.image().text("/etc/nsswitch.conf"), text);
    world.recipe("files.\"/etc/nsswitch.conf\" = \"mine\"\ndebian.packages = [\"libc6\"]\n");
    world.build(&[]).ok();
    assert_eq!(world.image().text("/etc/nsswitch.conf"), "mine");
    world.recipe("system.nsswitch = { hosts = \"files\\npasswd: evil\", \"a b\" = \"files\" }\n");
    assert_eq!(refused(&world, "HP304").stderr.matches("error[").count(), 2);
}

#[test]
fn fields_of_os_release_are_set_over_debians_and_read_back_by_a_shell() {
    let world = world(
        &[files()],
        "[system.os-release]\nVARIANT_ID = \"x\"\nPRETTY_NAME = '''a \"b\" $HOME `id` \\ 'c' é'''\n",
    );
    world.build(&[]).ok();
    let image = world.image();
    assert_eq!(image.item("/etc/os-release").link, "../usr/lib/os-release");
    let text = image.text("/usr/lib/os-release");
    assert!(text.starts_with("ID=debian\nVERSION_ID=\"13\"\n"), "{text}");
    let script = format!("{text}\nprintf '%s|%s|%s' \"$PRETTY_NAME\" \"$VARIANT_ID\" \"$ID\"");
    let read = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
    assert_eq!(String::from_utf8(read.stdout).unwrap(), "a \"b\" $HOME `id` \\ 'c' é|x|debian");
}

#[test]
fn fields_that_would_break_os_release_are_refused() {
    let world = world(&[files()], "");
    for field in [
        "lower = \"x\"",
        "A-B = \"x\"",
        "A = \"x\\ny\"",
        "\"A=1\\nB\" = \"x\"",
        "ID = \"corp\"",
        "VERSION_ID = \"1\"",
        "\"\" = \"x\"",
    ] {
        world.recipe(&format!("debian.packages = [\"base-files\"]\n[system.os-release]\n{field}\n"));
        refused(&world, "HP304");
    }
    world.recipe("[system.os-release]\nVARIANT = \"x\"\n");
    refused(&world, "HP307").says("base-files");
}

#[test]
fn an_alternative_is_two_links_to_a_program_that_is_there() {
    let mawk = Deb::new("mawk", "1").file("/usr/bin/mawk", "x", 0o755);
    let world = world(&[mawk], "[system.alternatives]\n\"/bin/awk\" = \"/usr/bin/mawk\"\n");
    world.build(&[]).ok();
    let image = world.image();
    assert_eq!(image.item("/usr/bin/awk").link, "/etc/alternatives/awk");
    assert_eq!(image.item("/etc/alternatives/awk").link, "/usr/bin/mawk");
    for (link, target, code) in [
        ("/usr/bin/awk", "/usr/bin/gawk", "HP307"),
        ("/usr/bin/mawk", "/usr/bin/mawk", "HP304"),
        ("usr/bin/awk", "/usr/bin/mawk", "HP304"),
        ("/usr/bin/../awk", "/usr/bin/mawk", "HP304"),
        ("/etc/alternatives/awk", "/usr/bin/mawk", "HP304"),
        ("/usr/bin/awk", "/etc/alternatives/awk", "HP304"),
        ("/usr/bin/awk", "../mawk", "HP304"),
        ("/", "/usr/bin/mawk", "HP304"),
    ] {
        let text =
            format!("debian.packages = [\"mawk\"]\n[system.alternatives]\n\"{link}\" = \"{target}\"\n");
        world.recipe(&text);
        refused(&world, code);
    }
    let two = "\"/usr/bin/awk\" = \"/usr/bin/mawk\"\n\"/opt/awk\" = \"/usr/bin/mawk\"\n";
    world.recipe(&format!("debian.packages = [\"mawk\"]\n[system.alternatives]\n{two}"));
    refused(&world, "HP304").says("one name");
    let over = Deb::new("gawk", "1").file("/usr/bin/awk", "x", 0o755);
    let mawk = Deb::new("mawk", "1").file("/usr/bin/mawk", "x", 0o755);
    let world = crate::world(&[mawk, over], "[system.alternatives]\n\"/usr/bin/awk\" = \"/usr/bin/mawk\"\n");
    refused(&world, "HP316");
}

fn zones() -> Deb {
    Deb::new("tzdata", "1")
        .file("/usr/share/zoneinfo/Etc/UTC", "TZif0", 0o644)
        .symlink("/usr/share/zoneinfo/UTC", "Etc/UTC")
        .file("/usr/share/zoneinfo/Europe/Zurich", "TZif1", 0o644)
        .symlink("/usr/share/zoneinfo/Europe/Busingen", "Zurich")
        .symlink("/usr/share/zoneinfo/Arctic/Longyearbyen", "../Europe/Zurich")
        .file("/usr/share/zoneinfo/Asia/Tokyo", "TZif2", 0o644)
        .file("/usr/share/zoneinfo/zone.tab", "tab", 0o644)
}

fn kept(policy: &str) -> Vec<String> {
    let world = world(&[zones()], &format!("[system]\n{policy}\n"));
    world.build(&[]).ok();
    let image = world.image();
    let names = image.items.keys().filter_map(|path| path.strip_prefix("/usr/share/zoneinfo/"));
    names.map(|name| name.trim_end_matches('/').to_owned()).collect()
}

#[test]
fn time_zones_stay_with_what_they_link_to() {
    assert_eq!(kept("timezones = \"all\"").len(), 11);
    assert_eq!(kept("timezones = \"none\""), ["zone.tab"]);
    assert_eq!(kept("timezones = [\"UTC\"]"), ["Etc", "Etc/UTC", "UTC", "zone.tab"]);
    let arctic = ["Arctic", "Arctic/Longyearbyen", "Europe", "Europe/Zurich", "zone.tab"];
    assert_eq!(kept("timezones = [\"Arctic/*\"]"), arctic);
}

#[test]
fn zones_that_are_not_there_are_named_with_the_nearest() {
    let world = world(&[zones()], "[system]\ntimezones = [\"Europe/Zürich\"]\n");
    refused(&world, "HP307").says("Europe/Zurich`?");
    for (text, code) in [
        ("timezone = \"Europe/Zürich\"", "HP304"),
        ("timezone = \"../../etc/passwd\"", "HP304"),
        ("timezone = \"Europe\"", "HP307"),
        ("timezone = \"Mars/Olympus\"", "HP307"),
        ("timezones = \"some\"", "HP304"),
        ("timezones = []", "HP304"),
        ("timezones = [\"Europe/*\"]\ntimezone = \"Asia/Tokyo\"", "HP307"),
    ] {
        world.recipe(&format!("debian.packages = [\"tzdata\"]\n[system]\n{text}\n"));
        refused(&world, code);
    }
    world.recipe("system.timezones = \"none\"\n");
    refused(&world, "HP307").says("takes no time zones");
}

#[test]
fn the_local_zone_is_a_link_and_a_name() {
    let world = world(&[zones()], "[system]\ntimezone = \"Europe/Busingen\"\n");
    world.build(&[]).ok();
    let image = world.image();
    assert_eq!(image.item("/etc/localtime").link, "/usr/share/zoneinfo/Europe/Busingen");
    assert_eq!(image.text("/etc/timezone"), "Europe/Busingen\n");
}

#[test]
fn locales_are_whole_and_alone() {
    let folder = "/usr/lib/locale";
    let all = Deb::new("locales-all", "2")
        .file(&format!("{folder}/aa_DJ.utf8/LC_CTYPE"), "ctype", 0o644)
        .file(&format!("{folder}/aa_DJ.utf8/LC_TIME"), "aa", 0o644)
        .file(&format!("{folder}/de_CH.utf8/LC_TIME"), "de", 0o644)
        .symlink(&format!("{folder}/de_CH.utf8/LC_CTYPE"), "../de_AT.utf8/LC_CTYPE")
        .symlink(&format!("{folder}/de_AT.utf8/LC_CTYPE"), "../aa_DJ.utf8/LC_CTYPE")
        .symlink(&format!("{folder}/de_AT.utf8/LC_NAME"), "../gone/LC_NAME");
    let c = Deb::new("libc-bin", "2").file(&format!("{folder}/C.utf8/LC_CTYPE"), "c", 0o644).file(
        "/usr/bin/x",
        "x",
        0o755,
    );
    let world = World::new(&[all, c]);
    world.recipe("system.locales = [\"de_CH.UTF-8\", \"C.UTF-8\"]\n");
    world.build(&[]).ok();
    let image = world.image();
    assert_eq!(image.text(&format!("{folder}/de_CH.utf8/LC_CTYPE")), "ctype");
    assert_eq!(image.text(&format!("{folder}/de_CH.utf8/LC_TIME")), "de");
    assert_eq!(image.text(&format!("{folder}/C.utf8/LC_CTYPE")), "c");
    assert!(
        !image
            .items
            .keys()
            .any(|path| path.contains("aa_DJ") || path.contains("de_AT") || path == "/usr/bin/x")
    );
    world.recipe("system.locales = [\"de_CX.UTF-8\"]\n");
    refused(&world, "HP307").says("it has `de_C");
    for bad in ["../x", "a/b", "", ".", "a b"] {
        world.recipe(&format!("system.locales = [\"{bad}\"]\n"));
        refused(&world, "HP304");
    }
}

#[test]
fn a_variant_changes_the_system_key_by_key() {
    let text = "[system]\ntimezone = \"UTC\"\nalternatives = { \"/usr/bin/a\" = \"/usr/share/zoneinfo/zone.tab\" }\n\
                [variant.dev]\nreplace.system.timezone = \"Asia/Tokyo\"\n\
                add.system.alternatives.\"/usr/bin/b\" = \"/usr/share/zoneinfo/zone.tab\"\n";
    let world = world(&[zones()], text);
    world.build(&["--variant", "dev", "--out", "out/made"]).ok();
    let image = world.image();
    assert_eq!(image.text("/etc/timezone"), "Asia/Tokyo\n");
    assert!(image.has("/usr/bin/a") && image.has("/usr/bin/b"));
}

#[test]
fn packages_that_the_system_is_made_of_are_needed() {
    let world = world(&[zones()], "[system]\ntimezones = [\"Europe/*\"]\n");
    world.recipe("system.timezones = [\"Europe/*\"]\ndebian.packages = [\"tzdata\"]\n");
    assert!(!world.build(&[]).ok().stderr.contains("HP320"));
    world.recipe("debian.packages = [\"tzdata\"]\n");
    world.build(&[]).ok().says("needs the package `tzdata`");
    let certs = Deb::new("ca-certificates", "1").file("/usr/share/ca-certificates/a.crt", "AAA\n", 0o644);
    let world = crate::world(&[certs], "");
    world.recipe("drop = [\"/usr/share/ca-certificates/**\"]\ndebian.packages = [\"ca-certificates\"]\n");
    assert!(!world.build(&[]).ok().stderr.contains("HP320"));
}
