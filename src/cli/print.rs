//! The two outputs.

use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::diag::{Problem, Result, is_hidden};
use crate::host::file_problem;

/// Why results could not be printed, if so.
static FAILED: Mutex<Option<io::Error>> = Mutex::new(None);

/// A line of results. A reader that went away (`hardpan … | head`) is no problem; anything else that
/// keeps results from being printed is told at the end.
pub(super) fn line(text: &str) {
    let mut out = io::stdout();
    if let Err(error) = writeln!(out, "{text}").and_then(|()| out.flush())
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        *FAILED.lock().expect("printing does not panic") = Some(error);
    }
}

/// A problem if results could not be printed.
pub(super) fn check() -> Result<()> {
    match FAILED.lock().expect("printing does not panic").take() {
        None => Ok(()),
        Some(error) => {
            Err(file_problem("writing results to", Path::new("the standard output"), &error).into())
        }
    }
}

/// Lines for people.
pub(super) fn error(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// A problem for machines.
pub(super) fn problem_json(problem: &Problem) -> Value {
    let place = problem.place.as_ref().and_then(|(source, labels)| {
        let (span, label) = labels.first()?;
        let line = source.text[..source.text.floor_char_boundary(span.start)].matches('\n').count() + 1;
        Some(json!({ "file": source.name, "line": line, "start": span.start, "end": span.end, "label": label }))
    });
    let facts: Vec<Value> =
        problem.facts.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
    json!({ "code": problem.code.to_string(), "message": problem.message, "facts": facts, "help": problem.help, "place": place })
}

/// Text of others, made harmless for a terminal: control characters are written out.
pub(super) fn harmless(text: &str) -> String {
    text.chars()
        .flat_map(
            |letter| {
                if is_hidden(letter) { letter.escape_default().collect::<Vec<_>>() } else { vec![letter] }
            },
        )
        .collect()
}

/// Several lines, each made harmless.
pub(super) fn lines(text: &str) -> String {
    text.split('\n').map(harmless).collect::<Vec<_>>().join("\n")
}

/// Columns for people, each as wide as its widest cell; the last is not padded.
pub(super) fn columns(rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| harmless(cell)).collect()).collect();
    let width = |at: usize| {
        rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let line = |row: &Vec<String>| {
        let last = row.len().saturating_sub(1);
        let cells = row.iter().enumerate().map(|(at, cell)| {
            if at == last { cell.clone() } else { format!("{cell:<width$}", width = width(at)) }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}
