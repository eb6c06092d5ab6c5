//! Documents for other programs: SARIF, CycloneDX, in-toto, cosign, Markdown; valid, bounded, and nothing of others in them
//! is more than text.

use hardpan::ident::Epoch;
use hardpan::scan::{
    COSIGN_VULN, Hint, Report, Silenced, VULNS, cosign_vuln, report_markdown, sarif, vdr, vulns,
};
use serde_json::{Value, json};

use super::made::{MAIN, NOW, parsed, root, sampled, scanned, stands, tracked};
use super::support::{Schema, validate};

/// A report with findings of each kind: fixable, open, folded, hinted at, silenced, without a CVE.
fn varied() -> Report {
    let glibc = json!({ "glibc": {
        "CVE-2026-0001": stands(json!({ "status": "resolved", "fixed_version": "2.36-9+deb12u14" })),
        "CVE-2026-0002": stands(json!({ "status": "open", "nodsa": "Minor issue", "nodsa_reason": "ignored" })),
        "CVE-2026-0003": stands(json!({ "status": "undetermined" })),
        "CVE-2026-0004": stands(json!({ "status": "open", "urgency": "low" })),
        "CVE-2026-0005": stands(json!({ "status": "open", "nodsa": "Minor issue", "nodsa_reason": "" })),
        "CVE-2026-0006": stands(json!({ "status": "open", "urgency": "unimportant" })),
        "TEMP-0000000-5A8DB7": stands(json!({ "status": "open" })),
    } });
    let mut export = glibc;
    export["glibc"]["CVE-2026-0004"]["description"] =
        "<script>alert(1)</script> | [x](http://y) \u{1b}[31m @team `code`".into();
    let sandbox = tracked(&export);
    let mut report =
        scanned(&sandbox, &[("libc6", "2.36-9+deb12u7", "glibc"), ("libc-bin", "2.36-9+deb12u7", "glibc")]);
    for finding in &mut report.findings {
        if finding.id == "CVE-2026-0004" {
            let text = "of glibc only documentation is there".to_owned();
            finding.hint = Some(Hint { text, evidence: vec!["/usr/share/doc/libc6/copyright".to_owned()] });
        }
    }
    report.silence(|finding| {
        (finding.id == "CVE-2026-0001").then(|| Silenced {
            status: "not_affected".to_owned(),
            by: "ada@example.org".to_owned(),
            reason: "not | reachable".to_owned(),
        })
    });
    report
}

fn json_of(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("JSON")
}

#[test]
fn the_disclosure_report_is_valid_cyclonedx() {
    let sandbox = sampled();
    for report in [scanned(&sandbox, &MAIN), varied(), scanned(&sandbox, &[("bash", "9-1", "")])] {
        let document = json_of(&vdr(&report, NOW));
        assert_eq!(validate(Schema::CycloneDx16, &document), Ok(()));
        assert_eq!(document["vulnerabilities"].as_array().map(Vec::len), Some(report.findings.len()));
        // Each reference leads to a component.
        let refs: Vec<&Value> = document["components"]
            .as_array()
            .expect("components")
            .iter()
            .map(|one| &one["bom-ref"])
            .collect();
        for affected in document["vulnerabilities"]
            .as_array()
            .expect("some")
            .iter()
            .flat_map(|one| one["affects"].as_array().expect("some"))
        {
            assert!(refs.contains(&&affected["ref"]), "{affected}");
        }
    }
    let document = json_of(&vdr(&varied(), NOW));
    let of = |id: &str| {
        document["vulnerabilities"]
            .as_array()
            .expect("some")
            .iter()
            .find(|one| one["id"] == id)
            .expect(id)
            .clone()
    };
    assert_eq!(of("CVE-2026-0001")["analysis"]["state"], "not_affected");
    assert_eq!(of("CVE-2026-0002")["analysis"]["response"], json!(["will_not_fix"]));
    assert_eq!(of("CVE-2026-0003")["analysis"]["state"], "in_triage");
    assert_eq!(of("CVE-2026-0005")["analysis"]["state"], "exploitable");
    assert!(of("CVE-2026-0005")["analysis"]["detail"].to_string().contains("no-dsa): Minor issue"));
    let unimportant = of("CVE-2026-0006")["analysis"].clone();
    assert!(unimportant["state"].is_null() && unimportant["detail"].to_string().contains("unimportant"));
    for one in document["vulnerabilities"].as_array().expect("some") {
        let counts = json!({ "name": "hardpan:scan:counts", "value": "true" });
        let counts = one["properties"].as_array().expect("some").contains(&counts);
        assert!(
            counts || !one["analysis"]["detail"].is_null() || !one["analysis"]["state"].is_null(),
            "{one:#}"
        );
    }
    assert_eq!(of("CVE-2026-0004")["ratings"][0]["severity"], "low");
    assert_eq!(of("TEMP-0000000-5A8DB7")["ratings"], json!([{ "severity": "unknown" }]));
}

