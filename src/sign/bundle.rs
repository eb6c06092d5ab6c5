//! Sigstore bundles that hold a DSSE envelope (Sigstore protobuf specifications, `sigstore_bundle.proto`,
//! versions 0.1 to 0.3; DSSE v1.0, envelope.md).
//!
//! ```text
//! {"dsseEnvelope": {"payload": base64, "payloadType": "…", "signatures": [{"sig": base64}]},
//!  "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
//!  "verificationMaterial": {"publicKey": {"hint": base64(sha256(key))}}}
//! ```
//!
//! Written canonically, so that one payload and one signature are one byte string. Read strictly: a
//! field that is not known, given twice or not whole is an error, and exactly one signature counts.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use super::PublicKey;
use crate::canon;
use crate::diag::{Problem, Result, codes};

/// The media type that we write.
pub const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// How the media types of all versions begin.
pub const BUNDLE_FAMILY: &str = "application/vnd.dev.sigstore.bundle";

/// What we read.
const READ: [&str; 4] = [
    BUNDLE,
    "application/vnd.dev.sigstore.bundle+json;version=0.3",
    "application/vnd.dev.sigstore.bundle+json;version=0.2",
    "application/vnd.dev.sigstore.bundle+json;version=0.1",
];

/// What a bundle offers to verify its signature with.
#[derive(Debug, Clone, PartialEq)]
pub enum Material {
    /// A key that the verifier has.
    PublicKey {
        /// What the key is called ([`PublicKey::hint`]); may be empty.
        hint: String,
    },
    /// A certificate for one signing, and who saw it.
    Certificate {
        /// DER, the signer's own first.
        chain: Vec<Vec<u8>>,
        /// Entries of transparency logs, as they stand in the bundle.
        log_entries: Vec<Value>,
        /// Timestamps, as they stand in the bundle.
        timestamps: Option<Value>,
    },
}

/// A bundle that reads. Nothing in it is believed before [`Bundle::verify`].
#[derive(Clone, PartialEq)]
pub struct Bundle {
    payload_type: String,
    payload: Vec<u8>,
    signature: Vec<u8>,
    material: Material,
}

/// Whose signature a bundle bears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedBy {
    /// The key.
    pub key: PublicKey,
    /// Its place among those that were tried.
    pub index: usize,
}

/// The JSON of a bundle.
pub fn write_bundle(payload_type: &str, payload: &[u8], signature: &[u8], material: &Material) -> Vec<u8> {
    let bundle = [
        ("dsseEnvelope", envelope(payload_type, payload, json!({ "sig": STANDARD.encode(signature) }))),
        ("mediaType", BUNDLE.into()),
        ("verificationMaterial", material_json(material)),
    ];
    canon::sorted_to_json(&object(bundle))
}

/// The JSON of a DSSE envelope alone, with the fields that it must have.
#[cfg(feature = "keyless")]
pub(super) fn write_envelope(payload_type: &str, payload: &[u8], signature: &[u8]) -> Vec<u8> {
    canon::to_json(&envelope(payload_type, payload, json!({ "sig": STANDARD.encode(signature) })))
}

/// Moves values into an object: a payload of many megabytes is not copied, as `json!` would.
fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn envelope(payload_type: &str, payload: &[u8], signature: Value) -> Value {
    object([
        ("payload", STANDARD.encode(payload).into()),
        ("payloadType", payload_type.into()),
        ("signatures", vec![signature].into()),
    ])
}

fn material_json(material: &Material) -> Value {
    match material {
        Material::PublicKey { hint } if hint.is_empty() => json!({ "publicKey": {} }),
        Material::PublicKey { hint } => json!({ "publicKey": { "hint": hint } }),
        Material::Certificate { chain, log_entries, timestamps } => {
            // From version 0.3 on a bundle holds the signer's own certificate only.
            let own = chain.first().map(|der| STANDARD.encode(der));
            let mut fields = Map::new();
            fields.insert("certificate".into(), json!({ "rawBytes": own }));
            if !log_entries.is_empty() {
                fields.insert("tlogEntries".into(), log_entries.clone().into());
            }
            if let Some(timestamps) = timestamps {
                fields.insert("timestampVerificationData".into(), timestamps.clone());
            }
            fields.into()
        }
    }
}

