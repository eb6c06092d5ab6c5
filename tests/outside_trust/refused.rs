//! What another signed, or nobody, is refused by both cosigns and by `hardpan verify`.

use std::path::Path;

use serde_json::{Value, json};

use crate::goods::{Goods, KINDS, PASSWORD, failed, skopeo, unsigned};
use crate::outside::cosign::{Cosign, Version};
use crate::outside::registry::{Kind, Registry};
use crate::outside::{run, tool};
use crate::support::sha256_hex;

/// No cosign verifies anything under this name with this key.
fn nothing_verifies(public: &Path, name: &str) {
    for cosign in Version::ALL.map(Cosign::new) {
        let root = cosign.trusted_root();
        cosign.verify(public, Some(&root), name).expect_err("a signature");
        for kind in KINDS {
            cosign.verify_attestation(public, Some(&root), kind, name).expect_err(kind);
        }
    }
}

#[test]
#[ignore = "needs cosign and a registry"]
fn another_key_verifies_nothing() {
    let (goods, registry) = (Goods::signed(), Registry::start(Kind::Cncf));
    goods.publish(&registry, &["--key", "team.key"]).ok();
    let folder = tempfile::tempdir().expect("a folder");
    let (_, stranger) = Cosign::new(Version::Three).generate_key_pair(folder.path(), PASSWORD);
    let names = goods.names(&registry);
    for (name, _) in [&names[0], &names[2]] {
        nothing_verifies(&stranger, name);
        let key = stranger.to_str().expect("a path in UTF-8");
        goods.world.sandbox.hardpan(&["verify", name, "--key", key]).exits(6).says("HP6");
    }
}

#[test]
#[ignore = "needs cosign, registries and skopeo"]
fn a_tag_that_was_moved_to_an_unsigned_image_verifies_no_more() {
    let goods = Goods::signed();
    let bare = unsigned(&goods);
    for kind in Kind::ALL {
        let registry = Registry::start(kind);
        goods.publish(&registry, &["--key", "team.key"]).ok();
        let tag = goods.names(&registry).remove(0).0;
        goods.verify(&tag, 0);
        skopeo(&["copy", "-q", &bare, &format!("docker://{tag}")]);
        nothing_verifies(&goods.public(), &tag);
        let report = goods.verify(&tag, 6);
        let failed = failed(&report);
        assert!(failed.iter().any(|check| check.starts_with("signature")), "{failed:?}");
        // What was signed is there under its digest as before.
        let signed = goods.names(&registry).remove(1).0;
        goods.verify(&signed, 0);
    }
}

/// Attaches all that is said of the signed index to the unsigned image, byte for byte but for what it
/// is attached to: the digest of the manifest that it stands at now.
fn stolen(goods: &Goods) -> String {
    let sandbox = &goods.world.sandbox;
    let json = |path: &str| -> Value { serde_json::from_slice(&sandbox.read(path)).expect("JSON") };
    let write = |manifest: &Value| {
        let bytes = manifest.to_string();
        let hex = sha256_hex(bytes.as_bytes());
        sandbox.write(format!("out/bare/blobs/sha256/{hex}"), &bytes);
        json!({ "mediaType": manifest["mediaType"], "digest": format!("sha256:{hex}"), "size": bytes.len() })
    };
    unsigned(goods);
    let blobs = sandbox.path("out/made/blobs");
    run(tool("cp", &["-rT"]).arg(blobs).arg(sandbox.path("out/bare/blobs")));
    let mut top = json("out/bare/index.json");
    let bare = top["manifests"][0].clone();
    let target = json!({ "mediaType": bare["mediaType"], "digest": bare["digest"], "size": bare["size"] });
    let attached = json("out/made/index.json")["manifests"].as_array().expect("a list").clone();
    for entry in attached {
        let digest = entry["digest"].as_str().expect("a digest").replace("sha256:", "");
        let mut manifest = json(&format!("out/made/blobs/sha256/{digest}"));
        if manifest["subject"]["digest"] != goods.digest() {
            continue;
        }
        manifest["subject"] = target.clone();
        let mut moved = write(&manifest);
        for kept in ["artifactType", "annotations"] {
            moved[kept] = entry[kept].clone();
        }
        top["manifests"].as_array_mut().expect("a list").push(moved);
    }
    sandbox.write("out/bare/index.json", top.to_string());
    bare["digest"].as_str().expect("a digest").to_owned()
}

#[test]
#[ignore = "needs cosign and a registry"]
fn evidence_of_another_image_is_none_for_this_one() {
    let (goods, registry) = (Goods::signed(), Registry::start(Kind::Cncf));
    let digest = stolen(&goods);
    let out = goods.publish_from("out/bare", &registry, &[]).ok();
    assert!(out.stdout.contains(&digest) && out.stderr.contains("5 referrers"), "{}", out.stderr);
    let name = registry.reference(&format!("team/made@{digest}"));
    nothing_verifies(&goods.public(), &name);
    let failed = failed(&goods.verify(&name, 6));
    assert_eq!(failed.iter().filter(|check| *check == "attestation index").count(), 5, "{failed:?}");
    for what in ["signature index", "provenance index", "SPDX index", "CycloneDX index"] {
        assert!(failed.iter().any(|check| check == what), "{failed:?}");
    }
}
