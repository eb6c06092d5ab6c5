//! What is needed of certificates (RFC 5280): that a file holds some, and the hash of their subject by
//! which OpenSSL looks for them in a folder.
//!
//! ```text
//! Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signature BIT STRING }
//! tbsCertificate ::= SEQUENCE { [0] version, serial, algorithm, issuer, validity, subject, key, … }
//! ```
//!
//! Nothing is verified here: a recipe's certificates are trusted because the recipe says so.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::ident::Sha1;

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const UTF8_STRING: u8 = 0x0c;
const VERSION: u8 = 0xa0;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// A certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Certificate {
    /// Its DER.
    pub(super) der: Vec<u8>,
    /// The content of its subject.
    subject: Vec<u8>,
}

impl Certificate {
    /// Reads the DER of a certificate; `None` if it is none.
    pub(super) fn read(der: &[u8]) -> Option<Self> {
        let certificate = only(SEQUENCE, der)?;
        let (body, rest) = element(SEQUENCE, certificate)?;
        let (_, rest) = element(SEQUENCE, rest)?;
        only(BIT_STRING, rest)?;
        let body = element(VERSION, body).map_or(body, |(_, rest)| rest);
        let (_, body) = element(INTEGER, body)?;
        let (_, body) = element(SEQUENCE, body)?;
        let (_, body) = element(SEQUENCE, body)?;
        let (_, body) = element(SEQUENCE, body)?;
        let (subject, body) = element(SEQUENCE, body)?;
        element(SEQUENCE, body)?;
        Some(Self { der: der.to_vec(), subject: subject.to_vec() })
    }

    /// As PEM (RFC 7468), lines of 64 characters.
    pub(super) fn pem(&self) -> String {
        let base64 = STANDARD.encode(&self.der);
        let lines: Vec<&str> = base64
            .as_bytes()
            .chunks(64)
            .map(|line| std::str::from_utf8(line).expect("base64 is ASCII"))
            .collect();
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
    }

    /// The hash that names its links, as `openssl x509 -subject_hash` prints it; `None` if the
    /// subject does not read.
    pub(super) fn subject_hash(&self) -> Option<String> {
        let digest = Sha1::of(&canonical(&self.subject)?).0;
        let [a, b, c, d, ..] = digest;
        Some(format!("{:08x}", u32::from_le_bytes([a, b, c, d])))
    }
}

/// A part of a PEM file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block<'a> {
    /// Such as `CERTIFICATE`.
    pub(super) label: &'a str,
    /// What it holds; `None` if that is not base64, or nothing ends it.
    pub(super) content: Option<Vec<u8>>,
}

/// All parts of a PEM file; what is between them says nothing.
pub(super) fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut found = Vec::new();
    let mut lines = text.lines().map(str::trim);
    while let Some(line) = lines.next() {
        let label = line.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(DASHES));
        let Some(label) = label else { continue };
        let mut base64 = String::new();
        let mut ended = false;
        for line in lines.by_ref() {
            if let Some(rest) = line.strip_prefix(END) {
                ended = rest.strip_suffix(DASHES) == Some(label);
                break;
            }
            base64.push_str(line);
        }
        found.push(Block { label, content: STANDARD.decode(base64).ok().filter(|_| ended) });
    }
    found
}

/// The certificates of a PEM file, as programs that skip everything else see them.
pub(super) fn certificates(bytes: &[u8]) -> Vec<Certificate> {
    let text = String::from_utf8_lossy(bytes);
    let blocks = blocks(&text).into_iter().filter(|block| block.label == "CERTIFICATE");
    blocks.filter_map(|block| Certificate::read(&block.content?)).collect()
}

