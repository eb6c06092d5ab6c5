//! What a check found, as a claim: the result of a rebuild, that of the contents policy, a verification
//! summary.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::canon;
use crate::ident::{BlobDigest, Epoch, Platform, Sha256};
use crate::policy::Verdict;
use crate::recipe::PolicyRule;

/// What came of building an image again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// Whether the bytes are the same.
    pub same: bool,
    /// The digest that was to be reached.
    pub wanted: BlobDigest,
    /// The digest that was reached; `None` if nothing was built.
    pub found: Option<BlobDigest>,
    /// What differed, in lines for people.
    pub differences: Vec<String>,
    /// The digest of the provenance that was followed.
    pub provenance: Sha256,
    /// The digest of the hardpan that built again.
    pub hardpan: Sha256,
}

/// The predicate of a test result (in-toto attestation, `test-result` v0.1): the one test is that the
/// image builds again to the same bytes.
pub fn test_result(comparison: &Comparison) -> Vec<u8> {
    let test = "reproducible: builds again to the same digest";
    let (passed, failed) = if comparison.same { (vec![test], vec![]) } else { (vec![], vec![test]) };
    canon::to_json(&json!({
        "result": if comparison.same { "PASSED" } else { "FAILED" },
        "configuration": [
            { "name": "provenance", "digest": { "sha256": comparison.provenance } },
            { "name": concat!("hardpan ", env!("CARGO_PKG_VERSION")), "digest": { "sha256": comparison.hardpan } },
        ],
        "passedTests": passed,
        "warnedTests": [],
        "failedTests": failed,
        // Fields of our own: what was reached, and what was different.
        "rebuilt": { "digest": comparison.found.map(|digest| json!({ "sha256": digest.0 })), "differences": comparison.differences },
    }))
}

/// What the contents policy said of an image, which is built only where nothing violates it.
#[derive(Debug)]
pub struct PolicyResult<'a> {
    /// The recipes of the chain, whose exceptions hold, by file, with the digests of their texts.
    pub recipes: Vec<(String, Sha256)>,
    /// The digest of the hardpan that judged.
    pub hardpan: Sha256,
    /// The verdicts.
    pub platforms: Vec<(Platform, &'a Verdict)>,
}

/// The predicate of the contents policy's result (in-toto attestation, `test-result` v0.1): a test for
/// each rule, passed with a warning where an exception holds. Field of our own: `contentsPolicy`.
pub fn policy_result(result: &PolicyResult) -> Vec<u8> {
    let test = |rule: PolicyRule| format!("contents policy: {} ({rule})", rule.meaning());
    let excepted =
        |rule: &PolicyRule| result.platforms.iter().any(|(_, verdict)| verdict.allowed.contains_key(rule));
    let (warned, passed): (Vec<PolicyRule>, Vec<PolicyRule>) =
        PolicyRule::ALL.into_iter().partition(excepted);
    let recipes = result.recipes.iter().map(|(file, sha256)| (format!("recipe {file}"), sha256));
    let hardpan = (concat!("hardpan ", env!("CARGO_PKG_VERSION")).to_owned(), &result.hardpan);
    let configuration = recipes
        .chain([hardpan])
        .map(|(name, sha256)| json!({ "name": name, "digest": { "sha256": sha256 } }));
    let platforms: BTreeMap<String, Value> = result
        .platforms
        .iter()
        .map(|(platform, verdict)| (platform.to_string(), of_platform(verdict)))
        .collect();
    canon::to_json(&json!({
        "result": if warned.is_empty() { "PASSED" } else { "WARNED" },
        "configuration": configuration.collect::<Vec<_>>(),
        "passedTests": passed.into_iter().map(test).collect::<Vec<_>>(),
        "warnedTests": warned.into_iter().map(test).collect::<Vec<_>>(),
        "failedTests": [],
        "contentsPolicy": { "version": 1, "platforms": platforms },
    }))
}

/// Exceptions that are needed, and packaged files in whose place a recipe has another.
fn of_platform(verdict: &Verdict) -> Value {
    let exceptions: BTreeMap<String, Value> = verdict
        .allowed
        .iter()
        .map(|(rule, allowed)| {
            let (reason, paths) = (allowed.reasons.join("; "), &allowed.paths);
            (rule.to_string(), json!({ "reason": reason, "paths": paths }))
        })
        .collect();
    let replaced = verdict
        .replaced
        .iter()
        .map(|(path, one)| json!({ "path": path, "package": one.package, "by": one.by.words() }));
    json!({ "exceptions": exceptions, "replaced": replaced.collect::<Vec<_>>() })
}

