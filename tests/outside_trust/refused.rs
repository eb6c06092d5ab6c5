//! What another signed, or nobody, is refused by both cosigns and by `hardpan verify`.

use std::path::Path;

use crate::goods::{Goods, KINDS, PASSWORD, failed, skopeo, unsigned};
use crate::outside::cosign::{Cosign, Version};
use crate::outside::registry::{Kind, Registry};
use crate::outside::{run, tool};

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

#[test]
#[ignore = "needs cosign, a registry and skopeo"]
fn evidence_of_another_image_is_none_for_this_one() {
    let (goods, registry) = (Goods::signed(), Registry::start(Kind::Cncf));
    goods.publish(&registry, &["--key", "team.key"]).ok();
    let other = registry.reference("team/other:1");
    let name = format!("docker://{other}");
    skopeo(&["copy", "-q", &unsigned(&goods), &name]);
    let theirs = skopeo(&["inspect", "--format", "{{.Digest}}", &name]).trim().replace(':', "-");
    // All that was said of the signed index now stands where one looks for what is said of the other.
    let repositories = registry.storage().join("docker/registry/v2/repositories/team");
    let copy = |from: &str, to: &str| {
        run(tool("cp", &["-rT"])
            .arg(repositories.join("made").join(from))
            .arg(repositories.join("other").join(to)));
    };
    copy("_layers", "_layers");
    copy("_manifests/revisions", "_manifests/revisions");
    let ours = goods.digest().replace(':', "-");
    for end in ["", ".sig", ".att"] {
        copy(&format!("_manifests/tags/{ours}{end}"), &format!("_manifests/tags/{theirs}{end}"));
    }
    nothing_verifies(&goods.public(), &other);
    let failed = failed(&goods.verify(&other, 6));
    assert!(failed.iter().any(|check| check.starts_with("signature")), "{failed:?}");
}
