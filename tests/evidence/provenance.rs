//! Provenance: its shape, that everything that a build depended on is in it, and that it claims no more
//! than is so.

use std::collections::BTreeSet;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::signed::{HEAD, RECIPE, Signed, hello, world};
use crate::support::{Deb, Hand, MTIME, World, sha256_hex};
use crate::{CLOSURE, CYCLONEDX, PROVENANCE, SIGN, SPDX, TEST_RESULT, image, json, list, one};

fn predicate(signed: &Signed) -> Value {
    signed.image.statement(PROVENANCE, &signed.image.index()).statement["predicate"].clone()
}

/// The provenance of what a world built.
fn of(world: &World, folder: &str) -> Value {
    let layout = crate::support::Layout(world.sandbox.path(folder));
    layout.statement(PROVENANCE, &layout.index()).statement["predicate"].clone()
}

#[test]
fn statements_are_in_toto_statements_about_what_they_are_attached_to_and_signed_as_dsse() {
    let signed = Signed::new();
    let key = crate::support::signed::trusted();
    for attached in signed.image.statements() {
        let statement = &attached.statement;
        let fields: BTreeSet<&String> = statement.as_object().unwrap().keys().collect();
        assert_eq!(fields.len(), 4);
        assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");
        assert_eq!(statement["predicateType"], *attached.kind);
        let digests: Vec<String> = list(statement, "/subject")
            .iter()
            .map(|subject| format!("sha256:{}", subject["digest"]["sha256"].as_str().unwrap()))
            .collect();
        assert!(digests.contains(&attached.subject));
        let all = [PROVENANCE, TEST_RESULT].contains(&attached.kind.as_str());
        assert_eq!(digests, if all { signed.image.subjects() } else { vec![attached.subject.clone()] });
        if attached.kind == SIGN {
            assert_eq!(statement["predicate"], json!({}));
        }
        let bundle = signed.image.json(&attached.bundle);
        assert_eq!(bundle["mediaType"], crate::support::BUNDLE_TYPE);
        assert_eq!(bundle["verificationMaterial"], json!({ "publicKey": { "hint": key.hint() } }));
        assert_eq!(list(&bundle, "/dsseEnvelope/signatures").len(), 1);
        let signature =
            STANDARD.decode(bundle["dsseEnvelope"]["signatures"][0]["sig"].as_str().unwrap()).unwrap();
        assert!(key.made(&attached.payload, &signature), "{}", attached.kind);
    }
    assert_eq!(signed.image.statements().len(), crate::STATEMENTS);
}

#[test]
fn what_attaches_a_statement_says_what_it_is_as_cosign_does() {
    let signed = Signed::new();
    for attached in signed.image.statements() {
        let manifest = signed.image.json(&attached.manifest);
        assert_eq!(manifest["artifactType"], crate::support::BUNDLE_TYPE);
        assert_eq!(manifest["config"]["mediaType"], "application/vnd.oci.empty.v1+json");
        assert_eq!(signed.image.bytes(manifest["config"]["digest"].as_str().unwrap()), b"{}");
        assert_eq!(list(&manifest, "/layers").len(), 1);
        assert_eq!(manifest["layers"][0]["mediaType"], crate::support::BUNDLE_TYPE);
        let annotations = json!({
            "dev.sigstore.bundle.content": "dsse-envelope",
            "dev.sigstore.bundle.predicateType": attached.kind,
        });
        assert_eq!(manifest["annotations"], annotations);
        let top = signed.image.top();
        let descriptor = one(list(&top, "/manifests"), "digest", &attached.manifest);
        assert_eq!(descriptor["annotations"], annotations);
        assert_eq!(descriptor["artifactType"], crate::support::BUNDLE_TYPE);
    }
    // Nothing of it stands among the image's platforms.
    assert_eq!(list(&signed.image.json(&signed.image.index()), "/manifests").len(), 2);
}

