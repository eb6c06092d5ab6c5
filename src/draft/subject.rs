//! What a package's name stands for: the package that holds the programs, where the one that was
//! asked for only depends on it, and the packages that were made of the same source.

use std::collections::BTreeSet;

use super::world::{World, is_install_only, is_program};
use crate::ident::PackageName;
use crate::source::Kind;

/// Steps from one package without programs to the next.
const MAX_STEPS: usize = 5;

/// What is drafted.
pub(super) struct Subject {
    /// The package that was asked for.
    pub(super) asked: PackageName,
    /// The package with the programs.
    pub(super) main: PackageName,
    /// Packages of the same source among what it needs, and those that are named after it; `main` first.
    pub(super) family: Vec<PackageName>,
    /// How `main` was come to, a line a step.
    pub(super) steps: Vec<String>,
}

impl Subject {
    pub(super) fn of(world: &World, asked: &PackageName) -> Self {
        let mut main = asked.clone();
        let (mut steps, mut passed) = (Vec::new(), Vec::new());
        for _ in 0..MAX_STEPS {
            if has_programs(world, &main) {
                break;
            }
            let Some(next) = next(world, &main) else { break };
            steps.push(format!("`{main}` holds no program: it stands for `{next}`"));
            passed.push(std::mem::replace(&mut main, next));
        }
        let mut family = family(world, &main);
        // Those on the way often hold the service's unit and configuration.
        passed.retain(|name| !family.contains(name));
        family.extend(passed);
        Self { asked: asked.clone(), main, family, steps }
    }

    /// The source package's name.
    pub(super) fn source<'a>(&self, world: &'a World) -> &'a str {
        world.package(self.main.as_str()).map_or("", |package| package.source())
    }
}

fn has_programs(world: &World, name: &PackageName) -> bool {
    let package = world.package(name.as_str());
    package.is_some_and(|package| {
        package
            .parcel
            .index
            .entries
            .iter()
            .any(|entry| entry.kind != Kind::Directory && is_program(&entry.path))
    })
}

/// The dependency that a package without programs most likely stands for.
fn next(world: &World, name: &PackageName) -> Option<PackageName> {
    let source = world.package(name.as_str())?.source();
    let score = |other: &PackageName| {
        let same = world.package(other.as_str()).is_some_and(|package| package.source() == source);
        let library = other.as_str().starts_with("lib") && !name.as_str().starts_with("lib");
        let meant = likeness(other.as_str(), name.as_str()) * 2 + i32::from(same);
        let programs = i32::from(has_programs(world, other));
        meant + programs * 4 - i32::from(library) * 4
    };
    let depends: Vec<&PackageName> =
        world.depends(name.as_str()).filter(|other| !is_install_only(other)).collect();
    let best = depends.iter().max_by_key(|other| (score(other), std::cmp::Reverse((**other).clone())))?;
    // One that has no programs itself may lead to one that has.
    (score(best) > 0 || depends.len() == 1).then(|| (*best).clone())
}

/// How alike two names are: 3 for the same letters, 2 if one begins with the other, 1 if it is in it.
pub(super) fn likeness(one: &str, other: &str) -> i32 {
    let letters =
        |name: &str| name.chars().filter(char::is_ascii_alphabetic).collect::<String>().to_ascii_lowercase();
    let (one, other) = (letters(one), letters(other));
    if one.is_empty() || other.is_empty() {
        0
    } else if one == other {
        3
    } else if one.starts_with(&other) || other.starts_with(&one) {
        2
    } else {
        i32::from(one.contains(&other) || other.contains(&one))
    }
}

fn family(world: &World, main: &PackageName) -> Vec<PackageName> {
    let Some(source) = world.package(main.as_str()).map(|package| package.source().to_owned()) else {
        return vec![main.clone()];
    };
    let reach: BTreeSet<PackageName> = world.reach(std::slice::from_ref(main));
    let begin = format!("{main}-");
    let related = |name: &&PackageName| {
        *name != main
            && (name.as_str().starts_with(&begin)
                || world.package(name.as_str()).is_some_and(|package| package.source() == source))
    };
    std::iter::once(main).chain(reach.iter().filter(related)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_alike_whatever_their_versions() {
        assert_eq!(likeness("php8.4-fpm", "php-fpm"), 3);
        assert_eq!(likeness("postgresql-17", "postgresql"), 3);
        assert_eq!(likeness("redis-server", "redis"), 2);
        assert_eq!(likeness("libmagick", "imagemagick"), 0);
        assert_eq!(likeness("42", "postgresql"), 0);
    }
}
