//! What a recipe adds by itself: links, folders, text files, local files, archives; and whose all
//! of it is.

use std::sync::Arc;

use super::compose::Work;
use super::tree::{Data, Node, NodeKind, Origin, Reason, merged_path};
use crate::diag::{Problem, codes};
use crate::ident::ImagePath;
use crate::recipe::{At, Download, DownloadFormat, Owner, Place};
use crate::source::{Entry, Kind, Parcel};

/// Adds the recipe's own paths.
pub(super) fn add(work: &mut Work) {
    let recipe = work.recipe;
    for (path, link) in &recipe.links {
        let node =
            Node { origin: Origin::Recipe, reason: Reason::Asked, ..Node::generated_link(&link.value) };
        work.tree.nodes.insert(path.clone(), node);
    }
    for (path, directory) in &recipe.directories {
        let owner = directory.value.owner.as_ref().map(|owner| (owner, &directory.place));
        let node = Node { mode: directory.value.mode, ..asked(NodeKind::Directory) };
        work.put(path, node, owner);
    }
    for (path, text) in &recipe.texts {
        let owner = text.value.owner.as_ref().map(|owner| (owner, &text.place));
        let data = Data::Bytes(Arc::from(text.value.text.as_bytes()));
        work.put(path, Node { mode: text.value.mode, ..asked(NodeKind::File(data)) }, owner);
    }
    local_files(work);
    downloads(work);
}

fn asked(kind: NodeKind) -> Node {
    Node { mode: 0o644, kind, origin: Origin::Recipe, reason: Reason::Asked, ..Node::directory() }
}

fn local_files(work: &mut Work) {
    let (recipe, inputs) = (work.recipe, work.inputs);
    for (path, file) in &recipe.files {
        let found = inputs.source(recipe.name.as_str(), &format!("file {}", file.value.from));
        let (at, parcel, executable) = found.expect("the pipeline brings every local file");
        let Kind::File(content) = &parcel.index.entries[0].kind else {
            unreachable!("a single file is a file")
        };
        let inode = path.clone();
        let data = Data::Parcel { parcel: at, content: content.clone(), inode };
        let mode = file.value.mode.unwrap_or(if executable == Some(true) { 0o755 } else { 0o644 });
        let owner = file.value.owner.as_ref().map(|owner| (owner, &file.place));
        let origin = Origin::Source(format!("file {}", file.value.from));
        work.put(path, Node { mode, origin, ..asked(NodeKind::File(data)) }, owner);
    }
}

fn downloads(work: &mut Work) {
    let (recipe, inputs) = (work.recipe, work.inputs);
    for (name, download) in &recipe.downloads {
        let found = inputs.source(recipe.name.as_str(), &format!("archive {name}"));
        let (at, parcel, _) = found.expect("the pipeline brings every download");
        let mut used = vec![false; download.value.pick.len()];
        let mut any = false;
        for entry in &parcel.index.entries {
            let folder = entry.kind == Kind::Directory && !download.value.pick.is_empty();
            if !picked(&download.value, &entry.path, &mut used) || folder {
                continue;
            }
            let Some(path) = placed(&download.value, &entry.path) else { continue };
            let owner = download.value.owner.as_ref().map(|owner| (owner, &download.place));
            work.put(&path, download_node(name, entry, at, parcel), owner);
            any = true;
        }
        work.problems.extend(unused(name, download, parcel, &used, any));
    }
}

/// Patterns that match nothing in an archive, and an archive of which nothing is taken.
fn unused(name: &str, download: &At<Download>, parcel: &Parcel, used: &[bool], any: bool) -> Vec<Problem> {
    let there: Vec<&str> = parcel.index.entries.iter().map(|entry| entry.path.member()).take(5).collect();
    let help = if there.is_empty() {
        "it holds nothing, or `strip` takes all names off".to_owned()
    } else {
        format!("it begins with `{}`", there.join("`, `"))
    };
    let unused = download.value.pick.iter().zip(used).filter(|(_, used)| !**used);
    let mut problems: Vec<Problem> = unused
        .map(|(pattern, _)| {
            let message = format!("`{}` matches nothing in the archive `{name}`", pattern.value);
            pattern.place.problem(codes::NO_MATCH, message, "matches nothing").help(&help)
        })
        .collect();
    if !any && problems.is_empty() {
        let message = format!("the archive `{name}` gives nothing");
        problems.push(download.place.problem(codes::NO_MATCH, message, "this archive").help(help));
    }
    problems
}

fn picked(download: &Download, path: &ImagePath, used: &mut [bool]) -> bool {
    let mut any = download.pick.is_empty();
    for (at, pattern) in download.pick.iter().enumerate() {
        if pattern.value.matches(path.as_str()) {
            used[at] = true;
            any = true;
        }
    }
    any
}

