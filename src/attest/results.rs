//! What a check found, as a claim: the result of a rebuild, a verification summary.

use serde_json::json;

use crate::canon;
use crate::ident::{BlobDigest, Epoch, Sha256};

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
