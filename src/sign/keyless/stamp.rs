//! Timestamps over a signature (RFC 3161; RFC 5652 for what is around them).
//!
//! ```text
//! TimeStampResp { status, ContentInfo { SignedData { TSTInfo, certificates, one SignerInfo } } }
//! ```
//!
//! Who signed must have a certificate for timestamps that chains to a trusted authority at the time
//! that the timestamp tells.

use super::Checked;
use super::asn1::{self, BOOLEAN, CONTEXT, INTEGER, Item, OCTET_STRING, OID, SEQUENCE, SET, TIME, single};
use super::authority::Authority;
use super::keys::{AnyKey, oids, ways_of_hash};
use crate::ident::{Epoch, Sha256};

/// What is asked for a timestamp over `signature`; `nonce` comes back in it.
pub(super) fn request(signature: &[u8], nonce: &[u8]) -> Vec<u8> {
    let algorithm = asn1::write(SEQUENCE, &[&asn1::write(OID, &[oids::SHA256]), &[5, 0]]);
    let hash = asn1::write(OCTET_STRING, &[&Sha256::of(signature).0]);
    let imprint = asn1::write(SEQUENCE, &[&algorithm, &hash]);
    let version = asn1::write(INTEGER, &[&[1]]);
    let nonce = asn1::write(INTEGER, &[nonce]);
    // The certificates are asked for, so that whoever has only the root can verify it.
    let with_certificates = asn1::write(BOOLEAN, &[&[0xff]]);
    asn1::write(SEQUENCE, &[&version, &imprint, &nonce, &with_certificates])
}

/// What a response says, before it is believed.
pub(super) struct Stamp<'a> {
    info: Item<'a>,
    certificates: Vec<&'a [u8]>,
    signer: Item<'a>,
    /// When.
    time: Epoch,
    hash_algorithm: &'a [u8],
    hash: &'a [u8],
    /// What was sent along.
    pub nonce: Option<&'a [u8]>,
}

impl<'a> Stamp<'a> {
    /// Reads a response.
    pub(super) fn read(response: &'a [u8]) -> Checked<Self> {
        let mut response = single(response, SEQUENCE)?.inside();
        let status = response.take(SEQUENCE)?.inside().take(INTEGER)?.value;
        // 0: granted; 1: granted with changes.
        if !matches!(status, [0 | 1]) {
            return Err(format!("a timestamp that was not granted (status {status:?})"));
        }
        let data = explicit(response.take(SEQUENCE)?, oids::SIGNED_DATA)?;
        let mut data = single(data, SEQUENCE)?.inside();
        data.take(INTEGER)?;
        data.take(SET)?;
        let content = explicit(data.take(SEQUENCE)?, oids::TST_INFO)?;
        let info = single(content, OCTET_STRING)?;
        let certificates = data.optional(CONTEXT)?.map_or(Ok(Vec::new()), |set| set.inside().all())?;
        data.optional(CONTEXT + 1)?;
        let signers = data.take(SET)?.inside().all()?;
        let [signer] = signers[..] else { return Err(format!("a timestamp with {} signers", signers.len())) };
        Self::info(info, certificates.iter().map(|item| item.whole).collect(), signer)
    }

    fn info(info: Item<'a>, certificates: Vec<&'a [u8]>, signer: Item<'a>) -> Checked<Self> {
        let mut items = info.only(SEQUENCE)?.inside();
        items.take(INTEGER)?;
        items.take(OID)?;
        let mut imprint = items.take(SEQUENCE)?.inside();
        let hash_algorithm = imprint.take(SEQUENCE)?.inside().take(OID)?.value;
        let hash = imprint.take(OCTET_STRING)?.value;
        items.take(INTEGER)?;
        let time = asn1::time(items.take(TIME)?)?;
        items.optional(SEQUENCE)?;
        items.optional(BOOLEAN)?;
        let nonce = items.optional(INTEGER)?.map(|nonce| nonce.value);
        Ok(Self { info, certificates, signer, time, hash_algorithm, hash, nonce })
    }

    /// Whether a trusted authority signed this over `signature`.
    pub(super) fn verify(&self, signature: &[u8], authorities: &[Authority]) -> Checked<Epoch> {
        let hash = ways_of_hash(self.hash_algorithm).map(|(_, hash)| hash(signature));
        if hash.as_deref() != Some(self.hash) {
            return Err("a timestamp over another signature".to_owned());
        }
        let (message, algorithm, value) = self.signed()?;
        let (ways, _) =
            ways_of_hash(algorithm).ok_or("a timestamp with a hash that hardpan does not know")?;
        let mut why = format!("a timestamp, but by no authority that was trusted at {}", self.time);
        for authority in authorities.iter().filter(|authority| authority.valid.contains(self.time)) {
            let own = authority.certificates.iter().map(Vec::as_slice);
            for certificate in self.certificates.iter().copied().chain(own) {
                let key = spki(certificate).and_then(|spki| AnyKey::read(spki, ways));
                if !key.is_ok_and(|key| key.signed(&message, value)) {
                    continue;
                }
                match authority.issuer(certificate, oids::TIME_STAMPING, self.time) {
                    Ok(_) => return Ok(self.time),
                    Err(error) => why = format!("a timestamp whose signer is not trusted: {error}"),
                }
            }
        }
        Err(why)
    }

    /// What the signer signed, by which hash, and the signature.
    fn signed(&self) -> Checked<(Vec<u8>, &'a [u8], &'a [u8])> {
        let mut items = self.signer.inside();
        items.take(INTEGER)?;
        items.any()?;
        let algorithm = items.take(SEQUENCE)?.inside().take(OID)?.value;
        let attributes = items.take(CONTEXT)?;
        items.take(SEQUENCE)?;
        let value = items.take(OCTET_STRING)?.value;
        let (mut kind, mut hash) = (None, None);
        for attribute in attributes.inside().all()? {
            let mut attribute = attribute.inside();
            let oid = attribute.take(OID)?.value;
            let values = attribute.take(SET)?;
            match oid {
                oids::CONTENT_TYPE => kind = Some(values.only(OID)?.value),
                oids::MESSAGE_DIGEST => hash = Some(values.only(OCTET_STRING)?.value),
                _ => {}
            }
        }
        let own = ways_of_hash(algorithm).map(|(_, hash)| hash(self.info.value));
        if kind != Some(oids::TST_INFO) || hash.is_none() || hash != own.as_deref() {
            return Err("a timestamp whose signature is over something else".to_owned());
        }
        // RFC 5652, 5.4: signed as a set, not under the tag that it stands under.
        Ok((asn1::write(SET, &[attributes.value]), algorithm, value))
    }
}

/// What stands behind an object identifier, in `[0]`.
fn explicit<'a>(item: Item<'a>, oid: &[u8]) -> Checked<&'a [u8]> {
    let mut items = item.inside();
    if items.take(OID)?.value != oid {
        return Err("something else than a timestamp".to_owned());
    }
    Ok(items.take(CONTEXT)?.value)
}

/// The public key in a certificate.
fn spki(certificate: &[u8]) -> Checked<&[u8]> {
    let mut items = single(certificate, SEQUENCE)?.inside().take(SEQUENCE)?.inside();
    items.optional(CONTEXT)?;
    for tag in [INTEGER, SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE] {
        items.take(tag)?;
    }
    Ok(items.take(SEQUENCE)?.whole)
}
