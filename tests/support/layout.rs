//! An OCI layout to be read and changed by hand, as an attacker would: with the digests around a
//! change put right, or not.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::hand::BUNDLE_TYPE;
use super::index::sha256_hex;

const TEST_RESULT: &str = "https://in-toto.io/attestation/test-result/v0.1";

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// A layout folder.
#[derive(Debug, Clone)]
pub struct Layout(pub PathBuf);

/// A statement that is attached to an image.
#[derive(Debug, Clone)]
pub struct Attached {
    /// Digest of the manifest that attaches it.
    pub manifest: String,
    /// Digest of what it is attached to.
    pub subject: String,
    /// What kind it is, as its manifest says.
    pub kind: String,
    /// Digest of its bundle.
    pub bundle: String,
    /// The statement.
    pub statement: Value,
    /// The statement's bytes.
    pub payload: Vec<u8>,
}

impl Layout {
    /// What `index.json` says.
    pub fn top(&self) -> Value {
        serde_json::from_slice(&fs::read(self.0.join("index.json")).expect("a layout")).expect("JSON")
    }

    /// Changes what `index.json` says.
    pub fn change_top(&self, change: impl FnOnce(&mut Value)) {
        let mut top = self.top();
        change(&mut top);
        fs::write(self.0.join("index.json"), top.to_string()).expect("our own folder");
    }

    /// Where a blob is.
    pub fn path(&self, digest: &str) -> PathBuf {
        self.0.join("blobs/sha256").join(digest.strip_prefix("sha256:").expect("a digest"))
    }

    /// All blobs' digests, sorted.
    pub fn digests(&self) -> Vec<String> {
        let list = fs::read_dir(self.0.join("blobs/sha256")).expect("a layout");
        let name = |entry: fs::DirEntry| entry.file_name().into_string().expect("a digest");
        let mut names: Vec<String> =
            list.map(|entry| format!("sha256:{}", name(entry.expect("readable")))).collect();
        names.sort();
        names
    }

    /// A blob.
    pub fn bytes(&self, digest: &str) -> Vec<u8> {
        fs::read(self.path(digest)).expect("a blob")
    }

    /// A blob that is JSON.
    pub fn json(&self, digest: &str) -> Value {
        serde_json::from_slice(&self.bytes(digest)).expect("JSON")
    }

    /// Adds a blob; its digest.
    pub fn put(&self, bytes: &[u8]) -> String {
        let digest = format!("sha256:{}", sha256_hex(bytes));
        fs::write(self.path(&digest), bytes).expect("our own folder");
        digest
    }

    /// Flips a bit of a blob where it is.
    pub fn flip(&self, digest: &str, at: usize) {
        flip(&self.path(digest), at);
    }

    /// The digest of the image's index.
    pub fn index(&self) -> String {
        text(&self.top()["manifests"][0]["digest"])
    }

    /// The digest of the manifest of an architecture.
    pub fn platform(&self, architecture: &str) -> String {
        let index = self.json(&self.index());
        let all = index["manifests"].as_array().expect("manifests");
        let found = all.iter().find(|one| one["platform"]["architecture"] == architecture);
        text(&found.expect("a platform")["digest"])
    }

    /// Index and platforms: what statements are about.
    pub fn subjects(&self) -> Vec<String> {
        let index = self.json(&self.index());
        let platforms =
            index["manifests"].as_array().expect("manifests").iter().map(|one| text(&one["digest"]));
        std::iter::once(self.index()).chain(platforms).collect()
    }

    /// All statements.
    pub fn statements(&self) -> Vec<Attached> {
        let top = self.top();
        let all = top["manifests"].as_array().expect("manifests").iter();
        all.filter_map(|descriptor| self.attached(&text(&descriptor["digest"]))).collect()
    }

    fn attached(&self, digest: &str) -> Option<Attached> {
        let manifest = self.json(digest);
        let subject = manifest["subject"]["digest"].as_str()?.to_owned();
        let bundle = text(&manifest["layers"][0]["digest"]);
        let payload =
            self.json(&bundle)["dsseEnvelope"]["payload"].as_str().map(|text| STANDARD.decode(text));
        let payload = payload.expect("a payload").expect("base64");
        Some(Attached {
            manifest: digest.to_owned(),
            subject,
            kind: text(&manifest["annotations"]["dev.sigstore.bundle.predicateType"]),
            bundle,
            statement: serde_json::from_slice(&payload).expect("JSON"),
            payload,
        })
    }

    /// The statements of a kind about a subject.
    pub fn of_kind(&self, kind: &str, subject: &str) -> Vec<Attached> {
        let all = self.statements().into_iter();
        all.filter(|attached| attached.kind == kind && attached.subject == subject).collect()
    }

    /// The one statement of a kind about a subject.
    #[track_caller]
    pub fn statement(&self, kind: &str, subject: &str) -> Attached {
        let mut all = self.of_kind(kind, subject);
        assert_eq!(all.len(), 1, "{kind} about {subject}");
        all.remove(0)
    }

