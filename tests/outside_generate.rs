//! What maintainer scripts would have made, held against what the real tools make of the same files:
//! real packages of Debian, the tools of this machine, and the image's own. `cargo xtask ci` installs
//! these and runs what is ignored here.

#![allow(clippy::disallowed_methods)] // tests are their own host

mod outside;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use outside::{Workshop, run, tool};
use sha2::Digest as _;

const LOW: &str = r#"
name = "low"
platforms = ["linux/amd64"]
tags = ["1"]

[debian]
suite = "trixie"

[debian.packages]
"base-files"      = ["/etc/debian_version", "/etc/os-release", "/usr/lib/os-release"]
"ca-certificates" = ["/usr/share/ca-certificates/mozilla/*.crt"]
"libc6"           = "runtime"
"libssl3t64"      = "runtime"

[file]
"/usr/lib/libone.so.1"    = "one.so"
"/usr/lib64/libwide.so.1" = "plain.so"
"#;

const UP: &str = r##"
name = "up"
extends = "low"
platforms = ["linux/amd64"]
tags = ["1"]

[debian]
suite = "trixie"

[debian.packages]
"coreutils"   = ["/usr/bin/date"]
"dash"        = ["/usr/bin/dash"]
"libc-bin"    = ["/etc/ld.so.conf", "/etc/ld.so.conf.d/*", "/usr/bin/getent", "/usr/bin/locale", "/usr/sbin/ldconfig"]
"libstdc++6"  = "runtime"
"mawk"        = ["/usr/bin/mawk"]
"shared-mime-info" = ["/usr/share/mime/packages/*"]
"login"       = ["/usr/sbin/nologin"]
"tzdata"      = "runtime"

[file]
"/opt/x/libopt.so.1"                         = "one.so"
"/opt/x/notalib.so"                          = "one.so"
"/usr/lib/libmany.so.5"                      = "plain.so"
"/usr/lib/libprogram.so.1"                   = "program"
"/usr/lib/x86_64-linux-gnu/libmany.so.5"     = "plain.so"
"/usr/lib/x86_64-linux-gnu/libone.so.1.2"    = "one.so"
"/usr/lib/x86_64-linux-gnu/glibc-hwcaps/x86-64-v2/libone.so.1"   = "one-v2.so"
"/usr/lib/x86_64-linux-gnu/glibc-hwcaps/x86-64-v3/libone.so.1.2" = "one-v3.so"

[files]
"/etc/ld.so.conf.d/x.conf" = "# more\n/opt/x/  \n/nowhere\n/srv/link\n"

[directories]
"/usr/lib/x86_64-linux-gnu/glibc-hwcaps/unused" = "0755"

[links]
"/srv/link"                               = "/opt/y"
"/opt/y/libnamed.so.1"                    = "/opt/x/libopt.so.1"
"/usr/lib/x86_64-linux-gnu/libmany.so"    = "libmany.so.5"
"/usr/lib/x86_64-linux-gnu/libother.so.9" = "libmany.so.5"
"/usr/lib/x86_64-linux-gnu/glibc-hwcaps/x86-64-v3/libone.so.1" = "libone.so.1.2"

[system]
certificates     = ["corp.pem", "twins.pem"]
java-trust-store = true
locales          = ["de_CH.UTF-8", "en_US.UTF-8", "C.UTF-8"]
timezones        = ["Europe/*", "UTC"]
timezone         = "Europe/Zurich"
os-release       = { VARIANT_ID = "up", PRETTY_NAME = 'a "b" $HOME `id`' }
alternatives     = { "/usr/bin/awk" = "/usr/bin/mawk" }
mime             = true

[image]
user = "app"

[policy.allow]
shell = "the test reads os-release by it"

[users]
root = { uid = 0, home = "/root" }
app  = { uid = 1000, home = "/home/app" }

[groups]
root = 0
app  = 1000
"##;

