//! What the files of a tree need to run: libraries by their ELF headers, interpreters by their first
//! line, what programs open by their notes and by the table in [`dlopen`]. What the reached packages
//! hold is added, exactly those files; what they don't is a problem.
//!
//! Every need that is met is noted ([`Edge`]), whoever brought the file that meets it: that is what
//! `why` and `closure` show, and what tells a package that nobody needs.

use std::collections::{BTreeMap, BTreeSet};

use super::compose::Work;
use super::dlopen;
use super::first_line;
use super::loader::{self, Loader, machine};
use super::needs::{Edge, Need};
use super::select;
use super::symbols;
use super::tree::{Data, Node, NodeKind, Origin, Reason, merged_path};
use crate::diag::{Failure, Problem, Result, codes};
use crate::ident::ImagePath;
use crate::recipe::{At, Pattern};
use crate::source::{Content, ElfInfo, Kind, Priority};

/// What was found out while needs were met.
pub(super) struct Closed {
    /// The needs.
    pub(super) edges: BTreeSet<Edge>,
    /// Which words of `[closure] skip` were needed.
    pub(super) skipped: BTreeSet<String>,
}

/// Adds what is needed, until nothing is.
pub(super) fn close(work: &mut Work) -> Result<Closed> {
    let mut closure = Closure {
        loader: Loader::of(work)?,
        queue: work.tree.nodes.keys().cloned().collect(),
        done: BTreeSet::new(),
        edges: BTreeSet::new(),
        skipped: BTreeSet::new(),
        rpaths: BTreeMap::new(),
        problems: BTreeMap::new(),
    };
    while let Some(path) = closure.queue.pop() {
        if closure.done.insert(path.clone()) {
            closure.look_at(work, &path);
        }
    }
    let mut problems: Vec<Problem> = std::mem::take(&mut closure.problems).into_values().flatten().collect();
    problems.extend(symbols::missing(work, &closure.edges));
    problems.extend(rows_left_over(work));
    problems.sort_by(|a, b| a.message.cmp(&b.message));
    problems.dedup();
    Failure::check(problems)?;
    Ok(Closed { edges: closure.edges, skipped: closure.skipped })
}

struct Closure {
    loader: Loader,
    queue: Vec<ImagePath>,
    done: BTreeSet<ImagePath>,
    edges: BTreeSet<Edge>,
    /// Which words of `[closure] skip` were needed.
    skipped: BTreeSet<String>,
    /// The RPATHs that hold for what a file needs, because of those that brought it.
    rpaths: BTreeMap<ImagePath, Vec<ImagePath>>,
    /// What is wrong, by the file whose needs are not met.
    problems: BTreeMap<ImagePath, Vec<Problem>>,
}

/// Whether a file of the image, links followed, is there now.
enum Met {
    At(ImagePath),
    Dropped(ImagePath),
    No,
}

impl Closure {
    fn look_at(&mut self, work: &mut Work, path: &ImagePath) {
        // What was missed before counts no longer: a file is looked at again when it inherits more.
        self.problems.remove(path);
        let Some(node) = work.tree.nodes.get(path) else { return };
        let NodeKind::File(data) = &node.kind else { return };
        let runnable = node.mode & 0o111 != 0;
        let Data::Parcel { content, .. } = data.clone() else {
            return self.look_at_text(work, path);
        };
        if let Some(elf) = content.elf.as_deref().filter(|elf| is_native(work, elf)) {
            self.look_at_elf(work, path, elf);
        } else if runnable {
            self.look_at_script(work, path, &content);
        }
        self.look_at_text(work, path);
    }

    fn look_at_elf(&mut self, work: &mut Work, path: &ImagePath, elf: &ElfInfo) {
        if let Some(interpreter) = &elf.interpreter {
            self.need_path(work, path, interpreter);
        }
        for name in &elf.needed {
            self.need_library(work, path, elf, name, &Need::Library(name.clone()), true);
        }
        if !self.overridden(work, path) {
            for note in &elf.opens {
                self.need_one_of(work, path, elf, note);
            }
            for opening in dlopen::table() {
                let patterns = opening.opened_by(path.as_str(), &elf.calls);
                self.open(work, path, patterns, opening.what());
            }
        }
    }

    /// What the recipe says that the file opens, which holds instead of the table and of notes.
    fn overridden(&mut self, work: &mut Work, path: &ImagePath) -> bool {
        let recipe = work.recipe;
        let rows = recipe.closure.dlopen.iter().filter(|row| row.value.0.matches(path.as_str()));
        let mut any = false;
        for row in rows {
            any = true;
            let (_, opens) = &row.value;
            for opened in opens {
                let found = if let Ok(pattern) = opened.value.parse::<Pattern>() {
                    self.open(work, path, &[pattern], "the recipe says so")
                } else {
                    // A bare name is a library's.
                    let elf = elf_of(work, path).unwrap_or_default();
                    let need = Need::Opened(opened.value.clone());
                    self.need_library(work, path, &elf, &opened.value, &need, true);
                    true
                };
                if !found {
                    let message = format!("`{path}` opens `{}`, which no locked package holds", opened.value);
                    let problem = opened.place.problem(codes::NO_MATCH, message, "matches nothing");
                    let problem = problem.help("add the package that holds it, or take the line out");
                    self.problems.entry(path.clone()).or_default().push(problem);
                }
            }
        }
        any
    }

