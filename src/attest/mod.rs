//! in-toto statements: what is claimed about which digests.
//!
//! ```text
//! subject (name, digest) · predicate type · predicate ─► Statement v1, one byte string
//! ```
//!
//! The predicates that hardpan makes: cosign's signature, SLSA provenance, the SBOMs, why each file is
//! there, the results of a rebuild and of the contents policy, a verification summary. A statement says
//! nothing of who signed it; the room does not know
//! keys.

mod kinds;
mod provenance;
mod reasons;
mod results;
mod statement;

pub use kinds::{
    CLOSURE, CONTENTS_POLICY, COSIGN_SIGN, CYCLONEDX, OPENVEX, PROVENANCE, SPDX, SPDX3, TEST_RESULT,
    VERIFICATION_SUMMARY, kind, kind_name, words,
};
pub use provenance::{
    BUILD_TYPE, BuildFile, BuildInputs, BuildRecipe, Builder, Dependency, Provenance, ReadProvenance,
    read_provenance,
};
pub use reasons::{Brought, Needed, PathReason, Reasons};
pub use results::{
    Comparison, ImageTested, PolicyResult, ReadPolicyResult, image_tested, policy_result, read_policy_result,
    test_result, verification_summary,
};
pub use statement::{PAYLOAD_TYPE, Statement, Subject, raw_predicate, write_statement};
