//! What SBOMs list: packages, files, who they belong to, and what is known of them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use sha2::Digest as _;
use tar::EntryType;

use crate::support::signed::{Signed, hello};
use crate::support::{Archive, Deb, Image, MTIME, World, sha256_hex};
use crate::{CYCLONEDX, SPDX, image, list, one};

/// Bytes in hexadecimal digits.
fn digits(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

fn sha512(bytes: &[u8]) -> String {
    digits(&sha2::Sha512::digest(bytes))
}

fn of(signed: &Signed, kind: &str, platform: Option<&str>) -> Value {
    let subject = platform.map_or_else(|| signed.image.index(), |platform| signed.image.platform(platform));
    signed.image.statement(kind, &subject).statement["predicate"].clone()
}

#[test]
fn a_package_is_listed_with_all_that_is_known_of_it() {
    let signed = Signed::new();
    let deb = hello("1.1", "amd64", MTIME + 20 * 86_400).build();
    let spdx = of(&signed, SPDX, Some("amd64"));
    let package = one(list(&spdx, "/packages"), "name", "hello");
    let purl = "pkg:deb/made/hello@1.1?arch=amd64&distro=trixie&upstream=hello-src%409";
    let pool = "pool/main/h/hello-src/hello_1.1_amd64.deb";
    assert_eq!(package["versionInfo"], "1.1");
    assert_eq!(package["supplier"], "Organization: Made");
    assert_eq!(package["packageFileName"], pool);
    assert_eq!(package["sourceInfo"], "built from the source package hello-src 9");
    assert_eq!(package["licenseDeclared"], "GPL-2.0-or-later AND MIT");
    assert_eq!(package["licenseConcluded"], "NOASSERTION");
    assert_eq!(package["externalRefs"][0]["referenceLocator"], purl);
    let sums = json!([
        { "algorithm": "SHA256", "checksumValue": sha256_hex(&deb) },
        { "algorithm": "SHA512", "checksumValue": sha512(&deb) },
    ]);
    assert_eq!(package["checksums"], sums);
    let cyclonedx = of(&signed, CYCLONEDX, Some("amd64"));
    let component = one(list(&cyclonedx, "/components"), "name", "hello");
    assert_eq!((&component["version"], &component["purl"]), (&json!("1.1"), &json!(purl)));
    assert_eq!(component["supplier"], json!({ "name": "Made" }));
    assert_eq!(component["licenses"], json!([{ "expression": "GPL-2.0-or-later AND MIT" }]));
    let sums = json!([
        { "alg": "SHA-256", "content": sha256_hex(&deb) },
        { "alg": "SHA-512", "content": sha512(&deb) },
    ]);
    assert_eq!(component["hashes"], sums);
    for (name, value) in [
        ("hardpan:deb:architecture", "amd64"),
        ("hardpan:deb:pool-path", pool),
        ("hardpan:deb:source", "hello-src"),
        ("hardpan:deb:source-version", "9"),
    ] {
        assert_eq!(one(list(component, "/properties"), "name", name)["value"], value);
    }
}

#[test]
fn a_licence_that_does_not_map_is_not_guessed() {
    let signed = Signed::new();
    let spdx = of(&signed, SPDX, None);
    let package = one(list(&spdx, "/packages"), "packageFileName", "pool/main/d/data/data_1.0+b1-1_all.deb");
    assert_eq!(package["licenseDeclared"], "NOASSERTION");
    let cyclonedx = of(&signed, CYCLONEDX, None);
    assert_eq!(one(list(&cyclonedx, "/components"), "name", "data")["licenses"], Value::Null);
}

/// A path, and the name of who it belongs to.
type Owned = (String, String, String);

/// The files of an SPDX document: path, digest, name of the owner.
fn owned_spdx(document: &Value) -> BTreeSet<Owned> {
    let packages = list(document, "/packages");
    let names: BTreeMap<&str, &str> =
        packages.iter().map(|one| (one["SPDXID"].as_str().unwrap(), one["name"].as_str().unwrap())).collect();
    let files = list(document, "/files");
    let relations = list(document, "/relationships").iter().filter_map(|relation| {
        let file = files.iter().find(|file| file["SPDXID"] == relation["relatedSpdxElement"])?;
        assert_eq!(relation["relationshipType"], "CONTAINS");
        let sum = one(list(file, "/checksums"), "algorithm", "SHA256")["checksumValue"].as_str().unwrap();
        let owner = names[relation["spdxElementId"].as_str().unwrap()];
        Some((file["fileName"].as_str().unwrap()[1..].to_owned(), sum.to_owned(), owner.to_owned()))
    });
    relations.collect()
}

fn owned_cyclonedx(document: &Value) -> BTreeSet<Owned> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut owned = BTreeSet::new();
    for part in list(document, "/components") {
        for file in part["components"].as_array().into_iter().flatten() {
            assert_eq!(file["type"], "file");
            let sum = one(list(file, "/hashes"), "alg", "SHA-256")["content"].clone();
            owned.insert((text(&file["name"]), text(&sum), text(&part["name"])));
        }
    }
    owned
}

