//! `OpenPGP`: is a release file signed by a key that its archive trusts, and is that key still good.
//!
//! The `pgp` crate checks signatures; the policy is ours: which hashes count (RFC 9580, 9.5),
//! expiry (5.2.3.13), revocation (5.2.1), and that a signing subkey is bound both ways (10.1.5).

use pgp::composed::{CleartextSignedMessage, Deserializable as _, SignedPublicKey, SignedPublicSubKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{Signature, SignatureType};
use pgp::types::KeyDetails as _;

use crate::ident::Epoch;

/// Public keys that an archive's release files may be signed with.
#[derive(Debug, Clone, Default)]
pub struct Keyring {
    keys: Vec<SignedPublicKey>,
}

/// A text whose signature is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The text that was signed, without its signature, line ends as `\n`.
    pub text: String,
    /// The fingerprint of the key or subkey that signed it, in upper-case hexadecimal.
    pub fingerprint: String,
}

/// What one key and one signature make of each other.
type Verdict = Result<(), String>;

impl Keyring {
    /// Adds the keys of a file: armoured or not.
    pub fn add(&mut self, bytes: &[u8]) -> Result<(), String> {
        let keys: Result<Vec<_>, _> = if bytes.starts_with(b"-----BEGIN") {
            SignedPublicKey::from_armor_many(bytes).and_then(|(keys, _)| keys.collect())
        } else {
            SignedPublicKey::from_bytes_many(bytes).and_then(Iterator::collect)
        };
        let keys = keys.map_err(|error| error.to_string())?;
        if keys.is_empty() {
            return Err("it holds no public key".to_owned());
        }
        self.keys.extend(keys);
        Ok(())
    }

    /// Whether there is no key in it.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The fingerprints of its primary keys.
    pub fn fingerprints(&self) -> Vec<String> {
        self.keys.iter().map(|key| hex(&key.primary_key)).collect()
    }

    /// Checks a text with an inline signature (RFC 9580, 7): one good signature by a good key is
    /// enough. The error says what is wrong with each signature.
    pub fn verify_inline(&self, bytes: &[u8], now: Epoch) -> Result<Verified, Vec<String>> {
        let text = std::str::from_utf8(bytes).map_err(|_| vec!["it is not text".to_owned()])?;
        if !text.starts_with("-----BEGIN PGP SIGNED MESSAGE-----") {
            return Err(vec!["it has no signature at its beginning".to_owned()]);
        }
        let message = CleartextSignedMessage::from_string(text);
        let (message, _) = message.map_err(|error| vec![format!("its signature can't be read: {error}")])?;
        let signed = message.signed_text();
        let mut reasons = Vec::new();
        for signature in message.signatures() {
            match self.judge(signature, signed.as_bytes(), now) {
                Ok(fingerprint) => return Ok(Verified { text: signed.replace("\r\n", "\n"), fingerprint }),
                Err(reason) => reasons.push(reason),
            }
        }
        if reasons.is_empty() {
            reasons.push("it holds no signature".to_owned());
        }
        Err(reasons)
    }

    /// The fingerprint of the key whose good signature this is, or what is wrong.
    fn judge(&self, signature: &Signature, text: &[u8], now: Epoch) -> Result<String, String> {
        check_signature(signature, now)?;
        for key in &self.keys {
            if signature.verify(&key.primary_key, text).is_ok() {
                let name = hex(&key.primary_key);
                return check_primary(key, now)
                    .map(|()| name.clone())
                    .map_err(|why| format!("key {name} {why}"));
            }
            for subkey in &key.public_subkeys {
                if signature.verify(&subkey.key, text).is_ok() {
                    let name = hex(&subkey.key);
                    let good = check_primary(key, now).and_then(|()| check_subkey(key, subkey, now));
                    return good.map(|()| name.clone()).map_err(|why| format!("key {name} {why}"));
                }
            }
        }
        let issuer = signature.issuer_fingerprint().first().map(|print| format!("{print:X}"));
        let issuer = issuer.unwrap_or_else(|| "unknown".to_owned());
        let known = self.keys.iter().any(|key| {
            hex(&key.primary_key) == issuer
                || key.public_subkeys.iter().any(|subkey| hex(&subkey.key) == issuer)
        });
        let what = if known {
            "does not fit the text: it was changed"
        } else {
            "is by a key that is not trusted for this archive"
        };
        Err(format!("the signature by {issuer} {what}"))
    }
}