#[test]
fn all_that_comes_from_outside_is_a_parameter() {
    let signed = Signed::new();
    let predicate = predicate(&signed);
    let definition = &predicate["buildDefinition"];
    assert_eq!(definition["buildType"], "https://hardpan.dev/build-type/image/v1");
    let parameters = &definition["externalParameters"];
    let names: Vec<&str> = parameters.as_object().unwrap().keys().map(String::as_str).collect();
    let known =
        ["compression", "extends", "files", "lock", "platforms", "recipe", "sourceDateEpoch", "variant"];
    assert_eq!(names, known);
    assert_eq!(parameters["recipe"], json!({ "file": "made.toml", "text": format!("{HEAD}{RECIPE}") }));
    assert_eq!(parameters["platforms"], json!(["linux/amd64", "linux/arm64"]));
    assert_eq!(parameters["compression"], "gzip");
    assert_eq!((&parameters["variant"], &parameters["sourceDateEpoch"]), (&Value::Null, &Value::Null));
    let files = list(parameters, "/files");
    assert_eq!(files.iter().map(|file| &file["path"]).collect::<Vec<_>>(), ["app.conf", "made.asc"]);
    let own = STANDARD.decode(files[0]["content"].as_str().unwrap()).unwrap();
    assert_eq!((own.as_slice(), files[0]["executable"] == false), (&b"own = true\n"[..], true));
    assert_eq!(files[0]["sha256"], sha256_hex(b"own = true\n"));
}

#[test]
fn the_lock_is_the_one_beside_the_recipe() {
    let world = world("1.1", MTIME);
    world.build(&["--key", "team.pem"]).ok();
    let lock = world.sandbox.text("made.lock");
    assert_eq!(of(&world, "out/made")["buildDefinition"]["externalParameters"]["lock"], *lock);
}

#[test]
fn options_and_environment_show_in_the_parameters() {
    let mut world = world("1.1", MTIME);
    world.sandbox.write("made.toml", format!("{HEAD}{RECIPE}[variant.dev]\nsummary = \"more\"\n"));
    world.sandbox.env("SOURCE_DATE_EPOCH", "1600000000");
    let more = ["--compression", "zstd", "--variant", "dev", "--platform", "linux/arm64", "--out", "other"];
    world.build(&[&["--key", "team.pem"], &more[..]].concat()).ok();
    let parameters = of(&world, "other")["buildDefinition"]["externalParameters"].clone();
    assert_eq!(parameters["compression"], "zstd");
    assert_eq!(parameters["variant"], "dev");
    assert_eq!(parameters["platforms"], json!(["linux/arm64"]));
    assert_eq!(parameters["sourceDateEpoch"], 1_600_000_000);
    assert!(
        of(&world, "other")["buildDefinition"]["internalParameters"]["compressor"]
            .as_str()
            .unwrap()
            .contains("zstd")
    );
    world.sandbox.hardpan(&["verify", "other", "--key", "team.pub"]).ok();
}

#[test]
fn the_recipes_below_are_there_in_full_and_in_their_order() {
    let world = World::new(&[Deb::new("libone", "1.0").file("/usr/share/one", "1", 0o644)]);
    let head = |name: &str, below: &str| {
        format!("name = \"{name}\"\nextends = \"{below}\"\nplatforms = [\"linux/amd64\"]\ntags = [\"1\"]\n")
    };
    let base = format!("{}debian.packages = [\"libone\"]\n", World::head("base"));
    world.sandbox.write("base.toml", &base);
    world.sandbox.write("middle.toml", head("middle", "base"));
    world.sandbox.write("top.toml", head("top", "middle"));
    world.run(&["build", "top.toml"]).ok();
    let parameters = of(&world, "out/top")["buildDefinition"]["externalParameters"].clone();
    assert_eq!(parameters["recipe"], json!({ "file": "top.toml", "text": head("top", "middle") }));
    let below = json!([
        { "file": "base.toml", "text": base },
        { "file": "middle.toml", "text": head("middle", "base") },
    ]);
    assert_eq!(parameters["extends"], below);
    world.sandbox.hardpan(&["verify", "out/top"]).ok();
}

#[test]
fn every_package_and_release_file_is_a_dependency_with_its_digest() {
    let world = world("1.1", MTIME);
    world.build(&["--key", "team.pem"]).ok();
    let predicate = of(&world, "out/made");
    let dependencies = list(&predicate, "/buildDefinition/resolvedDependencies");
    for architecture in ["amd64", "arm64"] {
        let found = one(dependencies, "name", &format!("package hello 1.1 ({architecture})"));
        let deb = hello("1.1", architecture, MTIME).build();
        assert_eq!(found["digest"], json!({ "sha256": sha256_hex(&deb) }));
        let purl = format!("pkg:deb/made/hello@1.1?arch={architecture}&distro=trixie&upstream=hello-src%409");
        assert_eq!(found["uri"], purl);
        let path = format!("pool/main/h/hello-src/hello_1.1_{architecture}.deb");
        assert_eq!(found["annotations"], json!({ "archive": "made", "path": path }));
    }
    let release = one(dependencies, "name", "release made trixie");
    let bytes = std::fs::read(world.archive.root().join("dists/trixie/InRelease")).unwrap();
    assert_eq!(release["digest"], json!({ "sha256": sha256_hex(&bytes) }));
    one(dependencies, "name", "package data 2:1.0+b1-1 (all)");
    let file = one(dependencies, "name", "file app.conf of recipe made");
    assert_eq!(file["digest"], json!({ "sha256": sha256_hex(b"own = true\n") }));
    assert_eq!(dependencies.len(), 5);
}

