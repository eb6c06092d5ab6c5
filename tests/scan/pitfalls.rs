//! The seven ways in which scanners of Debian go wrong, each with versions that Debian has or had.

use hardpan::advisory::Standing;
use hardpan::scan::{Want, of_prefix};
use serde_json::json;

use super::made::{Installed, NOW, OSV, root, scanned, snapshot, stands, tracked};
use super::support::Sandbox;

/// What is found, each as `id source`.
fn found(sandbox: &Sandbox, installed: &[Installed]) -> Vec<String> {
    scanned(sandbox, installed).findings.iter().map(|one| format!("{} {}", one.id, one.source)).collect()
}

fn fixed(version: &str) -> serde_json::Value {
    stands(json!({ "status": "resolved", "fixed_version": version }))
}

#[test]
fn one_packages_are_found_by_their_source_and_its_version() {
    // dmsetup's version is far above that of lvm2, which it is built from.
    let sandbox = tracked(
        &json!({ "lvm2": { "CVE-2026-1000": fixed("2.03.16-2+deb12u1") }, "dmsetup": { "CVE-2026-1001": fixed("9:9") } }),
    );
    assert_eq!(found(&sandbox, &[("dmsetup", "2:1.02.185-2", "lvm2 (2.03.16-2)")]), ["CVE-2026-1000 lvm2"]);
    assert!(found(&sandbox, &[("dmsetup", "2:1.02.185-2+deb12u1", "lvm2 (2.03.16-2+deb12u1)")]).is_empty());
    // Without the field the package is its own source.
    assert_eq!(found(&sandbox, &[("lvm2", "2.03.16-2", "")]), ["CVE-2026-1000 lvm2"]);
}

#[test]
fn two_a_rebuild_is_of_the_source_that_it_was_built_from() {
    // Fixed in the very source: a rebuild of it is not below, and a rebuild of the one before is.
    let sandbox = tracked(&json!({
        "brotli": { "CVE-2026-1000": fixed("1.0.9-2+deb12u1"), "CVE-2026-1001": fixed("1.0.9-2") },
        "zlib": { "CVE-2026-1002": fixed("1:1.2.13.dfsg-1+a1") },
    }));
    assert_eq!(
        found(&sandbox, &[("libbrotli1", "1.0.9-2+b6", "brotli (1.0.9-2)")]),
        ["CVE-2026-1000 brotli"]
    );
    // `+b1` sorts above `+a1`: by the package's own version this would be missed.
    assert_eq!(
        found(&sandbox, &[("zlib1g", "1:1.2.13.dfsg-1+b1", "zlib (1:1.2.13.dfsg-1)")]),
        ["CVE-2026-1002 zlib"]
    );
    assert_eq!(found(&sandbox, &[("zlib1g", "1:1.2.13.dfsg-1+b1", "zlib")]), ["CVE-2026-1002 zlib"]);
}

#[test]
fn three_a_backport_sorts_below_what_it_contains() {
    // redis 5:7.0.15-1~deb12u7 has what 5:7.0.15-1 fixed; the boundary is the backport's own version.
    let sandbox = tracked(&json!({ "redis": {
        "CVE-2026-1000": fixed("5:7.0.15-1~deb12u1"),
        "CVE-2026-1001": fixed("5:7.0.15-1~deb12u8"),
    } }));
    assert_eq!(found(&sandbox, &[("redis-server", "5:7.0.15-1~deb12u7", "redis")]), ["CVE-2026-1001 redis"]);
    assert!(
        found(&sandbox, &[("redis-server", "5:7.0.15-1~deb12u10", "redis")]).is_empty(),
        "u10 is above u8"
    );
    assert_eq!(found(&sandbox, &[("redis-server", "4:99", "redis")]).len(), 2, "epochs go before all");
}

