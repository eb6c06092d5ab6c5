//! What a server that did not come up says that it lacks around it: folders to write to, an account,
//! files that it may read, a port that everybody may listen on.

use std::collections::BTreeSet;

use super::words;
use super::world::World;
use crate::ident::ImagePath;

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
const UNKNOWN: [&str; 9] =
    ["not found", "unknown", "no such", "invalid", "can't", "cannot", "could not", "failed", "does not exist"];

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
        let ports = ["bind", "listen", "socket", "port", "address", "interface"];
        wants.port |= denied && ports.iter().any(|word| lower.contains(word));
    }
    wants
}

fn paths(world: &World, path: &str, denied: bool, wants: &mut Wants) {
    let path = path.replace("/var/run/", "/run/").replace("/var/lock/", "/run/lock/");
    let Ok(path) = crate::recipe::merged(&path).parse::<ImagePath>() else { return };
    if world.find(&path).is_some() {
        if denied {
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
    // A file right below a folder of all: only `/run` can be the program's own.
    if !SHARED.contains(&folder.as_str()) || folder.as_str() == "/run" {
        wants.folders.insert(folder);
    }
}

/// Names between quotes, or behind a bracket or colon, that accounts could have.
fn accounts(line: &str) -> Vec<String> {
    let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "_-".contains(letter);
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
                    || (line[..at].ends_with("user") || line[..at].ends_with("group") || line[..at].ends_with(':'))
                        && matches!(after, None | Some('.' | ':' | ',' | '\r'))
            }
            _ => false,
        };
        let name = &rest[..end];
        if closed && (2..=31).contains(&name.len()) && name.starts_with(|letter: char| letter == '_' || letter.is_ascii_lowercase())
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
        assert!(accounts("user \"Bad\\u001b Name\" not found").is_empty());
    }
}
