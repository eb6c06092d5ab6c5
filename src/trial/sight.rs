//! What a container sees at a path, looked at from outside: in what is mounted, in its `/tmp`, else in
//! the image.

use std::path::Path;

use super::account::Account;
use super::bundle::Bind;
use crate::host::{Met, Rooted};
use crate::ident::ImagePath;

/// The files of a container.
pub(super) struct Sight<'a> {
    /// What is mounted.
    pub(super) binds: &'a [Bind],
    /// The image.
    pub(super) tree: &'a Rooted,
    /// Its `/tmp`, which lives as long as somebody holds it.
    pub(super) tmp: Option<&'a Rooted>,
}

impl Sight<'_> {
    /// What is at a path.
    pub(super) fn meet(&self, path: &ImagePath) -> Option<Met> {
        self.on(path, |tree, path| tree.meet(path).ok().flatten())
    }

    /// At most `most` bytes of a regular file.
    pub(super) fn read(&self, path: &ImagePath, most: u64) -> Option<Vec<u8>> {
        self.on(path, |tree, path| tree.read(path, most).ok().flatten())
    }

    fn on<T>(&self, path: &ImagePath, look: impl Fn(&Rooted, &Path) -> Option<T>) -> Option<T> {
        let over = self.binds.iter().filter(|bind| path.is_under(&bind.destination));
        let tmp: ImagePath = "/tmp".parse().expect("a path");
        match over.max_by_key(|bind| bind.destination.as_str().len()) {
            Some(bind) if bind.folder => {
                let rest = path.as_str().strip_prefix(bind.destination.as_str()).unwrap_or_default();
                look(&Rooted::open(&bind.source).ok()?, Path::new(rest))
            }
            Some(bind) => {
                let name = bind.source.file_name().filter(|_| *path == bind.destination)?;
                look(&Rooted::open(bind.source.parent()?).ok()?, Path::new(name))
            }
            None if path.is_under(&tmp) => {
                look(self.tmp?, Path::new(path.as_str().strip_prefix("/tmp").unwrap_or_default()))
            }
            None => look(self.tree, Path::new(path.as_str())),
        }
    }

    /// The program that a first word names, as the kernel would find it; why there is none.
    pub(super) fn program(
        &self,
        word: &str,
        variables: &[String],
        workdir: &str,
        account: Option<&Account>,
    ) -> Result<ImagePath, String> {
        let base = |folder: &str| {
            let folder: ImagePath = folder.parse().ok()?;
            folder.join("x").ok()?.resolve(word).ok()
        };
        if word.contains('/') {
            let path = base(workdir).ok_or_else(|| format!("`{word}` is not there"))?;
            return self.runnable(&path, account).map(|()| path);
        }
        let path = variables.iter().find_map(|variable| variable.strip_prefix("PATH=")).unwrap_or_default();
        let mut why = format!("`{word}` is not found in PATH ({path})");
        for path in path.split(':').filter_map(base) {
            match self.runnable(&path, account) {
                Ok(()) => return Ok(path),
                Err(found) if self.meet(&path).is_some() => why = found,
                Err(_) => {}
            }
        }
        Err(why)
    }

    /// Whether somebody may run what is at a path; of one user alone everything is that user's.
    fn runnable(&self, path: &ImagePath, account: Option<&Account>) -> Result<(), String> {
        let found = self.meet(path).ok_or_else(|| format!("`{path}` is not there"))?;
        if !found.file {
            return Err(format!("`{path}` is no regular file"));
        }
        let bit = match account {
            None => 0o100,
            Some(account) if account.uid == found.uid => 0o100,
            Some(account) if account.gid == found.gid || account.groups.contains(&found.gid) => 0o010,
            Some(_) => 0o001,
        };
        if found.mode & bit == 0 {
            return Err(format!("`{path}` may not be run by its user (mode {:04o})", found.mode));
        }
        Ok(())
    }
}
