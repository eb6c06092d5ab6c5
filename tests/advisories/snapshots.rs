//! Snapshots: the same feeds make the same bytes; signed, verified, handed on, kept; broken ones found.

use std::os::unix::fs::PermissionsExt as _;

use hardpan::advisory::{Shelf, SignedBy};
use hardpan::diag::codes;

use super::support::{Hand, Sandbox};
use super::{OSV, TRACKER, current, osv};

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("osv.tar.gz", OSV);
    sandbox.write("tracker.json", TRACKER);
    sandbox
}

fn import(sandbox: &Sandbox, more: &[&str]) -> String {
    let out = sandbox.hardpan(&[&["advisories", "import"], more].concat()).ok();
    out.stdout.trim().trim_start_matches("sha256:").to_owned()
}

/// Writes over a stored snapshot, as damage would.
fn overwrite(path: &std::path::Path, bytes: &[u8]) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).expect("ours");
    std::fs::write(path, bytes).expect("ours");
}

#[test]
fn the_same_feeds_in_any_order_make_the_same_bytes() {
    let one = sandbox();
    let first = import(&one, &["osv.tar.gz", "tracker.json", "--date=2026-11-20"]);
    let other = sandbox();
    import(&other, &["tracker.json", "--date=2026-11-20"]);
    let second = import(&other, &["osv.tar.gz"]);
    assert_eq!(first, second);
    // Once more changes nothing, and says so.
    let out = other.hardpan(&["advisories", "import", "osv.tar.gz"]).ok().says("Unchanged");
    assert!(out.stdout.contains(&first));
    let json = other.hardpan(&["advisories", "list", "--json"]).ok().stdout;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["digest"], first.as_str());
    assert_eq!(json["head"]["feeds"].as_array().map(Vec::len), Some(2));
    // Of the feeds that can say that something is open, the older one counts.
    assert_eq!(
        (&json["head"]["date"], &json["head"]["counts_from"]),
        (&"2026-11-20T00:00:00Z".into(), &"2026-11-19T21:02:23Z".into())
    );
}

#[test]
fn a_flipped_byte_is_found_wherever_it_is() {
    let sandbox = sandbox();
    let digest = import(&sandbox, &["osv.tar.gz"]);
    let path = sandbox.store().join("advisories").join(&digest);
    let whole = std::fs::read(&path).expect("there");
    for at in [3, whole.len() / 2, whole.len() - 30, whole.len() - 1] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        overwrite(&path, &bytes);
        sandbox.hardpan(&["advisories", "show", "CVE-2026-102633"]).exits(5).says("HP545");
        sandbox.hardpan(&["advisories", "verify"]).exits(5).says("HP545");
        // As a file nobody knows its digest, and it must be told from its form, or reads as it is.
        sandbox.write("flipped", &bytes);
        let code = sandbox.hardpan(&["advisories", "verify", "flipped"]).code;
        assert!(code == 5 || code == 0, "{code} at {at}");
    }
    overwrite(&path, &whole);
    sandbox.hardpan(&["advisories", "verify"]).ok().says("");
}

#[test]
fn a_snapshot_of_lies_neither_panics_nor_fills_memory() {
    let sandbox = sandbox();
    let digest = import(&sandbox, &["osv.tar.gz"]);
    let whole = std::fs::read(sandbox.store().join("advisories").join(digest)).expect("there");
    let footer = whole.len() - 64;
    for at in (footer..whole.len() - 12).step_by(4) {
        let mut bytes = whole.clone();
        bytes[at..at + 4].copy_from_slice(&[0xff; 4]);
        sandbox.write("lies", &bytes);
        sandbox.hardpan(&["advisories", "verify", "lies"]).exits(5).says("HP545");
    }
    for cut in [0, 1, 63, 64, whole.len() / 2] {
        sandbox.write("cut", &whole[..cut]);
        sandbox.hardpan(&["advisories", "verify", "cut"]).exits(5).says("HP545");
    }
}

#[test]
fn a_snapshot_is_signed_where_a_key_is_configured_and_verified_with_those_that_are_there() {
    let mut sandbox = sandbox();
    sandbox.write("team.key", Hand::new(1).private_pem());
    std::fs::set_permissions(sandbox.path("team.key"), std::fs::Permissions::from_mode(0o600)).expect("ours");
    sandbox.env("HARDPAN_KEY", "team.key");
    let digest = import(&sandbox, &["osv.tar.gz"]).parse().expect("a digest");
    let shelf = Shelf::at(&sandbox.store());
    assert_eq!(shelf.signed_by(&digest, None).expect("readable"), SignedBy::Unverified);
    sandbox.write("keys/team.pub", Hand::new(1).public_pem());
    sandbox.hardpan(&["advisories", "verify"]).ok();
    let out = sandbox.hardpan(&["advisories", "verify", "--json"]).ok().stdout;
    assert!(out.contains("\"signed_by\":\"keys/team.pub\""), "{out}");
    sandbox.write("other.pub", Hand::new(2).public_pem());
    sandbox.hardpan(&["advisories", "verify", "--key=other.pub"]).exits(5);
    // A signature over another snapshot is none over this one.
    let bundle = std::fs::read(shelf.bundle_path(&digest)).expect("signed");
    sandbox.write("one.json", osv("X-1", "CVE-2026-1000", "x", "1-1", "2026-11-01T00:00:00Z"));
    let next = import(&sandbox, &["one.json"]).parse().expect("a digest");
    std::fs::write(shelf.bundle_path(&next), bundle).expect("ours");
    sandbox.hardpan(&["advisories", "verify", "--key=keys/team.pub"]).exits(5).says("HP545");
    std::fs::remove_file(shelf.bundle_path(&next)).expect("ours");
    sandbox.hardpan(&["advisories", "verify", "--key=keys/team.pub"]).exits(5).says("HP511");
    sandbox.hardpan(&["advisories", "verify"]).ok();
}

