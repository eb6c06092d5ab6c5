//! Decisions written as OpenVEX and as CSAF: valid by schema, by the rules beside the schemas, and in the spellings
//! that scanners match.

use std::collections::{BTreeMap, BTreeSet};

use hardpan::ident::{BlobDigest, Epoch};
use hardpan::vex::{
    Decisions, Document, Held, HeldPackage, Publisher, csaf, document, openvex, read_document,
};
use serde_json::Value;

use crate::support::{Schema, validate};
use crate::{component, day, decision, read, today};

fn digest(letter: char) -> BlobDigest {
    BlobDigest(letter.to_string().repeat(64).parse().expect("a digest"))
}

fn package(source: &str, binary: &str) -> HeldPackage {
    let purl = |name: &str| format!("pkg:deb/debian/{}", name.replace('+', "%2B"));
    HeldPackage {
        source: source.into(),
        binary: binary.into(),
        purl: purl(binary),
        source_purl: purl(source),
    }
}

fn held(letter: char, files: &[&str]) -> Held {
    let packages =
        [("openssl", "libssl3t64"), ("openssl", "openssl-bin"), ("gcc-14", "libstdc++6"), ("zlib", "zlib1g")];
    Held {
        digest: digest(letter),
        packages: packages.iter().map(|(source, binary)| package(source, binary)).collect(),
        files: Some(files.iter().map(|path| path.parse().expect("a path")).collect()),
    }
}

/// An index over two platforms, one of which has a file more.
fn image() -> Vec<Held> {
    let platforms =
        [held('b', &["/usr/lib/libssl.so.3"]), held('c', &["/usr/bin/openssl", "/usr/lib/libssl.so.3"])];
    let index = Held::of_index(digest('a'), &platforms);
    [vec![index], platforms.to_vec()].concat()
}

fn made(decisions: &Decisions) -> Option<Document> {
    document(decisions, &"python".parse().expect("a name"), &image(), today(), None)
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("JSON")
}

/// Decisions of every kind.
fn all_kinds() -> String {
    let without = ("justification", "");
    [
        decision(&[("impact", "\"never called\"")]),
        decision(&[
            ("cve", "\"CVE-2026-1001\""),
            ("status", "\"affected\""),
            without,
            ("action", "\"update\""),
            ("expires", ""),
        ]),
        decision(&[
            ("cve", "\"CVE-2026-1002\""),
            ("status", "\"fixed\""),
            without,
            ("packages", "[\"libstdc++6\"]"),
        ]),
        decision(&[("cve", "\"TEMP-0000000-ABCDEF\""), ("status", "\"under_investigation\""), without]),
        decision(&[
            ("cve", "\"CVE-2026-1001\""),
            ("packages", "[\"zlib1g\"]"),
            ("author", "\"Bob\""),
            ("date", "2026-11-20"),
        ]),
        component(&[("cve", "\"CVE-2026-1003\""), ("paths", "[\"/usr/bin/openssl\"]")]),
    ]
    .concat()
}

#[test]
fn products_and_parts_are_spelled_as_scanners_match_them() {
    let value = json(&openvex(&made(&read("python", &decision(&[]))).expect("a document")));
    let statements = value["statements"].as_array().expect("statements");
    assert_eq!(statements.len(), 1);
    let products = statements[0]["products"].as_array().expect("products");
    let ids: Vec<&str> = products.iter().map(|product| product["@id"].as_str().expect("text")).collect();
    let expected = ["a", "b", "c"].map(|letter| format!("pkg:oci/python@sha256:{}", letter.repeat(64)));
    assert_eq!(ids, expected);
    for product in products {
        let parts: Vec<&str> = product["subcomponents"]
            .as_array()
            .expect("parts")
            .iter()
            .map(|part| part["@id"].as_str().expect("text"))
            .collect();
        assert_eq!(
            parts,
            ["pkg:deb/debian/libssl3t64", "pkg:deb/debian/openssl", "pkg:deb/debian/openssl-bin"]
        );
    }
}

