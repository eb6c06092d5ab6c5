//! What the archive has for one platform: the parcels of a package and of all that it depends on,
//! looked up by path, by file name and by package.

use std::collections::{BTreeMap, BTreeSet};

use crate::ident::{ImagePath, PackageName, Platform};
use crate::layer::{Inputs, PackageParcel};
use crate::lock::Lock;
use crate::recipe::merged;
use crate::source::{Content, ContentReader, Entry, Kind};

/// Where programs are that people start.
pub(super) const PROGRAM_FOLDERS: [&str; 4] = ["/usr/sbin", "/usr/bin", "/usr/games", "/usr/local/bin"];

/// Packages that other packages' maintainer scripts need while they are installed; what they depend
/// on is not needed at run time for their sake.
const INSTALL_ONLY: &[&str] = &[
    "adduser",
    "cdebconf",
    "cron",
    "cron-daemon-common",
    "dbconfig-common",
    "debconf",
    "debianutils",
    "dpkg",
    "init-system-helpers",
    "install-info",
    "logrotate",
    "lsb-base",
    "lsb-release",
    "passwd",
    "po-debconf",
    "ssl-cert",
    "systemd",
    "sysvinit-utils",
    "ucf",
    "update-inetd",
];

/// Links that are followed before one is taken for a circle.
const MAX_LINKS: usize = 16;

/// The packages of one platform.
pub(super) struct World {
    /// The platform.
    pub(super) platform: Platform,
    packages: BTreeMap<PackageName, PackageParcel>,
    depends: BTreeMap<PackageName, BTreeSet<PackageName>>,
    paths: BTreeMap<ImagePath, PackageName>,
    /// By file name, the paths of what can be executed, and of links.
    programs: BTreeMap<String, Vec<ImagePath>>,
}

impl World {
    pub(super) fn new(platform: Platform, inputs: Inputs, lock: &Lock) -> Self {
        let mut world = Self {
            platform,
            packages: inputs.packages.into_iter().map(|package| (package.name.clone(), package)).collect(),
            depends: BTreeMap::new(),
            paths: BTreeMap::new(),
            programs: BTreeMap::new(),
        };
        let locked = lock.packages.get(&platform);
        world.depends = locked
            .into_iter()
            .flatten()
            .map(|(name, package)| (name.clone(), package.depends.clone()))
            .collect();
        for package in world.packages.values() {
            for entry in &package.parcel.index.entries {
                if entry.kind == Kind::Directory {
                    continue;
                }
                world.paths.entry(entry.path.clone()).or_insert_with(|| package.name.clone());
                let runs = matches!(entry.kind, Kind::Symlink(_)) || entry.mode & 0o111 != 0;
                if runs {
                    let name = entry.path.file_name().to_owned();
                    world.programs.entry(name).or_default().push(entry.path.clone());
                }
            }
        }
        world
    }

    pub(super) fn package(&self, name: &str) -> Option<&PackageParcel> {
        self.packages.get(name)
    }

    /// What a package's dependencies were resolved to.
    pub(super) fn depends(&self, name: &str) -> impl Iterator<Item = &PackageName> {
        self.depends.get(name).into_iter().flatten()
    }

    /// A package and all that it needs at run time: what only maintainer scripts need is passed over.
    pub(super) fn reach(&self, roots: &[PackageName]) -> BTreeSet<PackageName> {
        let mut queue: Vec<&PackageName> = roots.iter().collect();
        let mut reached = BTreeSet::new();
        while let Some(name) = queue.pop() {
            if self.packages.contains_key(name) && reached.insert(name.clone()) {
                queue.extend(self.depends(name.as_str()).filter(|name| !is_install_only(name)));
            }
        }
        reached
    }

    /// The package that owns a path, and its entry.
    pub(super) fn find(&self, path: &ImagePath) -> Option<(&PackageParcel, &Entry)> {
        let package = self.packages.get(self.paths.get(path)?)?;
        Some((package, package.entry(path)?))
    }

