//! Events as text, to be moved from one ledger to another: JSON lines.
//!
//! ```text
//! {"ledger":{"format":1}}
//! {"detected":{"at":"2026-11-20T02:00:00Z",…}}
//! …
//! ```
//!
//! The first line says what the others are; the order is that in which things happened. The same events give
//! the same bytes.

use serde::Deserialize;

use super::event::Event;
use crate::diag::{Problem, Result, codes};

/// What the lines are; another meaning of them is another number.
const FORMAT: u32 = 1;

/// The most lines that are named as wrong.
const NAMED: usize = 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    ledger: Format,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Format {
    format: u32,
}

/// The text of events.
pub fn to_lines(events: &[Event]) -> String {
    let head = format!("{{\"ledger\":{{\"format\":{FORMAT}}}}}\n");
    let lines = events.iter().map(|event| event.to_text() + "\n");
    std::iter::once(head).chain(lines).collect()
}

/// The events of a text; every line that is none is named.
pub fn from_lines(text: &str, name: &str) -> Result<Vec<Event>> {
    let mut lines = text.lines().enumerate();
    let head = lines.next().map(|(_, line)| line).unwrap_or_default();
    check_head(head, name)?;
    let (mut events, mut problems) = (Vec::new(), Vec::new());
    for (number, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        match Event::parse(line) {
            Ok(event) => events.push(event),
            Err(why) => {
                let message = format!("line {} of `{name}` is not an event", number + 1);
                problems.push(Problem::new(codes::BAD_EVENT, message).found(why));
            }
        }
    }
    if problems.len() > NAMED {
        let more = format!("{} more lines of `{name}` are not events", problems.len() - NAMED);
        problems.truncate(NAMED);
        problems.push(Problem::new(codes::BAD_EVENT, more));
    }
    crate::diag::Failure::check(problems)?;
    Ok(events)
}

fn check_head(line: &str, name: &str) -> Result<()> {
    let expected = format!("`{{\"ledger\":{{\"format\":{FORMAT}}}}}` as its first line");
    let help = "`hardpan report export` writes such files";
    match serde_json::from_str::<Head>(line) {
        Ok(head) if head.ledger.format == FORMAT => Ok(()),
        Ok(head) => Err(Problem::new(codes::BAD_EVENT, format!("`{name}` is of a format that is not known"))
            .found(format!("format {}", head.ledger.format))
            .expected(expected)
            .help("use the hardpan that wrote it, or a newer one")
            .into()),
        Err(_) => Err(Problem::new(codes::BAD_EVENT, format!("`{name}` holds no events of a ledger"))
            .expected(expected)
            .help(help)
            .into()),
    }
}
