//! Changelogs with real versions, of which expected results are known from the archive itself.

use super::*;

fn entry(source: &str, version: &str, text: &str) -> String {
    format!(
        "{source} ({version}) unstable; urgency=medium\n\n  * {text}\n\n -- A <a@example.org>  Tue, 09 Jan 2024 13:42:30 +0000\n\n"
    )
}

fn log(source: &str, entries: &[(&str, &str)]) -> Vec<u8> {
    entries.iter().map(|(version, text)| entry(source, version, text)).collect::<String>().into_bytes()
}

fn cve(name: &str) -> CveId {
    name.parse().expect("a CVE")
}

fn fixed(text: &[u8], name: &str) -> Option<String> {
    changelog_cves(text).get(&cve(name)).map(ToString::to_string)
}

#[test]
fn a_backport_below_what_it_contains_has_the_fix() {
    // redis in bookworm: the security upload is the package of unstable, rebuilt, and sorts below it.
    let text = log(
        "redis",
        &[
            ("5:7.0.15-1~deb12u7", "Fix CVE-2025-62507."),
            ("5:7.0.15-1~deb12u1", "Rebuild for bookworm-security."),
            ("5:7.0.15-1", "New upstream security release: CVE-2023-41056"),
            ("5:7.0.14-2", "Nothing of note."),
        ],
    );
    assert_eq!(fixed(&text, "CVE-2023-41056").as_deref(), Some("5:7.0.15-1~deb12u1"));
    assert_eq!(fixed(&text, "CVE-2025-62507").as_deref(), Some("5:7.0.15-1~deb12u7"));
    let installed: DebVersion = "5:7.0.15-1~deb12u7".parse().expect("a version");
    assert!(changelog_cves(&text)[&cve("CVE-2023-41056")] <= installed);
}

#[test]
fn openjdk_s_rebuild_counts_and_not_the_entry_that_names_the_cve() {
    let text = log(
        "openjdk-17",
        &[
            ("17.0.21.1+2-1~deb12u1", "CVE-2026-114938, CVE-2026-114939"),
            ("17.0.20+8-1~deb12u1", "Rebuild for bookworm."),
            ("17.0.20+8-1", "Security fixes: CVE-2026-41254, CVE-2026-46917."),
            ("17.0.19+10-1~deb12u2", "Rebuild."),
        ],
    );
    assert_eq!(fixed(&text, "CVE-2026-41254").as_deref(), Some("17.0.20+8-1~deb12u1"));
    assert_eq!(fixed(&text, "CVE-2026-114938").as_deref(), Some("17.0.21.1+2-1~deb12u1"));
}

#[test]
fn of_several_entries_the_oldest_counts() {
    // expat: the fix came with +deb12u4 and was completed with +deb12u5.
    let text = log(
        "expat",
        &[
            ("2.5.0-1+deb12u5", "Complete the fix of CVE-2025-59375; CVE-2026-102633"),
            ("2.5.0-1+deb12u4", "CVE-2024-28757, CVE-2025-59375"),
            ("2.5.0-1+deb12u2", "CVE-2024-50602"),
        ],
    );
    assert_eq!(fixed(&text, "CVE-2025-59375").as_deref(), Some("2.5.0-1+deb12u4"));
    assert_eq!(fixed(&text, "CVE-2026-102633").as_deref(), Some("2.5.0-1+deb12u5"));
}

#[test]
fn between_two_versions_the_difference_of_names_counts_and_not_a_range() {
    // postgresql-15: both changelogs name CVE-2025-8714, though by different entries; a range would count it anew.
    let old =
        log("postgresql-15", &[("15.18-0+deb12u1", "CVE-2026-6472, CVE-2025-8714"), ("15.14-0+deb12u1", "")]);
    let new = log(
        "postgresql-15",
        &[
            ("15.20-0+deb12u1", "CVE-2026-90001 and once more CVE-2025-8714"),
            ("15.18-0+deb12u1", "CVE-2026-6472"),
            ("15.14-0+deb12u1", ""),
        ],
    );
    assert_eq!(fixed_between(&old, &new), BTreeSet::from([cve("CVE-2026-90001")]));
    assert_eq!(fixed_between(&new, &new), BTreeSet::new());
    let all = Changelog::fixes_of_all(&[Changelog::parse(&old), Changelog::parse(&new)]);
    assert_eq!(all[&cve("CVE-2025-8714")].as_str(), "15.18-0+deb12u1");
    assert_eq!(all[&cve("CVE-2026-90001")].as_str(), "15.20-0+deb12u1");
}

#[test]
fn what_an_older_entry_names_only_in_the_newer_changelog_was_fixed_after_the_older_version() {
    // nodejs: the entry of a version that was there before names CVE-2026-21637 since the newer upload.
    let old = log("nodejs", &[("18.20.4+dfsg-1~deb12u2", "CVE-2026-21636"), ("18.20.4+dfsg-1~deb12u1", "")]);
    let new = log(
        "nodejs",
        &[
            ("18.20.4+dfsg-1~deb12u3", "Fix things."),
            ("18.20.4+dfsg-1~deb12u2", "CVE-2026-21636, CVE-2026-21637"),
            ("18.20.4+dfsg-1~deb12u1", ""),
        ],
    );
    let all = Changelog::fixes_of_all(&[Changelog::parse(&old), Changelog::parse(&new)]);
    assert_eq!(all[&cve("CVE-2026-21637")].as_str(), "18.20.4+dfsg-1~deb12u3");
    assert_eq!(all[&cve("CVE-2026-21636")].as_str(), "18.20.4+dfsg-1~deb12u2");
    assert_eq!(fixed_between(&old, &new), BTreeSet::from([cve("CVE-2026-21637")]));
}

#[test]
fn an_entry_that_the_newer_changelog_lost_takes_nothing_away() {
    // libssh2: changelogs of binary packages are trimmed, and CVE-2015-1782 is named by the older one alone.
    let old = log("libssh2", &[("1.10.0-3", "Upload."), ("1.4.3-4.1", "CVE-2015-1782")]);
    let new = log("libssh2", &[("1.10.0-3+deb12u1", "CVE-2026-55200"), ("1.10.0-3", "Upload.")]);
    assert_eq!(fixed_between(&old, &new), BTreeSet::from([cve("CVE-2026-55200")]));
}

#[test]
fn a_date_in_the_changelog_is_no_date_of_the_fix() {
    // Written under embargo: what is derived has no date at all but that of a release file.
    let text = log("openssl", &[("3.0.18-1~deb12u2", "CVE-2025-15467")]);
    assert_eq!(format!("{:?}", changelog_cves(&text)).matches("2024").count(), 0);
}

#[test]
fn names_are_found_in_all_their_spellings_and_nowhere_else() {
    let text = log(
        "x",
        &[(
            "1.0-1",
            "cve-2019-1547/CVE-2019-1549 (CVE-2020-1967). CVE-2026-114938; XCVE-2020-0001 CVE-209-1 CVE-2020-01234",
        )],
    );
    let names: Vec<String> = changelog_cves(&text).keys().map(ToString::to_string).collect();
    assert_eq!(names, ["CVE-2019-1547", "CVE-2019-1549", "CVE-2020-1967", "CVE-2026-114938"]);
}

#[test]
fn what_is_no_changelog_names_nothing() {
    for text in [
        &b""[..],
        b"\xff\xfe\0",
        b"CVE-2020-1967 without an entry",
        b"pkg (not a version!) x; y\n * CVE-2020-1967\n",
    ] {
        assert!(changelog_cves(text).is_empty());
    }
}
