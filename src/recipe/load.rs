//! A recipe's file and those it extends.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::amend::{amend, expand_packages};
use super::model::{Chain, Recipe};
use super::node::{self, Node, Table};
use super::{keys, lower, shape};
use crate::diag::{Failure, Problem, Result, SourceText, codes, nearest};
use crate::host;
use crate::ident::{Platform, RecipeName};

/// One recipe file as it was written, its shape checked.
#[derive(Debug, Clone)]
struct Document {
    source: Arc<SourceText>,
    folder: PathBuf,
    table: Table,
}

/// A recipe and those it extends, read once: gives the concrete recipe for any variant and platform.
#[derive(Debug, Clone)]
pub struct Family {
    /// The one that extends nothing first.
    documents: Vec<Document>,
    path: PathBuf,
}

impl Family {
    /// Reads a recipe and those it extends. All problems of a file are reported at once, those of
    /// its variants and platforms included.
    pub fn open(path: &Path) -> Result<Self> {
        let mut documents = Vec::new();
        let mut paths = vec![path.to_owned()];
        let mut next = Some((path.to_owned(), None));
        while let Some((path, named_in)) = next.take() {
            let document = Document::read(&path, named_in.as_ref())?;
            next = document.parent(&paths)?;
            paths.extend(next.iter().map(|(path, _)| path.clone()));
            documents.insert(0, document);
        }
        let family = Self { documents, path: path.to_owned() };
        family.check_all()?;
        Ok(family)
    }

    /// The recipe's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The name and the text of each recipe's file, as it was read; the one that extends nothing first.
    pub fn texts(&self) -> impl Iterator<Item = (String, &str)> {
        self.documents.iter().map(|document| {
            let name = document.path().file_name().map(|name| name.to_string_lossy().into_owned());
            (name.unwrap_or_default(), document.source.text.as_str())
        })
    }

    /// Where its lock is: beside it, with another ending.
    pub fn lock_path(&self) -> PathBuf {
        self.path.with_extension("lock")
    }

    /// The files of the recipes that this one extends, the one that extends nothing first.
    pub fn parent_paths(&self) -> Vec<PathBuf> {
        let parents = &self.documents[..self.documents.len() - 1];
        parents.iter().map(Document::path).collect()
    }

    /// The variants that the recipe declares.
    pub fn variants(&self) -> Vec<String> {
        let variants = self.own().table.get("variant").and_then(Node::table);
        variants.map(|table| table.keys().map(ToOwned::to_owned).collect()).unwrap_or_default()
    }

    /// The platforms that the recipe is for, in the order of an index.
    pub fn platforms(&self) -> Vec<Platform> {
        let nodes = self.own().table.get("platforms").and_then(Node::list);
        let Some(nodes) = nodes else { return Platform::ALL.to_vec() };
        let named: Vec<&str> = nodes.iter().filter_map(Node::text).collect();
        Platform::ALL.into_iter().filter(|platform| named.contains(&platform.to_string().as_str())).collect()
    }

    /// The concrete chain of recipes.
    pub fn chain(&self, variant: Option<&str>, platform: Platform) -> Result<Chain> {
        self.check_variant(variant)?;
        let last = self.documents.len() - 1;
        let mut recipes = Vec::new();
        for (at, document) in self.documents.iter().enumerate() {
            let variant = variant.filter(|_| at == last);
            let (recipe, problems) = document.concrete(variant, platform);
            Failure::check(problems)?;
            recipes.push(recipe.expect("a recipe without problems"));
        }
        Ok(Chain { recipes, platform })
    }

    fn own(&self) -> &Document {
        self.documents.last().expect("a family has a recipe")
    }

    fn check_variant(&self, variant: Option<&str>) -> Result<()> {
        let variants = self.variants();
        let Some(variant) = variant.filter(|variant| !variants.iter().any(|known| known == variant)) else {
            return Ok(());
        };
        let help = match nearest(variant, variants.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None if variants.is_empty() => "it declares none".to_owned(),
            None => format!("it declares `{}`", variants.join("`, `")),
        };
        let message = format!("`{}` has no variant `{variant}`", self.own().source.name);
        Err(Problem::new(codes::AMENDMENT, message).help(help).into())
    }

