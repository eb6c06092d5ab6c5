//! Texts that name what is opened: PAM's files, and the name services.

use crate::support::{Deb, World};
use crate::{LIB, lacks, library, needed, shared, taken, takes, world};

fn module(name: &str) -> String {
    format!("{LIB}/security/{name}.so")
}

fn modules() -> Deb {
    let deb = Deb::new("libpam-modules", "1");
    ["pam_unix", "pam_deny", "pam_old"]
        .iter()
        .fold(deb, |deb, name| deb.file(&module(name), shared().build(), 0o644))
}

#[test]
fn modules_that_a_pam_file_names_come_along() {
    let text =
        "# pam_old.so\nauth\trequired pam_unix.so nullok\n@include common\nauth x /etc/../pam_old.so\n";
    let app = Deb::new("app", "1").file("/etc/pam.d/app", text, 0o644).depends("libpam-modules");
    let world = world(&[app, modules()], "");
    let paths = ["pam_unix", "pam_deny", "pam_old"].map(module);
    assert_eq!(taken(&world, &paths.each_ref().map(String::as_str)), [&module("pam_unix")]);
    assert_eq!(needed(&world, &module("pam_unix")), ["/etc/pam.d/app as opened a PAM module"]);
    // What the recipe writes counts like what a package has.
    takes(&world, "[files]\n\"/etc/pam.d/app\" = \"auth required pam_deny.so\\n\"\n");
    assert_eq!(taken(&world, &paths.each_ref().map(String::as_str)), [&module("pam_deny")]);
}

fn nss(name: &str) -> String {
    format!("{LIB}/libnss_{name}.so.2")
}

/// Name services in reach of `app`, which has nothing to do with them.
fn services() -> World {
    let app = Deb::new("app", "1").file("/usr/share/app", "x", 0o644).depends("libnss-systemd, libnss-ldapd");
    world(&[app, library("libnss-systemd", &nss("systemd")), library("libnss-ldapd", &nss("ldap"))], "")
}

#[test]
fn name_services_of_a_text_are_libraries_that_must_be_there() {
    let world = services();
    let paths = [nss("ldap"), nss("systemd")];
    let paths = paths.each_ref().map(String::as_str);
    takes(
        &world,
        "files.\"/etc/nsswitch.conf\" = \"passwd: files ldap [!UNAVAIL=return]\\nhosts: dns # systemd\\n\"\n",
    );
    assert_eq!(taken(&world, &paths), [nss("ldap")]);
    assert_eq!(needed(&world, paths[0]), ["/etc/nsswitch.conf as opened libnss_ldap.so.2"]);
    takes(&world, "files.\"/etc/nsswitch.conf\" = \"hosts: files gone\\n\"\n");
    lacks(&world, "HP317", "`/etc/nsswitch.conf` needs the library `libnss_gone.so.2`");
    takes(
        &world,
        "files.\"/etc/nsswitch.conf\" = \"hosts: files gone\\n\"\nclosure.skip.\"libnss_gone.so.2\" = \"no hosts\"\n",
    );
    world.build(&[]).ok();
}

#[test]
fn name_services_that_the_recipe_asks_for_in_its_own_words_are_needed_like_those_of_a_text() {
    let world = services();
    takes(&world, "system.nsswitch = { passwd = \"files systemd\" }\n");
    assert_eq!(taken(&world, &[&nss("systemd")]), [&nss("systemd")]);
    assert_eq!(needed(&world, &nss("systemd")), ["/etc/nsswitch.conf as opened libnss_systemd.so.2"]);
    takes(&world, "system.nsswitch = { hosts = \"files gone\" }\n");
    lacks(&world, "HP317", "`/etc/nsswitch.conf` needs the library `libnss_gone.so.2`");
}

#[test]
fn a_text_that_is_none_or_far_too_long_names_nothing() {
    let long = format!("{}\nauth x pam_unix.so\n", "# ".repeat(40_000));
    let app = Deb::new("app", "1")
        .file("/etc/pam.d/bytes", b"\xff\xfe\0 pam_unix.so ", 0o644)
        .file("/etc/pam.d/long", long, 0o644)
        .depends("libpam-modules");
    assert!(taken(&world(&[app, modules()], ""), &[&module("pam_unix")]).is_empty());
}
