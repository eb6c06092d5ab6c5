//! A run: each image of a plan built, tried, signed, brought out, written down; or kept back.

use std::path::Path;
use std::sync::OnceLock;

use super::book::Books;
use super::compared::Compared;
use super::note::{CHANGES, Note, file_changes};
use super::outcome::{Cause, Done, Kept, Outcome};
use super::place::{Goods, Out, Place};
use super::plan::{Plan, Planned};
use super::seen::{Entered, Seen};
use super::stage::staged;
use super::trying::{Trials, Tried};
use crate::advisory::{Ecosystem, SignedBy, Snapshot};
use crate::attest::{self, Subject, write_statement};
use crate::catalog::{self, Catalog, ImageTask};
use crate::diag::{Problem, Result, codes};
use crate::host::{self, FileLock, Progress};
use crate::ident::BlobDigest;
use crate::image::{Artifact, Image};
use crate::ledger::ImageId;
use crate::pipeline::{self, Attesting, Context, Finished};
use crate::scan::{self, FailOn, Report, SnapshotFacts, Want};
use crate::sign::Signer;
use crate::store::Store;
use crate::verify;

/// All that a run works with.
pub struct Patching<'a> {
    /// What every stage works with.
    pub context: &'a Context,
    /// The recipes.
    pub catalog: &'a Catalog,
    /// What is planned for them.
    pub plan: &'a Plan,
    /// Where images go.
    pub place: &'a Place,
    /// Who signs.
    pub signer: &'a dyn Signer,
    /// The ledger.
    pub books: &'a Books,
    /// The folder of release notes.
    pub notes: &'a Path,
    /// Who runs tests; `None` to leave them out.
    pub trials: Option<Trials<'a>>,
    /// What images are scanned with; `None` where nothing is known of vulnerabilities.
    pub snapshot: Option<&'a Snapshot>,
    /// Whose signature that bears.
    pub signed: SignedBy,
    /// Findings that keep an image back.
    pub fail_on: &'a [FailOn],
}

/// What is known of an image that may be kept back.
#[derive(Default)]
struct Standing {
    built: Option<BlobDigest>,
    /// Whether it could be seen what is out.
    is_seen: bool,
    out: Option<BlobDigest>,
}

/// An image that was built and is not out yet.
#[derive(Clone, Copy)]
struct Candidate<'a> {
    task: &'a ImageTask<'a>,
    image: &'a ImageId,
    finished: &'a Finished,
    planned: &'a Planned,
    /// What is out in its place.
    before: Option<BlobDigest>,
}

/// Keeps other runs over the same store away for as long as it is held.
pub fn alone(store: &Store) -> Result<FileLock> {
    let path = store.root().join("patch.lock");
    FileLock::try_exclusive(&path)?.ok_or_else(|| {
        Problem::new(codes::PATCH_UNDER_WAY, "another patch run is under way on this store")
            .fact("held", path.display())
            .help("wait until it is done; a run that was killed holds nothing")
            .into()
    })
}

/// Carries out a plan. Images are worked on side by side, each after what it stands on.
pub fn run(patching: &Patching, tasks: &[ImageTask]) -> Vec<Outcome> {
    let after = catalog::after(patching.catalog, tasks);
    // The image that found what this machine has: those that have not begun by then would find it too.
    let stopped = OnceLock::new();
    host::in_order(patching.context.jobs, &after, |at, below: &[&Outcome]| {
        let task = &tasks[at];
        let variants = tasks.iter().filter(|one| one.at == task.at && one.variant.is_some());
        let outcome = match stopped.get() {
            Some(culprit) => Outcome::NotTried(Cause::Machine(String::clone(culprit)), None),
            None => patching.one(task, below, &variants.collect::<Vec<_>>()),
        };
        if let Outcome::KeptBack(kept) = &outcome
            && kept.is_of_the_machine()
        {
            let _ = stopped.set(task.name());
        }
        tell(&patching.context.progress, &task.name(), &outcome);
        outcome
    })
}

fn tell(progress: &Progress, name: &str, outcome: &Outcome) {
    match outcome {
        Outcome::UpToDate(_) => {}
        Outcome::Decided(digest) => progress.say("Out", &format!("decisions on {name} {}", digest.0.short())),
        Outcome::Out(done) => progress.say("Out", &format!("{name} {}", done.digest.0.short())),
        Outcome::KeptBack(kept) => {
            let first = kept.failure.problems().first().map(|problem| problem.message.clone());
            progress.say("Kept back", &format!("{name}: {}", first.unwrap_or_default()));
        }
        Outcome::NotTried(cause, _) => {
            progress.say("Not tried", &format!("{name}: `{}` was kept back", cause.culprit()));
        }
    }
}

