//! Which decision counts for a finding, and what it silences.

use std::collections::BTreeSet;

use hardpan::ident::ImagePath;
use hardpan::vex::{Binary, By, Decisions, Justification, Question, Status, Verdict, read_document};

use crate::{component, day, decision, read, today};

const SSL: [Binary; 2] = [
    Binary { kind: "deb", name: "libssl3t64", version: Some("3.5.7-1") },
    Binary { kind: "deb", name: "openssl", version: Some("3.5.7-1") },
];

fn ask<'a>() -> Question<'a> {
    Question {
        image: "python",
        digests: &[],
        ids: &["CVE-2026-102633", "DEBIAN-CVE-2026-102633"],
        source: "openssl",
        binaries: &SSL,
        files: None,
        now: today(),
    }
}

fn of(text: &str, question: &Question) -> Option<Verdict> {
    read("python", text).verdict(question)
}

#[test]
fn a_decision_silences_what_it_is_about_and_says_who_why_and_until_when() {
    let verdict = of(&decision(&[]), &ask()).expect("decided");
    assert_eq!((verdict.status, verdict.by, verdict.silences), (Status::NotAffected, By::People, true));
    assert_eq!(verdict.justification, Some(Justification::VulnerableCodeNotPresent));
    assert_eq!((verdict.author.as_str(), verdict.reason.as_str()), ("Ada <ada@example.org>", "we looked"));
    assert_eq!((verdict.from.as_str(), verdict.expires), ("vex/python.toml:2", Some(day("2027-05-01"))));
    let none = |question: Question| assert_eq!(of(&decision(&[]), &question), None);
    none(Question { image: "nginx", ..ask() });
    none(Question { image: "", ..ask() });
    none(Question { ids: &["CVE-2026-10263", "CVE-2026-1026330"], ..ask() });
    none(Question {
        source: "zlib",
        binaries: &[Binary { kind: "deb", name: "zlib1g", version: None }],
        ..ask()
    });
    none(Question { now: day("2027-05-01"), ..ask() });
    none(Question { now: day("2026-10-01"), ..ask() });
    // By any of its names.
    assert!(of(&decision(&[]), &Question { ids: &["GHSA-x", "CVE-2026-102633"], ..ask() }).is_some());
}

#[test]
fn only_not_affected_and_fixed_silence() {
    let silences = |keys: &[(&str, &str)]| of(&decision(keys), &ask()).map(|verdict| verdict.silences);
    let without = ("justification", "");
    assert_eq!(silences(&[("status", "\"fixed\""), without]), Some(true));
    assert_eq!(silences(&[("status", "\"affected\""), without, ("action", "\"update\"")]), Some(false));
    assert_eq!(silences(&[("status", "\"under_investigation\""), without]), Some(false));
}

#[test]
fn a_decision_on_one_package_silences_none_of_its_siblings() {
    let one = decision(&[("packages", "[\"openssl-provider-legacy\"]")]);
    assert_eq!(of(&one, &ask()), None);
    let library = decision(&[("packages", "[\"libssl3t64\"]")]);
    assert_eq!(of(&library, &ask()), None);
    assert!(of(&library, &Question { binaries: &SSL[..1], ..ask() }).is_some());
    let program = decision(&[("packages", "[\"openssl-tools\"]")]);
    let both = library.clone() + &program.replace("openssl-tools", "openssl");
    // `openssl` is the name of the source too, and so stands for all of it.
    assert!(of(&both, &ask()).is_some());
    // What is affected is said although the sibling was not spoken of.
    let affected = library
        .replace("not_affected", "affected")
        .replace("justification = \"vulnerable_code_not_present\"", "action = \"update\"");
    assert_eq!(of(&affected, &ask()).map(|verdict| verdict.status), Some(Status::Affected));
}

#[test]
fn of_two_siblings_the_word_that_silences_less_is_given() {
    let library = decision(&[("packages", "[\"liba\"]")]);
    let program = decision(&[
        ("packages", "[\"b-bin\"]"),
        ("status", "\"under_investigation\""),
        ("justification", ""),
    ]);
    let binaries = ["liba", "b-bin"].map(|name| Binary { kind: "deb", name, version: None });
    let question = Question { source: "ab", binaries: &binaries, ..ask() };
    let verdict = of(&(library + &program), &question).expect("decided");
    assert_eq!((verdict.status, verdict.silences), (Status::UnderInvestigation, false));
}

#[test]
fn the_later_wins_and_what_has_expired_gives_way() {
    let later = decision(&[
        ("status", "\"affected\""),
        ("justification", ""),
        ("action", "\"update\""),
        ("date", "2026-11-10"),
        ("expires", "2026-12-01"),
    ]);
    let text = decision(&[]) + &later;
    assert_eq!(of(&text, &ask()).map(|verdict| verdict.status), Some(Status::Affected));
    let december = Question { now: day("2026-12-01"), ..ask() };
    assert_eq!(of(&text, &december).map(|verdict| verdict.status), Some(Status::NotAffected));
    let before = Question { now: day("2026-11-05"), ..ask() };
    assert_eq!(of(&text, &before).map(|verdict| verdict.status), Some(Status::NotAffected));
}

