//! The libraries that the cache lists, and the links that `ldconfig` makes for those that lack one.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::encode::{Entry, compare};
use super::folders::Folder;
use crate::diag::Result;
use crate::ident::{ImagePath, Platform};
use crate::layer::compose::Work;
use crate::layer::generate::bytes_of;
use crate::layer::loader::machine;
use crate::layer::tree::{Data, Node, NodeKind};
use crate::source::ContentReader;

/// All that is known of the libraries.
#[derive(Debug, Default)]
pub(super) struct Libraries {
    /// The cache's entries.
    pub(super) entries: Vec<Entry>,
    /// The names of all folders of processors, used or not.
    pub(super) hwcaps: BTreeSet<String>,
    /// Links by which libraries have their own names.
    pub(super) links: Vec<(ImagePath, String)>,
}

/// A library in a folder, under one of its names.
struct Found {
    file: String,
    is_link: bool,
    isa_level: u32,
}

/// Whether `ldconfig` takes a file of this name for a library.
pub(super) fn is_name(name: &str) -> bool {
    let starts = ["lib", "ld-", "ld.so.", "ld64.so."].iter().any(|start| name.starts_with(start));
    starts && name.contains(".so")
}

/// `FLAG_ELF_LIBC6` with the flag of the platform's 64-bit libraries.
fn flags(platform: Platform) -> u32 {
    match platform {
        Platform::Amd64 => 0x0303,
        Platform::Arm64 => 0x0a03,
    }
}

/// The libraries of all folders, those of a folder before those of the next.
pub(super) fn all(work: &Work, folders: &[Folder]) -> Result<Libraries> {
    let mut by_folder: BTreeMap<ImagePath, Vec<(&ImagePath, &Node)>> = BTreeMap::new();
    for (path, node) in work.view().all().into_iter().filter(|(path, _)| is_name(path.file_name())) {
        by_folder.entry(path.parent().unwrap_or_else(ImagePath::root)).or_default().push((path, node));
    }
    let mut libraries = Libraries::default();
    for folder in folders {
        if let Some(nodes) = by_folder.get(&folder.real) {
            for (soname, found) in of_folder(work, nodes)? {
                let path = folder.real.join(&soname).expect("a name of a file");
                if work.view().get(&path).is_none() {
                    if work.is_dropped(&path) {
                        continue;
                    }
                    libraries.links.push((path, found.file));
                }
                libraries.entries.push(Entry {
                    path: format!("{}/{soname}", folder.name),
                    name: soname,
                    flags: flags(work.platform),
                    hwcaps: None,
                    isa_level: 0,
                });
            }
        }
        hwcaps(work, folder, &by_folder, &mut libraries)?;
    }
    Ok(libraries)
}

/// Those for certain processors: found by their files' names, so that they need no links.
fn hwcaps(
    work: &Work,
    folder: &Folder,
    by_folder: &BTreeMap<ImagePath, Vec<(&ImagePath, &Node)>>,
    libraries: &mut Libraries,
) -> Result<()> {
    let everything = work.view().all();
    let names = everything.keys().flat_map(|path| path.ancestors().chain([(*path).clone()]));
    let mut there: BTreeSet<(ImagePath, String)> = BTreeSet::new();
    for path in names.filter(|path| path.is_under(&folder.real)) {
        let is_folder = everything.get(&path).is_none_or(|node| node.is_directory());
        if let Some(name) = folder.hwcaps(&path).filter(|_| is_folder) {
            there.insert((path.clone(), name.to_owned()));
        }
    }
    for (path, name) in there {
        libraries.hwcaps.insert(name.clone());
        let nodes = by_folder.get(&path).map(Vec::as_slice).unwrap_or_default();
        for (soname, found) in of_folder(work, nodes)? {
            libraries.entries.push(Entry {
                path: format!("{}/{}", folder.hwcaps_name(&name), found.file),
                name: soname,
                flags: flags(work.platform),
                hwcaps: Some(name.clone()),
                isa_level: found.isa_level,
            });
        }
    }
    Ok(())
}

/// A folder's libraries by the name that others need them by; of several the file with the newest name.
fn of_folder(work: &Work, nodes: &[(&ImagePath, &Node)]) -> Result<BTreeMap<String, Found>> {
    let mut found: BTreeMap<String, Found> = BTreeMap::new();
    let mut reader = ContentReader::new();
    for (path, node) in nodes {
        let Some((target, real)) = work.view().follow(path) else { continue };
        let Some(data @ Data::Parcel { content, .. }) = real.data() else { continue };
        let elf = content.elf.as_ref().filter(|elf| elf.wide && elf.machine == machine(work.platform));
        let Some(elf) = elf else { continue };
        let (name, in_hwcaps) = (path.file_name(), path.as_str().contains("/glibc-hwcaps/"));
        let mut isa_level = 0;
        if elf.soname.is_none() || in_hwcaps {
            let bytes = bytes_of(work, &mut reader, &target, data)?;
            if !is_shared(&bytes) {
                continue;
            }
            isa_level = isa_level_of(&bytes);
        }
        let soname = elf.soname.as_deref().unwrap_or(name);
        // A link counts by its own name only where that is the library's, or what a linker uses.
        let is_link = matches!(node.kind, NodeKind::Symlink(_))
            && (name == soname || name.strip_suffix(".so").is_some() && soname.starts_with(name));
        let soname = if is_link { name } else { soname };
        let newer = |there: &Found| {
            !is_link && there.is_link
                || is_link == there.is_link
                    && compare(there.file.as_bytes(), name.as_bytes()) == Ordering::Less
        };
        if soname.contains('/') || found.get(soname).is_some_and(|there| !newer(there)) {
            continue;
        }
        found.insert(soname.to_owned(), Found { file: name.to_owned(), is_link, isa_level });
    }
    Ok(found)
}

/// Whether an ELF file is a shared object (`ET_DYN`), which a program with a library's name is not.
fn is_shared(bytes: &[u8]) -> bool {
    bytes.get(16..18) == Some(&[3, 0])
}

/// The number of the highest bit of `GNU_PROPERTY_X86_ISA_1_NEEDED` (x86-64 psABI, "Program
/// Property"): the processors that a library is for.
fn isa_level_of(bytes: &[u8]) -> u32 {
    const GNU_PROPERTY: u32 = 0x6474_e553;
    const ISA_1_NEEDED: u32 = 0xc000_8002;
    let half =
        |at: usize| bytes.get(at..at + 2).map(|half| usize::from(u16::from_le_bytes([half[0], half[1]])));
    let word = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?));
    let long = |at: usize| Some(u64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?));
    let needed = || {
        let (table, size, count) = (usize::try_from(long(32)?).ok()?, half(54)?, half(56)?);
        let at = (0..count).map(|number| table.checked_add(number * size));
        let at = at.flatten().find(|at| word(*at) == Some(GNU_PROPERTY))?;
        let note = usize::try_from(long(at.checked_add(8)?)?).ok()?;
        let end = note.checked_add(16)?.checked_add(usize::try_from(word(note.checked_add(4)?)?).ok()?)?;
        let mut at = note + 16;
        while at + 8 <= end {
            let (kind, length) = (word(at)?, usize::try_from(word(at + 4)?).ok()?);
            if kind >= ISA_1_NEEDED {
                return (kind == ISA_1_NEEDED && length == 4).then(|| word(at + 8))?;
            }
            at = at.checked_add(8)?.checked_add(length.checked_next_multiple_of(8)?)?;
        }
        None
    };
    needed().and_then(u32::checked_ilog2).unwrap_or(0)
}
