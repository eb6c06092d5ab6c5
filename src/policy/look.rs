//! Looking at the tree of one recipe, while its layers are made.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::finding::{Finding, Findings, Owned, Replaced};
use super::{names, passwords};
use crate::diag::Result;
use crate::host::file_problem;
use crate::ident::{ImagePath, PackageName, Sha256};
use crate::layer::{Data, Inputs, Node, NodeKind, Origin, Tree};
use crate::recipe::{PolicyRule, merged};
use crate::source::{ContentReader, Kind, Secret, secrets};

/// Raise it when other things are found in the same tree, or findings have another form.
pub const FINDINGS_VERSION: u32 = 1;

/// Looks at what a recipe adds to the trees below.
pub fn look(recipe: &str, tree: &Tree, below: &[Tree], inputs: &Inputs) -> Result<Findings> {
    let trees: Vec<&Tree> = below.iter().chain([tree]).collect();
    let mut looking = Looking {
        recipe,
        inputs,
        shells: copies_of(&trees, names::is_shell),
        managers: copies_of(&trees, names::is_manager),
        trees,
        reader: ContentReader::new(),
        findings: Findings { replaced: replaced(tree, below, inputs), ..Findings::default() },
        owned: BTreeMap::new(),
    };
    for (path, node) in &tree.nodes {
        looking.bits(path, node);
        looking.owner(path, node);
        match &node.kind {
            NodeKind::File(data) => looking.file(path, node, data)?,
            NodeKind::Symlink(_) => looking.link(path, node),
            NodeKind::Directory => {}
        }
    }
    let owned = looking.owned.into_iter().map(|((uid, gid), paths)| Owned { uid, gid, paths });
    looking.findings.owned = owned.collect();
    Ok(looking.findings)
}

/// The contents of files that are called as something is, and what the first of each is called.
type Contents = BTreeMap<Sha256, ImagePath>;

fn copies_of(trees: &[&Tree], is: fn(&ImagePath, bool) -> bool) -> Contents {
    let mut contents = Contents::new();
    for (path, node) in trees.iter().flat_map(|tree| &tree.nodes) {
        if let Some(data) = node.data().filter(|data| data.size() > 0)
            && is(path, node.mode & 0o111 != 0)
        {
            contents.entry(data.sha256()).or_insert_with(|| path.clone());
        }
    }
    contents
}

struct Looking<'a> {
    recipe: &'a str,
    inputs: &'a Inputs,
    /// This tree and those below, this one last.
    trees: Vec<&'a Tree>,
    shells: Contents,
    managers: Contents,
    reader: ContentReader,
    findings: Findings,
    owned: BTreeMap<(u32, u32), BTreeMap<ImagePath, Origin>>,
}

