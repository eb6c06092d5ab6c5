//! What came of one program of a package, and which of several came furthest.

use super::plan::Plan;
use super::probe::{Answer, Worth};
use super::program::Program;
use super::service::Service;
use super::serving::Serving;
use crate::diag::Problem;

/// What came of one program.
pub(super) struct Outcome {
    pub(super) program: Program,
    pub(super) plan: Plan,
    pub(super) service: Service,
    /// The program's answer, if it was tried.
    pub(super) answer: Option<Answer>,
    /// What it said to all questions.
    pub(super) said: String,
    /// How it serves, if it was seen to.
    pub(super) serving: Option<Serving>,
    /// Why a service was not seen to serve.
    pub(super) silence: Option<String>,
    /// Why it does not build, if so.
    pub(super) problems: Vec<Problem>,
}

impl Outcome {
    /// One that nothing came of yet.
    pub(super) fn begin(program: Program, plan: Plan, service: Service) -> Self {
        let (answer, serving, silence) = (None, None, None);
        Self { program, plan, service, answer, said: String::new(), serving, silence, problems: Vec::new() }
    }

    /// How good it is; a version that another program says is worth more than a name.
    pub(super) fn rank(&self) -> (bool, bool, bool, bool, Option<Worth>) {
        let worth = self.answer.as_ref().map(|answer| answer.worth);
        let says = worth.is_some_and(|worth| worth >= Worth::VersionBadly);
        let sure = self.program.sure && worth != Some(Worth::Nothing);
        (self.problems.is_empty(), self.serving.is_some(), says, sure, worth)
    }

    /// Whether no other program is tried: it works, or it is surely the one that is meant.
    pub(super) fn is_enough(&self) -> bool {
        let worth = self.answer.as_ref().map(|answer| answer.worth);
        if self.serving.is_some() {
            return true;
        }
        self.problems.is_empty()
            && worth.is_none_or(|worth| {
                worth >= Worth::VersionBadly || self.program.sure && worth >= Worth::Usage
            })
    }
}
