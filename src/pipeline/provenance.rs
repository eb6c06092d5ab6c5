//! What provenance and SBOMs are made of: recipe, lock, pins, and what the layers hold.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Context, Finished};
use crate::attest::{
    self, BuildFile, BuildInputs, BuildRecipe, Builder, Dependency, PolicyResult, Provenance,
};
use crate::canon::HashReader;
use crate::diag::Result;
use crate::host;
use crate::ident::{Epoch, PackageName, Platform, Purl, Sha256};
use crate::layer::Inventory;
use crate::lock::{LockedPackage, reachable};
use crate::policy::Verdict;
use crate::recipe::{Chain, Family};
use crate::sbom::{Bill, PackagePin, PlatformBill, SourcePin};

/// The most bytes of a local file that provenance carries; of a larger one it has the digest.
const MAX_EMBEDDED: u64 = 1 << 20;

/// The provenance of a build, without the documents that are made beside the image.
pub(super) fn of(context: &Context, finished: &Finished, builder: Builder) -> Result<Provenance> {
    Ok(Provenance {
        inputs: inputs(context, finished)?,
        dependencies: dependencies(finished),
        builder,
        hardpan: own_digest(context)?,
        compressor: finished.order.compression.backend(),
        enforced: finished.enforced.clone(),
        byproducts: Vec::new(),
        image: finished.built.digest(),
    })
}

fn inputs(context: &Context, finished: &Finished) -> Result<BuildInputs> {
    let mut recipes = recipe_texts(&finished.pinned.family);
    let recipe = recipes.pop().expect("a family has a recipe");
    Ok(BuildInputs {
        recipe,
        extends: recipes,
        variant: finished.order.variant.clone(),
        platforms: finished.layers.iter().map(|layers| layers.chain.platform).collect(),
        compression: finished.order.compression.name().to_owned(),
        source_date_epoch: context.clamp.map(|clamp| clamp.0),
        lock: finished.pinned.lock.to_text(),
        files: files(finished)?,
    })
}

/// What was read is what was built: the files may have changed since.
fn recipe_texts(family: &Family) -> Vec<BuildRecipe> {
    family.texts().map(|(file, text)| BuildRecipe { file, text: text.to_owned() }).collect()
}

/// The files beside the recipes: what goes into the image, and the keys of further archives.
fn files(finished: &Finished) -> Result<Vec<BuildFile>> {
    let mut files = BTreeMap::new();
    for recipe in finished.layers.iter().flat_map(|layers| &layers.chain.recipes) {
        let local = recipe.local_files().map(|(from, _)| from.to_owned());
        let keys = recipe.archives.iter().flat_map(|archive| &archive.keys).map(|key| key.value.clone());
        for path in local.chain(keys) {
            if files.contains_key(&path) {
                continue;
            }
            let whole = recipe.folder.join(&path);
            let (size, _) = host::size_and_use(&host::whole_path(&whole))?;
            let bytes = if size <= MAX_EMBEDDED { Some(host::read(&whole)?) } else { None };
            let pinned = finished.pinned.lock.files.get(&(recipe.name.to_string(), path.clone()));
            let sha256 = match (&bytes, pinned) {
                (Some(bytes), _) => Sha256::of(bytes),
                (None, Some((sha256, _))) => *sha256,
                (None, None) => Sha256::of(&host::read(&whole)?),
            };
            let executable = host::is_executable(&whole)?;
            let content = bytes.map(|bytes| STANDARD.encode(bytes));
            files.insert(path.clone(), BuildFile { path, sha256, executable, content });
        }
    }
    Ok(files.into_values().collect())
}

