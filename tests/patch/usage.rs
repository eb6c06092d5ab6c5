//! What the command refuses, and which images and places its arguments name.

use super::{House, deb};

const OLD: [(&str, &str); 1] = [("1.0-1", "first")];
const FIXED: [(&str, &str); 2] = [("1.0-1+deb13u1", "CVE-2026-1000"), ("1.0-1", "first")];

fn house() -> House {
    let house = House::new(&[deb("liba", &OLD), deb("libb", &OLD)]);
    house.recipe("one", "", &["liba"]).recipe("other", "", &["libb"]);
    house
}

#[test]
fn only_the_recipes_that_are_named_are_brought_up_to_date_with_what_they_stand_on() {
    let house = house();
    house.standing("two", "one", &["libb"]);
    let to = house.to();
    house.run(&["patch", "recipes/two.toml", "--no-test", "--to", &to]).ok();
    assert!(house.tag("one", "latest").is_some() && house.tag("two", "latest").is_some());
    assert_eq!(house.tag("other", "latest"), None);
    assert!(!house.sandbox.path("recipes/other.lock").exists());
}

#[test]
fn recipes_of_several_folders_and_recipes_that_are_nowhere_are_refused() {
    let house = house();
    house.sandbox.write("more/three.toml", house.sandbox.text("recipes/one.toml"));
    house.run(&["patch"]).exits(2);
    house.run(&["patch", "--all", "recipes", "more"]).exits(2).says("`--all` takes one folder");
    house.run(&["patch", "recipes/one.toml", "more/three.toml"]).exits(2).says("in several folders");
    house
        .run(&["patch", "recipes/one.toml", "recipes/none.toml"])
        .says("there is no recipe `recipes/none.toml`");
    house.run(&["patch", "--all", "--to", "registry.example/team", "--out", "out"]).exits(2);
    house.run(&["patch", "--all", "--everything", "--security-only"]).exits(2);
    assert!(!house.sandbox.path("recipes/one.lock").exists(), "something was done");
}

#[test]
fn a_dry_run_says_what_can_not_be_planned_and_fails() {
    let house = house();
    house.patch(&[]).ok();
    house.sandbox.write("recipes/broken.toml", "name = \"broken\"\nnonsense = 1\n");
    house.patch(&["--dry-run"]).exits(3).says("nonsense");
    let json = house.patch(&["--dry-run", "--json"]).exits(3);
    assert!(json.stdout.lines().any(|row| row.contains("\"broken\"") && row.contains("problems")));
}

#[test]
fn nothing_of_the_older_form_is_written_where_that_is_said() {
    let house = house();
    let signatures = |name: &str| {
        house.registry.tags(&format!("team/{name}")).iter().filter(|tag| tag.contains(".sig")).count()
    };
    let to = house.to();
    house.run(&["patch", "recipes/one.toml", "--no-test", "--to", &to]).ok();
    assert!(signatures("one") > 0);
    house.run(&["patch", "recipes/other.toml", "--no-test", "--no-legacy", "--to", &to]).ok();
    assert!(house.tag("other", "latest").is_some());
    assert_eq!(signatures("other"), 0);
}

#[test]
fn what_a_build_warns_of_is_said_with_the_image_that_gets_out() {
    let house = house();
    let out = house.patch(&[]).ok();
    let warned = out.stderr.split("\n\n").filter(|said| said.contains("the image has no `/etc/os-release`"));
    let of = |name: &str| warned.clone().filter(|said| said.contains(&format!("image: {name}"))).count();
    assert_eq!((of("one"), of("other")), (1, 1), "{}", out.stderr);
}

