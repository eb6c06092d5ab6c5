//! All that is sent of one image, read from it before anything is sent.

use std::collections::BTreeSet;
use std::io::{Cursor, Read};

use serde::Deserialize;
use serde_json::Value;

use super::outgoing::Blob;
use super::remote::media_type_of;
use crate::diag::{Problem, Result, codes};
use crate::ident::{BlobDigest, Epoch, Sha256, TagName};
use crate::image::{Descriptor, Image};

/// Annotations (image specification, annotations.md).
const TITLE: &str = "org.opencontainers.image.title";
const CREATED: &str = "org.opencontainers.image.created";
const BASE: &str = "org.opencontainers.image.base.name";

/// A manifest under a tag of its own, beside the image's: an older form of a signature, say. It is
/// written between referrers and tags, and takes the place of what is there under that tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtraTag {
    /// The tag.
    pub tag: TagName,
    /// What the manifest is.
    pub media_type: String,
    /// The manifest.
    pub manifest: Vec<u8>,
    /// The blobs that it names.
    pub blobs: Vec<Vec<u8>>,
}

/// A manifest or index.
pub(super) struct Paper {
    pub(super) digest: BlobDigest,
    pub(super) media_type: String,
    pub(super) bytes: Vec<u8>,
}

/// A manifest about another.
pub(super) struct About {
    pub(super) subject: BlobDigest,
    pub(super) paper: Paper,
}

/// An image, ready to be sent.
pub(super) struct Shipment<'a> {
    /// What the tags point to.
    pub(super) top: Paper,
    /// What it lists.
    pub(super) platforms: Vec<Paper>,
    pub(super) referrers: Vec<About>,
    pub(super) extra: &'a [ExtraTag],
    /// All blobs, the largest first.
    pub(super) blobs: Vec<Blob<'a>>,
    /// When the image was made.
    pub(super) created: Option<Epoch>,
    /// What the image is built upon.
    pub(super) base: Option<String>,
}

#[derive(Deserialize)]
struct WireIndex {
    #[serde(default)]
    manifests: Vec<Descriptor>,
}

impl<'a> Shipment<'a> {
    pub(super) fn of(image: &'a Image, extra: &'a [ExtraTag]) -> Result<Self> {
        let top = image.descriptor().ok_or_else(|| no_manifest(image))?;
        let top = paper(image, &top)?;
        let index: WireIndex = serde_json::from_slice(&top.bytes).map_err(|error| {
            Problem::new(codes::BAD_IMAGE, format!("`{}` does not read as an image", image.name()))
                .found(error)
        })?;
        let platforms: Result<Vec<Paper>> =
            index.manifests.iter().map(|descriptor| paper(image, descriptor)).collect();
        let referrers = image.referrers.iter().map(|referrer| {
            Ok(About { subject: referrer.subject, paper: paper(image, &referrer.descriptor)? })
        });
        let mut shipment = Self {
            top,
            platforms: platforms?,
            referrers: referrers.collect::<Result<_>>()?,
            extra,
            blobs: Vec::new(),
            created: created(image),
            base: image.annotation(BASE).map(str::to_owned),
        };
        shipment.blobs = shipment.blobs_of(image);
        Ok(shipment)
    }

    /// Every manifest of the image, what is listed before what lists it.
    pub(super) fn manifests(&self) -> impl Iterator<Item = &Paper> {
        self.platforms.iter().chain([&self.top])
    }

    fn blobs_of(&self, image: &'a Image) -> Vec<Blob<'a>> {
        let papers = self.manifests().chain(self.referrers.iter().map(|about| &about.paper));
        let papers: BTreeSet<BlobDigest> = papers.map(|paper| paper.digest).collect();
        let own = image.blobs().iter().filter(|(digest, _)| !papers.contains(digest));
        let own = own.map(|(digest, size)| {
            let member = format!("blobs/sha256/{}", digest.0);
            let open = move || -> Result<Box<dyn Read>> { Ok(image.read(&member)?.0) };
            Blob { digest: *digest, size: *size, from: image.name(), open: Box::new(open) }
        });
        let extra = self.extra.iter().flat_map(|extra| extra.blobs.iter().map(move |bytes| (extra, bytes)));
        let extra = extra.map(|(extra, bytes)| {
            let open = move || -> Result<Box<dyn Read>> { Ok(Box::new(Cursor::new(bytes.clone()))) };
            let digest = BlobDigest(Sha256::of(bytes));
            Blob { digest, size: bytes.len() as u64, from: extra.tag.as_str(), open: Box::new(open) }
        });
        let mut blobs: Vec<Blob> = own.chain(extra).collect();
        blobs.sort_by_key(|blob| (std::cmp::Reverse(blob.size), blob.digest));
        blobs.dedup_by_key(|blob| blob.digest);
        blobs
    }
}

fn paper(image: &Image, descriptor: &Descriptor) -> Result<Paper> {
    let bytes = image.blob(descriptor)?;
    let media_type = media_type_of(&bytes).unwrap_or_else(|| descriptor.media_type.clone());
    Ok(Paper { digest: descriptor.digest, media_type, bytes })
}

fn no_manifest(image: &Image) -> Problem {
    let what = format!("`{}` has no manifest, so it can't be published as it is", image.name());
    Problem::new(codes::BAD_IMAGE, what)
        .found("a docker archive without an OCI layout in it")
        .help("build an OCI layout or archive: `hardpan build` does so")
}

/// When an image was made: as it is annotated, else as its configuration says.
fn created(image: &Image) -> Option<Epoch> {
    let config = || Some(image.platforms.first()?.config.get("created")?.as_str()?.to_owned());
    epoch(&image.annotation(CREATED).map(str::to_owned).or_else(config)?)
}

/// A moment in RFC 3339; a fraction of a second is cut off.
pub(super) fn epoch(text: &str) -> Option<Epoch> {
    let whole = text.split_once('.').filter(|_| text.ends_with('Z')).map(|(whole, _)| format!("{whole}Z"));
    whole.as_deref().unwrap_or(text).parse().ok()
}

/// When a manifest or index that was read elsewhere says it was made.
pub(super) fn created_of(bytes: &[u8]) -> Option<Epoch> {
    let value: Value = serde_json::from_slice(bytes).ok()?;
    epoch(value.get("annotations")?.get(CREATED)?.as_str()?)
}

/// What an image calls itself; its folder's or file's name where it does not say.
pub fn name_of(image: &Image) -> Option<String> {
    let file = || {
        let name = image.name().trim_end_matches('/').rsplit('/').next()?;
        Some(name.strip_suffix(".tar").unwrap_or(name).to_owned())
    };
    image.annotation(TITLE).map(str::to_owned).or_else(file)
}
