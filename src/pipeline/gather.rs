//! From pins to parcels: everything that missing layers are made of is fetched, then decoded.

use std::collections::BTreeMap;

use super::layers::PlatformPlan;
use super::{Context, Pinned};
use crate::diag::{Problem, Result, codes};
use crate::fetch::{Location, Pin, Transfers};
use crate::host;
use crate::ident::{PackageName, Platform, Sha256};
use crate::layer::{Inputs, PackageParcel};
use crate::lock::LockedPackage;
use crate::recipe::{At, Download, DownloadFormat, Recipe};
use crate::source::{self, Form, Parcel};

/// Everything that missing layers are made of.
#[derive(Debug, Default)]
pub struct Gathered {
    /// By platform; none for a platform whose layers are all there.
    pub inputs: BTreeMap<Platform, Inputs>,
}

/// Something to be decoded.
struct Job {
    platform: Platform,
    what: What,
    sha256: Sha256,
    size: u64,
    form: Form,
    name: String,
}

enum What {
    Package(PackageName, crate::ident::DebVersion, String),
    Source((String, String), Option<bool>),
}

/// Fetches and decodes. Packages that every mirror says are gone are given back instead.
pub fn gather(
    context: &Context,
    pinned: &Pinned,
    plans: &[PlatformPlan],
) -> Result<std::result::Result<Gathered, Vec<(PackageName, Pin)>>> {
    let mut jobs = Vec::new();
    let mut pins: Vec<(Option<PackageName>, Pin)> = Vec::new();
    for plan in plans.iter().filter(|plan| !plan.is_complete()) {
        package_jobs(pinned, plan, &mut jobs, &mut pins);
        for recipe in &plan.chain.recipes {
            for (name, download) in &recipe.downloads {
                pins.push((None, download_pin(pinned, recipe, name, download)?));
                jobs.push(download_job(plan.chain.platform, recipe, name, &download.value));
            }
            for (from, _) in recipe.local_files() {
                jobs.push(file_job(context, pinned, plan.chain.platform, recipe, from)?);
            }
        }
    }
    let transfers = Transfers {
        mirrors: &context.mirrors,
        archives: &pinned.archives,
        client: &context.client,
        store: &context.store,
        progress: &context.progress,
        offline: context.offline,
    };
    let gone = transfers.fetch(pins.iter().map(|(_, pin)| pin.clone()).collect())?;
    if !gone.is_empty() {
        let named = |gone: &Pin| {
            pins.iter()
                .find(|(_, pin)| pin == gone)
                .and_then(|(name, pin)| Some((name.clone()?, pin.clone())))
        };
        return gone
            .iter()
            .map(|pin| named(pin).ok_or_else(|| gone_download(pin).into()))
            .collect::<Result<Vec<_>>>()
            .map(Err);
    }
    decode(context, jobs).map(Ok)
}

/// The parcels of all packages that a recipe reaches on a platform, whether its layers are in the store
/// or not: for looking into packages rather than for building.
pub fn parcels(context: &Context, pinned: &Pinned, platform: Platform) -> Result<Inputs> {
    let mut plans =
        super::layers::plan(context, pinned, None, &[platform], crate::canon::Compression::default())?;
    for recipe in plans.iter_mut().flat_map(|plan| &mut plan.recipes) {
        recipe.cached = None;
    }
    match gather(context, pinned, &plans)? {
        Ok(mut gathered) => Ok(gathered.inputs.remove(&platform).unwrap_or_default()),
        Err(gone) => {
            Err(Problem::new(codes::PIN_GONE, format!("{} is gone from every mirror", gone[0].1.name))
                .help("the mirror is being updated: try again in a few minutes, or name another one")
                .into())
        }
    }
}

fn gone_download(pin: &Pin) -> Problem {
    Problem::new(codes::PIN_GONE, format!("{} is gone from where the recipe says it is", pin.name))
        .help("change its `url` (and `sha256`) in the recipe, or give a mirror that holds it")
}

fn package_jobs(
    pinned: &Pinned,
    plan: &PlatformPlan,
    jobs: &mut Vec<Job>,
    pins: &mut Vec<(Option<PackageName>, Pin)>,
) {
    let platform = plan.chain.platform;
    let reach = plan.recipes.last().map(|recipe| &recipe.reach);
    for name in reach.into_iter().flatten() {
        let package = &pinned.lock.packages[&platform][name];
        let label = format!("package {name} {} ({})", package.version, package.architecture);
        pins.push((Some(name.clone()), package_pin(&label, package)));
        jobs.push(Job {
            platform,
            what: What::Package(name.clone(), package.version.clone(), package.architecture.clone()),
            sha256: package.sha256,
            size: package.size,
            form: Form::Deb,
            name: label,
        });
    }
}

