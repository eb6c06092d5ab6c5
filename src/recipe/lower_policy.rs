//! Lowering of exceptions to the contents policy.

use super::lower::Lowering;
use super::model::At;
use super::node::{Node, Table};
use super::policy::{EXCEPTION_LABEL, Exception, PolicyRule};

impl Lowering {
    pub(super) fn exceptions(&mut self, table: &Table) -> Vec<At<Exception>> {
        self.own_labels(table);
        let allow = Self::section(&Self::section(table, "policy"), "allow");
        let mut found = Vec::new();
        for (word, node) in &allow.entries {
            // A rule that there is not was reported by the shape check.
            let Ok(rule) = word.text.parse::<PolicyRule>() else { continue };
            if let Some(exception) = self.exception(rule, node) {
                found.push(self.at_word(exception, word));
            }
        }
        found
    }

    /// Labels that say what is allowed are made from what is: nobody writes them beside it.
    fn own_labels(&mut self, table: &Table) {
        let labels = Self::section(&Self::section(table, "image"), "labels");
        for (word, _) in labels.entries.iter().filter(|(word, _)| word.text.starts_with(EXCEPTION_LABEL)) {
            let message = format!("`{}` is a label that hardpan makes of exceptions", word.text);
            self.bad(&word.span, message, "say it in `[policy.allow]`");
        }
    }

    fn exception(&mut self, rule: PolicyRule, node: &Node) -> Option<Exception> {
        let Some(table) = node.table() else {
            let reason = self.reason(node)?;
            return Some(Exception { rule, reason, paths: Vec::new() });
        };
        let reason = table.get("reason").and_then(|node| self.reason(node));
        let paths = self.patterns(table, "paths");
        if let Some(node) = table.get("paths") {
            if rule == PolicyRule::Root {
                self.bad(
                    &node.span,
                    "`root` is about the image's user, not about paths",
                    "leave `paths` out",
                );
            } else if node.list().is_some_and(<[Node]>::is_empty) {
                self.bad(&node.span, "`paths` names none", "leave it out to allow all of them");
            }
        }
        Some(Exception { rule, reason: reason?, paths })
    }

    /// Why, on one line: it becomes a label.
    fn reason(&mut self, node: &Node) -> Option<String> {
        let text = node.text()?.trim();
        if text.is_empty() {
            let help = "say why the image needs it: whoever is handed the image reads this";
            self.bad(&node.span, "an exception needs a reason", help);
            return None;
        }
        if text.contains(char::is_control) {
            self.bad(&node.span, "a reason holds a line end or another control character", "write one line");
            return None;
        }
        Some(text.to_owned())
    }
}
