//! What should be said about an image that could be built: packages that nothing in it needs, needs
//! that are skipped and that nothing has, and that scanners will see nothing in it.
//!
//! It is judged by the inventory, so that an unchanged image is warned about each time.
//!
//! A package is needed if a file of another one needs one of its files, if something that the image
//! runs or its recipe mentions is in it, if a package that is present depends on it, if its files were
//! picked by hand and are more than libraries, or if there is a shell that can run its programs.

use std::collections::{BTreeMap, BTreeSet};

use super::inventory::Inventory;
use super::loader::system_folders;
use super::tree::{Origin, Reason, merged_path};
use crate::diag::{Problem, codes};
use crate::ident::{ImagePath, PackageName};
use crate::recipe::{ALIASES, Action, Chain, Command, PackageEntry, Take, TestStep};

/// Raise it when what is warned about changes.
pub const WARNINGS_VERSION: u32 = 1;

const SHELLS: [&str; 4] = ["/usr/bin/sh", "/usr/bin/bash", "/usr/bin/dash", "/usr/bin/busybox"];
const PROGRAMS: [&str; 4] = ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/games"];

/// All warnings about the image of a chain, of which `whole` says what is in it.
pub fn warnings(chain: &Chain, whole: &Inventory) -> Vec<Problem> {
    unneeded(chain, whole).into_iter().chain(unskipped(chain, whole)).chain(unseen(whole)).collect()
}

/// Packages that the last recipe names and that nothing needs.
fn unneeded(chain: &Chain, whole: &Inventory) -> Vec<Problem> {
    let judge = Judge::of(chain, whole);
    let recipe = chain.last();
    let undecided = recipe.packages.iter().filter(|entry| {
        let name = &entry.name.value;
        !recipe.closure.keep.contains_key(name.as_str()) && !judge.needs(entry, name)
    });
    let unneeded = undecided.map(|entry| {
        let name = &entry.name.value;
        let message = format!("nothing in the image needs the package `{name}`");
        let problem = entry.name.place.problem(codes::UNNEEDED, message, "needed by nothing");
        problem
            .help(format!("take it out, or say what it is for: `{name} = \"…\"` in `[closure.keep]`"))
            .warn()
    });
    unneeded.collect()
}

/// Needs that the last recipe leaves unmet on purpose, though nothing has them.
fn unskipped(chain: &Chain, whole: &Inventory) -> Vec<Problem> {
    let skip = chain.last().closure.skip.iter().filter(|(word, _)| !whole.skipped.contains(*word));
    let problem = |(word, at): (&String, &crate::recipe::At<String>)| {
        let message = format!("`{word}` is skipped, but nothing here needs it");
        at.place.problem(codes::UNNEEDED, message, "needed by nothing").help("take the line out").warn()
    };
    skip.map(problem).collect()
}

/// Without these two files scanners report nothing and say nothing.
fn unseen(whole: &Inventory) -> Vec<Problem> {
    let there = |path: &&str| {
        let path: ImagePath = path.parse().expect("a path");
        whole.files.contains_key(&path) || whole.links.contains_key(&path)
    };
    let needed = ["/etc/os-release", "/etc/debian_version"];
    let missing = needed.iter().filter(|path| !whole.packages.is_empty() && !there(path));
    let problem = |path| {
        let message = format!("the image has no `{path}`: scanners will see no packages in it");
        Problem::new(codes::NO_MATCH, message)
            .help("take it from the package `base-files`, or extend a recipe that does")
            .warn()
    };
    missing.map(problem).collect()
}

/// What is looked at for each package.
struct Judge<'a> {
    /// The paths of each package that are in the image, but for what only says whose they are.
    paths: BTreeMap<&'a PackageName, Vec<&'a ImagePath>>,
    /// Packages of which a file is needed by a file that is not theirs.
    needed: BTreeSet<&'a PackageName>,
    /// Packages that a package of the image depends on.
    depended: BTreeSet<&'a str>,
    /// What the recipe says, word by word.
    mentions: Vec<String>,
    /// Folders that every program's libraries are looked for in.
    libraries: [ImagePath; 2],
    shell: bool,
    /// Whether there is a bundle of certificates.
    bundle: bool,
}

impl<'a> Judge<'a> {
    fn of(chain: &Chain, whole: &'a Inventory) -> Self {
        let mut paths: BTreeMap<&PackageName, Vec<_>> = BTreeMap::new();
        for (path, origin, reason) in whole.paths() {
            if let (Origin::Package(name), true) = (origin, *reason != Reason::Copyright) {
                paths.entry(name).or_default().push(path);
            }
        }
        let origin = |path: &ImagePath| match whole.files.get(path).map(|file| &file.origin) {
            Some(Origin::Package(name)) => whole.packages.get_key_value(name).map(|(name, _)| name),
            _ => None,
        };
        let needed = whole.needs.iter().filter(|edge| origin(&edge.path) != origin(&edge.by));
        let needed = needed.filter_map(|edge| origin(&edge.path)).collect();
        let present = paths.keys().filter_map(|name| whole.packages.get(*name));
        let depended = present.flat_map(|package| &package.depends).map(String::as_str).collect();
        let there = |path: &&str| {
            path.parse::<ImagePath>()
                .is_ok_and(|path| whole.files.contains_key(&path) || whole.links.contains_key(&path))
        };
        let shell = SHELLS.iter().any(there);
        let bundle = there(&"/etc/ssl/certs/ca-certificates.crt");
        let libraries = system_folders(chain.platform);
        Self { paths, needed, depended, mentions: mentions(chain, whole), libraries, shell, bundle }
    }

