//! What is wished, what it stands on, and what comes of it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use super::toml::{quote, words};
use crate::diag::{Problem, Result, codes};
use crate::ident::{PackageName, Platform, RecipeName};
use crate::lock::Lock;
use crate::recipe::Family;

/// The suite of drafts that stand on no other recipe and say none.
pub(super) const SUITE: &str = "trixie";

/// What is wished for.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The package.
    pub package: PackageName,
    /// The recipe's name.
    pub name: RecipeName,
    /// The folder that the recipe will be in.
    pub folder: PathBuf,
    /// The recipe that it extends.
    pub extends: Option<RecipeName>,
    /// The suite, if not that of the recipe below.
    pub suite: Option<String>,
    /// The platforms, if not those of the recipe below.
    pub platforms: Vec<Platform>,
}

/// A drafted recipe.
#[derive(Debug)]
pub struct Draft {
    /// Its text.
    pub text: String,
    /// The lock that it was tried with.
    pub lock: Option<Lock>,
    /// What was found, and why it was decided so, a line each.
    pub found: Vec<String>,
    /// How far it came.
    pub state: State,
}

/// How far a draft came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It builds, and its test was seen to pass.
    Tried,
    /// It builds, but its program said nothing when it was tried.
    Silent,
    /// It builds, but one of its tests was seen to fail.
    Failing,
    /// It builds; nothing was tried.
    Built,
    /// It does not build.
    Broken(Vec<Problem>),
}

/// What a draft stands on.
pub(super) struct Foundation {
    /// The packages that recipes below take something of.
    pub(super) packages: BTreeSet<PackageName>,
    /// The platforms of the recipe below; this machine's first.
    pub(super) platforms: Vec<Platform>,
    /// Who answers for the recipe below.
    pub(super) owner: Option<String>,
    /// Until when.
    pub(super) end_of_life: Option<String>,
}

impl Foundation {
    /// Reads the recipe below.
    pub(super) fn of(wish: &Wish) -> Result<Self> {
        let mut platforms = Platform::ALL.to_vec();
        let mut found =
            Self { packages: BTreeSet::new(), platforms: Vec::new(), owner: None, end_of_life: None };
        if let Some(name) = &wish.extends {
            let family = Family::open(&wish.folder.join(format!("{name}.toml")))?;
            platforms = family.platforms();
            let chain = family.chain(None, platforms[0])?;
            let entries = chain.recipes.iter().flat_map(|recipe| &recipe.packages);
            found.packages = entries.map(|entry| entry.name.value.clone()).collect();
            found.owner.clone_from(&chain.last().lifecycle.owner);
            found.end_of_life.clone_from(&chain.last().lifecycle.end_of_life);
        }
        if !wish.platforms.is_empty() {
            if let Some(other) = wish.platforms.iter().find(|platform| !platforms.contains(platform)) {
                let what = format!("the recipe below is not for {other}");
                let known: Vec<String> = platforms.iter().map(ToString::to_string).collect();
                return Err(Problem::new(codes::USAGE, what).expected(known.join(" or ")).into());
            }
            platforms.retain(|platform| wish.platforms.contains(platform));
        }
        let here = if cfg!(target_arch = "aarch64") { Platform::Arm64 } else { Platform::Amd64 };
        platforms.sort_by_key(|platform| *platform != here);
        found.platforms = platforms;
        Ok(found)
    }
}

/// A recipe that names the package, and more, for looking into what they depend on.
pub(super) fn exploring(wish: &Wish, platforms: &[Platform], more: &[&str]) -> String {
    let platforms: Vec<String> = platforms.iter().map(ToString::to_string).collect();
    let mut text = format!("name = \"{}\"\nplatforms = {}\n", wish.name, words(&platforms));
    if let Some(name) = &wish.extends {
        let _ = writeln!(text, "extends = \"{name}\"");
    }
    let suite = wish.suite.as_deref().or(wish.extends.is_none().then_some(SUITE));
    if let Some(suite) = suite {
        let _ = writeln!(text, "[debian]\nsuite = {}", quote(suite));
    }
    let own: &[&str] =
        if wish.extends.is_none() { &["base-files", "ca-certificates", "netbase", "tzdata"] } else { &[] };
    let mut names: BTreeSet<&str> = own.iter().chain(more).copied().collect();
    names.insert(wish.package.as_str());
    text += "[debian.packages]\n";
    for name in names {
        let _ = writeln!(text, "\"{name}\" = \"runtime\"");
    }
    text
}
