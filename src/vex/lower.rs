//! From nodes, whose shape is checked, to decisions: each value gets its own type, or a problem. All problems
//! of a file are reported at once.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::dates;
use super::decision::{Claim, Decision, Images};
use super::rules;
use super::words::{Justification, Status, Unknown};
use crate::diag::{Code, Problem, SourceText, Span, codes, nearest};
use crate::ident::{CveId, Epoch};
use crate::recipe::text::{Node, Table, check};
use crate::recipe::{Pattern, Place};

/// The longest text, in bytes.
const LONGEST: usize = 4_000;

/// The most elements of a list.
const MOST: usize = 1_000;

/// What a file is about: images of the catalog, by its name.
pub(super) struct About<'a> {
    /// The images that a decision is about which does not say so itself.
    pub(super) images: Images,
    /// The recipes that there are; `None` where that is not looked at.
    pub(super) products: Option<&'a [String]>,
}

/// Reads the table of a file.
pub(super) fn lower(source: &Arc<SourceText>, table: &Table, about: &About) -> (Vec<Decision>, Vec<Problem>) {
    let problems = check(source, table, super::keys::FILE);
    let mut lowering = Lowering { source, about, problems };
    let mut decisions = Vec::new();
    for (word, node) in &table.entries {
        for node in node.list().unwrap_or_default() {
            let Some(table) = node.table() else { continue };
            let decision = match word.text.as_str() {
                "decision" => lowering.decision(table, &node.span),
                "component" => lowering.component(table, &node.span),
                _ => None,
            };
            decisions.extend(decision);
        }
    }
    let mut problems = lowering.problems;
    problems
        .sort_by_key(|problem| problem.place.as_ref().and_then(|(_, labels)| Some(labels.first()?.0.start)));
    (decisions, problems)
}

struct Lowering<'a> {
    source: &'a Arc<SourceText>,
    about: &'a About<'a>,
    problems: Vec<Problem>,
}

