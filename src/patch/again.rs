//! What is done about an image whose digest stays: a new snapshot of advisories is asked about it, and decisions that
//! changed get out to those who have it.

use super::book::Books;
use super::place::Goods;
use super::run::Patching;
use super::stage::staged;
use crate::catalog::ImageTask;
use crate::diag::Result;
use crate::ident::{BlobDigest, Sha256};
use crate::image::{Artifact, Image};
use crate::ledger::ImageId;
use crate::pipeline::{self, Finished};
use crate::store::Store;
use crate::verify::read_attached;
use crate::vex::{is_own_vex, openvex};

/// Something that is done once for an image, and again where what it was done with has changed since.
struct Once {
    kind: &'static str,
    key: Sha256,
    with: String,
}

impl Once {
    /// An image is looked for in a snapshot, with what is decided and what the ledger has: one that was brought back from a
    /// copy, or another one, lacks what was found.
    fn look(
        image: &ImageId,
        digest: BlobDigest,
        snapshot: &Sha256,
        document: Option<&[u8]>,
        ledger: &Sha256,
    ) -> Self {
        let key = Sha256::of(format!("{image} {digest}").as_bytes());
        Self { kind: "looked", key, with: format!("{snapshot} {} {ledger}", word(document)) }
    }

    /// What is decided gets out with an image.
    fn decide(place: &str, image: &ImageId, digest: BlobDigest, document: Option<&[u8]>) -> Self {
        let key = Sha256::of(format!("{place} {image} {digest}").as_bytes());
        Self { kind: "decided", key, with: word(document) }
    }

    /// Whether it is done. Where nothing is known, having done it with nothing is like not having done it.
    fn is_done(&self, store: &Store) -> Result<bool> {
        let known = store.read_derived(self.kind, &self.key)?.unwrap_or_default();
        Ok(known == self.with.as_bytes())
    }

    fn done(&self, store: &Store) -> Result<()> {
        if self.is_done(store)? {
            Ok(())
        } else {
            store.write_derived(self.kind, &self.key, self.with.as_bytes())
        }
    }
}

fn word(document: Option<&[u8]>) -> String {
    document.map(|document| Sha256::of(document).to_string()).unwrap_or_default()
}

impl Patching<'_> {
    /// What is decided about an image today, as OpenVEX.
    fn decided(&self, finished: &Finished) -> Result<Option<Vec<u8>>> {
        Ok(pipeline::vex(self.context, finished)?.map(|document| openvex(&document)))
    }

    /// Notes that an image got out with what is decided about it.
    pub(super) fn is_out(&self, image: &ImageId, finished: &Finished) -> Result<()> {
        let document = self.decided(finished)?;
        let place = self.place.to_string();
        Once::decide(&place, image, finished.built.digest(), document.as_deref()).done(&self.context.store)
    }

    /// What is new about an image that stays as it is; whether anything about it got out.
    pub(super) fn again(&self, task: &ImageTask, image: &ImageId, finished: &Finished) -> Result<bool> {
        let document = self.decided(finished)?;
        self.look(task, image, finished.built.digest(), finished)?;
        self.decide(task, image, finished, document.as_deref())
    }

    /// Enters into the ledger what the snapshot knows of what is out of an image, less what is decided.
    pub(super) fn look(
        &self,
        task: &ImageTask,
        image: &ImageId,
        digest: BlobDigest,
        finished: &Finished,
    ) -> Result<()> {
        let Some(snapshot) = self.snapshot else { return Ok(()) };
        let (store, built) = (&self.context.store, &finished.built);
        let document = self.decided(finished)?;
        let once = |books: &Books| -> Result<Once> {
            let state = books.past(image, None)?.state;
            Ok(Once::look(image, digest, &snapshot.digest(), document.as_deref(), &state))
        };
        if once(self.books)?.is_done(store)? {
            return Ok(());
        }
        let there = if digest == built.digest() {
            staged(store, built, &[])?
        } else {
            self.place.open(&built.name, &task.name(), digest, store)?
        };
        if let Some(report) = self.scan(&there, finished)? {
            self.books.has(image, digest, &report)?;
        }
        once(self.books)?.done(store)
    }

    /// Attaches what is decided to an image that is out; whether that was new. What was said before goes from a
    /// folder; a registry keeps it.
    fn decide(
        &self,
        task: &ImageTask,
        image: &ImageId,
        finished: &Finished,
        document: Option<&[u8]>,
    ) -> Result<bool> {
        let store = &self.context.store;
        let built = &finished.built;
        let once = Once::decide(&self.place.to_string(), image, built.digest(), document);
        if once.is_done(store)? {
            return Ok(false);
        }
        let artifacts = match document {
            Some(document) => pipeline::attest_decisions(self.context, finished, self.signer, document)?,
            None => Vec::new(),
        };
        let there = self.place.open(&built.name, &task.name(), built.digest(), store)?;
        let older = own_vex(&there, &artifacts);
        let is_there = artifacts.iter().all(|one| has(&there, one));
        let is_new = !is_there || !older.is_empty();
        if is_new {
            let whole =
                there.with_referrers(store, &artifacts, |one| !older.contains(&one.descriptor.digest))?;
            let folder = task.name();
            let goods = Goods {
                name: &built.name,
                folder: &folder,
                tags: &built.tags,
                image: &whole,
                allow_older: false,
            };
            self.place.put(&goods, self.signer, store, &self.context.progress)?;
        }
        once.done(store)?;
        Ok(is_new)
    }
}

fn has(image: &Image, artifact: &Artifact) -> bool {
    image.referrers.iter().any(|known| known.descriptor.digest == artifact.descriptor.digest)
}

/// What hardpan said before of decisions on an image, and says no more.
fn own_vex(image: &Image, artifacts: &[Artifact]) -> Vec<BlobDigest> {
    let is_own = |read: crate::verify::Attached| is_own_vex(&read.statement);
    let all = image.referrers.iter().filter(|one| read_attached(image, one).is_ok_and(is_own));
    let now = |digest: &BlobDigest| artifacts.iter().any(|one| one.descriptor.digest == *digest);
    all.map(|one| one.descriptor.digest).filter(|digest| !now(digest)).collect()
}
