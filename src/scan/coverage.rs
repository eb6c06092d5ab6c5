//! What a snapshot can say of something: that nothing was found means nothing where nothing is known.

use std::collections::BTreeSet;

use super::report::SnapshotFacts;
use super::subject::{Subject, plain};
use crate::advisory::{Ecosystem, Snapshot};
use crate::diag::{Problem, Result, codes};

/// How much a snapshot knows of an ecosystem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coverage {
    /// What is open.
    Open,
    /// What was fixed, by changelogs alone.
    Fixed,
    /// Nothing.
    Nothing,
}

impl Coverage {
    fn of(ecosystem: &Ecosystem, snapshot: &Snapshot) -> Self {
        let head = snapshot.head();
        match head.covers.contains(ecosystem) {
            true => Self::Open,
            // They are looked for by archive: where they name no CVE of a release, nothing was fixed.
            false if ecosystem.is_debian() && head.has_changelogs() => Self::Fixed,
            false => Self::Nothing,
        }
    }
}

/// Holds that the snapshot knows the subject's releases of Debian; says where it knows less, or nothing of others.
pub(super) fn hold(subject: &mut Subject, facts: &mut SnapshotFacts, snapshot: &Snapshot) -> Result<()> {
    let ecosystems: BTreeSet<&Ecosystem> = subject.packages.iter().map(|one| &one.ecosystem).collect();
    let mut unknown = BTreeSet::new();
    for ecosystem in &ecosystems {
        match Coverage::of(ecosystem, snapshot) {
            Coverage::Open => {}
            Coverage::Fixed => facts.derived_only = true,
            Coverage::Nothing => drop(unknown.insert((*ecosystem).clone())),
        }
    }
    if unknown.iter().any(Ecosystem::is_debian) || (!unknown.is_empty() && unknown.len() == ecosystems.len())
    {
        return Err(nothing_known(subject, &unknown, snapshot).into());
    }
    subject.notes.extend(unknown.iter().map(|one| format!("the advisories say nothing of {one}")));
    Ok(())
}

fn nothing_known(subject: &Subject, unknown: &BTreeSet<Ecosystem>, snapshot: &Snapshot) -> Problem {
    let words =
        |all: &BTreeSet<Ecosystem>| all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let what =
        format!("the advisories say nothing of {}, which `{}` is of", words(unknown), plain(&subject.name));
    let head = snapshot.head();
    let found = if head.covers.is_empty() { "no ecosystem".to_owned() } else { words(&head.covers) };
    Problem::new(codes::NOT_COVERED, what)
        .fact("snapshot", format!("sha256:{}, of {}", snapshot.digest(), head.date))
        .fact("it knows", found)
        .help("import a feed that does: Debian's tracker or OSV (`hardpan advisories import FILE…`)")
}
