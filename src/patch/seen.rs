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
use crate::vex::{Binary, Question};

/// How an image stands before anything is done about it.
pub(super) struct Seen {
    pub(super) image: ImageId,
    /// Whether all its tags name what was built.
    pub(super) is_whole: bool,
    /// How the ledger stands to that.
    pub(super) entered: Entered,
    /// What of the plan is about it.
    pub(super) planned: Planned,
    /// What its tags name now.
    pub(super) there: Option<BlobDigest>,
    /// What is, or was, out in its place.
    pub(super) before: Option<BlobDigest>,
}

/// Whether the ledger knows that the tags of an image name what was built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entered {
    /// It does, or has no room for it: a folder is no repository.
    Yes,
    /// It knows of another digest there: a run ended before it could write it down, or somebody published by hand.
    Another,
    /// It knows nothing of the image in this place.
    Nothing,
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
                self.books.found(&seen.image, before, &self.undecided(&finished, &seen.planned))?;
            }
        }
        Ok(())
    }

    /// What of a plan touches an image, by what people decided.
    pub(super) fn undecided(&self, finished: &Finished, planned: &Planned) -> Planned {
        let built = &finished.built;
        planned.clone().without(|one, fix| {
            let of = |name| Binary { kind: "deb", name, version: None };
            let binaries: Vec<Binary> = one.binaries.iter().map(|name| of(name.as_str())).collect();
            let question = Question {
                image: built.name.as_str(),
                digests: &[],
                ids: &[fix.id.as_str()],
                source: one.source.as_str(),
                binaries: &binaries,
                files: None,
                now: self.context.now,
            };
            finished.decisions.verdict(&question).is_some_and(|verdict| verdict.silences)
        })
    }

    /// Enters what is known of the image that stays out because nothing took its place; what is out, where that can be told.
    pub(super) fn stays(&self, task: &ImageTask) -> Result<Option<BlobDigest>> {
        let nothing = Planned::default();
        let planned = self.plan.recipes[task.at].as_ref().unwrap_or(&nothing);
        let finished = self.build(task)?;
        let seen = self.see(task, planned, &finished)?;
        let Some(out) = seen.there else { return Ok(None) };
        if out != finished.built.digest() {
            self.books.found(&seen.image, out, &self.undecided(&finished, &seen.planned))?;
        }
        self.look(task, &seen.image, out, &finished)?;
        Ok(Some(out))
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
        let repository = self.place.repository_of(&built.name)?;
        let entered = match (&repository, self.books.past(&image, repository.as_ref())?.out) {
            (None, _) => Entered::Yes,
            (_, Some(out)) if out == digest => Entered::Yes,
            (_, Some(_)) => Entered::Another,
            (_, None) => Entered::Nothing,
        };
        let is_done = there.is_whole && entered != Entered::Another;
        if !is_done {
            let late = planned.not_moved(self.books.late(&image, &finished.pinned.lock)?);
            planned.moves.extend(late);
        }
        let before = match there.digest.filter(|there| *there != digest) {
            // Nothing is done about it, so nobody asks.
            None if is_done && planned.is_idle() => None,
            // What is out already was brought out by a run that was interrupted: what is left is to write it down.
            None => self.books.before(&image, digest)?,
            before => before,
        };
        Ok(Seen { image, is_whole: there.is_whole, entered, planned, there: there.digest, before })
    }
}
