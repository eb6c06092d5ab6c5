//! The report of many rebuilds: JSON for machines, a page to look at.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::diag::Result;
use crate::host;
use crate::ident::BlobDigest;
use crate::verify::Difference;

/// What came of one image.
#[derive(Debug)]
pub(super) enum Verdict {
    /// Its turn has not come.
    Waiting,
    /// It could not be built.
    Failed(Vec<String>),
    /// It was built.
    Built {
        /// The digest that was to be reached.
        wanted: BlobDigest,
        /// The digest that was reached.
        found: BlobDigest,
        /// What differs.
        differences: Vec<Difference>,
    },
}

/// One image of the queue.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) image: String,
    pub(super) seconds: f64,
    pub(super) verdict: Verdict,
}

impl Entry {
    pub(super) fn waiting(image: &str) -> Self {
        Self { image: image.to_owned(), seconds: 0.0, verdict: Verdict::Waiting }
    }

    pub(super) fn is_same(&self) -> bool {
        matches!(&self.verdict, Verdict::Built { wanted, found, .. } if wanted == found)
    }

    pub(super) fn word(&self) -> &'static str {
        match &self.verdict {
            Verdict::Waiting => "Waiting",
            Verdict::Failed(_) => "Failed",
            Verdict::Built { .. } if self.is_same() => "Same",
            Verdict::Built { .. } => "Differs",
        }
    }

    fn lines(&self) -> Vec<String> {
        match &self.verdict {
            Verdict::Waiting => Vec::new(),
            Verdict::Failed(why) => why.clone(),
            Verdict::Built { differences, .. } => {
                differences.iter().map(|line| format!("{}: {}", line.place, line.what)).collect()
            }
        }
    }
}

/// The report for machines: counts, and each image with its verdict, digests, seconds and lines.
pub(super) fn to_json(entries: &[Entry]) -> Value {
    let one = |entry: &Entry| {
        let digests = match &entry.verdict {
            Verdict::Built { wanted, found, .. } => (Some(*wanted), Some(*found)),
            _ => (None, None),
        };
        json!({
            "image": entry.image,
            "verdict": entry.word().to_lowercase(),
            "wanted": digests.0,
            "found": digests.1,
            "seconds": (entry.seconds * 1000.0).round() / 1000.0,
            "lines": entry.lines(),
        })
    };
    let count = |word: &str| entries.iter().filter(|entry| entry.word() == word).count();
    json!({
        "images": entries.iter().map(one).collect::<Vec<_>>(),
        "same": count("Same"),
        "differ": count("Differs"),
        "failed": count("Failed"),
        "waiting": count("Waiting"),
    })
}

/// Writes `report.json` and `index.html`.
pub(super) fn write(folder: &Path, entries: &[Entry]) -> Result<()> {
    let text = serde_json::to_string_pretty(&to_json(entries)).expect("a JSON value is always written");
    host::write_atomic(&folder.join("report.json"), text.as_bytes())?;
    host::write_atomic(&folder.join("index.html"), page(entries).as_bytes())
}

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1c2330;background:#fff}\
h1{font-size:1.4rem}table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.45rem .8rem;border-bottom:1px solid #d9dee7;vertical-align:top}\
code{font:13px ui-monospace,monospace;overflow-wrap:anywhere}.Same{color:#11692f}.Differs,.Failed{color:#a11212;font-weight:600}.Waiting{color:#697386}\
pre{white-space:pre-wrap;overflow-wrap:anywhere;font:12px ui-monospace,monospace;background:#f5f7fa;padding:.6rem;margin:.4rem 0 0}\
@media(prefers-color-scheme:dark){body{color:#e4e8ef;background:#14181f}th,td{border-color:#2c3440}pre{background:#1d232d}.Same{color:#6fce8d}.Differs,.Failed{color:#ff8f8f}}";

/// A page of its own, without anything from elsewhere.
fn page(entries: &[Entry]) -> String {
    let same = entries.iter().filter(|entry| entry.is_same()).count();
    let mut rows = String::new();
    for entry in entries {
        let word = entry.word();
        let digest = match &entry.verdict {
            Verdict::Built { wanted, .. } => format!("<code>{wanted}</code>"),
            _ => String::new(),
        };
        let lines = entry.lines();
        let lines = if lines.is_empty() {
            String::new()
        } else {
            format!("<pre>{}</pre>", escape(&lines.join("\n")))
        };
        let _ = writeln!(
            rows,
            "<tr><td class=\"{word}\">{word}</td><td>{}<br>{digest}{lines}</td><td>{:.1} s</td></tr>",
            escape(&entry.image),
            entry.seconds
        );
    }
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Rebuilds</title><style>{STYLE}</style></head><body><h1>{same} of {} images build again to the same bytes</h1>\n\
         <table><thead><tr><th>Verdict</th><th>Image</th><th>Time</th></tr></thead><tbody>\n{rows}</tbody></table></body></html>\n",
        entries.len()
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_image_is_called_is_text_on_the_page() {
        let entry = Entry { verdict: Verdict::Failed(vec!["<b>".into()]), ..Entry::waiting("<script>\"&") };
        let page = page(&[entry]);
        assert!(page.contains("&lt;script&gt;&quot;&amp;") && page.contains("&lt;b&gt;"), "{page}");
        assert!(!page.contains("<script>") && page.contains("0 of 1 images"));
    }
}
