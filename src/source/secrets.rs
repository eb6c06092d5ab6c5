//! Content that looks like a secret: private keys, and tokens whose form gives them away. It is looked
//! for while a source is decoded, so each file is read for it once in its life.
//!
//! ```text
//! a mebibyte ─► one pass for telling words ─► where one is: does what is around it fit? ─► kinds
//! ```
//!
//! A telling word alone is no secret: programs that read keys hold `-----BEGIN RSA PRIVATE KEY-----` as
//! a word of theirs. A key has lines of base64 behind it, a token has its letters and its length. What
//! documentation shows as an example says so in itself (`EXAMPLE`, `xxxx`) and is passed over. Archives
//! inside files are not opened.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::known_keys;

/// What a file looks like it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Secret {
    /// A private key: PEM of any kind, OpenSSH, PGP, PuTTY, age.
    PrivateKey,
    /// An AWS access key and its secret.
    AwsKey,
    /// A key of an Azure storage account.
    AzureKey,
    /// A Google API key or client secret.
    GoogleKey,
    /// A token of a forge: GitHub, GitLab.
    ForgeToken,
    /// A token of a package or image registry: npm, `PyPI`, Docker, Hugging Face.
    RegistryToken,
    /// A token of a service: Slack, Stripe, `SendGrid`, `DigitalOcean`, Vault.
    ServiceToken,
    /// A signed JSON web token.
    WebToken,
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PrivateKey => "a private key",
            Self::AwsKey => "an AWS access key with its secret",
            Self::AzureKey => "a key of an Azure storage account",
            Self::GoogleKey => "a Google API key",
            Self::ForgeToken => "an access token of GitHub or GitLab",
            Self::RegistryToken => "an access token of a package registry",
            Self::ServiceToken => "an access token of a service",
            Self::WebToken => "a JSON web token",
        })
    }
}

/// Looks around a telling word that was found at a place.
type Fits = fn(&[u8], usize) -> bool;

/// The telling words, what they tell, and what must be around them.
const WORDS: &[(&str, Secret, Fits)] = &[
    ("PRIVATE KEY", Secret::PrivateKey, pem),
    ("LS0tLS1CRUdJTi", Secret::PrivateKey, encoded_pem),
    ("PuTTY-User-Key-File-", Secret::PrivateKey, putty),
    ("AGE-SECRET-KEY-1", Secret::PrivateKey, |bytes, at| token(bytes, at, 16, is_alphanumeric, 58..=58)),
    ("AKIA", Secret::AwsKey, aws),
    ("ASIA", Secret::AwsKey, aws),
    ("AccountKey=", Secret::AzureKey, azure),
    ("AIza", Secret::GoogleKey, |bytes, at| token(bytes, at, 4, is_word, 35..=35)),
    ("GOCSPX-", Secret::GoogleKey, |bytes, at| token(bytes, at, 7, is_word, 28..=28)),
    ("ghp_", Secret::ForgeToken, github),
    ("gho_", Secret::ForgeToken, github),
    ("ghu_", Secret::ForgeToken, github),
    ("ghs_", Secret::ForgeToken, github),
    ("ghr_", Secret::ForgeToken, github),
    ("github_pat_", Secret::ForgeToken, |bytes, at| token(bytes, at, 11, is_underscored, 60..=120)),
    ("glpat-", Secret::ForgeToken, gitlab),
    ("gldt-", Secret::ForgeToken, gitlab),
    ("glrt-", Secret::ForgeToken, gitlab),
    ("npm_", Secret::RegistryToken, |bytes, at| token(bytes, at, 4, is_alphanumeric, 36..=36)),
    ("pypi-AgE", Secret::RegistryToken, |bytes, at| token(bytes, at, 8, is_word, 50..=WINDOW)),
    ("dckr_pat_", Secret::RegistryToken, |bytes, at| token(bytes, at, 9, is_word, 20..=60)),
    ("hf_", Secret::RegistryToken, |bytes, at| token(bytes, at, 3, is_alphanumeric, 34..=34)),
    ("xoxa-", Secret::ServiceToken, slack),
    ("xoxb-", Secret::ServiceToken, slack),
    ("xoxp-", Secret::ServiceToken, slack),
    ("xoxr-", Secret::ServiceToken, slack),
    ("xoxs-", Secret::ServiceToken, slack),
    ("sk_live_", Secret::ServiceToken, |bytes, at| token(bytes, at, 8, is_alphanumeric, 20..=120)),
    ("rk_live_", Secret::ServiceToken, |bytes, at| token(bytes, at, 8, is_alphanumeric, 20..=120)),
    ("dop_v1_", Secret::ServiceToken, |bytes, at| token(bytes, at, 7, is_alphanumeric, 64..=64)),
    ("hvs.", Secret::ServiceToken, |bytes, at| token(bytes, at, 4, is_word, 24..=WINDOW)),
    ("SG.", Secret::ServiceToken, sendgrid),
    ("eyJ", Secret::WebToken, web_token),
];

