//! What a server that did not come up says that it lacks around it: folders to write to, an account,
//! files that it may read, a port that everybody may listen on.

use std::collections::{BTreeMap, BTreeSet};

use super::words;
use super::world::World;
use crate::ident::ImagePath;
use crate::source::Kind;

/// Words of lines that tell of a path that can't be written or is not there.
const MISSES: [&str; 12] = [
    "ermission denied",
    "ead-only file system",
    "o such file or directory",
    "does not exist",
    "doesn't exist",
    "not writable",
    "not found",
    "annot ",
    "an't ",
    "could not",
    "nable to ",
    "ailed ",
];

/// Words of lines that tell of an account that is not there.
const UNKNOWN: [&str; 9] = [
    "not found",
    "unknown",
    "no such",
    "invalid",
    "can't",
    "cannot",
    "could not",
    "failed",
    "does not exist",
];

/// Folders that belong to all: what is below them is somebody's own.
const SHARED: [&str; 10] = [
    "/run",
    "/var/lib",
    "/var/log",
    "/var/cache",
    "/var/spool",
    "/var/tmp",
    "/var",
    "/tmp",
    "/run/lock",
    "/var/mail",
];

/// What is lacking.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Wants {
    /// Folders that the program writes to.
    pub(super) folders: BTreeSet<ImagePath>,
    /// Accounts by name.
    pub(super) users: BTreeSet<String>,
    /// Packaged files that it may not read.
    pub(super) unreadable: BTreeSet<ImagePath>,
    /// Links to where things are: `/var/run`.
    pub(super) links: BTreeMap<ImagePath, &'static str>,
    /// Variables that its configuration uses.
    pub(super) variables: BTreeSet<String>,
    /// Whether it is not allowed to listen on a port.
    pub(super) port: bool,
}

/// Reads what a server said.
pub(super) fn wants(world: &World, said: &str) -> Wants {
    let mut wants = Wants::default();
    for line in said.lines() {
        let lower = line.to_lowercase();
        let denied = lower.contains("permission denied") || lower.contains("not permitted");
        if MISSES.iter().any(|word| line.contains(word)) {
            for path in words::paths(line) {
                paths(world, path, denied, &mut wants);
            }
        }
        let names = ["user", "group", "account", "uid", "getpwnam", "getgrnam"];
        if names.iter().any(|word| lower.contains(word)) && UNKNOWN.iter().any(|word| lower.contains(word)) {
            wants.users.extend(accounts(line));
        }
        wants.variables.extend(variables(line));
        let ports = ["bind", "listen", "socket", "port", "address", "interface"];
        wants.port |= denied && ports.iter().any(|word| lower.contains(word));
    }
    wants
}

/// The folders that a configuration tells a program to write to, and links to them.
pub(super) fn configured(world: &World, text: &str) -> Wants {
    let mut wants = Wants::default();
    for line in text.lines().filter(|line| !is_comment(line)) {
        for path in words::paths(line) {
            paths(world, path, false, &mut wants);
        }
    }
    wants
}

fn is_comment(line: &str) -> bool {
    line.trim().starts_with(['#', ';']) || line.trim().starts_with("//")
}

fn paths(world: &World, path: &str, denied: bool, wants: &mut Wants) {
    for (old, new) in [("/var/run", "/run"), ("/var/lock", "/run/lock")] {
        if path.starts_with(&format!("{old}/")) {
            wants.links.extend(old.parse().ok().map(|old| (old, new)));
        }
    }
    let path = path.replace("/var/run/", "/run/").replace("/var/lock/", "/run/lock/");
    let Ok(path) = crate::recipe::merged(&path).parse::<ImagePath>() else { return };
    if let Some((_, entry)) = world.find(&path) {
        // Some only say that they can't read it.
        if denied || matches!(entry.kind, Kind::File(_)) && entry.mode & 0o004 == 0 {
            wants.unreadable.insert(path);
        }
        return;
    }
    if !path.as_str().starts_with("/var/") && !path.as_str().starts_with("/run/") {
        return;
    }
    let is_file = path.file_name().contains('.');
    let folder = if is_file { path.parent() } else { Some(path.clone()) };
    let Some(folder) = folder else { return };
    // A file right below a folder of all: only `/run` can be the program's own. What packages put files
    // into is theirs as it is.
    let shared = SHARED.contains(&folder.as_str()) && folder.as_str() != "/run";
    if !shared && world.below(&folder).next().is_none() {
        wants.folders.insert(folder);
    }
}

