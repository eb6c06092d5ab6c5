//! A new decision at the end of a file: what is there stays as it is, comments too.

use std::fmt::Write as _;

use super::dates::day;
use super::decision::Decision;
use super::shelf::Decisions;
use super::words::{Justification, Status};
use crate::diag::Result;
use crate::ident::Epoch;

/// What is to be decided.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The CVE.
    pub id: String,
    /// The recipes that it is about, in the file that speaks of all.
    pub images: Vec<String>,
    /// The packages.
    pub packages: Vec<String>,
    /// The status.
    pub status: Status,
    /// Why it is not affected.
    pub justification: Option<Justification>,
    /// The same in words.
    pub impact: Option<String>,
    /// What to do.
    pub action: Option<String>,
    /// How that is known.
    pub reason: String,
    /// Who decides.
    pub author: String,
    /// Since when.
    pub date: Epoch,
    /// From when on it counts as none.
    pub expires: Option<Epoch>,
}

/// The text of a file with a further decision, and that decision. The whole is read again as it would be from disk, so
/// that nothing is written which would not be read.
pub fn append(name: &str, text: &str, draft: &Draft, products: &[String]) -> Result<(String, Decision)> {
    let before =
        if text.trim().is_empty() { 0 } else { Decisions::of_text(name, text, Some(products))?.own.len() };
    let mut whole = text.to_owned();
    if !whole.is_empty() {
        let blank = if whole.ends_with('\n') { "\n" } else { "\n\n" };
        whole.push_str(blank);
    }
    whole.push_str(&draft.to_toml());
    let mut read = Decisions::of_text(name, &whole, Some(products))?.own;
    // What was added stands last.
    read.sort_by_key(|decision| decision.place.span.start);
    debug_assert_eq!(read.len(), before + 1, "one is added");
    let last = read.pop().expect("what was just added");
    Ok((whole, last))
}

/// A basic string of TOML.
fn quote(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn list(texts: &[String]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| quote(text)).collect();
    format!("[{}]", quoted.join(", "))
}

impl Draft {
    fn to_toml(&self) -> String {
        let mut text = "[[decision]]\n".to_owned();
        let mut line = |key: &str, value: String| {
            let _ = writeln!(text, "{key} = {value}");
        };
        line("cve", quote(&self.id));
        if !self.images.is_empty() {
            line("images", list(&self.images));
        }
        line("packages", list(&self.packages));
        line("status", quote(self.status.word()));
        if let Some(justification) = self.justification {
            line("justification", quote(justification.word()));
        }
        for (key, value) in [("impact", &self.impact), ("action", &self.action)] {
            if let Some(value) = value {
                line(key, quote(value));
            }
        }
        line("reason", quote(&self.reason));
        line("author", quote(&self.author));
        line("date", day(self.date));
        if let Some(expires) = self.expires {
            line("expires", day(expires));
        }
        text
    }
}