/// Signed release files, the packages that the recipes reach, and downloads.
fn dependencies(finished: &Finished) -> Vec<Dependency> {
    let lock = &finished.pinned.lock;
    let releases = lock.releases.iter().map(|((archive, suite), release)| Dependency {
        name: format!("release {archive} {suite}"),
        uri: format!("deb-release:{archive}/{suite}"),
        sha256: release.sha256,
        annotations: BTreeMap::from([
            ("date".to_owned(), release.date.to_string()),
            ("origin".to_owned(), release.origin.clone()),
        ]),
    });
    let mut dependencies: Vec<Dependency> = releases.collect();
    let mut others: BTreeMap<(String, Sha256), Dependency> = BTreeMap::new();
    for layers in &finished.layers {
        let chain = &layers.chain;
        for (name, package) in reached(finished, chain) {
            let pin = package_pin(finished, chain, package);
            let purl = pin.purl(&name);
            let annotations = BTreeMap::from([
                ("archive".to_owned(), package.archive.to_string()),
                ("path".to_owned(), package.path.clone()),
            ]);
            let name = format!("package {name} {} ({})", package.version, package.architecture);
            let one =
                Dependency { name: name.clone(), uri: purl.to_string(), sha256: package.sha256, annotations };
            others.insert((name, package.sha256), one);
        }
        for ((recipe, name), pin) in source_pins(finished, chain) {
            let name = format!("{name} of recipe {recipe}");
            let uri = pin.address.clone().unwrap_or_else(|| Purl::generic(&name, &pin.sha256).to_string());
            let one =
                Dependency { name: name.clone(), uri, sha256: pin.sha256, annotations: BTreeMap::new() };
            others.insert((name, pin.sha256), one);
        }
    }
    dependencies.extend(others.into_values());
    dependencies
}

/// The packages that a chain may take from.
fn reached<'a>(finished: &'a Finished, chain: &Chain) -> Vec<(PackageName, &'a LockedPackage)> {
    let lock = &finished.pinned.lock;
    let roots = chain.recipes.iter().flat_map(|recipe| &recipe.packages).map(|entry| &entry.name.value);
    let names = reachable(lock, chain.platform, roots).unwrap_or_default();
    let pins = lock.packages.get(&chain.platform);
    names.into_iter().filter_map(|name| Some((name.clone(), pins?.get(&name)?))).collect()
}

fn package_pin(finished: &Finished, chain: &Chain, package: &LockedPackage) -> PackagePin {
    let releases = &finished.pinned.lock.releases;
    let release = releases.iter().find(|((archive, _), _)| *archive == package.archive);
    let suite = chain.suite().map(|suite| suite.value.clone());
    let suite = suite.or_else(|| release.map(|((_, suite), _)| suite.clone())).unwrap_or_default();
    let vendor = release.map_or_else(|| package.archive.to_string(), |(_, release)| release.origin.clone());
    PackagePin {
        version: package.version.clone(),
        architecture: package.architecture.clone(),
        source: (package.source.clone(), package.source_version.clone()),
        distribution: distribution(&vendor, &suite),
        vendor,
        path: package.path.clone(),
        sha256: package.sha256,
        depends: package.depends.clone(),
    }
}

/// Debian's suites by the number that scanners know them by; another's as it calls itself.
fn distribution(vendor: &str, suite: &str) -> String {
    const NUMBERS: [(&str, &str); 6] = [
        ("buster", "10"),
        ("bullseye", "11"),
        ("bookworm", "12"),
        ("trixie", "13"),
        ("forky", "14"),
        ("duke", "15"),
    ];
    if !vendor.starts_with("Debian") {
        return suite.to_owned();
    }
    let known = NUMBERS.iter().find(|(name, _)| *name == suite).map(|(_, number)| *number);
    format!("debian-{}", known.unwrap_or(suite))
}

fn source_pins(finished: &Finished, chain: &Chain) -> BTreeMap<(String, String), SourcePin> {
    let mut pins = BTreeMap::new();
    for recipe in &chain.recipes {
        let owner = recipe.name.to_string();
        for (name, download) in &recipe.downloads {
            let version = super::image::version(&finished.pinned, recipe);
            let address = super::image::substitute(&download.value.url, version.as_deref());
            let pin = SourcePin { address, sha256: download.value.sha256 };
            pins.insert((owner.clone(), format!("archive {name}")), pin);
        }
        for (from, _) in recipe.local_files() {
            if let Some((sha256, _)) = finished.pinned.lock.files.get(&(owner.clone(), from.to_owned())) {
                let pin = SourcePin { address: None, sha256: *sha256 };
                pins.insert((owner.clone(), format!("file {from}")), pin);
            }
        }
    }
    pins
}

