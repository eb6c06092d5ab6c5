//! What an image shows when its layers lie on each other: paths, links, and the few files that are read.
//!
//! Whiteouts and opaque folders (image specification, layer.md) hide what layers below have, in whatever order
//! they stand; so does a file in place of a folder. Links are followed inside the tree alone.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::known::{self, MAX_KEPT, MAX_PATHS, Member};
use crate::diag::{Problem, Result, codes};
use crate::host;
use crate::ident::ImagePath;
use crate::image::{Image, OpenPlatform};
use crate::store::Store;

/// The most links that are followed, as the kernel has it.
const MAX_LINKS: usize = 40;

/// What is at a path.
#[derive(Debug)]
enum Kind {
    File,
    Folder,
    Link(String),
    Other,
}

#[derive(Debug)]
struct Node {
    layer: usize,
    kind: Kind,
    content: Option<String>,
}

/// An image's tree, by absolute path.
#[derive(Debug, Default)]
pub(super) struct Tree {
    nodes: BTreeMap<String, Node>,
    kept: u64,
    /// Members whose names no file of an image can have.
    pub(super) strange: usize,
}

impl Tree {
    /// What all layers of a platform hold, looked for side by side.
    pub(super) fn of(image: &Image, platform: &OpenPlatform, store: Option<&Store>) -> Result<Self> {
        let mut places: Vec<usize> = (0..platform.layers.len()).collect();
        places.sort_by_key(|at| std::cmp::Reverse(platform.layers[*at].1));
        let layers =
            host::side_by_side(host::cores(), &places, |at| known::members(image, platform, *at, store));
        let mut layers: Vec<_> = places.into_iter().zip(layers).collect();
        layers.sort_by_key(|(at, _)| *at);
        let mut tree = Self::default();
        for (at, layer) in layers {
            for member in layer? {
                tree.add(at, member);
            }
            if tree.nodes.len() > MAX_PATHS || tree.kept > MAX_KEPT {
                let what = format!("`{}` has more files than any image", image.name());
                return Err(Problem::new(codes::BAD_SUBJECT, what).into());
            }
        }
        Ok(tree)
    }

    fn add(&mut self, layer: usize, member: Member) {
        let Member { path: name, kind, link, content } = member;
        let (folder, last) = name.rsplit_once('/').unwrap_or(("", &name));
        if let Some(hidden) = last.strip_prefix(".wh.") {
            let folder = if folder.is_empty() { String::new() } else { format!("/{folder}") };
            if last == ".wh..wh..opq" {
                self.hide_below(&folder, layer);
            } else {
                self.hide(&format!("{folder}/{hidden}"), layer);
            }
            return;
        }
        let Ok(path) = ImagePath::from_member(&name) else {
            self.strange += 1;
            return;
        };
        let kind = match kind {
            '0' | '1' => Kind::File,
            '5' => Kind::Folder,
            '2' => Kind::Link(link.unwrap_or_default()),
            _ => Kind::Other,
        };
        if !matches!(kind, Kind::Folder) {
            self.hide_below(path.as_str(), layer);
        }
        self.kept += content.as_ref().map_or(0, String::len) as u64;
        self.nodes.insert(path.as_str().to_owned(), Node { layer, kind, content });
    }

    /// Hides a path, and all below it, of layers below.
    fn hide(&mut self, path: &str, layer: usize) {
        if self.nodes.get(path).is_some_and(|node| node.layer < layer) {
            self.nodes.remove(path);
        }
        self.hide_below(path, layer);
    }

    /// Hides all below a folder, of layers below; the root is empty.
    fn hide_below(&mut self, folder: &str, layer: usize) {
        let (first, end) = (format!("{folder}/"), format!("{folder}0"));
        let range = (Bound::Included(first.as_str()), Bound::Excluded(end.as_str()));
        let hidden = self.nodes.range::<str, _>(range).filter(|(_, node)| node.layer < layer);
        let hidden: Vec<String> = hidden.map(|(path, _)| path.clone()).collect();
        for path in hidden {
            self.nodes.remove(&path);
        }
    }

    /// The content of a file that is kept; a link is followed.
    pub(super) fn read(&self, path: &str) -> Option<&[u8]> {
        let path = self.real(&format!("/{path}").parse().ok()?)?;
        self.nodes.get(path.as_str())?.content.as_deref().map(str::as_bytes)
    }