    fn needs(&self, entry: &PackageEntry, name: &PackageName) -> bool {
        // The bundle holds what may have been dropped as single files.
        let Some(paths) = self.paths.get(name) else {
            return self.bundle && name.as_str() == "ca-certificates";
        };
        let is_library = |path: &ImagePath| {
            path.file_name().contains(".so")
                && path.parent().is_some_and(|folder| self.libraries.contains(&folder))
        };
        let picked = matches!(entry.take, Take::Files(_)) && paths.iter().any(|path| !is_library(path));
        picked
            || self.needed.contains(name)
            || self.depended.contains(name.as_str())
            || self.shell && paths.iter().any(|path| is_program(path))
            || paths.iter().any(|path| self.is_mentioned(path))
    }

    /// Whether the recipe says the path, a folder that it is in, or the name of the program.
    fn is_mentioned(&self, path: &ImagePath) -> bool {
        let folders = path.ancestors().filter(|folder| folder.member().matches('/').count() >= 2);
        let mut paths = std::iter::once(path.clone()).chain(folders);
        let by_path = paths.any(|path| self.mentions.iter().any(|text| names(text, path.as_str())));
        by_path || is_program(path) && self.mentions.iter().any(|text| text == path.file_name())
    }
}

/// Whether a text has this path in it, or a path below, under either of its names, and not one that only
/// begins or ends alike.
fn names(text: &str, path: &str) -> bool {
    let goes_on = |letter: char| letter.is_alphanumeric() || "_-+~".contains(letter);
    let stands_alone = |at: usize, form: &str| {
        let before = text[..at].chars().next_back();
        let mut after = text[at + form.len()..].chars();
        let next = after.next();
        // A full stop may end a sentence.
        let ends = next != Some('.') || !after.next().is_some_and(goes_on);
        !before.is_some_and(|letter| goes_on(letter) || letter == '.') && !next.is_some_and(goes_on) && ends
    };
    let is_alias = |alias: &&str| ALIASES.iter().any(|name| alias.starts_with(&format!("/{name}/")));
    let alias = path.strip_prefix("/usr").filter(is_alias);
    let mut forms = std::iter::once(path).chain(alias);
    forms.any(|form| text.match_indices(form).any(|(at, _)| stands_alone(at, form)))
}

/// What a step of a test says.
fn words(step: &TestStep) -> Vec<String> {
    match &step.action {
        Action::Run(run) => match &run.command {
            Command::Own => Vec::new(),
            Command::Arguments(words) | Command::Program(words) => words.clone(),
        },
        Action::Ask(_) | Action::Talk(_) | Action::Stop => Vec::new(),
    }
}

fn is_program(path: &ImagePath) -> bool {
    path.parent().is_some_and(|folder| PROGRAMS.contains(&folder.as_str()))
}

/// All texts of the recipe that may name a file: what runs, what tests run, links, its own small files.
fn mentions(chain: &Chain, whole: &Inventory) -> Vec<String> {
    let recipe = chain.last();
    let spec = &recipe.image;
    let mut texts: Vec<String> = Vec::new();
    texts.extend(spec.entrypoint.iter().chain(&spec.cmd).flatten().cloned());
    let system = &recipe.system;
    texts.extend(system.alternatives.values().map(|target| target.value.to_string()));
    // What `[system]` speaks of it is made of.
    let zones = system.timezone.is_some() || system.timezones.is_some();
    texts.extend(zones.then(|| "/usr/share/zoneinfo".to_owned()));
    texts.extend(system.mime.is_some().then(|| "/usr/share/mime".to_owned()));
    texts.extend((!system.locales.is_empty()).then(|| "/usr/lib/locale".to_owned()));
    texts.extend(spec.env.values().cloned());
    texts.extend(recipe.tests.iter().flat_map(|test| &test.steps).flat_map(words));
    texts.extend(recipe.texts.values().map(|text| text.value.text.clone()));
    let links = recipe.links.iter().filter_map(|(path, link)| path.resolve(&link.value).ok());
    texts.extend(links.map(|target| merged_path(&target).to_string()));
    // A program may be named by a link that leads to it.
    let paths = texts.iter().filter_map(|text| text.parse::<ImagePath>().ok());
    let followed: Vec<String> = paths.map(|path| whole.follow(&merged_path(&path)).to_string()).collect();
    texts.extend(followed);
    texts
}
