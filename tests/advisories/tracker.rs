//! The tracker's export: decisions of every kind, and what is wrong in one entry.

use hardpan::advisory::{Ecosystem, NoDsaReason, Standing, State, Urgency};

use super::support::Sandbox;
use super::{TRACKER, current, said, version};

fn imported() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("tracker.json", TRACKER);
    sandbox.hardpan(&["advisories", "import", "tracker.json", "--date", "2026-11-20"]).ok();
    sandbox
}

#[test]
fn decisions_stand_in_the_tracker_s_own_order() {
    let sandbox = imported();
    let snapshot = current(&sandbox);
    for (release, package, name, standing) in [
        ("12", "openssl", "CVE-2025-15467", Standing::Resolved),
        ("11", "openssl", "CVE-2025-15467", Standing::Resolved),
        ("12", "coreutils", "CVE-2016-2781", Standing::Ignored),
        ("12", "cups", "CVE-2023-4504", Standing::Undetermined),
        ("12", "glibc", "CVE-2025-0395", Standing::NoDsa),
        ("11", "glibc", "CVE-2025-0395", Standing::NoDsa),
        ("12", "systemd", "CVE-2023-31437", Standing::Unimportant),
        ("11", "python2.7", "CVE-2026-0865", Standing::EndOfLife),
        ("12", "zlib", "CVE-2023-45853", Standing::Open),
    ] {
        let said = said(&snapshot, release, package, name).expect(name);
        assert_eq!(said.affected.standing(), standing, "{name} in {package} of {release}");
    }
}

#[test]
fn a_release_that_was_never_affected_is_not_and_one_that_is_missing_says_nothing() {
    let sandbox = imported();
    let snapshot = current(&sandbox);
    let never = said(&snapshot, "11", "openssl", "CVE-2025-15467").expect("named").affected;
    assert_eq!((never.state, never.touches(&version("1.1.1w-0+deb11u4"))), (State::NotAffected, false));
    assert!(said(&snapshot, "13", "openssl", "CVE-2025-15467").is_none());
    assert!(
        snapshot.affecting(&Ecosystem::debian("13"), "nothing-of-the-kind").expect("readable").is_empty()
    );
}

#[test]
fn a_fix_holds_from_its_version_on_and_an_open_one_never() {
    let sandbox = imported();
    let snapshot = current(&sandbox);
    let openssl = said(&snapshot, "12", "openssl", "CVE-2025-15467").expect("named").affected;
    assert!(openssl.touches(&version("3.0.18-1~deb12u1")));
    assert!(!openssl.touches(&version("3.0.18-1~deb12u2")));
    // The binary package may have been built anew: its source version is the one that is asked for.
    assert!(!openssl.touches(&version("3.0.20-1~deb12u2")));
    assert!(
        said(&snapshot, "12", "zlib", "CVE-2023-45853").expect("named").affected.touches(&version("1:9"))
    );
}

#[test]
fn of_several_suites_of_a_release_the_highest_version_is_to_be_had() {
    let sandbox = imported();
    let snapshot = current(&sandbox);
    let available = |package, name| said(&snapshot, "12", package, name).expect("named").affected.available;
    // Backports are another place, which nobody gets updates from by himself.
    assert_eq!(available("openssl", "CVE-2025-15467"), Some(version("3.0.18-1~deb12u2")));
    // glibc: the security suite still holds an older version than the release does.
    assert_eq!(available("glibc", "CVE-2026-0915"), Some(version("2.36-9+deb12u14")));
}

#[test]
fn words_of_the_tracker_are_kept() {
    let sandbox = imported();
    let snapshot = current(&sandbox);
    let affected = |release, package, name| said(&snapshot, release, package, name).expect("named").affected;
    let postponed = affected("11", "glibc", "CVE-2025-0395").no_dsa.expect("no DSA");
    assert_eq!(postponed.reason, NoDsaReason::Postponed);
    let minor = affected("12", "glibc", "CVE-2025-0395").no_dsa.expect("no DSA");
    assert_eq!((minor.reason, minor.comment.as_str()), (NoDsaReason::None, "Minor issue"));
    assert_eq!(affected("12", "coreutils", "CVE-2016-2781").urgency, Some(Urgency::Low));
    let all = snapshot.affecting(&Ecosystem::debian("12"), "cups").expect("readable");
    let temporary = all.iter().find(|said| said.cve.is_none()).expect("without a CVE");
    assert_eq!(
        (temporary.id.as_str(), temporary.affected.urgency),
        ("TEMP-0000000-5A8DB7", Some(Urgency::Low))
    );
    sandbox.hardpan(&["advisories", "show", "cve-2016-2781"]).ok();
    sandbox.hardpan(&["advisories", "show", "TEMP-0000000-5A8DB7"]).ok();
    sandbox.hardpan(&["advisories", "show", "CVE-2001-0001"]).exits(4).says("HP440");
}

