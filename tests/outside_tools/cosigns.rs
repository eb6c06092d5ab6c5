//! Both cosigns verify offline what was signed, and refuse the rest.

use std::path::{Path, PathBuf};

use super::outside::cosign::{Cosign, Version, base64};
use super::outside::registry::{Kind, Login, Registry};
use super::pushed;

const PASSWORD: &str = "made for one test";
const PROVENANCE: &str = r#"{"buildDefinition":{"buildType":"https://hardpan.example/made","externalParameters":{}},"runDetails":{"builder":{"id":"https://hardpan.example/tests"}}}"#;

/// A folder with keys and a predicate.
struct Desk {
    folder: tempfile::TempDir,
    key: PathBuf,
    public: PathBuf,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("provenance.json"), PROVENANCE).expect("ours");
        let (key, public) = Cosign::new(Version::Three).generate_key_pair(folder.path(), PASSWORD);
        Self { folder, key, public }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// All that must not verify, of an image with a signature and provenance.
fn refuses_the_rest(cosign: &Cosign, signed: &str, unsigned: &str, public: &Path) {
    let root = Some(cosign.trusted_root());
    let root = root.as_deref();
    let stranger = Desk::new();
    cosign.verify(&stranger.public, root, signed).expect_err("another key");
    cosign.verify(public, root, unsigned).expect_err("not signed");
    let why = cosign.verify_attestation(public, root, "spdxjson", signed).expect_err("no SBOM");
    assert!(why.contains("predicate type"), "{why}");
    cosign.verify_attestation(&stranger.public, root, "slsaprovenance1", signed).expect_err("another key");
}

#[test]
#[ignore = "needs cosign, registries, skopeo and umoci"]
fn bundles_are_verified_by_both_with_a_root_of_trust() {
    let (desk, signer) = (Desk::new(), Cosign::new(Version::Three));
    for kind in Kind::ALL {
        let registry = Registry::start(kind);
        let (signed, unsigned) = (pushed(&registry, "a/signed"), pushed(&registry, "a/unsigned"));
        signer.sign(&desk.key, PASSWORD, &signed).expect("signed");
        let provenance = desk.path("provenance.json");
        signer.attest(&desk.key, PASSWORD, ("slsaprovenance1", &provenance), &signed).expect("attested");
        for version in Version::ALL {
            let cosign = Cosign::new(version);
            let root = cosign.trusted_root();
            cosign.verify(&desk.public, Some(&root), &signed).expect("verified");
            let kind = "slsaprovenance1";
            let found =
                cosign.verify_attestation(&desk.public, Some(&root), kind, &signed).expect("verified");
            assert_eq!(found.len(), 1);
            assert_eq!(found[0]["predicate"]["runDetails"]["builder"]["id"], "https://hardpan.example/tests");
            refuses_the_rest(&cosign, &signed, &unsigned, &desk.public);
        }
        let why = Cosign::new(Version::Two).verify(&desk.public, None, &signed).expect_err("no root");
        assert!(why.contains("trusted root is required"), "{why}");
    }
}

#[test]
#[ignore = "needs cosign, registries, skopeo and umoci"]
fn the_older_form_is_verified_by_both() {
    let (desk, signer) = (Desk::new(), Cosign::new(Version::Two));
    let registry = Registry::start(Kind::Debian);
    let (signed, unsigned) = (pushed(&registry, "a/signed"), pushed(&registry, "a/unsigned"));
    signer.sign(&desk.key, PASSWORD, &signed).expect("signed");
    let provenance = desk.path("provenance.json");
    signer.attest(&desk.key, PASSWORD, ("slsaprovenance1", &provenance), &signed).expect("attested");
    for cosign in Version::ALL.map(Cosign::new) {
        cosign.verify(&desk.public, None, &signed).expect("verified");
        let found = cosign.verify_attestation(&desk.public, None, "slsaprovenance1", &signed);
        assert_eq!(found.expect("verified").len(), 1);
        refuses_the_rest(&cosign, &signed, &unsigned, &desk.public);
    }
}

#[test]
#[ignore = "needs cosign"]
fn bundles_are_verified_by_both_without_a_registry() {
    let desk = Desk::new();
    let (file, bundle, provenance) =
        (desk.path("file"), desk.path("bundle.json"), desk.path("provenance.json"));
    std::fs::write(&file, "hello\n").expect("ours");
    let digest = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
    let other = digest.replace("5891", "5892");
    let kind = "slsaprovenance1";
    let signer = Cosign::new(Version::Three);
    signer.attest_blob(&desk.key, PASSWORD, (kind, &provenance), (&file, &bundle)).expect("attested");
    let stranger = Desk::new();
    for cosign in Version::ALL.map(Cosign::new) {
        let root = cosign.trusted_root();
        let verify = |key: &Path, kind, digest| {
            cosign.verify_blob_attestation(key, Some(&root), kind, &bundle, digest)
        };
        verify(&desk.public, kind, digest).expect("verified");
        verify(&desk.public, "spdxjson", digest).expect_err("another type");
        verify(&desk.public, kind, &other).expect_err("another subject");
        verify(&stranger.public, kind, digest).expect_err("another key");
    }
    signer.public_key(&desk.key, "wrong").expect_err("a wrong password");
    let shown = signer.public_key(&desk.key, PASSWORD).expect("the password");
    assert_eq!(shown, std::fs::read_to_string(&desk.public).expect("there"));
}

#[test]
#[ignore = "needs cosign, registries, skopeo and umoci"]
fn cosign_logs_in_where_it_is_told_to() {
    let login = Login { name: "made", password: "open sesame" };
    let registry = Registry::start_with_login(Kind::Cncf, login);
    let desk = Desk::new();
    let absent = registry.reference("a/hello:1");
    let stranger = Cosign::new(Version::Three);
    let why = stranger.verify(&desk.public, None, &absent).expect_err("not let in");
    assert!(why.contains("UNAUTHORIZED"), "{why}");
    let cosign = Cosign::new(Version::Three).with_docker_config(registry.docker_config(login));
    let why = cosign.verify(&desk.public, None, &absent).expect_err("not there");
    assert!(!why.contains("UNAUTHORIZED"), "{why}");
}

#[test]
fn base64_is_read() {
    assert_eq!(base64("aGVsbG8="), b"hello");
    assert_eq!(base64("+/+/AA=="), [0xfb, 0xff, 0xbf, 0]);
    assert!(base64("").is_empty());
}
