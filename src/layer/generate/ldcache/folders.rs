//! The folders that `ldconfig` looks in: those of `/etc/ld.so.conf`, then Debian's own.

use crate::diag::Result;
use crate::ident::ImagePath;
use crate::layer::compose::Work;
use crate::layer::generate::bytes_of;
use crate::layer::tree::{Node, NodeKind, View, merged_path};
use crate::recipe::Pattern;
use crate::source::ContentReader;

/// Where libraries for processors of more than the least abilities are.
const HWCAPS: &str = "glibc-hwcaps";

/// Files that include each other deeper than this do so in a circle.
const DEEPEST: usize = 8;

/// As many links as the kernel follows.
const MOST_LINKS: usize = 40;

/// A folder with libraries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Folder {
    /// As it was named: what the cache says.
    pub(super) name: String,
    /// Where it really is.
    pub(super) real: ImagePath,
}

impl Folder {
    /// The name of a folder's processors, if it is one of this folder's.
    pub(super) fn hwcaps<'a>(&self, path: &'a ImagePath) -> Option<&'a str> {
        let rest = path.as_str().strip_prefix(self.real.as_str())?.strip_prefix('/')?;
        let name = rest.strip_prefix(HWCAPS)?.strip_prefix('/')?;
        (!name.contains(['/', ':']) && !name.starts_with('.')).then_some(name)
    }

    /// How the cache names the folder of such processors.
    pub(super) fn hwcaps_name(&self, name: &str) -> String {
        format!("{}/{HWCAPS}/{name}", self.name)
    }
}

/// All folders that are there, each once, under the name that it has first.
pub(super) fn all(work: &Work) -> Result<Vec<Folder>> {
    let mut names = Vec::new();
    configured(work, &"/etc/ld.so.conf".parse().expect("a path"), 0, &mut names)?;
    let triplet = work.platform.triplet();
    names.extend([format!("/lib/{triplet}"), format!("/usr/lib/{triplet}")]);
    names.extend(["/lib".to_owned(), "/usr/lib".to_owned()]);
    let mut folders: Vec<Folder> = Vec::new();
    for name in names {
        let Some(real) = name.parse().ok().and_then(|path| real(work.view(), &path)) else { continue };
        if !folders.iter().any(|folder| folder.real == real) {
            folders.push(Folder { name, real });
        }
    }
    Ok(folders)
}

/// Where a path really is, links on the way followed. Folders are not in the tree yet, so that what
/// is not there is taken for one.
fn real(view: View, path: &ImagePath) -> Option<ImagePath> {
    let mut whole = ImagePath::root();
    for part in path.member().split('/') {
        whole = merged_path(&whole.join(part).ok()?);
        let mut links = 0;
        while let Some(NodeKind::Symlink(target)) = view.get(&whole).map(|node| &node.kind) {
            whole = merged_path(&whole.resolve(target).ok()?);
            links += 1;
            if links > MOST_LINKS {
                return None;
            }
        }
    }
    Some(whole)
}

/// The folders that a configuration file names, in its order.
fn configured(work: &Work, path: &ImagePath, depth: usize, names: &mut Vec<String>) -> Result<()> {
    let Some((path, data)) = work.view().follow(path).and_then(|(path, node)| Some((path, node.data()?)))
    else {
        return Ok(());
    };
    let bytes = bytes_of(work, &mut ContentReader::new(), &path, data)?;
    for line in String::from_utf8_lossy(&bytes).lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        let is_blank = |rest: &&str| rest.starts_with([' ', '\t']);
        if let Some(patterns) = line.strip_prefix("include").filter(is_blank) {
            for pattern in patterns.split_whitespace() {
                for file in included(work, &path, pattern) {
                    if depth < DEEPEST {
                        configured(work, &file, depth + 1, names)?;
                    }
                }
            }
        } else if !line.is_empty() && !line.strip_prefix("hwcap").is_some_and(|rest| is_blank(&rest)) {
            let name = line.split('=').next().unwrap_or_default().trim_end().trim_end_matches('/');
            names.push(name.to_owned());
        }
    }
    Ok(())
}

/// The files that an `include` means, in the order of their names.
fn included(work: &Work, by: &ImagePath, pattern: &str) -> Vec<ImagePath> {
    let folder = by.parent().unwrap_or_else(ImagePath::root);
    let pattern = if pattern.starts_with('/') { pattern.to_owned() } else { format!("{folder}/{pattern}") };
    let Ok(pattern) = pattern.parse::<Pattern>() else { return Vec::new() };
    let is_hidden = |path: &ImagePath| path.file_name().starts_with('.');
    let fits = |(path, node): &(&ImagePath, &Node)| {
        pattern.matches(path.as_str()) && !node.is_directory() && !is_hidden(path)
    };
    work.view().all().into_iter().filter(fits).map(|(path, _)| path.clone()).collect()
}
