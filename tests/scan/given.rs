//! What a scan is given is found out from its content; what it can't read is named, with all that was tried.

use serde_json::{Value, json};

use super::made::{MAIN, base, docker, os_release, parsed, root, sampled, stands, stanza, status, tracked};
use super::support::{Sandbox, Tarball};

#[track_caller]
fn total(sandbox: &Sandbox, arguments: &[&str]) -> u64 {
    let out = sandbox.hardpan(&[&["scan"], arguments, &["--json"]].concat()).ok();
    parsed(&out.stdout)["counts"]["total"].as_u64().expect("a count")
}

#[test]
fn what_is_nothing_that_can_be_scanned_says_what_was_tried() {
    let sandbox = sampled();
    sandbox.write("empty/file", "x");
    sandbox.write("noise", [7; 5000]);
    sandbox.write("image.tar.gz", b"\x1f\x8b\x08\0\0\0\0\0");
    sandbox.write("made.toml", "name = \"made\"\n");
    sandbox.write("null", "");
    for (what, said) in [
        ("no-such-thing", "as a reference"),
        ("empty", "it has none of `var/lib/dpkg`"),
        ("noise", "it has no header of a tar"),
        ("null", "it has no header of a tar"),
        ("image.tar.gz", "it is compressed"),
        ("made.toml", "made.lock"),
        ("\u{1b}[2J", "\\u{1b}[2J"),
    ] {
        sandbox.hardpan(&["scan", what]).exits(4).says("HP450").says(said);
    }
}

