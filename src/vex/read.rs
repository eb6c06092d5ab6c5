//! OpenVEX documents of others, read: form and rules are checked, and all that is wrong is said at once.
//!
//! Versions 0.2.0 and unversioned documents of that form are read. What a document says of images that are not ours
//! is a warning of the caller's ([`Document::strangers`]); two statements that contradict each other at the same
//! time are an error, and of others the later one wins (OpenVEX 0.2.0, "Inheritance Flow").

use std::collections::BTreeMap;

use serde_json::Value;

use super::document::{Document, Product, Statement};
use super::openvex::CONTEXT;
use super::purl;
use super::rules::{self, Carries};
use super::words::{Justification, Status, Unknown};
use crate::diag::{Code, Failure, Problem, Result, codes, nearest};
use crate::ident::Epoch;

/// The largest document, in bytes.
const LARGEST: usize = 64 << 20;

/// The most statements.
const MOST: usize = 1_000_000;

/// How many problems of one document are told.
const TOLD: usize = 20;

/// The context of documents that don't say their version.
const UNVERSIONED: &str = "https://openvex.dev/ns";

/// Reads a document; `name` is what it is called in messages.
pub fn read_document(bytes: &[u8], name: &str) -> Result<Document> {
    let mut reader = Reader { name, problems: Vec::new() };
    if bytes.len() > LARGEST {
        let problem = reader.broken(&format!("it has more than {LARGEST} bytes"));
        return Err(problem.into());
    }
    let value: Value = serde_json::from_slice(bytes).map_err(|error| reader.broken(&error.to_string()))?;
    let document = reader.document(&value);
    let count = reader.problems.len();
    reader.problems.truncate(TOLD);
    if count > TOLD {
        let last = reader.problems.last_mut().expect("some");
        last.facts.push(("beside", format!("{} more", count - TOLD)));
    }
    Failure::check(reader.problems)?;
    document.ok_or_else(|| Problem::new(codes::INTERNAL, "a document without problems was not read").into())
}