    /// The one result of a test about a subject, beside that of the contents policy, which is in each build.
    #[track_caller]
    pub fn result(&self, subject: &str) -> Attached {
        let mut all = self.of_kind(TEST_RESULT, subject);
        all.retain(|attached| attached.statement["predicate"]["contentsPolicy"].is_null());
        assert_eq!(all.len(), 1, "results about {subject}");
        all.remove(0)
    }

    /// Takes away what attaches a statement.
    pub fn detach(&self, attached: &Attached) {
        self.change_top(|top| {
            let all = top["manifests"].as_array_mut().expect("manifests");
            all.retain(|one| one["digest"] != *attached.manifest);
        });
    }

    /// Attaches a bundle to a subject, as of a kind; the digest of its manifest.
    pub fn attach(&self, subject: &str, kind: &str, bundle: &[u8]) -> String {
        let annotations = json!({ "dev.sigstore.bundle.content": "dsse-envelope", "dev.sigstore.bundle.predicateType": kind });
        let empty =
            json!({ "mediaType": "application/vnd.oci.empty.v1+json", "digest": self.put(b"{}"), "size": 2 });
        let index = subject == self.index();
        let media_type = if index { MANIFEST.replace("manifest", "index") } else { MANIFEST.to_owned() };
        let size = self.bytes(subject).len();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": BUNDLE_TYPE,
            "config": empty,
            "layers": [{ "mediaType": BUNDLE_TYPE, "digest": self.put(bundle), "size": bundle.len() }],
            "subject": { "mediaType": media_type, "digest": subject, "size": size },
            "annotations": annotations,
        });
        let bytes = manifest.to_string();
        let digest = self.put(bytes.as_bytes());
        let descriptor = json!({
            "mediaType": MANIFEST, "digest": digest, "size": bytes.len(),
            "artifactType": BUNDLE_TYPE, "annotations": annotations,
        });
        self.change_top(|top| top["manifests"].as_array_mut().expect("manifests").push(descriptor));
        digest
    }

    /// Puts another bundle in place of a statement's, with all digests around it put right.
    pub fn swap(&self, attached: &Attached, bundle: &[u8]) {
        self.detach(attached);
        self.attach(&attached.subject, &attached.kind, bundle);
    }

    /// Changes the manifest of an architecture, and index and `index.json` with it; what was attached
    /// to either goes along if `along` says so, else it stays with the old digests.
    pub fn change_manifest(&self, architecture: &str, along: bool, change: impl FnOnce(&mut Value)) {
        let old = self.platform(architecture);
        let mut manifest = self.json(&old);
        change(&mut manifest);
        let bytes = manifest.to_string();
        let new = self.put(bytes.as_bytes());
        if along {
            self.follow(&old, &new);
        }
        self.change_index(along, |index| {
            for one in index["manifests"].as_array_mut().expect("manifests") {
                if one["digest"] == *old {
                    one["digest"] = json!(new);
                    one["size"] = json!(bytes.len());
                }
            }
        });
    }

    /// Changes the configuration of an architecture, and all above it.
    pub fn change_config(&self, architecture: &str, along: bool, change: impl FnOnce(&mut Value)) {
        let manifest = self.json(&self.platform(architecture));
        let mut config = self.json(&text(&manifest["config"]["digest"]));
        change(&mut config);
        let bytes = config.to_string();
        let digest = self.put(bytes.as_bytes());
        self.change_manifest(architecture, along, |manifest| {
            manifest["config"]["digest"] = json!(digest);
            manifest["config"]["size"] = json!(bytes.len());
        });
    }

    /// Changes the index, and `index.json` with it.
    pub fn change_index(&self, along: bool, change: impl FnOnce(&mut Value)) {
        let old = self.index();
        let mut index = self.json(&old);
        change(&mut index);
        let bytes = index.to_string();
        let new = self.put(bytes.as_bytes());
        self.change_top(|top| {
            for one in top["manifests"].as_array_mut().expect("manifests") {
                if one["digest"] == *old {
                    one["digest"] = json!(new);
                    one["size"] = json!(bytes.len());
                }
            }
        });
        if along {
            self.follow(&old, &new);
        }
    }

    /// Attaches to one digest, unchanged, what was attached to another.
    fn follow(&self, old: &str, new: &str) {
        for attached in self.statements().iter().filter(|attached| attached.subject == old) {
            self.detach(attached);
            self.attach(new, &attached.kind, &self.bytes(&attached.bundle));
        }
    }
}

/// Flips the lowest bit of a byte of a file.
pub fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).expect("a file");
    bytes[at] ^= 1;
    // A new file: blobs may be shared with others, or read-only.
    fs::remove_file(path).expect("our own folder");
    fs::write(path, bytes).expect("our own folder");
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}