#[test]
fn four_an_older_version_in_the_security_suite_is_no_fix() {
    // glibc: bookworm has deb12u14, and its security suite still deb12u7.
    let glibc = json!({ "glibc": { "CVE-2026-0915": stands(json!({
        "status": "resolved", "fixed_version": "2.36-9+deb12u14",
        "repositories": { "bookworm": "2.36-9+deb12u14", "bookworm-security": "2.36-9+deb12u7" },
    })) } });
    let sandbox = tracked(&glibc);
    assert!(found(&sandbox, &[("libc6", "2.36-9+deb12u14", "glibc")]).is_empty());
    let report = scanned(&sandbox, &[("libc6", "2.36-9+deb12u7", "glibc")]);
    assert_eq!(
        report.findings[0].fixed.as_ref().map(hardpan::ident::DebVersion::as_str),
        Some("2.36-9+deb12u14")
    );
    assert_eq!(report.counts.fixable, 1);
}

#[test]
fn five_numbers_of_six_digits_are_numbers() {
    let of = |number: &str| (format!("CVE-2026-{number}"), fixed("2.5.0-1+deb12u5"));
    let expat: serde_json::Map<_, _> = ["102633", "9999", "76957", "0001"].map(of).into_iter().collect();
    let sandbox = tracked(&json!({ "expat": expat }));
    assert_eq!(
        found(&sandbox, &[("libexpat1", "2.5.0-1+deb12u2", "expat")]),
        ["CVE-2026-0001 expat", "CVE-2026-9999 expat", "CVE-2026-76957 expat", "CVE-2026-102633 expat"]
    );
}

#[test]
fn six_a_changelog_s_date_is_never_when_a_fix_was_there() {
    // The records were made from changelogs, which may be weeks older than the release file under embargo.
    let sandbox = Sandbox::new();
    sandbox.write("osv.tar.gz", OSV);
    sandbox.hardpan(&["advisories", "import", "osv.tar.gz"]).ok();
    let report = scanned(&sandbox, &[("libexpat1", "2.5.0-1+deb12u2", "expat")]);
    assert_eq!(report.findings.len(), 27);
    assert!(report.findings.iter().all(|one| one.fix_available_at.is_none()));
}

#[test]
fn seven_without_debian_version_or_version_id_nothing_is_silently_fine() {
    let sandbox = tracked(&json!({ "bash": { "CVE-2026-1000": stands(json!({ "status": "open" })) } }));
    let bash = [("bash", "5.2.15-2+b7", "bash (5.2.15-2)")];
    let folder = root(&sandbox, "root", &bash);
    let found = |want: &Want| {
        let subject = of_prefix(folder.as_ref(), want)?;
        let report = hardpan::scan::scan(&subject, &snapshot(&sandbox), NOW)?;
        Ok::<_, hardpan::diag::Failure>((report.counts.total, report.subject.notes.len()))
    };
    assert_eq!(found(&Want::default()), Ok((1, 0)));
    std::fs::remove_file(sandbox.path("root/etc/debian_version")).expect("ours");
    assert_eq!(found(&Want::default()), Ok((1, 0)), "os-release says it");
    sandbox.write("root/etc/os-release", "ID=debian\nVERSION_CODENAME=bookworm\n");
    assert_eq!(found(&Want::default()), Ok((1, 1)), "the code name says it, and that is noted");
    sandbox.write("root/etc/os-release", "ID=debian\n");
    sandbox.write("root/etc/debian_version", "12.12\n");
    assert_eq!(found(&Want::default()), Ok((1, 1)), "debian_version says it, and that is noted");
    std::fs::remove_file(sandbox.path("root/etc/debian_version")).expect("ours");
    std::fs::remove_file(sandbox.path("root/etc/os-release")).expect("ours");
    let failure = found(&Want::default()).expect_err("nothing says it");
    assert!(failure.is(hardpan::diag::codes::NO_RELEASE), "{failure}");
    let said = Want { release: Some("bookworm".to_owned()), platform: None };
    assert_eq!(found(&said), Ok((1, 1)));
}

