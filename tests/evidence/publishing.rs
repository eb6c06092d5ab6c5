//! How statements are published: signed again by who publishes, and in cosign's older form.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::signed::{Signed, trusted, world};
use crate::support::{Hand, MTIME, Output, Registry, Sandbox};
use crate::{CLOSURE, CYCLONEDX, PROVENANCE, SPDX, TEST_RESULT, image, list};

fn publish(sandbox: &Sandbox, registry: &Registry, image: &str, more: &[&str]) -> Output {
    let to = format!("{}/team", registry.host());
    sandbox.hardpan(&[&["publish", image, "--to", &to], more].concat())
}

/// The tags of cosign's older form.
fn older_tags(registry: &Registry) -> Vec<String> {
    let tags = registry.tags("team/made").into_iter();
    tags.filter(|tag| std::path::Path::new(tag).extension().is_some_and(|end| end == "sig" || end == "att"))
        .collect()
}

/// That of an image's subjects.
fn wanted_tags(subjects: &[String]) -> Vec<String> {
    let of = |digest: &String| ["att", "sig"].map(|end| format!("{}.{end}", digest.replace(':', "-")));
    let mut tags: Vec<String> = subjects.iter().flat_map(of).collect();
    tags.sort();
    tags
}

#[test]
fn a_key_signs_again_what_the_development_key_said() {
    let (world, registry) = (world("1.1", MTIME), Registry::start());
    world.build(&[]).ok();
    let subjects = image(&world).subjects();
    let before = image(&world).statements();
    publish(&world.sandbox, &registry, "out/made", &["--key", "team.pem"]).ok();
    let reference = format!("{}/team/made:latest", registry.host());
    world.sandbox.hardpan(&["verify", &reference, "--key", "team.pub"]).ok();
    world.sandbox.hardpan(&["pull", &reference, "--out", "pulled"]).ok();
    let pulled = crate::support::Layout(world.sandbox.path("pulled"));
    let payloads = |all: Vec<crate::support::Attached>| {
        let mut all: Vec<Vec<u8>> = all.into_iter().map(|attached| attached.payload).collect();
        all.sort();
        all
    };
    // The same words, another signature; none by the old key is left.
    assert_eq!(payloads(pulled.statements()), payloads(before));
    for attached in pulled.statements() {
        let bundle = pulled.json(&attached.bundle);
        assert_eq!(bundle["verificationMaterial"]["publicKey"]["hint"], trusted().hint());
    }
    let provenance = pulled.statement(PROVENANCE, &subjects[0]).statement;
    let builder = &provenance["predicate"]["runDetails"]["builder"]["id"];
    assert_eq!(builder, "https://hardpan.dev/builder/development/v1", "signing again claims no more");
    assert_eq!(older_tags(&registry), wanted_tags(&subjects));
}

#[test]
fn what_a_key_said_that_is_not_trusted_here_is_not_signed_again() {
    let (signed, registry) = (Signed::new(), Registry::start());
    crate::secret(&signed.sandbox, "own.pem", &Hand::new(7).private_pem());
    let run = || publish(&signed.sandbox, &registry, "made", &["--key", "own.pem"]);
    let out = run().exits(5).says("HP511").says("is not signed by a key that is trusted here");
    out.says("`keys/`").says(&trusted().hint());
    assert!(registry.asked().iter().all(|asked| matches!(&*asked.method, "GET" | "HEAD")));
    signed.sandbox.write("keys/team.pub", trusted().public_pem());
    run().ok();
    signed.sandbox.write("own.pub", Hand::new(7).public_pem());
    let reference = format!("{}/team/made:latest", registry.host());
    signed.sandbox.hardpan(&["verify", &reference, "--key", "own.pub"]).ok();
}

#[test]
fn a_changed_statement_of_a_trusted_key_is_not_signed_again() {
    let (signed, registry) = (Signed::new(), Registry::start());
    crate::secret(&signed.sandbox, "own.pem", &Hand::new(7).private_pem());
    signed.sandbox.write("keys/team.pub", trusted().public_pem());
    let attached = signed.image.statement(SPDX, &signed.image.index());
    let good = signed.image.json(&attached.bundle);
    let signature = STANDARD.decode(good["dsseEnvelope"]["signatures"][0]["sig"].as_str().unwrap()).unwrap();
    let mut changed = attached.statement.clone();
    changed["predicate"]["files"] = json!([]);
    let payload = changed.to_string();
    let bundle =
        crate::support::bundle(crate::support::IN_TOTO, payload.as_bytes(), &signature, &trusted().hint());
    signed.image.swap(&attached, &bundle);
    publish(&signed.sandbox, &registry, "made", &["--key", "own.pem"])
        .exits(5)
        .says("HP511")
        .says("spdxjson");
    assert_eq!(registry.tag("team/made", "latest"), None);
}

#[test]
fn the_older_form_of_a_signature_names_repository_and_digest() {
    let (signed, registry) = (Signed::new(), Registry::start());
    publish(&signed.sandbox, &registry, "made", &["--key", "team.pem"]).ok();
    assert_eq!(older_tags(&registry), wanted_tags(&signed.image.subjects()));
    for digest in signed.image.subjects() {
        let manifest = registry.manifest("team/made", &format!("{}.sig", digest.replace(':', "-"))).unwrap();
        let layers = list(&manifest, "/layers");
        assert_eq!(layers.len(), 1);
        assert_eq!(layers[0]["mediaType"], "application/vnd.dev.cosign.simplesigning.v1+json");
        let payload = registry.blob("team/made", layers[0]["digest"].as_str().unwrap()).unwrap();
        let said: Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!(said["critical"]["image"], json!({ "docker-manifest-digest": digest }));
        assert_eq!(said["critical"]["type"], "cosign container image signature");
        let repository = format!("{}/team/made", registry.host());
        assert_eq!(said["critical"]["identity"], json!({ "docker-reference": repository }));
        let signature = layers[0]["annotations"]["dev.cosignproject.cosign/signature"].as_str().unwrap();
        assert!(trusted().made_plain(&payload, &STANDARD.decode(signature).unwrap()));
        let config = manifest["config"]["digest"].as_str().unwrap();
        assert!(registry.blob("team/made", config).is_some());
    }
}