    /// Whether a path is there, as whatever, by itself or by links among its folders.
    pub(super) fn has(&self, path: &str) -> bool {
        let path = format!("/{path}");
        let real = || self.real(&path.parse().ok()?);
        self.nodes.contains_key(&path) || real().is_some_and(|real| self.nodes.contains_key(real.as_str()))
    }

    /// The names of what is right in a folder but for folders: whatever else stands there may be an entry. Links to
    /// the folder are followed.
    pub(super) fn names(&self, folder: &str) -> Vec<&str> {
        let folder = format!("/{folder}").parse().ok().and_then(|folder| self.real(&folder));
        let Some(folder) = folder else { return Vec::new() };
        let first = format!("{folder}/");
        let skip = first.len();
        let range = (Bound::Included(first), Bound::Excluded(format!("{folder}0")));
        let there = self.nodes.range::<String, _>(range);
        let there = there.filter(|(_, node)| !matches!(node.kind, Kind::Folder));
        there.map(|(path, _)| &path[skip..]).filter(|name| !name.contains('/')).collect()
    }

    /// Every path but folders.
    pub(super) fn paths(&self) -> impl Iterator<Item = ImagePath> {
        let there = self.nodes.iter().filter(|(_, node)| !matches!(node.kind, Kind::Folder));
        there.filter_map(|(path, _)| path.parse().ok())
    }

    /// Whether a file or a link is at a path, links among its folders followed.
    pub(super) fn has_file(&self, path: &ImagePath) -> bool {
        let is_file =
            |path: &str| self.nodes.get(path).is_some_and(|node| !matches!(node.kind, Kind::Folder));
        if is_file(path.as_str()) {
            return true;
        }
        let real = path.parent().and_then(|folder| self.real(&folder));
        let real = real.and_then(|folder| folder.join(path.file_name()).ok());
        real.is_some_and(|real| real != *path && is_file(real.as_str()))
    }