fn owner(path: &str) -> &'static str {
    match path {
        "/usr/bin/hello" | "/usr/share/doc/hello/copyright" => "hello",
        "/usr/share/data/text" | "/usr/share/doc/data/copyright" => "data",
        "/etc/motd" => "recipe made",
        "/etc/app.conf" => "file app.conf",
        _ => "hardpan",
    }
}

/// Every file that is really in the image, with who it should belong to.
fn really(images: &BTreeMap<String, Image>, architectures: &[&str]) -> BTreeSet<Owned> {
    let mut all = BTreeSet::new();
    for architecture in architectures {
        for (path, item) in &images[*architecture].items {
            if item.kind == EntryType::Regular {
                all.insert((path.clone(), sha256_hex(&item.content), owner(path).to_owned()));
            }
        }
    }
    all
}

#[test]
fn every_file_is_listed_with_its_digest_and_its_owner_and_no_other_is() {
    let signed = Signed::new();
    let images = Image::all(&signed.image.0);
    let both: [(Option<&str>, &[&str]); 3] =
        [(Some("amd64"), &["amd64"]), (Some("arm64"), &["arm64"]), (None, &["amd64", "arm64"])];
    for (platform, architectures) in both {
        let wanted = really(&images, architectures);
        assert!(wanted.len() >= 12 && wanted.iter().any(|(_, _, owner)| owner == "hardpan"));
        assert_eq!(owned_spdx(&of(&signed, SPDX, platform)), wanted, "{platform:?}");
        assert_eq!(owned_cyclonedx(&of(&signed, CYCLONEDX, platform)), wanted, "{platform:?}");
    }
}

#[test]
fn the_sbom_of_the_index_covers_both_platforms() {
    let signed = Signed::new();
    let spdx = of(&signed, SPDX, None);
    let mut found: Vec<&str> = list(&spdx, "/packages")
        .iter()
        .filter(|package| package["primaryPackagePurpose"] == "CONTAINER")
        .map(|package| package["checksums"][0]["checksumValue"].as_str().unwrap())
        .collect();
    let mut subjects = signed.image.subjects();
    subjects.sort();
    found.sort_unstable();
    assert_eq!(found, subjects.iter().map(|digest| &digest["sha256:".len()..]).collect::<Vec<_>>());
    for purl in ["arch=amd64", "arch=arm64"] {
        assert!(spdx.to_string().contains(&format!("pkg:deb/made/hello@1.1?{purl}")), "{purl}");
    }
}

#[test]
fn relations_say_what_contains_needs_and_comes_from_what() {
    let signed = Signed::new();
    let spdx = of(&signed, SPDX, Some("arm64"));
    let packages = list(&spdx, "/packages");
    let id = |name: &str| {
        let mut named =
            packages.iter().filter(|one| one["name"] == name && one["primaryPackagePurpose"] != "SOURCE");
        named.next().unwrap()["SPDXID"].clone()
    };
    let source = one(packages, "name", "hello-src");
    assert_eq!((&source["versionInfo"], &source["primaryPackagePurpose"]), (&json!("9"), &json!("SOURCE")));
    let relates = |from: &Value, how: &str, to: &Value| {
        let wanted = json!({ "spdxElementId": from, "relationshipType": how, "relatedSpdxElement": to });
        assert!(list(&spdx, "/relationships").contains(&wanted), "{wanted}");
    };
    relates(&json!("SPDXRef-DOCUMENT"), "DESCRIBES", &json!("SPDXRef-Image"));
    for part in ["hello", "data", "hardpan", "recipe made", "file app.conf"] {
        relates(&json!("SPDXRef-Image"), "CONTAINS", &id(part));
    }
    relates(&id("hello"), "DEPENDS_ON", &id("data"));
    relates(&id("hello"), "GENERATED_FROM", &source["SPDXID"]);
    let cyclonedx = of(&signed, CYCLONEDX, Some("arm64"));
    let purl =
        |name: &str| one(list(&cyclonedx, "/components"), "name", name)["purl"].as_str().unwrap().to_owned();
    let needs = one(list(&cyclonedx, "/dependencies"), "ref", &purl("hello"));
    assert_eq!(needs["dependsOn"], json!([purl("data")]));
}

#[test]
fn the_verification_code_of_a_package_is_the_specifications() {
    // SPDX 2.3, section 7.9: SHA-1 of the sorted SHA-1 digests of all files.
    let signed = Signed::new();
    let spdx = of(&signed, SPDX, Some("amd64"));
    let sha1 = |bytes: &[u8]| digits(&sha1::Sha1::digest(bytes));
    let image = &Image::all(&signed.image.0)["amd64"];
    let mut sums: Vec<String> = ["/usr/bin/hello", "/usr/share/doc/hello/copyright"]
        .iter()
        .map(|path| sha1(&image.item(path).content))
        .collect();
    sums.sort();
    let package = one(list(&spdx, "/packages"), "name", "hello");
    let code = &package["packageVerificationCode"]["packageVerificationCodeValue"];
    assert_eq!(*code, sha1(sums.concat().as_bytes()));
}

