//! A problem and its parts.

use std::ops::Range;
use std::sync::Arc;

use super::Code;

/// A place in a text: byte offsets, the end excluded.
pub type Span = Range<usize>;

/// The result of everything that can go wrong in a way the user should hear of.
pub type Result<T> = std::result::Result<T, Failure>;

/// A text that people write, kept so that its words can be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceText {
    /// The file's name as the user would type it.
    pub name: String,
    /// Its whole content.
    pub text: String,
}

/// Words of a text, and what is said under each.
pub type Labels = Vec<(Span, String)>;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Which kind.
    pub code: Code,
    /// What was being done, to what, and how it went wrong: one sentence, lower case.
    pub message: String,
    /// Named facts in the order in which they are shown: found, expected, tried.
    pub facts: Vec<(&'static str, String)>,
    /// What to do next.
    pub help: Option<String>,
    /// The text it is in, and the words in it with what is said under them.
    pub place: Option<(Arc<SourceText>, Labels)>,
    /// A warning is shown but does not fail.
    pub warning: bool,
}

impl Problem {
    /// A problem with nothing but its sentence.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), facts: Vec::new(), help: None, place: None, warning: false }
    }

    /// Adds a fact.
    #[must_use]
    pub fn fact(mut self, name: &'static str, value: impl ToString) -> Self {
        self.facts.push((name, value.to_string()));
        self
    }

    /// Adds what was found.
    #[must_use]
    pub fn found(self, value: impl ToString) -> Self {
        self.fact("found", value)
    }

    /// Adds what was expected.
    #[must_use]
    pub fn expected(self, value: impl ToString) -> Self {
        self.fact("expected", value)
    }

    /// Says what to do next.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Underlines words of a text.
    #[must_use]
    pub fn at(mut self, source: &Arc<SourceText>, span: Span, label: impl Into<String>) -> Self {
        match &mut self.place {
            Some((_, labels)) => labels.push((span, label.into())),
            None => self.place = Some((Arc::clone(source), vec![(span, label.into())])),
        }
        self
    }

    /// Makes it a warning.
    #[must_use]
    pub fn warn(mut self) -> Self {
        self.warning = true;
        self
    }
}

/// One or more problems that end what was being done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    problems: Vec<Problem>,
    told: bool,
}

impl Failure {
    /// All of `problems`, if there are any.
    pub fn check(problems: Vec<Problem>) -> Result<()> {
        if problems.is_empty() { Ok(()) } else { Err(Self { problems, told: false }) }
    }

    /// What is wrong, at least one.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The problems themselves.
    pub fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    /// The exit code that the first problem's code stands for.
    pub fn exit_code(&self) -> u8 {
        self.problems[0].code.exit_code()
    }

    /// Whether the first problem is of this kind.
    pub fn is(&self, code: Code) -> bool {
        self.problems[0].code == code
    }

    /// The same failure, which stands in what was printed for machines already.
    #[must_use]
    pub fn told(self) -> Self {
        Self { told: true, ..self }
    }

    /// Whether what was printed for machines says it already.
    pub fn is_told(&self) -> bool {
        self.told
    }

    /// The same failure with one more fact to each problem.
    #[must_use]
    pub fn fact(mut self, name: &'static str, value: impl ToString) -> Self {
        for problem in &mut self.problems {
            problem.facts.push((name, value.to_string()));
        }
        self
    }
}

/// Problems of several things, each with who has it: what several have is one, with all of them as facts of this name.
pub fn once_each(name: &'static str, problems: impl IntoIterator<Item = (String, Problem)>) -> Vec<Problem> {
    let mut all: Vec<(Problem, Vec<String>)> = Vec::new();
    for (who, problem) in problems {
        match all.iter_mut().find(|(there, _)| *there == problem) {
            Some((_, others)) => others.push(who),
            None => all.push((problem, vec![who])),
        }
    }
    all.into_iter()
        .map(|(problem, who)| who.iter().fold(problem, |problem, who| problem.fact(name, who)))
        .collect()
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self { problems: vec![problem], told: false }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let lines: Vec<&str> = self.problems.iter().map(|problem| problem.message.as_str()).collect();
        f.write_str(&lines.join("; "))
    }
}

impl std::error::Error for Failure {}

/// Turns another room's or library's error into a problem of ours.
pub trait WithProblem<T> {
    /// Says what was being done; the error's own words become the fact `cause`.
    fn or_problem(self, code: Code, message: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: std::fmt::Display> WithProblem<T> for std::result::Result<T, E> {
    fn or_problem(self, code: Code, message: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| Problem::new(code, message()).fact("cause", error).into())
    }
}