/// A workshop in which all of it was built, and the image's files.
fn built() -> &'static (Workshop, PathBuf) {
    static BUILT: OnceLock<(Workshop, PathBuf)> = OnceLock::new();
    BUILT.get_or_init(|| {
        let workshop = Workshop::new();
        fs::write(workshop.path("recipes/low.toml"), LOW).expect("ours");
        fs::write(workshop.path("recipes/up.toml"), UP).expect("ours");
        libraries(Path::new(&workshop.path("recipes")));
        certificates(&workshop);
        workshop.hardpan(&["build", "recipes/up.toml", "--out", "out/up"]);
        let root = workshop.unpacked("out/up:1", "amd64").join("rootfs");
        (workshop, root)
    })
}

fn root() -> &'static Path {
    &built().1
}

/// Libraries as a compiler makes them.
fn libraries(folder: &Path) {
    let source = folder.join("source.c");
    fs::write(&source, "int one(void) { return 1; }\n").expect("ours");
    let soname = "-Wl,-soname,libone.so.1";
    for (name, flags) in [
        ("plain.so", &["-shared"][..]),
        ("one.so", &["-shared", soname]),
        ("one-v2.so", &["-shared", soname, "-Wl,-z,x86-64-v2"]),
        ("one-v3.so", &["-shared", soname, "-Wl,-z,x86-64-v3"]),
        ("program", &["-no-pie", "-Wl,-e,one"]),
    ] {
        run(tool("gcc", flags).args(["-nostdlib", "-o"]).arg(folder.join(name)).arg(&source));
    }
}

/// A certificate of a team, and a file of two whose subjects are the same to OpenSSL.
fn certificates(workshop: &Workshop) {
    let made = |name: &str, subject: &str| {
        let (key, path) = (workshop.path("key.pem"), workshop.path(name));
        let more = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-utf8", "-subj", subject];
        run(tool("openssl", &["req", "-x509", "-nodes", "-keyout", &key, "-out", &path]).args(more));
        fs::read_to_string(path).expect("made")
    };
    made("recipes/corp.pem", "/C=CH/O=Corp  AG /CN=Größte Wurzel");
    let twins = [made("a.pem", "/C=CH/O=Twins/CN=Twin"), made("b.pem", "/C=CH/O=twins/CN=TWIN")];
    fs::write(workshop.path("recipes/twins.pem"), twins.concat()).expect("ours");
}

/// The links in a folder, with what of their targets is inside the image.
fn links(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("listed").path());
    let links = entries.filter(|path| path.is_symlink()).map(|path| {
        let target = fs::read_link(&path).expect("a link").display().to_string();
        let target = target.strip_prefix(&root().display().to_string()).map_or(target.clone(), Into::into);
        (path.file_name().expect("named").to_string_lossy().into_owned(), target)
    });
    links.collect()
}

#[test]
#[ignore = "needs update-ca-certificates, openssl, gcc and Debian's archive"]
fn bundle_and_links_are_those_of_update_ca_certificates() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = folder.path().join("certs");
    fs::create_dir_all(&made).expect("ours");
    fs::create_dir_all(folder.path().join("hooks")).expect("ours");
    let packaged = root().join("usr/share/ca-certificates");
    let names = fs::read_dir(packaged.join("mozilla")).expect("a folder");
    let names: BTreeSet<String> =
        names.map(|name| format!("mozilla/{}\n", name.expect("listed").file_name().display())).collect();
    assert!(names.len() > 100);
    fs::write(folder.path().join("conf"), names.into_iter().collect::<String>()).expect("ours");
    let mut command = tool("update-ca-certificates", &[]);
    command.env("LC_ALL", "C").arg("--certsconf").arg(folder.path().join("conf"));
    command.arg("--certsdir").arg(&packaged);
    command.arg("--localcertsdir").arg(root().join("usr/local/share/ca-certificates"));
    command.arg("--etccertsdir").arg(&made).arg("--hooksdir").arg(folder.path().join("hooks"));
    run(&mut command);
    let read = |folder: &Path| fs::read(folder.join("ca-certificates.crt")).expect("a bundle");
    let ours = root().join("etc/ssl/certs");
    assert!(read(&made) == read(&ours), "the bundle differs");
    let wanted = links(&made);
    assert_eq!(wanted, links(&ours));
    assert!(wanted.keys().any(|name| name.ends_with(".1")), "the twins have no hash in common");
}

