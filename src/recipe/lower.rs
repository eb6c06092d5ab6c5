//! From nodes, whose shape is checked, to the model: each value gets its own type, or a problem.
//!
//! A value of the wrong type was reported by the shape check and is passed over here, so that one
//! mistake is reported once and the rest of the file is still looked at.

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use super::model::{
    ArchiveSpec, At, Directory, LocalFile, Owner, PackageEntry, Place, Recipe, Take, TextFile,
};
use super::node::{Node, Table, Word};
use super::{Pattern, merged};
use crate::diag::{Problem, SourceText, codes};
use crate::ident::{ImagePath, Platform};

/// Reads values of one recipe and collects what is wrong with them.
pub(super) struct Lowering {
    pub(super) source: Arc<SourceText>,
    pub(super) platform: Platform,
    pub(super) problems: Vec<Problem>,
}

/// Lowers a checked and amended recipe.
pub(super) fn lower(
    source: &Arc<SourceText>,
    folder: &Path,
    table: &Table,
    variant: Option<&str>,
    platform: Platform,
) -> (Option<Recipe>, Vec<Problem>) {
    let mut lowering = Lowering { source: Arc::clone(source), platform, problems: Vec::new() };
    let recipe = lowering.recipe(folder, table, variant);
    (recipe, lowering.problems)
}

impl Lowering {
    pub(super) fn at<T>(&self, value: T, node: &Node) -> At<T> {
        At { value, place: Place { source: Arc::clone(&self.source), span: node.span.clone() } }
    }

    pub(super) fn at_word<T>(&self, value: T, word: &Word) -> At<T> {
        At { value, place: Place { source: Arc::clone(&self.source), span: word.span.clone() } }
    }

    pub(super) fn bad(&mut self, span: &crate::diag::Span, message: impl std::fmt::Display, help: &str) {
        let problem = Problem::new(codes::BAD_VALUE, message.to_string());
        self.problems.push(problem.at(&self.source, span.clone(), "this value").help(help));
    }

    /// A string as its own type.
    pub(super) fn parsed<T: FromStr<Err: std::fmt::Display>>(
        &mut self,
        node: &Node,
        help: &str,
    ) -> Option<T> {
        let text = node.text()?;
        text.parse().map_err(|error| self.bad(&node.span, error, help)).ok()
    }

    fn key<T: FromStr<Err: std::fmt::Display>>(&mut self, word: &Word, help: &str) -> Option<At<T>> {
        match word.text.parse() {
            Ok(value) => Some(self.at_word(value, word)),
            Err(error) => {
                self.bad(&word.span, error, help);
                None
            }
        }
    }

    pub(super) fn text(table: &Table, key: &str) -> Option<String> {
        table.get(key)?.text().map(ToOwned::to_owned)
    }

    pub(super) fn texts(table: &Table, key: &str) -> Option<Vec<String>> {
        Some(table.get(key)?.list()?.iter().filter_map(Node::text).map(ToOwned::to_owned).collect())
    }

    /// A table below `key`, or an empty one.
    pub(super) fn section(table: &Table, key: &str) -> Table {
        table.get(key).and_then(Node::table).cloned().unwrap_or_default()
    }

    /// A path, with merged `/usr`.
    pub(super) fn path(&mut self, text: &str, span: &crate::diag::Span) -> Option<ImagePath> {
        let parsed = merged(text).parse();
        parsed.map_err(|error| self.bad(span, error, "write the whole path, such as `/etc/motd`")).ok()
    }

    pub(super) fn patterns(&mut self, table: &Table, key: &str) -> Vec<At<Pattern>> {
        let nodes = table.get(key).and_then(Node::list).unwrap_or_default();
        nodes.iter().filter_map(|node| self.pattern(node)).collect()
    }

    fn pattern(&mut self, node: &Node) -> Option<At<Pattern>> {
        let pattern = self.parsed(node, "begin with `/`, or with `**/`")?;
        Some(self.at(pattern, node))
    }

