//! What was decided silences findings, and is shown with who said it and why; what is not decided counts.

use serde_json::{Value, json};

use super::made::{Installed, MAIN, base, docker, labelled, os_release, parsed, root, sampled};
use super::support::{Deb, Layout, Sandbox, World};

/// The one CVE of the sample that the tests decide on.
const ONE: &str = "CVE-2025-59375";

/// A document of others on a CVE in packages.
fn document(cve: &str, status: &str, packages: &[&str]) -> String {
    let products: Vec<Value> =
        packages.iter().map(|name| json!({ "@id": format!("pkg:deb/debian/{name}") })).collect();
    let mut statement = json!({ "vulnerability": { "name": cve }, "products": products, "status": status });
    match status {
        "not_affected" => statement["justification"] = "vulnerable_code_not_present".into(),
        "affected" => statement["action_statement"] = "update".into(),
        _ => {}
    }
    json!({
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.org/vex/1", "author": "Example Security",
        "timestamp": "2026-11-20T10:00:00Z", "version": 1, "statements": [statement],
    })
    .to_string()
}

/// A decision of people's own.
fn decision(cve: &str, package: &str, until: &str) -> String {
    format!(
        "[[decision]]\ncve = \"{cve}\"\npackages = [\"{package}\"]\nstatus = \"not_affected\"\n\
         justification = \"vulnerable_code_not_in_execute_path\"\nreason = \"nothing here parses XML of others\"\n\
         author = \"Ada <ada@example.org>\"\ndate = 2026-11-01\nexpires = {until}\n"
    )
}

fn counts(sandbox: &Sandbox, arguments: &[&str]) -> (u64, u64, Value) {
    let report = parsed(&sandbox.hardpan(&[&["scan", "--json"], arguments].concat()).ok().stdout);
    let count = |name: &str| report["counts"][name].as_u64().expect("a count");
    (count("total"), count("silenced"), report)
}

/// A CVE of expat that the sample finds.
fn one_of(sandbox: &Sandbox, what: &str) -> String {
    let (_, _, report) = counts(sandbox, &[what]);
    let findings = report["findings"].as_array().expect("findings");
    let found = findings.iter().find(|finding| finding["source"] == "expat").expect("one of expat's");
    found["id"].as_str().expect("an id").to_owned()
}

#[test]
fn a_document_of_others_silences_what_it_is_about_and_the_report_says_who_and_why() {
    let sandbox = sampled();
    root(&sandbox, "root", &MAIN);
    let cve = one_of(&sandbox, "root");
    sandbox.write("others.json", document(&cve, "not_affected", &["libexpat1"]));
    let (total, silenced, _) = counts(&sandbox, &["root", "--vex", "others.json"]);
    assert_eq!((total, silenced), (43, 1));
    let table = sandbox.hardpan(&["scan", "root", "--vex", "others.json"]).ok().stdout;
    for words in [cve.as_str(), "not_affected", "Example Security", "1 silenced"] {
        assert!(table.contains(words), "`{words}` is not in\n{table}");
    }
    // A word that does not silence changes nothing, nor does one on another package.
    for (status, package) in
        [("affected", "libexpat1"), ("under_investigation", "libexpat1"), ("not_affected", "libssl3")]
    {
        sandbox.write("others.json", document(&cve, status, &[package]));
        let (total, silenced, _) = counts(&sandbox, &["root", "--vex", "others.json"]);
        assert_eq!((total, silenced), (44, 0), "{status} {package}");
    }
}

