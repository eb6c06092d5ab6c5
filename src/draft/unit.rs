//! What a package tells systemd of its service: units, folders to make (tmpfiles.d(5)), accounts
//! (sysusers.d(5)). Only what a container can use is read.

use std::collections::BTreeMap;

/// A service's unit (systemd.service(5), systemd.exec(5)).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Unit {
    /// The program and those arguments that mean something without systemd.
    pub(super) exec: Vec<String>,
    /// Whether the program goes into the background by itself.
    pub(super) forks: bool,
    /// Whether it is done when it ends (`Type=oneshot`).
    pub(super) ends: bool,
    /// `User=`.
    pub(super) user: Option<String>,
    /// `StateDirectory=` and its like, as paths; whether each is to be kept.
    pub(super) folders: Vec<(String, bool)>,
    /// `KillSignal=`.
    pub(super) signal: Option<String>,
    /// `WorkingDirectory=`.
    pub(super) workdir: Option<String>,
    /// `Environment=`.
    pub(super) environment: Vec<(String, String)>,
}

/// Folders that a unit asks for by name: the key, where they are, whether they are to be kept.
const FOLDERS: [(&str, &str, bool); 4] = [
    ("StateDirectory", "/var/lib", true),
    ("CacheDirectory", "/var/cache", false),
    ("LogsDirectory", "/var/log", false),
    ("RuntimeDirectory", "/run", false),
];

impl Unit {
    /// Reads a unit; `file` gives the text of the files that it takes variables of.
    pub(super) fn read(text: &str, file: &dyn Fn(&str) -> Option<String>) -> Self {
        let mut unit = Self::default();
        let known = variables(text, file);
        for (key, value) in settings(text) {
            match key.as_str() {
                "ExecStart" if unit.exec.is_empty() => unit.exec = command(&value, &known),
                "Type" => (unit.forks, unit.ends) = (value == "forking", value == "oneshot"),
                "ExecStartPre" | "ReadWritePaths" | "ReadWriteDirectories" => unit.written(&key, &value),
                "PIDFile" => {
                    unit.folders.extend(value.rsplit_once('/').map(|(above, _)| (in_run(above), false)));
                }
                "User" if !value.contains('%') => unit.user = Some(value),
                "KillSignal" => unit.signal = Some(value),
                "WorkingDirectory" if value.starts_with('/') => unit.workdir = Some(value),
                "Environment" => unit.environment.extend(assignments(&value)),
                _ => unit.folder(&key, &value),
            }
        }
        unit
    }

    /// Folders that it makes before it begins, or may write to.
    fn written(&mut self, key: &str, value: &str) {
        let words = words(value.trim_start_matches(PREFIXES));
        let makes = words.first().is_some_and(|program| {
            program.ends_with("/mkdir")
                || program.ends_with("/install") && words.iter().any(|word| word == "-d")
        });
        if key != "ExecStartPre" || makes {
            let paths = words.iter().map(|word| word.trim_start_matches(['-', '+'])).skip(usize::from(makes));
            let paths = paths.filter(|path| path.starts_with('/') && !path.contains(['%', '$']));
            self.folders.extend(paths.map(|path| (in_run(path), false)));
        }
    }

    fn folder(&mut self, key: &str, value: &str) {
        let Some((_, above, keep)) = FOLDERS.iter().find(|(known, _, _)| *known == key) else { return };
        let names = value.split_whitespace().filter(|name| !name.contains(['%', ':']));
        self.folders.extend(names.map(|name| (format!("{above}/{name}"), *keep)));
    }
}

/// What systemd takes off the beginning of a command.
const PREFIXES: [char; 6] = ['-', '+', '!', '@', ':', '|'];

/// A path below `/run`, where it is said by its old name.
fn in_run(path: &str) -> String {
    path.replace("/var/run/", "/run/").trim_end_matches('/').to_owned()
}

/// The variables that a unit's command may hold: its own, and those of its files.
fn variables(text: &str, file: &dyn Fn(&str) -> Option<String>) -> BTreeMap<String, String> {
    let mut known = BTreeMap::new();
    for (key, value) in settings(text) {
        match key.as_str() {
            "Environment" => known.extend(assignments(&value)),
            "EnvironmentFile" => {
                let content = file(value.trim_start_matches('-')).unwrap_or_default();
                known.extend(settings(&content).into_iter().map(|(name, value)| {
                    (
                        name.trim_start_matches("export ").to_owned(),
                        value.trim_matches(['"', '\'']).to_owned(),
                    )
                }));
            }
            _ => {}
        }
    }
    known
}

/// Keys and values, continued lines joined; what is in comments is not there.
fn settings(text: &str) -> Vec<(String, String)> {
    let joined = text.replace("\\\n", " ");
    let lines = joined.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';']));
    lines
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()))
        .collect()
}

/// `NAME=value "OTHER=a b"`, without what systemd would put in.
fn assignments(value: &str) -> Vec<(String, String)> {
    let words = words(value).into_iter().filter(|word| !word.contains('%'));
    words
        .filter_map(|word| word.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())))
        .collect()
}

/// The words of a command line, without systemd's prefixes of the program, with the variables that are
/// known, and without arguments that only systemd can fill in: `$OPTIONS`, `%i`. An option whose value
/// goes with it goes as well.
fn command(line: &str, known: &BTreeMap<String, String>) -> Vec<String> {
    let filled = |word: &str| word.contains('$') || word.replace("%%", "").contains('%');
    let mut kept: Vec<String> = Vec::new();
    for word in words(line.trim_start_matches(PREFIXES)).into_iter().flat_map(|word| expanded(&word, known)) {
        if !filled(&word) {
            kept.push(word.replace("%%", "%"));
        } else if !word.starts_with('$') && !word.starts_with('-') && kept.len() > 1 {
            let value_of = kept.last().is_some_and(|last| last.starts_with('-') && !last.contains('='));
            if value_of {
                kept.pop();
            }
        }
    }
    kept
}