    pub(super) fn mode(&mut self, node: &Node) -> Option<u32> {
        let text = node.text()?;
        let octal =
            text.len() >= 3 && text.len() <= 5 && text.bytes().all(|digit| (b'0'..=b'7').contains(&digit));
        let mode = u32::from_str_radix(text, 8).ok().filter(|mode| octal && *mode <= 0o7777);
        if mode.is_none() {
            self.bad(&node.span, format!("`{text}` is not a mode"), "write octal digits, such as `0755`");
        }
        mode
    }

    pub(super) fn owner(&mut self, node: &Node) -> Option<Owner> {
        let text = node
            .integer()
            .map_or_else(|| node.text().unwrap_or_default().to_owned(), |number| number.to_string());
        let (user, group) = match text.split_once(':') {
            Some((user, group)) => (user.to_owned(), Some(group.to_owned())),
            None => (text.clone(), None),
        };
        let number_too_large =
            |part: &str| part.bytes().all(|byte| byte.is_ascii_digit()) && part.parse::<u32>().is_err();
        let fine =
            |part: &str| !part.is_empty() && !part.contains([':', '/', ' ']) && !number_too_large(part);
        if fine(&user) && group.as_deref().is_none_or(fine) && !user.starts_with('-') {
            return Some(Owner { user, group });
        }
        self.bad(
            &node.span,
            format!("`{text}` is not an owner"),
            "write `uid:gid` as numbers, or declared names",
        );
        None
    }

    pub(super) fn optional_owner(&mut self, table: &Table) -> Option<Owner> {
        table.get("owner").and_then(|node| self.owner(node))
    }

    pub(super) fn optional_mode(&mut self, table: &Table) -> Option<u32> {
        table.get("mode").and_then(|node| self.mode(node))
    }

    /// Everything of a table whose keys are paths.
    pub(super) fn by_path<T>(
        &mut self,
        table: &Table,
        key: &str,
        mut value: impl FnMut(&mut Self, &Node) -> Option<T>,
    ) -> BTreeMap<ImagePath, At<T>> {
        let mut found = BTreeMap::new();
        for (word, node) in &Self::section(table, key).entries {
            let (Some(path), Some(value)) = (self.path(&word.text, &word.span), value(self, node)) else {
                continue;
            };
            if path.is_root() {
                self.bad(&word.span, "`/` is the image itself", "name a path below it");
                continue;
            }
            let value = self.at_word(value, word);
            if let Some(first) = found.insert(path.clone(), value).map(|first: At<T>| first.place) {
                let place = self.at_word((), word).place;
                self.problems.push(twice(&path, &first, &place));
            }
        }
        found
    }

    fn recipe(&mut self, folder: &Path, table: &Table, variant: Option<&str>) -> Option<Recipe> {
        let name = table
            .get("name")
            .and_then(|node| self.parsed(node, "this names the image: `python`, `my-team.app`"));
        if table.get("name").is_none() {
            let problem = Problem::new(codes::MISSING_KEY, "the recipe has no `name`");
            self.problems.push(problem.at(&self.source, 0..0, "at its beginning").help("add `name = \"…\"`"));
        }
        let debian = Self::section(table, "debian");
        let named = name.is_some();
        let recipe = Recipe {
            // Without a name the rest is looked at all the same, for what else is wrong.
            name: name.unwrap_or_else(|| "unnamed".parse().expect("a name")),
            summary: Self::text(table, "summary"),
            description: Self::text(table, "description"),
            source_url: Self::text(table, "source"),
            licenses: Self::text(table, "licenses"),
            variant: variant.map(ToOwned::to_owned),
            version: Self::text(table, "version"),
            version_of: table.get("version-of").and_then(|node| {
                let name = self.parsed(node, "name one of the recipe's packages")?;
                Some(self.at(name, node))
            }),
            tags: self.tags(table),
            suite: debian.get("suite").and_then(|node| Some(self.at(node.text()?.to_owned(), node))),
            components: Self::texts(&debian, "components").unwrap_or_default(),
            prefer: self.prefer(&debian),
            archives: self.archives(&debian),
            packages: self.packages_and_locales(&debian, table),
            links: self.by_path(table, "links", Self::link),
            directories: self.by_path(table, "directories", Self::directory),
            texts: self.by_path(table, "files", Self::text_file),
            files: self.by_path(table, "file", Self::local_file),
            downloads: self.downloads(table),
            modes: self.by_pattern(table, "modes", Self::mode),
            owners: self.by_pattern(table, "owners", Self::owner),
            capabilities: self.patterns(table, "capabilities"),
            drop: self.patterns(table, "drop"),
            users: self.users(table),
            groups: self.groups(table),
            closure: self.closure(table),
            system: self.system(table),
            image: self.image(table),
            allow: self.exceptions(table),
            tests: self.tests(table),
            lifecycle: Self::lifecycle(table),
            layers: self.layers(table),
            folder: folder.to_owned(),
            text: Arc::clone(&self.source),
        };
        self.check_duplicates(&recipe);
        named.then_some(recipe)
    }

