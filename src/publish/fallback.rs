//! The list of what refers to a manifest, for registries and verifiers without the registry's own list
//! (distribution specification, "Referrers Tag Schema"): an index under the tag `sha256-<hex>`.
//!
//! It is always written, with each manifest's own kind and annotations: some registries list these
//! wrongly, and some verifiers look only here. What others wrote stays.

use serde_json::{Value, json};

use super::remote::Remote;
use super::shipment::Paper;
use crate::canon;
use crate::diag::{Problem, Result, codes};
use crate::ident::BlobDigest;
use crate::image::INDEX;

/// Times that the list is written again because somebody else wrote it meanwhile.
const TRIES: usize = 4;

/// The tag of the list.
pub(super) fn tag(subject: &BlobDigest) -> String {
    format!("sha256-{}", subject.0)
}

/// The list's entry of a manifest.
pub(super) fn entry(paper: &Paper) -> Value {
    let manifest: Value = serde_json::from_slice(&paper.bytes).unwrap_or_default();
    let own = manifest.get("artifactType").filter(|kind| kind.as_str().is_some_and(|kind| !kind.is_empty()));
    let kind = own.or_else(|| manifest.pointer("/config/mediaType"));
    let mut entry =
        json!({ "mediaType": paper.media_type, "digest": paper.digest, "size": paper.bytes.len() });
    if let Some(kind) = kind {
        entry["artifactType"] = kind.clone();
    }
    if let Some(annotations) = manifest.get("annotations") {
        entry["annotations"] = annotations.clone();
    }
    entry
}

/// The list with our entries in it: in place of those of the same digest, else behind the others.
fn merged(there: Option<&[u8]>, ours: &[Value]) -> Option<Vec<u8>> {
    let empty = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [] });
    let mut list: Value = there.map_or(Some(empty), |bytes| serde_json::from_slice(bytes).ok())?;
    let manifests = list.get_mut("manifests")?.as_array_mut()?;
    for entry in ours {
        match manifests.iter_mut().find(|other| other.get("digest") == entry.get("digest")) {
            Some(other) => other.clone_from(entry),
            None => manifests.push(entry.clone()),
        }
    }
    Some(canon::to_json(&list))
}

/// Writes our entries into the list of what refers to `subject`; whether anything had to be written.
/// Registries can't write "if nobody else did": the list is read again afterwards, and written again if
/// it lacks any of ours.
pub(super) fn write(remote: &Remote, subject: &BlobDigest, ours: &[Value]) -> Result<bool> {
    let tag = tag(subject);
    let mut wrote = false;
    for _ in 0..TRIES {
        let there = remote.manifest(&tag)?;
        let bytes = there.as_ref().map(|given| given.bytes.as_slice());
        let list = merged(bytes, ours).ok_or_else(|| no_list(remote, &tag))?;
        // Another spelling of the same list is fine.
        if bytes.is_some_and(|bytes| same(bytes, &list)) {
            return Ok(wrote);
        }
        remote.put_manifest(&tag, INDEX, &list)?;
        wrote = true;
    }
    let what = format!("the list `{tag}` of {} does not keep what is written to it", remote.repository);
    Err(Problem::new(codes::NOT_AS_PUSHED, what).help("look who else writes to it").into())
}

fn same(one: &[u8], other: &[u8]) -> bool {
    let value = |bytes| serde_json::from_slice::<Value>(bytes).ok();
    value(one) == value(other)
}

fn no_list(remote: &Remote, tag: &str) -> Problem {
    let what = format!("the tag `{tag}` of {} is not the list that its name says", remote.repository);
    Problem::new(codes::NOT_PUBLISHED, what)
        .expected("an index of what refers to the image")
        .help("remove the tag from the registry, and publish again")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::Sha256;

    #[test]
    fn others_entries_stay_and_ours_are_corrected() {
        let there = br#"{"schemaVersion":2,"manifests":[{"digest":"a","artifactType":"wrong"},{"digest":"b","x":1}],"annotations":{"k":"v"}}"#;
        let ours = [json!({ "digest": "a", "artifactType": "right" }), json!({ "digest": "c" })];
        let list: Value = serde_json::from_slice(&merged(Some(there), &ours).expect("a list")).expect("JSON");
        assert_eq!(list["manifests"], json!([ours[0], { "digest": "b", "x": 1 }, ours[1]]));
        assert_eq!(list["annotations"], json!({ "k": "v" }));
        for garbage in [&b"[]"[..], b"{}", b"no", br#"{"manifests":1}"#] {
            assert!(merged(Some(garbage), &ours).is_none());
        }
    }

    #[test]
    fn an_entry_says_what_its_manifest_says() {
        let paper = |bytes: &[u8]| Paper {
            digest: BlobDigest(Sha256::of(bytes)),
            media_type: "m".into(),
            bytes: bytes.to_vec(),
        };
        let own =
            entry(&paper(br#"{"artifactType":"k","config":{"mediaType":"c"},"annotations":{"n":"v"}}"#));
        assert_eq!((&own["artifactType"], &own["annotations"]["n"]), (&json!("k"), &json!("v")));
        let other = entry(&paper(br#"{"config":{"mediaType":"c"}}"#));
        assert_eq!(other["artifactType"], "c");
    }
}