#[test]
fn the_program_that_ran_and_its_compressor_are_named() {
    let signed = Signed::new();
    let predicate = predicate(&signed);
    let inside = &predicate["buildDefinition"]["internalParameters"];
    assert_eq!(inside["hardpan"]["version"], env!("CARGO_PKG_VERSION"));
    let own = std::fs::read(env!("CARGO_BIN_EXE_hardpan")).unwrap();
    assert_eq!(inside["hardpan"]["digest"], json!({ "sha256": sha256_hex(&own) }));
    assert!(inside["compressor"].as_str().unwrap().starts_with("libdeflate "));
    assert!(inside["enforcedByKernel"].is_array());
    assert_eq!(
        predicate["runDetails"]["builder"]["version"],
        json!({ "hardpan": env!("CARGO_PKG_VERSION") })
    );
    assert!(predicate["runDetails"]["metadata"].get("startedOn").is_none(), "a time would differ each time");
}

#[test]
fn sboms_are_byproducts_by_their_digests() {
    let signed = Signed::new();
    let predicate = predicate(&signed);
    let mut wanted = Vec::new();
    for (name, subject) in
        ["made", "made linux/amd64", "made linux/arm64"].iter().zip(signed.image.subjects())
    {
        for (kind, format) in [(SPDX, "SPDX 2.3"), (CYCLONEDX, "CycloneDX 1.6")] {
            let document = signed.image.statement(kind, &subject).statement["predicate"].to_string();
            let digest = sha256_hex(document.as_bytes());
            wanted.push(json!({ "name": format!("{format} of {name}"), "digest": { "sha256": digest } }));
        }
    }
    for (name, subject) in ["made linux/amd64", "made linux/arm64"].iter().zip(&signed.image.subjects()[1..])
    {
        let document = signed.image.statement(CLOSURE, subject).statement["predicate"].to_string();
        let digest = sha256_hex(document.as_bytes());
        wanted.push(json!({ "name": format!("closure of {name}"), "digest": { "sha256": digest } }));
    }
    assert_eq!(*list(&predicate, "/runDetails/byproducts"), wanted);
}

#[test]
fn each_way_to_sign_has_a_builder_of_its_own() {
    let world = world("1.1", MTIME);
    let builder = |arguments: &[&str]| {
        world.build(&[arguments, &["--out", "by"]].concat()).ok();
        of(&world, "by")["runDetails"]["builder"]["id"].as_str().unwrap().to_owned()
    };
    assert_eq!(builder(&[]), "https://hardpan.dev/builder/development/v1");
    assert_eq!(builder(&["--key", "team.pem"]), "https://hardpan.dev/builder/local/v1");
    if !Path::new("/usr/bin/openssl").exists() {
        return;
    }
    world.sandbox.write("key.pub", Hand::new(9).public_pem());
    let script = "#!/bin/sh\ncd \"$(dirname \"$0\")\"\n[ \"$1\" = sign ] && exec openssl dgst -sha256 -sign team.pem\nexec cat key.pub\n";
    let path = world.sandbox.write("signer", script);
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let signer = format!("exec:{}", path.display());
    assert_eq!(builder(&["--signer", &signer]), "https://hardpan.dev/builder/separate-signer/v1");
    world.sandbox.hardpan(&["verify", "by", "--key", "team.pub"]).ok();
}

#[test]
fn the_summary_says_who_signed() {
    let world = world("1.1", MTIME);
    let said = json(world.build(&["--key", "team.pem", "--json"]));
    let signed = json!({
        "by": "the key team.pem",
        "key": Hand::new(9).fingerprint(),
        "development_key": false,
        "statements": crate::STATEMENTS,
    });
    assert_eq!(said["signed"], signed);
    assert_eq!(said["digest"], image(&world).index());
    let said = json(world.build(&["--json"]));
    assert_eq!(said["signed"]["development_key"], true);
}
