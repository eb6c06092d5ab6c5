//! The in-toto Statement v1 (in-toto attestation 1.0, statement.md), in its one byte string.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::canon;
use crate::ident::{BlobDigest, Sha256};

/// The DSSE payload type of statements.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

const TYPE: &str = "https://in-toto.io/Statement/v1";
const OLDER: &str = "https://in-toto.io/Statement/v0.1";

/// What a statement is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// What it is called.
    #[serde(default)]
    pub name: String,
    /// Its digests, by algorithm.
    pub digest: BTreeMap<String, String>,
}

impl Subject {
    /// A manifest or index.
    pub fn new(name: &str, digest: &BlobDigest) -> Self {
        let digest = BTreeMap::from([("sha256".to_owned(), digest.0.to_string())]);
        Self { name: name.to_owned(), digest }
    }

    /// Its SHA-256 digest.
    pub fn sha256(&self) -> Option<BlobDigest> {
        Some(BlobDigest(self.digest.get("sha256")?.parse::<Sha256>().ok()?))
    }
}

/// A statement, read.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    /// What it is about.
    pub subject: Vec<Subject>,
    /// What kind of thing it claims.
    #[serde(rename = "predicateType")]
    pub predicate_type: String,
    /// What it claims.
    #[serde(default)]
    pub predicate: Value,
}

impl Statement {
    /// Reads a statement; the error says why it is none.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let statement: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if statement.kind != TYPE && statement.kind != OLDER {
            return Err(format!("its type is `{}`, not `{TYPE}`", statement.kind));
        }
        if statement.subject.is_empty() {
            return Err("it has no subject".to_owned());
        }
        Ok(statement)
    }

    /// Whether it is about this digest.
    pub fn is_about(&self, digest: &BlobDigest) -> bool {
        self.subject.iter().any(|subject| subject.sha256() == Some(*digest))
    }
}

/// The one byte string of a statement. The predicate is canonical JSON already and may be large, so
/// it is put in as it is; keys stand in their order.
pub fn write_statement(subjects: &[Subject], predicate_type: &str, predicate: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(predicate.len() + 512);
    let mut field = |name: &str, value: &[u8]| {
        bytes.push(if bytes.is_empty() { b'{' } else { b',' });
        bytes.extend(canon::to_json(&name));
        bytes.push(b':');
        bytes.extend_from_slice(value);
    };
    field("_type", &canon::to_json(&TYPE));
    field("predicate", predicate);
    field("predicateType", &canon::to_json(&predicate_type));
    field("subject", &canon::to_json(&subjects));
    bytes.push(b'}');
    bytes
}

/// The bytes of the predicate in a statement that [`write_statement`] wrote; `None` for one that was written otherwise, in
/// which they may stand anywhere.
pub fn raw_predicate(statement: &[u8]) -> Option<&[u8]> {
    let before = [&b"{\"_type\":"[..], &canon::to_json(&TYPE), b",\"predicate\":"].concat();
    let rest = statement.strip_prefix(&before[..])?;
    let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<serde::de::IgnoredAny>();
    values.next()?.ok()?;
    Some(&rest[..values.byte_offset()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(of: &str) -> BlobDigest {
        BlobDigest(Sha256::of(of.as_bytes()))
    }

    #[test]
    fn a_statement_is_canonical_and_reads_back() {
        let subjects = [Subject::new("python", &digest("a"))];
        let bytes = write_statement(&subjects, "https://example.org/x", b"{\"b\":1}");
        let value: Value = serde_json::from_slice(&bytes).expect("JSON");
        assert_eq!(canon::to_json(&value), bytes);
        let read = Statement::parse(&bytes).expect("a statement");
        assert_eq!(
            (read.predicate_type.as_str(), &read.subject[..]),
            ("https://example.org/x", &subjects[..])
        );
        assert!(read.is_about(&digest("a")) && !read.is_about(&digest("b")));
    }

    #[test]
    fn the_predicate_of_a_statement_of_ours_is_found_as_it_was_written() {
        let subjects = [Subject::new("x", &digest("a"))];
        for predicate in [&b"{}"[..], b"{ \"b\": 1.50, \"a\": \"}\" }", b"{\"predicate\":{\"x\":[]}}"] {
            let bytes = write_statement(&subjects, "https://example.org/x", predicate);
            assert_eq!(raw_predicate(&bytes), Some(predicate));
        }
        assert_eq!(raw_predicate(b"{\"predicate\":{},\"_type\":\"x\"}"), None);
        let broken = write_statement(&subjects, "https://example.org/x", b"{,}");
        assert_eq!(raw_predicate(&broken), None);
    }

    #[test]
    fn what_is_no_statement_is_refused() {
        for text in [
            "",
            "[]",
            "{}",
            r#"{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicateType":"x"}"#,
            r#"{"_type":"https://example.org","subject":[{"digest":{}}],"predicateType":"x"}"#,
        ] {
            assert!(Statement::parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
