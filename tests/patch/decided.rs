//! Decisions on vulnerabilities and advisories, of images whose digest stays.

use std::os::unix::fs::PermissionsExt as _;

use super::support::{Hand, Layout};
use super::{House, deb};

const OLD: [(&str, &str); 1] = [("1.0-1", "first")];

/// What OpenVEX statements are called.
const OPENVEX: &str = "https://openvex.dev/ns";

/// Of the snapshots that these tests import.
const TRACKER: &str = r#"{ "liba": { "CVE-2026-6666": { "description": "bad", "scope": "remote",
    "releases": { "trixie": { "status": "open", "repositories": { "trixie": "1.0-1" }, "urgency": "high" } } } } }"#;

fn house() -> House {
    let house = House::new(&[deb("liba", &OLD)]);
    house.recipe("one", "", &["liba"]).standing("two", "one", &["liba"]);
    house.patch(&[]).ok();
    house
}

impl House {
    /// Somebody decides about liba in the image `one`.
    fn decide(&self, reason: &str) {
        let decision = format!(
            "[[decision]]\ncve = \"CVE-2026-6666\"\npackages = [\"liba\"]\nstatus = \"not_affected\"\n\
             justification = \"vulnerable_code_not_in_execute_path\"\nreason = \"{reason}\"\n\
             author = \"Ada <ada@example.org>\"\ndate = 2026-11-01\nexpires = 2027-05-01\n"
        );
        self.sandbox.write("recipes/vex/one.toml", decision);
    }

    /// The reasons that the OpenVEX documents attached to an image's index give, in what was pulled or written.
    fn reasons(&self, folder: &str) -> Vec<String> {
        let layout = Layout(self.sandbox.path(folder));
        let all = layout.of_kind(OPENVEX, &layout.index());
        let notes = |one: &super::support::Attached| one.statement["predicate"]["statements"].to_string();
        let mut notes: Vec<String> = all.iter().map(notes).collect();
        notes.sort();
        notes
    }

    fn pulled(&self, name: &str) -> String {
        let out = format!("pulled-{}", self.registry.asked().len());
        self.sandbox.hardpan(&["pull", &format!("{}/{name}:latest", self.to()), "--out", &out]).ok();
        out
    }
}

#[test]
fn a_decision_gets_out_once_though_the_digest_stays() {
    let house = house();
    let digests = (house.tag("one", "latest"), house.registry.tags("team/one"));
    house.decide("nobody calls it");
    let said = house.patched(&[]);
    assert_eq!(
        (&said["one"]["outcome"], &said["two"]["outcome"]),
        (&"decisions out".into(), &"up to date".into())
    );
    assert_eq!((house.tag("one", "latest"), house.registry.tags("team/one")), digests);
    let pulled = house.pulled("one");
    let reasons = house.reasons(&pulled);
    assert!(reasons.len() == 1 && reasons[0].contains("nobody calls it"), "{reasons:?}");
    house.sandbox.hardpan(&["verify", &pulled]).ok();

    house.registry.heal();
    assert_eq!(house.patched(&[])["one"]["outcome"], "up to date");
    let sent: usize = ["PUT", "POST", "PATCH"].iter().map(|method| house.registry.hits(method, "")).sum();
    assert_eq!(sent, 0);

    house.decide("it is not even linked");
    assert_eq!(house.patched(&[])["one"]["outcome"], "decisions out");
    let pulled = house.pulled("one");
    let reasons = house.reasons(&pulled);
    assert!(reasons.iter().any(|one| one.contains("not even linked")), "{reasons:?}");
}

#[test]
fn what_got_out_with_an_image_does_not_get_out_again() {
    let mut house = house();
    house.decide("nobody calls it");
    house.fix(&deb("liba", &[("1.0-1+deb13u1", "CVE-2026-1000"), ("1.0-1", "first")]), 60);
    assert_eq!(house.patched(&[])["one"]["outcome"], "out");
    assert_eq!(house.patched(&[])["one"]["outcome"], "up to date");
    // Nor what somebody published by hand, whatever this machine's store knows.
    house.sandbox.hardpan(&["gc", "--older-than", "0s", "--root", "recipes"]).ok();
    assert_eq!(house.patched(&[])["one"]["outcome"], "up to date");
}

#[test]
fn in_a_folder_a_newer_decision_takes_the_place_of_the_older_one() {
    let house = House::new(&[deb("liba", &OLD)]);
    house.recipe("one", "", &["liba"]);
    let patch = || house.run(&["patch", "--all", "--no-test", "--json"]).ok().stdout;
    patch();
    let index = Layout(house.sandbox.path("out/one")).index();
    let changes =
        || Layout(house.sandbox.path("out/one")).of_kind("https://hardpan.dev/changes/v1", &index).len();
    assert_eq!(changes(), 1);
    for reason in ["nobody calls it", "it is not even linked"] {
        house.decide(reason);
        assert!(patch().contains("decisions out"));
        let reasons = house.reasons("out/one");
        assert!(reasons.len() == 1 && reasons[0].contains(reason), "{reasons:?}");
    }
    assert_eq!(
        (Layout(house.sandbox.path("out/one")).index(), changes()),
        (index.clone(), 1),
        "all else stays"
    );
}