    fn look_at_script(&mut self, work: &mut Work, path: &ImagePath, content: &Content) {
        let Some(line) = &content.interpreter else { return };
        let Some((interpreter, program)) = first_line::read(line) else { return };
        self.need_path(work, path, interpreter);
        if let Some(program) = program {
            self.need_program(work, path, program);
        }
    }

    /// Texts that name modules: PAM's files, and the name services.
    fn look_at_text(&mut self, work: &mut Work, path: &ImagePath) {
        let named: Vec<_> = dlopen::table().iter().filter(|row| row.is_named_in(path.as_str())).collect();
        let services = path.as_str() == "/etc/nsswitch.conf";
        if named.is_empty() && !services {
            return;
        }
        let data = work.tree.nodes.get(path).and_then(|node| node.data()).cloned();
        let Some(text) = data.and_then(|data| loader::text(work, &data)) else { return };
        for opening in named {
            self.open(work, path, &opening.patterns_of(&text), opening.what());
        }
        if services {
            for library in dlopen::name_services(&text) {
                let need = Need::Opened(library.clone());
                self.need_library(work, path, &ElfInfo::default(), &library, &need, true);
            }
        }
    }

    /// An interpreter or loader, by its whole path.
    fn need_path(&mut self, work: &mut Work, by: &ImagePath, wanted: &str) {
        let Ok(path) = crate::recipe::merged(wanted).parse::<ImagePath>() else { return };
        if self.is_skipped(work, wanted) {
            return;
        }
        match self.meet(work, by, &path, &Need::Interpreter(wanted.to_owned())) {
            Met::At(found) => self.edge(&found, by, Need::Interpreter(wanted.to_owned())),
            Met::Dropped(dropped) => {
                self.missing(format!("`{by}` is run by `{wanted}`"), &dropped_by(work, &dropped), by, wanted);
            }
            Met::No => self.missing(
                format!("`{by}` is run by `{wanted}`, which no locked package holds"),
                &format!("add the package that holds `{wanted}`"),
                by,
                wanted,
            ),
        }
    }

    /// A program by its name, looked for where PATH usually looks.
    fn need_program(&mut self, work: &mut Work, by: &ImagePath, name: &str) {
        if name.contains('/') || self.is_skipped(work, name) {
            return;
        }
        let folders = ["/usr/local/bin", "/usr/bin", "/usr/sbin"];
        for folder in folders {
            let Ok(path) = format!("{folder}/{name}").parse::<ImagePath>() else { return };
            if let Met::At(found) = self.meet(work, by, &path, &Need::Interpreter(name.to_owned())) {
                return self.edge(&found, by, Need::Interpreter(name.to_owned()));
            }
        }
        self.missing(
            format!("`{by}` is run by `{name}`, which no locked package holds"),
            &format!("add the package that holds `/usr/bin/{name}`"),
            by,
            name,
        );
    }

    /// One of several libraries that a note names; only what is required must be there.
    fn need_one_of(
        &mut self,
        work: &mut Work,
        by: &ImagePath,
        elf: &ElfInfo,
        note: &crate::source::OpenNote,
    ) {
        if note.priority == Priority::Suggested || note.soname.iter().any(|name| self.is_skipped(work, name))
        {
            return;
        }
        let found = note
            .soname
            .iter()
            .any(|name| self.need_library(work, by, elf, name, &Need::Opened(name.clone()), false));
        if let (false, Priority::Required, Some(name)) = (found, note.priority, note.soname.first()) {
            self.missing_library(by, name);
        }
    }

    /// A library by its name; whether it is there now. One that must be and is not is a problem.
    fn need_library(
        &mut self,
        work: &mut Work,
        by: &ImagePath,
        elf: &ElfInfo,
        name: &str,
        need: &Need,
        must: bool,
    ) -> bool {
        if self.is_skipped(work, name) {
            return true;
        }
        let inherited = self.rpaths.get(by).cloned().unwrap_or_default();
        let places = self.loader.places(by, elf, &inherited, name);
        let there = places.iter().find_map(|path| {
            let (path, node) = work.view().follow(path)?;
            (!node.is_directory() && !is_foreign(work, node)).then_some(path)
        });
        let mut dropped = None;
        let mut found = there.or_else(|| self.meet_any(work, by, &places, need, &mut dropped));
        if found.is_none() && !name.contains('/') {
            let places = beside(work, by, name);
            found = self.meet_any(work, by, &places, need, &mut dropped);
        }
        if let Some(found) = &found {
            self.inherit(by, elf, &inherited, found);
            self.edge(found, by, need.clone());
        } else if let (Some(path), true) = (dropped, must) {
            self.missing(format!("`{by}` needs the library `{name}`"), &dropped_by(work, &path), by, name);
        } else if must {
            self.missing_library(by, name);
        }
        found.is_some()
    }

