//! What a run came to against what its test says.

use super::attendant::{Reply, bytes_of};
use super::outcome::Mismatch;
use super::sight::Sight;
use crate::host::{End, Said};
use crate::recipe::{AskUrl, Ending, FileFact, RunSpec};

/// How much of a file is looked at, in bytes.
const MOST: u64 = 4 << 20;

/// Whether bytes contain a text.
pub(super) fn contains(bytes: &[u8], text: &str) -> bool {
    let text = text.as_bytes();
    text.is_empty() || bytes.windows(text.len()).any(|window| window == text)
}

/// An end in words.
pub(super) fn words(end: End) -> String {
    match end {
        End::Code(code) => format!("exit code {code}"),
        End::Signal(signal) => format!("ended by signal {signal}"),
    }
}

/// The end of a program that ran to it.
pub(super) fn ending(wanted: Ending, end: End) -> Option<Mismatch> {
    let (fine, expected) = match wanted {
        Ending::Well => (end == End::Code(0), "exit code 0".to_owned()),
        Ending::Code(code) => (end == End::Code(code.into()), format!("exit code {code}")),
        Ending::Fails => (end != End::Code(0), "to fail".to_owned()),
    };
    (!fine).then(|| Mismatch::new("it ended", expected, words(end)))
}

/// The end of a server that was told to stop by this signal: by itself or by the signal is fine.
pub(super) fn stopped(wanted: Ending, end: End, signal: Option<i32>) -> Option<Mismatch> {
    let by_signal = signal.is_some_and(|signal| end == End::Signal(signal) || end == End::Code(128 + signal));
    if wanted == Ending::Well && by_signal { None } else { ending(wanted, end) }
}

/// The number of a signal that ends programs, by its name or number.
pub(super) fn number_of(signal: &str) -> Option<i32> {
    const NUMBERS: [(&str, i32); 9] = [
        ("HUP", 1),
        ("INT", 2),
        ("QUIT", 3),
        ("KILL", 9),
        ("USR1", 10),
        ("USR2", 12),
        ("ALRM", 14),
        ("TERM", 15),
        ("WINCH", 28),
    ];
    let name = signal.strip_prefix("SIG").unwrap_or(signal);
    let named = NUMBERS.iter().find(|(known, _)| *known == name).map(|(_, number)| *number);
    named.or_else(|| name.parse().ok())
}

/// Whether a server that was told to stop by this signal ended as [`stopped`] wants it.
pub(super) fn is_stop(end: End, signal: &str) -> bool {
    stopped(Ending::Well, end, number_of(signal)).is_none()
}

/// What was said, against what must be among it.
pub(super) fn said(what: &str, wanted: &[String], said: &Said) -> Vec<Mismatch> {
    let missing = wanted.iter().filter(|text| !contains(&said.head, text) && !contains(&said.tail, text));
    let found = match said.total {
        0 => "nothing".to_owned(),
        total => format!("{total} bytes without it"),
    };
    missing.map(|text| Mismatch::new(what, format!("to contain {text:?}"), found.clone())).collect()
}

/// Files after a run.
pub(super) fn files(run: &RunSpec, sight: &Sight) -> Vec<Mismatch> {
    let mut wrong = Vec::new();
    for (path, fact) in &run.files {
        let there = sight.meet(path).is_some();
        let what = format!("`{path}`");
        match fact {
            FileFact::There if !there => wrong.push(Mismatch::new(&what, "to be there", "it is not there")),
            FileFact::Absent if there => wrong.push(Mismatch::new(&what, "not to be there", "it is there")),
            FileFact::There | FileFact::Absent => {}
            FileFact::Contains(texts) => match sight.read(path, MOST) {
                None => {
                    let found = if there { "it is no regular file" } else { "it is not there" };
                    wrong.push(Mismatch::new(&what, "a file with content", found));
                }
                Some(bytes) => wrong.extend(lacks(&what, texts, &bytes)),
            },
        }
    }
    wrong
}

/// The answer to a question by HTTP.
pub(super) fn answered(ask: &AskUrl, reply: &Reply) -> Vec<Mismatch> {
    match reply {
        Reply::Failed(why) => vec![Mismatch::new(&ask.url, "an answer", why.as_str())],
        Reply::Came { status, bytes } => {
            let bytes = bytes_of(bytes);
            let found = status.unwrap_or_default();
            let status = (found != ask.status).then(|| {
                Mismatch::new(&ask.url, format!("status {}", ask.status), format!("status {found}"))
            });
            status.into_iter().chain(lacks(&ask.url, &ask.body, &bytes)).collect()
        }
    }
}

/// The answer to a talk by TCP.
pub(super) fn talked(port: u16, wanted: &[String], reply: &Reply) -> Vec<Mismatch> {
    let what = format!("TCP port {port}");
    match reply {
        Reply::Failed(why) => vec![Mismatch::new(&what, "an answer", why.as_str())],
        Reply::Came { bytes, .. } => lacks(&what, wanted, &bytes_of(bytes)),
    }
}

/// What bytes lack, with their beginning.
fn lacks(what: &str, wanted: &[String], bytes: &[u8]) -> Vec<Mismatch> {
    let missing = wanted.iter().filter(|text| !contains(bytes, text));
    let begin = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned();
    missing.map(|text| Mismatch::new(what, format!("to contain {text:?}"), format!("{begin:?}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_what_was_asked_for_or_is_told() {
        assert_eq!(ending(Ending::Well, End::Code(0)), None);
        assert_eq!(ending(Ending::Code(3), End::Code(3)), None);
        assert_eq!(ending(Ending::Fails, End::Signal(9)), None);
        assert_eq!(ending(Ending::Fails, End::Code(1)), None);
        assert_eq!(ending(Ending::Fails, End::Code(0)).expect("wrong").expected, "to fail");
        assert_eq!(ending(Ending::Well, End::Signal(11)).expect("wrong").found, "ended by signal 11");
    }

    #[test]
    fn a_server_may_end_by_the_signal_that_it_was_sent_and_by_no_other() {
        for end in [End::Code(0), End::Code(143), End::Signal(15)] {
            assert_eq!(stopped(Ending::Well, end, Some(15)), None, "{end:?}");
        }
        assert!(stopped(Ending::Well, End::Signal(9), Some(15)).is_some());
        assert!(stopped(Ending::Well, End::Code(1), Some(15)).is_some());
        assert!(stopped(Ending::Code(0), End::Code(143), Some(15)).is_some());
    }

    #[test]
    fn texts_are_looked_for_at_both_ends_of_what_was_said() {
        let long = Said { head: b"first".to_vec(), tail: b"last".to_vec(), total: 1 << 30 };
        let wanted = ["first".to_owned(), "last".into(), "middle".into()];
        let wrong = said("stdout", &wanted, &long);
        assert_eq!(wrong.len(), 1);
        assert_eq!(wrong[0].expected, "to contain \"middle\"");
        assert!(contains(b"", "") && !contains(b"a", "ab"));
    }
}
