//! An image in the OCI layout, read without any code of hardpan.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use serde_json::Value;
use tar::EntryType;

use super::index::sha256_hex;

/// An entry of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What it is.
    pub kind: EntryType,
    /// Permission bits.
    pub mode: u32,
    /// Owner and group.
    pub owner: (u64, u64),
    /// Where a link leads to; empty for what is none.
    pub link: String,
    /// The content of a file.
    pub content: Vec<u8>,
    /// Extended attributes.
    pub xattrs: BTreeMap<String, Vec<u8>>,
}

/// An image for one platform.
#[derive(Debug, Clone)]
pub struct Image {
    /// The image's manifest.
    pub manifest: Value,
    /// The image's configuration.
    pub config: Value,
    /// The layers' digests, the lowest first.
    pub layers: Vec<String>,
    /// All entries, by absolute path.
    pub items: BTreeMap<String, Item>,
}

impl Image {
    /// The only image of a layout.
    pub fn open(layout: &Path) -> Self {
        let all = Self::all(layout);
        assert_eq!(all.len(), 1, "an image for one platform");
        all.into_values().next().expect("one")
    }

    /// The images of a layout, by architecture. Every blob's digest is compared.
    pub fn all(layout: &Path) -> BTreeMap<String, Self> {
        let bytes = fs::read(layout.join("index.json")).expect("a layout");
        let mut images = BTreeMap::new();
        collect(layout, &json(&bytes), &mut images);
        images
    }

    /// An entry; panics where there is none.
    #[track_caller]
    pub fn item(&self, path: &str) -> &Item {
        let paths = || self.items.keys().map(String::as_str).collect::<Vec<_>>().join("\n");
        self.items.get(path).unwrap_or_else(|| panic!("no {path} in\n{}", paths()))
    }

    /// The content of a file as text.
    #[track_caller]
    pub fn text(&self, path: &str) -> &str {
        std::str::from_utf8(&self.item(path).content).expect("text")
    }

    /// Whether there is such an entry.
    pub fn has(&self, path: &str) -> bool {
        self.items.contains_key(path)
    }

    fn read(layout: &Path, manifest: Value) -> Self {
        let config = json(&blob(layout, &manifest["config"]));
        let mut image = Self { config, layers: Vec::new(), items: BTreeMap::new(), manifest };
        for layer in image.manifest["layers"].as_array().expect("layers").clone() {
            image.layers.push(layer["digest"].as_str().expect("a digest").into());
            let mut tar = Vec::new();
            let packed = blob(layout, &layer);
            MultiGzDecoder::new(&packed[..]).read_to_end(&mut tar).expect("gzip");
            add(&tar, &mut image.items);
        }
        image
    }
}

fn collect(layout: &Path, index: &Value, images: &mut BTreeMap<String, Image>) {
    for descriptor in index["manifests"].as_array().expect("manifests") {
        let document = json(&blob(layout, descriptor));
        if document["manifests"].is_array() {
            collect(layout, &document, images);
        } else if document["subject"].is_null() {
            // What has a subject says something about the image.
            let image = Image::read(layout, document);
            let name = image.config["architecture"].as_str().expect("an architecture").into();
            images.insert(name, image);
        }
    }
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("JSON")
}

fn blob(layout: &Path, descriptor: &Value) -> Vec<u8> {
    let digest = descriptor["digest"].as_str().and_then(|digest| digest.strip_prefix("sha256:"));
    let digest = digest.expect("a digest");
    let path: PathBuf = layout.join("blobs/sha256").join(digest);
    let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(sha256_hex(&bytes), digest);
    assert_eq!(descriptor["size"].as_u64(), Some(bytes.len() as u64));
    bytes
}

/// Extended headers are read here: the `tar` crate ends a value at its first line end.
fn add(tar: &[u8], items: &mut BTreeMap<String, Item>) {
    let mut archive = tar::Archive::new(tar);
    let mut records = BTreeMap::new();
    for entry in archive.entries().expect("a tar").raw(true) {
        let mut entry = entry.expect("a tar");
        let mut content = Vec::new();
        entry.read_to_end(&mut content).expect("a whole tar");
        let header = entry.header();
        let kind = header.entry_type();
        if kind == EntryType::XHeader {
            records = extensions(&content);
            continue;
        }
        assert!(!kind.is_gnu_longname() && !kind.is_gnu_longlink() && !kind.is_pax_global_extensions());
        let own_path = header.path_bytes().into_owned();
        let own_link = header.link_name_bytes().map(Cow::into_owned).unwrap_or_default();
        let path = text(records.remove("path").unwrap_or(own_path));
        let link = text(records.remove("linkpath").unwrap_or(own_link));
        let path = path.strip_prefix("./").unwrap_or(&path).trim_matches('/');
        let owner = (header.uid().expect("a number"), header.gid().expect("a number"));
        let mode = header.mode().expect("a number");
        let xattr = |(key, value): (String, _)| Some((key.strip_prefix("SCHILY.xattr.")?.to_owned(), value));
        let xattrs = std::mem::take(&mut records).into_iter().filter_map(xattr).collect();
        items.insert(format!("/{path}"), Item { kind, mode, owner, link, content, xattrs });
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("UTF-8")
}

/// `<length> <key>=<value>` and a line end, again and again.
fn extensions(mut bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut records = BTreeMap::new();
    let position =
        |bytes: &[u8], wanted: u8| bytes.iter().position(|byte| *byte == wanted).expect("a record");
    while !bytes.is_empty() {
        let space = position(bytes, b' ');
        let length: usize = text(bytes[..space].to_vec()).parse().expect("a length");
        let record = bytes[space + 1..length].strip_suffix(b"\n").expect("a line end");
        let equals = position(record, b'=');
        records.insert(text(record[..equals].to_vec()), record[equals + 1..].to_vec());
        bytes = &bytes[length..];
    }
    records
}
