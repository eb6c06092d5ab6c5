//! Which kind of feed something is, by what is in it.

use std::fmt;
use std::io::Read;

use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

use super::feed::FeedKind;

/// How much of a file is looked at, in bytes: a record's first keys, or the first of an export.
const LOOKED_AT: u64 = 16 << 20;

/// The kind of a text; `None` for what looks like none.
pub(super) fn of_text(reader: impl Read) -> Option<FeedKind> {
    let mut reader = reader.take(LOOKED_AT);
    let mut first = [0];
    loop {
        if reader.read(&mut first).ok()? == 0 {
            return None;
        }
        match first[0] {
            b' ' | b'\t' | b'\r' | b'\n' => {}
            b'#' | b'c' => return Some(FeedKind::Epss),
            b'{' => break,
            _ => return None,
        }
    }
    let mut found = None;
    let whole = (&b"{"[..]).chain(reader);
    let mut json = serde_json::Deserializer::from_reader(std::io::BufReader::new(whole));
    // It ends early when it knows, which a parser calls an error.
    let _ = json.deserialize_map(Keys(&mut found));
    found
}

struct Keys<'f>(&'f mut Option<FeedKind>);

impl<'de> Visitor<'de> for Keys<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        let mut sees_id = false;
        while let Some(key) = map.next_key::<String>()? {
            let kind = match key.as_str() {
                "schema_version" => Some(FeedKind::Osv),
                "modified" | "affected" if sees_id => Some(FeedKind::Osv),
                "dataType" | "cveMetadata" => Some(FeedKind::Cve5),
                "catalogVersion" | "dateReleased" => Some(FeedKind::Kev),
                _ => None,
            };
            if kind.is_some() {
                *self.0 = kind;
                return Err(M::Error::custom("known"));
            }
            sees_id = sees_id || matches!(key.as_str(), "id" | "modified" | "affected");
            // The tracker's keys are names of packages, so only what is below them tells.
            if map.next_value::<Below>()?.0 {
                *self.0 = Some(FeedKind::Tracker);
                return Err(M::Error::custom("known"));
            }
        }
        Ok(())
    }
}

/// Whether a value is an object by names of CVEs.
struct Below(bool);

impl<'de> serde::Deserialize<'de> for Below {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BelowVisitor)
    }
}

struct BelowVisitor;

impl<'de> Visitor<'de> for BelowVisitor {
    type Value = Below;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Below, M::Error> {
        let mut found = false;
        while let Some(key) = map.next_key::<String>()? {
            found = found || key.starts_with("CVE-") || key.starts_with("TEMP-");
            map.next_value::<IgnoredAny>()?;
        }
        Ok(Below(found))
    }

    fn visit_seq<S: serde::de::SeqAccess<'de>>(self, mut items: S) -> Result<Below, S::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Below(false))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Below, E> {
        Ok(Below(false))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Below, E> {
        Ok(Below(false))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Below, E> {
        Ok(Below(false))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Below, E> {
        Ok(Below(false))
    }

    fn visit_str<E>(self, _: &str) -> Result<Below, E> {
        Ok(Below(false))
    }

    fn visit_unit<E>(self) -> Result<Below, E> {
        Ok(Below(false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_known_by_its_content() {
        for (text, kind) in [
            (r#"{"openssl": {"CVE-2026-1": {"releases": {}}}}"#, Some(FeedKind::Tracker)),
            (r#"{"a": {}, "b": {"TEMP-0000000-ABCDEF": {}}}"#, Some(FeedKind::Tracker)),
            (r#"{"schema_version": "1.7.3", "id": "X"}"#, Some(FeedKind::Osv)),
            (r#"{"id": "X", "summary": "s", "modified": "2026-01-01T00:00:00Z"}"#, Some(FeedKind::Osv)),
            (r#"{"affected": [1, {"a": null}], "modified": ""}"#, Some(FeedKind::Osv)),
            (r#"{"dataType": "CVE_RECORD"}"#, Some(FeedKind::Cve5)),
            (r#"{"title": "t", "catalogVersion": "2026.11.20"}"#, Some(FeedKind::Kev)),
            ("#model_version:v1\ncve,epss,percentile\n", Some(FeedKind::Epss)),
            ("cve,epss,percentile\n", Some(FeedKind::Epss)),
            ("<!DOCTYPE html>", None),
            ("", None),
            ("[]", None),
            ("{}", None),
            (r#"{"name": "x", "version": 1}"#, None),
        ] {
            assert_eq!(of_text(text.as_bytes()), kind, "{text}");
        }
    }
}