fn package_pin(label: &str, package: &LockedPackage) -> Pin {
    let location = Location::Archive(package.archive.clone(), package.path.clone());
    Pin { name: label.to_owned(), location, sha256: package.sha256, size: Some(package.size) }
}

fn download_pin(pinned: &Pinned, recipe: &Recipe, name: &str, download: &At<Download>) -> Result<Pin> {
    let version = super::image::version(pinned, recipe);
    let url = super::image::substitute(&download.value.url, version.as_deref())
        .ok_or_else(|| super::image::no_version(recipe, &download.place))?;
    let location =
        location(&url).map_err(|why| download.place.problem(codes::BAD_VALUE, why, "this archive"))?;
    Ok(Pin {
        name: format!("archive {name} of recipe {}", recipe.name),
        location,
        sha256: download.value.sha256,
        size: None,
    })
}

/// `https://…`, or `NAME:path` below a mirror that the site names.
fn location(url: &str) -> std::result::Result<Location, String> {
    if let Ok(address) = url.parse() {
        return Ok(Location::Address(address));
    }
    let (name, path) =
        url.split_once(':').ok_or_else(|| format!("`{url}` is neither an address nor `MIRROR:path`"))?;
    let name = name.parse().map_err(|error: crate::ident::Malformed| error.to_string())?;
    Ok(Location::Mirror(name, path.to_owned()))
}

fn download_job(platform: Platform, recipe: &Recipe, name: &str, download: &Download) -> Job {
    let form = match download.format {
        DownloadFormat::Tar => Form::Tar(download.strip),
        DownloadFormat::Zip => Form::Zip(download.strip),
        DownloadFormat::File => Form::Single,
    };
    let key = (recipe.name.to_string(), format!("archive {name}"));
    // Its size is not known; it is more likely large than small.
    Job {
        platform,
        what: What::Source(key, None),
        sha256: download.sha256,
        size: u64::MAX,
        form,
        name: format!("archive {name} of recipe {}", recipe.name),
    }
}

/// A local file is taken into the store, under the digest that the lock has; one that changed since
/// the lock was compared is a problem.
fn file_job(
    context: &Context,
    pinned: &Pinned,
    platform: Platform,
    recipe: &Recipe,
    from: &str,
) -> Result<Job> {
    let key = (recipe.name.to_string(), from.to_owned());
    let (sha256, size) = pinned.lock.files[&key];
    let path = recipe.folder.join(from);
    let executable = host::is_executable(&path)?;
    if context.store.find(&sha256)?.is_none() {
        let mut blob = context.store.new_blob()?;
        std::io::copy(&mut host::open(&path)?, &mut blob)
            .map_err(|error| host::file_problem("reading", &path, &error))?;
        let (found, _) = blob.finish(&context.store)?;
        if found != sha256 {
            let problem = Problem::new(
                codes::DIGEST_MISMATCH,
                format!("the file `{}` changed while it was read", path.display()),
            );
            return Err(problem.found(found).expected(sha256).help("run the same command again").into());
        }
    }
    Ok(Job {
        platform,
        what: What::Source((recipe.name.to_string(), format!("file {from}")), Some(executable)),
        sha256,
        size,
        form: Form::Single,
        name: format!("file {from}"),
    })
}

fn decode(context: &Context, mut jobs: Vec<Job>) -> Result<Gathered> {
    // The largest first, so that no thread is left with it at the end.
    jobs.sort_by(|a, b| b.size.cmp(&a.size).then_with(|| a.name.cmp(&b.name)));
    let bar = context.progress.steps("reading", jobs.len() as u64);
    let parcels = host::side_by_side(context.jobs, &jobs, |job| {
        let parcel = source::parcel(&context.store, &job.sha256, job.form, &job.name);
        bar.add(1);
        parcel
    });
    bar.done();
    let mut gathered = Gathered::default();
    let mut problems = Vec::new();
    for (job, parcel) in jobs.into_iter().zip(parcels) {
        match parcel {
            Ok(parcel) => {
                let taken = take(gathered.inputs.entry(job.platform).or_default(), job.what, parcel);
                problems.extend(taken.err().into_iter().flat_map(crate::diag::Failure::into_problems));
            }
            Err(failure) => problems.extend(failure.into_problems()),
        }
    }
    problems.dedup();
    crate::diag::Failure::check(problems)?;
    for inputs in gathered.inputs.values_mut() {
        inputs.packages.sort_by(|a, b| a.name.cmp(&b.name));
    }
    Ok(gathered)
}

fn take(inputs: &mut Inputs, what: What, parcel: Parcel) -> Result<()> {
    match what {
        What::Package(name, version, architecture) => {
            inputs.packages.push(PackageParcel::new(name, version, &architecture, parcel)?);
        }
        What::Source(key, executable) => drop(inputs.sources.insert(key, (parcel, executable))),
    }
    Ok(())
}
