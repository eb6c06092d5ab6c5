//! From the packages that recipes name to the Depends closure, for one platform.
//!
//! The rule is simple, so that people can foresee it: a package that is pinned stays where it is if
//! it meets what is asked of it, else the newest version in the archive of highest priority is
//! taken. Of alternatives a preferred package wins, then one that a recipe names, then the first
//! that is there. Recommends are never followed.

use std::collections::{BTreeMap, BTreeSet};

use super::packages::{Candidate, Relation, Universe};
use crate::diag::{Failure, Problem, Result, codes, nearest};
use crate::ident::{PackageName, Platform};
use crate::recipe::At;

/// What resolution starts from.
pub struct Wanted<'a> {
    /// The packages that recipes name.
    pub roots: Vec<&'a At<PackageName>>,
    /// Those to take where a dependency leaves a choice.
    pub prefer: BTreeSet<PackageName>,
    /// What is pinned already and stays if it can.
    pub pins: BTreeMap<PackageName, Candidate>,
    /// Each archive's priority, by its place in the list.
    pub priorities: Vec<i64>,
    /// The platform, for messages.
    pub platform: Platform,
}

/// A chosen package and what each of its dependencies was resolved to.
pub type Resolved = BTreeMap<PackageName, (Candidate, BTreeSet<PackageName>)>;

/// The closure, or all that is in its way.
pub fn resolve(universe: &Universe, wanted: &Wanted) -> Result<Resolved> {
    let mut unpinned = BTreeSet::new();
    loop {
        let mut run = Run { universe, wanted, unpinned: &unpinned, chosen: BTreeMap::new(), loosen: None };
        let outcome = run.all();
        // A pin that does not meet what a newer package asks for is given up, and all is done again.
        match run.loosen.take() {
            Some(name) if unpinned.contains(&name) => return outcome.map(|()| run.chosen),
            Some(name) => drop(unpinned.insert(name)),
            None => return outcome.map(|()| run.chosen),
        }
    }
}

struct Run<'a> {
    universe: &'a Universe,
    wanted: &'a Wanted<'a>,
    unpinned: &'a BTreeSet<PackageName>,
    chosen: Resolved,
    loosen: Option<PackageName>,
}

