//! What an ELF file needs to run (System V ABI, "Dynamic Section"; ELF-64 object file format), what
//! versions of its needs' symbols it was linked with, and what it says or shows that it opens by itself.

mod opens;
mod versions;

use std::collections::{BTreeMap, BTreeSet};

use object::elf::{self, FileHeader32, FileHeader64};
use object::read::elf::{Dyn as _, FileHeader, ProgramHeader as _};
use object::{Endianness, ReadRef, StringTable};
use serde::{Deserialize, Serialize};

pub use opens::{OpenNote, Priority};

/// The dynamic section of an ELF file, as far as a loader looks for other files.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ElfInfo {
    /// The machine (`e_machine`).
    pub machine: u16,
    /// Whether it is of the 64-bit class.
    pub wide: bool,
    /// The name by which others need it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soname: Option<String>,
    /// The names of what it needs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needed: Vec<String>,
    /// Where it wants these looked for first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runpath: Vec<String>,
    /// The older form of it, which holds for what its needs need as well; empty if there is a RUNPATH,
    /// which makes loaders pass it over (ld.so(8)).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rpath: Vec<String>,
    /// The versions of symbols that it must find, by the library that it expects them in.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub versions_needed: BTreeMap<String, BTreeSet<String>>,
    /// The versions of symbols that it has for others.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub versions: BTreeSet<String>,
    /// Functions that it calls and that open further files: those of [`opens::TELLING`].
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub calls: BTreeSet<String>,
    /// What it says that it opens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub opens: Vec<OpenNote>,
    /// Its loader.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interpreter: Option<String>,
}

/// Names longer than this are no honest library's.
const MAX_NAME: usize = 4096;

/// Reads what an ELF file needs. A file that has the magic but does not read as ELF, or is not
/// dynamic, needs nothing that hardpan could see: `None`.
pub(super) fn read<'a, R: ReadRef<'a>>(data: R) -> Option<ElfInfo> {
    let class = data.read_bytes_at(4, 1).ok()?[0];
    if class == elf::ELFCLASS64.0 {
        inspect::<FileHeader64<Endianness>, R>(data, true)
    } else if class == elf::ELFCLASS32.0 {
        inspect::<FileHeader32<Endianness>, R>(data, false)
    } else {
        None
    }
}

fn inspect<'a, H: FileHeader<Endian = Endianness>, R: ReadRef<'a>>(data: R, wide: bool) -> Option<ElfInfo> {
    let header = H::parse(data).ok()?;
    let endian = header.endian().ok()?;
    if !matches!(header.e_type(endian), elf::ET_DYN | elf::ET_EXEC) {
        return None;
    }
    let segments = header.program_headers(endian, data).ok()?;
    let mut info = ElfInfo { machine: header.e_machine(endian).0, wide, ..ElfInfo::default() };
    info.interpreter = segments
        .iter()
        .find_map(|segment| segment.interpreter(endian, data).ok().flatten())
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let dynamic = segments.iter().find_map(|segment| segment.dynamic(endian, data).ok().flatten());
    let Some(dynamic) = dynamic else { return Some(info) };
    let value = |tag: elf::DynamicTag| {
        dynamic.iter().find(|entry| entry.tag(endian) == tag).map(|entry| entry.d_val(endian).into())
    };
    let (address, size) = (value(elf::DT_STRTAB)?, value(elf::DT_STRSZ)?);
    let start = offset_of::<H>(endian, segments, address)?;
    let strings = StringTable::new(data, start, start.checked_add(size)?);
    let text = |entry: &H::Dyn| {
        let at = u32::try_from(entry.d_val(endian).into()).ok()?;
        let bytes = strings.get(at).ok().filter(|bytes| bytes.len() <= MAX_NAME)?;
        Some(String::from_utf8_lossy(bytes).into_owned())
    };
    let all = |tag: elf::DynamicTag| dynamic.iter().filter(move |entry| entry.tag(endian) == tag);
    info.needed = all(elf::DT_NEEDED).filter_map(text).collect();
    info.soname = all(elf::DT_SONAME).find_map(text);
    let folders = |tag| {
        let paths: Option<String> = all(tag).find_map(text);
        let paths = paths.iter().flat_map(|paths| paths.split(':')).filter(|path| !path.is_empty());
        paths.map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    info.runpath = folders(elf::DT_RUNPATH);
    info.rpath = if info.runpath.is_empty() { folders(elf::DT_RPATH) } else { Vec::new() };
    let table = |at: elf::DynamicTag, count: elf::DynamicTag| {
        Some((offset_of::<H>(endian, segments, value(at)?)?, value(count)?))
    };
    let name = |at: u32| {
        let bytes = strings.get(at).ok().filter(|bytes| bytes.len() <= MAX_NAME)?;
        Some(String::from_utf8_lossy(bytes).into_owned())
    };
    if let Some((at, count)) = table(elf::DT_VERNEED, elf::DT_VERNEEDNUM) {
        info.versions_needed = versions::needed(data, at, count, name).unwrap_or_default();
    }
    if let Some((at, count)) = table(elf::DT_VERDEF, elf::DT_VERDEFNUM) {
        info.versions = versions::defined(data, at, count, name).unwrap_or_default();
    }
    info.calls = opens::calls::<H, R>(header, endian, data);
    info.opens = opens::notes::<H, R>(segments, endian, data);
    Some(info)
}

/// Where in the file a virtual address is.
fn offset_of<H: FileHeader<Endian = Endianness>>(
    endian: Endianness,
    segments: &[H::ProgramHeader],
    address: u64,
) -> Option<u64> {
    segments.iter().filter(|segment| segment.p_type(endian) == elf::PT_LOAD).find_map(|segment| {
        let start: u64 = segment.p_vaddr(endian).into();
        let size: u64 = segment.p_filesz(endian).into();
        let inside = address.checked_sub(start).filter(|inside| *inside < size)?;
        let offset: u64 = segment.p_offset(endian).into();
        offset.checked_add(inside)
    })
}
