//! Words of problems and of programs' output: what is between marks, and paths.

/// What stands between backticks.
pub(super) fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// Absolute paths in a text.
pub(super) fn paths(text: &str) -> Vec<&str> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._+-@~".contains(letter);
    let words = text.split(|letter| !plain(letter)).map(|word| word.trim_end_matches(['.', '/']));
    words.filter(|word| word.starts_with('/') && word.len() > 1).collect()
}

/// The word right behind each place at which a text says `before`, up to a character that no name has.
pub(super) fn behind<'a>(text: &'a str, before: &str) -> Vec<&'a str> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._+-@:".contains(letter);
    let rests = text
        .match_indices(before)
        .map(|(at, _)| text[at + before.len()..].trim_start_matches(['\'', '"', '`', ' ']));
    let words = rests.map(|rest| {
        rest.split(|letter| !plain(letter)).next().unwrap_or_default().trim_end_matches(['.', ':'])
    });
    words.filter(|word| !word.is_empty()).collect()
}

/// The word right before each place at which a text says `after`.
pub(super) fn ahead<'a>(text: &'a str, after: &str) -> Vec<&'a str> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._+-@".contains(letter);
    let heads =
        text.match_indices(after).map(|(at, _)| text[..at].trim_end_matches(['\'', '"', '`', ' ', ':']));
    heads
        .filter_map(|head| head.rsplit(|letter| !plain(letter)).next())
        .filter(|word| !word.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_by_what_is_around_them() {
        assert_eq!(quoted("`a` needs `b`"), ["a", "b"]);
        assert_eq!(paths("can't open '/etc/x.conf': no. /usr/y/."), ["/etc/x.conf", "/usr/y"]);
        assert_eq!(behind("No module named 'a.b'\nNo module named c", "No module named"), ["a.b", "c"]);
        assert_eq!(ahead("sh: 1: dig: not found", ": not found"), ["dig"]);
    }
}
