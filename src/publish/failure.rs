//! What went wrong with a registry, said with the step, the address, and the registry's own words.

use std::io::Read as _;

use serde_json::Value;

use crate::diag::{Code, codes};
use crate::host::HttpAnswer;

/// The most letters of a registry's own words that are shown.
const MOST: usize = 500;

/// What a registry is used for: a problem with it is one of getting or one of publishing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Images are read.
    Pull,
    /// Images are written.
    Push,
}

impl Purpose {
    /// The registry failed.
    pub(super) fn failed(self) -> Code {
        match self {
            Self::Pull => codes::NOT_PULLED,
            Self::Push => codes::NOT_PUBLISHED,
        }
    }

    /// The registry refused who is asking.
    pub(super) fn denied(self) -> Code {
        match self {
            Self::Pull => codes::NOT_PULLED,
            Self::Push => codes::DENIED,
        }
    }

    /// The registry gives other bytes than those that a digest names.
    pub(super) fn mismatch(self) -> Code {
        match self {
            Self::Pull => codes::DIGEST_MISMATCH,
            Self::Push => codes::NOT_AS_PUSHED,
        }
    }

    /// What tokens are asked for.
    pub(super) fn actions(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "pull,push",
        }
    }
}

/// A registry's words without what could move a terminal's cursor, and not too many of them.
pub(super) fn clean(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.chars().take(MOST).collect()
}

/// What an answer says in its body (distribution specification, "Error Codes"), or its text.
pub(super) fn words(answer: HttpAnswer) -> String {
    let mut bytes = Vec::new();
    let _ = answer.body.take(64 << 10).read_to_end(&mut bytes);
    let value: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let errors = value.get("errors").and_then(Value::as_array).cloned().unwrap_or_default();
    let text =
        |error: &Value, key: &str| error.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let said: Vec<String> = errors
        .iter()
        .take(5)
        .map(|error| format!("{}: {}", text(error, "code"), text(error, "message")))
        .collect();
    if said.is_empty() { clean(&bytes) } else { clean(said.join("; ").as_bytes()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registrys_words_cant_move_the_cursor_nor_fill_the_screen() {
        assert_eq!(clean(b"a\x1b[2J\r\nb\xff"), "a [2J b\u{fffd}");
        assert_eq!(clean(&[b'x'; 10_000]).len(), MOST);
    }
}
