//! Java's trust store in its own older form, JKS, as Debian makes it.
//!
//! ```text
//! FEEDFEED  version 2  count  { tag 2  alias  time  "X.509"  length  DER }…  SHA-1
//! ```
//!
//! Numbers are big-endian, texts have their length in two bytes before them. The digest at the end is
//! over the password in UTF-16, a fixed phrase, and all before it. Every time is 0: when a
//! certificate came in says nothing about it.

use std::collections::BTreeMap;

use crate::ident::Sha1;

const MAGIC: u32 = 0xfeed_feed;
const VERSION: u32 = 2;
const TRUSTED_CERTIFICATE: u32 = 2;
/// The password that everyone uses for what is no secret.
const PASSWORD: &str = "changeit";
/// Mixed into the digest of each such store by Java itself.
const PHRASE: &[u8] = b"Mighty Aphrodite";

/// A store of certificates by alias.
pub(super) fn trust_store(certificates: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let count = |number: usize| u32::try_from(number).expect("a store is small").to_be_bytes();
    let mut store = Vec::new();
    store.extend(MAGIC.to_be_bytes());
    store.extend(VERSION.to_be_bytes());
    store.extend(count(certificates.len()));
    for (alias, der) in certificates {
        store.extend(TRUSTED_CERTIFICATE.to_be_bytes());
        store.extend(text(alias));
        store.extend(0_u64.to_be_bytes());
        store.extend(text("X.509"));
        store.extend(count(der.len()));
        store.extend(der);
    }
    let password: Vec<u8> = PASSWORD.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let digest = Sha1::of(&[&password, PHRASE, &store].concat());
    store.extend(digest.0);
    store
}

/// A text as `DataOutput.writeUTF` has it: UTF-16's units, each in UTF-8's way.
fn text(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for unit in text.encode_utf16() {
        let six = |shift: u32| 0x80 | u8::try_from(unit >> shift & 0x3f).expect("six bits");
        match unit {
            1..=0x7f => bytes.push(u8::try_from(unit).expect("seven bits")),
            0 | 0x80..=0x7ff => bytes.extend([0xc0 | u8::try_from(unit >> 6).expect("five bits"), six(0)]),
            _ => bytes.extend([0xe0 | u8::try_from(unit >> 12).expect("four bits"), six(6), six(0)]),
        }
    }
    let length = u16::try_from(bytes.len()).expect("an alias is the name of a file");
    [&length.to_be_bytes(), &bytes[..]].concat()
}
