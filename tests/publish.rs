//! Images into registries and back: in which order, with which credentials, and what is left when a
//! registry misbehaves.
#![allow(clippy::disallowed_methods)]

#[path = "publish/credentials.rs"]
mod credentials;
#[path = "publish/faults.rs"]
mod faults;
#[path = "publish/order.rs"]
mod order;
#[path = "publish/pulls.rs"]
mod pulls;
mod support;
#[path = "publish/tagging.rs"]
mod tagging;

use serde_json::{Value, json};
use support::{Output, Registry, Sandbox, sha256_hex};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const KIND: &str = "application/vnd.example.note+json";

/// An image of two platforms, with a note about each of its manifests, written by hand.
struct Made<'a> {
    name: &'a str,
    created: &'a str,
    seed: &'a str,
    /// Bytes of the first layer.
    big: usize,
    tags: &'a [&'a str],
}

const PLAIN: Made<'static> =
    Made { name: "hello", created: "2026-11-22T10:00:00Z", seed: "a", big: 100, tags: &["1.2", "latest"] };

impl Made<'_> {
    /// Writes it as a layout folder of its name; the digest of its index.
    fn write(&self, sandbox: &Sandbox) -> String {
        let blob = |kind: &str, bytes: &[u8]| {
            let hex = sha256_hex(bytes);
            sandbox.write(format!("{}/blobs/sha256/{hex}", self.name), bytes);
            json!({ "mediaType": kind, "digest": format!("sha256:{hex}"), "size": bytes.len() })
        };
        let annotations = json!({ "org.opencontainers.image.created": self.created, "org.opencontainers.image.title": self.name });
        let platform = |architecture: &str| {
            let text = format!("{}{architecture}", self.seed);
            let layers = [vec![b'x'; self.big], text.into_bytes()];
            let ids: Vec<String> =
                layers.iter().map(|layer| format!("sha256:{}", sha256_hex(layer))).collect();
            let config = json!({ "os": "linux", "architecture": architecture, "created": self.created, "config": {}, "rootfs": { "type": "layers", "diff_ids": ids } });
            let layers = layers.iter().map(|layer| blob("application/vnd.oci.image.layer.v1.tar", layer));
            let config = blob("application/vnd.oci.image.config.v1+json", config.to_string().as_bytes());
            let manifest = json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers.collect::<Vec<_>>(), "annotations": annotations });
            let mut descriptor = blob(MANIFEST, manifest.to_string().as_bytes());
            descriptor["platform"] = json!({ "os": "linux", "architecture": architecture });
            descriptor
        };
        let platforms = [platform("amd64"), platform("arm64")];
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": platforms, "annotations": annotations });
        let index = blob(INDEX, index.to_string().as_bytes());
        let note = |subject: &Value| {
            let content = blob(KIND, format!("{{\"about\":{}}}", subject["digest"]).as_bytes());
            let config = blob("application/vnd.oci.empty.v1+json", b"{}");
            let subject = json!({ "mediaType": subject["mediaType"], "digest": subject["digest"], "size": subject["size"] });
            let note = json!({ "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": KIND, "config": config, "layers": [content], "subject": subject, "annotations": { "note": "of ours" } });
            blob(MANIFEST, note.to_string().as_bytes())
        };
        let mut top: Vec<Value> = if self.tags.is_empty() { vec![index.clone()] } else { Vec::new() };
        for tag in self.tags {
            let mut tagged = index.clone();
            tagged["annotations"] = json!({ "org.opencontainers.image.ref.name": tag });
            top.push(tagged);
        }
        top.extend([&index, &platforms[0], &platforms[1]].map(note));
        let top = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": top });
        sandbox.write(format!("{}/index.json", self.name), top.to_string());
        sandbox.write(format!("{}/oci-layout", self.name), "{\"imageLayoutVersion\":\"1.0.0\"}");
        index["digest"].as_str().unwrap().to_owned()
    }
}

/// `hardpan publish NAME --to REGISTRY/team`.
fn publish(sandbox: &Sandbox, registry: &Registry, name: &str, more: &[&str]) -> Output {
    let to = format!("{}/team", registry.host());
    sandbox.hardpan(&[&["publish", name, "--to", &to], more].concat())
}

/// The plain image, published.
fn published() -> (Sandbox, Registry, String) {
    let (sandbox, registry) = (Sandbox::new(), Registry::start());
    let digest = PLAIN.write(&sandbox);
    publish(&sandbox, &registry, "hello", &[]).ok();
    (sandbox, registry, digest)
}

fn json_of(output: Output) -> Value {
    serde_json::from_str(&output.ok().stdout).expect("JSON")
}
