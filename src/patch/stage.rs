//! An image that was built, opened where its blobs are: in the store. Nobody sees it before it passed.

use crate::diag::Result;
use crate::image::{Artifact, Descriptor, EMPTY_BYTES, INDEX, Image, layout_index};
use crate::pipeline::Built;
use crate::store::Store;

/// The image with what is said about it.
pub fn staged(store: &Store, built: &Built, artifacts: &[Artifact]) -> Result<Image> {
    for platform in &built.platforms {
        store.put(&platform.config)?;
        store.put(&platform.manifest)?;
    }
    store.put(&built.index)?;
    store.put(EMPTY_BYTES)?;
    for artifact in artifacts {
        store.put(artifact.manifest.as_bytes())?;
    }
    let referrers: Vec<Descriptor> = artifacts.iter().map(|artifact| artifact.descriptor.clone()).collect();
    let index = Descriptor::of(INDEX, &built.index);
    let top = layout_index(&index, built.tags.iter().map(ToString::to_string), &referrers);
    Image::in_store(built.name.as_str(), store, top)
}
