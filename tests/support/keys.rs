//! `OpenPGP` keys and signatures, made when a test asks for them, good ones and those to be refused.
//!
//! Keys are version 4 and come from a seed, so that nothing here needs a source of chance or a
//! file. Strong signatures are Ed25519; weak hashes need RSA, for with Ed25519 every implementation
//! refuses them for the key's sake, and a test would not see whether hardpan minds the hash.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use pgp::composed::{
    ArmorOptions, CleartextSignedMessage, DetachedSignature, SignedKeyDetails, SignedPublicKey,
    SignedPublicSubKey,
};
use pgp::crypto::ed25519::{Mode, SecretKey as Ed25519};
use pgp::crypto::hash::HashAlgorithm;
use pgp::crypto::public_key::PublicKeyAlgorithm;
use pgp::crypto::{eddsa_legacy, rsa};
use pgp::packet::{
    KeyFlags, PubKeyInner, PublicKey, PublicSubkey, RevocationCode, SecretKey, SecretSubkey, Signature,
    SignatureConfig, SignatureType, Subpacket, SubpacketData, UserId,
};
use pgp::ser::Serialize as _;
use pgp::types::{
    Duration, KeyDetails as _, KeyVersion, PacketHeaderVersion, Password, PlainSecretParams, PublicParams,
    SecretParams, SigningKey, Tag, Timestamp,
};
use rand::SeedableRng as _;

/// When keys are made, unless said: 2020-01-01T00:00:00Z.
const CREATED: u32 = 1_577_836_800;
/// When signatures are made, unless said: the same moment as everything else in a test's packages.
const SIGNED: u32 = 1_700_000_000;
const YEAR: u32 = 365 * 86_400;

/// The hash that a signature over a text is made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// Broken.
    Md5,
    /// Broken.
    Sha1,
    /// Good.
    Sha256,
    /// Good.
    Sha512,
}

impl From<Hash> for HashAlgorithm {
    fn from(hash: Hash) -> Self {
        match hash {
            Hash::Md5 => Self::Md5,
            Hash::Sha1 => Self::Sha1,
            Hash::Sha256 => Self::Sha256,
            Hash::Sha512 => Self::Sha512,
        }
    }
}

/// A key with a user name, and how it signs. Good in every way unless told otherwise.
#[derive(Debug, Clone)]
pub struct Key {
    seed: u64,
    rsa: bool,
    created: u32,
    expires: Option<u32>,
    revoked: bool,
    subkey: Option<Subkey>,
    signed_at: Option<u32>,
    lifetime: Option<u32>,
    hash: Hash,
}

/// How a signing subkey is bound to its primary key.
#[derive(Debug, Clone, Default)]
struct Subkey {
    expires: Option<u32>,
    revoked: bool,
    one_sided: bool,
}

