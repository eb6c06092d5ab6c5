//! The sample: bookworm's main has 44 vulnerabilities in three sources that its security suite has fixed.

use std::collections::BTreeMap;

use hardpan::scan::{Want, of_prefix, scan};
use serde_json::{Value, json};

use super::made::{Installed, MAIN, NOW, SECURITY, base, docker, parsed, root, sampled, scanned, snapshot};
use super::support::{Deb, Sandbox, World};

/// How many count, and how many of these can be fixed.
fn counted(sandbox: &Sandbox, what: &str) -> (u64, u64, Value) {
    let out = sandbox.hardpan(&["scan", what, "--json"]).ok();
    let report = parsed(&out.stdout);
    let count = |name: &str| report["counts"][name].as_u64().expect("a count");
    (count("total"), count("fixable"), report)
}

#[test]
fn an_image_of_main_has_forty_four_and_one_of_security_none() {
    let sandbox = sampled();
    let report = scanned(&sandbox, &MAIN);
    assert_eq!((report.counts.total, report.counts.fixable), (44, 44));
    let wanted =
        BTreeMap::from([("expat".to_owned(), 27), ("openssl".to_owned(), 12), ("redis".to_owned(), 5)]);
    assert_eq!(report.counts.sources, wanted);
    let patched = scanned(&sandbox, &SECURITY);
    assert_eq!((patched.counts.total, patched.findings.len()), (0, 0));
}

#[test]
fn it_is_the_same_in_a_root_a_docker_archive_and_sboms_of_all_makers() {
    let sandbox = sampled();
    for (versions, wanted) in [(&MAIN, 44), (&SECURITY, 0)] {
        root(&sandbox, "root", versions);
        sandbox.write("image.tar", docker(&[base(versions)]));
        sandbox.write("syft.cdx.json", syft(versions).to_string());
        sandbox.write("trivy.cdx.json", trivy(versions).to_string());
        sandbox.write("syft.spdx.json", spdx(versions).to_string());
        for what in ["root", "image.tar", "syft.cdx.json", "trivy.cdx.json", "syft.spdx.json"] {
            let (total, fixable, report) = counted(&sandbox, what);
            assert_eq!((total, fixable), (wanted, wanted), "{what}: {}", report["subject"]["notes"]);
        }
    }
}

/// The source of a package, by what the test says of it.
fn source((name, ..): &Installed, source: &str) -> String {
    if source.is_empty() { (*name).to_owned() } else { source.to_owned() }
}

fn encoded(version: &str) -> String {
    version.replace('+', "%2B")
}

/// As syft writes it: the source in the URL and in properties.
fn syft(installed: &[Installed]) -> Value {
    let component = |one: &Installed| {
        let upstream = if one.2.is_empty() { String::new() } else { format!("&upstream={}", one.2) };
        let version = encoded(one.1);
        json!({
            "bom-ref": format!("pkg:deb/debian/{}@{version}?package-id=1", one.0), "type": "library",
            "publisher": "Debian", "name": one.0, "version": one.1,
            "purl": format!("pkg:deb/debian/{}@{version}?arch=amd64&distro=debian-12{upstream}", one.0),
            "properties": [
                { "name": "syft:package:type", "value": "deb" },
                { "name": "syft:metadata:source", "value": source(one, one.2) },
            ],
        })
    };
    let mut components: Vec<Value> = installed.iter().map(component).collect();
    components
        .push(json!({ "bom-ref": "os", "type": "operating-system", "name": "debian", "version": "12" }));
    json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json", "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "metadata": { "component": { "type": "container", "name": "made", "version": "sha256:ab" } },
        "components": components,
    })
}

