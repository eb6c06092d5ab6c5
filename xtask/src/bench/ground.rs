//! What all that is timed works on: a recipe, its lock, and its packages, in memory.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hardpan::ident::{PackageName, Platform, Sha256};
use hardpan::lock::{Lock, LockedPackage};
use hardpan::source::Form;

use super::catalog::Folder;
use super::feed;
use crate::process::{cargo, program, run, show_and_run};

/// Debian's suite that the packages are of.
pub const SUITE: &str = "trixie";

/// The packages whose whole closure is built: the one that is meant, and what the scripts in its closure
/// are run by, which Debian leaves out of dependencies as no system lacks it.
pub const ROOTS: [&str; 3] = ["python3", "dash", "perl-base"];

/// A small package of that closure, and a file of it that "one package changed" leaves out.
pub const CHANGED: (&str, &str) = ("netbase", "/etc/ethertypes");

const PLATFORM: &str = "linux/amd64";

/// Of the key that one row signs with; it guards nothing.
const PASSWORD: &str = "bench";

/// The folder of one benchmark; it goes when this does.
pub struct Ground {
    root: PathBuf,
    hardpan: PathBuf,
    /// What is pinned, by name.
    pub packages: Vec<(PackageName, LockedPackage)>,
}

impl Ground {
    /// Builds hardpan, pins the closure, fetches it into a store, and copies the packages out of it.
    pub fn prepare(repository: &Path) -> Result<Self, String> {
        let build = ["build", "--release", "--locked", "--package", "hardpan", "--bin", "hardpan"];
        show_and_run(cargo(repository).args(build))?;
        let here = std::env::current_exe().map_err(|error| format!("where am I? {error}"))?;
        let root = memory().join(format!("hardpan-bench-{}", std::process::id()));
        let mut ground = Self { root, hardpan: here.with_file_name("hardpan"), packages: Vec::new() };
        for folder in [ground.root.clone(), ground.debs(), ground.scratch()] {
            make_folder(&folder)?;
        }
        ground.pin()?;
        ground.write_recipe(false)?;
        run(&mut ground.hardpan("lock"))?;
        run(ground.build(false).stdout(Stdio::null()))?;
        ground.copy_packages()?;
        ground.make_key()?;
        ground.import()?;
        for form in Folder::ALL {
            ground.make_catalog(form)?;
        }
        Ok(ground)
    }

    /// Writes the recipes of a catalog and their locks, which are all the same but for the recipes' names.
    fn make_catalog(&self, form: Folder) -> Result<(), String> {
        let folder = self.catalog(form);
        make_folder(&folder)?;
        let recipes = form.recipes(&self.names());
        for (name, text) in &recipes {
            write(&folder.join(name).with_extension("toml"), text)?;
        }
        for (name, _) in &recipes {
            let recipe = folder.join(name).with_extension("toml");
            run(&mut self.hardpan_on("lock", &recipe))?;
        }
        Ok(())
    }

    fn catalog(&self, form: Folder) -> PathBuf {
        self.root.join("catalogs").join(form.name())
    }

    /// `hardpan build --all` of a catalog, with nothing to fetch.
    pub fn build_catalog(&self, form: Folder) -> Command {
        let folder = self.catalog(form);
        let mut command = self.hardpan_on("build", &folder);
        command.args(["--all", "--locked", "--offline", "--platform", PLATFORM]).current_dir(folder);
        command
    }

    /// The closure is what hardpan pins for a recipe that names its roots only.
    fn pin(&mut self) -> Result<(), String> {
        write(&self.recipe(), &recipe(&ROOTS.map(ToOwned::to_owned), false))?;
        run(&mut self.hardpan("lock"))?;
        let lock = Lock::read(&self.recipe().with_extension("lock"));
        let lock = lock.map_err(|_| "the lock can't be read".to_owned())?.ok_or("there is no lock")?;
        let platform: Platform = PLATFORM.parse().expect("a platform");
        self.packages = lock.packages.get(&platform).cloned().unwrap_or_default().into_iter().collect();
        if self.packages.iter().any(|(name, _)| name.as_str() == CHANGED.0) {
            Ok(())
        } else {
            Err(format!("`{}` is not in the closure: choose another package to change", CHANGED.0))
        }
    }