struct Reader<'a> {
    name: &'a str,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn broken(&self, why: &str) -> Problem {
        Problem::new(codes::BAD_VEX, format!("`{}` is no OpenVEX document", self.name))
            .found(why)
            .expected(format!("OpenVEX 0.2.0, JSON with \"@context\": \"{CONTEXT}\""))
    }

    fn say(&mut self, code: Code, place: &str, what: &str, help: impl Into<String>) {
        let problem = Problem::new(code, format!("`{}`: {what}", self.name)).fact("at", place);
        self.problems.push(problem.help(help));
    }

    fn text(&mut self, value: &Value, place: &str, key: &str) -> Option<String> {
        if let Value::String(text) = value.get(key)? {
            return Some(text.clone());
        }
        self.say(codes::BAD_VEX, place, &format!("`{key}` is no text"), "it takes a string");
        None
    }

    fn time(&mut self, value: &Value, place: &str, key: &str) -> Option<Epoch> {
        let text = self.text(value, place, key)?;
        let read = moment(&text);
        if read.is_none() {
            let help = "a time such as `2026-09-12T07:55:41Z`";
            self.say(codes::BAD_VEX, place, &format!("`{key}` is no time"), help);
        }
        read
    }

    fn document(&mut self, value: &Value) -> Option<Document> {
        let context = value.get("@context").and_then(Value::as_str);
        if context != Some(CONTEXT) && context != Some(UNVERSIONED) {
            let found: String = context.unwrap_or("no \"@context\"").chars().take(100).collect();
            self.problems.push(self.broken(&found));
            return None;
        }
        let place = "the document";
        let (id, author) = (self.text(value, place, "@id"), self.text(value, place, "author"));
        for (key, missing) in [("@id", id.is_none()), ("author", author.is_none())] {
            if missing && value.get(key).is_none() {
                self.say(codes::BAD_VEX, place, &format!("there is no `{key}`"), "OpenVEX 0.2.0 requires it");
            }
        }
        let timestamp = self.time(value, place, "timestamp");
        let updated = self.time(value, place, "last_updated");
        if value.get("timestamp").is_none() {
            self.say(codes::BAD_VEX, place, "there is no `timestamp`", "OpenVEX 0.2.0 requires it");
        }
        let statements = value.get("statements").and_then(Value::as_array);
        let Some(all) = statements.filter(|all| !all.is_empty() && all.len() <= MOST) else {
            self.say(
                codes::BAD_VEX,
                place,
                "there are no `statements`, or too many",
                "a list of one or more",
            );
            return None;
        };
        let at = updated.or(timestamp).unwrap_or_default();
        let statements: Vec<Statement> =
            all.iter().enumerate().filter_map(|(number, value)| self.statement(value, number, at)).collect();
        self.contradictions(&statements);
        Some(Document {
            name: self.name.to_owned(),
            id: id?,
            author: author?,
            timestamp: timestamp?,
            statements,
        })
    }

    fn statement(&mut self, value: &Value, number: usize, at: Epoch) -> Option<Statement> {
        let place = format!("statement {}", number + 1);
        let place = place.as_str();
        let vulnerability = value.get("vulnerability");
        // Unversioned documents may have the name alone.
        let name = match vulnerability {
            Some(Value::String(name)) => Some(name.clone()),
            Some(object) => self.text(object, place, "name"),
            None => None,
        };
        if name.as_deref().is_none_or(str::is_empty) {
            self.say(codes::BAD_VEX, place, "it names no vulnerability", "`vulnerability` has a `name`");
        }
        let aliases = vulnerability.and_then(|object| object.get("aliases")).and_then(Value::as_array);
        let aliases = aliases.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
        let status: Option<Status> = self.word(value, place, "status");
        if value.get("status").is_none() {
            self.say(
                codes::VEX_RULE,
                place,
                "it has no status",
                "`not_affected`, `affected`, `fixed` or `under_investigation`",
            );
        }
        let justification: Option<Justification> = self.word(value, place, "justification");
        let [impact, action, notes] =
            ["impact_statement", "action_statement", "status_notes"].map(|key| self.text(value, place, key));
        if let Some(status) = status {
            // A word that is wrong was said already, and stands for what it should have been.
            let unread = value.get("justification").map(|_| Justification::ComponentNotPresent);
            let said = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.trim().is_empty());
            let carries = Carries {
                justification: justification.or(unread),
                impact: said(&impact),
                action: said(&action),
            };
            for rule in rules::broken(status, carries) {
                let what = rule
                    .what
                    .replace("`impact`", "`impact_statement`")
                    .replace("`action`", "`action_statement`");
                let help = rule
                    .help
                    .replace("`impact`", "`impact_statement`")
                    .replace("`action`", "`action_statement`");
                self.say(codes::VEX_RULE, place, &what, help);
            }
        }
        let products = self.products(value, place);
        let updated = self.time(value, place, "last_updated");
        let timestamp = updated.or_else(|| self.time(value, place, "timestamp")).unwrap_or(at);
        Some(Statement {
            vulnerability: name?,
            aliases,
            products,
            status: status?,
            justification,
            impact,
            action,
            notes,
            timestamp,
        })
    }

    fn word<T: std::str::FromStr<Err = Unknown>>(
        &mut self,
        value: &Value,
        place: &str,
        key: &str,
    ) -> Option<T> {
        let text = self.text(value, place, key)?;
        match text.parse() {
            Ok(word) => Some(word),
            Err(error) => {
                let error: Unknown = error;
                self.say(codes::VEX_WORD, place, &error.to_string(), error.help.clone());
                None
            }
        }
    }

    fn products(&mut self, value: &Value, place: &str) -> Vec<Product> {
        let list = value.get("products").and_then(Value::as_array);
        let list = list.map(Vec::as_slice).unwrap_or_default();
        let products: Vec<Product> = list.iter().filter_map(product).collect();
        if products.is_empty() || products.len() != list.len() {
            let help = "each product has an `@id` or `identifiers.purl`, and there is at least one";
            self.say(codes::BAD_VEX, place, "it names no product, or one without an identifier", help);
        }
        products
    }

    /// Statements of one moment on the same parts of the same product that say something else.
    fn contradictions(&mut self, statements: &[Statement]) {
        let mut said: BTreeMap<(&str, Epoch, &str, &str), (usize, Status)> = BTreeMap::new();
        let mut found = Vec::new();
        for (number, statement) in statements.iter().enumerate() {
            for product in &statement.products {
                let whole = product.subcomponents.is_empty().then_some(WHOLE);
                for part in product.subcomponents.iter().map(String::as_str).chain(whole) {
                    let key =
                        (statement.vulnerability.as_str(), statement.timestamp, product.id.as_str(), part);
                    let first = *said.entry(key).or_insert((number, statement.status));
                    if first.1 != statement.status && found.last() != Some(&(first.0, number)) {
                        found.push((first.0, number));
                    }
                }
            }
        }
        for (first, second) in found {
            let (one, other) = (&statements[first], &statements[second]);
            let what = format!(
                "it says `{}` of {}, and another says `{}`",
                other.status, other.vulnerability, one.status
            );
            let place = format!("statements {} and {}", first + 1, second + 1);
            self.say(
                codes::VEX_CONFLICT,
                &place,
                &what,
                "the later of two wins: give them different times, or take one out",
            );
        }
    }
}