#[test]
fn sarif_has_a_rule_for_each_result_and_a_place_for_each_package() {
    let document = json_of(&sarif(&varied(), true, NOW));
    let run = &document["runs"][0];
    assert_eq!((&document["version"], &run["tool"]["driver"]["name"]), (&json!("2.1.0"), &json!("hardpan")));
    let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
    let results = run["results"].as_array().expect("results");
    assert_eq!((rules.len(), results.len()), (7, 7));
    for result in results {
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().expect("a place")).expect("small")];
        assert_eq!(rule["id"], result["ruleId"]);
        assert!(rule["shortDescription"]["text"].is_string() && rule["help"]["text"].is_string());
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().expect("a level")));
        assert_eq!(result["locations"].as_array().map(Vec::len), Some(2));
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "var/lib/dpkg/status");
        assert!(place["region"]["startLine"].as_u64() >= Some(1));
    }
    let suppressed: Vec<&Value> = results.iter().filter(|one| !one["suppressions"].is_null()).collect();
    assert_eq!((suppressed.len(), &suppressed[0]["ruleId"]), (1, &json!("CVE-2026-0001")));
    assert_eq!(suppressed[0]["suppressions"][0]["kind"], "external");
    // Without `--all` what Debian decided about is left out.
    let fewer = json_of(&sarif(&varied(), false, NOW));
    assert_eq!(fewer["runs"][0]["results"].as_array().map(Vec::len), Some(3));
    // Where nobody gave a score there is none.
    assert!(rules.iter().all(|rule| rule["properties"]["security-severity"].is_null()));
}