/// Paths of an image.
fn holds(paths: &[&str]) -> BTreeSet<ImagePath> {
    paths.iter().map(|path| path.parse().expect("a path")).collect()
}

#[test]
fn what_a_cve_is_in_and_the_image_has_not_is_worked_out() {
    let said = component(&[("paths", "[\"/usr/bin/openssl\", \"/usr/bin/c_rehash\"]")]);
    let library = holds(&["/usr/lib/x86_64-linux-gnu/libssl.so.3"]);
    let verdict = of(&said, &Question { files: Some(&library), ..ask() }).expect("worked out");
    assert_eq!((verdict.status, verdict.by, verdict.silences), (Status::NotAffected, By::Hardpan, true));
    assert_eq!(verdict.justification, Some(Justification::ComponentNotPresent));
    assert!(
        verdict.reason.contains("/usr/bin/openssl") && verdict.reason.contains("we looked"),
        "{}",
        verdict.reason
    );
    let none = |paths: &[&str]| {
        assert_eq!(of(&said, &Question { files: Some(&holds(paths)), ..ask() }), None, "{paths:?}");
    };
    none(&["/usr/bin/openssl"]);
    none(&["/usr/bin/c_rehash", "/usr/lib/x"]);
    // A recipe may have put it elsewhere.
    none(&["/opt/tools/openssl"]);
    // Nobody knows what is in an image of which only packages are known.
    assert_eq!(of(&said, &ask()), None);
    // Another package that CVE is in is another matter.
    let zlib = [Binary { kind: "deb", name: "zlib1g", version: None }];
    assert_eq!(
        of(&said, &Question { source: "zlib", binaries: &zlib, files: Some(&library), ..ask() }),
        None
    );
}

#[test]
fn what_is_only_called_as_the_program_is_not_the_program_elsewhere() {
    let said = component(&[("paths", "[\"/usr/bin/openssl\"]")]);
    let ask = |paths: &[&str]| {
        let files = holds(paths);
        let decisions = read("python", &said);
        let question = Question { files: Some(&files), ..ask() };
        let hindered: Vec<_> = decisions.hindered(question).collect();
        let why = if hindered.is_empty() { String::new() } else { format!("{hindered:?}") };
        (decisions.verdict(&question).is_some(), why)
    };
    // dpkg's list of the package is called as the package is; so is more that no program is.
    for path in [
        "/var/lib/dpkg/status.d/openssl",
        "/usr/share/doc/openssl",
        "/usr/share/lintian/overrides/openssl",
        "/usr/share/bash-completion/completions/openssl",
        "/etc/pam.d/openssl",
    ] {
        assert_eq!(ask(&[path]), (true, String::new()), "{path}");
    }
    for path in [
        "/usr/local/bin/openssl",
        "/opt/x/openssl",
        "/usr/share/doc/openssl/openssl",
        "/usr/share/openssl",
        "/var/lib/dpkg/openssl",
        "/etc/pam.d/x/openssl",
        "/openssl",
    ] {
        let (silenced, why) = ask(&["/var/lib/dpkg/status.d/openssl", path]);
        assert!(!silenced && why.contains(path) && why.contains("CVE-2026-102633"), "{path}: {why}");
    }
    // Where it was said to be it is expected.
    assert_eq!(ask(&["/usr/bin/openssl"]), (false, String::new()));
}

#[test]
fn a_component_may_be_a_pattern_or_a_package() {
    let empty = holds(&["/usr/lib/x86_64-linux-gnu/libssl.so.3"]);
    let there = holds(&["/usr/lib/x86_64-linux-gnu/engines-3/afalg.so"]);
    let engines = component(&[("paths", "[\"/usr/lib/*/engines-3/**\"]")]);
    assert!(of(&engines, &Question { files: Some(&empty), ..ask() }).is_some());
    assert_eq!(of(&engines, &Question { files: Some(&there), ..ask() }), None);
    let program = component(&[("binaries", "[\"openssl\"]")]);
    assert_eq!(of(&program, &Question { files: Some(&empty), ..ask() }), None);
    let library = Question { binaries: &SSL[..1], files: Some(&empty), ..ask() };
    assert!(of(&program, &library).is_some());
    assert_eq!(of(&program, &Question { files: None, ..library }), None);
}

#[test]
fn people_go_before_what_was_worked_out() {
    let empty = holds(&[]);
    let affected = decision(&[
        ("status", "\"affected\""),
        ("justification", ""),
        ("action", "\"update\""),
        ("date", "2026-01-01"),
        ("expires", ""),
    ]);
    let text = affected + &component(&[("paths", "[\"/usr/bin/openssl\"]")]);
    let verdict = of(&text, &Question { files: Some(&empty), ..ask() }).expect("decided");
    assert_eq!((verdict.status, verdict.by), (Status::Affected, By::People));
}

