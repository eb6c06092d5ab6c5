//! The files that the checks look at: those that git tracks, and those that it would.

use std::collections::BTreeMap;
use std::path::Path;

use crate::process::program;

/// Files by path from the root, with their text; without it if they have none.
#[derive(Debug, Default)]
pub struct Tree {
    files: BTreeMap<String, Option<String>>,
}

impl Tree {
    /// Reads the tree at `root`. New files count before they are added, so that the first run tells.
    pub fn read(root: &Path) -> Result<Self, String> {
        let mut tree = Self::default();
        for path in listed(root)? {
            let file = root.join(&path);
            // What is tracked and deleted is still listed; links are what they point to, elsewhere.
            if !file.symlink_metadata().is_ok_and(|kind| kind.is_file()) {
                continue;
            }
            let bytes = std::fs::read(&file).map_err(|error| format!("`{path}` can't be read: {error}"))?;
            tree.files.insert(path, String::from_utf8(bytes).ok());
        }
        Ok(tree)
    }

    /// A made tree.
    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), Some((*text).to_owned())));
        Self { files: files.collect() }
    }

    /// How many files there are.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// All paths.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// All files that are text: path and text.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().filter_map(|(path, text)| Some((path.as_str(), text.as_deref()?)))
    }

    /// The Rust files.
    pub fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts().filter(|(path, _)| Path::new(path).extension().is_some_and(|end| end == "rs"))
    }

    /// The text of one file.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path)?.as_deref()
    }
}

fn listed(root: &Path) -> Result<Vec<String>, String> {
    let mut git = program("git");
    // CI's clone may belong to another user than runs this; reading names of files is harmless.
    git.args(["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let output = git.current_dir(root).output().map_err(|error| format!("`git` did not start: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("`git ls-files` ended with {}: {}", output.status, said.trim()));
    }
    let names = output.stdout.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    Ok(names.map(|name| String::from_utf8_lossy(name).into_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tracked_and_new_files_are_read_ignored_and_deleted_ones_are_not() {
        let root = std::env::temp_dir().join(format!("xtask-tree-{}", std::process::id()));
        std::fs::create_dir_all(root.join("sub")).expect("made");
        let git = |words: &[&str]| {
            let done = program("git").current_dir(&root).args(words).output().expect("git is there");
            assert!(done.status.success(), "{done:?}");
        };
        git(&["init", "--quiet"]);
        let write = |path: &str, bytes: &[u8]| std::fs::write(root.join(path), bytes).expect("written");
        write(".gitignore", b"ignored\n");
        write("ignored", b"");
        write("gone", b"");
        write("tracked", b"text");
        git(&["add", "."]);
        write("sub/new", b"\xff\xfe");
        std::fs::remove_file(root.join("gone")).expect("removed");
        let tree = Tree::read(&root).expect("read");
        std::fs::remove_dir_all(&root).expect("removed");
        assert_eq!(tree.paths().collect::<Vec<_>>(), [".gitignore", "sub/new", "tracked"]);
        assert_eq!((tree.text("tracked"), tree.text("sub/new")), (Some("text"), None));
    }
}