/// Letters that turn text around (Unicode's bidirectional controls): what is read would not be what is said.
fn turns(letter: char) -> bool {
    matches!(letter, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The name of a vulnerability: a CVE's, or what feeds call one that has none.
pub(super) fn vulnerability(text: &str) -> Result<String, String> {
    if let Ok(cve) = text.parse::<CveId>() {
        return Ok(cve.to_string());
    }
    let upper = text.trim().to_ascii_uppercase();
    if upper.starts_with("CVE") {
        return match upper.parse::<CveId>() {
            Ok(cve) => Err(format!("did you mean `{cve}`?")),
            Err(_) => {
                Err("a CVE has a year and a number of four or more digits: `CVE-2026-102633`".to_owned())
            }
        };
    }
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let (head, rest) = text.split_once('-').unwrap_or((text, ""));
    let named = !rest.is_empty() && head.len() >= 2 && head.bytes().all(|byte| byte.is_ascii_uppercase());
    if named && text.len() <= 64 && text.bytes().all(fine) {
        return Ok(text.to_owned());
    }
    Err("write `CVE-2026-102633`, or a feed's own name such as `TEMP-0000000-ABCDEF`".to_owned())
}

impl Lowering<'_> {
    fn say(&mut self, code: Code, span: &Span, message: String, help: impl Into<String>) {
        let problem = Problem::new(code, message).at(self.source, span.clone(), "this value").help(help);
        self.problems.push(problem);
    }

    /// A text for people that is safe to show.
    fn text(&mut self, table: &Table, key: &str) -> Option<String> {
        let node = table.get(key)?;
        let text = node.text()?.trim();
        let bad = |letter: char| letter != '\n' && letter.is_control() || turns(letter);
        let wrong = if text.is_empty() {
            "says nothing"
        } else if text.len() > LONGEST {
            "is too long"
        } else if text.chars().any(bad) {
            "has letters that can't be shown"
        } else {
            return Some(text.to_owned());
        };
        let help = format!("a text of up to {LONGEST} bytes, without control characters");
        self.say(codes::BAD_VALUE, &node.span, format!("`{key}` {wrong}"), help);
        None
    }

    fn word<T: std::str::FromStr<Err = Unknown>>(&mut self, table: &Table, key: &str) -> Option<T> {
        let node = table.get(key)?;
        match node.text()?.parse() {
            Ok(word) => Some(word),
            Err(error) => {
                let (message, help): (String, Unknown) = (error.to_string(), error);
                self.say(codes::VEX_WORD, &node.span, message, help.help);
                None
            }
        }
    }

    fn id(&mut self, table: &Table) -> Option<String> {
        let node = table.get("cve")?;
        let text = node.text()?;
        match vulnerability(text) {
            Ok(id) => Some(id),
            Err(help) => {
                let text: String = text.chars().take(100).flat_map(char::escape_debug).collect();
                self.say(codes::BAD_VALUE, &node.span, format!("`{text}` is not a CVE's name"), help);
                None
            }
        }
    }

    /// Names, none of which is empty or holds what no name does.
    fn names(&mut self, table: &Table, key: &str) -> Option<BTreeSet<String>> {
        let node = table.get(key)?;
        let list = node.list()?;
        let fine = |text: &str| {
            let odd = |letter: char| letter.is_whitespace() || letter.is_control() || turns(letter);
            !text.is_empty() && text.len() <= 214 && !text.contains(odd)
        };
        if list.is_empty() || list.len() > MOST {
            let message = format!("`{key}` names {}", if list.is_empty() { "none" } else { "too many" });
            self.say(codes::BAD_VALUE, &node.span, message, format!("a list of 1 to {MOST} names"));
            return None;
        }
        let mut names = BTreeSet::new();
        for node in list {
            let Some(text) = node.text() else { continue };
            if fine(text) {
                names.insert(text.to_owned());
            } else {
                let text: String = text.chars().take(100).flat_map(char::escape_debug).collect();
                self.say(
                    codes::BAD_VALUE,
                    &node.span,
                    format!("`{text}` is no name"),
                    "names have no white space",
                );
            }
        }
        Some(names)
    }

    fn day(&mut self, table: &Table, key: &str) -> Option<Epoch> {
        let node = table.get(key)?;
        let crate::recipe::text::Value::Date(text) = &node.value else { return None };
        match Epoch::from_day(text) {
            Ok(day) if day.0 >= 0 => Some(day),
            _ => {
                self.say(
                    codes::BAD_VALUE,
                    &node.span,
                    format!("`{text}` is not a day"),
                    "such as 2026-11-01",
                );
                None
            }
        }
    }

    fn images(&mut self, table: &Table) -> Option<Images> {
        let Some(node) = table.get("images") else { return Some(self.about.images.clone()) };
        if self.about.images != Images::All {
            let help = "leave it out: the file's name says which image; `all.toml` speaks of several";
            self.say(codes::VEX_PRODUCT, &node.span, "`images` stands in the file of one image".into(), help);
            return None;
        }
        let names = self.names(table, "images")?;
        for node in node.list().unwrap_or_default() {
            let unknown = node.text().and_then(|name| unknown(name, self.about.products?));
            if let Some((message, help)) = unknown {
                self.say(codes::VEX_PRODUCT, &node.span, message, help);
            }
        }
        Some(Images::Named(names))
    }

    fn decision(&mut self, table: &Table, span: &Span) -> Option<Decision> {
        let (status, justification): (Option<Status>, Option<Justification>) =
            (self.word(table, "status"), self.word(table, "justification"));
        let (impact, action) = (self.text(table, "impact"), self.text(table, "action"));
        let dated = self.dates(table);
        // A word that is wrong was said already, and stands for what it should have been.
        let unread = |key: &str| table.get(key).is_some();
        if let Some(status) = status {
            let carries = rules::Carries {
                justification: justification
                    .or_else(|| unread("justification").then_some(Justification::ComponentNotPresent)),
                impact: unread("impact"),
                action: unread("action"),
            };
            for rule in rules::broken(status, carries) {
                let at = table.get(rule.key).or_else(|| table.get("status")).map_or(span, |node| &node.span);
                self.say(codes::VEX_RULE, at, rule.what, rule.help);
            }
            if status.silences() && !unread("expires") {
                let at = table.get("status").map_or(span, |node| &node.span);
                let help = format!(
                    "add `expires`, a day within {} days: what silences is looked at again",
                    dates::LONGEST
                );
                self.say(
                    codes::MISSING_KEY,
                    at,
                    format!("a decision that is `{status}` has no `expires`"),
                    help,
                );
            }
        }
        // The rest is looked at whatever the status, for what else is wrong.
        let stands = status.unwrap_or(Status::UnderInvestigation);
        let claim = Claim::Stands { status: stands, justification, impact, action };
        let decision = self.whole(table, span, claim, dated);
        decision.filter(|_| status.is_some())
    }

    fn component(&mut self, table: &Table, span: &Span) -> Option<Decision> {
        let mut paths = Vec::new();
        for node in table.get("paths").and_then(Node::list).unwrap_or_default() {
            match node.text().map(str::parse::<Pattern>) {
                Some(Ok(pattern)) => paths.push(pattern),
                Some(Err(error)) => {
                    self.say(codes::BAD_VALUE, &node.span, error, "begin with `/`, or with `**/`");
                }
                None => {}
            }
        }
        let binaries = self.names(table, "binaries").unwrap_or_default();
        if table.get("paths").is_none() && table.get("binaries").is_none() {
            let message = "`component` says neither `paths` nor `binaries`".to_owned();
            self.say(codes::MISSING_KEY, span, message, "say where the CVE is: files, or binary packages");
        }
        let dated = self.dates(table);
        let whole = !paths.is_empty() || !binaries.is_empty();
        let decision = self.whole(table, span, Claim::Within { paths, binaries }, dated);
        decision.filter(|_| whole)
    }

    fn dates(&mut self, table: &Table) -> (Option<Epoch>, Option<Epoch>) {
        let (date, expires) = (self.day(table, "date"), self.day(table, "expires"));
        if let (Some(date), Some(expires)) = (date, expires)
            && let Some(problem) = dates::wrong(date, expires)
        {
            let at = table.get("expires").map(|node| node.span.clone()).unwrap_or_default();
            self.problems.push(problem.at(self.source, at, "this value"));
        }
        (date, expires)
    }

    fn whole(
        &mut self,
        table: &Table,
        span: &Span,
        claim: Claim,
        (date, expires): (Option<Epoch>, Option<Epoch>),
    ) -> Option<Decision> {
        let (id, images) = (self.id(table), self.images(table));
        let packages = self.names(table, "packages");
        let (reason, author) = (self.text(table, "reason"), self.text(table, "author"));
        // The words that are shown are those of the CVE: the whole table may be long.
        let span = table.get("cve").map_or(span, |node| &node.span).clone();
        Some(Decision {
            id: id?,
            images: images?,
            packages: packages?,
            claim,
            reason: reason?,
            author: author?,
            date: date?,
            expires,
            place: Place { source: Arc::clone(self.source), span },
        })
    }
}

/// What is said of a recipe that there is not.
pub(super) fn unknown(name: &str, products: &[String]) -> Option<(String, String)> {
    if products.iter().any(|known| known == name) {
        return None;
    }
    let shown: String = name.chars().take(100).flat_map(char::escape_debug).collect();
    let help = match nearest(name, products.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None if products.is_empty() => "there are no recipes here".to_owned(),
        None => "name a recipe of this folder, or speak of all in `all.toml`".to_owned(),
    };
    Some((format!("there is no image `{shown}`"), help))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_vulnerabilities_are_read_strictly_and_corrected_kindly() {
        for name in ["CVE-2026-102633", "CVE-2019-0001", "TEMP-0000000-ABCDEF", "GHSA-xxxx-yyyy-zzzz"] {
            assert_eq!(vulnerability(name), Ok(name.to_owned()));
        }
        assert_eq!(vulnerability("cve-2026-1234"), Err("did you mean `CVE-2026-1234`?".to_owned()));
        for name in ["", "CVE-2026-123", "CVE-26-1234", "CVE-2026-01234", "openssl", "-x", "A b-c", "é-1"] {
            assert!(vulnerability(name).is_err(), "{name}");
        }
    }
}