impl Key {
    /// A key like no other in this process, whose primary key signs.
    pub fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self {
            seed: NEXT.fetch_add(1, Ordering::Relaxed),
            rsa: false,
            created: CREATED,
            expires: None,
            revoked: false,
            subkey: None,
            signed_at: None,
            lifetime: None,
            hash: Hash::Sha512,
        }
    }

    /// An RSA key of 2048 bits; there is but one in a process, for they are slow to make.
    pub fn rsa(mut self) -> Self {
        self.rsa = true;
        self
    }

    /// When the key was made, in seconds since 1970.
    pub fn created(mut self, seconds: u32) -> Self {
        self.created = seconds;
        self
    }

    /// The moment from which on the primary key is expired.
    pub fn expires(mut self, seconds: u32) -> Self {
        self.expires = Some(seconds);
        self
    }

    /// Made long ago, and expired long before anything was signed.
    pub fn expired(self) -> Self {
        self.created(CREATED - 9 * YEAR).expires(CREATED - 5 * YEAR)
    }

    /// The public key carries its own revocation, as compromised.
    pub fn revoked(mut self) -> Self {
        self.revoked = true;
        self
    }

    /// A subkey signs; the primary key only certifies.
    pub fn with_subkey(mut self) -> Self {
        self.subkey.get_or_insert_default();
        self
    }

    /// A subkey signs, and it is expired from that moment on while the primary key is not.
    pub fn subkey_expires(mut self, seconds: u32) -> Self {
        self.subkey.get_or_insert_default().expires = Some(seconds);
        self
    }

    /// A subkey signs, and it is revoked while the primary key is not.
    pub fn subkey_revoked(mut self) -> Self {
        self.subkey.get_or_insert_default().revoked = true;
        self
    }

    /// A subkey signs that never agreed to belong to this primary key: the signature back is missing.
    pub fn subkey_one_sided(mut self) -> Self {
        self.subkey.get_or_insert_default().one_sided = true;
        self
    }

    /// When texts are signed, whatever the time of what is signed.
    pub fn signed_at(mut self, seconds: u32) -> Self {
        self.signed_at = Some(seconds);
        self
    }

    /// Signatures over texts expire so many seconds after they were made.
    pub fn signatures_last(mut self, seconds: u32) -> Self {
        self.lifetime = Some(seconds);
        self
    }

    /// What texts are hashed with. A weak hash makes the key an RSA key.
    pub fn hash(mut self, hash: Hash) -> Self {
        self.rsa |= matches!(hash, Hash::Md5 | Hash::Sha1);
        self.hash = hash;
        self
    }

    /// The fingerprint of the primary key, in lower-case hexadecimal digits.
    pub fn fingerprint(&self) -> String {
        self.primary().fingerprint().to_string()
    }

    /// The public key as a text block.
    pub fn armored_public(&self) -> String {
        self.public().to_armored_string(ArmorOptions::default()).expect("serializable")
    }

    /// The public key as plain packets.
    pub fn public_bytes(&self) -> Vec<u8> {
        self.public().to_bytes().expect("serializable")
    }

    /// The text with its signature around it, as an `InRelease` file has it.
    pub fn sign_inline(&self, text: &str) -> String {
        sign_inline(text, SIGNED, &[self])
    }

    /// A signature by itself, as a text block: `Release.gpg`.
    pub fn sign_detached(&self, bytes: &[u8]) -> String {
        let signature = DetachedSignature::new(self.sign(bytes, SIGNED, SignatureType::Binary));
        signature.to_armored_string(ArmorOptions::default()).expect("serializable")
    }

    fn sign(&self, bytes: &[u8], now: u32, typ: SignatureType) -> Signature {
        if self.subkey.is_some() {
            self.sign_with(&self.secret_subkey(), bytes, now, typ)
        } else {
            self.sign_with(&self.primary(), bytes, now, typ)
        }
    }

    fn sign_with(&self, key: &impl SigningKey, bytes: &[u8], now: u32, typ: SignatureType) -> Signature {
        let mut config = config(typ, key, self.signed_at.unwrap_or(now));
        config.hash_alg = self.hash.into();
        let end = self.lifetime.map(|seconds| SubpacketData::SignatureExpirationTime(seconds_of(seconds)));
        config.hashed_subpackets.extend(end.map(regular));
        config.sign(key, &Password::empty(), bytes).expect("a key that signs")
    }

    fn primary(&self) -> SecretKey {
        // With a subkey, that is what signs texts, and one RSA key can't be two keys.
        let (inner, secret) = self.parts(b"primary", self.rsa && self.subkey.is_none());
        SecretKey::new(PublicKey::from_inner(inner).expect("sound"), secret).expect("sound")
    }

    fn secret_subkey(&self) -> SecretSubkey {
        let (inner, secret) = self.parts(b"subkey", self.rsa);
        SecretSubkey::new(PublicSubkey::from_inner(inner).expect("sound"), secret).expect("sound")
    }

    fn parts(&self, purpose: &[u8], rsa: bool) -> (PubKeyInner, SecretParams) {
        let (algorithm, secret) = if rsa {
            (PublicKeyAlgorithm::RSA, PlainSecretParams::RSA(the_rsa_key()))
        } else {
            let seed = [purpose, &self.seed.to_be_bytes()].concat();
            let bytes = HashAlgorithm::Sha256.digest(&seed).expect("known").try_into().expect("32 bytes");
            // The older of the two spellings of Ed25519, which older verifiers know as well.
            let key = Ed25519::try_from_bytes(bytes, Mode::EdDSALegacy).expect("any 32 bytes are a key");
            let key = eddsa_legacy::SecretKey::Ed25519(key);
            (PublicKeyAlgorithm::EdDSALegacy, PlainSecretParams::EdDSALegacy(key))
        };
        let public = PublicParams::try_from(&secret).expect("known algorithms");
        let created = Timestamp::from_secs(self.created);
        let inner = PubKeyInner::new(KeyVersion::V4, algorithm, created, None, public).expect("sound");
        (inner, SecretParams::Plain(secret))
    }

    fn public(&self) -> SignedPublicKey {
        let primary = self.primary();
        let revocation = self.revoked.then(|| {
            let config = revocation(SignatureType::KeyRevocation, &primary);
            config.sign_key(&primary, &Password::empty(), primary.public_key()).expect("a key that signs")
        });
        let user = UserId::from_str(PacketHeaderVersion::New, "Archive of a test <archive@example.org>");
        let user = user.expect("a short text");
        let users = vec![user.clone().into_signed(self.certification(&primary, &user))];
        let details = SignedKeyDetails::new(revocation.into_iter().collect(), vec![], users, vec![]);
        let subkeys = self.subkey.iter().map(|how| self.bound(how, &primary)).collect();
        SignedPublicKey::new(primary.public_key().clone(), details, subkeys)
    }

    fn certification(&self, primary: &SecretKey, user: &UserId) -> Signature {
        let mut config = config(SignatureType::CertPositive, primary, self.created);
        let mut flags = KeyFlags::default();
        flags.set_certify(true);
        flags.set_sign(self.subkey.is_none());
        config.hashed_subpackets.push(regular(SubpacketData::KeyFlags(flags)));
        config.hashed_subpackets.extend(self.expires.map(|moment| self.end(moment)));
        let public = primary.public_key();
        config.sign_certification(primary, public, &Password::empty(), Tag::UserId, user).expect("it signs")
    }

    fn end(&self, moment: u32) -> Subpacket {
        regular(SubpacketData::KeyExpirationTime(seconds_of(moment - self.created)))
    }

    fn bound(&self, how: &Subkey, primary: &SecretKey) -> SignedPublicSubKey {
        let (secret, none) = (self.secret_subkey(), Password::empty());
        let (public, subkey) = (primary.public_key(), secret.public_key());
        let mut binding = config(SignatureType::SubkeyBinding, primary, self.created);
        let mut flags = KeyFlags::default();
        flags.set_sign(true);
        binding.hashed_subpackets.push(regular(SubpacketData::KeyFlags(flags)));
        binding.hashed_subpackets.extend(how.expires.map(|moment| self.end(moment)));
        if !how.one_sided {
            let back = config(SignatureType::KeyBinding, &secret, self.created);
            let back = back.sign_primary_key_binding(&secret, subkey, &none, public).expect("it signs");
            binding.hashed_subpackets.push(regular(SubpacketData::EmbeddedSignature(Box::new(back))));
        }
        let mut signatures =
            vec![binding.sign_subkey_binding(primary, public, &none, subkey).expect("it signs")];
        if how.revoked {
            let config = revocation(SignatureType::SubkeyRevocation, primary);
            signatures.push(config.sign_subkey_binding(primary, public, &none, subkey).expect("it signs"));
        }
        SignedPublicSubKey::new(subkey.clone(), signatures)
    }
}

