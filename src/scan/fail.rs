//! What of a report makes a run fail.

use std::fmt;
use std::str::FromStr;

use super::finding::Finding;
use super::report::Report;
use crate::advisory::Level;
use crate::diag::{Problem, codes};

/// What makes a run fail, by a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FailOn {
    /// Anything that counts.
    Any,
    /// What a fix is known for.
    Fixable,
    /// What is being exploited, folded or not.
    Kev,
    /// What is this bad or worse. [`Level::Unknown`] is itself alone.
    Level(Level),
}

impl FromStr for FailOn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "any" => Self::Any,
            "fixable" => Self::Fixable,
            "kev" => Self::Kev,
            _ => Self::Level(
                Level::WORST_FIRST.into_iter().find(|level| level.name() == text).ok_or(
                    "one of `fixable`, `kev`, `critical`, `high`, `medium`, `low`, `negligible`, `unknown`, `any`",
                )?,
            ),
        })
    }
}

impl fmt::Display for FailOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Any => "any",
            Self::Fixable => "fixable",
            Self::Kev => "kev",
            Self::Level(level) => level.name(),
        })
    }
}

impl FailOn {
    fn meets(self, finding: &Finding) -> bool {
        match self {
            Self::Any => true,
            Self::Fixable => finding.fixable,
            Self::Kev => finding.kev.is_some(),
            Self::Level(Level::Unknown) => finding.level() == Level::Unknown,
            Self::Level(level) => finding.level() >= level,
        }
    }
}

/// One that met, and by what.
pub type Met<'a> = (FailOn, Vec<&'a Finding>);

/// The most findings that a problem names of a kind.
const NAMED: usize = 5;

impl Report {
    /// Which of these meet, and by what findings. With `all`, those that are folded count too; for what is being
    /// exploited they always do. What somebody decided about meets nothing.
    pub fn met(&self, on: &[FailOn], all: bool) -> Vec<Met<'_>> {
        let mut on = on.to_vec();
        on.sort_unstable();
        on.dedup();
        let found = on.into_iter().map(|on| {
            let all = all || on == FailOn::Kev;
            (on, self.shown(all).filter(|finding| on.meets(finding)).collect::<Vec<_>>())
        });
        found.filter(|(_, findings)| !findings.is_empty()).collect()
    }

    /// The problem with those that met.
    pub fn failed(&self, met: &[Met<'_>]) -> Problem {
        let words: Vec<String> = met.iter().map(|(on, _)| format!("`{on}`")).collect();
        let name = super::subject::plain(&self.subject.name);
        let what = format!("`{name}` has findings that were not to be there: {}", words.join(", "));
        let mut problem = Problem::new(codes::FINDINGS, what);
        for (on, findings) in met {
            let named = findings.iter().take(NAMED).map(|one| {
                format!("{} in {}", super::subject::plain(&one.id), super::subject::plain(&one.source))
            });
            let mut named: Vec<String> = named.collect();
            if findings.len() > NAMED {
                named.push(format!("and {} more", findings.len() - NAMED));
            }
            problem = problem.fact(word(*on), format!("{}: {}", findings.len(), named.join(", ")));
        }
        let fixable = met.iter().any(|(_, findings)| findings.iter().any(|one| one.fixable));
        if fixable {
            problem.help("move the pins to the fixed versions: `hardpan lock --update`, and build again")
        } else {
            problem.help("no fix is known: decide about each, or leave out what has it")
        }
    }
}

/// The fact's name.
fn word(on: FailOn) -> &'static str {
    match on {
        FailOn::Any => "any",
        FailOn::Fixable => "fixable",
        FailOn::Kev => "kev",
        FailOn::Level(level) => level.name(),
    }
}
