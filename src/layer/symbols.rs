//! Versions of symbols: whether the libraries that files get have what these were linked with. A loader
//! refuses to start a program whose libraries do not.

use std::collections::BTreeSet;

use super::closure::elf_of;
use super::compose::Work;
use super::loader;
use super::needs::{Edge, Need};
use crate::diag::{Problem, codes};

/// Each version of a symbol that a file was linked with must be in the library that it gets, and in
/// each form of that for newer processors (a library without any versions is let through, as the
/// loader does).
pub(super) fn missing(work: &Work, edges: &BTreeSet<Edge>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let all = work.view().all();
    for edge in edges {
        let Need::Library(name) = &edge.need else { continue };
        let wanted = elf_of(work, &edge.by).and_then(|mut elf| elf.versions_needed.remove(name));
        let Some(wanted) = wanted else { continue };
        let forms = loader::for_newer_processors(&edge.path, all.keys().copied());
        for library in std::iter::once(&edge.path).chain(forms) {
            let Some(elf) = elf_of(work, library).filter(|elf| !elf.versions.is_empty()) else { continue };
            let Some(missing) = wanted.iter().find(|version| !elf.versions.contains(*version)) else {
                continue;
            };
            let what = format!("`{}` needs version `{missing}` of symbols in `{name}`", edge.by);
            problems.push(
                Problem::new(codes::SYMBOL_VERSION, what)
                    .found(format!("`{library}` has no such version"))
                    .help("take both from the same suite: `hardpan lock --update` moves their pins together"),
            );
        }
    }
    problems
}
