//! A log's signed word on its tree (C2SP, tlog-checkpoint and signed-note).
//!
//! ```text
//! origin LF  size LF  base64(root hash) LF  [extension LF …]  LF
//! — name SP base64(4 bytes that hint at the key, signature) LF …
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Checked;
use super::keys::AnyKey;
use super::merkle::Hash;

/// The most signatures of witnesses and the log that are looked at.
const MOST: usize = 32;

/// What the log says of its tree: how many entries, and their root.
pub(super) fn open(text: &str, key: &AnyKey) -> Checked<(u64, Hash)> {
    let bad = || "a checkpoint that does not read".to_owned();
    let end = text.find("\n\n").ok_or_else(bad)? + 1;
    let (note, signatures) = (&text[..end], &text[end + 1..]);
    let mut lines = note.lines();
    let (origin, size, root) = (lines.next(), lines.next(), lines.next());
    let size = size.and_then(|size| size.parse().ok());
    let root = root.and_then(|root| STANDARD.decode(root).ok()).and_then(|root| root.try_into().ok());
    let (Some(_), Some(size), Some(root)) = (origin, size, root) else { return Err(bad()) };
    let signed = signatures.lines().take(MOST).any(|line| {
        let signature = line.strip_prefix("\u{2014} ").and_then(|rest| rest.rsplit_once(' '));
        let bytes = signature.and_then(|(_, base64)| STANDARD.decode(base64).ok());
        bytes.is_some_and(|bytes| {
            bytes.get(4..).is_some_and(|signature| key.signed(note.as_bytes(), signature))
        })
    });
    if signed { Ok((size, root)) } else { Err("a checkpoint that the log did not sign".to_owned()) }
}
