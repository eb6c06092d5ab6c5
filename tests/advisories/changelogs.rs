//! What archives themselves say: changelogs of packages, links to siblings', and since when a fix is to be had.

use std::io::Write as _;

use hardpan::advisory::{Evidence, Shelf};
use hardpan::ident::Epoch;

use super::support::{Archive, Deb, Sandbox, World};
use super::{current, said, version};

fn packed(text: &str) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).expect("in memory");
    gzip.finish().expect("in memory")
}

/// Entries, the newest first: version and text.
fn log(source: &str, entries: &[(&str, &str)]) -> Vec<u8> {
    let entry = |(version, text): &(&str, &str)| {
        format!(
            "{source} ({version}) trixie; urgency=medium\n\n  * {text}\n\n -- A <a@example.org>  Tue, 09 Jan 2024 13:42:30 +0000\n\n"
        )
    };
    packed(&entries.iter().map(entry).collect::<String>())
}

fn deb(name: &str, version: &str, changelog: Vec<u8>) -> Deb {
    Deb::new(name, version).file(&format!("/usr/share/doc/{name}/changelog.Debian.gz"), changelog, 0o644)
}

const DAY: u32 = 86_400;

/// A world locked with main alone, whose security suite then holds what `newer` makes.
fn patched(old: &[Deb], newer: &[Deb]) -> World {
    let mut archive = Archive::new("made");
    archive.suites(&["trixie", "trixie-security"]);
    for deb in old {
        archive.add("trixie", "main", deb.build());
    }
    let world = World::over(archive);
    let head = World::head("made").replace("[\"trixie\"]", "[\"trixie\", \"trixie-security\"]");
    let list: Vec<String> =
        world.archive.packages().iter().map(|name| format!("{name} = \"all\"\n")).collect();
    world.sandbox.write("made.toml", format!("{head}[debian.packages]\n{}", list.concat()));
    world.lock(&[]).ok();
    let mut world = world;
    for deb in newer {
        world.archive.add("trixie-security", "main", deb.build());
    }
    world.archive.date(now() - DAY);
    world.archive.publish();
    world
}

fn now() -> u32 {
    u32::try_from(super::support::now()).expect("before 2106")
}

#[test]
fn what_was_fixed_since_the_pins_is_what_only_the_newer_changelog_names() {
    let old = deb("libx1", "1.0-1", log("libx", &[("1.0-1", "CVE-2026-0001")])).source("libx", "1.0-1");
    let newer = deb(
        "libx1",
        "1.0-1+deb13u2",
        log(
            "libx",
            &[
                ("1.0-1+deb13u2", "CVE-2026-102633"),
                ("1.0-1+deb13u1", "CVE-2026-0002"),
                ("1.0-1", "CVE-2026-0001"),
            ],
        ),
    )
    .source("libx", "1.0-1+deb13u2");
    let world = patched(&[old], &[newer]);
    let out = world.run(&["advisories", "derive", "made.toml"]).ok();
    assert!(out.stdout.contains("1.0-1 → 1.0-1+deb13u2  2: CVE-2026-0002 CVE-2026-102633"), "{}", out.stdout);
    assert!(out.stderr.contains("nothing of CVEs that are open"), "{}", out.stderr);
    let snapshot = current(&world.sandbox);
    assert!(!snapshot.head().tells_what_is_open());
    // By the source's name, though the package is called otherwise.
    let fixed = said(&snapshot, "13", "libx", "CVE-2026-0002").expect("named").affected;
    assert_eq!((fixed.fixed.clone(), fixed.evidence), (Some(version("1.0-1+deb13u1")), Evidence::Changelog));
    assert!(fixed.touches(&version("1.0-1")));
    assert!(said(&snapshot, "13", "libx1", "CVE-2026-0002").is_none());
    // The date of the release file, and not that of the changelog, which is two years before.
    let since = fixed.fix_available_at.expect("seen");
    assert_eq!(since, Epoch(i64::from(now() - DAY) - (i64::from(now() - DAY) - since.0)));
    assert!((since.0 - i64::from(now() - DAY)).abs() < 60, "{since}");
    assert!(
        !said(&snapshot, "13", "libx", "CVE-2026-0001").expect("named").affected.touches(&version("1.0-1"))
    );
}

#[test]
fn the_date_of_the_first_release_file_stays() {
    let old = deb("libx", "1.0-1", log("libx", &[("1.0-1", "")]));
    let newer = deb("libx", "1.0-2", log("libx", &[("1.0-2", "CVE-2026-0002"), ("1.0-1", "")]));
    let mut world = patched(&[old], &[newer]);
    world.run(&["advisories", "derive", "made.toml"]).ok();
    let since = || {
        said(&current(&world.sandbox), "13", "libx", "CVE-2026-0002")
            .expect("named")
            .affected
            .fix_available_at
    };
    let first = since();
    assert!(first.is_some());
    world.archive.date(now() - 60);
    world.archive.publish();
    world.run(&["advisories", "derive", "made.toml"]).ok();
    let later = said(&current(&world.sandbox), "13", "libx", "CVE-2026-0002")
        .expect("named")
        .affected
        .fix_available_at;
    assert_eq!(later, first);
}