impl Run<'_> {
    fn all(&mut self) -> Result<()> {
        let mut problems = Vec::new();
        let mut queue = Vec::new();
        for root in &self.wanted.roots {
            match self.best(&Relation { name: root.value.to_string(), bound: None })? {
                Some(candidate) => queue.push(candidate),
                None => problems.push(self.unknown(root)),
            }
        }
        Failure::check(problems)?;
        while let Some(candidate) = queue.pop() {
            if self.chosen.contains_key(&candidate.name) {
                continue;
            }
            let needed = self.needs(&candidate)?;
            let names = needed.iter().map(|needed| needed.name.clone()).collect();
            self.chosen.insert(candidate.name.clone(), (candidate, names));
            queue.extend(needed);
        }
        Ok(())
    }

    fn unknown(&self, root: &At<PackageName>) -> Problem {
        let message =
            format!("no archive of the recipe has a package `{}` for {}", root.value, self.wanted.platform);
        let near = nearest(root.value.as_str(), self.universe.names());
        let providers = self.universe.providing(root.value.as_str()).unwrap_or_default();
        let help = match (providers.first(), near) {
            (Some(provider), _) => {
                format!("it is a virtual package: name one that provides it, such as `{}`", provider.name)
            }
            (None, Some(near)) => format!("did you mean `{near}`?"),
            (None, None) => "check the suite and the components".to_owned(),
        };
        root.place.problem(codes::UNKNOWN_PACKAGE, message, "named here").help(help)
    }

    /// What a package's dependencies are resolved to.
    fn needs(&mut self, candidate: &Candidate) -> Result<Vec<Candidate>> {
        let mut needed = Vec::new();
        for clause in &candidate.depends {
            let Some(found) = self.choose(clause)? else {
                self.loosen = self.loosenable(candidate, clause);
                return Err(self.unmet(candidate, clause).into());
            };
            needed.push(found);
        }
        Ok(needed)
    }

    /// A pin that is in the way of a clause: of one of its alternatives, else of the package itself.
    fn loosenable(&self, candidate: &Candidate, clause: &[Relation]) -> Option<PackageName> {
        let names = clause.iter().map(|relation| relation.name.as_str()).chain([candidate.name.as_str()]);
        let pinned = |name: &str| {
            self.wanted.pins.keys().find(|pin| pin.as_str() == name && !self.unpinned.contains(*pin))
        };
        names.into_iter().find_map(pinned).cloned()
    }

    fn unmet(&self, candidate: &Candidate, clause: &[Relation]) -> Problem {
        let text: Vec<String> = clause.iter().map(ToString::to_string).collect();
        let message = format!(
            "`{}` {} needs `{}`, which no archive has for {}",
            candidate.name,
            candidate.version,
            text.join(" | "),
            self.wanted.platform
        );
        let mut problem = Problem::new(codes::UNSATISFIABLE, message);
        for relation in clause {
            for there in self.universe.named(&relation.name).unwrap_or_default() {
                problem = problem.found(format!("{} {}", there.name, there.version));
            }
        }
        problem.help("add the archive that holds it, or move the pins: `hardpan lock --update`")
    }

    fn choose(&self, clause: &[Relation]) -> Result<Option<Candidate>> {
        let named = |name: &PackageName| self.wanted.roots.iter().any(|root| root.value == *name);
        let preferred = |name: &PackageName| self.wanted.prefer.contains(name);
        let mut options = Vec::new();
        for relation in clause {
            options.extend(self.options(relation)?);
        }
        let wanted = options
            .iter()
            .find(|option| preferred(&option.name))
            .or_else(|| options.iter().find(|option| named(&option.name)));
        Ok(wanted.or(options.first()).cloned())
    }

    /// What meets a relation, best first: the package itself, then what provides it, by name.
    fn options(&self, relation: &Relation) -> Result<Vec<Candidate>> {
        let mut options: Vec<Candidate> = self.best(relation)?.into_iter().collect();
        let mut providers = self.universe.providing(&relation.name).map_err(broken)?;
        providers.retain(|provider| provider.provides.iter().any(|provided| provides(provided, relation)));
        let names: BTreeSet<PackageName> = providers.into_iter().map(|provider| provider.name).collect();
        for name in names {
            // Only the version that would be taken counts, not an older one that provided it too.
            let best = self.best(&Relation { name: name.to_string(), bound: None })?;
            options.extend(
                best.filter(|best| best.provides.iter().any(|provided| provides(provided, relation))),
            );
        }
        Ok(options)
    }

    /// The version of a package that is taken if it meets the relation.
    fn best(&self, relation: &Relation) -> Result<Option<Candidate>> {
        let pin =
            self.wanted.pins.get(relation.name.as_str()).filter(|pin| !self.unpinned.contains(&pin.name));
        let found = self.universe.named(&relation.name).map_err(broken)?;
        if let Some(pin) = pin {
            // Where the archive still has the pinned version, it knows more of it than the lock.
            let there = found.iter().find(|candidate| candidate.sha256 == pin.sha256).unwrap_or(pin);
            return Ok(relation.is_met_by(&pin.version).then(|| there.clone()));
        }
        let rank = |candidate: &Candidate| self.wanted.priorities[candidate.archive];
        let best = found.into_iter().max_by(|a, b| {
            rank(a)
                .cmp(&rank(b))
                .then_with(|| a.version.cmp(&b.version))
                .then_with(|| b.archive.cmp(&a.archive))
        });
        Ok(best.filter(|best| relation.is_met_by(&best.version)))
    }
}

fn broken(why: String) -> Failure {
    let help =
        "the archive made it wrong, or it is not what its name says: tell the archive, or try another mirror";
    Problem::new(codes::BAD_INDEX, "a package index does not read as one").found(why).help(help).into()
}

/// Whether `provided` meets `relation`: one with a bound needs a version that meets it (policy, 7.5).
fn provides(provided: &Relation, relation: &Relation) -> bool {
    provided.name == relation.name
        && match (&provided.bound, &relation.bound) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some((_, version)), Some(_)) => relation.is_met_by(version),
        }
}
