//! Whoever signs: the trait, and the one that holds a key.

use super::{Material, PrivateKey, PublicKey, write_bundle};
use crate::canon;
use crate::diag::Result;

/// Where the private key is while something is made and signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Custody {
    /// In this process, and made by this machine on first use.
    Development,
    /// In this process, read from a file that somebody named.
    Here,
    /// With another program, which may run as another user or ask a device.
    Elsewhere,
    /// It lives for one signing; an identity is vouched for instead.
    Ephemeral,
}

/// Something that signs, by ECDSA over P-256 with SHA-256.
pub trait Signer: Send + Sync {
    /// The public key that its signatures are verified with.
    fn public_key(&self) -> &PublicKey;

    /// The signature (ASN.1 DER) over the parts of a message, one behind the other.
    fn sign_parts(&self, parts: &[&[u8]]) -> Result<Vec<u8>>;

    /// The signature (ASN.1 DER) over a message.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        self.sign_parts(&[message])
    }

    /// Who it is, in words for people: `the key team.key`.
    fn describe(&self) -> String;

    /// Where its key is.
    fn custody(&self) -> Custody {
        Custody::Here
    }

    /// Whether it is this machine's development key, which nobody else has reason to trust.
    fn is_development(&self) -> bool {
        self.custody() == Custody::Development
    }

    /// What names it for as long as it signs with the same key; `None` for one that never does twice.
    fn lasting_identity(&self) -> Option<String> {
        Some(self.public_key().fingerprint().to_string())
    }

    /// The JSON of a Sigstore bundle around the payload. A signer without a lasting key overrides
    /// this, to put a certificate and log entries where the key's hint is.
    fn bundle(&self, payload_type: &str, payload: &[u8]) -> Result<Vec<u8>> {
        let head = canon::pae_head(payload_type, payload.len());
        let signature = self.sign_parts(&[&head, payload])?;
        let material = Material::PublicKey { hint: self.public_key().hint() };
        Ok(write_bundle(payload_type, payload, &signature, &material))
    }
}

/// Signs with a key in memory.
#[derive(Debug)]
pub struct KeySigner {
    key: PrivateKey,
    public: PublicKey,
    name: String,
    development: bool,
}

impl KeySigner {
    /// Signs with `key`, which is called `name` for people.
    pub fn new(key: PrivateKey, name: impl Into<String>) -> Self {
        Self { public: key.public(), key, name: name.into(), development: false }
    }

    pub(super) fn development(key: PrivateKey, name: String) -> Self {
        Self { development: true, ..Self::new(key, name) }
    }
}

impl Signer for KeySigner {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign_parts(&self, parts: &[&[u8]]) -> Result<Vec<u8>> {
        Ok(self.key.sign_parts(parts))
    }

    fn describe(&self) -> String {
        self.name.clone()
    }

    fn custody(&self) -> Custody {
        if self.development { Custody::Development } else { Custody::Here }
    }
}