#[test]
#[ignore = "needs openssl, gcc and Debian's archive"]
fn openssl_finds_a_certificate_by_its_hash() {
    let (workshop, root) = built();
    for name in ["recipes/corp.pem", "a.pem", "b.pem"] {
        let certs = root.join("etc/ssl/certs");
        // The links are absolute: their targets are this image's when a folder of copies has them.
        let copies = tempfile::tempdir().expect("a folder");
        for (name, target) in links(&certs) {
            let whole = |target: &str| target.strip_prefix('/').map(|inside| root.join(inside));
            let from = whole(&target).or_else(|| whole(&links(&certs)[&target])).expect("a link to a link");
            fs::copy(from, copies.path().join(name)).expect("copied");
        }
        let mut command = tool("openssl", &["verify", "-no-CAfile", "-no-CAstore", "-CApath"]);
        assert!(run(command.arg(copies.path()).arg(workshop.path(name))).ends_with(": OK\n"));
    }
}

#[test]
#[ignore = "needs keytool, gcc and Debian's archive"]
fn keytool_reads_every_certificate_of_the_bundle_out_of_the_trust_store() {
    let store = root().join("etc/ssl/certs/java/cacerts");
    let mut command =
        tool("keytool", &["-J-Duser.language=en", "-list", "-storepass", "changeit", "-keystore"]);
    let said = run(command.arg(&store));
    let listed: BTreeSet<String> =
        said.lines().filter_map(|line| line.split("SHA-256): ").nth(1)).map(ToOwned::to_owned).collect();
    let bundle = fs::read_to_string(root().join("etc/ssl/certs/ca-certificates.crt")).expect("a bundle");
    let fingerprint = |part: &str| {
        let base64: String = part.split("-----END").next().expect("one").split_whitespace().collect();
        let digest = sha2::Sha256::digest(STANDARD.decode(base64).expect("base64"));
        digest.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
    };
    let wanted: BTreeSet<String> =
        bundle.split("-----BEGIN CERTIFICATE-----").skip(1).map(fingerprint).collect();
    assert_eq!(listed, wanted);
    assert!(said.contains("debian:corp.pem"), "{said}");
    // A store of another password or a changed byte is told apart.
    let mut bytes = fs::read(&store).expect("a store");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let folder = tempfile::tempdir().expect("a folder");
    let broken = folder.path().join("cacerts");
    fs::write(&broken, bytes).expect("ours");
    let mut command = tool("keytool", &["-list", "-storepass", "changeit", "-keystore"]);
    assert!(!command.arg(broken).output().expect("run").status.success());
}

#[test]
#[ignore = "needs gcc, ldconfig, root and Debian's archive"]
fn the_loaders_cache_is_that_of_the_images_own_ldconfig() {
    let (workshop, root) = built();
    let ours = fs::read(root.join("etc/ld.so.cache")).expect("a cache");
    let copy = workshop.path("copy");
    run(tool("cp", &["-a"]).arg(root).arg(&copy));
    run(&mut tool("chroot", &[&copy, "/usr/sbin/ldconfig"]));
    assert!(fs::read(Path::new(&copy).join("etc/ld.so.cache")).expect("a cache") == ours, "it differs");
    // It made no link that was not there.
    let list = |folder: &Path| run(tool("find", &["-type", "l", "-printf", "%p %l\n"]).current_dir(folder));
    assert_eq!(list(Path::new(&copy)), list(root));
    let said = run(tool("ldconfig", &["-p", "-C"]).arg(root.join("etc/ld.so.cache")));
    for line in [
        "libone.so.1 (libc6,x86-64, hwcap: \"x86-64-v3\") => /lib/x86_64-linux-gnu/glibc-hwcaps/x86-64-v3/libone.so.1.2",
        "libone.so.1 (libc6,x86-64) => /opt/x/libone.so.1",
        "libmany.so (libc6,x86-64) => /lib/x86_64-linux-gnu/libmany.so",
        "Cache generated by: ldconfig (Debian GLIBC ",
    ] {
        assert!(said.contains(line), "{line}\n{said}");
    }
}

/// Runs a program of the image in it.
fn inside(environment: &[(&str, &str)], arguments: &[&str]) -> String {
    let mut command = tool("chroot", &[&root().display().to_string()]);
    run(command
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .envs(environment.iter().copied()))
}