    /// Lowers every variant on every platform, so that none can rot unseen.
    fn check_all(&self) -> Result<()> {
        let mut problems: Vec<Problem> = Vec::new();
        let mut keep = |found: Vec<Problem>| {
            let new: Vec<_> = found.into_iter().filter(|problem| !problems.contains(problem)).collect();
            problems.extend(new);
        };
        for (upto, document) in self.documents.iter().enumerate() {
            for (variant, platform) in document.combinations() {
                let below = self.documents[..upto].iter().map(|below| below.concrete(None, platform).0);
                let (recipe, found) = document.concrete(variant, platform);
                keep(found);
                keep(recipe.as_ref().map(missing_files).unwrap_or_default());
                let recipes: Option<Vec<Recipe>> = below.chain([recipe]).collect();
                keep(recipes.map(|recipes| Chain { recipes, platform }.unknown_owners()).unwrap_or_default());
            }
            keep(document.shape_problems());
        }
        Failure::check(sorted(problems))
    }
}

/// The local files that a recipe names and its folder lacks.
fn missing_files(recipe: &Recipe) -> Vec<Problem> {
    let files = recipe.local_files().map(|(from, place)| (recipe.folder.join(from), place));
    files
        .filter_map(|(path, place)| {
            let folder = host::whole_path(if recipe.folder.as_os_str().is_empty() {
                Path::new(".")
            } else {
                &recipe.folder
            });
            let what = if !host::exists(&path) {
                "is not there"
            } else if !host::is_file(&path) {
                "is not a regular file"
            } else if !host::whole_path(&path).starts_with(folder) {
                "is a link that leads out of the recipe's folder"
            } else {
                return None;
            };
            let message = format!("the file `{}` {what}", path.display());
            let help = "paths of `[file]` begin at the recipe's folder and name regular files below it";
            Some(place.problem(codes::NO_FILE, message, "named here").help(help))
        })
        .collect()
}

/// In the order of the files' lines.
fn sorted(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by_key(|problem| {
        problem.place.as_ref().and_then(|(_, labels)| labels.first().map(|(span, _)| span.start))
    });
    problems
}

