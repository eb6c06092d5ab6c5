//! The layers against the SBOMs, both ways, where everything is signed by the trusted key.

use std::io::Read as _;

use flate2::read::MultiGzDecoder;
use serde_json::{Value, json};

use crate::support::signed::{Signed, trusted};
use crate::support::{Codec, Layout, Tarball, compress, sha256_hex};
use crate::{CYCLONEDX, SPDX, failures, named, refused, resigned, restated};

/// All components of a document, also those within others, that `keep` does not keep go.
fn retain(components: &mut Value, keep: &dyn Fn(&Value) -> bool) {
    let Some(all) = components.as_array_mut() else { return };
    all.retain(|one| keep(one));
    for one in all {
        retain(&mut one["components"], keep);
    }
}

/// Takes what is called so out of an SBOM.
fn leave_out(document: &mut Value, path: &str) {
    let spdx = format!(".{path}");
    let spdx_files = document["files"].as_array_mut();
    if let Some(files) = spdx_files {
        files.retain(|file| file["fileName"] != *spdx);
    }
    if document.get("bomFormat").is_some() {
        retain(&mut document["components"], &|one| one["name"] != *path);
    }
}

/// Adds a file to an SBOM.
fn add(document: &mut Value, path: &str) {
    let digest = "7".repeat(64);
    if document.get("bomFormat").is_some() {
        let file =
            json!({ "type": "file", "name": path, "hashes": [{ "alg": "SHA-256", "content": digest }] });
        document["components"].as_array_mut().unwrap().push(file);
    } else {
        let sums = json!([{ "algorithm": "SHA256", "checksumValue": digest }]);
        let file = json!({ "SPDXID": "SPDXRef-x", "fileName": format!(".{path}"), "checksums": sums });
        document["files"].as_array_mut().unwrap().push(file);
    }
}

/// One SBOM of the image is changed and signed again; it is refused with these words, and only there.
#[track_caller]
fn held(change: &dyn Fn(&mut Value), words: &[&str]) {
    for kind in [SPDX, CYCLONEDX] {
        for (of, subject) in named(&Signed::new().image) {
            let signed = Signed::new();
            restated(&signed.image, kind, &subject, |statement| change(&mut statement["predicate"]));
            let message = format!("the {of} does not hold what its SBOM lists");
            refused(&signed, "HP604", of, &[&[message.as_str()], words].concat());
            assert_eq!(failures(&signed).len(), 1, "{kind} of {of}");
        }
    }
}

#[test]
fn an_sbom_that_lacks_one_file_is_refused_by_its_name() {
    held(
        &|document| leave_out(document, "/usr/share/data/text"),
        &["/usr/share/data/text is in the image and not listed"],
    );
}

#[test]
fn an_sbom_that_lacks_a_file_that_the_recipe_wrote_is_refused() {
    held(&|document| leave_out(document, "/etc/motd"), &["/etc/motd is in the image and not listed"]);
}

#[test]
fn an_sbom_that_lists_one_file_too_many_is_refused_by_its_name() {
    held(&|document| add(document, "/usr/bin/more"), &["/usr/bin/more is listed and not in the image"]);
}

#[test]
fn an_sbom_that_lists_a_file_with_another_digest_is_refused() {
    let change = |document: &mut Value| {
        leave_out(document, "/etc/motd");
        add(document, "/etc/motd");
    };
    let digest = sha256_hex(b"good day\n");
    held(&change, &["/etc/motd has the digest", &digest, &"7".repeat(64)]);
}

#[test]
fn an_sbom_that_lacks_a_package_is_refused() {
    let change = |document: &mut Value| {
        let text = document.to_string().replace("pkg:deb/made/data@", "pkg:other/made/data@");
        *document = serde_json::from_str(&text).unwrap();
    };
    held(&change, &["package data 2:1.0+b1-1 (all) is in the image and not listed"]);
}

#[test]
fn an_sbom_that_lists_a_package_too_many_or_in_another_version_is_refused() {
    let change = |document: &mut Value| {
        let text = document.to_string().replace("hello@1.1?", "hello@1.2?");
        *document = serde_json::from_str(&text).unwrap();
    };
    held(&change, &["package hello 1.1 (", "package hello 1.2 (", "is listed and not in the image"]);
}

#[test]
fn a_file_without_a_digest_makes_an_sbom_useless() {
    for kind in [SPDX, CYCLONEDX] {
        let signed = Signed::new();
        restated(&signed.image, kind, &signed.image.index(), |statement| {
            let text = statement["predicate"].to_string().replace(&sha256_hex(b"good day\n"), "soon");
            statement["predicate"] = serde_json::from_str(&text).unwrap();
        });
        refused(&signed, "HP604", "index", &["holds no such document", "`soon` is no SHA-256 digest"]);
    }
}

#[test]
fn many_differences_are_counted_and_some_are_named() {
    let signed = Signed::new();
    restated(&signed.image, SPDX, &signed.image.index(), |statement| {
        (0..30).for_each(|at| add(&mut statement["predicate"], &format!("/opt/{at:02}")));
    });
    let out = refused(&signed, "HP604", "index", &["30 differences", "/opt/00 is listed"]);
    assert!(!out.stderr.contains("/opt/20"), "{}", out.stderr);
}

/// Puts more members at the end of the layer of an architecture, with digests and diff id put right.
fn append(image: &Layout, architecture: &str, more: &Tarball) {
    let manifest = image.json(&image.platform(architecture));
    let digest = manifest["layers"][0]["digest"].as_str().unwrap();
    let mut tar = Vec::new();
    MultiGzDecoder::new(&image.bytes(digest)[..]).read_to_end(&mut tar).unwrap();
    tar.truncate(tar.len() - 1024);
    tar.extend(more.build());
    let packed = compress(Codec::Gzip, &tar);
    let layer = image.put(&packed);
    image.change_config(architecture, false, |config| {
        config["rootfs"]["diff_ids"][0] = json!(format!("sha256:{}", sha256_hex(&tar)));
    });
    image.change_manifest(architecture, false, |manifest| {
        manifest["layers"][0]["digest"] = json!(layer);
        manifest["layers"][0]["size"] = json!(packed.len());
    });
}

/// The layer of amd64 has more in it than was listed; everything is signed by the trusted key.
#[track_caller]
fn smuggled(more: &Tarball, words: &[&str]) {
    let signed = Signed::new();
    resigned(&signed.image, &trusted(), |image| append(image, "amd64", more));
    refused(&signed, "HP604", "linux/amd64", words);
    refused(&signed, "HP604", "index", words);
    assert!(failures(&signed).iter().all(|(of, code)| of != "linux/arm64" && code == "HP604"));
}

#[test]
fn a_file_in_a_layer_that_no_sbom_lists_is_named() {
    let more = Tarball::new().file("usr/bin/more", "more", 0o4755);
    smuggled(&more, &["/usr/bin/more is in the image and not listed"]);
}

#[test]
fn a_file_that_hides_a_listed_one_is_named() {
    let more = Tarball::new().file("usr/bin/hello", "other", 0o755);
    smuggled(&more, &["/usr/bin/hello has the digest", &sha256_hex(b"other")]);
}

#[test]
fn another_name_for_a_listed_file_is_named() {
    let more = Tarball::new().hardlink("usr/bin/again", "usr/bin/hello");
    smuggled(&more, &["/usr/bin/again is in the image and not listed"]);
}
