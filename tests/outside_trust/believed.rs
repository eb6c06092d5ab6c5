//! Both cosigns, offline, and `hardpan verify` believe what was published, on both registries.

use std::path::Path;

use serde_json::Value;

use crate::goods::{Goods, KINDS};
use crate::outside::cosign::{Cosign, Version};
use crate::outside::registry::{Kind, Login, Registry};

/// A cosign verifies the signature and each type of statement under each name; the statements are
/// about what was asked for.
fn all_verify(cosign: &Cosign, public: &Path, names: &[(String, String)]) {
    let root = cosign.trusted_root();
    for (name, digest) in names {
        let claims = cosign.verify(public, Some(&root), name).unwrap_or_else(|why| panic!("{name}: {why}"));
        let claimed = |claim: &Value| claim["critical"]["image"]["docker-manifest-digest"].clone();
        let claimed: Vec<Value> = claims.as_array().expect("a list").iter().map(claimed).collect();
        assert!(claimed.contains(&format!("sha256:{digest}").into()), "{name}: {claimed:?}");
        for kind in KINDS {
            let found = cosign.verify_attestation(public, Some(&root), kind, name);
            let found = found.unwrap_or_else(|why| panic!("{name} {kind}: {why}"));
            assert_eq!(found.len(), 1, "{name} {kind}");
            assert!(is_about(&found[0], digest), "{name} {kind}: {}", found[0]["subject"]);
        }
    }
}

/// Whether a statement has this subject; provenance is about all that one build made.
pub fn is_about(statement: &Value, digest: &str) -> bool {
    let subjects = statement["subject"].as_array().expect("a list");
    subjects.iter().any(|subject| subject["digest"]["sha256"] == digest)
}

#[test]
#[ignore = "needs cosign and registries"]
fn both_cosigns_and_hardpan_verify_tag_index_and_platforms_on_both_registries() {
    let goods = Goods::signed();
    for kind in Kind::ALL {
        let registry = Registry::start(kind);
        goods.publish(&registry, &["--key", "team.key"]).ok();
        let names = goods.names(&registry);
        for version in Version::ALL {
            all_verify(&Cosign::new(version), &goods.public(), &names);
        }
        for (name, _) in &names {
            assert_eq!(goods.verify(name, 0)["passed"], true, "{kind:?} {name}");
        }
    }
}

#[test]
#[ignore = "needs cosign and a registry"]
fn what_the_machines_own_key_signed_verifies_where_one_must_log_in() {
    let login = Login { name: "made", password: "open sesame" };
    let registry = Registry::start_with_login(Kind::Debian, login);
    let mut goods = Goods::of_this_machine();
    goods.publish(&registry, &[]).exits(7).says("HP701").says("docker login");
    let config = registry.docker_config(login);
    goods.world.sandbox.env("DOCKER_CONFIG", config.to_str().expect("a path in UTF-8"));
    goods.publish(&registry, &[]).ok();
    let shown = goods.world.sandbox.hardpan(&["keys", "show", "--json"]).ok().stdout;
    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!(shown["development"], true);
    let public = shown["public_key"].as_str().expect("PEM");
    let public = goods.world.sandbox.write("machine.pub", public);
    let names = goods.names(&registry);
    for version in Version::ALL {
        let cosign = Cosign::new(version).with_docker_config(config.clone());
        all_verify(&cosign, &public, &names);
    }
    goods.world.sandbox.hardpan(&["verify", &names[0].0]).ok();
}

#[test]
#[ignore = "needs cosign and registries"]
fn what_was_pulled_from_one_registry_is_believed_on_another() {
    let goods = Goods::signed();
    let (from, to) = (Registry::start(Kind::Debian), Registry::start(Kind::Cncf));
    goods.publish(&from, &["--key", "team.key"]).ok();
    let pulled = goods.world.sandbox.hardpan(&["pull", &goods.names(&from)[0].0, "--out", "pulled/made"]);
    assert_eq!(pulled.ok().stdout.trim(), goods.digest());
    drop(from);
    assert_eq!(goods.verify("pulled/made", 0)["passed"], true);
    // Without the key: the bundles that it signed come along, cosign's older form can't be made again.
    goods.publish_from("pulled/made", &to, &[]).ok().says("cosign's older form");
    let names = goods.names(&to);
    for version in Version::ALL {
        all_verify(&Cosign::new(version), &goods.public(), &names);
    }
    for (name, _) in names {
        assert_eq!(goods.verify(&name, 0)["passed"], true, "{name}");
    }
}

#[test]
#[ignore = "needs cosign and a registry"]
fn the_older_form_is_for_those_without_a_root_of_trust() {
    let (goods, registry) = (Goods::signed(), Registry::start(Kind::Cncf));
    goods.publish(&registry, &["--key", "team.key", "--no-legacy"]).ok();
    let names = goods.names(&registry);
    let tags = crate::goods::skopeo(&["list-tags", &format!("docker://{}", registry.reference("team/made"))]);
    assert!(!tags.contains(".sig") && !tags.contains(".att"), "{tags}");
    // The bundles alone are enough for both, where the second has a root of trust.
    for version in Version::ALL {
        all_verify(&Cosign::new(version), &goods.public(), &names);
    }
    let why = Cosign::new(Version::Two).verify(&goods.public(), None, &names[0].0).expect_err("no root");
    assert!(why.contains("trusted root is required"), "{why}");
    // The older form is added by publishing once more.
    goods.publish(&registry, &["--key", "team.key"]).ok();
    let tags = crate::goods::skopeo(&["list-tags", &format!("docker://{}", registry.reference("team/made"))]);
    for (_, digest) in &names {
        for end in ["sig", "att"] {
            assert!(tags.contains(&format!("sha256-{digest}.{end}")), "{digest}.{end} is not in {tags}");
        }
    }
}
