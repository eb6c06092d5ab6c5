//! Finding out how a program says its version, by asking it in the image that was drafted.

use std::collections::BTreeMap;
use std::path::Path;

use crate::diag::Result;
use crate::ident::ImagePath;
use crate::pipeline::{Context, Finished};
use crate::trial::{Greeting, Visit};

/// Ways to ask a program for its version, and then for help.
const QUESTIONS: [&str; 7] = ["--version", "-V", "-v", "version", "-version", "--help", "-h"];

/// What a program said in the image.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ran {
    /// Its exit code; `None` if a signal ended it, or it had to be.
    pub exit: Option<u8>,
    /// Its output.
    pub stdout: String,
    /// Its error output.
    pub stderr: String,
}

/// A server that is to be started, as a test of it would.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stage {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Empty folders that it may write to.
    pub volumes: Vec<ImagePath>,
    /// Files in the place of the image's.
    pub mounts: BTreeMap<ImagePath, String>,
}

/// Runs programs in an image that was just built, as a test of it would.
pub trait Prober {
    /// Runs each command by itself in the first platform's image of `finished`, which the recipe made;
    /// `None` if images can't be run here.
    fn ask(
        &self,
        context: &Context,
        recipe: &Path,
        finished: &Finished,
        commands: &[Vec<String>],
    ) -> Result<Option<Vec<Ran>>>;

    /// Starts a server, greets the ports that it listens on, and ends it; `None` if images can't be run here.
    fn visit(
        &self,
        context: &Context,
        finished: &Finished,
        stage: &Stage,
        greetings: &[Greeting],
    ) -> Result<Option<Visit>>;

    /// Runs the recipe's tests; the names of those that failed. `None` if images can't be run here.
    fn failing(&self, context: &Context, recipe: &Path, finished: &Finished) -> Result<Option<Vec<String>>>;
}

/// A first test, and how good it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    /// What was asked, the program first.
    pub(super) command: Vec<String>,
    /// What it said.
    pub(super) ran: Ran,
    /// What of it the test expects, and whether on the error output.
    pub(super) says: Option<(String, bool)>,
    /// How good it is.
    pub(super) worth: Worth,
}

/// How good an answer is, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Worth {
    /// None, or that something is missing.
    Nothing,
    /// It begins, and ends with an error of its own.
    Begins,
    /// It says how it is used, with an error.
    Usage,
    /// It ends well and says something.
    Help,
    /// It says its version, with an error.
    VersionBadly,
    /// It says its version.
    Version,
}

/// The commands that are tried for a program.
pub(super) fn questions(program: &str) -> Vec<Vec<String>> {
    QUESTIONS.iter().map(|question| vec![program.to_owned(), (*question).to_owned()]).collect()
}

/// The best of the answers; of equal ones the first.
pub(super) fn best(commands: Vec<Vec<String>>, ran: Vec<Ran>, versions: &[&str]) -> Option<Answer> {
    let mut best: Option<Answer> = None;
    for (command, ran) in commands.into_iter().zip(ran) {
        let answer = judge(command, ran, versions);
        if best.as_ref().is_none_or(|best| answer.worth > best.worth) {
            best = Some(answer);
        }
    }
    best
}

/// What an answer is worth, to a program of one of these upstream versions.
fn judge(command: Vec<String>, ran: Ran, versions: &[&str]) -> Answer {
    let said = [(&ran.stdout, false), (&ran.stderr, true)];
    let version = said.iter().find_map(|(text, is_error)| {
        let found = versions.iter().find_map(|version| version_in(text, version))?;
        Some((found, *is_error))
    });
    let asked_version = !command.last().is_some_and(|last| last.contains("-h"));
    let line = said.iter().find_map(|(text, is_error)| Some((telling_line(text)?, *is_error)));
    let usage = said.iter().find_map(|(text, is_error)| Some((usage_word(text)?, *is_error)));
    let (worth, says) = match (ran.exit, version) {
        (None | Some(125..=127), _) => (Worth::Nothing, None),
        (Some(0), Some(found)) if asked_version => (Worth::Version, Some(found)),
        (Some(0), Some(found)) => (Worth::Help, Some(found)),
        (Some(_), Some(found)) if asked_version => (Worth::VersionBadly, Some(found)),
        (Some(0), None) if said.iter().any(|(text, _)| !text.trim().is_empty()) => {
            (Worth::Help, usage.or(line))
        }
        (Some(_), _) if usage.is_some() => (Worth::Usage, usage),
        (Some(_), _) if line.is_some() => (Worth::Begins, line),
        (Some(_), _) => (Worth::Nothing, None),
    };
    Answer { command, ran, says, worth }
}

/// What a test can expect of a text that says a version: the words before it on its line, and its
/// first two numbers, which updates of security don't change.
fn version_in(text: &str, version: &str) -> Option<String> {
    for wanted in shorter(version) {
        for line in text.lines() {
            let Some(at) = find_version(line, &wanted) else { continue };
            let short: String = wanted.split('.').take(2).collect::<Vec<_>>().join(".");
            let head = &line[..at];
            let plain =
                head.len() <= 32 && head.chars().all(|letter| letter == ' ' || letter.is_ascii_graphic());
            let head = if plain {
                head
            } else {
                head.rsplit(' ').next().filter(|word| word.is_ascii()).unwrap_or_default()
            };
            return Some(format!("{}{short}", head.trim_start()));
        }
    }
    None
}

