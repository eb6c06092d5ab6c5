//! Where glibc's loader looks for libraries (ld.so(8), "Description"): the RPATHs of the file and of
//! those that brought it, unless it has a RUNPATH; its RUNPATH; the folders of the cache, which are
//! those of `/etc/ld.so.conf` and the system's own.
//!
//! `LD_LIBRARY_PATH` is the container's business and counts for nothing here.

use super::compose::Work;
use super::generate;
use super::tree::{Data, merged_path};
use crate::diag::Result;
use crate::ident::{ImagePath, Platform};
use crate::source::{ContentReader, ElfInfo};

/// The folder, below any other, in which the loader prefers libraries for newer processors.
const HWCAPS: &str = "glibc-hwcaps";

/// The loader of an image.
pub(super) struct Loader {
    folders: Vec<ImagePath>,
}

/// The machine of a platform's ELF files (`e_machine`).
pub(super) fn machine(platform: Platform) -> u16 {
    match platform {
        Platform::Amd64 => object::elf::EM_X86_64.0,
        Platform::Arm64 => object::elf::EM_AARCH64.0,
    }
}

/// The folders that every loader of Debian looks in.
pub(super) fn system_folders(platform: Platform) -> [ImagePath; 2] {
    [format!("/usr/lib/{}", platform.triplet()), "/usr/lib".to_owned()]
        .map(|path| path.parse().expect("a path"))
}

impl Loader {
    /// The loader as the files that are in the image so far configure it.
    pub(super) fn of(work: &Work) -> Result<Self> {
        Ok(Self { folders: generate::library_folders(work)? })
    }

    /// Where the loader looks for `name`, which the file at `by` needs; `inherited` are the RPATHs of
    /// the files that bring it.
    pub(super) fn places(
        &self,
        by: &ImagePath,
        elf: &ElfInfo,
        inherited: &[ImagePath],
        name: &str,
    ) -> Vec<ImagePath> {
        // A name with a slash is a path (dlopen(3)).
        if name.contains('/') {
            return name.parse().ok().map(|path| merged_path(&path)).into_iter().collect();
        }
        let rpath = if elf.runpath.is_empty() { inherited } else { &[] };
        let folders = own_folders(by, &elf.rpath)
            .into_iter()
            .chain(rpath.iter().cloned())
            .chain(own_folders(by, &elf.runpath))
            .chain(self.folders.iter().cloned());
        folders.filter_map(|folder| folder.join(name).ok()).map(|path| merged_path(&path)).collect()
    }
}

/// A file's own folders, `$ORIGIN` being the one that it is in.
pub(super) fn own_folders(by: &ImagePath, paths: &[String]) -> Vec<ImagePath> {
    let origin = by.parent().unwrap_or_else(ImagePath::root);
    let written =
        paths.iter().map(|path| path.replace("${ORIGIN}", "$ORIGIN").replace("$ORIGIN", origin.as_str()));
    let absolute = written.filter(|path| path.starts_with('/'));
    absolute.filter_map(|path| ImagePath::root().resolve(&path).ok()).map(|path| merged_path(&path)).collect()
}

/// Forms of the library at `path` for newer processors, which the loader takes instead where it can.
pub(super) fn for_newer_processors<'a>(
    path: &'a ImagePath,
    all: impl Iterator<Item = &'a ImagePath>,
) -> Vec<&'a ImagePath> {
    let Some(below) = path.parent().and_then(|folder| folder.join(HWCAPS).ok()) else { return Vec::new() };
    let is_form = |other: &ImagePath| {
        other.file_name() == path.file_name()
            && other.parent().and_then(|folder| folder.parent()).is_some_and(|above| above == below)
    };
    all.filter(|other| is_form(other)).collect()
}

/// A small text of the image; `None` for what is large or can't be read.
pub(super) fn text(work: &Work, data: &Data) -> Option<String> {
    const LARGE: u64 = 1 << 16;
    if matches!(data, Data::Parcel { .. }) && data.size() > LARGE {
        return None;
    }
    String::from_utf8(work.inputs.content(data, &mut ContentReader::new()).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> ImagePath {
        text.parse().expect("a path")
    }

    fn places(elf: &ElfInfo, inherited: &[ImagePath]) -> Vec<String> {
        let loader = Loader { folders: system_folders(Platform::Amd64).to_vec() };
        let places = loader.places(&path("/usr/bin/x"), elf, inherited, "libz.so.1");
        places.iter().map(|place| place.parent().expect("a folder").to_string()).collect()
    }

    #[test]
    fn origin_is_the_folder_of_the_file() {
        let elf = ElfInfo { runpath: vec!["$ORIGIN/../lib/x".into(), "/lib/y".into()], ..ElfInfo::default() };
        assert_eq!(places(&elf, &[]), ["/usr/lib/x", "/usr/lib/y", "/usr/lib/x86_64-linux-gnu", "/usr/lib"]);
    }

    #[test]
    fn a_runpath_makes_inherited_rpaths_count_for_nothing() {
        let inherited = [path("/opt/lib")];
        let plain = ElfInfo { rpath: vec!["/opt/own".into()], ..ElfInfo::default() };
        assert_eq!(
            places(&plain, &inherited),
            ["/opt/own", "/opt/lib", "/usr/lib/x86_64-linux-gnu", "/usr/lib"]
        );
        let newer = ElfInfo { runpath: vec!["/opt/new".into()], ..ElfInfo::default() };
        assert_eq!(places(&newer, &inherited), ["/opt/new", "/usr/lib/x86_64-linux-gnu", "/usr/lib"]);
    }

    #[test]
    fn forms_for_newer_processors_stand_below_the_library() {
        let all = [
            "/usr/lib/glibc-hwcaps/x86-64-v3/liba.so.1",
            "/usr/lib/glibc-hwcaps/x86-64-v3/libb.so.1",
            "/opt/glibc-hwcaps/x86-64-v3/liba.so.1",
        ]
        .map(path);
        let library = path("/usr/lib/liba.so.1");
        assert_eq!(for_newer_processors(&library, all.iter()), [&all[0]]);
    }
}