impl Bundle {
    /// Reads a bundle.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let wire: Wire = serde_json::from_slice(bytes).map_err(bad)?;
        if !READ.contains(&wire.media_type.as_str()) {
            let found: String = wire.media_type.chars().take(200).flat_map(char::escape_debug).collect();
            return Err(bad(format!("the media type `{found}`")).expected(BUNDLE).into());
        }
        if wire.message_signature.is_some() {
            return Err(Problem::new(codes::BAD_BUNDLE, "the bundle is not an attestation")
                .found("a signature over a file (`messageSignature`)")
                .expected("a signed statement (`dsseEnvelope`)")
                .into());
        }
        let envelope = wire.envelope.ok_or_else(|| bad("no `dsseEnvelope`"))?;
        let [signature] = <[WireSignature; 1]>::try_from(envelope.signatures).map_err(|signatures| {
            bad(format!("{} signatures", signatures.len())).expected("one signature")
        })?;
        Ok(Self {
            payload_type: envelope.payload_type,
            payload: envelope.payload.0,
            signature: signature.sig.0,
            material: wire.material.read()?,
        })
    }

    /// What the payload is.
    pub fn payload_type(&self) -> &str {
        &self.payload_type
    }

    /// What is signed.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The payload itself.
    pub fn into_payload(self) -> Vec<u8> {
        self.payload
    }

    /// The signature (ASN.1 DER).
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// What it offers to verify with.
    pub fn material(&self) -> &Material {
        &self.material
    }

    /// The DSSE envelope alone, as cosign's older form keeps it.
    pub fn envelope(&self) -> Vec<u8> {
        let signature = json!({ "keyid": "", "sig": STANDARD.encode(&self.signature) });
        canon::sorted_to_json(&envelope(&self.payload_type, &self.payload, signature))
    }

    /// Which of `keys` signed the payload as what it says to be. A bundle that names a key is signed by
    /// that one or not at all.
    pub fn verify(&self, keys: &[PublicKey]) -> Result<VerifiedBy> {
        let Material::PublicKey { hint } = &self.material else {
            return Err(unsigned(keys).found("a signature by a certificate").into());
        };
        let head = canon::pae_head(&self.payload_type, self.payload.len());
        let parts = [&*head, &self.payload];
        let named = |key: &PublicKey| hint.is_empty() || key.hint() == *hint;
        let mut candidates = keys.iter().enumerate().filter(|(_, key)| named(key)).peekable();
        let any = candidates.peek().is_some();
        if let Some((index, key)) = candidates.find(|(_, key)| key.verify_parts(&parts, &self.signature)) {
            return Ok(VerifiedBy { key: key.clone(), index });
        }
        let shown: String = hint.chars().take(100).flat_map(char::escape_debug).collect();
        let found = match (any, hint.is_empty()) {
            (true, false) => format!("a signature under the name of {shown} that its key did not make"),
            (false, false) => format!("a signature by another key, {shown}"),
            (_, true) => "a signature by a key that is not named".to_owned(),
        };
        Err(unsigned(keys).found(found).into())
    }
}

impl fmt::Debug for Bundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bundle({}, {} bytes)", self.payload_type, self.payload.len())
    }
}

fn bad(found: impl ToString) -> Problem {
    Problem::new(codes::BAD_BUNDLE, "the bundle does not read as one").found(found)
}

fn unsigned(keys: &[PublicKey]) -> Problem {
    let keys: Vec<String> =
        keys.iter().map(|key| format!("{} (sha256 {})", key.hint(), key.fingerprint())).collect();
    let keys = if keys.is_empty() { "no key is trusted".to_owned() } else { keys.join(", ") };
    Problem::new(codes::NOT_SIGNED, "the bundle is not signed by a trusted key")
        .expected(format!("a signature by {keys}"))
        .help("name the public key of who signed it: `--key FILE`")
}

/// Bytes, in base64 with padding.
struct Base64(Vec<u8>);

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        STANDARD.decode(&*text).map(Self).map_err(|_| serde::de::Error::custom("bytes that are not base64"))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Wire {
    media_type: String,
    #[serde(rename = "verificationMaterial")]
    material: WireMaterial,
    #[serde(rename = "dsseEnvelope")]
    envelope: Option<WireEnvelope>,
    message_signature: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WireEnvelope {
    payload: Base64,
    payload_type: String,
    signatures: Vec<WireSignature>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSignature {
    sig: Base64,
    #[serde(default, rename = "keyid")]
    _keyid: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WireMaterial {
    public_key: Option<WireKey>,
    certificate: Option<WireCertificate>,
    #[serde(rename = "x509CertificateChain")]
    chain: Option<WireChain>,
    #[serde(default)]
    tlog_entries: Vec<Value>,
    timestamp_verification_data: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireKey {
    #[serde(default)]
    hint: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WireCertificate {
    raw_bytes: Base64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireChain {
    certificates: Vec<WireCertificate>,
}

impl WireMaterial {
    fn read(self) -> Result<Material> {
        let chain = match (self.public_key, self.certificate, self.chain) {
            (Some(key), None, None) => return Ok(Material::PublicKey { hint: key.hint }),
            (None, Some(own), None) => vec![own],
            (None, None, Some(chain)) if !chain.certificates.is_empty() => chain.certificates,
            _ => return Err(bad("not exactly one of key and certificate to verify it with").into()),
        };
        Ok(Material::Certificate {
            chain: chain.into_iter().map(|certificate| certificate.raw_bytes.0).collect(),
            log_entries: self.tlog_entries,
            timestamps: self.timestamp_verification_data,
        })
    }
}

#[cfg(test)]
mod tests;
