//! What a program's own help says of its options: the one that keeps it in the foreground, and the one
//! for its port.

/// Words by which help says that a program stays in the foreground.
const STAYS: [&str; 25] = [
    "foreground",
    "no daemon",
    "no-daemon",
    "nodaemon",
    "not daemon",
    "n't daemon",
    "not become a daemon",
    "n't become a daemon",
    "not run as a daemon",
    "n't run as a daemon",
    "not run as daemon",
    "non-daemon",
    "no fork",
    "no-fork",
    "nofork",
    "not fork",
    "n't fork",
    "not detach",
    "n't detach",
    "no-detach",
    "nodetach",
    "not go into",
    "n't go into",
    "n't go to background",
    "not run in background",
];

/// Options that often mean that, tried where the help tells nothing.
const USUAL: [&str; 7] = ["-F", "-f", "-D", "-n", "-d", "--foreground", "--nodaemon"];

/// Options that say who the program becomes.
const USERS: [&str; 4] = ["--user", "--username", "--group", "--groupname"];

/// Words that only make a program go into the background.
const DAEMONIZE: [&str; 6] = ["--daemon", "--daemonize", "-daemon", "--background", "--fork", "--detach"];

/// Options that often keep a program in the foreground.
pub(super) fn usual() -> Vec<String> {
    USUAL.map(ToOwned::to_owned).to_vec()
}

/// Arguments without those that tell the program to become one of these users: it is that one already.
pub(super) fn without_user(arguments: &[String], names: &[&str]) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for word in arguments {
        let (option, value) = word.split_once('=').unwrap_or(("", word));
        let told = |option: &str| USERS.contains(&option);
        let before = kept.last().is_some_and(|last| last.starts_with('-') && !last.contains('='));
        let is_user = told(option)
            || before && kept.last().is_some_and(|last| told(last))
            || names.iter().any(|name| value.split(':').next() == Some(name));
        if is_user && option.is_empty() && before {
            kept.pop();
        } else if !is_user || !option.starts_with('-') {
            kept.push(word.clone());
        }
    }
    kept
}

/// Options that keep a program in the foreground, as its help says.
pub(super) fn foreground(help: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (option, said) in options(help) {
        let said = said.to_lowercase();
        if STAYS.iter().any(|word| said.contains(word)) && !found.contains(&option) {
            found.push(option);
        }
    }
    found
}

/// Arguments without those that send the program into the background.
pub(super) fn staying(arguments: &[String]) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    let mut words = arguments.iter().peekable();
    while let Some(word) = words.next() {
        if !DAEMONIZE.contains(&word.as_str()) {
            kept.push(word.clone());
            continue;
        }
        let value = words.next_if(|value| ["yes", "no", "true", "false"].contains(&value.as_str()));
        if let Some(value) = value.filter(|value| ["no", "false"].contains(&value.as_str())) {
            kept.extend([word.clone(), value.clone()]);
        }
    }
    kept
}

/// The argument that gives a program its port, if its help has one: `--port=5353`.
pub(super) fn port(help: &str, port: u16) -> Option<Vec<String>> {
    for (_, said) in options(help) {
        let Some(at) = said.find("--port") else { continue };
        match said[at + "--port".len()..].chars().next() {
            Some('=' | '[') => return Some(vec![format!("--port={port}")]),
            Some(' ' | '\t' | ',') | None => return Some(vec!["--port".to_owned(), port.to_string()]),
            // `--port-range` is something else.
            Some(_) => {}
        }
    }
    let short =
        ["-p port", "-p PORT", "-p <port>", "-p num", "-p <num>"].iter().any(|word| help.contains(word));
    short.then(|| vec!["-p".to_owned(), port.to_string()])
}

/// The options of a help text, with all that is said of each: the long form where there is one.
fn options(help: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for line in help.lines() {
        let text = line.trim();
        if text.starts_with('-') && text.len() > 1 {
            found.extend(option(text).map(|option| (option, text.to_owned())));
        } else if let Some((_, said)) = found.last_mut()
            && line.starts_with([' ', '\t'])
        {
            said.push(' ');
            said.push_str(text);
        }
    }
    found
}

fn option(text: &str) -> Option<String> {
    let head = text.split("  ").next().unwrap_or(text);
    let words = head.split([' ', ',', '\t', '|', '=', '[', ']', ':', ';']).filter(|word| {
        let name = word.trim_start_matches('-');
        word.starts_with('-')
            && !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    });
    let words: Vec<&str> = words.take(3).collect();
    let long = words.iter().find(|word| word.starts_with("--") && word.len() > 3);
    long.or(words.first()).map(|word| (*word).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_that_keeps_a_program_in_the_foreground_is_read_in_its_help() {
        for (help, expected) in [
            (" -D         don't go to background (default: go to background)\n -v  version", "-D"),
            ("  -d, --debug\n  -n, --nofork   Do not fork\n", "--nofork"),
            ("-d, --nodaemon=<bool>\n          Stay attached: don't fork.", "--nodaemon"),
            ("  -X                 : debug mode (only one worker, do not detach)", "-X"),
        ] {
            assert_eq!(foreground(help), [expected], "{help}");
        }
        assert!(foreground("--help  shows this").is_empty());
    }

    #[test]
    fn the_option_of_the_port_is_read_in_its_help() {
        let words = |help: &str| port(help, 5353).unwrap_or_default();
        assert_eq!(words("-p, --port=<integer>  Port to listen on"), ["--port=5353"]);
        assert_eq!(words("--port PORT"), ["--port", "5353"]);
        assert!(words("--port-range 1-2\n--help").is_empty());
        assert_eq!(words("usage: x [-p port] [-s]"), ["-p", "5353"]);
        let words = |line: &str| line.split(' ').map(ToOwned::to_owned).collect::<Vec<_>>();
        assert_eq!(without_user(&words("-f -u x -c y --user=x:x"), &["x"]), ["-f", "-c", "y"]);
        assert_eq!(without_user(&words("--user w --pid x --group=w f"), &[]), ["--pid", "x", "f"]);
        assert_eq!(without_user(&words("-u z x"), &["x"]), ["-u", "z", "x"]);
        assert_eq!(staying(&words("--daemon -c")), ["-c"]);
        assert_eq!(staying(&words("--daemonize yes -c")), ["-c"]);
        assert_eq!(staying(&words("--daemonize no -c")), ["--daemonize", "no", "-c"]);
    }
}
