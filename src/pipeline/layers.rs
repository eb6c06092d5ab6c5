//! Which layers an image has, which of them are in the store already, and the making of the others.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Context, Gathered, Pinned};
use crate::canon::{self, Compression};
use crate::diag::{Problem, Result, codes};
use crate::ident::{Epoch, PackageName, Platform, Sha256};
use crate::layer::{self, Composed, INVENTORY_VERSION, Inputs, Inventory, PackedLayer, RecipeKey, Tree};
use crate::lock;
use crate::policy::{self, FINDINGS_VERSION, Findings};
use crate::recipe::Chain;
use crate::scan;

/// The kinds under which the store keeps what it knows of a recipe's layers, of what is in them, and of
/// what the contents policy finds in it.
const KIND: &str = "layers";
const INVENTORIES: &str = "inventories";
const FINDINGS: &str = "findings";

/// The layers that one recipe of a chain adds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipeLayers {
    /// The layers, the lowest first.
    pub layers: Vec<PackedLayer>,
    /// The packages that files were taken of.
    pub packages: BTreeSet<PackageName>,
    /// What the layers were made of: the digests of packages and other sources.
    pub inputs: BTreeSet<Sha256>,
}

/// What one platform needs.
#[derive(Debug)]
pub struct PlatformPlan {
    /// The recipes.
    pub chain: Chain,
    /// For each recipe what it depends on, and its layers if they are in the store.
    pub recipes: Vec<RecipePlan>,
    compression: Compression,
}

/// What one recipe of a chain needs.
#[derive(Debug)]
pub struct RecipePlan {
    key: RecipeKey,
    /// The packages that it and those below reach.
    pub reach: BTreeSet<PackageName>,
    /// Its layers, if they are in the store.
    pub cached: Option<RecipeLayers>,
    findings: Option<Findings>,
}

/// The layers of one platform.
#[derive(Debug)]
pub struct Layers {
    /// The recipes.
    pub chain: Chain,
    /// For each recipe its layers.
    pub recipes: Vec<RecipeLayers>,
    /// For each recipe what the contents policy finds in what it adds.
    pub findings: Vec<Findings>,
    /// For each recipe what its layers depend on: the key of their inventory.
    pub(super) keys: Vec<RecipeKey>,
    /// How many layers were in the store already.
    pub reused: usize,
}

impl PlatformPlan {
    /// Whether every layer is in the store already.
    pub fn is_complete(&self) -> bool {
        self.recipes.iter().all(|recipe| recipe.cached.is_some())
    }
}

/// Looks up the layers of each platform.
pub fn plan(
    context: &Context,
    pinned: &Pinned,
    variant: Option<&str>,
    platforms: &[Platform],
    compression: Compression,
) -> Result<Vec<PlatformPlan>> {
    platforms.iter().map(|platform| plan_one(context, pinned, variant, *platform, compression)).collect()
}

fn plan_one(
    context: &Context,
    pinned: &Pinned,
    variant: Option<&str>,
    platform: Platform,
    compression: Compression,
) -> Result<PlatformPlan> {
    let chain = pinned.family.chain(variant, platform)?;
    let mut recipes: Vec<RecipePlan> = Vec::new();
    let mut below = None;
    for at in 0..chain.recipes.len() {
        let roots =
            chain.recipes[..=at].iter().flat_map(|recipe| &recipe.packages).map(|entry| &entry.name.value);
        let reach = lock::reachable(&pinned.lock, platform, roots).map_err(|missing| {
            Problem::new(
                codes::INTERNAL,
                format!("`{missing}` is reached but not pinned, though the lock was checked"),
            )
        })?;
        let pins = pinned.lock.packages.get(&platform);
        let digests = reach
            .iter()
            .filter_map(|name| {
                let package = pins?.get(name)?;
                Some((name.clone(), (package.version.to_string(), package.sha256)))
            })
            .collect();
        let key = layer::recipe_key(
            &chain,
            at,
            &digests,
            &sources(pinned, &chain, at),
            below,
            compression,
            context.clamp,
        );
        let (cached, findings) = lookup(context, key)?.unzip();
        recipes.push(RecipePlan { key, reach, cached, findings });
        below = Some(key);
    }
    Ok(PlatformPlan { chain, recipes, compression })
}

/// Digests of the local files and downloads of the recipe at place `at`; whether a local file is
/// executable counts as well.
fn sources(pinned: &Pinned, chain: &Chain, at: usize) -> BTreeMap<String, Sha256> {
    let recipe = &chain.recipes[at];
    let name = recipe.name.to_string();
    let files = recipe.local_files().filter_map(|(from, _)| {
        let (digest, _) = pinned.lock.files.get(&(name.clone(), from.to_owned()))?;
        let executable = crate::host::is_executable(&recipe.folder.join(from)).unwrap_or(false);
        Some((format!("file {from} {executable}"), *digest))
    });
    let downloads =
        recipe.downloads.iter().map(|(name, download)| (format!("archive {name}"), download.value.sha256));
    files.chain(downloads).collect()
}

