//! Pieces of TOML, as people would write them. What others wrote stays inside its quotes and comments.

use std::fmt::Write as _;

/// Where lines of comments and lists are broken.
const WIDTH: usize = 100;

/// A list of strings on one line.
pub(super) fn words(items: &[String]) -> String {
    format!("[{}]", items.iter().map(|item| quote(item)).collect::<Vec<_>>().join(", "))
}

/// A text of several lines: as it is, where it can stand between three quotes.
pub(super) fn written(text: &str) -> String {
    let plain = |letter: char| matches!(letter, '\n' | '\t') || !letter.is_control();
    let literal = text.contains('\n') && !text.contains("'''") && text.chars().all(plain);
    if literal { format!("'''\n{text}'''") } else { quote(text) }
}

/// A list of strings; a long one has a line for each.
pub(super) fn list(items: &[String], indent: usize) -> String {
    let quoted: Vec<String> = items.iter().map(|item| quote(item)).collect();
    let line = format!("[{}]", quoted.join(", "));
    if line.len() + indent <= WIDTH || quoted.len() == 1 {
        return line;
    }
    format!("[\n    {},\n]", quoted.join(",\n    "))
}

/// A table with its rows aligned; nothing if there are none.
pub(super) fn table(name: &str, comment: &str, rows: impl Iterator<Item = (String, String)>) -> String {
    let rows: Vec<(String, String)> = rows.collect();
    if rows.is_empty() { String::new() } else { format!("{comment}[{name}]\n{}", aligned(&rows)) }
}

/// Rows with their values below each other.
pub(super) fn aligned(rows: &[(String, String)]) -> String {
    let width = rows.iter().map(|(key, _)| key.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (key, value) in rows {
        let _ = writeln!(text, "{key:<width$} = {value}");
    }
    text
}

/// Comments, broken into lines.
pub(super) fn comment(texts: &[&str]) -> String {
    let mut out = String::new();
    for text in texts.iter().filter(|text| !text.is_empty()) {
        let mut line = "#".to_owned();
        for word in text.split_whitespace() {
            if line.len() + 1 + word.len() > WIDTH && line.len() > 1 {
                out.extend([&line, "\n"]);
                "#".clone_into(&mut line);
            }
            line.push(' ');
            // No control character may stand in a comment (TOML, "Comment").
            line.extend(word.chars().map(|letter| if letter.is_control() { '?' } else { letter }));
        }
        out.extend([&line, "\n"]);
    }
    out
}

/// A key: bare if it may be.
pub(super) fn key(name: &str) -> String {
    let bare =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    if bare { name.to_owned() } else { quote(name) }
}

/// A basic string of TOML.
pub(super) fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => out += "\\\"",
            '\\' => out += "\\\\",
            '\n' => out += "\\n",
            '\r' => out += "\\r",
            '\t' => out += "\\t",
            control if control.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            plain => out.push(plain),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_others_stay_inside_their_quotes() {
        assert_eq!(quote("a\"b\\c\nd\u{1b}"), "\"a\\\"b\\\\c\\nd\\u001b\"");
        assert_eq!(key("a-b"), "a-b");
        assert_eq!(key("a.b"), "\"a.b\"");
    }

    #[test]
    fn comments_are_broken_and_never_end_in_the_middle() {
        let text = comment(&[&"word ".repeat(40), "two\nlines"]);
        assert!(text.lines().all(|line| line.starts_with("# ") && line.len() <= WIDTH));
        assert!(text.ends_with("# two lines\n"));
        assert_eq!(comment(&["a\u{1b}[31m\u{7f} \u{85}\rname = 1"]), "# a?[31m? name = 1\n");
    }

    #[test]
    fn texts_of_several_lines_stand_as_they_are_where_they_can() {
        assert_eq!(written("a\n\tb\n"), "'''\na\n\tb\n'''");
        for text in ["one", "a\n'''\nname = 1", "a\n\u{1b}", "a\r\nb"] {
            assert_eq!(written(text), quote(text));
        }
    }
}
