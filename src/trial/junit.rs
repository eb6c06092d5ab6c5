//! Results as `JUnit` XML, which test reports of CI systems read.

use std::fmt::Write as _;

use super::outcome::{LastWords, Outcome, Verdict};

/// The document: one suite, named after what was tested.
pub fn junit(suite: &str, outcomes: &[Outcome]) -> String {
    let count = |verdict: Verdict| outcomes.iter().filter(|one| one.verdict == verdict).count();
    let seconds: f64 = outcomes.iter().map(|one| one.seconds).sum();
    let totals = format!(
        "tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\" time=\"{seconds:.3}\"",
        outcomes.len(),
        count(Verdict::Failed),
        count(Verdict::Untested),
    );
    let suite = escaped(suite);
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(text, "<testsuites {totals}>\n  <testsuite name=\"{suite}\" {totals}>");
    for one in outcomes {
        let head = format!(
            "    <testcase classname=\"{suite}\" name=\"{}\" time=\"{:.3}\"",
            escaped(&one.name),
            one.seconds
        );
        let _ = match one.verdict {
            Verdict::Passed => writeln!(text, "{head}/>"),
            Verdict::Untested => {
                let reason = escaped(one.reason.as_deref().unwrap_or_default());
                writeln!(text, "{head}>\n      <skipped message=\"{reason}\"/>\n    </testcase>")
            }
            Verdict::Failed => writeln!(text, "{head}>\n{}    </testcase>", failed(one)),
        };
    }
    text.push_str("  </testsuite>\n</testsuites>\n");
    text
}

fn failed(one: &Outcome) -> String {
    let lines: Vec<String> = one.mismatches.iter().map(super::outcome::Mismatch::line).collect();
    let first = lines.first().map(|line| escaped(line)).unwrap_or_default();
    let mut text = format!("      <failure message=\"{first}\">{}</failure>\n", escaped(&lines.join("\n")));
    for (stream, name) in [("stdout", "system-out"), ("stderr", "system-err")] {
        let of: Vec<&LastWords> = one.words.iter().filter(|words| words.stream == stream).collect();
        if !of.is_empty() {
            let lines: Vec<String> = of.iter().map(|words| words.lines.join("\n")).collect();
            let _ = writeln!(text, "      <{name}>{}</{name}>", escaped(&lines.join("\n")));
        }
    }
    text
}

/// Text that XML 1.0 can hold: what it has no way to write (section 2.2, "Char") is spelled out.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\t' | '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'.. if !is_c1(letter) => {
                safe.push(letter);
            }
            other => safe.extend(other.escape_default()),
        }
    }
    safe
}

/// Control characters that XML can hold and terminals obey.
fn is_c1(letter: char) -> bool {
    ('\u{7f}'..='\u{9f}').contains(&letter)
}

#[cfg(test)]
mod tests {
    use super::super::outcome::Mismatch;
    use super::*;

    #[test]
    fn every_letter_comes_out_as_well_formed_text() {
        let all: String = (0..0x3000).chain(0xd7f0..0x11_0000).filter_map(char::from_u32).collect();
        let safe = escaped(&all);
        assert!(!safe.chars().any(|letter| letter.is_control() && letter != '\n' && letter != '\t'));
        assert!(!safe.contains(['<', '>', '"', '\u{fffe}', '\u{ffff}']));
        assert!(safe.contains("\\u{1b}") && safe.contains("&lt;") && safe.contains('\u{10ffff}'));
    }

    #[test]
    fn failures_stand_with_what_was_said() {
        let failed = Outcome {
            name: "a \"name\"".into(),
            verdict: Verdict::Failed,
            seconds: 1.5,
            mismatches: vec![Mismatch::new("it ended", "exit code 0", "exit code 1")],
            words: vec![LastWords { step: None, stream: "stderr", lines: vec!["<no>\u{1b}[31m".into()] }],
            reason: None,
        };
        let text = junit("made", &[failed, Outcome::untested("b", "no qemu")]);
        assert!(
            text.contains("tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"1\" time=\"1.500\""),
            "{text}"
        );
        assert!(text.contains("name=\"a &quot;name&quot;\""), "{text}");
        assert!(text.contains("<system-err>&lt;no&gt;\\u{1b}[31m</system-err>"), "{text}");
        assert!(text.contains("<skipped message=\"no qemu\"/>"), "{text}");
    }
}
