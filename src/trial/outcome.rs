//! What came of tests.

use serde_json::{Value, json};

use crate::host::Said;

/// How many last lines of each stream are shown.
const LINES: usize = 10;

/// How many bytes of them.
const BYTES: usize = 4 << 10;

/// What came of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// All was as the test says.
    Passed,
    /// Something was not.
    Failed,
    /// It could not be tried on this machine.
    Untested,
}

impl Verdict {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Untested => "untested",
        }
    }
}

/// Something that was not as the test says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// In which step, counted from 1; `None` for a test of one run.
    pub step: Option<usize>,
    /// What was looked at.
    pub what: String,
    /// What it was to be.
    pub expected: String,
    /// What it was.
    pub found: String,
    /// Whether the machine is to blame, rather than the image.
    pub machine: bool,
}

impl Mismatch {
    pub(super) fn new(what: &str, expected: impl Into<String>, found: impl Into<String>) -> Self {
        let (what, expected, found) = (what.to_owned(), expected.into(), found.into());
        Self { step: None, what, expected, found, machine: false }
    }

    /// It in one line.
    pub fn line(&self) -> String {
        let step = self.step.map(|step| format!("step {step}: ")).unwrap_or_default();
        format!("{step}{}: expected {}, found {}", self.what, self.expected, self.found)
    }
}

/// The last lines that a run said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastWords {
    /// In which step, counted from 1; `None` for a test of one run.
    pub step: Option<usize>,
    /// `stdout` or `stderr`.
    pub stream: &'static str,
    /// The lines, as they were said but for what is not UTF-8.
    pub lines: Vec<String>,
}

impl LastWords {
    /// Of what was said on a stream; `None` if nothing was.
    pub(super) fn of(stream: &'static str, said: &Said) -> Option<Self> {
        let start = said.tail.len().saturating_sub(BYTES);
        let text = String::from_utf8_lossy(&said.tail[start..]).into_owned();
        let lines: Vec<&str> = text.trim_end().lines().collect();
        let from = lines.len().saturating_sub(LINES);
        let lines: Vec<String> = lines[from..].iter().map(|&line| line.to_owned()).collect();
        (!lines.is_empty()).then_some(Self { step: None, stream, lines })
    }
}

/// A test and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// What it shows.
    pub name: String,
    /// What came of it.
    pub verdict: Verdict,
    /// How long it took.
    pub seconds: f64,
    /// What was not as it says.
    pub mismatches: Vec<Mismatch>,
    /// What was said last, of a test that failed.
    pub words: Vec<LastWords>,
    /// Why it could not be tried.
    pub reason: Option<String>,
}

impl Outcome {
    /// One that could not be tried.
    pub(super) fn untested(name: &str, reason: &str) -> Self {
        Self {
            name: name.to_owned(),
            verdict: Verdict::Untested,
            seconds: 0.0,
            mismatches: Vec::new(),
            words: Vec::new(),
            reason: Some(reason.to_owned()),
        }
    }

    /// It for machines.
    pub fn to_json(&self) -> Value {
        let mismatch = |one: &Mismatch| json!({ "step": one.step, "what": one.what, "expected": one.expected, "found": one.found });
        let words = |one: &LastWords| json!({ "step": one.step, "stream": one.stream, "lines": one.lines });
        json!({
            "name": self.name,
            "outcome": self.verdict.word(),
            "seconds": (self.seconds * 1000.0).round() / 1000.0,
            "failures": self.mismatches.iter().map(mismatch).collect::<Vec<_>>(),
            "output": self.words.iter().map(words).collect::<Vec<_>>(),
            "reason": self.reason,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_of_much_are_few() {
        let lines: Vec<String> = (0..5000).map(|at| format!("line {at}")).collect();
        let text = lines.join("\n") + "\n";
        let said = Said { head: Vec::new(), tail: text.into_bytes(), total: 1 };
        let words = LastWords::of("stdout", &said).expect("some");
        assert_eq!((words.lines.len(), words.lines[9].as_str()), (10, "line 4999"));
        assert_eq!(LastWords::of("stdout", &Said::default()), None);
        let binary = Said { head: Vec::new(), tail: vec![0xff, 0, 27], total: 3 };
        assert_eq!(LastWords::of("stderr", &binary).expect("some").lines, ["\u{fffd}\0\u{1b}"]);
    }
}
