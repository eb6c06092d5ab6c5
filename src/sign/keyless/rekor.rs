//! Putting a signature into a transparency log, and asking a clock for the time of it.
//!
//! ```text
//! v1  POST /api/v1/log/entries  kind dsse 0.0.1, with the envelope; 409: it is there, at Location
//! v2  POST /api/v2/log/entries  hashedRekordRequestV002, with the hash that was signed
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Checked;
use super::authority::Roots;
use super::config::LogVersion;
use super::entry::{Entry, Envelope, hashed_signature, signed_digest};
use super::service::{Said, Service};
use super::stamp::{Stamp, request};
use crate::canon;
use crate::diag::Result;
use crate::host;
use crate::ident::Sha256;
use crate::sign::pem;

const V1: &str = "/api/v1/log/entries";
const V2: &str = "/api/v2/log/entries";
const JSON: &str = "application/json";

/// The entry of a signature, in the form that bundles hold; `written` is the envelope's JSON.
pub(super) fn enter(
    service: &Service,
    version: LogVersion,
    envelope: &Envelope<'_>,
    written: &[u8],
) -> Result<Value> {
    match version {
        LogVersion::One => enter_v1(service, envelope, written),
        LogVersion::Two => enter_v2(service, envelope),
    }
}

fn enter_v2(service: &Service, envelope: &Envelope<'_>) -> Result<Value> {
    let record = json!({ "digest": signed_digest(envelope), "signature": hashed_signature(envelope) });
    let ask = canon::to_json(&json!({ "hashedRekordRequestV002": record }));
    let said = service.post(V2, JSON, &ask, &[200, 201])?;
    let answer: Value =
        serde_json::from_slice(&said.bytes).map_err(|_| service.lied("an answer that is no JSON"))?;
    Ok(known(&answer))
}

/// What bundles have of an entry. Readers of bundles refuse what they don't know.
fn known(entry: &Value) -> Value {
    const FIELDS: [&str; 6] =
        ["canonicalizedBody", "inclusionPromise", "inclusionProof", "kindVersion", "logId", "logIndex"];
    let fields = FIELDS.iter().filter_map(|name| Some(((*name).to_owned(), entry.get(*name)?.clone())));
    Value::Object(fields.filter(|(_, value)| !value.is_null()).collect())
}

fn enter_v1(service: &Service, envelope: &Envelope<'_>, written: &[u8]) -> Result<Value> {
    let verifier = STANDARD.encode(pem::write("CERTIFICATE", &envelope.leaf.der));
    let proposed = json!({ "envelope": String::from_utf8_lossy(written), "verifiers": [verifier] });
    let spec = json!({ "proposedContent": proposed });
    let ask = canon::to_json(&json!({ "apiVersion": "0.0.1", "kind": "dsse", "spec": spec }));
    let said = service.post(V1, JSON, &ask, &[200, 201, 409])?;
    let bytes = if said.status == 409 { there_already(service, &said)? } else { said.bytes };
    let value = convert(&bytes).map_err(|why| service.lied(why))?;
    let entry = Entry::read(&value).map_err(|why| service.lied(why))?;
    // Who verifies later can't know how the envelope was written; we do.
    if entry.envelope_hash().as_ref() != Some(&Sha256::of(written).to_string()) {
        return Err(service.lied("a log entry about something else").into());
    }
    Ok(value)
}

/// The entry that a log says it has already. Only the entry's name is taken from where it points.
fn there_already(service: &Service, said: &Said) -> Result<Vec<u8>> {
    let name = said.location.as_deref().and_then(|location| location.rsplit('/').next());
    let name = name.filter(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let name = name.ok_or_else(|| service.lied("an entry that is there already, without its name"))?;
    service.get(&format!("{V1}/{name}"), "")
}

/// Rekor v1's own form of an entry to the one of bundles.
fn convert(bytes: &[u8]) -> Checked<Value> {
    let answer: Value = serde_json::from_slice(bytes).map_err(|_| "an answer that is no JSON")?;
    let entries = answer.as_object().filter(|entries| entries.len() == 1);
    let entry = entries.and_then(|entries| entries.values().next()).ok_or("an answer without one entry")?;
    let there = |pointer: &str| entry.pointer(pointer).ok_or_else(|| format!("an entry without `{pointer}`"));
    let text = |pointer: &str| there(pointer)?.as_str().ok_or_else(|| format!("no text at `{pointer}`"));
    let number = |pointer: &str| {
        there(pointer)?
            .as_i64()
            .map(|number| number.to_string())
            .ok_or_else(|| format!("no number at `{pointer}`"))
    };
    let body = STANDARD.decode(text("/body")?).ok();
    let body: Option<Value> = body.and_then(|body| serde_json::from_slice(&body).ok());
    let body = body.ok_or("an entry whose body does not read")?;
    let hashes = there("/verification/inclusionProof/hashes")?.as_array().into_iter().flatten();
    let hashes = hashes.map(|hash| from_hex(hash.as_str().unwrap_or("no text")));
    Ok(json!({
        "logIndex": number("/logIndex")?,
        "logId": { "keyId": from_hex(text("/logID")?)? },
        "kindVersion": { "kind": body.get("kind"), "version": body.get("apiVersion") },
        "integratedTime": number("/integratedTime")?,
        "inclusionPromise": { "signedEntryTimestamp": text("/verification/signedEntryTimestamp")? },
        "inclusionProof": {
            "logIndex": number("/verification/inclusionProof/logIndex")?,
            "rootHash": from_hex(text("/verification/inclusionProof/rootHash")?)?,
            "treeSize": number("/verification/inclusionProof/treeSize")?,
            "hashes": hashes.collect::<Checked<Vec<String>>>()?,
            "checkpoint": { "envelope": text("/verification/inclusionProof/checkpoint")? },
        },
        "canonicalizedBody": text("/body")?,
    }))
}

/// Digits to base64.
fn from_hex(text: &str) -> Checked<String> {
    let pair = |at: usize| text.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    let bytes: Option<Vec<u8>> = (0..text.len()).step_by(2).map(pair).collect();
    bytes.map(|bytes| STANDARD.encode(bytes)).ok_or_else(|| "a hash that is not hexadecimal".to_owned())
}

/// A timestamp over a signature, as a bundle holds it.
pub(super) fn stamp(service: &Service, signature: &[u8], roots: &Roots) -> Result<Value> {
    let mut nonce = [0; 8];
    host::random(&mut nonce)?;
    // A positive number in its shortest form.
    nonce[0] = nonce[0] & 0x7f | 0x40;
    let said = service.post("", "application/timestamp-query", &request(signature, &nonce), &[200, 201])?;
    let stamp = Stamp::read(&said.bytes).map_err(|why| service.lied(why))?;
    if stamp.nonce != Some(&nonce) {
        return Err(service.lied("a timestamp for another request").into());
    }
    stamp.verify(signature, &roots.clocks).map_err(|why| service.lied(why))?;
    Ok(json!({ "signedTimestamp": STANDARD.encode(&said.bytes) }))
}
