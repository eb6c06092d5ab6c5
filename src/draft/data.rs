//! Packages of data that those of an image depend on: no program's file shows that it reads them.

use super::drafting::Drafting;
use super::outcome::Outcome;
use super::runtime;
use super::world::{World, is_install_only, is_program};
use crate::ident::PackageName;
use crate::layer::PackageParcel;
use crate::pipeline::Finished;
use crate::source::Kind;

impl Drafting<'_> {
    /// Adds the data that packages of the image depend on; whether there is any.
    pub(super) fn add_data(&self, outcome: &mut Outcome, finished: &Finished) -> bool {
        let world = &self.worlds[0];
        let before = outcome.plan.data.len();
        let mut queue: Vec<PackageName> = finished.built.packages.iter().flatten().cloned().collect();
        queue.extend(self.subject.family.iter().cloned());
        queue.push(self.subject.asked.clone());
        while let Some(name) = queue.pop() {
            if self.foundation.packages.contains(&name) {
                continue;
            }
            let own = self.subject.family.contains(&name) || name == self.subject.asked;
            let source = world.package(name.as_str()).map(PackageParcel::source);
            for needed in world.depends(name.as_str()) {
                let same = world.package(needed.as_str()).map(PackageParcel::source) == source;
                if (own || same)
                    && is_data(world, needed)
                    && !self.foundation.packages.contains(needed)
                    && !self.subject.family.contains(needed)
                    && !outcome.plan.data.contains_key(needed)
                {
                    outcome.plan.data.insert(needed.clone(), format!("data that {name} depends on"));
                    queue.push(needed.clone());
                }
            }
        }
        outcome.plan.data.len() > before
    }
}

/// Whether a package holds data for run time only: no programs, libraries or modules.
fn is_data(world: &World, name: &PackageName) -> bool {
    let Some(package) = world.package(name.as_str()).filter(|_| !is_install_only(name)) else { return false };
    let mut any = false;
    for entry in &package.parcel.index.entries {
        if entry.kind == Kind::Directory {
            continue;
        }
        let path = &entry.path;
        let elf = world.is_elf(path);
        let script = entry.mode & 0o111 != 0 && world.interpreter(path).is_some() && is_program(path);
        let module = path.as_str().contains("/python3/")
            || path.as_str().contains("/perl5/")
            || path.as_str().contains("/ruby/");
        if elf || script || module || is_program(path) || runtime::is_library(path) {
            return false;
        }
        any |= runtime::is_wanted(path);
    }
    any
}