/// Leftmost matches are those that the search by many bytes at once is made for: ten times as fast.
static SEARCH: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let words = WORDS.iter().map(|(word, ..)| word);
    AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(words).expect("a few short words")
});

/// How far behind the beginning of a word is looked, in bytes.
const WINDOW: usize = 1024;

/// How far before it.
const BEFORE: usize = 256;

/// Looks for secrets in content that comes in pieces.
#[derive(Default)]
pub(super) struct Scanner {
    found: BTreeSet<Secret>,
    /// The end of the piece before: what begins there is seen whole with the next piece only.
    tail: Vec<u8>,
}

impl Scanner {
    /// Takes in the next piece; `last` says that no other comes.
    pub(super) fn feed(&mut self, piece: &[u8], last: bool) {
        if !self.tail.is_empty() {
            let seam = [&self.tail, &piece[..piece.len().min(BEFORE + WINDOW)]].concat();
            // What begins further on is seen whole in the piece itself.
            let until =
                if last && piece.len() <= BEFORE + WINDOW { seam.len() } else { self.tail.len() + BEFORE };
            search(&seam, until, &mut self.found);
        }
        let until = if last { piece.len() } else { piece.len().saturating_sub(WINDOW) };
        search(piece, until, &mut self.found);
        if !last {
            self.tail.clear();
            self.tail.extend_from_slice(&piece[piece.len().saturating_sub(WINDOW + BEFORE)..]);
        }
    }

    /// What was found.
    pub(super) fn found(self) -> Vec<Secret> {
        self.found.into_iter().collect()
    }
}

/// What a whole content looks like it holds.
pub fn secrets(bytes: &[u8]) -> BTreeSet<Secret> {
    let mut found = BTreeSet::new();
    search(bytes, bytes.len(), &mut found);
    found
}

/// Adds what begins before `until`.
fn search(bytes: &[u8], until: usize, found: &mut BTreeSet<Secret>) {
    for hit in SEARCH.find_iter(bytes) {
        if hit.start() >= until {
            break;
        }
        let (_, secret, fits) = WORDS[hit.pattern().as_usize()];
        if !found.contains(&secret) && fits(bytes, hit.start()) {
            found.insert(secret);
        }
    }
}

