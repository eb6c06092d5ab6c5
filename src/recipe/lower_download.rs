//! Lowering of archives from an address.

use std::collections::BTreeMap;

use super::Pattern;
use super::lower::Lowering;
use super::model::{At, Download, DownloadFormat};
use super::node::{Node, Table};
use crate::ident::ArchiveName;

impl Lowering {
    pub(super) fn downloads(&mut self, table: &Table) -> BTreeMap<String, At<Download>> {
        let mut found = BTreeMap::new();
        for (word, node) in &Self::section(table, "archive").entries {
            let Some(table) = node.table() else { continue };
            if let Some(download) = self.download(table) {
                found.insert(word.text.clone(), self.at_word(download, word));
            }
        }
        found
    }

    fn download(&mut self, table: &Table) -> Option<Download> {
        // Each is looked at before any is missed, so that all that is wrong is said.
        let url = table.get("url").and_then(|node| self.address(node));
        let format = table.get("url").and_then(|node| self.download_format(table, node));
        let sha256 = table.get("sha256").and_then(|node| self.parsed(node, "`sha256sum FILE` prints it"));
        let place = table.get("place").and_then(|node| self.path(node.text()?, &node.span));
        let strip = table.get("strip").map_or(Some(0), |node| self.strip(node));
        let pick = table.get("pick").and_then(Node::list).unwrap_or_default();
        let pick = pick.iter().filter_map(|node| self.member_pattern(node)).collect();
        let owner = self.optional_owner(table);
        Some(Download {
            url: url?,
            sha256: sha256?,
            format: format?,
            strip: strip?,
            pick,
            place: place?,
            owner,
        })
    }

    /// `https://…`, or `NAME:path` below a mirror that the site names.
    fn address(&mut self, node: &Node) -> Option<String> {
        let text = node.text()?;
        let mirror = |(name, path): (&str, &str)| {
            name.parse::<ArchiveName>().is_ok() && !path.starts_with("//") && !path.is_empty()
        };
        if text.parse::<crate::host::Url>().is_ok() || text.split_once(':').is_some_and(mirror) {
            return Some(text.to_owned());
        }
        let help =
            "write an http, https or file address, or `NAME:path` for a path below a mirror of that name";
        self.bad(&node.span, format!("`{text}` is not an address"), help);
        None
    }

    fn strip(&mut self, node: &Node) -> Option<usize> {
        let strip = node.integer()?;
        if !(0..=32).contains(&strip) {
            self.bad(&node.span, format!("{strip} is not a number of leading folders"), "0 to 32");
        }
        usize::try_from(strip).ok()
    }

    fn member_pattern(&mut self, node: &Node) -> Option<At<Pattern>> {
        match Pattern::of_members(node.text()?) {
            Ok(pattern) => Some(self.at(pattern, node)),
            Err(error) => {
                self.bad(&node.span, error, "a path inside the archive, such as `bin/*`");
                None
            }
        }
    }

    fn download_format(&mut self, table: &Table, url: &Node) -> Option<DownloadFormat> {
        let named = table.get("format").unwrap_or(url);
        let text = named.text()?.split(['?', '#']).next()?;
        let ends = |endings: &[&str]| endings.iter().any(|ending| text.ends_with(ending));
        if ends(&["tar", "tar.gz", "tgz", "tar.xz", "txz", "tar.zst", "tzst"]) {
            Some(DownloadFormat::Tar)
        } else if ends(&["zip"]) {
            Some(DownloadFormat::Zip)
        } else if text == "file" {
            Some(DownloadFormat::File)
        } else {
            let help =
                "`format` takes `tar`, `tar.gz`, `tar.xz`, `tar.zst`, `zip`, or `file` for a single file";
            self.bad(&named.span, "what kind of archive this is can't be told", help);
            None
        }
    }
}
