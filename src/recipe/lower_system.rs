//! Lowering of `[system]`: what maintainer scripts would have made.

use std::collections::BTreeMap;

use super::Pattern;
use super::lower::Lowering;
use super::model::{At, PackageEntry, System, Take, Zones};
use super::node::{Node, Table, Word};
use crate::ident::{ImagePath, PackageName};

/// The package that has every locale but C's, and the one that has C's.
const LOCALES: [&str; 2] = ["locales-all", "libc-bin"];

/// Fields by which scanners know the distribution: with others they see no packages.
const IDENTITY: [&str; 3] = ["ID", "VERSION_ID", "VERSION_CODENAME"];

impl Lowering {
    pub(super) fn system(&mut self, table: &Table) -> System {
        let table = &Self::section(table, "system");
        let flag = |key: &str| table.get(key).and_then(Node::flag);
        System {
            certificates: self.each_text(table, "certificates", Self::local_path),
            certificate_links: flag("certificate-links"),
            java_trust_store: flag("java-trust-store").unwrap_or(false),
            locales: self.each_text(table, "locales", Self::locale),
            timezones: self.timezones(table),
            timezone: table.get("timezone").and_then(|node| {
                let zone = self.zone(node)?;
                Some(self.at(zone, node))
            }),
            os_release: self.os_release(table),
            alternatives: self.alternatives(table),
            nsswitch: self.nsswitch(table),
            mime: table
                .get("mime")
                .filter(|node| node.flag() == Some(true))
                .map(|node| self.at((), node).place),
        }
    }

    /// The packages that a recipe names, and those of its locales, of which nothing else is taken.
    pub(super) fn packages_and_locales(&mut self, debian: &Table, table: &Table) -> Vec<PackageEntry> {
        let mut entries = self.packages(debian);
        let system = Self::section(table, "system");
        for node in system.get("locales").and_then(Node::list).unwrap_or_default() {
            let Some(text) = node.text() else { continue };
            let package: PackageName = locale_package(text).parse().expect("a package's name");
            if !entries.iter().any(|entry| entry.name.value == package) {
                let name = self.at(package, node);
                entries.push(PackageEntry { name, take: Take::Files(Vec::new()), except: Vec::new() });
            }
        }
        entries
    }

    fn each_text(
        &mut self,
        table: &Table,
        key: &str,
        mut value: impl FnMut(&mut Self, &Node) -> Option<String>,
    ) -> Vec<At<String>> {
        let nodes = table.get(key).and_then(Node::list).unwrap_or_default();
        let mut found: Vec<At<String>> = Vec::new();
        for node in nodes {
            let Some(value) = value(self, node) else { continue };
            if found.iter().any(|there| there.value == value) {
                self.bad(&node.span, format!("`{value}` is there twice"), "name it once");
            } else {
                found.push(self.at(value, node));
            }
        }
        found
    }

    fn locale(&mut self, node: &Node) -> Option<String> {
        let text = node.text()?;
        let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.@".contains(&byte);
        if !text.is_empty() && !text.starts_with(['.', '-']) && text.bytes().all(fine) {
            return Some(text.to_owned());
        }
        self.bad(&node.span, format!("`{text}` is not the name of a locale"), "such as `de_CH.UTF-8`");
        None
    }

    fn timezones(&mut self, table: &Table) -> Option<At<Zones>> {
        let node = table.get("timezones")?;
        let help = "`\"all\"`, `\"none\"`, or a list of patterns such as `Europe/*`";
        let zones = match (node.text(), node.list()) {
            (Some("all"), _) => Zones::All,
            (Some("none"), _) => Zones::None,
            (Some(text), _) => {
                self.bad(&node.span, format!("`{text}` does not say which time zones stay"), help);
                return None;
            }
            (None, Some([])) => {
                self.bad(&node.span, "no time zone is named", help);
                return None;
            }
            (None, Some(nodes)) => {
                Zones::Only(nodes.iter().filter_map(|node| self.zone_pattern(node)).collect())
            }
            (None, None) => return None,
        };
        Some(self.at(zones, node))
    }

    fn zone_pattern(&mut self, node: &Node) -> Option<At<Pattern>> {
        match Pattern::of_members(node.text()?) {
            Ok(pattern) => Some(self.at(pattern, node)),
            Err(error) => {
                self.bad(&node.span, error, "names of time zones, such as `Europe/*`");
                None
            }
        }
    }

