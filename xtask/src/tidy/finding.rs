//! What a check found.

use std::fmt;

/// A place where a rule does not hold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    path: String,
    line: usize,
    what: String,
    remedy: String,
}

impl Finding {
    /// Something at a line of a file (the first is 1), and what to do about it.
    pub fn new(path: &str, line: usize, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into(), remedy: remedy.into() }
    }

    /// `path:line`, for tests.
    #[cfg(test)]
    pub fn place(&self) -> String {
        format!("{}:{}", self.path, self.line)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, what, remedy } = self;
        write!(f, "{path}:{line}: {what}\n    {remedy}")
    }
}

/// The places of findings, for tests.
#[cfg(test)]
pub fn places(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(Finding::place).collect()
}
