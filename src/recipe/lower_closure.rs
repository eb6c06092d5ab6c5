//! Lowering of `[closure]`.

use std::collections::BTreeMap;

use super::lower::Lowering;
use super::model::{At, ClosureSpec};
use super::node::{Node, Table};
use super::{Pattern, merged};

impl Lowering {
    pub(super) fn closure(&mut self, table: &Table) -> ClosureSpec {
        let table = &Self::section(table, "closure");
        let keep = self.reasons(table, "keep");
        self.check_kept(&keep);
        ClosureSpec { skip: self.reasons(table, "skip"), dlopen: self.dlopen(table), keep }
    }

    /// Words and the reason for each, which must say something.
    pub(super) fn reasons(&mut self, table: &Table, key: &str) -> BTreeMap<String, At<String>> {
        let mut reasons = BTreeMap::new();
        for (word, node) in &Self::section(table, key).entries {
            let Some(reason) = node.text() else { continue };
            if reason.trim().is_empty() {
                let message = format!("there is no reason for `{}`", word.text);
                self.bad(&node.span, message, "say why, for those who read the recipe after you");
            } else {
                reasons.insert(word.text.clone(), self.at_word(reason.trim().to_owned(), word));
            }
        }
        reasons
    }

    fn check_kept(&mut self, keep: &BTreeMap<String, At<String>>) {
        for (name, at) in keep {
            if let Err(error) = name.parse::<crate::ident::PackageName>() {
                let span = at.place.span.clone();
                self.bad(&span, error, "the name of a package that the recipe takes");
            }
        }
    }

    fn dlopen(&mut self, table: &Table) -> Vec<At<(Pattern, Vec<At<String>>)>> {
        let mut rows = Vec::new();
        for (word, node) in &Self::section(table, "dlopen").entries {
            let opens = node.list().unwrap_or_default().iter().filter_map(|node| self.opened(node)).collect();
            match word.text.parse() {
                Ok(pattern) => rows.push(self.at_word((pattern, opens), word)),
                Err(error) => {
                    self.bad(&word.span, error, "the path of the file that opens, or a pattern of it");
                }
            }
        }
        rows
    }

    /// A pattern of paths, or a library's bare name.
    fn opened(&mut self, node: &Node) -> Option<At<String>> {
        let text = node.text()?;
        if !text.contains('/') && !text.is_empty() {
            return Some(self.at(text.to_owned(), node));
        }
        match text.parse::<Pattern>() {
            Ok(_) => Some(self.at(merged(text), node)),
            Err(error) => {
                self.bad(&node.span, error, "a pattern of paths, or a library's name");
                None
            }
        }
    }
}