#[test]
fn the_older_form_of_attestations_holds_the_same_envelopes() {
    let (signed, registry) = (Signed::new(), Registry::start());
    publish(&signed.sandbox, &registry, "made", &["--key", "team.pem"]).ok();
    for digest in signed.image.subjects() {
        let manifest = registry.manifest("team/made", &format!("{}.att", digest.replace(':', "-"))).unwrap();
        let mut kinds = Vec::new();
        for layer in list(&manifest, "/layers") {
            assert_eq!(layer["mediaType"], "application/vnd.dsse.envelope.v1+json");
            let kind = layer["annotations"]["predicateType"].as_str().unwrap();
            let bytes = registry.blob("team/made", layer["digest"].as_str().unwrap()).unwrap();
            let envelope: Value = serde_json::from_slice(&bytes).unwrap();
            let payload = STANDARD.decode(envelope["payload"].as_str().unwrap()).unwrap();
            assert_eq!(payload, signed.image.statement(kind, &digest).payload);
            let signature = STANDARD.decode(envelope["signatures"][0]["sig"].as_str().unwrap()).unwrap();
            assert!(trusted().made(&payload, &signature));
            kinds.push(kind.to_owned());
        }
        kinds.sort();
        let closure = (digest != signed.image.index()).then_some(CLOSURE);
        let others = [TEST_RESULT, PROVENANCE, SPDX];
        let wanted: Vec<&str> = [CYCLONEDX].into_iter().chain(closure).chain(others).collect();
        assert_eq!(kinds, wanted);
    }
}

#[test]
fn the_older_form_can_be_left_out() {
    let (signed, registry) = (Signed::new(), Registry::start());
    publish(&signed.sandbox, &registry, "made", &["--key", "team.pem", "--no-legacy"]).ok();
    assert!(older_tags(&registry).is_empty());
    let reference = format!("{}/team/made:latest", registry.host());
    signed.sandbox.hardpan(&["verify", &reference, "--key", "team.pub"]).ok();
}

#[test]
fn without_a_key_statements_are_published_as_they_are() {
    let (signed, registry) = (Signed::new(), Registry::start());
    publish(&signed.sandbox, &registry, "made", &[]).ok().says("Without").says("--key FILE");
    assert!(older_tags(&registry).is_empty());
    let reference = format!("{}/team/made:latest", registry.host());
    signed.sandbox.hardpan(&["verify", &reference, "--key", "team.pub"]).ok();
    signed.sandbox.hardpan(&["pull", &reference, "--out", "pulled"]).ok();
    let pulled = crate::support::Layout(signed.sandbox.path("pulled"));
    let mut bundles = [pulled.statements(), signed.image.statements()]
        .map(|all| all.into_iter().map(|one| one.bundle).collect::<Vec<_>>());
    for all in &mut bundles {
        all.sort();
    }
    assert_eq!(bundles[0], bundles[1]);
}

#[test]
fn what_the_development_key_signed_has_its_older_form() {
    let (world, registry) = (world("1.1", MTIME), Registry::start());
    world.build(&[]).ok();
    publish(&world.sandbox, &registry, "out/made", &[]).ok();
    assert_eq!(older_tags(&registry), wanted_tags(&image(&world).subjects()));
    world.sandbox.hardpan(&["verify", &format!("{}/team/made:latest", registry.host())]).ok();
}

#[test]
fn an_unsigned_image_is_signed_by_the_key_that_is_named_and_told_of_otherwise() {
    let (world, registry) = (world("1.1", MTIME), Registry::start());
    world.build(&["--no-attest"]).ok();
    publish(&world.sandbox, &registry, "out/made", &[]).ok().says("Unsigned").says("--key FILE");
    assert!(older_tags(&registry).is_empty());
    assert!(!world.sandbox.home().join(".local").exists(), "a key was made for nothing");
    publish(&world.sandbox, &registry, "out/made", &["--key", "team.pem"]).ok();
    let reference = format!("{}/team/made:latest", registry.host());
    world.sandbox.write("policy.toml", "require = [\"sign\"]");
    let verify =
        |more: &[&str]| world.sandbox.hardpan(&[&["verify", &reference, "--key", "team.pub"], more].concat());
    verify(&["--policy", "policy.toml"]).ok();
    let out = verify(&[]).exits(6).says("the index has no slsaprovenance1 statement");
    assert!(!out.stderr.contains("no sign statement"), "{}", out.stderr);
}

#[test]
fn a_wrong_password_is_refused_before_anything_is_sent() {
    let (signed, registry) = (Signed::new(), Registry::start());
    let generate = signed.sandbox.run(&["keys", "generate", "--out", "own"]);
    generate.env("HARDPAN_KEY_PASSWORD", "right").output().ok();
    signed.sandbox.write("wrong", "wrong");
    let with = ["--key", "own.key", "--password-file", "wrong"];
    publish(&signed.sandbox, &registry, "made", &with).exits(2).says("HP205");
    assert!(registry.asked().is_empty());
}
