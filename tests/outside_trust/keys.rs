//! Keys and statements go back and forth between hardpan and both cosigns.

use serde_json::Value;

use crate::believed::is_about;
use crate::goods::{Goods, PASSWORD};
use crate::outside::cosign::{Cosign, Version};
use crate::outside::registry::{Kind, Registry};
use crate::support::Sandbox;

/// A sandbox that knows the password.
fn sandbox() -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.env("HARDPAN_KEY_PASSWORD", PASSWORD);
    sandbox
}

#[test]
#[ignore = "needs cosign"]
fn both_cosigns_read_our_key() {
    let sandbox = sandbox();
    sandbox.hardpan(&["keys", "generate", "--out", "team"]).ok();
    for cosign in Version::ALL.map(Cosign::new) {
        let key = sandbox.path("team.key");
        assert_eq!(cosign.public_key(&key, PASSWORD).as_ref(), Ok(&sandbox.text("team.pub")));
        cosign.public_key(&key, "wrong").expect_err("a wrong password");
    }
}

#[test]
#[ignore = "needs cosign"]
fn the_keys_of_both_cosigns_are_read_and_imported() {
    for version in Version::ALL {
        let sandbox = sandbox();
        let cosign = Cosign::new(version);
        let (_, public) = cosign.generate_key_pair(&sandbox.path(""), PASSWORD);
        let public = std::fs::read_to_string(public).expect("cosign wrote it");
        let shown = |file: &str| {
            let shown: Value =
                serde_json::from_str(&sandbox.hardpan(&["keys", "show", file, "--json"]).ok().stdout)
                    .expect("JSON");
            shown["public_key"].as_str().expect("PEM").to_owned()
        };
        assert_eq!([shown("cosign.key"), shown("cosign.pub")], [public.clone(), public.clone()]);
        sandbox.hardpan(&["keys", "import", "cosign.key", "--out", "mine"]).ok();
        assert_eq!(sandbox.text("mine.pub"), public);
        assert_eq!(cosign.public_key(&sandbox.path("mine.key"), PASSWORD), Ok(public));
    }
}

#[test]
#[ignore = "needs cosign and a registry"]
fn a_statement_that_we_add_is_verified_by_both_cosigns() {
    let (goods, registry) = (Goods::signed(), Registry::start(Kind::Debian));
    goods.publish(&registry, &["--key", "team.key"]).ok();
    let vex = r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://hardpan.example/vex","author":"team","timestamp":"2026-01-02T03:04:05Z","version":1,"statements":[]}"#;
    goods.world.sandbox.write("vex.json", vex);
    let names = goods.names(&registry);
    let verified = |cosign: &Cosign, name: &str| {
        cosign.verify_attestation(&goods.public(), Some(&cosign.trusted_root()), "openvex", name)
    };
    verified(&Cosign::new(Version::Three), &names[0].0).expect_err("nothing was said yet");
    let tag = &names[0].0;
    let add = ["attest", tag, "--type", "openvex", "--predicate", "vex.json", "--key", "team.key"];
    goods.world.sandbox.hardpan(&add).ok();
    for cosign in Version::ALL.map(Cosign::new) {
        for (name, digest) in &names {
            let found = verified(&cosign, name).unwrap_or_else(|why| panic!("{name}: {why}"));
            assert_eq!(found.len(), 1);
            assert!(is_about(&found[0], digest), "{name}: {}", found[0]["subject"]);
            assert_eq!(found[0]["predicate"]["author"], "team");
        }
    }
    // What was said before still is.
    goods.verify(tag, 0);
}

#[test]
#[ignore = "needs cosign and a registry"]
fn a_key_of_cosigns_signs_here_and_ours_signs_there() {
    let (goods, registry) = (Goods::signed(), Registry::start(Kind::Cncf));
    let sandbox = &goods.world.sandbox;
    let (_, public) = Cosign::new(Version::Two).generate_key_pair(&sandbox.path(""), PASSWORD);
    // Nothing that a stranger said is signed again: who said it must be known.
    goods.publish(&registry, &["--key", "cosign.key"]).exits(5).says("HP511");
    sandbox.write("keys/team.pub", sandbox.text("team.pub"));
    goods.publish(&registry, &["--key", "cosign.key"]).ok();
    let name = goods.names(&registry).remove(1).0;
    for cosign in Version::ALL.map(Cosign::new) {
        let root = cosign.trusted_root();
        cosign.verify(&public, Some(&root), &name).expect("signed by cosign's key");
        cosign.verify(&goods.public(), Some(&root), &name).expect_err("no more by ours");
    }
    sandbox.hardpan(&["verify", &name, "--key", "cosign.pub"]).ok();
    // Now each cosign signs with the key that hardpan made.
    for version in Version::ALL {
        let cosign = Cosign::new(version);
        cosign.sign(&sandbox.path("team.key"), PASSWORD, &name).expect("signed");
    }
    for cosign in Version::ALL.map(Cosign::new) {
        cosign.verify(&goods.public(), Some(&cosign.trusted_root()), &name).expect("signed by ours");
    }
    // Others' signatures don't get in the way of ours.
    sandbox.hardpan(&["verify", &name, "--key", "cosign.pub"]).ok();
}
