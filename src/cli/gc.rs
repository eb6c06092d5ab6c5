//! `hardpan gc`: free what nobody needs.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::json;

use super::{Global, print};
use crate::advisory::Shelf;
use crate::diag::{Problem, Result, codes};
use crate::host::{self, size};
use crate::ident::{Age, Epoch, Malformed, Sha256};
use crate::lock::Lock;
use crate::source::Form;
use crate::store::{Keep, collect};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Lock files, or folders with lock files below them: what they pin stays
    #[arg(long, value_name = "PATH")]
    root: Vec<PathBuf>,
    /// What was used more recently stays as well: 30d, 12h, 0s
    #[arg(long, value_name = "AGE", default_value = "30d")]
    older_than: String,
    /// Say what would be freed, and free nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<()> {
    let age: Age = args.older_than.parse().map_err(|error: Malformed| {
        let problem = Problem::new(codes::USAGE, error.to_string());
        problem.help("write a number and a unit: `30d`, `12h`, `0s`")
    })?;
    let age = age.0;
    let mut roots = BTreeSet::new();
    for root in &args.root {
        for path in locks(root)? {
            roots.extend(pinned(&Lock::read(&path)?.unwrap_or_default()));
        }
    }
    // The snapshot of advisories that is asked now stays, whenever it was last.
    let current = Shelf::at(&global.store_path()?).current().ok().flatten();
    roots.extend(current.map(|current| current.digest));
    // A second of grace makes `0s` mean everything that is not a root.
    let used_since = Epoch(host::now().0 - age + i64::from(age == 0));
    let freed = collect(&global.store_path()?, &Keep { roots, used_since }, args.dry_run)?;
    if global.json {
        let json = json!({ "files": freed.files, "bytes": freed.bytes, "kept_files": freed.kept_files, "kept_bytes": freed.kept_bytes, "dry_run": args.dry_run });
        print::line(&json.to_string());
    } else {
        let verb = if args.dry_run { "would free" } else { "freed" };
        let (files, kept) = (freed.files, freed.kept_files);
        print::line(&format!(
            "{verb} {files} files ({}), kept {kept} ({})",
            size(freed.bytes),
            size(freed.kept_bytes)
        ));
    }
    Ok(())
}

fn locks(root: &std::path::Path) -> Result<Vec<PathBuf>> {
    if host::is_dir(root) {
        return Ok(host::walk(root)?
            .into_iter()
            .filter(|path| path.extension().is_some_and(|extension| extension == "lock"))
            .collect());
    }
    if !host::exists(root) {
        let problem = Problem::new(codes::USAGE, format!("there is no `{}`", root.display()));
        return Err(problem.help("`--root` names a lock file, or a folder with lock files below it").into());
    }
    // A recipe stands for the lock beside it.
    let lock = if root.extension().is_some_and(|extension| extension == "toml") {
        root.with_extension("lock")
    } else {
        root.to_owned()
    };
    if lock.extension().is_none_or(|extension| extension != "lock") {
        let problem = Problem::new(codes::USAGE, format!("`{}` is not a lock", root.display()));
        return Err(problem
            .help("`--root` names a lock file, a recipe, or a folder with lock files below it")
            .into());
    }
    Ok(vec![lock])
}

/// Everything in the store that a lock needs: blobs, and what was derived from them.
fn pinned(lock: &Lock) -> BTreeSet<Sha256> {
    let packages =
        lock.packages.values().flat_map(|packages| packages.values()).map(|package| package.sha256);
    let packages = packages.flat_map(|sha256| [sha256, Form::Deb.key(&sha256)]);
    let releases = lock
        .releases
        .values()
        .flat_map(|release| release.indices.values().map(|(sha256, _)| *sha256).chain([release.sha256]));
    let files = lock.files.values().map(|(sha256, _)| *sha256);
    packages.chain(releases).chain(files).chain(lock.downloads.values().copied()).collect()
}
