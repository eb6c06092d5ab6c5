//! The images of a catalog: each recipe's own and its variants', and which stand on which.

use std::path::PathBuf;

use super::list::{Catalog, Entry};

/// One image of a catalog.
#[derive(Debug)]
pub struct ImageTask<'a> {
    /// The recipe's place among the catalog's entries.
    pub at: usize,
    /// The recipe.
    pub entry: &'a Entry,
    /// Which variant; `None` for the recipe's own image.
    pub variant: Option<String>,
}

impl ImageTask<'_> {
    /// What it is called: the recipe's name, and the variant's behind it.
    pub fn name(&self) -> String {
        let variant = self.variant.as_ref().map(|variant| format!("-{variant}")).unwrap_or_default();
        format!("{}{variant}", self.entry.name)
    }
}

/// The images of all recipes: each recipe and its variants, or of those that have it, one variant.
pub fn images<'a>(catalog: &'a Catalog, only: Option<&str>) -> Vec<ImageTask<'a>> {
    let mut tasks = Vec::new();
    for (at, entry) in catalog.entries.iter().enumerate() {
        let variants = entry.family.as_ref().map(crate::recipe::Family::variants).unwrap_or_default();
        let named = variants.into_iter().filter(|name| only.is_none_or(|only| only == name)).map(Some);
        let default = only.is_none().then_some(None);
        tasks.extend(default.into_iter().chain(named).map(|variant| ImageTask { at, entry, variant }));
    }
    tasks
}

/// The places of the images that each stands on: an image's layers are made once, below.
pub fn after(catalog: &Catalog, tasks: &[ImageTask]) -> Vec<Vec<usize>> {
    let place =
        |path: &PathBuf| tasks.iter().position(|task| task.variant.is_none() && task.entry.path == *path);
    let below = |task: &ImageTask| {
        let paths = task.entry.below.iter().map(|at| &catalog.entries[*at].path);
        // A variant shares the layers of what its recipe stands on, and its lock with the default.
        let own = task.variant.as_ref().map(|_| &task.entry.path);
        paths.chain(own).filter_map(place).collect()
    };
    tasks.iter().map(below).collect()
}