    fn link(&mut self, node: &Node) -> Option<String> {
        let target = node.text()?;
        if target.is_empty() || target.contains('\0') || target.len() > 4095 {
            self.bad(&node.span, "a link needs a target", "give the path that it points to");
            return None;
        }
        Some(target.to_owned())
    }

    fn directory(&mut self, node: &Node) -> Option<Directory> {
        match node.table() {
            None => Some(Directory { mode: self.mode(node)?, owner: None }),
            Some(table) => {
                let mode = self.optional_mode(table).unwrap_or(0o755);
                Some(Directory { mode, owner: self.optional_owner(table) })
            }
        }
    }

    fn text_file(&mut self, node: &Node) -> Option<TextFile> {
        match node.table() {
            None => Some(TextFile { text: node.text()?.to_owned(), mode: 0o644, owner: None }),
            Some(table) => {
                let mode = self.optional_mode(table).unwrap_or(0o644);
                Some(TextFile { text: Self::text(table, "text")?, mode, owner: self.optional_owner(table) })
            }
        }
    }

    fn local_file(&mut self, node: &Node) -> Option<LocalFile> {
        let (from, mode, owner) = match node.table() {
            None => (node, None, None),
            Some(table) => (table.get("from")?, self.optional_mode(table), self.optional_owner(table)),
        };
        Some(LocalFile { from: self.local_path(from)?, mode, owner })
    }

    /// A path below the recipe's folder.
    pub(super) fn local_path(&mut self, node: &Node) -> Option<String> {
        let path = node.text()?;
        if ImagePath::from_member(path).map_or(true, |path| path.is_root()) {
            let help = "write it relative to the recipe, without `..`: what is outside the folder is not the recipe's";
            self.bad(&node.span, format!("`{path}` is not below the recipe's folder"), help);
            return None;
        }
        Some(path.to_owned())
    }

    fn by_pattern<T>(
        &mut self,
        table: &Table,
        key: &str,
        mut value: impl FnMut(&mut Self, &Node) -> Option<T>,
    ) -> Vec<At<(Pattern, T)>> {
        let mut found = Vec::new();
        for (word, node) in &Self::section(table, key).entries {
            let pattern: Option<At<Pattern>> = self.key(word, "begin with `/`, or with `**/`");
            if let (Some(pattern), Some(value)) = (pattern, value(self, node)) {
                found.push(At { value: (pattern.value, value), place: pattern.place });
            }
        }
        found
    }

    fn tags(&mut self, table: &Table) -> Vec<At<String>> {
        let nodes = table.get("tags").and_then(Node::list).unwrap_or_default();
        let mut tags = Vec::new();
        for node in nodes {
            let Some(text) = node.text() else { continue };
            // What the version will be is not known yet; any stand-in shows whether the rest is a tag.
            match text.replace("{version}", "1").parse::<crate::ident::TagName>() {
                Ok(_) => tags.push(self.at(text.to_owned(), node)),
                Err(error) => self.bad(
                    &node.span,
                    error,
                    "a tag may hold `{version}` and letters, digits, `_`, `.`, `-`",
                ),
            }
        }
        tags
    }

    fn prefer(&mut self, debian: &Table) -> Vec<crate::ident::PackageName> {
        let nodes = debian.get("prefer").and_then(Node::list).unwrap_or_default();
        nodes.iter().filter_map(|node| self.parsed(node, "name packages")).collect()
    }