/// As trivy writes it: epochs apart, the release of the system alone.
fn trivy(installed: &[Installed]) -> Value {
    let component = |one: &Installed| {
        let (epoch, rest) = one.1.split_once(':').unwrap_or(("", one.1));
        let (version, revision) = rest.rsplit_once('-').expect("a revision");
        let epoch_qualifier = if epoch.is_empty() { String::new() } else { format!("&epoch={epoch}") };
        let property =
            |name: &str, value: &str| json!({ "name": format!("aquasecurity:trivy:{name}"), "value": value });
        let mut properties = vec![
            property("SrcName", &source(one, one.2)),
            property("SrcVersion", version),
            property("SrcRelease", revision),
        ];
        if !epoch.is_empty() {
            properties.push(property("SrcEpoch", epoch));
        }
        json!({
            "type": "library", "name": one.0, "version": one.1, "properties": properties,
            "purl": format!("pkg:deb/debian/{}@{}?arch=amd64{epoch_qualifier}", one.0, encoded(rest)),
        })
    };
    let mut components: Vec<Value> = installed.iter().map(component).collect();
    components.insert(0, json!({ "type": "operating-system", "name": "debian", "version": "12.12" }));
    json!({ "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": components })
}

/// As syft writes SPDX.
fn spdx(installed: &[Installed]) -> Value {
    let package = |one: &Installed| {
        let upstream = if one.2.is_empty() { String::new() } else { format!("&upstream={}", one.2) };
        json!({
            "SPDXID": format!("SPDXRef-Package-deb-{}", one.0), "name": one.0, "versionInfo": one.1,
            "sourceInfo": "acquired package info from DPKG DB: /var/lib/dpkg/status",
            "externalRefs": [
                { "referenceCategory": "SECURITY", "referenceType": "cpe23Type", "referenceLocator": "cpe:2.3:a:x:y:1:*:*:*:*:*:*:*" },
                { "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                  "referenceLocator": format!("pkg:deb/debian/{}@{}?arch=amd64&distro=debian-12.12{upstream}", one.0, encoded(one.1)) },
            ],
        })
    };
    json!({
        "spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": "made",
        "packages": installed.iter().map(package).collect::<Vec<_>>(),
    })
}

/// Packages as the archive has them, of these versions.
pub fn world(installed: &[Installed]) -> World {
    let debs: Vec<Deb> = installed
        .iter()
        .map(|(name, version, source)| {
            let deb = Deb::new(name, version).file(&format!("/usr/share/{name}/x"), "x", 0o644);
            if source.is_empty() { deb } else { deb.source(source, version) }
        })
        .chain([Deb::new("base-files", "12.4+deb12u12")
            .file("/usr/lib/os-release", super::made::os_release("12"), 0o644)
            .symlink("/etc/os-release", "../usr/lib/os-release")
            .file("/etc/debian_version", "12.12\n", 0o644)])
        .collect();
    World::new(&debs)
}

#[test]
fn it_is_the_same_in_our_own_image_its_sboms_and_its_lock() {
    for (versions, wanted) in [(&MAIN, 44), (&SECURITY, 0)] {
        let world = world(versions);
        world.build(&[]).ok();
        world.sandbox.write("osv.tar.gz", super::made::OSV);
        world.sandbox.hardpan(&["advisories", "import", "osv.tar.gz"]).ok();
        let (total, fixable, report) = counted(&world.sandbox, "out/made");
        assert_eq!((total, fixable), (wanted, wanted), "{report:#}");
        assert_eq!(report["subject"]["kind"], "image");
        assert!(report["subject"]["digest"].as_str().is_some_and(|digest| digest.starts_with("sha256:")));
        // The made archive calls its suite trixie: what the image says of itself goes before that.
        for format in ["spdx", "cyclonedx"] {
            let document = world.sandbox.hardpan(&["sbom", "out/made", "--format", format]).ok().stdout;
            world
                .sandbox
                .write("own.json", document.replace("trixie", "bookworm").replace("/made/", "/debian/"));
            let (total, _, report) = counted(&world.sandbox, "own.json");
            assert_eq!(total, wanted, "{format}: {:#}", report["subject"]);
        }
        let lock = world.sandbox.text("made.lock").replace("suite = \"trixie\"", "suite = \"bookworm\"");
        world.sandbox.write("made.lock", lock);
        let (total, _, report) = counted(&world.sandbox, "made.lock");
        assert_eq!((total, &report["subject"]["kind"]), (wanted, &json!("lock")));
        assert!(
            report["subject"]["notes"].to_string().contains("not of Debian"),
            "{}",
            report["subject"]["notes"]
        );
    }
}

#[test]
fn a_layer_that_was_read_before_is_known_and_what_is_kept_of_it_may_be_lost() {
    let world = world(&MAIN);
    world.build(&[]).ok();
    world.sandbox.write("osv.tar.gz", super::made::OSV);
    world.sandbox.hardpan(&["advisories", "import", "osv.tar.gz"]).ok();
    let scan =
        || parsed(&world.sandbox.hardpan(&["scan", "out/made", "--json"]).ok().stdout)["findings"].clone();
    let first = scan();
    let kept: Vec<_> = std::fs::read_dir(world.sandbox.store().join("derived/scan"))
        .expect("something was kept")
        .map(|entry| entry.expect("readable").path())
        .collect();
    assert!(!kept.is_empty() && scan() == first);
    for (bytes, stamped) in [(&b"[]"[..], false), (b"nonsense", true)] {
        for path in &kept {
            std::fs::remove_file(path).expect("ours");
            std::fs::write(path, bytes).expect("ours");
            if stamped {
                // As if it had been written so by hardpan.
                let file = std::fs::File::options().write(true).open(path).expect("ours");
                let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1);
                file.set_modified(time).expect("ours");
            }
        }
        assert_eq!(scan(), first);
    }
}

