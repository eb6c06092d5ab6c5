//! What came of each image of a run, and how a run that kept some back ends.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::catalog::ImageTask;
use crate::diag::{self, Code, Failure, Problem, Result, codes};
use crate::ident::BlobDigest;

/// What stops a whole run: this machine has it, so the next image would find it again, and wait for it again. What may
/// be about one image alone (a signer that failed, a disk that had no room for it) stops that one.
const OF_THE_MACHINE: [Code; 8] = [
    codes::NO_RUNTIME,
    codes::NOT_ISOLATED,
    codes::LEDGER,
    codes::LEDGER_BUSY,
    codes::LEDGER_CORRUPT,
    codes::LEDGER_NEWER,
    codes::LEDGER_LOGIN,
    codes::CLOCK_BACK,
];

/// What came of one image.
#[derive(Debug)]
pub enum Outcome {
    /// It is out already, as it should be.
    UpToDate(BlobDigest),
    /// It is out already, and what was decided about it since is out now too.
    Decided(BlobDigest),
    /// It is out now.
    Out(Box<Done>),
    /// It was kept back.
    KeptBack(Box<Kept>),
    /// It was not tried: why, and what is out and stays out.
    NotTried(Cause, Option<BlobDigest>),
}

/// An image that is out now.
#[derive(Debug)]
pub struct Done {
    /// Its digest.
    pub digest: BlobDigest,
    /// What had its place.
    pub before: Option<BlobDigest>,
    /// Where it is.
    pub place: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// How many CVEs it fixes.
    pub fixed: Vec<String>,
    /// Tests that passed; `None` where none were run.
    pub tests: Option<usize>,
    /// Its release note.
    pub note: PathBuf,
    /// What should be said all the same.
    pub warnings: Vec<Problem>,
}

/// An image that was kept back.
#[derive(Debug)]
pub struct Kept {
    /// Its own name.
    pub name: String,
    /// What was built and stays here; `None` where it did not come to that.
    pub built: Option<BlobDigest>,
    /// What is out, and stays out; `None` where nothing is, or nobody looked.
    pub out: Option<BlobDigest>,
    /// Why.
    pub failure: Failure,
}

/// Why an image was not tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// It stands on an image of this name, which was kept back.
    Below(String),
    /// The image of this name was kept back by what this machine has.
    Machine(String),
}

impl Cause {
    /// The image that was kept back.
    pub fn culprit(&self) -> &str {
        match self {
            Self::Below(name) | Self::Machine(name) => name,
        }
    }
}

impl Outcome {
    /// Who stops what stands on it.
    pub(super) fn culprit(&self) -> Option<&str> {
        match self {
            Self::UpToDate(_) | Self::Decided(_) | Self::Out(_) => None,
            Self::KeptBack(kept) => Some(&kept.name),
            Self::NotTried(cause, _) => Some(cause.culprit()),
        }
    }

    /// In a word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::UpToDate(_) => "up to date",
            Self::Decided(_) => "decisions out",
            Self::Out(_) => "out",
            Self::KeptBack(_) => "kept back",
            Self::NotTried(..) => "not tried",
        }
    }
}

impl Kept {
    /// Whether the next image would find the same.
    pub(super) fn is_of_the_machine(&self) -> bool {
        OF_THE_MACHINE.iter().any(|code| self.failure.is(*code))
    }
}

/// What a run that kept images back ends with: how many, then why, what several have in common once.
pub fn kept_back(tasks: &[ImageTask], outcomes: &[Outcome]) -> Result<()> {
    let mut kept: BTreeMap<String, &Failure> = BTreeMap::new();
    let (mut above, mut others) = (0, 0);
    for (task, outcome) in tasks.iter().zip(outcomes) {
        match outcome {
            Outcome::KeptBack(one) => drop(kept.insert(task.name(), &one.failure)),
            Outcome::NotTried(Cause::Below(_), _) => above += 1,
            Outcome::NotTried(Cause::Machine(_), _) => others += 1,
            _ => {}
        }
    }
    if kept.is_empty() {
        return Ok(());
    }
    let all = kept.len() + above + others;
    let what = format!("{all} of {} images were kept back, at the digests that they had", tasks.len());
    let mut head = Problem::new(codes::KEPT_BACK, what);
    for name in kept.keys() {
        head = head.fact("image", name);
    }
    for (count, why) in [(above, "which stand on these"), (others, "for which this machine would fail too")] {
        if count > 0 {
            head = head.fact("not tried", format!("{count}, {why}"));
        }
    }
    let causes = kept.into_iter().flat_map(|(name, failure)| {
        failure.problems().iter().map(move |problem| (name.clone(), problem.clone()))
    });
    let causes = diag::once_each("image", causes);
    let help = "mend what is said of each; the next run tries them again";
    Failure::check(std::iter::once(head.help(help)).chain(causes).collect())
}
