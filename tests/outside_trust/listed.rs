//! SBOMs: read and validated by other people's parsers, and equal to what a scanner finds by itself.

use std::collections::BTreeSet;

use crate::goods::{Goods, skopeo};
use crate::outside::registry::{Kind, Registry};
use crate::outside::sboms::{Found, cyclonedx, spdx_tools, syft};

/// Packages by name and version.
type Pairs = BTreeSet<(String, String)>;

/// Debian's binary packages: an SBOM lists their source packages, the image and hardpan too.
fn is_binary(package: &Found) -> bool {
    package.purl.starts_with("pkg:deb/") && !package.purl.contains("arch=source")
}

fn debian(found: &[Found]) -> Pairs {
    let debian = found.iter().filter(|package| is_binary(package));
    debian.map(|package| (package.name.clone(), package.version.clone())).collect()
}

fn expected() -> Pairs {
    let pair = |name: &str, version: &str| (name.to_owned(), version.to_owned());
    Pairs::from([pair("base-files", "13.8+deb13u7"), pair("hello", "2:1.4+ds-3~b1")])
}

#[test]
#[ignore = "needs a registry and the Python environment"]
fn the_published_sboms_are_valid_and_list_the_packages() {
    let (goods, registry) = (Goods::signed(), Registry::start(Kind::Cncf));
    goods.publish(&registry, &["--key", "team.key"]).ok();
    for (name, digest) in goods.names(&registry) {
        let spdx = goods.sbom(&name, &[]).to_string();
        let spdx = goods.world.sandbox.write(format!("{digest}.spdx.json"), spdx);
        let spdx = spdx_tools(&spdx).unwrap_or_else(|wrong| panic!("{name}: {wrong:#?}"));
        assert_eq!(debian(&spdx), expected(), "{name}");
        let bom = goods.sbom(&name, &["--format", "cyclonedx"]).to_string();
        let bom = goods.world.sandbox.write(format!("{digest}.cdx.json"), bom);
        let bom = cyclonedx(&bom).unwrap_or_else(|wrong| panic!("{name}: {wrong:#?}"));
        assert_eq!(debian(&bom), expected(), "{name}");
        // Both name a package by the same address, those of the two platforms differ.
        let purls = |found: &[Found]| -> BTreeSet<String> {
            found.iter().filter(|package| is_binary(package)).map(|package| package.purl.clone()).collect()
        };
        assert_eq!(purls(&spdx), purls(&bom), "{name}");
    }
}

#[test]
#[ignore = "needs syft, registries and skopeo"]
fn syft_finds_the_packages_that_the_sbom_lists() {
    let goods = Goods::signed();
    for kind in Kind::ALL {
        let registry = Registry::start(kind);
        goods.publish(&registry, &["--key", "team.key"]).ok();
        let tag = goods.names(&registry).remove(0).0;
        for platform in ["linux/amd64", "linux/arm64"] {
            let found = syft(&format!("registry:{tag}"), platform);
            let sbom = goods.sbom(&tag, &["--platform", platform]).to_string();
            let sbom = goods.world.sandbox.write("one.spdx.json", sbom);
            let listed = spdx_tools(&sbom).expect("valid");
            // All that syft finds, whatever it takes it for.
            let all: Pairs =
                found.iter().map(|package| (package.name.clone(), package.version.clone())).collect();
            assert_eq!(all, debian(&listed), "{kind:?} {platform}");
            // The archive's own name is in our address, the distribution's in syft's.
            let named = |found: &[Found]| -> BTreeSet<String> {
                let last =
                    |package: &Found| package.purl.split('?').next()?.rsplit('/').next().map(str::to_owned);
                found.iter().filter(|package| is_binary(package)).filter_map(last).collect()
            };
            assert_eq!(named(&found), named(&listed), "{kind:?} {platform}");
        }
        // The same in a layout; there syft takes one platform only, which skopeo picks.
        let layout = goods.world.sandbox.path(format!("{kind:?}"));
        let to = format!("oci:{}:1", layout.display());
        skopeo(&["--override-arch", "amd64", "copy", "-q", &format!("docker://{tag}"), &to]);
        let found = syft(&format!("oci-dir:{}", layout.display()), "linux/amd64");
        assert_eq!(debian(&found), expected(), "{kind:?}");
    }
}
