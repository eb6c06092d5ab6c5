//! Bringing an image and what refers to it into the store, each byte with the digest it is called by.

use std::collections::BTreeMap;
use std::io::{Read, Write as _};

use serde::Deserialize;
use serde_json::Value;

use super::access::Access;
use super::fallback;
use super::remote::{Given, Remote, media_type_of};
use crate::diag::{Failure, Problem, Result, codes};
use crate::host::{self, file_problem, side_by_side};
use crate::ident::{BlobDigest, Reference, Sha256};
use crate::image::{Descriptor, MANIFEST, layout_index};
use crate::store::{Partial, Store};

/// How much of an image is brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Manifests, configurations, and what refers to them.
    Small,
    /// Layers too.
    Everything,
}

/// Blobs under way at once.
const SIDE_BY_SIDE: usize = 8;

/// Tries of one blob that bring nothing new.
const TRIES: u32 = 4;

/// Manifests that an index may list, and referrers of one manifest that are looked at.
const MOST: usize = 1000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireManifest {
    #[serde(default)]
    config: Option<Descriptor>,
    #[serde(default)]
    layers: Vec<Descriptor>,
    #[serde(default)]
    manifests: Vec<Descriptor>,
    #[serde(default)]
    subject: Option<Descriptor>,
    #[serde(default)]
    artifact_type: Option<String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

/// One image being brought.
struct Pull<'a> {
    remote: Remote<'a>,
    store: &'a Store,
    depth: Depth,
    blobs: BTreeMap<BlobDigest, u64>,
}

/// Brings an image into the store, and gives what a layout folder of it would have as `index.json`
/// (`Image::in_store` takes it): the image, then everything that refers to it or to its platforms.
pub fn pull(access: &Access, reference: &Reference, store: &Store, depth: Depth) -> Result<Vec<u8>> {
    let remote = Remote { access, repository: &reference.repository };
    let given = remote.manifest(&reference.wanted())?.ok_or_else(|| {
        Problem::new(codes::NO_IMAGE, format!("there is no image `{reference}`"))
            .help("look for its tags in the registry; the name must be whole, with its registry before it")
    })?;
    Pull { remote, store, depth, blobs: BTreeMap::new() }.run(reference, &given)
}

