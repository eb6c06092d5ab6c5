//! What was made to mislead: links out of a root, truncated archives, broken documents, snapshots of another digest.

use serde_json::json;

use super::made::{MAIN, base, docker, root, sampled, snapshot, status};
use super::support::{Sandbox, Tarball};

#[test]
fn a_status_file_that_is_a_link_is_never_this_machine_s() {
    let sandbox = sampled();
    root(&sandbox, "root", &MAIN);
    let link = sandbox.path("root/var/lib/dpkg/status");
    std::fs::remove_file(&link).expect("ours");
    std::os::unix::fs::symlink("/etc/passwd", &link).expect("ours");
    // In the root itself there is no such file.
    sandbox.hardpan(&["scan", "root"]).exits(5).says("HP561");
    sandbox.write("root/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
    let out = sandbox.hardpan(&["scan", "root"]).exits(5).says("HP561");
    assert!(!out.stderr.contains("/bin/sh"), "{}", out.stderr);
    // One that leads to a status file of the root is followed, by whatever way.
    sandbox.write("root/elsewhere/status", status(&MAIN));
    std::fs::remove_file(&link).expect("ours");
    std::os::unix::fs::symlink("../../../../../../elsewhere/status", &link).expect("ours");
    assert!(sandbox.hardpan(&["scan", "root"]).ok().stdout.contains("44 found"));
    // A circle, a folder, and a pipe that nobody writes to.
    std::fs::remove_file(&link).expect("ours");
    std::os::unix::fs::symlink("status", &link).expect("ours");
    sandbox.hardpan(&["scan", "root"]).exits(5);
    std::fs::remove_file(&link).expect("ours");
    std::fs::create_dir(&link).expect("ours");
    sandbox.hardpan(&["scan", "root"]).exits(5).says("HP561");
}

#[test]
fn in_an_image_a_link_leads_nowhere_but_into_the_image() {
    let sandbox = sampled();
    let layer = base(&[]).symlink("var/lib/dpkg/status", "/etc/passwd");
    sandbox.write("image.tar", docker(&[layer]));
    sandbox.hardpan(&["scan", "image.tar"]).exits(5).says("HP561");
    let moved = Tarball::new()
        .file("usr/lib/os-release", super::made::os_release("12"), 0o644)
        .symlink("etc/os-release", "../../../../usr/lib/os-release")
        .symlink("var/lib/dpkg", "../../usr/share/dpkg")
        .file("usr/share/dpkg/status", status(&MAIN), 0o644);
    sandbox.write("moved.tar", docker(&[moved]));
    // dpkg's folder elsewhere is not read: that is said, and is no clean bill.
    sandbox.hardpan(&["scan", "moved.tar"]).exits(5).says("HP561");
}

#[test]
fn names_that_climb_bring_nothing_into_an_image() {
    let sandbox = sampled();
    let layer = base(&MAIN).file("../../var/lib/dpkg/status", "", 0o644).file(
        "/var/../var/lib/dpkg/status",
        "",
        0o644,
    );
    sandbox.write("image.tar", docker(&[layer]));
    let out = sandbox.hardpan(&["scan", "image.tar"]).ok().stdout;
    assert!(out.contains("44 found") && out.contains("names that no file can have"), "{out}");
}

#[test]
fn a_truncated_archive_is_an_error_wherever_it_ends() {
    let sandbox = sampled();
    let whole = docker(&[base(&MAIN)]);
    for length in [600, 1500, 4000, whole.len() / 2, whole.len() - 1600] {
        sandbox.write("cut.tar", &whole[..length]);
        let out = sandbox.hardpan(&["scan", "cut.tar"]).exits(5);
        assert!(out.stdout.is_empty(), "{length}: {}", out.stdout);
    }
}

#[test]
fn a_layer_that_was_changed_is_an_error() {
    let sandbox = sampled();
    let whole = docker(&[base(&MAIN)]);
    let text = String::from_utf8_lossy(&whole).into_owned();
    let at = text.find("2.5.0-1+deb12u2").expect("the version");
    let mut changed = whole;
    changed[at + 14] = b'9';
    sandbox.write("changed.tar", changed);
    sandbox.hardpan(&["scan", "changed.tar"]).exits(5).says("diff id");
}

#[test]
fn documents_that_are_broken_are_refused_with_why() {
    let sandbox = sampled();
    let deep = format!("{{\"bomFormat\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    for (text, why) in [
        ("{", "EOF"),
        ("{\"bomFormat\":\"CycloneDX\",", "EOF"),
        ("{}", "neither `spdxVersion` nor `bomFormat`"),
        ("{\"spdxVersion\":\"SPDX-9.9\"}", "SPDX-9.9"),
        ("{\"spdxVersion\":23}", "neither"),
        ("{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"2.0\"}", "2.0"),
        ("{\"bomFormat\":\"Else\"}", "Else"),
        ("{\"@graph\":[]}", "SPDX 3"),
        ("{\"spdxVersion\":\"\\u001b[2J\"}", "\\u{1b}[2J"),
        (&deep, "recursion limit"),
    ] {
        sandbox.write("bom.json", text);
        sandbox.hardpan(&["scan", "bom.json"]).exits(5).says("HP560").says(why);
    }
    // Lists that are none list nothing.
    sandbox
        .write("bom.json", "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\",\"components\":{\"a\":1}}");
    sandbox.hardpan(&["scan", "bom.json"]).exits(5).says("HP561");
}

#[test]
fn package_urls_that_are_nonsense_are_named_and_the_rest_serves() {
    let sandbox = sampled();
    let good = "pkg:deb/debian/libexpat1@2.5.0-1%2Bdeb12u2?arch=amd64&distro=debian-12&upstream=expat";
    let urls = [
        good,
        "nonsense",
        "pkg:deb/debian/%zz@1",
        "pkg:deb/debian/a@1?distro=debian-12",
        "pkg:deb/debian/bash?distro=debian-12",
        "pkg:deb/debian/bash@1%202?distro=debian-12",
        "pkg:deb/debian/bash@1?distro=debian-12&upstream=..%2F..",
    ];
    let components: Vec<_> =
        urls.iter().map(|purl| json!({ "type": "library", "name": "x", "purl": purl })).collect();
    let bom = json!({ "bomFormat": "CycloneDX", "specVersion": "1.6", "components": components });
    sandbox.write("bom.json", bom.to_string());
    let report = super::made::parsed(&sandbox.hardpan(&["scan", "bom.json", "--json"]).ok().stdout);
    assert_eq!(report["counts"]["total"], 27);
    assert_eq!(
        report["subject"]["notes"].as_array().map(Vec::len),
        Some(urls.len() - 1),
        "{:#}",
        report["subject"]["notes"]
    );
}

#[test]
fn what_a_document_lists_and_nobody_can_look_up_is_counted_in_a_note() {
    let sandbox = sampled();
    let purl = "pkg:deb/debian/libexpat1@2.5.0-1%2Bdeb12u2?arch=amd64&distro=debian-12&upstream=expat";
    let component = |purl: Option<&str>| match purl {
        Some(purl) => json!({ "type": "library", "name": "x", "purl": purl }),
        None => json!({ "type": "library", "name": "x", "version": "1" }),
    };
    let file = json!({ "type": "file", "name": "/etc/passwd" });
    let others = [
        "pkg:deb/debian/bash@1?distro=raspbian-12",
        "pkg:apk/alpine/musl@1.2",
        "pkg:rpm/fedora/bash@5",
        "pkg:oci/base@sha256:00",
    ];
    let mut parts = vec![component(Some(purl)), component(None), component(None), file];
    parts.extend(others.map(|purl| component(Some(purl))));
    let bom = |parts: &[serde_json::Value]| json!({ "bomFormat": "CycloneDX", "specVersion": "1.6", "components": parts });
    sandbox.write("bom.json", bom(&parts).to_string());
    let report = super::made::parsed(&sandbox.hardpan(&["scan", "bom.json", "--json"]).ok().stdout);
    assert_eq!(report["counts"]["total"], 27);
    assert_eq!(
        report["subject"]["notes"],
        json!([
            "2 packages have no package URL and were passed over",
            "packages of raspbian-12 are not looked up",
            "packages of the type apk are not looked up",
            "packages of the type rpm are not looked up",
        ])
    );
    sandbox.write("bom.json", bom(&parts[1..4]).to_string());
    sandbox.hardpan(&["scan", "bom.json"]).exits(5).says("HP561").says("2 packages without a URL");
    let package = |purpose: &str| json!({ "SPDXID": format!("SPDXRef-{purpose}"), "name": "x", "primaryPackagePurpose": purpose });
    let mut named = package("LIBRARY");
    named["externalRefs"] = json!([{ "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl }]);
    let spdx = json!({ "spdxVersion": "SPDX-2.3", "packages": [package("CONTAINER"), package("APPLICATION"), named] });
    sandbox.write("spdx.json", spdx.to_string());
    let report = super::made::parsed(&sandbox.hardpan(&["scan", "spdx.json", "--json"]).ok().stdout);
    assert_eq!(report["subject"]["notes"], json!(["1 packages have no package URL and were passed over"]));
}

#[test]
fn entries_that_are_links_are_read_or_named_and_never_passed_over_in_silence() {
    let sandbox = sampled();
    let expat = super::made::stanza(&MAIN[2]);
    let layer = || Tarball::new().file("etc/os-release", super::made::os_release("12"), 0o644);
    let scan = |layer: Tarball| {
        sandbox.write("image.tar", docker(&[layer]));
        sandbox.hardpan(&["scan", "image.tar"])
    };
    let kept = layer()
        .file("var/lib/dpkg/status.d/one", super::made::stanza(&MAIN[0]), 0o644)
        .symlink("var/lib/dpkg/status.d/two", "/usr/lib/two")
        .file("usr/lib/two", &expat, 0o644);
    let out = scan(kept).ok().stdout;
    assert!(out.contains("/var/lib/dpkg/status.d/two is a hard link, or leads to nothing"), "{out}");
    let inside =
        layer().file("var/lib/dpkg/status.d/one", &expat, 0o644).symlink("var/lib/dpkg/status.d/two", "one");
    assert!(scan(inside).ok().stdout.contains("27 found"));
    let whole =
        layer().symlink("var/lib/dpkg/status.d", "/usr/lib/lists").file("usr/lib/lists/one", &expat, 0o644);
    scan(whole).exits(5).says("HP561").says("/var/lib/dpkg/status.d/one is a hard link, or leads to nothing");
    // In a folder they are followed inside of it, and else named.
    root(&sandbox, "root", &MAIN);
    sandbox.write("root/var/lib/dpkg/status.d/one", &expat);
    std::os::unix::fs::symlink("/nowhere", sandbox.path("root/var/lib/dpkg/status.d/two")).expect("ours");
    let out = sandbox.hardpan(&["scan", "root"]).ok().stdout;
    assert!(out.contains("/var/lib/dpkg/status.d/two leads to no file"), "{out}");
}

#[test]
fn status_files_of_noise_and_of_any_size_are_no_packages() {
    let sandbox = sampled();
    root(&sandbox, "root", &MAIN);
    let noise = format!("\0\0\0{}\u{1b}]0;x\u{7}\n\n{}", "x".repeat(1 << 20), status(&MAIN));
    sandbox.write("root/var/lib/dpkg/status", noise);
    let out = sandbox.hardpan(&["scan", "root"]).ok();
    assert!(out.stdout.contains("44 found") && !out.stdout.contains('\u{1b}'), "{}", out.stdout);
    let file = std::fs::File::create(sandbox.path("root/var/lib/dpkg/status")).expect("ours");
    file.set_len(65 << 20).expect("a sparse file");
    sandbox.hardpan(&["scan", "root"]).exits(5).says("HP560").says("larger than any such file");
}

#[test]
fn a_snapshot_that_is_cut_or_of_another_digest_is_refused() {
    let sandbox = sampled();
    root(&sandbox, "root", &MAIN);
    let digest = snapshot(&sandbox).digest().to_string();
    sandbox.hardpan(&["advisories", "export", "-o", "day.adv"]).ok();
    let whole = sandbox.read("day.adv");
    let scan = |sandbox: &Sandbox, name: &str| sandbox.hardpan(&["scan", "root", "--advisories", name]);
    assert!(scan(&sandbox, "day.adv").ok().stdout.contains("44 found"));
    assert!(scan(&sandbox, &digest).ok().stdout.contains("44 found"));
    assert!(scan(&sandbox, &format!("sha256:{digest}")).ok().stdout.contains("44 found"));
    for length in [0, 10, whole.len() / 2, whole.len() - 1] {
        sandbox.write("cut.adv", &whole[..length]);
        scan(&sandbox, "cut.adv").exits(5).says("HP545");
    }
    scan(&sandbox, &"ab".repeat(32)).exits(4).says("HP440");
    scan(&sandbox, "none.adv").exits(4).says("HP440");
    // What lies in the store under a digest must have it.
    let path = sandbox.store().join("advisories").join(&digest);
    let mut bytes = whole;
    bytes[40] ^= 1;
    std::fs::remove_file(&path).expect("ours");
    std::fs::write(&path, bytes).expect("ours");
    scan(&sandbox, &digest).exits(5).says("HP545").says("was changed");
    let empty = Sandbox::new();
    root(&empty, "root", &MAIN);
    empty.hardpan(&["scan", "root"]).exits(4).says("HP440").says("advisories import");
}
