//! What was checked, and what came of each.

use serde_json::{Value, json};

use crate::diag::{Failure, Problem, Result, codes};

/// One thing that was checked.
#[derive(Debug)]
pub struct Check {
    /// What: `signature`, `layers`, `SBOM`.
    pub what: &'static str,
    /// Of what: `index`, `linux/amd64`.
    pub of: String,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a check.
#[derive(Debug)]
pub enum Outcome {
    /// It holds: what was seen.
    Passed(String),
    /// It does not.
    Failed(Problem),
    /// Nothing hangs on it, but it should be known.
    Noted(String),
}

/// All that was checked of an image.
#[derive(Debug, Default)]
pub struct Report {
    /// In the order in which it was checked.
    pub checks: Vec<Check>,
}

impl Report {
    /// Adds what came of a check.
    pub fn add(&mut self, what: &'static str, of: &str, outcome: std::result::Result<String, Problem>) {
        let outcome = outcome.map_or_else(Outcome::Failed, Outcome::Passed);
        self.checks.push(Check { what, of: of.to_owned(), outcome });
    }

    /// Adds each problem of a failure.
    pub fn fail(&mut self, what: &'static str, of: &str, failure: Failure) {
        for problem in failure.into_problems() {
            self.add(what, of, Err(problem));
        }
    }

    /// Adds something that should be known.
    pub fn note(&mut self, what: &'static str, of: &str, note: String) {
        self.checks.push(Check { what, of: of.to_owned(), outcome: Outcome::Noted(note) });
    }

    /// Whether everything that was checked holds.
    pub fn passed(&self) -> bool {
        !self.checks.iter().any(|check| matches!(check.outcome, Outcome::Failed(_)))
    }

    /// Fails with one problem for the image, and one for each check that failed.
    pub fn result(self, image: &str) -> Result<()> {
        let failed = self.checks.into_iter().filter_map(|check| match check.outcome {
            Outcome::Failed(problem) => Some(problem),
            _ => None,
        });
        let failed: Vec<Problem> = failed.collect();
        if failed.is_empty() {
            return Ok(());
        }
        let count = failed.len();
        let whole = Problem::new(codes::NOT_VERIFIED, format!("`{image}` is not what it should be"))
            .found(if count == 1 { "one check failed".to_owned() } else { format!("{count} checks failed") })
            .help("don't use it; what is wrong is named below");
        Failure::check(std::iter::once(whole).chain(failed).collect())
    }
}

impl Check {
    /// The check for machines: `{"what", "of", "outcome", "detail"}`, and of one that failed `code`,
    /// `facts`, `help`.
    pub fn to_json(&self) -> Value {
        let (outcome, detail) = match &self.outcome {
            Outcome::Passed(detail) => ("passed", detail),
            Outcome::Noted(detail) => ("noted", detail),
            Outcome::Failed(problem) => ("failed", &problem.message),
        };
        let mut value = json!({ "what": self.what, "of": self.of, "outcome": outcome, "detail": detail });
        if let Outcome::Failed(problem) = &self.outcome {
            let facts = problem.facts.iter().map(|(name, fact)| json!({ "name": name, "value": fact }));
            value["code"] = json!(problem.code.to_string());
            value["facts"] = facts.collect();
            value["help"] = json!(problem.help);
        }
        value
    }
}