#[test]
fn a_decision_on_one_binary_does_not_name_its_source() {
    let value =
        json(&openvex(&made(&read("python", &decision(&[("packages", "[\"libssl3t64\"]")]))).expect("made")));
    let parts = &value["statements"][0]["products"][0]["subcomponents"];
    assert_eq!(parts.to_string(), r#"[{"@id":"pkg:deb/debian/libssl3t64"}]"#);
}

#[test]
fn a_statement_without_parts_is_never_made() {
    // It would silence the CVE in the whole image.
    assert_eq!(made(&read("python", &decision(&[("packages", "[\"nothing-here\"]")]))), None);
    assert_eq!(made(&read("nginx", &decision(&[]))), None);
    let document = made(&read("python", &all_kinds())).expect("made");
    let products = document.statements.iter().flat_map(|statement| &statement.products);
    assert!(
        products.clone().count() > 0 && products.clone().all(|product| !product.subcomponents.is_empty())
    );
}

#[test]
fn what_has_expired_or_is_of_the_future_is_not_written() {
    let old = decision(&[("date", "2026-01-01"), ("expires", "2026-11-23")]);
    let coming = decision(&[("date", "2026-12-24")]);
    assert_eq!(made(&read("python", &(old + &coming))), None);
}

#[test]
fn openvex_is_valid_by_schema_and_by_its_rules() {
    let bytes = openvex(&made(&read("python", &all_kinds())).expect("made"));
    let value = json(&bytes);
    validate(Schema::OpenVex02, &value).expect("valid");
    assert_eq!(value["@context"], "https://openvex.dev/ns/v0.2.0");
    assert_eq!(value["author"], "Ada <ada@example.org>, Bob, hardpan");
    assert_eq!((&value["version"], &value["timestamp"]), (&1.into(), &"2026-11-20T00:00:00Z".into()));
    for statement in value["statements"].as_array().expect("statements") {
        let has = |key: &str| statement.get(key).is_some();
        let status = statement["status"].as_str().expect("text");
        assert_eq!(has("action_statement"), status == "affected", "{statement}");
        let why = has("justification") || has("impact_statement");
        assert_eq!(why, status == "not_affected", "{statement}");
    }
    // What hardpan worked out says so, and what people decided says who.
    let notes: Vec<&str> = value["statements"]
        .as_array()
        .expect("some")
        .iter()
        .filter_map(|one| one["status_notes"].as_str())
        .collect();
    assert_eq!(notes.iter().filter(|notes| notes.starts_with("worked out by hardpan")).count(), 1);
    assert_eq!(notes.iter().filter(|notes| notes.contains("decided by")).count(), notes.len() - 1);
    // And it is read again as it was written.
    let read = read_document(&bytes, "x").expect("read");
    assert_eq!(openvex(&read), bytes);
}

#[test]
fn what_was_worked_out_holds_only_where_it_does() {
    let text = component(&[("paths", "[\"/usr/bin/openssl\"]")]);
    let document = made(&read("python", &text)).expect("made");
    let products: Vec<&str> =
        document.statements[0].products.iter().map(|product| product.id.as_str()).collect();
    // One platform has the file, and so the index has it.
    assert_eq!(products, [format!("pkg:oci/python@sha256:{}", "b".repeat(64))]);
    let value = json(&openvex(&document));
    assert_eq!(value["statements"][0]["justification"], "component_not_present");
    assert!(value["statements"][0]["impact_statement"].as_str().expect("text").contains("/usr/bin/openssl"));
}

#[test]
fn the_same_decisions_make_the_same_bytes_and_others_another_document() {
    let write = |text: &str| openvex(&made(&read("python", text)).expect("made"));
    let all = all_kinds();
    assert_eq!(write(&all), write(&all));
    // In which order they are written down does not matter.
    let mut parts: Vec<&str> = all.split_inclusive("\n\n").collect();
    parts.reverse();
    assert_eq!(write(&parts.concat()), write(&all));
    let other = json(&write(&all.replace("never called", "never called at all")));
    assert_ne!(other["@id"], json(&write(&all))["@id"]);
    let id = json(&write(&all))["@id"].as_str().expect("text").to_owned();
    assert!(id.starts_with("https://hardpan.dev/vex/") && id.len() == 24 + 64, "{id}");
}

#[test]
fn no_time_in_it_is_later_than_the_source_date() {
    let decisions = read("python", &all_kinds());
    let clamp: Epoch = day("2026-11-10");
    let name = "python".parse().expect("a name");
    let document = document(&decisions, &name, &image(), today(), Some(clamp)).expect("made");
    assert_eq!(document.timestamp, clamp);
    assert!(document.statements.iter().all(|statement| statement.timestamp <= clamp));
}

fn as_csaf(text: &str) -> Value {
    let publisher = Publisher { name: None, namespace: "https://team.example/".into() };
    json(&csaf(&made(&read("python", text)).expect("made"), &publisher))
}

fn list<'a>(value: &'a Value, pointer: &str) -> Vec<&'a Value> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten().collect()
}