#[test]
fn tags_that_somebody_moved_are_put_right_and_the_one_that_moves_most_says_what_was_out() {
    let mut house = house();
    house.patch(&[]).ok();
    let first = house.tag("one", "latest").expect("published");
    let older = house.registry.manifest("team/one", &first).expect("there");
    house.fix(&deb("liba", &FIXED), 600);
    house.patch(&[]).ok();
    let second = house.tag("one", "latest").expect("published");
    let back = |house: &House| {
        let kind = older["mediaType"].as_str().expect("a kind");
        let bytes = older.to_string();
        assert_eq!(house.registry.put("team/one", "1", kind, bytes.as_bytes()), first);
    };
    back(&house);
    house.patch(&[]).ok();
    assert_eq!(house.tag("one", "1"), Some(second.clone()));
    back(&house);
    house.fix(&deb("liba", &[("1.0-1+deb13u2", "CVE-2026-2000"), FIXED[0], OLD[0]]), 60);
    let out = house.patched(&[]);
    assert_eq!(out["one"]["before"], second.as_str());
    assert_eq!(house.tag("one", "1"), house.tag("one", "latest"));
}

#[test]
fn an_image_never_takes_the_place_of_a_newer_one() {
    let mut house = house();
    let touched = |version: &str, time: u64| deb("liba", &[(version, "first")]).mtime(time);
    house.update(&touched("1.0-2", 1_760_000_000));
    house.patch(&[]).ok();
    let (lock, old) = (house.lock("one"), house.tag("one", "latest"));
    house.fix(&touched("1.0-2+deb13u1", 1_780_000_000), 60);
    house.patch(&[]).ok();
    let new = house.tag("one", "latest");
    assert_ne!(new, old);
    // Somebody runs it with a lock of yesterday, and archives of yesterday.
    house.sandbox.write("recipes/one.lock", lock);
    house.security.withdraw("liba");
    house.security.date(super::now() - 30).publish();
    house.patch(&[]).exits(6).says("points to a newer image");
    assert_eq!(house.tag("one", "latest"), new);
}

#[test]
fn an_image_without_its_newest_package_takes_the_place_of_the_one_with_it() {
    let mut house = house();
    let touched = |name: &str, time: u64| deb(name, &[("1.0-2", "first")]).mtime(time);
    house.update(&touched("liba", 1_760_000_000)).update(&touched("libb", 1_770_000_000));
    house.recipe("one", "", &["liba", "libb"]);
    house.patch(&[]).ok();
    let old = house.tag("one", "latest");
    house.recipe("one", "", &["liba"]);
    assert_eq!(house.patched(&[])["one"]["outcome"], "out");
    assert_ne!(house.tag("one", "latest"), old);
}

#[test]
fn a_layout_that_does_not_read_is_replaced_and_has_its_root_of_trust() {
    let house = house();
    house.run(&["patch", "--all", "--no-test"]).ok();
    assert!(house.sandbox.path("out/one/trusted_root.json").exists());
    house.sandbox.write("out/one/index.json", "{ this was cut");
    house.run(&["patch", "--all", "--no-test"]).ok();
    house.sandbox.hardpan(&["verify", "out/one"]).ok();
}

#[test]
fn a_schedule_runs_all_that_was_said_with_the_command() {
    let house = house();
    let said = [
        "patch",
        "--all",
        "images",
        "--out",
        "there",
        "--advisories",
        "feeds.snapshot",
        "--fail-on",
        "kev,critical",
        "--policy",
        "policy.toml",
        "--runtime",
        "crun",
        "--notes",
        "changes",
        "--jobs",
        "3",
        "--everything",
        "--no-test",
        "--no-legacy",
        "--plain-http",
        "--key",
        "ci.key",
    ];
    let text = house.sandbox.hardpan(&[&said[..], &["--emit", "systemd"]].concat()).ok().stdout;
    let command = text.lines().find_map(|line| line.strip_prefix("ExecStart=")).expect("a command");
    let mut words: Vec<&str> = command.split(' ').collect();
    let mut expected = [&["hardpan"][..], &said].concat();
    words.sort_unstable();
    expected.sort_unstable();
    assert_eq!(words, expected);
}
