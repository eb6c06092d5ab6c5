//! What the files of a tree need to run: libraries by their ELF headers, interpreters by their first
//! line. What the reached packages hold is added, exactly those files; what they don't is a problem.
//!
//! Libraries are looked for as the loader does (ld.so(8)): RUNPATH, then the multiarch folder and
//! `/usr/lib`. A library that another file of the image brings from a folder of its own counts too.

use std::collections::BTreeSet;

use super::compose::Work;
use super::select;
use super::tree::{Data, NodeKind, Reason, merged_path};
use crate::diag::{Failure, Problem, Result, codes};
use crate::ident::{ImagePath, Platform};
use crate::source::{ElfInfo, Kind};

/// Adds what is needed, until nothing is.
pub(super) fn close(work: &mut Work) -> Result<()> {
    let mut closure = Closure {
        queue: work.tree.nodes.keys().cloned().collect(),
        done: BTreeSet::new(),
        problems: Vec::new(),
    };
    while let Some(path) = closure.queue.pop() {
        if closure.done.insert(path.clone()) {
            closure.look_at(work, &path);
        }
    }
    closure.problems.sort_by(|a, b| a.message.cmp(&b.message));
    closure.problems.dedup();
    Failure::check(closure.problems)
}

struct Closure {
    queue: Vec<ImagePath>,
    done: BTreeSet<ImagePath>,
    problems: Vec<Problem>,
}

/// The machine of a platform's ELF files (`e_machine`).
pub(super) fn machine(platform: Platform) -> u16 {
    match platform {
        Platform::Amd64 => object::elf::EM_X86_64.0,
        Platform::Arm64 => object::elf::EM_AARCH64.0,
    }
}

impl Closure {
    fn look_at(&mut self, work: &mut Work, path: &ImagePath) {
        let Some(node) = work.tree.nodes.get(path) else { return };
        let NodeKind::File(Data::Parcel { content, .. }) = &node.kind else { return };
        let runnable = node.mode & 0o111 != 0;
        if let Some(elf) = content.elf.clone().filter(|elf| elf.wide && elf.machine == machine(work.platform))
        {
            if let Some(interpreter) = elf.interpreter.clone() {
                self.need_path(work, path, &interpreter);
            }
            for needed in &elf.needed {
                self.need_library(work, path, &elf, needed);
            }
        } else if let Some(interpreter) = content.interpreter.clone().filter(|_| runnable) {
            self.need_path(work, path, &interpreter);
        }
    }

    /// An interpreter or loader, by its whole path.
    fn need_path(&mut self, work: &mut Work, by: &ImagePath, wanted: &str) {
        let Ok(path) = crate::recipe::merged(wanted).parse::<ImagePath>() else { return };
        if work.view().follow(&path).is_none() && !self.bring(work, by, &path) {
            let problem = Problem::new(
                codes::MISSING_LIBRARY,
                format!("`{by}` is run by `{wanted}`, which no locked package holds"),
            );
            self.problems
                .push(problem.help(format!("add the package that holds `{wanted}`, or drop `{by}`")));
        }
    }

    fn need_library(&mut self, work: &mut Work, by: &ImagePath, elf: &ElfInfo, name: &str) {
        let candidates: Vec<ImagePath> = folders(work.platform, by, elf)
            .iter()
            .filter_map(|folder| if name.contains('/') { name.parse().ok() } else { folder.join(name).ok() })
            .map(|path| merged_path(&path))
            .collect();
        if candidates.iter().any(|path| work.view().follow(path).is_some()) {
            return;
        }
        if candidates.iter().any(|path| self.bring(work, by, path)) {
            return;
        }
        let elsewhere = |path: &ImagePath| path.file_name() == name;
        if work.view().all().keys().any(|path| elsewhere(path)) || self.bring_from_elsewhere(work, by, name) {
            return;
        }
        let message = format!("`{by}` needs the library `{name}`, which no locked package holds");
        let problem = Problem::new(codes::MISSING_LIBRARY, message);
        self.problems.push(problem.help(format!(
            "add the package that holds it (by its name perhaps `{}`), or drop `{by}`",
            likely_package(name)
        )));
    }

