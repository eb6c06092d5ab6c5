//! Publishing one image: blobs, manifests, referrers, then tags.
//!
//! Each step begins when the one before is done for all, and everything is read back before the first
//! tag is set: wherever it ends, no tag points at something that is not whole.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use super::access::Access;
use super::fallback;
use super::outgoing::Blob;
use super::pushed;
use super::remote::Remote;
use super::shipment::{ExtraTag, Paper, Shipment};
use super::tags;
use super::upload::{Came, Upload};
use crate::diag::{Failure, Problem, Result, codes};
use crate::host::{Progress, side_by_side};
use crate::ident::{self, BlobDigest, Repository, TagName};
use crate::image::Image;
use crate::store::Store;

/// Requests under way at once.
const SIDE_BY_SIDE: usize = 8;

/// What is to be published, and how.
#[derive(Debug, Clone)]
pub struct Order<'a> {
    /// The image.
    pub image: &'a Image,
    /// Where to.
    pub repository: Repository,
    /// Its moving tags, the most telling first.
    pub tags: Vec<TagName>,
    /// Manifests under tags of their own.
    pub extra: &'a [ExtraTag],
    /// Whether a tag may be moved back to an image that was made earlier.
    pub allow_older: bool,
}

/// Some blobs, and their bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// How many.
    pub blobs: u64,
    /// Their length together.
    pub bytes: u64,
}

/// What came of publishing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Where it is.
    pub repository: Repository,
    /// What it is called by.
    pub digest: BlobDigest,
    /// All its tags: moving ones, then the dated one.
    pub tags: Vec<TagName>,
    /// Those of them that pointed to something else, or were not there.
    pub moved: Vec<TagName>,
    /// Blobs that were sent.
    pub uploaded: Count,
    /// Blobs that came from another repository of the registry.
    pub mounted: Count,
    /// Blobs that were there.
    pub skipped: Count,
    /// How many manifests were written, lists of referrers and further tags among them.
    pub manifests: u64,
    /// How many things refer to the image.
    pub referrers: u64,
}

/// One run of publishing.
struct Push<'a> {
    remote: Remote<'a>,
    store: &'a Store,
    shipment: &'a Shipment<'a>,
    progress: &'a Progress,
    base: Option<Repository>,
}

/// Publishes an image. The same again sends nothing.
pub fn push(access: &Access, store: &Store, progress: &Progress, order: &Order) -> Result<Published> {
    let shipment = Shipment::of(order.image, order.extra)?;
    let remote = Remote { access, repository: &order.repository };
    if !order.allow_older {
        order.tags.iter().try_for_each(|tag| tags::not_newer(&remote, tag, &shipment))?;
    }
    // Images that are built one upon the other are mostly published side by side.
    let sibling = |base: &String| {
        let (folder, _) = order.repository.path().rsplit_once('/').unwrap_or_default();
        let slash = if folder.is_empty() { "" } else { "/" };
        format!("{}/{folder}{slash}{base}", order.repository.registry()).parse::<Repository>().ok()
    };
    let base = shipment.base.as_ref().and_then(sibling).filter(|base| *base != order.repository);
    Push { remote, store, shipment: &shipment, progress, base }.run(order)
}

