//! What a recipe takes of a package.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::compose::PackageParcel;
use super::tree::{Data, Node, NodeKind, Origin, Reason};
use crate::diag::{Problem, Result, codes};
use crate::ident::{DebVersion, ImagePath, PackageName, Platform};
use crate::recipe::{ALIASES, At, PackageEntry, Pattern, Take};
use crate::source::{Entry, Kind, Parcel};

/// What nobody needs at run time: manuals, translations, package documentation, and what only
/// Debian's own tools read. The copyright file is taken apart from this.
const NOT_RUNTIME: &[&str] = &[
    "/usr/share/man",
    "/usr/share/info",
    "/usr/share/doc",
    "/usr/share/doc-base",
    "/usr/share/locale",
    "/usr/share/gtk-doc",
    "/usr/share/help",
    "/usr/share/lintian",
    "/usr/share/bug",
    "/usr/share/reportbug",
];

/// What a recipe takes of one package: paths and nodes, or all that is wrong with its patterns.
pub(super) fn select(
    entry: &PackageEntry,
    package: &PackageParcel,
    at: usize,
    platform: Platform,
) -> (BTreeMap<ImagePath, Node>, Vec<Problem>) {
    let entries: Vec<&Entry> =
        package.parcel.index.entries.iter().filter(|entry| !is_alias(&entry.path)).collect();
    let mut problems = Vec::new();
    let (wanted, unused): (Vec<bool>, _) = match &entry.take {
        Take::All => (entries.iter().map(|_| true).collect(), Vec::new()),
        Take::Runtime => (entries.iter().map(|entry| is_runtime(&entry.path)).collect(), Vec::new()),
        Take::Files(patterns) => matching(patterns, &entries),
    };
    let (excepted, unused_exceptions) = matching(&entry.except, &entries);
    for pattern in unused.into_iter().chain(unused_exceptions) {
        problems.push(no_match(pattern, entry, &entries, platform));
    }
    let mut nodes = BTreeMap::new();
    let named = matches!(entry.take, Take::Files(_));
    let full: HashSet<ImagePath> = entries.iter().filter_map(|entry| entry.path.parent()).collect();
    for (at_entry, source) in entries.iter().enumerate() {
        // Folders come with what is in them; one that is empty comes by itself.
        let counts = named || source.kind != Kind::Directory || !full.contains(&source.path);
        if wanted[at_entry] && !excepted[at_entry] && counts {
            nodes.insert(source.path.clone(), node(source, package, at, Reason::Asked));
        }
    }
    (nodes, problems)
}

/// `/bin` and its like are links or folders of the system's making, not the package's.
fn is_alias(path: &ImagePath) -> bool {
    ALIASES.contains(&path.member())
}

fn is_runtime(path: &ImagePath) -> bool {
    let under = |folder: &str| {
        path.as_str().strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    !NOT_RUNTIME.iter().any(|folder| under(folder))
}

/// For each entry whether a pattern matches it, and the patterns that match nothing.
fn matching<'a>(patterns: &'a [At<Pattern>], entries: &[&Entry]) -> (Vec<bool>, Vec<&'a At<Pattern>>) {
    let mut used = vec![false; patterns.len()];
    let matched = entries.iter().map(|entry| {
        let mut any = false;
        for (at, pattern) in patterns.iter().enumerate() {
            if pattern.value.matches(entry.path.as_str()) {
                used[at] = true;
                any = true;
            }
        }
        any
    });
    let matched = matched.collect();
    let unused = patterns.iter().zip(&used).filter(|(_, used)| !**used).map(|(pattern, _)| pattern).collect();
    (matched, unused)
}