impl Document {
    fn read(path: &Path, named_in: Option<&Problem>) -> Result<Self> {
        if !host::exists(path) {
            return Err(missing(path, named_in));
        }
        let name = path.display().to_string();
        if !host::is_file(path) {
            let problem =
                Problem::new(codes::NO_RECIPE, format!("`{name}` is a folder or a device, not a recipe"));
            return Err(problem.help("name a file, such as `recipes/python.toml`").into());
        }
        let text = String::from_utf8(host::read(path)?).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let problem = Problem::new(codes::SYNTAX, format!("`{name}` is not TOML: it is not UTF-8"));
            let problem =
                problem.found(format!("a byte that begins no character, {at} bytes from the beginning"));
            problem.help("save the file as UTF-8")
        })?;
        let source = Arc::new(SourceText { name, text });
        let mut table =
            node::parse(&source).map_err(|problems| Failure::check(problems).expect_err("some"))?;
        expand_packages(&mut table);
        let folder = path.parent().unwrap_or(Path::new(""));
        Ok(Self { source, folder: folder.to_owned(), table })
    }

    fn path(&self) -> PathBuf {
        PathBuf::from(&self.source.name)
    }

    /// The recipe that this one extends, with the words that say so. `seen` are those on the way here.
    fn parent(&self, seen: &[PathBuf]) -> Result<Option<(PathBuf, Option<Problem>)>> {
        let Some(node) = self.table.get("extends") else { return Ok(None) };
        let Some(name) = node.text() else { return Ok(None) };
        let path = self.folder.join(format!("{name}.toml"));
        let here = |code, message: String| {
            Problem::new(code, message).at(&self.source, node.span.clone(), "named here")
        };
        if seen.contains(&path) {
            let chain: Vec<String> =
                seen.iter().chain([&path]).map(|path| path.display().to_string()).collect();
            return Err(here(codes::CYCLE, format!("`{}` extends itself", path.display()))
                .fact("chain", chain.join(" → "))
                .help("let one of them extend nothing")
                .into());
        }
        let missing = here(codes::NO_RECIPE, format!("there is no recipe `{}`", path.display()));
        Ok(Some((path, Some(missing))))
    }

    /// The default and all variants, on all platforms.
    fn combinations(&self) -> Vec<(Option<&str>, Platform)> {
        let variants = self.table.get("variant").and_then(Node::table);
        let names = variants.into_iter().flat_map(Table::keys).map(Some);
        std::iter::once(None)
            .chain(names)
            .flat_map(|variant| Platform::ALL.map(|platform| (variant, platform)))
            .collect()
    }

    fn shape_problems(&self) -> Vec<Problem> {
        shape::check(&self.source, &self.table, keys::recipe())
    }

    fn concrete(&self, variant: Option<&str>, platform: Platform) -> (Option<Recipe>, Vec<Problem>) {
        let mut table = self.table.clone();
        let mut problems = Vec::new();
        let platform_name = platform.to_string();
        let amendments = [("variant", variant), ("platform", Some(platform_name.as_str()))];
        for (section, name) in amendments {
            let amendment = name.and_then(|name| self.table.get(section)?.table()?.get(name)?.table());
            if let Some(amendment) = amendment {
                amend(&self.source, &mut table, amendment, &mut problems);
            }
        }
        self.check_names(&mut problems);
        let (recipe, more) = lower::lower(&self.source, &self.folder, &table, variant, platform);
        problems.extend(more);
        (recipe, problems)
    }

    /// Names of platforms and variants: a variant's becomes part of tags and paths.
    fn check_names(&self, problems: &mut Vec<Problem>) {
        let variants =
            self.table.get("variant").and_then(Node::table).into_iter().flat_map(|table| &table.entries);
        for (word, _) in variants {
            if word.text.parse::<RecipeName>().is_err() {
                let problem =
                    Problem::new(codes::BAD_VALUE, format!("`{}` is not the name of a variant", word.text));
                let help = "lower-case letters and digits, with single `-`, `_` or `.` between";
                problems.push(problem.at(&self.source, word.span.clone(), "this name").help(help));
            }
        }
        let none = self.table.get("platforms").filter(|node| node.list().is_some_and(<[Node]>::is_empty));
        if let Some(node) = none {
            let problem = Problem::new(codes::BAD_VALUE, "`platforms` names none");
            let problem = problem.at(&self.source, node.span.clone(), "nothing to build for");
            problems.push(problem.help("leave it out for both platforms"));
        }
        let keys =
            self.table.get("platform").and_then(Node::table).into_iter().flat_map(|table| &table.entries);
        let keys = keys.map(|(word, _)| (word.text.as_str(), &word.span));
        let nodes = self.table.get("platforms").and_then(Node::list).unwrap_or_default();
        let nodes = nodes.iter().filter_map(|node| Some((node.text()?, &node.span)));
        for (text, span) in keys.chain(nodes) {
            if let Err(error) = text.parse::<Platform>() {
                let problem = Problem::new(codes::BAD_VALUE, error.to_string());
                problems.push(
                    problem
                        .at(&self.source, span.clone(), "this value")
                        .help("`linux/amd64` or `linux/arm64`"),
                );
            }
        }
    }
}

fn missing(path: &Path, named_in: Option<&Problem>) -> Failure {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let there: Vec<String> = host::list(folder)
        .unwrap_or_default()
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| path.display().to_string())
        .collect();
    let wanted = path.display().to_string();
    let problem = named_in
        .cloned()
        .unwrap_or_else(|| Problem::new(codes::NO_RECIPE, format!("there is no recipe `{wanted}`")));
    let help = match nearest(&wanted, there.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None if there.is_empty() => format!("there are no recipes in `{}`", folder.display()),
        None => format!("there are `{}`", there.join("`, `")),
    };
    problem.help(help).into()
}