/// A word with known variables in it; one that is nothing else becomes as many words as its value has.
fn expanded(word: &str, known: &BTreeMap<String, String>) -> Vec<String> {
    let name = word.strip_prefix('$').map(|name| name.trim_start_matches('{').trim_end_matches('}'));
    if let Some(value) = name.and_then(|name| known.get(name)) {
        return words(value);
    }
    let mut word = word.to_owned();
    for (name, value) in known {
        word = word.replace(&format!("${{{name}}}"), value);
    }
    vec![word]
}

/// Words with systemd's quotes taken off.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut any) = (Vec::new(), String::new(), None, false);
    for letter in line.chars() {
        match quote {
            Some(mark) if letter == mark => quote = None,
            None if matches!(letter, '"' | '\'') => (quote, any) = (Some(letter), true),
            None if letter.is_whitespace() => {
                if any || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                any = false;
            }
            _ => word.push(letter),
        }
    }
    if any || !word.is_empty() {
        words.push(word);
    }
    words
}

/// `ListenStream=` and `ListenDatagram=` of a socket unit: ports, and whether it is UDP.
pub(super) fn listens(text: &str) -> Vec<(u16, bool)> {
    let ports = settings(text).into_iter().filter_map(|(key, value)| {
        let udp = match key.as_str() {
            "ListenStream" => false,
            "ListenDatagram" => true,
            _ => return None,
        };
        Some((value.rsplit(':').next()?.parse().ok()?, udp))
    });
    ports.collect()
}

/// The folders that tmpfiles.d makes, below what is written at run time.
pub(super) fn tmpfiles(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::split_whitespace);
    let folders = lines.filter_map(|mut words| {
        let kind = words.next()?;
        let path = words.next()?;
        let makes =
            matches!(kind.trim_end_matches(['!', '-', '+', '=', '$', '~', '^']), "d" | "D" | "v" | "q");
        makes.then(|| path.trim_end_matches('/').replace("/var/run/", "/run/"))
    });
    folders.filter(|path| !path.contains(['%', '*']) && path.starts_with('/')).collect()
}

/// The accounts that sysusers.d makes: names and home folders.
pub(super) fn sysusers(text: &str) -> Vec<(String, Option<String>)> {
    let lines = text.lines().map(words);
    let users = lines.filter(|words| words.first().is_some_and(|kind| matches!(kind.as_str(), "u" | "u!")));
    users
        .filter_map(|words| {
            let home = words.get(4).filter(|home| home.starts_with('/')).cloned();
            Some((words.get(1)?.clone(), home))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_read_for_what_a_container_can_use() {
        let unit = Unit::read(
            "[Service]\n# ExecStart=/no\nType=forking\nEnvironment=A=b \"C=d e\"\n\
             ExecStart=-/usr/sbin/x --conf '/etc/x y' $OPTS -u %i --run=%t/x \\\n  --last\n\
             ExecStart=/second\nUser=x\nStateDirectory=x x/y\nRuntimeDirectory=x\nKillSignal=SIGQUIT\n",
            &|_| None,
        );
        assert_eq!(unit.exec, ["/usr/sbin/x", "--conf", "/etc/x y", "--last"]);
        assert!(unit.forks);
        assert_eq!(unit.user.as_deref(), Some("x"));
        let folders = [("/var/lib/x", true), ("/var/lib/x/y", true), ("/run/x", false)];
        assert_eq!(unit.folders, folders.map(|(path, keep)| (path.to_owned(), keep)));
        assert_eq!(unit.signal.as_deref(), Some("SIGQUIT"));
        let environment = [("A", "b"), ("C", "d e")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(unit.environment, environment);
    }

    #[test]
    fn variables_of_files_are_arguments_and_what_is_made_before_is_a_folder() {
        let unit = Unit::read(
            "[Service]\nType=oneshot\nEnvironmentFile=-/etc/default/x\nPIDFile=/var/run/x/x.pid\n\
             ExecStartPre=-/bin/mkdir -p /run/made\nExecStartPre=/bin/rm -f /run/gone\n\
             ExecStart=/usr/sbin/x $OPTIONS --dir=${DIR} $OTHER\n",
            &|path| {
                (path == "/etc/default/x").then(|| "# no\nOPTIONS=\"-u y\"\nexport DIR=/srv\n".to_owned())
            },
        );
        assert_eq!(unit.exec, ["/usr/sbin/x", "-u", "y", "--dir=/srv"]);
        assert_eq!(unit.folders, ["/run/x", "/run/made"].map(|path| (path.to_owned(), false)));
        assert!(unit.ends && !unit.forks);
    }

    #[test]
    fn sockets_folders_and_accounts_are_read() {
        assert_eq!(
            listens("ListenStream=[::]:631\nListenStream=/run/x\nListenDatagram=53"),
            [(631, false), (53, true)]
        );
        assert_eq!(
            tmpfiles("d /var/run/x 0755 x x -\nf /run/y\nL /a - - - - /b\nd! /run/z"),
            ["/run/x", "/run/z"]
        );
        assert_eq!(
            sysusers("u x - \"A b\" /var/lib/x\ng y -\nu z -"),
            [("x".to_owned(), Some("/var/lib/x".to_owned())), ("z".to_owned(), None)]
        );
    }
}