fn no_match(pattern: &At<Pattern>, entry: &PackageEntry, entries: &[&Entry], platform: Platform) -> Problem {
    let name = &entry.name.value;
    let message = format!("`{}` matches nothing in package `{name}` for {platform}", pattern.value);
    let wanted = pattern.value.as_str();
    let last = wanted.rsplit('/').next().unwrap_or(wanted);
    let same_name = entries.iter().find(|entry| entry.path.file_name() == last);
    let near = same_name
        .map(|entry| entry.path.as_str())
        .or_else(|| crate::diag::nearest(wanted, entries.iter().map(|entry| entry.path.as_str())));
    let help = near.map_or_else(
        || format!("`dpkg -c` lists what `{name}` holds"),
        |near| format!("the package has `{near}`"),
    );
    pattern.place.problem(codes::NO_MATCH, message, "matches nothing").help(help)
}

/// The entry whose content a hard link names; any other entry itself.
fn first_name<'a>(entry: &'a Entry, package: &'a PackageParcel) -> &'a Entry {
    match &entry.kind {
        Kind::HardLink(target) => package.entry(target).unwrap_or(entry),
        _ => entry,
    }
}

/// A node for an entry of a package. Set-id bits go here: a recipe gives them back by `[modes]`.
pub(super) fn node(entry: &Entry, package: &PackageParcel, at: usize, reason: Reason) -> Node {
    let kind = match &entry.kind {
        Kind::Directory => NodeKind::Directory,
        Kind::Symlink(target) => NodeKind::Symlink(target.clone()),
        Kind::File(content) => {
            NodeKind::File(Data::Parcel { parcel: at, content: content.clone(), inode: entry.path.clone() })
        }
        Kind::HardLink(target) => {
            let first = package.by_path.get(target).map(|at| &package.parcel.index.entries[*at]);
            let Some(Entry { kind: Kind::File(content), path, .. }) = first else {
                unreachable!("the source room refuses hard links to anything but files")
            };
            NodeKind::File(Data::Parcel { parcel: at, content: content.clone(), inode: path.clone() })
        }
    };
    // Names of one file share its mode, owner and time, whatever their own headers say.
    let entry = first_name(entry, package);
    let mode = entry.mode & 0o1777;
    // The kernel does not look at a link's mode; one value for all keeps layers alike.
    let mode = if matches!(entry.kind, Kind::Symlink(_)) { 0o777 } else { mode };
    let is_directory = entry.kind == Kind::Directory;
    Node {
        mode,
        uid: entry.uid,
        gid: entry.gid,
        mtime: (!is_directory).then_some(entry.mtime),
        xattrs: entry.xattrs.clone(),
        kind,
        origin: Origin::Package(package.name.clone()),
        reason,
    }
}

impl PackageParcel {
    /// The entry at a path, with merged `/usr`.
    pub fn entry(&self, path: &ImagePath) -> Option<&Entry> {
        self.by_path.get(path).map(|at| &self.parcel.index.entries[*at])
    }

    /// The name of its source package.
    pub fn source(&self) -> &str {
        let line = self.field("Source").unwrap_or(self.name.as_str());
        line.split_whitespace().next().unwrap_or(line)
    }

    /// A field of its own stanza, of one line.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut lines = self.parcel.index.control.lines();
        let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim);
        value.filter(|value| !value.is_empty())
    }

    /// Takes a package's parcel in. A package whose own stanza says that it is another one than was
    /// pinned is refused: the index that named it was wrong, or it was swapped.
    pub fn new(name: PackageName, version: DebVersion, architecture: &str, parcel: Parcel) -> Result<Self> {
        let said = |field: &str| {
            let line =
                parcel.index.control.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
            line.unwrap_or_default().trim().to_owned()
        };
        let found = ["Package", "Version", "Architecture"].map(said).join(" ");
        let expected = format!("{name} {version} {architecture}");
        if found != expected {
            let what = format!("package {name} {version} ({architecture}) says that it is another one");
            return Err(Problem::new(codes::BAD_PACKAGE, what)
                .found(found)
                .expected(expected)
                .help("it is broken or hostile: take another version, or tell its archive")
                .into());
        }
        let entries = parcel.index.entries.iter().enumerate();
        let by_path = Arc::new(entries.map(|(at, entry)| (entry.path.clone(), at)).collect());
        Ok(Self { name, version, parcel, by_path })
    }
}
