//! The tests of an image that is not out yet.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::stage::staged;
use crate::attest::{self, ImageTested};
use crate::canon::Compression;
use crate::catalog::Catalog;
use crate::diag::Result;
use crate::ident::{Platform, RecipeName, Sha256};
use crate::image::Image;
use crate::pipeline::{self, Context, Finished, LockMode, Locks, Order};
use crate::recipe::{Family, Recipe, TestSpec};
use crate::trial::{self, Part, Results, Trial, Verdict};

/// Who runs tests. One image is tried at a time: containers share ports and name spaces of this machine, and a test
/// that waits for a server should not wait for other images.
#[derive(Debug)]
pub struct Trials<'a> {
    /// What makes containers, if somebody was named.
    pub runtime: Option<&'a str>,
    /// Whether this is root of the machine.
    pub root: bool,
    /// One at a time.
    pub turn: Mutex<()>,
}

/// What came of it.
#[derive(Debug)]
pub struct Tried {
    /// Test by test.
    pub results: Results,
    /// The platform that was run.
    pub platform: Platform,
    /// The predicate that says so.
    pub predicate: Vec<u8>,
}

impl Trials<'_> {
    /// Makes sure that tests can be run, if any recipe has some: before anything is done.
    pub fn ready(&self, catalog: &Catalog) -> Result<()> {
        let Some(platform) = trial::own_platform() else { return Ok(()) };
        let families = catalog.entries.iter().filter_map(|entry| entry.family.as_ref().ok());
        let has_tests = |family: &Family| {
            let variants = family.variants();
            let all = std::iter::once(None).chain(variants.iter().map(|name| Some(name.as_str())));
            let chains = all.filter_map(|variant| family.chain(variant, platform).ok());
            family.platforms().contains(&platform)
                && chains.into_iter().any(|chain| !chain.last().tests.is_empty())
        };
        if families.into_iter().any(has_tests) { trial::ready(self.runtime, self.root) } else { Ok(()) }
    }

    /// Runs the recipe's tests on this machine's platform; `None` where there are none, or no image for this machine.
    pub fn run(
        &self,
        context: &Context,
        finished: &Finished,
        locks: &Locks,
        image: &Image,
    ) -> Result<Option<Tried>> {
        let Some(platform) = trial::own_platform() else { return Ok(None) };
        let Some(layers) = finished.layers.iter().find(|layers| layers.chain.platform == platform) else {
            return Ok(None);
        };
        let recipe = layers.chain.last();
        if recipe.tests.is_empty() {
            return Ok(None);
        }
        let others = others(context, finished, recipe, platform, locks)?;
        let mut parts = BTreeMap::new();
        for (name, image) in &others {
            parts.insert(
                name.clone(),
                Part { image, platform: trial::platform_of(image, &platform.to_string())? },
            );
        }
        let folder = folder_of(&finished.order.recipe);
        let trial = Trial {
            part: Part { image, platform: trial::platform_of(image, &platform.to_string())? },
            tests: &recipe.tests,
            others: parts,
            recipe: Some(&folder),
            home: &context.store.root().join("trial"),
            runtime: self.runtime,
            root: self.root,
        };
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let results = trial::run(&trial, |_| ())?;
        let predicate = predicate(context, recipe, platform, &results)?;
        Ok(Some(Tried { results, platform, predicate }))
    }
}

fn predicate(context: &Context, recipe: &Recipe, platform: Platform, results: &Results) -> Result<Vec<u8>> {
    let names = |verdict| {
        let of = results.outcomes.iter().filter(|one| one.verdict == verdict);
        of.map(|one| one.name.clone()).collect::<Vec<_>>()
    };
    Ok(attest::image_tested(&ImageTested {
        platform: platform.to_string(),
        recipe: Sha256::of(recipe.text.text.as_bytes()),
        runtime: results.runtime.clone().unwrap_or_else(|| "none".to_owned()),
        hardpan: pipeline::own_digest(context)?,
        passed: names(Verdict::Passed),
        untested: names(Verdict::Untested),
        failed: names(Verdict::Failed),
    }))
}

/// The other images that tests run things in, as they will be after this run.
fn others(
    context: &Context,
    finished: &Finished,
    recipe: &Recipe,
    platform: Platform,
    locks: &Locks,
) -> Result<BTreeMap<RecipeName, Image>> {
    let mut images = BTreeMap::new();
    for name in recipe.tests.iter().flat_map(TestSpec::runs).filter_map(|run| run.image.as_ref()) {
        if images.contains_key(name) {
            continue;
        }
        let order = Order {
            recipe: folder_of(&finished.order.recipe).join(format!("{name}.toml")),
            variant: None,
            platforms: Some(vec![platform]),
            compression: Compression::Gzip,
            mode: LockMode::Needed,
        };
        let other = pipeline::build_on(context, &order, &mut locks.clone())?;
        images.insert(name.clone(), staged(&context.store, &other.built, &[])?);
    }
    Ok(images)
}

fn folder_of(recipe: &Path) -> PathBuf {
    match recipe.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}