/// The text with the signatures of all `keys` around it, made at `now` (seconds since 1970) by those
/// keys that don't say otherwise. The line end that closes the text is not part of what is signed.
pub fn sign_inline(text: &str, now: u32, keys: &[&Key]) -> String {
    let text = text.strip_suffix('\n').unwrap_or(text);
    // Blanks at line ends are not signed (RFC 9580, 7.2); the crate leaves it to us to drop them.
    let lines: Vec<&str> = text.split('\n').map(|line| line.trim_end_matches([' ', '\t', '\r'])).collect();
    let signed = lines.join("\r\n");
    let message = CleartextSignedMessage::new_many(text, |_| {
        Ok(keys.iter().map(|key| key.sign(signed.as_bytes(), now, SignatureType::Text)).collect())
    });
    message.and_then(|message| message.to_armored_string(ArmorOptions::default())).expect("serializable")
}

fn the_rsa_key() -> rsa::SecretKey {
    static KEY: OnceLock<rsa::SecretKey> = OnceLock::new();
    let make = || rsa::SecretKey::generate(rand::rngs::StdRng::seed_from_u64(1), 2048).expect("a usual size");
    KEY.get_or_init(make).clone()
}

fn config(typ: SignatureType, key: &impl SigningKey, created: u32) -> SignatureConfig {
    let mut config = SignatureConfig::v4(typ, key.algorithm(), HashAlgorithm::Sha512);
    let created = SubpacketData::SignatureCreationTime(Timestamp::from_secs(created));
    let issuer = SubpacketData::IssuerFingerprint(key.fingerprint());
    config.hashed_subpackets = vec![regular(created), regular(issuer)];
    config.unhashed_subpackets = vec![regular(SubpacketData::IssuerKeyId(key.legacy_key_id()))];
    config
}

fn revocation(typ: SignatureType, key: &SecretKey) -> SignatureConfig {
    let mut config = config(typ, key, SIGNED - YEAR);
    let reason = SubpacketData::RevocationReason(RevocationCode::KeyCompromised, "for a test".into());
    config.hashed_subpackets.push(regular(reason));
    config
}

fn regular(data: SubpacketData) -> Subpacket {
    Subpacket::regular(data).expect("a short subpacket")
}

fn seconds_of(seconds: u32) -> Duration {
    Duration::from_secs(seconds)
}
