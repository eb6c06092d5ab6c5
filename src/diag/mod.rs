//! What is said when something is wrong: one kind of problem for every room.
//!
//! A [`Problem`] has a [`Code`], whose hundreds digit is the exit code; a sentence that says what was
//! being done and to what; facts (found, expected); the words underlined where they stand in a text
//! that people write; and a help line that says what to do next. A [`Failure`] is one or more of
//! them: a recipe reports all its problems at once.
//!
//! There is one error type, not one a room, because each error must carry these parts to the edge.
//! Small parsers below (`ident::Malformed`) keep types of their own. Nothing here knows what is diagnosed.

mod code;
mod problem;
mod render;

pub use code::{Code, codes, explain};
pub use problem::{Failure, Problem, Result, SourceText, Span, WithProblem, once_each};
pub use render::{is_hidden, render};

/// The word among `known` that is nearest to `word`, if one is near enough to be what was meant.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let scored = known.into_iter().map(|candidate| (strsim::jaro_winkler(word, candidate), candidate));
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))?;
    (best.0 > 0.8).then_some(best.1)
}
