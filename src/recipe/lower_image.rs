//! Lowering of accounts, the image's configuration and lifecycle.

use std::collections::BTreeMap;

use super::lower::Lowering;
use super::model::{At, Group, ImageSpec, Lifecycle, User};
use super::node::{Node, Table, Value};
use crate::ident::ImagePath;

/// Signals by name, as a container runtime takes them.
const SIGNALS: &[&str] =
    &["TERM", "QUIT", "INT", "HUP", "USR1", "USR2", "WINCH", "KILL", "ALRM", "CONT", "STOP"];

impl Lowering {
    fn id(&mut self, node: &Node) -> Option<u32> {
        let number = node.integer()?;
        let id = u32::try_from(number).ok().filter(|id| *id < u32::MAX);
        if id.is_none() {
            self.bad(&node.span, format!("{number} is not the number of a user or group"), "0 to 4294967294");
        }
        id
    }

    fn account_name(&mut self, word: &super::node::Word) -> Option<String> {
        let fine = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
        let name = &word.text;
        let starts = name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_');
        if starts && name.len() <= 32 && name.bytes().all(fine) {
            return Some(name.clone());
        }
        self.bad(
            &word.span,
            format!("`{name}` is not the name of a user or group"),
            "up to 32 of `a-z 0-9 _ -`",
        );
        None
    }

    pub(super) fn users(&mut self, table: &Table) -> Vec<User> {
        let mut users = Vec::new();
        for (word, node) in &Self::section(table, "users").entries {
            let empty = Table::default();
            let table = node.table().unwrap_or(&empty);
            let uid = table.get("uid").unwrap_or(node);
            let (Some(name), Some(uid)) = (self.account_name(word), self.id(uid)) else { continue };
            let gid = table.get("gid").and_then(|node| self.id(node)).unwrap_or(uid);
            let groups = table.get("groups").and_then(Node::list).unwrap_or_default();
            let groups: Vec<At<String>> =
                groups.iter().filter_map(|node| Some(self.at(node.text()?.to_owned(), node))).collect();
            let mut field = |key: &str, default: &str| self.account_field(table, key, default);
            let home = field("home", "/nonexistent");
            let shell = field("shell", "/usr/sbin/nologin");
            let comment = field("comment", &name);
            users.push(User { name, uid, gid, groups, home, shell, comment });
        }
        users
    }

    /// A field of passwd(5): a colon or a line end in it would forge another account.
    fn account_field(&mut self, table: &Table, key: &str, default: &str) -> String {
        let Some(node) = table.get(key) else { return default.to_owned() };
        let text = node.text().unwrap_or(default);
        if text.contains([':', '\n', '\0']) {
            self.bad(
                &node.span,
                format!("`{key}` holds a colon or a line end"),
                "passwd(5) separates its fields by colons",
            );
        }
        text.to_owned()
    }

    pub(super) fn groups(&mut self, table: &Table) -> Vec<Group> {
        let mut groups = Vec::new();
        for (word, node) in &Self::section(table, "groups").entries {
            if let (Some(name), Some(gid)) = (self.account_name(word), self.id(node)) {
                groups.push(Group { name, gid });
            }
        }
        groups
    }

    fn map(table: &Table, key: &str) -> BTreeMap<String, String> {
        let section = Self::section(table, key);
        let pair =
            |(word, node): &(super::node::Word, Node)| Some((word.text.clone(), node.text()?.to_owned()));
        section.entries.iter().filter_map(pair).collect()
    }

    pub(super) fn image(&mut self, table: &Table) -> ImageSpec {
        let table = &Self::section(table, "image");
        let user = table.get("user").and_then(|node| self.owner(node).map(|owner| self.at(owner, node)));
        ImageSpec {
            user,
            entrypoint: Self::texts(table, "entrypoint"),
            cmd: Self::texts(table, "cmd"),
            env: self.env(table),
            workdir: table.get("workdir").and_then(|node| self.path(node.text()?, &node.span)),
            ports: self.ports(table),
            volumes: self.volumes(table),
            stop_signal: self.stop_signal(table),
            labels: Self::map(table, "labels"),
            annotations: Self::map(table, "annotations"),
        }
    }

    pub(super) fn env(&mut self, table: &Table) -> BTreeMap<String, String> {
        for (word, _) in &Self::section(table, "env").entries {
            if word.text.is_empty() || word.text.contains(['=', '\0']) {
                self.bad(&word.span, format!("`{}` is not a variable's name", word.text), "no `=` in a name");
            }
        }
        self.no_nul(table, &["env", "labels", "annotations"]);
        Self::map(table, "env")
    }

    /// A zero byte ends a string where a container runs: what is behind it would be lost.
    fn no_nul(&mut self, table: &Table, sections: &[&str]) {
        for (word, node) in sections.iter().flat_map(|name| Self::section(table, name).entries) {
            if node.text().is_some_and(|text| text.contains('\0'))
                || word.text.contains('\0')
                || word.text.is_empty()
            {
                self.bad(
                    &node.span,
                    format!("`{}` is empty, or holds a zero byte", word.text.escape_debug()),
                    "name it, and leave the zero byte out",
                );
            }
        }
    }

    fn ports(&mut self, table: &Table) -> Vec<String> {
        let nodes = table.get("ports").and_then(Node::list).unwrap_or_default();
        let mut ports = Vec::new();
        for node in nodes {
            let text = match &node.value {
                Value::Integer(number) => number.to_string(),
                Value::Text(text) => text.clone(),
                _ => continue,
            };
            let (number, protocol) = text.split_once('/').unwrap_or((&text, "tcp"));
            if number.parse::<u16>().is_ok_and(|port| port > 0) && matches!(protocol, "tcp" | "udp" | "sctp")
            {
                ports.push(format!("{number}/{protocol}"));
            } else {
                self.bad(&node.span, format!("`{text}` is not a port"), "write `8080`, or `53/udp`");
            }
        }
        ports
    }

    fn volumes(&mut self, table: &Table) -> Vec<ImagePath> {
        let nodes = table.get("volumes").and_then(Node::list).unwrap_or_default();
        nodes.iter().filter_map(|node| self.path(node.text()?, &node.span)).collect()
    }

    fn stop_signal(&mut self, table: &Table) -> Option<String> {
        let node = table.get("stop-signal")?;
        let text = node.text()?;
        let name = text.strip_prefix("SIG").unwrap_or(text);
        let number = name.parse::<u8>().is_ok_and(|number| (1..=64).contains(&number));
        if SIGNALS.contains(&name) || number || name.starts_with("RTMIN") {
            return Some(if number { name.to_owned() } else { format!("SIG{name}") });
        }
        self.bad(&node.span, format!("`{text}` is not a signal"), "a name such as `SIGTERM`, or a number");
        None
    }

    pub(super) fn lifecycle(table: &Table) -> Lifecycle {
        let table = &Self::section(table, "lifecycle");
        let date = |node: &Node| if let Value::Date(date) = &node.value { Some(date.clone()) } else { None };
        Lifecycle {
            owner: Self::text(table, "owner"),
            contact: Self::text(table, "contact"),
            end_of_life: table.get("end-of-life").and_then(date),
            status: Self::text(table, "status"),
        }
    }
}
