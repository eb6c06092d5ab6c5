//! One against another: counts and reductions.

use serde_json::json;

use super::made::{MAIN, SECURITY, base, docker, parsed, root, sampled};

#[test]
fn a_root_is_compared_with_an_archive_by_severity_and_by_source() {
    let sandbox = sampled();
    root(&sandbox, "patched", &SECURITY[..3]);
    root(&sandbox, "half", &[SECURITY[0], SECURITY[1], MAIN[2]]);
    sandbox.write("public.tar", docker(&[base(&MAIN)]));
    let compared = |one: &str, other: &str| {
        let out = sandbox.hardpan(&["scan", one, "--compare", other, "--json"]).ok();
        parsed(&out.stdout)
    };
    let none = compared("patched", "public.tar");
    assert_eq!(none["total"], json!({ "ours": 0, "other": 44, "reduction_percent": 100.0 }));
    assert_eq!(none["packages"], json!({ "ours": 3, "other": 5, "reduction_percent": 40.0 }));
    assert_eq!(none["severity"]["unknown"]["other"], 44);
    let half = compared("half", "public.tar");
    assert_eq!(half["total"], json!({ "ours": 27, "other": 44, "reduction_percent": 38.6 }));
    assert_eq!(
        half["sources"],
        json!([
            { "source": "expat", "ours": 27, "other": 27 },
            { "source": "openssl", "ours": 0, "other": 12 },
            { "source": "redis", "ours": 0, "other": 5 },
        ])
    );
    let more = compared("public.tar", "patched");
    assert_eq!(more["total"], json!({ "ours": 44, "other": 0, "reduction_percent": null }));
}

#[test]
fn it_is_printed_for_people_and_for_pull_requests_and_in_no_other_form() {
    let sandbox = sampled();
    root(&sandbox, "ours", &SECURITY);
    root(&sandbox, "public", &MAIN);
    let table = sandbox.hardpan(&["scan", "ours", "--compare", "public"]).ok().stdout;
    assert!(
        table.contains("100.0 %") && table.contains("all that count") && table.contains("expat"),
        "{table}"
    );
    let markdown = sandbox.hardpan(&["scan", "ours", "--compare", "public", "--format=markdown"]).ok().stdout;
    assert!(markdown.contains("| all that count | 0 | 44 | 100.0 % |"), "{markdown}");
    sandbox.hardpan(&["scan", "ours", "--compare", "public", "--format=sarif"]).exits(2);
    // What fails is the one that is looked at.
    sandbox.hardpan(&["scan", "ours", "--compare", "public", "--fail-on=any"]).ok();
    sandbox.hardpan(&["scan", "public", "--compare", "ours", "--fail-on=any"]).exits(6).says("HP640");
}

#[test]
fn a_package_of_two_architectures_is_one_wherever_packages_are_counted() {
    let sandbox = sampled();
    root(&sandbox, "root", &MAIN);
    let status = sandbox.text("root/var/lib/dpkg/status");
    let more = status.replace("Architecture: amd64", "Architecture: i386");
    sandbox.write("root/var/lib/dpkg/status", status.clone() + &more);
    let count = format!(", {} packages", MAIN.len());
    for format in ["table", "markdown"] {
        let said = sandbox.hardpan(&["scan", "root", "--format", format]).ok().stdout;
        assert!(said.contains(&count), "{format}: {said}");
    }
    let compared = parsed(&sandbox.hardpan(&["scan", "root", "--compare", "root", "--json"]).ok().stdout);
    assert_eq!(compared["packages"]["ours"], MAIN.len());
}
