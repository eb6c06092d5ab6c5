//! Certificates: the bundle, the links, the trust store, and what is refused.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::support::{Deb, Hand, Image, World, sha256_hex};
use crate::{refused, world};

/// A tag, a length, a content (X.690).
fn item(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x82], &length[..], &content].concat()
}

/// A certificate of nobody's: of this subject, number and no key.
fn der(subject: &str, number: u8) -> Vec<u8> {
    let name = item(0x31, &[&item(0x30, &[&[0x06, 3, 0x55, 4, 3], &item(0x0c, &[subject.as_bytes()])])]);
    let empty = item(0x30, &[]);
    let body = item(
        0x30,
        &[&[0xa0, 3, 2, 1, 2, 2, 1, number], &empty, &empty, &empty, &item(0x30, &[&name]), &empty],
    );
    item(0x30, &[&body, &empty, &[3, 1, 0]])
}

fn pem_of(der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let lines: Vec<&str> = base64.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

fn pem(subject: &str, number: u8) -> String {
    pem_of(&der(subject, number))
}

/// Two packaged certificates of one subject, the second without a line end.
fn certs() -> Deb {
    Deb::new("certs", "1")
        .file("/usr/share/ca-certificates/mozilla/B (x).crt", pem("One  Root", 1), 0o644)
        .file("/usr/share/ca-certificates/mozilla/a.crt", pem("one root", 2).trim_end(), 0o644)
}

fn bundle(image: &Image) -> &str {
    image.text("/etc/ssl/certs/ca-certificates.crt")
}

/// The aliases and certificates of a store, read by hand.
fn store(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    assert_eq!(bytes[..8], [0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2]);
    let word = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let mut at = 12;
    let found = (0..word(8)).map(|_| {
        assert_eq!(word(at), 2);
        let length = usize::from(u16::from_be_bytes([bytes[at + 4], bytes[at + 5]]));
        let alias = String::from_utf8(bytes[at + 6..at + 6 + length].to_vec()).unwrap();
        let der = at + 6 + length + 8 + 7;
        assert_eq!(bytes[der - 15..der - 7], [0; 8]);
        at = der + 4 + word(der);
        (alias, bytes[der + 4..at].to_vec())
    });
    let found = found.collect();
    assert_eq!(bytes.len(), at + 20);
    found
}

#[test]
fn a_certificate_is_in_the_bundle_under_its_name_and_under_its_hash() {
    let world = world(&[certs()], "");
    world.build(&[]).ok();
    let image = world.image();
    assert_eq!(bundle(&image), format!("{}{}", pem("One  Root", 1), pem("one root", 2)));
    let link = |name: &str| image.item(&format!("/etc/ssl/certs/{name}")).link.clone();
    assert_eq!(link("B_=x=.pem"), "/usr/share/ca-certificates/mozilla/B (x).crt");
    assert_eq!(link("a.pem"), "/usr/share/ca-certificates/mozilla/a.crt");
    // `openssl x509 -subject_hash` of both.
    assert_eq!(link("30c9224d.0"), "B_=x=.pem");
    assert_eq!(link("30c9224d.1"), "a.pem");
}

#[test]
fn links_are_left_out_where_the_recipe_says_so_or_keeps_the_bundle_only() {
    for rest in ["[system]\ncertificate-links = false\n", "[system]\n"] {
        let world = world(&[certs()], rest);
        if rest.len() < 10 {
            world.recipe("drop = [\"/usr/share/ca-certificates/**\"]\ndebian.packages = [\"certs\"]\n");
        }
        world.build(&[]).ok();
        let image = world.image();
        assert!(bundle(&image).contains(&pem("one root", 2)));
        assert!(!image.items.keys().any(|path| path.contains(".pem") || path.contains("30c9224d")));
    }
}

#[test]
fn a_recipe_adds_its_certificates_to_those_of_the_recipes_below() {
    let world = world(&[certs(), Deb::new("other", "1")], "");
    let low = "drop = [\"/usr/share/ca-certificates/**/B*\"]\ndebian.packages = [\"certs\"]\n";
    world.sandbox.write("low.toml", World::head("low") + low);
    let two = format!("Corp\r\n{}and\n{}", pem("Corp 1", 7).replace('\n', "\r\n"), pem("Corp 2", 8));
    world.sandbox.write("keys/corp.pem", two);
    let up = "extends = \"low\"\nsystem = { certificates = [\"keys/corp.pem\"], java-trust-store = true }\n";
    world.recipe(up);
    world.build(&[]).ok();
    let image = world.image();
    let all = [pem("One  Root", 1), pem("one root", 2), pem("Corp 1", 7), pem("Corp 2", 8)];
    assert_eq!(bundle(&image), all.concat());
    assert_eq!(image.text("/usr/local/share/ca-certificates/corp-1.crt"), all[2]);
    assert_eq!(image.item("/etc/ssl/certs/corp-2.pem").link, "/usr/local/share/ca-certificates/corp-2.crt");
    let mut found = store(&image.item("/etc/ssl/certs/java/cacerts").content);
    let dropped = format!("debian:{}", sha256_hex(&der("One  Root", 1)));
    found.sort();
    let mut wanted = vec![
        (dropped, der("One  Root", 1)),
        ("debian:a.pem".to_owned(), der("one root", 2)),
        ("debian:corp-1.pem".to_owned(), der("Corp 1", 7)),
        ("debian:corp-2.pem".to_owned(), der("Corp 2", 8)),
    ];
    wanted.sort();
    assert_eq!(found, wanted);
    // The lock pins the file; a changed one is noticed.
    assert!(world.sandbox.text("made.lock").contains("path = \"keys/corp.pem\""));
    world.build(&["--locked"]).ok();
    world.sandbox.write("keys/corp.pem", pem("Corp 3", 9));
    world.refuses("HP313", &["build", "made.toml", "--locked"]).says("keys/corp.pem");
    world.build(&[]).ok();
    assert!(bundle(&world.image()).ends_with(&pem("Corp 3", 9)));
}

#[test]
fn what_is_no_certificate_to_trust_is_refused_by_what_it_is() {
    let world = world(&[certs()], "[system]\ncertificates = [\"x.pem\"]\n");
    let broken = pem("x", 1).replacen("MI", "M!", 1);
    let cut = pem_of(&der("x", 1)[..40]);
    let longer = pem_of(&[&der("x", 1)[..], &[0]].concat());
    let endless = pem("x", 1).replace("-----END", "-----");
    for (content, found) in [
        (b"".to_vec(), "no line `-----BEGIN CERTIFICATE-----`"),
        (der("x", 1), "no text"),
        (broken.into_bytes(), "not base64"),
        (endless.into_bytes(), "has no end"),
        (cut.into_bytes(), "none inside"),
        (longer.into_bytes(), "none inside"),
        (format!("{}{}", pem("x", 1), Hand::new(1).private_pem()).into_bytes(), "a private key"),
        (Hand::new(1).public_pem().into_bytes(), "a part `PUBLIC KEY`"),
    ] {
        world.sandbox.write("x.pem", &content);
        refused(&world, "HP321").says(found);
        assert!(!world.sandbox.path("out").exists());
    }
    world.sandbox.write("x.pem", pem("x", 1));
    world.build(&[]).ok();
}

#[test]
fn certificates_stay_in_the_recipes_folder_and_apart() {
    let world = world(&[certs()], "[system]\ncertificates = [\"../x.pem\", \"/etc/x.pem\", \"gone.pem\"]\n");
    assert_eq!(refused(&world, "HP304").says("error[HP318]").stderr.matches("error[").count(), 3);
    world.sandbox.write("a/x.pem", pem("a", 1));
    world.sandbox.write("b/x.pem", pem("b", 1));
    world.recipe("system.certificates = [\"a/x.pem\", \"b/x.pem\"]\n");
    refused(&world, "HP321").says("is there already");
    world.recipe("system.java-trust-store = true\n");
    refused(&world, "HP307").says("no certificate to hold");
}

#[test]
fn no_certificate_is_lost_to_another_of_nearly_its_name() {
    let deb = Deb::new("certs", "1")
        .file("/usr/share/ca-certificates/x/A.crt", pem("one", 1), 0o644)
        .file("/usr/share/ca-certificates/x/a.crt", pem("two", 2), 0o644)
        .file("/usr/share/ca-certificates/x/many.crt", pem("three", 3) + &pem("four", 4), 0o644);
    let world = world(&[deb], "[system]\njava-trust-store = true\n");
    world.build(&[]).ok();
    let found = store(&world.image().item("/etc/ssl/certs/java/cacerts").content);
    let aliases: Vec<&str> = found.iter().map(|(alias, _)| alias.as_str()).collect();
    assert_eq!(aliases, ["debian:a.pem", "debian:a.pem+", "debian:many.pem", "debian:many.pem-2"]);
}