/// What is known of the index, and then of each platform.
pub(super) fn bills(context: &Context, finished: &Finished) -> Result<Vec<Bill>> {
    let built = &finished.built;
    let held = finished.layers.iter().zip(finished.inventories(context)?);
    let platforms: Vec<(PlatformBill, Epoch)> = held
        .zip(built.platforms.iter().zip(&built.verdicts))
        .map(|((layers, inventory), (image, verdict))| {
            (platform_bill(finished, &layers.chain, inventory, verdict, image.digest()), image.created)
        })
        .collect();
    let summary = finished.layers.first().and_then(|layers| layers.chain.last().summary.clone());
    let bill = |digest, platform: Option<Platform>, platforms: Vec<PlatformBill>, created| Bill {
        name: built.name.clone(),
        version: built.tags[0].to_string(),
        summary: summary.clone(),
        digest,
        platform,
        created,
        platforms,
    };
    let newest = platforms.iter().map(|(_, created)| *created).max().unwrap_or_default();
    let all = platforms.iter().map(|(platform, _)| platform.clone()).collect();
    let whole = bill(built.digest(), None, all, newest);
    let each =
        platforms.into_iter().map(|(one, created)| bill(one.digest, Some(one.platform), vec![one], created));
    Ok(std::iter::once(whole).chain(each).collect())
}

fn platform_bill(
    finished: &Finished,
    chain: &Chain,
    inventory: &Inventory,
    verdict: &Verdict,
    digest: crate::ident::BlobDigest,
) -> PlatformBill {
    let pins = finished.pinned.lock.packages.get(&chain.platform);
    let packages = inventory.packages.keys().filter_map(|name| {
        let pin = package_pin(finished, chain, pins?.get(name)?);
        Some((name.clone(), pin))
    });
    PlatformBill {
        platform: chain.platform,
        digest,
        exceptions: verdict.reasons(),
        packages: packages.collect(),
        sources: source_pins(finished, chain),
        inventory: inventory.clone(),
    }
}

/// What the contents policy said of all platforms.
pub(super) fn policy_result(context: &Context, finished: &Finished) -> Result<Vec<u8>> {
    let texts = recipe_texts(&finished.pinned.family);
    let digest = |recipe: BuildRecipe| (recipe.file, Sha256::of(recipe.text.as_bytes()));
    let platforms = finished.layers.iter().map(|layers| layers.chain.platform);
    Ok(attest::policy_result(&PolicyResult {
        recipes: texts.into_iter().map(digest).collect(),
        hardpan: own_digest(context)?,
        platforms: platforms.zip(&finished.built.verdicts).collect(),
    }))
}

/// The kind under which the store keeps digests of programs.
const PROGRAMS: &str = "programs";

/// The digest of the running hardpan. It is read once for each program: later it is known by what
/// changes whenever the file is replaced or written to.
pub fn own_digest(context: &Context) -> Result<Sha256> {
    let (mut file, identity) = host::own_program()?;
    let key = Sha256::of(format!("program {identity}").as_bytes());
    let known = context.store.read_derived(PROGRAMS, &key)?;
    let known = known.and_then(|bytes| String::from_utf8(bytes).ok()?.parse().ok());
    if let Some(digest) = known {
        return Ok(digest);
    }
    let mut reader = HashReader::new(&mut file);
    std::io::copy(&mut reader, &mut std::io::sink())
        .map_err(|error| host::file_problem("reading", std::path::Path::new("hardpan itself"), &error))?;
    let (digest, _) = reader.finish();
    context.store.write_derived(PROGRAMS, &key, digest.to_string().as_bytes())?;
    Ok(digest)
}
