//! Public keys of logs and authorities, of whatever kind they are.

use rustls_pki_types::SignatureVerificationAlgorithm as Algorithm;
use sha2::Digest as _;
use webpki::ring;

use super::Checked;
use super::asn1::{BIT_STRING, SEQUENCE, single};

/// What certificates may be signed with.
pub(super) static CHAINS: &[&dyn Algorithm] = &[
    ring::ECDSA_P256_SHA256,
    ring::ECDSA_P256_SHA384,
    ring::ECDSA_P384_SHA256,
    ring::ECDSA_P384_SHA384,
    ring::ED25519,
    ring::RSA_PKCS1_2048_8192_SHA256,
    ring::RSA_PKCS1_2048_8192_SHA384,
    ring::RSA_PKCS1_2048_8192_SHA512,
];

/// What logs sign with: one way for each kind of key.
static LOGS: &[&dyn Algorithm] =
    &[ring::ECDSA_P256_SHA256, ring::ECDSA_P384_SHA384, ring::ED25519, ring::RSA_PKCS1_2048_8192_SHA256];

/// A key, and the ways in which it may have signed.
#[derive(Debug, Clone)]
pub(super) struct AnyKey {
    point: Vec<u8>,
    ways: Vec<&'static dyn Algorithm>,
}

impl AnyKey {
    /// The key of a log, from a subject public key info.
    pub(super) fn of_log(spki: &[u8]) -> Checked<Self> {
        Self::read(spki, LOGS)
    }

    /// A key that signs in any of these ways.
    pub(super) fn read(spki: &[u8], ways: &[&'static dyn Algorithm]) -> Checked<Self> {
        let mut items = single(spki, SEQUENCE)?.inside();
        let (algorithm, bits) = (items.take(SEQUENCE)?, items.take(BIT_STRING)?);
        let Some((0, point)) = bits.value.split_first() else {
            return Err("a key that does not read".to_owned());
        };
        let fits = |way: &&dyn Algorithm| way.public_key_alg_id().as_ref() == algorithm.value;
        let ways: Vec<_> = ways.iter().copied().filter(fits).collect();
        if ways.is_empty() {
            return Err("a key of a kind that hardpan does not know".to_owned());
        }
        Ok(Self { point: point.to_vec(), ways })
    }

    /// Whether `signature` is this key's over `message`.
    pub(super) fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        self.ways.iter().any(|way| way.verify_signature(&self.point, message, signature).is_ok())
    }
}

/// The ways of signing with a hash, by the hash's object identifier.
pub(super) fn ways_of_hash(oid: &[u8]) -> Option<(&'static [&'static dyn Algorithm], Hash)> {
    static SHA256: &[&dyn Algorithm] =
        &[ring::ECDSA_P256_SHA256, ring::ECDSA_P384_SHA256, ring::RSA_PKCS1_2048_8192_SHA256];
    static SHA384: &[&dyn Algorithm] =
        &[ring::ECDSA_P256_SHA384, ring::ECDSA_P384_SHA384, ring::RSA_PKCS1_2048_8192_SHA384];
    static SHA512: &[&dyn Algorithm] = &[ring::RSA_PKCS1_2048_8192_SHA512];
    match oid {
        oids::SHA256 => Some((SHA256, |bytes| sha2::Sha256::digest(bytes).to_vec())),
        oids::SHA384 => Some((SHA384, |bytes| sha2::Sha384::digest(bytes).to_vec())),
        oids::SHA512 => Some((SHA512, |bytes| sha2::Sha512::digest(bytes).to_vec())),
        _ => None,
    }
}

/// Bytes to their hash.
pub(super) type Hash = fn(&[u8]) -> Vec<u8>;

/// Object identifiers, without tag and length.
pub(super) mod oids {
    /// 2.16.840.1.101.3.4.2.1
    pub(in super::super) const SHA256: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
    /// 2.16.840.1.101.3.4.2.2
    pub(in super::super) const SHA384: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2];
    /// 2.16.840.1.101.3.4.2.3
    pub(in super::super) const SHA512: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3];
    /// 1.3.6.1.5.5.7.3.3: for signing code.
    pub(in super::super) const CODE_SIGNING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 3];
    /// 1.3.6.1.5.5.7.3.8: for timestamps.
    pub(in super::super) const TIME_STAMPING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 8];
    /// 2.5.29.17: other names of the subject.
    pub(in super::super) const SUBJECT_NAMES: &[u8] = &[0x55, 0x1d, 0x11];
    /// 1.3.6.1.4.1.11129.2.4.2: timestamps of certificate logs.
    pub(in super::super) const SCTS: &[u8] = &[0x2b, 6, 1, 4, 1, 0xd6, 0x79, 2, 4, 2];
    /// 1.3.6.1.4.1.57264.1.1: who issued the identity token, plain.
    pub(in super::super) const ISSUER_OLD: &[u8] = &[0x2b, 6, 1, 4, 1, 0x83, 0xbf, 0x30, 1, 1];
    /// 1.3.6.1.4.1.57264.1.8: who issued the identity token, as DER.
    pub(in super::super) const ISSUER: &[u8] = &[0x2b, 6, 1, 4, 1, 0x83, 0xbf, 0x30, 1, 8];
    /// 1.3.6.1.4.1.57264.1.7: a name that is neither mail address nor URI.
    pub(in super::super) const OTHER_NAME: &[u8] = &[0x2b, 6, 1, 4, 1, 0x83, 0xbf, 0x30, 1, 7];
    /// 1.2.840.113549.1.7.2: signed data (CMS).
    pub(in super::super) const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];
    /// 1.2.840.113549.1.9.16.1.4: what a timestamp says.
    pub(in super::super) const TST_INFO: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 1, 4];
    /// 1.2.840.113549.1.9.3: an attribute, what is signed.
    pub(in super::super) const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 3];
    /// 1.2.840.113549.1.9.4: an attribute, the hash of what is signed.
    pub(in super::super) const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 4];
}
