//! Layouts, archives, references, digests: each form that an image comes in.

use std::io::Read as _;

use serde_json::json;

use crate::support::signed::{Signed, trusted, world};
use crate::support::{MTIME, Registry, Tarball, statement};
use crate::{SIGN, refused, verify};

#[test]
fn an_oci_archive_verifies_like_its_folder() {
    let world = world("1.1", MTIME);
    let digest = |format: &str, out: &str| {
        world.build(&["--key", "team.pem", "--format", format, "--out", out]).ok();
        verify(&world.sandbox, out, &["--quiet"]).ok().stdout
    };
    assert_eq!(digest("oci-layout", "folder"), digest("oci-archive", "file.tar"));
    let bytes = world.sandbox.read("file.tar");
    let at = bytes.windows(12).position(|window| window == b"dsseEnvelope").unwrap() + 40;
    crate::support::flip(&world.sandbox.path("file.tar"), at);
    verify(&world.sandbox, "file.tar", &[]).exits(6).says("HP508");
}

/// The members of a tar.
fn members(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = tar::Archive::new(bytes);
    let read = |entry: std::io::Result<tar::Entry<&[u8]>>| {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        (entry.path().unwrap().display().to_string(), content)
    };
    archive.entries().unwrap().map(read).collect()
}

#[test]
fn a_docker_archive_has_no_statements_and_is_refused() {
    let world = world("1.1", MTIME);
    let docker = ["--format", "docker-archive", "--platform", "linux/amd64", "--out", "docker.tar"];
    let out = world.build(&docker).ok();
    assert!(!out.stderr.contains("Signed") && !world.sandbox.home().join(".local").exists());
    verify(&world.sandbox, "docker.tar", &[]).exits(6).says("HP602");
    // As docker writes one, without an index.
    let bytes = world.sandbox.read("docker.tar");
    let kept =
        members(&bytes).into_iter().filter(|(name, _)| !["index.json", "oci-layout"].contains(&&**name));
    let tar = kept.fold(Tarball::new(), |tar, (name, content)| tar.file(&name, content, 0o644));
    world.sandbox.write("theirs.tar", tar.build());
    let out = verify(&world.sandbox, "theirs.tar", &[]).exits(6).says("HP602");
    out.says("a docker archive has no place for statements").says("verify the OCI layout");
}

#[test]
fn what_is_not_there_or_no_image_is_told_apart() {
    let signed = Signed::new();
    verify(&signed.sandbox, "no/such image", &[]).exits(4).says("HP405").says("no/such image");
    signed.sandbox.write("empty/index.json", "{}");
    verify(&signed.sandbox, "empty", &[]).exits(6).says("HP601").says("HP509");
    signed.sandbox.write("text.tar", "text");
    verify(&signed.sandbox, "text.tar", &[]).exits(6).says("HP509");
    std::fs::create_dir(signed.sandbox.path("bare")).unwrap();
    verify(&signed.sandbox, "bare", &[]).exits(6).says("neither `index.json` nor `manifest.json`");
}

#[test]
fn tag_index_digest_and_platform_digest_each_verify_by_themselves() {
    let (signed, registry) = (Signed::new(), Registry::start());
    let to = format!("{}/team", registry.host());
    signed.sandbox.hardpan(&["publish", "made", "--to", &to, "--key", "team.pem"]).ok();
    let reference = |end: &str| format!("{to}/made{end}");
    let store = signed.sandbox.path("new-store").display().to_string();
    let run = |end: &str| verify(&signed.sandbox, &reference(end), &["--store", &store]);
    let index = signed.image.index();
    for end in [":latest".to_owned(), ":1.1".to_owned(), format!("@{index}"), format!(":latest@{index}")] {
        let out = run(&end).ok();
        assert!(out.stdout.ends_with(&format!("{index}\n")), "{}", out.stdout);
        assert_eq!(out.stdout.matches("signed by team.pub").count(), 12);
    }
    for architecture in ["amd64", "arm64"] {
        let manifest = signed.image.platform(architecture);
        let out = run(&format!("@{manifest}")).ok();
        assert!(out.stdout.ends_with(&format!("{manifest}\n")), "{}", out.stdout);
        assert_eq!(out.stdout.matches("signed by team.pub").count(), 4);
        assert!(!out.stdout.contains(" index "));
        let pull = ["pull", &reference(&format!("@{manifest}")), "--out", architecture, "--store", &store];
        signed.sandbox.hardpan(&pull).ok();
        verify(&signed.sandbox, architecture, &[]).ok();
    }
    signed.sandbox.hardpan(&["pull", &reference(":latest"), "--out", "pulled", "--store", &store]).ok();
    assert_eq!(verify(&signed.sandbox, "pulled", &["--quiet"]).ok().stdout, format!("{index}\n"));
}

#[test]
fn a_platform_without_its_own_statements_does_not_live_on_those_of_the_index() {
    let (signed, registry) = (Signed::new(), Registry::start());
    let manifest = signed.image.platform("amd64");
    for attached in signed.image.statements().iter().filter(|attached| attached.subject == manifest) {
        signed.image.detach(attached);
    }
    let to = format!("{}/team", registry.host());
    signed.sandbox.hardpan(&["publish", "made", "--to", &to]).ok();
    let out = verify(&signed.sandbox, &format!("{to}/made@{manifest}"), &[]).exits(6);
    out.says("linux/amd64 has no sign statement");
    refused(&signed, "HP602", "linux/amd64", &["linux/amd64 has no sign statement"]);
}

#[test]
fn a_statement_about_more_than_the_image_is_about_the_image() {
    let signed = Signed::new();
    let index = signed.image.index();
    let own = signed.image.statement(SIGN, &index);
    let both = statement(SIGN, &[&format!("sha256:{}", "1".repeat(64)), &index], &json!({}));
    signed.image.swap(&own, &trusted().bundle(&both));
    verify(&signed.sandbox, "made", &[]).ok();
}
