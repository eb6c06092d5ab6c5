//! What XML files tell of MIME types. What is wrong in a type ends what is read of it there, as it
//! does for `update-mime-database`; the types beside it count.

use std::collections::{BTreeMap, BTreeSet};

use roxmltree::{Document, Node, ParsingOptions};

const NAMESPACE: &str = "http://www.freedesktop.org/standards/shared-mime-info";

/// What stands for a number that nobody gave.
const MIDDLE: i32 = 50;

/// All that is known.
#[derive(Debug, Default)]
pub(super) struct Types {
    pub(super) names: BTreeSet<String>,
    pub(super) aliases: BTreeMap<String, String>,
    pub(super) parents: BTreeMap<String, Vec<String>>,
    /// `namespace localName`, and the type.
    pub(super) namespaces: BTreeMap<String, String>,
    pub(super) icons: BTreeMap<String, String>,
    pub(super) generic_icons: BTreeMap<String, String>,
    /// By pattern.
    pub(super) globs: BTreeMap<String, Vec<Glob>>,
    pub(super) magic: Vec<Magic<Match>>,
    pub(super) trees: Vec<Magic<TreeMatch>>,
}

/// A pattern of names.
#[derive(Debug)]
pub(super) struct Glob {
    pub(super) kind: String,
    pub(super) weight: i32,
    pub(super) case_sensitive: bool,
}

/// Rules about contents.
#[derive(Debug)]
pub(super) struct Magic<T> {
    pub(super) kind: String,
    pub(super) priority: i32,
    /// Says that rules of files before do not count.
    pub(super) none: bool,
    pub(super) rules: Vec<(T, usize)>,
}

/// A rule about bytes.
#[derive(Debug, Default, Clone)]
pub(super) struct Match {
    pub(super) start: i64,
    pub(super) length: i64,
    pub(super) word: u8,
    pub(super) value: Vec<u8>,
    pub(super) mask: Option<Vec<u8>>,
}

/// A rule about a file in a tree, such as a medium's.
#[derive(Debug)]
pub(super) struct TreeMatch {
    pub(super) path: String,
    pub(super) words: Vec<String>,
}

impl Types {
    /// Reads one more file.
    pub(super) fn add(&mut self, bytes: &[u8]) -> Result<(), String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
        let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
        let document = Document::parse_with_options(text, options).map_err(|error| error.to_string())?;
        let root = document.root_element();
        if !root.has_tag_name((NAMESPACE, "mime-info")) {
            return Err(format!("its root is `{}`", root.tag_name().name()));
        }
        for node in root.children().filter(|node| node.has_tag_name((NAMESPACE, "mime-type"))) {
            let Some(kind) = node.attribute("type").filter(|kind| is_type(kind)) else { continue };
            self.names.insert(kind.to_owned());
            for field in node.children().filter(|node| node.tag_name().namespace() == Some(NAMESPACE)) {
                if self.field(kind, field).is_none() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// `None` if it is wrong.
    fn field(&mut self, kind: &str, field: Node) -> Option<()> {
        let own = kind.to_owned();
        let named = |name: &str| field.attribute(name).filter(|value| !value.contains('\n'));
        match field.tag_name().name() {
            "glob" => {
                let weight = number(field, "weight")?;
                let case_sensitive = field.attribute("case-sensitive") == Some("true");
                let pattern = named("pattern").filter(|pattern| !pattern.is_empty())?;
                let pattern = if case_sensitive { pattern.to_owned() } else { pattern.to_ascii_lowercase() };
                self.globs.entry(pattern).or_default().push(Glob { kind: own, weight, case_sensitive });
            }
            "glob-deleteall" => {
                let glob = Glob { kind: own, weight: 0, case_sensitive: false };
                self.globs.entry("__NOGLOBS__".to_owned()).or_default().push(glob);
            }
            "magic" => {
                let mut rules = Vec::new();
                matches(field, 0, &mut rules)?;
                let priority = number(field, "priority").filter(|_| !rules.is_empty())?;
                self.magic.push(Magic { kind: own, priority, none: false, rules });
            }
            "magic-deleteall" => {
                let value = b"__NOMAGIC__".to_vec();
                let rule = Match { length: 1, word: 1, value, ..Match::default() };
                self.magic.push(Magic { kind: own, priority: 0, none: true, rules: vec![(rule, 0)] });
            }
            "treemagic" => {
                let mut rules = Vec::new();
                tree_matches(field, 0, &mut rules)?;
                let priority = number(field, "priority")?;
                self.trees.push(Magic { kind: own, priority, none: false, rules });
            }
            "alias" => {
                let other = named("type").filter(|other| other.contains('/'))?;
                self.aliases.insert(other.to_owned(), own);
            }
            "sub-class-of" => {
                let other = named("type").filter(|other| other.contains('/'))?;
                self.parents.entry(own).or_default().push(other.to_owned());
            }
            "root-XML" => {
                let (space, name) = (named("namespaceURI")?, named("localName")?);
                let spaced = [space, name].iter().any(|part| part.contains(' '));
                let fine = !spaced && (!space.is_empty() || !name.is_empty());
                self.namespaces.insert(format!("{space} {name}"), fine.then_some(own)?);
            }
            "icon" => drop(named("name").map(|icon| self.icons.insert(own, icon.to_owned()))),
            "generic-icon" => drop(named("name").map(|icon| self.generic_icons.insert(own, icon.to_owned()))),
            _ => {}
        }
        Some(())
    }
}

/// Two parts with a slash between, and nothing that would end a line.
fn is_type(kind: &str) -> bool {
    let parts = kind.split_once('/');
    parts.is_some_and(|(media, rest)| !media.is_empty() && !rest.is_empty() && !rest.contains('/'))
        && !kind.contains(char::is_whitespace)
}

/// A priority or weight, 0 to 100.
fn number(node: Node, name: &str) -> Option<i32> {
    let value = node.attribute(name).map_or(Some(MIDDLE), |text| text.trim().parse().ok())?;
    (0..=100).contains(&value).then_some(value)
}

fn matches(parent: Node, depth: usize, rules: &mut Vec<(Match, usize)>) -> Option<()> {
    for node in parent.children().filter(Node::is_element) {
        if !node.has_tag_name((NAMESPACE, "match")) {
            return None;
        }
        rules.push((rule(node)?, depth));
        matches(node, depth + 1, rules)?;
    }
    Some(())
}

fn rule(node: Node) -> Option<Match> {
    let offset = node.attribute("offset")?;
    let (start, length) = match offset.split_once(':') {
        None => (offset.trim().parse().ok()?, 1),
        Some((start, last)) => {
            let (start, last): (i64, i64) = (start.trim().parse().ok()?, last.trim().parse().ok()?);
            (start, (last >= start).then_some(last - start + 1)?)
        }
    };
    let (text, mask) = (node.attribute("value").filter(|text| !text.is_empty())?, node.attribute("mask"));
    let kind = node.attribute("type")?;
    let (size, word) = match kind {
        "string" => {
            let value = unescaped(text);
            let mask = mask.map(|mask| string_mask(mask, value.len()));
            let mask = if let Some(mask) = mask { Some(mask?) } else { None };
            return Some(Match { start, length, word: 1, value, mask });
        }
        "byte" => (1, 1),
        "host16" => (2, 2),
        "host32" => (4, 4),
        "big16" | "little16" => (2, 1),
        "big32" | "little32" => (4, 1),
        _ => return None,
    };
    let bytes = |text: &str| {
        let mut bytes = integer(text)?.to_be_bytes();
        let (above, bytes) = bytes.split_at_mut(8 - size);
        if kind.starts_with("little") {
            bytes.reverse();
        }
        // Of four bytes, what is too large is cut off.
        (size == 4 || above.iter().all(|byte| *byte == 0)).then(|| bytes.to_vec())
    };
    let mask = if let Some(mask) = mask { Some(bytes(mask)?) } else { None };
    Some(Match { start, length, word, value: bytes(text)?, mask })
}

/// A number as C has it: decimal, `0x` hexadecimal, `0` octal.
fn integer(text: &str) -> Option<u64> {
    let text = text.trim_start();
    if let Some(hexadecimal) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        u64::from_str_radix(hexadecimal, 16).ok()
    } else if text.len() > 1 && text.starts_with('0') {
        u64::from_str_radix(text, 8).ok()
    } else {
        text.parse().ok()
    }
}

fn string_mask(text: &str, length: usize) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("0x")?;
    let mut mask = vec![0; length];
    for (at, digit) in digits.chars().enumerate() {
        let digit = u8::try_from(digit.to_digit(16)?).expect("a digit");
        *mask.get_mut(at / 2)? |= if at % 2 == 0 { digit << 4 } else { digit };
    }
    Some(mask)
}

