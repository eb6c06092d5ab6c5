//! How an image stands before anything is done about it: what is out, and what of the plan is about it.

use std::collections::BTreeSet;

use super::plan::Planned;
use super::run::Patching;
use crate::canon::Compression;
use crate::catalog::ImageTask;
use crate::diag::Result;
use crate::ident::{BlobDigest, PackageName};
use crate::ledger::ImageId;
use crate::pipeline::{self, Finished, LockMode, Order};

/// How an image stands before anything is done about it.
pub(super) struct Seen {
    pub(super) image: ImageId,
    /// Whether all its tags name what was built.
    pub(super) is_whole: bool,
    /// What of the plan is about it.
    pub(super) planned: Planned,
    /// What its tags name now.
    pub(super) there: Option<BlobDigest>,
    /// What is, or was, out in its place.
    pub(super) before: Option<BlobDigest>,
}

impl Patching<'_> {
    /// Enters what a recipe's variants lack, before the lock that they share with its own image can move: wherever the run
    /// ends, the next one knows it from the ledger ([`Books::late`]).
    pub(super) fn foresee(&self, task: &ImageTask, planned: &Planned, variants: &[&ImageTask]) -> Result<()> {
        if task.variant.is_some() || planned.is_idle() {
            return Ok(());
        }
        for variant in variants {
            // One that can't be built says so in its own turn, and stops no other.
            let Ok(finished) = self.build(variant) else { continue };
            let seen = self.see(variant, planned, &finished)?;
            if let Some(before) = seen.before {
                self.books.found(&seen.image, before, &seen.planned)?;
            }
        }
        Ok(())
    }

    pub(super) fn build(&self, task: &ImageTask) -> Result<Finished> {
        let order = Order {
            recipe: task.entry.path.clone(),
            variant: task.variant.clone(),
            platforms: None,
            compression: Compression::Gzip,
            mode: LockMode::Locked,
        };
        pipeline::build_on(self.context, &order, &mut self.plan.locks.clone())
    }

    /// What is out of an image, and what of the plan is about it.
    pub(super) fn see(&self, task: &ImageTask, planned: &Planned, finished: &Finished) -> Result<Seen> {
        let built = &finished.built;
        let digest = built.digest();
        let there = self.place.look(&built.name, &task.name(), &built.tags, &digest)?;
        let image = ImageId { name: built.name.clone(), variant: task.variant.clone() };
        let packages: BTreeSet<PackageName> = built.packages.iter().flatten().cloned().collect();
        let mut planned = planned.within(&packages);
        if !there.is_whole {
            let late = planned.not_moved(self.books.late(&image, &finished.pinned.lock)?);
            planned.moves.extend(late);
        }
        let before = match there.digest.filter(|there| *there != digest) {
            // Nothing is done about it, so nobody asks.
            None if there.is_whole && planned.is_idle() => None,
            // What is out already was brought out by a run that was interrupted: what is left is to write it down.
            None => self.books.before(&image, digest)?,
            before => before,
        };
        Ok(Seen { image, is_whole: there.is_whole, planned, there: there.digest, before })
    }
}