fn texts(value: &Value, pointer: &str) -> BTreeSet<String> {
    list(value, pointer).into_iter().map(|text| text.as_str().expect("text").to_owned()).collect()
}

#[test]
fn csaf_is_valid_by_schema_and_by_the_rules_of_its_profile() {
    let value = as_csaf(&all_kinds());
    validate(Schema::Csaf20, &value).expect("valid");
    assert_eq!(value["document"]["category"], "csaf_vex");
    // 6.1.1 and 6.1.2: each product that is named is defined, once.
    let mut defined: Vec<&str> = list(&value, "/product_tree/full_product_names")
        .into_iter()
        .filter_map(|product| product["product_id"].as_str())
        .collect();
    let relations = list(&value, "/product_tree/relationships");
    for relation in &relations {
        for key in ["product_reference", "relates_to_product_reference"] {
            assert!(defined.contains(&relation[key].as_str().expect("text")), "{relation}");
        }
    }
    defined
        .extend(relations.iter().filter_map(|relation| relation["full_product_name"]["product_id"].as_str()));
    let once: BTreeSet<&str> = defined.iter().copied().collect();
    assert_eq!(once.len(), defined.len());
    let mut cves = BTreeSet::new();
    for one in list(&value, "/vulnerabilities") {
        // 6.1.23, and 6.1.27.8: a CVE is there once, and what has none has another name.
        match one.get("cve") {
            Some(cve) => assert!(cves.insert(cve.to_string()), "{cve}"),
            None => assert!(!list(one, "/ids").is_empty(), "{one}"),
        }
        assert!(!list(one, "/notes").is_empty());
        // 6.1.6: no product has two statuses.
        let mut seen = BTreeMap::new();
        for status in ["known_not_affected", "known_affected", "fixed", "under_investigation"] {
            for id in texts(one, &format!("/product_status/{status}")) {
                assert!(once.contains(id.as_str()), "{id}");
                assert_eq!(seen.insert(id, status), None, "{one}");
            }
        }
        assert!(!seen.is_empty());
        // 6.1.27.9 and 6.1.27.10: who is not affected says why, who is affected what to do.
        let said = |key: &str| -> BTreeSet<String> {
            list(one, &format!("/{key}")).into_iter().flat_map(|said| texts(said, "/product_ids")).collect()
        };
        let why: BTreeSet<String> = said("flags").union(&said("threats")).cloned().collect();
        assert!(texts(one, "/product_status/known_not_affected").is_subset(&why), "{one}");
        assert!(texts(one, "/product_status/known_affected").is_subset(&said("remediations")), "{one}");
    }
    assert!(cves.len() >= 3);
    assert_eq!(as_csaf(&all_kinds()), value);
}

#[test]
fn of_a_product_that_was_spoken_of_twice_csaf_has_the_later_word() {
    let said = |status: &str, time: &str| {
        format!(
            r#"{{"vulnerability":{{"name":"CVE-2026-1001"}},"products":[{{"@id":"pkg:oci/x"}}],"timestamp":"2026-11-{time}T00:00:00Z",{status}}}"#
        )
    };
    let (waits, is_fixed) =
        (said(r#""status":"under_investigation""#, "01"), said(r#""status":"fixed""#, "02"));
    let text = format!(
        r#"{{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://example.org/1","author":"us","timestamp":"2026-11-03T00:00:00Z","version":1,"statements":[{waits},{is_fixed}]}}"#
    );
    let document = read_document(text.as_bytes(), "x").expect("read");
    let publisher = Publisher { name: None, namespace: "https://team.example/".into() };
    let value = json(&csaf(&document, &publisher));
    validate(Schema::Csaf20, &value).expect("valid");
    assert_eq!(value["vulnerabilities"][0]["product_status"].to_string(), r#"{"fixed":["pkg:oci/x"]}"#);
}

#[test]
fn the_schemas_can_say_no() {
    let openvex = json(&openvex(&made(&read("python", &decision(&[]))).expect("made")));
    let without = |value: &Value, pointer: &str, key: &str| {
        let mut broken = value.clone();
        let object = broken.pointer_mut(pointer).and_then(Value::as_object_mut).expect("an object");
        object.remove(key).expect("there");
        broken
    };
    validate(Schema::OpenVex02, &without(&openvex, "/statements/0", "justification")).expect_err("broken");
    validate(Schema::OpenVex02, &without(&openvex, "", "author")).expect_err("broken");
    let csaf = as_csaf(&decision(&[]));
    validate(Schema::Csaf20, &without(&csaf, "/document", "tracking")).expect_err("broken");
}
