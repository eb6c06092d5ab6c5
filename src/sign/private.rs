//! Private keys.

use std::fmt;

use p256::ecdsa::signature::hazmat::PrehashSigner as _;
use p256::ecdsa::{DerSignature, SigningKey};
use pkcs8::EncodePrivateKey as _;
use zeroize::Zeroizing;

use super::PublicKey;
use super::public::digest;
use crate::diag::Result;
use crate::host;

/// A P-256 private key. It is wiped when dropped, and not shown.
pub struct PrivateKey(SigningKey);

impl PrivateKey {
    /// A new one.
    pub fn generate() -> Result<Self> {
        loop {
            let mut scalar = Zeroizing::new([0; 32]);
            host::random(&mut *scalar)?;
            // All but one in 2^32 are below the order of the curve.
            if let Some(key) = Self::from_scalar(&scalar) {
                return Ok(key);
            }
        }
    }

    /// The key of a scalar, big-endian; `None` if it is 0 or not below the order of the curve.
    pub fn from_scalar(scalar: &[u8; 32]) -> Option<Self> {
        SigningKey::from_slice(scalar).ok().map(Self)
    }

    pub(super) fn new(key: SigningKey) -> Self {
        Self(key)
    }

    /// Its public key.
    pub fn public(&self) -> PublicKey {
        PublicKey::new(*self.0.verifying_key())
    }

    /// The signature (ASN.1 DER) over the parts, one behind the other: the same each time (RFC 6979).
    pub fn sign_parts(&self, parts: &[&[u8]]) -> Vec<u8> {
        let signature: DerSignature =
            self.0.sign_prehash(&digest(parts)).expect("a digest of 32 bytes can be signed");
        signature.as_bytes().to_vec()
    }

    /// PKCS#8, not encrypted.
    pub(super) fn to_pkcs8(&self) -> Zeroizing<Vec<u8>> {
        self.0.to_pkcs8_der().expect("a key has a DER form").to_bytes()
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey(of {})", self.public().fingerprint())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A key for tests.
    pub(in super::super) fn key(number: u8) -> PrivateKey {
        PrivateKey::from_scalar(&[number; 32]).expect("small enough")
    }

    #[test]
    fn a_signature_is_the_same_each_time_and_only_over_its_message() {
        let key = key(1);
        let signature = key.sign_parts(&[b"mess", b"age"]);
        assert_eq!(signature, key.sign_parts(&[b"message"]));
        assert!(key.public().verify(b"message", &signature));
        assert!(!key.public().verify(b"messagf", &signature));
        assert!(!super::tests::key(2).public().verify(b"message", &signature));
    }

    #[test]
    fn the_published_signature_of_a_published_key_comes_out() {
        // RFC 6979, A.2.5, P-256 with SHA-256, message "sample".
        let scalar = "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721";
        let hex = |text: &str| -> Vec<u8> {
            (0..32).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).expect("hex")).collect()
        };
        let key = PrivateKey::from_scalar(&hex(scalar).try_into().expect("32 bytes")).expect("a key");
        let signature = key.sign_parts(&[b"sample"]);
        let r = hex("EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716");
        let s = hex("F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8");
        assert!(signature.windows(32).any(|window| window == r));
        assert!(signature.windows(32).any(|window| window == s));
    }

    #[test]
    fn impossible_scalars_are_none_and_new_keys_differ() {
        assert!(PrivateKey::from_scalar(&[0; 32]).is_none());
        assert!(PrivateKey::from_scalar(&[0xff; 32]).is_none());
        let (a, b) = (PrivateKey::generate().expect("random"), PrivateKey::generate().expect("random"));
        assert_ne!(a.public(), b.public());
    }

    #[test]
    fn a_key_is_not_shown() {
        let shown = format!("{:?}", key(7));
        assert!(shown.contains("of ") && !shown.contains("0707"), "{shown}");
    }
}
