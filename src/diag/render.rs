//! Problems as text: the words underlined, facts in a column, the help line last.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::Problem;

/// The problem as it is printed, without an end of line.
pub fn render(problem: &Problem, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let code = problem.code.to_string();
    let level = if problem.warning { Level::WARNING } else { Level::ERROR };
    let facts: Vec<String> = facts(problem);
    let title = level.primary_title(&problem.message).id(&code);
    let mut group = match &problem.place {
        Some((source, labels)) => {
            let marks = labels.iter().enumerate().map(|(at, (span, label))| {
                let kind = if at == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
                kind.span(clamp(&source.text, span)).label(label.as_str())
            });
            title.element(Snippet::source(source.text.as_str()).path(source.name.as_str()).annotations(marks))
        }
        None => Group::with_title(title),
    };
    for fact in &facts {
        group = group.element(Level::NOTE.no_name().message(fact.as_str()));
    }
    // The renderer cleans a title by itself, and nothing else.
    let help = problem.help.as_deref().map(harmless);
    if let Some(help) = &help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    renderer.render(&[group])
}

/// `name: value`, the values in one column.
fn facts(problem: &Problem) -> Vec<String> {
    let width = problem.facts.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    problem
        .facts
        .iter()
        .map(|(name, value)| {
            let value = harmless(value);
            format!("{:<width$} {value}", format!("{name}:"), width = width + 1)
        })
        .collect()
}

/// What others said, without what would move a terminal's cursor or colour it; lines stay lines.
fn harmless(text: &str) -> String {
    let written = |letter: char| match letter {
        '\n' => letter.to_string(),
        letter if is_hidden(letter) => letter.escape_default().to_string(),
        letter => letter.to_string(),
    };
    text.chars().map(written).collect()
}

/// Whether a terminal would do something with a letter rather than show it: move, colour, turn the direction of writing
/// around, or hide it between others.
pub fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(letter, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A span inside the text and on character boundaries, whatever a parser said of broken text.
fn clamp(text: &str, span: &super::Span) -> super::Span {
    let start = text.floor_char_boundary(span.start);
    let end = text.ceil_char_boundary(span.end.max(start));
    start..end
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{SourceText, codes};
    use super::*;

    #[test]
    fn a_problem_shows_the_words_the_facts_and_the_help() {
        let source = Arc::new(SourceText { name: "x.toml".into(), text: "nmae = 1\n".into() });
        let problem = Problem::new(codes::UNKNOWN_KEY, "there is no key `nmae`")
            .at(&source, 0..4, "not known here")
            .found("nmae")
            .expected("name")
            .help("did you mean `name`?");
        let text = render(&problem, false);
        for part in [
            "error[HP302]: there is no key `nmae`",
            "x.toml:1:1",
            "^^^^ not known here",
            "found:    nmae",
            "expected: name",
            "help: did you mean `name`?",
        ] {
            assert!(text.contains(part), "{part} in:\n{text}");
        }
    }

    #[test]
    fn a_span_outside_the_text_does_no_harm() {
        let source = Arc::new(SourceText { name: "x".into(), text: "é".into() });
        render(&Problem::new(codes::SYNTAX, "x").at(&source, 1..99, "here"), true);
    }
}