#[test]
fn sarif_names_each_package_once_and_each_source_of_a_vulnerability() {
    let open = || stands(json!({ "status": "open" }));
    let export = json!({ "glibc": { "CVE-2026-0001": open() }, "zlib": { "CVE-2026-0001": open() } });
    let sandbox = tracked(&export);
    let mut report = scanned(&sandbox, &[("libc6", "1-1", "glibc"), ("zlib1g", "1-1", "zlib")]);
    // As it is with a package of two platforms.
    for finding in &mut report.findings {
        let mut other = finding.binaries[0].clone();
        other.architecture = "arm64".to_owned();
        finding.binaries.push(other);
    }
    let document = json_of(&sarif(&report, false, NOW));
    let run = &document["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
    assert_eq!(rules.len(), 1);
    for words in ["glibc", "zlib"] {
        for place in ["shortDescription", "help"] {
            let text = rules[0][place]["text"].as_str().expect("text");
            assert!(text.contains(words), "{place}: {text}");
        }
    }
    let texts: Vec<&str> = run["results"]
        .as_array()
        .expect("results")
        .iter()
        .map(|one| one["message"]["text"].as_str().expect("text"))
        .collect();
    assert!(texts[0].contains("(libc6)") && texts[1].contains("(zlib1g)"), "{texts:?}");
}

#[test]
fn attestations_are_statements_about_the_digest() {
    let mut report = varied();
    let bare = json_of(&vulns(&report, NOW));
    assert!(
        bare["scanner"].is_object() && bare["_type"].is_null(),
        "a folder has no digest: the predicate alone"
    );
    report.subject.digest = Some(hardpan::ident::Sha256([7; 32]));
    for (bytes, kind) in [(vulns(&report, NOW), VULNS), (cosign_vuln(&report, NOW), COSIGN_VULN)] {
        let statement = json_of(&bytes);
        assert_eq!(
            (&statement["_type"], &statement["predicateType"]),
            (&json!("https://in-toto.io/Statement/v1"), &json!(kind))
        );
        assert_eq!(statement["subject"][0]["digest"]["sha256"], "07".repeat(32));
        let predicate = &statement["predicate"];
        for field in ["uri", "version"] {
            assert!(predicate["scanner"][field].is_string() && predicate["scanner"]["db"][field].is_string());
        }
        assert_eq!(predicate["metadata"]["scanStartedOn"], "2026-11-23T00:00:00Z");
        assert_eq!(predicate["metadata"]["scanFinishedOn"], "2026-11-23T00:00:00Z");
    }
    let statement = json_of(&vulns(&report, NOW));
    let results = statement["predicate"]["scanner"]["result"].as_array().expect("results");
    let ids: Vec<&str> = results.iter().map(|one| one["id"].as_str().expect("a name")).collect();
    let decided =
        results.iter().find(|one| one["id"] == "CVE-2026-0001").expect("what was decided about is one");
    assert_eq!((ids.len(), &decided["annotations"][0]["counts"]), (7, &json!(false)), "{ids:?}");
    assert!(
        results
            .iter()
            .all(|one| one["severity"][0]["method"].is_string() && one["severity"][0]["score"].is_string())
    );
    assert!(statement["predicate"]["scanner"]["db"]["lastUpdate"].is_string());
    let cosign = json_of(&cosign_vuln(&report, NOW));
    assert!(cosign["predicate"]["invocation"]["parameters"].is_array());
    assert_eq!(cosign["predicate"]["scanner"]["result"]["counts"]["total"], report.counts.total);
}

#[test]
fn markdown_of_others_is_text() {
    let mut report = varied();
    report.subject.name = "a|b](http://evil) <img> @team".to_owned();
    let text = report_markdown(&report, true);
    assert!(!text.contains("<img") && !text.contains("<script") && !text.contains("@team"), "{text}");
    assert!(!text.contains(|letter: char| letter.is_control() && letter != '\n'));
    assert!(text.contains("a\\|b\\]\\(http://evil\\)"), "{text}");
    assert!(
        text.contains("[CVE-2026-0004](https://security-tracker.debian.org/tracker/CVE-2026-0004)"),
        "{text}"
    );
    assert!(text.contains("Decided about, and not counted") && text.contains("not \\| reachable"), "{text}");
    let table: Vec<&str> = text.lines().filter(|line| line.starts_with("| ")).collect();
    assert!(table.iter().all(|line| line.replace("\\|", "").matches('|').count() == 7), "{table:#?}");
}

#[test]
fn each_form_comes_out_of_the_command_line_and_into_files() {
    let sandbox = sampled();
    root(&sandbox, "root", &MAIN);
    for (form, sign) in [
        ("json", "\"findings\""),
        ("sarif", "\"2.1.0\""),
        ("cyclonedx", "\"vulnerabilities\""),
        ("vulns", "\"scanner\""),
        ("cosign-vuln", "\"invocation\""),
        ("markdown", "## "),
        ("table", "SEVERITY"),
    ] {
        let out = sandbox.hardpan(&["scan", "root", "--format", form]).ok();
        assert!(
            out.stdout.contains(sign) && out.stdout.contains("CVE-2026-102633"),
            "{form}: {}",
            out.stdout
        );
        let file = format!("out/{form}");
        sandbox.hardpan(&["scan", "root", "--format", form, "-o", &file]).ok();
        assert!(sandbox.text(&file).contains(sign), "{form}");
    }
    let mut sandbox = sandbox;
    sandbox.env("SOURCE_DATE_EPOCH", "1700000000");
    let out = sandbox.hardpan(&["scan", "root", "--format=cyclonedx"]).ok();
    assert_eq!(parsed(&out.stdout)["metadata"]["timestamp"], Epoch(1_700_000_000).to_string());
    let again = sandbox.hardpan(&["scan", "root", "--format=cyclonedx"]).ok();
    assert_eq!(out.stdout, again.stdout);
}

#[test]
fn advisories_of_changelogs_alone_say_in_every_form_that_they_know_nothing_of_what_is_open() {
    let sandbox = sampled();
    let mut report = scanned(&sandbox, &MAIN);
    report.snapshot.derived_only = true;
    report.subject.digest = Some(hardpan::ident::Sha256([7; 32]));
    let words = "nothing of CVEs that are open";
    let forms = [
        ("SARIF", sarif(&report, false, NOW)),
        ("CycloneDX", vdr(&report, NOW)),
        ("vulns", vulns(&report, NOW)),
        ("vuln", cosign_vuln(&report, NOW)),
        ("Markdown", report_markdown(&report, false).into_bytes()),
        ("JSON", hardpan::scan::report_json(&report).to_string().into_bytes()),
    ];
    for (form, bytes) in forms {
        assert!(String::from_utf8_lossy(&bytes).contains(words), "{form}");
    }
    assert_eq!(validate(Schema::CycloneDx16, &json_of(&vdr(&report, NOW))), Ok(()));
}