impl Patching<'_> {
    fn one(&self, task: &ImageTask, below: &[&Outcome], variants: &[&ImageTask]) -> Outcome {
        // A variant may be fine where the default, which is the last before it, is not.
        let own = usize::from(task.variant.is_some());
        let recipes = &below[..below.len().saturating_sub(own)];
        if let Some(culprit) = recipes.iter().find_map(|outcome| outcome.culprit()) {
            return Outcome::NotTried(Cause::Below(culprit.to_owned()), self.stays(task).ok().flatten());
        }
        let mut standing = Standing::default();
        let done = match &self.plan.recipes[task.at] {
            Err(failure) => Err(failure.clone()),
            Ok(planned) => {
                self.foresee(task, planned, variants).and_then(|()| self.carry(task, planned, &mut standing))
            }
        };
        done.unwrap_or_else(|failure| {
            let Standing { built, is_seen, out } = standing;
            let mut kept = Kept { name: task.name(), built, out, failure };
            // What can't be built, a registry that does not answer, and what this machine has would be waited for once more.
            if (is_seen || self.plan.recipes[task.at].is_err()) && !kept.is_of_the_machine() {
                kept.out = self.stays(task).ok().flatten().or(out);
            }
            Outcome::KeptBack(Box::new(kept))
        })
    }

    fn carry(&self, task: &ImageTask, planned: &Planned, standing: &mut Standing) -> Result<Outcome> {
        let finished = self.build(task)?;
        let digest = finished.built.digest();
        standing.built = Some(digest);
        let seen = self.see(task, planned, &finished)?;
        (standing.is_seen, standing.out) = (true, seen.there);
        let is_idle = seen.planned.is_idle() && seen.planned.moves.is_empty();
        if seen.is_whole && is_idle && seen.entered != Entered::Another {
            if seen.entered == Entered::Nothing {
                self.adopt(&seen.image, &finished)?;
            }
            let is_new = self.again(task, &seen.image, &finished)?;
            // What moved, if anything did, is in no image.
            if !planned.is_idle() {
                self.plan.locks.commit_one(&finished.pinned.family.lock_path())?;
            }
            return Ok(if is_new { Outcome::Decided(digest) } else { Outcome::UpToDate(digest) });
        }
        let Seen { image, planned, before, .. } = &seen;
        self.bring_out(&Candidate { task, image, finished: &finished, planned, before: *before }, standing)
    }

    /// Tries an image that is not out yet, signs it, brings it out and writes that down.
    fn bring_out(&self, candidate: &Candidate, standing: &mut Standing) -> Result<Outcome> {
        let Candidate { task, image, finished, planned, before } = *candidate;
        let built = &finished.built;
        let digest = built.digest();
        let told = self.undecided(finished, planned);
        if let Some(before) = before {
            self.books.found(image, before, &told)?;
        }
        self.books.built(image, digest, built.tags.first().map(ToString::to_string))?;
        let own = pipeline::attest(self.context, finished, &Attesting { signer: self.signer, spdx3: false })?;
        let staged_image = staged(&self.context.store, built, &own)?;
        let report = self.scan(&staged_image, finished)?;
        let old = before
            .and_then(|before| self.place.open(&built.name, &task.name(), before, &self.context.store).ok());
        let met = report.as_ref().map(|report| report.met(self.fail_on, false)).unwrap_or_default();
        if let Some(report) = report.as_ref().filter(|_| !met.is_empty()) {
            return Err(report.failed(&met).into());
        }
        let tried = self.try_out(&task.name(), finished, &staged_image)?;
        let advisories = self.snapshot.map(|snapshot| SnapshotFacts {
            signed: Some(self.signed.clone()),
            ..SnapshotFacts::of(snapshot, self.context.now)
        });
        // A note that can't compare is better than an image that does not get out.
        let files = old.as_ref().and_then(|old| file_changes(old, &staged_image).ok());
        let compared = self.compared(candidate, old.as_ref(), &staged_image);
        let by_images = compared.as_ref().filter(|_| planned.before.is_none() || planned.is_idle());
        let packages = by_images.map_or_else(|| planned.changes.clone(), Compared::changes);
        let note = Note {
            name: task.name(),
            tags: &built.tags,
            digest,
            before,
            planned,
            advisories: advisories.as_ref(),
            packages,
            files,
        };
        let path = self.notes.join(format!("{}-{}.md", task.name(), digest.0.short()));
        // The same digest once more, to another place or for tags that somebody moved: its note stays what it was.
        let is_again = planned.moves.is_empty() && planned.is_idle() && self.books.was_out(image, digest)?;
        let more =
            self.statements(&staged_image, tried.as_ref(), (!is_again).then_some(&note), &task.name())?;
        let whole = staged_image.with_referrers(&self.context.store, &more, |_| true)?;
        let (name, folder) = (&built.name, task.name());
        let allow_older = compared.is_some_and(|compared| !compared.goes_back());
        let goods = Goods { name, folder: &folder, tags: &built.tags, image: &whole, allow_older };
        let out = self.place.put(&goods, self.signer, &self.context.store, &self.context.progress)?;
        standing.out = Some(digest);
        self.is_out(image, finished)?;
        // Before the ledger: by that the next run knows that a variant, whose lock may have moved already, is done.
        if !(is_again && host::is_file(&path)) {
            host::write_atomic(&path, note.to_markdown().as_bytes())?;
        }
        self.books.out(image, digest, before, &told, &out)?;
        // After that, for what it fixes is in it no more.
        if let Some(report) = &report {
            self.books.has(image, digest, report)?;
        }
        // Last of all: until the lock is written, the next run plans the same again and finds it done.
        self.plan.locks.commit_one(&finished.pinned.family.lock_path())?;
        Ok(Outcome::Out(Box::new(Done {
            digest,
            before,
            place: out.place,
            tags: out.tags.iter().map(ToString::to_string).collect(),
            fixed: planned.fixes().into_keys().map(str::to_owned).collect(),
            tests: tried.map(|tried| tried.results.count(crate::trial::Verdict::Passed)),
            note: path,
            warnings: finished.warnings.clone(),
        })))
    }

    /// What is known to be in an image, less what was decided.
    pub(super) fn scan(&self, image: &Image, finished: &Finished) -> Result<Option<Report>> {
        let Some(snapshot) = self.snapshot else { return Ok(None) };
        let now = self.context.now;
        let subject = match scan::of_image(image, &want(finished), Some(&self.context.store)) {
            // Nothing of Debian's is in it, so advisories have nothing to say of it.
            Err(failure) if failure.is(codes::NOT_DEBIAN) => return Ok(None),
            subject => subject?,
        };
        let mut report = match scan::scan(&subject, snapshot, now) {
            // Nothing can be found with it; where that must not be, it is an error.
            Err(failure) if failure.is(codes::NOT_COVERED) && self.fail_on.is_empty() => return Ok(None),
            report => report?,
        };
        report.snapshot.signed = Some(self.signed.clone());
        report.decided(&[&finished.decisions], now);
        Ok(Some(report))
    }

    fn try_out(&self, name: &str, finished: &Finished, image: &Image) -> Result<Option<Tried>> {
        let Some(trials) = &self.trials else { return Ok(None) };
        let tried = trials.run(self.context, finished, &self.plan.locks, image)?;
        if let Some(tried) = &tried {
            tried.results.check(name)?;
        }
        Ok(tried)
    }

    /// Enters that an image is out of which the ledger knows nothing: it is a new one, or was made by others.
    fn adopt(&self, image: &ImageId, finished: &Finished) -> Result<()> {
        let built = &finished.built;
        let Some(repository) = self.place.repository_of(&built.name)? else { return Ok(()) };
        self.books.built(image, built.digest(), built.tags.first().map(ToString::to_string))?;
        let out =
            Out { place: repository.to_string(), repository: Some(repository), tags: built.tags.clone() };
        self.books.out(image, built.digest(), None, &Planned::default(), &out)
    }

    /// What packages the old image and the new one have, where both can be told.
    fn compared(&self, candidate: &Candidate, old: Option<&Image>, new: &Image) -> Option<Compared> {
        let want = want(candidate.finished);
        let of = |image| scan::of_image(image, &want, Some(&self.context.store)).ok();
        Some(Compared { old: of(old?)?, new: of(new)? })
    }

    /// The note, about the index and each platform; and what came of tests, about the platform that was run.
    fn statements(
        &self,
        image: &Image,
        tried: Option<&Tried>,
        note: Option<&Note>,
        name: &str,
    ) -> Result<Vec<Artifact>> {
        let all = verify::subjects(image);
        let mut statements: Vec<(&str, Vec<u8>, Vec<&verify::About>)> = Vec::new();
        statements.extend(note.map(|note| (CHANGES, note.to_predicate(), all.iter().collect())));
        if let Some(tried) = tried {
            let platform = tried.platform.to_string();
            let about = all.iter().filter(|about| about.name == platform).collect();
            statements.push((attest::TEST_RESULT, tried.predicate.clone(), about));
        }
        let mut artifacts = Vec::new();
        for (kind, predicate, about) in statements {
            let subjects: Vec<Subject> =
                about.iter().map(|one| Subject::new(&format!("{name} {}", one.name), &one.digest)).collect();
            let statement = write_statement(&subjects, kind, &predicate);
            let content = pipeline::store_bundle(&self.context.store, self.signer, &statement)?;
            artifacts
                .extend(about.iter().map(|one| pipeline::attach(&one.descriptor(image), kind, &content)));
        }
        Ok(artifacts)
    }
}

/// An image that does not say which release it is of is of its recipe's.
fn want(finished: &Finished) -> Want {
    let suite = finished.layers.first().and_then(|layers| layers.chain.suite());
    let release = suite.and_then(|suite| {
        let ecosystem = Ecosystem::debian_named(&suite.value);
        ecosystem.as_str().split_once(':').map(|(_, release)| release.to_owned())
    });
    Want { release, ..Want::default() }
}
