//! Rows and columns, printed for people, programs and spreadsheets.

use serde_json::{Map, Value};

use crate::ident::Epoch;

/// What stands in one place of a sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    /// A word.
    Text(String),
    /// A number of things.
    Count(usize),
    /// A moment.
    Time(Option<Epoch>),
    /// A length of time, in seconds.
    Length(Option<i64>),
    /// A part of a whole, in thousandths.
    Share(Option<usize>),
    /// Several words.
    List(Vec<String>),
}

/// A column: its name for programs, and its head for people; without one it is not for the table.
pub(super) type Column = (&'static str, &'static str);

/// Rows and columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sheet {
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Vec<Cell>>,
}

/// What a missing value looks like.
const NOTHING: &str = "-";

impl Cell {
    fn for_people(&self) -> String {
        match self {
            Self::Text(text) if text.is_empty() => NOTHING.to_owned(),
            Self::Text(text) => text.clone(),
            Self::Count(count) => count.to_string(),
            Self::Time(time) => time.map_or_else(|| NOTHING.to_owned(), |time| time.to_string()),
            Self::Length(seconds) => seconds.map_or_else(|| NOTHING.to_owned(), length),
            Self::Share(share) => {
                share.map_or_else(|| NOTHING.to_owned(), |share| format!("{}.{} %", share / 10, share % 10))
            }
            Self::List(words) if words.is_empty() => NOTHING.to_owned(),
            Self::List(words) => words.join(" "),
        }
    }

    /// As RFC 4180 has it. What a spreadsheet would take for a formula begins with an apostrophe.
    fn to_csv(&self) -> String {
        let text = match self {
            Self::Text(text) => defused(text),
            Self::List(words) => defused(&words.join(" ")),
            Self::Count(count) => count.to_string(),
            Self::Time(time) => time.map(|time| time.to_string()).unwrap_or_default(),
            Self::Length(seconds) => seconds.map(|seconds| seconds.to_string()).unwrap_or_default(),
            Self::Share(share) => {
                share.map(|share| format!("{}.{:03}", share / 1000, share % 1000)).unwrap_or_default()
            }
        };
        if text.contains(['"', ',', '\r', '\n']) {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text
        }
    }

    fn to_json(&self) -> Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Count(count) => (*count).into(),
            Self::Time(time) => time.map(|time| time.to_string()).into(),
            Self::Length(seconds) => (*seconds).into(),
            Self::Share(share) => match share {
                // Thousandths are whole numbers; programs get the part of one.
                Some(share) => serde_json::json!(f64::from(u32::try_from(*share).unwrap_or(1000)) / 1000.0),
                None => Value::Null,
            },
            Self::List(words) => words.clone().into(),
        }
    }
}

fn defused(text: &str) -> String {
    if text
        .starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'])
    {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// A length of time in its two largest units: `3d 4h`.
pub(super) fn length(seconds: i64) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
    let first = units.iter().position(|(unit, _)| seconds >= *unit).unwrap_or(3);
    let (unit, name) = units[first];
    let rest = units.get(first + 1).map(|(small, name)| (seconds % unit / small, name));
    match rest.filter(|(count, _)| *count > 0) {
        Some((count, small)) => format!("{}{name} {count}{small}", seconds / unit),
        None => format!("{}{name}", seconds / unit),
    }
}

impl Sheet {
    /// The head and the rows of a table.
    pub(super) fn to_rows(&self) -> Vec<Vec<String>> {
        let shown: Vec<usize> =
            (0..self.columns.len()).filter(|at| !self.columns[*at].1.is_empty()).collect();
        let head = shown.iter().map(|at| self.columns[*at].1.to_owned()).collect();
        let rows = self.rows.iter().map(|row| shown.iter().map(|at| row[*at].for_people()).collect());
        std::iter::once(head).chain(rows).collect()
    }

    /// Comma-separated values (RFC 4180), with a head.
    pub(super) fn to_csv(&self) -> String {
        let head: Vec<&str> = self.columns.iter().map(|(key, _)| *key).collect();
        let rows = self.rows.iter().map(|row| row.iter().map(Cell::to_csv).collect::<Vec<_>>().join(","));
        let lines: Vec<String> = std::iter::once(head.join(",")).chain(rows).collect();
        lines.join("\r\n")
    }

    /// One object a row.
    pub(super) fn to_json(&self) -> Value {
        let object = |row: &Vec<Cell>| {
            let pairs =
                self.columns.iter().zip(row).map(|((key, _), cell)| ((*key).to_owned(), cell.to_json()));
            Value::Object(pairs.collect::<Map<_, _>>())
        };
        self.rows.iter().map(object).collect()
    }

    /// All of it in words, for who can't see the picture.
    pub(super) fn in_words(&self) -> String {
        let mut rows = self.to_rows().into_iter();
        let head = rows.next().unwrap_or_default();
        let sentence = |row: Vec<String>| {
            let cells = row.iter().zip(&head).skip(1).filter(|(cell, _)| *cell != NOTHING);
            let cells: Vec<String> = cells.map(|(cell, head)| format!("{head} {cell}")).collect();
            format!("{}: {}.", row.first().map(String::as_str).unwrap_or_default(), cells.join(", "))
        };
        rows.map(sentence).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_of_a_spreadsheet_are_quoted_and_no_formulas() {
        for (text, cell) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("two\r\nlines", "\"two\r\nlines\""),
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("=\"x\",1", "\"'=\"\"x\"\",1\""),
        ] {
            assert_eq!(Cell::Text(text.to_owned()).to_csv(), cell);
        }
        assert_eq!(Cell::List(vec!["=x".to_owned()]).to_csv(), "'=x");
        assert_eq!(Cell::Share(Some(1000)).to_csv(), "1.000");
        assert_eq!(Cell::Length(None).to_csv(), "");
    }

    #[test]
    fn lengths_of_time_have_two_units() {
        for (seconds, text) in
            [(0, "0s"), (59, "59s"), (3_600, "1h"), (3_661, "1h 1m"), (90_000, "1d 1h"), (86_459, "1d")]
        {
            assert_eq!(length(seconds), text);
        }
    }
}