    /// A path and what it leads to, link by link; `None` if it ends at nothing that a package has.
    pub(super) fn follow(&self, path: &str) -> Option<Vec<ImagePath>> {
        let mut path: ImagePath = merged(path).parse().ok()?;
        let mut steps = Vec::new();
        for _ in 0..MAX_LINKS {
            let (_, entry) = self.find(&path)?;
            steps.push(path.clone());
            let Kind::Symlink(target) = &entry.kind else { return Some(steps) };
            path = merged(path.resolve(target).ok()?.as_str()).parse().ok()?;
        }
        None
    }

    /// The paths at which something of this name can be executed; those that people start first.
    pub(super) fn programs(&self, name: &str) -> Vec<&ImagePath> {
        let mut found: Vec<&ImagePath> = self.programs.get(name).into_iter().flatten().collect();
        found.sort_by_key(|path| (!is_program(path), (*path).clone()));
        found
    }

    /// What can be executed and is called `name` with an ending: alternatives that only a maintainer
    /// script would have given the bare name.
    pub(super) fn alternatives(&self, name: &str) -> Vec<&ImagePath> {
        let begin = format!("{name}.");
        let named = self.programs.range(begin.clone()..).take_while(|(known, _)| known.starts_with(&begin));
        let mut found: Vec<&ImagePath> = named.flat_map(|(_, paths)| paths).collect();
        found.sort_by_key(|path| (!is_program(path), (*path).clone()));
        found
    }

    /// The content of a regular file, under whichever of its names.
    pub(super) fn content(&self, path: &ImagePath) -> Option<(&PackageParcel, &Content)> {
        let (package, entry) = self.find(path)?;
        match &entry.kind {
            Kind::File(content) => Some((package, content)),
            Kind::HardLink(first) => match &package.entry(first)?.kind {
                Kind::File(content) => Some((package, content)),
                _ => None,
            },
            _ => None,
        }
    }

    /// The text of a file that is no larger than `most` bytes.
    pub(super) fn text(&self, path: &ImagePath, most: u64) -> Option<String> {
        let (package, content) = self.content(path)?;
        if content.size > most {
            return None;
        }
        let bytes = ContentReader::new().bytes(&package.parcel, content).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The interpreter's path of a script; the program's name, where `env` looks for it.
    pub(super) fn interpreter(&self, path: &ImagePath) -> Option<String> {
        let (_, content) = self.content(path)?;
        interpreter_of(content)
    }

    /// Whether a file is an ELF file.
    pub(super) fn is_elf(&self, path: &ImagePath) -> bool {
        self.content(path).is_some_and(|(_, content)| content.elf.is_some())
    }

    /// The paths that end so.
    pub(super) fn paths_ending(&self, ending: &str) -> Vec<&ImagePath> {
        self.paths.keys().filter(|path| path.as_str().ends_with(ending)).collect()
    }

    /// The files and links below a folder.
    pub(super) fn below(&self, folder: &ImagePath) -> impl Iterator<Item = &ImagePath> {
        let (begin, near) = (format!("{folder}/"), folder.to_string());
        let from = self.paths.range(folder.clone()..).map(|(path, _)| path);
        from.take_while(move |path| path.as_str().starts_with(&near))
            .filter(move |path| path.as_str().starts_with(&begin))
    }
}

/// Whether a package is needed by maintainer scripts only.
pub(super) fn is_install_only(name: &PackageName) -> bool {
    INSTALL_ONLY.contains(&name.as_str())
}

/// Whether a path is in a folder of programs that people start.
pub(super) fn is_program(path: &ImagePath) -> bool {
    path.parent().is_some_and(|folder| PROGRAM_FOLDERS.contains(&folder.as_str()))
}

/// The interpreter of a script's first line: `/bin/sh`, or `python3` of `/usr/bin/env python3`.
pub(super) fn interpreter_of(content: &Content) -> Option<String> {
    let mut words = content.interpreter.as_deref()?.split_whitespace();
    let first = words.next()?;
    if first.rsplit('/').next() != Some("env") {
        return Some(first.to_owned());
    }
    words.find(|word| !word.starts_with('-') && !word.contains('=')).map(ToOwned::to_owned)
}