/// A version and its beginnings of at least two numbers: programs may leave the rest out.
fn shorter(version: &str) -> Vec<String> {
    let numbers: Vec<&str> = version.split('.').collect();
    let all = (2..=numbers.len()).rev().map(|count| numbers[..count].join("."));
    let mut found: Vec<String> = all.collect();
    if numbers.len() == 1 {
        found.push(version.to_owned());
    }
    found
}

/// Where a line says the version, not as a part of a longer number.
fn find_version(line: &str, version: &str) -> Option<usize> {
    let bytes = line.as_bytes();
    line.match_indices(version).map(|(at, _)| at).find(|at| {
        let before = at.checked_sub(1).map(|before| bytes[before]);
        let after = bytes.get(at + version.len());
        !before.is_some_and(|byte| byte.is_ascii_digit() || byte == b'.')
            && !after.is_some_and(u8::is_ascii_digit)
    })
}

/// The part of an upstream version that programs say: what was done to the source for Debian is no part of it.
pub(super) fn said_version(upstream: &str) -> &str {
    let end = upstream.find(['+', '~']).unwrap_or(upstream.len());
    let version = &upstream[..end];
    for mark in [".dfsg", "dfsg", ".ds", "-ds", ".orig", "-final", ".debian"] {
        if let Some(at) = version.find(mark) {
            return &version[..at];
        }
    }
    version.trim_start_matches(|letter: char| letter.is_ascii_alphabetic())
}

/// A line that tells something and looks the same each time: no times, numbers of processes, addresses.
fn telling_line(text: &str) -> Option<String> {
    let lines = text.lines().map(str::trim);
    let steady = |line: &&str| {
        line.len() >= 4
            && line.is_ascii()
            && !line.bytes().any(|byte| byte.is_ascii_control())
            && line.bytes().any(|byte| byte.is_ascii_alphabetic())
    };
    let line = lines.filter(steady).find(|line| !line.bytes().any(|byte| byte.is_ascii_digit()))?;
    Some(line.chars().take(60).collect::<String>().trim_end().to_owned())
}

/// The word that shows that a program says how it is used.
fn usage_word(text: &str) -> Option<String> {
    ["Usage", "usage", "USAGE", "Options", "options"]
        .into_iter()
        .find(|word| text.contains(word))
        .map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran(exit: u8, stdout: &str, stderr: &str) -> Ran {
        Ran { exit: Some(exit), stdout: stdout.into(), stderr: stderr.into() }
    }

    fn one(ran: Ran, versions: &[&str]) -> Answer {
        judge(vec!["/usr/bin/x".into(), "--version".into()], ran, versions)
    }

    #[test]
    fn a_version_is_found_with_the_words_before_it() {
        let answer = one(ran(0, "", "nginx version: nginx/1.26.3\n"), &["1.26.3"]);
        assert_eq!(
            (answer.worth, answer.says),
            (Worth::Version, Some(("nginx version: nginx/1.26".into(), true)))
        );
        let answer = one(ran(0, "x 11.26.3\n", ""), &["1.26.3"]);
        assert_eq!(answer.worth, Worth::Help, "a longer number is another one");
        let answer = one(ran(0, "ImageMagick 7.1.1-43\n", ""), &["7.1.1.43"]);
        assert_eq!(answer.says, Some(("ImageMagick 7.1".into(), false)));
        let answer = one(ran(0, "less 679\n", ""), &["679"]);
        assert_eq!(answer.says, Some(("less 679".into(), false)));
    }

    #[test]
    fn answers_are_weighed() {
        assert_eq!(one(ran(1, "x 1.2", ""), &["1.2"]).worth, Worth::VersionBadly);
        assert_eq!(one(ran(2, "", "usage: x"), &["1.2"]).worth, Worth::Usage);
        assert_eq!(one(ran(1, "", "permission denied"), &["1.2"]).worth, Worth::Begins);
        assert_eq!(one(ran(127, "", "not found"), &["1.2"]).worth, Worth::Nothing);
        assert_eq!(one(Ran { exit: None, ..ran(0, "1.2", "") }, &["1.2"]).worth, Worth::Nothing);
    }

    #[test]
    fn the_best_answer_wins_and_the_first_of_equal_ones() {
        let commands = questions("/x");
        let answers = vec![ran(1, "", "usage"), ran(0, "1.2", ""), ran(0, "x 1.2", "")];
        let best = best(commands, answers, &["1.2"]).expect("one");
        assert_eq!(best.command, ["/x", "-V"]);
    }

    #[test]
    fn debian_s_part_of_a_version_is_not_said() {
        for (upstream, said) in
            [("1.2.3+dfsg1", "1.2.3"), ("9.6p1", "9.6p1"), ("1.0~rc1", "1.0"), ("7.4.dfsg", "7.4")]
        {
            assert_eq!(said_version(upstream), said);
        }
    }
}
