//! Statements signed by hand (DSSE v1.0; Sigstore bundle v0.3), without any code of hardpan: also such
//! as no honest signer would sign.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{DerSignature, SigningKey};
use pkcs8::{EncodePrivateKey as _, EncodePublicKey as _};
use serde_json::{Value, json};
use sha2::Digest as _;

/// The payload type of in-toto statements.
pub const IN_TOTO: &str = "application/vnd.in-toto+json";
/// The media type of bundles.
pub const BUNDLE_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// A key that signs whatever it is given.
#[derive(Debug, Clone)]
pub struct Hand(SigningKey);

impl Hand {
    /// The key of this number.
    pub fn new(number: u8) -> Self {
        Self(SigningKey::from_slice(&[number; 32]).expect("below the curve's order"))
    }

    /// Its private key as PKCS#8, not encrypted.
    pub fn private_pem(&self) -> String {
        pem("PRIVATE KEY", self.0.to_pkcs8_der().expect("a key").as_bytes())
    }

    /// Its public key.
    pub fn public_pem(&self) -> String {
        pem("PUBLIC KEY", &self.public_der())
    }

    fn public_der(&self) -> Vec<u8> {
        self.0.verifying_key().to_public_key_der().expect("a key").into_vec()
    }

    /// What bundles call it.
    pub fn hint(&self) -> String {
        STANDARD.encode(sha2::Sha256::digest(self.public_der()))
    }

    /// SHA-256 of its public key, in hexadecimal digits.
    pub fn fingerprint(&self) -> String {
        super::sha256_hex(&self.public_der())
    }

    /// Whether a signature over a statement, as a DSSE envelope has it, is its own.
    pub fn made(&self, payload: &[u8], signature: &[u8]) -> bool {
        use p256::ecdsa::signature::Verifier as _;
        let signature = DerSignature::try_from(signature);
        signature.is_ok_and(|it| self.0.verifying_key().verify(&encoded(IN_TOTO, payload), &it).is_ok())
    }

    /// Whether a signature over plain bytes is its own.
    pub fn made_plain(&self, message: &[u8], signature: &[u8]) -> bool {
        use p256::ecdsa::signature::Verifier as _;
        let signature = DerSignature::try_from(signature);
        signature.is_ok_and(|it| self.0.verifying_key().verify(message, &it).is_ok())
    }

    /// A bundle around a statement.
    pub fn bundle(&self, statement: &Value) -> Vec<u8> {
        self.bundle_of(IN_TOTO, statement.to_string().as_bytes())
    }

    /// A bundle around any payload.
    pub fn bundle_of(&self, payload_type: &str, payload: &[u8]) -> Vec<u8> {
        let signature: DerSignature = self.0.sign(&encoded(payload_type, payload));
        bundle(payload_type, payload, signature.as_bytes(), &self.hint())
    }
}

/// A bundle of these parts, whether they fit or not.
pub fn bundle(payload_type: &str, payload: &[u8], signature: &[u8], hint: &str) -> Vec<u8> {
    let envelope = json!({
        "payload": STANDARD.encode(payload),
        "payloadType": payload_type,
        "signatures": [{ "sig": STANDARD.encode(signature) }],
    });
    let material = json!({ "publicKey": { "hint": hint } });
    let bundle =
        json!({ "dsseEnvelope": envelope, "mediaType": BUNDLE_TYPE, "verificationMaterial": material });
    bundle.to_string().into_bytes()
}

/// A statement about digests.
pub fn statement(kind: &str, subjects: &[&str], predicate: &Value) -> Value {
    let subject = |digest: &&str| {
        let hex = digest.strip_prefix("sha256:").expect("a digest");
        json!({ "name": "made", "digest": { "sha256": hex } })
    };
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects.iter().map(subject).collect::<Vec<_>>(),
        "predicateType": kind,
        "predicate": predicate,
    })
}

/// What DSSE signs: `DSSEv1`, and type and payload with their lengths.
fn encoded(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

fn pem(label: &str, der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let lines: Vec<&str> =
        base64.as_bytes().chunks(64).map(|line| str::from_utf8(line).expect("ASCII")).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
