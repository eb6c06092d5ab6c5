//! Entries of transparency logs (Rekor), in the form that bundles hold them.
//!
//! Two kinds are known: `dsse` 0.0.1 (Rekor v1), which holds hashes of the envelope and its payload, the
//! signature and the certificate; and `hashedrekord` 0.0.2 (Rekor v2), which holds the hash that was
//! signed, the signature and the certificate, and so has one possible form only.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::authority::Log;
use super::certificate::Certificate;
use super::{Checked, checkpoint, merkle};
use crate::canon;
use crate::ident::{Epoch, Sha256};
use crate::sign::pem;
use crate::sign::public::digest;

/// What was signed, and by which certificate's key.
pub(super) struct Envelope<'a> {
    pub payload_type: &'a str,
    pub payload: &'a [u8],
    pub signature: &'a [u8],
    pub leaf: &'a Certificate,
}

/// An entry that reads.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    #[serde(default, deserialize_with = "number")]
    log_index: i64,
    log_id: LogId,
    kind_version: Kind,
    #[serde(default, deserialize_with = "number")]
    integrated_time: i64,
    inclusion_promise: Option<Promise>,
    inclusion_proof: Proof,
    canonicalized_body: Bytes,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogId {
    key_id: Bytes,
}

#[derive(Debug, Deserialize)]
struct Kind {
    kind: String,
    version: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Promise {
    signed_entry_timestamp: Bytes,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Proof {
    #[serde(default, deserialize_with = "number")]
    log_index: i64,
    root_hash: Bytes,
    #[serde(deserialize_with = "number")]
    tree_size: i64,
    #[serde(default)]
    hashes: Vec<Bytes>,
    checkpoint: Checkpoint,
}

#[derive(Debug, Deserialize)]
struct Checkpoint {
    envelope: String,
}

/// Base64.
#[derive(Debug)]
struct Bytes(Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map(Self).map_err(|_| serde::de::Error::custom("bytes that are not base64"))
    }
}

/// A number, which this kind of JSON writes as text.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let number = match Value::deserialize(deserializer)? {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.as_i64(),
        _ => None,
    };
    number.filter(|number| *number >= 0).ok_or_else(|| serde::de::Error::custom("what is no number"))
}

impl Entry {
    pub(super) fn read(value: &Value) -> Checked<Self> {
        Self::deserialize(value).map_err(|error| format!("a log entry that does not read: {error}"))
    }

    /// What it calls its log.
    pub(super) fn log(&self) -> &[u8] {
        &self.log_id.key_id.0
    }

    /// Whether the log really has this entry, and it is about this envelope; with the time at which the
    /// log says, signed, that it took it in.
    pub(super) fn verify(&self, log: &Log, envelope: &Envelope<'_>) -> Checked<Option<Epoch>> {
        self.covers(envelope)?;
        self.included(log)?;
        let Some(promise) = &self.inclusion_promise else { return Ok(None) };
        let said = json!({
            "body": STANDARD.encode(&self.canonicalized_body.0),
            "integratedTime": self.integrated_time,
            "logID": hex(self.log()),
            "logIndex": self.log_index,
        });
        if !log.key.signed(&canon::to_json(&said), &promise.signed_entry_timestamp.0) {
            return Err("a signed entry timestamp that the log did not sign".to_owned());
        }
        Ok((self.integrated_time > 0).then_some(Epoch(self.integrated_time)))
    }

    fn included(&self, log: &Log) -> Checked<()> {
        let proof = &self.inclusion_proof;
        let (size, root) = checkpoint::open(&proof.checkpoint.envelope, &log.key)?;
        if root[..] != proof.root_hash.0 || u64::try_from(proof.tree_size) != Ok(size) {
            return Err("a proof of inclusion for another tree than the checkpoint's".to_owned());
        }
        let hashes: Option<Vec<merkle::Hash>> =
            proof.hashes.iter().map(|hash| hash.0[..].try_into().ok()).collect();
        let leaf = merkle::leaf(&self.canonicalized_body.0);
        let index = u64::try_from(proof.log_index).unwrap_or(u64::MAX);
        let reached = hashes.and_then(|hashes| merkle::root(index, size, leaf, &hashes));
        if reached == Some(root) { Ok(()) } else { Err("a proof of inclusion that does not hold".to_owned()) }
    }

    fn covers(&self, envelope: &Envelope<'_>) -> Checked<()> {
        let body = &self.canonicalized_body.0;
        let covers = match (self.kind_version.kind.as_str(), self.kind_version.version.as_str()) {
            ("dsse", "0.0.1") => covers_dsse(body, envelope),
            ("hashedrekord", "0.0.2") => *body == hashed(envelope),
            (kind, version) => {
                let shown = format!("{kind} {version}").escape_debug().to_string();
                return Err(format!("a log entry of the kind {shown}, which hardpan does not know"));
            }
        };
        if covers { Ok(()) } else { Err("a log entry about something else".to_owned()) }
    }

    /// The hash of the whole envelope, as a `dsse` entry has it.
    pub(super) fn envelope_hash(&self) -> Option<String> {
        let body: Value = serde_json::from_slice(&self.canonicalized_body.0).ok()?;
        body.pointer("/spec/envelopeHash/value")?.as_str().map(str::to_owned)
    }
}

/// `payloadHash` and `signatures` of Rekor's `dsse` 0.0.1. The envelope's own hash depends on how its
/// JSON was written, and says nothing that these don't.
fn covers_dsse(body: &[u8], envelope: &Envelope<'_>) -> bool {
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return false };
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
    let payload = Sha256::of(envelope.payload).to_string();
    let certificate = |base64: &str| {
        let pem = String::from_utf8(STANDARD.decode(base64).ok()?).ok()?;
        Some(pem::blocks(&pem).ok()?.first()?.bytes.to_vec())
    };
    text("/kind") == Some("dsse")
        && text("/apiVersion") == Some("0.0.1")
        && text("/spec/payloadHash/algorithm") == Some("sha256")
        && text("/spec/payloadHash/value") == Some(&payload)
        && body.pointer("/spec/signatures").and_then(Value::as_array).is_some_and(|all| all.len() == 1)
        && text("/spec/signatures/0/signature") == Some(&STANDARD.encode(envelope.signature))
        && text("/spec/signatures/0/verifier").and_then(certificate).as_ref() == Some(&envelope.leaf.der)
}

/// The signature that a `hashedrekord` 0.0.2 holds, and that is sent to have one made.
pub(super) fn hashed_signature(envelope: &Envelope<'_>) -> Value {
    json!({
        "content": STANDARD.encode(envelope.signature),
        "verifier": {
            "keyDetails": "PKIX_ECDSA_P256_SHA_256",
            "x509Certificate": { "rawBytes": STANDARD.encode(&envelope.leaf.der) },
        },
    })
}

/// The hash that was signed.
pub(super) fn signed_digest(envelope: &Envelope<'_>) -> String {
    let head = canon::pae_head(envelope.payload_type, envelope.payload.len());
    STANDARD.encode(digest(&[&head, envelope.payload]))
}

/// The one body that a `hashedrekord` 0.0.2 about an envelope has.
fn hashed(envelope: &Envelope<'_>) -> Vec<u8> {
    let data = json!({ "algorithm": "SHA2_256", "digest": signed_digest(envelope) });
    let record = json!({ "data": data, "signature": hashed_signature(envelope) });
    let spec = json!({ "hashedRekordV002": record });
    canon::to_json(&json!({ "apiVersion": "0.0.2", "kind": "hashedrekord", "spec": spec }))
}

/// Lower-case digits.
fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
