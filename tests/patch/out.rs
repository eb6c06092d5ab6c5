//! What gets out: tags, evidence, release note, ledger; and nothing twice.

use serde_json::Value;

use super::support::Layout;
use super::{House, deb};

const OLD: [(&str, &str); 1] = [("1.0-1", "first")];
const FIXED: [(&str, &str); 2] = [("1.0-1+deb13u1", "CVE-2026-1000"), ("1.0-1", "first")];

fn house() -> House {
    let house = House::new(&[deb("liba", &OLD), deb("libb", &OLD)]);
    house.recipe("one", "", &["liba"]).standing("two", "one", &["libb"]);
    house.patch(&[]).ok();
    house
}

#[test]
fn moving_tags_move_last_and_old_digests_stay_under_their_dated_tags() {
    let mut house = house();
    let old = house.tag("one", "latest").expect("published");
    house.registry.heal();
    house.fix(&deb("liba", &FIXED), 60);
    house.patch(&[]).ok();
    let new = house.tag("one", "latest").expect("published");
    assert_ne!(old, new);
    let dated: Vec<String> =
        house.registry.tags("team/one").into_iter().filter(|tag| tag.starts_with("1-")).collect();
    assert_eq!(dated.len(), 2, "{dated:?}");
    let named: std::collections::BTreeSet<Option<String>> =
        dated.iter().map(|tag| house.tag("one", tag)).collect();
    assert_eq!(named, [Some(old.clone()), Some(new.clone())].into());
    assert!(house.registry.manifest("team/one", &old).is_some(), "the old digest is still there");
    assert_eq!(house.registry.lacking(), Vec::<String>::new(), "no tag was set before all of it was there");
    // What stands on it has the fix too.
    assert_ne!(house.tag("two", "latest"), None);
    assert!(house.lock("two").contains("1.0-1+deb13u1"));
}

#[test]
fn the_same_again_sends_nothing_and_writes_nothing() {
    let mut house = house();
    house.fix(&deb("liba", &FIXED), 60);
    house.patch(&[]).ok();
    let locks = (house.lock("one"), house.lock("two"));
    let events = house.sandbox.hardpan(&["report", "export"]).ok().stdout;
    house.registry.heal();
    let out = house.patched(&[]);
    assert!(out.values().all(|row| row["outcome"] == "up to date"), "{out:?}");
    assert_eq!(
        house.registry.hits("PUT", "") + house.registry.hits("POST", "") + house.registry.hits("PATCH", ""),
        0
    );
    assert_eq!((house.lock("one"), house.lock("two")), locks);
    assert_eq!(house.sandbox.hardpan(&["report", "export"]).ok().stdout, events);
}

#[test]
fn the_release_note_tells_packages_files_and_cves_and_is_attested() {
    let mut house = house();
    let old = house.tag("one", "latest").expect("published");
    house.fix(&deb("liba", &FIXED), 60);
    let out = house.patched(&[]);
    let note = house.sandbox.text(out["one"]["note"].as_str().expect("a note"));
    for words in
        ["CVE-2026-1000", "| liba (linux/amd64) | 1.0-1 | 1.0-1+deb13u1 |", "changed `/usr/share/liba`", &old]
    {
        assert!(note.contains(words), "`{words}` is not in\n{note}");
    }
    let reference = format!("{}/one:latest", house.to());
    house.sandbox.hardpan(&["pull", &reference, "--out", "pulled"]).ok();
    let layout = Layout(house.sandbox.path("pulled"));
    for subject in layout.subjects() {
        let attached = layout.statement("https://hardpan.dev/changes/v1", &subject);
        let predicate = &attached.statement["predicate"];
        assert_eq!(predicate["fixed"][0]["id"], "CVE-2026-1000");
        assert_eq!(predicate["before"]["sha256"], old.trim_start_matches("sha256:"));
        let files = predicate["files"]["linux/amd64"].as_array().expect("files");
        assert!(
            files.iter().any(|file| file["path"] == "/usr/share/liba" && file["before"] != file["after"])
        );
        assert!(!files.iter().any(|file| file["path"] == "/usr/share/libb"), "{files:?}");
    }
    let verified = house.sandbox.hardpan(&["verify", &reference]);
    verified.ok();
}

#[test]
fn the_ledger_tells_from_the_fix_to_the_tag() {
    let mut house = house();
    let old = house.tag("one", "latest").expect("published");
    house.fix(&deb("liba", &FIXED), 3600);
    house.patch(&[]).ok();
    let new = house.tag("one", "latest").expect("published");
    let events: Vec<Value> = house
        .sandbox
        .hardpan(&["report", "export"])
        .ok()
        .stdout
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let of = |kind: &str| -> Vec<&Value> {
        events.iter().filter_map(|event| event.get(kind)).filter(|event| event["image"] == "one").collect()
    };
    assert_eq!(of("detected")[0]["digest"], old.as_str());
    let fixed = of("fixed")[0];
    assert_eq!((&fixed["before"], &fixed["after"]), (&old.clone().into(), &new.clone().into()));
    assert_eq!(of("published").last().expect("published")["digest"], new.as_str());
    assert_eq!(of("built").last().expect("built")["digest"], new.as_str());
    assert_eq!(of("fix")[0]["known-by"], "release-file");
    let report = house.sandbox.hardpan(&["report", "cve", "CVE-2026-1000"]).ok().stdout;
    assert!(report.contains("one") && report.contains("two"), "{report}");
}

#[test]
fn without_a_registry_layouts_are_written_and_brought_up_to_date() {
    let mut house = House::new(&[deb("liba", &OLD)]);
    house.recipe("one", "", &["liba"]);
    house.run(&["patch", "--all", "--no-test"]).ok();
    let before = Layout(house.sandbox.path("out/one")).index();
    house.fix(&deb("liba", &FIXED), 60);
    house.run(&["patch", "--all", "--no-test"]).ok();
    let layout = Layout(house.sandbox.path("out/one"));
    assert_ne!(layout.index(), before);
    layout.statement("https://hardpan.dev/changes/v1", &layout.index());
}

#[test]
fn a_variant_gets_out_with_its_recipe() {
    let mut house = House::new(&[deb("liba", &OLD), deb("libb", &OLD)]);
    house.recipe("one", "", &["liba"]);
    let text =
        house.sandbox.text("recipes/one.toml") + "\n[variant.dev.add.debian.packages]\nlibb = \"all\"\n";
    house.sandbox.write("recipes/one.toml", text);
    house.patch(&[]).ok();
    let before = (house.tag("one", "latest"), house.tag("one", "latest-dev"));
    assert!(before.0.is_some() && before.1.is_some());
    house.fix(&deb("libb", &FIXED), 60);
    house.patch(&[]).ok();
    assert_eq!(house.tag("one", "latest"), before.0, "libb is the variant's alone");
    assert_ne!(house.tag("one", "latest-dev"), before.1);
}
