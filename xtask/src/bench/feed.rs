//! A feed of advisories of the size that is promised for: what scans are timed with.

use std::collections::BTreeSet;
use std::fmt::Write as _;

/// How many records there are, over all sources.
pub const RECORDS: usize = 50_000;

/// How many there are of each source.
const EACH: usize = 100;

/// Of those of each source, how many touch whatever version of it there is.
const TOUCHING: usize = 5;

/// An export of Debian's tracker about these sources and as many made ones as there is room for.
pub fn export(suite: &str, sources: &BTreeSet<&str>) -> String {
    let made = (0..).map(|number| format!("made{number}"));
    let sources = sources.iter().map(ToString::to_string).chain(made).take(RECORDS / EACH);
    let mut text = String::from("{");
    for (place, source) in sources.enumerate() {
        let between = if place == 0 { "" } else { "," };
        let _ = write!(text, "{between}\"{source}\":{{{}}}", records(suite, place));
    }
    text.push('}');
    text
}

fn records(suite: &str, place: usize) -> String {
    let record = |at: usize| {
        let number = 10_000 + place * EACH + at;
        let fixed = if at < TOUCHING { "999:1" } else { "0" };
        format!(
            "\"CVE-2026-{number}\":{{\"description\":\"A crafted file of the {number}th kind makes a parser read behind its \
             buffer, so that whoever can send one learns what stands there, or makes the program end.\",\"scope\":\"remote\",\
             \"releases\":{{\"{suite}\":{{\"status\":\"resolved\",\"fixed_version\":\"{fixed}\",\"urgency\":\"not yet assigned\",\
             \"repositories\":{{\"{suite}\":\"1-1\"}}}}}}}}"
        )
    };
    (0..EACH).map(record).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_records_as_are_promised_for() {
        let text = export("trixie", &BTreeSet::from(["expat", "openssl"]));
        assert_eq!(text.matches("\"description\"").count(), RECORDS);
        assert_eq!(text.matches("\"999:1\"").count(), RECORDS / EACH * TOUCHING);
        for source in ["\"expat\":{", "\"openssl\":{", "\"made0\":{"] {
            assert_eq!(text.matches(source).count(), 1, "{source}");
        }
        assert_eq!(text.matches("\"CVE-2026-10000\"").count(), 1);
    }
}