#[test]
fn a_decision_is_a_new_look_for_the_ledger() {
    let house = house();
    house.sandbox.write("tracker.json", TRACKER);
    house.sandbox.hardpan(&["advisories", "import", "tracker.json", "--date", "2026-11-20"]).ok();
    house.patch(&[]).ok();
    let decided = || {
        let said = house.sandbox.hardpan(&["report", "cve", "CVE-2026-6666", "--format", "json"]).ok().stdout;
        (said.matches("\"state\":\"open\"").count(), said.matches("\"gone_why\":\"decided\"").count())
    };
    assert_eq!(decided(), (2, 0));
    house.decide("nobody calls it");
    house.patch(&[]).ok();
    assert_eq!(decided(), (1, 1), "one of two images is touched no more");
    // What is taken back counts again. Ledgers count in seconds, and what is found within one is found once.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    house.sandbox.write("recipes/vex/one.toml", "");
    house.patch(&[]).ok();
    assert_eq!(decided(), (2, 1), "a further exposure, beside the one that ended");
}

#[test]
fn advisories_that_are_older_than_the_policy_allows_end_a_run_before_it_begins() {
    let mut house = house();
    let digest = house.tag("one", "latest");
    house.sandbox.write("policy.toml", "advisories-max-age = \"2w\"\n");
    house.patch(&["--policy", "policy.toml"]).exits(4).says("the policy").says("hardpan advisories import");
    house.sandbox.write("tracker.json", TRACKER);
    house.sandbox.hardpan(&["advisories", "import", "tracker.json", "--date", "2026-01-01"]).ok();
    house.fix(&deb("liba", &[("1.0-1+deb13u1", "CVE-2026-1000"), ("1.0-1", "first")]), 60);
    for more in [&[][..], &["--dry-run"]] {
        house
            .patch(&[&["--policy", "policy.toml"], more].concat())
            .exits(6)
            .says("older than is allowed")
            .says("2026-01-01");
    }
    assert_eq!(house.tag("one", "latest"), digest);
    house.sandbox.write("policy.toml", "advisories-max-age = \"1000w\"\n");
    house.patch(&["--policy", "policy.toml"]).ok().says("more than a week");
    assert_ne!(house.tag("one", "latest"), digest);
}

#[test]
fn an_image_that_is_out_with_its_decisions_is_not_fetched_to_look_at_them_again() {
    let mut house = house();
    house.decide("nobody calls it");
    house.fix(&deb("liba", &[("1.0-1+deb13u1", "CVE-2026-1000"), ("1.0-1", "first")]), 60);
    house.patch(&[]).ok();
    for _ in 0..2 {
        house.registry.heal();
        assert_eq!(house.patched(&[])["one"]["outcome"], "up to date");
        assert_eq!(
            (house.registry.hits("GET", "/blobs/"), house.registry.hits("GET", "/referrers/")),
            (0, 0)
        );
    }
}

#[test]
fn a_decision_gets_out_to_every_place_that_has_the_image() {
    let house = House::new(&[deb("liba", &OLD)]);
    house.recipe("one", "", &["liba"]);
    let places = [format!("{}/team", house.registry.host()), format!("{}/staff", house.registry.host())];
    let outcome = |place: &str| {
        let out = house.run(&["patch", "--all", "--no-test", "--json", "--to", place]).ok();
        super::rows(&out)["one"]["outcome"].clone()
    };
    assert!(places.iter().all(|place| outcome(place) == "out"));
    house.decide("nobody calls it");
    for expected in ["decisions out", "up to date"] {
        assert!(places.iter().all(|place| outcome(place) == expected), "{expected}");
    }
}

#[test]
fn a_decision_gets_out_where_only_pins_of_what_is_in_no_image_move() {
    let mut house = House::new(&[deb("liba", &OLD).depends("libb"), deb("libb", &OLD)]);
    house.recipe("one", "", &["liba"]);
    house.patch(&[]).ok();
    house.decide("nobody calls it");
    house.fix(&deb("libb", &[("1.0-1+deb13u1", "CVE-2026-1000"), ("1.0-1", "first")]), 60);
    assert_eq!(house.patched(&[])["one"]["outcome"], "decisions out");
    assert!(house.lock("one").contains("1.0-1+deb13u1"));
}

#[test]
fn what_a_scan_finds_in_an_image_is_written_down_as_it_gets_out() {
    let mut house = house();
    house.sandbox.write("tracker.json", TRACKER);
    house.sandbox.hardpan(&["advisories", "import", "tracker.json", "--date", "2026-11-20"]).ok();
    house.fix(&deb("liba", &[("1.0-1+deb13u1", "a regression"), ("1.0-1", "first")]), 60);
    house.patch(&[]).ok();
    let digest = house.tag("one", "latest").expect("published");
    let events = house.sandbox.hardpan(&["report", "export"]).ok().stdout;
    let found = |line: &str| {
        line.contains("\"detected\"") && line.contains("CVE-2026-6666") && line.contains(&digest)
    };
    assert!(events.lines().any(found), "{events}");
}