    /// Writes the recipe of the whole closure; if `changed`, less one file of one package.
    pub fn write_recipe(&self, changed: bool) -> Result<(), String> {
        write(&self.recipe(), &recipe(&self.names(), changed))
    }

    /// The names of all packages.
    pub fn names(&self) -> Vec<String> {
        self.packages.iter().map(|(name, _)| name.as_str().to_owned()).collect()
    }

    /// The packages' own files, which others read too, with an index as apt wants it.
    fn copy_packages(&self) -> Result<(), String> {
        for (name, package) in &self.packages {
            let file = package.path.rsplit('/').next().unwrap_or(&package.path);
            let copied = std::fs::copy(self.blob(&package.sha256), self.debs().join(file));
            copied.map_err(|error| format!("`{name}` can't be copied out of the store: {error}"))?;
        }
        let mut scan = program("dpkg-scanpackages");
        let index = scan.args(["--multiversion", "."]).current_dir(self.debs()).output();
        // Only the peer needs it, and is left out where this program is not.
        index.map_or(Ok(()), |index| write_bytes(&self.debs().join("Packages"), &index.stdout))
    }

    /// `hardpan build`, with nothing to fetch.
    pub fn build(&self, offline: bool) -> Command {
        let mut command = self.hardpan("build");
        command.args(["--locked", "--platform", PLATFORM, "--out"]).arg(self.out());
        command.args(offline.then_some("--offline"));
        command
    }

    fn hardpan(&self, verb: &str) -> Command {
        self.hardpan_on(verb, &self.recipe())
    }

    fn hardpan_on(&self, verb: &str, what: &Path) -> Command {
        let mut command = self.tool();
        command.arg(verb).arg(what);
        command
    }

    fn tool(&self) -> Command {
        let mut command = program(&self.hardpan);
        command.arg("--store").arg(self.store()).arg("--quiet");
        // The development key of the bench is its own, and gone with it.
        command.current_dir(&self.root).env("XDG_DATA_HOME", self.root.join("data"));
        command.env_remove("HARDPAN_KEY").env_remove("HARDPAN_SIGNER").env("HARDPAN_KEY_PASSWORD", PASSWORD);
        command
    }

    /// A key file as users have them, encrypted.
    pub fn key(&self) -> PathBuf {
        self.root.join("bench.key")
    }

    /// Makes a snapshot of a feed that speaks of the packages' sources and of many others.
    fn import(&self) -> Result<(), String> {
        let feed = self.root.join("tracker.json");
        let sources = self.packages.iter().map(|(_, package)| package.source.as_str()).collect();
        write(&feed, &feed::export(SUITE, &sources))?;
        let mut command = self.tool();
        command.args(["advisories", "import", "--kind", "tracker", "--date", "2026-11-20"]).arg(&feed);
        run(command.stdout(Stdio::null()))
    }

    /// `hardpan scan` of the image.
    pub fn scan(&self) -> Command {
        let mut command = self.tool();
        command.args(["scan", "--release", SUITE]).arg(self.out());
        command
    }

    /// Forgets what scans kept of layers.
    pub fn forget_scans(&self) -> Result<(), String> {
        remove(&self.store().join("derived/scan"))
    }

    fn make_key(&self) -> Result<(), String> {
        let mut command = program(&self.hardpan);
        command.args(["keys", "generate", "--quiet", "--out"]).arg(self.root.join("bench"));
        run(command.env("HARDPAN_KEY_PASSWORD", PASSWORD).stdout(Stdio::null()))
    }

    /// Forgets all that was ever computed: the store holds the packages and nothing else, and there is
    /// no image.
    pub fn forget_all(&self) -> Result<(), String> {
        remove(&self.out())?;
        for form in Folder::ALL {
            remove(&self.catalog(form).join("out"))?;
        }
        remove(&self.store().join("derived"))?;
        let keep: BTreeSet<PathBuf> =
            self.packages.iter().map(|(_, package)| self.blob(&package.sha256)).collect();
        for file in files(&self.store().join("blobs"))? {
            if !keep.contains(&file) {
                remove(&file)?;
            }
        }
        Ok(())
    }