/// A tag, its content, and what follows; lengths are definite (X.690, 10.1).
fn any(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let count = usize::from(first & 0x7f);
        let (digits, rest) = rest.split_at_checked(count).filter(|_| (1..=4).contains(&count))?;
        let length = digits.iter().fold(0_usize, |value, digit| value << 8 | usize::from(*digit));
        (length, rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

fn element(wanted: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    any(bytes).filter(|(tag, ..)| *tag == wanted).map(|(_, content, rest)| (content, rest))
}

fn only(wanted: u8, bytes: &[u8]) -> Option<&[u8]> {
    element(wanted, bytes).filter(|(_, rest)| rest.is_empty()).map(|(content, _)| content)
}

fn encode(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).expect("a name is small").to_be_bytes();
    let mut out = vec![tag];
    if content.len() < 0x80 {
        out.push(length[3]);
    } else {
        let digits: Vec<u8> = length.into_iter().skip_while(|digit| *digit == 0).collect();
        out.push(0x80 | u8::try_from(digits.len()).expect("four at most"));
        out.extend(digits);
    }
    out.extend(content);
    out
}

/// The form of a name that OpenSSL compares and hashes: texts as UTF-8, in lower case as far as
/// ASCII goes, without spaces around them and with single ones inside; no tag around the whole.
fn canonical(name: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let (mut set, after) = element(SET, rest)?;
        rest = after;
        let mut attributes = Vec::new();
        while !set.is_empty() {
            let (attribute, after) = element(SEQUENCE, set)?;
            set = after;
            let (_, kind, value) = any(attribute)?;
            let whole = &attribute[..attribute.len() - value.len()];
            debug_assert!(whole.ends_with(kind));
            let (tag, value, _) = any(value)?;
            let value = match text(tag, value) {
                Some(text) => encode(UTF8_STRING, squeezed(&text).as_bytes()),
                None => encode(tag, value),
            };
            attributes.push(encode(SEQUENCE, &[whole, &value].concat()));
        }
        attributes.sort();
        out.extend(encode(SET, &attributes.concat()));
    }
    Some(out)
}

/// The text of a string, if it is one of the kinds that are made alike.
fn text(tag: u8, value: &[u8]) -> Option<String> {
    match tag {
        // UTF8String, PrintableString, IA5String, VisibleString
        0x0c | 0x13 | 0x16 | 0x1a => String::from_utf8(value.to_vec()).ok(),
        // TeletexString, which everybody takes for Latin-1
        0x14 => Some(value.iter().map(|byte| char::from(*byte)).collect()),
        // UniversalString
        0x1c => {
            let (chunks, rest) = value.as_chunks::<4>();
            let text = chunks.iter().map(|chunk| char::from_u32(u32::from_be_bytes(*chunk)));
            text.collect::<Option<String>>().filter(|_| rest.is_empty())
        }
        // BMPString
        0x1e => {
            let (chunks, rest) = value.as_chunks::<2>();
            let text = chunks.iter().map(|chunk| char::from_u32(u16::from_be_bytes(*chunk).into()));
            text.collect::<Option<String>>().filter(|_| rest.is_empty())
        }
        _ => None,
    }
}

fn squeezed(text: &str) -> String {
    let is_space = |letter: char| matches!(letter, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c');
    let words: Vec<&str> = text.split(is_space).filter(|word| !word.is_empty()).collect();
    words.join(" ").to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_hashed_in_one_form_however_they_are_written() {
        // CN in PrintableString with many spaces, and in UTF8String without.
        let name = |tag: u8, text: &str| {
            let value = encode(tag, text.as_bytes());
            let attribute = encode(SEQUENCE, &[&[0x06, 0x03, 0x55, 0x04, 0x03], &value[..]].concat());
            encode(SET, &attribute)
        };
        assert_eq!(canonical(&name(0x13, "  My   Root ")), canonical(&name(0x0c, "my root")));
        assert_ne!(canonical(&name(0x0c, "my root")), canonical(&name(0x0c, "myroot")));
        assert_eq!(canonical(&[0x31]), None);
    }

    #[test]
    fn lengths_that_lie_are_no_certificate() {
        for bytes in [&[0x30, 0x80][..], &[0x30, 0x85, 1, 1, 1, 1, 1], &[0x30, 0x05, 0x30], &[], &[0x30]] {
            assert_eq!(Certificate::read(bytes), None);
        }
    }

    #[test]
    fn parts_of_a_file_are_found_by_their_lines() {
        let text = "about\n-----BEGIN A-----\r\nYWJj\r\n-----END A-----\n-----BEGIN B-----\nYW!\n-----END B-----\n-----BEGIN C-----\nYWJj\n";
        let found: Vec<_> = blocks(text).into_iter().map(|block| (block.label, block.content)).collect();
        assert_eq!(found, [("A", Some(b"abc".to_vec())), ("B", None), ("C", None)]);
    }
}
