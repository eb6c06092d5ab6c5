//! A recipe as it was written: TOML as a tree in which every key and value knows its place.

use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diag::{Problem, SourceText, Span, codes};

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What was written.
    pub value: Value,
    /// Where.
    pub span: Span,
}

/// What was written.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A string.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// `true` or `false`.
    Flag(bool),
    /// A date or time, as text.
    Date(String),
    /// An array.
    List(Vec<Node>),
    /// A table, inline or not.
    Table(Table),
    /// A float, or a number too large: nothing in the language takes it.
    Other,
}

/// A key and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The key.
    pub text: String,
    /// Where.
    pub span: Span,
}

/// A table, in the order in which it was written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// Keys and values.
    pub entries: Vec<(Word, Node)>,
}

impl Table {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries.iter().find(|(word, _)| word.text == key).map(|(_, node)| node)
    }

    /// The value of a key, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.entries.iter_mut().find(|(word, _)| word.text == key).map(|(_, node)| node)
    }

    /// The keys.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(word, _)| word.text.as_str())
    }
}

impl Node {
    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        if let Value::Text(text) = &self.value { Some(text) } else { None }
    }

    /// The number, if it is one.
    pub fn integer(&self) -> Option<i64> {
        if let Value::Integer(number) = self.value { Some(number) } else { None }
    }

    /// Whether it is true, if it is `true` or `false`.
    pub fn flag(&self) -> Option<bool> {
        if let Value::Flag(flag) = self.value { Some(flag) } else { None }
    }

    /// The elements, if it is a list.
    pub fn list(&self) -> Option<&[Node]> {
        if let Value::List(nodes) = &self.value { Some(nodes) } else { None }
    }

    /// The table, if it is one.
    pub fn table(&self) -> Option<&Table> {
        if let Value::Table(table) = &self.value { Some(table) } else { None }
    }

    /// What kind of value it is, for people.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Text(_) => "a string",
            Value::Integer(_) => "a number",
            Value::Flag(_) => "true or false",
            Value::Date(_) => "a date",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
            Value::Other => "a number with a fraction",
        }
    }
}

/// Reads TOML; all its errors are reported.
pub fn parse(source: &Arc<SourceText>) -> Result<Table, Vec<Problem>> {
    let (table, errors) = DeTable::parse_recoverable(&source.text);
    if errors.is_empty() {
        return Ok(convert_table(table.get_ref()));
    }
    let problem = |error: toml::de::Error| {
        let span: Range<usize> = error.span().unwrap_or(0..0);
        let message = format!("`{}` is not TOML: {}", source.name, error.message());
        Problem::new(codes::SYNTAX, message).at(source, span, "reading stopped here").help(
            "texts stand in quotes, tables in brackets, each key once; TOML 1.1 is described at toml.io",
        )
    };
    Err(errors.into_iter().map(problem).collect())
}

fn convert_table(table: &DeTable) -> Table {
    let word =
        |key: &Spanned<std::borrow::Cow<str>>| Word { text: key.get_ref().to_string(), span: key.span() };
    let mut entries: Vec<_> = table.iter().map(|(key, value)| (word(key), convert(value))).collect();
    // The parser sorts by key; people are told of their problems in the order of the file.
    entries.sort_by_key(|(word, _)| word.span.start);
    Table { entries }
}

fn convert(value: &Spanned<DeValue>) -> Node {
    let converted = match value.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).map_or(Value::Other, Value::Integer)
        }
        DeValue::Boolean(flag) => Value::Flag(*flag),
        DeValue::Datetime(date) => Value::Date(date.to_string()),
        DeValue::Array(nodes) => Value::List(nodes.iter().map(convert).collect()),
        DeValue::Table(table) => Value::Table(convert_table(table)),
        DeValue::Float(_) => Value::Other,
    };
    Node { value: converted, span: value.span() }
}