fn foreign(products: &str, status: &str) -> Decisions {
    let text = format!(
        r#"{{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://example.org/1","author":"Eve\u001b[2J","timestamp":"2026-11-20T10:00:00Z","version":1,
        "statements":[{{"vulnerability":{{"name":"CVE-2026-102633"}},"products":[{products}],{status}}}]}}"#
    );
    let mut decisions = Decisions::default();
    decisions.add(read_document(text.as_bytes(), "others.json").expect("a document"));
    decisions
}

const SILENT: &str = r#""status":"not_affected","justification":"component_not_present""#;

#[test]
fn others_silence_only_the_image_and_the_parts_that_they_name() {
    let digest = format!("sha256:{}", "ab".repeat(32));
    let digests = [hardpan::ident::BlobDigest("ab".repeat(32).parse().expect("a digest"))];
    let question = Question { digests: &digests, ..ask() };
    let holds = |products: &str| foreign(products, SILENT).verdict(&question).is_some();
    assert!(holds(&format!(r#"{{"@id":"pkg:oci/python@{digest}"}}"#)));
    assert!(holds(&format!(
        r#"{{"@id":"pkg:oci/other-name@{}?repository_url=x.example"}}"#,
        digest.replace(':', "%3A")
    )));
    assert!(holds(r#"{"@id":"pkg:oci/python"}"#));
    assert!(holds(r#"{"@id":"x","identifiers":{"purl":"pkg:oci/python"}}"#));
    let parts = r#"[{"@id":"pkg:deb/debian/openssl"},{"identifiers":{"purl":"pkg:deb/debian/libssl3t64"}}]"#;
    assert!(holds(&format!(r#"{{"@id":"pkg:oci/python","subcomponents":{parts}}}"#)));
    let library = Question { binaries: &SSL[..1], ..question };
    assert!(foreign(r#"{"@id":"pkg:deb/debian/openssl"}"#, SILENT).verdict(&library).is_some());
    let both =
        r#"{"@id":"pkg:deb/debian/libssl3t64@3.5.7-1"},{"@id":"pkg:deb/debian/openssl@3.5.7-1?arch=amd64"}"#;
    assert!(holds(both));
    for other in [
        r#"{"@id":"pkg:oci/nginx"}"#,
        r#"{"@id":"python"}"#,
        r#"{"@id":"pkg:oci/python?repository_url=registry.example/other/python"}"#,
        r#"{"@id":"pkg:oci/python","subcomponents":[{"@id":"pkg:deb/debian/libssl3t64"}]}"#,
        r#"{"@id":"pkg:oci/python","subcomponents":[{"@id":"pkg:deb/debian/zlib1g"}]}"#,
        r#"{"@id":"pkg:oci/python","subcomponents":[{"@id":"no purl"}]}"#,
        r#"{"@id":"pkg:oci/python","subcomponents":{"@id":"pkg:deb/debian/zlib1g"}}"#,
        r#"{"@id":"pkg:oci/python","subcomponents":[{}]}"#,
        r#"{"@id":"pkg:oci/python","subcomponents":[{"@id":"pkg:deb/debian/openssl"}]}"#,
        r#"{"@id":"pkg:deb/debian/openssl"}"#,
        r#"{"@id":"pkg:pypi/openssl"}"#,
        r#"{"@id":"pkg:deb/debian/openssl@3.5.6-1"}"#,
    ] {
        assert!(!holds(other), "{other}");
    }
    let wrong = format!(r#"{{"@id":"pkg:oci/python@sha256:{}"}}"#, "cd".repeat(32));
    assert!(!holds(&wrong));
}

#[test]
fn our_own_people_go_before_others_and_others_before_hardpan() {
    let whole = r#"{"@id":"pkg:oci/python"}"#;
    let mut ours = read("python", &decision(&[("status", "\"under_investigation\""), ("justification", "")]));
    foreign(whole, SILENT).documents().iter().for_each(|document| ours.add(document.clone()));
    assert_eq!(ours.verdict(&ask()).map(|verdict| verdict.status), Some(Status::UnderInvestigation));
    let mut computed = read("python", &component(&[("paths", "[\"/usr/bin/openssl\"]")]));
    let said = foreign(whole, r#""status":"affected","action_statement":"update""#);
    said.documents().iter().for_each(|document| computed.add(document.clone()));
    let empty = holds(&[]);
    let verdict = computed.verdict(&Question { files: Some(&empty), ..ask() }).expect("said");
    assert_eq!((verdict.status, verdict.silences), (Status::Affected, false));
    // What others wrote can't move a cursor.
    assert!(!verdict.author.contains('\u{1b}') && verdict.author.starts_with("Eve"), "{:?}", verdict.author);
}