#[test]
fn findings_say_what_is_there_what_fixes_it_and_who_says_so() {
    let sandbox = sampled();
    let report = scanned(&sandbox, &MAIN);
    let found = report.findings.iter().find(|one| one.id == "CVE-2026-102633").expect("one of expat");
    assert_eq!((found.source.as_str(), found.installed.as_str()), ("expat", "2.5.0-1+deb12u2"));
    assert_eq!(found.fixed.as_ref().map(hardpan::ident::DebVersion::as_str), Some("2.5.0-1+deb12u5"));
    assert_eq!(found.binaries.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["libexpat1"]);
    assert_eq!(
        (found.feed.as_str(), found.aliases.as_slice()),
        ("osv/Debian", &["DEBIAN-CVE-2026-102633".to_owned()][..])
    );
    assert!(found.fixable && found.counts() && found.severity.is_none());
    assert_eq!(found.page().as_deref(), Some("https://security-tracker.debian.org/tracker/CVE-2026-102633"));
    let redis = report.findings.iter().find(|one| one.source == "redis").expect("one of redis");
    assert_eq!(redis.binaries.len(), 2);
    // Six digits sort as numbers do.
    let expat: Vec<&str> =
        report.findings.iter().filter(|one| one.source == "expat").map(|one| one.id.as_str()).collect();
    assert_eq!(expat.last(), Some(&"CVE-2026-102633"));
}

#[test]
fn the_same_question_has_the_same_answer() {
    let sandbox = sampled();
    root(&sandbox, "root", &MAIN);
    let subject = of_prefix(&sandbox.path("root"), &Want::default()).expect("a root");
    let snapshot = snapshot(&sandbox);
    let (one, two) =
        (scan(&subject, &snapshot, NOW).expect("fine"), scan(&subject, &snapshot, NOW).expect("fine"));
    assert_eq!(one, two);
    assert_eq!(hardpan::scan::sarif(&one, false, NOW), hardpan::scan::sarif(&two, false, NOW));
    assert_eq!(hardpan::scan::vdr(&one, NOW), hardpan::scan::vdr(&two, NOW));
}