/// Below the place; a single file goes there under the address's last part.
fn placed(download: &Download, path: &ImagePath) -> Option<ImagePath> {
    let below = if download.format == DownloadFormat::File {
        let path = download.url.split(['?', '#']).next().unwrap_or_default();
        path.rsplit('/').next().unwrap_or_default().to_owned()
    } else {
        path.member().to_owned()
    };
    let whole =
        if download.place.is_root() { format!("/{below}") } else { format!("{}/{below}", download.place) };
    whole.parse().ok().map(|path| merged_path(&path))
}

fn download_node(name: &str, entry: &Entry, at: usize, parcel: &Parcel) -> Node {
    // Names of one file share its mode and time, whatever their own headers say.
    let entry = match &entry.kind {
        Kind::HardLink(target) => {
            parcel.index.entries.iter().find(|first| first.path == *target).unwrap_or(entry)
        }
        _ => entry,
    };
    let kind = match &entry.kind {
        Kind::Directory => NodeKind::Directory,
        Kind::Symlink(target) => NodeKind::Symlink(target.clone()),
        Kind::File(content) => {
            NodeKind::File(Data::Parcel { parcel: at, content: content.clone(), inode: entry.path.clone() })
        }
        Kind::HardLink(_) => unreachable!("the source room makes hard links name files"),
    };
    // Who packed an archive is nobody here, and its set-id bits are the recipe's to give.
    let mode = if matches!(kind, NodeKind::Symlink(_)) { 0o777 } else { entry.mode & 0o1777 };
    // A zip's times have no zone, a single file has none: then the layer's newest stands in.
    let mtime = (kind != NodeKind::Directory && entry.mtime != 0).then_some(entry.mtime);
    Node {
        mode,
        mtime,
        xattrs: entry.xattrs.clone(),
        origin: Origin::Source(format!("archive {name}")),
        ..asked(kind)
    }
}

/// The extended attribute that lets a program do what only root may (capabilities(7)).
const CAPABILITY: &str = "security.capability";

/// Applies `[modes]`, `[owners]` and `capabilities`; each must match something that this recipe adds.
pub(super) fn attributes(work: &mut Work) {
    let recipe = work.recipe;
    let keeps =
        |path: &ImagePath| recipe.capabilities.iter().any(|pattern| pattern.value.matches(path.as_str()));
    for pattern in &recipe.capabilities {
        let found = change(work, |path, node| {
            pattern.value.matches(path.as_str()) && node.xattrs.contains_key(CAPABILITY)
        });
        work.expect_change(found, pattern.value.as_str(), &pattern.place);
    }
    // As with set-id bits: what makes a program powerful goes, unless the recipe says otherwise.
    change(work, |path, node| !keeps(path) && node.xattrs.remove(CAPABILITY).is_some());
    for rule in &recipe.modes {
        let (pattern, mode) = &rule.value;
        let changed = change(work, |path, node| {
            let fits = pattern.matches(path.as_str()) && !matches!(node.kind, NodeKind::Symlink(_));
            node.mode = if fits { *mode } else { node.mode };
            fits
        });
        work.expect_change(changed, pattern.as_str(), &rule.place);
    }
    for rule in &recipe.owners {
        let (pattern, owner) = &rule.value;
        let Some((uid, gid)) = work.numbers(owner, &rule.place) else { continue };
        let changed = change(work, |path, node| {
            let fits = pattern.matches(path.as_str());
            (node.uid, node.gid) = if fits { (uid, gid) } else { (node.uid, node.gid) };
            fits
        });
        work.expect_change(changed, pattern.as_str(), &rule.place);
    }
}

fn change(work: &mut Work, mut each: impl FnMut(&ImagePath, &mut Node) -> bool) -> bool {
    let mut any = false;
    for (path, node) in &mut work.tree.nodes {
        any |= each(path, node);
    }
    any
}

impl Work<'_> {
    fn put(&mut self, path: &ImagePath, mut node: Node, owner: Option<(&Owner, &Place)>) {
        if let Some((owner, place)) = owner {
            let Some((uid, gid)) = self.numbers(owner, place) else { return };
            (node.uid, node.gid) = (uid, gid);
        }
        // What a recipe writes itself may stand over a packaged file; an archive may not by accident.
        if matches!(&node.origin, Origin::Source(name) if name.starts_with("archive ")) {
            self.claim(path.clone(), node);
        } else {
            self.tree.nodes.insert(path.clone(), node);
        }
    }

    fn expect_change(&mut self, changed: bool, pattern: &str, place: &Place) {
        if !changed {
            let problem = place.problem(
                codes::NO_MATCH,
                format!("`{pattern}` matches nothing that this recipe adds"),
                "matches nothing",
            );
            self.problems.push(problem.help("what a recipe below adds is changed in that recipe"));
        }
    }

    /// An owner's numbers, names looked up in the chain; a problem if one is not declared.
    fn numbers(&mut self, owner: &Owner, place: &Place) -> Option<(u32, u32)> {
        match self.chain.owner_numbers(owner, place) {
            Ok(numbers) => Some(numbers),
            Err(problem) => {
                self.problems.push(problem);
                None
            }
        }
    }
}