fn is_alphanumeric(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

fn is_underscored(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The letters of base64url.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/'
}

/// The bytes from a place on, as far as all are of a kind.
fn run(bytes: &[u8], from: usize, of: fn(u8) -> bool) -> &[u8] {
    let rest = bytes.get(from..).unwrap_or_default();
    let end = rest.iter().take(4 * WINDOW).position(|byte| !of(*byte)).unwrap_or(rest.len().min(4 * WINDOW));
    &rest[..end]
}

/// Whether nothing before a place belongs to the same word.
fn begins(bytes: &[u8], at: usize) -> bool {
    at.checked_sub(1).is_none_or(|before| !is_word(bytes[before]))
}

/// What stands for a secret in documentation.
fn is_example(text: &[u8]) -> bool {
    let lower = text.to_ascii_lowercase();
    let holds = |word: &[u8]| lower.windows(word.len()).any(|part| part == word);
    holds(b"example") || holds(b"xxxx") || holds(b"your")
}

/// A word of its own: the telling beginning of `skip` bytes, and so many letters of a kind.
fn token(
    bytes: &[u8],
    at: usize,
    skip: usize,
    of: fn(u8) -> bool,
    length: std::ops::RangeInclusive<usize>,
) -> bool {
    let rest = run(bytes, at + skip, of);
    begins(bytes, at) && length.contains(&rest.len()) && !is_example(rest)
}

fn github(bytes: &[u8], at: usize) -> bool {
    token(bytes, at, 4, is_alphanumeric, 36..=255)
}

fn gitlab(bytes: &[u8], at: usize) -> bool {
    let skip = run(bytes, at, is_alphanumeric).len() + 1;
    token(bytes, at, skip, is_word, 20..=64)
}

/// `xoxb-`, a number, and more.
fn slack(bytes: &[u8], at: usize) -> bool {
    token(bytes, at, 5, is_word, 24..=255) && run(bytes, at + 5, |byte| byte.is_ascii_digit()).len() >= 8
}

/// Two parts of fixed length.
fn sendgrid(bytes: &[u8], at: usize) -> bool {
    let (first, dot) = (run(bytes, at + 3, is_word), at + 3 + 22);
    first.len() == 22 && bytes.get(dot) == Some(&b'.') && token(bytes, at, 26, is_word, 43..=43)
}

/// 64 bytes in base64.
fn azure(bytes: &[u8], at: usize) -> bool {
    let key = run(bytes, at + 11, is_base64);
    key.len() == 86 && bytes.get(at + 11 + 86..at + 11 + 88) == Some(b"==") && !is_example(key)
}

/// An access key's name, and near it a secret: forty letters of base64.
fn aws(bytes: &[u8], at: usize) -> bool {
    let name = run(bytes, at, is_alphanumeric);
    let named =
        name.len() == 20 && name.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if !named || !begins(bytes, at) || is_example(name) {
        return false;
    }
    let around = &bytes[at.saturating_sub(BEFORE)..bytes.len().min(at + 2 * BEFORE)];
    around.split(|byte| !is_base64(*byte)).any(|word| {
        let has = |kind: fn(&u8) -> bool| word.iter().any(kind);
        word.len() == 40
            && has(u8::is_ascii_uppercase)
            && has(u8::is_ascii_lowercase)
            && has(u8::is_ascii_digit)
            && !is_example(word)
    })
}

/// The head of PuTTY's own format, with the kind of the key filled in.
fn putty(bytes: &[u8], at: usize) -> bool {
    let rest = bytes.get(at + 20..).unwrap_or_default();
    let digit = rest.first().is_some_and(u8::is_ascii_digit);
    let kind = rest.get(1..).and_then(|rest| rest.strip_prefix(b": ")).unwrap_or_default();
    digit && (kind.starts_with(b"ssh-") || kind.starts_with(b"ecdsa-"))
}

/// `-----BEGIN … PRIVATE KEY-----` (or `---- BEGIN … ----`), header lines if any, then a line of base64.
/// Line ends may be written out (`\n`), as in JSON and in programs, and lines may be in quotes.
fn pem(bytes: &[u8], at: usize) -> bool {
    let line = &bytes[at.saturating_sub(48)..at];
    let Some(begin) = line.windows(6).rposition(|part| part == b"BEGIN ") else { return false };
    let label = &line[begin + 6..];
    let dashed = line[..begin].ends_with(b"-----") || line[..begin].ends_with(b"---- ");
    let plain = label.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b' ');
    let rest = &bytes[at + b"PRIVATE KEY".len()..];
    let rest = rest.strip_prefix(b" BLOCK").unwrap_or(rest);
    let behind = rest.strip_prefix(b"-----").or_else(|| rest.strip_prefix(b" ----"));
    dashed && plain && behind.is_some_and(has_body)
}