#[test]
#[ignore = "needs gcc, root and Debian's archive"]
fn the_c_library_finds_locales_zones_and_accounts() {
    let names = inside(&[], &["/usr/bin/locale", "-a"]);
    assert_eq!(names.lines().collect::<Vec<_>>(), ["C", "C.utf8", "POSIX", "de_CH.utf8", "en_US.utf8"]);
    let day = ["/usr/bin/date", "-d", "2026-07-15 12:00Z", "+%A %Z %c"];
    assert!(inside(&[("LC_ALL", "de_CH.UTF-8")], &day).starts_with("Mittwoch CEST "));
    assert!(inside(&[("LC_ALL", "en_US.UTF-8"), ("TZ", "UTC")], &day).starts_with("Wednesday UTC "));
    let app = inside(&[], &["/usr/bin/getent", "passwd", "app"]);
    assert_eq!(app, "app:x:1000:1000:app:/home/app:/usr/sbin/nologin\n");
    assert_eq!(inside(&[], &["/usr/bin/awk", "BEGIN { print 6 * 7 }"]), "42\n");
    let script = ". /etc/os-release; echo \"$PRETTY_NAME|$VARIANT_ID|$ID\"";
    let said = inside(&[("HOME", "/h")], &["/usr/bin/dash", "-c", script]);
    assert_eq!(said, "a \"b\" $HOME `id`|up|debian\n");
}

#[test]
#[ignore = "needs pwck, grpck, gcc, root and Debian's archive"]
fn accounts_pass_the_checks_of_their_own_tools() {
    let said = run(tool("pwck", &["--read-only", "--root"]).arg(root()));
    assert!(said.trim().is_empty() || said.contains("no changes"), "{said}");
    run(tool("grpck", &["--read-only", "--root"]).arg(root()));
}

#[test]
#[ignore = "needs update-alternatives, gcc and Debian's archive"]
fn alternatives_are_linked_as_update_alternatives_links_them() {
    let folder = tempfile::tempdir().expect("a folder");
    for path in ["usr/bin", "etc/alternatives", "admin"] {
        fs::create_dir_all(folder.path().join(path)).expect("ours");
    }
    fs::copy(root().join("usr/bin/mawk"), folder.path().join("usr/bin/mawk")).expect("copied");
    let mut command = tool("update-alternatives", &["--quiet", "--root"]);
    command.arg(folder.path()).args(["--log", "/dev/null"]);
    run(command.args(["--install", "/usr/bin/awk", "awk", "/usr/bin/mawk", "5"]));
    for path in ["usr/bin/awk", "etc/alternatives/awk"] {
        let link = |root: &Path| fs::read_link(root.join(path)).expect("a link");
        assert_eq!(link(root()), link(folder.path()), "{path}");
    }
}

#[test]
#[ignore = "needs update-mime-database, gcc and Debian's archive"]
fn the_database_of_mime_types_says_what_update_mime_database_makes_it_say() {
    let folder = tempfile::tempdir().expect("a folder");
    let ours = root().join("usr/share/mime");
    run(tool("cp", &["-r"]).arg(ours.join("packages")).arg(folder.path()));
    run(tool("update-mime-database", &[]).arg(folder.path()));
    let both =
        |name: &str| [&ours, folder.path()].map(|folder: &Path| fs::read(folder.join(name)).expect(name));
    for name in ["types", "aliases", "XMLnamespaces", "magic", "treemagic"] {
        let [ours, theirs] = both(name);
        assert!(ours.len() > 500 && ours == theirs, "{name} differs");
    }
    // These it writes in the order that a hash table happens to have.
    for name in ["subclasses", "icons", "generic-icons", "globs", "globs2"] {
        let [ours, theirs] = both(name).map(|bytes| {
            let mut lines: Vec<String> =
                String::from_utf8(bytes).expect("text").lines().map(Into::into).collect();
            lines.sort();
            lines
        });
        assert_eq!(ours, theirs, "{name}");
    }
    let globs = fs::read_to_string(ours.join("globs2")).expect("text");
    let weights = globs
        .lines()
        .skip(2)
        .map(|line| line.split(':').next().expect("a weight").parse().expect("a number"));
    let weights: Vec<u8> = weights.collect();
    assert!(weights.len() > 1000 && weights.is_sorted_by(|a, b| a >= b));
}