    /// RPATHs of a file hold for what its needs need, too; one of these that was looked at without them
    /// is looked at again.
    fn inherit(&mut self, by: &ImagePath, elf: &ElfInfo, inherited: &[ImagePath], found: &ImagePath) {
        let own = loader::own_folders(by, &elf.rpath);
        let all: Vec<ImagePath> = own.into_iter().chain(inherited.iter().cloned()).collect();
        let known = self.rpaths.entry(found.clone()).or_default();
        let new: Vec<ImagePath> = all.into_iter().filter(|folder| !known.contains(folder)).collect();
        if !new.is_empty() && self.done.remove(found) {
            self.queue.push(found.clone());
        }
        known.extend(new);
    }

    /// The first of the places at which something is or can be taken.
    fn meet_any(
        &mut self,
        work: &mut Work,
        by: &ImagePath,
        places: &[ImagePath],
        need: &Need,
        dropped: &mut Option<ImagePath>,
    ) -> Option<ImagePath> {
        places.iter().find_map(|path| match self.meet(work, by, path, need) {
            Met::At(found) => Some(found),
            Met::Dropped(path) => {
                dropped.get_or_insert(path);
                None
            }
            Met::No => None,
        })
    }

    /// Takes all that the patterns match in the reached packages; whether anything did.
    fn open(&mut self, work: &mut Work, by: &ImagePath, patterns: &[Pattern], what: &str) -> bool {
        if patterns.is_empty() {
            return false;
        }
        let fits = |path: &ImagePath| patterns.iter().any(|pattern| pattern.matches(path.as_str()));
        let inputs = work.inputs;
        let reached = inputs.packages.iter().filter(|package| work.reaches(&package.name));
        let entries = reached.flat_map(|package| &package.parcel.index.entries);
        let mut paths: BTreeSet<ImagePath> = entries
            .filter(|entry| entry.kind != Kind::Directory && fits(&entry.path))
            .map(|entry| entry.path.clone())
            .collect();
        paths.extend(
            work.view()
                .all()
                .into_iter()
                .filter(|(path, node)| !node.is_directory() && fits(path))
                .map(|(path, _)| path.clone()),
        );
        let mut any = false;
        for path in paths {
            if let Met::At(found) = self.meet(work, by, &path, &Need::Opened(what.to_owned())) {
                self.edge(&found, by, Need::Opened(what.to_owned()));
                any = true;
            }
        }
        any
    }

    /// Takes the entry at a path, with the links on the way to it, unless it is there.
    fn meet(&mut self, work: &mut Work, by: &ImagePath, path: &ImagePath, need: &Need) -> Met {
        let inputs = work.inputs;
        let mut found = Vec::new();
        let mut path = path.clone();
        for links in 0.. {
            // As many as the kernel follows; more are a circle.
            if links > 40 {
                return Met::No;
            }
            if work.is_dropped(&path) {
                return Met::Dropped(path);
            }
            if let Some(node) = work.view().get(&path) {
                match &node.kind {
                    NodeKind::File(_) if is_foreign(work, node) => return Met::No,
                    NodeKind::File(_) => break,
                    NodeKind::Directory => return Met::No,
                    NodeKind::Symlink(target) => match path.resolve(target) {
                        Ok(next) => {
                            path = merged_path(&next);
                            continue;
                        }
                        Err(_) => return Met::No,
                    },
                }
            }
            let mut packages =
                inputs.packages.iter().enumerate().filter(|(_, package)| work.reaches(&package.name));
            let Some((at, package, entry)) =
                packages.find_map(|(at, package)| Some((at, package, package.entry(&path)?)))
            else {
                return Met::No;
            };
            let node = select::node(entry, package, at, Reason::NeededBy(by.clone(), need.clone()));
            if is_foreign(work, &node) {
                return Met::No;
            }
            found.push((path.clone(), node));
            match &entry.kind {
                Kind::Symlink(target) => match path.resolve(target) {
                    Ok(next) => path = merged_path(&next),
                    Err(_) => return Met::No,
                },
                Kind::Directory => return Met::No,
                Kind::File(_) | Kind::HardLink(_) => break,
            }
        }
        for (path, node) in found {
            self.queue.push(path.clone());
            work.claim(path, node);
        }
        Met::At(path)
    }