/// `NAME` of each `${NAME}`.
fn variables(line: &str) -> Vec<String> {
    let names = line.split("${").skip(1).filter_map(|rest| Some(rest.split_once('}')?.0));
    let plain = |byte: u8| byte.is_ascii_uppercase() || byte == b'_' || byte.is_ascii_digit();
    names.filter(|name| name.len() > 1 && name.bytes().all(plain)).map(ToOwned::to_owned).collect()
}

/// What a file that a shell would read gives a variable; variables in it are taken for empty.
pub(super) fn value_of(text: &str, name: &str) -> Option<String> {
    let mut lines = text.lines().map(|line| line.trim().trim_start_matches("export "));
    let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix('='))?;
    let value = value.split(" #").next().unwrap_or_default().trim().trim_matches(['"', '\'']);
    let mut parts = value.split('$');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        out += match part.strip_prefix('{') {
            Some(rest) => rest.split_once('}').map_or("", |(_, rest)| rest),
            None => part.trim_start_matches(plain),
        };
    }
    Some(out).filter(|value| !value.is_empty() && !value.contains(['`', '(']))
}

/// Names between quotes, or behind a bracket or colon, that accounts could have.
fn accounts(line: &str) -> Vec<String> {
    let plain =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "_-".contains(letter);
    let mut found = Vec::new();
    let letters: Vec<(usize, char)> = line.char_indices().collect();
    for (at, letter) in letters {
        let rest = &line[at + letter.len_utf8()..];
        let end = rest.find(|letter| !plain(letter)).unwrap_or(rest.len());
        let after = rest[end..].chars().next();
        let closed = match letter {
            '\'' | '"' | '`' => matches!(after, Some('\'' | '"')),
            '(' => after == Some(')'),
            '<' => after == Some('>'),
            ' ' => {
                rest.starts_with('_')
                    || (line[..at].ends_with("user")
                        || line[..at].ends_with("group")
                        || line[..at].ends_with(':'))
                        && matches!(after, None | Some('.' | ':' | ',' | '\r'))
            }
            _ => false,
        };
        let name = &rest[..end];
        if closed
            && (2..=31).contains(&name.len())
            && name.starts_with(|letter: char| letter == '_' || letter.is_ascii_lowercase())
        {
            found.push(name.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_read_where_names_stand() {
        for (line, expected) in [
            ("can't find user 'stream'", "stream"),
            ("unknown user: \"_x\"", "_x"),
            ("User not found: mail-drop", "mail-drop"),
            ("failed to look up user nsd.", "nsd"),
            ("getpwnam(\"ftp\") failed", "ftp"),
        ] {
            assert_eq!(accounts(line), [expected], "{line}");
        }
        assert_eq!(variables("Config variable ${X_DIR} of ${y}"), ["X_DIR"]);
        let text = "# X_DIR=/no\nexport X_DIR=\"/run/x$SUFFIX\" # why\nX_BAD=$(whoami)\n";
        assert_eq!(value_of(text, "X_DIR").as_deref(), Some("/run/x"));
        assert_eq!(value_of("X=/run/${A}/b", "X").as_deref(), Some("/run//b"));
        assert_eq!(value_of(text, "X_BAD"), None);
        assert!(accounts("user \"Bad\\u001b Name\" not found").is_empty());
    }
}
