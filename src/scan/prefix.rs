//! A folder that holds a whole Debian system, as debootstrap makes it.
//!
//! Whatever links are in it lead where they would if it were the root (`host::Rooted`): a status file that is a
//! link to `/etc/passwd` is the folder's own `/etc/passwd`, and never this machine's.

use std::collections::BTreeSet;
use std::path::Path;

use super::dpkg::{self, FOLDER, MAX_STATUS, Stanza};
use super::release::{self, DEBIAN_VERSION, MAX_FILE, OS_RELEASE, Said};
use super::subject::{Notes, Subject, Want, What, merged, plain};
use crate::diag::{Problem, Result, codes};
use crate::host::{self, Rooted};
use crate::ident::ImagePath;

/// Whether a folder looks like a system's root.
pub fn is_prefix(folder: &Path) -> bool {
    let Ok(root) = Rooted::open(folder) else { return false };
    let there = |path: &str| root.meet(Path::new(path)).is_ok_and(|met| met.is_some());
    there(FOLDER) || OS_RELEASE.iter().any(|path| there(path)) || there(DEBIAN_VERSION)
}

/// The packages of a folder's dpkg.
pub fn of_prefix(folder: &Path, want: &Want) -> Result<Subject> {
    let root = Rooted::open(folder).map_err(|error| host::file_problem("opening", folder, &error))?;
    let tree = Tree { root, folder };
    let name = folder.display().to_string();
    let mut notes = Notes::default();
    notes.extend(want.no_platforms(What::Prefix));
    let mut os_release = None;
    for path in OS_RELEASE {
        if os_release.is_none() {
            os_release = tree.read(path, MAX_FILE)?;
        }
    }
    let said = Said { os_release, debian_version: tree.read(DEBIAN_VERSION, MAX_FILE)? };
    let distro = release::decide(&name, &said, want.release.as_deref(), &mut notes)?;
    let mut packages = Vec::new();
    for stanza in tree.stanzas(&mut notes)? {
        let files = tree.files(&stanza)?;
        packages.push(stanza.package(&distro, files));
    }
    if packages.is_empty() {
        let what = format!("`{}` lists no Debian packages", plain(&name));
        let mut problem = Problem::new(codes::NOT_DEBIAN, what)
            .fact("looked for", "/var/lib/dpkg/status and /var/lib/dpkg/status.d");
        if let Some(note) = notes.into_vec().into_iter().next() {
            problem = problem.found(note);
        }
        return Err(problem.help("name the folder that has `var/lib/dpkg` in it").into());
    }
    Ok(Subject {
        name,
        what: What::Prefix,
        digest: None,
        product: None,
        manifests: Vec::new(),
        platforms: Vec::new(),
        distro: Some(distro),
        packages: merged(packages),
        paths: None,
        notes: notes.into_vec(),
    })
}

struct Tree<'a> {
    root: Rooted,
    folder: &'a Path,
}

impl Tree<'_> {
    fn problem(&self, doing: &str, path: &str, error: &std::io::Error) -> Problem {
        host::file_problem(doing, &self.folder.join(path), error)
    }

    fn read(&self, path: &str, most: u64) -> Result<Option<Vec<u8>>> {
        let read = self.root.read(Path::new(path), most + 1);
        let bytes = read.map_err(|error| self.problem("reading", path, &error))?;
        if bytes.as_ref().is_some_and(|bytes| bytes.len() as u64 > most) {
            let what = format!("`{}` is larger than any such file", self.folder.join(path).display());
            return Err(Problem::new(codes::BAD_SUBJECT, what)
                .expected(format!("at most {most} bytes"))
                .into());
        }
        Ok(bytes)
    }

    fn stanzas(&self, notes: &mut Notes) -> Result<Vec<Stanza>> {
        let whole = format!("{FOLDER}/status");
        let mut found = Vec::new();
        if let Some(bytes) = self.read(&whole, MAX_STATUS)? {
            found = dpkg::stanzas(&bytes, &format!("/{whole}"), notes);
        }
        let folder = format!("{FOLDER}/status.d");
        let names = self.root.names(Path::new(&folder));
        let mut names = names.map_err(|error| self.problem("listing", &folder, &error))?;
        names.sort();
        for name in names.iter().filter_map(|name| name.to_str()).filter(|name| !name.ends_with(".md5sums")) {
            let path = format!("{folder}/{name}");
            match self.read(&path, MAX_STATUS)? {
                Some(bytes) => found.extend(dpkg::stanzas(&bytes, &format!("/{path}"), notes)),
                None => notes.add(format!("/{} leads to no file, and was passed over", plain(&path))),
            }
        }
        Ok(found)
    }

    fn files(&self, stanza: &Stanza) -> Result<Option<BTreeSet<ImagePath>>> {
        let lists = stanza.lists().into_iter().map(|name| (format!("{FOLDER}/info/{name}"), false));
        let sums = (format!("{FOLDER}/status.d/{}.md5sums", stanza.name), true);
        for (path, sums) in lists.chain([sums]) {
            let Some(bytes) = self.read(&path, MAX_STATUS)? else { continue };
            let is_file = |path: &ImagePath| {
                self.root.meet(Path::new(path.as_str())).is_ok_and(|met| met.is_some_and(|met| !met.folder))
            };
            return Ok(Some(dpkg::listed(&bytes, sums).filter(is_file).collect()));
        }
        Ok(None)
    }
}
