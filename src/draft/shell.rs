//! Which programs a shell script starts, and which files it reads, as far as its text shows it.

/// The words that a shell itself understands, and those before which a program's name follows.
const KEYWORDS: &[&str] = &[
    "!", "{", "}", "if", "then", "else", "elif", "fi", "do", "done", "while", "until", "for", "case", "esac",
    "in", "time", "exec", "command", "builtin", "eval", "nohup", "nice", "env", "-v", "function",
];

/// Commands that are part of every shell.
const BUILTINS: &[&str] = &[
    ".", ":", "[", "[[", "alias", "bg", "break", "cd", "continue", "declare", "echo", "exit", "export",
    "false", "fg", "getopts", "hash", "jobs", "kill", "let", "local", "printf", "pwd", "read", "readonly",
    "return", "set", "shift", "shopt", "source", "test", "times", "trap", "true", "type", "typeset",
    "ulimit", "umask", "unalias", "unset", "wait",
];

/// Names that stand where commands stand: what may be a program.
pub(super) fn commands(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in text.lines().map(without_comment) {
        let parts = line.split(['|', ';', '&', '(', ')', '`', '{', '}']);
        for part in parts {
            found.extend(command(part));
        }
    }
    found.sort();
    found.dedup();
    found
}

/// Absolute paths in the text, without variables: what it may read or start.
pub(super) fn paths(text: &str) -> Vec<String> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._+-@".contains(letter);
    let lines = text.lines().map(without_comment);
    let mut found: Vec<String> = lines
        .flat_map(|line| line.split(|letter| !plain(letter)))
        .filter(|word| word.starts_with('/') && word.len() > 4 && !word.ends_with('/'))
        .map(ToOwned::to_owned)
        .collect();
    found.sort();
    found.dedup();
    found
}

fn without_comment(line: &str) -> &str {
    let line = line.trim();
    if line.starts_with('#') {
        return "";
    }
    line.split(" #").next().unwrap_or(line)
}

/// The command that a part of a line begins with.
fn command(part: &str) -> Option<String> {
    for word in part.split_whitespace() {
        let word = word.trim_matches(['"', '\'']);
        let assigns = word
            .split_once('=')
            .is_some_and(|(name, _)| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
        if assigns || KEYWORDS.contains(&word) {
            continue;
        }
        let name = word.rsplit('/').next().unwrap_or(word);
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte);
        let is_name = name.len() > 1 && !name.starts_with('-') && name.bytes().all(plain);
        return (is_name && !BUILTINS.contains(&word)).then(|| name.to_owned());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_found_where_they_stand() {
        let text = "#!/bin/sh\n# grep in a comment\nX=1 sed -e s/find/x/ | sort; if ! which java; then exec \"$JAVA\" -jar; fi\n\
                    y=$(basename \"$0\")\necho uname\n";
        assert_eq!(commands(text), ["basename", "sed", "sort", "which"]);
        assert_eq!(
            paths(". /usr/share/x/lib.sh # /no/thing\n[ -r \"/etc/x.conf\" ]"),
            ["/etc/x.conf", "/usr/share/x/lib.sh"]
        );
    }
}
