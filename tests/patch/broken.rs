//! What is left when something fails or is killed on the way.

use std::time::Duration;

use super::ledger::with_variant;
use super::support::Flaw;
use super::{House, deb, rows};

const OLD: [(&str, &str); 1] = [("1.0-1", "first")];
const FIXED: [(&str, &str); 2] = [("1.0-1+deb13u1", "CVE-2026-1000"), ("1.0-1", "first")];

/// Ten images, each of a package of its own, and two that stand on the first.
pub(super) fn ten() -> House {
    let names: Vec<String> = (0..10).map(|number| format!("lib{number}")).collect();
    let debs: Vec<_> = names.iter().map(|name| deb(name, &OLD)).collect();
    let house = House::new(&debs);
    for name in &names {
        house.recipe(&name.replace("lib", "image"), "", &[name]);
    }
    house.standing("above-a", "image0", &["lib1"]).standing("above-b", "above-a", &["lib2"]);
    house.patch(&[]).ok();
    house
}

pub(super) fn all_fixed(house: &mut House) {
    for number in 0..10 {
        house.security.add("trixie-security", "main", deb(&format!("lib{number}"), &FIXED).build());
    }
    house.security.date(super::now() - 60).publish();
}

#[test]
fn a_registry_that_refuses_one_image_keeps_it_at_its_digest_and_the_others_go_on() {
    let mut house = ten();
    let before: Vec<_> = (0..10).map(|number| house.tag(&format!("image{number}"), "latest")).collect();
    let lock = house.lock("image3");
    all_fixed(&mut house);
    house.registry.flaw("PUT", "/team/image3/manifests/", Flaw::Status(403, "", ""));
    let out = house.patch(&["--json"]).exits(6).says("HP650").says("image3");
    assert!(out.stderr.contains("1 of 12 images were kept back"), "{}", out.stderr);
    // What is kept back says what stays out, and what would have taken its place.
    let rows = rows(&out);
    assert_eq!(rows["image3"]["digest"].as_str(), before[3].as_deref());
    assert!(rows["image3"]["built"].is_string() && rows["image3"]["built"] != rows["image3"]["digest"]);
    for (number, before) in before.iter().enumerate() {
        let now = house.tag(&format!("image{number}"), "latest");
        assert_eq!(now == *before, number == 3, "image{number}");
    }
    assert_eq!(house.lock("image3"), lock);
    // The next run finishes it, and nothing else.
    house.registry.heal();
    let out = house.patched(&[]);
    let done: Vec<&String> =
        out.iter().filter(|(_, row)| row["outcome"] == "out").map(|(name, _)| name).collect();
    assert_eq!(done, ["image3"]);
    assert_ne!(house.tag("image3", "latest"), before[3]);
}

#[test]
fn what_stands_on_an_image_that_was_kept_back_is_not_tried() {
    let mut house = ten();
    let before = (house.tag("above-a", "latest"), house.tag("above-b", "latest"), house.lock("above-b"));
    all_fixed(&mut house);
    house.registry.flaw("PUT", "/team/image0/manifests/", Flaw::Status(403, "", ""));
    let out = house.patch(&[]).exits(6);
    assert!(out.stderr.contains("3 of 12 images were kept back"), "{}", out.stderr);
    assert_eq!(
        (house.tag("above-a", "latest"), house.tag("above-b", "latest"), house.lock("above-b")),
        before
    );
    house.registry.heal();
    house.patch(&[]).ok();
    assert_ne!(house.tag("above-b", "latest"), before.1);
}

#[test]
fn an_archive_whose_signature_fails_keeps_back_what_draws_on_it_alone() {
    let mut house = ten();
    let other = super::support::Archive::new("other");
    let mut other = other;
    other.add("trixie", "main", deb("lonely", &OLD).build());
    other.publish();
    house.sandbox.write("recipes/other.asc", other.key().armored_public());
    let text = "name = \"lonely\"\nplatforms = [\"linux/amd64\"]\ntags = [\"1\"]\npolicy.allow.root = \"it is a test\"\n\
                debian.archives.other = { suites = [\"trixie\"], keys = [\"other.asc\"] }\n\n[debian.packages]\nlonely = \"all\"\n";
    house.sandbox.write("recipes/lonely.toml", text);
    house.sandbox.write("recipes/lonelier.toml", text.replace("name = \"lonely\"", "name = \"lonelier\""));
    let mirror = format!("--mirror=other={}", other.file_url());
    house.patch(&[&mirror]).ok();
    let before = house.tag("lonely", "1");
    all_fixed(&mut house);
    other.unsigned().publish();
    let out = house.patch(&[&mirror]).exits(6).says("HP650").says("2 of 14 images");
    // What both have is said once, of both.
    let why = out.stderr.split("\n\n").find(|said| said.contains("HP5")).expect("a cause");
    assert!(
        out.stderr.matches("error[HP").count() == 2 && why.matches("image: lonel").count() == 2,
        "{}",
        out.stderr
    );
    assert_eq!(house.tag("lonely", "1"), before);
    assert!(house.lock("image5").contains("1.0-1+deb13u1"));
}

