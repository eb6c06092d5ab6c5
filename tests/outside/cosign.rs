//! cosign, the second and the third, with keys and without any network but the loopback interface.
//!
//! cosign asks the public roots of trust when it isn't given one, and may offer what it signs to the
//! public log. Neither may happen in a test: each has a home of its own, and every address but
//! the loopback's is behind a proxy that nobody runs. What verifies gets a root of trust that trusts
//! nobody, which is enough for keys.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::tool;
use super::tools::{COSIGN_2, COSIGN_3, built};

/// The discard port: nothing listens there.
const NO_PROXY_THERE: &str = "http://127.0.0.1:9";

/// A root of trust with neither authorities nor logs.
const TRUSTED_ROOT: &str = r#"{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}"#;

/// Services to sign with: none.
const SIGNING_CONFIG: &str = r#"{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json"}"#;

/// Which cosign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// 2.6.5
    Two,
    /// 3.1.3
    Three,
}

impl Version {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Two, Self::Three];
}

/// A cosign with a home of its own. Every command gives what was printed, or what was said instead.
pub struct Cosign {
    version: Version,
    home: tempfile::TempDir,
    docker_config: PathBuf,
}

impl Cosign {
    /// One that logs in nowhere.
    pub fn new(version: Version) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        std::fs::write(home.path().join("trusted_root.json"), TRUSTED_ROOT).expect("ours");
        std::fs::write(home.path().join("signing_config.json"), SIGNING_CONFIG).expect("ours");
        let docker_config = home.path().to_owned();
        Self { version, home, docker_config }
    }

    /// The same, which logs in as a folder says (`Registry::docker_config`).
    #[must_use]
    pub fn with_docker_config(mut self, folder: PathBuf) -> Self {
        self.docker_config = folder;
        self
    }

    /// A root of trust that is enough for keys, to be given to `verify…`.
    pub fn trusted_root(&self) -> PathBuf {
        self.home.path().join("trusted_root.json")
    }

    /// `cosign verify`: what it claims of each signature. Without a root of trust, the second can't
    /// verify bundles.
    pub fn verify(&self, key: &Path, root: Option<&Path>, reference: &str) -> Result<Value, String> {
        let mut command = self.command(&["verify", "--output=json", "--allow-http-registry"]);
        self.trust(&mut command, key, root);
        let printed = run(command.arg(reference))?;
        serde_json::from_str(&printed).map_err(|error| format!("{error}: {printed}"))
    }

    /// `cosign verify-attestation --type KIND`: the statements.
    pub fn verify_attestation(
        &self,
        key: &Path,
        root: Option<&Path>,
        kind: &str,
        reference: &str,
    ) -> Result<Vec<Value>, String> {
        let mut command = self.command(&["verify-attestation", "--type", kind, "--allow-http-registry"]);
        self.trust(&mut command, key, root);
        Ok(run(command.arg(reference))?.lines().map(statement).collect())
    }

    /// `cosign verify-blob-attestation`: a bundle about whatever has this digest (64 hexadecimal
    /// digits), without a registry. It does not see whether the subject is in the registry at all.
    pub fn verify_blob_attestation(
        &self,
        key: &Path,
        root: Option<&Path>,
        kind: &str,
        bundle: &Path,
        digest: &str,
    ) -> Result<(), String> {
        let mut command = self.command(&["verify-blob-attestation", "--type", kind, "--digestAlg=sha256"]);
        self.trust(&mut command, key, root);
        if self.version == Version::Two {
            command.arg("--new-bundle-format");
        }
        run(command.arg("--bundle").arg(bundle).args(["--digest", digest])).map(|_| ())
    }

    /// Makes `cosign.key`, locked with a password, and `cosign.pub` in a folder.
    pub fn generate_key_pair(&self, folder: &Path, password: &str) -> (PathBuf, PathBuf) {
        let mut command = self.command(&["generate-key-pair"]);
        run(command.current_dir(folder).env("COSIGN_PASSWORD", password)).expect("made");
        (folder.join("cosign.key"), folder.join("cosign.pub"))
    }

    /// `cosign public-key` of a private key.
    pub fn public_key(&self, key: &Path, password: &str) -> Result<String, String> {
        run(self.command(&["public-key", "--key"]).arg(key).env("COSIGN_PASSWORD", password))
    }

    /// `cosign sign`, nowhere logged: the second makes the older form, the third a bundle.
    pub fn sign(&self, key: &Path, password: &str, reference: &str) -> Result<String, String> {
        let mut command = self.command(&["sign", "--yes", "--allow-http-registry"]);
        self.unlogged(&mut command);
        run(command.arg("--key").arg(key).arg(reference).env("COSIGN_PASSWORD", password))
    }

    /// `cosign attest`, nowhere logged.
    pub fn attest(
        &self,
        key: &Path,
        password: &str,
        (kind, predicate): (&str, &Path),
        reference: &str,
    ) -> Result<String, String> {
        let mut command = self.command(&["attest", "--yes", "--allow-http-registry", "--type", kind]);
        self.unlogged(&mut command);
        command.arg("--predicate").arg(predicate);
        run(command.arg("--key").arg(key).arg(reference).env("COSIGN_PASSWORD", password))
    }

    /// `cosign attest-blob`, nowhere logged: a bundle about a file. For the third only.
    pub fn attest_blob(
        &self,
        key: &Path,
        password: &str,
        (kind, predicate): (&str, &Path),
        (file, bundle): (&Path, &Path),
    ) -> Result<String, String> {
        let mut command = self.command(&["attest-blob", "--yes", "--type", kind]);
        self.unlogged(&mut command);
        command.arg("--predicate").arg(predicate).arg("--bundle").arg(bundle);
        run(command.arg("--key").arg(key).arg(file).env("COSIGN_PASSWORD", password))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let program = match self.version {
            Version::Two => COSIGN_2,
            Version::Three => COSIGN_3,
        };
        let mut command = tool(&built(program).display().to_string(), &["--timeout=60s"]);
        command.args(arguments).env_clear().env("HOME", self.home.path());
        command.env("DOCKER_CONFIG", &self.docker_config).env("TUF_ROOT", self.home.path().join("tuf"));
        command.env("HTTPS_PROXY", NO_PROXY_THERE).env("HTTP_PROXY", NO_PROXY_THERE);
        command.env("NO_PROXY", "127.0.0.1,localhost");
        command
    }

    /// By a key, whatever the public log may hold.
    fn trust(&self, command: &mut Command, key: &Path, root: Option<&Path>) {
        command.arg("--insecure-ignore-tlog").arg("--key").arg(key);
        if let Some(root) = root {
            command.arg("--trusted-root").arg(root);
        }
        if self.version == Version::Two {
            command.arg("--offline");
        }
    }

    fn unlogged(&self, command: &mut Command) {
        match self.version {
            Version::Two => command.arg("--tlog-upload=false"),
            Version::Three => command
                .arg("--signing-config")
                .arg(self.home.path().join("signing_config.json"))
                .arg("--trusted-root")
                .arg(self.trusted_root()),
        };
    }
}

/// What was printed, or else what was said.
fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} can't be run: {error}"));
    let (out, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.success() { Ok(out.into_owned()) } else { Err(format!("{}\n{said}", output.status)) }
}

/// The statement in an envelope, as `verify-attestation` prints them, one a line.
fn statement(line: &str) -> Value {
    let envelope: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let payload = base64(envelope["payload"].as_str().expect("a payload"));
    serde_json::from_slice(&payload).expect("a statement")
}

/// The bytes of base64 text.
pub fn base64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.bytes().filter_map(|byte| DIGITS.iter().position(|digit| *digit == byte));
    let (mut bytes, mut held, mut bits) = (Vec::new(), 0_usize, 0);
    for digit in digits {
        held = (held << 6 | digit) & 0xFFFF;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(held >> bits & 0xFF).expect("masked"));
        }
    }
    bytes
}
