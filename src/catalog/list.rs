//! All recipes of a folder, each after those that it stands on.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::diag::{Failure, Problem, Result, codes};
use crate::host;
use crate::recipe::Family;

/// Recipes, each after those that it extends.
#[derive(Debug)]
pub struct Catalog {
    /// One for each recipe file.
    pub entries: Vec<Entry>,
}

/// A recipe of the folder.
#[derive(Debug)]
pub struct Entry {
    /// Its file's name, without the ending.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// The recipe, or what is wrong with it.
    pub family: Result<Family>,
    /// The places, among all entries, of those that it stands on.
    pub below: Vec<usize>,
}

/// Files beside recipes that are none: the site's mirrors and the house's policy.
const NO_RECIPES: [&str; 2] = ["mirrors.toml", "policy.toml"];

impl Catalog {
    /// Reads all recipes of a folder. One that does not read is kept with what is wrong with it.
    pub fn open(folder: &Path) -> Result<Self> {
        let files = host::list(folder)?;
        let is_recipe = |path: &&PathBuf| {
            path.extension().is_some_and(|extension| extension == "toml")
                && !NO_RECIPES.iter().any(|name| path.file_name().is_some_and(|file| file == *name))
        };
        let paths: Vec<PathBuf> = files.iter().filter(is_recipe).cloned().collect();
        if paths.is_empty() {
            let what = format!("there are no recipes in `{}`", folder.display());
            let help = "name the folder that they are in, or recipes one by one";
            return Err(Problem::new(codes::NO_RECIPE, what).help(help).into());
        }
        let mut read: Vec<(PathBuf, Result<Family>)> = paths
            .into_iter()
            .map(|path| {
                let family = Family::open(&path);
                (path, family)
            })
            .collect();
        // A recipe has more above it than any of those it stands on.
        read.sort_by_key(|(path, family)| {
            (family.as_ref().map_or(0, |family| family.parent_paths().len()), path.clone())
        });
        Ok(Self { entries: entries(read) })
    }

    /// Only those that `wanted` names, and what they stand on.
    #[must_use]
    pub fn only(self, wanted: &BTreeSet<PathBuf>) -> Self {
        let mut keep: BTreeSet<PathBuf> = BTreeSet::new();
        for entry in self.entries.iter().filter(|entry| wanted.contains(&entry.path)) {
            keep.insert(entry.path.clone());
            keep.extend(entry.below.iter().map(|at| self.entries[*at].path.clone()));
        }
        let left = self.entries.into_iter().filter(|entry| keep.contains(&entry.path));
        Self { entries: entries(left.map(|entry| (entry.path, entry.family)).collect()) }
    }
}

fn entries(read: Vec<(PathBuf, std::result::Result<Family, Failure>)>) -> Vec<Entry> {
    let paths: Vec<PathBuf> = read.iter().map(|(path, _)| path.clone()).collect();
    let entry = |(path, family): (PathBuf, Result<Family>)| {
        let below = family.as_ref().map(Family::parent_paths).unwrap_or_default();
        let below = below.iter().filter_map(|below| paths.iter().position(|path| path == below)).collect();
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Entry { name, path, family, below }
    };
    read.into_iter().map(entry).collect()
}
