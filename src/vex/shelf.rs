//! The files of decisions beside recipes, read together.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::conflict::conflicts;
use super::dates::day;
use super::decision::{Decision, Images, Standing};
use super::document::Document;
use super::lower::{About, lower, unknown};
use super::read::read_document;
use crate::diag::{Failure, Problem, Result, SourceText, codes};
use crate::host;
use crate::ident::Epoch;
use crate::recipe::text::parse;

/// The folder beside recipes that decisions are in.
pub const FOLDER: &str = "vex";

/// The file that speaks of all images, without its ending.
pub const ALL: &str = "all";

/// The largest file of decisions, in bytes.
const LARGEST: u64 = 4 << 20;

/// The most files of decisions.
const MOST_FILES: usize = 10_000;

/// Decisions on vulnerabilities: people's own, and documents of others.
#[derive(Debug, Clone, Default)]
pub struct Decisions {
    pub(super) own: Vec<Decision>,
    pub(super) documents: Vec<Document>,
}

/// The files that a recipe's decisions are in, whether they are there or not: its own, and that for all.
pub fn files_of(recipe: &Path) -> [PathBuf; 2] {
    let folder = recipe.parent().unwrap_or(Path::new("")).join(FOLDER);
    let own = recipe.file_name().map(|name| folder.join(name).with_extension("toml"));
    let all = folder.join(format!("{ALL}.toml"));
    [own.unwrap_or_else(|| all.clone()), all]
}

impl Decisions {
    /// All decisions beside the recipes of a folder. `products` are the names of the recipes that there are. All
    /// that is wrong is reported at once.
    pub fn read(folder: &Path, products: &[String]) -> Result<Self> {
        Self::of_files(&files_in(&folder.join(FOLDER), "toml")?, Some(products))
    }

    /// What somebody names on the command line: a folder of recipes, its folder `vex` with documents of others in it
    /// too, a file of decisions, or one such document. Where `products` are not said, names are not looked at.
    pub fn of_path(path: &Path, products: Option<&[String]>) -> Result<Self> {
        if host::is_dir(path) {
            let is_own = path.file_name().is_some_and(|name| name == FOLDER);
            let folder = if is_own { path.to_owned() } else { path.join(FOLDER) };
            if !host::is_dir(&folder) {
                let what = format!("there are no decisions in `{}`", path.display());
                let help = "name a folder of recipes with a folder `vex` in it, or a file";
                return Err(Problem::new(codes::BAD_VEX, what).help(help).into());
            }
            let mut decisions = Self::of_files(&files_in(&folder, "toml")?, products)?;
            for file in files_in(&folder, "json")? {
                decisions.add(open_document(&file)?);
            }
            return Ok(decisions);
        }
        if path.extension().is_some_and(|ending| ending == "toml") {
            return Self::of_files(&[path.to_owned()], products);
        }
        let mut decisions = Self::default();
        decisions.add(open_document(path)?);
        Ok(decisions)
    }

    /// What is said of one recipe's image: in its own file and in that for all.
    pub fn of_recipe(recipe: &Path) -> Result<Self> {
        let [own, all] = files_of(recipe);
        let mut files = vec![own];
        if files[0] != all {
            files.push(all);
        }
        files.retain(|file| host::is_file(file));
        Self::of_files(&files, None)
    }

    fn of_files(files: &[PathBuf], products: Option<&[String]>) -> Result<Self> {
        let (mut own, mut problems) = (Vec::new(), Vec::new());
        for path in files {
            match read_file(path, products) {
                Ok((decisions, found)) => {
                    own.extend(decisions);
                    problems.extend(found);
                }
                Err(failure) => problems.extend(failure.into_problems()),
            }
        }
        problems.extend(conflicts(&own));
        Failure::check(problems)?;
        own.sort_by(|one, other| one.order().cmp(&other.order()));
        Ok(Self { own, documents: Vec::new() })
    }

    /// The decisions of a text, as if it were the file `name` of a folder of recipes.
    pub fn of_text(name: &str, text: &str, products: Option<&[String]>) -> Result<Self> {
        let source = Arc::new(SourceText { name: name.to_owned(), text: text.to_owned() });
        let (mut own, mut problems) = read_source(&source, Path::new(name), products);
        problems.extend(conflicts(&own));
        Failure::check(problems)?;
        own.sort_by(|one, other| one.order().cmp(&other.order()));
        Ok(Self { own, documents: Vec::new() })
    }