/// Stands for all parts of a product.
const WHOLE: &str = "";

fn product(value: &Value) -> Option<Product> {
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let purl = |value: &Value| text(value.get("identifiers")?, "purl");
    if let Value::String(id) = value {
        return Some(Product { id: id.clone(), purl: None, subcomponents: Vec::new() });
    }
    let id = text(value, "@id").or_else(|| purl(value)).filter(|id| !id.is_empty())?;
    // One that is no list is read as a part that nobody knows, for the same reason as below.
    let parts = match value.get("subcomponents") {
        None => &[][..],
        Some(Value::Array(parts)) => parts,
        Some(other) => std::slice::from_ref(other),
    };
    // A part that can't be read is kept as it is: leaving it out would make a statement about more than it says.
    let part = |value: &Value| {
        let id = value
            .as_str()
            .map(str::to_owned)
            .or_else(|| text(value, "@id"))
            .filter(|id| id.starts_with("pkg:"));
        id.or_else(|| purl(value)).or_else(|| text(value, "@id")).unwrap_or_else(|| "unknown".to_owned())
    };
    Some(Product {
        purl: purl(value).filter(|purl| *purl != id),
        id,
        subcomponents: parts.iter().map(part).collect(),
    })
}

/// RFC 3339, with fractions of seconds and offsets.
fn moment(text: &str) -> Option<Epoch> {
    if text.len() > 64 || !text.is_ascii() {
        return None;
    }
    let (head, rest) = text.split_at_checked(19)?;
    let at: Epoch = format!("{}Z", head.to_ascii_uppercase()).parse().ok()?;
    let rest = match rest.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches(|letter: char| letter.is_ascii_digit()),
        None => rest,
    };
    if rest.eq_ignore_ascii_case("Z") {
        return Some(at);
    }
    let sign = if rest.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = rest.strip_prefix(['+', '-'])?.split_once(':')?;
    let number = |digits: &str| digits.parse::<i64>().ok().filter(|_| digits.len() == 2);
    Some(Epoch(at.0 - sign * (number(hours)? * 3_600 + number(minutes)? * 60)))
}

impl Document {
    /// Warnings: images that it speaks of and that are none of these recipes'.
    pub fn strangers(&self, products: &[String]) -> Vec<Problem> {
        let named = self.statements.iter().flat_map(|statement| &statement.products).flat_map(Product::purls);
        let images = named.filter_map(purl::read).filter(|purl| purl.kind == "oci").map(|purl| purl.name);
        let unknown: std::collections::BTreeSet<String> =
            images.filter(|name| !products.contains(name)).collect();
        let warn = |name: String| {
            let problem = Problem::new(
                codes::VEX_PRODUCT,
                format!("`{}` speaks of an image that is none of ours", self.name),
            );
            let problem = problem.found(&name);
            match nearest(&name, products.iter().map(String::as_str)) {
                Some(near) => problem.help(format!("did you mean `{near}`?")).warn(),
                None => problem.warn(),
            }
        };
        unknown.into_iter().take(TOLD).map(warn).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_all_zones_are_read() {
        for text in [
            "2026-11-20T10:30:00Z",
            "2026-11-20T10:30:00.123456789Z",
            "2026-11-20T12:30:00+02:00",
            "2026-11-20T04:30:00.5-06:00",
            "2026-11-20t10:30:00z",
        ] {
            assert_eq!(
                moment(text).map(|at| at.to_string()).as_deref(),
                Some("2026-11-20T10:30:00Z"),
                "{text}"
            );
        }
        for text in [
            "",
            "2026-11-20",
            "2026-11-20T10:30:00",
            "2026-11-20T10:30:00+0200",
            "2026-11-20T10:30:00+2:00",
            "yesterday",
        ] {
            assert_eq!(moment(text), None, "{text}");
        }
    }
}