    /// Where a path leads, all links followed inside the tree; `None` for a link that leads nowhere or in a circle.
    fn real(&self, path: &ImagePath) -> Option<ImagePath> {
        let mut path = path.clone();
        for _ in 0..MAX_LINKS {
            let mut above: Vec<ImagePath> = path.ancestors().filter(|folder| !folder.is_root()).collect();
            above.reverse();
            above.push(path.clone());
            let link = above.iter().find_map(|at| match &self.nodes.get(at.as_str())?.kind {
                Kind::Link(target) => Some((at, target)),
                _ => None,
            });
            let Some((at, target)) = link else { return Some(path) };
            let rest = &path.as_str()[at.as_str().len()..];
            let led = at.resolve(target).ok()?;
            let led = if led.is_root() { rest.to_owned() } else { format!("{led}{rest}") };
            path = if led.is_empty() { ImagePath::root() } else { led.parse().ok()? };
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read as _};

    use super::super::known::member_of;
    use super::*;
    use crate::image::LayerMember;

    fn member(path: &str, kind: char, link: &str) -> LayerMember {
        let link = (!link.is_empty()).then(|| link.into());
        LayerMember { path: path.into(), kind, mode: 0o644, uid: 0, gid: 0, mtime: 0, link }
    }

    fn tree(layers: &[&[(&str, char, &str)]]) -> Tree {
        let mut tree = Tree::default();
        for (at, layer) in layers.iter().enumerate() {
            for (path, kind, text) in *layer {
                let link = if *kind == '2' { *text } else { "" };
                let member = member(path, *kind, link);
                tree.add(at, member_of(&member, &mut text.as_bytes()).expect("small"));
            }
        }
        tree
    }

    fn paths(tree: &Tree) -> Vec<&str> {
        tree.nodes.keys().map(String::as_str).collect()
    }

    #[test]
    fn whiteouts_hide_what_is_below_and_nothing_of_their_own_layer() {
        let below: &[_] =
            &[("a", '5', ""), ("a/x", '0', "1"), ("a/y", '0', "1"), ("ab", '0', "1"), ("c/z", '0', "1")];
        assert_eq!(paths(&tree(&[below, &[("a/.wh.x", '0', "")]])), ["/a", "/a/y", "/ab", "/c/z"]);
        assert_eq!(paths(&tree(&[below, &[(".wh.a", '0', "")]])), ["/ab", "/c/z"]);
        assert_eq!(
            paths(&tree(&[below, &[("a/new", '0', ""), ("a/.wh..wh..opq", '0', "")]])),
            ["/a", "/a/new", "/ab", "/c/z"]
        );
        assert_eq!(paths(&tree(&[below, &[(".wh..wh..opq", '0', "")]])), Vec::<&str>::new());
        assert_eq!(paths(&tree(&[below, &[("a", '0', "now a file")]])), ["/a", "/ab", "/c/z"]);
        assert_eq!(paths(&tree(&[&[("a/.wh.x", '0', ""), ("a/x", '0', "1")]])), ["/a/x"]);
    }

    #[test]
    fn links_are_followed_inside_the_tree_and_never_in_circles() {
        let made = tree(&[&[
            ("lib", '2', "usr/lib"),
            ("usr/lib/x/libc.so.6", '0', "elf"),
            ("etc/os-release", '2', "../usr/lib/os-release"),
            ("usr/lib/os-release", '0', "ID=debian"),
            ("round", '2', "round/about"),
            ("var/lib/dpkg/status", '2', "/etc/passwd"),
            ("out", '2', "../../../../etc/debian_version"),
            ("etc/debian_version", '0', "13.1"),
        ]]);
        assert_eq!(made.read("etc/os-release"), Some(&b"ID=debian"[..]));
        assert_eq!(made.read("out"), Some(&b"13.1"[..]));
        assert_eq!((made.read("round/x"), made.read("var/lib/dpkg/status")), (None, None));
        let has = |path: &str| made.has_file(&path.parse().expect("a path"));
        assert!(has("/lib/x/libc.so.6") && has("/usr/lib/x/libc.so.6") && has("/lib"));
        assert!(!has("/usr/lib/x") && !has("/lib/x/none") && !has("/round/x"));
    }

    #[test]
    fn a_newer_file_takes_the_place_of_an_older_one() {
        let made = tree(&[&[("etc/debian_version", '0', "12.1")], &[("etc/debian_version", '0', "13.1")]]);
        assert_eq!(made.read("etc/debian_version"), Some(&b"13.1"[..]));
        let gone = tree(&[&[("etc/debian_version", '0', "12.1")], &[("etc/.wh.debian_version", '0', "")]]);
        assert_eq!(gone.read("etc/debian_version"), None);
    }

    #[test]
    fn names_that_climb_and_files_that_are_too_large_are_not_taken() {
        let made = tree(&[&[("../etc/os-release", '0', "ID=ubuntu"), ("a//b", '0', ""), ("x\n", '0', "")]]);
        assert_eq!((made.strange, paths(&made)), (2, vec!["/a/b"]));
        let mut endless = io::repeat(b'x').take(1 << 20);
        let error = member_of(&member("etc/os-release", '0', ""), &mut endless).expect_err("too large");
        assert!(error.to_string().contains("larger than any such file"));
    }

    #[test]
    fn names_in_a_folder_are_those_of_its_own_files_and_links() {
        let made = tree(&[&[
            ("var/lib/dpkg/status.d/bash", '0', ""),
            ("var/lib/dpkg/status.d/x", '5', ""),
            ("var/lib/dpkg/status.d/x/y", '0', ""),
            ("var/lib/dpkg/status.d2", '0', ""),
            ("var/lib/dpkg/status.d/link", '2', "bash"),
            ("lists", '2', "var/lib/dpkg/status.d"),
            ("round", '2', "round"),
        ]]);
        for folder in ["var/lib/dpkg/status.d", "lists"] {
            assert_eq!(made.names(folder), ["bash", "link"]);
        }
        assert!(made.names("round").is_empty() && made.names("none").is_empty());
        assert!(made.has("lists/bash") && made.has("round") && !made.has("lists/none"));
    }

    #[test]
    fn paths_are_files_and_links_whoever_brought_them() {
        let made = tree(&[&[
            ("usr/bin", '5', ""),
            ("usr/bin/redis-check-rdb", '0', "elf"),
            ("usr/bin/redis-server", '2', "redis-check-rdb"),
        ]]);
        let paths: Vec<String> = made.paths().map(|path| path.to_string()).collect();
        assert_eq!(paths, ["/usr/bin/redis-check-rdb", "/usr/bin/redis-server"]);
    }
}