#[test]
fn what_derives_from_debian_is_refused_by_name() {
    let sandbox = sampled();
    root(&sandbox, "root", &MAIN);
    sandbox.write("root/etc/os-release", "ID=ubuntu\nID_LIKE=debian\nVERSION_ID=\"24.04\"\n");
    sandbox.hardpan(&["scan", "root"]).exits(5).says("HP561").says("ID=ubuntu");
    sandbox.hardpan(&["scan", "root", "--release=12"]).exits(5).says("HP561");
    let layer = Tarball::new().file("etc/os-release", "ID=ubuntu\nVERSION_ID=\"24.04\"\n", 0o644).file(
        "var/lib/dpkg/status",
        status(&MAIN),
        0o644,
    );
    sandbox.write("ubuntu.tar", docker(&[layer]));
    sandbox.hardpan(&["scan", "ubuntu.tar"]).exits(5).says("HP561");
    let alpine = Tarball::new().file("etc/os-release", "ID=alpine\nVERSION_ID=3.20\n", 0o644);
    sandbox.write("alpine.tar", docker(&[alpine]));
    sandbox.hardpan(&["scan", "alpine.tar"]).exits(5).says("HP561").says("ID=alpine");
    let purl = "pkg:deb/ubuntu/bash@5.2-1?arch=amd64&distro=ubuntu-24.04";
    let bom = json!({ "bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{ "type": "library", "name": "bash", "purl": purl }] });
    sandbox.write("ubuntu.json", bom.to_string());
    sandbox.hardpan(&["scan", "ubuntu.json"]).exits(5).says("HP561").says("packages of ubuntu");
    sandbox.write("scratch.tar", docker(&[Tarball::new().file("app", "elf", 0o755)]));
    sandbox.hardpan(&["scan", "scratch.tar"]).exits(5).says("HP561").says("lists no Debian packages");
}

#[test]
fn layers_lie_on_each_other_and_the_upper_one_counts() {
    let sandbox = sampled();
    let newer = [("libexpat1", "2.5.0-1+deb12u5", "expat")];
    let older = [("libexpat1", "2.5.0-1+deb12u2", "expat")];
    let upper = |tar: Tarball| docker(&[base(&older), tar]);
    sandbox.write("one.tar", docker(&[base(&older)]));
    sandbox.write("two.tar", upper(Tarball::new().file("var/lib/dpkg/status", status(&newer), 0o644)));
    assert_eq!((total(&sandbox, &["one.tar"]), total(&sandbox, &["two.tar"])), (27, 0));
    // Taken away and put there again one by one, as distroless images list packages.
    let single = Tarball::new()
        .file("var/lib/dpkg/.wh.status", "", 0o644)
        .file("var/lib/dpkg/status.d/libexpat1", stanza(&older[0]), 0o644)
        .file("var/lib/dpkg/status.d/libexpat1.md5sums", "00  usr/share/doc/libexpat1/copyright\n", 0o644);
    sandbox.write("three.tar", upper(single));
    let report = parsed(&sandbox.hardpan(&["scan", "three.tar", "--json"]).ok().stdout);
    assert_eq!((report["counts"]["total"].as_u64(), &report["subject"]["kind"]), (Some(27), &json!("image")));
    // All of it hidden: nothing is there, and that is not "nothing was found".
    sandbox.write("four.tar", upper(Tarball::new().file("var/lib/.wh.dpkg", "", 0o644)));
    sandbox.hardpan(&["scan", "four.tar"]).exits(5).says("HP561");
}

#[test]
fn files_that_are_really_there_are_counted_and_hinted_by() {
    let export = json!({ "openssl": {
        "CVE-2026-0001": stands(json!({ "status": "open" })),
        "CVE-2026-0002": stands(json!({ "status": "open" })),
    } });
    let mut export = export;
    export["openssl"]["CVE-2026-0001"]["description"] = "A crafted file makes openssl(1) crash.".into();
    let sandbox = tracked(&export);
    let list = "/.\n/usr\n/lib/x86_64-linux-gnu\n/lib/x86_64-linux-gnu/libssl.so.3\n/usr/share/doc/libssl3/copyright\n";
    let library = |tar: Tarball| {
        tar.file("usr/lib/x86_64-linux-gnu/libssl.so.3", "elf", 0o644).symlink("lib", "usr/lib").file(
            "var/lib/dpkg/info/libssl3:amd64.list",
            list,
            0o644,
        )
    };
    let ssl = [("libssl3", "3.0.20-1~deb12u2", "openssl")];
    sandbox.write("library.tar", docker(&[library(base(&ssl))]));
    let report = parsed(&sandbox.hardpan(&["scan", "library.tar", "--json"]).ok().stdout);
    assert_eq!(report["subject"]["packages"][0]["files"], 1, "the copyright file is listed and not there");
    let hint = |id: &str| {
        report["findings"].as_array().expect("findings").iter().find(|one| one["id"] == id).expect(id)["hint"]
            .clone()
    };
    assert_eq!(hint("CVE-2026-0001")["evidence"], json!(["/usr/lib/x86_64-linux-gnu/libssl.so.3"]));
    assert_eq!(hint("CVE-2026-0002"), Value::Null);
    // It counts all the same.
    assert_eq!(report["counts"]["total"], 2);
    let table = sandbox.hardpan(&["scan", "library.tar"]).ok().stdout;
    assert!(table.contains("hints, which decide nothing") && table.contains("`openssl`"), "{table}");
    // With the program there is none, wherever it is.
    let with = library(base(&[ssl[0], ("openssl", "3.0.20-1~deb12u2", "")]))
        .file("usr/bin/openssl", "elf", 0o755)
        .file("var/lib/dpkg/info/openssl.list", "/usr/bin/openssl\n", 0o644);
    sandbox.write("program.tar", docker(&[with]));
    let report = sandbox.hardpan(&["scan", "program.tar"]).ok().stdout;
    assert!(!report.contains("hint"), "{report}");
}

#[test]
fn a_program_that_is_a_link_is_no_program_that_is_missing() {
    let mut export = json!({ "redis": { "CVE-2026-0001": stands(json!({ "status": "open" })) } });
    export["redis"]["CVE-2026-0001"]["description"] = "A crafted command makes redis-server(1) crash.".into();
    let sandbox = tracked(&export);
    // As Debian has it, and as our images list it: no digest of a link.
    let version = "5:7.0.15-1~deb12u10";
    let image = |links: bool| {
        let tar = Tarball::new()
            .file("etc/os-release", os_release("12"), 0o644)
            .file("usr/bin/redis-check-rdb", "elf", 0o755)
            .file("var/lib/dpkg/status.d/redis-server", stanza(&("redis-server", version, "redis")), 0o644)
            .file("var/lib/dpkg/status.d/redis-server.md5sums", "", 0o644)
            .file("var/lib/dpkg/status.d/redis-tools", stanza(&("redis-tools", version, "redis")), 0o644)
            .file("var/lib/dpkg/status.d/redis-tools.md5sums", "00  usr/bin/redis-check-rdb\n", 0o644);
        docker(&[if links { tar.symlink("usr/bin/redis-server", "redis-check-rdb") } else { tar }])
    };
    for links in [true, false] {
        sandbox.write("image.tar", image(links));
        let report = parsed(&sandbox.hardpan(&["scan", "image.tar", "--json"]).ok().stdout);
        assert_eq!(report["findings"][0]["hint"].is_null(), links, "{:#}", report["findings"]);
    }
}

#[test]
fn a_lock_is_of_the_release_of_its_suites_and_each_platform_can_be_asked_for() {
    let sandbox = sampled();
    let package = |platform: &str, version: &str| {
        format!(
            "\n[[package]]\nname = \"libexpat1\"\nplatform = \"linux/{platform}\"\nversion = \"{version}\"\nsource = \"expat\"\nsource-version = \"{version}\"\n\
             architecture = \"{platform}\"\narchive = \"debian\"\npath = \"pool/x\"\nsize = 1\nsha256 = \"{}\"\n",
            "0".repeat(64)
        )
    };
    let lock = |suite: &str, origin: &str| {
        format!(
            "# Written by hardpan.\nversion = 1\n\n[[release]]\narchive = \"debian\"\nsuite = \"{suite}\"\norigin = \"{origin}\"\ndate = \"2026-11-01T00:00:00Z\"\nsha256 = \"{}\"\nindices = []\n{}{}",
            "0".repeat(64),
            package("amd64", "2.5.0-1+deb12u2"),
            package("arm64", "2.5.0-1+deb12u5")
        )
    };
    sandbox.write("x.lock", lock("bookworm-security", "Debian"));
    assert_eq!(total(&sandbox, &["x.lock"]), 27);
    assert_eq!(total(&sandbox, &["x.lock", "--platform", "linux/amd64"]), 27);
    assert_eq!(total(&sandbox, &["x.lock", "--platform", "arm64"]), 0);
    sandbox.hardpan(&["scan", "x.lock", "--platform", "linux/riscv64"]).exits(2).says("linux/amd64");
    sandbox.write("x.lock", lock("noble", "Ubuntu"));
    sandbox.hardpan(&["scan", "x.lock"]).exits(5).says("HP561").says("noble");
    assert_eq!(total(&sandbox, &["x.lock", "--release", "bookworm"]), 27);
    sandbox.hardpan(&["scan", "x.lock", "--release", "noble"]).exits(2).says("no release of Debian");
    // Of a recipe it is the lock beside it.
    sandbox.write("x.lock", lock("bookworm-security", "Debian"));
    sandbox.write("x.toml", "name = \"x\"\n");
    assert_eq!(total(&sandbox, &["x.toml"]), 27);
    sandbox.write("x.lock", "version = 1\n");
    assert_eq!(total(&sandbox, &["x.lock"]), 0);
    sandbox.write("x.lock", "version = 9\n");
    sandbox.hardpan(&["scan", "x.lock"]).exits(3);
}

#[test]
fn of_other_ecosystems_versions_that_are_listed_are_found_and_that_is_said() {
    let sandbox = Sandbox::new();
    let record = json!({
        "schema_version": "1.4.0", "id": "GHSA-aaaa-bbbb-cccc", "modified": "2026-11-01T00:00:00Z", "aliases": ["CVE-2026-2000"],
        "affected": [{ "package": { "ecosystem": "PyPI", "name": "some-pad" }, "versions": ["1.0"],
            "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }, { "fixed": "1.2" }] }] }],
    });
    sandbox.write("ghsa.json", record.to_string());
    sandbox.hardpan(&["advisories", "import", "ghsa.json"]).ok();
    let bom = |version: &str| {
        json!({ "bomFormat": "CycloneDX", "specVersion": "1.4", "components": [
            { "type": "library", "name": "some_pad", "version": version, "purl": format!("pkg:pypi/Some_Pad@{version}") },
        ] })
    };
    sandbox.write("one.json", bom("1.0").to_string());
    let report = parsed(&sandbox.hardpan(&["scan", "one.json", "--json"]).ok().stdout);
    assert_eq!(
        (&report["findings"][0]["id"], &report["findings"][0]["fixed"]),
        (&json!("CVE-2026-2000"), &json!("1.2"))
    );
    assert!(report["subject"]["notes"].to_string().contains("ranges are not compared"));
    sandbox.write("two.json", bom("1.1").to_string());
    assert_eq!(total(&sandbox, &["two.json"]), 0);
}

#[test]
fn of_npm_crates_and_go_ranges_are_compared_in_their_own_order() {
    let sandbox = Sandbox::new();
    // The events of a range stand in any order.
    let events = json!([{ "fixed": "2.1.0" }, { "introduced": "0" }, { "fixed": "1.10.0" }, { "introduced": "2.0.0-rc.1" }]);
    let affected = |ecosystem: &str, name: &str| {
        json!({ "package": { "ecosystem": ecosystem, "name": name },
        "ranges": [{ "type": "SEMVER", "events": events }] })
    };
    let record = json!({
        "schema_version": "1.4.0", "id": "GHSA-aaaa-bbbb-cccc", "modified": "2026-11-01T00:00:00Z", "aliases": ["CVE-2026-2000"],
        "affected": [affected("npm", "@scope/pad"), affected("crates.io", "pad"), affected("Go", "example.org/pad")],
    });
    sandbox.write("ghsa.json", record.to_string());
    sandbox.hardpan(&["advisories", "import", "ghsa.json"]).ok();
    let found = |purl: &str| {
        let bom = json!({ "bomFormat": "CycloneDX", "specVersion": "1.4", "components": [{ "type": "library", "name": "pad", "purl": purl }] });
        sandbox.write("bom.json", bom.to_string());
        let report = parsed(&sandbox.hardpan(&["scan", "bom.json", "--json"]).ok().stdout);
        (report["findings"][0]["fixed"].as_str().map(str::to_owned), report["subject"]["notes"].to_string())
    };
    for (version, fixed) in [
        ("1.9.0", Some("1.10.0")),
        ("1.10.0", None),
        ("2.0.0-beta", None),
        ("2.0.0-rc.1", Some("2.1.0")),
        ("2.1.0-rc.1", Some("2.1.0")),
        ("2.1.0", None),
    ] {
        for purl in [
            format!("pkg:npm/%40scope/pad@{version}"),
            format!("pkg:cargo/pad@{version}"),
            format!("pkg:golang/example.org/pad@v{version}"),
        ] {
            assert_eq!(found(&purl), (fixed.map(str::to_owned), "[]".to_owned()), "{purl}");
        }
    }
    let (fixed, notes) = found("pkg:npm/%40scope/pad@1.x");
    assert!(fixed.is_none() && notes.contains("`1.x` of `@scope/pad` is no version of npm"), "{notes}");
}

#[test]
fn an_sbom_inside_a_statement_is_read_and_its_subject_kept() {
    let sandbox = sampled();
    let purl = "pkg:deb/debian/libexpat1@2.5.0-1%2Bdeb12u2?arch=amd64&distro=bookworm&upstream=expat";
    let bom = json!({ "bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{ "type": "library", "name": "libexpat1", "purl": purl }] });
    let digest = "ab".repeat(32);
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1", "predicateType": "https://cyclonedx.org/bom",
        "subject": [{ "name": "made", "digest": { "sha256": digest } }], "predicate": bom,
    });
    sandbox.write("statement.json", format!("\u{feff} {statement}"));
    let report = parsed(&sandbox.hardpan(&["scan", "statement.json", "--json"]).ok().stdout);
    assert_eq!(report["subject"]["digest"], format!("sha256:{digest}"));
    assert_eq!(report["counts"]["total"], 27);
}

#[test]
fn packages_that_are_passed_over_are_named() {
    let sandbox = sampled();
    root(&sandbox, "root", &MAIN);
    let status = format!("{}Package: b@d\nVersion: 1\n\n", status(&MAIN));
    sandbox.write("root/var/lib/dpkg/status", status);
    sandbox.write("root/etc/os-release", os_release("12"));
    let out = sandbox.hardpan(&["scan", "root"]).ok().stdout;
    assert!(out.contains("an entry is broken and was passed over") && out.contains("44 found"), "{out}");
}

/// An SBOM of these package URLs.
fn bill(purls: &[&str]) -> String {
    let parts: Vec<Value> =
        purls.iter().map(|purl| json!({ "type": "library", "name": "x", "purl": purl })).collect();
    json!({ "bomFormat": "CycloneDX", "specVersion": "1.6", "components": parts }).to_string()
}

#[test]
fn a_source_package_and_a_vendor_in_any_letters_are_looked_up() {
    let sandbox = sampled();
    for purl in [
        "pkg:deb/debian/expat@2.5.0-1%2Bdeb12u2?arch=source&distro=debian-12",
        "pkg:deb/Debian/libexpat1@2.5.0-1%2Bdeb12u2?distro=debian-12&upstream=expat",
        "pkg:deb/DEBIAN/Expat@2.5.0-1%2Bdeb12u2?arch=source&distro=debian-12",
    ] {
        sandbox.write("bom.json", bill(&[purl]));
        assert_eq!(total(&sandbox, &["bom.json"]), 27, "{purl}");
    }
    // What is made of it stands for it.
    let made = "pkg:deb/debian/libexpat1@2.5.0-1%2Bdeb12u2?distro=debian-12&upstream=expat";
    sandbox.write(
        "bom.json",
        bill(&[made, "pkg:deb/debian/expat@2.5.0-1%2Bdeb12u2?arch=source&distro=debian-12"]),
    );
    let report = parsed(&sandbox.hardpan(&["scan", "bom.json", "--json"]).ok().stdout);
    assert_eq!(report["subject"]["packages"].as_array().map(Vec::len), Some(1));
    sandbox.write(
        "bom.json",
        bill(&[made, "pkg:deb/debian/expat@2.5.0-1%2Bdeb12u1?arch=source&distro=debian-12"]),
    );
    let report = parsed(&sandbox.hardpan(&["scan", "bom.json", "--json"]).ok().stdout);
    assert_eq!(report["subject"]["packages"].as_array().map(Vec::len), Some(2));
}

#[test]
fn packages_of_two_releases_are_told_apart_in_heading_and_rows() {
    let open = stands(json!({ "status": "open", "repositories": { "bookworm": "1" } }));
    let mut both = open.clone();
    both["releases"]["trixie"] = open["releases"]["bookworm"].clone();
    let sandbox = tracked(&json!({ "zlib": { "CVE-2026-0001": both } }));
    let zlib = |release: &str| format!("pkg:deb/debian/zlib1g@1.3-1?distro=debian-{release}&upstream=zlib");
    sandbox.write("bom.json", bill(&[&zlib("13"), &zlib("12")]));
    let out = sandbox.hardpan(&["scan", "bom.json"]).ok().stdout;
    assert!(out.contains("Debian 12 and 13") && out.contains("several releases of Debian: 12, 13"), "{out}");
    let rows: Vec<&str> = out.lines().filter(|line| line.contains("CVE-2026-0001")).collect();
    assert_eq!(rows.len(), 2, "{out}");
    assert!(
        rows.iter().any(|row| row.contains("Debian 12")) && rows.iter().any(|row| row.contains("Debian 13")),
        "{out}"
    );
    let text = sandbox.hardpan(&["scan", "bom.json", "--format", "markdown"]).ok().stdout;
    assert!(text.contains("Debian 12 and 13"), "{text}");
    sandbox.write("bom.json", bill(&[&zlib("13")]));
    let out = sandbox.hardpan(&["scan", "bom.json"]).ok().stdout;
    assert_eq!(out.matches("Debian 13").count(), 1, "{out}");
}

#[test]
fn a_version_of_another_ecosystem_need_not_be_one_of_debian() {
    let sandbox = Sandbox::new();
    let record = json!({
        "schema_version": "1.4.0", "id": "GHSA-aaaa-bbbb-cccc", "modified": "2026-11-01T00:00:00Z", "aliases": ["CVE-2026-2000"],
        "affected": [{ "package": { "ecosystem": "PyPI", "name": "some-pad" }, "versions": ["2!1.0"] }],
    });
    sandbox.write("ghsa.json", record.to_string());
    sandbox.hardpan(&["advisories", "import", "ghsa.json"]).ok();
    sandbox.write("bom.json", bill(&["pkg:pypi/some-pad@2%211.0", "pkg:pypi/some-pad@2!1.1"]));
    let report = parsed(&sandbox.hardpan(&["scan", "bom.json", "--json"]).ok().stdout);
    assert_eq!(
        (&report["counts"]["total"], &report["findings"][0]["installed"]),
        (&json!(1), &json!("2!1.0"))
    );
    assert!(
        !report["subject"]["notes"].to_string().contains("passed over"),
        "{}",
        report["subject"]["notes"]
    );
    // Debian's are Debian's.
    let debian = "pkg:deb/debian/zlib1g@2!1.0?distro=debian-12";
    sandbox.write("bom.json", bill(&["pkg:pypi/some-pad@2!1.0", debian]));
    let notes =
        parsed(&sandbox.hardpan(&["scan", "bom.json", "--json"]).ok().stdout)["subject"]["notes"].to_string();
    assert!(notes.contains("`zlib1g` was passed over"), "{notes}");
}

#[test]
fn what_is_asked_for_in_vain_is_said() {
    let sandbox = sampled();
    root(&sandbox, "root", &MAIN);
    sandbox.write(
        "bom.json",
        bill(&["pkg:deb/debian/libexpat1@2.5.0-1%2Bdeb12u2?distro=debian-12&upstream=expat"]),
    );
    for what in ["root", "bom.json"] {
        let plain = sandbox.hardpan(&["scan", what, "--release", "12"]).ok().stdout;
        assert!(!plain.contains("was not taken"), "{plain}");
        let other = sandbox.hardpan(&["scan", what, "--release", "13"]).ok().stdout;
        assert!(other.contains("`--release 13` was not taken") && other.contains("Debian 12"), "{other}");
        let platform = sandbox.hardpan(&["scan", what, "--platform", "linux/arm64"]).ok().stdout;
        assert!(platform.contains("`--platform linux/arm64` was not taken"), "{platform}");
    }
}