impl Pull<'_> {
    fn run(mut self, reference: &Reference, given: &Given) -> Result<Vec<u8>> {
        let top = Descriptor::new(&given.media_type, given.digest, given.bytes.len() as u64);
        let listed = self.take_image(&given.bytes, &top)?;
        if listed.len() > MOST {
            return Err(self.bad(&top, &format!("it lists more than {MOST} manifests")).into());
        }
        for descriptor in &listed {
            let given = self.manifest(descriptor)?;
            self.take_image(&given.bytes, descriptor)?;
        }
        let mut referrers = Vec::new();
        for subject in [&top].into_iter().chain(&listed) {
            referrers.extend(self.referrers(subject)?);
        }
        self.bring()?;
        let tag = reference.tag.iter().map(ToString::to_string);
        Ok(layout_index(&top, tag, &referrers))
    }

    fn bad(&self, descriptor: &Descriptor, why: &str) -> Problem {
        let what = format!("{} of {} does not read as an image", descriptor.digest, self.remote.repository);
        Problem::new(codes::BAD_IMAGE, what).found(why)
    }

    /// A manifest that is listed, with the digest and the length it is listed by.
    fn manifest(&self, descriptor: &Descriptor) -> Result<Given> {
        let wanted = descriptor.digest.to_string();
        let Some(given) = self.remote.manifest(&wanted)? else {
            return Err(self.bad(descriptor, "it is listed, and not there").into());
        };
        if given.bytes.len() as u64 != descriptor.size {
            let problem = self.remote.wrong(&wanted, &given.digest);
            return Err(problem.fact("found", format!("{} bytes", given.bytes.len())).into());
        }
        Ok(given)
    }

    /// Stores a manifest and notes its blobs; what it lists, if it is an index.
    fn take_image(&mut self, bytes: &[u8], descriptor: &Descriptor) -> Result<Vec<Descriptor>> {
        let manifest: WireManifest =
            serde_json::from_slice(bytes).map_err(|error| self.bad(descriptor, &error.to_string()))?;
        self.store.put(bytes)?;
        self.blobs.extend(manifest.config.map(|config| (config.digest, config.size)));
        if self.depth == Depth::Everything {
            self.blobs.extend(manifest.layers.into_iter().map(|layer| (layer.digest, layer.size)));
        }
        Ok(manifest.manifests)
    }

    /// What refers to a manifest: by the registry's own list, and by the list under a tag even if the
    /// former says that there is nothing.
    fn referrers(&mut self, subject: &Descriptor) -> Result<Vec<Descriptor>> {
        let mut entries = self.remote.listed(&subject.digest)?;
        if let Some(list) = self.remote.manifest(&fallback::tag(&subject.digest))? {
            let list: Value = serde_json::from_slice(&list.bytes).unwrap_or_default();
            entries.extend(list.get("manifests").and_then(Value::as_array).cloned().unwrap_or_default());
        }
        let digest = |entry: &Value| entry.get("digest")?.as_str()?.parse::<BlobDigest>().ok();
        let mut digests: Vec<BlobDigest> = entries.iter().filter_map(digest).collect();
        digests.sort_unstable();
        digests.dedup();
        if digests.len() > MOST {
            return Err(self.bad(subject, &format!("more than {MOST} things refer to it")).into());
        }
        let mut referrers = Vec::new();
        for digest in digests {
            referrers.extend(self.referrer(digest, subject)?);
        }
        Ok(referrers)
    }

    /// One thing that is listed. Lists are anyone's word: what is gone, or speaks of another subject, is
    /// passed over.
    fn referrer(&mut self, digest: BlobDigest, subject: &Descriptor) -> Result<Option<Descriptor>> {
        let Some(given) = self.remote.manifest(&digest.to_string())? else { return Ok(None) };
        let Ok(manifest) = serde_json::from_slice::<WireManifest>(&given.bytes) else { return Ok(None) };
        let about = manifest.subject.is_some_and(|about| about.digest == subject.digest);
        let kind = media_type_of(&given.bytes).unwrap_or(given.media_type);
        let Some(config) = manifest.config.filter(|_| about && kind == MANIFEST) else { return Ok(None) };
        self.store.put(&given.bytes)?;
        let mut descriptor = Descriptor::new(MANIFEST, digest, given.bytes.len() as u64);
        let own = manifest.artifact_type.filter(|kind| !kind.is_empty());
        descriptor.artifact_type = own.or_else(|| Some(config.media_type.clone()));
        descriptor.annotations = manifest.annotations;
        let blobs = manifest.layers.into_iter().chain([config]);
        self.blobs.extend(blobs.map(|blob| (blob.digest, blob.size)));
        Ok(Some(descriptor))
    }

    /// Brings all blobs that are not in the store.
    fn bring(&self) -> Result<()> {
        let mut blobs: Vec<(BlobDigest, u64)> =
            self.blobs.iter().map(|(digest, size)| (*digest, *size)).collect();
        blobs.sort_by_key(|(digest, size)| (std::cmp::Reverse(*size), *digest));
        let results = side_by_side(SIDE_BY_SIDE, &blobs, |(digest, size)| self.blob(digest, *size));
        let mut problems: Vec<Problem> =
            results.into_iter().filter_map(Result::err).flat_map(Failure::into_problems).collect();
        problems.dedup();
        Failure::check(problems)
    }

    /// Brings one blob, and goes on where it was cut.
    fn blob(&self, digest: &BlobDigest, size: u64) -> Result<()> {
        let found = self.store.find(&digest.0)?;
        if found.is_some_and(|found| found == size) {
            return Ok(());
        }
        if let Some(found) = found {
            return Err(self.length(digest, found, size).into());
        }
        let mut partial = self.store.partial(&digest.0)?;
        if self.store.find(&digest.0)?.is_some() {
            return partial.discard();
        }
        let mut inherited = partial.length() > 0;
        let mut tries = 0;
        loop {
            let before = partial.length();
            let why = if before < size { self.more(digest, size, &mut partial)? } else { None };
            if partial.length() >= size {
                if partial.digest() == digest.0 && partial.length() == size {
                    return partial.keep(self.store);
                }
                let (found, length) = (BlobDigest(partial.digest()), partial.length());
                partial.clear()?;
                // What was here before may be damaged.
                if std::mem::take(&mut inherited) {
                    continue;
                }
                partial.discard()?;
                let problem = self.remote.wrong(&digest.to_string(), &found);
                return Err(problem.fact("found", format!("{length} bytes of {size}")).into());
            }
            tries = if partial.length() > before { 0 } else { tries + 1 };
            if tries == TRIES {
                let what = format!("getting the blob {digest} of {} failed", self.remote.repository);
                let problem = Problem::new(codes::NOT_PULLED, what).found(why.unwrap_or_default());
                return Err(problem.help("run the same command again: it goes on where this ended").into());
            }
            host::pause(self.remote.access.pause(tries));
        }
    }

    fn length(&self, digest: &BlobDigest, found: u64, said: u64) -> Problem {
        self.bad(
            &Descriptor::new(MANIFEST, *digest, said),
            &format!("a length of {said} bytes, where {found} are"),
        )
    }

    /// Asks for what is missing; why it ended before its end.
    fn more(&self, digest: &BlobDigest, size: u64, partial: &mut Partial) -> Result<Option<String>> {
        let (mut reader, resumed) = self.remote.blob(digest, size, partial.length())?;
        if !resumed && partial.length() > 0 {
            partial.clear()?;
        }
        let mut buffer = vec![0; 64 << 10];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return Ok(Some(format!("it ended after {} of {size} bytes", partial.length()))),
                Ok(got) => {
                    let room = usize::try_from(size.saturating_sub(partial.length())).unwrap_or(usize::MAX);
                    // One byte more than there should be is enough to see that it is not what was wanted.
                    let got = got.min(room.saturating_add(1));
                    let written = partial.write_all(&buffer[..got]);
                    written.map_err(|error| file_problem("writing", self.store.root(), &error))?;
                    if partial.length() > size {
                        return Ok(None);
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == std::io::ErrorKind::FileTooLarge => {
                    partial.clear()?;
                    let problem = self.remote.wrong(&digest.to_string(), &BlobDigest(Sha256::of(b"")));
                    let problem = Problem { facts: Vec::new(), ..problem };
                    return Err(problem.found(error).expected(format!("{digest}, {size} bytes")).into());
                }
                Err(error) => return Ok(Some(error.to_string())),
            }
        }
    }
}
