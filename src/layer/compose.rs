//! One recipe's tree, step by step.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use super::needs::Edge;
use super::tree::{Data, Node, NodeKind, Origin, Tree, View};
use super::{closure, copyright, generate, own, select};
use crate::diag::{Failure, Problem, Result, codes};
use crate::ident::{DebVersion, ImagePath, PackageName, Platform};
use crate::recipe::{ALIASES, Chain, Recipe};
use crate::source::{ContentReader, Parcel};

/// A package that can be taken from.
#[derive(Debug, Clone)]
pub struct PackageParcel {
    /// Its name.
    pub name: PackageName,
    /// Its version.
    pub version: DebVersion,
    /// What it holds.
    pub parcel: Parcel,
    pub(super) by_path: Arc<BTreeMap<ImagePath, usize>>,
}

/// All that trees are made of.
#[derive(Debug, Default)]
pub struct Inputs {
    /// The packages that the recipes of the chain reach, by name.
    pub packages: Vec<PackageParcel>,
    /// Downloads and local files: what a recipe calls them, and their parcels.
    pub sources: BTreeMap<(String, String), (Parcel, Option<bool>)>,
}

impl Inputs {
    /// The parcel that a node's data points to.
    pub fn parcel(&self, at: usize) -> &Parcel {
        match at.checked_sub(self.packages.len()) {
            None => &self.packages[at].parcel,
            Some(at) => &self.sources.values().nth(at).expect("a known source").0,
        }
    }

    /// The content of a file.
    pub fn content(&self, data: &Data, reader: &mut ContentReader) -> io::Result<Vec<u8>> {
        match data {
            Data::Bytes(bytes) => Ok(bytes.to_vec()),
            Data::Parcel { parcel, content, .. } => reader.bytes(self.parcel(*parcel), content),
        }
    }

    pub(super) fn package(&self, name: &str) -> Option<(usize, &PackageParcel)> {
        self.packages.iter().enumerate().find(|(_, package)| package.name.as_str() == name)
    }

    /// A source of a recipe, its place among all parcels, and whether a local file is executable.
    pub(super) fn source(&self, recipe: &str, name: &str) -> Option<(usize, &Parcel, Option<bool>)> {
        let key = (recipe.to_owned(), name.to_owned());
        let at = self.sources.keys().position(|known| *known == key)?;
        let (parcel, executable) = &self.sources[&key];
        Some((self.packages.len() + at, parcel, *executable))
    }
}

/// A recipe's tree, and what was found out on the way.
#[derive(Debug)]
pub struct Composed {
    /// What the recipe adds.
    pub tree: Tree,
    /// Which of its files need which.
    pub needs: BTreeSet<Edge>,
    /// Which words of its `[closure] skip` something needed.
    pub skipped: BTreeSet<String>,
}

impl Composed {
    /// The packages that files were taken of.
    pub fn packages(&self) -> BTreeSet<PackageName> {
        let taken = self.tree.nodes.values().filter(|node| !node.is_directory());
        taken
            .filter_map(
                |node| if let Origin::Package(name) = &node.origin { Some(name.clone()) } else { None },
            )
            .collect()
    }
}

/// What a step of composition works with.
pub(super) struct Work<'a> {
    pub(super) recipe: &'a Recipe,
    pub(super) chain: &'a Chain,
    pub(super) platform: Platform,
    pub(super) inputs: &'a Inputs,
    /// Which packages of the inputs this recipe reaches.
    pub(super) reach: &'a [PackageName],
    pub(super) below: &'a [Tree],
    pub(super) tree: Tree,
    pub(super) problems: Vec<Problem>,
}

/// The tree that the recipe at place `at` of the chain adds to the trees `below`. `reach` names the
/// packages that it and those below may take libraries from.
pub fn compose(
    chain: &Chain,
    at: usize,
    inputs: &Inputs,
    reach: &[PackageName],
    below: &[Tree],
) -> Result<Composed> {
    let recipe = &chain.recipes[at];
    let mut work = Work {
        recipe,
        chain,
        platform: chain.platform,
        inputs,
        reach,
        below,
        tree: Tree::default(),
        problems: Vec::new(),
    };
    work.select_packages();
    generate::locales(&mut work);
    let certificates = generate::packaged(&work)?;
    work.drop_paths();
    generate::timezones(&mut work);
    own::add(&mut work);
    if !work.problems.is_empty() {
        // What else is wrong is said too, though nothing comes of it.
        own::attributes(&mut work);
    }
    // What it names is needed.
    generate::name_services(&mut work);
    work.check()?;
    let closed = closure::close(&mut work)?;
    copyright::add(&mut work);
    own::attributes(&mut work);
    work.check()?;
    generate::all(&mut work, certificates)?;
    work.fill_folders();
    work.leave_out_what_is_below();
    work.check()?;
    Ok(Composed { tree: work.tree, needs: closed.edges, skipped: closed.skipped })
}

impl<'a> Work<'a> {
    /// The recipes of the chain up to this one, which is the last of them.
    pub(super) fn upto(&self) -> &'a [Recipe] {
        let recipes = &self.chain.recipes;
        let at = recipes.iter().position(|recipe| std::ptr::eq(recipe, self.recipe));
        &recipes[..at.map_or(recipes.len(), |at| at + 1)]
    }
}