/// A world over an archive that calls itself Debian.
fn debian(debs: &[Deb]) -> World {
    let mut archive = Archive::new("debian");
    for deb in debs {
        archive.add("trixie", "main", deb.build());
    }
    let mut world = World::over(archive);
    world.url = format!("file://{}", world.archive.root().display());
    let names: Vec<String> =
        world.archive.packages().iter().map(|name| format!("\"{name}\" = \"all\"\n")).collect();
    let head = World::head("made")
        .replace("origin = \"Made\", label = \"Made\"", "origin = \"Debian\", label = \"Debian\"");
    world.sandbox.write("made.toml", format!("{head}[debian.packages]\n{}", names.concat()));
    secret_key(&world);
    world
}

fn secret_key(world: &World) {
    crate::secret(&world.sandbox, "team.pem", &crate::support::Hand::new(9).private_pem());
}

#[test]
fn packages_of_debian_have_the_urls_that_scanners_look_for() {
    let world = debian(&[
        Deb::new("libstdc++6", "14.2.0-19+b1").source("gcc-14", "14.2.0-19").file("/usr/lib/x", "x", 0o644),
        Deb::new("zlib1g", "1:1.3~rc1-1").source("zlib", "1:1.3~rc1-1").file("/usr/lib/z", "z", 0o644),
        Deb::new("tzdata", "2025b-4").arch("all").file("/usr/share/t", "t", 0o644),
    ]);
    world.build(&["--key", "team.pem"]).ok();
    let image = image(&world);
    let spdx = image.statement(SPDX, &image.index()).statement["predicate"].clone();
    let cyclonedx = image.statement(CYCLONEDX, &image.index()).statement["predicate"].clone();
    for (name, purl) in [
        (
            "libstdc++6",
            "pkg:deb/debian/libstdc%2B%2B6@14.2.0-19%2Bb1?arch=amd64&distro=debian-13&upstream=gcc-14%4014.2.0-19",
        ),
        ("zlib1g", "pkg:deb/debian/zlib1g@1:1.3~rc1-1?arch=amd64&distro=debian-13&upstream=zlib"),
        ("tzdata", "pkg:deb/debian/tzdata@2025b-4?arch=all&distro=debian-13"),
    ] {
        let packages =
            list(&spdx, "/packages").iter().filter(|one| one["primaryPackagePurpose"] == "LIBRARY");
        let packages: Vec<Value> = packages.cloned().collect();
        let package = one(&packages, "name", name);
        assert_eq!(package["externalRefs"][0]["referenceLocator"], purl);
        assert_eq!(package["supplier"], "Organization: Debian");
        assert_eq!(one(list(&cyclonedx, "/components"), "name", name)["purl"], purl);
    }
    world.sandbox.write("team.pub", crate::support::Hand::new(9).public_pem());
    world.sandbox.hardpan(&["verify", "out/made", "--key", "team.pub"]).ok();
}

#[test]
fn licences_of_copyright_files_are_mapped_or_left_open() {
    let copyright = |licences: &[&str]| {
        let head = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n";
        let paragraph = |(at, licence): (usize, &&str)| {
            format!("\nFiles: {at}/*\nCopyright: nobody\nLicense: {licence}\n")
        };
        format!("{head}{}", licences.iter().enumerate().map(paragraph).collect::<String>())
    };
    let cases: [(&str, &[&str], &str); 6] = [
        ("one", &["Expat"], "MIT"),
        ("two", &["GPL-2+ or Artistic"], "(GPL-2.0-or-later OR Artistic-1.0)"),
        ("three", &["Apache-2.0", "BSD-3-clause"], "Apache-2.0 AND BSD-3-Clause"),
        ("four", &["Expat", "own-terms"], "NOASSERTION"),
        ("five", &["GPL-3+ with GCC exception"], "GPL-3.0-or-later WITH GCC-exception-3.1"),
        ("six", &["LGPL-2.1"], "LGPL-2.1-only"),
    ];
    let debs: Vec<Deb> =
        cases.iter().map(|(name, licences, _)| Deb::new(name, "1").copyright(&copyright(licences))).collect();
    let world = debian(&debs);
    world.build(&["--key", "team.pem"]).ok();
    let image = image(&world);
    let spdx = image.statement(SPDX, &image.index()).statement["predicate"].clone();
    let found: BTreeMap<&str, &str> = list(&spdx, "/packages")
        .iter()
        .filter(|package| package["primaryPackagePurpose"] == "LIBRARY")
        .map(|package| (package["name"].as_str().unwrap(), package["licenseDeclared"].as_str().unwrap()))
        .collect();
    // What has no number or exception that SPDX knows stays open; nothing else may be said instead.
    for (name, _, wanted) in cases {
        let said = found[name];
        assert!(
            said == wanted || said == wanted.trim_matches(['(', ')']) || said == "NOASSERTION",
            "{name}: {said}"
        );
    }
    for (name, wanted) in [
        ("one", "MIT"),
        ("three", "Apache-2.0 AND BSD-3-Clause"),
        ("four", "NOASSERTION"),
        ("six", "LGPL-2.1-only"),
    ] {
        assert_eq!(found[name], wanted);
    }
}
