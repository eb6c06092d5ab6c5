//! Names: what one feed spells so and an SBOM otherwise is the same package, where its ecosystem says so.

use serde_json::{Value, json};

use super::support::Sandbox;

/// A record about one package, of which version 1.0.0 has it.
fn record(number: u32, ecosystem: &str, name: &str) -> String {
    json!({
        "schema_version": "1.7.3", "id": format!("X-{number}"), "modified": "2026-11-01T00:00:00Z", "aliases": [format!("CVE-2026-{number}")],
        "affected": [{ "package": { "ecosystem": ecosystem, "name": name }, "versions": ["1.0.0"] }],
    })
    .to_string()
}

/// What a scan of an SBOM with these packages finds.
fn found(sandbox: &Sandbox, purls: &[&str]) -> Vec<String> {
    let component = |purl: &&str| json!({ "type": "library", "name": "x", "version": "1.0.0", "purl": purl });
    let components: Vec<Value> = purls.iter().map(component).collect();
    let bom = json!({ "bomFormat": "CycloneDX", "specVersion": "1.6", "components": components });
    sandbox.write("bom.json", bom.to_string());
    let out = sandbox.hardpan(&["scan", "bom.json", "--json"]).ok().stdout;
    let report: Value = serde_json::from_str(&out).expect("JSON");
    let ids = report["findings"].as_array().expect("a list").iter();
    ids.map(|finding| finding["id"].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn python_s_packages_are_found_however_feed_and_sbom_spell_them() {
    for (feed, purl) in [
        ("Django", "pkg:pypi/django@1.0.0"),
        ("django", "pkg:pypi/Django@1.0.0"),
        ("ruamel.yaml", "pkg:pypi/ruamel-yaml@1.0.0"),
        ("ruamel.yaml", "pkg:pypi/ruamel.yaml@1.0.0"),
        ("Foo_Bar", "pkg:pypi/foo-bar@1.0.0"),
        ("foo-bar", "pkg:pypi/Foo__.Bar@1.0.0"),
    ] {
        let sandbox = Sandbox::new();
        sandbox.write("one.json", record(1000, "PyPI", feed));
        sandbox.hardpan(&["advisories", "import", "one.json"]).ok();
        assert_eq!(found(&sandbox, &[purl]), ["CVE-2026-1000"], "{feed} as {purl}");
    }
}

#[test]
fn elsewhere_another_spelling_is_another_package() {
    let sandbox = Sandbox::new();
    sandbox.write("osv/a.json", record(1001, "npm", "JSONStream"));
    sandbox.write("osv/b.json", record(1002, "npm", "@scope/Pad"));
    sandbox.write("osv/c.json", record(1003, "crates.io", "foo_bar"));
    sandbox.hardpan(&["advisories", "import", "osv"]).ok();
    let same = ["pkg:npm/JSONStream@1.0.0", "pkg:npm/%40scope/Pad@1.0.0", "pkg:cargo/foo_bar@1.0.0"];
    assert_eq!(found(&sandbox, &same).len(), 3);
    let others = ["pkg:npm/jsonstream@1.0.0", "pkg:npm/%40scope/pad@1.0.0", "pkg:cargo/foo-bar@1.0.0"];
    assert!(found(&sandbox, &others).is_empty());
}