    /// Forgets what was computed of the changed package alone.
    pub fn forget_changed(&self) -> Result<(), String> {
        let (_, package) = self
            .packages
            .iter()
            .find(|(name, _)| name.as_str() == CHANGED.0)
            .expect("looked for when pinning");
        let key = Form::Deb.key(&package.sha256).to_string();
        let parcel = self.store().join("derived/parcels").join(key);
        // Else the run that is to be timed would find it, and be too good.
        std::fs::remove_file(&parcel).map_err(|error| format!("`{}`: {error}", parcel.display()))
    }

    /// The bytes of the image's blobs.
    pub fn image_size(&self) -> Result<u64, String> {
        let sizes = files(&self.out().join("blobs"))?.into_iter().map(|file| size(&file));
        sizes.sum()
    }

    fn blob(&self, digest: &Sha256) -> PathBuf {
        let hex = digest.to_string();
        self.store().join("blobs").join(&hex[..2]).join(&hex)
    }

    fn recipe(&self) -> PathBuf {
        self.root.join("bench.toml")
    }

    fn store(&self) -> PathBuf {
        self.root.join("store")
    }

    fn out(&self) -> PathBuf {
        self.root.join("out")
    }

    /// The folder of the packages' files.
    pub fn debs(&self) -> PathBuf {
        self.root.join("debs")
    }

    /// A folder for what others write.
    pub fn scratch(&self) -> PathBuf {
        self.root.join("scratch")
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        if let Err(why) = remove(&self.root) {
            eprintln!("{why}");
        }
    }
}

/// A folder in memory, so that no disk is measured.
fn memory() -> PathBuf {
    let shared = Path::new("/dev/shm");
    if shared.is_dir() { shared.to_owned() } else { std::env::temp_dir() }
}

/// A recipe that takes all of each package.
pub fn recipe_of(name: &str, packages: &[String]) -> String {
    recipe(packages, false).replace("name = \"bench\"", &format!("name = \"{name}\""))
}

/// Why the image holds what no image should: the packages are those of the other side of the comparison.
const ALLOWED: &str = "all that mmdebstrap installs is packed, so that the same bytes are compared";

fn recipe(names: &[String], changed: bool) -> String {
    let mut text = format!(
        "name = \"bench\"\nplatforms = [\"{PLATFORM}\"]\n\n[image]\nuser = \"65532:65532\"\n\n\
         [policy.allow]\nshell = \"{ALLOWED}\"\npackage-manager = \"{ALLOWED}\"\n\n\
         [debian]\nsuite = \"{SUITE}\"\n\n[debian.packages]\n"
    );
    for name in names {
        let files = match CHANGED {
            (package, file) if changed && name == package => {
                format!("{{ files = [\"/**\"], except = [\"{file}\"] }}")
            }
            _ => "\"all\"".to_owned(),
        };
        let _ = writeln!(text, "\"{name}\" = {files}");
    }
    text
}

/// All files below a folder.
fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |error| format!("`{}` can't be listed: {error}", folder.display());
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_type().map_err(failed)?.is_dir() {
            found.extend(files(&entry.path())?);
        } else {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// Removes a file or a folder, if it is there.
pub fn remove(path: &Path) -> Result<(), String> {
    let removed = match path.symlink_metadata() {
        Err(_) => return Ok(()),
        Ok(kind) if kind.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
    };
    removed.map_err(|error| format!("`{}` can't be removed: {error}", path.display()))
}

/// The bytes of a file.
pub fn size(path: &Path) -> Result<u64, String> {
    path.metadata().map(|file| file.len()).map_err(|error| format!("`{}`: {error}", path.display()))
}

fn make_folder(path: &Path) -> Result<(), String> {
    std::fs::create_dir_all(path).map_err(|error| format!("`{}` can't be made: {error}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    write_bytes(path, text.as_bytes())
}

fn write_bytes(path: &Path, bytes: &[u8]) -> Result<(), String> {
    std::fs::write(path, bytes).map_err(|error| format!("`{}` can't be written: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_changed_recipe_differs_in_one_package() {
        let names = ["libc6".to_owned(), CHANGED.0.to_owned()];
        let (before, after) = (recipe(&names, false), recipe(&names, true));
        let differ: Vec<_> = before.lines().zip(after.lines()).filter(|(a, b)| a != b).collect();
        assert_eq!(
            differ,
            [(
                "\"netbase\" = \"all\"",
                "\"netbase\" = { files = [\"/**\"], except = [\"/etc/ethertypes\"] }"
            )]
        );
    }
}
