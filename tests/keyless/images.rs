//! Images that are built, signed as an identity, and verified by it.

use std::time::{Duration, Instant};

use super::support::{Deb, Run, Sigstore, World, Wrong};
use super::{Desk, ISSUER, NAME};

/// A world with a recipe, and what is known of an instance.
fn world(desk: &Desk) -> (World, Vec<String>) {
    let world = World::new(&[Deb::new("made", "1-1").file("/usr/share/made/made", "made", 0o644)]);
    let mut arguments = vec!["--signer".to_owned(), "keyless".to_owned()];
    for (flag, file) in
        [("--identity-token", "token"), ("--trusted-root", "root.json"), ("--signing-config", "config.json")]
    {
        arguments.extend([flag.to_owned(), desk.sandbox.path(file).display().to_string()]);
    }
    (world, arguments)
}

fn build(world: &World, arguments: &[String]) -> Run {
    let more: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let all = world.arguments(&[&["build", "made.toml"], &more[..]].concat());
    world.sandbox.run(&all.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn an_image_is_signed_with_one_certificate_and_verified_by_identity_only() {
    for version in [1, 2] {
        let desk = Desk::new(version);
        let (world, arguments) = world(&desk);
        build(&world, &arguments).output().ok().says(NAME);
        assert_eq!(desk.sigstore.hits("/api/v2/signingCert"), 1);
        let entered = desk.sigstore.hits(&format!("/api/v{version}/log/entries"));
        assert!(entered > 3, "{entered} statements");
        let root = desk.sandbox.path("root.json").display().to_string();
        let verify = |name: &str, issuer: &str| {
            let who = [
                "--certificate-identity",
                name,
                "--certificate-oidc-issuer",
                issuer,
                "--trusted-root",
                &root,
            ];
            world.sandbox.hardpan(&[&["verify", "out/made"], &who[..]].concat())
        };
        verify(NAME, ISSUER).ok();
        verify("other@hardpan.example", ISSUER).exits(6).says("a certificate of builder@");
        verify(NAME, "https://other.example").exits(6);
        world.sandbox.hardpan(&["verify", "out/made", "--certificate-identity", NAME]).exits(2);
        // Who trusts keys only does not believe it.
        world.sandbox.write("one.pub", desk.open().expect("opened").public_key().to_pem());
        world.sandbox.hardpan(&["verify", "out/made", "--key", "one.pub"]).exits(6);
    }
}

#[test]
fn a_service_that_hangs_is_given_up_and_no_image_is_written() {
    for (path, what) in
        [("/api/v2/signingCert", "certificate authority"), ("/api/v1/log/entries", "transparency log")]
    {
        let desk = Desk::new(1);
        let (world, arguments) = world(&desk);
        desk.sigstore.wrong(path, Wrong::Hangs);
        let start = Instant::now();
        let output = build(&world, &arguments).env("HARDPAN_SIGNER_TIMEOUT", "1").output();
        output.exits(1).says("HP106").says(what);
        assert!(start.elapsed() < Duration::from_secs(30));
        assert!(!world.sandbox.path("out/made/index.json").exists());
    }
}

#[test]
fn an_expired_token_ends_a_build_before_it_begins() {
    let desk = Desk::new(1);
    let (world, arguments) = world(&desk);
    desk.sandbox.write("token", Sigstore::token(-5));
    build(&world, &arguments).output().exits(2).says("HP207").says("has expired");
    assert!(!world.sandbox.path("out").exists());
    let said = build(&world, &["--trusted-root".to_owned(), "x".to_owned()]).output();
    said.exits(2).says("--signer keyless");
}
