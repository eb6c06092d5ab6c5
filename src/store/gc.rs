//! Freeing what nobody needs: neither a root's lock nor anyone since a given time.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::diag::{Problem, Result, codes};
use crate::host::{self, FileLock};
use crate::ident::{Epoch, Sha256};

/// What stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keep {
    /// Digests and keys that roots need.
    pub roots: BTreeSet<Sha256>,
    /// What was used at this time or later stays as well.
    pub used_since: Epoch,
}

/// What was freed, or would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Collected {
    /// How many files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// How many files stay.
    pub kept_files: u64,
    /// Their bytes.
    pub kept_bytes: u64,
}

/// Frees what `keep` does not keep; with `dry_run` only counts it. Waits for nobody: if another
/// hardpan uses the store, that is a problem.
pub fn collect(root: &Path, keep: &Keep, dry_run: bool) -> Result<Collected> {
    if !host::is_dir(root) {
        return Ok(Collected::default());
    }
    let Some(_alone) = FileLock::try_exclusive(&root.join("lock"))? else {
        let problem =
            Problem::new(codes::BUSY, format!("the store `{}` is in use by another hardpan", root.display()));
        return Err(problem.help("wait until it is done").into());
    };
    let mut collected = Collected::default();
    for path in files(root)? {
        let (size, used) = host::size_and_use(&path)?;
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        // A snapshot's signature goes when the snapshot does.
        let name = name.strip_suffix(".bundle").unwrap_or(name);
        let rooted = name.parse().is_ok_and(|digest: Sha256| keep.roots.contains(&digest));
        if rooted || used >= keep.used_since {
            collected.kept_files += 1;
            collected.kept_bytes += size;
            continue;
        }
        if !dry_run {
            host::remove(&path)?;
        }
        collected.files += 1;
        collected.bytes += size;
    }
    Ok(collected)
}

fn files(root: &Path) -> Result<Vec<PathBuf>> {
    let folders = ["blobs", "partial", "derived"].map(|folder| host::walk(&root.join(folder)));
    let lists: Result<Vec<_>> = folders.into_iter().collect();
    let mut files = lists?.concat();
    // Beside snapshots, which are named by their digests, stand files that are nobody's to free.
    files.extend(host::list(&root.join("advisories"))?.into_iter().filter(|path| is_snapshot(path)));
    Ok(files)
}

fn is_snapshot(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.strip_suffix(".bundle").unwrap_or(name).parse::<Sha256>().is_ok()
}
