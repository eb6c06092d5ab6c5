//! A reader of Rust that knows just enough: what is code and what is comment or string, where words
//! are, and which brace closes which.

/// A file's code: one ASCII character for each of the text's, line for line, with comments, strings
/// and characters blanked.
pub fn code(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(chars.len());
    let mut at = 0;
    while at < chars.len() {
        let in_word = at > 0 && is_word(chars[at - 1]);
        let blank = blank_length(&chars[at..], in_word);
        let (shown, length) = if blank == 0 { (true, 1) } else { (false, blank) };
        for char in &chars[at..(at + length).min(chars.len())] {
            out.push(match char {
                '\n' => '\n',
                _ if !shown => ' ',
                char if char.is_ascii() => *char,
                _ => '?',
            });
        }
        at += length;
    }
    out
}

/// How many characters from here are not code; 0 if this one is.
fn blank_length(rest: &[char], in_word: bool) -> usize {
    match rest {
        ['/', '/', ..] => rest.iter().position(|char| *char == '\n').unwrap_or(rest.len()),
        ['/', '*', ..] => block_comment(rest),
        ['"', ..] => quoted(rest, '"'),
        ['\'', '\\', ..] => quoted(rest, '\''),
        // Else a lifetime.
        ['\'', _, '\'', ..] => 3,
        ['r', '"' | '#', ..] if !in_word => raw_string(rest, 1),
        ['b' | 'c', 'r', '"' | '#', ..] if !in_word => raw_string(rest, 2),
        _ => 0,
    }
}

fn block_comment(rest: &[char]) -> usize {
    let (mut at, mut depth) = (0, 0_usize);
    while at < rest.len() {
        match rest[at..] {
            ['/', '*', ..] => (at, depth) = (at + 2, depth + 1),
            ['*', '/', ..] => (at, depth) = (at + 2, depth - 1),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn quoted(rest: &[char], quote: char) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// A raw string whose prefix has this length; 0 if it is a raw identifier.
fn raw_string(rest: &[char], prefix: usize) -> usize {
    let hashes = rest[prefix..].iter().take_while(|char| **char == '#').count();
    let begin = prefix + hashes + 1;
    if rest.get(begin - 1) != Some(&'"') {
        return 0;
    }
    let ends = |at: usize| {
        rest[at] == '"' && rest[at + 1..].iter().take(hashes).filter(|char| **char == '#').count() == hashes
    };
    (begin..rest.len()).find(|at| ends(*at)).map_or(rest.len(), |at| at + 1 + hashes)
}

fn is_word(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == '_'
}

/// All words of a code, each with where it begins.
pub fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        at += code[at..].find(is_word)?;
        let word = word_at(code, at);
        let begin = at;
        at += word.len();
        Some((begin, word))
    })
}

/// The word that begins here; empty if none does.
pub fn word_at(code: &str, at: usize) -> &str {
    let rest = &code[at..];
    &rest[..rest.find(|char| !is_word(char)).unwrap_or(rest.len())]
}

/// Where an item that begins here has its end (exclusive) and its body's first brace, if it has one.
pub fn item(code: &str, begin: usize) -> (usize, Option<usize>) {
    let mut depth = 0_i32;
    for (at, byte) in code.bytes().enumerate().skip(begin) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b';' if depth == 0 => return (at + 1, None),
            b'{' if depth == 0 => return (closing(code, at), Some(at)),
            _ => {}
        }
    }
    (code.len(), None)
}

/// The end (exclusive) of what this brace opens.
pub fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0_i32;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        depth += i32::from(byte == b'{') - i32::from(byte == b'}');
        if depth == 0 {
            return at + 1;
        }
    }
    code.len()
}

/// The line of a place; the first is 1.
pub fn line(code: &str, at: usize) -> usize {
    1 + code.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

/// A code without its items for tests.
pub fn without_tests(code: &str) -> String {
    const TEST: &str = "#[cfg(test)]";
    let mut out = code.to_owned();
    for (begin, _) in code.match_indices(TEST) {
        let (end, _) = item(code, begin + TEST.len());
        let blank: String = code[begin..end].chars().map(|c| if c == '\n' { c } else { ' ' }).collect();
        out.replace_range(begin..end, &blank);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_strings_and_characters_are_not_code() {
        let cases = [
            ("a // {\nb", "a     \nb"),
            ("a/*{/*}*/*/b", "a          b"),
            (r#"f("{\"{", x)"#, "f(      , x)"),
            ("r#\"{\"{\"#;r#type", "        ;r#type"),
            ("br\"\\\";x", "     ;x"),
            ("'{' '\\'' &'a str '\\u{7d}'", "         &'a str         "),
            ("über", "?ber"),
        ];
        for (text, expected) in cases {
            assert_eq!(code(text), expected, "{text}");
        }
    }

    #[test]
    fn an_unfinished_string_or_comment_ends_with_the_file() {
        for text in ["\"abc\\", "/* abc", "r#\"abc", "'\\", "b'"] {
            assert_eq!(code(text).len(), text.len(), "{text}");
        }
    }

    #[test]
    fn words_are_found_with_their_places() {
        assert_eq!(words("a::b_2 (c)").collect::<Vec<_>>(), [(0, "a"), (3, "b_2"), (8, "c")]);
    }

    #[test]
    fn an_items_end_is_its_semicolon_or_closing_brace() {
        assert_eq!(item("fn f(x: [u8; 3]) { { } } rest", 0), (24, Some(17)));
        assert_eq!(item("fn f() -> [u8; 3]; rest", 0), (18, None));
    }

    #[test]
    fn items_for_tests_are_blanked_with_their_lines_kept() {
        let text = "use a;\n#[cfg(test)]\nuse b;\n#[cfg(test)]\nmod tests {\n use c;\n}\nuse d;\n";
        let rest = without_tests(text);
        assert_eq!(rest.split_whitespace().collect::<Vec<_>>(), ["use", "a;", "use", "d;"]);
        assert_eq!(rest.lines().count(), text.lines().count());
    }
}
