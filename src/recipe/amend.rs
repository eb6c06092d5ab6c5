//! Variants and platforms: what `add`, `replace` and `remove` do to a recipe as it was written.
//!
//! ```toml
//! [variant.dev]
//! add.debian.packages = ["bash"]          # what is not there yet
//! replace.image.user  = 0                 # what is there
//! remove.links        = ["/usr/bin/x"]    # what is there
//! ```

use std::sync::Arc;

use super::node::{Node, Table, Value, Word};
use crate::diag::{Problem, SourceText, codes, nearest};

/// Tables that are amended key by key; any other value is amended as a whole.
const SECTIONS: &[&str] = &[
    "debian",
    "debian.packages",
    "debian.archives",
    "links",
    "directories",
    "files",
    "file",
    "archive",
    "modes",
    "owners",
    "users",
    "groups",
    "system",
    "system.os-release",
    "system.alternatives",
    "system.nsswitch",
    "image",
    "image.env",
    "image.labels",
    "image.annotations",
    "closure",
    "closure.skip",
    "closure.dlopen",
    "closure.keep",
    "policy",
    "policy.allow",
    "lifecycle",
    "catalog",
];

/// Makes `["a", "b"]` of packages the table that it is short for.
pub fn expand_packages(recipe: &mut Table) {
    let packages = recipe.get_mut("debian").and_then(|debian| match &mut debian.value {
        Value::Table(table) => table.get_mut("packages"),
        _ => None,
    });
    let Some(packages) = packages else { return };
    if let Value::List(names) = &packages.value
        && names.iter().all(|name| name.text().is_some())
    {
        let entry = |name: &Node| {
            let word = Word { text: name.text().unwrap_or_default().to_owned(), span: name.span.clone() };
            (word, Node { value: Value::Text("runtime".into()), span: name.span.clone() })
        };
        packages.value = Value::Table(Table { entries: names.iter().map(entry).collect() });
    }
}

/// Applies one amendment to a recipe; what does not fit is added to `problems`.
pub fn amend(source: &Arc<SourceText>, recipe: &mut Table, amendment: &Table, problems: &mut Vec<Problem>) {
    let mut amender = Amender { source, problems };
    let part = |name| amendment.get(name).and_then(Node::table).cloned();
    if let Some(removed) = part("remove") {
        amender.remove("", recipe, &removed);
    }
    if let Some(mut replaced) = part("replace") {
        expand_packages(&mut replaced);
        amender.replace("", recipe, &replaced);
    }
    if let Some(mut added) = part("add") {
        expand_packages(&mut added);
        amender.add("", recipe, &added);
    }
}

struct Amender<'a> {
    source: &'a Arc<SourceText>,
    problems: &'a mut Vec<Problem>,
}

fn below(path: &str, key: &str) -> String {
    let bare = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let key = if bare { key.to_owned() } else { format!("\"{key}\"") };
    if path.is_empty() { key } else { format!("{path}.{key}") }
}

impl Amender<'_> {
    fn say(&mut self, word: &Word, message: String, help: String) {
        let problem =
            Problem::new(codes::AMENDMENT, message).at(self.source, word.span.clone(), "here").help(help);
        self.problems.push(problem);
    }

    fn absent(&mut self, word: &Word, verb: &str, path: &str, target: &Table) {
        let near = nearest(&word.text, target.keys()).map(|near| format!("did you mean `{near}`? "));
        let help =
            format!("{}`{verb}` takes what is there; `add` takes what is not", near.unwrap_or_default());
        self.say(word, format!("`{path}` is not there to {verb}"), help);
    }

    fn add(&mut self, path: &str, target: &mut Table, patch: &Table) {
        for (word, node) in &patch.entries {
            let path = below(path, &word.text);
            match target.get_mut(&word.text).map(|there| &mut there.value) {
                None => target.entries.push((word.clone(), node.clone())),
                Some(there) => match (there, &node.value) {
                    (Value::Table(there), Value::Table(more)) if SECTIONS.contains(&path.as_str()) => {
                        self.add(&path, there, more);
                    }
                    (Value::List(there), Value::List(more)) => there.extend(more.iter().cloned()),
                    _ => self.say(
                        word,
                        format!("`{path}` is there already"),
                        format!("use `replace.{path}` to say something else"),
                    ),
                },
            }
        }
    }

    fn replace(&mut self, path: &str, target: &mut Table, patch: &Table) {
        for (word, node) in &patch.entries {
            let path = below(path, &word.text);
            let Some(there) = target.get_mut(&word.text) else {
                self.absent(word, "replace", &path, target);
                continue;
            };
            match (&mut there.value, &node.value) {
                (Value::Table(there), Value::Table(other)) if SECTIONS.contains(&path.as_str()) => {
                    self.replace(&path, there, other);
                }
                _ => *there = node.clone(),
            }
        }
    }

    fn remove(&mut self, path: &str, target: &mut Table, patch: &Table) {
        for (word, node) in &patch.entries {
            let path = below(path, &word.text);
            let Some(there) = target.get_mut(&word.text) else {
                self.absent(word, "remove", &path, target);
                continue;
            };
            match (&mut there.value, &node.value) {
                (Value::Table(there), Value::Table(inner)) => self.remove(&path, there, inner),
                (there, Value::List(names)) => self.remove_all(&path, there, names),
                _ => self.say(
                    word,
                    format!("`remove.{path}` names nothing"),
                    format!("give a list: `remove.{path} = [\"…\"]`"),
                ),
            }
        }
    }

    fn remove_all(&mut self, path: &str, there: &mut Value, names: &[Node]) {
        for name in names {
            let text = name.text().unwrap_or_default();
            let removed = match there {
                Value::Table(table) => {
                    let before = table.entries.len();
                    table.entries.retain(|(word, _)| word.text != text);
                    before != table.entries.len()
                }
                Value::List(nodes) => {
                    let before = nodes.len();
                    nodes.retain(|node| node.text() != Some(text) && named(node) != Some(text));
                    before != nodes.len()
                }
                _ => false,
            };
            if !removed {
                let word = Word { text: text.to_owned(), span: name.span.clone() };
                let table = if let Value::Table(table) = there { table.clone() } else { Table::default() };
                self.absent(&word, "remove", &below(path, text), &table);
            }
        }
    }
}

/// The name of an element that is a table with one, as those of `test` are.
fn named(node: &Node) -> Option<&str> {
    node.table()?.get("name")?.text()
}