#[test]
fn what_is_silenced_makes_no_scan_fail() {
    let sandbox = sampled();
    let only: [Installed; 1] = [("libexpat1", "2.5.0-1+deb12u4", "expat")];
    root(&sandbox, "root", &only);
    let (_, _, report) = counts(&sandbox, &["root"]);
    let ids: Vec<String> = report["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .map(|one| one["id"].as_str().expect("an id").to_owned())
        .collect();
    assert!(!ids.is_empty());
    sandbox.hardpan(&["scan", "root", "--fail-on", "any"]).exits(6);
    let mut arguments = vec!["scan".to_owned(), "root".into(), "--fail-on".into(), "any".into()];
    for (at, id) in ids.iter().enumerate() {
        let name = format!("others-{at}.json");
        sandbox.write(&name, document(id, "not_affected", &["libexpat1"]));
        arguments.extend(["--vex".to_owned(), name]);
    }
    sandbox.hardpan(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).ok();
}

#[test]
fn what_people_decided_silences_their_own_image_until_it_expires_and_no_other() {
    let sandbox = sampled();
    let world = super::sample::world(&MAIN);
    world.build(&[]).ok();
    let image = world.sandbox.path("out/made").display().to_string();
    let cve = one_of(&sandbox, &image);
    sandbox.write("vex/made.toml", decision(&cve, "expat", "2027-05-01"));
    let (all, none, _) = counts(&sandbox, &[&image]);
    assert_eq!(none, 0);
    let (total, silenced, report) = counts(&sandbox, &[&image, "--vex", "vex"]);
    assert_eq!((total, silenced), (all - 1, 1));
    let said = report["findings"].as_array().expect("findings").iter().find(|one| one["id"] == cve.as_str());
    assert!(said.expect("shown")["silenced"]["by"].as_str().expect("somebody").contains("Ada"));
    // An expired one counts as none; another image's decisions are not its own; nor is anybody's root our image.
    sandbox.write("vex/made.toml", decision(&cve, "expat", "2026-11-10"));
    assert_eq!(counts(&sandbox, &[&image, "--vex", "vex"]).1, 0);
    sandbox.hardpan(&["scan", &image, "--vex", "vex"]).ok().says("has expired, and counts as none");
    sandbox.write("vex/made.toml", decision(&cve, "expat", "2027-05-01"));
    std::fs::rename(sandbox.path("vex/made.toml"), sandbox.path("vex/other.toml")).expect("ours");
    assert_eq!(counts(&sandbox, &[&image, "--vex", "vex"]).1, 0);
    sandbox.write("vex/made.toml", decision(&cve, "expat", "2027-05-01"));
    sandbox.write("foreign.tar", docker(&[base(&MAIN)]));
    assert_eq!(counts(&sandbox, &["foreign.tar", "--vex", "vex"]).1, 0);
}

#[test]
fn what_is_named_and_not_there_is_an_error() {
    let sandbox = sampled();
    root(&sandbox, "root", &MAIN);
    sandbox.hardpan(&["scan", "root", "--vex", "nothing.json"]).exits(1);
    sandbox.write("broken.json", "{");
    sandbox.hardpan(&["scan", "root", "--vex", "broken.json"]).exits(3).says("HP340");
    let none = document(ONE, "not_affected", &["libexpat1"])
        .replace("\"justification\":\"vulnerable_code_not_present\",", "");
    sandbox.write("none.json", none);
    sandbox.hardpan(&["scan", "root", "--vex", "none.json"]).exits(3).says("justification");
}

#[test]
fn a_component_that_is_a_link_or_that_no_package_brought_is_there_and_silences_nothing() {
    let deb = |name: &str| Deb::new(name, "5:7.0.15-1~deb12u7").source("redis", "5:7.0.15-1~deb12u7");
    // So it is in Debian: the server is a link, which lists of digests leave out.
    let world = World::new(&[
        deb("redis-server").symlink("/usr/bin/redis-server", "redis-check-rdb"),
        deb("redis-tools").file("/usr/bin/redis-check-rdb", "a program", 0o755),
        Deb::new("base-files", "12.4+deb12u12").file("/usr/lib/os-release", os_release("12"), 0o644),
    ]);
    let text = world.sandbox.text("made.toml");
    world.sandbox.write(
        "made.toml",
        format!("{text}\n[links]\n\"/opt/mine/sentinel\" = \"/usr/bin/redis-check-rdb\"\n"),
    );
    world.build(&[]).ok();
    world.sandbox.write("osv.tar.gz", super::made::OSV);
    world.sandbox.hardpan(&["advisories", "import", "osv.tar.gz"]).ok();
    let (all, _, report) = counts(&world.sandbox, &["out/made"]);
    let cve = report["findings"][0]["id"].as_str().expect("one of redis").to_owned();
    for (path, silenced) in [
        ("/usr/bin/redis-server", 0),
        ("/usr/bin/redis-check-rdb", 0),
        ("/usr/bin/sentinel", 0),
        ("/usr/bin/redis-cli", 1),
    ] {
        let component = format!(
            "[[component]]\ncve = \"{cve}\"\npackages = [\"redis\"]\npaths = [\"{path}\"]\nreason = \"it is in this file\"\n\
             author = \"Ada <ada@example.org>\"\ndate = 2026-11-01\nexpires = 2027-05-01\n"
        );
        world.sandbox.write("vex/all.toml", component);
        let (total, found, _) = counts(&world.sandbox, &["out/made", "--vex", "vex"]);
        assert_eq!((total, found), (all - silenced, silenced), "{path}");
    }
}

#[test]
fn a_component_is_not_found_in_the_list_of_its_package_and_what_stops_it_is_named() {
    let version = "3.0.20-1~deb12u2";
    let deb = |name: &str| Deb::new(name, version).source("openssl", version);
    let world = World::new(&[
        deb("libssl3").file("/usr/lib/libssl.so.3", "a library", 0o644),
        deb("openssl").file("/usr/lib/ssl/openssl.cnf", "settings", 0o644),
        Deb::new("base-files", "12.4+deb12u12").file("/usr/lib/os-release", os_release("12"), 0o644),
    ]);
    world.sandbox.write("osv.tar.gz", super::made::OSV);
    world.sandbox.hardpan(&["advisories", "import", "osv.tar.gz"]).ok();
    world.build(&[]).ok();
    let (all, _, report) = counts(&world.sandbox, &["out/made"]);
    let cve = report["findings"][0]["id"].as_str().expect("one of openssl").to_owned();
    let component = format!(
        "[[component]]\ncve = \"{cve}\"\npackages = [\"openssl\"]\npaths = [\"/usr/bin/openssl\"]\nreason = \"it is in apps/\"\n\
         author = \"Ada <ada@example.org>\"\ndate = 2026-11-01\nexpires = 2027-05-01\n"
    );
    world.sandbox.write("vex/all.toml", component);
    let (total, silenced, _) = counts(&world.sandbox, &["out/made", "--vex", "vex"]);
    assert_eq!((total, silenced), (all - 1, 1));
    let text = world.sandbox.text("made.toml");
    world
        .sandbox
        .write("made.toml", format!("{text}\n[links]\n\"/opt/x/openssl\" = \"/usr/lib/libssl.so.3\"\n"));
    world.build(&[]).ok();
    assert_eq!(counts(&world.sandbox, &["out/made", "--vex", "vex"]).1, 0);
    let out = world.sandbox.hardpan(&["scan", "out/made", "--vex", "vex"]).ok();
    assert!(out.stderr.contains("warning[HP348]") && out.stderr.contains("/opt/x/openssl"), "{}", out.stderr);
    assert_eq!(out.stderr.matches("HP348").count(), 1, "{}", out.stderr);
}

#[test]
fn a_document_that_can_not_count_is_said() {
    let sandbox = sampled();
    root(&sandbox, "root", &MAIN);
    let said = |text: &str| {
        sandbox.write("others.json", text);
        sandbox.hardpan(&["scan", "root", "--vex", "others.json"]).ok().stderr
    };
    // Binary packages and sources both name what is there; so does one of many.
    for packages in [&["libexpat1"][..], &["expat"], &["nothing", "libexpat1"]] {
        let quiet = said(&document(ONE, "not_affected", packages));
        assert!(!quiet.contains("HP34"), "{packages:?}: {quiet}");
    }
    let other = "pkg:oci/other@sha256%3Aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    let text = document(ONE, "not_affected", &["libexpat1"]);
    for product in ["pkg:deb/debian/nothing", "pkg:npm/expat", other] {
        let warned = said(&text.replace("pkg:deb/debian/libexpat1", product));
        assert!(warned.contains("warning[HP341]: `others.json` speaks neither of `root`"), "{warned}");
        assert!(warned.contains(product), "{warned}");
    }
    let early = said(&text.replace("2026-11-20", "2126-11-20"));
    assert!(early.contains("warning[HP344]: 1 of 1 statements of `others.json`"), "{early}");
    assert!(early.contains("date: 2126-11-20") || early.contains("2126-11-20"), "{early}");
}

#[test]
fn a_document_about_an_image_is_said_where_another_is_scanned() {
    let world = World::new(&[
        Deb::new("base-files", "12.4+deb12u12").file("/usr/lib/os-release", os_release("12"), 0o644),
        Deb::new("libexpat1", "2.5.0-1+deb12u2").source("expat", "2.5.0-1+deb12u2"),
    ]);
    world.build(&[]).ok();
    let sandbox = &world.sandbox;
    sandbox.write("osv.tar.gz", super::made::OSV);
    sandbox.hardpan(&["advisories", "import", "osv.tar.gz"]).ok();
    let digest =
        Layout(sandbox.path("out/made")).top()["manifests"][0]["digest"].as_str().expect("one").to_owned();
    let said = |product: &str| {
        let text = document(ONE, "not_affected", &["x"]).replace("pkg:deb/debian/x", product);
        sandbox.write("others.json", text);
        sandbox.hardpan(&["scan", "out/made", "--vex", "others.json"]).ok().stderr
    };
    for product in [format!("pkg:oci/made@{}", digest.replace(':', "%3A")), "pkg:oci/made".to_owned()] {
        assert!(!said(&product).contains("HP341"), "{product}");
    }
    for product in ["pkg:oci/elsewhere", "pkg:oci/made?repository_url=registry.example/team/made"] {
        let warned = said(product);
        assert!(warned.contains("HP341") && warned.contains(&format!("pkg:oci/…@{digest}")), "{warned}");
    }
}

#[test]
fn people_s_own_decisions_find_their_image_by_its_label_and_its_sboms() {
    let sandbox = sampled();
    root(&sandbox, "root", &MAIN);
    let cve = one_of(&sandbox, "root");
    sandbox.write("vex/made.toml", decision(&cve, "expat", "2027-05-01"));
    let title = |name: &str| labelled(&[base(&MAIN)], &json!({ "org.opencontainers.image.title": name }));
    sandbox.write("made.tar", title("made"));
    sandbox.write("other.tar", title("other"));
    assert_eq!(counts(&sandbox, &["made.tar", "--vex", "vex"]).1, 1);
    assert_eq!(counts(&sandbox, &["other.tar", "--vex", "vex"]).1, 0);
    let purl = "pkg:deb/debian/libexpat1@2.5.0-1%2Bdeb12u2?arch=amd64&distro=debian-12&upstream=expat";
    let cyclonedx = |name: &str| {
        json!({ "bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": { "component": { "type": "container", "name": name } },
            "components": [{ "type": "library", "name": "libexpat1", "purl": purl }] })
    };
    let spdx = |name: &str, more: &Value| {
        let reference = json!({ "referenceType": "purl", "referenceLocator": purl });
        json!({ "spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": "a document",
            "relationships": [
                { "spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-It" }, more,
            ],
            "packages": [
                { "SPDXID": "SPDXRef-It", "name": name, "primaryPackagePurpose": "CONTAINER" },
                { "SPDXID": "SPDXRef-Package", "name": "libexpat1", "externalRefs": [reference] },
            ] })
    };
    for (name, silenced) in [("made", 1), ("other", 0)] {
        sandbox.write("bom.json", cyclonedx(name).to_string());
        assert_eq!(counts(&sandbox, &["bom.json", "--vex", "vex"]).1, silenced, "CycloneDX, {name}");
        sandbox.write("bom.json", spdx(name, &Value::Null).to_string());
        assert_eq!(counts(&sandbox, &["bom.json", "--vex", "vex"]).1, silenced, "SPDX, {name}");
    }
    // What is about two things is about neither.
    let second = json!({ "spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-Package" });
    sandbox.write("bom.json", spdx("made", &second).to_string());
    assert_eq!(counts(&sandbox, &["bom.json", "--vex", "vex"]).1, 0);
}

#[test]
fn that_nobody_knows_which_recipe_s_image_it_is_is_said_and_the_recipe_can_be_named() {
    let sandbox = sampled();
    root(&sandbox, "root", &MAIN);
    let cve = one_of(&sandbox, "root");
    sandbox.write("foreign.tar", docker(&[base(&MAIN)]));
    let purl = "pkg:deb/debian/libexpat1@2.5.0-1%2Bdeb12u2?distro=debian-12&upstream=expat";
    let bom = json!({ "bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": { "component": { "name": "some/image.tar" } },
        "components": [{ "type": "library", "name": "libexpat1", "purl": purl }] });
    sandbox.write("bom.json", bom.to_string());
    sandbox.write("vex/made.toml", decision(&cve, "expat", "2027-05-01"));
    for what in ["root", "foreign.tar", "bom.json"] {
        let out = sandbox.hardpan(&["scan", what, "--vex", "vex"]).ok();
        assert!(
            out.stderr.contains("warning[HP341]") && out.stderr.contains("--recipe NAME"),
            "{what}: {}",
            out.stderr
        );
        let arguments = ["scan", what, "--vex", "vex", "--recipe", "made"];
        let out = sandbox.hardpan(&arguments).ok();
        assert!(!out.stderr.contains("HP341") && out.stdout.contains("1 silenced"), "{what}: {}", out.stderr);
        let out = sandbox.hardpan(&["scan", what]).ok();
        assert!(!out.stderr.contains("HP341"), "{what}: {}", out.stderr);
    }
    // An image that says what it is has no decisions, as most have.
    let other = json!({ "org.opencontainers.image.title": "other" });
    sandbox.write("other.tar", labelled(&[base(&MAIN)], &other));
    let out = sandbox.hardpan(&["scan", "other.tar", "--vex", "vex"]).ok();
    assert!(!out.stderr.contains("HP341"), "{}", out.stderr);
}