#[test]
fn an_archive_that_goes_backwards_or_loses_a_package_changes_nothing() {
    let mut house = House::new(&[deb("liba", &OLD), deb("libb", &OLD)]);
    house.recipe("one", "", &["liba", "libb"]);
    house.patch(&[]).ok();
    let before = (house.tag("one", "latest"), house.lock("one"));
    house.main.date(super::now() - 86_400 * 20).publish();
    house.patch(&[]).exits(6).says("older than the locked one");
    assert_eq!((house.tag("one", "latest"), house.lock("one")), before);
    house.main.withdraw("libb");
    house.main.date(super::now() - 86_400).publish();
    house.patch(&[]).exits(6).says("libb");
    assert_eq!((house.tag("one", "latest"), house.lock("one")), before);
}

#[test]
fn a_run_that_is_killed_anywhere_is_finished_by_the_next_and_nothing_is_published_twice() {
    for asked in [1, 4, 9, 16, 25, 33, 40] {
        let mut house = House::new(&[deb("liba", &OLD), deb("libb", &OLD)]);
        house.recipe("one", "", &["liba"]).standing("two", "one", &["libb"]);
        house.patch(&["--jobs", "1"]).ok();
        house.fix(&deb("liba", &FIXED), 60);
        house.registry.heal();
        // Killed somewhere after this request.
        let to = house.to();
        let arguments = house.arguments(&["patch", "--all", "--no-test", "--jobs", "1", "--to", &to]);
        let running = house.sandbox.spawn(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        for _ in 0..4000 {
            if house.registry.asked().len() >= asked {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        running.kill();
        house.registry.heal();
        house.patch(&[]).ok();
        for name in ["one", "two"] {
            assert!(house.lock(name).contains("1.0-1+deb13u1"), "after {asked}");
            let dated =
                house.registry.tags(&format!("team/{name}")).into_iter().filter(|tag| tag.starts_with("1-"));
            assert_eq!(dated.count(), 2, "after {asked}: {name} was published twice");
        }
        let report =
            house.sandbox.hardpan(&["report", "cve", "CVE-2026-1000", "--format", "json"]).ok().stdout;
        assert!(!report.contains("\"open\""), "after {asked}: {report}");
        assert_eq!(house.registry.lacking(), Vec::<String>::new());
    }
}

#[test]
fn a_second_run_at_the_same_time_ends_at_once() {
    let mut house = House::new(&[deb("liba", &OLD)]);
    house.recipe("one", "", &["liba"]);
    house.patch(&[]).ok();
    house.fix(&deb("liba", &FIXED), 60);
    // The first one waits for its signer.
    let signer = house.sandbox.write("slow", "#!/bin/sh\ntouch asked\nexec sleep 20\n");
    std::fs::set_permissions(&signer, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("ours");
    let to = house.to();
    let arguments = house.arguments(&["patch", "--all", "--no-test", "--to", &to, "--signer", "exec:./slow"]);
    let first = house.sandbox.spawn(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    for _ in 0..500 {
        if house.sandbox.path("asked").exists() {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    house.patch(&[]).exits(1).says("HP150");
    // A dry run looks on.
    house.patch(&["--dry-run"]).ok();
    first.kill();
    house.patch(&[]).ok();
    assert!(house.lock("one").contains("1.0-1+deb13u1"));
}

#[test]
fn a_registry_that_dies_anywhere_leaves_nothing_that_the_next_run_does_not_finish() {
    for (count, done) in [(0, false), (5, true), (11, false), (20, true), (30, false), (38, true)] {
        let mut house = House::new(&[deb("liba", &OLD), deb("libb", &OLD)]);
        house.recipe("one", "", &["liba"]).standing("two", "one", &["libb"]);
        house.patch(&["--jobs", "1"]).ok();
        house.fix(&deb("liba", &FIXED), 60);
        house.registry.dies_after(count, done);
        house.patch(&["--jobs", "1"]);
        house.registry.heal();
        house.patch(&[]).ok();
        for name in ["one", "two"] {
            assert!(house.lock(name).contains("1.0-1+deb13u1"), "after {count}");
            let dated =
                house.registry.tags(&format!("team/{name}")).into_iter().filter(|tag| tag.starts_with("1-"));
            assert_eq!(dated.count(), 2, "after {count}: {name} was published twice");
        }
    }
}

#[test]
fn a_signer_that_fails_keeps_images_back() {
    let mut house = House::new(&[deb("liba", &OLD)]);
    house.recipe("one", "", &["liba"]);
    house.patch(&[]).ok();
    house.fix(&deb("liba", &FIXED), 60);
    let before = (house.tag("one", "latest"), house.lock("one"));
    house.sandbox.write("key.pem", "-----BEGIN NOTHING-----\n");
    let output = house.patch(&["--key", "key.pem"]);
    assert_ne!(output.code, 0);
    assert_eq!((house.tag("one", "latest"), house.lock("one")), before);
}

#[test]
fn a_pin_that_would_have_to_go_back_is_a_problem_and_no_plan() {
    let mut house = House::new(&[deb("liba", &OLD), deb("libb", &OLD)]);
    house.update(&deb("libb", &[("1.0-2", "more"), OLD[0]]));
    house.recipe("one", "", &["liba", "libb"]).recipe("other", "", &["liba"]);
    house.patch(&[]).ok();
    let before = (house.tag("one", "latest"), house.lock("one"));
    // Main takes a version back, and what security has needs just the older one.
    house.main.withdraw("libb");
    house.update(&deb("libb", &OLD));
    house.fix(&deb("liba", &FIXED).depends("libb (= 1.0-1)"), 60);
    house.patch(&["--dry-run"]).exits(6).says("HP651").says("libb 1.0-2 -> 1.0-1");
    house.patch(&[]).exits(6).says("HP650").says("HP651");
    assert_eq!((house.tag("one", "latest"), house.lock("one")), before);
    assert!(house.lock("other").contains("1.0-1+deb13u1"), "the others go on");
}

#[test]
fn a_variant_gets_out_though_its_recipe_s_own_image_is_kept_back() {
    let mut house = House::new(&[deb("liba", &OLD), deb("libb", &OLD)]);
    house.recipe("one", "", &["liba"]);
    let text =
        house.sandbox.text("recipes/one.toml") + "\n[variant.dev.add.debian.packages]\nlibb = \"all\"\n";
    house.sandbox.write("recipes/one.toml", text);
    house.patch(&[]).ok();
    let before = (house.tag("one", "latest"), house.tag("one", "latest-dev"));
    house.fix(&deb("liba", &FIXED), 60);
    // Once, so that it meets the recipe's own image and not the variant, which comes after it.
    house.registry.flaw_times("PUT", "/team/one/manifests/", 0, 1, Flaw::Status(403, "", ""));
    house.patch(&["--jobs", "1"]).exits(6).says("HP650");
    assert_eq!(house.tag("one", "latest"), before.0);
    assert_ne!(house.tag("one", "latest-dev"), before.1);
    house.registry.heal();
    house.patch(&[]).ok();
    assert_ne!(house.tag("one", "latest"), before.0);
}

/// Puts a folder where the next run would write its note in `taken`: its name is that of the same run over a copy.
pub(super) fn take_note(house: &House) {
    let folder = house.sandbox.path("recipes");
    for entry in std::fs::read_dir(folder).expect("recipes").flatten().filter(|entry| entry.path().is_file())
    {
        let name = entry.file_name().into_string().expect("a name");
        house.sandbox.write(format!("copy/{name}"), std::fs::read(entry.path()).expect("readable"));
    }
    let copy =
        ["patch", "--all", "copy", "--no-test", "--out=elsewhere", "--notes=other", "--ledger=copy.db"];
    house.run(&copy).ok();
    for note in std::fs::read_dir(house.sandbox.path("other")).expect("notes").flatten() {
        let name = note.file_name().into_string().expect("a name");
        house.sandbox.write(format!("taken/{name}/here"), "a folder where a file should be");
    }
}

#[test]
fn a_lock_is_written_after_the_release_note_and_a_note_that_can_not_be_written_is_written_by_the_next_run() {
    let mut house = House::new(&[deb("liba", &OLD)]);
    house.recipe("one", "", &["liba"]);
    house.patch(&[]).ok();
    let lock = house.lock("one");
    house.fix(&deb("liba", &FIXED), 60);
    take_note(&house);
    house.patch(&["--notes", "taken"]).exits(6).says("HP650");
    assert_eq!(house.lock("one"), lock);
    let new = house.tag("one", "latest").expect("out already");
    let out = house.patched(&[]);
    assert_eq!(out["one"]["fixed"], serde_json::json!(["CVE-2026-1000"]));
    let note = house.sandbox.text(out["one"]["note"].as_str().expect("a note"));
    assert!(note.contains("CVE-2026-1000") && note.contains(&new), "{note}");
    assert_ne!(out["one"]["before"].as_str(), Some(&*new), "it has not taken its own place");
    assert_ne!(house.lock("one"), lock);
    let dated = house.registry.tags("team/one").into_iter().filter(|tag| tag.starts_with("1-")).count();
    assert_eq!(dated, 2);
}

#[test]
fn a_note_names_the_packages_that_moved_though_the_lock_had_moved_before() {
    let mut house = with_variant();
    house.fix(&deb("liba", &FIXED), 60);
    house.registry.flaw_times("PUT", "/team/one/manifests/", 0, 1, Flaw::Status(403, "", ""));
    house.patch(&["--jobs", "1"]).exits(6).says("HP650");
    house.registry.heal();
    // The row of the recipe's own image: its variant has nothing to do.
    let said = house.patch(&["--json"]).ok().stdout;
    let row: serde_json::Value = serde_json::from_str(said.lines().next().expect("a row")).expect("JSON");
    let note = house.sandbox.text(row["note"].as_str().expect("a note"));
    assert!(
        note.contains("CVE-2026-1000") && note.contains("| liba (linux/amd64) | 1.0-1 | 1.0-1+deb13u1 |"),
        "{note}"
    );
}

#[test]
fn the_same_digest_published_again_keeps_its_note_and_gets_no_second_one() {
    let mut house = House::new(&[deb("liba", &OLD)]);
    house.recipe("one", "", &["liba"]);
    house.patch(&[]).ok();
    let old = house.tag("one", "latest").expect("published");
    house.fix(&deb("liba", &FIXED), 60);
    let rows = rows(&house.patch(&["--json"]).ok());
    let note = rows["one"]["note"].as_str().expect("a note").to_owned();
    let text = house.sandbox.text(&note);
    assert!(text.contains("CVE-2026-1000"));
    // Somebody moves a tag back.
    let new = house.tag("one", "latest").expect("published");
    let manifest = house.registry.manifest("team/one", &old).expect("there still");
    let bytes = serde_json::to_vec(&manifest).expect("JSON");
    house.registry.put("team/one", "latest", "application/vnd.oci.image.index.v1+json", &bytes);
    assert_ne!(house.tag("one", "latest").as_ref(), Some(&new));
    house.patch(&[]).ok();
    assert_eq!(house.tag("one", "latest"), Some(new));
    assert_eq!(house.sandbox.text(&note), text);
    house.sandbox.hardpan(&["pull", &format!("{}/one:latest", house.to()), "--out", "pulled"]).ok();
    let layout = super::support::Layout(house.sandbox.path("pulled"));
    assert_eq!(layout.of_kind("https://hardpan.dev/changes/v1", &layout.index()).len(), 1);
}

#[test]
fn notes_that_could_not_be_written_end_a_run_before_anything_is_out() {
    let mut house = House::new(&[deb("liba", &OLD)]);
    house.recipe("one", "", &["liba"]);
    house.patch(&[]).ok();
    let before = house.tag("one", "latest");
    house.fix(&deb("liba", &FIXED), 60);
    house.sandbox.write("notes.txt", "a file");
    house.patch(&["--notes", "notes.txt/here"]).exits(1).says("notes.txt");
    assert_eq!(house.tag("one", "latest"), before);
}