impl Work<'_> {
    pub(super) fn view(&self) -> View<'_> {
        View { below: self.below, own: &self.tree }
    }

    /// Fails with what was found wrong so far.
    fn check(&mut self) -> Result<()> {
        Failure::check(std::mem::take(&mut self.problems))
    }

    pub(super) fn reaches(&self, name: &PackageName) -> bool {
        self.reach.binary_search(name).is_ok()
    }

    fn select_packages(&mut self) {
        let recipe = self.recipe;
        for (name, kept) in &recipe.closure.keep {
            if !recipe.packages.iter().any(|entry| entry.name.value.as_str() == name) {
                let message = format!("`{name}` is kept, but this recipe does not take it");
                let problem = kept.place.problem(codes::NO_MATCH, message, "not among its packages");
                self.problems.push(problem.help("take the line out, or add the package"));
            }
        }
        for entry in &recipe.packages {
            let (at, package) = self
                .inputs
                .package(entry.name.value.as_str())
                .expect("a lock that satisfies the recipe pins it");
            let (nodes, problems) = select::select(entry, package, at, self.platform);
            self.problems.extend(problems);
            for (path, node) in nodes {
                self.claim(path, node);
            }
        }
    }

    /// Puts a package's node into the tree; two packages may share folders and nothing else.
    pub(super) fn claim(&mut self, path: ImagePath, node: Node) {
        let there = self.view().get(&path);
        let conflict = there.is_some_and(|there| {
            let folders = there.is_directory() && node.is_directory();
            let same = there.origin == node.origin
                || there.looks_like(&node) && matches!(node.kind, NodeKind::Symlink(_));
            // What a recipe below wrote by itself may stand over a packaged file, as here.
            !folders && !same && matches!(there.origin, Origin::Package(_))
        });
        match (conflict, there) {
            (true, Some(there)) => {
                let problem = two_owners(&path, there, &node, self.recipe);
                self.problems.push(problem);
            }
            _ => drop(self.tree.nodes.insert(path, node)),
        }
    }

    fn drop_paths(&mut self) {
        let recipe = self.recipe;
        for pattern in &recipe.drop {
            let before = self.tree.nodes.len();
            self.tree.nodes.retain(|path, _| !pattern.value.matches(path.as_str()));
            if self.tree.nodes.len() == before {
                let message = format!("`{}` matches nothing that this recipe takes", pattern.value);
                let problem = pattern.place.problem(codes::NO_MATCH, message, "matches nothing");
                self.problems.push(
                    problem.help("what a recipe below took can't be dropped here: it is in a layer below"),
                );
            }
        }
    }

    /// Whether a path was dropped, so that nothing brings it back.
    pub(super) fn is_dropped(&self, path: &ImagePath) -> bool {
        self.recipe.drop.iter().any(|pattern| pattern.value.matches(path.as_str()))
    }

    /// The folders above every path: as a package has them, else plain. A path that goes through a
    /// file or a link is refused: what it would become depends on who unpacks it.
    fn fill_folders(&mut self) {
        let paths: Vec<ImagePath> = self.tree.nodes.keys().cloned().collect();
        let mut blocked = BTreeMap::new();
        for (path, above) in paths.iter().flat_map(|path| path.ancestors().map(move |above| (path, above))) {
            if above.is_root() || ALIASES.contains(&above.member()) {
                continue;
            }
            match self.view().get(&above) {
                Some(there) if !there.is_directory() => {
                    blocked.entry(above).or_insert_with(|| path.clone());
                }
                Some(there) => {
                    let there = there.clone();
                    self.tree.nodes.entry(above).or_insert(there);
                }
                None => {
                    let node = self.packaged_folder(&above).unwrap_or_else(Node::directory);
                    self.tree.nodes.insert(above, node);
                }
            }
        }
        for (above, path) in blocked {
            let message = format!("`{path}` goes through `{above}`, which is no folder");
            let help = "place it where the link points to, or name another path";
            self.problems.push(Problem::new(codes::CONFLICT, message).help(help));
        }
    }

    fn packaged_folder(&self, path: &ImagePath) -> Option<Node> {
        let packages =
            self.inputs.packages.iter().enumerate().filter(|(_, package)| self.reaches(&package.name));
        let mut found = packages.filter_map(|(at, package)| Some((at, package, package.entry(path)?)));
        let (at, package, entry) =
            found.find(|(_, _, entry)| entry.kind == crate::source::Kind::Directory)?;
        Some(Node { origin: Origin::Generated, ..select::node(entry, package, at, super::Reason::Structure) })
    }

    fn leave_out_what_is_below(&mut self) {
        let below = View { below: self.below, own: &Tree::default() };
        self.tree.nodes.retain(|path, node| below.get(path).is_none_or(|there| !there.looks_like(node)));
        for (path, node) in &self.tree.nodes {
            let there = below.get(path);
            if there.is_some_and(|there| there.is_directory() != node.is_directory()) {
                let message = format!("`{path}` is a folder in one recipe of the chain and none in another");
                self.problems.push(
                    Problem::new(codes::CONFLICT, message).help("name another path in the upper recipe"),
                );
            }
        }
    }
}

fn two_owners(path: &ImagePath, there: &Node, node: &Node, recipe: &Recipe) -> Problem {
    let name = |origin: &Origin| match origin {
        Origin::Package(name) => format!("package `{name}`"),
        Origin::Source(name) => format!("`{name}`"),
        Origin::Recipe | Origin::Generated => "the recipe".to_owned(),
    };
    let (first, second) = (name(&there.origin), name(&node.origin));
    let problem = Problem::new(codes::CONFLICT, format!("`{path}` is owned by {first} and by {second}"));
    let named = recipe.packages.iter().find(|entry| node.origin == Origin::Package(entry.name.value.clone()));
    let problem = match named {
        Some(entry) => problem.at(&entry.name.place.source, entry.name.place.span.clone(), "taken here"),
        None => problem,
    };
    problem.help(format!("take it from one of the two: give the other `except = [\"{path}\"]`"))
}
