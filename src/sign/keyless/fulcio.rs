//! Asking a certificate authority for a certificate (Fulcio, `POST /api/v2/signingCert`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::Checked;
use super::authority::Roots;
use super::certificate::Certificate;
use super::service::Service;
use super::token::Token;
use crate::canon;
use crate::diag::Result;
use crate::host;
use crate::sign::{PrivateKey, pem};

/// A certificate for the public key of `key`, for whom the token names; it is good now.
pub(super) fn certificate(
    service: &Service,
    token: &Token,
    key: &PrivateKey,
    roots: &Roots,
) -> Result<Certificate> {
    let public = key.public();
    // That the key is ours is shown by signing the name that the token has.
    let proof = STANDARD.encode(key.sign_parts(&[token.subject.as_bytes()]));
    let ask = json!({
        "credentials": { "oidcIdentityToken": *token.text },
        "publicKeyRequest": {
            "publicKey": { "algorithm": "ECDSA", "content": public.to_pem() },
            "proofOfPossession": proof,
        },
    });
    let body = Zeroizing::new(canon::to_json(&ask));
    let said = service.post("/api/v2/signingCert", "application/json", &body, &[200, 201])?;
    let leaf = read(&said.bytes).map_err(|why| service.lied(why))?;
    if leaf.spki != public.spki_der() {
        return Err(service.lied("a certificate for another key").into());
    }
    let now = host::now();
    if leaf.until <= now {
        return Err(service.lied(format!("a certificate that ended at {}", leaf.until)).into());
    }
    // The service's clock may be ahead of ours; what counts in the end is the log's or a third one's.
    roots.vouch(&leaf, now.max(leaf.from)).map_err(|why| service.lied(why))?;
    Ok(leaf)
}

/// The signer's own certificate: those above it are the trusted root's to know.
fn read(answer: &[u8]) -> Checked<Certificate> {
    let answer: Value = serde_json::from_slice(answer).map_err(|_| "an answer that is no JSON")?;
    let own = ["signedCertificateEmbeddedSct", "signedCertificateDetachedSct"]
        .iter()
        .find_map(|kind| answer.get(*kind)?.pointer("/chain/certificates/0")?.as_str());
    let blocks = pem::blocks(own.unwrap_or_default())?;
    let block = blocks.first().filter(|block| block.label == "CERTIFICATE");
    Certificate::read(&block.ok_or("an answer without a certificate")?.bytes)
}