impl Looking<'_> {
    fn add(&mut self, rule: PolicyRule, path: &ImagePath, node: &Node, what: impl Into<String>) {
        self.found(rule, path, None, node, what.into());
    }

    fn found(
        &mut self,
        rule: PolicyRule,
        path: &ImagePath,
        target: Option<ImagePath>,
        node: &Node,
        what: String,
    ) {
        let (origin, recipe) = (node.origin.clone(), self.recipe.to_owned());
        self.findings.found.insert(Finding { rule, path: Some(path.clone()), target, what, origin, recipe });
    }

    /// Set-id bits, capabilities, and who may write.
    fn bits(&mut self, path: &ImagePath, node: &Node) {
        let (is_file, mode) = (node.data().is_some(), node.mode);
        if is_file && mode & 0o6000 != 0 {
            let who = match mode & 0o6000 {
                0o4000 => "its owner",
                0o2000 => "its group",
                _ => "its owner and group",
            };
            let owner = format!("{}:{}", node.uid, node.gid);
            self.add(PolicyRule::Setuid, path, node, format!("runs as {who} ({owner}, mode {mode:04o})"));
        }
        if is_file && node.xattrs.contains_key("security.capability") {
            self.add(PolicyRule::Setuid, path, node, "runs with capabilities of root's");
        }
        let sticky_folder = node.is_directory() && mode & 0o1000 != 0;
        if (is_file || node.is_directory()) && mode & 0o002 != 0 && !sticky_folder {
            let what = if is_file { "a file" } else { "a folder without the sticky bit" };
            let what = format!("is {what} that anybody may write (mode {mode:04o})");
            self.add(PolicyRule::WorldWritable, path, node, what);
        }
    }

    fn owner(&mut self, path: &ImagePath, node: &Node) {
        if (node.uid, node.gid) != (0, 0) {
            let paths = self.owned.entry((node.uid, node.gid)).or_default();
            paths.insert(path.clone(), node.origin.clone());
        }
    }

    fn file(&mut self, path: &ImagePath, node: &Node, data: &Data) -> Result<()> {
        self.program(path, node, data);
        for secret in secrets_of(data) {
            self.add(PolicyRule::Secrets, path, node, format!("holds what looks like {secret}"));
        }
        if let Some(folder) = names::module(path) {
            self.add(PolicyRule::PackageManager, &folder, node, "is a module that installs software");
        }
        if let Some(look) = passwords::look_for(path)
            && data.size() <= passwords::MOST
        {
            let text = self.text(path, data)?;
            if let Some(what) = look(&text) {
                self.add(PolicyRule::Secrets, path, node, format!("holds what looks like {what}"));
            }
        }
        match path.as_str() {
            "/etc/passwd" => self.findings.users = Some(numbers(&self.text(path, data)?)),
            "/etc/group" => self.findings.groups = Some(numbers(&self.text(path, data)?)),
            _ => {}
        }
        Ok(())
    }

    /// A shell or package manager, by name or because one of that name has the same content.
    fn program(&mut self, path: &ImagePath, node: &Node, data: &Data) {
        let runs = node.mode & 0o111 != 0;
        let kinds = [
            (PolicyRule::Shell, names::is_shell as fn(&ImagePath, bool) -> bool, "a shell"),
            (PolicyRule::PackageManager, names::is_manager, "a package manager"),
        ];
        for (rule, is, what) in kinds {
            if is(path, runs) {
                self.add(rule, path, node, format!("is {what}"));
                continue;
            }
            let copies = if rule == PolicyRule::Shell { &self.shells } else { &self.managers };
            if runs
                && !copies.is_empty()
                && let Some(first) = copies.get(&data.sha256()).cloned()
            {
                let what = format!("is a copy of {what}, `{first}`");
                self.found(rule, path, Some(first), node, what);
            }
        }
    }

    /// A link that is called as a shell or package manager is, or leads to one. Where nothing is at its
    /// end, nothing runs.
    fn link(&mut self, path: &ImagePath, node: &Node) {
        let Some((target, end)) = self.follow(path) else { return };
        let (Some(_), runs) = (end.data(), end.mode & 0o111 != 0) else { return };
        if names::is_shell(path, false) || names::is_shell(&target, runs) {
            let what = format!("is a link to a shell, `{target}`");
            self.found(PolicyRule::Shell, path, Some(target), node, what);
        } else if names::is_manager(path, false) || names::is_manager(&target, runs) {
            let what = format!("is a link to a package manager, `{target}`");
            self.found(PolicyRule::PackageManager, path, Some(target), node, what);
        }
    }

    /// Where a link leads in this tree and those below.
    fn follow(&self, path: &ImagePath) -> Option<(ImagePath, &Node)> {
        let mut path = path.clone();
        for _ in 0..40 {
            let node = self.trees.iter().rev().find_map(|tree| tree.nodes.get(&path))?;
            let NodeKind::Symlink(target) = &node.kind else { return Some((path, node)) };
            path = merged(path.resolve(target).ok()?.as_str()).parse().ok()?;
        }
        None
    }

    fn text(&mut self, path: &ImagePath, data: &Data) -> Result<String> {
        let bytes = self.inputs.content(data, &mut self.reader);
        let bytes = bytes.map_err(|error| file_problem("reading", Path::new(path.as_str()), &error))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// What was seen while the source was decoded, or is seen in what hardpan or the recipe writes.
fn secrets_of(data: &Data) -> Vec<Secret> {
    match data {
        Data::Parcel { content, .. } => content.secrets.clone(),
        Data::Bytes(bytes) => secrets(bytes).into_iter().collect(),
    }
}

/// The numbers of passwd(5) and group(5): the third field of each line.
fn numbers(text: &str) -> BTreeSet<u32> {
    text.lines().filter_map(|line| line.split(':').nth(2)?.parse().ok()).collect()
}

/// The packaged files that a recipe has another in place of: those of packages below, and those of
/// packages that it takes something of itself.
fn replaced(tree: &Tree, below: &[Tree], inputs: &Inputs) -> BTreeMap<ImagePath, Replaced> {
    let own = |node: &&Node| !node.is_directory() && !matches!(node.origin, Origin::Package(_));
    let others: BTreeMap<&ImagePath, &Node> = tree.nodes.iter().filter(|(_, node)| own(node)).collect();
    let mut replaced = BTreeMap::new();
    let mut note = |path: &ImagePath, package: &PackageName, same: &dyn Fn(&Node) -> bool| {
        if let Some(node) = others.get(path).filter(|node| !same(node)) {
            let by = node.origin.clone();
            replaced.insert(path.clone(), Replaced { package: package.clone(), by });
        }
    };
    let taken: BTreeSet<&PackageName> = tree.nodes.values().filter_map(package).collect();
    for package in inputs.packages.iter().filter(|package| taken.contains(&package.name)) {
        for entry in &package.parcel.index.entries {
            note(&entry.path, &package.name, &|node| holds(node, &entry.kind));
        }
    }
    for (path, node) in below.iter().flat_map(|tree| &tree.nodes) {
        if let Some(name) = package(node) {
            note(path, name, &|other| other.looks_like(node));
        }
    }
    replaced
}

/// Whether a node holds what a package has at its path.
fn holds(node: &Node, kind: &Kind) -> bool {
    match (&node.kind, kind) {
        (NodeKind::Symlink(target), Kind::Symlink(other)) => target == other,
        (NodeKind::File(data), Kind::File(content)) => data.sha256() == content.sha256,
        _ => false,
    }
}

/// The package that a file or link is of.
fn package(node: &Node) -> Option<&PackageName> {
    match &node.origin {
        Origin::Package(name) if !node.is_directory() => Some(name),
        _ => None,
    }
}