#[test]
fn a_snapshot_is_handed_on_with_its_signature() {
    let sandbox = sandbox();
    sandbox.write("team.key", Hand::new(1).private_pem());
    std::fs::set_permissions(sandbox.path("team.key"), std::fs::Permissions::from_mode(0o600)).expect("ours");
    let digest = import(&sandbox, &["osv.tar.gz", "--key=team.key"]);
    sandbox.hardpan(&["advisories", "export", "--out=handed"]).ok();
    let other = Sandbox::new();
    other.write("handed", sandbox.read("handed"));
    other.write("handed.bundle", sandbox.read("handed.bundle"));
    other.hardpan(&["advisories", "show", "CVE-2026-102633", "--advisories=handed"]).ok();
    other.hardpan(&["advisories", "use", "handed"]).ok();
    other.write("team.pub", Hand::new(1).public_pem());
    other.hardpan(&["advisories", "verify", "--key=team.pub"]).ok();
    assert_eq!(current(&other).digest().to_string(), digest);
}

#[test]
fn the_current_snapshot_is_never_freed_and_others_are() {
    let sandbox = sandbox();
    let first = import(&sandbox, &["osv.tar.gz"]);
    let second = import(&sandbox, &["tracker.json", "--date=2026-11-20"]);
    sandbox.hardpan(&["gc", "--older-than=0s"]).ok();
    let names = |name: &str| sandbox.store().join("advisories").join(name).exists();
    assert_eq!((names(&first), names(&second), names("current")), (false, true, true));
    sandbox.hardpan(&["advisories", "verify"]).ok();
    sandbox.hardpan(&["advisories", "use", &first]).exits(4).says("HP440");
}

#[test]
fn a_snapshot_that_is_broken_is_made_again() {
    let sandbox = sandbox();
    let digest = import(&sandbox, &["osv.tar.gz"]);
    overwrite(&sandbox.store().join("advisories").join(&digest), b"rubbish");
    sandbox.hardpan(&["advisories", "import", "osv.tar.gz"]).exits(5).says("--replace");
    assert_eq!(import(&sandbox, &["osv.tar.gz", "--replace"]), digest);
    let opened = Shelf::at(&sandbox.store()).open(&digest.parse().expect("a digest"));
    assert!(opened.is_ok_and(|snapshot| snapshot.check().is_ok()));
    std::fs::write(sandbox.store().join("advisories/current"), "{").expect("ours");
    assert!(Shelf::at(&sandbox.store()).current().expect_err("broken").is(codes::BAD_SNAPSHOT));
}

#[test]
fn two_imports_at_once_lose_nothing() {
    let sandbox = sandbox();
    for at in 0..6 {
        let cve = format!("CVE-2026-10000{at}");
        sandbox.write(
            format!("{at}.json"),
            osv(&format!("DEBIAN-{cve}"), &cve, "x", "1-1", "2026-11-01T00:00:00Z"),
        );
    }
    std::thread::scope(|scope| {
        for at in 0..6 {
            let sandbox = &sandbox;
            scope.spawn(move || sandbox.hardpan(&["advisories", "import", &format!("{at}.json")]).ok());
        }
    });
    assert_eq!(current(&sandbox).head().vulnerabilities, 6);
}

#[test]
fn an_import_without_the_key_says_that_the_signature_is_gone() {
    let sandbox = Sandbox::new();
    sandbox.write("team.key", Hand::new(1).private_pem());
    std::fs::set_permissions(sandbox.path("team.key"), std::fs::Permissions::from_mode(0o600)).expect("ours");
    sandbox.write("one.json", osv("DEBIAN-CVE-2026-1", "CVE-2026-1001", "x", "1-1", "2026-11-01T00:00:00Z"));
    sandbox.write("two.json", osv("DEBIAN-CVE-2026-2", "CVE-2026-1002", "x", "1-1", "2026-11-01T00:00:00Z"));
    let quiet = sandbox.hardpan(&["advisories", "import", "one.json", "--key=team.key"]).ok();
    assert!(!quiet.stderr.contains("HP511"), "{}", quiet.stderr);
    sandbox
        .hardpan(&["advisories", "import", "two.json"])
        .ok()
        .says("HP511")
        .says("the snapshot before was signed");
    let same = sandbox.hardpan(&["advisories", "import", "two.json"]).ok();
    assert!(!same.stderr.contains("HP511"), "said once: {}", same.stderr);
}
