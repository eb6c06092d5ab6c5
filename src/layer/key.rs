//! What a recipe's layers depend on, as one hash: the key of the layer cache.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::canon::{self, Compression};
use crate::ident::{Epoch, PackageName, Sha256};
use crate::recipe::{At, Chain, Owner, Pattern, Recipe, System, Take, Zones};

/// Raise it when trees, generators or packing change: **changing this changes no digest by itself,
/// but forgetting to change it serves old layers.**
const LAYER_VERSION: u32 = 3;

/// The key of one recipe's layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecipeKey(pub Sha256);

/// The key of the layers of the recipe at place `at` of a chain.
pub fn recipe_key(
    chain: &Chain,
    at: usize,
    packages: &BTreeMap<PackageName, (String, Sha256)>,
    sources: &BTreeMap<String, Sha256>,
    below: Option<RecipeKey>,
    compression: Compression,
    clamp: Option<Epoch>,
) -> RecipeKey {
    let users: BTreeMap<String, (u32, u32)> = chain.recipes[..=at]
        .iter()
        .flat_map(|recipe| &recipe.users)
        .map(|user| (user.name.clone(), (user.uid, user.gid)))
        .collect();
    let groups: BTreeMap<String, u32> = chain.recipes[..=at]
        .iter()
        .flat_map(|recipe| &recipe.groups)
        .map(|group| (group.name.clone(), group.gid))
        .collect();
    let inputs = json!({
        "version": LAYER_VERSION,
        "hardpan": env!("CARGO_PKG_VERSION"),
        "below": below.map(|below| below.0),
        "backend": compression.backend(),
        "clamp": clamp,
        "platform": chain.platform,
        "packages": packages,
        "sources": sources,
        "users": users,
        "groups": groups,
        "recipe": content(&chain.recipes[at]),
    });
    RecipeKey(Sha256::of(&canon::to_json(&inputs)))
}

/// What of a recipe its layers depend on.
fn content(recipe: &Recipe) -> Value {
    json!({
        "name": recipe.name,
        "packages": recipe.packages.iter().map(|entry| json!([entry.name.value, take(&entry.take), patterns(&entry.except)])).collect::<Vec<_>>(),
        "links": recipe.links.iter().map(|(path, link)| json!([path, link.value])).collect::<Vec<_>>(),
        "directories": recipe.directories.iter().map(|(path, at)| json!([path, at.value.mode, owner(at.value.owner.as_ref())])).collect::<Vec<_>>(),
        "texts": recipe.texts.iter().map(|(path, at)| json!([path, at.value.text, at.value.mode, owner(at.value.owner.as_ref())])).collect::<Vec<_>>(),
        "files": recipe.files.iter().map(|(path, at)| json!([path, at.value.from, at.value.mode, owner(at.value.owner.as_ref())])).collect::<Vec<_>>(),
        "downloads": recipe.downloads.iter().map(|(name, at)| {
            let download = &at.value;
            json!([name, download.sha256, format!("{:?}", download.format), download.strip, patterns(&download.pick), download.place, owner(download.owner.as_ref()), download.url])
        }).collect::<Vec<_>>(),
        "modes": recipe.modes.iter().map(|at| json!([at.value.0.as_str(), at.value.1])).collect::<Vec<_>>(),
        "owners": recipe.owners.iter().map(|at| json!([at.value.0.as_str(), owner(Some(&at.value.1))])).collect::<Vec<_>>(),
        "capabilities": patterns(&recipe.capabilities),
        "drop": patterns(&recipe.drop),
        "users": recipe.users.iter().map(|user| {
            let groups: Vec<&String> = user.groups.iter().map(|group| &group.value).collect();
            json!([user.name, user.uid, user.gid, groups, user.home, user.shell, user.comment])
        }).collect::<Vec<_>>(),
        "groups": recipe.groups.iter().map(|group| json!([group.name, group.gid])).collect::<Vec<_>>(),
        "system": system(&recipe.system),
        "layers": recipe.layers,
        "skip": recipe.closure.skip.keys().collect::<Vec<_>>(),
        "dlopen": recipe.closure.dlopen.iter().map(|row| {
            let (pattern, opens) = &row.value;
            json!([pattern.as_str(), opens.iter().map(|at| &at.value).collect::<Vec<_>>()])
        }).collect::<Vec<_>>(),
        "keep": recipe.closure.keep.keys().collect::<Vec<_>>(),
    })
}

fn system(system: &System) -> Value {
    let texts = |texts: &[At<String>]| texts.iter().map(|text| text.value.clone()).collect::<Vec<_>>();
    let zones = system.timezones.as_ref().map(|zones| match &zones.value {
        Zones::All => json!("all"),
        Zones::None => json!("none"),
        Zones::Only(names) => json!(patterns(names)),
    });
    json!({
        "certificates": texts(&system.certificates),
        "certificate-links": system.certificate_links,
        "java-trust-store": system.java_trust_store,
        "locales": texts(&system.locales),
        "timezones": zones,
        "timezone": system.timezone.as_ref().map(|zone| &zone.value),
        "os-release": system.os_release.iter().map(|(name, value)| json!([name, value.value])).collect::<Vec<_>>(),
        "alternatives": system.alternatives.iter().map(|(link, target)| json!([link, target.value])).collect::<Vec<_>>(),
        "nsswitch": system.nsswitch,
        "mime": system.mime.is_some(),
    })
}

fn take(take: &Take) -> Value {
    match take {
        Take::Runtime => json!("runtime"),
        Take::All => json!("all"),
        Take::Files(files) => json!(patterns(files)),
    }
}

fn patterns(patterns: &[At<Pattern>]) -> Vec<&str> {
    patterns.iter().map(|pattern| pattern.value.as_str()).collect()
}

fn owner(owner: Option<&Owner>) -> Value {
    owner.map_or(Value::Null, |owner| json!([owner.user, owner.group]))
}
