//! Lock files: what an image will hold, before anything is built.

use std::collections::BTreeSet;

use super::release;
use super::subject::{Notes, Package, Subject, Want, What, merged, plain};
use crate::advisory::Ecosystem;
use crate::diag::{Problem, Result, codes};
use crate::ident::{ArchiveName, Platform, Purl, Sha256};
use crate::lock::{Lock, LockedPackage};

/// The pinned packages of a lock; `text` is the file's own, whose digest is the subject's.
pub fn of_lock(lock: &Lock, text: &[u8], name: &str, want: &Want) -> Result<Subject> {
    let mut notes = Notes::default();
    let platforms: Vec<Platform> =
        lock.packages.keys().copied().filter(|platform| want.takes(&platform.to_string())).collect();
    if platforms.is_empty() && want.platform.is_some() {
        let there: Vec<String> = lock.packages.keys().map(ToString::to_string).collect();
        let what = format!(
            "the lock `{}` has nothing for {}",
            plain(name),
            plain(want.platform.as_deref().unwrap_or_default())
        );
        return Err(Problem::new(codes::USAGE, what).found(there.join(", ")).into());
    }
    let pins: Vec<_> =
        platforms.iter().filter_map(|platform| lock.packages.get(platform)).flatten().collect();
    // A lock may pin files and downloads alone, of which no advisory speaks.
    let distro = if pins.is_empty() { None } else { Some(distro(lock, name, want, &mut notes)?) };
    let mut packages = Vec::new();
    let mut vendors = BTreeSet::new();
    for (binary, package) in pins {
        vendors.insert(&package.archive);
        packages.extend(distro.as_deref().map(|distro| pinned(binary, package, distro)));
    }
    if packages.is_empty() {
        notes.add("the lock pins no package of Debian");
    }
    for vendor in vendors {
        if let Some(origin) = origin(lock, vendor).filter(|origin| !origin.starts_with("Debian")) {
            notes.add(format!(
                "the archive `{vendor}` is of `{}` and not of Debian: its packages are looked up by Debian's names",
                plain(origin)
            ));
        }
    }
    Ok(Subject {
        name: name.to_owned(),
        what: What::Lock,
        digest: Some(Sha256::of(text)),
        product: std::path::Path::new(name).file_stem().map(|stem| stem.to_string_lossy().into_owned()),
        manifests: Vec::new(),
        platforms: platforms.iter().map(ToString::to_string).collect(),
        distro,
        packages: merged(packages),
        paths: None,
        notes: notes.into_vec(),
    })
}

fn origin<'a>(lock: &'a Lock, archive: &ArchiveName) -> Option<&'a str> {
    let mut releases = lock.releases.iter().filter(|((name, _), _)| name == archive);
    releases.next().map(|(_, release)| release.origin.as_str())
}

fn pinned(binary: &crate::ident::PackageName, package: &LockedPackage, distro: &str) -> Package {
    let LockedPackage { version, source, source_version, architecture, .. } = package;
    let distribution = format!("debian-{distro}");
    let purl = Purl::deb("debian", binary, version, architecture, &distribution, (source, source_version));
    Package {
        binary: binary.to_string(),
        version: version.clone(),
        source: source.to_string(),
        source_version: source_version.clone(),
        architecture: architecture.clone(),
        purl: purl.to_string(),
        ecosystem: Ecosystem::debian(distro),
        files: None,
    }
}

/// The release that the locked suites are of: `trixie-security` is of `trixie`.
fn distro(lock: &Lock, name: &str, want: &Want, notes: &mut Notes) -> Result<String> {
    let asked = release::asked(want.release.as_deref())?;
    let mut known = BTreeSet::new();
    let mut other = None;
    for ((_, suite), release) in &lock.releases {
        let base = suite.split(['-', '/']).next().unwrap_or(suite);
        match release::number(base).filter(|number| release::is_known(number)) {
            Some(number) => drop(known.insert((number.parse::<u32>().unwrap_or(u32::MAX), number))),
            None => other = other.or(Some((suite, &release.origin))),
        }
    }
    if known.len() > 1 {
        notes
            .add("the lock has suites of several releases of Debian: the oldest is taken for all".to_owned());
    }
    let said = known.into_iter().next().map(|(_, number)| number);
    notes.extend(release::overruled(said.as_deref(), asked.as_deref()));
    match (said.or(asked), other) {
        (Some(number), _) => Ok(number),
        (None, Some((suite, origin))) => {
            let what = format!("the lock `{}` has no suite of Debian", plain(name));
            Err(Problem::new(codes::NOT_DEBIAN, what)
                .found(format!("the suite {} of {}", plain(suite), plain(origin)))
                .help("say which release of Debian its packages are of: `--release 13`")
                .into())
        }
        (None, None) => {
            let what = format!("the lock `{}` names no suite", plain(name));
            Err(Problem::new(codes::NO_RELEASE, what)
                .help("say which release of Debian its packages are of: `--release 13`")
                .into())
        }
    }
}
