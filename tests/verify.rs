//! `hardpan verify`: what passes, and each attack with the words that it is refused with.
#![allow(clippy::disallowed_methods)]

#[path = "verify/bytes.rs"]
mod bytes;
#[path = "verify/forms.rs"]
mod forms;
#[path = "verify/listing.rs"]
mod listing;
#[path = "verify/origin.rs"]
mod origin;
#[path = "verify/policy.rs"]
mod policy;
#[path = "verify/registries.rs"]
mod registries;
#[path = "verify/statements.rs"]
mod statements;
mod support;
#[path = "verify/tags.rs"]
mod tags;
#[path = "verify/trust.rs"]
mod trust;
#[path = "verify/unseen.rs"]
mod unseen;

use serde_json::Value;
use support::signed::Signed;
use support::{Hand, Layout, Output, Sandbox};

const SIGN: &str = "https://sigstore.dev/cosign/sign/v1";
const PROVENANCE: &str = "https://slsa.dev/provenance/v1";
const SPDX: &str = "https://spdx.dev/Document";
const CYCLONEDX: &str = "https://cyclonedx.org/bom";
const KINDS: [(&str, &str); 4] =
    [(SIGN, "sign"), (PROVENANCE, "slsaprovenance1"), (SPDX, "spdxjson"), (CYCLONEDX, "cyclonedx")];

/// `hardpan verify IMAGE --key team.pub`.
fn verify(sandbox: &Sandbox, image: &str, more: &[&str]) -> Output {
    sandbox.hardpan(&[&["verify", image, "--key", "team.pub"], more].concat())
}

/// The image `made` is refused with this code by a check of this thing, and all the words are said: to
/// people, and to machines as far as they are told.
#[track_caller]
fn refused(signed: &Signed, code: &str, of: &str, words: &[&str]) -> Output {
    let out = verify(&signed.sandbox, "made", &[]).exits(6).says("HP601").says("don't use it").says(code);
    for word in words {
        assert!(out.stderr.contains(word), "{word:?} was not said, but:\n{}", out.stderr);
    }
    let marked = out.stdout.lines().any(|line| line.contains("FAILED") && line.contains(of));
    assert!(marked, "no FAILED of {of} in\n{}", out.stdout);
    assert!(!out.stdout.contains("\nsha256:"), "a digest as if all were well:\n{}", out.stdout);
    let checks = checks(&verify(&signed.sandbox, "made", &["--json"]).exits(6));
    let found = checks.iter().any(|check| check["code"] == code && check["of"] == of);
    assert!(found, "no {code} of {of} in {checks:?}");
    out
}

/// What is wrong, for machines.
#[track_caller]
fn checks(out: &Output) -> Vec<Value> {
    let said: Value = serde_json::from_str(&out.stdout).expect("JSON");
    let failed = |check: &Value| check["outcome"] == "failed";
    let checks: Vec<Value> =
        said["checks"].as_array().expect("checks").iter().filter(|&check| failed(check)).cloned().collect();
    assert_eq!(said["passed"], checks.is_empty());
    assert_eq!(out.stderr.matches('{').count(), 0, "told twice:\n{}", out.stderr);
    checks
}

/// What each failed check is about, and its code, in order.
#[track_caller]
fn failures(signed: &Signed) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let checks = checks(&verify(&signed.sandbox, "made", &["--json"]).exits(6));
    checks.iter().map(|check| (text(&check["of"]), text(&check["code"]))).collect()
}

/// Changes a layout, and has everything that was said about it said by `key` about what it is then.
fn resigned(layout: &Layout, key: &Hand, change: impl FnOnce(&Layout)) {
    let (before, said) = (layout.subjects(), layout.statements());
    change(layout);
    let after = layout.subjects();
    for attached in said {
        layout.detach(&attached);
        let mut text = String::from_utf8(attached.payload).expect("UTF-8");
        for (old, new) in before.iter().zip(&after) {
            text = text.replace(&old["sha256:".len()..], &new["sha256:".len()..]);
        }
        let at = before.iter().position(|subject| *subject == attached.subject).expect("a subject");
        layout.attach(&after[at], &attached.kind, &key.bundle_of(support::IN_TOTO, text.as_bytes()));
    }
}

/// Has the trusted key say something else in place of a statement.
fn restated(layout: &Layout, kind: &str, subject: &str, change: impl FnOnce(&mut Value)) {
    let mut attached = layout.statement(kind, subject);
    change(&mut attached.statement);
    layout.swap(&attached, &support::signed::trusted().bundle(&attached.statement));
}

/// Names of index and platforms, with their digests.
fn named(layout: &Layout) -> Vec<(&'static str, String)> {
    ["index", "linux/amd64", "linux/arm64"].into_iter().zip(layout.subjects()).collect()
}

/// The digits of a digest.
fn hex(digest: &str) -> &str {
    digest.strip_prefix("sha256:").expect("a digest")
}