#[test]
fn a_changelog_that_is_a_link_to_a_sibling_s_is_followed() {
    let both = |version: &str, entries: &[(&str, &str)]| {
        // The smaller package, which is tried first, has its documentation from the larger one.
        let noise: Vec<u8> =
            (0..50_000_u32).map(|at| at.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
        let link = Deb::new("libx-bin", version)
            .source("libx", version)
            .no_copyright()
            .symlink("/usr/share/doc/libx-bin", "libx1")
            .file("/usr/bin/x", "x", 0o755);
        let real = deb("libx1", version, log("libx", entries)).source("libx", version).file(
            "/usr/share/x",
            noise,
            0o644,
        );
        [link, real]
    };
    let world = patched(
        &both("1.0-1", &[("1.0-1", "")]),
        &both("1.0-2", &[("1.0-2", "CVE-2026-0002"), ("1.0-1", "")]),
    );
    let out = world.run(&["advisories", "derive", "made.toml"]).ok();
    assert!(out.stdout.contains("1: CVE-2026-0002"), "{}{}", out.stdout, out.stderr);
}

#[test]
fn a_binnmu_is_no_newer_source() {
    let old = deb("libbrotli1", "1.0.9-2+b6", log("brotli", &[("1.0.9-2", "")])).source("brotli", "1.0.9-2");
    let newer =
        deb("libbrotli1", "1.0.9-2+b7", log("brotli", &[("1.0.9-2", "")])).source("brotli", "1.0.9-2");
    let world = patched(&[old], &[newer]);
    let out = world.run(&["advisories", "derive", "made.toml"]).ok();
    assert!(!out.stdout.contains("brotli"), "{}", out.stdout);
}

#[test]
fn an_older_version_in_the_security_suite_is_passed_over() {
    // glibc in bookworm: the release has +deb12u14, the security suite still holds +deb12u7.
    let old = deb("libc6", "2.36-9+deb12u14", log("glibc", &[("2.36-9+deb12u14", "CVE-2026-0915")]));
    let newer = deb("libc6", "2.36-9+deb12u7", log("glibc", &[("2.36-9+deb12u7", "CVE-2024-2961")]));
    let world = patched(&[old], &[newer]);
    let out = world.run(&["advisories", "derive", "made.toml"]).ok();
    assert!(!out.stdout.contains("libc6"), "{}", out.stdout);
}

#[test]
fn a_source_without_a_changelog_is_said_and_the_rest_serves() {
    let old = [Deb::new("bare", "1-1"), deb("libx", "1.0-1", log("libx", &[("1.0-1", "")]))];
    let newer = [Deb::new("bare", "1-2"), deb("libx", "1.0-2", log("libx", &[("1.0-2", "CVE-2026-0002")]))];
    let world = patched(&old, &newer);
    let out = world.run(&["advisories", "derive", "made.toml"]).ok();
    assert!(out.stderr.contains("HP442") && out.stderr.contains("source bare 1-2"), "{}", out.stderr);
    assert!(out.stdout.contains("1: CVE-2026-0002"), "{}", out.stdout);
}

#[test]
fn feeds_stay_beside_what_is_derived_and_know_more() {
    let old = deb("libx", "1.0-1", log("libx", &[("1.0-1", "")]));
    let newer = deb("libx", "1.0-2", log("libx", &[("1.0-2", "CVE-2026-0002")]));
    let world = patched(&[old], &[newer]);
    let tracker = r#"{"libx": {"CVE-2026-0002": {"releases": {"trixie": {"status": "resolved", "fixed_version": "1.0-2"}}},
        "CVE-2026-0003": {"releases": {"trixie": {"status": "open"}}}}}"#;
    world.sandbox.write("tracker.json", tracker);
    world.run(&["advisories", "import", "tracker.json", "--date=2026-11-20"]).ok();
    world.run(&["advisories", "derive", "made.toml"]).ok();
    let snapshot = current(&world.sandbox);
    assert!(snapshot.head().tells_what_is_open());
    let fixed = said(&snapshot, "13", "libx", "CVE-2026-0002").expect("named").affected;
    // The tracker decides; since when the fix is there, only the archive knows.
    assert_eq!(fixed.evidence, Evidence::Tracker);
    assert!(fixed.fix_available_at.is_some());
    assert!(said(&snapshot, "13", "libx", "CVE-2026-0003").is_some());
}

#[test]
fn without_a_lock_nobody_knows_what_is_pinned() {
    let sandbox = Sandbox::new();
    sandbox.write("x.toml", World::head("x"));
    sandbox.hardpan(&["advisories", "derive", "x.toml"]).exits(3).says("--suite");
    sandbox.hardpan(&["advisories", "derive"]).exits(2);
    assert!(Shelf::at(&sandbox.store()).current().expect("readable").is_none());
}
