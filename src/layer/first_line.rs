//! First lines of scripts (execve(2), "Interpreter scripts"; env(1)):
//!
//! ```text
//! #!/usr/bin/perl -w                 /usr/bin/perl
//! #!/usr/bin/env -S A=b python3 -u   /usr/bin/env, and what that finds in PATH: python3
//! ```

/// The interpreter that a line names, and the program that it runs if it is `env`.
pub(super) fn read(line: &str) -> Option<(&str, Option<&str>)> {
    let mut words = line.split_whitespace();
    let interpreter = words.next()?;
    let is_env = interpreter.rsplit('/').next() == Some("env");
    Some((interpreter, if is_env { program(words) } else { None }))
}

/// The first of env's words that is no option, no option's value and no variable.
fn program<'a>(mut words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    while let Some(word) = words.next() {
        let (word, takes_next) = operand(word);
        if takes_next {
            words.next();
        } else if !word.is_empty() && !word.contains('=') {
            return Some(word);
        }
    }
    None
}

/// What is left of a word that may hold options: the first word of a string to split, which may follow
/// its option at once; and whether the next word is an option's value.
fn operand(word: &str) -> (&str, bool) {
    if let Some(long) = word.strip_prefix("--") {
        let split = long.strip_prefix("split-string=").unwrap_or_default();
        return (split, matches!(long, "unset" | "chdir" | "argv0"));
    }
    let Some(letters) = word.strip_prefix('-') else { return (word, false) };
    for (at, letter) in letters.char_indices() {
        let rest = &letters[at + letter.len_utf8()..];
        match letter {
            'S' => return (rest, false),
            'u' | 'C' | 'a' => return ("", rest.is_empty()),
            _ => {}
        }
    }
    ("", false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_its_interpreter_and_env_the_program_behind_its_options() {
        for (line, wanted) in [
            ("/usr/bin/perl -w", Some(("/usr/bin/perl", None))),
            ("/usr/bin/env python3", Some(("/usr/bin/env", Some("python3")))),
            ("/bin/env -S A=b C= x -E", Some(("/bin/env", Some("x")))),
            ("/bin/env -iSx -E", Some(("/bin/env", Some("x")))),
            ("/bin/env --split-string=x", Some(("/bin/env", Some("x")))),
            ("/bin/env -S -u HOME -C/tmp --chdir / -- x", Some(("/bin/env", Some("x")))),
            ("/bin/env -S", Some(("/bin/env", None))),
            ("/usr/bin/envy x", Some(("/usr/bin/envy", None))),
            (" ", None),
        ] {
            assert_eq!(read(line), wanted, "{line}");
        }
    }
}
