//! What a certificate for one signing says (RFC 5280, Fulcio's extensions, RFC 6962 for its SCTs).
//!
//! Whether it is believed is for [`super::authority`]; this only reads.

use super::Checked;
use super::asn1::{self, BOOLEAN, CONTEXT, INTEGER, Item, Items, OCTET_STRING, OID, SEQUENCE, UTF8, single};
use super::keys::oids;
use crate::ident::Epoch;

/// A certificate that reads.
#[derive(Debug, Clone)]
pub(super) struct Certificate {
    /// All of it.
    pub der: Vec<u8>,
    /// Its public key.
    pub spki: Vec<u8>,
    /// Whose it is: mail addresses, URIs, other names.
    pub names: Vec<String>,
    /// Who vouched for the identity; none if the two places for it disagree.
    pub issuer: Option<String>,
    /// From when it may be used.
    pub from: Epoch,
    /// Until when.
    pub until: Epoch,
    /// Timestamps of certificate logs.
    pub scts: Vec<Sct>,
    /// What those logs signed: the certificate's content without their timestamps.
    pub before_logs: Vec<u8>,
}

/// A timestamp of a certificate log (RFC 6962, 3.2).
#[derive(Debug, Clone)]
pub(super) struct Sct {
    /// SHA-256 of the log's key.
    pub log: [u8; 32],
    /// Milliseconds since 1970.
    pub time: u64,
    pub extensions: Vec<u8>,
    pub signature: Vec<u8>,
}

impl Certificate {
    pub(super) fn read(der: &[u8]) -> Checked<Self> {
        let content = single(der, SEQUENCE)?.inside().take(SEQUENCE)?;
        let mut items = content.inside();
        items.take(CONTEXT)?;
        items.take(INTEGER)?;
        items.take(SEQUENCE)?;
        items.take(SEQUENCE)?;
        let mut validity = items.take(SEQUENCE)?.inside();
        let (from, until) = (asn1::time(validity.any()?)?, asn1::time(validity.any()?)?);
        items.take(SEQUENCE)?;
        let spki = items.take(SEQUENCE)?.whole.to_vec();
        // What stands before the extensions, for the certificate logs.
        let head = &content.value[..content.value.len() - items.0.len()];
        let extensions = items.take(CONTEXT + 3)?.only(SEQUENCE)?;
        if !items.is_empty() {
            return Err("a certificate with something behind its extensions".to_owned());
        }
        let mut certificate = Self {
            der: der.to_vec(),
            spki,
            names: Vec::new(),
            issuer: None,
            from,
            until,
            scts: Vec::new(),
            before_logs: Vec::new(),
        };
        let kept = certificate.extensions(extensions.inside().all()?)?;
        let kept = asn1::write(CONTEXT + 3, &[&asn1::write(SEQUENCE, &kept)]);
        certificate.before_logs = asn1::write(SEQUENCE, &[head, &kept]);
        Ok(certificate)
    }

    /// Takes what the extensions say; gives back all but the certificate logs' own.
    fn extensions<'a>(&mut self, extensions: Vec<Item<'a>>) -> Checked<Vec<&'a [u8]>> {
        let (mut old, mut new) = (None, None);
        let (mut kept, mut seen) = (Vec::new(), Vec::new());
        for extension in extensions {
            let mut items = extension.inside();
            let oid = items.take(OID)?.value;
            items.optional(BOOLEAN)?;
            let value = items.take(OCTET_STRING)?.value;
            if seen.contains(&oid) {
                return Err("a certificate with an extension twice".to_owned());
            }
            seen.push(oid);
            match oid {
                oids::SUBJECT_NAMES => self.names = names(value)?,
                oids::ISSUER_OLD => old = Some(text(value)?),
                oids::ISSUER => new = Some(text(single(value, UTF8)?.value)?),
                oids::SCTS => self.scts = scts(single(value, OCTET_STRING)?.value)?,
                _ => {}
            }
            if oid != oids::SCTS {
                kept.push(extension.whole);
            }
        }
        self.issuer = match (old, new) {
            (Some(old), Some(new)) if old != new => None,
            (old, new) => new.or(old),
        };
        Ok(kept)
    }
}

fn text(bytes: &[u8]) -> Checked<String> {
    str::from_utf8(bytes).map(str::to_owned).map_err(|_| "a name that is no text".to_owned())
}

/// `GeneralNames`: the kinds that identities have.
fn names(value: &[u8]) -> Checked<Vec<String>> {
    let mut names = Vec::new();
    for item in single(value, SEQUENCE)?.inside().all()? {
        match item.tag {
            // rfc822Name and uniformResourceIdentifier.
            0x81 | 0x86 => names.push(text(item.value)?),
            CONTEXT => {
                let mut inside = item.inside();
                if inside.take(OID)?.value == oids::OTHER_NAME {
                    names.push(text(inside.take(CONTEXT)?.only(UTF8)?.value)?);
                }
            }
            _ => {}
        }
    }
    Ok(names)
}

/// A list in TLS's way of writing.
fn scts(bytes: &[u8]) -> Checked<Vec<Sct>> {
    let read = || {
        let (mut rest, end) = counted(bytes)?;
        let mut scts = Vec::new();
        while !rest.is_empty() {
            let (one, behind) = counted(rest)?;
            // Later versions are not ours to read.
            if one.first() == Some(&0) {
                scts.push(sct(&one[1..])?);
            }
            rest = behind;
        }
        end.is_empty().then_some(scts)
    };
    read().ok_or_else(|| "a certificate log's timestamp that does not read".to_owned())
}

/// Bytes behind their number, and those behind them.
fn counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (count, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*count)))
}

/// One timestamp, behind its version.
fn sct(bytes: &[u8]) -> Option<Sct> {
    let (log, rest) = bytes.split_first_chunk::<32>()?;
    let (time, rest) = rest.split_first_chunk::<8>()?;
    let (extensions, rest) = counted(rest)?;
    // The algorithm's two bytes: what the log's key is says it as well.
    let (signature, rest) = counted(rest.get(2..)?)?;
    let (time, extensions) = (u64::from_be_bytes(*time), extensions.to_vec());
    rest.is_empty().then(|| Sct { log: *log, time, extensions, signature: signature.to_vec() })
}

impl Sct {
    /// What the log signed.
    pub(super) fn signed(&self, issuer_key_hash: &[u8; 32], certificate: &Certificate) -> Vec<u8> {
        let content = &certificate.before_logs;
        // Version 1, certificate timestamp; then a certificate as it was before (entry type 1).
        let mut bytes = vec![0, 0];
        bytes.extend(self.time.to_be_bytes());
        bytes.extend([0, 1]);
        bytes.extend(issuer_key_hash);
        bytes.extend(&u32::try_from(content.len()).unwrap_or_default().to_be_bytes()[1..]);
        bytes.extend(content);
        bytes.extend(u16::try_from(self.extensions.len()).unwrap_or_default().to_be_bytes());
        bytes.extend(&self.extensions);
        bytes
    }
}

/// Looks for nothing but the form: whether bytes are a certificate at all.
pub(super) fn is_certificate(der: &[u8]) -> Checked<()> {
    Items(single(der, SEQUENCE)?.value).take(SEQUENCE).map(drop)
}
