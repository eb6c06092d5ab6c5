//! All that is written of an image: what its `index.json` says, and every blob that it needs, from
//! wherever it is.

use std::collections::BTreeMap;
use std::io::Read;

use serde_json::json;

use super::artifact::{Artifact, EMPTY_BYTES};
use super::model::{Descriptor, INDEX, PlatformImage};
use super::open::Image;
use crate::canon;
use crate::diag::Result;
use crate::ident::{Epoch, Sha256, TagName};
use crate::store::Store;

/// The file that marks a layout (image-layout.md, "oci-layout").
pub(super) const LAYOUT: &[u8] = b"{\"imageLayoutVersion\":\"1.0.0\"}";

/// An image as it is built: its small blobs, and what points to its layers in the store.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    /// Its platforms.
    pub platforms: &'a [PlatformImage],
    /// Its index.
    pub index: &'a [u8],
    /// Its tags.
    pub tags: &'a [TagName],
    /// What is said about it.
    pub artifacts: &'a [Artifact],
    /// Files that lie beside `index.json`, which the image does not name.
    pub beside: &'a [Beside],
    /// Where its layers are.
    pub store: &'a Store,
}

/// A file that lies beside `index.json`: its name and its bytes.
pub type Beside = (&'static str, Vec<u8>);

/// Where a blob is, and its length in bytes where that is not plain.
#[derive(Clone, Copy)]
pub(super) enum Blob<'a> {
    Bytes(&'a [u8]),
    Stored(&'a Store, u64),
    Member(&'a Image, u64),
}

/// An image and all its blobs.
pub(super) struct Whole<'a> {
    pub(super) top: Vec<u8>,
    pub(super) blobs: BTreeMap<Sha256, Blob<'a>>,
    pub(super) created: Epoch,
    pub(super) beside: &'a [Beside],
}

impl Blob<'_> {
    pub(super) fn size(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Stored(_, size) | Self::Member(_, size) => *size,
        }
    }

    pub(super) fn open(&self, digest: &Sha256) -> Result<Box<dyn Read + '_>> {
        Ok(match self {
            Self::Bytes(bytes) => Box::new(*bytes),
            Self::Stored(store, _) => Box::new(store.open_blob(digest)?),
            Self::Member(image, _) => image.read(&format!("blobs/sha256/{digest}"))?.0,
        })
    }
}

impl<'a> Parts<'a> {
    pub(super) fn whole(&self) -> Whole<'a> {
        let mut blobs = BTreeMap::new();
        for image in self.platforms {
            let layers = image.layers.iter();
            blobs.extend(layers.map(|layer| (layer.digest.0, Blob::Stored(self.store, layer.size))));
            let small = [&image.config[..], &image.manifest];
            blobs.extend(small.map(|bytes| (Sha256::of(bytes), Blob::Bytes(bytes))));
        }
        for Artifact { descriptor, manifest, content, .. } in self.artifacts {
            blobs.insert(descriptor.digest.0, Blob::Bytes(manifest.as_bytes()));
            blobs.insert(content.digest.0, Blob::Stored(self.store, content.size));
            blobs.insert(Sha256::of(EMPTY_BYTES), Blob::Bytes(EMPTY_BYTES));
        }
        blobs.insert(Sha256::of(self.index), Blob::Bytes(self.index));
        let created = self.platforms.iter().map(|image| image.created).max().unwrap_or_default();
        Whole { top: self.top(), blobs, created, beside: self.beside }
    }

    /// `index.json`: the image's index once for each tag (image-layout.md, "index.json";
    /// annotations.md, `org.opencontainers.image.ref.name`), then what refers to it.
    fn top(&self) -> Vec<u8> {
        let image = Descriptor::of(INDEX, self.index);
        let artifacts: Vec<_> = self.artifacts.iter().map(|artifact| artifact.descriptor.clone()).collect();
        layout_index(&image, self.tags.iter().map(ToString::to_string), &artifacts)
    }
}

/// The `index.json` of a layout that holds one image under some tags, and what refers to it.
pub fn layout_index(
    image: &Descriptor,
    tags: impl Iterator<Item = String>,
    referrers: &[Descriptor],
) -> Vec<u8> {
    let tagged = tags.map(|tag| {
        let name = ("org.opencontainers.image.ref.name".to_owned(), tag);
        Descriptor { annotations: BTreeMap::from([name]), ..image.clone() }
    });
    let mut manifests: Vec<Descriptor> = tagged.collect();
    if manifests.is_empty() {
        manifests.push(image.clone());
    }
    manifests.extend_from_slice(referrers);
    canon::to_json(&json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests }))
}