/// What a contents policy's result says, read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadPolicyResult {
    /// Whether no rule was broken without an exception.
    pub passed: bool,
    /// How many rules were judged.
    pub rules: usize,
    /// The exceptions and their reasons, by platform and rule.
    pub exceptions: BTreeMap<String, BTreeMap<String, String>>,
    /// How many packaged files the recipes replaced.
    pub replaced: usize,
}

/// Reads a contents policy's result; `None` for the result of another test.
pub fn read_policy_result(predicate: &Value) -> Option<ReadPolicyResult> {
    let platforms = predicate.pointer("/contentsPolicy/platforms")?.as_object()?;
    let tests = |name: &str| predicate.get(name).and_then(Value::as_array).map_or(0, Vec::len);
    let exceptions = |one: &Value| -> BTreeMap<String, String> {
        let all = one.get("exceptions").and_then(Value::as_object).into_iter().flatten();
        let reason =
            |value: &Value| value.get("reason").and_then(Value::as_str).unwrap_or_default().to_owned();
        all.map(|(rule, value)| (rule.clone(), reason(value))).collect()
    };
    let replaced = |one: &Value| one.get("replaced").and_then(Value::as_array).map_or(0, Vec::len);
    Some(ReadPolicyResult {
        passed: matches!(predicate.get("result")?.as_str()?, "PASSED" | "WARNED")
            && tests("failedTests") == 0,
        rules: tests("passedTests") + tests("warnedTests") + tests("failedTests"),
        exceptions: platforms.iter().map(|(name, one)| (name.clone(), exceptions(one))).collect(),
        replaced: platforms.values().map(replaced).max().unwrap_or_default(),
    })
}

/// What came of an image's own tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageTested {
    /// The platform that was run.
    pub platform: String,
    /// The digest of the text of the recipe that has the tests.
    pub recipe: Sha256,
    /// Name and version of what made the containers.
    pub runtime: String,
    /// The digest of the hardpan that ran them.
    pub hardpan: Sha256,
    /// Tests that passed.
    pub passed: Vec<String>,
    /// Tests that could not be tried there.
    pub untested: Vec<String>,
    /// Tests that failed.
    pub failed: Vec<String>,
}

/// The predicate of a test result about an image's own tests.
pub fn image_tested(tested: &ImageTested) -> Vec<u8> {
    let result = match (tested.failed.is_empty(), tested.untested.is_empty()) {
        (false, _) => "FAILED",
        (true, false) => "WARNED",
        (true, true) => "PASSED",
    };
    canon::to_json(&json!({
        "result": result,
        "configuration": [
            { "name": "recipe", "digest": { "sha256": tested.recipe } },
            { "name": concat!("hardpan ", env!("CARGO_PKG_VERSION")), "digest": { "sha256": tested.hardpan } },
        ],
        "passedTests": tested.passed,
        "warnedTests": tested.untested,
        "failedTests": tested.failed,
        // Fields of our own: where they ran.
        "ran": { "platform": tested.platform, "runtime": tested.runtime },
    }))
}

/// The predicate of a verification summary (SLSA 1.2, "Verification Summary Attestation"). The level
/// that was verified is what a rebuild can show: that provenance exists and is followed, `SLSA_BUILD_LEVEL_1`.
pub fn verification_summary(comparison: &Comparison, resource: &str, verifier: &str, at: Epoch) -> Vec<u8> {
    canon::to_json(&json!({
        "verifier": { "id": verifier, "version": { "hardpan": env!("CARGO_PKG_VERSION") } },
        "timeVerified": at,
        "resourceUri": resource,
        "policy": { "uri": "https://hardpan.dev/policy/rebuild/v1", "digest": { "sha256": Sha256::of(b"the image builds again to the same digest") } },
        "inputAttestations": [{ "digest": { "sha256": comparison.provenance } }],
        "verificationResult": if comparison.same { "PASSED" } else { "FAILED" },
        "verifiedLevels": [if comparison.same { "SLSA_BUILD_LEVEL_1" } else { "FAILED" }],
        "slsaVersion": "1.2",
    }))
}
