//! Other people's verifier believes what was signed as an identity, and not the rest.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::support::sha256_hex;
use super::{Desk, ISSUER, NAME, TYPE};

/// Where tools are kept between runs.
fn cosign(version: &str) -> PathBuf {
    let home = PathBuf::from(std::env::var_os("HOME").expect("a home"));
    let cache = std::env::var_os("XDG_CACHE_HOME").map_or(home.join(".cache"), PathBuf::from);
    cache.join("hardpan-tools").join(format!("cosign-{version}")).join("cosign")
}

#[test]
#[ignore = "needs cosign"]
fn cosign_believes_what_was_signed_as_an_identity() {
    // The second version's way of holding an envelope in a log of version 2 came to cosign with its own 3.
    for (tool, version) in [("3.1.3", 1), ("3.1.3", 2), ("2.6.5", 1)] {
        let desk = Desk::new(version);
        let digest = sha256_hex(b"artifact");
        let statement = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","predicate":{{}},"predicateType":"https://hardpan.example/made","subject":[{{"digest":{{"sha256":"{digest}"}},"name":"artifact"}}]}}"#
        );
        let bundle = desk.open().expect("opened").bundle(TYPE, statement.as_bytes()).expect("signed");
        desk.sandbox.write("bundle.json", bundle);
        let verify = |name: &str, digest: &str| {
            let output = Command::new(cosign(tool))
                .args(["verify-blob-attestation", "--bundle", "bundle.json", "--trusted-root", "root.json"])
                .args(["--certificate-identity", name, "--certificate-oidc-issuer", ISSUER])
                .args(["--type", "https://hardpan.example/made", "--digest", digest, "--digestAlg", "sha256"])
                .args(if version == 2 { &["--use-signed-timestamps"][..] } else { &[] })
                .args(if tool.starts_with('2') { &["--new-bundle-format"][..] } else { &[] })
                .current_dir(desk.sandbox.path("."))
                .env("HOME", desk.sandbox.home())
                .stdin(Stdio::null())
                .output()
                .expect("cosign");
            (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
        };
        let (believed, said) = verify(NAME, &digest);
        assert!(believed, "{tool}, version {version}: {said}");
        assert!(!verify("other@hardpan.example", &digest).0);
        assert!(!verify(NAME, &sha256_hex(b"other")).0);
    }
}