fn hex(key: &impl pgp::types::KeyDetails) -> String {
    format!("{:X}", key.fingerprint())
}

fn check_signature(signature: &Signature, now: Epoch) -> Verdict {
    if !matches!(signature.typ(), Some(SignatureType::Binary | SignatureType::Text)) {
        return Err("it is not a signature over a document".to_owned());
    }
    let strong = [
        HashAlgorithm::Sha256,
        HashAlgorithm::Sha384,
        HashAlgorithm::Sha512,
        HashAlgorithm::Sha3_256,
        HashAlgorithm::Sha3_512,
    ];
    match signature.hash_alg() {
        Some(hash) if strong.contains(&hash) => {}
        hash => {
            return Err(format!(
                "the signature uses a weak hash ({})",
                hash.map_or_else(|| "unknown".into(), |hash| hash.to_string())
            ));
        }
    }
    let Some(created) = signature.created() else { return Err("the signature has no date".to_owned()) };
    let created = i64::from(created.as_secs());
    // A day of grace for clocks that are slow.
    if created > now.0 + 86_400 {
        return Err(format!("the signature is from the future ({})", Epoch(created)));
    }
    let lifetime = signature.signature_expiration_time().map_or(0, pgp::types::Duration::as_secs);
    if lifetime > 0 && created + i64::from(lifetime) < now.0 {
        return Err(format!("the signature expired on {}", Epoch(created + i64::from(lifetime))));
    }
    Ok(())
}

/// The primary key: bound to itself, not revoked, not expired.
fn check_primary(key: &SignedPublicKey, now: Epoch) -> Verdict {
    let primary = &key.primary_key;
    if key.details.revocation_signatures.iter().any(|revocation| revocation.verify_key(primary).is_ok()) {
        return Err("is revoked".to_owned());
    }
    let direct =
        key.details.direct_signatures.iter().filter(|signature| signature.verify_key(primary).is_ok());
    let certified = key.details.users.iter().flat_map(|user| {
        user.signatures.iter().filter(|signature| {
            signature.is_certification()
                && signature.verify_certification(primary, pgp::types::Tag::UserId, &user.id).is_ok()
        })
    });
    let newest = direct.chain(certified).max_by_key(|signature| signature.created());
    let newest = newest.ok_or_else(|| "has no valid signature of its own".to_owned())?;
    check_expiry(primary.created_at().as_secs(), newest, now)
}

/// The subkey: bound by the primary key and binding it back, for signing, not revoked, not expired.
fn check_subkey(key: &SignedPublicKey, subkey: &SignedPublicSubKey, now: Epoch) -> Verdict {
    let primary = &key.primary_key;
    let bound = |signature: &&Signature| signature.verify_subkey_binding(primary, &subkey.key).is_ok();
    let revoked = |signature: &&Signature| signature.typ() == Some(SignatureType::SubkeyRevocation);
    if subkey.signatures.iter().filter(revoked).any(|signature| bound(&signature)) {
        return Err("is revoked".to_owned());
    }
    let bindings =
        subkey.signatures.iter().filter(|signature| signature.typ() == Some(SignatureType::SubkeyBinding));
    let newest = bindings.filter(bound).max_by_key(|signature| signature.created());
    let newest = newest.ok_or_else(|| "is not bound to its primary key".to_owned())?;
    if !newest.key_flags().sign() {
        return Err("is not for signing".to_owned());
    }
    let back = newest
        .embedded_signature()
        .is_some_and(|back| back.verify_primary_key_binding(&subkey.key, primary).is_ok());
    if !back {
        return Err("does not acknowledge its primary key".to_owned());
    }
    check_expiry(subkey.key.created_at().as_secs(), newest, now)
}

fn check_expiry(created: u32, binding: &Signature, now: Epoch) -> Verdict {
    let lifetime = binding.key_expiration_time().map_or(0, pgp::types::Duration::as_secs);
    let end = Epoch(i64::from(created) + i64::from(lifetime));
    if lifetime > 0 && end < now { Err(format!("expired on {end}")) } else { Ok(()) }
}