/// C's escapes, undone.
fn unescaped(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let Some((&escape, after)) = rest.split_first() else { break };
        rest = after;
        let mut digits = |first: Option<u8>, radix: u32, most: usize| {
            let is_digit = |byte: &&u8| char::from(**byte).is_digit(radix);
            let more = rest.iter().take(most).take_while(is_digit).count();
            let text: String = first.iter().chain(&rest[..more]).map(|byte| char::from(*byte)).collect();
            rest = &rest[more..];
            u32::from_str_radix(&text, radix).ok().map(|value| value.to_le_bytes()[0])
        };
        out.push(match escape {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'b' => 8,
            b'f' => 12,
            b'v' => 11,
            b'0'..=b'7' => digits(Some(escape), 8, 2).unwrap_or(0),
            b'x' => digits(None, 16, 2).unwrap_or(b'x'),
            other => other,
        });
    }
    out
}

fn tree_matches(parent: Node, depth: usize, rules: &mut Vec<(TreeMatch, usize)>) -> Option<()> {
    for node in parent.children().filter(Node::is_element) {
        if !node.has_tag_name((NAMESPACE, "treematch")) {
            return None;
        }
        let path = node.attribute("path").filter(|path| !path.contains('\n'))?.to_owned();
        let kind = node.attribute("type").unwrap_or("any");
        let mut words = vec![["any", "file", "directory", "link"].contains(&kind).then(|| kind.to_owned())?];
        let flags = ["match-case", "executable", "non-empty"];
        words.extend(
            flags.iter().filter(|flag| node.attribute(**flag) == Some("true")).map(ToString::to_string),
        );
        words.extend(node.attribute("mimetype").filter(|kind| !kind.contains('\n')).map(ToOwned::to_owned));
        rules.push((TreeMatch { path, words }, depth));
        tree_matches(node, depth + 1, rules)?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_numbers_are_those_of_c() {
        assert_eq!(unescaped(r"PK\003\4\x1fg\0\\\q\n\xg\"), b"PK\x03\x04\x1fg\0\\q\nxg");
        assert_eq!(unescaped(r"\1777"), b"\x7f7");
        assert_eq!(
            [integer("0x1F"), integer("017"), integer("17"), integer("0"), integer("x")],
            [Some(31), Some(15), Some(17), Some(0), None]
        );
    }
}
