//! Checking a lock again, without the network: does each pin follow from a signed release file?
//!
//! The store keeps the release files and index parts that a lock was made from. Each release file's
//! signature is checked as of its own date; each index against the release file; each pin against
//! the indices.

use std::collections::BTreeMap;
use std::io::Read;

use super::packages::Universe;
use super::{Archive, Lock, Release};
use crate::diag::{Problem, Result, codes};
use crate::ident::{ArchiveName, Platform, Sha256};

/// What came of checking a lock.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Vouched {
    /// Pins that a signed release file vouches for.
    pub pins: usize,
    /// Pins that were made from earlier release files than those the lock names now.
    pub earlier: Vec<String>,
    /// Release files and indices that the store no longer has.
    pub missing: Vec<String>,
}

/// How a blob of the store is read, decompressed by its name's ending; `None` if it is not there.
pub type ReadBlob<'a> = &'a dyn Fn(&Sha256, &str) -> Result<Option<Box<dyn Read + Send>>>;

/// Checks all pins of a lock. A signature, digest or index that is wrong is a problem.
pub fn vouch(lock: &Lock, archives: &[Archive], read: ReadBlob) -> Result<Vouched> {
    let mut vouched = Vouched::default();
    let mut universes: BTreeMap<(ArchiveName, Platform), Universe> = BTreeMap::new();
    for ((name, suite), locked) in &lock.releases {
        let Some(at) = archives.iter().position(|archive| archive.name == *name) else { continue };
        let what = format!("the release file of suite {suite} of archive {name}");
        let Some(mut reader) = read(&locked.sha256, "")? else {
            vouched.missing.push(what);
            continue;
        };
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).map_err(|error| broken(&what, &error.to_string()))?;
        let release = Release::check(&archives[at], suite, &bytes, locked.date, None)?;
        for (path, (sha256, size)) in &locked.indices {
            if !release.vouches_for(path, sha256, *size) {
                return Err(broken(&what, &format!("it does not vouch for {path} as the lock has it")));
            }
            match read(sha256, path)? {
                None => vouched.missing.push(format!("the index {path} of suite {suite} of archive {name}")),
                Some(reader) => {
                    read_index(&mut universes, name, path, reader).map_err(|why| broken(path, &why))?;
                }
            }
        }
    }
    count_pins(lock, &universes, &mut vouched)?;
    Ok(vouched)
}

fn broken(what: &str, why: &str) -> crate::diag::Failure {
    Problem::new(codes::BAD_INDEX, format!("{what} does not bear the lock out")).found(why).into()
}

/// The platforms that an index is for: `main/binary-amd64/Packages.xz`, or all.
fn platforms_of(path: &str) -> impl Iterator<Item = Platform> {
    let all = path.contains("/binary-all/");
    let path = path.to_owned();
    Platform::ALL
        .into_iter()
        .filter(move |platform| all || path.contains(&format!("/binary-{}/", platform.architecture())))
}

fn read_index(
    universes: &mut BTreeMap<(ArchiveName, Platform), Universe>,
    name: &ArchiveName,
    path: &str,
    mut reader: Box<dyn Read + Send>,
) -> std::result::Result<(), String> {
    let platforms: Vec<Platform> = platforms_of(path).collect();
    if let [platform] = platforms[..] {
        return universes.entry((name.clone(), platform)).or_default().add(0, path, reader);
    }
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    platforms.into_iter().try_for_each(|platform| {
        universes.entry((name.clone(), platform)).or_default().add(0, path, &bytes[..])
    })
}

fn count_pins(
    lock: &Lock,
    universes: &BTreeMap<(ArchiveName, Platform), Universe>,
    vouched: &mut Vouched,
) -> Result<()> {
    for (platform, packages) in &lock.packages {
        for (name, package) in packages {
            let universe = universes.get(&(package.archive.clone(), *platform));
            let found = universe
                .map(|universe| universe.named(name.as_str()))
                .transpose()
                .map_err(|why| broken("an index", &why))?;
            let same = |candidate: &super::packages::Candidate| {
                let found = (candidate.sha256, candidate.size, &candidate.path, candidate.version.as_str());
                found == (package.sha256, package.size, &package.path, package.version.as_str())
            };
            if found.iter().flatten().any(same) {
                vouched.pins += 1;
            } else {
                vouched.earlier.push(format!("{name} {} ({platform})", package.version));
            }
        }
    }
    Ok(())
}