/// The shortest line that a key's body begins with: standards say 64, some writers less.
const BODY: usize = 40;

/// Whether a line of base64 follows, after header lines (`Proc-Type: …`) and blank ones, and is neither
/// an example nor of a key that everybody has.
fn has_body(rest: &[u8]) -> bool {
    let mut at = 0;
    for _ in 0..12 {
        at += separators(&rest[at.min(rest.len())..]);
        let line = run(rest, at, is_base64);
        if line.len() >= BODY {
            let behind = &rest[at + line.len()..];
            let cut = behind.starts_with(b"..") || behind.starts_with("…".as_bytes());
            return !cut && !is_example(&line[..BODY]) && !known_keys::is_known(&first_letters(&rest[at..]));
        }
        // A header has a name, a colon, and goes on to the line's end.
        let name = run(rest, at, is_word);
        if name.is_empty() || rest.get(at + name.len()) != Some(&b':') {
            return false;
        }
        at += rest[at..].iter().take(WINDOW).position(|byte| matches!(byte, b'\n' | b'\\')).unwrap_or(WINDOW);
        if at >= rest.len() {
            return false;
        }
    }
    false
}

/// The first letters of a key's body, over its lines: as many as tell keys apart.
fn first_letters(mut body: &[u8]) -> Vec<u8> {
    let mut letters = Vec::new();
    while letters.len() < known_keys::LETTERS {
        let line = run(body, 0, is_base64);
        if line.is_empty() {
            break;
        }
        letters.extend_from_slice(line);
        body = &body[line.len()..];
        body = &body[separators(body)..];
    }
    letters.truncate(known_keys::LETTERS);
    letters
}

/// How many bytes of line ends, written out or not, blanks and quotes there are.
fn separators(bytes: &[u8]) -> usize {
    let mut at = 0;
    while at < bytes.len() && at < 64 {
        at += match &bytes[at..] {
            [b'\\', b'n' | b'r', ..] => 2,
            [b'\n' | b'\r' | b' ' | b'\t' | b'"' | b'\'' | b',', ..] => 1,
            _ => break,
        };
    }
    at
}

/// PEM inside base64, as in configurations of clusters.
fn encoded_pem(bytes: &[u8], at: usize) -> bool {
    let text = run(bytes, at, is_base64);
    let whole = text.len().min(256) / 4 * 4;
    let Ok(decoded) = STANDARD.decode(&text[..whole]) else { return false };
    let key = b"PRIVATE KEY";
    decoded.windows(key.len()).position(|part| part == key).is_some_and(|at| pem(&decoded, at))
}

/// Header, payload and signature (RFC 7519); the header names an algorithm, and the payload who, for
/// whom or until when, as what lets somebody in does.
fn web_token(bytes: &[u8], at: usize) -> bool {
    let header = run(bytes, at, is_word);
    let payload = run(bytes, at + header.len() + 1, is_word);
    let signed = at + header.len() + 1 + payload.len();
    let dots = bytes.get(at + header.len()) == Some(&b'.') && bytes.get(signed) == Some(&b'.');
    begins(bytes, at)
        && dots
        && header.len().max(payload.len()) <= 2 * WINDOW
        && says(header, &["alg"])
        && says(payload, &["iss", "sub", "aud", "exp", "iat", "jti"])
        && run(bytes, signed + 1, is_word).len() >= 32
}

/// Whether a part of a web token is a JSON object with one of these names.
fn says(part: &[u8], names: &[&str]) -> bool {
    let decoded = URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
    let value = serde_json::from_slice::<serde_json::Value>(&decoded).ok();
    value.is_some_and(|value| names.iter().any(|name| value.get(name).is_some()))
}
