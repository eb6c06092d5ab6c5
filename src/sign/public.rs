//! Public keys, and whether a signature is theirs.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use p256::ecdsa::{DerSignature, VerifyingKey};
use pkcs8::spki::{EncodePublicKey as _, SubjectPublicKeyInfoRef};
use pkcs8::{AlgorithmIdentifierRef, ObjectIdentifier};
use sha2::Digest as _;

use super::pem;
use crate::diag::{Problem, Result, codes};
use crate::ident::Sha256;

/// A P-256 public key.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    key: VerifyingKey,
    der: Vec<u8>,
}

impl PublicKey {
    pub(super) fn new(key: VerifyingKey) -> Self {
        let der = key.to_public_key_der().expect("a key has a DER form").into_vec();
        Self { key, der }
    }

    /// Reads a PEM text (`PUBLIC KEY`).
    pub fn from_pem(text: &str) -> Result<Self> {
        let blocks = pem::blocks(text).map_err(bad_key)?;
        match &blocks[..] {
            [] => Err(bad_key("text without a key in it").into()),
            [one] if one.label == "PUBLIC KEY" => Self::from_spki_der(&one.bytes),
            [one, ..] if one.label.contains("PRIVATE KEY") => {
                Err(bad_key("a private key").help("`hardpan keys show FILE` prints its public key").into())
            }
            [one] => Err(bad_key(format!("`{}`", one.label.escape_debug())).into()),
            more => Err(bad_key(format!("{} keys in one file", more.len())).into()),
        }
    }

    /// Reads a subject public key info (RFC 5280).
    pub fn from_spki_der(der: &[u8]) -> Result<Self> {
        let info = SubjectPublicKeyInfoRef::try_from(der).map_err(|_| bad_key("bytes that are no key"))?;
        let what = algorithm(&info.algorithm);
        if what != P256 {
            return Err(bad_key(what).into());
        }
        let key = VerifyingKey::try_from(info).map_err(|_| bad_key("a point that is not on the curve"))?;
        Ok(Self::new(key))
    }

    /// The PEM text, as cosign and openssl write it.
    pub fn to_pem(&self) -> String {
        pem::write("PUBLIC KEY", &self.der)
    }

    /// The subject public key info (RFC 5280), its point not compressed.
    pub fn spki_der(&self) -> &[u8] {
        &self.der
    }

    /// SHA-256 of the subject public key info.
    pub fn fingerprint(&self) -> Sha256 {
        Sha256::of(&self.der)
    }

    /// What a bundle calls the key: base64 of the fingerprint, as cosign does.
    pub fn hint(&self) -> String {
        STANDARD.encode(self.fingerprint().0)
    }

    /// Whether `signature` (ASN.1 DER) is this key's over `message`.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.verify_parts(&[message], signature)
    }

    /// Whether `signature` is this key's over the parts, one behind the other.
    pub fn verify_parts(&self, parts: &[&[u8]], signature: &[u8]) -> bool {
        DerSignature::from_bytes(signature)
            .is_ok_and(|signature| self.key.verify_prehash(&digest(parts), &signature).is_ok())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.fingerprint())
    }
}

/// SHA-256 of the parts, one behind the other.
pub(super) fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = sha2::Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// A key that can't be used, and what it is instead.
pub(super) fn bad_key(found: impl ToString) -> Problem {
    Problem::new(codes::BAD_KEY, "the key can't be used").found(found).expected("a P-256 key")
}

/// What [`algorithm`] says of the keys that we use.
pub(super) const P256: &str = "a P-256 key";

/// The kind of a key, in words.
pub(super) fn algorithm(id: &AlgorithmIdentifierRef<'_>) -> String {
    let curve = id.parameters.and_then(|any| any.decode_as::<ObjectIdentifier>().ok());
    match id.oid.to_string().as_str() {
        "1.2.840.10045.2.1" => curve_name(curve),
        "1.2.840.113549.1.1.1" | "1.2.840.113549.1.1.10" => "an RSA key".to_owned(),
        "1.3.101.112" => "an Ed25519 key".to_owned(),
        "1.3.101.113" => "an Ed448 key".to_owned(),
        "2.16.840.1.101.3.4.3.17" | "2.16.840.1.101.3.4.3.18" | "2.16.840.1.101.3.4.3.19" => {
            "an ML-DSA key".to_owned()
        }
        other => format!("a key of the kind {other}"),
    }
}

/// An elliptic curve, in words.
pub(super) fn curve_name(curve: Option<ObjectIdentifier>) -> String {
    let curve = curve.map(|curve| curve.to_string());
    match curve.as_deref() {
        Some("1.2.840.10045.3.1.7") => P256.to_owned(),
        Some("1.3.132.0.33") => "a P-224 key".to_owned(),
        Some("1.3.132.0.34") => "a P-384 key".to_owned(),
        Some("1.3.132.0.35") => "a P-521 key".to_owned(),
        Some("1.3.132.0.10") => "a secp256k1 key".to_owned(),
        Some(other) => format!("a key on the curve {other}"),
        None => "a key on a curve without a name".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::private::tests::key;
    use super::*;

    #[test]
    fn a_key_reads_back_from_pem_and_its_hint_is_of_its_der() {
        let public = key(1).public();
        assert_eq!(PublicKey::from_pem(&public.to_pem()), Ok(public.clone()));
        assert_eq!(public.spki_der().len(), 91);
        assert_eq!(public.hint(), STANDARD.encode(Sha256::of(public.spki_der()).0));
        assert_ne!(public, key(2).public());
    }

    #[test]
    fn foreign_keys_are_named() {
        let spki = |algorithm: &str| {
            // SEQUENCE { SEQUENCE { OBJECT IDENTIFIER … }, BIT STRING }
            let oid = ObjectIdentifier::new(algorithm).expect("one");
            let oid = oid.as_bytes();
            let length = |length: usize| u8::try_from(length).expect("short");
            let mut der =
                vec![0x30, length(oid.len() + 8), 0x30, length(oid.len() + 2), 6, length(oid.len())];
            der.extend(oid);
            der.extend([3, 2, 0, 1]);
            pem::write("PUBLIC KEY", &der)
        };
        for (oid, name) in [
            ("1.2.840.113549.1.1.1", "an RSA key"),
            ("1.3.101.112", "an Ed25519 key"),
            ("1.2.840.10045.2.1", "without a name"),
            ("1.2.3", "the kind 1.2.3"),
        ] {
            let failure = PublicKey::from_pem(&spki(oid)).expect_err("foreign");
            assert!(failure.is(codes::BAD_KEY));
            assert!(failure.problems()[0].facts[0].1.contains(name), "{failure:?}");
        }
    }

    #[test]
    fn what_is_no_public_key_is_refused() {
        let two = key(1).public().to_pem() + &key(2).public().to_pem();
        let private = pem::write("PRIVATE KEY", b"x");
        for text in
            ["", "x", &two, &private, &pem::write("CERTIFICATE", b"x"), &pem::write("PUBLIC KEY", b"x")]
        {
            assert!(PublicKey::from_pem(text).expect_err("none").is(codes::BAD_KEY), "{text}");
        }
        let mut der = key(1).public().spki_der().to_vec();
        *der.last_mut().expect("long") ^= 1;
        assert!(PublicKey::from_spki_der(&der).is_err(), "a point beside the curve");
    }
}