#[test]
fn a_release_is_not_another() {
    let mut newer = stands(json!({ "status": "open" }));
    newer["releases"] = json!({ "trixie": newer["releases"]["bookworm"] });
    let sandbox = tracked(
        &json!({ "bash": { "CVE-2026-1000": stands(json!({ "status": "open" })) }, "dash": { "CVE-2026-1001": newer } }),
    );
    root(&sandbox, "root", &[("bash", "5.2.37-2", "")]);
    sandbox.write("root/etc/os-release", super::made::os_release("13"));
    let out = sandbox.hardpan(&["scan", "root", "--json"]).ok();
    assert!(out.stdout.contains("\"findings\":[]"), "{}", out.stdout);
}

#[test]
fn decisions_stand_in_the_tracker_s_order_and_fold_what_does_not_count() {
    let no_dsa = |reason: &str, urgency: &str| {
        stands(
            json!({ "status": "open", "nodsa": "Minor issue", "nodsa_reason": reason, "urgency": urgency }),
        )
    };
    let sandbox = tracked(&json!({ "glibc": {
        "CVE-2026-0001": stands(json!({ "status": "resolved", "fixed_version": "0" })),
        "CVE-2026-0002": stands(json!({ "status": "resolved", "fixed_version": "2.36-9" })),
        "CVE-2026-0003": no_dsa("ignored", "unimportant"),
        "CVE-2026-0004": stands(json!({ "status": "undetermined" })),
        "CVE-2026-0005": no_dsa("postponed", "low"),
        "CVE-2026-0006": stands(json!({ "status": "open", "urgency": "unimportant" })),
        "CVE-2026-0007": stands(json!({ "status": "open", "urgency": "end-of-life" })),
        "CVE-2026-0008": stands(json!({ "status": "open" })),
        "CVE-2026-0009": stands(json!({ "status": "resolved", "fixed_version": "2.36-9+deb12u14", "nodsa": "Minor issue", "nodsa_reason": "" })),
        "CVE-2026-0010": stands(json!({ "status": "resolved", "fixed_version": "2.36-9+deb12u14", "urgency": "unimportant" })),
        "TEMP-0000000-5A8DB7": stands(json!({ "status": "open" })),
    } }));
    let report =
        scanned(&sandbox, &[("libc6", "2.36-9+deb12u7", "glibc"), ("libc-bin", "2.36-9+deb12u7", "glibc")]);
    let mut seen: Vec<(String, Standing, bool)> =
        report.findings.iter().map(|one| (one.id.clone(), one.status, one.counts())).collect();
    seen.sort();
    let cve = |number: &str| format!("CVE-2026-{number}");
    assert_eq!(
        seen,
        [
            (cve("0003"), Standing::Ignored, false),
            (cve("0004"), Standing::Undetermined, false),
            (cve("0005"), Standing::NoDsa, false),
            (cve("0006"), Standing::Unimportant, false),
            (cve("0007"), Standing::EndOfLife, true),
            (cve("0008"), Standing::Open, true),
            // No security update of its own does not mean that it is never fixed.
            (cve("0009"), Standing::Open, true),
            // Nor does that it is unimportant: where a fix is to be had it counts.
            (cve("0010"), Standing::Unimportant, true),
            ("TEMP-0000000-5A8DB7".to_owned(), Standing::Open, true),
        ]
    );
    assert_eq!((report.counts.total, report.counts.fixable, report.counts.all_folded()), (5, 2, 4));
    let out = sandbox.hardpan(&["scan", "scanned"]).ok();
    assert!(out.stdout.contains("4 that Debian decided about (`--all` shows them)"), "{}", out.stdout);
    assert!(!out.stdout.contains("CVE-2026-0003") && out.stdout.contains("TEMP-0000000-5A8DB7"));
    let all = sandbox.hardpan(&["scan", "scanned", "--all"]).ok().stdout;
    assert!(
        all.contains("CVE-2026-0003") && !all.contains("CVE-2026-0001") && !all.contains("CVE-2026-0002"),
        "{all}"
    );
}