#[test]
fn an_entry_that_is_broken_is_named_and_the_rest_serves() {
    let sandbox = Sandbox::new();
    let text = r#"{
        "good": { "CVE-2026-102633": { "releases": { "trixie": { "status": "resolved", "fixed_version": "1.0-2" } } } },
        "bad": {
            "CVE-2026-0001": { "releases": { "trixie": { "status": "resolved", "fixed_version": "not a version" } } },
            "CVE-2026-0002": { "releases": { "trixie": { "status": "pondered" } } },
            "CVE-2026-0003": { "releases": [] },
            "CVE-2026-0004": { "releases": { "trixie": { "status": "resolved" } } },
            "whatever": { "releases": {} },
            "CVE-2026-0005": { "releases": { "trixie": { "status": "open" } } }
        }
    }"#;
    sandbox.write("tracker.json", text);
    let out = sandbox.hardpan(&["advisories", "import", "tracker.json", "--date=2026-11-20"]).ok();
    for name in ["CVE-2026-0001", "CVE-2026-0002", "CVE-2026-0003", "CVE-2026-0004", "whatever"] {
        assert!(
            out.stderr.contains(&format!("the record {name} of bad of `tracker.json` is refused")),
            "{name}: {}",
            out.stderr
        );
    }
    assert!(out.stderr.contains("2 records, 5 refused"), "{}", out.stderr);
    let snapshot = current(&sandbox);
    assert!(said(&snapshot, "13", "bad", "CVE-2026-0005").expect("named").affected.touches(&version("9")));
    assert_eq!(
        said(&snapshot, "13", "good", "CVE-2026-102633").expect("named").affected.fixed,
        Some(version("1.0-2"))
    );
}

#[test]
fn a_release_that_is_broken_is_named_and_the_others_of_the_record_serve() {
    let sandbox = Sandbox::new();
    let text = r#"{ "openssl": { "CVE-2026-10002": { "releases": {
        "bookworm": { "status": "open", "repositories": { "bookworm": "a b" } },
        "trixie": { "status": "resolved", "fixed_version": "99.0-1" },
        "sid": { "status": "resolved", "fixed_version": "a b" } } } } }"#;
    sandbox.write("tracker.json", text);
    let out = sandbox.hardpan(&["advisories", "import", "tracker.json", "--date=2026-11-20"]).ok();
    for release in ["sid", "bookworm"] {
        let words = format!("the record CVE-2026-10002 of openssl in {release} of `tracker.json` is refused");
        assert!(out.stderr.contains(&words), "{}", out.stderr);
    }
    assert!(out.stderr.contains("1 records, 2 refused"), "{}", out.stderr);
    // Who asks it later hears of that too.
    sandbox.write("sbom.json", r#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"library","name":"zlib","purl":"pkg:deb/debian/zlib1g@1.3-1?distro=debian-13"}]}"#);
    sandbox
        .hardpan(&["scan", "sbom.json"])
        .ok()
        .says("HP544")
        .says("2 records of the feed `tracker` did not read");
    let snapshot = current(&sandbox);
    let trixie = said(&snapshot, "13", "openssl", "CVE-2026-10002").expect("named").affected;
    assert!(trixie.touches(&version("3.5.1-1")) && !trixie.touches(&version("99.0-1")));
    assert!(said(&snapshot, "sid", "openssl", "CVE-2026-10002").is_none());
    sandbox.write("good.json", TRACKER);
    sandbox.hardpan(&["advisories", "import", "good.json", "good.json"]).exits(5).says("named twice");
}

#[test]
fn an_export_that_is_cut_short_changes_nothing() {
    let sandbox = imported();
    let before = current(&sandbox).digest();
    for cut in [TRACKER.len() / 3, TRACKER.len() - 2] {
        sandbox.write("cut.json", &TRACKER[..cut]);
        let out = sandbox.hardpan(&["advisories", "import", "cut.json", "--date=2026-11-21"]);
        out.exits(5).says("HP540").says("last read");
    }
    assert_eq!(current(&sandbox).digest(), before);
}

#[test]
fn a_whole_list_takes_the_place_of_the_one_before_and_an_older_one_does_not() {
    let sandbox = imported();
    sandbox.write("next.json", r#"{"zlib": {"CVE-2023-45853": {"releases": {"bookworm": {"status": "resolved", "fixed_version": "1:1.2.13.dfsg-1+deb12u1"}}}}}"#);
    sandbox
        .hardpan(&["advisories", "import", "next.json", "--date=2026-11-19"])
        .exits(5)
        .says("HP543")
        .says("--allow-older");
    assert!(said(&current(&sandbox), "12", "coreutils", "CVE-2016-2781").is_some());
    sandbox.hardpan(&["advisories", "import", "next.json", "--date=2026-11-21"]).ok();
    let snapshot = current(&sandbox);
    assert!(said(&snapshot, "12", "coreutils", "CVE-2016-2781").is_none());
    assert!(said(&snapshot, "12", "zlib", "CVE-2023-45853").expect("named").affected.fixed.is_some());
    sandbox.hardpan(&["advisories", "import", "tracker.json", "--date=2026-11-19", "--allow-older"]).ok();
    sandbox
        .hardpan(&["advisories", "import", "tracker.json", "--date=2099-01-01"])
        .exits(5)
        .says("still to come");
}
