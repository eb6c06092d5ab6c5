//! Another set of referrers over an image, wherever the image itself is: what is attached or signed
//! anew lies in the store, the rest stays where it was.

use super::artifact::{Artifact, EMPTY, EMPTY_BYTES};
use super::model::Descriptor;
use super::open::{Image, Referrer};
use super::whole::layout_index;
use crate::diag::Result;
use crate::ident::BlobDigest;
use crate::store::Store;

/// What lies over an image.
#[derive(Debug)]
pub(super) struct Overlay {
    pub(super) store: Store,
    pub(super) top: Vec<u8>,
}

impl Image {
    /// The image with these artifacts, of which everything is put in the store, instead of the
    /// referrers that `keep` does not keep.
    pub fn with_referrers(
        mut self,
        store: &Store,
        artifacts: &[Artifact],
        keep: impl Fn(&Referrer) -> bool,
    ) -> Result<Self> {
        self.referrers.retain(keep);
        for artifact in artifacts {
            store.put(artifact.manifest.as_bytes())?;
            store.put(EMPTY_BYTES)?;
            let referrer = Referrer {
                descriptor: artifact.descriptor.clone(),
                artifact_type: artifact.descriptor.artifact_type.clone(),
                subject: artifact.subject,
                config: Descriptor::of(EMPTY, EMPTY_BYTES),
                layers: vec![artifact.content.clone()],
            };
            self.referrers.retain(|there| there.descriptor.digest != referrer.descriptor.digest);
            self.referrers.push(referrer);
        }
        let image = self.descriptor().ok_or_else(|| self.bad("it has no manifest to refer to"))?;
        let referrers: Vec<Descriptor> =
            self.referrers.iter().map(|referrer| referrer.descriptor.clone()).collect();
        let top = layout_index(&image, self.tags.clone().into_iter(), &referrers);
        self.recount(&image);
        self.overlay = Some(Overlay { store: store.clone(), top });
        Ok(self)
    }

    /// Names anew every blob that the image has.
    fn recount(&mut self, image: &Descriptor) {
        let own: Vec<BlobDigest> = self
            .platforms
            .iter()
            .flat_map(|platform| {
                let layers = platform.layers.iter().filter_map(|(_, _, digest)| *digest);
                layers.chain(platform.digest).chain([platform.config_digest])
            })
            .chain([image.digest])
            .collect();
        let mut blobs = std::mem::take(&mut self.blobs);
        blobs.retain(|digest, _| own.contains(digest));
        for referrer in &self.referrers {
            let named = [&referrer.descriptor, &referrer.config].into_iter().chain(&referrer.layers);
            blobs.extend(named.map(|named| (named.digest, named.size)));
        }
        self.blobs = blobs;
    }
}