    /// A library in a folder of its package's own, which the program that loads both knows.
    fn bring_from_elsewhere(&mut self, work: &mut Work, by: &ImagePath, name: &str) -> bool {
        let inputs = work.inputs;
        let packages = inputs.packages.iter().filter(|package| work.reaches(&package.name));
        let found = packages
            .flat_map(|package| &package.parcel.index.entries)
            .find(|entry| entry.path.file_name() == name);
        found.is_some_and(|entry| self.bring(work, by, &entry.path))
    }

    /// Takes the entry at a path, with the links on the way to it; whether a file was found.
    fn bring(&mut self, work: &mut Work, by: &ImagePath, path: &ImagePath) -> bool {
        let inputs = work.inputs;
        let mut found = Vec::new();
        let mut path = path.clone();
        for _ in 0..16 {
            if work.is_dropped(&path) {
                return false;
            }
            if work.view().get(&path).is_some_and(|node| matches!(node.kind, NodeKind::File(_))) {
                break;
            }
            let mut packages =
                inputs.packages.iter().enumerate().filter(|(_, package)| work.reaches(&package.name));
            let Some((at, package, entry)) =
                packages.find_map(|(at, package)| Some((at, package, package.entry(&path)?)))
            else {
                return false;
            };
            found.push((path.clone(), select::node(entry, package, at, Reason::NeededBy(by.clone()))));
            match &entry.kind {
                Kind::Symlink(target) => match path.resolve(target) {
                    Ok(next) => path = merged_path(&next),
                    Err(_) => return false,
                },
                Kind::Directory => return false,
                Kind::File(_) | Kind::HardLink(_) => break,
            }
        }
        for (path, node) in found {
            self.queue.push(path.clone());
            work.claim(path, node);
        }
        true
    }
}

/// The folders in which the loader looks for what `by` needs.
pub(super) fn folders(platform: Platform, by: &ImagePath, elf: &ElfInfo) -> Vec<ImagePath> {
    let origin = by.parent().unwrap_or_else(ImagePath::root);
    let own = elf
        .runpath
        .iter()
        .map(|path| path.replace("${ORIGIN}", "$ORIGIN").replace("$ORIGIN", origin.as_str()));
    let own = own.filter_map(|path| ImagePath::root().resolve(&path).ok());
    own.map(|path| merged_path(&path)).chain(system_folders(platform)).collect()
}

/// The folders that every loader of Debian looks in.
pub(super) fn system_folders(platform: Platform) -> [ImagePath; 2] {
    [format!("/usr/lib/{}", platform.triplet()), "/usr/lib".to_owned()]
        .map(|path| path.parse().expect("a path"))
}

/// How Debian would call the package of a library: `libssl.so.3` is in `libssl3` (policy, 8.1).
fn likely_package(library: &str) -> String {
    let (stem, version) = library.split_once(".so").unwrap_or((library, ""));
    let version = version.trim_start_matches('.');
    let dash =
        if stem.ends_with(|last: char| last.is_ascii_digit()) && !version.is_empty() { "-" } else { "" };
    format!("{stem}{dash}{version}").to_ascii_lowercase().replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_suggests_its_package() {
        for (library, package) in
            [("libssl.so.3", "libssl3"), ("libgcc_s.so.1", "libgcc-s1"), ("libbz2.so.1.0", "libbz2-1.0")]
        {
            assert_eq!(likely_package(library), package);
        }
    }

    #[test]
    fn origin_is_the_folder_of_the_file() {
        let elf = ElfInfo { runpath: vec!["$ORIGIN/../lib/x".into(), "/lib/y".into()], ..ElfInfo::default() };
        let by: ImagePath = "/usr/bin/x".parse().expect("a path");
        let folders: Vec<String> =
            folders(Platform::Amd64, &by, &elf).iter().map(ToString::to_string).collect();
        assert_eq!(folders, ["/usr/lib/x", "/usr/lib/y", "/usr/lib/x86_64-linux-gnu", "/usr/lib"]);
    }
}