impl Push<'_> {
    fn run(&self, order: &Order) -> Result<Published> {
        let Shipment { top, platforms, referrers, .. } = self.shipment;
        let mut done = Published {
            repository: order.repository.clone(),
            digest: top.digest,
            tags: order.tags.clone(),
            moved: Vec::new(),
            uploaded: Count::default(),
            mounted: Count::default(),
            skipped: Count::default(),
            manifests: 0,
            referrers: referrers.len() as u64,
        };
        let came = self.blobs(&mut done)?;
        done.manifests += self.papers(&platforms.iter().collect::<Vec<_>>())?;
        done.manifests += self.papers(&[top])?;
        done.manifests += self.papers(&referrers.iter().map(|about| &about.paper).collect::<Vec<_>>())?;
        self.read_back(&came)?;
        done.manifests += self.lists()?;
        done.manifests += self.extra()?;
        let first = order.tags.iter().find(|tag| ident::dated(tag.as_str()).is_none());
        if let (Some(tag), Some(created)) = (first, self.shipment.created) {
            let dated = tags::dated(&self.remote, tag, created, &top.digest)?;
            if tags::point(&self.remote, &dated, self.shipment, false)? {
                done.moved.push(dated.clone());
            }
            done.tags.push(dated);
        }
        for tag in &order.tags {
            if tags::point(&self.remote, tag, self.shipment, true)? {
                done.moved.push(tag.clone());
            }
        }
        Ok(done)
    }

    /// Brings all blobs, and gives back those that were not there before.
    fn blobs(&self, done: &mut Published) -> Result<Vec<&Blob<'_>>> {
        let total: u64 = self.shipment.blobs.iter().map(|blob| blob.size).sum();
        let what = format!("{} to {}", self.shipment.top.digest.0.short(), self.remote.repository);
        let bar = self.progress.bytes("publishing", &what, total);
        let new = Mutex::new(Vec::new());
        let blobs: Vec<&Blob> = self.shipment.blobs.iter().collect();
        let results = each(&blobs, |blob| {
            let known = pushed::elsewhere(self.store, self.remote.repository, &blob.digest)?;
            let mount = known.as_ref().or(self.base.as_ref());
            let came = Upload { remote: self.remote, blob, mount, store: self.store }.run()?;
            if came != Came::Skipped {
                new.lock().expect("no upload panics").push(*blob);
            }
            pushed::remember(self.store, self.remote.repository, &blob.digest)?;
            bar.add(blob.size);
            Ok((came, blob.size))
        });
        bar.done();
        for (came, size) in results? {
            let count = match came {
                Came::Skipped => &mut done.skipped,
                Came::Mounted => &mut done.mounted,
                Came::Uploaded => &mut done.uploaded,
            };
            count.blobs += 1;
            count.bytes += size;
        }
        Ok(new.into_inner().expect("no upload panics"))
    }

    /// Writes manifests that are not there; how many were written.
    fn papers(&self, papers: &[&Paper]) -> Result<u64> {
        let wrote = each(papers, |paper| {
            let digest = paper.digest.to_string();
            if self.remote.digest_of(&digest)? == Some(paper.digest) {
                return Ok(0);
            }
            self.remote.put_manifest(&digest, &paper.media_type, &paper.bytes)?;
            Ok(1)
        });
        Ok(wrote?.into_iter().sum())
    }

    /// Looks whether everything that tags will point at is there as it was sent.
    fn read_back(&self, came: &[&Blob]) -> Result<()> {
        let lost = |what: String| {
            let what = format!("{what} was sent to {}, which does not give it back", self.remote.repository);
            Failure::from(Problem::new(codes::NOT_AS_PUSHED, what).help("run the same command again"))
        };
        each(came, |blob| {
            let there = self.remote.has_blob(&blob.digest, blob.size)?;
            if there { Ok(()) } else { Err(lost(format!("the blob {} of {} bytes", blob.digest, blob.size))) }
        })?;
        let referrers = self.shipment.referrers.iter().map(|about| &about.paper);
        let papers: Vec<&Paper> = self.shipment.manifests().chain(referrers).collect();
        each(&papers, |paper| match self.remote.manifest(&paper.digest.to_string())? {
            Some(given) if given.bytes == paper.bytes => Ok(()),
            _ => Err(lost(format!("the manifest {}", paper.digest))),
        })?;
        Ok(())
    }

    /// Writes the lists of what refers to each manifest; how many had to be written.
    fn lists(&self) -> Result<u64> {
        let mut lists: BTreeMap<BlobDigest, Vec<Value>> = BTreeMap::new();
        for about in &self.shipment.referrers {
            lists.entry(about.subject).or_default().push(fallback::entry(&about.paper));
        }
        let lists: Vec<_> = lists.into_iter().collect();
        let wrote = each(&lists, |(subject, entries)| fallback::write(&self.remote, subject, entries))?;
        Ok(wrote.into_iter().filter(|wrote| *wrote).count() as u64)
    }

    /// Writes manifests that have tags of their own, in place of what is there.
    fn extra(&self) -> Result<u64> {
        let wrote = each(self.shipment.extra, |extra| {
            let digest = BlobDigest(ident::Sha256::of(&extra.manifest));
            if self.remote.digest_of(extra.tag.as_str())? == Some(digest) {
                return Ok(0);
            }
            self.remote.put_manifest(extra.tag.as_str(), &extra.media_type, &extra.manifest)?;
            let there = self.remote.digest_of(extra.tag.as_str())?;
            if there == Some(digest) {
                return Ok(1);
            }
            let what = format!(
                "the tag `{}` of {} does not keep what it was set to",
                extra.tag, self.remote.repository
            );
            Err(Problem::new(codes::NOT_AS_PUSHED, what).expected(digest).into())
        })?;
        Ok(wrote.into_iter().sum())
    }
}

/// Does `work` on all items side by side. The first failure keeps those that wait from beginning.
fn each<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> Result<R> + Sync) -> Result<Vec<R>> {
    let broken = AtomicBool::new(false);
    let results = side_by_side(SIDE_BY_SIDE, items, |item| {
        if broken.load(Ordering::Relaxed) {
            return None;
        }
        let result = work(item);
        if result.is_err() {
            broken.store(true, Ordering::Relaxed);
        }
        Some(result)
    });
    let mut good = Vec::new();
    let mut problems = Vec::new();
    for result in results.into_iter().flatten() {
        match result {
            Ok(value) => good.push(value),
            Err(failure) => problems.extend(failure.into_problems()),
        }
    }
    // A registry that is gone is gone for every worker: it is said once.
    problems.truncate(1);
    Failure::check(problems).map(|()| good)
}