    /// Whether a further decision contradicts none of these.
    pub fn allow(&self, decision: &Decision) -> Result<()> {
        // Its own file may have been among these.
        let others = self.own.iter().filter(|one| *one != decision).cloned();
        let all: Vec<Decision> = others.chain([decision.clone()]).collect();
        Failure::check(conflicts(&all))
    }

    /// Adds what others say. It counts less than people's own decisions.
    pub fn add(&mut self, document: Document) {
        self.documents.push(document);
    }

    /// People's own decisions, by CVE.
    pub fn own(&self) -> &[Decision] {
        &self.own
    }

    /// Documents of others.
    pub fn documents(&self) -> &[Document] {
        &self.documents
    }

    /// Whether nothing is said at all.
    pub fn is_empty(&self) -> bool {
        self.own.is_empty() && self.documents.is_empty()
    }

    /// Only people's own decisions that are about one of these images.
    #[must_use]
    pub fn only(mut self, images: &[String]) -> Self {
        self.own.retain(|decision| images.iter().any(|image| decision.images.has(image)));
        self
    }

    /// Those of people's own that are about an image.
    pub fn about(&self, image: &str) -> impl Iterator<Item = &Decision> {
        self.own.iter().filter(move |decision| decision.images.has(image))
    }

    /// Decisions that don't count, and why: those that have expired, and those of the future. Warnings.
    pub fn idle(&self, now: Epoch) -> Vec<Problem> {
        let warn = |decision: &Decision| {
            let (code, message, help) = match decision.standing(now) {
                Standing::Holds => return None,
                Standing::Expired => (
                    codes::VEX_EXPIRED,
                    format!("the decision on {} has expired, and counts as none", decision.about()),
                    "look at it again: date it anew with another `expires`, or delete it",
                ),
                Standing::NotYet => (
                    codes::VEX_DATE,
                    format!(
                        "the decision on {} is dated in the future, and counts as none",
                        decision.about()
                    ),
                    "correct `date`, or this machine's clock",
                ),
            };
            let problem = decision.place.problem(code, message, format!("by {}", decision.author));
            let problem = problem.fact("date", day(decision.date));
            let problem = match decision.expires {
                Some(expires) => problem.fact("expires", day(expires)),
                None => problem,
            };
            Some(problem.fact("today", day(now)).help(help).warn())
        };
        self.own.iter().filter_map(warn).collect()
    }
}

/// The files of a folder with an ending, sorted.
fn files_in(folder: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let mut files = host::list(folder)?;
    files.retain(|path| path.extension().is_some_and(|found| found == ending) && host::is_file(path));
    if files.len() > MOST_FILES {
        let what = format!("there are too many files in `{}`", folder.display());
        return Err(Problem::new(codes::BAD_VEX, what).expected(format!("at most {MOST_FILES}")).into());
    }
    Ok(files)
}

/// Reads a document of others from a file.
pub fn open_document(path: &Path) -> Result<Document> {
    read_document(&host::read(path)?, &path.display().to_string())
}

fn read_file(path: &Path, products: Option<&[String]>) -> Result<(Vec<Decision>, Vec<Problem>)> {
    let name = path.display().to_string();
    let (size, _) = host::size_and_use(path)?;
    if size > LARGEST {
        let problem = Problem::new(codes::BAD_VEX, format!("the file of decisions `{name}` is too large"));
        return Err(problem
            .found(format!("{size} bytes"))
            .expected(format!("at most {LARGEST} bytes"))
            .into());
    }
    let text = String::from_utf8(host::read(path)?).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let problem = Problem::new(codes::SYNTAX, format!("`{name}` is not TOML: it is not UTF-8"));
        problem.found(format!("a byte that begins no character, {at} bytes from the beginning"))
    })?;
    Ok(read_source(&Arc::new(SourceText { name, text }), path, products))
}

fn read_source(
    source: &Arc<SourceText>,
    path: &Path,
    products: Option<&[String]>,
) -> (Vec<Decision>, Vec<Problem>) {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let all = stem == ALL;
    let stranger = products.filter(|_| !all).and_then(|products| unknown(&stem, products));
    let stranger = stranger.map(|(message, help)| {
        let problem =
            Problem::new(codes::VEX_PRODUCT, format!("{message}, which `{}` speaks of", source.name));
        problem.help(help)
    });
    let table = match parse(source) {
        Ok(table) => table,
        Err(problems) => return (Vec::new(), stranger.into_iter().chain(problems).collect()),
    };
    let images = if all { Images::All } else { Images::Named([stem].into()) };
    let (decisions, found) = lower(source, &table, &About { images, products });
    (decisions, stranger.into_iter().chain(found).collect())
}
