//! DER, certificates and timestamps, written by hand (X.690, RFC 5280, RFC 3161, RFC 5652).

use p256::ecdsa::SigningKey;
use p256::ecdsa::signature::Signer as _;
use pkcs8::EncodePublicKey as _;

use super::index::release_date;

pub(super) fn item(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let value = parts.concat();
    let length = value.len();
    let head = match length {
        0..0x80 => vec![tag, u8::try_from(length).unwrap()],
        0x80..0x100 => vec![tag, 0x81, u8::try_from(length).unwrap()],
        _ => [&[tag, 0x82][..], &u16::try_from(length).unwrap().to_be_bytes()].concat(),
    };
    [head, value].concat()
}

pub(super) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    item(0x30, parts)
}

pub(super) fn oid(dotted: &str) -> Vec<u8> {
    let numbers: Vec<u64> = dotted.split('.').map(|number| number.parse().unwrap()).collect();
    let mut value = vec![u8::try_from(numbers[0] * 40 + numbers[1]).unwrap()];
    for &number in &numbers[2..] {
        let digits: Vec<u8> = (0..10).map(|at| u8::try_from(number >> (7 * at) & 0x7f).unwrap()).collect();
        let last = digits.iter().rposition(|digit| *digit != 0).unwrap_or(0);
        value.extend((0..=last).rev().map(|at| if at == 0 { digits[at] } else { digits[at] | 0x80 }));
    }
    item(6, &[&value])
}

/// `GeneralizedTime`, digits and all.
fn digits(seconds: i64) -> String {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let date = release_date(u32::try_from(seconds).unwrap());
    let words: Vec<&str> = date.split(' ').collect();
    let month = MONTHS.find(words[2]).unwrap() / 3 + 1;
    let day: u8 = words[1].parse().unwrap();
    format!("{}{month:02}{day:02}{}Z", words[3], words[4].replace(':', ""))
}

pub(super) fn time(seconds: i64) -> Vec<u8> {
    item(0x18, &[digits(seconds).as_bytes()])
}

/// As certificates have it (RFC 5280, 4.1.2.5): without its century until the end of 2049.
fn validity(seconds: i64) -> Vec<u8> {
    if seconds < 2_524_608_000 { item(0x17, &[&digits(seconds).as_bytes()[2..]]) } else { time(seconds) }
}

pub(super) fn spki(key: &SigningKey) -> Vec<u8> {
    key.verifying_key().to_public_key_der().unwrap().into_vec()
}

pub(super) fn sign(key: &SigningKey, message: &[u8]) -> Vec<u8> {
    let signature: p256::ecdsa::DerSignature = key.sign(message);
    signature.as_bytes().to_vec()
}

/// ECDSA with SHA-256.
fn ecdsa() -> Vec<u8> {
    sequence(&[&oid("1.2.840.10045.4.3.2")])
}

fn sha256() -> Vec<u8> {
    sequence(&[&oid("2.16.840.1.101.3.4.2.1")])
}

/// A name with one part, or none.
fn name(common: &str) -> Vec<u8> {
    if common.is_empty() {
        return sequence(&[]);
    }
    sequence(&[&item(0x31, &[&sequence(&[&oid("2.5.4.3"), &item(0x0c, &[common.as_bytes()])])])])
}

pub(super) fn extension(id: &str, critical: bool, value: &[u8]) -> Vec<u8> {
    let critical = if critical { item(1, &[&[0xff]]) } else { Vec::new() };
    sequence(&[&oid(id), &critical, &item(4, &[value])])
}

/// For which purpose: `3` signs code, `8` signs timestamps.
pub(super) fn purpose(last: u8, critical: bool) -> Vec<u8> {
    extension("2.5.29.37", critical, &sequence(&[&oid(&format!("1.3.6.1.5.5.7.3.{last}"))]))
}

/// That it is an authority.
pub(super) fn authority() -> Vec<u8> {
    extension("2.5.29.19", true, &sequence(&[&item(1, &[&[0xff]])]))
}

/// What is signed of a certificate.
pub(super) fn content(
    subject: &str,
    issuer: &str,
    (from, until): (i64, i64),
    spki: &[u8],
    extensions: &[Vec<u8>],
) -> Vec<u8> {
    let extensions: Vec<&[u8]> = extensions.iter().map(Vec::as_slice).collect();
    sequence(&[
        &item(0xa0, &[&item(2, &[&[2]])]),
        &item(2, &[&[0x11, 0x22]]),
        &ecdsa(),
        &name(issuer),
        &sequence(&[&validity(from), &validity(until)]),
        &name(subject),
        spki,
        &item(0xa3, &[&sequence(&extensions)]),
    ])
}

/// The certificate of a content.
pub(super) fn certificate(content: &[u8], key: &SigningKey) -> Vec<u8> {
    sequence(&[content, &ecdsa(), &item(3, &[&[0], &sign(key, content)])])
}

/// A response of a timestamp authority.
pub(super) fn timestamp(
    hash: &[u8],
    nonce: Option<&[u8]>,
    seconds: i64,
    (key, certificate): (&SigningKey, &[u8]),
) -> Vec<u8> {
    const INFO: &str = "1.2.840.113549.1.9.16.1.4";
    let nonce = nonce.map_or(Vec::new(), |nonce| item(2, &[nonce]));
    let imprint = sequence(&[&sha256(), &item(4, &[hash])]);
    let info = sequence(&[
        &item(2, &[&[1]]),
        &oid("1.3.6.1.4.1.57264.2"),
        &imprint,
        &item(2, &[&[7]]),
        &time(seconds),
        &sequence(&[&item(2, &[&[1]])]),
        &nonce,
    ]);
    let attribute = |id: &str, value: &[u8]| sequence(&[&oid(id), &item(0x31, &[value])]);
    let attributes = [
        attribute("1.2.840.113549.1.9.3", &oid(INFO)),
        attribute("1.2.840.113549.1.9.4", &item(4, &[&super::sigstore::sha256(&info)])),
    ]
    .concat();
    let signature = sign(key, &item(0x31, &[&attributes]));
    let signer = sequence(&[
        &item(2, &[&[1]]),
        &sequence(&[&name("clock authority"), &item(2, &[&[0x11, 0x22]])]),
        &sha256(),
        &item(0xa0, &[&attributes]),
        &ecdsa(),
        &item(4, &[&signature]),
    ]);
    let data = sequence(&[
        &item(2, &[&[3]]),
        &item(0x31, &[&sha256()]),
        &sequence(&[&oid(INFO), &item(0xa0, &[&item(4, &[&info])])]),
        &item(0xa0, &[certificate]),
        &item(0x31, &[&signer]),
    ]);
    let token = sequence(&[&oid("1.2.840.113549.1.7.2"), &item(0xa0, &[&data])]);
    sequence(&[&sequence(&[&item(2, &[&[0]])]), &token])
}
