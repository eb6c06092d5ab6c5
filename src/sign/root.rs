//! The file of trusted roots that verifiers of Sigstore bundles ask for, even where a key is all that
//! they need.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::canon;
use crate::diag::{Problem, Result, codes};
use crate::host;

/// The media type (Sigstore protobuf specifications, `TrustedRoot`), with either version of it.
const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.trustedroot+json;version=0.1";
const MEDIA_TYPE_V02: &str = "application/vnd.dev.sigstore.trustedroot.v0.2+json";

/// The lists that may stand in one, each with what holds bytes in its items.
const LISTS: [&str; 4] = ["tlogs", "certificateAuthorities", "ctlogs", "timestampAuthorities"];

/// Fields that hold bytes, wherever they stand.
const BYTES: [&str; 3] = ["rawBytes", "keyId", "checkpointKeyId"];

/// The file that is enough to verify by key, offline: it trusts nobody else.
pub fn trusted_root() -> Vec<u8> {
    canon::to_json(&serde_json::json!({ "mediaType": MEDIA_TYPE }))
}

/// A file of trusted roots that reads.
#[derive(Debug, Clone, PartialEq)]
pub struct TrustedRoot {
    value: Value,
}

impl TrustedRoot {
    /// Reads one. Its lists are checked for their form, and the bytes in them for being base64; what
    /// they mean is left to who verifies by certificates.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let bad = |found: String| {
            Problem::new(codes::BAD_BUNDLE, "the trusted root does not read as one").found(found)
        };
        let value: Value = serde_json::from_slice(bytes).map_err(|error| bad(format!("no JSON: {error}")))?;
        let media_type = value.get("mediaType").and_then(Value::as_str);
        if !media_type.is_some_and(|found| [MEDIA_TYPE, MEDIA_TYPE_V02].contains(&found)) {
            let found =
                media_type.map_or("no media type".to_owned(), |found| found.escape_debug().to_string());
            return Err(bad(found).expected(MEDIA_TYPE).into());
        }
        for (name, list) in value.as_object().into_iter().flatten().filter(|(name, _)| *name != "mediaType") {
            if !LISTS.contains(&name.as_str()) || !list.is_array() {
                return Err(bad(format!("`{}`, which is no list of authorities", name.escape_debug())).into());
            }
            if let Some(name) = broken(list) {
                return Err(bad(format!("a `{name}` that is not base64")).into());
            }
        }
        Ok(Self { value })
    }

    /// Reads the file at a path.
    pub fn open(path: &Path) -> Result<Self> {
        Self::parse(&host::read(path)?).map_err(|failure| failure.fact("file", path.display()))
    }

    /// A list in it; empty if it is not there.
    pub fn list(&self, name: &str) -> &[Value] {
        self.value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }
}

/// The name of a field that should hold bytes and does not. (JSON that was read is not deep.)
fn broken(value: &Value) -> Option<&str> {
    match value {
        Value::Array(items) => items.iter().find_map(broken),
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            let bytes = BYTES.contains(&name.as_str());
            let fine = !bytes || value.as_str().is_some_and(|text| STANDARD.decode(text).is_ok());
            if fine { broken(value) } else { Some(name) }
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_reads_and_trusts_nobody() {
        let root = TrustedRoot::parse(&trusted_root()).expect("ours");
        assert!(LISTS.iter().all(|list| root.list(list).is_empty()));
    }

    #[test]
    fn garbage_is_refused_with_what_was_found() {
        let with = |rest: &str| format!("{{\"mediaType\":\"{MEDIA_TYPE}\",{rest}}}");
        for (text, found) in [
            (String::new(), "no JSON"),
            ("[]".to_owned(), "no media type"),
            ("{\"mediaType\":\"text/plain\"}".to_owned(), "text/plain"),
            (with("\"tlogs\":{}"), "`tlogs`"),
            (with("\"friends\":[]"), "`friends`"),
            (with("\"tlogs\":[{\"logId\":{\"keyId\":\"*\"}}]"), "`keyId`"),
            (
                with(
                    "\"certificateAuthorities\":[{\"certChain\":{\"certificates\":[{\"rawBytes\":\"A\"}]}}]",
                ),
                "`rawBytes`",
            ),
            (
                with("\"certificateAuthorities\":[{\"certChain\":{\"certificates\":[{\"rawBytes\":7}]}}]"),
                "`rawBytes`",
            ),
        ] {
            let failure = TrustedRoot::parse(text.as_bytes()).expect_err("garbage");
            assert!(failure.is(codes::BAD_BUNDLE));
            assert!(failure.problems()[0].facts[0].1.contains(found), "{failure:?}");
        }
        let fine = with("\"tlogs\":[{\"logId\":{\"keyId\":\"AAAA\"}}]");
        assert_eq!(TrustedRoot::parse(fine.as_bytes()).expect("fine").list("tlogs").len(), 1);
    }
}
