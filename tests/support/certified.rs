//! Whom a Sigstore instance of tests certifies, and with which keys: its own, made for tests alone.

use p256::ecdsa::SigningKey;
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use super::der;
use super::sigstore::{ISSUER, NAME, now, sha256};

/// What a bundle is made of, or a certificate; as it should be until it is changed.
#[derive(Clone)]
pub struct Plan {
    pub name: String,
    pub names: usize,
    pub issuer: String,
    pub old_issuer: Option<String>,
    pub from: i64,
    pub until: i64,
    /// 3 is for signing code.
    pub purpose: u8,
    /// Issued by an authority that nobody knows.
    pub stranger: bool,
    /// Seen by the certificate log.
    pub seen: bool,
    /// The number of the signer's key.
    pub key: u8,
    pub spki: Vec<u8>,
    pub payload: Vec<u8>,
    /// What is in the log, if it is something else.
    pub logged: Option<Vec<u8>>,
    /// When the log took it in.
    pub integrated: i64,
    pub version: u8,
    /// When the clock says it was signed.
    pub stamped: Option<i64>,
    /// The clock's certificate is for something else.
    pub clock_purpose: u8,
}

pub(super) fn key(number: u8) -> SigningKey {
    SigningKey::from_slice(&[number; 32]).unwrap()
}

// Whose key is which.
pub(super) const ROOT: u8 = 101;
pub(super) const BETWEEN: u8 = 102;
pub(super) const SEEN: u8 = 103;
pub(super) const LOG: u8 = 104;
pub(super) const CLOCK: u8 = 105;
pub(super) const STRANGER: u8 = 106;

pub(super) fn ed25519() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[107; 32]).unwrap()
}

pub(super) fn ed25519_spki() -> Vec<u8> {
    let point = ed25519().public_key().as_ref().to_vec();
    der::sequence(&[&der::sequence(&[&der::oid("1.3.101.112")]), &der::item(3, &[&[0], &point])])
}

pub(super) const LONG: (i64, i64) = (1_700_000_000, 4_000_000_000);

pub(super) fn own(name: &str, number: u8) -> Vec<u8> {
    der::certificate(
        &der::content(name, name, LONG, &der::spki(&key(number)), &[der::authority()]),
        &key(number),
    )
}

pub(super) fn between() -> Vec<u8> {
    let extensions = [der::authority(), der::purpose(3, false)];
    der::certificate(
        &der::content("between", "root", LONG, &der::spki(&key(BETWEEN)), &extensions),
        &key(ROOT),
    )
}

pub(super) fn clock(purpose: u8) -> Vec<u8> {
    let extensions = [der::purpose(purpose, true)];
    der::certificate(
        &der::content("clock", "clock authority", LONG, &der::spki(&key(CLOCK)), &extensions),
        &key(CLOCK + 100),
    )
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            name: NAME.into(),
            names: 1,
            issuer: ISSUER.into(),
            old_issuer: None,
            from: now(),
            until: now() + 600,
            purpose: 3,
            stranger: false,
            seen: true,
            key: 1,
            spki: der::spki(&key(1)),
            payload: b"{\"a\":1}".to_vec(),
            logged: None,
            integrated: now() + 1,
            version: 1,
            stamped: None,
            clock_purpose: 8,
        }
    }
}

impl Plan {
    fn extensions(&self) -> Vec<Vec<u8>> {
        let names: Vec<Vec<u8>> = (0..self.names)
            .map(|at| if at == 0 { self.name.clone() } else { format!("other{at}@hardpan.example") })
            .map(|name| der::item(if name.contains("://") { 0x86 } else { 0x81 }, &[name.as_bytes()]))
            .collect();
        let names: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
        let mut extensions = vec![
            der::purpose(self.purpose, false),
            der::extension("2.5.29.17", true, &der::sequence(&names)),
            der::extension("1.3.6.1.4.1.57264.1.8", false, &der::item(0x0c, &[self.issuer.as_bytes()])),
        ];
        if let Some(old) = &self.old_issuer {
            extensions.push(der::extension("1.3.6.1.4.1.57264.1.1", false, old.as_bytes()));
        }
        extensions
    }

    /// The certificate.
    pub(super) fn certificate(&self) -> Vec<u8> {
        let (issuer, by) = if self.stranger { ("stranger", STRANGER) } else { ("between", BETWEEN) };
        let mut extensions = self.extensions();
        let content = |extensions: &[Vec<u8>]| {
            der::content("", issuer, (self.from, self.until), &self.spki, extensions)
        };
        if self.seen {
            let before = content(&extensions);
            let time = u64::try_from(self.from).unwrap() * 1000;
            let issuer_hash = sha256(&der::spki(&key(by)));
            let length = &u32::try_from(before.len()).unwrap().to_be_bytes()[1..];
            let message =
                [&[0, 0][..], &time.to_be_bytes(), &[0, 1], &issuer_hash, length, &before, &[0, 0]].concat();
            let signature = der::sign(&key(SEEN), &message);
            let log = sha256(&der::spki(&key(SEEN)));
            let counted =
                |bytes: &[u8]| [&u16::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat();
            let sct = [&[0][..], &log, &time.to_be_bytes(), &[0, 0, 4, 3], &counted(&signature)].concat();
            let list = der::item(4, &[&counted(&counted(&sct))]);
            extensions.push(der::extension("1.3.6.1.4.1.11129.2.4.2", false, &list));
        }
        der::certificate(&content(&extensions), &key(by))
    }
}