    fn archives(&mut self, debian: &Table) -> Vec<ArchiveSpec> {
        let mut specs = Vec::new();
        for (word, node) in &Self::section(debian, "archives").entries {
            let name = self.key(word, "a name, not an address: mirrors say where it is");
            let (Some(name), Some(table)) = (name, node.table()) else { continue };
            let keys = table.get("keys").and_then(Node::list).unwrap_or_default();
            specs.push(ArchiveSpec {
                name,
                suites: Self::texts(table, "suites").unwrap_or_default(),
                components: Self::texts(table, "components").unwrap_or_default(),
                keys: keys.iter().filter_map(|node| Some(self.at(node.text()?.to_owned(), node))).collect(),
                origin: Self::text(table, "origin"),
                label: Self::text(table, "label"),
                priority: table.get("priority").and_then(Node::integer),
            });
        }
        specs
    }

    pub(super) fn packages(&mut self, debian: &Table) -> Vec<PackageEntry> {
        let mut entries = Vec::new();
        for (word, node) in &Self::section(debian, "packages").entries {
            let Some(name) = self.key(word, "name a Debian binary package") else { continue };
            let empty = Table::default();
            let table = node.table().unwrap_or(&empty);
            if !self.for_this_platform(table) {
                continue;
            }
            let take = self.take(node, table);
            entries.push(PackageEntry { name, take, except: self.patterns(table, "except") });
        }
        entries
    }

    fn take(&mut self, node: &Node, table: &Table) -> Take {
        match node.text() {
            Some("runtime") => Take::Runtime,
            Some("all") => Take::All,
            Some(text) => {
                self.bad(
                    &node.span,
                    format!("`{text}` does not say what to take"),
                    "`\"runtime\"`, `\"all\"`, or a list of patterns",
                );
                Take::Runtime
            }
            None if node.list().is_some() => {
                let nodes = node.list().unwrap_or_default();
                Take::Files(nodes.iter().filter_map(|node| self.pattern(node)).collect())
            }
            None if table.get("files").is_some() => Take::Files(self.patterns(table, "files")),
            None => Take::Runtime,
        }
    }

    fn for_this_platform(&mut self, table: &Table) -> bool {
        let Some(nodes) = table.get("platforms").and_then(Node::list) else { return true };
        let help = "`linux/amd64` or `linux/arm64`";
        let platforms: Vec<Platform> = nodes.iter().filter_map(|node| self.parsed(node, help)).collect();
        platforms.contains(&self.platform)
    }

    /// Each path has one origin among links, folders, texts and files.
    fn check_duplicates(&mut self, recipe: &Recipe) {
        let origins = [
            recipe.links.iter().map(|(path, at)| (path, &at.place)).collect::<Vec<_>>(),
            recipe.directories.iter().map(|(path, at)| (path, &at.place)).collect(),
            recipe.texts.iter().map(|(path, at)| (path, &at.place)).collect(),
            recipe.files.iter().map(|(path, at)| (path, &at.place)).collect(),
        ];
        let mut seen: BTreeMap<&ImagePath, &Place> = BTreeMap::new();
        for (path, place) in origins.into_iter().flatten() {
            if let Some(first) = seen.insert(path, place) {
                let problem = twice(path, first, place);
                self.problems.push(problem);
            }
        }
    }

    fn layers(&mut self, table: &Table) -> usize {
        let Some(node) = table.get("layers") else { return 4 };
        let number = node.integer().unwrap_or(4);
        if !(1..=32).contains(&number) {
            self.bad(&node.span, format!("{number} is not a number of layers"), "1 to 32");
        }
        usize::try_from(number).unwrap_or(4)
    }
}

fn twice(path: &ImagePath, first: &Place, place: &Place) -> Problem {
    place
        .problem(codes::DUPLICATE_PATH, format!("`{path}` is declared twice"), "again here")
        .at(&first.source, first.span.clone(), "first here")
        .help("a path has one origin, and `/bin/x` is `/usr/bin/x`: keep one of the two")
}