    fn zone(&mut self, node: &Node) -> Option<String> {
        let text = node.text()?;
        let part = |part: &str| {
            let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"_-+".contains(&byte);
            !part.is_empty() && part.bytes().all(fine)
        };
        if text.split('/').all(part) {
            return Some(text.to_owned());
        }
        self.bad(&node.span, format!("`{text}` is not the name of a time zone"), "such as `Europe/Zurich`");
        None
    }

    /// Fields of os-release(5): what is no assignment to a shell would end the file for its readers.
    fn os_release(&mut self, table: &Table) -> BTreeMap<String, At<String>> {
        let mut fields = BTreeMap::new();
        for (word, node) in &Self::section(table, "os-release").entries {
            let Some(value) = node.text() else { continue };
            let name = &word.text;
            let fine = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
            if !name.starts_with(|first: char| first.is_ascii_uppercase()) || !name.bytes().all(fine) {
                let help = "upper-case letters, digits and `_`, such as `VARIANT_ID`";
                self.bad(&word.span, format!("`{name}` is not a field of os-release"), help);
            } else if IDENTITY.contains(&name.as_str()) {
                let help = "scanners know Debian's packages by it; `VARIANT_ID` and `IMAGE_ID` are yours";
                self.bad(&word.span, format!("`{name}` says which distribution this is"), help);
            } else if value.chars().any(char::is_control) {
                let help = "a field is one line of text";
                self.bad(&node.span, format!("`{name}` holds a line end or another control character"), help);
            } else {
                fields.insert(name.clone(), self.at_word(value.to_owned(), word));
            }
        }
        fields
    }

    fn alternatives(&mut self, table: &Table) -> BTreeMap<ImagePath, At<ImagePath>> {
        let mut found: BTreeMap<ImagePath, At<ImagePath>> = BTreeMap::new();
        for (word, node) in &Self::section(table, "alternatives").entries {
            let Some(target) = node.text().and_then(|text| self.path(text, &node.span)) else { continue };
            let Some(link) = self.path(&word.text, &word.span) else { continue };
            if let Some(why) = self.no_alternative(&link, &target, &found) {
                let help = "a link outside of `/etc/alternatives`, to another file, each name once";
                self.bad(&word.span, why, help);
            } else {
                found.insert(link, self.at_word(target, word));
            }
        }
        found
    }

    #[allow(clippy::unused_self)] // as its neighbours
    fn no_alternative(
        &self,
        link: &ImagePath,
        target: &ImagePath,
        others: &BTreeMap<ImagePath, At<ImagePath>>,
    ) -> Option<String> {
        let managed = |path: &ImagePath| path.as_str().starts_with("/etc/alternatives");
        if link.is_root() || target.is_root() || managed(link) || managed(target) {
            Some(format!("`{link}` can't lead to `{target}` by an alternative"))
        } else if link == target {
            Some(format!("`{link}` leads to itself"))
        } else {
            let other = others.keys().find(|other| other.file_name() == link.file_name())?;
            Some(format!("`{link}` and `{other}` are alternatives of one name"))
        }
    }

    fn nsswitch(&mut self, table: &Table) -> Vec<(String, String)> {
        let mut lines = Vec::new();
        for (word, node) in &Self::section(table, "nsswitch").entries {
            let Some(value) = node.text() else { continue };
            if self.database(word) && self.services(value, node) {
                lines.push((word.text.clone(), value.to_owned()));
            }
        }
        lines
    }

    fn database(&mut self, word: &Word) -> bool {
        let name = &word.text;
        let fine = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        if !fine {
            let help = "a database of nsswitch.conf(5), such as `hosts`";
            self.bad(&word.span, format!("`{name}` is not a database"), help);
        }
        fine
    }

    fn services(&mut self, value: &str, node: &Node) -> bool {
        let fine = |byte: u8| byte.is_ascii_alphanumeric() || b" _-[]!=".contains(&byte);
        let fine = !value.trim().is_empty() && value.bytes().all(fine);
        if !fine {
            let help = "names of services and `[…]`, such as `files dns`";
            self.bad(&node.span, format!("`{value}` does not say where to look"), help);
        }
        fine
    }
}

/// The package that has a locale.
fn locale_package(locale: &str) -> &'static str {
    if locale == "C" || locale.starts_with("C.") { LOCALES[1] } else { LOCALES[0] }
}
