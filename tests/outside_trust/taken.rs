//! Other people's tools take the image from a registry, and run it.

use serde_json::Value;

use crate::goods::{Goods, SAID, failed, skopeo};
use crate::outside::Docker;
use crate::outside::registry::{Kind, Registry};

#[test]
#[ignore = "needs registries and skopeo"]
fn skopeo_inspects_and_copies_what_was_published() {
    let goods = Goods::signed();
    for kind in Kind::ALL {
        let registry = Registry::start(kind);
        goods.publish(&registry, &["--key", "team.key"]).ok();
        let tag = format!("docker://{}", goods.names(&registry)[0].0);
        let said: Value = serde_json::from_str(&skopeo(&["inspect", &tag])).expect("JSON");
        assert_eq!(said["Digest"], goods.digest());
        assert_eq!(said["Labels"]["org.opencontainers.image.title"], "made");
        let index: Value = serde_json::from_str(&skopeo(&["inspect", "--raw", &tag])).expect("JSON");
        // Two platforms and nothing else: signatures are beside the index, not in it.
        assert_eq!(index["manifests"].as_array().map(Vec::len), Some(2), "{index}");
        let copy = format!("copy-{kind:?}");
        let to = format!("oci:{}:1", goods.world.sandbox.path(&copy).display());
        skopeo(&["copy", "-q", "--all", "--preserve-digests", &tag, &to]);
        let copied = goods.world.sandbox.hardpan(&["inspect", &copy, "--json"]).ok().stdout;
        let copied: Value = serde_json::from_str(&copied).expect("JSON");
        assert_eq!(copied["digest"], goods.digest());
        // skopeo leaves behind what is said of an image, and that is not taken for good.
        let failed = failed(&goods.verify(&copy, 6));
        assert!(failed.iter().any(|check| check.starts_with("signature")), "{failed:?}");
    }
}

#[test]
#[ignore = "needs docker and registries"]
fn docker_pulls_and_runs_what_was_published() {
    let goods = Goods::signed();
    let docker = Docker::start_on_this_network();
    for kind in Kind::ALL {
        let registry = Registry::start(kind);
        goods.publish(&registry, &["--key", "team.key"]).ok();
        let names = goods.names(&registry);
        // By its tag, by the digest of the index, by that of the manifest.
        for (name, digest) in &names[..3] {
            let said = docker.run(&["pull", name]);
            assert!(said.contains(&format!("sha256:{digest}")), "{said}");
            let run = ["run", "--rm", "--pull", "never", "--network", "none", "--read-only"];
            let less = ["--cap-drop", "ALL", "--security-opt", "no-new-privileges", name];
            assert_eq!(docker.run(&[&run[..], &less[..]].concat()), SAID, "{name}");
        }
    }
}
