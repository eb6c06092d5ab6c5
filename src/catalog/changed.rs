//! What a change touches: files that differ from a revision of the work tree (as git tells), the
//! recipes that they belong to, and the recipes that stand on these.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::list::{Catalog, Entry};
use crate::diag::{Problem, Result, codes};
use crate::host;
use crate::vex;

/// How long git may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// The recipes that differ from `revision`, or of which something that they are made of does.
pub fn changed_since(catalog: &Catalog, folder: &Path, revision: &str) -> Result<BTreeSet<PathBuf>> {
    if revision.starts_with('-') {
        let what = format!("`{revision}` is not the name of a revision");
        return Err(Problem::new(codes::USAGE, what).help("such as HEAD~1, main, or a commit").into());
    }
    // Names relative to the folder, whatever the work tree's root is; those of no file yet count too.
    let differing = git(folder, &["diff", "--name-only", "--relative", "-z", revision, "--", "."])?;
    let new = git(folder, &["ls-files", "--others", "--exclude-standard", "-z", "--", "."])?;
    let changed: BTreeSet<PathBuf> = differing.into_iter().chain(new).map(|name| folder.join(name)).collect();
    let touched: Vec<bool> = catalog.entries.iter().map(|entry| touches(entry, &changed)).collect();
    let reached = catalog
        .entries
        .iter()
        .enumerate()
        .filter(|(at, entry)| touched[*at] || entry.below.iter().any(|below| touched[*below]));
    Ok(reached.map(|(_, entry)| entry.path.clone()).collect())
}

/// Whether any of the files is one that the recipe is made of: itself, its lock, the files, keys and
/// certificates that it takes from its folder, and decisions on vulnerabilities. A recipe that does not read counts as changed.
fn touches(entry: &Entry, changed: &BTreeSet<PathBuf>) -> bool {
    let Ok(family) = &entry.family else { return true };
    let mut own = vec![entry.path.clone(), family.lock_path()];
    // Decisions on vulnerabilities are attached to the image.
    own.extend(vex::files_of(&entry.path));
    let variants = std::iter::once(None).chain(family.variants().into_iter().map(Some));
    for variant in variants {
        for platform in family.platforms() {
            let Ok(chain) = family.chain(variant.as_deref(), platform) else { continue };
            let recipe = chain.last();
            own.extend(recipe.local_files().map(|(name, _)| recipe.folder.join(name)));
            let keys = recipe.archives.iter().flat_map(|archive| &archive.keys);
            own.extend(keys.map(|key| recipe.folder.join(&key.value)));
        }
    }
    own.iter().any(|path| changed.contains(path))
}

fn git(folder: &Path, arguments: &[&str]) -> Result<Vec<String>> {
    let place = folder.to_string_lossy();
    let all: Vec<&str> = ["-C", &place].into_iter().chain(arguments.iter().copied()).collect();
    let failed = |found: String| {
        let what = format!("git could not tell what changed in `{}`", folder.display());
        Problem::new(codes::USAGE, what)
            .found(found)
            .help("`--changed-since` needs git, a work tree, and a revision of it")
    };
    let answer = host::ask("git", &all, b"", PATIENCE).map_err(|error| failed(error.to_string()))?;
    if !answer.success {
        let said = String::from_utf8_lossy(&answer.stderr);
        return Err(failed(said.trim().to_owned()).into());
    }
    let names = answer.stdout.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    Ok(names.map(|name| String::from_utf8_lossy(name).into_owned()).collect())
}
