//! What is said to a port of a server that nobody described, and what a test can expect of its answer.
//!
//! Each greeting is of a protocol that many servers speak. What a server says first, it says to everybody;
//! so it is listened to before anything is said.

use crate::trial::{Greeted, Greeting, Visit};

/// The most of a line that a test expects.
const MAX_LINE: usize = 40;

/// Greetings behind the first two: a name for the comment, what is sent, what must come back.
const WORDS: [(&str, &str, &str); 9] = [
    ("", "PING\r\n", "+PONG"),
    // RFC 1035, 4.2.2 and 4.1: the length, the number 0x1234, one question for the root's name servers.
    (
        "The question is DNS's for the root's name servers; its number comes back in the answer.",
        "\0\u{11}\u{12}\u{34}\u{1}\0\0\u{1}\0\0\0\0\0\0\0\0\u{2}\0\u{1}",
        "\u{12}\u{34}",
    ),
    // MQTT 3.1.1, 3.1 and 3.2.
    (
        "MQTT: a client without a name connects.",
        "\u{10}\u{c}\0\u{4}MQTT\u{4}\u{2}\0\u{3c}\0\0",
        "\u{20}\u{2}",
    ),
    // PostgreSQL, message formats: StartupMessage and ErrorResponse.
    (
        "PostgreSQL's protocol: nobody may begin without a database that is there.",
        "\0\0\0\u{10}\0\u{3}\0\0user\0x\0\0",
        "SFATAL",
    ),
    ("", "ruok", "imok"),
    ("AMQP's first frame.", "AMQP\0\0\u{9}\u{1}", "mechanisms"),
    // RFC 1928, 3.
    ("SOCKS: a client that offers to begin without a name.", "\u{5}\u{1}\0", "\u{5}\0"),
    ("", "version\r\n", "\n"),
    ("", "stats\r\n", "\n"),
];

/// What is asked of a server by a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ask {
    /// That it listens.
    Nothing,
    /// `/`, by HTTP: the status, and what is in the body.
    Http(u16, Option<String>),
    /// By TCP: why, what is sent, what must come back.
    Tcp { comment: &'static str, send: String, answer: String },
}

/// All greetings, in the order in which they are said.
pub(super) fn greetings() -> Vec<Greeting> {
    let banner = Greeting::Tcp { send: String::new(), until: "\n".to_owned() };
    let words = WORDS
        .iter()
        .map(|(_, send, until)| Greeting::Tcp { send: (*send).to_owned(), until: (*until).to_owned() });
    [banner, Greeting::Http].into_iter().chain(words).collect()
}

/// The port that a test asks, and how: one that answered, of the ports that are expected if there is one.
pub(super) fn choose(visit: &Visit, expected: &[u16]) -> Option<(u16, Ask)> {
    let asks = visit.ports.iter().map(|(port, greeted)| (*port, greeted.as_ref().map_or(Ask::Nothing, ask)));
    asks.max_by_key(|(port, ask)| {
        (*ask != Ask::Nothing, expected.contains(port), *port < 32768, std::cmp::Reverse(*port))
    })
}

fn ask(greeted: &Greeted) -> Ask {
    let text = String::from_utf8_lossy(&greeted.bytes).into_owned();
    if let Some(status) = greeted.status {
        return Ask::Http(status, title(&text).filter(|_| status == 200));
    }
    let word = greeted.greeting.checked_sub(2).and_then(|at| WORDS.get(at));
    let (comment, send, until) = word.copied().unwrap_or(("", "", "\n"));
    let answer = if until == "\n" { steady(&text) } else { until.to_owned() };
    if answer.is_empty() { Ask::Nothing } else { Ask::Tcp { comment, send: send.to_owned(), answer } }
}

/// The beginning of a first line that stays the same: up to the numbers of versions, times and processes.
fn steady(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let mut letters = 0;
    let end = line.char_indices().find(|(_, letter)| {
        letters += usize::from(letter.is_ascii_alphabetic());
        !letter.is_ascii_graphic() && *letter != ' ' || letters >= 4 && letter.is_ascii_digit()
    });
    let plain = &line[..end.map_or(line.len(), |(at, _)| at)];
    let text: String = plain.chars().take(MAX_LINE).collect();
    text.trim_end().to_owned()
}

/// The title of a page, if it stays the same.
fn title(page: &str) -> Option<String> {
    let begin = page.find("<title>")? + "<title>".len();
    let text = page[begin..].split('<').next()?.trim();
    let plain = text.bytes().all(|byte| (byte == b' ' || byte.is_ascii_graphic()) && !byte.is_ascii_digit());
    (plain && (3..=60).contains(&text.len())).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn greeted(greeting: usize, status: Option<u16>, text: &str) -> Greeted {
        Greeted { greeting, status, bytes: text.as_bytes().to_vec() }
    }

    #[test]
    fn a_test_expects_what_stays_the_same() {
        for (line, expected) in [
            ("SSH-2.0-OpenSSH_10.0p2 Debian-7\r\n", "SSH-2.0-OpenSSH_"),
            ("220 test ESMTP Postfix (Debian)\r\n", "220 test ESMTP Postfix (Debian)"),
            ("@RSYNCD: 31.0\n", "@RSYNCD:"),
            ("+OK \u{1b}[31mready\n", "+OK"),
            ("\u{1b}\n", ""),
        ] {
            assert_eq!(steady(line), expected, "{line}");
        }
        assert_eq!(
            ask(&greeted(1, Some(200), "<title>It works</title>")),
            Ask::Http(200, Some("It works".into()))
        );
        assert_eq!(ask(&greeted(1, Some(404), "<title>Not Found</title>")), Ask::Http(404, None));
        assert_eq!(ask(&greeted(1, Some(200), "<title>At 12:30</title>")), Ask::Http(200, None));
    }

    #[test]
    fn a_port_that_answers_is_asked_rather_than_one_that_only_listens() {
        let mut visit = Visit::default();
        visit.ports.insert(80, None);
        visit.ports.insert(6379, Some(greeted(2, None, "+PONG\r\n")));
        let (port, asked) = choose(&visit, &[80]).expect("one");
        let answer = "+PONG".to_owned();
        assert_eq!((port, asked), (6379, Ask::Tcp { comment: "", send: "PING\r\n".into(), answer }));
        visit.ports.remove(&6379);
        assert_eq!(choose(&visit, &[]), Some((80, Ask::Nothing)));
        visit.ports.clear();
        assert_eq!(choose(&visit, &[80]), None);
    }
}