    fn edge(&mut self, path: &ImagePath, by: &ImagePath, need: Need) {
        if path != by {
            self.edges.insert(Edge { path: path.clone(), by: by.clone(), need });
        }
    }

    fn is_skipped(&mut self, work: &Work, word: &str) -> bool {
        let skipped = work.recipe.closure.skip.contains_key(word);
        if skipped {
            self.skipped.insert(word.to_owned());
        }
        skipped
    }

    fn missing_library(&mut self, by: &ImagePath, name: &str) {
        self.missing(
            format!("`{by}` needs the library `{name}`, which no locked package holds"),
            &format!("add the package that holds it (by its name perhaps {})", likely_packages(name)),
            by,
            name,
        );
    }

    fn missing(&mut self, message: String, first: &str, by: &ImagePath, word: &str) {
        let help = format!("{first}; or drop `{by}`; or say in `[closure] skip` why `{word}` is not needed");
        let problem = Problem::new(codes::MISSING_LIBRARY, message).help(help);
        self.problems.entry(by.clone()).or_default().push(problem);
    }
}

/// A row for files that are not there is left over from something.
fn rows_left_over(work: &Work) -> Vec<Problem> {
    let there = |pattern: &Pattern| work.tree.nodes.keys().any(|path| pattern.matches(path.as_str()));
    let left = work.recipe.closure.dlopen.iter().filter(|row| !there(&row.value.0));
    let problem = |row: &At<(Pattern, Vec<At<String>>)>| {
        let message = format!("`{}` matches nothing that this recipe adds", row.value.0);
        let problem = row.place.problem(codes::NO_MATCH, message, "matches nothing");
        problem.help("what a recipe below adds opens what is said there")
    };
    left.map(problem).collect()
}

/// Whether the image's own programs can load it, or be it.
fn is_native(work: &Work, elf: &ElfInfo) -> bool {
    elf.wide && elf.machine == machine(work.platform)
}

/// Whether it is a program or library for another machine, which the loader passes over.
fn is_foreign(work: &Work, node: &Node) -> bool {
    let Some(Data::Parcel { content, .. }) = node.data() else { return false };
    content.elf.as_deref().is_some_and(|elf| !is_native(work, elf))
}

/// Libraries of that name in a folder of the own source package's, which the program that loads both
/// knows: it loads them by their paths, and the loader takes what is loaded already.
fn beside(work: &Work, by: &ImagePath, name: &str) -> Vec<ImagePath> {
    let Some(node) = work.view().get(by) else { return Vec::new() };
    let Origin::Package(own) = &node.origin else {
        let all = work.view().all();
        let same = all.iter().filter(|(path, other)| path.file_name() == name && other.origin == node.origin);
        return same.map(|(path, _)| (*path).clone()).collect();
    };
    let own = work.inputs.package(own.as_str()).map(|(_, package)| package.source());
    let reached = work.inputs.packages.iter().filter(|package| work.reaches(&package.name));
    let siblings = reached.filter(|package| Some(package.source()) == own);
    let entries = siblings.flat_map(|package| &package.parcel.index.entries);
    entries.filter(|entry| entry.path.file_name() == name).map(|entry| entry.path.clone()).collect()
}

/// What an ELF file of the image says.
pub(super) fn elf_of(work: &Work, path: &ImagePath) -> Option<ElfInfo> {
    let Data::Parcel { content, .. } = work.view().get(path)?.data()? else { return None };
    content.elf.as_deref().cloned()
}

fn dropped_by(work: &Work, path: &ImagePath) -> String {
    let pattern = work.recipe.drop.iter().find(|pattern| pattern.value.matches(path.as_str()));
    let pattern = pattern.map_or_else(|| path.to_string(), |pattern| pattern.value.to_string());
    format!("the recipe drops `{path}`: take `{pattern}` out of `drop`")
}

/// How Debian would call the package of a library: `libssl.so.3` is in `libssl3` (policy, 8.1), or,
/// since times have 64 bits everywhere, in `libssl3t64`.
fn likely_packages(library: &str) -> String {
    let (stem, version) = library.split_once(".so").unwrap_or((library, ""));
    let version = version.trim_start_matches('.');
    let dash =
        if stem.ends_with(|last: char| last.is_ascii_digit()) && !version.is_empty() { "-" } else { "" };
    let name = format!("{stem}{dash}{version}").to_ascii_lowercase().replace('_', "-");
    format!("`{name}` or `{name}t64`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_suggests_its_package() {
        for (library, package) in [
            ("libssl.so.3", "`libssl3`"),
            ("libgcc_s.so.1", "`libgcc-s1`"),
            ("libbz2.so.1.0", "`libbz2-1.0`"),
        ] {
            assert!(likely_packages(library).starts_with(package));
        }
    }
}
