//! Predicate types, and the short words that cosign has for some of them.

/// An image is signed: nothing more is claimed (as cosign 3 says it).
pub const COSIGN_SIGN: &str = "https://sigstore.dev/cosign/sign/v1";
/// How an artifact was made (SLSA 1.2, "Provenance").
pub const PROVENANCE: &str = "https://slsa.dev/provenance/v1";
/// An SPDX 2 document.
pub const SPDX: &str = "https://spdx.dev/Document";
/// An SPDX 3 document: by another name, so that who asks for SPDX 2 is not given one.
pub const SPDX3: &str = "https://spdx.dev/Document/v3.0.1";
/// A CycloneDX document.
pub const CYCLONEDX: &str = "https://cyclonedx.org/bom";
/// Why each file of an image is there ([`super::Reasons`]): hardpan's own.
pub const CLOSURE: &str = "https://hardpan.dev/closure/v1";
/// An OpenVEX document. This is what cosign calls `openvex` and what scanners look for; which version of the
/// format it is stands in the document itself.
pub const OPENVEX: &str = "https://openvex.dev/ns";
/// What came of a test (in-toto attestation, `test-result`).
pub const TEST_RESULT: &str = "https://in-toto.io/attestation/test-result/v0.1";
/// What came of the contents policy: a test's result that each build makes by itself. Policies ask for it
/// by this word, so that who asks for a test's result is not given this one.
pub const CONTENTS_POLICY: &str = "contents-policy";
/// What a verifier found (SLSA 1.2, "Verification Summary Attestation").
pub const VERIFICATION_SUMMARY: &str = "https://slsa.dev/verification_summary/v1";

/// Short words, cosign's where it has one.
const WORDS: [(&str, &str); 12] = [
    ("sign", COSIGN_SIGN),
    ("slsaprovenance1", PROVENANCE),
    ("spdxjson", SPDX),
    ("spdx3", SPDX3),
    ("cyclonedx", CYCLONEDX),
    ("closure", CLOSURE),
    ("openvex", OPENVEX),
    ("vuln", "https://cosign.sigstore.dev/attestation/vuln/v1"),
    ("test-result", TEST_RESULT),
    ("vsa", VERIFICATION_SUMMARY),
    ("vulns", "https://in-toto.io/attestation/vulns/v0.2"),
    ("release", "https://in-toto.io/attestation/release/v0.1"),
];

/// The predicate type that a word or an address means; `None` for what is neither.
pub fn kind(text: &str) -> Option<String> {
    let known = WORDS.iter().find(|(word, _)| *word == text).map(|(_, kind)| (*kind).to_owned());
    // in-toto attestation 1.0, "TypeURI": an absolute address.
    let address =
        || text.split_once(':').is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty());
    known.or_else(|| address().then(|| text.to_owned()))
}

/// The short word for a predicate type; the type itself where there is none.
pub fn kind_name(kind: &str) -> &str {
    WORDS.iter().find(|(_, known)| *known == kind).map_or(kind, |(word, _)| *word)
}

/// The short words.
pub fn words() -> impl Iterator<Item = &'static str> {
    WORDS.iter().map(|(word, _)| *word)
}
