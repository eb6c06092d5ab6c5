//! What tables may hold, as data: from one description come the check of a recipe, the nearest known
//! key, and the JSON Schema.

use std::sync::Arc;

use super::node::{Node, Table, Value};
use crate::diag::{Problem, SourceText, codes, nearest};

/// What a value may be.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A string.
    Text,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Flag,
    /// A date.
    Date,
    /// A list whose elements are all of one kind.
    List(&'static Kind),
    /// A table with keys of the writer's choice; what the keys are is said for the schema.
    Map(&'static str, &'static Kind),
    /// A table with known keys.
    Table(&'static [Key]),
    /// One of several kinds; at most one of them is a table or map.
    Either(&'static [Kind]),
    /// Checked elsewhere.
    Any,
}

/// A key of a table.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// The key as written.
    pub name: &'static str,
    /// What its value may be.
    pub kind: Kind,
    /// Whether it must be there.
    pub required: bool,
    /// What it is for: one sentence.
    pub about: &'static str,
}

/// An optional key.
pub const fn key(name: &'static str, kind: Kind, about: &'static str) -> Key {
    Key { name, kind, required: false, about }
}

/// A key that must be there.
pub const fn needed(name: &'static str, kind: Kind, about: &'static str) -> Key {
    Key { name, kind, required: true, about }
}

impl Kind {
    fn takes(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Any, _)
            | (Self::Text, Value::Text(_))
            | (Self::Integer, Value::Integer(_))
            | (Self::Flag, Value::Flag(_))
            | (Self::Date, Value::Date(_))
            | (Self::List(_), Value::List(_))
            | (Self::Map(..) | Self::Table(_), Value::Table(_)) => true,
            (Self::Either(kinds), value) => kinds.iter().any(|kind| kind.takes(value)),
            _ => false,
        }
    }

    /// The kind in words, for help lines.
    pub fn words(&self) -> String {
        match self {
            Self::Text => "a string".into(),
            Self::Integer => "a whole number".into(),
            Self::Flag => "`true` or `false`".into(),
            Self::Date => "a date such as 2029-10-31".into(),
            Self::List(kind) => format!("a list, each element {}", kind.words()),
            Self::Map(keys, _) => format!("a table by {keys}"),
            Self::Table(keys) => {
                let names: Vec<&str> = keys.iter().map(|key| key.name).take(8).collect();
                format!("a table with keys such as `{}`", names.join("`, `"))
            }
            Self::Either(kinds) => kinds.iter().map(Self::words).collect::<Vec<_>>().join(", or "),
            Self::Any => "anything".into(),
        }
    }
}

/// Checks a table against what it may hold: all problems, in the order of the file.
pub fn check(source: &Arc<SourceText>, table: &Table, keys: &[Key]) -> Vec<Problem> {
    let mut checker = Checker { source, problems: Vec::new() };
    checker.table(table, keys);
    checker.problems
}

struct Checker<'a> {
    source: &'a Arc<SourceText>,
    problems: Vec<Problem>,
}

impl Checker<'_> {
    fn table(&mut self, table: &Table, keys: &[Key]) {
        for (word, node) in &table.entries {
            match keys.iter().find(|key| key.name == word.text) {
                Some(key) => self.node(&word.text, node, &key.kind),
                None => self.unknown(&word.text, word.span.clone(), keys),
            }
        }
    }

    fn unknown(&mut self, word: &str, span: crate::diag::Span, keys: &[Key]) {
        let known = || keys.iter().map(|key| key.name);
        let help = match nearest(word, known()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known here: `{}`", known().collect::<Vec<_>>().join("`, `")),
        };
        let problem = Problem::new(codes::UNKNOWN_KEY, format!("there is no key `{word}` here"));
        self.problems.push(problem.at(self.source, span, "not a key of this table").help(help));
    }

    fn node(&mut self, name: &str, node: &Node, kind: &Kind) {
        if !kind.takes(&node.value) {
            let problem = Problem::new(codes::WRONG_TYPE, format!("`{name}` can't be {}", node.kind()));
            let label = format!("this is {}", node.kind());
            let help = format!("`{name}` takes {}", kind.words());
            self.problems.push(problem.at(self.source, node.span.clone(), label).help(help));
            return;
        }
        match (kind, &node.value) {
            (Kind::List(inner), Value::List(nodes)) => {
                for node in nodes {
                    self.node(name, node, inner);
                }
            }
            (Kind::Map(_, inner), Value::Table(table)) => {
                for (word, node) in &table.entries {
                    self.node(&word.text, node, inner);
                }
            }
            (Kind::Table(keys), Value::Table(table)) => {
                self.table(table, keys);
                self.missing(name, node, table, keys);
            }
            (Kind::Either(kinds), value) => {
                let taken = kinds.iter().find(|kind| kind.takes(value)).expect("just taken");
                self.node(name, node, taken);
            }
            _ => {}
        }
    }

    fn missing(&mut self, name: &str, node: &Node, table: &Table, keys: &[Key]) {
        for key in keys.iter().filter(|key| key.required && table.get(key.name).is_none()) {
            let problem = Problem::new(codes::MISSING_KEY, format!("`{name}` has no `{}`", key.name));
            let label = format!("`{}` is missing here", key.name);
            let help = format!("add `{}`: {}", key.name, key.about);
            self.problems.push(problem.at(self.source, node.span.clone(), label).help(help));
        }
    }
}