#[test]
fn an_image_without_a_package_is_brought_out_though_advisories_have_nothing_to_say_of_it() {
    let house = house();
    house.sandbox.write("tracker.json", TRACKER);
    house.sandbox.hardpan(&["advisories", "import", "tracker.json", "--date", "2026-11-20"]).ok();
    house.sandbox.write(
        "recipes/bare.toml",
        "name = \"bare\"\nplatforms = [\"linux/amd64\"]\ntags = [\"1\"]\npolicy.allow.root = \"it is a test\"\n\n\
         [files]\n\"/data.txt\" = \"some data\\n\"\n",
    );
    house.patch(&["--fail-on", "kev"]).ok();
    assert!(house.tag("bare", "1").is_some());
}

#[test]
fn the_signature_of_advisories_is_verified_and_named_and_one_that_is_wrong_ends_a_run_before_it_begins() {
    let mut house = house();
    let key = house.sandbox.path("team.key");
    house.sandbox.write("team.key", Hand::new(1).private_pem());
    std::fs::set_permissions(key, std::fs::Permissions::from_mode(0o600)).expect("ours");
    house.sandbox.write("keys/team.pub", Hand::new(1).public_pem());
    let import = |house: &House, date: &str| {
        house.sandbox.write("tracker.json", TRACKER);
        let arguments = ["advisories", "import", "tracker.json", "--key", "team.key", "--date", date];
        let digest = house.sandbox.hardpan(&arguments).ok().stdout;
        let digest = digest.trim().trim_start_matches("sha256:").to_owned();
        house.sandbox.store().join(format!("advisories/{digest}.bundle"))
    };
    let of_before = std::fs::read(import(&house, "2026-11-19")).expect("signed");
    let bundle = import(&house, "2026-11-20");
    house.fix(&deb("liba", &[("1.0-1+deb13u1", "CVE-2026-1000"), ("1.0-1", "first")]), 60);

    let digest = house.tag("one", "latest");
    let right = std::fs::read(&bundle).expect("signed");
    std::fs::write(&bundle, of_before).expect("ours");
    for more in [&[][..], &["--dry-run"]] {
        house.patch(more).exits(5).says("HP545");
    }
    assert_eq!(house.tag("one", "latest"), digest);

    std::fs::write(&bundle, right).expect("ours");
    house.patch(&[]).ok();
    house.sandbox.hardpan(&["pull", &format!("{}/one:latest", house.to()), "--out", "pulled"]).ok();
    let layout = Layout(house.sandbox.path("pulled"));
    let attached = layout.statement("https://hardpan.dev/changes/v1", &layout.index());
    assert_eq!(attached.statement["predicate"]["advisories"]["signed_by"], "keys/team.pub");
}

#[test]
fn what_keeps_an_image_back_is_entered_of_the_one_that_stays_out() {
    let mut house = house();
    house.sandbox.write("tracker.json", TRACKER.replace("high", "critical"));
    house.sandbox.hardpan(&["advisories", "import", "tracker.json", "--date", "2026-11-20"]).ok();
    let digest = house.tag("one", "latest").expect("published");
    house.fix(&deb("liba", &[("1.0-1+deb13u1", "CVE-2026-1000"), ("1.0-1", "first")]), 60);
    house.patch(&["--fail-on", "any"]).exits(6).says("CVE-2026-6666");
    let report = house.sandbox.hardpan(&["report", "cve", "CVE-2026-6666", "--format", "json"]).ok().stdout;
    assert!(report.contains("\"open\"") && report.contains(digest.trim_start_matches("sha256:")), "{report}");
}

#[test]
fn who_signs_images_is_trusted_to_have_signed_advisories_and_somebody_else_is_told_of_with_what_to_do() {
    let house = house();
    for (name, hand) in [("team", 1), ("other", 2)] {
        let key = house.sandbox.write(format!("{name}.key"), Hand::new(hand).private_pem());
        std::fs::set_permissions(key, std::fs::Permissions::from_mode(0o600)).expect("ours");
    }
    house.sandbox.write("tracker.json", TRACKER);
    house
        .sandbox
        .hardpan(&["advisories", "import", "tracker.json", "--key=team.key", "--date=2026-11-20"])
        .ok();
    for more in [&[][..], &["--dry-run"]] {
        house.patch(&[&["--key=team.key"], more].concat()).ok();
        let out = house.patch(&[&["--key=other.key"], more].concat()).exits(5).says("HP511").says("`keys/`");
        assert!(!out.stderr.contains("`--key FILE`"), "{}", out.stderr);
    }
    house.sandbox.write("keys/team.pub", Hand::new(1).public_pem());
    house.patch(&["--key=other.key"]).ok();
}