/// A recipe's layers and what the policy finds in them, if all of them are in the store and whole.
fn lookup(context: &Context, key: RecipeKey) -> Result<Option<(RecipeLayers, Findings)>> {
    let Some(bytes) = context.store.read_derived(KIND, &key.0)? else { return Ok(None) };
    let Ok(found) = serde_json::from_slice::<RecipeLayers>(&bytes) else { return Ok(None) };
    for layer in &found.layers {
        if context.store.find(&layer.digest.0)? != Some(layer.size) {
            return Ok(None);
        }
    }
    let findings = context.store.read_derived(FINDINGS, &findings_key(key))?;
    let findings = findings.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let inventory = context.store.open_derived(INVENTORIES, &inventory_key(key))?;
    Ok(findings.filter(|_| inventory.is_some()).map(|findings| (found, findings)))
}

fn inventory_key(key: RecipeKey) -> Sha256 {
    Sha256::of(format!("inventory {INVENTORY_VERSION} {}", key.0).as_bytes())
}

fn findings_key(key: RecipeKey) -> Sha256 {
    Sha256::of(format!("findings {FINDINGS_VERSION} {}", key.0).as_bytes())
}

impl Layers {
    /// What the image of this platform holds: what its recipes' layers hold, the upper over the lower.
    pub(super) fn inventory(&self, context: &Context) -> Result<Inventory> {
        let mut whole = Inventory::default();
        for key in &self.keys {
            let bytes = context.store.read_derived(INVENTORIES, &inventory_key(*key))?;
            let read = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
            whole.cover(read.ok_or_else(|| {
                Problem::new(codes::CORRUPT, "what the store knows of an image's files is gone")
                    .help("run the same command again: it will be made anew")
            })?);
        }
        Ok(whole)
    }
}

/// Makes the layers that are missing.
pub fn make(
    context: &Context,
    pinned: &Pinned,
    plans: Vec<PlatformPlan>,
    gathered: &Gathered,
) -> Result<Vec<Layers>> {
    plans.into_iter().map(|plan| make_one(context, pinned, plan, gathered)).collect()
}

fn make_one(context: &Context, pinned: &Pinned, plan: PlatformPlan, gathered: &Gathered) -> Result<Layers> {
    let keys = plan.recipes.iter().map(|recipe| recipe.key).collect();
    let mut done = Layers { recipes: Vec::new(), findings: Vec::new(), keys, reused: 0, chain: plan.chain };
    let none = Inputs::default();
    let inputs = gathered.inputs.get(&done.chain.platform).unwrap_or(&none);
    let mut trees: Vec<Tree> = Vec::new();
    let last_missing = plan.recipes.iter().rposition(|recipe| recipe.cached.is_none());
    let mut created = Epoch::default();
    for (at, recipe) in plan.recipes.into_iter().enumerate() {
        // Trees of cached recipes are needed only below one that is to be made.
        let reach: Vec<PackageName> = recipe.reach.iter().cloned().collect();
        let composed = if last_missing.is_some_and(|last| at <= last) {
            Some(layer::compose(&done.chain, at, inputs, &reach, &trees)?)
        } else {
            None
        };
        let (layers, findings) = match (recipe.cached.zip(recipe.findings), &composed) {
            (Some(known), _) => {
                done.reused += known.0.layers.len();
                known
            }
            (None, Some(composed)) => {
                let layers =
                    pack(context, pinned, &done.chain, at, composed, inputs, plan.compression, created)?;
                let name = done.chain.recipes[at].name.as_str();
                let inventory = canon::to_json(&layer::inventory(name, composed, inputs));
                context.store.write_derived(INVENTORIES, &inventory_key(recipe.key), &inventory)?;
                let findings = policy::look(name, &composed.tree, &trees, inputs)?;
                let bytes = canon::to_json(&findings);
                context.store.write_derived(FINDINGS, &findings_key(recipe.key), &bytes)?;
                context.store.write_derived(KIND, &recipe.key.0, &canon::to_json(&layers))?;
                (layers, findings)
            }
            (None, None) => unreachable!("what is not cached is composed"),
        };
        created = layers.layers.iter().map(|layer| layer.created).max().unwrap_or_default().max(created);
        done.recipes.push(layers);
        done.findings.push(findings);
        if let Some(composed) = composed {
            trees.push(composed.tree);
        }
    }
    Ok(done)
}

#[allow(clippy::too_many_arguments)] // one call, from the loop above
fn pack(
    context: &Context,
    pinned: &Pinned,
    chain: &Chain,
    at: usize,
    composed: &Composed,
    inputs: &Inputs,
    compression: Compression,
    oldest: Epoch,
) -> Result<RecipeLayers> {
    let recipe = &chain.recipes[at];
    let plans = layer::split(recipe.name.as_str(), &composed.tree, recipe.layers);
    let bar = context.progress.steps("packing", plans.len() as u64);
    let mut layers = Vec::new();
    for plan in &plans {
        let (jobs, store) = (context.jobs, &context.store);
        let packed = layer::pack(plan, inputs, compression, jobs, store, oldest, context.clamp)?;
        scan::note_packed(store, &packed.digest, &plan.tree, inputs);
        layers.push(packed);
        bar.add(1);
    }
    bar.done();
    let packages: BTreeSet<PackageName> = composed.packages();
    let pins = pinned.lock.packages.get(&chain.platform);
    let digests = packages.iter().filter_map(|name| Some(pins?.get(name)?.sha256));
    let inputs = digests.chain(sources(pinned, chain, at).into_values()).collect();
    Ok(RecipeLayers { layers, packages, inputs })
}
